"""Is there a function for which an integral converges? Part of what a proof trusts (``kernel.py``).

A chain about unknown functions is one about those for which its integrals converge, and says nothing if there are none.
So there must be a witness, one for all integrals: an unknown function falls as ``exp(-x^2)`` in each of its real
variables, a density in those of which it is one, whatever is given. Of what is integrated over ``x`` the powers of
``exp(-x^2)`` are counted: 1 for such a function and for a Gaussian, their sum in a product, the least of them in a sum,
0 for what does not fall, as a constant, even if it is none to look at. What is left must fall. In a list each entry
must, as in a product over all of them.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import sympy
from sympy.core.function import AppliedUndef

from lecture11.symbolic.signs import Where, nonzero, positive
from lecture11.symbolic.terms import Mean, Normal, depends, is_entry, last, law_variables, rest

Heads = frozenset  # of names that are no unknown functions: the function of SymPy, and how many arguments it takes
# Entries from one to another of a list of so many, which fall with a power of exp(-x^2); (1, 1, 1) is the whole.
Part = tuple[sympy.Expr, sympy.Expr, sympy.Expr, sympy.Rational]
_ONE = sympy.S.One


class Known(NamedTuple):
    """What is known beside an integral: which names are no unknown functions, and the range."""

    heads: Heads = frozenset()
    where: Where = ()


_NOTHING = Known()


@lru_cache(maxsize=20_000)
def has_witness(mean: Mean, known: Known = _NOTHING) -> bool:
    """Whether an integral converges for the witness, term by term: so it is worked out."""
    terms = [term * mean.args[2] for term in sympy.Add.make_args(mean.args[0])]
    try:
        return all(_beside(term, mean.variables, x, known) > 0 for term in terms for x in mean.variables if term != 0)
    except _ScaledError:
        return False


class _ScaledError(Exception):
    """What may grow as the witness falls, by more than a power of ``exp(x^2)`` that shows.

    As an integral over ``y`` in which an unknown function of ``x`` scales ``y``: it has one over that as a factor.
    """


def _falls(e: sympy.Expr, x: sympy.Expr, known: Known) -> sympy.Rational:
    """The power of ``exp(-x^2)`` with which ``e`` falls, in all entries of ``x`` if that is a list."""
    whole, some = sympy.S.Zero, []
    for low, high, of, power in _parts(e, x, known):
        if of == 1 or power < 0:  # a list of one is its entry
            whole += power
        else:
            some.append((low, high, of))
    return whole + (1 if _are_all(some) else 0)


def _are_all(parts: list[tuple]) -> bool:
    """Whether some parts of a list follow each other from its first entry to its last."""
    for _, _, of in parts:
        place = _ONE
        for _ in parts:
            place = next((high + 1 for low, high, all_ in parts if low == place and all_ == of), place)
        if place == of + 1:
            return True
    return False


@lru_cache(maxsize=50_000)
def _parts(e: sympy.Expr, x: sympy.Expr, known: Known) -> tuple[Part, ...]:
    """How the factors of ``e`` fall in ``x``."""
    if not depends(e, x):
        return ()
    if e.is_Mul:
        exponents = [factor.args[0] for factor in e.args if isinstance(factor, sympy.exp)]
        parts = [part for factor in e.args if not isinstance(factor, sympy.exp) for part in _parts(factor, x, known)]
        return (*parts, *_exponential(sympy.Add(*exponents), x, known))
    if e.is_Pow and e.base != sympy.E:
        if not e.exp.is_Rational and not positive(e.exp, known.where) and _parts(e.base, x, known):
            raise _ScaledError
        return tuple((*part[:3], part[3] * e.exp) for part in _parts(e.base, x, known) if e.exp.is_Rational)
    if isinstance(e, Normal):
        seen = {part for argument in e.args[:2] for part in _seen(argument, x, known)}
        return tuple((*part, _ONE) for part in seen)
    if isinstance(e, AppliedUndef):
        if e.is_integer or is_entry(e) or (e.func, len(e.args)) in known.heads:
            return ()
        seen = {part for argument in law_variables(e) or e.args for part in _seen(argument, x, known)}
        return tuple((*part, _ONE) for part in seen)
    if isinstance(e, sympy.exp):
        return _exponential(e.args[0], x, known)
    if e.is_Add:
        return _whole(min(_falls(term, x, known) for term in e.args))
    if isinstance(e, Mean):
        terms = [term * e.args[2] for term in sympy.Add.make_args(e.args[0])]
        return _whole(min(_beside(term, e.variables, x, known) for term in terms))
    if isinstance(e, sympy.Sum | sympy.Derivative | sympy.Abs | sympy.sin):
        return _parts(e.args[0], x, known)
    return ()


def _whole(power: sympy.Rational) -> tuple[Part, ...]:
    return ((_ONE, _ONE, _ONE, power),) if power else ()


def _seen(argument: sympy.Expr, x: sympy.Expr, known: Known) -> Iterable[tuple]:
    """Which entries of a list an argument is; the whole, if it is a polynomial in ``x``."""
    if isinstance(argument, AppliedUndef) and is_entry(argument):
        of, (*_, j, k) = argument.args[0], argument.args
        if argument.func in (rest, last):
            n = argument.args[1]
            return [(_ONE, n - 1, n) if argument.func == rest else (n, n, n)] if of == x else []
        if of == x:
            return [(j, j, j + k)]
        return [(j, j, of.args[1])] if isinstance(of, rest) and of.args[0] == x else []
    y = sympy.Dummy("y", real=True)
    moved = argument.xreplace({x: y})
    unknown = any(depends(name, y) for name in moved.atoms(AppliedUndef))
    if not moved.has(y) or unknown or not moved.is_polynomial(y):
        return []
    # of f(z x) with z = 0 nothing falls
    return [(_ONE, _ONE, _ONE)] if nonzero(sympy.LC(moved, y), known.where) else []


def _exponential(exponent: sympy.Expr, x: sympy.Expr, known: Known) -> tuple[Part, ...]:
    if isinstance(exponent, sympy.Sum) and isinstance(exponent.function, sympy.log) and len(exponent.limits) == 1:
        i, low, high = exponent.limits[0]  # a product
        one = exponent.function.args[0]
        parts = _parts(one, x, known)
        some = (high - low).is_nonnegative  # factors there are
        return tuple((low, high, of, power) if start == i else (start, end, of, power if some else min(power, 0))
                     for start, end, of, power in parts)  # fmt: skip
    y = sympy.Dummy("y", real=True)
    terms = {term: term.xreplace({x: y}) for term in sympy.Add.make_args(exponent) if depends(term, x)}
    plain = sympy.Add(*(term for term in terms.values() if term.is_polynomial(y)))
    other = [term for term, moved in terms.items() if not moved.is_polynomial(y)]
    degree = sympy.degree(plain, y) if plain.has(y) else 0
    if not other:
        return _whole(_ONE) if degree == 2 else ()  # that it does not grow, the algebra asks
    # Beside an unknown function the algebra does not ask.
    if degree > 1 and (degree % 2 or not positive(-sympy.LC(plain, y), known.where)):
        raise _ScaledError
    found = _whole(_ONE) if degree > 1 else ()
    for times, term in (term.as_coeff_Mul() for term in other):
        if times > 0 and isinstance(term, sympy.Sum) and isinstance(term.function, sympy.log):  # a power of a product
            found += tuple((*part[:3], times * part[3]) for part in _exponential(term, x, known))
        elif not _is_bounded(term, x, known):
            raise _ScaledError
    return found


def _is_bounded(e: sympy.Expr, x: sympy.Expr, known: Known) -> bool:
    """Whether it shows that ``e`` is bounded as the unknown functions fall: it falls, or is made of what does."""
    if not depends(e, x) or isinstance(e, sympy.sin | sympy.cos | sympy.erf):
        return True
    power = _falls(e, x, known)
    if power != 0 or isinstance(e, sympy.log):
        return bool(power > 0)
    return isinstance(e, sympy.Add | sympy.Mul | sympy.Pow | sympy.exp | Mean) and all(
        _is_bounded(argument, x, known) for argument in e.args
    )


def _beside(term: sympy.Expr, variables: tuple, x: sympy.Expr, known: Known) -> sympy.Rational:
    """How what is integrated over some variables falls in ``x``, which may be one of them.

    What falls in their difference alone does not fall in both: an unknown function of it does not count, a Gaussian
    where what stands beside it falls in the others.
    """
    factors = sympy.Mul.make_args(term)
    counted = []
    for factor in factors:
        if any(_scales(factor, x, y, known) for y in variables if y != x):
            raise _ScaledError
        mixed = [y for y in variables if y != x and _mixes(factor, x, y)]
        others = sympy.Mul(*(other for other in factors if other is not factor))
        shown = isinstance(factor, Normal) and all(_falls(others, y, known) > 0 for y in mixed)
        if not mixed or shown or _falls(factor, x, known) < 0:
            counted.append(factor)
    return _falls(sympy.Mul(*counted), x, known)


def _scales(e: sympy.Basic, x: sympy.Expr, y: sympy.Expr, known: Known) -> bool:
    """Whether an unknown function of ``x`` stands with ``y`` in what falls in it, other than in a density of ``y``."""
    if not (depends(e, x) and depends(e, y)) or isinstance(e, sympy.log):
        return False
    if isinstance(e, sympy.exp) and isinstance(e.args[0], sympy.Sum) and isinstance(e.args[0].function, sympy.log):
        return _scales(e.args[0].function.args[0], x, y, known)  # a product
    own = isinstance(e, Normal) and (e.args[0] == y or (is_entry(e.args[0]) and e.args[0].args[0] == y))
    grows = own and any(_falls(argument, x, known) < 0 for argument in e.args[1:])  # and so do the means of powers of y
    if own and not grows and not any(depends(argument, y) for argument in e.args[1:]):
        return False
    together: tuple = e.args if isinstance(e, sympy.exp | AppliedUndef) else ()
    if isinstance(e, Normal):
        together = (sympy.Tuple(*e.args),)
    unknown = [name for argument in together if depends(argument, y) for name in argument.atoms(AppliedUndef)]
    if any(depends(name, x) and name != x and not is_entry(name) for name in unknown):
        return True
    return any(_scales(argument, x, y, known) for argument in e.args)


def _mixes(e: sympy.Expr, x: sympy.Expr, y: sympy.Expr) -> bool:
    """Whether a function has both variables in one argument, or a Gaussian has them."""
    both = [argument for name in e.atoms(AppliedUndef) for argument in name.args]
    both += [argument for normal in e.atoms(Normal) for argument in (sympy.Tuple(*normal.args),)]
    return any(depends(argument, x) and depends(argument, y) for argument in both)
