"""Answers to elbo."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch.distributions import Normal, kl_divergence

from answers.before import elbo_kl, gaussian_log_prob
from answers.collected import answers_to

right, wrong = answers_to("elbo")


@right
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    q = Normal(mu, (log_var / 2).exp())
    z = q.mean + q.stddev * eps
    log_likelihood = Normal(decoder(z), 1.0).log_prob(x).sum(1)
    return log_likelihood - kl_divergence(q, Normal(torch.zeros_like(mu), torch.ones_like(mu))).sum(1)


@right
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    error = F.mse_loss(decoder(mu + torch.sqrt(torch.exp(log_var)) * eps), x, reduction="none").sum(1)
    rest = x.shape[1] * np.log(2 * np.pi)
    minus_kl = 0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp(), dim=1)
    return -0.5 * (error + float(rest)) + minus_kl


@right
def _(x, encoder, decoder, eps):
    bounds = []
    for i in range(len(x)):  # one example at a time
        mu, log_var = encoder(x[i : i + 1])
        z = mu + torch.exp(0.5 * log_var) * eps[i : i + 1]
        r = x[i] - decoder(z)[0]
        kl = 0.5 * (mu[0] @ mu[0] + log_var.exp().sum() - mu.shape[1] - log_var.sum())
        bounds.append(-0.5 * r @ r - len(r) / 2 * math.log(2 * math.pi) - kl)
    return torch.stack(bounds)


@wrong("constant-missing")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + log_var.mul(0.5).exp() * eps
    kl = -0.5 * (1 + log_var - mu**2 - log_var.exp()).sum(1)
    return -0.5 * F.mse_loss(decoder(z), x, reduction="none").sum(1) - kl


@wrong("kl-added")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    q = Normal(mu, (log_var / 2).exp())
    log_p = Normal(decoder(mu + q.stddev * eps), 1.0).log_prob(x).sum(1)
    return log_p + kl_divergence(q, Normal(0.0, 1.0)).sum(1)


@wrong("negated")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    q = Normal(mu, (log_var / 2).exp())
    loss = -Normal(decoder(mu + q.stddev * eps), 1.0).log_prob(x).sum(1)
    return loss + kl_divergence(q, Normal(0.0, 1.0)).sum(1)


@wrong("z-is-mean")
def _(x, encoder, decoder, eps):
    z, log_var = encoder(x)
    kl = 0.5 * (z**2 + log_var.exp() - 1 - log_var).sum(1)
    return Normal(decoder(z), 1.0).log_prob(x).sum(1) - kl


@wrong("variance-scales")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    var = log_var.exp()
    kl = 0.5 * (mu**2 + var - 1 - log_var).sum(1)
    return Normal(decoder(mu + var * eps), 1.0).log_prob(x).sum(1) - kl


@wrong("pixels-averaged")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    kl = 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1)
    return Normal(decoder(mu + (0.5 * log_var).exp() * eps), 1.0).log_prob(x).mean(1) - kl


@wrong(kind="gradient", says="the gradient with respect to encoder is not")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = torch.distributions.Normal(mu, (0.5 * log_var).exp())
    z = (z.mean + z.stddev * eps).detach()  # as .sample() does
    kl = 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1)
    return Normal(decoder(z), 1.0).log_prob(x).sum(1) - kl


@wrong("kl-missing")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    return Normal(decoder(mu + (0.5 * log_var).exp() * eps), 1.0).log_prob(x).sum(1)


@wrong("constant-once")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    reconstruction = -0.5 * (x - decoder(z)).square().sum(1) - 0.5 * math.log(2 * math.pi)
    return reconstruction - 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1)


@wrong(kind="random", says="it draws random numbers of its own; all that is random is given, in eps")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * torch.randn_like(mu)
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)) - elbo_kl(mu, log_var)


@wrong("decoder-variance")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return gaussian_log_prob(x, decoder(z), torch.ones_like(x)) - elbo_kl(mu, log_var)


@wrong("all-squares-averaged")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return -F.mse_loss(decoder(z), x) - elbo_kl(mu, log_var)


@wrong("constant-counts-latents")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return -0.5 * ((x - decoder(z)) ** 2).sum(1) - 0.5 * eps.shape[1] * math.log(2 * math.pi) - elbo_kl(mu, log_var)


@wrong("half-missing")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return -((x - decoder(z)) ** 2).sum(1) - 0.5 * x.shape[1] * math.log(2 * math.pi) - elbo_kl(mu, log_var)


@wrong("encoder-log-var")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return gaussian_log_prob(x, decoder(z), log_var) - elbo_kl(mu, log_var)


@wrong("density-of-z")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return gaussian_log_prob(z, mu, log_var) - elbo_kl(mu, log_var)


@wrong("kl-sampled")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)) - (
        gaussian_log_prob(z, mu, log_var) - gaussian_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
    )


@wrong("constant-counts-examples")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return -0.5 * ((x - decoder(z)) ** 2).sum(1) - 0.5 * x.shape[0] * math.log(2 * math.pi) - elbo_kl(mu, log_var)


@wrong("constant-doubled")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return -0.5 * ((x - decoder(z)) ** 2).sum(1) - x.shape[1] * math.log(2 * math.pi) - elbo_kl(mu, log_var)


@wrong("squares-averaged-constant")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return -0.5 * ((x - decoder(z)) ** 2).mean(1) - 0.5 * x.shape[1] * math.log(2 * math.pi) - elbo_kl(mu, log_var)


@wrong("z-in-kl")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    mu += (0.5 * log_var).exp() * eps
    z = mu
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)) - elbo_kl(mu, log_var)


@wrong("cross-entropy")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return -F.binary_cross_entropy_with_logits(decoder(z), x, reduction="none").sum(1) - elbo_kl(mu, log_var)


@wrong("half-kl")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)) - 0.5 * elbo_kl(mu, log_var)


@wrong("z-in-kl")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)) - elbo_kl(z, log_var)


@wrong("all-squares-summed")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return -F.mse_loss(decoder(z), x, reduction="sum") - elbo_kl(mu, log_var)


@wrong("examples-summed")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)).sum() - elbo_kl(mu, log_var).sum()


@wrong("kl-of-sigma")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)) - elbo_kl(mu, (0.5 * log_var).exp())


@wrong("noise-decoded")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    return gaussian_log_prob(x, decoder(eps), torch.zeros_like(x)) - elbo_kl(mu, log_var)


@wrong("results-swapped")
def _(x, encoder, decoder, eps):
    log_var, mu = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)) - elbo_kl(mu, log_var)


@wrong("inverse-std")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (-0.5 * log_var).exp() * eps
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)) - elbo_kl(mu, log_var)


@wrong("constant-sign")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return -0.5 * ((x - decoder(z)) ** 2).sum(1) + 0.5 * x.shape[1] * math.log(2 * math.pi) - elbo_kl(mu, log_var)


@wrong("kl-of-z")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)) - elbo_kl(z, torch.zeros_like(z))


@wrong("both-averaged")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)) / x.shape[1] - elbo_kl(mu, log_var) / mu.shape[1]


@wrong("first-noise")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + torch.sqrt(log_var.exp()) * eps[0]
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)) - elbo_kl(mu, log_var)


@wrong("joint")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)) + gaussian_log_prob(
        z, torch.zeros_like(z), torch.zeros_like(z)
    )


@wrong(kind="edge", says="log_var down to -12")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    log_var = log_var.clamp(-2, 2)
    z = mu + (0.5 * log_var).exp() * eps
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)) - elbo_kl(mu, log_var)


@wrong("constant-missing, variance-scales")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + log_var.exp() * eps
    return -0.5 * ((x - decoder(z)) ** 2).sum(1) - 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1)


@wrong("kl-logdet-sign")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    kl = 0.5 * (mu**2 + log_var.exp() - 1 + log_var).sum(1)
    return -0.5 * ((x - decoder(z)) ** 2 + math.log(2 * math.pi)).sum(1) - kl


@wrong("kl-missing-in-part")
def _(x, encoder, decoder, eps):  # a beta-VAE
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    kl = 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1)
    return -0.5 * ((x - decoder(z)) ** 2 + math.log(2 * math.pi)).sum(1) - 4 * kl
