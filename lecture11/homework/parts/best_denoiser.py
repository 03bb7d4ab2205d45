"""Homework 1, part 5: the best denoiser of a Gaussian."""

from typing import Any

import torch
from torch import Tensor

from lecture11.homework.observation import Case
from lecture11.homework.part import Draw, Mistake, Part, case, in_float32


def best_denoiser(y: Tensor, mean: Tensor, var: float, noise_std: float) -> Tensor:
    return mean + var / (var + noise_std**2) * (y - mean)


def _one(d: Draw, name: str, b: int, dim: int) -> Case:
    var, std = float(d.uniform(0.3, 2.0)), float(d.uniform(0.2, 0.9))
    return case(name, b, y=d.normal(b, dim), mean=d.normal(dim), var=var, noise_std=std)


def _best_cases(d: Draw) -> list[Case]:
    y, mean = torch.tensor([[2.0]], dtype=torch.float64), torch.tensor([0.8], dtype=torch.float64)
    return [
        case("one number", 1, y=y, mean=mean, var=1.5, noise_std=0.6),
        _one(d, "three points in three dimensions", 3, 3),
        _one(d, "several points", d.size(4, 6), 2),
        in_float32(_one(d, "single precision", 2, 2)),
    ]


def _quantities(args: dict[str, Any]) -> dict[str, Tensor]:
    n, var, std = len(args["y"]), args["var"], args["noise_std"]
    values = {"var": var, "noise_std": std, "var + noise_std^2": var + std**2, "var + noise_std": var + std}
    return {name: torch.full((n,), number, dtype=torch.float64) for name, number in values.items()}


def _edges(d: Draw) -> list[Case]:
    return [_one(d, "nine dimensions", 2, 9)]


MISTAKES = (
    Mistake("std-in-shrinkage", "noise_std is used where its square belongs: variances add, not standard deviations",
            lambda y, m, v, s: m + v / (v + s) * (y - m)),
    Mistake("var-squared", "var is taken for a standard deviation and squared; it is a variance already",
            lambda y, m, v, s: best_denoiser(y, m, v**2, s)),
    Mistake("variances-swapped", "the two variances have changed places: with little noise the result must be close to "
            "y", lambda y, m, v, s: m + s**2 / (v + s**2) * (y - m)),
    Mistake("score-sign", "the score has the wrong sign: the step leads away from the mean",
            lambda y, m, v, s: y + s**2 * (y - m) / (v + s**2)),
    Mistake("clean-score", "the score is that of the clean data, with variance var; the one of the noisy data is "
            "needed", lambda y, m, v, s: y - s**2 * (y - m) / v),
    Mistake("mean-for-y", "the step begins at mean; it begins at y",
            lambda y, m, v, s: m - s**2 * (y - m) / (v + s**2)),
    Mistake("score-times-std", "the score is multiplied with noise_std; the formula has its square",
            lambda y, m, v, s: y - s * (y - m) / (v + s**2)),
    Mistake("unscaled-step", "the step is not scaled: the score is multiplied with noise_std^2",
            lambda y, m, v, s: y - (y - m) / (v + s**2)),
    Mistake("mean-forgotten", "the mean is forgotten: the data do not lie around zero",
            lambda y, m, v, s: v / (v + s**2) * y),
    Mistake("mean-not-added", "the mean is not added again at the end", lambda y, m, v, s: v / (v + s**2) * (y - m)),
    Mistake("mean-not-subtracted", "the mean is added, but not subtracted from y first",
            lambda y, m, v, s: m + v / (v + s**2) * y),
    Mistake("score-alone", "this is the score of the noisy data; the denoiser is y + noise_std^2 times it",
            lambda y, m, v, s: -(y - m) / (v + s**2)),
    Mistake("noise-variance-alone", "the noisy data are given the variance of the noise alone; the data have one too, "
            "and they add", lambda y, m, v, s: m.expand_as(y).clone()),
    Mistake("std-in-score", "noise_std is not squared in the variance of y: variances add, not standard deviations",
            lambda y, m, v, s: y - s**2 * (y - m) / (v + s)),
    Mistake("std-added", "standard deviations are added; variances add",
            lambda y, m, v, s: y - s**2 * (y - m) / (v**0.5 + s) ** 2),
    Mistake("divided-by-std", "the score is divided by the standard deviation of y; its variance belongs there",
            lambda y, m, v, s: y - s**2 * (y - m) / (v + s**2) ** 0.5),
    Mistake("variance-as-std", "the variance of y is taken for its standard deviation: torch's Normal takes standard "
            "deviations", lambda y, m, v, s: y - s**2 * (y - m) / (v + s**2) ** 2),
    Mistake("half-step", "the step is half as long: the 1/2 of the exponent goes away when the square is "
            "differentiated", lambda y, m, v, s: y - 0.5 * s**2 * (y - m) / (v + s**2)),
    Mistake("double-step", "the step is twice as long: the 1/2 in the exponent is forgotten",
            lambda y, m, v, s: y - 2 * s**2 * (y - m) / (v + s**2)),
    Mistake("step-alone", "this is the step alone: y is not added", lambda y, m, v, s: -(s**2) * (y - m) / (v + s**2)),
    Mistake("batch-mean", "the mean of the batch stands where the mean of the data belongs, which is given",
            lambda y, m, v, s: y - s**2 * (y - y.mean(0)) / (v + s**2)),
    Mistake("exponent", "this is the exponent of the density; its gradient is the score",
            lambda y, m, v, s: -((y - m) ** 2).sum(1) / (2 * (v + s**2))),
    Mistake("remaining-variance", "this is the variance that is left; the mean is asked for",
            lambda y, m, v, s: torch.full_like(y, v * s**2 / (v + s**2))),
    Mistake("mean-added-to-y", "the mean is added to y; the score has y - mean",
            lambda y, m, v, s: y - s**2 * (y + m) / (v + s**2)),
    Mistake("variances-subtracted", "the variances are subtracted; those of independent variables add",
            lambda y, m, v, s: y - s**2 * (y - m) / (v - s**2)),
    Mistake("direction-alone", "y - mean is divided by its own length: the score grows with the distance from the mean",
            lambda y, m, v, s: y - s**2 * (y - m) / ((y - m).norm(dim=1, keepdim=True) * (v + s**2))),
    Mistake("coordinates-summed", "the coordinates are summed; each has a score of its own",
            lambda y, m, v, s: y - s**2 * (y - m).sum(1, keepdim=True) / (v + s**2)),
)  # fmt: skip

PART = Part(
    id="best-denoiser",
    homework=1,
    title="the best denoiser of a Gaussian",
    points=3,
    trains="Tweedie's formula, on a density whose score you can write down",
    unit="of the shape of y",
    make_cases=_best_cases,
    make_edges=_edges,
    quantities=_quantities,
    linear_in=("y", "mean"),
    reference=best_denoiser,
    mistakes=MISTAKES,
)
