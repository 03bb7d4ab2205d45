"""Answers to error-curve."""

import torch
import torch.nn.functional as F

from answers.before import pca_reconstruct, reconstruction_error
from answers.collected import answers_to

right, wrong = answers_to("error-curve")


@right
def _(x):
    m = x.mean(0)
    Vh = torch.linalg.svd(x - m, full_matrices=True).Vh
    curve = []
    for k in range(1, x.shape[1] + 1):
        V = Vh[:k]
        x_tilde = m + (x - m) @ V.T @ V
        curve.append(((x - x_tilde) ** 2).sum(1).mean())
    return torch.stack(curve)


@right
def _(x):
    values = torch.linalg.eigvalsh(torch.cov(x.T, correction=0))  # the smallest first
    tail = torch.cat([torch.zeros(1, dtype=x.dtype), values.cumsum(0)])
    return tail.flip(0)[1:]


@right
def _(x):
    s = torch.linalg.svdvals(x - x.mean(0)) ** 2 / len(x)
    return torch.stack([s[k:].sum() for k in range(1, x.shape[1] + 1)])


@wrong("kept")
def _(x):
    s = torch.linalg.svdvals(x - x.mean(0))
    return torch.cumsum(s**2 / x.shape[0], 0)


@wrong("single-variances")
def _(x):
    return torch.linalg.svdvals(x - x.mean(0)) ** 2 / len(x)


@wrong("n-minus-1")
def _(x):
    values = torch.linalg.eigvalsh(torch.cov(x.T)).flip(0)
    return values.sum() - values.cumsum(0)


@wrong("begins-at-0")
def _(x):
    values = (torch.linalg.svdvals(x - x.mean(0)) ** 2 / len(x)).tolist()
    return torch.tensor([sum(values[k:]) for k in range(len(values))], dtype=x.dtype)


@wrong("coordinates-averaged")
def _(x):
    m = x.mean(0)
    V = torch.linalg.svd(x - m).Vh
    return torch.stack([F.mse_loss(m + (x - m) @ V[:k].T @ V[:k], x) for k in range(1, x.shape[1] + 1)])


@wrong("singular-values")
def _(x):
    s = torch.linalg.svdvals(x - x.mean(0))
    return s.sum() - s.cumsum(0)


@wrong("cov-of-points")
def _(x):
    lam = torch.linalg.eigvalsh(torch.cov(x))
    return lam.sum() - lam.flip(0).cumsum(0)


@wrong("ends-early")
def _(x):
    return torch.stack([(x - pca_reconstruct(x, k)).square().sum(1).mean() for k in range(1, x.shape[1])])


@wrong("n-numbers")
def _(x):
    a = x - x.mean(0)
    lam = torch.linalg.eigvalsh(a @ a.T / len(x))
    return lam.sum() - lam.flip(0).cumsum(0)


@wrong("examples-kept")
def _(x):
    return torch.stack([reconstruction_error(x, pca_reconstruct(x, k)) for k in range(1, x.shape[1] + 1)])


@wrong("eigvals-unsorted")
def _(x):
    a = x - x.mean(0)
    lam = torch.linalg.eigvals(a.T @ a / len(x)).real
    return lam.sum() - lam.cumsum(0)


@wrong("mean-of-points")
def _(x):
    a = x - x.mean(1, keepdim=True)
    lam = torch.linalg.eigvalsh(a.T @ a / len(x))
    return lam.sum() - lam.flip(0).cumsum(0)


@wrong("sixty-four")
def _(x):
    return torch.stack([reconstruction_error(x, pca_reconstruct(x, k)).mean() for k in range(1, 65)])


@wrong("n-numbers")
def _(x):
    return torch.stack([reconstruction_error(x, pca_reconstruct(x, k)).mean() for k in range(1, len(x) + 1)])


@wrong("absolute")
def _(x):
    return torch.stack([(x - pca_reconstruct(x, k)).abs().sum(1).mean() for k in range(1, x.shape[1] + 1)])


@wrong("backwards")
def _(x):
    a = x - x.mean(0)
    lam = torch.linalg.eigvalsh(a.T @ a / len(x))
    return lam.cumsum(0)


@wrong("standard-deviations")
def _(x):
    a = x - x.mean(0)
    S = torch.linalg.svdvals(a) / len(x) ** 0.5
    return S.sum() - S.cumsum(0)


@wrong("begins-at-0")
def _(x):
    a = x - x.mean(0)
    lam = torch.linalg.eigvalsh(a.T @ a / len(x)).flip(0)
    return torch.stack([lam[k:].sum() for k in range(len(lam))])


@wrong("kept")
def _(x):
    a = x - x.mean(0)
    lam = torch.linalg.eigvalsh(a.T @ a / len(x)).flip(0)
    return torch.stack([lam[:k].sum() for k in range(1, len(lam) + 1)])


@wrong("divided-by-d")
def _(x):
    a = x - x.mean(0)
    lam = torch.linalg.eigvalsh(a.T @ a / x.shape[1]).flip(0)
    return lam.sum() - lam.cumsum(0)


@wrong(kind="shape", says="shape (5,), where (7,) is expected")
def _(x):
    variances = torch.linalg.svdvals(x - x.mean(0)) ** 2 / len(x)
    return variances.sum() - variances.cumsum(0)


@wrong(kind="broadcast", says="as if each of the 2 were paired with each other one")
def _(x):
    return torch.cov(x.T, correction=0)
