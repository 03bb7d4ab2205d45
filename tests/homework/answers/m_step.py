"""Answers to m-step."""

import math

import torch

from answers.collected import answers_to

right, wrong = answers_to("m-step")


@right
def _(x, mean, covariance):
    A = sum(torch.outer(m, m) + covariance for m in mean)
    B = sum(torch.outer(a, m) for a, m in zip(x, mean, strict=True))
    return B @ torch.linalg.inv(A)


@right
def _(x, mean, covariance):
    second = torch.einsum("nk,nl->kl", mean, mean) / len(x) + covariance
    return torch.linalg.solve(second, torch.einsum("nk,nd->kd", mean, x) / len(x)).T


@right
def _(x, mean, covariance):
    # Least squares with further rows that stand for the spread of the codes.
    n = len(x)
    root = math.sqrt(n) * torch.linalg.cholesky(covariance).T
    rows = torch.cat([mean, root])
    targets = torch.cat([x, torch.zeros(len(root), x.shape[1], dtype=x.dtype)])
    return torch.linalg.lstsq(rows, targets, driver="gelsd").solution.T


@wrong("certain-codes")
def _(x, mean, covariance):
    return torch.linalg.inv(mean.T @ mean).mm(mean.T @ x).T


@wrong("c-once")
def _(x, mean, covariance):
    second = covariance
    for m in mean:
        second = second + torch.outer(m, m)
    return x.T @ mean @ torch.linalg.inv(second)


@wrong("transposed")
def _(x, mean, covariance):
    return torch.linalg.solve(mean.T @ mean + len(x) * covariance, mean.T @ x)


@wrong("one-divided")
def _(x, mean, covariance):
    second = (mean[:, :, None] * mean[:, None, :] + covariance).mean(0)
    return (x.T @ mean) @ torch.linalg.inv(second)


@wrong("second-moments-missing")
def _(x, mean, covariance):
    return torch.einsum("nd,nk->dk", x, mean)


@wrong("c-outside")
def _(x, mean, covariance):
    return x.T @ mean @ (torch.linalg.inv(mean.T @ mean) + len(x) * covariance)


@wrong("c-d-times")
def _(x, mean, covariance):
    return x.T @ mean @ torch.linalg.inv(mean.T @ mean + x.shape[1] * covariance)


@wrong("c-k-times")
def _(x, mean, covariance):
    return x.T @ mean @ torch.linalg.inv(mean.T @ mean + mean.shape[1] * covariance)


@wrong("c-diagonal")
def _(x, mean, covariance):
    return x.T @ mean @ torch.linalg.inv(mean.T @ mean + len(x) * torch.diag(covariance.diag()))


@wrong("c-as-row")
def _(x, mean, covariance):
    return x.T @ mean @ torch.linalg.inv(mean.T @ mean + len(x) * covariance.diag())


@wrong("c-squared")
def _(x, mean, covariance):
    return x.T @ mean @ torch.linalg.inv(mean.T @ mean + len(x) * covariance**2)


@wrong("centred")
def _(x, mean, covariance):
    a = x - x.mean(0)
    return a.T @ mean @ torch.linalg.inv(mean.T @ mean + len(x) * covariance)


@wrong("inner-product")
def _(x, mean, covariance):
    S = 0
    for m in mean:
        S += m @ m.T + covariance
    return x.T @ mean @ torch.linalg.inv(S)


@wrong("m-n-times")
def _(x, mean, covariance):
    return x.T @ mean @ torch.linalg.inv(len(x) * (mean.T @ mean + covariance))


@wrong("both-divided")
def _(x, mean, covariance):
    n = len(x)
    return (x.T @ mean) / n @ torch.linalg.inv(mean.T @ mean / n + n * covariance)


@wrong("c-divided")
def _(x, mean, covariance):
    return x.T @ mean @ torch.linalg.inv(mean.T @ mean + covariance / len(x))


@wrong("entries-inverted")
def _(x, mean, covariance):
    return x.T @ mean @ (mean.T @ mean + len(x) * covariance) ** -1


@wrong("c-n-minus-1")
def _(x, mean, covariance):
    return x.T @ mean @ torch.linalg.inv(mean.T @ mean + (len(x) - 1) * covariance)


@wrong("identity-too")
def _(x, mean, covariance):
    return x.T @ mean @ torch.linalg.inv(mean.T @ mean + len(x) * covariance + torch.eye(mean.shape[1]).to(x))


@wrong("m-missing")
def _(x, mean, covariance):
    return x.T @ mean @ torch.linalg.inv(len(x) * covariance)


@wrong("means-centred")
def _(x, mean, covariance):
    m = mean - mean.mean(0)
    return x.T @ mean @ torch.linalg.inv(m.T @ m + len(x) * covariance)


@wrong(kind="batch", says="right in one case alone: one point, d = 2, k = 1. Sizes of")
def _(x, mean, covariance):
    return x.T @ mean @ torch.linalg.inv((mean.T @ mean).sum() + len(x) * covariance)


@wrong("c-once")
def _(x, mean, covariance):
    S = torch.zeros_like(covariance)
    for m in mean:
        S += torch.outer(m, m)
    S += covariance
    return x.T @ mean @ torch.linalg.inv(S)
