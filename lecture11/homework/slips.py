"""Slips in a coefficient of the diffusion process: a power that is another one, a factor in the place of another one.

The posterior, its mean, the sampler and the weights of the loss are made of products of a few quantities. What people
get wrong in them is mostly one factor: its root is missing, it divides where it multiplies, its neighbour stands there.
All of these are made here, each with its sentence.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor

Powers = Mapping[str, float | int]

ALPHA, NOW, BEFORE = "alpha_t", "alpha_bar_t", "alpha_bar_{t-1}"
BETA, NOISE, NOISE_BEFORE, TWO = "beta_t", "1 - alpha_bar_t", "1 - alpha_bar_{t-1}", "2"
OF_THE_PROCESS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    ALPHA: lambda now, before: now / before,
    NOW: lambda now, before: now,
    BEFORE: lambda now, before: before,
    BETA: lambda now, before: 1 - now / before,
    NOISE: lambda now, before: 1 - now,
    NOISE_BEFORE: lambda now, before: 1 - before,
}
SHORT = {
    **{ALPHA: "alpha", NOW: "bar", BEFORE: "bar-before", BETA: "beta"},
    **{NOISE: "noise", NOISE_BEFORE: "noise-before", TWO: "two"},
}


def quantities(now: Tensor, before: Tensor) -> dict[str, Tensor]:
    """All factors, by name, for values of alpha_bar_t and alpha_bar_{t-1}."""
    return {name: of(now, before) for name, of in OF_THE_PROCESS.items()}


def value(powers: Powers, now: Tensor, before: Tensor) -> Tensor:
    """The product, for values of alpha_bar_t and alpha_bar_{t-1}."""
    made = now.new_ones(now.shape)
    for factor, power in powers.items():
        made = made * (2.0**power if factor == TWO else OF_THE_PROCESS[factor](now, before) ** power)
    return made


def times(*products: Powers) -> dict[str, float | int]:
    """The product of products."""
    made: dict[str, float | int] = {}
    for powers in products:
        for factor, power in powers.items():
            made[factor] = made.get(factor, 0) + power
    return made


def differing(powers: Powers, right: Powers) -> dict[str, float | int]:
    """The factors whose power is another one than in the right product: what a slip puts into their places."""
    return {
        factor: powers.get(factor, 0)
        for factor in (*right, *(factor for factor in powers if factor not in right))
        if powers.get(factor, 0) != right.get(factor, 0)
    }


def to_the(power: float | int, powers: Powers) -> dict[str, float | int]:
    """The power of a product."""
    return {factor: power * own for factor, own in powers.items()}


@dataclass(frozen=True)
class Slip:
    """A product that was to be another one.

    Attributes:
        id: such as ``alpha-no-root``.
        text: such as ``alpha_t stands where sqrt(alpha_t) belongs``.
    """

    id: str
    text: str
    powers: Powers


def slips(right: Powers, *, but: Iterable[Powers] = ()) -> tuple[Slip, ...]:
    """All single slips in a product, each once: alpha_t is alpha_bar_t over alpha_bar_{t-1}, so that some are equal.

    Args:
        but: other products that have a name of their own.
    """
    return tuple(_each_once(_all(right), (right, *but)))


def in_places(*places: tuple[str, str, Powers, Callable[[Powers], Powers]], but: Iterable[Powers]) -> tuple[Slip, ...]:
    """The slips in several products that one is made of: of equal results only the first.

    Args:
        places: of each an id, words that say where it stands, the product, and what is made with it.
        but: other results that have a name of their own.
    """
    every = (
        Slip(f"{place}-{slip.id}", f"{where}, {slip.text}", made(slip.powers))
        for place, where, powers, made in places
        for slip in _all(powers)
    )
    return tuple(_each_once(every, but))


def _each_once(some: Iterable[Slip], but: Iterable[Powers]) -> Iterator[Slip]:
    seen = {_canonical(powers) for powers in but}
    for slip in some:
        if _canonical(slip.powers) not in seen:
            seen.add(_canonical(slip.powers))
            yield slip


def _all(right: Powers) -> Iterator[Slip]:
    for factor, power in right.items():
        short, name = SHORT[factor], _named(factor, power)
        below = ", in the denominator" if power < 0 else ""
        yield Slip(f"no-{short}", f"{name} is missing{below}", {**right, factor: 0})
        turned = "divides where it multiplies" if power > 0 else "multiplies where it divides"
        yield Slip(f"{short}-turned", f"{name} {turned}", {**right, factor: -power})
        for other, id in ((math.copysign(0.5, power), "root"), (2 * power, "squared")):
            if abs(other) != abs(power):
                id = "no-root" if abs(power) == 0.5 else id
                text = f"{_named(factor, other)} stands where {name} belongs{below}"
                yield Slip(f"{short}-{id}", text, {**right, factor: other})
        for instead in OF_THE_PROCESS if factor != TWO else ():
            if instead != factor:
                text = f"{_named(instead, power)} stands where {name} belongs{below}"
                yield Slip(f"{SHORT[instead]}-for-{short}", text, times({**right, factor: 0}, {instead: power}))


def _named(factor: str, power: float | int) -> str:
    plain = factor if " " not in factor else f"({factor})"
    return {0.5: f"sqrt({factor})", 1: factor}.get(abs(power), f"{plain}^{abs(power):g}")


def _canonical(powers: Powers) -> tuple[tuple[str, float | int], ...]:
    made = times(powers, {NOW: powers.get(ALPHA, 0), BEFORE: -powers.get(ALPHA, 0), ALPHA: -powers.get(ALPHA, 0)})
    return tuple(sorted((factor, power) for factor, power in made.items() if power))
