"""Are two expressions equal? Asked twice: of SymPy's algebra, and of numbers at random points."""

import itertools
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import mpmath
import sympy
from sympy.core.function import AppliedUndef
from sympy.integrals import quadrature

from lecture11.symbolic.terms import Mean, Normal, moment

DIGITS = 30
TOLERANCE = mpmath.mpf(10) ** -14
POINTS = 3


# --- Algebra ---------------------------------------------------------------------------------------------------------


def same_by_algebra(left: sympy.Expr, right: sympy.Expr) -> bool:
    """Whether SymPy finds the difference to be zero, with all densities, logarithms and means worked out.

    Arguments of logarithms and variances are taken to be positive, and integrals to converge: that they are and do is
    what ``same_by_numbers`` sees.
    """
    if isinstance(left, sympy.MatrixBase) or isinstance(right, sympy.MatrixBase):
        return _same_entries(same_by_algebra, left, right)
    return same_normal_form(left, right) or sympy.simplify(work_out(left) - work_out(right)) == 0


def same_normal_form(left: sympy.Expr, right: sympy.Expr) -> bool:
    """What ``same_by_algebra`` tries first: the numerator of the difference multiplied out, then the logarithms."""
    if left == right:
        return True
    squares = _squares(left, right)
    left, right = (work_out(side.xreplace(squares)) for side in (left, right))
    difference = left - right
    if not difference.has(sympy.exp):
        return _expands_to_zero(difference) or _expands_to_zero(difference.replace(sympy.log, _log))
    # The logarithms of densities are sums, in which different exponents can be compared. If these agree, the quotient
    # is 1 or -1 everywhere: one point tells which.
    if left != 0 and right != 0 and _expands_to_zero((_log(left) - _log(right)).replace(sympy.log, _log)):
        return mpmath.re(_value(left, "sign") / _value(right, "sign")) > 0
    return _expands_to_zero(difference)


def _same_entries(same: Callable[..., bool], left: Any, right: Any) -> bool:
    """For matrices: entry by entry."""
    shapes = [getattr(side, "shape", None) for side in (left, right)]
    return shapes[0] == shapes[1] and all(map(same, left, right))


def _squares(*sides: sympy.Expr) -> dict[sympy.Expr, sympy.Expr]:
    """Positive quantities whose roots occur, as squares: their roots become polynomials."""
    powers = {power for side in sides for power in side.atoms(sympy.Pow) if power.exp in (sympy.S.Half, -sympy.S.Half)}
    rooted = {power.base for power in powers if isinstance(power.base, sympy.Symbol | AppliedUndef)}
    return {e: sympy.Dummy(f"root of {e}", positive=True) ** 2 for e in rooted if e.is_positive}


def _expands_to_zero(e: sympy.Expr) -> bool:
    return sympy.expand(sympy.fraction(sympy.together(e))[0]) == 0


def _log(u: sympy.Expr) -> sympy.Expr:
    """``log |u|`` as a sum over the factors of ``u``."""
    if u.is_Mul:
        return sympy.Add(*map(_log, u.args))
    if isinstance(u, Normal):
        return u.log()
    if u.is_Pow or isinstance(u, sympy.exp):
        base, power = u.as_base_exp()
        return power if base == sympy.E else power * _log(base)
    if u.is_Add:
        factors = sympy.factor(u)
        if not factors.is_Add:
            return _log(factors)
    return sympy.log(_positive(u))


def _root(u: sympy.Expr, power: sympy.Expr) -> sympy.Expr:
    """``|u|^power`` as a product over the factors of ``u``."""
    factors = sympy.factor(u).as_powers_dict().items()
    return sympy.Mul(*(_positive(base) ** (power * exponent) for base, exponent in factors))


def _positive(u: sympy.Expr) -> sympy.Expr:
    """``u`` or ``-u``, whichever is positive at some point."""
    return -u if u != 0 and mpmath.re(_value(u, "sign")) < 0 else u


