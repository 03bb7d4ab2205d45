"""Are two expressions equal? By their values at random points, which know nothing of SymPy's rules.

The second judge of a step, beside ``algebra.py``: neither alone lets a step pass.
"""

import math
import random
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import mpmath
import sympy
from sympy.core.function import AppliedUndef

from lecture11.symbolic.algebra import is_normal_in
from lecture11.symbolic.signs import Where, is_fraction
from lecture11.symbolic.terms import KL, Mean, Normal, depends

DIGITS = 30
TOLERANCE = mpmath.mpf(10) ** -14
EXACT = mpmath.mpf(10) ** -26
POINTS = 20


def same_by_numbers(left: sympy.Expr, right: sympy.Expr, seed: int = 0, where: Where = ()) -> bool:
    """Whether the two have equal values, to a relative tolerance of 1e-14, at 20 random points of a range.

    The first point has each integer at its least.

    Raises:
        ValueError: there is no such point.
    """
    if left == right:
        return True
    for k in range(POINTS):
        try:
            a, b = (_value(side, f"{seed} {k}", where) for side in (left, right))
        except ZeroDivisionError:
            return False
        if not abs(a - b) <= TOLERANCE * (1 + abs(a) + abs(b)):
            return False
    return True


@lru_cache(maxsize=20_000)
def _value(e: sympy.Expr, seed: str, where: Where = ()) -> Any:
    with mpmath.workdps(DIGITS):
        return Values(seed, where)(e)


def some_integers(where: Where, seed: str = " 0", more: Iterable[sympy.Symbol] = ()) -> dict[str, int]:
    """A value for each integer of a range, and for some more; the least that there are if the seed ends with 0.

    Raises:
        ValueError: there are none, or none that are small.
    """
    symbols = {s for e in where for s in e.free_symbols} | set(more)
    least = {s: 1 if s.is_positive else 0 if s.is_nonnegative else -3 for s in symbols}
    most = 0 if seed.endswith(" 0") else 3
    for attempt in range(2000):
        most += attempt % 100 == 99
        at = {s: least[s] + random.Random(f"{seed} {attempt} {s}").randint(0, most) for s in symbols}
        if all(e.xreplace(at) >= 0 for e in where):
            return {str(s): n for s, n in at.items()}
    raise ValueError(f"there seem to be no integers in the range {where}")


Function = Callable[[dict], Any]


