"""An expression at other letters: what a fact says of other values. Part of what a proof trusts (``kernel.py``).

Variables of integrals and sums are renamed where they would catch what is put in.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import sympy
from sympy.core.function import AppliedUndef

from lecture11.symbolic.errors import CitationError
from lecture11.symbolic.signs import Where, below_sum, in_range, without
from lecture11.symbolic.terms import (
    BINDERS,
    KL,
    Mean,
    bound_by,
    depends,
    is_entry,
    kind,
    last_sum,
    law_variables,
    letter_of,
)


def is_variable(e: sympy.Expr) -> bool:
    """A symbol, or a state such as ``x(t)``, that one may integrate over or put something else in the place of.

    A function of real numbers is no state: another value of it would be another function, elsewhere too.
    """
    is_state = isinstance(e, AppliedUndef) and all(x.is_integer for x in e.args)
    return e.is_Symbol or (is_state and not law_variables(e) and not is_entry(e))


def counts(e: sympy.Expr) -> bool:
    """Whether a letter is an integer from 0 or 1 on."""
    return bool(e.is_integer and e.is_nonnegative)


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
    return _substituted(sympy.sympify(e), tuple((old, sympy.sympify(new)) for old, new in renaming.items()), where)


@lru_cache(maxsize=20_000)
def _substituted(e: sympy.Basic, renaming: tuple[tuple[sympy.Expr, sympy.Expr], ...], where: Where) -> sympy.Expr:
    symbols, names = {}, {}
    for old, new in renaming:
        if old.is_Symbol:
            symbols[old] = new
        elif (
            isinstance(old, AppliedUndef)
            and len(set(old.args)) == len(old.args)
            and all(map(is_variable, own_arguments(old)))
        ):
            names[old.func, len(old.args)] = _Name(own_arguments(old), new)
        else:
            raise CitationError(f"{old} is no letter: a symbol, or a name applied to different variables, is")
    return _Substitution(symbols, names, where)(e)


def _is_name(e: sympy.Expr) -> bool:
    return isinstance(e, AppliedUndef) and len(set(e.args)) == len(e.args) and all(map(is_variable, own_arguments(e)))


def own_arguments(e: AppliedUndef) -> tuple[sympy.Expr, ...]:
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
        return put(name.value, dict(zip(name.variables, arguments, strict=False)))

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
        ends_there = [self(end) for limit in limits for end in limit.args[1:] if not end.is_Number]
        chosen: dict[sympy.Expr, sympy.Expr] = {}
        for x, place in places.items():
            wanted = self.symbols.get(x, x) if x.is_Symbol else self(x)
            taken = not is_variable(wanted) or kind(wanted) != kind(x) or wanted in chosen.values()
            if taken or any(_may_be_in(part, wanted, self.where) for part in (*inside, *ends_there)):
                if isinstance(e, sympy.Derivative):
                    raise CitationError(f"the derivative over {x} of {e.expr} cannot be taken over {wanted}")
                # Nor may it be one of the other variables, whose places are kept inside.
                others = [*variables, *chosen.values()]
                wanted = sympy.Symbol(_other_name(x, [*inside, *ends_there, *others]), **kind(x))
            chosen[place] = wanted
        back = [part.xreplace(chosen) for part in inside]
        if not limits:
            return e.func(*back)
        rest = []
        for limit in limits:
            x, *ends = limit.args
            rest.append(sympy.Tuple(chosen[places[x]], *(end if end.is_Number else self(end) for end in ends)))
        return e.func(*back, *rest)


def put(e: sympy.Basic, values: dict[sympy.Expr, sympy.Expr]) -> sympy.Basic:
    """``e`` with values for variables, which may be states: none is caught by an integral."""
    places = {v: sympy.Dummy(str(v), **kind(v)) for v in values}
    with_places = _Substitution({}, {})(e) if not e.has(*values) else _free_replaced(e, places)
    return _Substitution({places[v]: value for v, value in values.items()}, {})(with_places)


def values_of(left: AppliedUndef, arguments: Iterable[sympy.Expr]) -> dict[sympy.Expr, sympy.Expr]:
    """The values of the variables of a name, for which indices such as ``t - 1`` are solved."""
    values: dict[sympy.Expr, sympy.Expr] = {}
    for wanted, value in zip(left.args, arguments, strict=True):
        if is_variable(wanted):
            values[wanted] = value
        elif len(wanted.free_symbols) == 1:
            (s,) = wanted.free_symbols
            values.setdefault(s, value - (wanted - s))
    return values


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
    return any(state.func == x.func and not differ(state, x, there) for state, there in names_in(e, where))


def differ(state: sympy.Expr, other: sympy.Expr, where: Where = ()) -> bool:
    """Whether the indices of two states show that they are two."""
    return any(
        in_range(a - b - 1, where) or in_range(b - a - 1, where)
        for a, b in zip(state.args, other.args, strict=False)
        if a.is_integer and b.is_integer
    )


def hides(left: sympy.Expr, right: sympy.Expr, x: sympy.Expr, where: Where = ()) -> bool:
    """Whether ``right`` depends on a variable, or a state that might be it, and ``left``, a name for it, does not."""
    if not isinstance(x, AppliedUndef):
        return depends(right, x) and not depends(left, x)
    return any(
        e.func == x.func and not depends(left, e) and (e == x or not differ(e, x, there))
        for e, there in names_in(right, where)
    )


@lru_cache(maxsize=20_000)
def names_in(e: sympy.Basic, where: Where = ()) -> tuple[tuple[sympy.Expr, Where], ...]:
    """All names with arguments that occur freely, each with what is known there of integers, of which those of sums
    are new ones.
    """
    if not e.args:
        return ()
    if not isinstance(e, BINDERS) or isinstance(e, sympy.Derivative):
        inside = tuple(found for argument in e.args for found in names_in(argument, where))
        return ((e, where), *inside) if isinstance(e, AppliedUndef) else inside
    if isinstance(e, sympy.Sum):
        f, i, low, high = last_sum(e)
        new = sympy.Dummy(str(i), **kind(i))
        within = names_in(f.xreplace({i: new}), below_sum(where, new, low, high))
        return (*(found for end in (low, high) for found in names_in(end, where)), *within)
    bound = bound_by(e)
    new = {x: sympy.Dummy(str(x), **kind(x)) for x in bound}
    within = without(where, bound)
    parts = [part for part in e.args if part not in bound and not isinstance(part, sympy.Tuple)]
    ends = [end for limit in getattr(e, "limits", ()) for end in limit.args[1:]]
    return tuple(found for part in (*parts, *ends) for found in names_in(part.xreplace(new), within))


def _other_name(x: sympy.Expr, inside: list) -> str:
    name = str(x.func if isinstance(x, AppliedUndef) else x)
    taken = {str(s) for part in inside for s in part.atoms(sympy.Symbol)}
    while (name := f"{name}'") in taken:
        pass
    return name


def letters(e: sympy.Basic) -> frozenset:
    """The symbols and names of functions that occur freely."""
    if isinstance(e, sympy.Symbol):
        return frozenset({e})
    bound = bound_by(e)
    if isinstance(e, Mean | KL | sympy.Sum | sympy.Integral):
        dummies = {x: sympy.Dummy() for x in bound}
        inside = e.args[:1] if isinstance(e, sympy.Sum | sympy.Integral) else e.args
        found = frozenset().union(*(letters(part.xreplace(dummies)) for part in inside)) - set(dummies.values())
        ends = (
            [end for limit in e.limits for end in limit.args[1:]] if isinstance(e, sympy.Sum | sympy.Integral) else []
        )
        return found.union(*map(letters, ends))
    own = frozenset({e.func}) if isinstance(e, AppliedUndef) else frozenset()
    return own.union(*map(letters, e.args))
