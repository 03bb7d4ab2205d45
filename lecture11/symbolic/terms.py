"""The objects that derivations are written with, beside SymPy's own: indexed quantities, densities, means.

All of them stay as they are written until ``doit`` or the checker works them out, so that a chain can show each line.
"""

from typing import Any

import sympy
from sympy.core.function import UndefinedFunction
from sympy.printing.latex import LatexPrinter


def indexed(name: str, latex: str, **assumptions: bool) -> UndefinedFunction:
    """A quantity with an index or two, such as ``alpha(t)``, typeset with ``latex`` and the index below it.

    Args:
        assumptions: of SymPy, for example ``positive=True``.
    """
    quantity = sympy.Function(name, **assumptions)

    def typeset(self: sympy.Expr, printer: LatexPrinter, exp: str | None = None) -> str:
        index = ",".join(printer._print(argument).replace(" ", "") for argument in self.args)
        name = f"{latex}({index})" if "_" in latex else f"{latex}_{{{index}}}"  # one index is enough
        if exp is None:
            return name
        return f"{{{name}}}^{{{exp}}}" if "^" in name else f"{name}^{{{exp}}}"

    quantity._latex = typeset
    return quantity


def density(name: str, latex: str, of: int = 1) -> UndefinedFunction:
    """A density of which nothing is known but that it is positive: ``q(x, y, z)`` is ``q(x | y, z)``.

    Args:
        of: how many variables stand before the bar.
    """
    unknown = sympy.Function(name, positive=True)

    def typeset(self: sympy.Expr, printer: LatexPrinter, exp: str | None = None) -> str:
        names = [printer._print(argument) for argument in self.args]
        given = rf" \mid {', '.join(names[of:])}" if names[of:] else ""
        return f"{latex}({', '.join(names[:of])}{given})" + ("" if exp is None else f"^{{{exp}}}")

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

    ``x`` may be a symbol, an indexed quantity, or a tuple of them. With ``law = 1`` it is the plain integral of ``f``.
    That ``law`` has mass 1 is known only of a ``Normal``; of an unknown density it is a fact to be cited.
    """

    def __new__(cls, f: Any, x: Any, law: Any) -> "Mean":
        return sympy.Expr.__new__(cls, sympy.sympify(f), sympy.sympify(x), sympy.sympify(law))

    @property
    def variables(self) -> tuple[sympy.Expr, ...]:
        """What is integrated over."""
        x = self.args[1]
        return x.args if isinstance(x, sympy.Tuple) else (x,)

    def _eval_derivative(self, s: sympy.Expr) -> sympy.Expr:
        f, x, law = self.args
        return sympy.S.Zero if s in self.variables else Mean(sympy.diff(f * law, s), x, 1)

    is_commutative = True

    def _eval_is_real(self) -> bool:
        return True

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        f, x, law = self.args
        power = "" if exp is None else f"^{{{exp}}}"
        if law == 1:
            over = " ".join(rf"\, d{printer._print(variable)}" for variable in self.variables)
            return rf"{{\int {printer._print(f)} {over}}}{power}"
        if isinstance(law, Normal) and law.args[0] == x:
            mean, variance = (printer._print(argument) for argument in law.args[1:])
            below = rf"{printer._print(x)} \sim \mathcal{{N}}({mean}, {variance})"
        elif isinstance(x, sympy.Tuple):
            below = printer._print(law).partition("(")[0]
        else:
            below = rf"{printer._print(x)} \sim {printer._print(law)}"
        return rf"\mathbb{{E}}{power}_{{{below}}}\left[{printer._print(f)}\right]"


def moment(n: int, mean: sympy.Expr, variance: sympy.Expr) -> sympy.Expr:
    """``E[x^n]`` for ``x ~ N(mean, variance)``: ``mean E[x^{n-1}] + (n - 1) variance E[x^{n-2}]``, by parts."""
    before, now = sympy.Integer(0), sympy.Integer(1)
    for k in range(n):
        before, now = now, sympy.expand(mean * now + k * variance * before)
    return now
