"""What every data set is once it is loaded, and what can go wrong on the way."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

Range = tuple[int | float, int | float]


class UnknownDatasetError(ValueError):
    """There is no data set of that name; the message lists those that there are."""


class DataUnavailableError(RuntimeError):
    """The files of a data set are neither here nor to be had; the message says what works offline."""


class CorruptDataError(ValueError):
    """A file is truncated, damaged, or not what its name says."""


def check_count(n: int, available: int | None, name: str) -> None:
    """Raise a ValueError unless ``n`` examples can be had from ``available`` ones (None: as many as one likes)."""
    if n <= 0:
        raise ValueError(f"n = {n} examples of {name} asked for: n must be at least 1")
    if available is not None and n > available:
        raise ValueError(
            f"n = {n} examples asked for, but this set ({name}) holds {available}: give n <= {available}, or leave n out"
        )


def check_range(value_range: Sequence[int | float]) -> None:
    """Raise a ValueError unless the range is ``(low, high)``, finite, with ``low < high``."""
    low, high = value_range
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(
            f"value_range = ({low}, {high}) is no range: give (low, high) with low < high, both finite, "
            "(0, 1) for auto-encoders and (-1, 1) for diffusion"
        )


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Examples in memory, on one device, with what a model must know about them.

    Attributes:
        x: images as ``(n, channels, height, width)``, points as ``(n, 2)``; float32.
        y: class of an image or component of a point, int64; None where there is none.
        name: what `load` was asked for.
        split: "train" or "test".
        value_range: lowest and highest value that ``x`` can take; None if it is unbounded.

    Raises:
        ValueError: ``y`` of another length than ``x``, or values of ``x`` outside ``value_range``.
    """

    x: Float[Tensor, "n *dims"]
    y: Int[Tensor, " n"] | None
    name: str
    split: str
    value_range: Range | None

    def __post_init__(self) -> None:
        if self.y is not None and len(self.y) != len(self.x):
            raise ValueError(f"{len(self.x)} examples need as many labels, got {len(self.y)}")
        if self.value_range is not None and len(self.x):
            check_range(self.value_range)
            low, high = (bound.item() for bound in self.x.aminmax())
            if not (self.value_range[0] <= low and high <= self.value_range[1]):
                raise ValueError(f"x lies in [{low:g}, {high:g}], outside its value_range {self.value_range}")

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        shape = "x".join(str(size) for size in self.shape)
        values = "unbounded" if self.value_range is None else "in [{:g}, {:g}]".format(*self.value_range)
        return f"<{self.name}/{self.split}: {len(self)} examples of {shape}, {values}, on {self.x.device}>"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example: ``(channels, height, width)`` or ``(2,)``."""
        return tuple(self.x.shape[1:])

    def rescaled(self, low: int | float, high: int | float) -> "Dataset":
        """The same images with their ``value_range`` stretched or shrunk to ``[low, high]``.

        Raises:
            ValueError: the data is unbounded (2-D sets), or ``low < high`` does not hold.
        """
        if self.value_range is None:
            raise ValueError(f"{self.name} is unbounded, so that it has no range to rescale: use its x as it is")
        check_range((low, high))
        old_low, old_high = self.value_range
        unit = (self.x - old_low) / (old_high - old_low)
        # The clamp removes rounding beyond the ends, nothing else: unit lies in [0, 1] up to one rounding.
        return replace(self, x=(low + unit * (high - low)).clamp(low, high), value_range=(low, high))

    def binarised(self, *, generator: torch.Generator) -> "Dataset":
        """Every pixel drawn once from a Bernoulli law whose mean is its grey value: 0 or 1.

        This is the stochastic binarisation of Salakhutdinov and Murray (2008) and Burda et al. (2016), here with one
        draw that is then kept. On such pixels a Bernoulli likelihood is a likelihood; on grey values it is not.

        Args:
            generator: the source of the noise, on any device.

        Raises:
            ValueError: the values are not known to be in [0, 1].
        """
        if self.value_range != (0, 1):
            raise ValueError(
                f"a grey value is a probability only in the range (0, 1), {self.name} has {self.value_range}: "
                + ("2-D points cannot be binarised" if self.value_range is None else "call rescaled(0, 1) first")
            )
        # Drawn where the generator lives, so that one seed gives the same pixels on every device.
        uniform = torch.rand(self.x.shape, generator=generator, device=generator.device)
        return replace(self, x=(uniform.to(self.x.device) < self.x).to(self.x.dtype))

    def take(self, n: int) -> "Dataset":
        """The first ``n`` examples; a ValueError unless ``1 <= n <= len(self)``."""
        check_count(n, len(self), f"{self.name}/{self.split}")
        return replace(self, x=self.x[:n], y=None if self.y is None else self.y[:n])
