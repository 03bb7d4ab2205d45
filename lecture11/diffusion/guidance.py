"""Samples of one class, and more so than the data: classifier-free guidance (Ho and Salimans 2022)."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from lecture11.checks import Finite, checked


class Guided(nn.Module):
    """A model that is asked for classes, as a model for the samplers: ``eps_any + scale (eps_y - eps_any)``.

    The scale 0 gives the distribution of all images, 1 that of the class. Above 1 the difference is exaggerated: in
    terms of scores, ``grad log q(x_t) + scale grad log q(y | x_t)``, as if the class were ``scale`` times as certain.
    Samples become more typical and less diverse than the class is; nor is their density
    ``q(x | y) q(y | x)^(scale - 1)``, since noise and exaggeration do not commute. With ``w`` of Ho and Salimans
    (eq. 6), ``scale = 1 + w``.

    Args:
        model: ``eps = model(x_t, t, y)``, and ``model(x_t, t)`` for any class.
        y: the class of each sample, integers of shape ``(batch,)``, or one for all.
        scale: at least 0. Other than 0 and 1 it costs two questions a step.

    Raises:
        ValueError: a scale below 0 or not finite.
        TypeError: classes that are no integers.
    """

    y: Tensor

    @checked
    def __init__(self, model: Callable[..., Tensor], y: int | Tensor, scale: Finite = 1.0) -> None:
        super().__init__()
        if scale < 0:
            raise ValueError(f"scale must be a number from 0 (any class) over 1 (the class) upwards, got {scale}")
        self.model, self.scale = model, scale
        y = torch.as_tensor(y)
        if y.is_floating_point() or y.dtype == torch.bool:
            raise TypeError(f"y must be integers, one for each sample or one for all; got {y.dtype}")
        self.register_buffer("y", y.long(), persistent=False)

    @checked
    def forward(self, x_t: Float[Tensor, "batch *dims"], t: Int[Tensor, " batch"]) -> Float[Tensor, "batch *dims"]:
        """Raises ValueError if there are classes for another number of samples."""
        if self.y.ndim and self.y.shape != t.shape:
            raise ValueError(f"{len(self.y)} classes were asked for, and {len(t)} samples are drawn: give one each")
        if self.scale == 0:
            return self.model(x_t, t)
        of_class = self.model(x_t, t, self.y.to(t.device).expand(len(t)))
        if self.scale == 1:
            return of_class
        return torch.lerp(self.model(x_t, t), of_class, self.scale)
