"""The right answer, and the weight as a product of other factors."""

from typing import Any

import torch
from torch import Tensor

from lecture11.homework.part import alpha_bar, with_places
from lecture11.homework.slips import ALPHA, BETA, NOISE, NOISE_BEFORE, TWO, Powers, times, to_the, value


def loss_weight(betas: Tensor) -> Tensor:
    table = alpha_bar(betas)
    alpha = 1 - betas[1:]
    return betas[1:] / (2 * alpha * (1 - table[1:-1]))


# The weight; and what it is made of: the square of the noise's factor in the mean, over twice the posterior variance.
WEIGHT: Powers = {BETA: 1, ALPHA: -1, NOISE_BEFORE: -1, TWO: -1}
SQUARED: Powers = {BETA: 2, ALPHA: -1, NOISE: -1}
TILDE: Powers = {NOISE_BEFORE: 1, NOISE: -1, BETA: 1}


@with_places
def made(**powers: float | int) -> Any:
    """Other powers of these factors."""
    return product({**WEIGHT, **powers})


def product(powers: Powers, first: int = 2) -> Any:
    """Another product in place of the weight."""

    def weight(betas: Tensor) -> Tensor:
        table = alpha_bar(betas)
        t = torch.arange(first, len(betas) + 1)
        return value(powers, table[t], table[t - 1])

    return weight


def over(squared: Powers = SQUARED, tilde: Powers = TILDE) -> Powers:
    """The weight, of another square or another variance."""
    return times(squared, to_the(-1, tilde), {TWO: -1})
