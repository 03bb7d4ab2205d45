"""Answers to e-step."""

import torch

from answers.collected import answers_to

right, wrong = answers_to("e-step")


@right
def _(x, W):
    precision = W.T @ W + torch.eye(W.shape[1], dtype=W.dtype)
    return torch.linalg.solve(precision, W.T @ x.T).T, precision.inverse()


@right
def _(x, W):
    # The joint law of (z, x), conditioned.
    d, k = W.shape
    gain = W.T @ torch.linalg.inv(W @ W.T + torch.eye(d, dtype=W.dtype))
    return x @ gain.T, torch.eye(k, dtype=W.dtype) - gain @ W


@right
def _(x, W):
    C = torch.cholesky_inverse(torch.linalg.cholesky(torch.eye(W.size(1), dtype=W.dtype) + W.T.mm(W)))
    return torch.einsum("kl,dl,nd->nk", C, W, x), C


@wrong("precision")
def _(x, W):
    precision = torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W
    return torch.linalg.solve(precision, W.T @ x.T).T, precision


@wrong("prior-forgotten")
def _(x, W):
    C = torch.inverse(W.T @ W)
    return x @ W @ C, C


@wrong("means-unscaled")
def _(x, W):
    return x @ W, torch.inverse(torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W)


@wrong("order")
def _(x, W):
    C = torch.inverse(torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W)
    return C, (C @ W.T @ x.T).T


@wrong(kind="error", says="it raises RuntimeError")
def _(x, W):
    C = torch.inverse(torch.eye(W.shape[1], dtype=W.dtype) + W @ W.T)
    return x @ W @ C, C


@wrong("covariance-missing")
def _(x, W):
    C = torch.inverse(torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W)
    return x @ W @ C


@wrong("d-by-d")
def _(x, W):
    C = torch.linalg.inv(torch.eye(W.shape[0]) + W @ W.T)
    return x @ C @ W, C


@wrong("covariance-repeated")
def _(x, W):
    k = W.shape[1]
    eye = torch.eye(k, dtype=W.dtype)
    C = torch.linalg.inv(eye + W.T @ W)
    return x @ W @ C, C.expand(len(x), k, k)


@wrong("entries-inverted")
def _(x, W):
    k = W.shape[1]
    eye = torch.eye(k, dtype=W.dtype)
    C = 1 / (eye + W.T @ W)
    return x @ W @ C, C


@wrong("ones-added")
def _(x, W):
    C = torch.linalg.inv(1 + W.T @ W)
    return x @ W @ C, C


@wrong("subtracted")
def _(x, W):
    k = W.shape[1]
    eye = torch.eye(k, dtype=W.dtype)
    C = torch.linalg.inv(eye - W.T @ W)
    return x @ W @ C, C


@wrong("means-twice")
def _(x, W):
    k = W.shape[1]
    eye = torch.eye(k, dtype=W.dtype)
    C = torch.linalg.inv(eye + W.T @ W)
    return x @ W @ C @ C, C


@wrong("centred")
def _(x, W):
    k = W.shape[1]
    eye = torch.eye(k, dtype=W.dtype)
    C = torch.linalg.inv(eye + W.T @ W)
    return (x - x.mean(0)) @ W @ C, C


@wrong("cholesky")
def _(x, W):
    k = W.shape[1]
    eye = torch.eye(k, dtype=W.dtype)
    C = torch.linalg.cholesky(eye + W.T @ W)
    return x @ W @ C, C


@wrong("means-summed")
def _(x, W):
    k = W.shape[1]
    eye = torch.eye(k, dtype=W.dtype)
    C = torch.linalg.inv(eye + W.T @ W)
    return (x @ W @ C).sum(0), C


@wrong("means-by-precision")
def _(x, W):
    C = torch.linalg.inv(torch.eye(W.shape[1]).to(W) + W.T @ W)
    return torch.linalg.solve(C, W.T @ x.T).T, C


@wrong("prior-twice")
def _(x, W):
    C = torch.linalg.inv(2 * torch.eye(W.shape[1]).to(W) + W.T @ W)
    return x @ W @ C, C


@wrong("ones-added")
def _(x, W):
    C = torch.linalg.inv(torch.ones(W.shape[1], W.shape[1]).to(W) + W.T @ W)
    return x @ W @ C, C


@wrong("means-negated")
def _(x, W):
    C = torch.linalg.inv(torch.eye(W.shape[1]).to(W) + W.T @ W)
    return -x @ W @ C, C


@wrong(kind="batch", says="right in one case alone: one point, d = 2, k = 1. Sizes of")
def _(x, W):
    C = torch.linalg.inv(torch.eye(W.shape[1]).to(W) + (W * W).sum(0))
    return x @ W @ C, C


@wrong("diagonal-inverted")
def _(x, W):
    C = torch.diag(1 / (1 + (W * W).sum(0)))
    return x @ W @ C, C


@wrong("means-averaged")
def _(x, W):
    C = torch.linalg.inv(torch.eye(W.shape[1]).to(W) + W.T @ W)
    return (x @ W @ C).mean(0), C


@wrong("entries-inverted")
def _(x, W):
    C = (torch.eye(W.shape[1]).to(W) + W.T @ W) ** -1
    return x @ W @ C, C
