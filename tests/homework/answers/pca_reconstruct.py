"""Answers to pca-reconstruct."""

import torch

from answers.collected import answers_to

right, wrong = answers_to("pca-reconstruct")


@right
def _(x, k):
    m = x.mean(dim=0, keepdim=True)
    cov = (x - m).T @ (x - m)
    _, vectors = torch.linalg.eigh(cov)
    top = vectors[:, -k:]
    return m + (x - m) @ top @ top.T


@right
def _(x, k):
    m = x.mean(0)
    U, S, Vh = torch.linalg.svd(x - m, full_matrices=False)
    S[k:] = 0
    return m + U @ torch.diag(S) @ Vh


@right
def _(x, k):
    m = x.mean(0)
    vectors = torch.linalg.eigh(torch.cov(x.T)).eigenvectors.flip(1)
    out = m.repeat(len(x), 1)
    for j in range(k):
        v = vectors[:, j]
        out = out + torch.outer((x - m) @ v, v)
    return out


@wrong("not-centred")
def _(x, k):
    U, S, Vh = torch.linalg.svd(x, full_matrices=False)
    return U[:, :k] @ torch.diag(S[:k]) @ Vh[:k]


@wrong("mean-not-added")
def _(x, k):
    U, S, Vh = torch.linalg.svd(x - x.mean(0), full_matrices=False)
    return U[:, :k] * S[:k] @ Vh[:k]


@wrong("least-variance")
def _(x, k):
    m = x.mean(0)
    _, vectors = torch.linalg.eigh((x - m).T @ (x - m))
    V = vectors[:, :k]
    return m + (x - m) @ V @ V.T


@wrong("codes")
def _(x, k):
    _, vectors = torch.linalg.eigh(torch.cov(x.T))
    V = vectors.flip(1)[:, :k]
    # The sign of a direction is free: this one is that of svd.
    Vh = torch.linalg.svd(x - x.mean(0), full_matrices=False).Vh[:k]
    V = V * (V * Vh.T).sum(0).sign()
    return (x - x.mean(0)) @ V


@wrong("projected-not-centred")
def _(x, k):
    _, _, V = torch.linalg.svd(x - x.mean(0, keepdim=True), full_matrices=False)
    P = V[:k].T @ V[:k]
    return x @ P


@wrong("one-mean")
def _(x, k):
    m = x.mean()
    V = torch.linalg.svd(x - m, full_matrices=False)[2][:k].T
    return m + (x - m) @ V @ V.T


@wrong("first-k-left-out")
def _(x, k):
    m = x.mean(0)
    Vh = torch.linalg.svd(x - m, full_matrices=False).Vh
    V = Vh[k:]
    return m + (x - m) @ V.T @ V


@wrong("mean-of-points")
def _(x, k):
    m = x.mean(1, keepdim=True)
    Vh = torch.linalg.svd(x - m, full_matrices=False).Vh
    V = Vh[:k]
    return m + (x - m) @ V.T @ V


@wrong("only-number-k")
def _(x, k):
    m = x.mean(0)
    Vh = torch.linalg.svd(x - m, full_matrices=False).Vh
    V = Vh[k - 1 : k]
    return m + (x - m) @ V.T @ V


@wrong("directions-not-centred")
def _(x, k):
    m = x.mean(0)
    Vh = torch.linalg.svd(x, full_matrices=False).Vh
    V = Vh[:k]
    return m + (x - m) @ V.T @ V


@wrong(kind="random", says="it draws random numbers, and nothing is random here")
def _(x, k):
    _, _, V = torch.pca_lowrank(x, q=k)
    return x @ V @ V.T


@wrong(kind="input", says="this is the input x itself: is the result assigned, and")
def _(x, k):
    m = x.mean(0)
    V = torch.linalg.svd(x - m, full_matrices=False).Vh[:k]
    (x - m) @ V.T @ V
    return x


@wrong("mean-alone")
def _(x, k):
    return x.mean(0).expand_as(x)


@wrong("no-singular-values")
def _(x, k):
    m = x.mean(0)
    U, _, Vh = torch.linalg.svd(x - m, full_matrices=False)
    return m + U[:, :k] @ Vh[:k]


@wrong(kind="error", says="it raises RuntimeError")
def _(x, k):
    m = x.mean(0)
    _, vecs = torch.linalg.eig((x - m).T @ (x - m))
    V = vecs[:, :k].T
    return m + (x - m) @ V.T @ V


@wrong("pca-lowrank")
def _(x, k):
    m = x.mean(0)
    _, _, V = torch.pca_lowrank(x, q=k)
    return m + (x - m) @ V @ V.T


@wrong("rows-of-eigh")
def _(x, k):
    m = x.mean(0)
    _, v = torch.linalg.eigh(torch.cov(x.T))
    V = v[-k:]
    return m + (x - m) @ V.T @ V


@wrong("no-singular-values")
def _(x, k):
    m = x.mean(0)
    _, S, Vh = torch.linalg.svd(x - m, full_matrices=False)
    return m + (x - m) @ Vh[:k].T @ torch.diag(1 / S[:k]) @ Vh[:k]


@wrong("what-is-lost")
def _(x, k):
    m = x.mean(0)
    V = torch.linalg.svd(x - m, full_matrices=False)[2][:k]
    return (x - m) - (x - m) @ V.T @ V


@wrong("singular-values-squared")
def _(x, k):
    m = x.mean(0)
    U, S, Vh = torch.linalg.svd(x - m, full_matrices=False)
    return m + U[:, :k] @ torch.diag(S[:k] ** 2) @ Vh[:k]


@wrong(kind="random", says="it draws random numbers, and nothing is random here")
def _(x, k):
    m = x.mean(0)
    V = torch.pca_lowrank(x - m, q=min(6, *x.shape), center=False)[2][:, :k]
    return m + (x - m) @ V @ V.T


@wrong(kind="edge", says="nine dimensions")
def _(x, k):
    m = x.mean(0)
    V = torch.linalg.svd((x - m)[:, :6], full_matrices=False).Vh[:k]
    return torch.cat([m[:6] + (x - m)[:, :6] @ V.T @ V, x[:, 6:]], 1)
