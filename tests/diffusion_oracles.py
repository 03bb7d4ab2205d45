"""What the tests of the diffusion half share: data with a known law, means that are exact instead of sampled."""

import math

import torch
from torch import Tensor

from lecture11 import diffusion, gaussian

float64 = torch.float64

SCHEDULES = {
    "linear": diffusion.NoiseSchedule.linear(20, 1e-3, 0.4),
    "cosine": diffusion.NoiseSchedule.cosine(20),
    "constant": diffusion.NoiseSchedule([0.3] * 20),
    "extreme": diffusion.NoiseSchedule([1e-12, 1e-6, 0.5, 1 - 1e-3, 1 - 1e-6]),
}


def gaussian_data(d: int = 2, seed: int = 0) -> gaussian.Mixture:
    """``N(m, S)`` with correlated dimensions."""
    rng = torch.Generator().manual_seed(seed)
    root = torch.randn(d, d, generator=rng, dtype=float64)
    mean = torch.randn(1, d, generator=rng, dtype=float64)
    covariance = root @ root.T + 0.1 * torch.eye(d, dtype=float64)
    return gaussian.Mixture(torch.ones(1, dtype=float64), mean, covariance[None])


def sigma_points(d: int) -> Tensor:
    """``(2 d, d)``: a mean over these points is that over ``N(0, I)``, exactly, for polynomials of degree up to 3."""
    root = math.sqrt(d) * torch.eye(d, dtype=float64)
    return torch.cat([root, -root])


def points_of(law: gaussian.Mixture, standard: Tensor) -> Tensor:
    """Standard normal points as points of a Gaussian: means over the former are exact for the latter."""
    return law.means + standard @ torch.linalg.cholesky(law.covariances[0]).T


def moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and covariance over the points."""
    centred = x - x.mean(0)
    return x.mean(0), centred.T @ centred / len(x)
