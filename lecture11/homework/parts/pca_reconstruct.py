"""Homework 1, part 2: the best linear auto-encoder."""

from typing import Any

import torch
from torch import Tensor

from lecture11.homework.cases import spread
from lecture11.homework.observation import Case
from lecture11.homework.part import Draw, Mistake, Part, case, in_float32


def pca_reconstruct(x: Tensor, k: int) -> Tensor:
    mean = x.mean(0)
    directions = torch.linalg.svd(x - mean, full_matrices=False).Vh[:k]
    return mean + (x - mean) @ directions.T @ directions


def _one(d: Draw, n: int, dim: int, k: int, name: str = "") -> Case:
    return case(name or f"{n} points in {dim} dimensions, k = {k}", n, x=spread(d, n, dim), k=k)


def _pca_cases(d: Draw) -> list[Case]:
    line = torch.tensor([[1.0, 2.0], [2.0, 4.1], [3.0, 5.8]], dtype=torch.float64)
    dim = d.size(4, 6)
    return [
        case("three points in the plane, k = 1", 3, x=line, k=1),
        _one(d, 8, 3, 2),
        _one(d, 10, dim, 1),
        _one(d, 12, dim, dim - 1),
    ]


def _pca_with(*, centre: Any = lambda x: x.mean(0), back: float = 1.0, rows: Any = lambda v, k: v[:k]) -> Any:
    def pca(x: Tensor, k: int) -> Tensor:
        mean = centre(x)
        directions = rows(torch.linalg.svd(x - mean, full_matrices=False).Vh, k)
        return back * mean + (x - mean) @ directions.T @ directions

    return pca


def _edges(d: Draw) -> list[Case]:
    return [
        _one(d, 14, 9, 3, "nine dimensions"),
        _one(d, 4, 7, 2, "fewer points than dimensions"),
        in_float32(_one(d, 8, 3, 2, "single precision")),
    ]


MISTAKES = (
    Mistake("not-centred", "the data are not centred: the first direction then points at their mean",
            _pca_with(centre=lambda x: torch.zeros_like(x[0]))),
    Mistake("mean-not-added", "the mean is not added at the end: the result lies around zero", _pca_with(back=0.0)),
    Mistake("least-variance", "these are the directions of least variance. eigh sorts its eigenvalues upwards, svd its "
            "singular values downwards", _pca_with(rows=lambda v, k: v[-k:])),
    Mistake("one-more", "there is one direction too many: k of them are asked for",
            _pca_with(rows=lambda v, k: v[: k + 1])),
    Mistake("projected-not-centred", "the directions are those of the centred data, but the data that are projected "
            "are not centred",
            lambda x, k: x @ (v := torch.linalg.svd(x - x.mean(0), full_matrices=False).Vh[:k]).T @ v),
    Mistake("not-centred-mean-added", "the data that are projected are not centred, and the mean is added on top",
            lambda x, k: x.mean(0) + x @ (v := torch.linalg.svd(x - x.mean(0), full_matrices=False).Vh[:k]).T @ v),
    Mistake("codes", "these are the codes, k numbers for each point; the reconstruction has the shape of x",
            lambda x, k: (x - x.mean(0)) @ torch.linalg.svd(x - x.mean(0), full_matrices=False).Vh[:k].T),
    Mistake("one-mean", "one mean is taken over all numbers; each coordinate has its own",
            _pca_with(centre=lambda x: x.mean().expand(x.shape[1]))),
    Mistake("columns-of-vh", "the columns of the matrix V^T were taken; its rows are the directions (torch.linalg.svd "
            "gives V^T)", _pca_with(rows=lambda v, k: v.T[:k])),
    Mistake("standardised", "each coordinate is divided by its standard deviation first: these are the components of "
            "other data", lambda x, k: pca_reconstruct(x / x.std(0), k) * x.std(0)),
    Mistake("directions-not-centred", "the data that are projected are centred, but the directions are those of data "
            "that are not",
            lambda x, k: (m := x.mean(0)) + (x - m) @ (v := torch.linalg.svd(x, full_matrices=False).Vh[:k]).T @ v),
    Mistake("first-k-left-out", "the first k directions are left out, and the others kept",
            _pca_with(rows=lambda v, k: v[k:])),
    Mistake("only-number-k", "only direction number k is kept; the first k of them are",
            _pca_with(rows=lambda v, k: v[k - 1 : k])),
    Mistake("mean-of-points", "the mean is taken along each point; the mean point is the mean over the points, "
            "dimension 0", _pca_with(centre=lambda x: x.mean(1, keepdim=True))),
    Mistake("no-singular-values", "the singular values are left away: the centred data are U S V^T",
            lambda x, k: x.mean(0) + (f := torch.linalg.svd(x - x.mean(0), full_matrices=False)).U[:, :k] @ f.Vh[:k]),
    Mistake("mean-alone", "this is the mean for each point: nothing is projected yet",
            lambda x, k: x.mean(0).expand_as(x)),
    Mistake("pca-lowrank", "torch.pca_lowrank approximates, with random numbers: take torch.linalg.svd",
            lambda x, k: (m := x.mean(0)) + (x - m) @ (v := torch.pca_lowrank(x, q=k)[2]) @ v.T),
    Mistake("rows-of-eigh", "rows of the eigenvectors were taken; of eigh, the columns are the directions, and the "
            "last the largest",
            lambda x, k: (m := x.mean(0)) + (x - m) @ (v := torch.linalg.eigh(torch.cov(x.T))[1][-k:]).T @ v),
    Mistake("what-is-lost", "this is what is lost; the reconstruction is what is kept",
            lambda x, k: x - pca_reconstruct(x, k)),
    Mistake("singular-values-squared", "the singular values are squared: the centred data are U S V^T",
            lambda x, k: (
                x.mean(0)
                + (f := torch.linalg.svd(x - x.mean(0), full_matrices=False)).U[:, :k] * f.S[:k] ** 2 @ f.Vh[:k]
            )),
)  # fmt: skip

PART = Part(
    id="pca-reconstruct",
    homework=1,
    title="the best linear auto-encoder",
    points=3,
    trains="principal components: centred, the largest first, and back",
    unit="of the shape of x",
    make_cases=_pca_cases,
    make_edges=_edges,
    reference=pca_reconstruct,
    mistakes=MISTAKES,
)
