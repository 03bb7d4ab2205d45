"""The right answer, its cases, and the bound with a place for each mistake."""

from typing import Any

import torch
from torch import Tensor

from lecture11.homework.observation import Case
from lecture11.homework.part import LOG_2_PI, Draw, case, with_places


@with_places
def made(
    *,
    spread: float = 1.0,
    constant: float = 1.0,
    kl: Any = None,
    total: Any = lambda e: e,
    half: float = 0.5,
    sign: float = -1.0,
) -> Any:
    def elbo(x: Tensor, W: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
        d, k = W.shape
        residual = ((x - mean @ W.T) ** 2).sum(1) + spread * torch.trace(W @ covariance @ W.T)
        divergence = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - k - torch.logdet(covariance))
        if kl is not None:
            divergence = kl(mean, covariance, k)
        return total(-half * residual - constant * 0.5 * d * LOG_2_PI + sign * divergence)

    return elbo


linear_elbo = made()


def linear_elbo_cases(d: Draw, linear: list[tuple[str, int, Tensor, Tensor]]) -> list[Case]:
    cases = []
    for name, b, x, W in linear:
        k = W.shape[1]
        root = d.normal(k, k, scale=0.5)
        covariance = (root @ root.T + 0.5 * torch.eye(k, dtype=W.dtype)).round(decimals=4)
        cases.append(case(name, b, grad=("W", "mean"), x=x, W=W, mean=d.normal(b, k), covariance=covariance))
    return cases
