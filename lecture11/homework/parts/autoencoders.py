"""Homework 1: auto-encoders, principal components, denoising (F1-F5)."""

from typing import Any

import torch
from torch import Tensor

from lecture11.homework.observation import Case, Given
from lecture11.homework.part import Draw, Mistake, Part, case, in_float32
from lecture11.homework.variation import variation

# --- reconstruction-error


def _error(x: Tensor, x_tilde: Tensor) -> Tensor:
    return ((x - x_tilde) ** 2).flatten(1).sum(1)


def _error_cases(d: Draw) -> list[Case]:
    def one(name: str, b: int, *dims: int) -> Case:
        return case(name, b, grad=("x_tilde",), x=d.normal(b, *dims), x_tilde=d.normal(b, *dims))

    side = d.size(2, 4)
    tiny: dict[str, Any] = {
        "x": torch.tensor([[1.0, 2.0]], dtype=torch.float64),
        "x_tilde": torch.tensor([[0.5, 4.0]], dtype=torch.float64),
    }
    return [
        case("one point in the plane", 1, **tiny),
        one("three points in three dimensions", 3, 3),
        one("several points", d.size(4, 6), 2),
        one("two small images", 2, 1, side, side + 1),
        in_float32(one("single precision", 3, 2)),
    ]


RECONSTRUCTION_ERROR = Part(
    id="reconstruction-error",
    homework=1,
    title="the error of a reconstruction",
    points=1,
    trains="sums against means, and shapes: one number for each example",
    unit="one number for each example",
    make_cases=_error_cases,
    reference=_error,
    mistakes=(
        Mistake(
            "you averaged over the dimensions; the squared length of a vector is a sum",
            lambda x, y: ((x - y) ** 2).flatten(1).mean(1),
        ),
        Mistake("this is the length; its square is asked for", lambda x, y: _error(x, y).sqrt()),
        Mistake("these are absolute values; squares are asked for", lambda x, y: (x - y).abs().flatten(1).sum(1)),
        Mistake("the square is missing: errors of both signs cancel", lambda x, y: (x - y).flatten(1).sum(1)),
        Mistake(
            "the sum is squared; square first, then sum: otherwise errors of both signs cancel",
            lambda x, y: (x - y).flatten(1).sum(1) ** 2,
        ),
        Mistake(
            "the examples are summed as well; return one number for each",
            lambda x, y: ((x - y) ** 2).sum(),
        ),
        Mistake(
            "this is one mean over everything; return one number for each example, summed over its dimensions",
            lambda x, y: ((x - y) ** 2).mean(),
        ),
        Mistake(
            "the examples are averaged as well; return one number for each, the caller takes the mean",
            lambda x, y: _error(x, y).mean(),
        ),
        Mistake("the sum over the dimensions is missing", lambda x, y: (x - y) ** 2),
        Mistake(
            "only the last dimension is summed: an image has three (channel, height, width)",
            lambda x, y: ((x - y) ** 2).sum(-1),
        ),
        Mistake(
            "only dimension 1 is summed: an image has three (channel, height, width)",
            lambda x, y: ((x - y) ** 2).sum(1),
        ),
        Mistake("this sums over the examples; sum over the dimensions", lambda x, y: ((x - y) ** 2).flatten(1).sum(0)),
        Mistake(
            "this is the difference of two squared lengths; asked for is the squared length of the difference",
            lambda x, y: (x**2 - y**2).flatten(1).sum(1),
        ),
    ),
)


# --- pca-reconstruct


def _pca(x: Tensor, k: int) -> Tensor:
    mean = x.mean(0)
    directions = torch.linalg.svd(x - mean, full_matrices=False).Vh[:k]
    return mean + (x - mean) @ directions.T @ directions


def _pca_cases(d: Draw) -> list[Case]:
    def one(n: int, dim: int, k: int) -> Case:
        # Directions of different size and a mean far from zero: nothing is ambiguous.
        x = d.normal(n, dim) * (1 + torch.arange(dim, dtype=torch.float64)) + d.normal(1, dim, scale=3.0)
        return case(f"{n} points in {dim} dimensions, k = {k}", n, x=x, k=k)

    line = torch.tensor([[1.0, 2.0], [2.0, 4.1], [3.0, 5.8]], dtype=torch.float64)
    dim = d.size(4, 6)
    return [
        case("three points in the plane, k = 1", 3, x=line, k=1),
        one(8, 3, 2),
        one(10, dim, 1),
        one(12, dim, dim - 1),
    ]


