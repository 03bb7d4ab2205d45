"""Answers to kl-per-latent."""

import torch
from torch.distributions import Normal, kl_divergence

from answers.before import elbo_kl
from answers.collected import answers_to

right, wrong = answers_to("kl-per-latent")


@right
def _(mu, log_var):
    q, p = Normal(mu, (0.5 * log_var).exp()), Normal(torch.zeros_like(mu), torch.ones_like(mu))
    return torch.sort(kl_divergence(q, p).mean(0), descending=True)[0]


@right
def _(mu, log_var):
    kl = [0.5 * (mu[:, j] ** 2 + log_var[:, j].exp() - 1 - log_var[:, j]).mean() for j in range(mu.shape[1])]
    return torch.stack(sorted(kl, reverse=True))


@right
def _(mu, log_var):
    total = -(1 + log_var - mu.pow(2) - log_var.exp()).sum(0) / (2 * mu.shape[0])
    return total.topk(len(total)).values


@wrong("unsorted")
def _(mu, log_var):
    return kl_divergence(Normal(mu, (0.5 * log_var).exp()), Normal(0.0, 1.0)).mean(dim=0)


@wrong("ascending")
def _(mu, log_var):
    return torch.sort(kl_divergence(Normal(mu, (0.5 * log_var).exp()), Normal(0.0, 1.0)).mean(dim=0))[0]


@wrong("per-example-sorted")
def _(mu, log_var):
    kl = kl_divergence(Normal(mu, (0.5 * log_var).exp()), Normal(0.0, 1.0)).sum(dim=1)
    return torch.sort(kl, descending=True)[0]


@wrong("examples-summed")
def _(mu, log_var):
    kl = -0.5 * torch.sum(1 + log_var - mu**2 - log_var.exp(), dim=0)
    return torch.sort(kl, descending=True).values


@wrong("indices")
def _(mu, log_var):
    kl = -0.5 * torch.mean(1 + log_var - mu**2 - log_var.exp(), dim=0)
    return torch.sort(kl, descending=True)[1]


@wrong(kind="type", says="a tensor is expected, got 2 results, as in a list. torch.stack")
def _(mu, log_var):
    kl = -0.5 * torch.mean(1 + log_var - mu**2 - log_var.exp(), dim=0)
    return tuple(torch.sort(kl, descending=True))


@wrong("latents-averaged")
def _(mu, log_var):
    return (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).mean(1)


@wrong("k-each")
def _(mu, log_var):
    k = mu.shape[1]
    return (0.5 * (mu**2 + log_var.exp() - k - log_var)).mean(0).sort(descending=True).values


@wrong("flipped")
def _(mu, log_var):
    return (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).mean(0).flip(0)


@wrong("median")
def _(mu, log_var):
    return (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).median(0).values.sort(descending=True).values


@wrong("examples-kept-sorted")
def _(mu, log_var):
    return (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).sort(descending=True).values


@wrong("negated")
def _(mu, log_var):
    return (-0.5 * (mu**2 + log_var.exp() - 1 - log_var)).mean(0).sort(descending=True).values


@wrong("log-of-log-var")
def _(mu, log_var):
    return (0.5 * (mu**2 + log_var - 1 - log_var.log())).mean(0).sort(descending=True).values


@wrong("sorted-by-mu")
def _(mu, log_var):
    kl = (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).mean(0)
    return kl[mu.abs().mean(0).argsort(descending=True)]


@wrong("per-example-sorted")
def _(mu, log_var):
    return (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).sum(1).sort(descending=True).values


@wrong("maximum")
def _(mu, log_var):
    return (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).max(0).values.sort(descending=True).values


@wrong("unsorted")
def _(mu, log_var):
    kl = (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).mean(0)
    kl.sort(descending=True)
    return kl


@wrong("shares")
def _(mu, log_var):
    kl = (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).mean(0)
    kl = kl / kl.sum()
    return kl.sort(descending=True).values


@wrong("erratum-e6")
def _(mu, log_var):
    return (0.5 * mu**2 + log_var.exp() - 1 - log_var).mean(0).sort(descending=True).values


@wrong("terms-of-means")
def _(mu, log_var):
    return (0.5 * (mu.mean(0) ** 2 + log_var.exp().mean(0) - 1 - log_var.mean(0))).sort(descending=True).values


@wrong("std")
def _(mu, log_var):
    return (0.5 * (mu**2 + (0.5 * log_var).exp() - 1 - log_var)).mean(0).sort(descending=True).values


@wrong("log-var-sign")
def _(mu, log_var):
    return (0.5 * (mu**2 + log_var.exp() - 1 + log_var)).mean(0).sort(descending=True).values


@wrong("latents-averaged")
def _(mu, log_var):
    return elbo_kl(mu, log_var) / mu.shape[1]


@wrong(kind="edge", says="log_var from -12.5 to 9")
def _(mu, log_var):
    log_var = log_var.clamp(-5, 5)
    return (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).mean(0).sort(descending=True).values


@wrong("ascending, examples-summed")
def _(mu, log_var):
    return (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).sum(0).sort().values


@wrong("one-missing, unsorted")
def _(mu, log_var):
    return (0.5 * (mu**2 + log_var.exp() - log_var)).mean(0)


@wrong(kind="batch", says="right in these cases alone: three examples, three latents; nine latents.")
def _(mu, log_var):
    return (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).sum(0).div(3).sort(descending=True).values


@wrong("kl-exchanged")
def _(mu, log_var):
    kl = 0.5 * ((mu**2 + 1) * (-log_var).exp() - 1 + log_var)
    return kl.mean(0).sort(descending=True).values


@wrong("factor-of-each-case")
def _(mu, log_var):
    kl = 0.5 * (mu**2 + log_var.exp() - 1 - log_var)
    return (kl.sum(0) / 5).sort(descending=True).values


# Summed over the latents, not over the examples.
@wrong(kind="shape", says="Too much is summed")
def _(mu, log_var):
    return (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).sum(1).mean()
