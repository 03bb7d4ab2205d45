"""Answers to q-step."""

import math

import torch
from torch.distributions import Normal

from answers.before import column
from answers.collected import answers_to

right, wrong = answers_to("q-step")


@right
def _(x_prev, beta, eps):
    return torch.stack(
        [math.sqrt(1 - b) * x + math.sqrt(b) * e for x, b, e in zip(x_prev, beta.tolist(), eps, strict=True)]
    )


@right
def _(x_prev, beta, eps):
    return torch.einsum("b,b...->b...", (1 - beta).sqrt(), x_prev) + torch.einsum("b,b...->b...", beta.sqrt(), eps)


@right
def _(x_prev, beta, eps):
    b = beta[(...,) + (None,) * (x_prev.ndim - 1)]
    law = Normal(torch.sqrt(1 - b) * x_prev, torch.sqrt(b))
    return law.mean + law.stddev * eps


@wrong("erratum-e11")
def _(x_prev, beta, eps):
    b = column(beta, x_prev)
    return torch.sqrt(1 - b) * x_prev + b * eps


@wrong("not-shrunk")
def _(x_prev, beta, eps):
    return x_prev + torch.einsum("b,b...->b...", beta.sqrt(), eps)


@wrong("along-last-dim")
def _(x_prev, beta, eps):
    return torch.sqrt(1 - beta) * x_prev + torch.sqrt(beta) * eps


@wrong("root-missing-x")
def _(x_prev, beta, eps):
    b = column(beta, x_prev)
    return (1 - b) * x_prev + b**0.5 * eps


@wrong(kind="changed", says="it changed its input x_prev")
def _(x_prev, beta, eps):
    b = column(beta, x_prev)
    x_prev *= torch.sqrt(1 - b)
    return x_prev + torch.sqrt(b) * eps


@wrong(kind="dims", says="right for points, and wrong for images")
def _(x_prev, beta, eps):
    return torch.sqrt(1 - beta)[:, None] * x_prev + torch.sqrt(beta)[:, None] * eps


@wrong("root-of-difference")
def _(x_prev, beta, eps):
    b = column(beta, x_prev)
    return (1 - torch.sqrt(b)) * x_prev + torch.sqrt(b) * eps


@wrong("beta-squared")
def _(x_prev, beta, eps):
    b = column(beta, x_prev)
    return torch.sqrt(1 - b**2) * x_prev + torch.sqrt(b) * eps


@wrong("erratum-e11, noise-subtracted")
def _(x_prev, beta, eps):
    b = column(beta, x_prev)
    return (1 - b).sqrt() * x_prev - b * eps


@wrong("factor-of-eps")
def _(x_prev, beta, eps):
    b = column(beta, x_prev)
    return (1 - b).sqrt() * x_prev + (1 - b) * eps


@wrong(kind="factor", says="the factor in front of x_prev is not right; that in front of eps is")
def _(x_prev, beta, eps):
    b = column(beta, x_prev)
    return (1 + b).sqrt() * x_prev + b.sqrt() * eps