def _pca_with(*, centre: Any = lambda x: x.mean(0), back: float = 1.0, rows: Any = lambda v, k: v[:k]) -> Any:
    def pca(x: Tensor, k: int) -> Tensor:
        mean = centre(x)
        directions = rows(torch.linalg.svd(x - mean, full_matrices=False).Vh, k)
        return back * mean + (x - mean) @ directions.T @ directions

    return pca


PCA_RECONSTRUCT = Part(
    id="pca-reconstruct",
    homework=1,
    title="the best linear auto-encoder",
    points=3,
    trains="principal components: centred, the largest first, and back",
    unit="of the shape of x",
    make_cases=_pca_cases,
    reference=_pca,
    mistakes=(
        Mistake(
            "the data are not centred: the first direction then points at their mean",
            _pca_with(centre=lambda x: torch.zeros_like(x[0])),
        ),
        Mistake("the mean is not added at the end: the result lies around zero", _pca_with(back=0.0)),
        Mistake(
            "these are the directions of least variance. eigh sorts its eigenvalues upwards, svd its singular values "
            "downwards",
            _pca_with(rows=lambda v, k: v[-k:]),
        ),
        Mistake(
            "there is one direction too many: k of them are asked for",
            _pca_with(rows=lambda v, k: v[: k + 1]),
        ),
        Mistake(
            "the directions are those of the centred data, but the data that are projected are not centred",
            lambda x, k: x @ (v := torch.linalg.svd(x - x.mean(0), full_matrices=False).Vh[:k]).T @ v,
        ),
        Mistake(
            "the data that are projected are not centred, and the mean is added on top",
            lambda x, k: x.mean(0) + x @ (v := torch.linalg.svd(x - x.mean(0), full_matrices=False).Vh[:k]).T @ v,
        ),
        Mistake(
            "these are the codes, k numbers for each point; the reconstruction has the shape of x",
            lambda x, k: (x - x.mean(0)) @ torch.linalg.svd(x - x.mean(0), full_matrices=False).Vh[:k].T,
        ),
        Mistake(
            "one mean is taken over all numbers; each coordinate has its own",
            _pca_with(centre=lambda x: x.mean().expand(x.shape[1])),
        ),
        Mistake(
            "the columns of the matrix V^T were taken; its rows are the directions (torch.linalg.svd gives V^T)",
            _pca_with(rows=lambda v, k: v.T[:k]),
        ),
        Mistake(
            "each coordinate is divided by its standard deviation first: these are the components of other data",
            lambda x, k: _pca(x / x.std(0), k) * x.std(0),
        ),
        Mistake(
            "the data that are projected are centred, but the directions are those of data that are not",
            lambda x, k: (m := x.mean(0)) + (x - m) @ (v := torch.linalg.svd(x, full_matrices=False).Vh[:k]).T @ v,
        ),
        Mistake("the first k directions are left out, and the others kept", _pca_with(rows=lambda v, k: v[k:])),
        Mistake("only direction number k is kept; the first k of them are", _pca_with(rows=lambda v, k: v[k - 1 : k])),
        Mistake(
            "the mean is taken along each point; the mean point is the mean over the points, dimension 0",
            _pca_with(centre=lambda x: x.mean(1, keepdim=True)),
        ),
        Mistake(
            "the singular values are left away: the centred data are U S V^T",
            lambda x, k: x.mean(0) + (f := torch.linalg.svd(x - x.mean(0), full_matrices=False)).U[:, :k] @ f.Vh[:k],
        ),
        Mistake("this is the mean for each point: nothing is projected yet", lambda x, k: x.mean(0).expand_as(x)),
        Mistake(
            "torch.pca_lowrank approximates, with random numbers: take torch.linalg.svd",
            lambda x, k: (m := x.mean(0)) + (x - m) @ (v := torch.pca_lowrank(x, q=k)[2]) @ v.T,
        ),
        Mistake(
            "rows of the eigenvectors were taken; of eigh, the columns are the directions, and the last the largest",
            lambda x, k: (m := x.mean(0)) + (x - m) @ (v := torch.linalg.eigh(torch.cov(x.T))[1][-k:]).T @ v,
        ),
        Mistake("this is what is lost; the reconstruction is what is kept", lambda x, k: x - _pca(x, k)),
        Mistake(
            "the singular values are squared: the centred data are U S V^T",
            lambda x, k: (
                x.mean(0)
                + (f := torch.linalg.svd(x - x.mean(0), full_matrices=False)).U[:, :k] * f.S[:k] ** 2 @ f.Vh[:k]
            ),
        ),
    ),
)


