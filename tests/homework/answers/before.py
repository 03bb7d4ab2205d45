"""The parts before, which an answer may call."""

import math

import torch


def column(values, x):
    """One number for each example, ready to multiply x."""
    return values.reshape(len(values), *[1] * (x.dim() - 1)).to(x.dtype)


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


def alpha_bar(betas):
    return torch.cat([betas.new_ones(1), (1 - betas).cumprod(0)])


def q_sample(alpha_bar, x_0, t, eps):
    a = column(alpha_bar[t], x_0)
    return a.sqrt() * x_0 + (1 - a).sqrt() * eps


def posterior(alpha_bar, x_0, x_t, t):
    now, before = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    alpha, beta = now / before, 1 - now / before
    mean = (alpha.sqrt() * (1 - before) * x_t + before.sqrt() * beta * x_0) / (1 - now)
    return mean, ((1 - before) / (1 - now) * beta).flatten()


def mu_theta(alpha_bar, x_t, t, eps):
    a = column(alpha_bar[t], x_t)
    x_0 = (x_t - (1 - a).sqrt() * eps) / a.sqrt()
    return posterior(alpha_bar, x_0, x_t, t)[0]
