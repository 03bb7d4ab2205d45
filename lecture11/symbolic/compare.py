"""Are two expressions equal? By their values at random points, which know nothing of SymPy's rules.

The second judge of a step, beside ``algebra.py``: neither alone lets a step pass.
"""

import hashlib
import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import mpmath
import sympy
from sympy.core.function import AppliedUndef

from lecture11.symbolic.algebra import is_normal_in
from lecture11.symbolic.signs import Where, is_fraction
from lecture11.symbolic.terms import BINDERS, KL, Mean, Normal, depends

DIGITS = 30
POINTS, EXACT_POINTS = 20, 3
SMALL, LARGE = 3, 50  # how far integers go from the least on; at each fifth point far, but for those that sums end with
# Of an equation, and of an integral that is exact but for rounding: with 30 digits, and with those of a float.
TOLERANCE, ROUNDING = {True: 1e-14, False: 1e-9}, {True: 1e-26, False: 1e-13}


def same_by_numbers(left: sympy.Expr, right: sympy.Expr, seed: int = 0, where: Where = ()) -> bool:
    """Whether the two have equal values at 20 random points of a range, of which the first has its least integers.

    To a relative tolerance of 1e-14 at three of them; at the others of 1e-9 in floats; where these differ, as there.

    Raises:
        ValueError: there is no such point.
    """
    if left == right:
        return True
    of_numbers = _of_numbers(left, right)
    for k in range(POINTS):
        point = f"{seed} {k}"
        if k >= EXACT_POINTS and _agree(left, right, point, where, of_numbers, exact=False):
            continue
        if not _agree(left, right, point, where, of_numbers, exact=True):
            return False
    return True


def has_value(e: sympy.Expr, where: Where = ()) -> bool:
    """Whether numbers can say something of it: an integral of what has a corner, for one, they do not find."""
    try:
        return bool(mpmath.isfinite(_value(e, "0 0", where)))
    except ZeroDivisionError:
        return False


Places = frozenset  # of unknown functions: the name, and which of its arguments; and integers that end sums


def _of_numbers(*sides: sympy.Expr) -> Places:
    """Where an unknown function has an integer in one place and any number in another: as ``g(2)`` and ``g(t)``.

    And the integers with which sums end: of these, each takes another term.
    """
    found: dict[bool, set] = {True: set(), False: set()}
    for e in (e for side in sides for e in side.atoms(AppliedUndef)):
        for i, argument in enumerate(e.args):
            found[bool(argument.is_integer)].add((e.func.__name__, i))
    sums = [part for e in sides for part in e.atoms(sympy.Sum)]
    ends = {s for e in sums for limit in e.limits for end in limit.args[1:] for s in end.free_symbols}
    return frozenset((found[True] & found[False]) | ends)


def _agree(left: sympy.Expr, right: sympy.Expr, seed: str, where: Where, of_numbers: Places, exact: bool) -> bool:
    try:
        a, b = (_value(side, seed, where, of_numbers, exact) for side in (left, right))
        return bool(abs(a - b) <= TOLERANCE[exact] * (1 + abs(a) + abs(b)) < math.inf)
    except ZeroDivisionError:
        return False
    except (OverflowError, TypeError, ValueError):
        if exact:
            raise
        return False  # not for floats


@lru_cache(maxsize=20_000)
def _value(e: sympy.Expr, seed: str, where: Where = (), of_numbers: Places = frozenset(), exact: bool = True) -> Any:
    with mpmath.workdps(DIGITS):
        return _at_point(seed, where, of_numbers, exact)(e)


@lru_cache(maxsize=1000)
def _at_point(seed: str, where: Where, of_numbers: Places, exact: bool) -> "Values":
    return Values(seed, where, exact, of_numbers)


@lru_cache(maxsize=10_000)
def some_integers(where: Where, seed: str = " 0", small: Places | None = None) -> dict[sympy.Symbol, int]:
    """A value for each integer of a range; the least that there are if the seed ends with 0.

    Args:
        small: those that must not be large; all of them if it is None.

    Raises:
        ValueError: there are none, or none that are small.
    """
    symbols = {s: str(s) for s in sorted({s for e in where for s in e.free_symbols}, key=str)}
    most = 0 if seed.endswith(" 0") else SMALL
    for attempt in range(2000):
        most += attempt % 100 == 99
        at = {s: _least(s) + _from_0_to(most if small is None or s in small or attempt > 1000 else LARGE,
              f"{seed} {attempt} {name}") for s, name in symbols.items()}  # fmt: skip
        if all(e.xreplace(at) >= 0 for e in where):
            return at
    raise ValueError(f"there seem to be no integers in the range {where}")


