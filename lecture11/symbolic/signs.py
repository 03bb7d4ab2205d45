"""Is an expression positive, whatever its letters stand for? Asked of its form, the kinds of its letters, and ranges.

Part of what a proof trusts (``kernel.py``). A range is a tuple of integers that are not negative: ``(t - 2, d - j)``.
"""

from functools import lru_cache
from itertools import combinations_with_replacement

import sympy
from sympy.core.function import AppliedUndef

from lecture11.symbolic.terms import BINDERS, Mean, Normal, bound_by, depends, last_sum, letter_of

Where = tuple[sympy.Expr, ...]

POSITIVE, NOT_NEGATIVE, NEGATIVE, NOT_POSITIVE, UNKNOWN = "+", "0+", "-", "0-", "?"
_OTHER = {"+": "-", "-": "+", "0+": "0-", "0-": "0+", "?": "?"}


@lru_cache(maxsize=50_000)
def in_range(e: sympy.Expr, where: Where = ()) -> bool:
    """Whether ``e >= 0`` for all integers in a range: it is a sum of what is not negative, at most two of the range."""
    e = sympy.expand(e)
    for n in range(3):
        for some in combinations_with_replacement(where, n):
            if sympy.expand(e - sympy.Add(*some)).is_nonnegative:
                return True
    return False


def below_sum(where: Where, i: sympy.Symbol, low: sympy.Expr, high: sympy.Expr) -> Where:
    """The range below a sum: of its index is known what its ends say, and nothing that was said of another one."""
    return (*(e for e in where if not e.has(i)), i - low, high - i)


def without(where: Where, variables: tuple[sympy.Expr, ...]) -> Where:
    """The range below an integral: nothing that was said of another letter of its variable's name."""
    return tuple(e for e in where if not any(e.has(x) for x in variables))


def outside(where: Where, *sides: sympy.Basic) -> Where:
    """What a range says all over some expressions: nothing of a letter that a sum or an integral in them takes."""
    return without(where, tuple({x for e in sides for binder in e.atoms(*BINDERS) for x in bound_by(binder)}))


def positive(e: sympy.Expr, where: Where = ()) -> bool:
    """Whether it shows that ``e > 0``."""
    return sign(e, where) == POSITIVE


def never_negative(e: sympy.Expr, where: Where = ()) -> bool:
    """Whether it shows that ``e >= 0``: made of squares and of what is positive, by sums, products and means.

    False means that it does not show, not that it is negative somewhere.
    """
    return sign(e, where) in (POSITIVE, NOT_NEGATIVE)


def nonzero(e: sympy.Expr, where: Where = ()) -> bool:
    """Whether it shows that ``e`` is not 0."""
    if sign(e, where) in (POSITIVE, NEGATIVE) or (e.is_Symbol and e.is_nonzero):
        return True
    if e.is_Mul:
        return all(nonzero(factor, where) for factor in e.args)
    return bool(e.is_Pow) and nonzero(e.base, where)


@lru_cache(maxsize=50_000)
def sign(e: sympy.Expr, where: Where = ()) -> str:
    """``+``, ``0+`` (not negative), ``-``, ``0-``, or ``?`` where the form does not show it."""
    found = _by_form(e, where)
    return found if found != UNKNOWN or e.is_Atom or isinstance(e, BINDERS) else _by_terms(e, where)


def _by_form(e: sympy.Expr, where: Where) -> str:
    if isinstance(e, Mean):
        where = without(where, e.variables)
        return _product([_by_form(e.args[0], where), _by_form(e.args[2], where)])
    if isinstance(e, sympy.Sum):
        f, i, low, high = last_sum(e)
        inside = sign(f, below_sum(where, i, low, high))
        if in_range(high - low, where):
            return inside
        # Of a sum that may run backwards, as sums that are written from 1 on may, nothing is known.
        return _weak(inside) if in_range(high - low + 1, where) else UNKNOWN
    if isinstance(e, sympy.Integral):
        return _over_unit_interval(e)
    if e.is_Mul:
        return _product([sign(factor, where) for factor in e.args])
    if e.is_Add:
        return _sum([_by_form(term, where) for term in e.args]) if e.has(*BINDERS) else _sum_or_assumed(e, where)
    if e.is_Pow and e.base != sympy.E:
        return _power(e, where)
    if isinstance(e, sympy.exp | Normal):
        return POSITIVE
    if isinstance(e, AppliedUndef | sympy.Symbol | sympy.Number | sympy.NumberSymbol | sympy.Abs):
        return _assumed(e)
    return UNKNOWN


