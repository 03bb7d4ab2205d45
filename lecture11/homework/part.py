"""What a part of a homework is made of."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from lecture11.homework.observation import Case, Observation, observe
from lecture11.homework.variation import number

Answer = Callable[..., Any]


class Draw:
    """Random numbers for the cases of a part; rounded, so that a student can calculate with them."""

    def __init__(self, part: str, seed: str | int) -> None:
        self.seed = str(seed)
        self._generator = torch.Generator().manual_seed(number(part, seed))

    def size(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return int(torch.randint(low, high + 1, (), generator=self._generator))

    def normal(self, *shape: int, scale: float = 1.0) -> Tensor:
        """Float64, normal, two decimals."""
        drawn = scale * torch.randn(shape, generator=self._generator, dtype=torch.float64)
        return (100 * drawn).round() / 100

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Float64, uniform, three decimals."""
        drawn = low + (high - low) * torch.rand(shape, generator=self._generator, dtype=torch.float64)
        return (1000 * drawn).round() / 1000

    def betas(self, T: int) -> Tensor:
        """An increasing schedule of ``T`` different steps."""
        return self.uniform(0.03, 0.1, T).cumsum(0).clamp(max=0.9)

    def steps(self, T: int, n: int) -> Tensor:
        """``n`` steps from 1 to ``T``, a LongTensor."""
        return torch.randint(1, T + 1, (n,), generator=self._generator)


def alpha_bar(betas: Tensor) -> Tensor:
    """The table with rows 0 to ``T`` that several parts are given."""
    return torch.cat([betas.new_ones(1), (1 - betas).cumprod(0)])


def case(
    name: str, batch: int | None = None, *, grad: Sequence[str] = (), keywords: Sequence[str] = (), **args: Any
) -> Case:
    """A case, its arguments in the order of the call."""
    return Case(name, args, tuple(grad), tuple(keywords), batch)


def in_float32(original: Case) -> Case:
    """The same case in single precision: an answer keeps the precision of its input."""
    args = {
        name: value.float() if isinstance(value, Tensor) and value.is_floating_point() else value
        for name, value in original.args.items()
    }
    return Case(f"{original.name}, in float32", args, (), original.keywords, original.batch)


@dataclass(frozen=True)
class Mistake:
    """A known mistake: a function that makes it, and what to say to who makes it."""

    message: str
    function: Answer


@dataclass(frozen=True)
class Part:
    """A part of a homework.

    Attributes:
        id: such as ``elbo-kl``; the answer is called ``elbo_kl``.
        homework: 1 to 4.
        trains: what one learns by it, in a line.
        unit: of the result, for messages; may be empty.
        make_cases: the cases for a seed, the smallest first.
        reference: a right answer.
        mistakes: what people get wrong, the most frequent first.
        also: answers that give other numbers and are right too: another order of drawing, say.
        personal: the right answer depends on the student's own seed; any other seed is none.
        may_use: functions of the package that an answer may call.
    """

    id: str
    homework: int
    title: str
    points: int
    trains: str
    unit: str
    make_cases: Callable[[Draw], list[Case]]
    reference: Answer
    mistakes: tuple[Mistake, ...]
    also: tuple[Answer, ...] = ()
    personal: bool = False
    may_use: tuple[str, ...] = field(default=())

    @property
    def answer(self) -> str:
        """The name that the answer has in the notebook."""
        return self.id.replace("-", "_")

    def cases(self, seed: str | int = 0) -> list[Case]:
        """The cases for a seed, the smallest first; always the same ones."""
        return self.make_cases(Draw(self.id, seed))


@functools.lru_cache(maxsize=128)
def expected(part: Part, seed: str | int) -> list[list[Observation]]:
    """What right answers do on the cases: those of the reference first."""
    cases = part.cases(seed)
    return [[observe(answer, case) for case in cases] for answer in (part.reference, *part.also)]


@functools.lru_cache(maxsize=128)
def mistaken(part: Part, seed: str | int) -> list[list[Observation]]:
    """What each known mistake does on the cases."""
    cases = part.cases(seed)
    return [[observe(mistake.function, case) for case in cases] for mistake in part.mistakes]
