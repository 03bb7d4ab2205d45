"""Answers to denoising-loss."""

import torch
import torch.nn.functional as F

from answers.before import column, reconstruction_error
from answers.collected import answers_to

right, wrong = answers_to("denoising-loss")


@right
def _(model, x, noise_std, eps):
    noisy = x + torch.einsum("b,b...->b...", noise_std, eps)
    return ((model(noisy) - x) ** 2).sum(list(range(1, x.ndim)))


@right
def _(model, x, noise_std, eps):
    noisy = torch.stack([a + s * e for a, s, e in zip(x, noise_std, eps, strict=True)])
    return torch.linalg.vector_norm((x - model(noisy)).flatten(1), dim=1) ** 2


@right
def _(model, x, noise_std, eps):
    y = x.clone()
    y += column(noise_std, x) * eps
    return F.mse_loss(model(y), x, reduction="none").flatten(1).sum(-1)


@wrong("target-noisy")
def _(model, x, noise_std, eps):
    x = x + column(noise_std, x) * eps
    return ((x - model(x)) ** 2).flatten(1).sum(1)


@wrong("target-noise")
def _(model, x, noise_std, eps):
    out = model(x + column(noise_std, x) * eps)
    return F.mse_loss(out, eps, reduction="none").flatten(1).sum(1)


@wrong("noise-unscaled")
def _(model, x, noise_std, eps):
    return torch.sum((x - model(x + eps)).flatten(1) ** 2, 1)


@wrong("variance-scales")
def _(model, x, noise_std, eps):
    var = noise_std.pow(2).view(-1, *[1] * (x.ndim - 1))
    return (x - model(x + var * eps)).square().flatten(1).sum(1)


@wrong(kind="gradient", says="no gradient reaches model")
def _(model, x, noise_std, eps):
    with torch.no_grad():
        out = model(x + column(noise_std, x) * eps)
    return (x - out).square().flatten(1).sum(1)


@wrong("dims-averaged")
def _(model, x, noise_std, eps):
    s = column(noise_std, x)
    return torch.stack([F.mse_loss(a, b) for a, b in zip(model(x + s * eps), x, strict=True)])


@wrong(kind="dims", says="right for images, and wrong for points, which have one")
def _(model, x, noise_std, eps):
    y = x + noise_std.view(-1, 1, 1, 1) * eps
    return reconstruction_error(x, model(y))


@wrong(kind="random", says="it draws random numbers of its own; all that is random is given, in eps")
def _(model, x, noise_std, eps):
    s = noise_std.view(-1, *[1] * (x.ndim - 1))
    y = x + s * torch.randn_like(x)
    return reconstruction_error(x, model(y))


@wrong("root")
def _(model, x, noise_std, eps):
    s = noise_std.view(-1, *[1] * (x.ndim - 1))
    y = x + s * eps
    return (x - model(y)).flatten(1).norm(dim=1)


@wrong("noise-subtracted")
def _(model, x, noise_std, eps):
    s = noise_std.view(-1, *[1] * (x.ndim - 1))
    y = x - s * eps
    return reconstruction_error(x, model(y))


@wrong("divided-by-variance")
def _(model, x, noise_std, eps):
    s = noise_std.view(-1, *[1] * (x.ndim - 1))
    y = x + s * eps
    return reconstruction_error(x, model(y)) / noise_std**2


@wrong("shown-rows")
def _(model, x, noise_std, eps):
    s = noise_std.view(-1, *[1] * (x.ndim - 1))
    y = (x + s * eps).flatten(1)
    return reconstruction_error(x.flatten(1), model(y))


@wrong("noise-on-output")
def _(model, x, noise_std, eps):
    s = noise_std.view(-1, *[1] * (x.ndim - 1))
    return reconstruction_error(x, model(x) + s * eps)


@wrong("x-shrunk")
def _(model, x, noise_std, eps):
    s = noise_std.view(-1, *[1] * (x.ndim - 1))
    y = (1 - s**2).clamp(min=0).sqrt() * x + s * eps
    return reconstruction_error(x, model(y))


@wrong("clamped")
def _(model, x, noise_std, eps):
    s = noise_std.view(-1, *[1] * (x.ndim - 1))
    y = (x + s * eps).clamp(0, 1)
    return reconstruction_error(x, model(y))


@wrong("swapped")
def _(model, x, noise_std, eps):
    s = noise_std.view(-1, *[1] * (x.ndim - 1))
    return reconstruction_error(model(x), x + s * eps)


@wrong(kind="batch", says="right in one case alone: one number. Sizes of 1 hide much")
def _(model, x, noise_std, eps):
    y = x + noise_std.expand_as(x) * eps
    return reconstruction_error(x, model(y))


@wrong("x-scaled")
def _(model, x, noise_std, eps):
    s = noise_std.view(-1, *[1] * (x.ndim - 1))
    return reconstruction_error(x, model(s * (x + eps)))


@wrong("target-scaled-noise")
def _(model, x, noise_std, eps):
    s = noise_std.view(-1, *[1] * (x.ndim - 1))
    return reconstruction_error(s * eps, model(x + s * eps))


@wrong("dims-averaged, target-noise")
def _(model, x, noise_std, eps):
    return ((eps - model(x + column(noise_std, x) * eps)) ** 2).flatten(1).mean(1)