class Values:
    """The value of any expression at one random point.

    A positive quantity lies between 0.02 and 50, a fraction between 0 and 1, any other between -8 and 8; integers are
    small, in range, and at their least in the points whose seed ends with 0. An unknown function takes a random value
    for each value of its arguments.

    A mean under a normal law is Gauss and Hermite's sum, exact for polynomials; where unknown functions stand in an
    integral it is a sum over a few random points with random weights: as good as any law for what holds for every law.
    Integrals of Gaussians times a polynomial use the same nodes, other integrals the trapezoidal rule.
    """

    def __init__(self, seed: str, where: Where = ()) -> None:
        self.seed, self.where = seed, where
        self._integers: dict[str, int] = {}

    def __call__(self, e: sympy.Expr) -> Any:
        symbols = e.atoms(sympy.Symbol)
        self._integers = some_integers(self.where, self.seed, {s for s in symbols if s.is_integer})
        return self.function(e, ())({})

    def _draw(self, key: str) -> random.Random:
        return random.Random(f"{self.seed} {key}")

    def function(self, e: sympy.Expr, bound: tuple[sympy.Expr, ...]) -> Function:
        """``e`` as a function of its bound variables, which are given by name in a dict."""
        if e in bound:
            return lambda at: at[e]
        if bound and not any(depends(e, x) for x in bound):
            constant = self.function(e, ())({})
            return lambda at: constant
        if not e.args:
            constant = self._atom(e)
            return lambda at: constant
        if isinstance(e, Mean):
            return self._mean(e, bound)
        if isinstance(e, KL):
            return self._divergence(e, bound)
        if isinstance(e, sympy.Derivative | sympy.Sum | sympy.Integral):
            return self._over_limits(e, bound)
        operation = self._operation(e)
        arguments = [self.function(argument, bound) for argument in e.args]
        return lambda at: operation(*(argument(at) for argument in arguments))

    def _atom(self, e: sympy.Expr) -> Any:
        if e.is_Symbol:
            return self._random(e, str(e))
        return mpmath.mpf(e.p) / e.q if e.is_Rational else e._to_mpmath(mpmath.mp.prec)

    def _random(self, e: sympy.Expr, key: str) -> Any:
        draw = self._draw(key)
        if e.is_integer:
            return mpmath.mpf(self._integers.get(key, draw.randint(1, 6)))
        if is_fraction(e, self.where):
            return mpmath.mpf(draw.randint(50, 950)) / 1000
        if e.is_nonnegative:
            return mpmath.mpf(round(1000 * math.exp(draw.uniform(-3.9, 3.9)))) / 1000
        return mpmath.mpf(draw.randint(-8000, 8000) or 1) / 1000

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
        return getattr(mpmath, {"Abs": "fabs"}.get(name, name))

    def _divergence(self, e: KL, bound: tuple) -> Function:
        """As an unknown function of both densities: of their values at two points."""
        (x,) = e.variables
        both = [self.function(law, (*bound, x)) for law in e.args]
        places = (mpmath.mpf(-2) / 3, mpmath.mpf(5) / 7)

        def value(at: dict) -> Any:
            key = [mpmath.nstr(law({**at, x: place}), 12) for law in both for place in places]
            return self._random(e, f"KL {key}")

        return value

    def _mean(self, e: Mean, bound: tuple) -> Function:
        f, x, law = e.args
        if isinstance(x, sympy.Tuple):
            nested = _last_variable_apart(f, x, law) if len(x.args) > 1 else (f, x.args[0], law)
            return self.function(Mean(*nested), bound)
        normal = is_normal_in(law, x)
        if normal and not depends(f, x):
            return self.function(f, bound)
        inner = {x}.union(*(mean.variables for mean in (f * law).atoms(Mean, KL)))
        unknown = any(u.has(*inner) for u in (f * law).atoms(AppliedUndef, KL) - inner)
        if not normal:
            product = self.function(f * law, (*bound, x))
            if unknown:
                nodes = self._measure()
                return lambda at: mpmath.fsum(w * product({**at, x: node}) for node, w in nodes)
            exponent = self.function(_exponent(f * law), (*bound, x))
            return lambda at: _integral(lambda v: product({**at, x: v}), lambda v: exponent({**at, x: v}))
        inside = self.function(f, (*bound, x))
        mean, variance = (self.function(argument, bound) for argument in law.args[1:])
        exponent = self.function(_exponent(f), (*bound, x))
        few = self._draw("nodes").randint(6, 8)

        def under_normal(at: dict) -> Any:
            m, s = mean(at), mpmath.sqrt(2 * variance(at))

            value, sure = _by_nodes(lambda v: inside({**at, x: m + s * v}), few)
            if unknown or sure:
                return value
            density = self._operation(law)
            return _integral(
                lambda v: inside({**at, x: v}) * density(v, m, s**2 / 2),
                lambda v: exponent({**at, x: v}) - ((v - m) / s) ** 2,
            )

        return under_normal

    def _measure(self) -> list[tuple[Any, Any]]:
        """Four points and their weights."""
        draw = self._draw("measure")
        nodes = [draw.choice((-1, 1)) * math.exp(draw.uniform(-2, 2)) for _ in range(4)]
        return [(mpmath.mpf(round(1000 * x)) / 1000, mpmath.mpf(draw.randint(1, 20)) / 25) for x in nodes]

    def _over_limits(self, e: sympy.Expr, bound: tuple) -> Function:
        *rest, (x, *limits) = e.args
        inside = self.function(e.func(*rest) if len(rest) > 1 else rest[0], (*bound, x))
        ends = [self.function(limit, bound) for limit in limits]
        if isinstance(e, sympy.Derivative):
            place = self.function(x, bound)
            return lambda at: mpmath.diff(lambda v: inside({**at, x: v}), place(at), int(limits[0]))
        if isinstance(e, sympy.Integral):
            return lambda at: _between(lambda v: inside({**at, x: v}), *(end(at) for end in ends))

        def over_all(at: dict) -> Any:
            low, high = (int(end(at)) for end in ends)
            return mpmath.fsum(inside({**at, x: mpmath.mpf(k)}) for k in range(low, high + 1))

        return over_all


def _last_variable_apart(f: sympy.Expr, x: sympy.Tuple, law: sympy.Expr) -> tuple[sympy.Expr, ...]:
    """An integral over several variables: first over the last one, with the factors of the law that depend on it."""
    *others, last = x.args
    here = [factor for factor in sympy.Mul.make_args(law) if depends(factor, last)]
    return Mean(f, last, sympy.Mul(*here)), sympy.Tuple(*others), law / sympy.Mul(*here)


