"""Functions and networks that homework cases hand to an answer: small, exact in float64, the same on every machine."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class Noise(nn.Module):
    """``model(x_t, t)``: an estimate of the noise, for ``x_t`` of any shape; ``t`` one step for each example."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(_fixed(2, seed=seed))

    def forward(self, x_t: Tensor, t: Any) -> Tensor:
        if not isinstance(t, Tensor) or t.dtype != torch.int64 or t.shape != x_t.shape[:1]:
            got = f"{tuple(t.shape)} {t.dtype}" if isinstance(t, Tensor) else f"the {type(t).__name__} {t!r}"
            raise TypeError(
                f"model(x_t, t) takes t as a LongTensor of shape ({len(x_t)},), one step for each example; got {got}"
            )
        if (t < 1).any():
            raise ValueError(f"model(x_t, t) takes steps from 1 on, got {int(t.min())}")
        step = t.to(x_t.dtype).view(-1, *[1] * (x_t.ndim - 1))
        return torch.tanh(self.scale[0].to(x_t.dtype) * x_t + 0.3 * step) * (1 + self.scale[1].to(x_t.dtype) ** 2)


class Encoder(nn.Module):
    """``mu, log_var = encoder(x)``: ``x`` of shape ``(batch, d)`` to two tensors ``(batch, k)``.

    ``log_var`` lies between -3/2 and 1/2, times ``wide``.
    """

    def __init__(self, d: int, k: int, seed: int, wide: int = 1) -> None:
        super().__init__()
        self.wide = wide
        self.mean = nn.Parameter(0.5 * _fixed(k, d, seed=seed))
        self.log_var = nn.Parameter(0.5 * _fixed(k, d, seed=seed + 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x @ self.mean.to(x.dtype).T, self.wide * (torch.tanh(x @ self.log_var.to(x.dtype).T) - 0.5)


class Decoder(nn.Module):
    """``decoder(z)``: codes ``(batch, k)`` to ``(batch, d)``."""

    def __init__(self, k: int, d: int, seed: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(0.7 * _fixed(d, k, seed=seed))

    def forward(self, z: Tensor) -> Tensor:
        return torch.sin(z @ self.weight.to(z.dtype).T) + 0.1


class Denoiser(nn.Module):
    """``model(y)``: an estimate of the clean examples, of the shape of ``y``, which has ``ndim`` dimensions."""

    def __init__(self, seed: int, ndim: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(_fixed(2, seed=seed))
        self.ndim = ndim

    def forward(self, y: Tensor) -> Tensor:
        if y.ndim != self.ndim:
            raise TypeError(f"model(y) takes y of the shape of x, with {self.ndim} dimensions; got {tuple(y.shape)}")
        a, b = self.scale.to(y.dtype)
        return torch.tanh(a * y) + b * y


class Cost(nn.Module):
    """``f(z)``: ``(n, k)`` to ``(n,)``, a quadratic with different weights for the coordinates."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.centre = nn.Parameter(_fixed(1, seed=seed))

    def forward(self, z: Tensor) -> Tensor:
        weight = 1 + torch.arange(z.shape[-1], dtype=z.dtype)
        return (weight * (z - self.centre.to(z.dtype)) ** 2).sum(-1) + 1


def _fixed(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


MODELS: dict[str, Callable[..., nn.Module]] = {
    "cost": Cost,
    "decoder": Decoder,
    "denoiser": Denoiser,
    "encoder": Encoder,
    "noise": Noise,
}


def make(name: str, **options: Any) -> nn.Module:
    """The model of this name."""
    return MODELS[name](**options)