@lru_cache(maxsize=20_000)
def work_out(e: sympy.Expr) -> sympy.Expr:
    """Densities as exponentials, logarithms of products as sums, derivatives taken, integrals solved or sorted."""
    if not e.args:
        return e
    if isinstance(e, sympy.log):
        logs = _log(e.args[0])
        return work_out(logs) if logs != e else e.func(work_out(e.args[0]))
    if e.is_Pow and e.exp.is_Rational and not e.exp.is_Integer:
        return _root(work_out(e.base), e.exp)
    if isinstance(e, Normal):
        return work_out(e.doit())
    if isinstance(e, Mean):
        return _integral(*e.args)
    if isinstance(e, sympy.Sum):
        return _sum(*e.args)
    if isinstance(e, sympy.Derivative | sympy.Integral | sympy.Sum | sympy.Product):
        e = e.func(work_out(e.args[0]), *e.args[1:])
        done = e.doit()
        return e if done == e else work_out(done)
    return e.func(*map(work_out, e.args))


def _integral(f: sympy.Expr, x: sympy.Expr, law: sympy.Expr) -> sympy.Expr:
    """An integral term by term: by the rules for Gaussians where they hold, else with constants before it."""
    if isinstance(x, sympy.Tuple):
        return _integral(*_last_variable_apart(f, x, law)) if len(x.args) > 1 else _integral(f, x.args[0], law)
    f = sympy.Add(*_terms(work_out(f)))
    if isinstance(law, Normal) and law.args[0] == x and not law.args[1].has(x) and f.is_polynomial(x):
        mean, variance = map(work_out, law.args[1:])
        return sum(c * moment(n, mean, variance) for (n,), c in _coefficients(f, x))
    return sympy.Add(*(_integrate_term(term, x) for term in _terms(f * work_out(law))))


def _sum(f: sympy.Expr, limits: sympy.Tuple) -> sympy.Expr:
    """A sum term by term, with constants before it, and from 1 to a symbol: so that two of them can be compared."""
    i, low, high = limits
    total = []
    for term in _terms(work_out(f)):
        constant, varying = _split(sympy.Mul.make_args(term), lambda factor: not factor.has(i))
        part = sympy.Mul(*varying)
        total.append(sympy.Mul(*constant) * (_up_to(part, i, high) - _up_to(part, i, low - 1)))
    return sympy.Add(*total)


def _up_to(f: sympy.Expr, i: sympy.Symbol, last: sympy.Expr) -> sympy.Expr:
    more, end = last.as_coeff_Add()
    if end == 0 or not f.has(AppliedUndef):
        return sympy.Sum(f, (i, 1, last)).doit()
    further = [f.xreplace({i: end + n}) for n in (range(1, more + 1) if more > 0 else range(more + 1, 1))]
    return sympy.Sum(f, (i, 1, end)) + sympy.sign(more) * sympy.Add(*further)


def _last_variable_apart(f: sympy.Expr, x: sympy.Tuple, law: sympy.Expr) -> tuple[sympy.Expr, ...]:
    """An integral over several variables: first over the last one, with the factors of the law that depend on it."""
    *others, last = x.args
    constant, varying = _split(sympy.Mul.make_args(law), lambda factor: not depends(factor, last))
    return Mean(f, last, sympy.Mul(*varying)), sympy.Tuple(*others), sympy.Mul(*constant)


def _terms(e: sympy.Expr) -> list[sympy.Expr]:
    """The terms of a product of sums, multiplied out; what stands in exponents and below fractions stays."""
    if e.is_Add:
        return [term for part in e.args for term in _terms(part)]
    if e.is_Mul:
        products = itertools.product(*map(_terms, e.args))
        return [sympy.Mul(*factors) for factors in products]
    if e.is_Pow and e.base.is_Add and e.exp.is_Integer and e.exp > 0:
        return list(sympy.Add.make_args(sympy.expand(e, deep=False)))
    return [e]


