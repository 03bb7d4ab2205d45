"""Homework 4, part 3: t steps at once."""

from typing import Any

import torch
from torch import Tensor

from lecture11.homework.cases import noised_cases, noised_edges
from lecture11.homework.part import Mistake, Part, per, with_places
from lecture11.homework.slips import ALPHA, BETA, NOISE, NOW, Powers, quantities, slips, value


def q_sample(alpha_bar: Tensor, x_0: Tensor, t: Tensor, eps: Tensor) -> Tensor:
    a = per(alpha_bar[t], x_0)
    return a.sqrt() * x_0 + (1 - a).sqrt() * eps


def _one_by_one(table: Tensor, x: Tensor, t: Tensor, eps: Tensor) -> Tensor:
    for step in range(1, int(t) + 1):
        alpha = (table[step] / table[step - 1]).to(x.dtype)
        x = alpha.sqrt() * x + (1 - alpha).sqrt() * eps
    return x


# The factors of signal and noise.
OF_X: Powers = {NOW: 0.5}
OF_EPS: Powers = {NOISE: 0.5}


@with_places
def _with(*, of_x: Powers = OF_X, of_eps: Powers = OF_EPS, sign: int = 1) -> Any:
    """Other factors of signal and noise."""

    def answer(ab: Tensor, x: Tensor, t: Tensor, eps: Tensor) -> Tensor:
        first, second = (per(value(powers, ab[t], ab[t - 1]), x) for powers in (of_x, of_eps))
        return first * x + sign * second * eps

    return answer


IN_WORDS: tuple[tuple[str, str, dict[str, Powers]], ...] = (
    ("erratum-e9", "you used alpha_t where alpha_bar_t belongs, as the lecture notes print it in Algorithm 1 (erratum "
     "E9): this is one step, and not t", {"of_x": {ALPHA: 0.5}, "of_eps": {BETA: 0.5}}),
    ("root-missing-x", "the root over alpha_bar is missing in front of x_0", {"of_x": {NOW: 1}}),
    ("root-missing-eps", "the noise is multiplied with its variance 1 - alpha_bar; which factor gives that variance?",
     {"of_eps": {NOISE: 1}}),
    ("roots-missing", "both roots are missing: alpha_bar and 1 - alpha_bar are variances",
     {"of_x": {NOW: 1}, "of_eps": {NOISE: 1}}),
    ("swapped", "signal and noise have each other's factor", {"of_x": OF_EPS, "of_eps": OF_X}),
    ("not-shrunk", "x_0 is not shrunk: sqrt(alpha_bar) in front of it is missing", {"of_x": {}}),
    ("signal-twice", "the noise has the factor of the signal, sqrt(alpha_bar); its variance is 1 - alpha_bar",
     {"of_eps": OF_X}),
    ("noise-twice", "the signal has the factor of the noise, sqrt(1 - alpha_bar)", {"of_x": OF_EPS}),
)  # fmt: skip

MISTAKES = (
    *(Mistake(id, text, _with(**places)) for id, text, places in IN_WORDS),
    *(Mistake(f"x-{slip.id}", f"in front of x_0, {slip.text}", _with(of_x=slip.powers))
      for slip in slips(OF_X, but=({}, {NOW: 1}, OF_EPS))),
    *(Mistake(f"eps-{slip.id}", f"in front of the noise, {slip.text}", _with(of_eps=slip.powers))
      for slip in slips(OF_EPS, but=({NOISE: 1}, OF_X))),
    Mistake("noise-missing", "the noise is missing: this is the mean of x_t", _with(sign=0)),
    Mistake("row-before", "this is x_{t-1}: you took row t - 1. The table has its row 0, so step t stands in row t",
            lambda ab, x, t, eps: q_sample(ab, x, t - 1, eps)),
    Mistake("root-of-difference", "1 - sqrt(alpha_bar) is not sqrt(1 - alpha_bar)",
            lambda ab, x, t, eps: per(ab[t], x).sqrt() * x + (1 - per(ab[t], x).sqrt()) * eps),
    Mistake("taken-for-root", "alpha_bar is taken for the factor of x_0 itself, and the noise has the root of 1 - "
            "alpha_bar^2; the factor is its root",
            lambda ab, x, t, eps: per(ab[t], x) * x + (1 - per(ab[t], x) ** 2).sqrt() * eps),
    Mistake("same-noise-in-each-step", "t steps are made one by one, with the same eps in each: then variances do not "
            "add, and the noise is too strong", lambda ab, x, t, eps: torch.stack(
                [_one_by_one(ab, *one) for one in zip(x, t, eps, strict=True)])),
    Mistake("noise-subtracted", "the noise is subtracted. That has the same distribution, but the task adds it, and "
            "numbers are compared", _with(sign=-1)),
    Mistake("noise-not-squared", "1 - alpha_bar^2 stands under the root, in front of the noise: alpha_bar is a "
            "variance, and not squared again",
            lambda ab, x, t, eps: per(ab[t], x).sqrt() * x + (1 - per(ab[t], x) ** 2).sqrt() * eps),
    Mistake("product-of-table", "the product of the table is taken again: its rows are products already",
            lambda ab, x, t, eps: q_sample(ab.cumprod(0), x, t, eps)),
    Mistake("row-after", "this is x_{t+1}: you took row t + 1. The table has its row 0, so step t stands in row t",
            lambda ab, x, t, eps: q_sample(ab, x, (t + 1).clamp(max=len(ab) - 1), eps)),
    Mistake("first-step", "all examples get the noise of the first one's step: t has one step for each example",
            lambda ab, x, t, eps: q_sample(ab, x, t[:1].expand(len(x)), eps)),
    Mistake("along-last-dim", "alpha_bar[t] has one number for each example, and you multiplied along the last "
            "dimension. Give it as many dimensions as x_0 has",
            lambda ab, x, t, eps: ab[t].to(x).sqrt() * x + (1 - ab[t].to(x)).sqrt() * eps),
)  # fmt: skip

PART = Part(
    id="q-sample",
    homework=4,
    title="t steps at once",
    points=2,
    trains="alpha against alpha_bar, and the row that belongs to a step",
    unit="",
    make_cases=noised_cases,
    make_edges=noised_edges,
    reference=q_sample,
    quantities=lambda args: quantities(args["alpha_bar"][args["t"]], args["alpha_bar"][args["t"] - 1]),
    linear_in=("x_0", "eps"),
    mistakes=MISTAKES,
)
