"""The objects that derivations are written with, beside SymPy's own: indexed quantities, densities, means.

All of them stay as they are written until ``doit`` or the checker works them out, so that a chain can show each line.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy
from sympy.core.alphabets import greeks
from sympy.core.function import AppliedUndef, FunctionClass, UndefinedFunction
from sympy.printing.latex import LatexPrinter, accepted_latex_functions
from sympy.printing.str import StrPrinter


@dataclass(frozen=True)
class Letter:
    """What is known of a name that takes arguments: how it prints, and of which kind its values are.

    Attributes:
        law_of: for a density, how many variables stand before the bar; 0 for other quantities.
        timed: whether the index of each state is an argument of its own, which is not printed.
        fraction: whether its values lie strictly between 0 and 1, from the index 1 on.
        entry: whether it is an entry of a list, which depends on the list by leaps.
    """

    latex: str
    assumptions: tuple[tuple[str, bool], ...] = ()
    law_of: int = 0
    timed: bool = False
    fraction: bool = False
    entry: bool = False


GREEK = {rf"\{letter}" for name in (*greeks, "lambda") for letter in (name, name.capitalize(), f"var{name}")}
# As LaTeX has them; the others are Latin letters.
_LATIN = "omicron Alpha Beta Epsilon Zeta Eta Iota Kappa Mu Nu Omicron Rho Tau Chi"
_OF_LATEX = GREEK - {rf"\{name}" for name in _LATIN.split()}
# Names that stand for something else already.
TAKEN = {*accepted_latex_functions, "pi", r"\pi", "E", "I", "oo", "zoo", "nan", "ln", "sqrt", "abs", "sgn", "max",
          "min", "Gamma", "Var", "Cov", "Sum", "Integral", "Derivative", "Mean", "KL", "Normal"}  # fmt: skip
TAKEN |= {name for name in dir(sympy)
           if isinstance(getattr(sympy, name), FunctionClass) and rf"\{name}" not in GREEK}  # fmt: skip
_MARKS = {r"\ell", r"\bar", r"\tilde", r"\hat", r"\operatorname", r"\circ"}
_LETTER = r"(?:[A-Za-z]|\\[A-Za-z]+)"
# One spelling for what looks alike: no blank but before a Latin letter, no braces but around a dash.
_LATEX = re.compile(
    rf"(?:\\(?:bar|tilde|hat)(?: [A-Za-z]|\\[A-Za-z]+)|{_LETTER}|\\sigma\^2|\\operatorname\{{[A-Za-z]{{2,}}\}})'?"
    rf"(?:_(?:{_LETTER}|[0-9]|\{{{_LETTER}'\}}))?(?:\^(?:[*+-]|\\circ))?"
)
LETTERS: dict[str, Letter] = {}
_reserved: dict[tuple[str, bool], str] = {}  # LaTeX, and whether it is that of a density: by whom it is used
_quantities: dict[str, UndefinedFunction] = {}
_plain: set[str] = set()  # names of functions that were judged, and are no letters


def _quantity(name: str, letter: Letter) -> tuple[UndefinedFunction, bool]:
    """The function of SymPy for a name, and whether it is new. To SymPy two functions of one name are one.

    Raises:
        ValueError: the name is taken, and stands for something else.
    """
    word = re.search(r"operatorname\{(\w+)", letter.latex)
    commands = {*re.findall(r"\\[A-Za-z]+", letter.latex)}
    if not _LATEX.fullmatch(letter.latex) or not commands <= _OF_LATEX | _MARKS or (word and word[1] in TAKEN - {"KL"}):
        raise ValueError(
            f"{letter.latex!r} may print like something else: take one letter, with a bar, a tilde or a hat over it, "
            "and one index or star, as in \\tilde\\mu_\\theta, or a word of your own in \\operatorname{...}"
        )
    own = letter.latex, letter.law_of > 0
    if name not in LETTERS and own in _reserved and (letter.timed or "\\" in letter.latex):
        raise ValueError(f"{letter.latex!r} is how the project prints {_reserved[own]}: take another letter")
    if name in _plain:
        raise ValueError(f"the name {name!r} is taken: it is a plain function in what was checked. Take another name")
    if LETTERS.setdefault(name, letter) != letter:
        raise ValueError(f"the name {name!r} is taken: it is {LETTERS[name]}, not {letter}. Take another name")
    new = name not in _quantities
    if new:
        _quantities[name] = sympy.Function(name, **dict(letter.assumptions))
    return _quantities[name], new


def reserve() -> None:
    """From here on nobody else may make a letter that prints as a Greek one of those made so far, or as a law at steps.

    A Latin one may stand for something else in each chapter, as it does in the lecture.
    """
    _reserved.update({(letter.latex, letter.law_of > 0): name for name, letter in LETTERS.items()})


def is_taken(name: UndefinedFunction) -> bool:
    """Whether a function that was not made here has the name of one that was. If not, none will be made with it."""
    if name.__name__ not in _quantities:
        _plain.add(name.__name__)
    known = _quantities.get(name.__name__, name)
    return known is not name and known != name  # SymPy takes long to compare two functions


def letter_of(e: sympy.Expr) -> Letter | None:
    """What is known of the name of ``alpha(t)``; nothing of a function that was not made here."""
    return LETTERS.get(e.func.__name__)


def indexed(
    name: str, latex: str, *, fraction: bool = False, entry: bool = False, **assumptions: bool
) -> UndefinedFunction:
    """A quantity with an index or two, such as ``alpha(t)``, typeset with ``latex`` and the index below it.

    Args:
        name: for SymPy; no other quantity may have it.
        fraction: its values lie strictly between 0 and 1, from the index 1 on.
        entry: it is an entry of a list.
        assumptions: of SymPy, for example ``positive=True``.

    Raises:
        ValueError: the name is taken by another quantity.
    """
    kind = {"positive": True} if fraction else assumptions
    quantity, new = _quantity(name, Letter(latex, tuple(sorted(kind.items())), fraction=fraction, entry=entry))

    def typeset(self: sympy.Expr, printer: LatexPrinter, exp: str | None = None) -> str:
        # Without spaces, but for those that end a command: "\\epsilon e".
        index = ",".join(re.sub(r"(\\[A-Za-z]+ (?=[A-Za-z]))| ", r"\1", printer._print(a)) for a in self.args)
        name = f"{latex}({index})" if "_" in latex else f"{latex}_{{{index}}}"  # one index is enough
        if exp is None:
            return name
        return f"{{{name}}}^{{{exp}}}" if "^" in name else f"{name}^{{{exp}}}"

    if new:
        quantity._latex = typeset
    return quantity


def density(name: str, latex: str, of: int = 1, timed: bool = False) -> Callable[..., sympy.Expr]:
    """A density of which nothing is known but that it is positive and has mass 1: ``q(x, y, z)`` is ``q(x | y, z)``.

    Args:
        name: for SymPy; no other quantity may have it.
        of: how many variables stand before the bar.
        timed: whether its arguments are states ``x(t)`` at certain steps, on which it depends too: ``q(x(t), x(0))`` is
            another law for each ``t``.

    Raises:
        ValueError: the name is taken by another quantity.
    """
    unknown, new = _quantity(name, Letter(latex, (("positive", True),), of, timed))

    def shown(self: sympy.Expr) -> tuple[sympy.Expr, ...]:
        return self.args[: len(self.args) // 2] if timed else self.args

    def typeset(self: sympy.Expr, printer: LatexPrinter, exp: str | None = None) -> str:
        names = [printer._print(argument) for argument in shown(self)]
        given = rf" \mid {', '.join(names[of:])}" if names[of:] else ""
        return f"{latex}({', '.join(names[:of])}{given})" + ("" if exp is None else f"^{{{exp}}}")

    def as_text(self: sympy.Expr, printer: StrPrinter) -> str:
        return f"{name}({', '.join(map(printer._print, shown(self)))})"

    if new:
        unknown._latex, unknown._sympystr = typeset, as_text
    if not timed:
        return unknown

    def at_steps(*states: sympy.Expr) -> sympy.Expr:
        return unknown(*states, *(state.args[0] for state in states))

    return at_steps


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
            heads = {printer._print(factor).partition("(")[0] for factor in sympy.Mul.make_args(law)}
            over = ", ".join(map(printer._print, x))
            below = heads.pop() if len(heads) == 1 else rf"{over} \sim {printer._print(law)}"
        else:
            below = rf"{printer._print(x)} \sim {printer._print(law)}"
        return rf"\mathbb{{E}}{power}_{{{below}}}\left[{printer._print(f)}\right]"


class KL(sympy.Function):
    """``KL(f, g)``: the divergence of one density from another, both of one variable: ``E_f[log(f / g)]``."""

    nargs = 2

    @property
    def variables(self) -> tuple[sympy.Expr, ...]:
        """What is integrated over: the variable of the first density."""
        return law_variables(self.args[0])

    def _eval_is_real(self) -> bool:
        return True

    def _eval_is_extended_real(self) -> bool:
        return True

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        raise NotImplementedError("a divergence is not differentiated: write it out first")

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\operatorname{{KL}}{power}({', '.join(map(printer._print, self.args))})"


# A list of n numbers, or of n lists: what stands before its last entry, and its last entry, for n from 2 on. A list is
# coded by one number, which is possible without loss, and such that an integral over it is one over its entries.
rest, last = (
    indexed("rest_of_list", r"\operatorname{rest}", real=True, entry=True),
    indexed("last_of_list", r"\operatorname{last}", real=True, entry=True),
)
for _part in (rest, last):
    _part._latex = lambda self, printer: rf"{LETTERS[self.func.__name__].latex}({printer._print(self.args[0])})"


def is_entry(e: sympy.Basic) -> bool:
    """Whether it is an entry of a list, or what stands before its last one."""
    letter = letter_of(e) if isinstance(e, AppliedUndef) else None
    return bool(letter and letter.entry)


def law_variables(law: sympy.Expr) -> tuple[sympy.Expr, ...]:
    """The variables of a density: what stands first, or before the bar. None if it is no density."""
    if isinstance(law, Normal):
        return law.args[:1]
    letter = letter_of(law) if isinstance(law, AppliedUndef) else None
    return law.args[: letter.law_of] if letter else ()


def moment(n: int, mean: sympy.Expr, variance: sympy.Expr) -> sympy.Expr:
    """``E[x^n]`` for ``x ~ N(mean, variance)``: ``mean E[x^{n-1}] + (n - 1) variance E[x^{n-2}]``, by parts."""
    before, now = sympy.Integer(0), sympy.Integer(1)
    for k in range(n):
        before, now = now, sympy.expand(mean * now + k * variance * before)
    return now


BINDERS = (Mean, KL, sympy.Integral, sympy.Sum, sympy.Derivative)


def last_sum(e: sympy.Sum) -> tuple[sympy.Expr, sympy.Symbol, sympy.Expr, sympy.Expr]:
    """What a sum adds up, its index, and its ends; of a sum of sums, which SymPy joins, of the outermost."""
    *inner, (i, low, high) = e.limits
    return (sympy.Sum(e.function, *inner) if inner else e.function), i, low, high


def bound_by(e: sympy.Basic) -> tuple[sympy.Expr, ...]:
    """The variables that an integral, a sum or a derivative gives a meaning of their own."""
    return tuple(e.variables) if isinstance(e, BINDERS) else ()


@lru_cache(maxsize=200_000)
def depends(e: sympy.Basic, x: sympy.Expr) -> bool:
    """Whether ``x`` occurs in ``e`` other than as the variable of an integral or a sum."""
    if e == x:
        return True
    if isinstance(e, Mean):
        return x not in e.variables and (depends(e.args[0], x) or depends(e.args[2], x))
    if isinstance(e, KL):
        return x not in e.variables and any(depends(argument, x) for argument in e.args)
    if isinstance(e, sympy.Integral | sympy.Sum):
        inside, *limits = e.args
        ends = [end for limit in limits for end in limit.args[1:]]
        return (x not in e.variables and depends(inside, x)) or any(depends(end, x) for end in ends)
    return any(depends(argument, x) for argument in e.args)


def caught(e: sympy.Sum | sympy.Integral) -> sympy.Expr | None:
    """A variable of an integral or a sum within, on which an end depends: there the end would speak of another one."""
    inner = {x for binder in e.function.atoms(*BINDERS) for x in bound_by(binder)}
    ends = [end for limit in e.limits for end in limit.args[1:]]
    return next((x for x in inner if any(depends(end, x) for end in ends)), None)


def kind(x: sympy.Expr) -> dict[str, bool]:
    """What a variable is declared to be."""
    kinds = ("integer", "positive", "nonnegative", "nonzero", "real")
    return {name: True for name in kinds if getattr(x, f"is_{name}")}


@lru_cache(maxsize=10_000)
def canonical(e: sympy.Basic) -> sympy.Basic:
    """The same for all names of its variables: those of an integral or a sum are numbered, from the inside."""
    if not e.args or not e.has(*BINDERS):
        return e
    arguments = [canonical(argument) for argument in e.args]
    if not isinstance(e, Mean | KL | sympy.Sum | sympy.Integral):
        return e.func(*arguments)
    inside = [s.name for argument in arguments for s in argument.atoms(sympy.Symbol) if s.name.startswith("|")]
    depth = 1 + max((int(name[1:].partition(".")[0]) for name in inside), default=0)
    names = {x: sympy.Symbol(f"|{depth}.{n}", **kind(x)) for n, x in enumerate(bound_by(e))}
    return e.func(*(argument.xreplace(names) for argument in arguments))


def printed(e: sympy.Expr) -> str:
    """A letter as a reader sees it."""
    return LatexPrinter().doprint(e)