# --- error-curve


def _curve(x: Tensor) -> Tensor:
    variances = torch.linalg.eigvalsh((x - x.mean(0)).T @ (x - x.mean(0)) / len(x)).flip(0)
    return variances.sum() - variances.cumsum(0)


def _curve_cases(d: Draw) -> list[Case]:
    def one(n: int, dim: int) -> Case:
        x = d.normal(n, dim) * (1 + torch.arange(dim, dtype=torch.float64)) + d.normal(1, dim, scale=3.0)
        return case(f"{n} points in {dim} dimensions", n, x=x)

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


ERROR_CURVE = Part(
    id="error-curve",
    homework=1,
    title="how many dimensions do your digits need?",
    points=3,
    trains="what the eigenvalues mean, and reading a curve",
    unit="mean of ||x - x~||^2 for k = 1, ..., d",
    make_cases=_curve_cases,
    reference=_curve,
    mistakes=(
        Mistake(
            "this is the variance that is kept; the error is what is lost",
            lambda x: _variances(x).cumsum(0),
        ),
        Mistake(
            "these are the variances of the single directions; the error with k of them is the sum of all that follow",
            lambda x: _variances(x),
        ),
        Mistake(
            "the curve begins at k = 0; it is to begin at k = 1",
            lambda x: torch.cat([_variances(x).sum()[None], _curve(x)[:-1]]),
        ),
        Mistake(
            "the curve has k = 0 in front; it is to begin at k = 1",
            lambda x: torch.cat([_variances(x).sum()[None], _curve(x)]),
        ),
        Mistake(
            "the variances have denominator n - 1; the mean over the n examples has n",
            lambda x: _curve(x) * len(x) / (len(x) - 1),
        ),
        Mistake("this is the sum over all examples; take their mean", lambda x: _curve(x) * len(x)),
        Mistake(
            "this is a fraction of the whole variance; the error itself is asked for",
            lambda x: _curve(x) / _variances(x).sum(),
        ),
        Mistake(
            "the error is averaged over the coordinates too; ||.||^2 is a sum over them",
            lambda x: _curve(x) / x.shape[1],
        ),
        Mistake(
            "the directions with the least variance are kept first: eigh sorts upwards",
            lambda x: _variances(x).sum() - _variances(x).flip(0).cumsum(0),
        ),
        Mistake(
            "singular values are summed; the variances are their squares, divided by n",
            lambda x: (s := torch.linalg.svdvals(x - x.mean(0))).sum() - s.cumsum(0),
        ),
        Mistake(
            "the data are not centred",
            lambda x: (v := torch.linalg.eigvalsh(x.T @ x / len(x)).flip(0)).sum() - v.cumsum(0),
        ),
        Mistake(
            "the curve is the wrong way round: its first number belongs to k = 1",
            lambda x: _curve(x).flip(0),
        ),
        Mistake(
            "these are n numbers: the covariance of the points with one another. For torch.cov, the variables are rows",
            lambda x: (v := torch.linalg.eigvalsh(torch.cov(x)).flip(0)).sum() - v.cumsum(0),
        ),
        Mistake(
            "these are n numbers (of a matrix of the points, or a loop over them); the curve has d of them",
            lambda x: (v := torch.linalg.eigvalsh((a := x - x.mean(0)) @ a.T / len(x)).flip(0)).sum() - v.cumsum(0),
        ),
        Mistake("the curve ends at k = d - 1: range stops before its end", lambda x: _curve(x)[:-1]),
        Mistake(
            "the mean over the examples is missing: this has a row for each k",
            lambda x: (_lost(x) ** 2).sum(2).T,
        ),
        Mistake(
            "these are mean lengths; the mean of their squares is asked for",
            lambda x: _lost(x).norm(dim=2).mean(0),
        ),
        Mistake(
            "the eigenvalues are in no order: eigvals does not sort, eigvalsh does",
            lambda x: (v := torch.linalg.eigvals((a := x - x.mean(0)).T @ a / len(x)).real).sum() - v.cumsum(0),
        ),
        Mistake(
            "the mean is taken along each point; the mean point is the mean over the points, dimension 0",
            lambda x: (
                (v := torch.linalg.eigvalsh((a := x - x.mean(1, keepdim=True)).T @ a / len(x)).flip(0)).sum()
                - v.cumsum(0)
            ),
        ),
        Mistake(
            "64 numbers, whatever x is: the number of coordinates is x.shape[1]",
            lambda x: torch.cat([_curve(x), x.new_zeros(64 - x.shape[1])]),
        ),
        Mistake(
            "the curve runs backwards, from k = d - 1 down to k = 0; it is to run from k = 1 to d",
            lambda x: _variances(x).flip(0).cumsum(0),
        ),
        Mistake(
            "standard deviations are summed; variances add",
            lambda x: (s := torch.linalg.svdvals(x - x.mean(0)) / len(x) ** 0.5).sum() - s.cumsum(0),
        ),
        Mistake(
            "the variances are divided by d, the number of coordinates; their mean is over the n examples",
            lambda x: _curve(x) * len(x) / x.shape[1],
        ),
        Mistake(
            "these are absolute values; squares are asked for",
            lambda x: _lost(x).abs().sum(2).mean(0),
        ),
    ),
)


