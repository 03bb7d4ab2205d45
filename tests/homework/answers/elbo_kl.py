"""Answers to elbo-kl."""

import torch
from torch.distributions import Normal, kl_divergence

from answers.before import elbo_kl, gaussian_log_prob
from answers.collected import answers_to

right, wrong = answers_to("elbo-kl")


@right
def _(mu, log_var):
    q = Normal(mu, torch.exp(log_var / 2))
    return kl_divergence(q, Normal(torch.zeros_like(mu), torch.ones_like(mu))).sum(1)


@right
def _(mu, log_var):
    sigma = (0.5 * log_var).exp()
    return torch.sum(0.5 * (mu**2 + sigma**2 - 1) - sigma.log(), dim=1)


@right
def _(mu, log_var):
    k = mu.shape[1]
    trace = torch.stack([torch.diag(v.exp()).trace() for v in log_var])
    return (torch.einsum("bk,bk->b", mu, mu) + trace - k - log_var.sum(1)) / 2


@wrong("dims-averaged")
def _(mu, log_var):
    return kl_divergence(Normal(mu, (0.5 * log_var).exp()), Normal(0.0, 1.0)).mean(dim=1)


@wrong("doubled")
def _(mu, log_var):
    return -torch.sum(1 + log_var - mu.pow(2) - log_var.exp(), dim=1)


@wrong("erratum-e6")
def _(mu, log_var):
    k = mu.shape[1]
    return 1 / 2 * (mu**2).sum(1) + torch.exp(log_var).sum(1) - k - log_var.sum(1)


@wrong("log-of-log-var")
def _(mu, log_var):
    var = log_var
    return 0.5 * ((mu**2).sum(1) + var.sum(1) - mu.shape[1] - torch.log(var).sum(1))


@wrong("log-std")
def _(mu, log_var):
    sigma = log_var.exp()
    return kl_divergence(Normal(mu, sigma), Normal(0.0, 1.0)).sum(1)


@wrong("negated")
def _(mu, log_var):
    return 0.5 * torch.sum(1 + log_var - mu**2 - log_var.exp(), dim=-1)


@wrong("exchanged")
def _(mu, log_var):
    return kl_divergence(Normal(torch.zeros_like(mu), 1.0), Normal(mu, (0.5 * log_var).exp())).sum(1)


@wrong("k-once")
def _(mu, log_var):
    return 0.5 * (torch.sum(mu**2, 1) + torch.sum(log_var.exp(), 1) - 1 - torch.sum(log_var, 1))


@wrong("examples-averaged")
def _(mu, log_var):
    return torch.mean(-0.5 * torch.sum(1 + log_var - mu**2 - log_var.exp(), dim=1), dim=0)


@wrong(kind="dtype", says="the result is float32")
def _(mu, log_var):
    mu, log_var = mu.float(), log_var.float()
    return 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1)


@wrong(kind="batch", says="right in all cases with one example")
def _(mu, log_var):
    total = 0
    for i in range(1):  # forgot the other examples
        total = total + 0.5 * (mu[i] ** 2 + log_var[i].exp() - 1 - log_var[i]).sum()
    return total.reshape(1).expand(len(mu))


@wrong(kind="shape", says="shape")
def _(mu, log_var):
    return 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1, keepdim=True)


@wrong(kind="none", says="this is None")
def _(mu, log_var):
    if len(mu) > 1:
        return 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1)


@wrong(kind="package", says="this calls the package's lecture11.gaussian.kl_to_standard_normal")
def _(mu, log_var):
    from lecture11 import gaussian

    return gaussian.kl_to_standard_normal(mu, log_var)


@wrong(kind="time", says="this takes too long")
def _(mu, log_var):
    while True:
        pass


@wrong(kind="time", says="this takes too long")
def _(mu, log_var):
    while True:
        try:
            mu = mu + 0
        except:  # noqa: E722
            continue


@wrong(kind="time", says="this takes too long")
def _(mu, log_var):
    while True:
        print("still here")


@wrong("k-is-batch")
def _(mu, log_var):
    return 0.5 * ((mu**2 + log_var.exp() - log_var).sum(1) - len(mu))


