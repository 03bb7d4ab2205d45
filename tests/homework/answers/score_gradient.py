"""Answers to score-gradient."""

import torch
from torch.distributions import Normal

from answers.collected import answers_to

right, wrong = answers_to("score-gradient")


@right
def _(f, mu, sigma, eps):
    return f(mu + sigma * eps).unsqueeze(1) * eps / sigma


@right
def _(f, mu, sigma, eps):
    z = mu + sigma * eps
    m = mu.expand_as(z).clone().requires_grad_()
    (score,) = torch.autograd.grad(Normal(m, sigma).log_prob(z).sum(), m)
    return torch.einsum("n,nk->nk", f(z).detach(), score)


@right
def _(f, mu, sigma, eps):
    rows = []
    for e in eps:
        z = mu + sigma * e
        rows.append(f(z[None])[0] * (z - mu) / sigma.square())
    return torch.stack(rows)


@wrong("not-divided")
def _(f, mu, sigma, eps):
    return torch.einsum("n,nk->nk", f(mu + sigma * eps), sigma * eps)


@wrong("divided-by-variance")
def _(f, mu, sigma, eps):
    return f(mu + sigma * eps).view(-1, 1) * eps / sigma.pow(2)


@wrong("negated")
def _(f, mu, sigma, eps):
    z = mu + eps * sigma
    return f(z)[:, None] * (mu - z) / sigma**2


@wrong("draws-averaged")
def _(f, mu, sigma, eps):
    z = mu + sigma * eps
    m = mu.clone().requires_grad_()
    (f(z).detach() * Normal(m, sigma).log_prob(z).sum(1)).mean().backward()
    return m.grad


@wrong("along-dims")
def _(f, mu, sigma, eps):
    z = mu + sigma * eps
    return f(z) * (z - mu) / sigma**2


@wrong("f-at-noise")
def _(f, mu, sigma, eps):
    values = f(eps)
    return values[:, None] * (eps / sigma)


@wrong("f-at-mean")
def _(f, mu, sigma, eps):
    return f(mu[None])[:, None] * eps / sigma


@wrong("path-gradient")
def _(f, mu, sigma, eps):
    z = (mu + sigma * eps).requires_grad_()
    (g,) = torch.autograd.grad(f(z).sum(), z)
    return g


@wrong("baseline")
def _(f, mu, sigma, eps):
    z = mu + sigma * eps
    v = f(z)
    return (v - v.mean())[:, None] * eps / sigma


@wrong("sigma-squared")
def _(f, mu, sigma, eps):
    z = mu + sigma**2 * eps
    return f(z)[:, None] * (z - mu) / sigma**2


@wrong("sigma-as-variance")
def _(f, mu, sigma, eps):
    z = mu + sigma.sqrt() * eps
    return f(z)[:, None] * (z - mu) / sigma


@wrong("sigma-as-log-var")
def _(f, mu, sigma, eps):
    z = mu + (0.5 * sigma).exp() * eps
    return f(z)[:, None] * eps / (0.5 * sigma).exp()


@wrong("log-q")
def _(f, mu, sigma, eps):
    z = mu + sigma * eps
    lq = -0.5 * ((z - mu) ** 2 / sigma**2)
    return f(z)[:, None] * lq


@wrong("z-moves-with-mu")
def _(f, mu, sigma, eps):
    mu = mu.clone().requires_grad_()
    z = mu + sigma * eps
    lq = (-0.5 * ((z - mu) / sigma) ** 2).sum(1)
    (g,) = torch.autograd.grad((f(z).detach() * lq).sum(), mu)
    return g


@wrong(kind="random", says="it draws random numbers of its own; all that is random is given, in eps")
def _(f, mu, sigma, eps):
    z = mu + sigma * torch.randn_like(eps)
    return f(z)[:, None] * (z - mu) / sigma**2


@wrong("mean-f")
def _(f, mu, sigma, eps):
    z = mu + sigma * eps
    return f(z).mean() * eps / sigma


@wrong("sum-f")
def _(f, mu, sigma, eps):
    z = mu + sigma * eps
    return f(z).sum() * eps / sigma


@wrong("gradient-of-f")
def _(f, mu, sigma, eps):
    z = (mu + sigma * eps).requires_grad_()
    (g,) = torch.autograd.grad(f(z).sum(), z)
    return g * eps / sigma


@wrong("z-not-centred")
def _(f, mu, sigma, eps):
    z = mu + sigma * eps
    return f(z)[:, None] * z / sigma**2


@wrong("added")
def _(f, mu, sigma, eps):
    z = mu + sigma * eps
    return f(z)[:, None] + eps / sigma


@wrong("along-dims")
def _(f, mu, sigma, eps):
    z = mu + sigma * eps
    return f(z)[None, :] * eps / sigma


@wrong("times-q")
def _(f, mu, sigma, eps):
    z = mu + sigma * eps
    q = Normal(mu, sigma).log_prob(z).sum(1).exp()
    return (f(z) * q)[:, None] * eps / sigma


@wrong("score-summed")
def _(f, mu, sigma, eps):
    m = mu.clone().requires_grad_()
    z = mu + sigma * eps
    lq = Normal(m, sigma).log_prob(z).sum()
    (g,) = torch.autograd.grad(lq, m)
    return f(z)[:, None] * g


@wrong("z-moves")
def _(f, mu, sigma, eps):
    m = mu.clone().requires_grad_()
    z = m + sigma * eps
    lq = Normal(m, sigma).log_prob(z).sum()
    (g,) = torch.autograd.grad(lq, m)
    return f(z)[:, None] * g


@wrong(kind="batch", says="right in one case alone: one draw, one dimension. Sizes of")
def _(f, mu, sigma, eps):
    z = mu + sigma * eps
    return f(z)[:, None] * eps / (sigma**2).sum().sqrt()


@wrong("noise-unscaled")
def _(f, mu, sigma, eps):
    z = mu + eps
    return f(z).unsqueeze(1) * (z - mu) / sigma**2


@wrong("times-quantities")
def _(f, mu, sigma, eps):
    z = mu + sigma * eps
    return f(z)[:, None] * (z - mu) ** 2 / sigma**2
