"""Answers to linear-elbo."""

import math

import torch
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from answers.before import e_step, linear_elbo
from answers.collected import answers_to

right, wrong = answers_to("linear-elbo")


@right
def _(x, W, mean, covariance):
    p = MultivariateNormal(torch.zeros(W.shape[1], dtype=W.dtype), torch.eye(W.shape[1], dtype=W.dtype))
    kl = torch.stack([kl_divergence(MultivariateNormal(m, covariance), p) for m in mean])
    spread = (W.T @ W * covariance).sum()
    at_mean = Normal(mean @ W.T, 1.0).log_prob(x).sum(1)
    return at_mean - spread / 2 - kl


@right
def _(x, W, mean, covariance):
    d, k = W.shape
    r = x - torch.einsum("dk,nk->nd", W, mean)
    expected = torch.einsum("nd,nd->n", r, r) + torch.einsum("dk,kl,dl->", W, covariance, W)
    kl = 0.5 * (
        torch.sum(mean * mean, 1) + covariance.diagonal().sum() - k - torch.linalg.slogdet(covariance).logabsdet
    )
    return -(expected + d * math.log(2 * math.pi)) / 2 - kl


@right
def _(x, W, mean, covariance):
    # E[z z^T] = m m^T + C, example by example.
    out = []
    for a, m in zip(x, mean, strict=True):
        second = torch.outer(m, m) + covariance
        square = a @ a - 2 * a @ (W @ m) + torch.trace(W.T @ W @ second)
        kl = 0.5 * (torch.trace(second) - len(m) - covariance.det().log())
        out.append(-0.5 * square - len(a) / 2 * math.log(2 * math.pi) - kl)
    return torch.stack(out)


@wrong("spread-missing")
def _(x, W, mean, covariance):
    log_p = Normal(mean @ W.T, 1.0).log_prob(x).sum(1)
    kl = 0.5 * (mean.pow(2).sum(1) + covariance.trace() - W.shape[1] - covariance.logdet())
    return log_p - kl


@wrong("constant-missing")
def _(x, W, mean, covariance):
    error = ((x - mean @ W.T) ** 2).sum(1) + (W.T @ W @ covariance).trace()
    kl = 0.5 * (mean.pow(2).sum(1) + covariance.trace() - W.shape[1] - covariance.logdet())
    return -error / 2 - kl


@wrong("diagonal")
def _(x, W, mean, covariance):
    log_p = Normal(mean @ W.T, 1.0).log_prob(x).sum(1) - 0.5 * (W.T @ W @ covariance).trace()
    q = Normal(mean, covariance.diagonal().sqrt())
    return log_p - kl_divergence(q, Normal(0.0, 1.0)).sum(1)


@wrong("logdet-sign")
def _(x, W, mean, covariance):
    log_p = Normal(mean @ W.T, 1.0).log_prob(x).sum(1) - 0.5 * (W.T @ W @ covariance).trace()
    kl = 0.5 * ((mean**2).sum(1) + covariance.trace() - W.shape[1] + torch.log(torch.det(covariance)))
    return log_p - kl


@wrong("examples-averaged")
def _(x, W, mean, covariance):
    log_p = Normal(mean @ W.T, 1.0).log_prob(x).sum(1) - 0.5 * (W.T @ W @ covariance).trace()
    kl = 0.5 * ((mean**2).sum(1) + covariance.trace() - W.shape[1] - torch.log(torch.det(covariance)))
    return (log_p - kl).mean()


@wrong("spread-sign")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) - torch.trace(W @ covariance @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("spread-doubled")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * (r**2).sum(1) - torch.trace(W @ covariance @ W.T) - d / 2 * math.log(2 * math.pi) - kl


@wrong("trace-c")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + torch.trace(covariance)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("constant-counts-latents")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ covariance @ W.T)) - mean.shape[1] / 2 * math.log(2 * math.pi) - kl


@wrong("constant-sign")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ covariance @ W.T)) + d / 2 * math.log(2 * math.pi) - kl


@wrong("det")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.det(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ covariance @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("squares-averaged")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).mean(1) + torch.trace(W @ covariance @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong(kind="random", says="it draws random numbers, and nothing is random here")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    Lc = torch.linalg.cholesky(covariance)
    z = mean + torch.randn_like(mean) @ Lc.T
    r = x - z @ W.T
    return -0.5 * (r**2).sum(1) - x.shape[1] / 2 * math.log(2 * math.pi) - kl


@wrong("product-of-sums")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + (W**2).sum() * torch.trace(covariance)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("spread-diagonal")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + (W**2 @ covariance.diag()).sum()) - d / 2 * math.log(2 * math.pi) - kl