def _coefficients(f: sympy.Expr, x: sympy.Expr) -> list[tuple[tuple[int], sympy.Expr]]:
    y = sympy.Dummy("y", real=True)  # a quantity with an index is no generator of a polynomial
    return sympy.Poly(f.xreplace({x: y}), y).terms()


def _integrate_term(term: sympy.Expr, x: sympy.Expr) -> sympy.Expr:
    constant, varying = _split(sympy.Mul.make_args(term), lambda factor: not depends(factor, x))
    exponent = sympy.Add(*(factor.args[0] for factor in varying if isinstance(factor, sympy.exp)))
    others = sympy.Mul(*(factor for factor in varying if not isinstance(factor, sympy.exp)))
    if exponent.is_polynomial(x):
        powers = {n: sympy.cancel(c) for (n,), c in _coefficients(exponent, x)}
        if others.is_polynomial(x) and max(powers) == 2:
            # Complete the square: exp(-a x^2 + b x + c) is exp(c + b^2 / 4a) sqrt(pi / a) N(x; b / 2a, 1 / 2a).
            a, b, c = -sympy.together(powers[2]), powers.get(1, sympy.S.Zero), powers.get(0, sympy.S.Zero)
            mass = sympy.exp(sympy.factor(c + b**2 / (4 * a))) * sympy.sqrt(sympy.pi / a)
            mean, variance = sympy.cancel(b / (2 * a)), sympy.cancel(1 / (2 * a))
            polynomial = sum(k * moment(n, mean, variance) for (n,), k in _coefficients(others, x))
            return sympy.Mul(*constant) * mass * polynomial
        constant.append(sympy.exp(powers.pop(0, sympy.S.Zero)))
        exponent = sympy.Add(*(c * x**n for n, c in powers.items()))
    # Unknown functions: one integral over all variables, in one order, with what is constant before it.
    varying = [factor for factor in varying if not isinstance(factor, sympy.exp)] + [sympy.exp(exponent)]
    variables, inside = {x}, list(varying)
    for factor in varying:
        if isinstance(factor, Mean):
            others = [other for other in inside if other != factor]
            if not any(depends(other, bound) for other in others for bound in factor.variables):
                variables |= set(factor.variables)
                inside[inside.index(factor)] = factor.args[0]
    ordered = sympy.Tuple(*sorted(variables, key=sympy.default_sort_key))
    return sympy.Mul(*constant) * Mean(sympy.Mul(*inside), ordered, 1)


BINDERS = (Mean, sympy.Integral, sympy.Sum, sympy.Product, sympy.Derivative)


def bound_by(e: sympy.Basic) -> tuple[sympy.Expr, ...]:
    """The variables that an integral, a sum or a derivative gives a meaning of their own."""
    return tuple(e.variables) if isinstance(e, BINDERS) else ()


def depends(e: sympy.Basic, x: sympy.Expr) -> bool:
    """Whether ``x`` occurs in ``e`` other than as the variable of an integral or a sum."""
    if e == x:
        return True
    if isinstance(e, Mean):
        return x not in e.variables and (depends(e.args[0], x) or depends(e.args[2], x))
    if isinstance(e, sympy.Integral | sympy.Sum | sympy.Product):
        inside, *limits = e.args
        ends = [end for limit in limits for end in limit.args[1:]]
        return (x not in e.variables and depends(inside, x)) or any(depends(end, x) for end in ends)
    return any(depends(argument, x) for argument in e.args)


def _split(items: Any, test: Callable[[Any], bool]) -> tuple[list, list]:
    return [item for item in items if test(item)], [item for item in items if not test(item)]


# --- Numbers ---------------------------------------------------------------------------------------------------------


