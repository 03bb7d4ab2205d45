"""Answers to iw-bound."""

import math

import numpy as np
import torch

from answers.collected import answers_to

right, wrong = answers_to("iw-bound")


@right
def _(log_w):
    top = log_w.max(0).values
    return top + (log_w - top).exp().mean(0).log()


@right
def _(log_w):
    k = log_w.shape[0]
    total = log_w[0]
    for row in log_w[1:]:
        total = torch.logaddexp(total, row)
    return total - math.log(k)


@right
def _(log_w):
    return torch.logsumexp(log_w - math.log(log_w.size(0)), dim=0)


@wrong("underflow")
def _(log_w):
    return torch.log(torch.mean(torch.exp(log_w), dim=0))


@wrong("log-k-missing")
def _(log_w):
    m = log_w.max(0).values
    return m + torch.log(torch.exp(log_w - m).sum(0))


@wrong("mean-of-logs")
def _(log_w):
    return log_w.sum(0) / log_w.shape[0]


@wrong("over-examples")
def _(log_w):
    return torch.logsumexp(log_w, dim=-1) - np.log(log_w.shape[-1])


@wrong("by-examples")
def _(log_w):
    k = log_w.shape[1]
    return torch.logsumexp(log_w, dim=0) - math.log(k)


@wrong("divided-outside")
def _(log_w):
    return torch.logsumexp(log_w, 0) / log_w.shape[0]


@wrong(kind="type", says="an object of type numpy.ndarray")
def _(log_w):
    w = log_w.detach().numpy()
    return np.logaddexp.reduce(w, axis=0) - math.log(len(w))


@wrong("k-subtracted")
def _(log_w):
    return torch.logsumexp(log_w, 0) - len(log_w)


@wrong("one-maximum")
def _(log_w):
    m = log_w.max()
    return m + (log_w - m).exp().mean(0).log()


@wrong("maximum-not-added")
def _(log_w):
    m = log_w.max(0).values
    return (log_w - m).exp().mean(0).log()


@wrong("log-missing")
def _(log_w):
    m = log_w.max(0).values
    return m + (log_w - m).exp().mean(0)


@wrong("not-the-maximum")
def _(log_w):
    m = log_w.min(0).values
    return m + (log_w - m).exp().mean(0).log()


@wrong("normalised-logs")
def _(log_w):
    return torch.log_softmax(log_w, 0).mean(0)


@wrong("mean-weight")
def _(log_w):
    return log_w.exp().mean(0)


@wrong("not-the-maximum")
def _(log_w):
    m = log_w.mean(0)
    return m + (log_w - m).exp().mean(0).log()


@wrong("fixed-shift")
def _(log_w):
    return -2000 + (log_w + 2000).exp().mean(0).log()


@wrong("log2")
def _(log_w):
    return torch.logsumexp(log_w, 0) - math.log2(len(log_w))


@wrong("small-number")
def _(log_w):
    return (log_w.exp().mean(0) + 1e-12).log()


@wrong("logs-divided")
def _(log_w):
    return torch.logsumexp(log_w / len(log_w), 0)


@wrong("underflow")
def _(log_w):
    return log_w.double().exp().mean(0).log().to(log_w)


@wrong("log-of-one")
def _(log_w):
    return log_w.softmax(0).sum(0).log()


@wrong("sum-of-logs")
def _(log_w):
    return log_w.sum(0)


@wrong("clamped")
def _(log_w):
    return log_w.clamp(min=-700).exp().mean(0).log()


@wrong("over-examples-by-draws")
def _(log_w):
    return torch.logsumexp(log_w.T, 0) - math.log(len(log_w))


@wrong("median")
def _(log_w):
    return log_w.median(0).values


@wrong("sum-divided-outside")
def _(log_w):
    m = log_w.max(0).values
    return m + (log_w - m).exp().sum(0).log() / len(log_w)


@wrong(kind="edge", says="weights as large as exp(2000)")
def _(log_w):
    m = log_w.max(0).values.clamp(max=0)
    return m + (log_w - m).exp().mean(0).log()


@wrong("first-draw")
def _(log_w):
    return log_w[0] + torch.log(torch.exp(log_w - log_w[0]).mean(0))


@wrong("term-of-each-case")
def _(log_w):
    return log_w.logsumexp(0) - math.log10(len(log_w))
