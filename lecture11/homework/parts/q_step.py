"""Homework 4, part 2: one step of noise."""

from typing import Any

import torch
from torch import Tensor

from lecture11.homework.observation import Case
from lecture11.homework.part import Draw, Mistake, Part, case, in_float32, per, with_places
from lecture11.homework.slips import ALPHA, BETA, Powers, value


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


# The factors, as powers of alpha = 1 - beta and of beta.
OF_X: Powers = {ALPHA: 0.5}
OF_EPS: Powers = {BETA: 0.5}


@with_places
def _with(*, of_x: Powers = OF_X, of_eps: Powers = OF_EPS, sign: int = 1) -> Any:
    """The step with other factors; of one step, alpha_bar_t is 1 - beta_t."""

    def answer(x: Tensor, beta: Tensor, eps: Tensor) -> Tensor:
        left = 1 - per(beta, x)
        first, second = (value(powers, left, torch.ones_like(left)) for powers in (of_x, of_eps))
        return first * x + sign * second * eps

    return answer


MISTAKES = (
    Mistake("erratum-e11", "the noise is multiplied with beta, as the lecture notes print it (erratum E11). beta is a "
            "variance: which factor gives noise of that variance?", _with(of_eps={BETA: 1})),
    Mistake("not-shrunk", "x_prev is not shrunk: without it the variance grows with each step", _with(of_x={})),
    Mistake("root-missing-x", "x_prev is multiplied with 1 - beta; look at the mean of q(x_t | x_{t-1}) again",
            _with(of_x={ALPHA: 1})),
    Mistake("roots-missing", "neither factor has its root: the variances 1 - beta and beta add up to 1, the factors "
            "are their roots", _with(of_x={ALPHA: 1}, of_eps={BETA: 1})),
    Mistake("swapped", "signal and noise have each other's factor", _with(of_x=OF_EPS, of_eps=OF_X)),
    Mistake("signal-twice", "the noise has the factor of the signal, sqrt(1 - beta)", _with(of_eps=OF_X)),
    Mistake("noise-twice", "the signal has the factor of the noise, sqrt(beta)", _with(of_x=OF_EPS)),
    Mistake("noise-unscaled", "the noise has no factor: its variance is to be beta", _with(of_eps={})),
    Mistake("noise-divided", "the noise is divided by sqrt(beta); it is multiplied with it",
            _with(of_eps={BETA: -0.5})),
    Mistake("x-divided", "x_prev is divided by sqrt(1 - beta); it is multiplied with it", _with(of_x={ALPHA: -0.5})),
    Mistake("noise-squared", "the noise is multiplied with beta^2; beta is its variance, not a factor to be squared",
            _with(of_eps={BETA: 2})),
    Mistake("noise-missing", "the noise is missing: this is the mean of x_t", _with(sign=0)),
    Mistake("noise-subtracted", "the noise is subtracted. That has the same distribution, but the task adds it, and "
            "numbers are compared", _with(sign=-1)),
    Mistake("along-last-dim", "beta has one number for each example, and you multiplied along the last dimension. Give "
            "beta as many dimensions as x_prev has",
            lambda x, beta, eps: (1 - beta.to(x)).sqrt() * x + beta.to(x).sqrt() * eps),
    Mistake("first-beta", "only the first beta is used; each example has its own",
            lambda x, beta, eps: (1 - beta[0].to(x)).sqrt() * x + beta[0].to(x).sqrt() * eps),
    Mistake("mean-beta", "the mean of all beta is used; each example has its own",
            lambda x, beta, eps: (1 - beta.mean().to(x)).sqrt() * x + beta.mean().to(x).sqrt() * eps),
    Mistake("root-of-difference", "1 - sqrt(beta) stands where sqrt(1 - beta) belongs, in front of x_prev",
            lambda x, beta, eps: (1 - per(beta, x).sqrt()) * x + per(beta, x).sqrt() * eps),
    Mistake("root-of-difference-noise", "1 - sqrt(1 - beta) stands where sqrt(beta) belongs, in front of the noise",
            lambda x, beta, eps: (1 - per(beta, x)).sqrt() * x + (1 - (1 - per(beta, x)).sqrt()) * eps),
    Mistake("beta-squared", "x_prev is multiplied with sqrt(1 - beta^2); beta is a variance, and not squared again",
            lambda x, beta, eps: (1 - per(beta, x) ** 2).sqrt() * x + per(beta, x).sqrt() * eps),
    Mistake("taken-for-std", "beta is taken for the standard deviation of the noise, and sqrt(1 - beta^2) stands "
            "before x_prev; beta is the variance",
            lambda x, beta, eps: (1 - per(beta, x) ** 2).sqrt() * x + per(beta, x) * eps),
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
    quantities=lambda args: {"beta": args["beta"], "1 - beta": 1 - args["beta"]},
    linear_in=("x_prev", "eps"),
    mistakes=MISTAKES,
)
