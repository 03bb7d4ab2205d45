"""The objects that derivations are written with, beside SymPy's own: indexed quantities, densities, means.

All of them stay as they are written until ``doit`` or the checker works them out, so that a chain can show each line.
"""

from typing import Any

import sympy
from sympy.core.function import UndefinedFunction
from sympy.printing.latex import LatexPrinter


def indexed(name: str, latex: str, **assumptions: bool) -> UndefinedFunction:
    """A quantity with an index, such as ``alpha(t)``, typeset with ``latex`` and the index below it.

    Args:
        assumptions: of SymPy, for example ``positive=True``.
    """
    quantity = sympy.Function(name, **assumptions)
    quantity._latex = lambda self, printer: f"{latex}_{{{printer._print(self.args[0])}}}".replace(" ", "")
    return quantity


def density(name: str, latex: str | None = None) -> UndefinedFunction:
    """A density of which nothing is known but that it is positive: ``q(x, y, z)`` is ``q(x | y, z)``."""
    unknown = sympy.Function(name, positive=True)

    def typeset(self: sympy.Expr, printer: LatexPrinter) -> str:
        of, *given = (printer._print(argument) for argument in self.args)
        bar = r" \mid " if given else ""
        return f"{latex or name}({of}{bar}{', '.join(given)})"

    unknown._latex = typeset
    return unknown


class Normal(sympy.Function):
    """``Normal(x, mean, variance)``: the density ``N(x; mean, variance)`` of one dimension."""

    nargs = 3

    def _eval_is_positive(self) -> bool:
        return True

    def doit(self, **hints: Any) -> sympy.Expr:
        """The density written out."""
        x, mean, variance = self.args
        return sympy.exp(-((x - mean) ** 2) / (2 * variance)) / sympy.sqrt(2 * sympy.pi * variance)

    def log(self) -> sympy.Expr:
        """Its logarithm."""
        x, mean, variance = self.args
        return -((x - mean) ** 2) / (2 * variance) - sympy.log(2 * sympy.pi * variance) / 2

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        x, mean, variance = map(printer._print, self.args)
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\mathcal{{N}}{power}\left({x};\, {mean},\, {variance}\right)"


class Mean(sympy.Expr):
    """``Mean(f, x, law)``: the integral of ``law f`` over all real ``x``, a mean if ``law`` is a density of ``x``.

    ``x`` may be a symbol or an indexed quantity. With ``law = 1`` it is the plain integral of ``f``. That ``law`` has
    mass 1 is known only of a ``Normal``; of an unknown density it is a fact to be cited.
    """

    def __new__(cls, f: Any, x: sympy.Expr, law: Any) -> "Mean":
        return sympy.Expr.__new__(cls, sympy.sympify(f), x, sympy.sympify(law))

    is_commutative = True

    def _eval_is_real(self) -> bool:
        return True

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        f, x, law = self.args
        power = "" if exp is None else f"^{{{exp}}}"
        if law == 1:
            return rf"{{\int {printer._print(f)} \, d{printer._print(x)}}}{power}"
        if isinstance(law, Normal) and law.args[0] == x:
            mean, variance = (printer._print(argument) for argument in law.args[1:])
            below = rf"{printer._print(x)} \sim \mathcal{{N}}({mean}, {variance})"
        else:
            below = rf"{printer._print(x)} \sim {printer._print(law)}"
        return rf"\mathbb{{E}}{power}_{{{below}}}\left[{printer._print(f)}\right]"


def moment(n: int, mean: sympy.Expr, variance: sympy.Expr) -> sympy.Expr:
    """``E[x^n]`` for ``x ~ N(mean, variance)``: ``mean E[x^{n-1}] + (n - 1) variance E[x^{n-2}]``, by parts."""
    before, now = sympy.Integer(0), sympy.Integer(1)
    for k in range(n):
        before, now = now, sympy.expand(mean * now + k * variance * before)
    return now
