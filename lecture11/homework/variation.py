"""What differs from student to student: sizes, schedules and data, all from a text such as the student's name."""

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # imported where numbers are drawn: the grader draws none, and does not wait for PyTorch
    import torch
    from jaxtyping import Float
    from torch import Tensor


@dataclass(frozen=True)
class Variation:
    """A student's own numbers: ``variation("Ada")``.

    Attributes:
        seed: the text that they come from.
        T, beta_1, beta_T: number of steps and ends of a linear schedule.
        k: a number of latent dimensions.
        classes: two different digits.
    """

    seed: str
    T: int
    beta_1: float
    beta_T: float
    k: int
    classes: tuple[int, int]

    @cached_property
    def betas(self) -> 'Float[Tensor, " T"]':
        """``beta_1 .. beta_T`` on a straight line, float64."""
        import torch

        return torch.linspace(self.beta_1, self.beta_T, self.T, dtype=torch.float64)

    @cached_property
    def digits(self) -> 'Float[Tensor, "n 64"]':
        """130 images of each of the two classes as rows of 64 grey values in [0, 1], float64."""
        import torch

        from lecture11 import data

        both = data.load("digits", "train")
        assert both.y is not None
        rows = torch.cat([(both.y == digit).nonzero()[:, 0][:130] for digit in self.classes])
        return both.x[rows].flatten(1).double()

    def generator(self) -> "torch.Generator":
        """A new generator of random numbers; always the same ones."""
        import torch

        return torch.Generator().manual_seed(number("generator", self.seed))


@lru_cache(maxsize=64)
def variation(seed: str | int) -> Variation:
    """The numbers that belong to a seed."""
    import torch

    draw = torch.Generator().manual_seed(number("variation", str(seed)))

    def whole(low: int, high: int) -> int:
        return int(torch.randint(low, high + 1, (), generator=draw))

    T, first, last, k = 10 * whole(20, 30), whole(5, 20), whole(40, 80), whole(2, 4)
    a, b = torch.randperm(10, generator=draw)[:2].tolist()
    return Variation(str(seed), T, first * 1e-4, last * 1e-3, k, (a, b))


def number(purpose: str, seed: str | int) -> int:
    """A seed for PyTorch's generator, different for each purpose."""
    return int.from_bytes(hashlib.sha256(f"{purpose}/{seed}".encode("utf-8", "surrogatepass")).digest()[:7], "big")
