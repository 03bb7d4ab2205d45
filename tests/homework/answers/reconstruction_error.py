"""Answers to reconstruction-error."""

import torch
import torch.nn.functional as F

from answers.collected import answers_to

right, wrong = answers_to("reconstruction-error")


@right
def _(x, x_tilde):
    return torch.stack([torch.sum((a - b) ** 2) for a, b in zip(x, x_tilde, strict=True)])


@right
def _(x, x_tilde):
    d = (x - x_tilde).reshape(x.shape[0], -1)
    return torch.einsum("bi,bi->b", d, d)


@right
def _(x, x_tilde):
    return F.mse_loss(x_tilde, x, reduction="none").sum(dim=tuple(range(1, x.ndim)))


@wrong("dims-averaged")
def _(x, x_tilde):
    return F.mse_loss(x_tilde, x, reduction="none").mean(dim=list(range(1, x.ndim)))


@wrong("all-averaged")
def _(x, x_tilde):
    return F.mse_loss(x_tilde, x)


@wrong("examples-summed")
def _(x, x_tilde):
    return torch.sum(torch.pow(x - x_tilde, 2))


@wrong("root")
def _(x, x_tilde):
    return torch.linalg.vector_norm((x - x_tilde).flatten(1), dim=1)


@wrong("last-dim-summed")
def _(x, x_tilde):
    return ((x - x_tilde) ** 2).sum(axis=-1)


@wrong(kind="gradient", says="no gradient reaches x_tilde")
def _(x, x_tilde):
    return torch.tensor([float(((a - b) ** 2).sum()) for a, b in zip(x, x_tilde, strict=True)], dtype=x.dtype)


@wrong(kind="none", says="this is None")
def _(x, x_tilde):
    error = (x - x_tilde).square().flatten(1).sum(1)
    print(error)


@wrong(kind="changed", says="it changed its input x,")
def _(x, x_tilde):
    x -= x_tilde
    return (x * x).flatten(1).sum(1)


@wrong(kind="broadcast", says="as if each of the 3 were paired with each other one")
def _(x, x_tilde):
    a, b = (x**2).flatten(1).sum(1), (x_tilde**2).flatten(1).sum(1, keepdim=True)
    cross = 2 * (x * x_tilde).flatten(1).sum(1)
    return a + b - cross


@wrong(kind="type", says="a tensor is expected, got 1 result, as in a list. Leave")
def _(x, x_tilde):
    return [((a - b) ** 2).sum().item() for a, b in zip(x, x_tilde, strict=True)]


@wrong("difference-of-squares")
def _(x, x_tilde):
    return x.flatten(1).square().sum(1) - x_tilde.flatten(1).square().sum(1)


@wrong(kind="shape", says="shape (), where (1,) is expected. A dimension is gone: look")
def _(x, x_tilde):
    return (x[0] - x_tilde[0]).square().sum()


@wrong("examples-summed")
def _(x, x_tilde):
    return torch.dist(x, x_tilde) ** 2


@wrong(kind="precision", says="right to five digits or more, and not to all. Is a part of it")
def _(x, x_tilde):
    return F.pairwise_distance(x.flatten(1), x_tilde.flatten(1)) ** 2


@wrong("examples-averaged")
def _(x, x_tilde):
    return ((x - x_tilde) ** 2).sum() / len(x)
