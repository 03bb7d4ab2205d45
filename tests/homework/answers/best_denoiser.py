"""Answers to best-denoiser."""

import math

import torch
from torch.distributions import Independent, Normal

from answers.collected import answers_to

right, wrong = answers_to("best-denoiser")


@right
def _(y, mean, var, noise_std):
    s2 = noise_std**2
    return (var * y + s2 * mean) / (var + s2)


@right
def _(y, mean, var, noise_std):
    precision = 1 / var + 1 / noise_std**2
    return (mean / var + y / noise_std**2) / precision


@right
def _(y, mean, var, noise_std):
    law = Independent(Normal(mean, math.sqrt(var + noise_std**2)), 1)
    z = y if y.requires_grad else y.clone().requires_grad_()
    (score,) = torch.autograd.grad(law.log_prob(z).sum(), z, create_graph=True)
    return y + noise_std**2 * score


@right
def _(y, mean, var, noise_std):
    y.requires_grad_()
    Normal(mean, (var + noise_std**2) ** 0.5).log_prob(y).sum().backward()
    return (y + noise_std**2 * y.grad).detach()


@wrong("std-in-shrinkage")
def _(y, mean, var, noise_std):
    return (var * y + noise_std * mean) / (var + noise_std)


@wrong("variances-swapped")
def _(y, mean, var, noise_std):
    return (noise_std**2 * y + var * mean) / (var + noise_std**2)


@wrong("score-sign")
def _(y, mean, var, noise_std):
    s2 = noise_std**2
    score = (y - mean) / (var + s2)
    return y + s2 * score


@wrong("clean-score")
def _(y, mean, var, noise_std):
    z = y.detach().requires_grad_()
    score = torch.autograd.grad(Normal(mean, math.sqrt(var)).log_prob(z).sum(), z)[0]
    return y + noise_std**2 * score


@wrong("var-squared")
def _(y, mean, var, noise_std):
    total = var**2 + noise_std**2
    return mean + (var**2 / total) * (y - mean)


@wrong("mean-forgotten")
def _(y, mean, var, noise_std):
    return y - noise_std**2 * y / (var + noise_std**2)


@wrong("noise-variance-alone")
def _(y, mean, var, noise_std):
    return y - noise_std**2 * (y - mean) / noise_std**2


@wrong("std-in-score")
def _(y, mean, var, noise_std):
    return y - noise_std**2 * (y - mean) / (var + noise_std)


@wrong("half-step")
def _(y, mean, var, noise_std):
    return y - 0.5 * noise_std**2 * (y - mean) / (var + noise_std**2)


@wrong("remaining-variance")
def _(y, mean, var, noise_std):
    return var * noise_std**2 / (var + noise_std**2) * torch.ones_like(y)


@wrong("batch-mean")
def _(y, mean, var, noise_std):
    return y - noise_std**2 * (y - y.mean(0)) / (var + noise_std**2)


@wrong("divided-by-std")
def _(y, mean, var, noise_std):
    return y - noise_std**2 * (y - mean) / (var + noise_std**2) ** 0.5


@wrong("double-step")
def _(y, mean, var, noise_std):
    return y - 2 * noise_std**2 * (y - mean) / (var + noise_std**2)


@wrong("exponent")
def _(y, mean, var, noise_std):
    return -(y - mean).square().sum(1) / (2 * (var + noise_std**2))


@wrong("variance-as-std")
def _(y, mean, var, noise_std):
    y = y.clone().requires_grad_()
    logp = Normal(mean, var + noise_std**2).log_prob(y).sum()
    (g,) = torch.autograd.grad(logp, y)
    return (y + noise_std**2 * g).detach()


@wrong(kind="input", says="this is the input y itself: is the result assigned, and")
def _(y, mean, var, noise_std):
    return y


@wrong("std-added")
def _(y, mean, var, noise_std):
    return y - noise_std**2 * (y - mean) / (var**0.5 + noise_std) ** 2


@wrong("step-alone")
def _(y, mean, var, noise_std):
    return -(noise_std**2) * (y - mean) / (var + noise_std**2)


@wrong(kind="random", says="it draws random numbers, and nothing is random here")
def _(y, mean, var, noise_std):
    return (var * y + noise_std**2 * mean) / (var + noise_std**2) + torch.randn_like(y) * (
        var * noise_std**2 / (var + noise_std**2)
    ) ** 0.5


@wrong("mean-added-to-y")
def _(y, mean, var, noise_std):
    return y - noise_std**2 * (y + mean) / (var + noise_std**2)


@wrong("std-in-shrinkage")
def _(y, mean, var, noise_std):
    a = 1 / var
    b = 1 / noise_std
    return (a * mean + b * y) / (a + b)


@wrong("variances-swapped")
def _(y, mean, var, noise_std):
    a = var
    b = noise_std**2
    return (a * mean + b * y) / (a + b)


@wrong("coordinates-summed")
def _(y, mean, var, noise_std):
    return y - noise_std**2 * (y - mean).sum(1, keepdim=True) / (var + noise_std**2)


@wrong(kind="factor", says="the factors in front of y and of mean are both not right")
def _(y, mean, var, noise_std):
    return y - noise_std**2 * (y - mean) / (y.shape[1] * (var + noise_std**2))


@wrong("direction-alone")
def _(y, mean, var, noise_std):
    return y - noise_std**2 * (y - mean) / ((y - mean).norm(dim=1, keepdim=True) * (var + noise_std**2))


@wrong("variances-subtracted")
def _(y, mean, var, noise_std):
    return y - noise_std**2 * (y - mean) / (var - noise_std**2)


@wrong("mean-for-y")
def _(y, mean, var, noise_std):
    return mean - noise_std**2 * (y - mean) / (var + noise_std**2)
