"""What a part of a homework is made of."""

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, no_type_check

import torch
from torch import Tensor

from lecture11.homework.observation import Case, Observation, observe
from lecture11.homework.variation import number
from lecture11.registry import by_id

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
        """Float64, normal without its tails, two decimals."""
        drawn = scale * torch.randn(shape, generator=self._generator, dtype=torch.float64).clamp(-2.5, 2.5)
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


def per(values: Tensor, x: Tensor) -> Tensor:
    """One number for each example, ready to multiply ``x``."""
    return values.to(x.dtype).view(-1, *[1] * (x.ndim - 1))


def step_alpha(table: Tensor, t: Tensor, x: Tensor) -> Tensor:
    """alpha_t for each example, from the table of alpha_bar."""
    return per(table[t] / table[t - 1], x)


def numbers(*values: float) -> Tensor:
    """One row, float64."""
    return torch.tensor([values], dtype=torch.float64)


LOG_2_PI = math.log(2 * math.pi)
# For log_var: such as a network gives before it has learned anything. exp of a small one is far below 1e-3.
WIDE = numbers(-12.5, 9.0, 0.4, -6.2)


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
    """A known mistake.

    Attributes:
        id: such as ``erratum-e9``; no other mistake of the part has it.
        message: what to say to who makes it.
        function: an answer that makes it.
        term: what is missing, where a term of a sum is: it may be there, and have another weight.
        several: whether it is about several terms of a sum, and so not to be told beside a mistake of one of them.
    """

    id: str
    message: str
    function: Answer
    term: str = ""
    several: bool = False


# What is done to a right result in many parts; the message, where a part has none of its own.
CHANGES: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "examples-averaged": (
        "the examples are averaged as well; return one number for each, the caller takes the mean",
        lambda result: result.mean(),
    ),
    "examples-summed": ("the examples are summed as well; return one number for each", lambda result: result.sum()),
    "negated": ("the sign is reversed", lambda result: -result),
    "root": ("this is the root of what is asked for", lambda result: result.sqrt()),
    "log": ("this is the logarithm of it", lambda result: result.log()),
    "halved": ("this is half of it", lambda result: 0.5 * result),
    "doubled": ("the factor 1/2 is missing", lambda result: 2 * result),
    "backwards": ("this runs backwards", lambda result: result.flip(0)),
    "order": ("the results are right, in the wrong order", lambda results: results[::-1]),
}


# Of these, what is true whatever else was done.
ON_TOP = {
    "examples-averaged": "the examples are averaged; return one number for each, the caller takes the mean",
    "examples-summed": "the examples are summed; return one number for each",
    "negated": "the sign is reversed",
    "root": "the root is taken of it",
    "log": "the logarithm is taken of it",
    "doubled": "the factor 1/2 is missing",
}


def changed(answer: Answer, change: Callable[[Any], Any]) -> Answer:
    """The answer, and then something more."""
    return lambda *args, **keywords: change(answer(*args, **keywords))


def generic(answer: Answer, *ids: str, **messages: str) -> tuple[Mistake, ...]:
    """Mistakes of ``CHANGES``: a right answer, and what is done to its result. ``negated="..."`` has its own words."""
    words = {id: CHANGES[id][0] for id in ids} | {name.replace("_", "-"): text for name, text in messages.items()}
    return tuple(Mistake(id, message, changed(answer, CHANGES[id][1])) for id, message in words.items())


class Made:
    """An answer that ``build(**places)`` makes, and that knows what stands in its places.

    So two mistakes in different places of one answer make a third one: ``Part.pairs``.
    """

    def __init__(self, build: Callable[..., Answer], places: dict[str, Any]) -> None:
        self.build = build
        self.places = places
        self.answer = build(**places)

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return self.answer(*args, **keywords)

    @functools.cache  # noqa: B019 - they live as long as their parts do
    def with_these(self, other: "Made") -> "Made | None":
        """What stands in the places of both; None where they are no answers of one build, or share a place."""
        if self.build is not other.build or self.places.keys() & other.places.keys():
            return None
        return Made(self.build, self.places | other.places)


def with_places(build: Callable[..., Answer]) -> Callable[..., Made]:
    """A decorator: what a function makes, given what is to stand in its places, is ``Made``."""
    return functools.wraps(build)(lambda **places: Made(build, places))