# --- denoising-loss


def _denoising(model: Any, x: Tensor, noise_std: Tensor, eps: Tensor) -> Tensor:
    return _error(x, model(x + _wide(noise_std, x) * eps))


def _wide(s: Tensor, x: Tensor) -> Tensor:
    return s.to(x.dtype).view(-1, *[1] * (x.ndim - 1))


def _denoising_cases(d: Draw) -> list[Case]:
    def one(name: str, b: int, *dims: int) -> Case:
        args: dict[str, Any] = {
            "model": Given("denoiser", {"seed": d.size(0, 1000), "ndim": 1 + len(dims)}),
            "x": d.normal(b, *dims),
            "noise_std": d.uniform(0.2, 0.9, b),
            "eps": d.normal(b, *dims),
        }
        return case(name, b, grad=("model",), **args)

    side = d.size(2, 3)
    return [
        one("one number", 1, 1),
        one("three points in three dimensions", 3, 3),
        one("four points in the plane", 4, 2),
        one("two small images", 2, 1, side, side),
        in_float32(one("single precision", 3, 2)),
    ]


def _denoising_with(*, noisy: Any = None, target: Any = lambda x, y, eps: x) -> Any:
    def loss(model: Any, x: Tensor, s: Tensor, eps: Tensor) -> Tensor:
        y = x + _wide(s, x) * eps if noisy is None else noisy(x, s, eps)
        return _error(target(x, y, eps), model(y))

    return loss


