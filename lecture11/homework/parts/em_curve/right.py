"""The right answer, its cases, and the algorithm with a place for each mistake."""

from typing import Any

import torch
from torch import Tensor

from lecture11.homework.observation import Case
from lecture11.homework.part import case
from lecture11.homework.parts.e_step import e_step
from lecture11.homework.parts.linear_elbo.right import linear_elbo
from lecture11.homework.parts.m_step import m_step


def em_with(
    *, bounds: tuple[str, ...] = ("E", "M"), stale: bool = False, mean: Any = lambda e: e.mean(), start: bool = False,
    first: str = "E", m: Any = m_step, keep: bool = True, fixed: bool = False,
    bound: Any = linear_elbo
) -> Any:  # fmt: skip
    def curve(x: Tensor, W: Tensor, rounds: int) -> Tensor:
        found = []
        k = W.shape[1]
        q = (x.new_zeros(len(x), k), torch.eye(k, dtype=x.dtype))
        covariance = e_step(x, W)[1]
        if start:
            found.append(mean(bound(x, W, *e_step(x, W))))
        for _ in range(rounds):
            for phase in ("E", "M") if first == "E" else ("M", "E"):
                old = W
                if phase == "E":
                    q = (e_step(x, W)[0], covariance if fixed else e_step(x, W)[1])
                else:
                    new = m(x, *q)
                    W = new if keep else W
                if phase in bounds:
                    now = (old if stale else W) if keep else (new if phase == "M" else W)
                    found.append(mean(bound(x, now, *q)))
        return torch.stack(found)

    return curve


em_curve = em_with()


def em_cases(linear: list[tuple[str, int, Tensor, Tensor]]) -> list[Case]:
    return [case(f"{name}, {min(b, 3)} rounds", b, x=x, W=W, rounds=min(b, 3)) for name, b, x, W in linear]
