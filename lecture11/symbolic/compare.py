"""Are two expressions equal? Asked twice: of SymPy's algebra, and of numbers at random points."""

import random
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
        shapes = [getattr(side, "shape", None) for side in (left, right)]
        return shapes[0] == shapes[1] and all(map(same_by_algebra, left, right))
    if left == right:
        return True
    left, right = work_out(left), work_out(right)
    difference = left - right
    if _expands_to_zero(difference) or _expands_to_zero(difference.replace(sympy.log, _log)):
        return True
    # Two products: their logarithms are sums, in which densities with different exponents can be compared.
    products = not any(side.is_Add or side == 0 for side in (left, right))
    if products and _expands_to_zero((_log(left) - _log(right)).replace(sympy.log, _log)):
        return True
    return sympy.simplify(difference) == 0


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
    return sympy.log(-u if u.could_extract_minus_sign() else u)


@lru_cache(maxsize=20_000)
def work_out(e: sympy.Expr) -> sympy.Expr:
    """Densities as exponentials, logarithms of products as sums, derivatives taken, integrals solved or sorted."""
    if not e.args:
        return e
    if isinstance(e, sympy.log):
        logs = _log(e.args[0])
        return work_out(logs) if logs != e else e.func(work_out(e.args[0]))
    if isinstance(e, Normal):
        return work_out(e.doit())
    if isinstance(e, Mean):
        return _integral(*e.args)
    if isinstance(e, sympy.Derivative | sympy.Integral | sympy.Sum | sympy.Product):
        e = e.func(work_out(e.args[0]), *e.args[1:])
        done = e.doit()
        return e if done == e else work_out(done)
    return e.func(*map(work_out, e.args))


def _integral(f: sympy.Expr, x: sympy.Expr, law: sympy.Expr) -> sympy.Expr:
    """An integral term by term: by the rules for Gaussians where they hold, else with constants before it."""
    if isinstance(x, sympy.Tuple):
        return Mean(f, x, law)  # has been here before
    f = sympy.expand(work_out(f))
    if isinstance(law, Normal) and law.args[0] == x and not law.args[1].has(x) and f.is_polynomial(x):
        mean, variance = map(work_out, law.args[1:])
        return sum(c * moment(n, mean, variance) for (n,), c in _coefficients(f, x))
    return sympy.Add(*(_integrate_term(term, x) for term in sympy.Add.make_args(sympy.expand_mul(f * work_out(law)))))


def _coefficients(f: sympy.Expr, x: sympy.Expr) -> list[tuple[tuple[int], sympy.Expr]]:
    y = sympy.Dummy("y", real=True)  # a quantity with an index is no generator of a polynomial
    return sympy.Poly(f.xreplace({x: y}), y).terms()


def _integrate_term(term: sympy.Expr, x: sympy.Expr) -> sympy.Expr:
    constant, varying = _split(sympy.Mul.make_args(term), lambda factor: not depends(factor, x))
    exponent = sympy.Add(*(factor.args[0] for factor in varying if isinstance(factor, sympy.exp)))
    others = sympy.Mul(*(factor for factor in varying if not isinstance(factor, sympy.exp)))
    exponent = sympy.expand(exponent)
    if exponent.is_polynomial(x) and others.is_polynomial(x):
        powers = {n: c for (n,), c in _coefficients(exponent, x)}
        if max(powers) == 2:
            # Complete the square: exp(-a x^2 + b x + c) is exp(c + b^2 / 4a) sqrt(pi / a) N(x; b / 2a, 1 / 2a).
            a, b, c = -sympy.together(powers[2]), powers.get(1, sympy.S.Zero), powers.get(0, sympy.S.Zero)
            mass = sympy.exp(sympy.factor(c + b**2 / (4 * a))) * sympy.sqrt(sympy.pi / a)
            mean, variance = sympy.cancel(b / (2 * a)), sympy.cancel(1 / (2 * a))
            polynomial = sum(k * moment(n, mean, variance) for (n,), k in _coefficients(others, x))
            return sympy.Mul(*constant) * mass * polynomial
    # Unknown functions: one integral over all variables, in one order, with what is constant before it.
    variables, inside = {x}, list(varying)
    for factor in varying:
        if isinstance(factor, Mean):
            others = [other for other in inside if other != factor]
            if not any(depends(other, bound) for other in others for bound in factor.args[1]):
                variables |= set(factor.args[1])
                inside[inside.index(factor)] = factor.args[0]
    ordered = sympy.Tuple(*sorted(variables, key=sympy.default_sort_key))
    return sympy.Mul(*constant) * Mean(sympy.Mul(*inside), ordered, 1)


def depends(e: sympy.Expr, x: sympy.Expr) -> bool:
    """Whether ``x`` occurs in ``e`` other than as the variable of a mean."""
    if e == x:
        return True
    if isinstance(e, Mean):
        f, bound, law = e.args
        inside = x not in (bound.args if isinstance(bound, sympy.Tuple) else [bound])
        return inside and (depends(f, x) or depends(law, x))
    return any(depends(argument, x) for argument in e.args)