def _assumed(e: sympy.Expr) -> str:
    if e.is_positive:
        return POSITIVE
    if e.is_negative:
        return NEGATIVE
    return NOT_NEGATIVE if e.is_nonnegative else NOT_POSITIVE if e.is_nonpositive else UNKNOWN


def _sum_or_assumed(e: sympy.Expr, where: Where) -> str:
    found = _sum([_by_form(term, where) for term in e.args])
    return _assumed(e) if found == UNKNOWN and e.is_integer and not e.has(AppliedUndef) else found


def _weak(found: str) -> str:
    return found if len(found) == 2 or found == UNKNOWN else f"0{found}"


def _product(signs: list[str]) -> str:
    if UNKNOWN in signs:
        return UNKNOWN
    turned = sum(s.endswith("-") for s in signs) % 2
    weak = any(len(s) == 2 for s in signs)
    return ("0" if weak else "") + ("-" if turned else "+")


def _sum(signs: list[str]) -> str:
    for one in (POSITIVE, NEGATIVE):
        if all(s.endswith(one) for s in signs):
            return one if one in signs else f"0{one}"
    return UNKNOWN


def _power(e: sympy.Expr, where: Where) -> str:
    """Of a real power that is defined: its base is not 0 below a fraction, and not negative below a root."""
    base, exponent = e.args
    found = sign(base, where)
    if found in (POSITIVE, NOT_NEGATIVE) or (exponent.is_Rational and exponent.q % 2 == 0):
        strict = found == POSITIVE or (exponent.is_negative and exponent.is_number)
        return POSITIVE if strict else NOT_NEGATIVE
    if exponent.is_Integer and exponent % 2 == 0:
        return POSITIVE if found == NEGATIVE or exponent < 0 or nonzero(base, where) else NOT_NEGATIVE
    if exponent.is_Integer:
        return found[-1] if exponent < 0 else found
    return UNKNOWN


def _over_unit_interval(e: sympy.Integral) -> str:
    """Of a number between 0 and 1, both it and what is missing to 1 are positive."""
    t, *limits = e.limits[0]
    if len(e.limits) > 1 or limits != [0, 1]:
        return UNKNOWN
    between = 1 / (1 + sympy.Dummy("w", positive=True))
    return _weak(_by_form(sympy.together(_put(e.function, t, between)), ()))


def _put(e: sympy.Basic, x: sympy.Expr, number: sympy.Expr) -> sympy.Basic:
    """``e`` at a number ``x``; a variable of the same name, in a mean within, is another one."""
    if e == x:
        return number
    return e.func(*(_put(argument, x, number) for argument in e.args)) if depends(e, x) else e


def _by_terms(e: sympy.Expr, where: Where) -> str:
    """The same of numerator and denominator, multiplied out, with ``1 / (1 + w)`` for each number between 0 and 1."""
    bound = {x for binder in e.atoms(*BINDERS) for x in bound_by(binder)}
    fractions = {f for f in e.atoms(AppliedUndef) if is_fraction(f, where) and not any(depends(f, x) for x in bound)}
    between = {f: 1 / (1 + sympy.Dummy("w", positive=True)) for f in fractions}
    above, below = sympy.fraction(sympy.together(e.xreplace(between)))
    found = [_by_form(sympy.expand(part, deep=False) if part.is_Mul else sympy.expand_mul(part), where)
             for part in (above, below)]  # fmt: skip
    return _product(found) if len(found[1]) == 1 else UNKNOWN


def is_fraction(e: sympy.Expr, where: Where = ()) -> bool:
    """Whether ``alpha(t)`` is known to lie strictly between 0 and 1."""
    letter = letter_of(e) if isinstance(e, AppliedUndef) else None
    return bool(letter and letter.fraction) and in_range(e.args[0] - 1, where)
