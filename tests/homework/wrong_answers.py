"""Wrong answers as people write them, each with a piece of the message that it must get.

None is made from the package's own catalogue of mistakes: they are written as a student would write them.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch.distributions import Normal, kl_divergence

WRONG: list[tuple[str, str, Callable[..., Any]]] = []


def wrong(part: str, message: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        WRONG.append((part, message, function))
        return function

    return add


def column(values, x):
    return values.reshape(len(values), *[1] * (x.dim() - 1)).to(x.dtype)


# --- 1. auto-encoders


@wrong("reconstruction-error", "you averaged over the dimensions")
def _(x, x_tilde):
    return F.mse_loss(x_tilde, x, reduction="none").mean(dim=list(range(1, x.ndim)))


@wrong("reconstruction-error", "one mean over everything")
def _(x, x_tilde):
    return F.mse_loss(x_tilde, x)


@wrong("reconstruction-error", "the examples are summed as well")
def _(x, x_tilde):
    return torch.sum(torch.pow(x - x_tilde, 2))


@wrong("reconstruction-error", "this is the length; its square")
def _(x, x_tilde):
    return torch.linalg.vector_norm((x - x_tilde).flatten(1), dim=1)


@wrong("reconstruction-error", "only the last dimension is summed")
def _(x, x_tilde):
    return ((x - x_tilde) ** 2).sum(axis=-1)


@wrong("reconstruction-error", "no gradient reaches x_tilde")
def _(x, x_tilde):
    return torch.tensor([float(((a - b) ** 2).sum()) for a, b in zip(x, x_tilde, strict=True)], dtype=x.dtype)


@wrong("reconstruction-error", "nothing came back")
def _(x, x_tilde):
    error = (x - x_tilde).square().flatten(1).sum(1)
    print(error)


@wrong("reconstruction-error", "it changed its input x,")
def _(x, x_tilde):
    x -= x_tilde
    return (x * x).flatten(1).sum(1)


@wrong("pca-reconstruct", "the data are not centred")
def _(x, k):
    U, S, Vh = torch.linalg.svd(x, full_matrices=False)
    return U[:, :k] @ torch.diag(S[:k]) @ Vh[:k]


@wrong("pca-reconstruct", "the mean is not added at the end")
def _(x, k):
    U, S, Vh = torch.linalg.svd(x - x.mean(0), full_matrices=False)
    return U[:, :k] * S[:k] @ Vh[:k]


@wrong("pca-reconstruct", "directions of least variance")
def _(x, k):
    m = x.mean(0)
    _, vectors = torch.linalg.eigh((x - m).T @ (x - m))
    V = vectors[:, :k]
    return m + (x - m) @ V @ V.T


@wrong("pca-reconstruct", "these are the codes")
def _(x, k):
    _, vectors = torch.linalg.eigh(torch.cov(x.T))
    V = vectors.flip(1)[:, :k]
    # The sign of a direction is free: this one is that of svd.
    Vh = torch.linalg.svd(x - x.mean(0), full_matrices=False).Vh[:k]
    V = V * (V * Vh.T).sum(0).sign()
    return (x - x.mean(0)) @ V


@wrong("pca-reconstruct", "but the data that are projected are not centred")
def _(x, k):
    _, _, V = torch.linalg.svd(x - x.mean(0, keepdim=True), full_matrices=False)
    P = V[:k].T @ V[:k]
    return x @ P


@wrong("pca-reconstruct", "one mean is taken over all numbers")
def _(x, k):
    m = x.mean()
    V = torch.linalg.svd(x - m, full_matrices=False)[2][:k].T
    return m + (x - m) @ V @ V.T


@wrong("error-curve", "this is the variance that is kept")
def _(x):
    s = torch.linalg.svdvals(x - x.mean(0))
    return torch.cumsum(s**2 / x.shape[0], 0)


@wrong("error-curve", "these are the variances of the single directions")
def _(x):
    return torch.linalg.svdvals(x - x.mean(0)) ** 2 / len(x)


@wrong("error-curve", "denominator n - 1")
def _(x):
    values = torch.linalg.eigvalsh(torch.cov(x.T)).flip(0)
    return values.sum() - values.cumsum(0)


@wrong("error-curve", "it is to begin at k = 1")
def _(x):
    values = (torch.linalg.svdvals(x - x.mean(0)) ** 2 / len(x)).tolist()
    return torch.tensor([sum(values[k:]) for k in range(len(values))], dtype=x.dtype)


@wrong("error-curve", "averaged over the coordinates too")
def _(x):
    m = x.mean(0)
    V = torch.linalg.svd(x - m).Vh
    return torch.stack([F.mse_loss(m + (x - m) @ V[:k].T @ V[:k], x) for k in range(1, x.shape[1] + 1)])


@wrong("error-curve", "singular values are summed")
def _(x):
    s = torch.linalg.svdvals(x - x.mean(0))
    return s.sum() - s.cumsum(0)


@wrong("denoising-loss", "compared with the noisy input")
def _(model, x, noise_std, eps):
    x = x + column(noise_std, x) * eps
    return ((x - model(x)) ** 2).flatten(1).sum(1)


@wrong("denoising-loss", "compared with the noise")
def _(model, x, noise_std, eps):
    out = model(x + column(noise_std, x) * eps)
    return F.mse_loss(out, eps, reduction="none").flatten(1).sum(1)


@wrong("denoising-loss", "the noise is not multiplied with noise_std")
def _(model, x, noise_std, eps):
    return torch.sum((x - model(x + eps)).flatten(1) ** 2, 1)


@wrong("denoising-loss", "multiplied with the variance noise_std^2")
def _(model, x, noise_std, eps):
    var = noise_std.pow(2).view(-1, *[1] * (x.ndim - 1))
    return (x - model(x + var * eps)).square().flatten(1).sum(1)


@wrong("denoising-loss", "no gradient reaches model")
def _(model, x, noise_std, eps):
    with torch.no_grad():
        out = model(x + column(noise_std, x) * eps)
    return (x - out).square().flatten(1).sum(1)


@wrong("denoising-loss", "you averaged over the dimensions")
def _(model, x, noise_std, eps):
    s = column(noise_std, x)
    return torch.stack([F.mse_loss(a, b) for a, b in zip(model(x + s * eps), x, strict=True)])


@wrong("best-denoiser", "noise_std is used where its square belongs")
def _(y, mean, var, noise_std):
    return (var * y + noise_std * mean) / (var + noise_std)


@wrong("best-denoiser", "the two variances have changed places")
def _(y, mean, var, noise_std):
    return (noise_std**2 * y + var * mean) / (var + noise_std**2)


@wrong("best-denoiser", "the score has the wrong sign")
def _(y, mean, var, noise_std):
    s2 = noise_std**2
    score = (y - mean) / (var + s2)
    return y + s2 * score


@wrong("best-denoiser", "that of the clean data")
def _(y, mean, var, noise_std):
    z = y.detach().requires_grad_()
    score = torch.autograd.grad(Normal(mean, math.sqrt(var)).log_prob(z).sum(), z)[0]
    return y + noise_std**2 * score


@wrong("best-denoiser", "var is taken for a standard deviation")
def _(y, mean, var, noise_std):
    total = var**2 + noise_std**2
    return mean + (var**2 / total) * (y - mean)


@wrong("best-denoiser", "the mean is forgotten")
def _(y, mean, var, noise_std):
    return y - noise_std**2 * y / (var + noise_std**2)


# --- 2. variational auto-encoders


@wrong("gaussian-log-prob", "the constant -(d/2) log 2 pi is missing")
def _(x, mean, log_var):
    return -(0.5 * (x - mean) ** 2 * torch.exp(-log_var) + 0.5 * log_var).sum(-1)


@wrong("gaussian-log-prob", "the constant log 2 pi is there once")
def _(x, mean, log_var):
    squared = ((x - mean) ** 2 / torch.exp(log_var)).sum(1)
    return -0.5 * (math.log(2 * math.pi) + log_var.sum(1) + squared)


@wrong("gaussian-log-prob", "taken for the logarithm of the standard deviation")
def _(x, mean, log_var):
    return Normal(mean, log_var.exp()).log_prob(x).sum(1)


@wrong("gaussian-log-prob", "you averaged over the dimensions")
def _(x, mean, log_var):
    return Normal(mean, torch.exp(0.5 * log_var)).log_prob(x).mean(-1)


@wrong("gaussian-log-prob", "the sum over the dimensions is missing")
def _(x, mean, log_var):
    return Normal(mean, torch.exp(0.5 * log_var)).log_prob(x)


@wrong("gaussian-log-prob", "the sign is reversed")
def _(x, mean, log_var):
    return F.gaussian_nll_loss(mean, x, log_var.exp(), full=True, reduction="none", eps=0).sum(1)


@wrong("gaussian-log-prob", "divided by the standard deviation")
def _(x, mean, log_var):
    sigma = torch.exp(0.5 * log_var)
    return (-0.5 * (x - mean) ** 2 / sigma - sigma.log() - 0.5 * math.log(2 * math.pi)).sum(1)


@wrong("elbo-kl", "you averaged over the latent dimensions; the KL is a sum")
def _(mu, log_var):
    return kl_divergence(Normal(mu, (0.5 * log_var).exp()), Normal(0.0, 1.0)).mean(dim=1)


@wrong("elbo-kl", "the factor 1/2 is missing")
def _(mu, log_var):
    return -torch.sum(1 + log_var - mu.pow(2) - log_var.exp(), dim=1)


@wrong("elbo-kl", "erratum E6")
def _(mu, log_var):
    k = mu.shape[1]
    return 1 / 2 * (mu**2).sum(1) + torch.exp(log_var).sum(1) - k - log_var.sum(1)


@wrong("elbo-kl", "if log sigma^2 is taken for sigma^2")
def _(mu, log_var):
    var = log_var
    return 0.5 * ((mu**2).sum(1) + var.sum(1) - mu.shape[1] - torch.log(var).sum(1))


@wrong("elbo-kl", "if log_var is taken for log sigma")
def _(mu, log_var):
    sigma = log_var.exp()
    return kl_divergence(Normal(mu, sigma), Normal(0.0, 1.0)).sum(1)


@wrong("elbo-kl", "the sign is reversed")
def _(mu, log_var):
    return 0.5 * torch.sum(1 + log_var - mu**2 - log_var.exp(), dim=-1)


@wrong("elbo-kl", "with the laws exchanged")
def _(mu, log_var):
    return kl_divergence(Normal(torch.zeros_like(mu), 1.0), Normal(mu, (0.5 * log_var).exp())).sum(1)


@wrong("elbo-kl", "1 is subtracted where k belongs")
def _(mu, log_var):
    return 0.5 * (torch.sum(mu**2, 1) + torch.sum(log_var.exp(), 1) - 1 - torch.sum(log_var, 1))


@wrong("elbo-kl", "the examples are averaged as well")
def _(mu, log_var):
    return torch.mean(-0.5 * torch.sum(1 + log_var - mu**2 - log_var.exp(), dim=1), dim=0)


@wrong("elbo-kl", "the result is float32")
def _(mu, log_var):
    mu, log_var = mu.float(), log_var.float()
    return 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1)


@wrong("elbo-kl", "right for a batch of")
def _(mu, log_var):
    total = 0
    for i in range(1):  # forgot the other examples
        total = total + 0.5 * (mu[i] ** 2 + log_var[i].exp() - 1 - log_var[i]).sum()
    return total.reshape(1).expand(len(mu))


@wrong("elbo-kl", "shape")
def _(mu, log_var):
    return 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1, keepdim=True)


@wrong("elbo", "the constant -(d/2) log 2 pi is missing")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + log_var.mul(0.5).exp() * eps
    kl = -0.5 * (1 + log_var - mu**2 - log_var.exp()).sum(1)
    return -0.5 * F.mse_loss(decoder(z), x, reduction="none").sum(1) - kl


@wrong("elbo", "the KL is added")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    q = Normal(mu, (log_var / 2).exp())
    log_p = Normal(decoder(mu + q.stddev * eps), 1.0).log_prob(x).sum(1)
    return log_p + kl_divergence(q, Normal(0.0, 1.0)).sum(1)


@wrong("elbo", "this is minus the ELBO")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    q = Normal(mu, (log_var / 2).exp())
    loss = -Normal(decoder(mu + q.stddev * eps), 1.0).log_prob(x).sum(1)
    return loss + kl_divergence(q, Normal(0.0, 1.0)).sum(1)


@wrong("elbo", "z is the mean: nothing is drawn")
def _(x, encoder, decoder, eps):
    z, log_var = encoder(x)
    kl = 0.5 * (z**2 + log_var.exp() - 1 - log_var).sum(1)
    return Normal(decoder(z), 1.0).log_prob(x).sum(1) - kl


@wrong("elbo", "multiplied with the variance")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    var = log_var.exp()
    kl = 0.5 * (mu**2 + var - 1 - log_var).sum(1)
    return Normal(decoder(mu + var * eps), 1.0).log_prob(x).sum(1) - kl


@wrong("elbo", "a hidden beta-VAE. Both")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    kl = 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1)
    return Normal(decoder(mu + (0.5 * log_var).exp() * eps), 1.0).log_prob(x).mean(1) - kl


@wrong("elbo", "the gradient with respect to encoder is not")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = torch.distributions.Normal(mu, (0.5 * log_var).exp())
    z = (z.mean + z.stddev * eps).detach()  # as .sample() does
    kl = 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1)
    return Normal(decoder(z), 1.0).log_prob(x).sum(1) - kl


@wrong("elbo", "this is the reconstruction alone")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    return Normal(decoder(mu + (0.5 * log_var).exp() * eps), 1.0).log_prob(x).sum(1)


@wrong("iw-bound", "exp underflows")
def _(log_w):
    return torch.log(torch.mean(torch.exp(log_w), dim=0))


@wrong("iw-bound", "log k is missing")
def _(log_w):
    m = log_w.max(0).values
    return m + torch.log(torch.exp(log_w - m).sum(0))


@wrong("iw-bound", "this is the mean of the logarithms")
def _(log_w):
    return log_w.sum(0) / log_w.shape[0]


@wrong("iw-bound", "The draws are in dimension 0")
def _(log_w):
    return torch.logsumexp(log_w, dim=-1) - np.log(log_w.shape[-1])


@wrong("iw-bound", "but divided by the number of examples")
def _(log_w):
    k = log_w.shape[1]
    return torch.logsumexp(log_w, dim=0) - math.log(k)


@wrong("iw-bound", "the logarithm of the sum is divided by k")
def _(log_w):
    return torch.logsumexp(log_w, 0) / log_w.shape[0]


@wrong("effective-sample-size", "exp underflows")
def _(log_w):
    w = torch.exp(log_w)
    w = w / w.sum(0, keepdim=True)
    return 1 / (w**2).sum(0)


@wrong("effective-sample-size", "normalised over the examples; the draws")
def _(log_w):
    p = F.softmax(log_w, dim=1)
    return 1 / torch.einsum("kb,kb->k", p, p)


@wrong("effective-sample-size", "have changed places")
def _(log_w):
    w = (log_w - log_w.max(0).values).exp()
    return (w**2).sum(0) / w.sum(0) ** 2


@wrong("effective-sample-size", "between 1 and k")
def _(log_w):
    p = F.softmax(log_w, dim=0)
    return 1 / (p**2).mean(0) / log_w.shape[0] ** 2


@wrong("effective-sample-size", "exponential of the entropy")
def _(log_w):
    return torch.distributions.Categorical(logits=log_w.T).entropy().exp()


@wrong("kl-per-latent", "the latents are not sorted")
def _(mu, log_var):
    return kl_divergence(Normal(mu, (0.5 * log_var).exp()), Normal(0.0, 1.0)).mean(dim=0)


@wrong("kl-per-latent", "the smallest comes first")
def _(mu, log_var):
    return torch.sort(kl_divergence(Normal(mu, (0.5 * log_var).exp()), Normal(0.0, 1.0)).mean(dim=0))[0]


@wrong("kl-per-latent", "one number for each example")
def _(mu, log_var):
    kl = kl_divergence(Normal(mu, (0.5 * log_var).exp()), Normal(0.0, 1.0)).sum(dim=1)
    return torch.sort(kl, descending=True)[0]


@wrong("kl-per-latent", "this sums over the examples")
def _(mu, log_var):
    kl = -0.5 * torch.sum(1 + log_var - mu**2 - log_var.exp(), dim=0)
    return torch.sort(kl, descending=True).values


@wrong("kl-per-latent", "these are the indices")
def _(mu, log_var):
    kl = -0.5 * torch.mean(1 + log_var - mu**2 - log_var.exp(), dim=0)
    return torch.sort(kl, descending=True)[1]


@wrong("kl-per-latent", "a tensor is expected, got a list or tuple of 2. torch.stack")
def _(mu, log_var):
    kl = -0.5 * torch.mean(1 + log_var - mu**2 - log_var.exp(), dim=0)
    return tuple(torch.sort(kl, descending=True))


# --- 3. EM and reparametrisation


@wrong("reparametrise", "multiplied with the variance")
def _(mu, log_var, *, generator):
    var = torch.exp(log_var)
    return mu + var * torch.randn(mu.size(), generator=generator, dtype=mu.dtype)


@wrong("reparametrise", "nothing was drawn from generator. It drew from PyTorch's global")
def _(mu, log_var, *, generator):
    return mu + (0.5 * log_var).exp() * torch.randn_like(mu)


@wrong("reparametrise", "no gradient reaches mu")
def _(mu, log_var, *, generator):
    return torch.normal(mu, (0.5 * log_var).exp(), generator=generator).detach()


@wrong("reparametrise", "all examples share one draw")
def _(mu, log_var, *, generator):
    eps = torch.randn(mu.shape[-1], generator=generator, dtype=mu.dtype)
    return mu + torch.exp(log_var / 2) * eps


@wrong("reparametrise", "the noise is uniform")
def _(mu, log_var, *, generator):
    return mu + torch.exp(log_var / 2) * torch.rand(*mu.shape, generator=generator, dtype=mu.dtype)


@wrong("reparametrise", "the mean is scaled too")
def _(mu, log_var, *, generator):
    sigma = log_var.exp() ** 0.5
    return sigma * mu + sigma * torch.randn(mu.shape, generator=generator, dtype=mu.dtype)


@wrong("reparametrise", "nothing was drawn from generator")
def _(mu, log_var, *, generator):
    return mu


@wrong("score-gradient", "z - mu is not divided by the variance")
def _(f, mu, sigma, eps):
    return torch.einsum("n,nk->nk", f(mu + sigma * eps), sigma * eps)


@wrong("score-gradient", "eps is divided by the variance")
def _(f, mu, sigma, eps):
    return f(mu + sigma * eps).view(-1, 1) * eps / sigma.pow(2)


@wrong("score-gradient", "the sign is reversed")
def _(f, mu, sigma, eps):
    z = mu + eps * sigma
    return f(z)[:, None] * (mu - z) / sigma**2


@wrong("score-gradient", "this is the mean over the draws")
def _(f, mu, sigma, eps):
    z = mu + sigma * eps
    m = mu.clone().requires_grad_()
    (f(z).detach() * Normal(m, sigma).log_prob(z).sum(1)).mean().backward()
    return m.grad


@wrong("score-gradient", "you multiplied along the dimensions")
def _(f, mu, sigma, eps):
    z = mu + sigma * eps
    return f(z) * (z - mu) / sigma**2


@wrong("score-gradient", "f is taken at the noise")
def _(f, mu, sigma, eps):
    values = f(eps)
    return values[:, None] * (eps / sigma)


@wrong("e-step", "the second result is the precision")
def _(x, W):
    precision = torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W
    return torch.linalg.solve(precision, W.T @ x.T).T, precision


@wrong("e-step", "the prior is forgotten")
def _(x, W):
    C = torch.inverse(W.T @ W)
    return x @ W @ C, C


@wrong("e-step", "not yet multiplied with the covariance")
def _(x, W):
    return x @ W, torch.inverse(torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W)


@wrong("e-step", "in the wrong order")
def _(x, W):
    C = torch.inverse(torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W)
    return C, (C @ W.T @ x.T).T


@wrong("e-step", "it raises RuntimeError")
def _(x, W):
    C = torch.inverse(torch.eye(W.shape[1], dtype=W.dtype) + W @ W.T)
    return x @ W @ C, C


@wrong("e-step", "the covariance is missing")
def _(x, W):
    C = torch.inverse(torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W)
    return x @ W @ C


@wrong("m-step", "the codes are taken as certain")
def _(x, mean, covariance):
    return torch.linalg.inv(mean.T @ mean).mm(mean.T @ x).T


@wrong("m-step", "C is added once")
def _(x, mean, covariance):
    second = covariance
    for m in mean:
        second = second + torch.outer(m, m)
    return x.T @ mean @ torch.linalg.inv(second)


@wrong("m-step", "this is W^T")
def _(x, mean, covariance):
    return torch.linalg.solve(mean.T @ mean + len(x) * covariance, mean.T @ x)


@wrong("m-step", "one sum is divided by n")
def _(x, mean, covariance):
    second = (mean[:, :, None] * mean[:, None, :] + covariance).mean(0)
    return (x.T @ mean) @ torch.linalg.inv(second)


@wrong("m-step", "the second moments are missing")
def _(x, mean, covariance):
    return torch.einsum("nd,nk->dk", x, mean)


@wrong("linear-elbo", "the spread of z is forgotten")
def _(x, W, mean, covariance):
    log_p = Normal(mean @ W.T, 1.0).log_prob(x).sum(1)
    kl = 0.5 * (mean.pow(2).sum(1) + covariance.trace() - W.shape[1] - covariance.logdet())
    return log_p - kl


@wrong("linear-elbo", "the constant -(d/2) log 2 pi is missing")
def _(x, W, mean, covariance):
    error = ((x - mean @ W.T) ** 2).sum(1) + (W.T @ W @ covariance).trace()
    kl = 0.5 * (mean.pow(2).sum(1) + covariance.trace() - W.shape[1] - covariance.logdet())
    return -error / 2 - kl


@wrong("linear-elbo", "the KL knows only the diagonal of C")
def _(x, W, mean, covariance):
    log_p = Normal(mean @ W.T, 1.0).log_prob(x).sum(1) - 0.5 * (W.T @ W @ covariance).trace()
    q = Normal(mean, covariance.diagonal().sqrt())
    return log_p - kl_divergence(q, Normal(0.0, 1.0)).sum(1)


@wrong("linear-elbo", "log det C with the wrong sign")
def _(x, W, mean, covariance):
    log_p = Normal(mean @ W.T, 1.0).log_prob(x).sum(1) - 0.5 * (W.T @ W @ covariance).trace()
    kl = 0.5 * ((mean**2).sum(1) + covariance.trace() - W.shape[1] + torch.log(torch.det(covariance)))
    return log_p - kl


@wrong("linear-elbo", "the examples are averaged as well")
def _(x, W, mean, covariance):
    log_p = Normal(mean @ W.T, 1.0).log_prob(x).sum(1) - 0.5 * (W.T @ W @ covariance).trace()
    kl = 0.5 * ((mean**2).sum(1) + covariance.trace() - W.shape[1] - torch.log(torch.det(covariance)))
    return (log_p - kl).mean()


def e_step(x, W):
    C = torch.linalg.inv(torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W)
    return x @ W @ C, C


def m_step(x, m, C):
    return x.T @ m @ torch.linalg.inv(m.T @ m + len(x) * C)


def bound(x, W, m, C):
    log_p = Normal(m @ W.T, 1.0).log_prob(x).sum(1) - 0.5 * (W.T @ W @ C).trace()
    return (log_p - 0.5 * ((m**2).sum(1) + C.trace() - W.shape[1] - C.logdet())).mean()


@wrong("em-curve", "only after the M-steps")
def _(x, W, rounds):
    curve = []
    for _ in range(rounds):
        q = e_step(x, W)
        W = m_step(x, *q)
        curve.append(bound(x, W, *q))
    return torch.stack(curve)


@wrong("em-curve", "the bound is taken at the old W")
def _(x, W, rounds):
    curve = []
    for _ in range(rounds):
        q = e_step(x, W)
        new = m_step(x, *q)
        curve += [bound(x, W, *q), bound(x, W, *q)]
        W = new
    return torch.stack(curve)


@wrong("em-curve", "W does not change")
def _(x, W, rounds):
    curve = []
    for _ in range(rounds):
        m, C = e_step(x, W)
        curve.append(bound(x, W, m, C))
        V = m_step(x, m, C)
        curve.append(bound(x, V, m, C))
    return torch.stack(curve)


@wrong("em-curve", "begins with a bound that no step has made")
def _(x, W, rounds):
    curve = [bound(x, W, *e_step(x, W))]
    for _ in range(rounds):
        q = e_step(x, W)
        curve.append(bound(x, W, *q))
        W = m_step(x, *q)
        curve.append(bound(x, W, *q))
    return torch.stack(curve)


@wrong("em-curve", "a tensor is expected, got a list")
def _(x, W, rounds):
    curve = []
    for _ in range(rounds):
        q = e_step(x, W)
        curve.append(bound(x, W, *q))
        W = m_step(x, *q)
        curve.append(bound(x, W, *q))
    return curve


# --- 4. diffusion


@wrong("alpha-bar", "row 0 is missing")
def _(betas):
    alphas = 1.0 - betas
    return torch.cumprod(alphas, dim=0)


@wrong("alpha-bar", "you multiplied the betas")
def _(betas):
    return F.pad(torch.cumprod(betas, dim=0), (1, 0), value=1.0)


@wrong("alpha-bar", "the alphas themselves")
def _(betas):
    return torch.cat([torch.ones(1, dtype=betas.dtype), 1 - betas])


@wrong("alpha-bar", "you summed the betas")
def _(betas):
    table = [torch.ones((), dtype=betas.dtype)]
    for beta in betas:
        table.append(table[-1] - beta)
    return torch.stack(table)


@wrong("alpha-bar", "the result is float32")
def _(betas):
    table = torch.ones(len(betas) + 1)
    for t in range(len(betas)):
        table[t + 1] = table[t] * (1 - betas[t])
    return table


@wrong("q-step", "erratum E11")
def _(x_prev, beta, eps):
    b = column(beta, x_prev)
    return torch.sqrt(1 - b) * x_prev + b * eps


@wrong("q-step", "x_prev is not shrunk")
def _(x_prev, beta, eps):
    return x_prev + torch.einsum("b,b...->b...", beta.sqrt(), eps)


@wrong("q-step", "you multiplied along the last dimension")
def _(x_prev, beta, eps):
    return torch.sqrt(1 - beta) * x_prev + torch.sqrt(beta) * eps


@wrong("q-step", "x_prev is multiplied with 1 - beta")
def _(x_prev, beta, eps):
    b = column(beta, x_prev)
    return (1 - b) * x_prev + b**0.5 * eps


@wrong("q-step", "it changed its input x_prev")
def _(x_prev, beta, eps):
    b = column(beta, x_prev)
    x_prev *= torch.sqrt(1 - b)
    return x_prev + torch.sqrt(b) * eps


@wrong("q-sample", "you used alpha_t where alpha_bar_t belongs")
def _(alpha_bar, x_0, t, eps):
    alphas = torch.cat([torch.ones(1, dtype=alpha_bar.dtype), alpha_bar[1:] / alpha_bar[:-1]])
    a = column(alphas[t], x_0)
    return a.sqrt() * x_0 + (1 - a).sqrt() * eps


@wrong("q-sample", "you took row t - 1")
def _(alpha_bar, x_0, t, eps):
    a = column(torch.gather(alpha_bar, 0, t - 1), x_0)
    return a.sqrt() * x_0 + (1 - a).sqrt() * eps


@wrong("q-sample", "the noise is multiplied with its variance")
def _(alpha_bar, x_0, t, eps):
    a = column(alpha_bar[t], x_0)
    return torch.sqrt(a) * x_0 + (1 - a) * eps


@wrong("q-sample", "1 - sqrt(alpha_bar) is not sqrt(1 - alpha_bar)")
def _(alpha_bar, x_0, t, eps):
    s = column(alpha_bar[t].sqrt(), x_0)
    return s * x_0 + (1 - s) * eps


@wrong("q-sample", "all examples get the noise of the first one's step")
def _(alpha_bar, x_0, t, eps):
    a = alpha_bar[t[0]].to(x_0.dtype)
    return a.sqrt() * x_0 + (1 - a).sqrt() * eps


@wrong("q-sample", "it raises IndexError")
def _(alpha_bar, x_0, t, eps):
    a = column(alpha_bar[t + 1], x_0)
    return a.sqrt() * x_0 + (1 - a).sqrt() * eps


@wrong("half-signal", "this is off by one")
def _(betas):
    return int(np.argmax(np.cumprod(1 - betas.numpy()) < 0.5))


@wrong("half-signal", "sqrt(alpha_bar) falls below 1/2")
def _(betas):
    signal, t = 1.0, 0
    while signal**0.5 >= 0.5:
        signal *= 1 - betas[t].item()
        t += 1
    return t


@wrong("half-signal", "the sum of the betas passes 1/2")
def _(betas):
    total, t = 0.0, 0
    while total <= 0.5:
        total += betas[t].item()
        t += 1
    return t


@wrong("half-signal", "this is the value of alpha_bar there")
def _(betas):
    bars = torch.cumprod(1 - betas, 0)
    return bars[bars < 0.5][0]


@wrong("simple-loss", "you averaged over the pixels")
def _(model, alpha_bar, x_0, t, eps):
    a = column(alpha_bar[t], x_0)
    out = model(a.sqrt() * x_0 + (1 - a).sqrt() * eps, t)
    return F.mse_loss(out, eps, reduction="none").mean(dim=tuple(range(1, x_0.ndim)))


@wrong("simple-loss", "one mean over everything")
def _(model, alpha_bar, x_0, t, eps):
    a = column(alpha_bar[t], x_0)
    return F.mse_loss(model(a.sqrt() * x_0 + (1 - a).sqrt() * eps, t), eps)


@wrong("simple-loss", "compared with x_0")
def _(model, alpha_bar, x_0, t, eps):
    a = column(alpha_bar[t], x_0)
    out = model(a.sqrt() * x_0 + (1 - a).sqrt() * eps, t)
    return torch.sum((out - x_0).flatten(1) ** 2, dim=1)


@wrong("simple-loss", "shown the clean x_0")
def _(model, alpha_bar, x_0, t, eps):
    return torch.sum((model(x_0, t) - eps).flatten(1) ** 2, dim=1)


@wrong("simple-loss", "erratum E9")
def _(model, alpha_bar, x_0, t, eps):
    a = column(alpha_bar[t] / alpha_bar[t - 1], x_0)
    out = model(a.sqrt() * x_0 + (1 - a).sqrt() * eps, t)
    return torch.sum((out - eps).flatten(1) ** 2, dim=1)


@wrong("simple-loss", "the network is told t - 1")
def _(model, alpha_bar, x_0, t, eps):
    a = column(alpha_bar[t], x_0)
    out = model(a.sqrt() * x_0 + (1 - a).sqrt() * eps, t - 1)
    return torch.sum((out - eps).flatten(1) ** 2, dim=1)


@wrong("simple-loss", "it raises TypeError: model(x_t, t) takes t as a LongTensor")
def _(model, alpha_bar, x_0, t, eps):
    a = column(alpha_bar[t], x_0)
    out = model(a.sqrt() * x_0 + (1 - a).sqrt() * eps, t[:, None])
    return torch.sum((out - eps).flatten(1) ** 2, dim=1)


@wrong("posterior", "it is beta_t, that of the step forward")
def _(alpha_bar, x_0, x_t, t):
    now, before = alpha_bar[t], alpha_bar[t - 1]
    beta = 1 - now / before
    of_t, of_0 = (1 - beta).sqrt() * (1 - before) / (1 - now), before.sqrt() * beta / (1 - now)
    return column(of_t, x_t) * x_t + column(of_0, x_t) * x_0, beta.to(x_t.dtype)


@wrong("posterior", "the standard deviation")
def _(alpha_bar, x_0, x_t, t):
    now, before = alpha_bar[t], alpha_bar[t - 1]
    beta = 1 - now / before
    of_t, of_0 = (1 - beta).sqrt() * (1 - before) / (1 - now), before.sqrt() * beta / (1 - now)
    mean = column(of_t, x_t) * x_t + column(of_0, x_t) * x_0
    return mean, torch.sqrt((1 - before) / (1 - now) * beta).to(x_t.dtype)


@wrong("posterior", "the factors of x_0 and x_t are exchanged")
def _(alpha_bar, x_0, x_t, t):
    now, before = alpha_bar[t], alpha_bar[t - 1]
    beta = 1 - now / before
    of_t, of_0 = (1 - beta).sqrt() * (1 - before) / (1 - now), before.sqrt() * beta / (1 - now)
    return column(of_t, x_t) * x_0 + column(of_0, x_t) * x_t, ((1 - before) / (1 - now) * beta).to(x_t.dtype)


@wrong("posterior", "you used alpha_bar_t where alpha_bar_{t-1} belongs, in front of x_0")
def _(alpha_bar, x_0, x_t, t):
    now, before = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    beta = 1 - now / before
    mean = ((1 - beta).sqrt() * (1 - before) * x_t + now.sqrt() * beta * x_0) / (1 - now)
    return mean, ((1 - before) / (1 - now) * beta).flatten()


@wrong("posterior", "result 2: shape")
def _(alpha_bar, x_0, x_t, t):
    now, before = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    beta = 1 - now / before
    mean = ((1 - beta).sqrt() * (1 - before) * x_t + before.sqrt() * beta * x_0) / (1 - now)
    return mean, (1 - before) / (1 - now) * beta


@wrong("mu-theta", "erratum E13")
def _(alpha_bar, x_t, t, eps):
    now, alpha = column(alpha_bar[t], x_t), column(alpha_bar[t] / alpha_bar[t - 1], x_t)
    return 1 / now.sqrt() * (x_t - (1 - alpha) / (1 - now).sqrt() * eps)


@wrong("mu-theta", "erratum E10")
def _(alpha_bar, x_t, t, eps):
    alpha = column(alpha_bar[t] / alpha_bar[t - 1], x_t)
    return 1 / alpha.sqrt() * (x_t - (1 - alpha) / (1 - alpha).sqrt() * eps)


@wrong("mu-theta", "it is the predicted x_0")
def _(alpha_bar, x_t, t, eps):
    a = column(alpha_bar[t], x_t)
    return (x_t - torch.sqrt(1 - a) * eps) / torch.sqrt(a)


@wrong("mu-theta", "in front is missing")
def _(alpha_bar, x_t, t, eps):
    now, alpha = column(alpha_bar[t], x_t), column(alpha_bar[t] / alpha_bar[t - 1], x_t)
    return x_t - (1 - alpha) * eps / torch.sqrt(1 - now)


@wrong("mu-theta", "you added the noise")
def _(alpha_bar, x_t, t, eps):
    now, alpha = column(alpha_bar[t], x_t), column(alpha_bar[t] / alpha_bar[t - 1], x_t)
    return (x_t + (1 - alpha) * eps / torch.sqrt(1 - now)) / torch.sqrt(alpha)


def walk(model, betas, x, noise, *, scale, first=1, told=lambda t: t):
    bars = torch.cat([betas.new_ones(1), (1 - betas).cumprod(0)])
    for t in range(len(betas), first - 1, -1):
        eps = model(x, torch.full((len(x),), told(t)))
        x = (x - betas[t - 1] / (1 - bars[t]).sqrt() * eps) / (1 - betas[t - 1]).sqrt()
        posterior = (1 - bars[t - 1]) / (1 - bars[t]) * betas[t - 1]
        x = x + scale(t, betas[t - 1], posterior) * noise[t - 1]
    return x


@wrong("sampler", "noise was added at t = 1 as well. This task")
def _(model, betas, x_T, noise):
    return walk(model, betas, x_T, noise, scale=lambda t, beta, posterior: beta.sqrt())


@wrong("sampler", "sigma_t is sqrt(beta_t). It is a good choice too")
def _(model, betas, x_T, noise):
    return walk(model, betas, x_T, noise, scale=lambda t, beta, posterior: beta.sqrt() if t > 1 else 0)


@wrong("sampler", "right, but noise was added at t = 1 as well")
def _(model, betas, x_T, noise):
    # beta~_1 is zero, so beta_1 was taken there.
    return walk(model, betas, x_T, noise, scale=lambda t, beta, posterior: (beta if t == 1 else posterior).sqrt())


@wrong("sampler", "the noise is multiplied with the variance")
def _(model, betas, x_T, noise):
    return walk(model, betas, x_T, noise, scale=lambda t, beta, posterior: posterior)


@wrong("sampler", "no noise was added at all")
def _(model, betas, x_T, noise):
    return walk(model, betas, x_T, noise, scale=lambda t, beta, posterior: 0)


@wrong("sampler", "the last step, t = 1, is missing")
def _(model, betas, x_T, noise):
    return walk(model, betas, x_T, noise, scale=lambda t, beta, posterior: posterior.sqrt(), first=2)


@wrong("sampler", "the model is told t - 1")
def _(model, betas, x_T, noise):
    return walk(model, betas, x_T, noise, scale=lambda t, beta, posterior: posterior.sqrt(), told=lambda t: t - 1)


@wrong("sampler", "one step for each example; got the int")
def _(model, betas, x_T, noise):
    x = x_T
    for t in range(len(betas), 0, -1):
        x = x - model(x, t)
    return x


@wrong("sampler", "this takes too long")
def _(model, betas, x_T, noise):
    t = len(betas)
    while t > 0:
        model(x_T, torch.full((len(x_T),), t))
    return x_T


@wrong("loss-weight", "the 2 in the denominator is missing")
def _(betas):
    bars = (1 - betas).cumprod(0)
    return betas[1:] / ((1 - betas[1:]) * (1 - bars[:-1]))


@wrong("loss-weight", "row t = 1 is in it")
def _(betas):
    bars = F.pad((1 - betas).cumprod(0), (1, 0), value=1.0)
    variance = (1 - bars[:-1]) / (1 - bars[1:]) * betas
    return betas**2 / (2 * variance * (1 - betas) * (1 - bars[1:]))


@wrong("loss-weight", "both laws have the posterior variance")
def _(betas):
    bars = (1 - betas).cumprod(0)
    return (betas**2 / (2 * betas * (1 - betas) * (1 - bars)))[1:]


@wrong("loss-weight", "alpha_t in the denominator is missing")
def _(betas):
    bars = (1 - betas).cumprod(0)
    return betas[1:] / (2 * (1 - bars[:-1]))


@wrong("loss-weight", "this is not right yet")
def _(betas):
    return torch.full_like(betas[1:], 7.0)


# --- what has nothing to do with a formula


@wrong("alpha-bar", "not done yet")
def _(betas):
    raise NotImplementedError


@wrong("alpha-bar", "not done yet")
def _(betas):
    ...
    return ...


@wrong("alpha-bar", "it raises NameError: name 'alphas' is not defined")
def _(betas):
    return alphas.cumprod(0)


@wrong("iw-bound", "an object of type numpy.ndarray")
def _(log_w):
    w = log_w.detach().numpy()
    return np.logaddexp.reduce(w, axis=0) - math.log(len(w))


@wrong("elbo-kl", "nothing came back")
def _(mu, log_var):
    if len(mu) > 1:
        return 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1)


@wrong("elbo-kl", "this calls the package's lecture11.gaussian.kl_to_standard_normal")
def _(mu, log_var):
    from lecture11 import gaussian

    return gaussian.kl_to_standard_normal(mu, log_var)


@wrong("elbo-kl", "this takes too long")
def _(mu, log_var):
    while True:
        pass


@wrong("elbo-kl", "this takes too long")
def _(mu, log_var):
    while True:
        try:
            mu = mu + 0
        except:  # noqa: E722
            continue


@wrong("elbo-kl", "this takes too long")
def _(mu, log_var):
    while True:
        print("still here")


@wrong("reconstruction-error", "broadcasting paired each example with each other one")
def _(x, x_tilde):
    a, b = (x**2).flatten(1).sum(1), (x_tilde**2).flatten(1).sum(1, keepdim=True)
    cross = 2 * (x * x_tilde).flatten(1).sum(1)
    return a + b - cross


@wrong("gaussian-log-prob", "right for a batch of 1")
def _(x, mean, log_var):
    d = x.numel()
    squared = ((x - mean) ** 2 * torch.exp(-log_var) + log_var).sum(1)
    return -0.5 * (squared + d * math.log(2 * math.pi))


@wrong("q-step", "right for points, and wrong for images")
def _(x_prev, beta, eps):
    return torch.sqrt(1 - beta)[:, None] * x_prev + torch.sqrt(beta)[:, None] * eps


@wrong("q-sample", "right for points, and wrong for images")
def _(alpha_bar, x_0, t, eps):
    a = alpha_bar[t].to(x_0.dtype).unsqueeze(1)
    return torch.sqrt(a) * x_0 + torch.sqrt(1 - a) * eps


@wrong("simple-loss", "right for images, and wrong for points")
def _(model, alpha_bar, x_0, t, eps):
    a = column(alpha_bar[t], x_0)
    return ((model(a.sqrt() * x_0 + (1 - a).sqrt() * eps, t) - eps) ** 2).sum((1, 2, 3))


@wrong("elbo", "the constant log 2 pi is there once")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    reconstruction = -0.5 * (x - decoder(z)).square().sum(1) - 0.5 * math.log(2 * math.pi)
    return reconstruction - 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1)


@wrong("half-signal", "this does not follow from your own numbers")
def _(betas):
    return 7


@wrong("posterior", "it raises RuntimeError: The size of tensor a")
def _(alpha_bar, x_0, x_t, t):
    now, before = alpha_bar[t], alpha_bar[t - 1]
    a, b = now / before, 1 - now / before
    mean = a.sqrt() * (1 - before) / (1 - now) * x_t + before.sqrt() * b / (1 - now) * x_0
    return mean, (1 - before) / (1 - now) * b