@wrong("length-not-squared")
def _(mu, log_var):
    return 0.5 * (mu.norm(dim=1) + (log_var.exp() - 1 - log_var).sum(1))


@wrong("logdet-product")
def _(mu, log_var):
    return 0.5 * ((mu**2 + log_var.exp() - 1).sum(1) - log_var.prod(1))


@wrong("det")
def _(mu, log_var):
    return 0.5 * ((mu**2 + log_var.exp() - 1).sum(1) - log_var.exp().prod(1))


@wrong("k-is-batch")
def _(mu, log_var):
    k = mu.shape[0]
    return 0.5 * ((mu**2 + log_var.exp()).sum(1) - k - log_var.sum(1))


@wrong("half-exponent")
def _(mu, log_var):
    sigma = (0.5 * log_var).exp()
    return 0.5 * (mu**2 + sigma - 1 - sigma.log()).sum(1)


@wrong("logdet-missing")
def _(mu, log_var):
    return 0.5 * (mu**2 + log_var.exp() - 1).sum(1)


@wrong("k-added")
def _(mu, log_var):
    return 0.5 * (mu**2 + log_var.exp() + 1 - log_var).sum(1)


@wrong("torch-trace")
def _(mu, log_var):
    return 0.5 * ((mu**2).sum(1) + torch.trace(log_var.exp()) - mu.shape[1] - log_var.sum(1))


@wrong("sum-squared")
def _(mu, log_var):
    return 0.5 * (mu.sum(1) ** 2 + (log_var.exp() - 1 - log_var).sum(1))


@wrong("logdet-outside")
def _(mu, log_var):
    return 0.5 * (mu**2 + log_var.exp() - 1).sum(1) - log_var.sum(1)


@wrong("variance-squared")
def _(mu, log_var):
    return 0.5 * (mu**2 + log_var.exp() ** 2 - 1 - log_var).sum(1)


@wrong("mu-missing")
def _(mu, log_var):
    return 0.5 * (log_var.exp() - 1 - log_var).sum(1)


@wrong(kind="random", says="it draws random numbers, and nothing is random here")
def _(mu, log_var):
    z = mu + (0.5 * log_var).exp() * torch.randn_like(mu)
    return gaussian_log_prob(z, mu, log_var) - gaussian_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))


@wrong("k-is-numel")
def _(mu, log_var):
    return 0.5 * ((mu**2 + log_var.exp() - log_var).sum(1) - mu.numel())


@wrong("dims-averaged")
def _(mu, log_var):
    return (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).sum(1) / mu.shape[1]


@wrong("half-logdet")
def _(mu, log_var):
    return 0.5 * (mu**2 + log_var.exp() - 1 - torch.log(log_var.exp() ** 0.5)).sum(1)


@wrong(kind="edge", says="log_var from -12.5 to 9")
def _(mu, log_var):
    return elbo_kl(mu, log_var.clamp(-3, 3))


@wrong(kind="gradient", says="only to some digits: is something small added")
def _(mu, log_var):
    kl = elbo_kl(mu, log_var)
    return kl + 1e-5 * (mu - mu.detach()).sum(1)


@wrong("log-of-trace")
def _(mu, log_var):
    var = log_var.exp()
    return 0.5 * ((mu**2).sum(1) + var.sum(1) - mu.shape[1] - torch.log(var.sum(1)))


@wrong("det-overflows")
def _(mu, log_var):
    sigma = torch.diag_embed(log_var.exp())
    return 0.5 * ((mu**2).sum(1) + log_var.exp().sum(1) - mu.shape[1] - torch.log(torch.det(sigma)))


@wrong("half-on-squares")
def _(mu, log_var):
    return (0.5 * (mu**2 + log_var.exp()) - 1 - log_var).sum(1)


# Not E6 and a term that is missing: E6 is about all terms.
@wrong(kind="value")
def _(mu, log_var):
    return 0.5 * (mu**2).sum(1) + log_var.exp().sum(1) - mu.shape[1] - 0.5 * log_var.sum(1)
