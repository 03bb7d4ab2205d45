"""Verdicts, estimates with their errors, and tables, in the form in which notebooks print them.

A number that depends on the machine is printed behind the mark ``≈``: the comparison of stored outputs masks it.
The verdict beside it is compared.
"""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Estimate:
    """A mean with its standard error."""

    mean: float
    standard_error: float

    def __str__(self) -> str:
        """Digits up to the second one of the error: more would be noise."""
        if self.standard_error == 0:
            return measured(self.mean, 4)
        decimals = max(0, 1 - math.floor(math.log10(self.standard_error)))
        return f"≈{self.mean:.{decimals}f} ± {self.standard_error:.{decimals}f}"


def estimate(values: Float[Tensor, " n"]) -> Estimate:
    """The mean of independent values and its standard error.

    Raises:
        ValueError: fewer than two values, or one that is not finite.
    """
    if len(values) < 2 or not values.isfinite().all():
        raise ValueError(f"at least two finite values needed, got {len(values)} with {values.isnan().sum()} NaN")
    values = values.double()
    return Estimate(values.mean().item(), (values.std() / math.sqrt(len(values))).item())


def measured(value: float, digits: int = 3) -> str:
    """``value`` as a measured number: ``≈`` and ``digits`` significant digits."""
    return "≈" + f"{value:#.{digits}g}".rstrip(".")


def verdict(
    claim: str, value: float, *, at_most: float | None = None, at_least: float | None = None, unit: str = ""
) -> None:
    """Prints whether a measured value keeps its bound; raises if it does not.

    >>> verdict("test error", 0.0271, at_most=0.03)
    test error at most 0.03: yes, ≈0.0271

    Raises:
        AssertionError: the bound is not kept, or the value is not a number.
        ValueError: not exactly one bound is given.
    """
    if (at_most is None) == (at_least is None):
        raise ValueError(f"give exactly one bound, got at_most={at_most}, at_least={at_least}")
    holds = value <= at_most if at_most is not None else value >= at_least  # type: ignore[operator]
    unit = f" {unit}" if unit else ""
    bound = f"at most {at_most:g}" if at_most is not None else f"at least {at_least:g}"
    line = f"{claim} {bound}{unit}: {'yes' if holds else 'NO'}, {measured(value)}{unit}"
    if not holds:
        raise AssertionError(line)
    print(line)


class Table:
    """A small table that a notebook shows as HTML, and a terminal as text.

    Args:
        header: names of the columns.
        rows: cells; anything with a ``str``. Format numbers before: only the caller knows which are measured.
        caption: what the table shows, in a sentence.

    Raises:
        ValueError: a row of another length than the header.
    """

    def __init__(self, header: Sequence[str], rows: Sequence[Sequence[object]], caption: str) -> None:
        self.header = [str(cell) for cell in header]
        self.rows = [[str(cell) for cell in row] for row in rows]
        self.caption = caption
        if any(len(row) != len(self.header) for row in self.rows):
            raise ValueError(f"each row needs {len(self.header)} cells, got rows of {[len(row) for row in self.rows]}")

    def __repr__(self) -> str:
        # No padding: it would change with the digits of measured numbers, which the comparison masks.
        return "\n".join([self.caption, *(" | ".join(row) for row in [self.header, *self.rows])])

    def _repr_html_(self) -> str:
        def row(cells: Sequence[str], opening: str, closing: str) -> str:
            return "<tr>" + "".join(f"{opening}{html.escape(cell)}{closing}" for cell in cells) + "</tr>"

        head = row(self.header, '<th scope="col">', "</th>")
        body = "".join(row(cells, "<td>", "</td>") for cells in self.rows)

        return (
            f'<table class="table"><caption>{html.escape(self.caption)}</caption>'
            f"<thead>{head}</thead><tbody>{body}</tbody></table>"
        )
