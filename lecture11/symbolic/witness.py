"""Is there a function for which an integral converges? Part of what a proof trusts (``kernel.py``).

A chain about unknown functions is one about those for which its integrals converge, and says nothing if there are none.
So there must be a witness, one for all integrals: an unknown function falls as ``exp(-x^2)`` in each of its real
variables, a density in those of which it is one, whatever is given. Of what is integrated over ``x`` the powers of
``exp(-x^2)`` are counted: 1 for such a function and for a Gaussian, their sum in a product, the least of them in a sum,
0 for what does not fall, as a constant, even if it is none to look at. What is left must fall. In a list each entry
must, as in a product over all of them. What may grow faster than a power beside an unknown function is refused: an
exponential that does not show that it falls, one over a Gaussian, an integral between two ends, a power of a power.
"""

from collections.abc import Iterable, Set
from functools import lru_cache
from typing import NamedTuple

import sympy
from sympy.core.function import AppliedUndef

from lecture11.symbolic.meaning import is_law
from lecture11.symbolic.signs import Where, never_negative, nonzero, positive
from lecture11.symbolic.substitution import is_variable
from lecture11.symbolic.terms import KL, Mean, Normal, depends, is_entry, kind, last, law_variables, rest

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
    """What may grow, by more than a power of ``exp(x^2)`` that shows.

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
        grows = not positive(e.exp, known.where) and _parts(e.base, x, known)
        if not e.exp.is_Rational and (depends(e.exp, x) or _has_powers(e.base, x) or grows):
            raise _ScaledError
        if e.exp.is_negative and e.base.is_Add and _has_powers(e.base, x) and not _stays_away(e.base, x, known):
            raise _ScaledError  # where a sine is 0
        found = _parts(e.base, x, known) if e.exp.is_Rational else ()
        if found and e.exp < 0 and e.base.atoms(Normal, sympy.exp) and not e.base.atoms(AppliedUndef) - {x}:
            raise _ScaledError  # a Gaussian may fall faster than what it divides
        return tuple((*part[:3], part[3] * e.exp) for part in found)
    if isinstance(e, Normal):
        if _has_powers(e.args[2].xreplace({law: law.doit() for law in e.args[2].atoms(Normal)}), x):
            raise _ScaledError  # where the variance is small, the density is large
        place, mean = e.args[:2]
        moved = place if not depends(mean, x) else mean if not depends(place, x) else place - mean
        return tuple((*part, _ONE) for part in _seen(moved, x, known))
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
    if isinstance(e, sympy.Integral) or (isinstance(e, sympy.log | KL) and _is_tower(e, x)):
        raise _ScaledError
    if isinstance(e, sympy.Derivative) and _has_powers(e, x):
        raise _ScaledError  # the slope of a cosine grows
    if isinstance(e, sympy.Sum | sympy.Derivative | sympy.Abs | sympy.sin):
        return _parts(e.args[0], x, known)
    return ()


def _is_tower(e: sympy.Expr, x: sympy.Expr) -> bool:
    """Whether a power of ``x`` stands in the exponent of another one, or a Gaussian's."""
    exponents = [power.as_base_exp()[1] for power in e.atoms(sympy.exp, sympy.Pow)]
    return any(_has_powers(one, x) for one in (*exponents, *(part for law in e.atoms(Normal) for part in law.args)))


def _has_powers(e: sympy.Expr, x: sympy.Expr) -> bool:
    """Whether ``x`` stands in an exponent."""
    return any(depends(power.as_base_exp()[1], x) for power in e.atoms(sympy.exp, sympy.Pow))


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
    moved = sympy.expand(moved)
    # of f(z x) with z = 0 nothing falls, nor of what is a number once it is multiplied out
    return [(_ONE, _ONE, _ONE)] if moved.has(y) and nonzero(sympy.LC(moved, y), known.where) else []


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
    highest = -sympy.LC(plain, y) if degree > 1 else _ONE
    falls = degree > 1 and degree % 2 == 0 and positive(highest, known.where)
    if degree > 1 and not falls and not (degree == 2 and never_negative(highest, known.where)):
        raise _ScaledError
    found = _whole(_ONE) if falls else ()
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
    if isinstance(e, Mean):  # its variables may follow x
        return is_law(e.args[2], e.variables) and all(_is_bounded(e.args[0], y, known) for y in (x, *e.variables))
    if e.is_Pow and e.exp.is_negative:  # what is divided by stays above a number
        return _stays_away(e.base, x, known)
    return isinstance(e, sympy.Add | sympy.Mul | sympy.Pow | sympy.exp) and all(
        _is_bounded(argument, x, known) for argument in e.args
    )