DENOISING_LOSS = Part(
    id="denoising-loss",
    homework=1,
    title="the loss of a denoising auto-encoder",
    points=2,
    trains="what goes in and what should come out; one noise level for each example",
    unit="one number for each example",
    make_cases=_denoising_cases,
    reference=_denoising,
    mistakes=(
        Mistake(
            "the output is compared with the noisy input; the clean example is what should come out",
            _denoising_with(target=lambda x, y, eps: y),
        ),
        Mistake(
            "the output is compared with the noise, as in a diffusion model; here the clean example should come out",
            _denoising_with(target=lambda x, y, eps: eps),
        ),
        Mistake("the model is shown the clean example", _denoising_with(noisy=lambda x, s, eps: x)),
        Mistake(
            "the noise is not multiplied with noise_std",
            _denoising_with(noisy=lambda x, s, eps: x + eps),
        ),
        Mistake(
            "noise_std is taken for a variance: it is a standard deviation, no root is needed",
            _denoising_with(noisy=lambda x, s, eps: x + _wide(s, x).sqrt() * eps),
        ),
        Mistake(
            "the noise is multiplied with the variance noise_std^2; its standard deviation is given",
            _denoising_with(noisy=lambda x, s, eps: x + _wide(s, x) ** 2 * eps),
        ),
        Mistake(
            "noise_std has one number for each example, and you multiplied along the last dimension. Give it as many "
            "dimensions as x has",
            _denoising_with(noisy=lambda x, s, eps: x + s.to(x) * eps),
        ),
        Mistake(
            "you averaged over the dimensions; the squared length is a sum",
            lambda m, x, s, eps: ((x - m(x + _wide(s, x) * eps)) ** 2).flatten(1).mean(1),
        ),
        Mistake(
            "the examples are averaged as well; return one number for each, the caller takes the mean",
            lambda m, x, s, eps: _denoising(m, x, s, eps).mean(),
        ),
        Mistake(
            "this is one mean over everything; return one number for each example, summed over its dimensions",
            lambda m, x, s, eps: ((x - m(x + _wide(s, x) * eps)) ** 2).mean(),
        ),
        Mistake("this is the length; its square is asked for", lambda m, x, s, eps: _denoising(m, x, s, eps).sqrt()),
        Mistake("the noise is subtracted; it is added", _denoising_with(noisy=lambda x, s, eps: x - _wide(s, x) * eps)),
        Mistake(
            "the noise is added to what comes out of the model; it is added to what goes in",
            lambda m, x, s, eps: _error(x, m(x) + _wide(s, x) * eps),
        ),
        Mistake(
            "all examples get the noise level of the first; each has its own",
            _denoising_with(noisy=lambda x, s, eps: x + s[0].to(x) * eps),
        ),
        Mistake(
            "all examples get the mean noise level; each has its own",
            _denoising_with(noisy=lambda x, s, eps: x + s.mean().to(x) * eps),
        ),
        Mistake(
            "the error is divided by the variance of the noise; the squared length alone is asked for",
            lambda m, x, s, eps: _denoising(m, x, s, eps) / s.to(x) ** 2,
        ),
        Mistake(
            "x is made smaller before the noise is added, as in a diffusion model; here it stays as it is",
            _denoising_with(noisy=lambda x, s, eps: (1 - _wide(s, x) ** 2).sqrt() * x + _wide(s, x) * eps),
        ),
        Mistake(
            "the noisy example is cut to [0, 1]; the formula does not do this",
            _denoising_with(noisy=lambda x, s, eps: (x + _wide(s, x) * eps).clamp(0, 1)),
        ),
        Mistake(
            "the model is shown rows; it takes y of the shape of x",
            lambda m, x, s, eps: _error(x, m((x + _wide(s, x) * eps).flatten(1)).view_as(x)),
        ),
        Mistake(
            "x is multiplied with noise_std too; only the noise is",
            _denoising_with(noisy=lambda x, s, eps: _wide(s, x) * (x + eps)),
        ),
        Mistake(
            "the output is compared with the scaled noise; here the clean example should come out",
            lambda m, x, s, eps: _error(_wide(s, x) * eps, m(x + _wide(s, x) * eps)),
        ),
        Mistake(
            "the model is shown the clean example, and compared with the noisy one: they have changed places",
            lambda m, x, s, eps: _error(x + _wide(s, x) * eps, m(x)),
        ),
    ),
)


# --- best-denoiser


def _best(y: Tensor, mean: Tensor, var: float, noise_std: float) -> Tensor:
    return mean + var / (var + noise_std**2) * (y - mean)


def _best_cases(d: Draw) -> list[Case]:
    def one(name: str, b: int, dim: int) -> Case:
        var, std = float(d.uniform(0.3, 2.0)), float(d.uniform(0.2, 0.9))
        return case(name, b, y=d.normal(b, dim), mean=d.normal(dim), var=var, noise_std=std)

    y, mean = torch.tensor([[2.0]], dtype=torch.float64), torch.tensor([1.0], dtype=torch.float64)
    return [
        case("one number", 1, y=y, mean=mean, var=1.5, noise_std=0.5),
        one("three points in three dimensions", 3, 3),
        one("several points", d.size(4, 6), 2),
        in_float32(one("single precision", 2, 2)),
    ]


