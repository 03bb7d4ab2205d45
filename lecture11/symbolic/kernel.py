"""What must be trusted: which facts a step may cite, what they say at other letters, and when a step holds.

A chain proves its equation for all values of its letters, of their kinds (``x`` real, ``v`` positive, ``t`` an integer
from 1 on, ``q`` a density) and in its range, wherever the definitions and assumptions hold that it rests on. So

- a *definition* gives a new name to an expression, once, for all values of the variables that stand in its brackets,
  and the expression is of the kind that the name is declared with. It cannot contradict anything;
- anything else that is not proved is an *assumption*, and every chain that rests on it inherits it;
- ``fact.at({v: 1})`` gives other values to letters of which no definition and no assumption below the fact speaks, if
  the values are of the same kind. Variables of integrals and sums that would be caught are renamed;
- in a step, the left side of a fact may be replaced by its right side wherever the fact holds: in its range, and below
  an integral over ``x`` if it holds for all ``x``;
- an expression has a meaning: no division by what may be 0, no root or logarithm of what may be negative, no sum with
  its ends the wrong way round. What has no meaning for some values is refused;
- an induction goes over the integers from its first on, and what it proves holds from there on.

Trusted are this file, ``signs.py``, ``algebra.py``, ``terms.py``, and what ``algebra.py`` takes from SymPy and from
analysis, as it says. Not trusted: whatever else helps to write, print or attack proofs. A step is tried at random
numbers as well (``compare.py``): they can refuse, and never let pass.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Any

import sympy
from sympy.core.function import AppliedUndef, UndefinedFunction

from lecture11.symbolic.algebra import DivergentError, is_normal_in, same_by_algebra, work_out
from lecture11.symbolic.compare import same_by_numbers, some_integers
from lecture11.symbolic.signs import Where, below_sum, in_range, is_fraction, never_negative, nonzero, positive
from lecture11.symbolic.terms import (
    BINDERS,
    KL,
    Mean,
    Normal,
    bound_by,
    canonical,
    depends,
    kind,
    last_sum,
    law_variables,
    letter_of,
)

Renaming = Mapping[sympy.Expr, Any]


class ProofError(Exception):
    """A chain that proves nothing. The message names the derivation and the step."""

    def __str__(self) -> str:
        return "".join(map(str, self.args))  # printed only when asked for: expressions are slow to print


class WrongStepError(ProofError):
    """The two ends of a step differ."""


class GapError(ProofError):
    """The two ends may be equal, but the step does not say why: no reason, a missing fact, one too many, or a leap."""


class CitationError(ProofError):
    """A step rests on what is not proved before it, or on a fact where it does not hold."""


class DefinitionError(ProofError):
    """What is called a definition is none: it does more than give a new name to an expression."""


class MeaninglessError(ProofError):
    """An expression that has no meaning for some values of its letters, or does not show that it has one."""


# --- What can be cited ------------------------------------------------------------------------------------------------


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
    by: "tuple[Fact | Definition, ...]" = ()
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


class Hypothesis:
    """Cited in the step of an induction: the statement itself, one index earlier."""


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
        return tuple(self._fact(cited) for cited in step.by)

    def _fact(self, cited: "Fact | Definition | Assumption | Derivation | Hypothesis") -> "Fact":
        if isinstance(cited, Fact):
            return Fact(cited.source, cited.renamings)  # computed anew, whatever was written into it
        if not isinstance(cited, Hypothesis):
            return Fact(cited)
        if self.induction is None:
            raise CitationError(f"{self.key} is no induction, and has no hypothesis to cite")
        return Fact(self, (((self.induction.index, self.induction.index - 1),),), hypothesis=True)

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
        return self._at(self.source.left)

    @cached_property
    def right(self) -> sympy.Expr:
        return self._at(self.source.right)

    @cached_property
    def where(self) -> Where:
        """The integers that must not be negative where the fact is used."""
        found = self.source.where
        if isinstance(self.source, Derivation) and self.source.induction:
            found = (*found, self.source.induction.index - self.source.induction.first)
        for renaming in self.renamings:
            kept = tuple(substitute(e, dict(renaming)) for e in found)
            # A new value of a letter that counts from 0 or 1 must do so too.
            new = [value - (1 if old.is_positive else 0) for old, value in renaming if old.is_Symbol and _counts(old)]
            found = (*kept, *new)
        return found

    @property
    def key(self) -> str:
        return self.source.key

    def at(self, renaming: Renaming) -> "Fact":
        """The same fact at other letters, after those that it has."""
        pairs = tuple((old, sympy.sympify(new)) for old, new in renaming.items())
        return Fact(self.source, (*self.renamings, pairs), self.hypothesis)

    def _at(self, e: sympy.Expr) -> sympy.Expr:
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


def _counts(e: sympy.Expr) -> bool:
    return bool(e.is_integer and e.is_nonnegative)


def premises(source: Source) -> "tuple[Definition | Assumption, ...]":
    """The definitions and assumptions that a fact rests on, through all chains below it."""
    return tuple(premise for premise in _premises(source, {}).values() if premise is not None)


def _premises(source: Source, found: dict) -> dict:
    if id(source) in found:
        return found
    if not isinstance(source, Derivation):
        found[id(source)] = source
        for other in (*source.by, *filter(None, [source.sign])) if isinstance(source, Definition) else ():
            _premises(other.source if isinstance(other, Fact) else other, found)
        return found
    found[id(source)] = None  # seen
    for below in cited(source):
        _premises(below, found)
    return found


def cited(chain: Derivation) -> Iterator[Source]:
    """What a chain rests on, one below it after the other."""
    for step in chain.steps:
        for one in step.by:
            source: Any = one.source if type(one) is Fact else one
            if type(source) in (Definition, Assumption, Derivation):
                yield source
            elif type(one) is not Hypothesis:
                raise CitationError(f"{chain.key} cites {one!r}, which is neither a definition nor a chain")
    if chain.induction:
        yield chain.induction.base


def fixed(source: Source) -> frozenset:
    """The letters of which the definitions and assumptions below a fact speak, and which they do not range over."""
    return frozenset().union(*(_fixed(premise) for premise in premises(source)))


@cache
def _fixed(premise: "Definition | Assumption") -> frozenset:
    if isinstance(premise, Definition) and is_axiom(premise):
        return frozenset()
    variables = premise.left.args if isinstance(premise, Definition) else premise.for_all
    states = {x: sympy.Dummy() for x in variables if isinstance(x, AppliedUndef) and not law_variables(x)}
    sides = [e.xreplace(states) for e in (premise.left, premise.right, *premise.where)]
    return frozenset().union(*map(_letters, sides)) - set(variables) - set(states.values())


def _letters(e: sympy.Basic) -> frozenset:
    """The symbols and names of functions that occur freely."""
    if isinstance(e, sympy.Symbol):
        return frozenset({e})
    bound = bound_by(e)
    if isinstance(e, Mean | KL | sympy.Sum | sympy.Integral):
        dummies = {x: sympy.Dummy() for x in bound}
        inside = e.args[:1] if isinstance(e, sympy.Sum | sympy.Integral) else e.args
        found = frozenset().union(*(_letters(part.xreplace(dummies)) for part in inside)) - set(dummies.values())
        ends = (
            [end for limit in e.limits for end in limit.args[1:]] if isinstance(e, sympy.Sum | sympy.Integral) else []
        )
        return found.union(*map(_letters, ends))
    own = frozenset({e.func}) if isinstance(e, AppliedUndef) else frozenset()
    return own.union(*map(_letters, e.args))


# --- Other letters ----------------------------------------------------------------------------------------------------


def is_variable(e: sympy.Expr) -> bool:
    """A symbol, or a state such as ``x(t)``, that one may integrate over or put something else in the place of."""
    return e.is_Symbol or (isinstance(e, AppliedUndef) and not law_variables(e))


@dataclass(frozen=True)
class _Name:
    """The name of a function, with what is to stand for it: ``f(x, y)`` for all ``x`` and ``y``."""

    variables: tuple[sympy.Expr, ...]
    value: sympy.Expr


def substitute(e: sympy.Expr, renaming: Mapping[sympy.Expr, sympy.Expr], where: Where = ()) -> sympy.Expr:
    """``e`` with other letters, all at once. Variables of integrals and sums that would be caught get other names.

    Raises:
        CitationError: what is to be renamed is neither a symbol nor a name applied to different variables.
    """
    symbols, names = {}, {}
    for old, new in renaming.items():
        if old.is_Symbol:
            symbols[old] = new
        elif isinstance(old, AppliedUndef) and len(set(old.args)) == len(old.args) and all(map(is_variable, _own(old))):
            variables = tuple(renaming.get(v, v) if v.is_Symbol else v for v in _own(old))
            names[old.func, len(old.args)] = _Name(variables, new)
        else:
            raise CitationError(f"{old} is no letter: a symbol, or a name applied to different variables, is")
    return _Substitution(symbols, names, where)(sympy.sympify(e))


def _own(e: AppliedUndef) -> tuple[sympy.Expr, ...]:
    """The arguments of a name that are its own: of a timed density the states, whose times go with them."""
    letter = letter_of(e)
    return e.args[: len(e.args) // 2] if letter and letter.timed else e.args


class _Substitution:
    def __init__(self, symbols: dict, names: dict, where: Where = ()) -> None:
        self.symbols, self.names, self.where = symbols, names, where

    def __call__(self, e: sympy.Basic) -> sympy.Basic:
        if e in self.symbols:
            return self.symbols[e]
        if not e.args:
            return e
        if isinstance(e, BINDERS):
            return self._below(e)
        arguments = [self(argument) for argument in e.args]
        name = self.names.get((e.func, len(e.args))) if isinstance(e, AppliedUndef) else None
        if name is None:
            return e.func(*arguments)
        return _put(name.value, dict(zip(name.variables, arguments, strict=False)))

    def _below(self, e: sympy.Basic) -> sympy.Basic:
        """What binds variables: they are taken for new ones, and then get a name that nothing else inside has."""
        variables = list(dict.fromkeys(bound_by(e)))
        limits = e.args[1:] if isinstance(e, sympy.Integral | sympy.Derivative) else ()
        parts = e.args[:1] if limits else e.args
        if isinstance(e, sympy.Sum):
            f, i, low, high = last_sum(e)
            variables, parts, limits = [i], (f,), (sympy.Tuple(i, low, high),)
        places = {x: sympy.Dummy(str(x), **kind(x)) for x in variables}
        inside = [self(part.xreplace(places)) for part in parts]
        chosen: dict[sympy.Expr, sympy.Expr] = {}
        for x, place in places.items():
            wanted = self.symbols.get(x, x) if x.is_Symbol else self(x)
            taken = not is_variable(wanted) or kind(wanted) != kind(x) or wanted in chosen.values()
            if taken or any(_may_be_in(part, wanted, self.where) for part in inside):
                if isinstance(e, sympy.Derivative):
                    raise CitationError(f"the derivative over {x} of {e.expr} cannot be taken over {wanted}")
                wanted = sympy.Symbol(_other_name(x, inside), **kind(x))
            chosen[place] = wanted
        back = [part.xreplace(chosen) for part in inside]
        if not limits:
            return e.func(*back)
        rest = []
        for limit in limits:
            x, *ends = limit.args
            rest.append(sympy.Tuple(chosen[places[x]], *(end if end.is_Number else self(end) for end in ends)))
        return e.func(*back, *rest)


def _put(e: sympy.Basic, values: dict[sympy.Expr, sympy.Expr]) -> sympy.Basic:
    """``e`` with values for variables, which may be states: none is caught by an integral."""
    places = {v: sympy.Dummy(str(v), **kind(v)) for v in values}
    with_places = _Substitution({}, {})(e) if not e.has(*values) else _free_replaced(e, places)
    return _Substitution({places[v]: value for v, value in values.items()}, {})(with_places)


def _free_replaced(e: sympy.Basic, new: dict[sympy.Expr, sympy.Expr]) -> sympy.Basic:
    """``e`` with variables replaced where they are free."""
    if e in new:
        return new[e]
    if not e.args:
        return e
    bound = () if isinstance(e, sympy.Derivative) else bound_by(e)
    inner = {old: value for old, value in new.items() if old not in bound}
    if isinstance(e, sympy.Sum | sympy.Integral):
        limits = [
            sympy.Tuple(limit.args[0], *(_free_replaced(end, new) for end in limit.args[1:])) for limit in e.limits
        ]
        return e.func(_free_replaced(e.function, inner), *limits)
    return e.func(*(_free_replaced(argument, inner) for argument in e.args)) if inner else e


def _may_be_in(e: sympy.Basic, x: sympy.Expr, where: Where) -> bool:
    """Whether a variable occurs, or a state of the same name that might be it."""
    if not isinstance(x, AppliedUndef):
        return e.has(x)
    return any(state.func == x.func and not _differ(state, x, where) for state in e.atoms(AppliedUndef))


def _differ(state: sympy.Expr, other: sympy.Expr, where: Where = ()) -> bool:
    """Whether the indices of two states show that they are two."""
    return any(
        in_range(a - b - 1, where) or in_range(b - a - 1, where)
        for a, b in zip(state.args, other.args, strict=False)
        if a.is_integer and b.is_integer
    )


def _other_name(x: sympy.Expr, inside: list) -> str:
    name = str(x.func if isinstance(x, AppliedUndef) else x)
    taken = {str(s) for part in inside for s in part.atoms(sympy.Symbol)}
    while (name := f"{name}'") in taken:
        pass
    return name


# --- What has a meaning -----------------------------------------------------------------------------------------------

_KNOWN = (sympy.Add, sympy.Mul, sympy.Pow, sympy.exp, sympy.log, sympy.sin, sympy.cos, sympy.erf, sympy.Abs, Normal)


@lru_cache(maxsize=50_000)
def check_meaning(e: sympy.Expr, where: Where = (), bound: tuple[sympy.Expr, ...] = ()) -> None:
    """Whether an expression is a real number for all values of its letters, in a range.

    Raises:
        MeaninglessError: it does not show that it is.
    """
    if not isinstance(e, sympy.Expr):
        raise MeaninglessError(f"{e!r} is no expression of SymPy")
    if isinstance(e, sympy.Symbol | sympy.Rational) or e in (sympy.pi, sympy.E):
        if not e.is_real:
            raise MeaninglessError(e, " is not declared to be real: give Symbol(..., real=True)")
        return
    if type(e) in BINDERS:
        _check_binder(e, where, bound)
        return
    if isinstance(e, AppliedUndef) and not e.is_real:
        raise MeaninglessError(e, " is not declared to be real: give Function(..., real=True)")
    if type(e) not in _KNOWN and type(type(e)) is not UndefinedFunction:
        raise MeaninglessError(f"{e.func.__name__} is nothing that a proof here can speak of: in ", e)
    for argument in e.args:
        check_meaning(argument, where, bound)
    if isinstance(e, sympy.log) and not positive(e.args[0], where):
        raise MeaninglessError(f"the logarithm of {e.args[0]}, which does not show that it is positive")
    if e.is_Pow and e.base != sympy.E:
        _check_power(e.base, e.exp, where)
    if isinstance(e, Normal):
        x, _, variance = e.args
        if not positive(variance, where):
            raise MeaninglessError(
                f"a normal law with the variance {variance}, which does not show that it is positive"
            )
        if is_variable(x) and not is_normal_in(e, x):
            raise MeaninglessError(f"{e} is no law of {x}: its mean or its variance depends on it")


def _check_power(base: sympy.Expr, exponent: sympy.Expr, where: Where) -> None:
    if exponent.is_Integer:
        if exponent < 0 and not nonzero(base, where):
            raise MeaninglessError(f"a division by {base}, which does not show that it is not 0")
    elif exponent.is_Rational and exponent > 0:
        if not never_negative(base, where):
            raise MeaninglessError(f"a root of {base}, which does not show that it is not negative")
    elif not positive(base, where):
        raise MeaninglessError(f"{base}^({exponent}): the base does not show that it is positive")


def _check_binder(e: sympy.Expr, where: Where, bound: tuple[sympy.Expr, ...]) -> None:
    variables = bound_by(e)
    if isinstance(e, KL):
        if not (variables and all(is_law(law, variables) for law in e.args)):
            raise MeaninglessError(f"{e}: a divergence is of two densities of one variable")
    elif not variables or (not isinstance(e, sympy.Derivative) and len(set(variables)) < len(variables)):
        raise MeaninglessError(f"{e} has no variable, or one twice")
    for x in variables:
        _check_variable(e, x, where, bound)
    inner = (*bound, *variables)
    if isinstance(e, sympy.Sum):
        f, i, low, high = last_sum(e)
        if not in_range(high - low + 1, where):
            raise MeaninglessError(f"{e}: from {low} to {high} does not show that it is no sum the wrong way round")
        if _counts(i) and not in_range(low - (1 if i.is_positive else 0), where):
            raise MeaninglessError(f"{e}: {i} is declared to begin later than {low}")
        for end in (low, high):
            check_meaning(end, where, bound)
        if depends(low, i) or depends(high, i):
            raise MeaninglessError(f"{e}: its ends depend on its index")
        check_meaning(f, below_sum(where, i, low, high), (*bound, i))
        return
    if isinstance(e, sympy.Integral):
        if len(e.limits) != 1 or len(e.limits[0]) != 3 or any(end.is_infinite for end in e.limits[0][1:]):
            raise MeaninglessError(f"{e}: an integral has two finite ends; for one over all numbers there is Mean")
        for end in e.limits[0][1:]:
            check_meaning(end, where, bound)
        if e.limits[0][1:] == (0, 1):
            x, check = variables[0], (0, 1, 1 / (1 + sympy.Dummy("w", positive=True)))
            for value in check:  # its ends, and whatever lies between them
                check_meaning(e.function.xreplace({x: sympy.sympify(value)}), where, inner)
            return
    if isinstance(e, sympy.Derivative):
        if any(not n.is_Integer for _, n in e.variable_count) or e.expr.has(sympy.Abs):
            raise MeaninglessError(f"{e} is a derivative that need not exist")
        rooted = [p.base for p in e.expr.atoms(sympy.Pow) if p.exp.is_Rational and not p.exp.is_Integer]
        if not all(positive(base, where) for base in rooted):
            raise MeaninglessError(f"{e} is the derivative of a root, which need not exist at 0")
    for part in e.args if isinstance(e, Mean | KL) else e.args[:1]:
        if not isinstance(part, sympy.Tuple):
            check_meaning(part, where, inner)


def _check_variable(e: sympy.Expr, x: sympy.Expr, where: Where, bound: tuple[sympy.Expr, ...]) -> None:
    if not is_variable(x) or not x.is_real:
        raise MeaninglessError(f"{e}: {x} is no real variable")
    if isinstance(e, sympy.Sum):
        if not (x.is_Symbol and x.is_integer):
            raise MeaninglessError(f"{e}: {x} is no integer to sum over")
    elif not isinstance(e, sympy.Derivative) and kind(x) != {"real": True}:
        raise MeaninglessError(f"{e}: {x} is not a variable that takes all real values")
    if x in bound and not isinstance(e, sympy.Derivative):
        raise MeaninglessError(f"{e}: {x} is the variable of an integral or a sum around it")
    if isinstance(x, AppliedUndef):
        for state in e.args[0].atoms(AppliedUndef) | e.args[-1].atoms(AppliedUndef):
            if state.func == x.func and state != x and not _differ(state, x, where):
                raise MeaninglessError(f"{e}: is {state} the variable {x}? Their indices do not show it")


def is_law(e: sympy.Expr, variables: tuple[sympy.Expr, ...]) -> bool:
    """Whether an expression is a density of some variables: a normal one, an unknown one, a product or a mixture."""
    if not variables:
        return e == 1
    if len(variables) == 1 and is_normal_in(e, variables[0]):
        return True
    if isinstance(e, AppliedUndef) and sorted(law_variables(e), key=str) == sorted(variables, key=str):
        rest = _own(e)[len(law_variables(e)) :]
        return not any(depends(part, x) for part in rest for x in variables)
    if isinstance(e, Mean):
        f, _, law = e.args
        inner = e.variables
        return is_law(f, variables) and is_law(law, inner) and not any(depends(law, x) for x in variables)
    factors = sympy.Mul.make_args(e)
    if len(factors) < 2:
        return False
    for factor in factors:
        own = tuple(x for x in law_variables(factor) if x in variables)
        rest = sympy.Mul(*(other for other in factors if other is not factor))
        others = tuple(x for x in variables if x not in own)
        if own and is_law(factor, own) and not any(depends(rest, x) for x in own) and is_law(rest, others):
            return True
    return False


def has_kind(new: sympy.Expr, old: sympy.Expr, where: Where, variables: tuple[sympy.Expr, ...]) -> bool:
    """Whether what is put in the place of ``old`` is of its kind: a density, positive, an integer, a number."""
    letter = letter_of(old) if isinstance(old, AppliedUndef) else None
    if letter and letter.law_of:
        return is_law(new, variables[: letter.law_of])
    if letter and letter.fraction:
        return is_fraction(new, where) or (positive(new, where) and positive(1 - new, where))
    if old.is_integer:
        return bool(new.is_integer)  # from which number on, the range says
    if old.is_positive:
        return positive(new, where)
    if old.is_nonnegative:
        return never_negative(new, where)
    if old.is_nonzero:
        return nonzero(new, where)
    return True


# --- Definitions ------------------------------------------------------------------------------------------------------


def is_axiom(definition: Definition) -> bool:
    """Whether it says what holds of all densities: their mass is 1, and what ``KL`` is."""
    left, right = definition.left, definition.right
    if isinstance(left, Mean):
        return left.args[0] == 1 and right == 1 and is_law(left.args[2], left.variables)
    if isinstance(left, KL):
        f, g = left.args
        return len(left.variables) == 1 and right == Mean(sympy.log(f / g), left.variables[0], f)
    return False


def check_definition(definition: Definition) -> None:
    """Whether a definition gives a new name to an expression, and to nothing else.

    Raises:
        DefinitionError, MeaninglessError
    """
    left, right, where = definition.left, definition.right, definition.where
    says = f"{definition.key}: {left} = {right}"
    for side in (left, right):
        check_meaning(side, where)
    if is_axiom(definition):
        return
    if not (left.is_Symbol or isinstance(left, AppliedUndef)):
        raise DefinitionError(
            says, " is no definition: on its left stands no name. If it is assumed, it is an Assumption"
        )
    own = _own(left) if isinstance(left, AppliedUndef) else ()
    variables = [e for e in own if not (e.is_integer and not e.is_Symbol and not e.has(AppliedUndef))]
    if len(set(variables)) < len(variables) or not all(map(is_variable, variables)):
        raise DefinitionError(says, " is no definition: a name is applied to different variables, once for all of them")
    _check_recursion(definition, says)
    if any(x in _letters(right) for x in [left]) or not _is_kind_of(definition):
        raise DefinitionError(says, " is no definition: the name is declared to be of a kind that this does not show")


def _is_kind_of(definition: Definition) -> bool:
    left, right, where = definition.left, definition.right, definition.where
    variables = law_variables(left) if isinstance(left, AppliedUndef) else ()
    if has_kind(right, left, where, variables):
        return True
    if definition.sign is not None:
        proof = Fact(definition.sign)
        weak = left.is_nonnegative and not left.is_positive
        proved = isinstance(proof.source, Derivation) and proof.source.nonnegative and proof.left == right
        general = not (_letters(left) - {left.func}) & proof.fixed
        return bool(weak and proved and general and all(in_range(e, where) for e in proof.where))
    if variables and definition.by:
        # A density over its own integral.
        above, below = sympy.fraction(sympy.together(right))
        facts = [cited if isinstance(cited, Fact) else Fact(cited) for cited in definition.by]
        above, below = (rewrite(part, facts, where) for part in (above, below))
        if isinstance(below, Mean) and set(below.variables) == set(variables):
            return never_negative(above, where) and bool(sympy.expand(below.args[0] * below.args[2] - above) == 0)
    return False


def _check_recursion(definition: Definition, says: str) -> None:
    """The name may stand on the right at an index that is smaller, counted from somewhere on."""
    left, where = definition.left, definition.where
    inner = [e for e in definition.right.atoms(AppliedUndef) if e.func == left.func and len(e.args) == len(left.args)]
    if definition.right.has(left):
        raise DefinitionError(says, " is no definition: it speaks of itself")
    if not inner:
        return
    for measures in zip(*map(_measures, (left, *inner)), strict=True):
        first, *others = measures
        if in_range(first, where) and all(in_range(first - other - 1, where) for other in others):
            return
    raise DefinitionError(says, " is no definition: it speaks of itself, and not at a smaller index")


def _measures(e: AppliedUndef) -> list[sympy.Expr]:
    """What may become smaller in a recursion: an index, or of a timed density the steps between its states."""
    letter = letter_of(e)
    steps = [e.args[len(e.args) // 2] - e.args[-1]] if letter and letter.timed else []
    return [argument if argument.is_integer else sympy.nan for argument in e.args] + steps


def check_definitions(all_of_them: Iterable[Definition], key: str) -> None:
    """Whether each name is defined once, and none by way of itself.

    Raises:
        DefinitionError
    """
    named: dict[Any, list[Definition]] = {}
    for definition in all_of_them:
        if not is_axiom(definition):
            others = named.setdefault(_head(definition.left), [])
            for other in others:
                if other is not definition and _overlap(other, definition):
                    raise DefinitionError(
                        f"{key}: {definition.left} is defined twice: as {other.right} and as {definition.right}"
                    )
            others.append(definition)
    uses = {
        head: {
            _head(e)
            for definition in definitions
            for e in definition.right.atoms(sympy.Symbol, AppliedUndef)
            if _head(e) in named
        } - {head}
        for head, definitions in named.items()
    }  # fmt: skip
    while uses:
        done = [head for head, used in uses.items() if not used]
        if not done:
            raise DefinitionError(f"{key}: definitions in a circle: {', '.join(str(head[0]) for head in uses)}")
        uses = {head: used - set(done) for head, used in uses.items() if head not in done}


def _head(e: sympy.Expr) -> tuple:
    return (e.func, len(e.args)) if isinstance(e, AppliedUndef) else (e, 0)


def _overlap(one: Definition, other: Definition) -> bool:
    """Whether two definitions of one name may speak of the same index."""
    apart = {s: sympy.Dummy(str(s), **kind(s)) for s in other.left.args if s.is_Symbol and s.is_integer}
    mine, theirs = list(one.left.args), [e.xreplace(apart) for e in other.left.args]
    where = (*one.where, *(e.xreplace(apart) for e in other.where))
    for i, a in enumerate(mine):
        b = theirs[i]
        if not (a.is_integer and b.is_integer):
            continue
        if in_range(a - b - 1, where) or in_range(b - a - 1, where):
            return False
        unknown = b.free_symbols & set(apart.values())
        if len(unknown) == 1:
            (s,) = unknown
            solved = {s: sympy.solve(b - a, s)[0]}
            least = 1 if s.is_positive else 0 if s.is_nonnegative else None
            where = tuple(e.xreplace(solved) for e in where) + ((solved[s] - least,) if least is not None else ())
            theirs = theirs[: i + 1] + [e.xreplace(solved) for e in theirs[i + 1 :]]
    return True


# --- Rewriting --------------------------------------------------------------------------------------------------------


def rewrite(e: sympy.Expr, facts: Iterable[Fact], where: Where = (), place: str = "") -> sympy.Expr:
    """``e`` with the left side of each fact replaced by the right, until none is left.

    Raises:
        CitationError: a fact is used where it does not hold, or the facts go round in a circle.
    """
    rules = tuple((fact.left, fact.right, fact.where, fact.fixed) for fact in facts)
    try:
        return _rewrite(e, rules, where)
    except RecursionError:
        raise CitationError(f"{place}: the facts it cites replace each other for ever") from None


@lru_cache(maxsize=10_000)
def _rewrite(e: sympy.Expr, rules: tuple, where: Where) -> sympy.Expr:
    for _ in range(10):
        before = e
        for rule in rules:
            left, right, needs, fixed_letters = rule
            e = _replace(e, left, right, needs, fixed_letters, where)
        if e == before:
            return e
    raise RecursionError


def _replace(
    e: sympy.Expr, left: sympy.Expr, right: sympy.Expr, needs: Where, fixed: frozenset, where: Where
) -> sympy.Expr:
    """``e`` with ``left`` replaced by ``right``, but for variables of integrals, sums and derivatives."""
    if e == left or (isinstance(e, BINDERS) and isinstance(left, BINDERS) and canonical(e) == canonical(left)):
        for need in needs:
            if not in_range(need, where):
                raise CitationError(f"{left} = {right} holds for {need} >= 0, which does not show here")
        return right
    if not e.args or not (e.has(left) or (isinstance(left, BINDERS) and e.has(type(left)))):
        return e
    bound = bound_by(e)
    if left in bound:
        return e
    for x in bound:
        if depends(right, x) and not depends(left, x):
            raise CitationError(
                f"{left} stands where {x} is a variable: there it cannot become {right}. Write it as a function of {x}"
            )
        if depends(left, x) and (x.func if isinstance(x, AppliedUndef) else x) in fixed:
            raise CitationError(
                f"{left} stands where {x} is a variable, and that it is {right}, holds for one {x} alone"
            )
    if isinstance(e, sympy.Sum):
        f, i, low, high = last_sum(e)
        ends = [_replace(end, left, right, needs, fixed, where) for end in (low, high)]
        inside = _replace(f, left, right, needs, fixed, below_sum(where, i, low, high))
        return sympy.Sum(inside, (i, *ends))
    if isinstance(e, sympy.Derivative):
        return sympy.Derivative(_replace(e.expr, left, right, needs, fixed, where), *e.variable_count)
    return e.func(*(_replace(argument, left, right, needs, fixed, where) for argument in e.args))


# --- The names of the project ----------------------------------------------------------------------------------------

_registered: dict[str, Derivation] = {}
_arguments: dict[str, set[int]] = {}  # of each name, how many it takes
_own_premises: set[int] = set()


def register(chains: Iterable[Derivation]) -> None:
    """Enters chains whose names nobody else may define, or use with another number of arguments.

    Raises:
        ValueError: a key is given twice, or a name is used with different numbers of arguments.
    """
    for chain in chains:
        if _registered.setdefault(chain.key, chain) is not chain:
            raise ValueError(f"the key {chain.key} is given twice")
        below = premises(chain)
        _own_premises.update(map(id, below))
        said = [side for premise in below for side in (premise.left, premise.right)]
        for e in (*chain.lines, *said, *(printed for _, printed in chain.printed)):
            for applied in e.atoms(AppliedUndef):
                numbers = _arguments.setdefault(applied.func.__name__, set())
                numbers.add(len(applied.args))
                if len(numbers) > 1 and not law_variables(applied):
                    raise ValueError(f"{chain.key}: {applied.func} is used with {numbers} arguments")


def check_names(e: sympy.Expr) -> None:
    """Whether each name of the project has as many arguments as there.

    Raises:
        MeaninglessError
    """
    for applied in e.atoms(AppliedUndef):
        numbers = _arguments.get(applied.func.__name__)
        if numbers and len(applied.args) not in numbers:
            raise MeaninglessError(
                f"{applied}: {applied.func} is a name that depends on {max(numbers)} things: list them"
            )


# --- When a chain holds -----------------------------------------------------------------------------------------------


def check_fact(fact: Fact, where: Where, using: Derivation) -> None:
    """Whether a fact says no more than its source has proved.

    Raises:
        CitationError: it renames what is not a variable of it, or gives it a value of another kind.
    """
    taken = fixed(fact.source)
    within = (*where, *fact.where)
    for renaming in fact.renamings:
        for old, new in renaming:
            letter = old if old.is_Symbol else old.func
            if letter in taken:
                raise CitationError(
                    f"{fact.key}: it is not stated for all {old}, of which a definition or an assumption speaks"
                )
            check_meaning(new, within)
            variables = tuple(dict(renaming).get(v, v) for v in _own(old)) if isinstance(old, AppliedUndef) else ()
            bound_only = old.is_Symbol and is_variable(new) and kind(new) == kind(old)
            if not bound_only and not has_kind(new, old, within, variables):
                raise CitationError(f"{fact.key}: {new} does not show that it is what {old} is declared to be")
    if fact.hypothesis and (fact.source is not using or len(fact.renamings) != 1):
        raise CitationError(f"{using.key}: the hypothesis of another chain")
    for side in (fact.left, fact.right):
        check_meaning(side, within)


def check_is_chain(chain: Any) -> None:
    """Raises CitationError if it is none."""
    if type(chain) is not Derivation:
        raise CitationError(f"{chain!r} is no derivation")
    if not chain.steps:
        raise GapError(f"{chain.key} has no step")


_verified: dict[int, tuple] = {}


def _snapshot(chain: Derivation) -> tuple:
    steps = tuple((step.expression, step.by) for step in chain.steps)
    return (chain, chain.start, steps, chain.induction, chain.where, chain.nonnegative)


def verify(chain: Derivation, above: tuple[Derivation, ...] = ()) -> None:
    """Whether a chain holds, and every chain that it rests on. What was verified is not verified again.

    Raises:
        ProofError: at the first thing that fails.
    """
    check_is_chain(chain)
    if any(chain is other for other in above):
        raise CitationError(f"{chain.key} rests on itself: {' <- '.join(other.key for other in (*above, chain))}")
    known = _verified.get(id(chain))
    if known is not None and known == _snapshot(chain):
        return
    for source in cited(chain):
        if isinstance(source, Derivation):
            verify(source, (*above, chain))
    check_range(chain.range, chain.key)
    check_premises(chain, above)
    for line in chain.lines:
        check_line(line, chain)
    for number in range(1, len(chain.steps) + 1):
        check_step(chain, number, chain.steps[number - 1])
    if chain.induction:
        _check_induction(chain, chain.induction)
    if chain.nonnegative:
        first = (chain.induction.index - chain.induction.first,) if chain.induction else ()
        if not never_negative(chain.right, (*chain.where, *first)):
            raise GapError(f"{chain.key}: {chain.right} does not show that it is never negative")
    _verified[id(chain)] = _snapshot(chain)


def check_range(where: Where, key: str) -> None:
    """Whether a range speaks of integers, and there are some in it."""
    for e in where:
        if not e.is_integer:
            raise MeaninglessError(f"{key}: {e} is no integer, and a range is one of integers")
    try:
        some_integers(where)
    except ValueError as error:
        raise MeaninglessError(f"{key}: {error}") from None


def check_premises(chain: Derivation, above: tuple[Derivation, ...] = ()) -> None:
    """Whether the definitions and assumptions below a chain are such, and do not define a name twice.

    Raises:
        DefinitionError, MeaninglessError
    """
    below = premises(chain)
    for premise in below:
        if isinstance(premise, Definition):
            check_definition(premise)
            if premise.sign is not None:
                verify(premise.sign, (*above, chain))
            foreign = id(premise) not in _own_premises and not is_axiom(premise)
            if foreign and isinstance(premise.left, AppliedUndef) and premise.left.func.__name__ in _arguments:
                raise DefinitionError(f"{premise.key}: {premise.left.func} is a name of the project: take another one")
        else:
            for side in (premise.left, premise.right):
                check_meaning(side, premise.where)
            if nonzero(premise.left - premise.right, premise.where):
                raise DefinitionError(
                    f"{premise.key}: {premise.left} = {premise.right} holds for no values: assume less"
                )
    definitions = [premise for premise in below if isinstance(premise, Definition)]
    check_definitions(definitions, chain.key)
    binders = {e for line in chain.lines for e in line.atoms(*BINDERS)}
    for definition in definitions:
        for e in binders if not is_axiom(definition) else ():
            for x in bound_by(e):
                if (
                    depends(definition.right, x)
                    and not depends(definition.left, x)
                    and e.has(_head(definition.left)[0])
                ):
                    raise DefinitionError(
                        f"{chain.key}: {definition.left} depends on {x}, and stands where that is a variable: list it"
                    )


def check_line(line: sympy.Expr, chain: Derivation) -> None:
    """Whether a line has a meaning, and its integrals converge."""
    check_meaning(line, chain.range)
    check_names(line)
    try:
        work_out(line, chain.range)
    except DivergentError as error:
        raise MeaninglessError(f"{chain.key}: {error}") from None


def check_step(chain: Derivation, number: int, step: Step) -> None:
    """Whether a step holds, or another one in its place.

    Raises:
        WrongStepError, GapError, CitationError
    """
    where = f"{chain.key}, step {number} ({step.reason or 'no reason'})"
    before = chain.lines[number - 1]
    facts = chain.facts(step)
    for fact in facts:
        check_fact(fact, chain.range, chain)
    left, right = (rewrite(side, facts, chain.range, where) for side in (before, step.expression))
    if not same_by_numbers(left, right, where=chain.range):
        raise WrongStepError(where, ": ", before, " is not equal to ", step.expression)
    if not same_by_algebra(left, right, chain.range):
        raise GapError(where, ": the numbers agree, but algebra does not get from ", left, " to ", right)


def _check_induction(chain: Derivation, induction: Induction) -> None:
    index, first = induction.index, induction.first
    if not (index.is_Symbol and index.is_integer):
        raise GapError(f"{chain.key}: an induction goes over integers, and {index} is not declared to be one")
    if index in fixed(chain):
        raise GapError(f"{chain.key}: a definition or an assumption speaks of {index}: it holds for one {index} alone")
    if not isinstance(first, int) or not in_range(
        first - (1 if index.is_positive else 0 if index.is_nonnegative else first)
    ):
        raise GapError(f"{chain.key}: {index} does not begin at {first}")
    start = (
        substitute(chain.left, {index: sympy.Integer(first)}),
        substitute(chain.right, {index: sympy.Integer(first)}),
    )
    base = Fact(induction.base)
    if start != (base.left, base.right):
        raise GapError(f"{chain.key}: {base.key} proves {base.left} = {base.right}, not {start[0]} = {start[1]}")
    there = tuple(e.xreplace({index: sympy.Integer(first)}) for e in chain.where)
    if not all(in_range(e, there) for e in base.where):
        raise GapError(f"{chain.key}: {base.key} does not hold in all of its range")