@dataclass(frozen=True)
class Part:
    """A part of a homework.

    Attributes:
        id: such as ``elbo-kl``; the answer is called ``elbo_kl``.
        homework: 1 to 4.
        trains: what one learns by it, in a line.
        unit: of the result, for messages; may be empty.
        make_cases: the cases for a seed, the smallest first. On them the mistakes are told from one another.
        make_edges: more cases, where an answer must be right too: many dimensions, large numbers, single precision.
            A mistake is named whatever it does there.
        reference: a right answer.
        mistakes: what people get wrong, in any order: each is told from all others on the cases.
        also: answers that give other numbers and are right too: another order of drawing, say.
        personal: the right answer depends on the student's own seed; any other seed is none.
        may_use: functions of the package that an answer may call.
        quantities: what the result is made of, for the arguments of a case, by its name: then it can be said by which
            of them a result, or a factor, is too large. One number for each example, or of the result's shape.
        linear_in: arguments of the result's shape (of the first result's) that are added, each with a factor of its
            own for each example: then it can be said which factor is wrong.
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
    make_edges: Callable[[Draw], list[Case]] = lambda draw: []
    also: tuple[Answer, ...] = ()
    personal: bool = False
    may_use: tuple[str, ...] = field(default=())
    quantities: Callable[[dict[str, Any]], dict[str, Tensor]] = lambda args: {}
    linear_in: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        by_id(f"mistakes of {self.id}", ((mistake.id, mistake) for mistake in self.mistakes))

    def mistake(self, id: str) -> Mistake:
        """The known mistake with this id.

        Raises:
            KeyError: there is none.
        """
        return by_id("mistakes", ((mistake.id, mistake) for mistake in self.mistakes))[id]

    @functools.cached_property
    def pairs(self) -> tuple[tuple[Mistake, Mistake, Answer], ...]:
        """Each two mistakes that can be made in one answer, since they are ``Made`` and in different places; and that
        answer."""
        ordered = sorted(self.mistakes, key=lambda mistake: mistake.id)  # which pair is found does not depend on theirs
        made = [(mistake, mistake.function) for mistake in ordered if isinstance(mistake.function, Made)]
        return tuple(
            (one, other, both)
            for (one, first), (other, second) in itertools.combinations(made, 2)
            if (both := first.with_these(second)) is not None
        )

    @property
    def answer(self) -> str:
        """The name that the answer has in the notebook."""
        return self.id.replace("-", "_")

    def cases(self, seed: str | int = 0) -> list[Case]:
        """The cases for a seed, the smallest first and the edges last; always the same ones."""
        return [*_made(self.id, self.make_cases, seed), *self.edges(seed)]

    def edges(self, seed: str | int = 0) -> tuple[Case, ...]:
        """The cases at the end of ``cases`` that only tell right from wrong."""
        return _made(f"{self.id}, edges", self.make_edges, seed)

    def observed(self, answer: Answer, seed: str | int) -> tuple[Observation, ...]:
        """What one of our own answers does on the cases for a seed. It runs once, however often this is asked for."""
        return tuple(_observed(self, i, answer, seed, True) for i in range(len(self.cases(seed))))

    @no_type_check  # for the tests, as in comparison.py
    def observed_on(self, i: int, answer: Answer, seed: str | int) -> Observation:
        """The same on one case, without the gradients: mistakes are told from one another by their values."""
        return _observed(self, i, answer, seed, False)


Make = Callable[[Draw], list[Case]]


@functools.lru_cache(maxsize=512)
def _made(name: str, make: Make, seed: str | int) -> tuple[Case, ...]:
    return tuple(make(Draw(name, seed)))


@no_type_check
def _observed(part: Part, i: int, answer: Answer, seed: str | int, gradients: bool) -> Observation:
    return _observed_once(part.id, part.make_cases, part.make_edges, i, answer, seed, gradients)


@functools.lru_cache(maxsize=32_768)
@no_type_check
def _observed_once(
    part: str, cases: Make, edges: Make, i: int, answer: Answer, seed: str | int, gradients: bool
) -> Observation:
    case = (*_made(part, cases, seed), *_made(f"{part}, edges", edges, seed))[i]
    return observe(answer, case if gradients else replace(case, grad=()), limit=None)
