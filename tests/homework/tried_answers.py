"""Wrong answers of a student who had read the chapters and no solution: tried first, and named afterwards.

Most got a message that did not help, and five got through.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch.distributions import Normal
from wrong_answers import WRONG, wrong

__all__ = ["WRONG"]


# The parts before, which an answer may call.


def reconstruction_error(x, x_tilde):
    return (x - x_tilde).flatten(1).square().sum(1)


def pca_reconstruct(x, k):
    m = x.mean(0)
    V = torch.linalg.svd(x - m, full_matrices=False).Vh[:k]
    return m + (x - m) @ V.T @ V


def gaussian_log_prob(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp() + log_var + math.log(2 * math.pi)).sum(1)


def elbo_kl(mu, log_var):
    return 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1)


def e_step(x, W):
    C = torch.linalg.inv(torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W)
    return x @ W @ C, C


def m_step(x, mean, covariance):
    return x.T @ mean @ torch.linalg.inv(mean.T @ mean + len(x) * covariance)


def linear_elbo(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    squares = ((x - mean @ W.T) ** 2).sum(1) + torch.trace(W @ covariance @ W.T)
    return -0.5 * squares - x.shape[1] / 2 * math.log(2 * math.pi) - kl


# --- 1. auto-encoders


@wrong("reconstruction-error", "a tensor is expected, got a list or tuple of 1. Leave")
def _(x, x_tilde):
    return [((a - b) ** 2).sum().item() for a, b in zip(x, x_tilde, strict=True)]


@wrong("reconstruction-error", "this is the difference of two squared lengths; asked for is")
def _(x, x_tilde):
    return x.flatten(1).square().sum(1) - x_tilde.flatten(1).square().sum(1)


@wrong("reconstruction-error", "shape (), where (1,) is expected. A dimension is gone: look")
def _(x, x_tilde):
    return (x[0] - x_tilde[0]).square().sum()


@wrong("pca-reconstruct", "the first k directions are left out, and the others kept")
def _(x, k):
    m = x.mean(0)
    Vh = torch.linalg.svd(x - m, full_matrices=False).Vh
    V = Vh[k:]
    return m + (x - m) @ V.T @ V


@wrong("pca-reconstruct", "the mean is taken along each point; the mean point is the")
def _(x, k):
    m = x.mean(1, keepdim=True)
    Vh = torch.linalg.svd(x - m, full_matrices=False).Vh
    V = Vh[:k]
    return m + (x - m) @ V.T @ V


@wrong("pca-reconstruct", "only direction number k is kept; the first k of them are")
def _(x, k):
    m = x.mean(0)
    Vh = torch.linalg.svd(x - m, full_matrices=False).Vh
    V = Vh[k - 1 : k]
    return m + (x - m) @ V.T @ V


@wrong("pca-reconstruct", "the data that are projected are centred, but the directions")
def _(x, k):
    m = x.mean(0)
    Vh = torch.linalg.svd(x, full_matrices=False).Vh
    V = Vh[:k]
    return m + (x - m) @ V.T @ V


@wrong("pca-reconstruct", "it draws random numbers, and two calls give two results")
def _(x, k):
    _, _, V = torch.pca_lowrank(x, q=k)
    return x @ V @ V.T


@wrong("pca-reconstruct", "this is the input x itself: is the result assigned, and")
def _(x, k):
    m = x.mean(0)
    V = torch.linalg.svd(x - m, full_matrices=False).Vh[:k]
    (x - m) @ V.T @ V
    return x


@wrong("pca-reconstruct", "this is the mean for each point: nothing is projected yet")
def _(x, k):
    return x.mean(0).expand_as(x)


@wrong("pca-reconstruct", "the singular values are left away: the centred data are U S")
def _(x, k):
    m = x.mean(0)
    U, _, Vh = torch.linalg.svd(x - m, full_matrices=False)
    return m + U[:, :k] @ Vh[:k]


@wrong("pca-reconstruct", "it raises RuntimeError")
def _(x, k):
    m = x.mean(0)
    _, vecs = torch.linalg.eig((x - m).T @ (x - m))
    V = vecs[:, :k].T
    return m + (x - m) @ V.T @ V


@wrong("pca-reconstruct", "torch.pca_lowrank approximates, with random numbers: take")
def _(x, k):
    m = x.mean(0)
    _, _, V = torch.pca_lowrank(x, q=k)
    return m + (x - m) @ V @ V.T


@wrong("error-curve", "these are n numbers: the covariance of the points with one")
def _(x):
    lam = torch.linalg.eigvalsh(torch.cov(x))
    return lam.sum() - lam.flip(0).cumsum(0)


@wrong("error-curve", "the curve ends at k = d - 1: range stops before its end")
def _(x):
    return torch.stack([(x - pca_reconstruct(x, k)).square().sum(1).mean() for k in range(1, x.shape[1])])


@wrong("error-curve", "these are n numbers (of a matrix of the points")
def _(x):
    a = x - x.mean(0)
    lam = torch.linalg.eigvalsh(a @ a.T / len(x))
    return lam.sum() - lam.flip(0).cumsum(0)


@wrong("error-curve", "the mean over the examples is missing: this has a row for")
def _(x):
    return torch.stack([reconstruction_error(x, pca_reconstruct(x, k)) for k in range(1, x.shape[1] + 1)])


@wrong("error-curve", "the eigenvalues are in no order: eigvals does not sort")
def _(x):
    a = x - x.mean(0)
    lam = torch.linalg.eigvals(a.T @ a / len(x)).real
    return lam.sum() - lam.cumsum(0)


@wrong("error-curve", "the mean is taken along each point; the mean point is the")
def _(x):
    a = x - x.mean(1, keepdim=True)
    lam = torch.linalg.eigvalsh(a.T @ a / len(x))
    return lam.sum() - lam.flip(0).cumsum(0)


@wrong("error-curve", "64 numbers, whatever x is: the number of coordinates is")
def _(x):
    return torch.stack([reconstruction_error(x, pca_reconstruct(x, k)).mean() for k in range(1, 65)])


@wrong("denoising-loss", "right for images, and wrong for points, which have one")
def _(model, x, noise_std, eps):
    y = x + noise_std.view(-1, 1, 1, 1) * eps
    return reconstruction_error(x, model(y))


@wrong("denoising-loss", "it draws random numbers of its own: the noise is given, in")
def _(model, x, noise_std, eps):
    s = noise_std.view(-1, *[1] * (x.ndim - 1))
    y = x + s * torch.randn_like(x)
    return reconstruction_error(x, model(y))


@wrong("denoising-loss", "this is the length; its square is asked for")
def _(model, x, noise_std, eps):
    s = noise_std.view(-1, *[1] * (x.ndim - 1))
    y = x + s * eps
    return (x - model(y)).flatten(1).norm(dim=1)


@wrong("denoising-loss", "the noise is subtracted; it is added")
def _(model, x, noise_std, eps):
    s = noise_std.view(-1, *[1] * (x.ndim - 1))
    y = x - s * eps
    return reconstruction_error(x, model(y))


@wrong("denoising-loss", "the error is divided by the variance of the noise; the")
def _(model, x, noise_std, eps):
    s = noise_std.view(-1, *[1] * (x.ndim - 1))
    y = x + s * eps
    return reconstruction_error(x, model(y)) / noise_std**2


@wrong("denoising-loss", "the model is shown rows; it takes y of the shape of x")
def _(model, x, noise_std, eps):
    s = noise_std.view(-1, *[1] * (x.ndim - 1))
    y = (x + s * eps).flatten(1)
    return reconstruction_error(x.flatten(1), model(y))


@wrong("denoising-loss", "the noise is added to what comes out of the model; it is")
def _(model, x, noise_std, eps):
    s = noise_std.view(-1, *[1] * (x.ndim - 1))
    return reconstruction_error(x, model(x) + s * eps)


@wrong("denoising-loss", "x is made smaller before the noise is added, as in a")
def _(model, x, noise_std, eps):
    s = noise_std.view(-1, *[1] * (x.ndim - 1))
    y = (1 - s**2).clamp(min=0).sqrt() * x + s * eps
    return reconstruction_error(x, model(y))


@wrong("denoising-loss", "the noisy example is cut to [0, 1]; the formula does not do")
def _(model, x, noise_std, eps):
    s = noise_std.view(-1, *[1] * (x.ndim - 1))
    y = (x + s * eps).clamp(0, 1)
    return reconstruction_error(x, model(y))


@wrong("best-denoiser", "the noisy data are given the variance of the noise alone")
def _(y, mean, var, noise_std):
    return y - noise_std**2 * (y - mean) / noise_std**2


@wrong("best-denoiser", "noise_std is not squared in the variance of y: variances")
def _(y, mean, var, noise_std):
    return y - noise_std**2 * (y - mean) / (var + noise_std)


@wrong("best-denoiser", "the step is half as long: the 1/2 of the exponent goes away")
def _(y, mean, var, noise_std):
    return y - 0.5 * noise_std**2 * (y - mean) / (var + noise_std**2)


@wrong("best-denoiser", "this is the variance that is left; the mean is asked for")
def _(y, mean, var, noise_std):
    return var * noise_std**2 / (var + noise_std**2) * torch.ones_like(y)


@wrong("best-denoiser", "the mean of the batch stands where the mean of the data")
def _(y, mean, var, noise_std):
    return y - noise_std**2 * (y - y.mean(0)) / (var + noise_std**2)


@wrong("best-denoiser", "the score is divided by the standard deviation of y; its")
def _(y, mean, var, noise_std):
    return y - noise_std**2 * (y - mean) / (var + noise_std**2) ** 0.5


@wrong("best-denoiser", "the step is twice as long: the 1/2 in the exponent is")
def _(y, mean, var, noise_std):
    return y - 2 * noise_std**2 * (y - mean) / (var + noise_std**2)


@wrong("best-denoiser", "this is the exponent of the density; its gradient is the")
def _(y, mean, var, noise_std):
    return -(y - mean).square().sum(1) / (2 * (var + noise_std**2))


@wrong("best-denoiser", "the variance of y is taken for its standard deviation")
def _(y, mean, var, noise_std):
    y = y.clone().requires_grad_()
    logp = Normal(mean, var + noise_std**2).log_prob(y).sum()
    (g,) = torch.autograd.grad(logp, y)
    return (y + noise_std**2 * g).detach()


@wrong("best-denoiser", "this is the input y itself: is the result assigned, and")
def _(y, mean, var, noise_std):
    return y


@wrong("best-denoiser", "standard deviations are added; variances add")
def _(y, mean, var, noise_std):
    return y - noise_std**2 * (y - mean) / (var**0.5 + noise_std) ** 2


@wrong("best-denoiser", "this is the step alone: y is not added")
def _(y, mean, var, noise_std):
    return -(noise_std**2) * (y - mean) / (var + noise_std**2)


@wrong("best-denoiser", "it draws random numbers, and two calls give two results")
def _(y, mean, var, noise_std):
    return (var * y + noise_std**2 * mean) / (var + noise_std**2) + torch.randn_like(y) * (
        var * noise_std**2 / (var + noise_std**2)
    ) ** 0.5


@wrong("reconstruction-error", "the examples are summed as well; return one number for each")
def _(x, x_tilde):
    return torch.dist(x, x_tilde) ** 2


@wrong("reconstruction-error", "right to some six digits, and not to more: a part of it is")
def _(x, x_tilde):
    return F.pairwise_distance(x.flatten(1), x_tilde.flatten(1)) ** 2


@wrong("reconstruction-error", "the examples are averaged as well; return one number for")
def _(x, x_tilde):
    return ((x - x_tilde) ** 2).sum() / len(x)


@wrong("pca-reconstruct", "rows of the eigenvectors were taken; of eigh, the columns")
def _(x, k):
    m = x.mean(0)
    _, v = torch.linalg.eigh(torch.cov(x.T))
    V = v[-k:]
    return m + (x - m) @ V.T @ V


@wrong("pca-reconstruct", "the singular values are left away: the centred data are U S")
def _(x, k):
    m = x.mean(0)
    _, S, Vh = torch.linalg.svd(x - m, full_matrices=False)
    return m + (x - m) @ Vh[:k].T @ torch.diag(1 / S[:k]) @ Vh[:k]


@wrong("pca-reconstruct", "this is what is lost; the reconstruction is what is kept")
def _(x, k):
    m = x.mean(0)
    V = torch.linalg.svd(x - m, full_matrices=False)[2][:k]
    return (x - m) - (x - m) @ V.T @ V


@wrong("pca-reconstruct", "the singular values are squared: the centred data are U S")
def _(x, k):
    m = x.mean(0)
    U, S, Vh = torch.linalg.svd(x - m, full_matrices=False)
    return m + U[:, :k] @ torch.diag(S[:k] ** 2) @ Vh[:k]


@wrong("error-curve", "these are n numbers (of a matrix of the points")
def _(x):
    return torch.stack([reconstruction_error(x, pca_reconstruct(x, k)).mean() for k in range(1, len(x) + 1)])


@wrong("error-curve", "these are absolute values; squares are asked for")
def _(x):
    return torch.stack([(x - pca_reconstruct(x, k)).abs().sum(1).mean() for k in range(1, x.shape[1] + 1)])


@wrong("error-curve", "the curve runs backwards, from k = d - 1 down to k = 0; it")
def _(x):
    a = x - x.mean(0)
    lam = torch.linalg.eigvalsh(a.T @ a / len(x))
    return lam.cumsum(0)


@wrong("error-curve", "standard deviations are summed; variances add")
def _(x):
    a = x - x.mean(0)
    S = torch.linalg.svdvals(a) / len(x) ** 0.5
    return S.sum() - S.cumsum(0)


@wrong("error-curve", "the curve begins at k = 0; it is to begin at k = 1")
def _(x):
    a = x - x.mean(0)
    lam = torch.linalg.eigvalsh(a.T @ a / len(x)).flip(0)
    return torch.stack([lam[k:].sum() for k in range(len(lam))])


@wrong("error-curve", "this is the variance that is kept; the error is what is lost")
def _(x):
    a = x - x.mean(0)
    lam = torch.linalg.eigvalsh(a.T @ a / len(x)).flip(0)
    return torch.stack([lam[:k].sum() for k in range(1, len(lam) + 1)])


@wrong("error-curve", "the variances are divided by d, the number of coordinates")
def _(x):
    a = x - x.mean(0)
    lam = torch.linalg.eigvalsh(a.T @ a / x.shape[1]).flip(0)
    return lam.sum() - lam.cumsum(0)


@wrong("denoising-loss", "the model is shown the clean example, and compared with the")
def _(model, x, noise_std, eps):
    s = noise_std.view(-1, *[1] * (x.ndim - 1))
    return reconstruction_error(model(x), x + s * eps)


@wrong("denoising-loss", "right in one case alone: one number. Sizes of 1 hide much")
def _(model, x, noise_std, eps):
    y = x + noise_std.expand_as(x) * eps
    return reconstruction_error(x, model(y))


@wrong("denoising-loss", "x is multiplied with noise_std too; only the noise is")
def _(model, x, noise_std, eps):
    s = noise_std.view(-1, *[1] * (x.ndim - 1))
    return reconstruction_error(x, model(s * (x + eps)))


@wrong("denoising-loss", "the output is compared with the scaled noise; here the")
def _(model, x, noise_std, eps):
    s = noise_std.view(-1, *[1] * (x.ndim - 1))
    return reconstruction_error(s * eps, model(x + s * eps))


@wrong("best-denoiser", "the mean is added to y; the score has y - mean")
def _(y, mean, var, noise_std):
    return y - noise_std**2 * (y + mean) / (var + noise_std**2)


@wrong("best-denoiser", "noise_std is used where its square belongs: variances add")
def _(y, mean, var, noise_std):
    a = 1 / var
    b = 1 / noise_std
    return (a * mean + b * y) / (a + b)


@wrong("best-denoiser", "the two variances have changed places: with little noise")
def _(y, mean, var, noise_std):
    a = var
    b = noise_std**2
    return (a * mean + b * y) / (a + b)


@wrong("best-denoiser", "the coordinates are summed; each has a score of its own")
def _(y, mean, var, noise_std):
    return y - noise_std**2 * (y - mean).sum(1, keepdim=True) / (var + noise_std**2)


@wrong("best-denoiser", "right in one case alone: one number. Sizes of 1 hide much")
def _(y, mean, var, noise_std):
    return y - noise_std**2 * (y - mean) / (y.shape[1] * (var + noise_std**2))


@wrong("best-denoiser", "right in one case alone: one number. Sizes of 1 hide much")
def _(y, mean, var, noise_std):
    return y - noise_std**2 * (y - mean) / ((y - mean).norm(dim=1, keepdim=True) * (var + noise_std**2))


@wrong("best-denoiser", "the variances are subtracted; those of independent")
def _(y, mean, var, noise_std):
    return y - noise_std**2 * (y - mean) / (var - noise_std**2)


# --- 2. variational auto-encoders


@wrong("gaussian-log-prob", "the square is divided by the square of the variance")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp() ** 2 + log_var + math.log(2 * math.pi)).sum(1)


@wrong("gaussian-log-prob", "the factor 1/2 is missing in front of log 2 pi")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp() + log_var).sum(1) - x.shape[1] * math.log(2 * math.pi)


@wrong("gaussian-log-prob", "log 2 pi is a natural logarithm, math.log; this one has")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp() + log_var + math.log10(2 * math.pi)).sum(1)


@wrong("gaussian-log-prob", "the constant is log(2) * pi; the logarithm of 2 pi belongs")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp() + log_var + math.log(2) * math.pi).sum(1)


@wrong("gaussian-log-prob", "the square is multiplied with the variance; it is divided")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 * log_var.exp() + log_var + math.log(2 * math.pi)).sum(1)


@wrong("gaussian-log-prob", "this sums over the examples; sum over the dimensions")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp() + log_var + math.log(2 * math.pi)).sum(0)


@wrong("gaussian-log-prob", "x - mean is not squared")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) / log_var.exp() + log_var + math.log(2 * math.pi)).sum(1)


@wrong("gaussian-log-prob", "the logarithm of log_var is taken: log_var is log sigma^2")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp() + log_var.log() + math.log(2 * math.pi)).sum(1)


@wrong("gaussian-log-prob", "log_var has the wrong sign: a wide density is a low one")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp() - log_var + math.log(2 * math.pi)).sum(1)


@wrong("gaussian-log-prob", "half of log_var stands in the bracket: that would be log")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp() + 0.5 * log_var + math.log(2 * math.pi)).sum(1)


@wrong("gaussian-log-prob", "it raises RuntimeError")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / np.exp(log_var) + log_var + np.log(2 * np.pi)).sum(1)


@wrong("gaussian-log-prob", "each is summed before the square and the quotient: the")
def _(x, mean, log_var):
    return -0.5 * ((x - mean).sum(1) ** 2 / log_var.exp().sum(1) + log_var.sum(1) + math.log(2 * math.pi))


@wrong("gaussian-log-prob", "the variance is exp(log_var / 2) here: that is the standard")
def _(x, mean, log_var):
    return torch.distributions.MultivariateNormal(mean, torch.diag_embed((0.5 * log_var).exp())).log_prob(x)


@wrong("elbo-kl", "k is taken as the number of examples; it is the number of")
def _(mu, log_var):
    return 0.5 * ((mu**2 + log_var.exp() - log_var).sum(1) - len(mu))


@wrong("elbo-kl", "the length of mu is not squared")
def _(mu, log_var):
    return 0.5 * (mu.norm(dim=1) + (log_var.exp() - 1 - log_var).sum(1))


@wrong("elbo-kl", "log det Sigma is the product of the log_var; the logarithm")
def _(mu, log_var):
    return 0.5 * ((mu**2 + log_var.exp() - 1).sum(1) - log_var.prod(1))


@wrong("elbo-kl", "the determinant is subtracted; its logarithm is to be")
def _(mu, log_var):
    return 0.5 * ((mu**2 + log_var.exp() - 1).sum(1) - log_var.exp().prod(1))


@wrong("elbo-kl", "k is taken as the number of examples; it is the number of")
def _(mu, log_var):
    k = mu.shape[0]
    return 0.5 * ((mu**2 + log_var.exp()).sum(1) - k - log_var.sum(1))


@wrong("elbo-kl", "Sigma holds standard deviations; it holds variances: exp of")
def _(mu, log_var):
    sigma = (0.5 * log_var).exp()
    return 0.5 * (mu**2 + sigma - 1 - sigma.log()).sum(1)


@wrong("elbo-kl", "log det Sigma is missing")
def _(mu, log_var):
    return 0.5 * (mu**2 + log_var.exp() - 1).sum(1)


@wrong("elbo-kl", "k is added; it is subtracted")
def _(mu, log_var):
    return 0.5 * (mu**2 + log_var.exp() + 1 - log_var).sum(1)


@wrong("elbo-kl", "torch.trace takes the (batch, k) for one matrix; each row")
def _(mu, log_var):
    return 0.5 * ((mu**2).sum(1) + torch.trace(log_var.exp()) - mu.shape[1] - log_var.sum(1))


@wrong("elbo", "it draws random numbers of its own: the noise is given, in")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * torch.randn_like(mu)
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)) - elbo_kl(mu, log_var)


@wrong("elbo", "the decoder's variance is not 1: its log_var is log 1")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return gaussian_log_prob(x, decoder(z), torch.ones_like(x)) - elbo_kl(mu, log_var)


@wrong("elbo", "the squared error is averaged over pixels and examples: a")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return -F.mse_loss(decoder(z), x) - elbo_kl(mu, log_var)


@wrong("elbo", "the constant counts latents; it belongs to x: d, the number")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return -0.5 * ((x - decoder(z)) ** 2).sum(1) - 0.5 * eps.shape[1] * math.log(2 * math.pi) - elbo_kl(mu, log_var)


@wrong("elbo", "the 1/2 in front of the squared error is missing; the")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return -((x - decoder(z)) ** 2).sum(1) - 0.5 * x.shape[1] * math.log(2 * math.pi) - elbo_kl(mu, log_var)


@wrong("elbo", "the encoder's log_var is that of z; the decoder's law has")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return gaussian_log_prob(x, decoder(z), log_var) - elbo_kl(mu, log_var)


@wrong("elbo", "the density is that of z under q; the reconstruction is")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return gaussian_log_prob(z, mu, log_var) - elbo_kl(mu, log_var)


@wrong("elbo", "this KL is sampled, ln q(z) - ln p(z) at the draw: right in")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)) - (
        gaussian_log_prob(z, mu, log_var) - gaussian_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
    )


@wrong("elbo", "the constant counts examples; it belongs to x: d, the")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return -0.5 * ((x - decoder(z)) ** 2).sum(1) - 0.5 * x.shape[0] * math.log(2 * math.pi) - elbo_kl(mu, log_var)


@wrong("elbo", "the constant is -d log 2 pi: its 1/2 is missing")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return -0.5 * ((x - decoder(z)) ** 2).sum(1) - x.shape[1] * math.log(2 * math.pi) - elbo_kl(mu, log_var)


@wrong("elbo", "the squared error is averaged over the pixels, the constant")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return -0.5 * ((x - decoder(z)) ** 2).mean(1) - 0.5 * x.shape[1] * math.log(2 * math.pi) - elbo_kl(mu, log_var)


@wrong("elbo", "z stands in the KL where mu belongs (was mu changed in")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    mu += (0.5 * log_var).exp() * eps
    z = mu
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)) - elbo_kl(mu, log_var)


@wrong("elbo", "this is a cross-entropy: the density of black and white")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return -F.binary_cross_entropy_with_logits(decoder(z), x, reduction="none").sum(1) - elbo_kl(mu, log_var)


@wrong("elbo", "half of the KL is subtracted: its 1/2 is counted twice")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)) - 0.5 * elbo_kl(mu, log_var)


@wrong("elbo", "z stands in the KL where mu belongs (was mu changed in")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)) - elbo_kl(z, log_var)


@wrong("iw-bound", "k is subtracted; log k is to be")
def _(log_w):
    return torch.logsumexp(log_w, 0) - len(log_w)


@wrong("iw-bound", "one largest weight is taken for all examples, and those of")
def _(log_w):
    m = log_w.max()
    return m + (log_w - m).exp().mean(0).log()


@wrong("iw-bound", "the largest logarithm is taken out, and not added again")
def _(log_w):
    m = log_w.max(0).values
    return (log_w - m).exp().mean(0).log()


@wrong("iw-bound", "the logarithm is missing after the mean")
def _(log_w):
    m = log_w.max(0).values
    return m + (log_w - m).exp().mean(0)


@wrong("iw-bound", "what is taken out is not the largest weight (the smallest")
def _(log_w):
    m = log_w.min(0).values
    return m + (log_w - m).exp().mean(0).log()


@wrong("iw-bound", "this is the mean of the normalised logarithms; the")
def _(log_w):
    return torch.log_softmax(log_w, 0).mean(0)


@wrong("iw-bound", "this is the mean weight; its logarithm is asked for")
def _(log_w):
    return log_w.exp().mean(0)


@wrong("iw-bound", "what is taken out is not the largest weight (the smallest")
def _(log_w):
    m = log_w.mean(0)
    return m + (log_w - m).exp().mean(0).log()


@wrong("iw-bound", "a fixed number is taken out; weights of another size are")
def _(log_w):
    return -2000 + (log_w + 2000).exp().mean(0).log()


@wrong("iw-bound", "log k has base 2 here; all logarithms are natural")
def _(log_w):
    return torch.logsumexp(log_w, 0) - math.log2(len(log_w))


@wrong("iw-bound", "a small number under the logarithm only hides the")
def _(log_w):
    return (log_w.exp().mean(0) + 1e-12).log()


@wrong("effective-sample-size", "one largest weight is taken for all examples, and those of")
def _(log_w):
    w = (log_w - log_w.max()).exp()
    return w.sum(0) ** 2 / (w**2).sum(0)


@wrong("effective-sample-size", "the squares are averaged; they are summed")
def _(log_w):
    w = log_w.softmax(0)
    return 1 / (w**2).mean(0)


@wrong("effective-sample-size", "this is 1 whatever the weights are: normalised weights sum")
def _(log_w):
    w = log_w.softmax(0)
    return (w**2).sum(0) / (w**2).sum(0)


@wrong("effective-sample-size", "this is the logarithm of it")
def _(log_w):
    return 2 * torch.logsumexp(log_w, 0) - torch.logsumexp(2 * log_w, 0)


@wrong("effective-sample-size", "the sum is not squared, only each weight")
def _(log_w):
    w = (log_w - log_w.max(0).values).exp()
    return w.sum(0) / (w**2).sum(0)


@wrong("effective-sample-size", "this is 1 whatever the weights are: normalised weights sum")
def _(log_w):
    w = log_w.softmax(0)
    return 1 / (w.sum(0) ** 2)


@wrong("effective-sample-size", "the squares of all examples are summed; return one number")
def _(log_w):
    w = log_w.softmax(0)
    return 1 / (w**2).sum()


@wrong("effective-sample-size", "this is the root of it")
def _(log_w):
    w = log_w.softmax(0)
    return 1 / (w**2).sum(0).sqrt()


@wrong("effective-sample-size", "the weights are normalised twice")
def _(log_w):
    w = log_w.softmax(0).softmax(0)
    return 1 / (w**2).sum(0)


@wrong("kl-per-latent", "this is averaged over the latents: one number for each")
def _(mu, log_var):
    return (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).mean(1)


@wrong("kl-per-latent", "k is subtracted from each latent; of one latent it is 1")
def _(mu, log_var):
    k = mu.shape[1]
    return (0.5 * (mu**2 + log_var.exp() - k - log_var)).mean(0).sort(descending=True).values


@wrong("kl-per-latent", "turned round, not sorted")
def _(mu, log_var):
    return (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).mean(0).flip(0)


@wrong("kl-per-latent", "this is a median over the examples; take their mean")
def _(mu, log_var):
    return (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).median(0).values.sort(descending=True).values


@wrong("kl-per-latent", "the mean over the examples is missing: this has a sorted")
def _(mu, log_var):
    return (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).sort(descending=True).values


@wrong("kl-per-latent", "the sign is reversed: a KL is never negative")
def _(mu, log_var):
    return (-0.5 * (mu**2 + log_var.exp() - 1 - log_var)).mean(0).sort(descending=True).values


@wrong("kl-per-latent", "this is what you get if log sigma^2 is taken for sigma^2")
def _(mu, log_var):
    return (0.5 * (mu**2 + log_var - 1 - log_var.log())).mean(0).sort(descending=True).values


@wrong("kl-per-latent", "sorted by the size of mu; the KL itself is to be sorted")
def _(mu, log_var):
    kl = (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).mean(0)
    return kl[mu.abs().mean(0).argsort(descending=True)]


@wrong("gaussian-log-prob", "d is taken as the number of examples; it is x.shape[1]")
def _(x, mean, log_var):
    d = x.shape[0]
    return -0.5 * (((x - mean) ** 2 / log_var.exp() + log_var).sum(1) + d * math.log(2 * math.pi))


@wrong("gaussian-log-prob", "the square is multiplied with the variance; it is divided")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 * torch.exp(log_var) + log_var + math.log(2 * math.pi)).sum(1)


@wrong("gaussian-log-prob", "the constant log 2 pi is there once; each of the d")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp()).sum(1) - 0.5 * log_var.sum(1) - 0.5 * math.log(2 * math.pi)


@wrong("gaussian-log-prob", "log_var is taken for the logarithm of the standard")
def _(x, mean, log_var):
    s = log_var.exp()
    return -0.5 * (((x - mean) / s) ** 2 + 2 * s.log() + math.log(2 * math.pi)).sum(1)


@wrong("gaussian-log-prob", "2 pi stands where its logarithm belongs")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp() + log_var + 2 * math.pi).sum(1)


@wrong("gaussian-log-prob", "the constant is log pi; the 2 is missing")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp() + log_var + math.log(math.pi)).sum(1)


@wrong("gaussian-log-prob", "the factor 1/2 is missing in front of log 2 pi")
def _(x, mean, log_var):
    return -((x - mean) ** 2 / (2 * log_var.exp()) + log_var / 2 + math.log(2 * math.pi)).sum(1)


@wrong("gaussian-log-prob", "the square is missing: this does not depend on x")
def _(x, mean, log_var):
    return -0.5 * (log_var + math.log(2 * math.pi)).sum(1)


@wrong("gaussian-log-prob", "the square is divided by the square of the variance")
def _(x, mean, log_var):
    return -0.5 * (((x - mean) / log_var.exp()) ** 2 + log_var + math.log(2 * math.pi)).sum(1)


@wrong("gaussian-log-prob", "the minus stands before the square alone: log_var and the")
def _(x, mean, log_var):
    return (-0.5 * (x - mean) ** 2 / log_var.exp() + 0.5 * log_var + 0.5 * math.log(2 * math.pi)).sum(1)


@wrong("gaussian-log-prob", "this is the square alone: log_var and the constant are")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp()).sum(1)


@wrong("elbo-kl", "the mean is summed and then squared; ||mu||^2 is the sum of")
def _(mu, log_var):
    return 0.5 * (mu.sum(1) ** 2 + (log_var.exp() - 1 - log_var).sum(1))


@wrong("elbo-kl", "log det Sigma stands outside of the bracket: it has the")
def _(mu, log_var):
    return 0.5 * (mu**2 + log_var.exp() - 1).sum(1) - log_var.sum(1)


@wrong("elbo-kl", "the variances are squared in the trace: exp(log_var) is")
def _(mu, log_var):
    return 0.5 * (mu**2 + log_var.exp() ** 2 - 1 - log_var).sum(1)


@wrong("elbo-kl", "the term with ||mu||^2 is missing")
def _(mu, log_var):
    return 0.5 * (log_var.exp() - 1 - log_var).sum(1)


@wrong("elbo-kl", "it draws random numbers, and two calls give two results")
def _(mu, log_var):
    z = mu + (0.5 * log_var).exp() * torch.randn_like(mu)
    return gaussian_log_prob(z, mu, log_var) - gaussian_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))


@wrong("elbo-kl", "k is the size of all of mu; it is the number of latents")
def _(mu, log_var):
    return 0.5 * ((mu**2 + log_var.exp() - log_var).sum(1) - mu.numel())


@wrong("elbo-kl", "you averaged over the latent dimensions; the KL is a sum")
def _(mu, log_var):
    return (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).sum(1) / mu.shape[1]


@wrong("elbo-kl", "half of log det Sigma stands in the bracket: log det is the")
def _(mu, log_var):
    return 0.5 * (mu**2 + log_var.exp() - 1 - torch.log(log_var.exp() ** 0.5)).sum(1)


@wrong("elbo", "the squared errors of all examples are summed, without 1/2")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return -F.mse_loss(decoder(z), x, reduction="sum") - elbo_kl(mu, log_var)


@wrong("elbo", "the examples are summed as well; return one number for each")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)).sum() - elbo_kl(mu, log_var).sum()


@wrong("elbo", "the KL is given sigma; it takes log_var")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)) - elbo_kl(mu, (0.5 * log_var).exp())


@wrong("elbo", "the noise is decoded, and not z")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    return gaussian_log_prob(x, decoder(eps), torch.zeros_like(x)) - elbo_kl(mu, log_var)


@wrong("elbo", "the encoder's two results have changed places: mu, log_var")
def _(x, encoder, decoder, eps):
    log_var, mu = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)) - elbo_kl(mu, log_var)


@wrong("elbo", "exp(-log_var / 2) is one over the standard deviation")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (-0.5 * log_var).exp() * eps
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)) - elbo_kl(mu, log_var)


@wrong("elbo", "the constant has the wrong sign")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return -0.5 * ((x - decoder(z)) ** 2).sum(1) + 0.5 * x.shape[1] * math.log(2 * math.pi) - elbo_kl(mu, log_var)


@wrong("elbo", "this KL is that of z with variance 1; it is that of the")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)) - elbo_kl(z, torch.zeros_like(z))


@wrong("elbo", "both terms are averaged, one over the pixels, one over the")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)) / x.shape[1] - elbo_kl(mu, log_var) / mu.shape[1]


@wrong("elbo", "all examples get the noise of the first; each has its own")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + torch.sqrt(log_var.exp()) * eps[0]
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)) - elbo_kl(mu, log_var)


@wrong("elbo", "this is ln p(x, z): ln q(z) is missing, or the KL in its")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    z = mu + (0.5 * log_var).exp() * eps
    return gaussian_log_prob(x, decoder(z), torch.zeros_like(x)) + gaussian_log_prob(
        z, torch.zeros_like(z), torch.zeros_like(z)
    )


@wrong("iw-bound", "the logarithms are divided by k; the sum of the weights is")
def _(log_w):
    return torch.logsumexp(log_w / len(log_w), 0)


@wrong("iw-bound", "right for moderate weights, but exp underflows for those of")
def _(log_w):
    return log_w.double().exp().mean(0).log().to(log_w)


@wrong("iw-bound", "this is the logarithm of 1: normalised weights sum to 1")
def _(log_w):
    return log_w.softmax(0).sum(0).log()


@wrong("iw-bound", "this is the sum of the logarithms; asked for is the")
def _(log_w):
    return log_w.sum(0)


@wrong("iw-bound", "cutting off small logarithms only hides the underflow: take")
def _(log_w):
    return log_w.clamp(min=-700).exp().mean(0).log()


@wrong("iw-bound", "the mean is over the examples, and divided by the number of")
def _(log_w):
    return torch.logsumexp(log_w.T, 0) - math.log(len(log_w))


@wrong("iw-bound", "this is the median of the logarithms, not the logarithm of")
def _(log_w):
    return log_w.median(0).values


@wrong("iw-bound", "what was taken out is added again whole, but the logarithm")
def _(log_w):
    m = log_w.max(0).values
    return m + (log_w - m).exp().sum(0).log() / len(log_w)


@wrong("effective-sample-size", "this is 1 / the square of the largest weight; asked for is")
def _(log_w):
    return 1 / log_w.softmax(0).max(0).values ** 2


@wrong("effective-sample-size", "this is divided by the number of draws; the size itself is")
def _(log_w):
    w = log_w.softmax(0)
    return w.mean(0) ** 2 / (w**2).mean(0)


@wrong("effective-sample-size", "this is the number of draws, whatever their weights are")
def _(log_w):
    return torch.full_like(log_w[0], len(log_w))


@wrong("effective-sample-size", "the logarithms of the normalised weights are squared; the")
def _(log_w):
    w = log_w.log_softmax(0)
    return 1 / (w**2).sum(0)


@wrong("effective-sample-size", "right for moderate weights, but exp underflows for those of")
def _(log_w):
    w = log_w.double().exp()
    return (w.sum(0) ** 2 / (w**2).sum(0)).to(log_w)


@wrong("effective-sample-size", "right for a batch of 1, and wrong for one of 2, 3. Is")
def _(log_w):
    w = (log_w - log_w.max(0).values).exp()
    w = w / w.sum()
    return 1 / (w**2).sum(0)


@wrong("effective-sample-size", "replacing nan only hides the underflow: divide by the")
def _(log_w):
    w = log_w.exp()
    return (w.sum(0) ** 2 / (w**2).sum(0)).nan_to_num(1.0)


@wrong("kl-per-latent", "this is one number for each example, sorted; here one for")
def _(mu, log_var):
    return (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).sum(1).sort(descending=True).values


@wrong("kl-per-latent", "this is the largest KL over the examples; take their mean")
def _(mu, log_var):
    return (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).max(0).values.sort(descending=True).values


@wrong("kl-per-latent", "the latents are not sorted: the largest comes first")
def _(mu, log_var):
    kl = (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).mean(0)
    kl.sort(descending=True)
    return kl


@wrong("kl-per-latent", "these are shares of the whole KL; the KL itself is asked")
def _(mu, log_var):
    kl = (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).mean(0)
    kl = kl / kl.sum()
    return kl.sort(descending=True).values


@wrong("kl-per-latent", "the factor 1/2 applies to mu^2 alone (erratum E6)")
def _(mu, log_var):
    return (0.5 * mu**2 + log_var.exp() - 1 - log_var).mean(0).sort(descending=True).values


@wrong("kl-per-latent", "this is made of means of mu, sigma^2 and log_var. The mean")
def _(mu, log_var):
    return (0.5 * (mu.mean(0) ** 2 + log_var.exp().mean(0) - 1 - log_var.mean(0))).sort(descending=True).values


@wrong("kl-per-latent", "the standard deviation stands where the variance belongs")
def _(mu, log_var):
    return (0.5 * (mu**2 + (0.5 * log_var).exp() - 1 - log_var)).mean(0).sort(descending=True).values


@wrong("kl-per-latent", "log_var has the wrong sign")
def _(mu, log_var):
    return (0.5 * (mu**2 + log_var.exp() - 1 + log_var)).mean(0).sort(descending=True).values


@wrong("kl-per-latent", "this is averaged over the latents: one number for each")
def _(mu, log_var):
    return elbo_kl(mu, log_var) / mu.shape[1]


# --- 3. EM and reparametrisation


@wrong("reparametrise", "the values are right, but the gradient with respect to mu")
def _(mu, log_var, *, generator):
    return torch.normal(mu, (0.5 * log_var).exp(), generator=generator)


@wrong("reparametrise", "the generator is seeded anew: then each call draws the same")
def _(mu, log_var, *, generator):
    generator.manual_seed(0)
    eps = torch.randn(mu.shape, generator=generator, dtype=mu.dtype)
    return mu + (0.5 * log_var).exp() * eps


@wrong("reparametrise", "right to some six digits, and not to more")
def _(mu, log_var, *, generator):
    sigma = torch.tensor((0.5 * log_var).exp().tolist())
    eps = torch.randn(mu.shape, generator=generator, dtype=mu.dtype)
    return mu + sigma.to(mu.dtype) * eps


@wrong("reparametrise", "exp(-log_var / 2) is one over the standard deviation")
def _(mu, log_var, *, generator):
    eps = torch.randn(mu.shape, generator=generator, dtype=mu.dtype)
    return mu + (-0.5 * log_var).exp() * eps


@wrong("reparametrise", "the 1/2 stands outside of exp; it belongs inside, to log_var")
def _(mu, log_var, *, generator):
    eps = torch.randn(mu.shape, generator=generator, dtype=mu.dtype)
    return mu + 0.5 * log_var.exp() * eps


@wrong("score-gradient", "f is taken at the mean, and not at the draw z")
def _(f, mu, sigma, eps):
    return f(mu[None])[:, None] * eps / sigma


@wrong("score-gradient", "this is the path's gradient, with a derivative of f; the")
def _(f, mu, sigma, eps):
    z = (mu + sigma * eps).requires_grad_()
    (g,) = torch.autograd.grad(f(z).sum(), z)
    return g


@wrong("score-gradient", "the mean of f over the draws is subtracted: then no row")
def _(f, mu, sigma, eps):
    z = mu + sigma * eps
    v = f(z)
    return (v - v.mean())[:, None] * eps / sigma


@wrong("score-gradient", "z is drawn with sigma^2; sigma is the standard deviation")
def _(f, mu, sigma, eps):
    z = mu + sigma**2 * eps
    return f(z)[:, None] * (z - mu) / sigma**2


@wrong("score-gradient", "sigma is taken for the variance: it is the standard")
def _(f, mu, sigma, eps):
    z = mu + sigma.sqrt() * eps
    return f(z)[:, None] * (z - mu) / sigma


@wrong("score-gradient", "sigma is taken for log_var: here it is the standard")
def _(f, mu, sigma, eps):
    z = mu + (0.5 * sigma).exp() * eps
    return f(z)[:, None] * eps / (0.5 * sigma).exp()


@wrong("score-gradient", "f is multiplied with ln q itself; its gradient by mu")
def _(f, mu, sigma, eps):
    z = mu + sigma * eps
    lq = -0.5 * ((z - mu) ** 2 / sigma**2)
    return f(z)[:, None] * lq


@wrong("score-gradient", "z moves with mu here, and the gradient of ln q is zero.")
def _(f, mu, sigma, eps):
    mu = mu.clone().requires_grad_()
    z = mu + sigma * eps
    lq = (-0.5 * ((z - mu) / sigma) ** 2).sum(1)
    (g,) = torch.autograd.grad((f(z).detach() * lq).sum(), mu)
    return g


@wrong("score-gradient", "it draws random numbers of its own: the noise is given, in")
def _(f, mu, sigma, eps):
    z = mu + sigma * torch.randn_like(eps)
    return f(z)[:, None] * (z - mu) / sigma**2


@wrong("e-step", "the covariance is (d, d): W W^T is a matrix of coordinates")
def _(x, W):
    C = torch.linalg.inv(torch.eye(W.shape[0]) + W @ W.T)
    return x @ C @ W, C


@wrong("e-step", "one covariance is the same for all points: return it once")
def _(x, W):
    k = W.shape[1]
    eye = torch.eye(k, dtype=W.dtype)
    C = torch.linalg.inv(eye + W.T @ W)
    return x @ W @ C, C.expand(len(x), k, k)


@wrong("e-step", "each entry is inverted alone, 1 / a; the inverse of a")
def _(x, W):
    k = W.shape[1]
    eye = torch.eye(k, dtype=W.dtype)
    C = 1 / (eye + W.T @ W)
    return x @ W @ C, C


@wrong("e-step", "1 is added to all entries; the identity, torch.eye, has it")
def _(x, W):
    C = torch.linalg.inv(1 + W.T @ W)
    return x @ W @ C, C


@wrong("e-step", "W^T W is subtracted from I; precisions add")
def _(x, W):
    k = W.shape[1]
    eye = torch.eye(k, dtype=W.dtype)
    C = torch.linalg.inv(eye - W.T @ W)
    return x @ W @ C, C


@wrong("e-step", "the covariance is right, the means are multiplied with it")
def _(x, W):
    k = W.shape[1]
    eye = torch.eye(k, dtype=W.dtype)
    C = torch.linalg.inv(eye + W.T @ W)
    return x @ W @ C @ C, C


@wrong("e-step", "the covariance is right, for the means x was centred: the")
def _(x, W):
    k = W.shape[1]
    eye = torch.eye(k, dtype=W.dtype)
    C = torch.linalg.inv(eye + W.T @ W)
    return (x - x.mean(0)) @ W @ C, C


@wrong("e-step", "this is the Cholesky factor of the precision; its inverse")
def _(x, W):
    k = W.shape[1]
    eye = torch.eye(k, dtype=W.dtype)
    C = torch.linalg.cholesky(eye + W.T @ W)
    return x @ W @ C, C


@wrong("e-step", "the covariance is right, the means are summed over the")
def _(x, W):
    k = W.shape[1]
    eye = torch.eye(k, dtype=W.dtype)
    C = torch.linalg.inv(eye + W.T @ W)
    return (x @ W @ C).sum(0), C


@wrong("m-step", "n C is added after the inverse; it belongs inside")
def _(x, mean, covariance):
    return x.T @ mean @ (torch.linalg.inv(mean.T @ mean) + len(x) * covariance)


@wrong("m-step", "C is added d times, the number of coordinates; it belongs")
def _(x, mean, covariance):
    return x.T @ mean @ torch.linalg.inv(mean.T @ mean + x.shape[1] * covariance)


@wrong("m-step", "C is added k times, the number of latents; it belongs to")
def _(x, mean, covariance):
    return x.T @ mean @ torch.linalg.inv(mean.T @ mean + mean.shape[1] * covariance)


@wrong("m-step", "only the diagonal of C is added; all of it enters")
def _(x, mean, covariance):
    return x.T @ mean @ torch.linalg.inv(mean.T @ mean + len(x) * torch.diag(covariance.diag()))


@wrong("m-step", "the diagonal of C is added as a row, to each row of the")
def _(x, mean, covariance):
    return x.T @ mean @ torch.linalg.inv(mean.T @ mean + len(x) * covariance.diag())


@wrong("m-step", "C is squared; it is a covariance already")
def _(x, mean, covariance):
    return x.T @ mean @ torch.linalg.inv(mean.T @ mean + len(x) * covariance**2)


@wrong("m-step", "x was centred: the model has mean zero already")
def _(x, mean, covariance):
    a = x - x.mean(0)
    return a.T @ mean @ torch.linalg.inv(mean.T @ mean + len(x) * covariance)


@wrong("m-step", "m @ m.T of one point is a number, added to all entries of")
def _(x, mean, covariance):
    S = 0
    for m in mean:
        S += m @ m.T + covariance
    return x.T @ mean @ torch.linalg.inv(S)


@wrong("linear-elbo", "tr(W C W^T) has the wrong sign: the spread of z makes the")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) - torch.trace(W @ covariance @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("linear-elbo", "tr(W C W^T) lacks the factor 1/2: it is a part of the")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * (r**2).sum(1) - torch.trace(W @ covariance @ W.T) - d / 2 * math.log(2 * math.pi) - kl


@wrong("linear-elbo", "tr C is added to the squared error; through W it becomes")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + torch.trace(covariance)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("linear-elbo", "the constant counts latents; it belongs to x: d, the number")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ covariance @ W.T)) - mean.shape[1] / 2 * math.log(2 * math.pi) - kl


@wrong("linear-elbo", "the constant has the wrong sign")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ covariance @ W.T)) + d / 2 * math.log(2 * math.pi) - kl


@wrong("linear-elbo", "the determinant stands where its logarithm belongs")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.det(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ covariance @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("linear-elbo", "the squared error is averaged over the coordinates; it is a")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).mean(1) + torch.trace(W @ covariance @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("linear-elbo", "it draws random numbers, and two calls give two results")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    Lc = torch.linalg.cholesky(covariance)
    z = mean + torch.randn_like(mean) @ Lc.T
    r = x - z @ W.T
    return -0.5 * (r**2).sum(1) - x.shape[1] / 2 * math.log(2 * math.pi) - kl


@wrong("linear-elbo", "tr(W C W^T) is not the product of two sums: multiply the")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + (W**2).sum() * torch.trace(covariance)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("linear-elbo", "only the diagonal of C is used in tr(W C W^T); the latents")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + (W**2 @ covariance.diag()).sum()) - d / 2 * math.log(2 * math.pi) - kl


@wrong("linear-elbo", "the KL lacks its factor 1/2")
def _(x, W, mean, covariance):
    kl = (mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance)
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ covariance @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("linear-elbo", "the KL has d where k belongs: it lives in the space of the")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - W.shape[0] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ covariance @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("linear-elbo", "this is ln p(x), the bound at the best q; here q is given")
def _(x, W, mean, covariance):
    S = W @ W.T + torch.eye(W.shape[0]).to(W)
    return torch.distributions.MultivariateNormal(torch.zeros(W.shape[0]).to(W), S).log_prob(x)


@wrong("linear-elbo", "the length of m is not squared in the KL")
def _(x, W, mean, covariance):
    kl = 0.5 * (mean.norm(dim=1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ covariance @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("linear-elbo", "this is ln p(x), the bound at the best q; here q is given")
def _(x, W, mean, covariance):
    mean, covariance = e_step(x, W)
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ covariance @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("linear-elbo", "the constant is -d log 2 pi: its 1/2 is missing")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ covariance @ W.T)) - d * math.log(2 * math.pi) - kl


@wrong("em-curve", "this has a row for each step: the mean over the examples is")
def _(x, W, rounds):
    out = []
    for _ in range(rounds):
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C))
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C))
    return torch.stack(out)


@wrong("em-curve", "after an M-step, q was made new before the bound was taken")
def _(x, W, rounds):
    out = []
    for _ in range(rounds):
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean())
        W = m_step(x, m, C)
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean())
    return torch.stack(out)


@wrong("em-curve", "the steps are in the wrong order: a round is an E-step")
def _(x, W, rounds):
    out = []
    m, C = e_step(x, W)
    for _ in range(rounds):
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C).mean())
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean())
    return torch.stack(out)


@wrong("em-curve", "shape (4,), where (6,) is expected. Print the shapes of")
def _(x, W, rounds):
    out = []
    for _ in range(rounds - 1):
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean())
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C).mean())
    return torch.stack(out)


@wrong("em-curve", "the result of the M-step is dropped: W stays as it was")
def _(x, W, rounds):
    out = []
    for _ in range(rounds):
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean())
        m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C).mean())
    return torch.stack(out)


@wrong("em-curve", "it returns after the first round: is return inside of the")
def _(x, W, rounds):
    out = []
    for _ in range(rounds):
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean())
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C).mean())
        return torch.stack(out)


@wrong("em-curve", "the M-step comes first here, with the prior for q: a round")
def _(x, W, rounds):
    n, k = len(x), W.shape[1]
    m, C = torch.zeros(n, k).to(W), torch.eye(k).to(W)
    out = []
    for _ in range(rounds):
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C).mean())
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean())
    return torch.stack(out)


@wrong("em-curve", "this is the last bound alone; collect that of each step")
def _(x, W, rounds):
    for _ in range(rounds):
        m, C = e_step(x, W)
        W = m_step(x, m, C)
    return linear_elbo(x, W, m, C).mean()


@wrong("em-curve", "the E-step is done once, before the loop; each round has")
def _(x, W, rounds):
    out = []
    m, C = e_step(x, W)
    for _ in range(rounds):
        out.append(linear_elbo(x, W, m, C).mean())
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C).mean())
    return torch.stack(out)


@wrong("em-curve", "C is that of the first round; it depends on W, and changes")
def _(x, W, rounds):
    out = []
    _, C = e_step(x, W)
    for _ in range(rounds):
        m, _ = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean())
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C).mean())
    return torch.stack(out)


@wrong("em-curve", "x was centred: the model has mean zero already, and x is")
def _(x, W, rounds):
    x = x - x.mean(0)
    out = []
    for _ in range(rounds):
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean())
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C).mean())
    return torch.stack(out)


@wrong("reparametrise", "exp(2 log_var) is not the standard deviation: it is exp of")
def _(mu, log_var, *, generator):
    eps = torch.randn(mu.shape, generator=generator, dtype=mu.dtype)
    return mu + torch.exp(log_var) ** 2 * eps


@wrong("reparametrise", "a root too many: exp(log_var / 2) is the standard deviation")
def _(mu, log_var, *, generator):
    eps = torch.randn(mu.shape, generator=generator, dtype=mu.dtype)
    return mu + (0.5 * log_var).exp().sqrt() * eps


@wrong("reparametrise", "the noise has no negative numbers: abs is too many")
def _(mu, log_var, *, generator):
    eps = torch.randn(mu.shape, generator=generator, dtype=mu.dtype).abs()
    return mu + (0.5 * log_var).exp() * eps


@wrong("score-gradient", "f is averaged over the draws; each row has its own f(z)")
def _(f, mu, sigma, eps):
    z = mu + sigma * eps
    return f(z).mean() * eps / sigma


@wrong("score-gradient", "f is summed over the draws; each row has its own f(z)")
def _(f, mu, sigma, eps):
    z = mu + sigma * eps
    return f(z).sum() * eps / sigma


@wrong("score-gradient", "the score stands beside the gradient of f; f itself belongs")
def _(f, mu, sigma, eps):
    z = (mu + sigma * eps).requires_grad_()
    (g,) = torch.autograd.grad(f(z).sum(), z)
    return g * eps / sigma


@wrong("score-gradient", "z stands where z - mu belongs")
def _(f, mu, sigma, eps):
    z = mu + sigma * eps
    return f(z)[:, None] * z / sigma**2


@wrong("score-gradient", "f and the score are added; they are multiplied")
def _(f, mu, sigma, eps):
    z = mu + sigma * eps
    return f(z)[:, None] + eps / sigma


@wrong("score-gradient", "f(z) has one number for each draw, and you multiplied along")
def _(f, mu, sigma, eps):
    z = mu + sigma * eps
    return f(z)[None, :] * eps / sigma


@wrong("score-gradient", "the density q is in it too; the mean over draws from q has")
def _(f, mu, sigma, eps):
    z = mu + sigma * eps
    q = Normal(mu, sigma).log_prob(z).sum(1).exp()
    return (f(z) * q)[:, None] * eps / sigma


@wrong("score-gradient", "the score is summed over the draws: autograd adds up what")
def _(f, mu, sigma, eps):
    m = mu.clone().requires_grad_()
    z = mu + sigma * eps
    lq = Normal(m, sigma).log_prob(z).sum()
    (g,) = torch.autograd.grad(lq, m)
    return f(z)[:, None] * g


@wrong("score-gradient", "the gradient of ln q is zero: z moves with mu. Hold z, and")
def _(f, mu, sigma, eps):
    m = mu.clone().requires_grad_()
    z = m + sigma * eps
    lq = Normal(m, sigma).log_prob(z).sum()
    (g,) = torch.autograd.grad(lq, m)
    return f(z)[:, None] * g


@wrong("score-gradient", "right in one case alone: one draw, one dimension. Sizes of")
def _(f, mu, sigma, eps):
    z = mu + sigma * eps
    return f(z)[:, None] * eps / (sigma**2).sum().sqrt()


@wrong("e-step", "the covariance is right, the means are scaled with the")
def _(x, W):
    C = torch.linalg.inv(torch.eye(W.shape[1]).to(W) + W.T @ W)
    return torch.linalg.solve(C, W.T @ x.T).T, C


@wrong("e-step", "the prior's precision is I; here it is counted twice")
def _(x, W):
    C = torch.linalg.inv(2 * torch.eye(W.shape[1]).to(W) + W.T @ W)
    return x @ W @ C, C


@wrong("e-step", "1 is added to all entries; the identity, torch.eye, has it")
def _(x, W):
    C = torch.linalg.inv(torch.ones(W.shape[1], W.shape[1]).to(W) + W.T @ W)
    return x @ W @ C, C


@wrong("e-step", "the covariance is right, the means have the wrong sign")
def _(x, W):
    C = torch.linalg.inv(torch.eye(W.shape[1]).to(W) + W.T @ W)
    return -x @ W @ C, C


@wrong("e-step", "right in one case alone: one point, d = 2, k = 1. Sizes of")
def _(x, W):
    C = torch.linalg.inv(torch.eye(W.shape[1]).to(W) + (W * W).sum(0))
    return x @ W @ C, C


@wrong("e-step", "only the diagonal of W^T W is inverted; the latents are")
def _(x, W):
    C = torch.diag(1 / (1 + (W * W).sum(0)))
    return x @ W @ C, C


@wrong("e-step", "the covariance is right, the means are averaged over the")
def _(x, W):
    C = torch.linalg.inv(torch.eye(W.shape[1]).to(W) + W.T @ W)
    return (x @ W @ C).mean(0), C


@wrong("e-step", "each entry is inverted alone, 1 / a; the inverse of a")
def _(x, W):
    C = (torch.eye(W.shape[1]).to(W) + W.T @ W) ** -1
    return x @ W @ C, C


@wrong("m-step", "the sum of m m^T is multiplied with n too; only C is the")
def _(x, mean, covariance):
    return x.T @ mean @ torch.linalg.inv(len(x) * (mean.T @ mean + covariance))


@wrong("m-step", "both sums are divided by n, and n C is not")
def _(x, mean, covariance):
    n = len(x)
    return (x.T @ mean) / n @ torch.linalg.inv(mean.T @ mean / n + n * covariance)


@wrong("m-step", "C is divided by n; it is added n times")
def _(x, mean, covariance):
    return x.T @ mean @ torch.linalg.inv(mean.T @ mean + covariance / len(x))


@wrong("m-step", "each entry is inverted alone, 1 / a; the inverse of a")
def _(x, mean, covariance):
    return x.T @ mean @ (mean.T @ mean + len(x) * covariance) ** -1


@wrong("m-step", "C is added n - 1 times; each of the n examples has its own")
def _(x, mean, covariance):
    return x.T @ mean @ torch.linalg.inv(mean.T @ mean + (len(x) - 1) * covariance)


@wrong("m-step", "an identity is added beside n C: W has no prior")
def _(x, mean, covariance):
    return x.T @ mean @ torch.linalg.inv(mean.T @ mean + len(x) * covariance + torch.eye(mean.shape[1]).to(x))


@wrong("m-step", "m m^T is missing: E[z z^T] = m m^T + C")
def _(x, mean, covariance):
    return x.T @ mean @ torch.linalg.inv(len(x) * covariance)


@wrong("m-step", "the means are centred in the second sum: E[z z^T] is no")
def _(x, mean, covariance):
    m = mean - mean.mean(0)
    return x.T @ mean @ torch.linalg.inv(m.T @ m + len(x) * covariance)


@wrong("m-step", "right in one case alone: one point, d = 2, k = 1. Sizes of")
def _(x, mean, covariance):
    return x.T @ mean @ torch.linalg.inv((mean.T @ mean).sum() + len(x) * covariance)


@wrong("m-step", "C is added once; each of the n examples has its own")
def _(x, mean, covariance):
    S = torch.zeros_like(covariance)
    for m in mean:
        S += torch.outer(m, m)
    S += covariance
    return x.T @ mean @ torch.linalg.inv(S)


@wrong("linear-elbo", "the length of the error is not squared")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * (r.norm(dim=1) + torch.trace(W @ covariance @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("linear-elbo", "the squared error is summed over the examples too; each has")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum() + torch.trace(W @ covariance @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("linear-elbo", "the constant log 2 pi is there once; each of the d")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ covariance @ W.T)) - 0.5 * math.log(2 * math.pi) - kl


@wrong("linear-elbo", "the KL has log det C twice as large: it is the logarithm of")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - 2 * torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ covariance @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("linear-elbo", "C is missing in tr(W C W^T): W alone does not know how far")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("linear-elbo", "||W m||^2 is counted again: with ||x - W m||^2, only tr(W C")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return (
        -0.5 * ((r**2).sum(1) + ((mean @ W.T) ** 2).sum(1) + torch.trace(W @ covariance @ W.T))
        - d / 2 * math.log(2 * math.pi)
        - kl
    )


@wrong("linear-elbo", "the KL has the sum of all entries of C; its trace is that")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + covariance.sum() - mean.shape[1] - torch.logdet(covariance))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ covariance @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("linear-elbo", "W m is added to x; it is subtracted")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
    r = x + mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ covariance @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("linear-elbo", "the KL has the logarithm of the trace; that of the")
def _(x, W, mean, covariance):
    kl = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - mean.shape[1] - torch.log(torch.trace(covariance)))
    r = x - mean @ W.T
    d = x.shape[1]
    return -0.5 * ((r**2).sum(1) + torch.trace(W @ covariance @ W.T)) - d / 2 * math.log(2 * math.pi) - kl


@wrong("em-curve", "there are twice as many rounds: one round is two steps")
def _(x, W, rounds):
    out = []
    for _ in range(2 * rounds):
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean())
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C).mean())
    return torch.stack(out)


@wrong("em-curve", "the bound is taken before each step; take it after")
def _(x, W, rounds):
    out = []
    m, C = torch.zeros(len(x), W.shape[1]).to(x), torch.eye(W.shape[1]).to(x)
    for _ in range(rounds):
        out.append(linear_elbo(x, W, m, C).mean())
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean())
        W = m_step(x, m, C)
    return torch.stack(out)


@wrong("em-curve", "there is one round too many")
def _(x, W, rounds):
    out = []
    for _ in range(rounds + 1):
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean())
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C).mean())
    return torch.stack(out)


@wrong("em-curve", "these are the bounds of all examples in a row: the mean")
def _(x, W, rounds):
    out = []
    for _ in range(rounds):
        m, C = e_step(x, W)
        out.extend(linear_elbo(x, W, m, C))
        W = m_step(x, m, C)
        out.extend(linear_elbo(x, W, m, C))
    return torch.stack(out)


@wrong("em-curve", "this is the bound of the first example; take the mean")
def _(x, W, rounds):
    out = []
    for _ in range(rounds):
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C)[0])
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C)[0])
    return torch.stack(out)


@wrong("em-curve", "the E-step takes the decoder of the round before: after an")
def _(x, W, rounds):
    out = []
    m, C = e_step(x, W)
    for _ in range(rounds):
        out.append(linear_elbo(x, W, m, C).mean())
        W_new = m_step(x, m, C)
        out.append(linear_elbo(x, W_new, m, C).mean())
        m, C = e_step(x, W)
        W = W_new
    return torch.stack(out)


@wrong("em-curve", "after an M-step, q was made new before the bound was taken")
def _(x, W, rounds):
    out = []
    for _ in range(rounds):
        out.append(linear_elbo(x, W, *e_step(x, W)).mean())
        W = m_step(x, *e_step(x, W))
        out.append(linear_elbo(x, W, *e_step(x, W)).mean())
    return torch.stack(out)


@wrong("em-curve", "these are the rises; the bounds are asked for")
def _(x, W, rounds):
    out = []
    for _ in range(rounds):
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean())
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C).mean())
    return torch.stack(out).diff()


@wrong("em-curve", "the bound is divided by the number of coordinates; only the")
def _(x, W, rounds):
    out = []
    for _ in range(rounds):
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean() / x.shape[1])
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C).mean() / x.shape[1])
    return torch.stack(out)
