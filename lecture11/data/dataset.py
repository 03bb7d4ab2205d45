"""What ``load`` returns, and the errors that say why it could not."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lecture11.checks import Count, checked

# A type checker takes an int for a float; beartype, which checks calls in the tests, does not.
Number = float | int
Range = tuple[Number, Number]


class UnknownDataError(ValueError):
    """No data set, or no split of it, has this name."""


class DataUnavailableError(RuntimeError):
    """The files of a data set are not on this machine, and could not be downloaded."""


class CorruptDataError(ValueError):
    """A file is truncated or damaged, or holds something else than its name says."""


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A data set as two tensors on one device; it never changes, its methods return new ones.

    Attributes:
        x: float32. Images are ``(n, channels, height, width)``, points of the plane ``(n, 2)``.
        y: ``(n,)`` int64: the class of an image, the component of a mixture or the moon that a point comes from;
            None where there is none.
        name, split: as given to ``load``.
        value_range: lowest and highest value that a pixel can take; None for points, which have no bounds.

    Raises:
        TypeError: no tensors, or of another kind of number.
        ValueError: no example, as many labels as not examples, values that are not finite or out of range.
    """

    x: Float[Tensor, "n *dims"]
    y: Int[Tensor, " n"] | None
    name: str
    split: str
    value_range: Range | None

    @checked
    def __post_init__(self) -> None:
        # Not-a-number passes through min and max, so that one pass over the data checks both.
        low, high = (v.item() for v in torch.aminmax(self.x))
        if self.value_range is None:
            least, most = torch.finfo(self.x.dtype).min, torch.finfo(self.x.dtype).max
        else:
            least, most = (v.item() for v in checked_range(self.value_range))
        if not least <= low <= high <= most:
            raise ValueError(
                f"x: values of {self.name!r} must be finite and lie in [{least:g}, {most:g}], but they reach "
                f"from {low:g} to {high:g}: scale them first, and look for divisions by zero"
            )

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        bounds = "unbounded" if self.value_range is None else "in [{:g}, {:g}]".format(*self.value_range)
        labels = "no labels" if self.y is None else f"labels {self.y.min()}..{self.y.max()}"
        return (
            f"<{self.name} {self.split}: {len(self):,} examples of shape {self.shape}, "
            f"values {bounds}, {labels}, on {self.x.device}>"
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example: ``(channels, height, width)``, or ``(2,)``."""
        return tuple(self.x.shape[1:])

    @checked
    def take(self, n: Count) -> "Dataset":
        """The first ``n`` examples. The sets that come with the course are ordered so that classes stay balanced.

        Raises:
            ValueError: ``n`` outside 1..len.
        """
        if not n <= len(self):
            raise ValueError(
                f"{self.name!r} ({self.split}) has {len(self):,} examples: n must lie in 1..{len(self)}, got {n}"
            )
        return replace(self, x=self.x[:n], y=None if self.y is None else self.y[:n])

    @checked
    def part(self, rows: Int[Tensor, " k"]) -> "Dataset":
        """These examples alone.

        Raises:
            ValueError: no rows, or one that is not there.
        """
        rows = rows.long()
        if not len(rows) or rows.min() < 0 or rows.max() >= len(self.x):
            raise ValueError(f"rows must be some of 0..{len(self.x) - 1}, got {rows.tolist()[:5]}")
        return replace(self, x=self.x[rows], y=None if self.y is None else self.y[rows])

    @checked
    def rescaled(self, low: Number, high: Number) -> "Dataset":
        """The same images with the value range mapped linearly onto ``[low, high]``; the ends are met exactly.

        Raises:
            ValueError: the data has no bounds, or ``low`` and ``high`` are not finite and ascending.
        """
        if self.value_range is None:
            raise ValueError(f"{self.name!r} has no bounds, so nothing to rescale: only images have a value range")
        # In float32 throughout, and by lerp, which meets both ends exactly: no pixel ends up outside the range.
        old_low, old_high = (v.to(self.x) for v in checked_range(self.value_range))
        new_low, new_high = (v.to(self.x) for v in checked_range((low, high)))
        x = torch.lerp(new_low, new_high, (self.x - old_low) / (old_high - old_low))
        return replace(self, x=x, value_range=(low, high))

    @checked
    def binarised(self, *, generator: torch.Generator) -> "Dataset":
        """Black-and-white images: each pixel is 1 with its grey value as the probability, else 0.

        One draw, so that the result is a fixed data set, on which a Bernoulli likelihood is a likelihood
        (Salakhutdinov and Murray 2008; Burda et al. 2016). The draw is made on the generator's device: a
        generator on the CPU gives the same images for data on every device.

        Raises:
            ValueError: the values do not live in [0, 1].
        """
        if self.value_range != (0, 1):
            raise ValueError(
                f"grey values in [0, 1] can serve as probabilities; {self.name!r} has value_range {self.value_range}: "
                f"binarise first, rescale afterwards"
            )
        uniform = torch.rand(self.x.shape, generator=generator, device=generator.device)
        return replace(self, x=(uniform.to(self.x.device) < self.x).to(self.x.dtype))


def checked_range(value_range: Range) -> tuple[Tensor, Tensor]:
    """Both ends as float32 scalars, the precision that the pixels have.

    Raises:
        TypeError: no pair of numbers.
        ValueError: an end is not finite, or they do not ascend.
    """
    if not isinstance(value_range, tuple | list) or [type(v) in (int, float) for v in value_range] != [True, True]:
        raise TypeError(f"value_range must be (low, high), two numbers, got {value_range!r}")
    low, high = (torch.tensor(v, dtype=torch.float32) for v in value_range)
    if not (low.isfinite() and high.isfinite() and low < high):
        raise ValueError(
            f"value_range must be (low, high), both finite and low < high in float32, got {tuple(value_range)}: "
            f"auto-encoders of this course use (0, 1), diffusion models (-1, 1)"
        )
    return low, high
