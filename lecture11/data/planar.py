"""Point sets in the plane: small enough to train on in seconds, and to see all of it in one picture.

All are centred and scaled by one factor per set, which keeps their form, so that the variance averaged over the two
axes is 1. The moments that this needs are exact, not estimated: every sample has the same scale.
"""

import math

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from lecture11 import gaussian
from lecture11.checks import Count, checked

SIZES = {"train": 10_000, "test": 2_000}

Points = tuple[Float[Tensor, "n 2"], Int[Tensor, " n"] | None]


def gaussian_mixture() -> gaussian.Mixture:
    """The exact distribution of the points of ``gaussian-mixture``, in float64: the oracle for scores and denoisers.

    Eight equal Gaussians on a circle of radius 1.4, each with variance 0.02 per axis; neighbours are 7.6 standard
    deviations apart. The whole has mean 0 and covariance ``I``: 1.4^2 / 2 + 0.02 = 1.
    """
    m = 8
    angle = 2 * math.pi * torch.arange(m, dtype=torch.float64) / m
    weights = torch.full((m,), 1 / m, dtype=torch.float64)
    means = 1.4 * torch.stack([angle.cos(), angle.sin()], 1)
    covariances = 0.02 * torch.eye(2, dtype=torch.float64).repeat(m, 1, 1)
    return gaussian.Mixture(weights, means, covariances)


@checked
def ring(n: Count, seed: int) -> Points:
    """``n`` points of `gaussian_mixture`, and the component of each, 0..7."""
    return gaussian_mixture().sample(n, generator=torch.Generator().manual_seed(seed))


@checked
def moons(n: Count, seed: int) -> Points:
    """Two interleaved half circles with a little noise (scikit-learn's ``make_moons``), and the moon of each point."""
    from sklearn.datasets import make_moons

    noise = 0.05
    x, y = make_moons(n, noise=noise, random_state=_in_32_bits(seed))
    # The arcs are (cos t, sin t) and (1 - cos t, 1/2 - sin t), t uniform in [0, pi], each with half of the weight.
    mean = np.array([1 / 2, 1 / 4])
    second_moment = (1 / 2 + 3 / 2) / 2 + (1 / 2 + 3 / 4 - 2 / math.pi) / 2
    return _standardised(x, mean, second_moment, noise), torch.from_numpy(y)


@checked
def swiss_roll(n: Count, seed: int) -> Points:
    """A spiral of one and a half turns with a little noise: scikit-learn's ``make_swiss_roll`` seen from its end."""
    from sklearn.datasets import make_swiss_roll

    noise = 0.5
    x, _ = make_swiss_roll(n, noise=noise, random_state=_in_32_bits(seed))
    # The spiral is (t cos t, t sin t), t uniform in [3 pi / 2, 9 pi / 2]; the middle axis is the roll's width.
    mean = np.array([2, 2 / (3 * math.pi)])
    second_moment = 9.75 * math.pi**2
    return _standardised(x[:, [0, 2]], mean, second_moment, noise), None


def _in_32_bits(seed: int) -> int:
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed must lie in 0..2^32 - 1, got {seed}")
    return seed


def _standardised(x: np.ndarray, mean: np.ndarray, second_moment: float, noise: float) -> Tensor:
    """Centres and scales; the second moment is that of the noiseless curve, summed over the axes."""
    variance = (second_moment - (mean**2).sum()) / 2 + noise**2
    return torch.from_numpy((x - mean) / math.sqrt(variance))


SETS = {"gaussian-mixture": ring, "moons": moons, "swiss-roll": swiss_roll}