def _stays_away(e: sympy.Expr, x: sympy.Expr, known: Known) -> bool:
    """Whether a sum shows that it stays above a positive number."""
    numbers = [term for term in e.args if not depends(term, x) and positive(term, known.where)]
    return bool(e.is_Add and numbers) and never_negative(e - numbers[0], known.where)


def _beside(term: sympy.Expr, variables: tuple, x: sympy.Expr, known: Known) -> sympy.Rational:
    """How what is integrated over some variables falls in ``x``, which may be one of them.

    What falls in their difference alone does not fall in both. So they are taken one after another: an unknown function
    of several does not count, a Gaussian where all falls already in the others that it has.
    """
    settled: set[sympy.Expr] = set()
    for _ in variables:
        left = [y for y in variables if y not in (x, *settled)]
        settled.update(y for y in left if _counted(term, (x, *variables), y, settled, known) > 0)
    for factor in sympy.Mul.make_args(term):
        if any(_scales(factor, x, y, known) for y in variables if y != x):
            raise _ScaledError
    return _counted(term, (x, *variables), x, settled, known)


def _counted(term: sympy.Expr, variables: tuple, x: sympy.Expr, settled: Set, known: Known) -> sympy.Rational:
    """How the factors fall in ``x`` that have no other variable, or Gaussians with ``settled`` ones."""
    counted = []
    for factor in sympy.Mul.make_args(term):
        mixed = {y for y in variables if y != x and _mixes(factor, x, y)}
        even = isinstance(factor, Normal) and _moves_in_line(factor, variables, known)
        own = isinstance(factor, Normal) and any(depends(factor.args[0], y) for y in variables if y != x)
        if own and not even and depends(factor, x) and _has_exponential(term):
            raise _ScaledError  # the mean of an exponential grows with the square of what the Gaussian moves by
        if not mixed or (even and mixed <= settled) or _falls(factor, x, known) < 0:
            counted.append(factor)
    return _falls(sympy.Mul(*counted), x, known)


def _moves_in_line(law: Normal, variables: tuple, known: Known) -> bool:
    """Whether a Gaussian is moved by some variables in a line, or as far as what is bounded, and not widened.

    Otherwise what it is the law of has heavier tails than a Gaussian: as ``y^2`` has, or ``y z``.
    """
    places = {y: sympy.Dummy("y") for y in (*variables, *filter(is_entry, law.atoms(AppliedUndef)))}
    for term in sympy.Add.make_args(sympy.expand(law.args[0] - law.args[1])):
        there = term.xreplace(places)
        moved = [y for y in places.values() if there.has(y)]
        states = {name for name in there.atoms(AppliedUndef) if is_variable(name)}
        free = there.free_symbols | states
        real = {s for s in free - {*moved} if kind(s) == {"real": True}}  # it may be a variable outside
        line = there.is_polynomial(*moved) and sympy.total_degree(there, *moved) < 2 and not real if moved else True
        if not line and not all(_is_bounded(term, y, known) for y in variables):
            return False
    return all(_is_bounded(law.args[2], y, known) for y in variables)


def _has_exponential(e: sympy.Expr) -> bool:
    """Whether an exponential of real numbers stands in it, which is no product over a list."""
    exponents = [power.as_base_exp()[1] for power in e.atoms(sympy.exp, sympy.Pow)]
    products = [one for one in exponents if isinstance(one, sympy.Sum) and isinstance(one.function, sympy.log)]
    return any(not one.is_integer and not one.is_number for one in exponents if one not in products)


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
    if isinstance(e, sympy.exp):
        return True  # exp(x y) is no constant in x, under a law of y
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