BEST_DENOISER = Part(
    id="best-denoiser",
    homework=1,
    title="the best denoiser of a Gaussian",
    points=3,
    trains="Tweedie's formula, on a law whose score you can write down",
    unit="of the shape of y",
    make_cases=_best_cases,
    reference=_best,
    mistakes=(
        Mistake(
            "noise_std is used where its square belongs: variances add, not standard deviations",
            lambda y, m, v, s: m + v / (v + s) * (y - m),
        ),
        Mistake(
            "var is taken for a standard deviation and squared; it is a variance already",
            lambda y, m, v, s: _best(y, m, v**2, s),
        ),
        Mistake(
            "the two variances have changed places: with little noise the result must be close to y",
            lambda y, m, v, s: m + s**2 / (v + s**2) * (y - m),
        ),
        Mistake(
            "the score has the wrong sign: the step leads away from the mean",
            lambda y, m, v, s: y + s**2 * (y - m) / (v + s**2),
        ),
        Mistake(
            "the score is that of the clean data, with variance var; the one of the noisy data is needed",
            lambda y, m, v, s: y - s**2 * (y - m) / v,
        ),
        Mistake(
            "the score is multiplied with noise_std; the formula has its square",
            lambda y, m, v, s: y - s * (y - m) / (v + s**2),
        ),
        Mistake(
            "the step is not scaled: the score is multiplied with noise_std^2",
            lambda y, m, v, s: y - (y - m) / (v + s**2),
        ),
        Mistake("the mean is forgotten: the data do not lie around zero", lambda y, m, v, s: v / (v + s**2) * y),
        Mistake(
            "the mean is not added again at the end",
            lambda y, m, v, s: v / (v + s**2) * (y - m),
        ),
        Mistake(
            "the mean is added, but not subtracted from y first",
            lambda y, m, v, s: m + v / (v + s**2) * y,
        ),
        Mistake(
            "this is the score of the noisy data; the denoiser is y + noise_std^2 times it",
            lambda y, m, v, s: -(y - m) / (v + s**2),
        ),
        Mistake(
            "the noisy data are given the variance of the noise alone; the data have one too, and they add",
            lambda y, m, v, s: m.expand_as(y).clone(),
        ),
        Mistake(
            "noise_std is not squared in the variance of y: variances add, not standard deviations",
            lambda y, m, v, s: y - s**2 * (y - m) / (v + s),
        ),
        Mistake(
            "standard deviations are added; variances add",
            lambda y, m, v, s: y - s**2 * (y - m) / (v**0.5 + s) ** 2,
        ),
        Mistake(
            "the score is divided by the standard deviation of y; its variance belongs there",
            lambda y, m, v, s: y - s**2 * (y - m) / (v + s**2) ** 0.5,
        ),
        Mistake(
            "the variance of y is taken for its standard deviation: torch's Normal takes standard deviations",
            lambda y, m, v, s: y - s**2 * (y - m) / (v + s**2) ** 2,
        ),
        Mistake(
            "the step is half as long: the 1/2 of the exponent goes away when the square is differentiated",
            lambda y, m, v, s: y - 0.5 * s**2 * (y - m) / (v + s**2),
        ),
        Mistake(
            "the step is twice as long: the 1/2 in the exponent is forgotten",
            lambda y, m, v, s: y - 2 * s**2 * (y - m) / (v + s**2),
        ),
        Mistake("this is the step alone: y is not added", lambda y, m, v, s: -(s**2) * (y - m) / (v + s**2)),
        Mistake(
            "the mean of the batch stands where the mean of the data belongs, which is given",
            lambda y, m, v, s: y - s**2 * (y - y.mean(0)) / (v + s**2),
        ),
        Mistake(
            "this is the exponent of the density; its gradient is the score",
            lambda y, m, v, s: -((y - m) ** 2).sum(1) / (2 * (v + s**2)),
        ),
        Mistake(
            "this is the variance that is left; the mean is asked for",
            lambda y, m, v, s: torch.full_like(y, v * s**2 / (v + s**2)),
        ),
        Mistake("the mean is added to y; the score has y - mean", lambda y, m, v, s: y - s**2 * (y + m) / (v + s**2)),
        Mistake(
            "the variances are subtracted; those of independent variables add",
            lambda y, m, v, s: y - s**2 * (y - m) / (v - s**2),
        ),
        Mistake(
            "the coordinates are summed; each has a score of its own",
            lambda y, m, v, s: y - s**2 * (y - m).sum(1, keepdim=True) / (v + s**2),
        ),
    ),
)


PARTS = (RECONSTRUCTION_ERROR, PCA_RECONSTRUCT, ERROR_CURVE, DENOISING_LOSS, BEST_DENOISER)