def same_by_numbers(left: sympy.Expr, right: sympy.Expr, seed: int = 0) -> bool:
    """Whether the two have equal values, to a tolerance of 1e-14, at three random rational points."""
    if isinstance(left, sympy.MatrixBase) or isinstance(right, sympy.MatrixBase):
        return _same_entries(lambda a, b: same_by_numbers(a, b, seed), left, right)
    if left == right:
        return True
    for k in range(POINTS):
        try:
            a, b = (_value(side, f"{seed} {k}") for side in (left, right))
        except ZeroDivisionError:
            return False
        if not abs(a - b) <= TOLERANCE * (1 + abs(a) + abs(b)):
            return False
    return True


@lru_cache(maxsize=20_000)
def _value(e: sympy.Expr, seed: str) -> Any:
    with mpmath.workdps(DIGITS):
        return Values(seed)(e)


Function = Callable[[dict], Any]


class Values:
    """The value of any expression at one random point.

    Each symbol is a rational number: a positive one lies in (0.2, 0.8), since schedules are made of numbers below 1, an
    integer in 10..40. An unknown function takes a random value for each value of its arguments.

    A mean under a normal law is Gauss and Hermite's sum, exact for polynomials; where unknown functions stand in an
    integral it is a sum over three points; other integrals are computed with the trapezoidal rule.
    """

    def __init__(self, seed: str) -> None:
        self.seed = seed

    def __call__(self, e: sympy.Expr) -> Any:
        return self.function(e, ())({})

    def function(self, e: sympy.Expr, bound: tuple[sympy.Expr, ...]) -> Function:
        """``e`` as a function of its bound variables, which are given by name in a dict."""
        if e in bound:
            return lambda at: at[e]
        if bound and not any(depends(e, x) for x in bound):
            constant = self(e)
            return lambda at: constant
        if not e.args:
            constant = self._atom(e)
            return lambda at: constant
        if isinstance(e, Mean):
            return self._mean(e, bound)
        if isinstance(e, sympy.Derivative | sympy.Sum | sympy.Product | sympy.Integral):
            return self._over_limits(e, bound)
        operation = self._operation(e)
        arguments = [self.function(argument, bound) for argument in e.args]
        return lambda at: operation(*(argument(at) for argument in arguments))

    def _atom(self, e: sympy.Expr) -> Any:
        if e.is_Symbol:
            return self._random(e, str(e))
        return mpmath.mpf(e.p) / e.q if e.is_Rational else e._to_mpmath(mpmath.mp.prec)

    def _random(self, e: sympy.Expr, key: str) -> Any:
        draw = zlib.crc32(f"{self.seed} {key}".encode())
        if e.is_integer:
            return mpmath.mpf(10 + draw % 31)
        return mpmath.mpf(20 + draw % 58 if e.is_positive else draw % 400 - 200) / 97

    def _operation(self, e: sympy.Expr) -> Callable[..., Any]:
        if isinstance(e, AppliedUndef):
            return lambda *values: self._random(e, f"{e.func} {[round(float(value), 12) for value in values]}")
        if e.is_Add:
            return lambda *terms: mpmath.fsum(terms)
        if e.is_Mul:
            return lambda *factors: mpmath.fprod(factors)
        if e.is_Pow:
            exponent = e.exp
            if exponent.is_Integer:
                return lambda base, _: base ** int(exponent)
            return (lambda base, _: mpmath.sqrt(base)) if exponent == sympy.S.Half else mpmath.power
        if isinstance(e, Normal):
            return lambda x, mean, v: mpmath.exp(-((x - mean) ** 2) / (2 * v)) / mpmath.sqrt(2 * mpmath.pi * v)
        name = e.func.__name__
        return getattr(mpmath, {"Abs": "fabs", "Max": "max", "Min": "min"}.get(name, name))

    def _mean(self, e: Mean, bound: tuple) -> Function:
        f, x, law = e.args
        if isinstance(x, sympy.Tuple):
            nested = _last_variable_apart(f, x, law) if len(x.args) > 1 else (f, x.args[0], law)
            return self.function(Mean(*nested), bound)
        if isinstance(law, Normal) and law.args[0] == x and not depends(f, x):
            return self.function(f, bound)
        inner = {x}.union(*(mean.variables for mean in (f * law).atoms(Mean)))
        unknown = any(u.has(*inner) for u in (f * law).atoms(AppliedUndef) - inner)
        product = self.function(f * law, (*bound, x))
        if not (isinstance(law, Normal) and law.args[0] == x and not depends(law.args[1], x)):
            rule = _three_points if unknown else _trapezoid
            return lambda at: rule(lambda v: product({**at, x: v}))
        inside = self.function(f, (*bound, x))
        mean, variance = (self.function(argument, bound) for argument in law.args[1:])

        def under_normal(at: dict) -> Any:
            m, s = mean(at), mpmath.sqrt(2 * variance(at))

            def by_nodes(n: int) -> Any:
                return mpmath.fsum(w * inside({**at, x: m + s * node}) for node, w in gauss_hermite(n))

            few = by_nodes(5)
            if unknown or not mpmath.isfinite(few) or abs(few - by_nodes(7)) < TOLERANCE * (1 + abs(few)):
                return few
            return _trapezoid(lambda v: product({**at, x: v}))

        return under_normal

    def _over_limits(self, e: sympy.Expr, bound: tuple) -> Function:
        *rest, (x, *limits) = e.args
        inside = self.function(e.func(*rest) if len(rest) > 1 else rest[0], (*bound, x))
        ends = [self.function(limit, bound) for limit in limits]
        if isinstance(e, sympy.Derivative):
            place = self.function(x, bound)
            return lambda at: mpmath.diff(lambda v: inside({**at, x: v}), place(at), int(limits[0]))
        if isinstance(e, sympy.Integral):
            return lambda at: mpmath.quad(lambda v: inside({**at, x: v}), [end(at) for end in ends])
        total = mpmath.fsum if isinstance(e, sympy.Sum) else mpmath.fprod

        def over_all(at: dict) -> Any:
            low, high = (int(end(at)) for end in ends)
            return total(inside({**at, x: mpmath.mpf(k)}) for k in range(low, high + 1))

        return over_all


