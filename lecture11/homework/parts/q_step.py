"""Homework 4, part 2: one step of noise."""

from typing import Any

import torch
from torch import Tensor

from lecture11.homework.observation import Case
from lecture11.homework.part import Draw, Mistake, Part, case, in_float32, per


def q_step(x_prev: Tensor, beta: Tensor, eps: Tensor) -> Tensor:
    b = per(beta, x_prev)
    return (1 - b).sqrt() * x_prev + b.sqrt() * eps


def _one(d: Draw, name: str, b: int, *dims: int) -> Case:
    args: dict[str, Any] = {"x_prev": d.normal(b, *dims), "beta": d.betas(b), "eps": d.normal(b, *dims)}
    return case(name, b, grad=("x_prev", "eps"), **args)


def _q_step_cases(d: Draw) -> list[Case]:
    side = d.size(2, 4)
    first: dict[str, Any] = {
        "x_prev": torch.tensor([[0.5]], dtype=torch.float64),
        "beta": torch.tensor([0.36], dtype=torch.float64),
        "eps": torch.tensor([[1.2]], dtype=torch.float64),
    }
    return [
        case("one number", 1, **first),
        _one(d, "three points in the plane", 3, 2),
        _one(d, "as many points as dimensions", 3, 3),
        _one(d, "two small images", 2, 1, side, side),
        in_float32(_one(d, "four points", 4, 2)),
    ]


def _edges(d: Draw) -> list[Case]:
    return [_one(d, "nine dimensions", 2, 9), _one(d, "an image with three channels", 2, 3, 2, 2)]


MISTAKES = (
    Mistake("erratum-e11", "the noise is multiplied with beta, as the lecture notes print it (erratum E11). beta is a "
            "variance: which factor gives noise of that variance?",
            lambda x, beta, eps: (1 - per(beta, x)).sqrt() * x + per(beta, x) * eps),
    Mistake("not-shrunk", "x_prev is not shrunk: without it the variance grows with each step",
            lambda x, beta, eps: x + per(beta, x).sqrt() * eps),
    Mistake("root-missing-x", "x_prev is multiplied with 1 - beta; look at the mean of q(x_t | x_{t-1}) again",
            lambda x, beta, eps: (1 - per(beta, x)) * x + per(beta, x).sqrt() * eps),
    Mistake("roots-missing", "neither factor has its root: the variances 1 - beta and beta add up to 1, the factors "
            "are their roots", lambda x, beta, eps: (1 - per(beta, x)) * x + per(beta, x) * eps),
    Mistake("swapped", "signal and noise have each other's factor",
            lambda x, beta, eps: per(beta, x).sqrt() * x + (1 - per(beta, x)).sqrt() * eps),
    Mistake("along-last-dim", "beta has one number for each example, and you multiplied along the last dimension. Give "
            "beta as many dimensions as x_prev has",
            lambda x, beta, eps: (1 - beta.to(x)).sqrt() * x + beta.to(x).sqrt() * eps),
    Mistake("first-beta", "only the first beta is used; each example has its own",
            lambda x, beta, eps: (1 - beta[0].to(x)).sqrt() * x + beta[0].to(x).sqrt() * eps),
    Mistake("root-of-difference", "1 - sqrt(beta) stands where sqrt(1 - beta) belongs, in front of x_prev",
            lambda x, beta, eps: (1 - per(beta, x).sqrt()) * x + per(beta, x).sqrt() * eps),
    Mistake("beta-squared", "x_prev is multiplied with sqrt(1 - beta^2); beta is a variance, and not squared again",
            lambda x, beta, eps: (1 - per(beta, x) ** 2).sqrt() * x + per(beta, x).sqrt() * eps),
)  # fmt: skip

PART = Part(
    id="q-step",
    homework=4,
    title="one step of noise",
    points=1,
    trains="variance against standard deviation, and one number for each example",
    unit="",
    make_cases=_q_step_cases,
    make_edges=_edges,
    reference=q_step,
    mistakes=MISTAKES,
)
