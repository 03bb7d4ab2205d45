"""Sets of points in the plane: nothing to download, as many points as one likes, the law known.

Each is centred, and one factor for both coordinates makes the mean of their two variances 1: noise of a given size
means the same on every one of them. The curves are those of scikit-learn's ``make_moons`` and ``make_swiss_roll``,
drawn here with torch's generators, so that one seed decides everything.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lecture11.gaussian import Mixture

# With no generator given: a seed per split, so that the two differ and every call gives the same.
SEEDS = {"train": 11, "test": 1011}
DEFAULT_N = {"train": 10_000, "test": 2_000}

MOONS_NOISE = 0.05  # in the units of scikit-learn's curve, before scaling
SWISS_ROLL_NOISE = 0.5
MIXTURE_STD = 0.1

Points = tuple[Float[Tensor, "n 2"], Int[Tensor, " n"] | None]


def moons(n: int, generator: torch.Generator) -> Points:
    """Two interleaved half circles, each point of one with probability 1/2; ``y`` is 0 for the upper, 1 for the lower.

    The angle is uniform; Gaussian noise of standard deviation 0.05 before scaling, 0.071 after.
    """
    device = generator.device
    label = torch.randint(2, (n,), generator=generator, device=device)
    angle = math.pi * torch.rand(n, generator=generator, device=device)
    upper = torch.stack([angle.cos(), angle.sin()], 1)
    lower = torch.stack([1 - angle.cos(), 0.5 - angle.sin()], 1)
    curve = torch.where(label[:, None] == 0, upper, lower)
    # Each half circle has variances 1/2 and 1/2 - (2/pi)^2; their centres (0, 2/pi) and (1, 1/2 - 2/pi) add the rest.
    variance = 0.75 + (0.5 - (2 / math.pi) ** 2 + (2 / math.pi - 0.25) ** 2)
    return _standardised(curve, (0.5, 0.25), variance, MOONS_NOISE, generator), label


def swiss_roll(n: int, generator: torch.Generator) -> Points:
    """The spiral ``t (cos t, sin t)`` with ``t`` uniform in ``[1.5 pi, 4.5 pi]``: the Swiss roll seen along its axis.

    Gaussian noise of standard deviation 0.5 before scaling, 0.073 after; neighbouring arms are 0.92 apart.
    """
    t = 1.5 * math.pi * (1 + 2 * torch.rand(n, generator=generator, device=generator.device))
    curve = t[:, None] * torch.stack([t.cos(), t.sin()], 1)
    # E[t cos t] = 2, E[t sin t] = 2 / (3 pi), E[t^2] = 9.75 pi^2.
    mean = (2.0, 2 / (3 * math.pi))
    variance = 9.75 * math.pi**2 - mean[0] ** 2 - mean[1] ** 2
    return _standardised(curve, mean, variance, SWISS_ROLL_NOISE, generator), None


def gaussian_mixture() -> Mixture:
    """The exact law of the set "gaussian-mixture", in float64 on the CPU: 8 equal Gaussians on a ring.

    Component ``k`` stands at the angle ``2 pi k / 8`` and has standard deviation 0.1 in every direction; the radius
    ``sqrt(2 (1 - 0.1^2)) = 1.407`` makes the covariance of the whole mixture the identity.
    """
    angle = 2 * math.pi * torch.arange(8, dtype=torch.float64) / 8
    radius = math.sqrt(2 * (1 - MIXTURE_STD**2))
    return Mixture(
        weights=torch.full((8,), 1 / 8, dtype=torch.float64),
        means=radius * torch.stack([angle.cos(), angle.sin()], 1),
        covariances=(MIXTURE_STD**2 * torch.eye(2, dtype=torch.float64)).expand(8, 2, 2),
    )


def sample_mixture(n: int, generator: torch.Generator) -> Points:
    """Points of `gaussian_mixture`; ``y`` is the component of each."""
    x, component = gaussian_mixture().to(generator.device).sample(n, generator=generator)
    return x.float(), component


def _standardised(
    curve: Tensor, mean: tuple[float, float], total_variance: float, noise: float, generator: torch.Generator
) -> Tensor:
    """Add noise to points whose exact mean and total variance are given; centre; scale to mean variance 1."""
    eps = torch.randn(curve.shape, generator=generator, device=generator.device)
    scale = math.sqrt(total_variance / 2 + noise**2)
    return (curve + noise * eps - torch.tensor(mean, device=curve.device)) / scale


SAMPLERS = {"moons": moons, "swiss-roll": swiss_roll, "gaussian-mixture": sample_mixture}
