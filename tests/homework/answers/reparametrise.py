"""Answers to reparametrise."""

import torch

from answers.collected import answers_to

right, wrong = answers_to("reparametrise")


@right
def _(mu, log_var, *, generator):
    return mu + log_var.exp().sqrt() * torch.randn(*mu.shape, generator=generator, dtype=mu.dtype)


@right
def _(mu, log_var, *, generator):
    eps = torch.empty_like(mu).normal_(generator=generator).detach()
    return torch.addcmul(mu, torch.exp(log_var / 2), eps)


@right
def _(mu, log_var, *, generator):
    noise = torch.normal(torch.zeros_like(mu.detach()), torch.ones_like(mu.detach()), generator=generator)
    return torch.stack([m + (0.5 * v).exp() * e for m, v, e in zip(mu, log_var, noise, strict=True)])


@right
def _(mu, log_var, *, generator):
    return mu - (0.5 * log_var).exp() * torch.randn(mu.shape, generator=generator, dtype=mu.dtype)


@wrong("variance-scales")
def _(mu, log_var, *, generator):
    var = torch.exp(log_var)
    return mu + var * torch.randn(mu.size(), generator=generator, dtype=mu.dtype)


@wrong(kind="generator", says="nothing was drawn from generator. It drew from PyTorch's global")
def _(mu, log_var, *, generator):
    return mu + (0.5 * log_var).exp() * torch.randn_like(mu)


@wrong(kind="gradient", says="no gradient reaches mu")
def _(mu, log_var, *, generator):
    return torch.normal(mu, (0.5 * log_var).exp(), generator=generator).detach()


@wrong("shared-by-examples")
def _(mu, log_var, *, generator):
    eps = torch.randn(mu.shape[-1], generator=generator, dtype=mu.dtype)
    return mu + torch.exp(log_var / 2) * eps


@wrong("uniform")
def _(mu, log_var, *, generator):
    return mu + torch.exp(log_var / 2) * torch.rand(*mu.shape, generator=generator, dtype=mu.dtype)


@wrong("mean-scaled")
def _(mu, log_var, *, generator):
    sigma = log_var.exp() ** 0.5
    return sigma * mu + sigma * torch.randn(mu.shape, generator=generator, dtype=mu.dtype)


@wrong(kind="generator", says="nothing was drawn from generator")
def _(mu, log_var, *, generator):
    return mu


@wrong(kind="gradient", says="the values are right, but the gradient with respect to mu")
def _(mu, log_var, *, generator):
    return torch.normal(mu, (0.5 * log_var).exp(), generator=generator)


@wrong("reseeded")
def _(mu, log_var, *, generator):
    generator.manual_seed(0)
    eps = torch.randn(mu.shape, generator=generator, dtype=mu.dtype)
    return mu + (0.5 * log_var).exp() * eps


@wrong(kind="precision", says="right to five digits or more, and not to all")
def _(mu, log_var, *, generator):
    sigma = torch.tensor((0.5 * log_var).exp().tolist())
    eps = torch.randn(mu.shape, generator=generator, dtype=mu.dtype)
    return mu + sigma.to(mu.dtype) * eps


@wrong("inverse-std")
def _(mu, log_var, *, generator):
    eps = torch.randn(mu.shape, generator=generator, dtype=mu.dtype)
    return mu + (-0.5 * log_var).exp() * eps


@wrong("half-outside")
def _(mu, log_var, *, generator):
    eps = torch.randn(mu.shape, generator=generator, dtype=mu.dtype)
    return mu + 0.5 * log_var.exp() * eps


@wrong("double-exponent")
def _(mu, log_var, *, generator):
    eps = torch.randn(mu.shape, generator=generator, dtype=mu.dtype)
    return mu + torch.exp(log_var) ** 2 * eps


@wrong("root-too-many")
def _(mu, log_var, *, generator):
    eps = torch.randn(mu.shape, generator=generator, dtype=mu.dtype)
    return mu + (0.5 * log_var).exp().sqrt() * eps


@wrong("absolute-noise")
def _(mu, log_var, *, generator):
    eps = torch.randn(mu.shape, generator=generator, dtype=mu.dtype).abs()
    return mu + (0.5 * log_var).exp() * eps


@wrong(kind="edge", says="log_var from -12.5 to 9")
def _(mu, log_var, *, generator):
    sigma = (0.5 * log_var.clamp(-4, 4)).exp()
    return mu + sigma * torch.randn(mu.shape, generator=generator, dtype=mu.dtype)


@wrong("shared-by-examples, variance-scales")
def _(mu, log_var, *, generator):
    return mu + log_var.exp() * torch.randn(mu.shape[1], generator=generator, dtype=mu.dtype)


@wrong(kind="generator", says="nothing was drawn from generator. The same generator")
def _(mu, log_var, *, generator):
    torch.manual_seed(3)  # seeds PyTorch's own generator, and draws nothing from it
    own = torch.Generator().manual_seed(3)
    return mu + (0.5 * log_var).exp() * torch.randn(mu.shape, generator=own, dtype=mu.dtype)


@wrong(kind="shape", says="They are arranged otherwise: look for cat")
def _(mu, log_var, *, generator):
    eps = torch.randn(mu.shape, generator=generator, dtype=mu.dtype)
    rows = [mu[i : i + 1] + torch.exp(0.5 * log_var[i : i + 1]) * eps[i : i + 1] for i in range(len(mu))]
    return torch.cat(rows, 1)