def _split(items: Any, test: Callable[[Any], bool]) -> tuple[list, list]:
    return [item for item in items if test(item)], [item for item in items if not test(item)]


# --- Numbers ---------------------------------------------------------------------------------------------------------


def same_by_numbers(left: sympy.Expr, right: sympy.Expr, seed: int = 0) -> bool:
    """Whether the two have equal values, to a tolerance of 1e-14, at three random rational points."""
    if isinstance(left, sympy.MatrixBase) or isinstance(right, sympy.MatrixBase):
        shapes = [getattr(side, "shape", None) for side in (left, right)]
        return shapes[0] == shapes[1] and all(same_by_numbers(a, b, seed) for a, b in zip(left, right, strict=True))
    if left == right:
        return True
    with mpmath.workdps(DIGITS):
        for k in range(POINTS):
            value = Values(f"{seed} {k}")
            try:
                a, b = value(left), value(right)
            except ZeroDivisionError:
                return False
            if not abs(a - b) <= TOLERANCE * (1 + abs(a) + abs(b)):
                return False
    return True


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
        draw = random.Random(f"{self.seed} {key}")
        if e.is_integer:
            return mpmath.mpf(draw.randrange(10, 41))
        return mpmath.mpf(draw.randrange(20, 78) if e.is_positive else draw.randrange(-200, 200)) / 97

    def _operation(self, e: sympy.Expr) -> Callable[..., Any]:
        if isinstance(e, AppliedUndef):
            return lambda *values: self._random(e, f"{e.func} {[mpmath.nstr(value, 20) for value in values]}")
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
        unknown = any(depends(u, x) for u in (f * law).atoms(AppliedUndef) if u != x)
        if isinstance(law, Normal) and law.args[0] == x and not depends(law.args[1], x):
            inside = self.function(f, (*bound, x))
            mean, variance = (self.function(argument, bound) for argument in law.args[1:])

            def by_nodes(at: dict, n: int) -> Any:
                m, s = mean(at), mpmath.sqrt(2 * variance(at))
                return mpmath.fsum(w * inside({**at, x: m + s * node}) for node, w in gauss_hermite(n))

            if unknown or f.is_polynomial(x) or f.has(sympy.log):
                return lambda at: by_nodes(at, 5)
        inside = self.function(f * law, (*bound, x))
        if unknown:
            third = mpmath.mpf(1) / 3
            points = [(-4 * third, third), (third, 2 * third), (2 * third, 1)]
            return lambda at: mpmath.fsum(weight * inside({**at, x: v}) for v, weight in points)
        return lambda at: _trapezoid(lambda v: inside({**at, x: v}))

    def _over_limits(self, e: sympy.Expr, bound: tuple) -> Function:
        *rest, (x, *limits) = e.args
        inside = self.function(e.func(*rest) if len(rest) > 1 else rest[0], (*bound, x))
        ends = [self.function(limit, bound) for limit in limits]
        if isinstance(e, sympy.Derivative):
            place = self.function(x, bound)
            n, h = int(limits[0]), mpmath.mpf(10) ** -8
            return lambda at: mpmath.diff(lambda v: inside({**at, x: v}), place(at), n, h=h)
        if isinstance(e, sympy.Integral):
            return lambda at: mpmath.quad(lambda v: inside({**at, x: v}), [end(at) for end in ends])
        total = mpmath.fsum if isinstance(e, sympy.Sum) else mpmath.fprod

        def over_all(at: dict) -> Any:
            low, high = (int(end(at)) for end in ends)
            return total(inside({**at, x: mpmath.mpf(k)}) for k in range(low, high + 1))

        return over_all


def _trapezoid(f: Callable[[Any], Any]) -> Any:
    """The integral over the real line of a smooth function that falls off like a Gaussian not much wider than 1."""
    h = mpmath.mpf(1) / 4
    total = h * mpmath.fsum(f(k * h) for k in range(-56, 57))
    for _ in range(4):
        between = h * mpmath.fsum(f((k + mpmath.mpf(1) / 2) * h) for k in range(round(-14 / h), round(14 / h)))
        if abs(total - between) < TOLERANCE * (1 + abs(total)) / 100:
            return total
        total, h = (total + between) / 2, h / 2
    return mpmath.quad(f, [-mpmath.inf, -1, 0, 1, mpmath.inf])


@lru_cache
def gauss_hermite(n: int) -> list[tuple[Any, Any]]:
    """Nodes and weights: ``sum weight f(m + sqrt(2 v) node)`` is ``E f`` under ``N(m, v)``, to degree ``2 n - 1``."""
    nodes, weights = quadrature.gauss_hermite(n, DIGITS)
    with mpmath.workdps(DIGITS):
        root = mpmath.sqrt(mpmath.pi)
        return [(mpmath.mpf(str(x)), mpmath.mpf(str(w)) / root) for x, w in zip(nodes, weights, strict=True)]