def _exponent(e: sympy.Expr) -> sympy.Expr:
    """What stands in the exponents of the factors of a product."""
    found = []
    for factor in sympy.Mul.make_args(e):
        base, power = factor.as_base_exp()
        if isinstance(factor, sympy.exp):
            found.append(factor.args[0])
        elif isinstance(base, Normal):
            found.append(-power * (base.args[0] - base.args[1]) ** 2 / (2 * base.args[2]))
    return sympy.Add(*found)


def _integral(f: Function, exponent: Function) -> Any:
    """The integral over the real line: around the top of the parabola in the exponent, in units of its width."""
    widest = f
    for parabola in (exponent, lambda v: mpmath.log(abs(f(v)) or mpmath.mpf(10) ** -9999)):
        one, zero, two, three = (parabola(mpmath.mpf(v)) for v in (-1, 0, 1, 2))
        a, b = zero - (one + two) / 2, (two - one) / 2
        if a > 0 and abs(zero + 2 * b - 4 * a - three) <= TOLERANCE * (1 + abs(three) + 4 * abs(a) + abs(zero)):
            m, s = b / (2 * a), 1 / mpmath.sqrt(a)
            value, sure = _by_nodes(_times(_moved(f, m, s), _growing), 7)
            if sure:
                return mpmath.sqrt(mpmath.pi) * value
            if widest is f:
                widest = _moved(f, m, s)
    return _trapezoid(widest)


def _growing(v: Any) -> Any:
    return mpmath.exp(v * v)


def _times(f: Function, g: Function) -> Function:
    return lambda v: f(v) * g(v)


def _moved(f: Function, m: Any, s: Any) -> Function:
    return lambda v: s * f(m + s * v)


def _by_nodes(f: Function, n: int) -> tuple[Any, bool]:
    """The mean of ``f`` for a normal law of variance 1/2, and whether more nodes say the same."""
    few, more = ([w * f(x) for x, w in gauss_hermite(k)] for k in (n, n + 3))
    value = mpmath.fsum(few)
    # Exact but for rounding, or not at all: what is nearly right cannot be differentiated by numbers.
    return value, abs(value - mpmath.fsum(more)) <= EXACT * mpmath.fsum(map(abs, few))


def _between(f: Function, low: Any, high: Any) -> Any:
    """The integral between two ends, in pieces that are smaller near 0."""
    if low > high:
        return -_between(f, high, low)
    places = sorted({0, *(sign * 2**k for k in range(10) for sign in (1, -1))})
    return mpmath.quad(f, [low, *(place for place in places if low < place < high), high])


def _trapezoid(f: Callable[[Any], Any]) -> Any:
    """The integral over the real line of a smooth function that falls off like a Gaussian not much wider than 1."""
    h = mpmath.mpf(1) / 4
    values = [f(k * h) for k in range(-56, 57)]
    total, scale = h * mpmath.fsum(values), mpmath.fsum(map(abs, values))
    if abs(values[0]) + abs(values[-1]) > TOLERANCE * scale:
        return mpmath.inf
    for _ in range(4):
        between = h * mpmath.fsum(f((k + mpmath.mpf(1) / 2) * h) for k in range(round(-14 / h), round(14 / h)))
        if abs(total - between) <= TOLERANCE * scale / 100:
            # The mean of both has about the square of that error: small enough to be differentiated by numbers.
            return (total + between) / 2
        total, h = (total + between) / 2, h / 2
    return mpmath.nan


@lru_cache
def gauss_hermite(n: int) -> list[tuple[Any, Any]]:
    """Nodes and weights: ``sum weight f(m + sqrt(2 v) node)`` is ``E f`` under ``N(m, v)``, to degree ``2 n - 1``."""
    with mpmath.workdps(DIGITS + 10):
        polynomials = [[1], [2, 0]]  # of Hermite, by their recursion
        for k in range(1, n):
            last, before = polynomials[-1], [0, 0, *polynomials[-2]]
            polynomials.append([2 * a - 2 * k * b for a, b in zip([*last, 0], before, strict=True)])
        nodes = mpmath.polyroots(polynomials[n], maxsteps=200, extraprec=200)
        scale = mpmath.mpf(2) ** (n - 1) * mpmath.factorial(n) / n**2
        return [(x, scale / mpmath.polyval(polynomials[n - 1], x) ** 2) for x in nodes]