def _three_points(f: Callable[[Any], Any]) -> Any:
    """An integral over a measure that sits on three points: good enough for what holds for every measure."""
    third = mpmath.mpf(1) / 3
    return third * f(-4 * third) + 2 * third * f(third) + f(2 * third)


def _trapezoid(f: Callable[[Any], Any]) -> Any:
    """The integral over the real line of a smooth function that falls off like a Gaussian not much wider than 1."""
    if abs(f(mpmath.mpf(-14))) + abs(f(mpmath.mpf(14))) > TOLERANCE:
        return mpmath.inf
    h = mpmath.mpf(1) / 4
    total = h * mpmath.fsum(f(k * h) for k in range(-56, 57))
    for _ in range(4):
        between = h * mpmath.fsum(f((k + mpmath.mpf(1) / 2) * h) for k in range(round(-14 / h), round(14 / h)))
        if abs(total - between) < TOLERANCE * (1 + abs(total)) / 100:
            return total
        total, h = (total + between) / 2, h / 2
    return mpmath.nan


@lru_cache
def gauss_hermite(n: int) -> list[tuple[Any, Any]]:
    """Nodes and weights: ``sum weight f(m + sqrt(2 v) node)`` is ``E f`` under ``N(m, v)``, to degree ``2 n - 1``."""
    nodes, weights = quadrature.gauss_hermite(n, DIGITS)
    with mpmath.workdps(DIGITS):
        root = mpmath.sqrt(mpmath.pi)
        return [(mpmath.mpf(str(x)), mpmath.mpf(str(w)) / root) for x, w in zip(nodes, weights, strict=True)]