def _least(s: sympy.Symbol) -> int:
    return 1 if s.is_positive else 0 if s.is_nonnegative else -3


def _share(key: str) -> float:
    """Between 0 and 1, and always the same for a key."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=6).digest()) / 2**48


def _from_0_to(most: int, key: str) -> int:
    return int(_share(key) * (most + 1))


Function = Callable[[dict], Any]
Bound = frozenset  # variables


class Values:
    """The value of any expression at one random point. What it was asked for once, it knows.

    A positive quantity lies between 0.02 and 50, a fraction between 0 and 1, any other between -8 and 8; integers are
    small, in range, and at their least in the points whose seed ends with 0. An unknown function of integers takes a
    random value for each of them; one of real numbers is a sum of two random waves, which has derivatives.

    A mean under a normal law is Gauss and Hermite's sum, exact for polynomials; where unknown functions stand in an
    integral it is a sum over a few random points with random weights: as good as any law for what holds for every law.
    Integrals of Gaussians times a polynomial use the same nodes, other integrals the trapezoidal rule.
    """

    def __init__(self, seed: str, where: Where = (), exact: bool = True, of_numbers: Places = frozenset()) -> None:
        self.seed, self.where, self.exact, self.of_numbers = seed, where, exact, of_numbers
        self.m: Any = mpmath.mp if exact else mpmath.fp
        self._large = seed.endswith(("4", "9"))
        self._integers = {str(s): n for s, n in some_integers(where, seed, of_numbers if self._large else None).items()}
        self._known: dict[sympy.Expr, Any] = {}
        self._drawn: dict[str, dict[tuple, list]] = {}  # of each unknown function, for its indices

    def __call__(self, e: sympy.Expr) -> Any:
        if e not in self._known:
            if not e.args:
                self._known[e] = self._atom(e)
            elif isinstance(e, BINDERS):
                self._known[e] = self._over(e, frozenset())({})
            else:
                self._known[e] = self._operation(e)(*map(self, e.args))
        return self._known[e]

    def function(self, e: sympy.Expr, bound: Bound) -> Function:
        """``e`` as a function of its bound variables, which are given by name in a dict."""
        if e in bound:
            return lambda at: at[e]
        if not any(depends(e, x) for x in bound):
            constant = self(e)
            return lambda at: constant
        if isinstance(e, BINDERS):
            return self._over(e, bound)
        operation = self._operation(e)
        arguments = [self.function(argument, bound) for argument in e.args]
        return lambda at: operation(*[argument(at) for argument in arguments])

    def _over(self, e: sympy.Expr, bound: Bound) -> Function:
        if isinstance(e, Mean):
            return self._mean(e, bound)
        if isinstance(e, KL):
            return self._divergence(e, bound)
        return self._over_limits(e, bound)

    def _atom(self, e: sympy.Expr) -> Any:
        if e.is_Symbol:
            return self._random(e, str(e))
        return self.m.mpf(e.p) / e.q if e.is_Rational else self.m.mpf(e._to_mpmath(mpmath.mp.prec))

    def _random(self, e: sympy.Expr, key: str) -> Any:
        if e.is_Symbol and e.is_integer:
            if key not in self._integers:
                most = 0 if self.seed.endswith(" 0") else LARGE if self._large and e not in self.of_numbers else SMALL
                self._integers[key] = _least(e) + _from_0_to(most, f"{self.seed} {key}")
            return self.m.mpf(self._integers[key])
        share = _share(f"{self.seed} {key}")
        if e.is_integer:
            return self.m.mpf(1 + int(6 * share))
        if is_fraction(e, self.where):
            return self.m.mpf(50 + int(901 * share)) / 1000
        if e.is_nonnegative:
            return self.m.mpf(round(1000 * math.exp(7.8 * share - 3.9))) / 1000
        return self.m.mpf(int(16001 * share) - 8000 or 1) / 1000

    def _waves(self, e: AppliedUndef) -> Callable[..., Any]:
        """An unknown function of real numbers: two waves of random lengths for each value of its indices."""
        counted, drawn = self._counted(e), self._drawn.setdefault(e.func.__name__, {})
        fraction, nonnegative = is_fraction(e, self.where), e.is_nonnegative

        def value(*values: Any) -> Any:
            indices = tuple([int(v) for v, index in zip(values, counted, strict=True) if index])
            if (indices, len(values)) not in drawn:
                share = f"{self.seed} {e.func} {[*indices]}"
                drawn[indices, len(values)] = [
                    [self.m.mpf(4 * _share(f"{share} {a}{i}") - 2) for i in range(len(values) + 1)] for a in "ab"
                ]
            places = [v for v, index in zip(values, counted, strict=True) if not index]
            waves = [self.m.sin(self.m.fdot(wave, (*places, 3))) for wave in drawn[indices, len(values)]]
            wave = (waves[0] + waves[1]) / 2
            if fraction:
                return (1 + wave * 9 / 10) / 2
            return self.m.exp(4 * wave) if nonnegative else 8 * wave

        return value

    def _counted(self, e: AppliedUndef) -> list[bool]:
        """Which arguments are indices."""
        name = e.func.__name__
        return [bool(argument.is_integer) and (name, i) not in self.of_numbers for i, argument in enumerate(e.args)]

    def _operation(self, e: sympy.Expr) -> Callable[..., Any]:
        if isinstance(e, AppliedUndef):
            if not all(self._counted(e)):
                return self._waves(e)
            return lambda *values: self._random(e, f"{e.func} {[round(float(value), 12) for value in values]}")
        if e.is_Add:
            return lambda *terms: self.m.fsum(terms)
        if e.is_Mul:
            return lambda *factors: self.m.fprod(factors)
        if e.is_Pow:
            exponent = e.exp
            if exponent.is_Integer:
                return lambda base, _: base ** int(exponent)
            return (lambda base, _: self.m.sqrt(base)) if exponent == sympy.S.Half else self.m.power
        if isinstance(e, Normal):
            return lambda x, mean, v: self.m.exp(-((x - mean) ** 2) / (2 * v)) / self.m.sqrt(2 * self.m.pi * v)
        name = e.func.__name__
        return getattr(self.m, {"Abs": "fabs"}.get(name, name))

    def _divergence(self, e: KL, bound: Bound) -> Function:
        """As an unknown function of both densities: of their values at two points."""
        (x,) = e.variables
        both = [self.function(law, bound | {x}) for law in e.args]
        places = (self.m.mpf(-2) / 3, self.m.mpf(5) / 7)

        def value(at: dict) -> Any:
            key = [mpmath.nstr(self.m.mpf(law({**at, x: place})), 12) for law in both for place in places]
            return self._random(e, f"KL {key}")

        return value

    def _mean(self, e: Mean, bound: Bound) -> Function:
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
            product = self.function(f * law, bound | {x})
            if unknown:
                nodes = self._measure()
                return lambda at: self.m.fsum(w * product({**at, x: node}) for node, w in nodes)
            exponent = self.function(_exponent(f * law), bound | {x})
            return lambda at: self._integral(lambda v: product({**at, x: v}), lambda v: exponent({**at, x: v}))
        inside = self.function(f, bound | {x})
        mean, variance = (self.function(argument, bound) for argument in law.args[1:])
        exponent = self.function(_exponent(f), bound | {x})
        polynomial = unknown or not depends(_exponent(f), x)  # of an exponential, the nodes say too little
        few = 6 + _from_0_to(2, f"{self.seed} nodes")

        def under_normal(at: dict) -> Any:
            m, s = mean(at), self.m.sqrt(2 * variance(at))

            if polynomial:
                value, sure = self._by_nodes(lambda v: inside({**at, x: m + s * v}), few)
                if unknown or sure:
                    return value
            density = self._operation(law)
            return self._integral(
                lambda v: inside({**at, x: v}) * density(v, m, s**2 / 2),
                lambda v: exponent({**at, x: v}) - ((v - m) / s) ** 2,
            )

        return under_normal

    def _measure(self) -> list[tuple[Any, Any]]:
        """Four points and their weights."""

        def share(i: int) -> float:
            return _share(f"{self.seed} measure {i}")

        nodes = [(2 * i - 3) * math.exp(4 * share(i) - 2) for i in range(4)]
        return [(self.m.mpf(round(1000 * x)) / 1000, self.m.mpf(1 + int(20 * share(4 + i))) / 25)
                for i, x in enumerate(nodes)]  # fmt: skip

    def _over_limits(self, e: sympy.Expr, bound: Bound) -> Function:
        *rest, (x, *limits) = e.args
        inside = self.function(e.func(*rest) if len(rest) > 1 else rest[0], bound | {x})
        ends = [self.function(limit, bound) for limit in limits]
        if isinstance(e, sympy.Derivative):
            place = self.function(x, bound)
            return lambda at: self.m.diff(lambda v: inside({**at, x: v}), place(at), int(limits[0]))
        if isinstance(e, sympy.Integral):
            return lambda at: self._between(lambda v: inside({**at, x: v}), *(end(at) for end in ends))

        def over_all(at: dict) -> Any:
            low, high = (int(end(at)) for end in ends)
            return self.m.fsum(inside({**at, x: self.m.mpf(k)}) for k in range(low, high + 1))

        return over_all

    def _integral(self, f: Function, exponent: Function) -> Any:
        """The integral over the real line: around the top of the parabola in the exponent, in units of its width."""
        m, widest = self.m, f
        for parabola in (exponent, lambda v: m.log(abs(f(v)) or mpmath.mpf(10) ** -9999)):
            one, zero, two, three = (parabola(m.mpf(v)) for v in (-1, 0, 1, 2))
            a, b = zero - (one + two) / 2, (two - one) / 2
            near = TOLERANCE[self.exact] * (1 + abs(three) + 4 * abs(a) + abs(zero))
            if a > 0 and abs(zero + 2 * b - 4 * a - three) <= near:
                top, width = b / (2 * a), 1 / m.sqrt(a)
                value, sure = self._by_nodes(_times(_moved(f, top, width), lambda v: m.exp(v * v)), 7)
                if sure:
                    return m.sqrt(m.pi) * value
                if widest is f:
                    widest = _moved(f, top, width)
        return self._trapezoid(widest)

    def _by_nodes(self, f: Function, n: int) -> tuple[Any, bool]:
        """The mean of ``f`` for a normal law of variance 1/2, and whether more nodes say the same."""
        few, more = ([w * f(x) for x, w in gauss_hermite(k, self.exact)] for k in (n, n + 3))
        value = self.m.fsum(few)
        # Exact but for rounding, or not at all: what is nearly right cannot be differentiated by numbers.
        return value, abs(value - self.m.fsum(more)) <= ROUNDING[self.exact] * self.m.fsum(map(abs, few))

    def _between(self, f: Function, low: Any, high: Any) -> Any:
        """The integral between two ends, in pieces that are smaller near 0."""
        if low > high:
            return -self._between(f, high, low)
        places = sorted({0, *(sign * 2**k for k in range(10) for sign in (1, -1))})
        return self.m.quad(f, [low, *(place for place in places if low < place < high), high])

    def _trapezoid(self, f: Function) -> Any:
        """The integral over the real line of a smooth function that falls off like a Gaussian not much wider than 1."""
        m, tolerance = self.m, TOLERANCE[self.exact]
        h = m.mpf(1) / 4
        values = [f(k * h) for k in range(-56, 57)]
        total, scale = h * m.fsum(values), m.fsum(map(abs, values))
        if abs(values[0]) + abs(values[-1]) > tolerance * scale:
            return m.inf
        for _ in range(4):
            between = h * m.fsum(f((k + m.mpf(1) / 2) * h) for k in range(round(-14 / h), round(14 / h)))
            if abs(total - between) <= tolerance * scale / 100:
                # The mean of both has about the square of that error: small enough to be differentiated by numbers.
                return (total + between) / 2
            total, h = (total + between) / 2, h / 2
        return m.nan


def _times(f: Function, g: Callable[[Any], Any]) -> Function:
    return lambda v: f(v) * g(v)


def _moved(f: Function, m: Any, s: Any) -> Function:
    return lambda v: s * f(m + s * v)


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


@lru_cache
def gauss_hermite(n: int, exact: bool = True) -> list[tuple[Any, Any]]:
    """Nodes and weights: ``sum weight f(m + sqrt(2 v) node)`` is ``E f`` under ``N(m, v)``, to degree ``2 n - 1``."""
    if not exact:
        return [(float(x), float(weight)) for x, weight in gauss_hermite(n)]
    with mpmath.workdps(DIGITS + 10):
        polynomials = [[1], [2, 0]]  # of Hermite, by their recursion
        for k in range(1, n):
            last, before = polynomials[-1], [0, 0, *polynomials[-2]]
            polynomials.append([2 * a - 2 * k * b for a, b in zip([*last, 0], before, strict=True)])
        nodes = mpmath.polyroots(polynomials[n], maxsteps=200, extraprec=200)
        scale = mpmath.mpf(2) ** (n - 1) * mpmath.factorial(n) / n**2
        return [(x, scale / mpmath.polyval(polynomials[n - 1], x) ** 2) for x in nodes]
