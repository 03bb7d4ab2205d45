"""Answers to half-signal."""

import numpy as np
import torch

from answers.before import alpha_bar
from answers.collected import answers_to

right, wrong = answers_to("half-signal")


@right
def _(betas):
    left, t = 1.0, 0
    while left >= 0.5:
        t += 1
        left *= 1 - betas[t - 1].item()
    return t


@right
def _(betas):
    return torch.sum(torch.cumprod(1 - betas, 0) >= 0.5) + 1  # a tensor


@right
def _(betas):
    signal = np.cumprod(1 - betas.numpy())
    return float(np.argmax(signal / (1 - signal) < 1) + 1)


@wrong("one-early")
def _(betas):
    return int(np.argmax(np.cumprod(1 - betas.numpy()) < 0.5))


@wrong("root")
def _(betas):
    signal, t = 1.0, 0
    while signal**0.5 >= 0.5:
        signal *= 1 - betas[t].item()
        t += 1
    return t


@wrong("sum-of-betas")
def _(betas):
    total, t = 0.0, 0
    while total <= 0.5:
        total += betas[t].item()
        t += 1
    return t


@wrong("value")
def _(betas):
    bars = torch.cumprod(1 - betas, 0)
    return bars[bars < 0.5][0]


@wrong(kind="value", says="this is not what your own numbers give")
def _(betas):
    return 7


@right
def _(betas):
    table = alpha_bar(betas)
    return (table < 1 - table).nonzero()[0]  # of shape (1,)


@right
def _(betas):
    return np.flatnonzero(alpha_bar(betas).numpy() < 0.5)[0]  # numpy.int64


@wrong(kind="type", says="one number is expected, got a tensor of shape (2, 1)")
def _(betas):
    return (alpha_bar(betas) < 0.5).nonzero()[:2]


@wrong("counted")
def _(betas):
    return sum(a < 0.5 for a in alpha_bar(betas).tolist())


@wrong(kind="none", says="there is no result: this is None")
def _(betas):
    return None