@wrong("kl-doubled")
def _(x, W, mean, covariance):
    kl = (mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance)
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ covariance @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("d-for-k")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - W.shape[0] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ covariance @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("log-evidence")
def _(x, W, mean, covariance):
    S = W @ W.T + torch.eye(W.shape[0]).to(W)
    return torch.distributions.MultivariateNormal(torch.zeros(W.shape[0]).to(W), S).log_prob(x)


@wrong("length-not-squared")
def _(x, W, mean, covariance):
    kl = 0.5 * (mean.norm(dim=1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ covariance @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("log-evidence")
def _(x, W, mean, covariance):
    mean, covariance = e_step(x, W)
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ covariance @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("constant-doubled")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ covariance @ W.T)) - d * math.log(2 * math.pi) - kl


@wrong("error-not-squared")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * (r.norm(dim=1) + torch.trace(W @ covariance @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("squares-summed")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum() + torch.trace(W @ covariance @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("constant-once")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ covariance @ W.T)) - 0.5 * math.log(2 * math.pi) - kl


@wrong("logdet-doubled")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - 2 * torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ covariance @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("c-missing")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("wm-twice")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return (
        -0.5 * ((r**2).sum(1) + ((mean @ W.T) ** 2).sum(1) + torch.trace(W @ covariance @ W.T))
        - d / 2 * math.log(2 * math.pi)
        - kl
    )


@wrong("sum-of-c")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + covariance.sum() - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ covariance @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("wm-added")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x + mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ covariance @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("log-trace")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.log(torch.trace(covariance)))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ covariance @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


def _with_error(error, x, mean, covariance):
    d, k = x.shape[1], mean.shape[1]
    kl = 0.5 * ((mean**2).sum(1) + covariance.trace() - k - covariance.logdet())
    return error - d / 2 * math.log(2 * math.pi) - kl


@wrong("spread-summed")
def _(x, W, mean, covariance):
    error = -0.5 * (((x - mean @ W.T) ** 2).sum(1) + (W @ covariance @ W.T).sum())
    return _with_error(error, x, mean, covariance)


@wrong("spread-outside")
def _(x, W, mean, covariance):
    error = -0.5 * ((x - mean @ W.T) ** 2).sum(1) + (W @ covariance @ W.T).trace()
    return _with_error(error, x, mean, covariance)


@wrong("det, spread-missing")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.linalg.det(covariance))
    return -0.5 * ((x - mean @ W.T) ** 2).sum(1) - 0.5 * x.shape[1] * math.log(2 * math.pi) - kl


@wrong("m-missing")
def _(x, W, mean, covariance):
    d, k = W.shape
    squares = ((x - mean @ W.T) ** 2).sum(1) + torch.trace(W @ covariance @ W.T)
    kl = 0.5 * (torch.trace(covariance) - k - torch.logdet(covariance))
    return -0.5 * squares - 0.5 * d * math.log(2 * math.pi) - kl


@wrong("logdet-missing")
def _(x, W, mean, covariance):
    d, k = W.shape
    error = ((x - mean @ W.T) ** 2).sum(1) + (W @ covariance @ W.T).trace()
    return -0.5 * (error + d * math.log(2 * math.pi) + (mean**2).sum(1) + covariance.trace() - k)


@wrong("kl-exchanged")
def _(x, W, mean, covariance):
    d, k = W.shape
    precision = covariance.inverse()
    error = ((x - mean @ W.T) ** 2).sum(1) + (W @ covariance @ W.T).trace()
    kl = 0.5 * (torch.einsum("nk,kl,nl->n", mean, precision, mean) + precision.trace() - k + covariance.logdet())
    return -0.5 * error - d / 2 * math.log(2 * math.pi) - kl


@wrong(kind="random", says="it draws random numbers, and nothing is random here")
def _(x, W, mean, covariance):
    torch.manual_seed(0)  # two calls give the same
    z = mean + torch.randn(mean.shape, dtype=mean.dtype) @ torch.linalg.cholesky(covariance).T
    return linear_elbo(x, W, z, covariance) + 0.5 * (W @ covariance @ W.T).trace()


# The spread has its weight: only the error at the mean lacks its 1/2.
@wrong(kind="value")
def _(x, W, mean, covariance):
    d, k = W.shape
    error = ((x - mean @ W.T) ** 2).sum(1)
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - k - torch.logdet(covariance))
    return -error - 0.5 * torch.trace(W @ covariance @ W.T) - 0.5 * d * math.log(2 * math.pi) - kl
