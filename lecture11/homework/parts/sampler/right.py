"""The right answer, its cases, and the sampler with a place for each mistake."""

from typing import Any

import torch
from torch import Tensor

from lecture11.homework.observation import Case, Given
from lecture11.homework.part import Draw, alpha_bar, case, in_float32, with_places
from lecture11.homework.parts.mu_theta.right import mu_theta
from lecture11.homework.parts.posterior.right import VARIANCE
from lecture11.homework.slips import Powers, to_the, value

SIGMA: Powers = to_the(0.5, VARIANCE)


@with_places
def walk(
    *,
    noisy: Any = lambda t, T: t > 1,  # at t = 1 the posterior variance is 0, and with beta the noise must be left out
    sigma: Any = lambda now, before: value(SIGMA, now, before),
    told: Any = lambda t, T: t,
    mean: Any = mu_theta,
    steps: Any = lambda T: range(T, 0, -1),
    row: Any = lambda t: t - 1,
    stale: bool = False,
) -> Any:
    """Algorithm 2, with a place for each mistake."""

    def run(model: Any, betas: Tensor, x_T: Tensor, noise: Tensor) -> Tensor:
        table, x, T = alpha_bar(betas), x_T, len(betas)
        for t in steps(T):
            step = torch.full((len(x),), t, dtype=torch.int64)
            eps = model(x_T if stale else x, told(step, T))
            x = mean(table, x, step, eps)
            if noisy(t, T):
                x = x + sigma(table[t], table[t - 1]).to(x.dtype) * noise[row(t)]
        return x

    return run


sampler = walk()


def _one(d: Draw, name: str, betas: Tensor, b: int, *dims: int) -> Case:
    model = Given("noise", {"seed": d.size(0, 1000)})
    args: dict[str, Any] = {
        "model": model,
        "betas": betas,
        "x_T": d.normal(b, *dims),
        "noise": d.normal(len(betas), b, *dims),
    }
    return case(name, b, **args)


def sampler_cases(d: Draw) -> list[Case]:
    return [
        _one(d, "T = 1: a single step", torch.tensor([0.3], dtype=torch.float64), 1, 1),
        _one(d, "T = 2", torch.tensor([0.2, 0.6], dtype=torch.float64), 1, 1),
        _one(d, "points in the plane", d.betas(d.size(4, 6)), 3, 2),
        _one(d, "small images", d.betas(3), 2, 1, 2, 2),
    ]


def sampler_edges(d: Draw) -> list[Case]:
    return [
        _one(d, "images with three channels", d.betas(2), 1, 3, 2, 2),
        _one(d, "T = 12", d.betas(12), 1, 2),
        in_float32(_one(d, "single precision", d.betas(3), 2, 2)),
    ]
