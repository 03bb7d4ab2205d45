"""Homework 1, part 3: how many dimensions do your digits need?"""

import torch
from torch import Tensor

from lecture11.homework.cases import spread
from lecture11.homework.observation import Case
from lecture11.homework.part import Draw, Mistake, Part, case, in_float32
from lecture11.homework.variation import variation


def error_curve(x: Tensor) -> Tensor:
    variances = torch.linalg.eigvalsh((x - x.mean(0)).T @ (x - x.mean(0)) / len(x)).flip(0)
    return variances.sum() - variances.cumsum(0)


def _curve_cases(d: Draw) -> list[Case]:
    def one(n: int, dim: int) -> Case:
        return case(f"{n} points in {dim} dimensions", n, x=spread(d, n, dim))

    square = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.5], [0.0, -0.5]], dtype=torch.float64)
    return [
        case("four points in the plane", 4, x=square),
        one(9, 3),
        one(12, d.size(4, 6)),
        case("your digits", len(variation(d.seed).digits), x=variation(d.seed).digits),
    ]


def _variances(x: Tensor) -> Tensor:
    return torch.linalg.eigvalsh((x - x.mean(0)).T @ (x - x.mean(0)) / len(x)).flip(0)


def _lost(x: Tensor) -> Tensor:
    """x - x~ for k = 1, ..., d, shape (n, k, d)."""
    U, S, Vh = torch.linalg.svd(x - x.mean(0), full_matrices=False)
    return (x - x.mean(0))[:, None] - ((U * S)[:, :, None] * Vh).cumsum(1)


def _edges(d: Draw) -> list[Case]:
    return [
        case("fewer points than dimensions: the curve has d numbers all the same", 5, x=spread(d, 5, 7)),
        in_float32(case("single precision", 9, x=d.normal(9, 4))),
    ]


MISTAKES = (
    Mistake("kept", "this is the variance that is kept; the error is what is lost", lambda x: _variances(x).cumsum(0)),
    Mistake("single-variances", "these are the variances of the single directions; the error with k of them is the sum "
            "of all that follow", lambda x: _variances(x)),
    Mistake("begins-at-0", "the curve begins at k = 0; it is to begin at k = 1",
            lambda x: torch.cat([_variances(x).sum()[None], error_curve(x)[:-1]])),
    Mistake("zero-in-front", "the curve has k = 0 in front; it is to begin at k = 1",
            lambda x: torch.cat([_variances(x).sum()[None], error_curve(x)])),
    Mistake("n-minus-1", "the variances have denominator n - 1; the mean over the n examples has n",
            lambda x: error_curve(x) * len(x) / (len(x) - 1)),
    Mistake("examples-summed", "this is the sum over all examples; take their mean", lambda x: error_curve(x) * len(x)),
    Mistake("fraction", "this is a fraction of the whole variance; the error itself is asked for",
            lambda x: error_curve(x) / _variances(x).sum()),
    Mistake("coordinates-averaged", "the error is averaged over the coordinates too; ||.||^2 is a sum over them",
            lambda x: error_curve(x) / x.shape[1]),
    Mistake("least-first", "the directions with the least variance are kept first: eigh sorts upwards",
            lambda x: _variances(x).sum() - _variances(x).flip(0).cumsum(0)),
    Mistake("singular-values", "singular values are summed; the variances are their squares, divided by n",
            lambda x: (s := torch.linalg.svdvals(x - x.mean(0))).sum() - s.cumsum(0)),
    Mistake("not-centred", "the data are not centred",
            lambda x: (v := torch.linalg.eigvalsh(x.T @ x / len(x)).flip(0)).sum() - v.cumsum(0)),
    Mistake("reversed", "the curve is the wrong way round: its first number belongs to k = 1",
            lambda x: error_curve(x).flip(0)),
    Mistake("cov-of-points", "these are n numbers: the covariance of the points with one another. For torch.cov, the "
            "variables are rows", lambda x: (v := torch.linalg.eigvalsh(torch.cov(x)).flip(0)).sum() - v.cumsum(0)),
    Mistake("n-numbers", "these are n numbers (of a matrix of the points, or a loop over them); the curve has d of "
            "them",
            lambda x: (v := torch.linalg.eigvalsh((a := x - x.mean(0)) @ a.T / len(x)).flip(0)).sum() - v.cumsum(0)),
    Mistake("ends-early", "the curve ends at k = d - 1: range stops before its end", lambda x: error_curve(x)[:-1]),
    Mistake("examples-kept", "the mean over the examples is missing: this has a row for each k",
            lambda x: (_lost(x) ** 2).sum(2).T),
    Mistake("lengths", "these are mean lengths; the mean of their squares is asked for",
            lambda x: _lost(x).norm(dim=2).mean(0)),
    Mistake("eigvals-unsorted", "the eigenvalues are in no order: eigvals does not sort, eigvalsh does",
            lambda x: (v := torch.linalg.eigvals((a := x - x.mean(0)).T @ a / len(x)).real).sum() - v.cumsum(0)),
    Mistake("mean-of-points", "the mean is taken along each point; the mean point is the mean over the points, "
            "dimension 0",
            lambda x: (
                (v := torch.linalg.eigvalsh((a := x - x.mean(1, keepdim=True)).T @ a / len(x)).flip(0)).sum()
                - v.cumsum(0)
            )),
    Mistake("sixty-four", "64 numbers, whatever x is: the number of coordinates is x.shape[1]",
            lambda x: torch.cat([error_curve(x), x.new_zeros(64 - x.shape[1])])),
    Mistake("backwards", "the curve runs backwards, from k = d - 1 down to k = 0; it is to run from k = 1 to d",
            lambda x: _variances(x).flip(0).cumsum(0)),
    Mistake("standard-deviations", "standard deviations are summed; variances add",
            lambda x: (s := torch.linalg.svdvals(x - x.mean(0)) / len(x) ** 0.5).sum() - s.cumsum(0)),
    Mistake("divided-by-d", "the variances are divided by d, the number of coordinates; their mean is over the n "
            "examples", lambda x: error_curve(x) * len(x) / x.shape[1]),
    Mistake("absolute", "these are absolute values; squares are asked for", lambda x: _lost(x).abs().sum(2).mean(0)),
)  # fmt: skip

PART = Part(
    id="error-curve",
    homework=1,
    title="how many dimensions do your digits need?",
    points=3,
    trains="what the eigenvalues mean, and reading a curve",
    unit="mean of ||x - x~||^2 for k = 1, ..., d",
    make_cases=_curve_cases,
    make_edges=_edges,
    reference=error_curve,
    mistakes=MISTAKES,
)
