"""What a chain is made of, and what can be cited: definitions, assumptions, chains. Part of what a proof trusts.

A fact says what its source says, at other letters: it is computed from it, so that it cannot say anything else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from lecture11.symbolic.errors import CitationError
from lecture11.symbolic.meaning import is_law
from lecture11.symbolic.signs import Where, in_range
from lecture11.symbolic.substitution import counts, letters, substitute
from lecture11.symbolic.terms import (
    KL,
    Mean,
    depends,
    kind,
    last,
    law_variables,
    rest,
)

Renaming = Mapping[sympy.Expr, Any]


def _pairs(renaming: Renaming) -> tuple[tuple[sympy.Expr, sympy.Expr], ...]:
    return tuple((old, sympy.sympify(new)) for old, new in renaming.items())


class _Source:
    """What can be cited."""

    key: str
    left: sympy.Expr
    right: sympy.Expr
    where: Where

    @property
    def formula(self) -> str:
        """The id in the lecture, ``F28`` of ``F28.base``; empty if the lecture has none."""
        return self.key.partition(".")[0] if self.key.startswith("F") else ""

    def at(self, renaming: Renaming) -> "Fact":
        """The same fact at other letters: ``F28.at({t: t - 1})``, ``F8.at({f(x): x**2})``."""
        return Fact(self).at(renaming)  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class Definition(_Source):
    """``left`` is a name for ``right``: nothing to prove. That a density has mass 1, and what ``KL`` is, counts as one.

    Attributes:
        key: the id of the statement in the lecture, or what is defined.
        statement: in words.
        left: a symbol, or a name applied to different variables: ``h(n)``. Of a recursion also ``h(0)``.
        where: integers that are not negative where it holds: ``(n - 1,)`` for n from 1 on.
        by: definitions that show the name of a density to be given to one.
        sign: a chain that proves ``right`` to be of the sign that the name is declared with.
    """

    key: str
    statement: str
    left: sympy.Expr
    right: sympy.Expr
    where: Where = ()
    by: "tuple[Fact | Definition | Derivation, ...]" = ()
    sign: "Derivation | None" = None


@dataclass(frozen=True, eq=False)
class Assumption(_Source):
    """``left = right`` is taken to hold: what is proved with it, is proved for the case in which it holds.

    Attributes:
        key: the id of the statement in the lecture, or what is assumed.
        statement: in words.
        for_all: the letters for all values of which it holds; all others are those of the case.
        where: as of a definition.
    """

    key: str
    statement: str
    left: sympy.Expr
    right: sympy.Expr
    for_all: tuple[sympy.Expr, ...] = ()
    where: Where = ()


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """Cited in the step of an induction: the statement itself, one index earlier.

    Attributes:
        renamings: other letters, of those for all values of which it is stated; for a function a mean of it alone,
            under a law: of what else it would become, further down, no line speaks.
    """

    renamings: tuple[tuple[tuple[sympy.Expr, sympy.Expr], ...], ...] = ()

    def at(self, renaming: Renaming) -> "Hypothesis":
        """The statement one index earlier, at other letters: ``HYPOTHESIS.at({j: j + 1})``."""
        return Hypothesis((*self.renamings, _pairs(renaming)))


HYPOTHESIS = Hypothesis()


@dataclass(frozen=True, eq=False)
class Step:
    """The next line of a chain.

    Attributes:
        expression: what stands there.
        reason: why it equals the line before, in a few words: 'complete the square'.
        by: the facts it needs, none of them idle.
    """

    expression: sympy.Expr
    reason: str
    by: "tuple[Fact | Definition | Assumption | Derivation | Hypothesis, ...]" = ()


@dataclass(frozen=True, eq=False)
class Induction:
    """What makes a chain the step of an induction: it may cite ``HYPOTHESIS``, its own statement one index earlier.

    Attributes:
        index: the integer that the statement holds for, from ``first`` on. In the chain it is larger than that.
        base: the chain that proves it at ``first``.
    """

    index: sympy.Symbol
    base: "Derivation"
    first: int = 1


@dataclass(frozen=True, eq=False)
class Derivation(_Source):
    """``start = ... = the expression of the last step``.

    Attributes:
        key: the id of the statement, ``F28``; of several for one statement, ``F28.base``.
        statement: what is proved, in words.
        start: the left side; what it means, the first steps take from definitions.
        steps: the chain.
        code: the function of the package that computes the result.
        printed: what the notes print instead, by the id of the erratum: a chain must not be able to end there.
        induction: if the chain is the step of an induction.
        nonnegative: whether the result is never negative, and shows it: as a sum of squares, for example.
        where: integers that are not negative where it holds: ``(t - 2,)`` for t from 2 on.
    """

    key: str
    statement: str
    start: sympy.Expr
    steps: tuple[Step, ...]
    code: Any = None
    printed: tuple[tuple[str, sympy.Expr], ...] = ()
    induction: Induction | None = None
    nonnegative: bool = False
    where: Where = ()

    @property
    def left(self) -> sympy.Expr:
        return self.start

    @property
    def right(self) -> sympy.Expr:
        """The result."""
        return self.steps[-1].expression

    @property
    def lines(self) -> tuple[sympy.Expr, ...]:
        """All expressions, from the start on."""
        return (self.start, *(step.expression for step in self.steps))

    @property
    def range(self) -> Where:
        """Where its lines hold: of an induction, behind the first index."""
        if self.induction is None:
            return self.where
        return (*self.where, self.induction.index - self.induction.first - 1)

    def facts(self, step: Step) -> "tuple[Fact, ...]":
        """What a step cites."""
        return tuple(self.fact_of(cited) for cited in step.by)

    def fact_of(self, cited: "Fact | Definition | Assumption | Derivation | Hypothesis") -> "Fact":
        if isinstance(cited, Fact):
            return Fact(cited.source, cited.renamings)  # computed anew, whatever was written into it
        if not isinstance(cited, Hypothesis):
            return Fact(cited)
        if self.induction is None:
            raise CitationError(f"{self.key} is no induction, and has no hypothesis to cite")
        earlier = ((self.induction.index, self.induction.index - 1),)
        return Fact(self, (earlier, *cited.renamings), hypothesis=True)

    def __repr__(self) -> str:
        return f"{self.key}, in {len(self.steps)} {'step' if len(self.steps) == 1 else 'steps'}: {self.statement}"


Source = Definition | Assumption | Derivation


@dataclass(frozen=True)
class Fact:
    """``left = right``, as a step may use it: taken from its source, at other letters.

    Made by ``at``. Its sides are computed from its source, so that it cannot say anything else.
    """

    source: Source
    renamings: tuple[tuple[tuple[sympy.Expr, sympy.Expr], ...], ...] = ()
    hypothesis: bool = False

    @cached_property
    def left(self) -> sympy.Expr:
        return self.renamed(self.source.left)

    @cached_property
    def right(self) -> sympy.Expr:
        return self.renamed(self.source.right)

    @cached_property
    def where(self) -> Where:
        """The integers that must not be negative where the fact is used."""
        found = self.source.where
        if isinstance(self.source, Derivation) and self.source.induction:
            found = (*found, self.source.induction.index - self.source.induction.first)
        for renaming in self.renamings:
            kept = tuple(substitute(e, dict(renaming)) for e in found)
            # A new value of a letter that counts from 0 or 1 must do so too.
            new = [value - (1 if old.is_positive else 0) for old, value in renaming if old.is_Symbol and counts(old)]
            found = (*kept, *new)
        return found

    @property
    def in_general(self) -> "Fact":
        """The same fact for all values of the letters that a hypothesis below it moves: each has several there.

        The index of its induction has. In a hypothesis it is that of the chain, one less, and general already.
        """
        steps = self.source.steps if isinstance(self.source, Derivation) else ()
        moved = [one.renamings for step in steps for one in step.by if type(one) is Hypothesis]
        changed = {old for renamings in moved for renaming in renamings for old, _ in renaming if old.is_Symbol}
        induction = self.source.induction if isinstance(self.source, Derivation) else None
        if induction and moved and not self.hypothesis:
            changed.add(induction.index)
        # Under a name that no value has which is put in later, nor a fact below this one, which has more renamings.
        others = tuple(
            (old, sympy.Symbol(f"{old}|{len(self.renamings)}", **kind(old))) for old in sorted(changed, key=str)
        )
        return Fact(self.source, (others, *self.renamings), self.hypothesis) if others else self

    @property
    def key(self) -> str:
        return self.source.key

    def at(self, renaming: Renaming) -> "Fact":
        """The same fact at other letters, after those that it has."""
        return Fact(self.source, (*self.renamings, _pairs(renaming)), self.hypothesis)

    def renamed(self, e: sympy.Expr) -> sympy.Expr:
        for renaming in self.renamings:
            e = substitute(e, dict(renaming), self.where)
        return e

    @cached_property
    def fixed(self) -> frozenset:
        """The letters that it is not about all values of: symbols, and names of functions."""
        here = fixed(self.source)
        if self.hypothesis and isinstance(self.source, Derivation) and self.source.induction:
            return here | {self.source.induction.index}
        return here


def premises(source: Source) -> "tuple[Definition | Assumption, ...]":
    """The definitions and assumptions that a fact rests on, through all chains below it."""
    return tuple(premise for premise in _premises(source, {}).values() if premise is not None)


def _premises(source: Source, found: dict) -> dict:
    if id(source) in found:
        return found
    found[id(source)] = None if isinstance(source, Derivation) else source
    for below in cited(source):
        _premises(below, found)
    return found


def cited(source: Source) -> Iterator[Source]:
    """What a chain rests on, one below it after the other; of a definition, what shows it to be one."""
    if type(source) is Definition:
        named: list[Any] = [*source.by, *([] if source.sign is None else [source.sign])]
    elif type(source) is Derivation:
        named = [one for step in source.steps for one in step.by if type(one) is not Hypothesis]
        named += [] if source.induction is None else [source.induction.base]
    else:
        named = []
    for one in named:
        below = one.source if type(one) is Fact else one
        if type(below) not in (Definition, Assumption, Derivation):
            raise CitationError(f"{source.key} cites {one!r}, which is neither a definition nor a chain")
        yield below


def fixed(source: Source) -> frozenset:
    """The letters of which the definitions and assumptions below a fact speak, and which they do not range over."""
    return frozenset().union(*(fixed_by(premise) for premise in premises(source)))


def fixed_by(premise: "Definition | Assumption") -> frozenset:
    if isinstance(premise, Definition):
        if is_axiom(premise):
            return frozenset({rest, last}) if is_of_pairs(premise) else frozenset()
        return _fixed(premise.left.args, premise.left, premise.right, *premise.where)
    return _fixed(premise.for_all, premise.left, premise.right, *premise.where)


@lru_cache(maxsize=10_000)
def _fixed(variables: tuple[sympy.Expr, ...], *sides: sympy.Expr) -> frozenset:
    states = {x: sympy.Dummy() for x in variables if isinstance(x, AppliedUndef) and not law_variables(x)}
    found = frozenset().union(*(letters(e.xreplace(states)) for e in sides))
    return found - set(variables) - set(states.values())


def is_axiom(definition: "Definition | Assumption") -> bool:
    """Whether it says what holds of all densities, or of all functions that can be integrated.

    That the mass of a density is 1, what ``KL`` is, and an integral over another variable or over a list.
    """
    return _is_axiom(definition.left, definition.right, definition.where)


@lru_cache(maxsize=10_000)
def _is_axiom(left: sympy.Expr, right: sympy.Expr, where: Where) -> bool:
    if _is_of_pairs(left, right, where):
        return True
    if isinstance(left, Mean):
        if left.args[0] == 1 and right == 1:
            return is_law(left.args[2], left.variables)
        return is_other_variable(left, right)
    if isinstance(left, KL):
        f, g = left.args
        return len(left.variables) == 1 and right == Mean(sympy.log(f / g), left.variables[0], f)
    return False


def is_of_pairs(definition: "Definition | Assumption") -> bool:
    """Whether it says that an integral over a list is one over its last entry and over what stands before it.

    The list occurs in these two parts alone, and so any two numbers may stand in their place.
    """
    return _is_of_pairs(definition.left, definition.right, definition.where)


@lru_cache(maxsize=10_000)
def _is_of_pairs(left: sympy.Expr, right: sympy.Expr, where: Where) -> bool:
    if not (isinstance(left, Mean) and isinstance(right, Mean) and len(left.variables) == 1):
        return False
    (z,) = left.variables
    lengths = {e.args[1] for e in left.atoms(rest, last) if e.args[0] == z}
    if len(lengths) != 1 or len(set(right.variables)) != 2 or depends(right, z):
        return False
    (n,) = lengths
    parts = dict(zip(right.variables, (rest(z, n), last(z, n)), strict=True))
    one, other = (mean.args[0] * mean.args[2] for mean in (left, right))
    same = substitute(other, parts) == one
    fits = all(x.is_Symbol for x in parts) and n.is_integer and not depends(n, z)
    return bool(same and fits) and in_range(n - 2, where)


def is_other_variable(left: Mean, right: sympy.Expr) -> bool:
    """Whether it is the rule for ``x = a + b y`` with positive ``b``: ``int f(x) dx = int b f(a + b y) dy``."""
    f, x, law = left.args
    if law != 1 or not isinstance(f, AppliedUndef) or f.args != (x,) or law_variables(f) or not isinstance(right, Mean):
        return False
    g, y, law = right.args
    b = sympy.Mul(*(factor for factor in sympy.Mul.make_args(g) if factor.is_Symbol))
    a = sympy.Add(*(term for part in g.atoms(type(f)) for term in sympy.Add.make_args(part.args[0]) if term.is_Symbol))
    plain = all(e.is_Symbol and e.is_real for e in (x, y, a, b)) and len({x, y, a, b}) == 4
    return bool(plain and b.is_positive and law == 1 and g == b * f.func(a + b * y))
