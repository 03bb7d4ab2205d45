"""Counts, rates and names that a caller gives: one check for each kind, so that a wrong one is refused by its name."""

import numbers
from collections.abc import Sequence


def whole(name: str, value: object, least: int = 1, most: int | None = None) -> int:
    """``value`` as a plain ``int``; numpy's whole numbers are taken too.

    Raises:
        TypeError: no whole number. ``True``, ``2.0``, ``"3"`` and tensors are none.
        ValueError: below ``least`` or above ``most``.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be a whole number, got {value!r} of type {type(value).__name__}")
    number = int(value)
    if number < least or (most is not None and number > most):
        raise ValueError(
            f"{name} must {f'be at least {least}' if most is None else f'lie in {least}..{most}'}, got {value}"
        )
    return number


def real(name: str, value: object, interval: str) -> float:
    """``value`` as a plain ``float``, if it lies in ``interval``, such as ``"(0, 1]"``.

    Raises:
        TypeError: no number. ``True``, ``"3"`` and tensors are none.
        ValueError: outside the interval, or not a number (nan).
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {value!r} of type {type(value).__name__}")
    number = float(value)
    low, high = map(float, interval[1:-1].split(","))
    if not (low < number < high or (interval[0] == "[" and number == low) or (interval[-1] == "]" and number == high)):
        raise ValueError(f"{name} must lie in {interval}, got {value}")
    return number


def one_of(name: str, value: str, choices: Sequence[str]) -> str:
    """Raises ValueError if ``value`` is none of ``choices``."""
    if value not in choices:
        raise ValueError(f"{name} must be {' or '.join(map(repr, choices))}, got {value!r}")
    return value
