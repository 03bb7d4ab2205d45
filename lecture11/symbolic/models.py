"""A third judge: concrete models, in which all that a chain assumes holds, and all its lines are equal.

The kernel cannot see whether assumptions contradict each other; but what holds in a model does not. A model gives each
letter a value: numbers for symbols and indices, functions of numbers for names. A name that a definition explains takes
the value of its right side; of any other the model says what it is, or it is some smooth function, or some mixture of
two normal laws if it is a density. Then every definition and every assumption below a chain is computed, as are its
lines, and compared.

Nothing of SymPy is used but the form of the expressions: integrals are sums over a grid (the trapezoidal rule, which is
exact to rounding for Gaussians that are not narrow beside its step), derivatives are differences, all in NumPy's
extended precision.
"""

import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy
from sympy.core.function import AppliedUndef

from lecture11.symbolic import em
from lecture11.symbolic.facts import Assumption, Definition, Derivation, fixed, premises
from lecture11.symbolic.signs import Where
from lecture11.symbolic.terms import KL, Mean, Normal, law_variables, letter_of
from lecture11.symbolic.vae.decoder import g, z

Real = np.longdouble
STEP = Real(1) / 5
GRID = STEP * np.arange(-50, 51, dtype=Real)  # from -10 to 10
TOLERANCE = 1e-9
SMALL = range(6)  # the integers at which what is stated for all of them is tried

Function = Callable[..., Any]


_FUNCTIONS: dict[Any, Function] = {
    sympy.log: np.log, sympy.exp: np.exp, sympy.sin: np.sin, sympy.cos: np.cos, sympy.Abs: np.abs,
}  # fmt: skip


class NoModelError(Exception):
    """Something does not hold in a model. The message names it, and its two values."""


@dataclass(frozen=True)
class Model:
    """What letters stand for.

    Attributes:
        seed: of what is not given.
        numbers: values of symbols, integers among them, by name.
        functions: by name; they get the values of all else, then numbers and arrays.
        solved: values of symbols that follow from others, by name.
    """

    seed: int
    numbers: Mapping[str, Any] = field(default_factory=dict)
    functions: Mapping[str, Function] = field(default_factory=dict)
    solved: Mapping[str, "Callable[[Values], Any]"] = field(default_factory=dict)

    def draw(self, name: str, low: Any = 0, high: Any = 1) -> Any:
        """A number that belongs to a name."""
        return Real(low + (high - low) * (zlib.crc32(f"{self.seed} {name}".encode()) % 9973) / 9973)


def normal(x: Any, mean: Any, variance: Any) -> Any:
    """The density of a normal law."""
    return np.exp(-((x - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)


class Values:
    """The values of expressions in a model; what is on the left of a definition or an assumption explains a name."""

    def __init__(self, model: Model, below: Iterable[Definition | Assumption]) -> None:
        self.model = model
        self.explained: dict[tuple[str, int], list[Definition | Assumption]] = {}
        self._known: dict[sympy.Expr, Any] = {}
        for one in below:
            if isinstance(one.left, sympy.Symbol | AppliedUndef):
                key = (str(one.left), 0) if one.left.is_Symbol else (one.left.func.__name__, len(one.left.args))
                self.explained.setdefault(key, []).append(one)

    def __call__(self, e: sympy.Expr, at: dict) -> Any:
        """``at`` has the values of bound variables: of a symbol, or of ``x(2)`` as ``("x", 2)``."""
        if e in at:
            return at[e]
        if e.is_Rational:
            return int(e) if e.is_Integer else Real(e.p) / Real(e.q)
        if e.is_Symbol:
            return self._symbol(e)
        if e is sympy.pi:
            return Real("3.14159265358979323846264338327950288")
        if isinstance(e, AppliedUndef):
            return self._name(e, at)
        if isinstance(e, Mean):
            f, _, law = e.args
            return self._over_line(f * law if law != 1 else f, e.variables, at)
        if isinstance(e, KL):
            f, g = e.args
            return self._over_line(f * sympy.log(f / g, evaluate=False), e.variables, at)
        if isinstance(e, sympy.Sum):
            return self._sum(e, at)
        if isinstance(e, sympy.Integral):
            return self._between(e, at)
        if isinstance(e, sympy.Derivative):
            return self._slope(e, at)
        values = [self(argument, at) for argument in e.args]
        if e.is_Add:
            return sum(values)
        if e.is_Mul:
            product = Real(1)
            for value in values:
                product = product * value
            return product
        if e.is_Pow:
            return self._power(e, values)
        if isinstance(e, Normal):
            return normal(*values)
        if isinstance(e, sympy.erf):
            from scipy.special import erf

            return Real(erf(np.float64(values[0])))
        return _FUNCTIONS[e.func](np.asarray(values[0], dtype=Real))

    def _power(self, e: sympy.Expr, values: list) -> Any:
        base, exponent = values
        if e.base is sympy.E:
            return np.exp(np.asarray(exponent, dtype=Real))
        return np.asarray(base, dtype=Real) ** (exponent if isinstance(exponent, int) else Real(exponent))

    def _symbol(self, e: sympy.Symbol) -> Any:
        if e.name in self.model.numbers:
            return self.model.numbers[e.name]
        if e not in self._known:
            self._known[e] = self._found(e)
        return self._known[e]

    def _found(self, e: sympy.Symbol) -> Any:
        for one in self.explained.get((str(e), 0), ()):
            return self(one.right, {})
        if e.name in self.model.solved:
            return self.model.solved[e.name](self)
        if e.is_integer:
            return 3
        return self.model.draw(e.name, *((0.5, 1.1) if e.is_nonnegative else (-1.2, 1.2)))

    def key(self, e: sympy.Expr, at: dict) -> Any:
        """A variable as ``at`` knows it."""
        return (e.func.__name__, *(self(argument, at) for argument in e.args)) if isinstance(e, AppliedUndef) else e

    def _name(self, e: sympy.Expr, at: dict) -> Any:
        arguments = [self(argument, at) for argument in e.args]
        name = e.func.__name__
        if (
            not law_variables(e)
            and all(isinstance(argument, int) for argument in arguments)
            and ((name, *arguments) in at)
        ):
            return at[name, *arguments]
        if name in self.model.functions:
            return self.model.functions[name](self, *arguments)
        for one in self.explained.get((name, len(arguments)), ()):
            values = self._matched(one, arguments)
            if values is not None:
                return self(one.right, {**values, "depth": at.get("depth", 0)})
        return self._some_function(e, arguments)

    def _matched(self, one: Definition | Assumption, arguments: list) -> dict | None:
        """The variables of a premise, where it explains a name at these arguments."""
        values: dict = {}
        variables = one.left.args if isinstance(one, Definition) else one.for_all
        pairs = list(zip(one.left.args, arguments, strict=True))
        for wanted, value in sorted(pairs, key=lambda pair: (not pair[0].is_integer, not pair[0].is_Symbol)):
            if wanted.is_Symbol and wanted in variables:
                if wanted.is_integer and not isinstance(value, int):
                    return None
                values[wanted] = value
            elif wanted.is_integer and not isinstance(wanted, AppliedUndef):
                if not isinstance(value, int) or self(wanted, values) != value:
                    return None
            else:
                values[self.key(wanted, values)] = value
        for s, value in values.items():
            if isinstance(s, sympy.Symbol) and s.is_integer and value < (1 if s.is_positive else 0):
                return None
        return values if all(self(condition, values) >= 0 for condition in one.where) else None

    def _some_function(self, e: sympy.Expr, arguments: list) -> Any:
        letter, name = letter_of(e), str(e.func)
        draw = self.model.draw
        if letter and letter.law_of:
            own, given = arguments[: letter.law_of], arguments[letter.law_of :]
            place = sum(Real(0.5) * np.sin(a + draw(f"{name} {i}", 0, 6)) for i, a in enumerate(given))
            wide, apart, share = draw(name, 0.7, 1.0), draw(name + "apart", 0.5, 1), draw(name + "share", 0.3, 0.7)
            density = Real(1)
            for i, x in enumerate(own):
                middle = place + draw(f"{name} mean {i}", -0.5, 0.5)
                density = density * (
                    share * normal(x, middle - apart, wide**2) + (1 - share) * normal(x, middle + apart, wide**2)
                )
            return density
        wave = sum(np.sin(Real(1) * a * draw(f"{name} {i}", 0.5, 1.5) + draw(f"{name}{i}", 0, 6))
                   for i, a in enumerate(arguments))  # fmt: skip
        if letter and letter.fraction:
            return 1 / (1 + np.exp(wave / 2 - draw(name, -0.3, 0.3)))
        return np.exp(wave / 5) if e.is_nonnegative else wave + draw(name, -0.5, 0.5)

    def _over_line(self, f: sympy.Expr, variables: tuple, at: dict) -> Any:
        depth = at.get("depth", 0)
        inner = dict(at)
        for i, x in enumerate(variables):
            inner[self.key(x, at)] = GRID.reshape((-1,) + (1,) * (depth + i))
        inner["depth"] = depth + len(variables)
        values = np.asarray(self(f, inner), dtype=Real)
        for i in range(len(variables)):
            axis = depth + i + 1
            if values.ndim < axis or values.shape[-axis] == 1:
                raise NoModelError(f"{f} does not depend on {variables[i]}: the integral has no value")
            values = STEP * values.sum(axis=-axis, keepdims=True)
        return values if values.size > 1 else values.reshape(())[()]

    def _sum(self, e: sympy.Sum, at: dict) -> Any:
        *inner, (i, low, high) = e.limits
        f = sympy.Sum(e.function, *inner) if inner else e.function
        total = Real(0)
        for n in range(self(low, at), self(high, at) + 1):
            total = total + self(f, {**at, i: n})
        return total

    def _between(self, e: sympy.Integral, at: dict) -> Any:
        (x, low, high), *_ = e.limits
        nodes, weights = np.polynomial.legendre.leggauss(40)
        low, high = self(low, at), self(high, at)
        return sum(
            Real(w) * (high - low) / 2 * self(e.function, {**at, x: low + (high - low) * (1 + Real(node)) / 2})
            for node, w in zip(nodes, weights, strict=True)
        )

    def _slope(self, e: sympy.Derivative, at: dict) -> Any:
        (x, order), *more = e.variable_count
        inside = sympy.Derivative(e.expr, *more) if more else e.expr
        if order > 1:
            inside = sympy.Derivative(inside, (x, order - 1))
        place, h = self(x, at), Real(1) / 256
        at_steps = [self(inside, {**at, self.key(x, at): place + k * h}) for k in (-3, -2, -1, 1, 2, 3)]
        return sum(c * v for c, v in zip((-1, 9, -45, 45, -9, 1), at_steps, strict=True)) / (60 * h)


def check_in_model(chain: Derivation, model: Model) -> int:
    """Whether all that a chain rests on holds in a model, and all its lines are equal there. Returns how many were.

    Raises:
        NoModelError: at the first thing that does not.
    """
    below = premises(chain)
    values = Values(model, below)
    compared = 0
    for premise in below:
        variables = premise.for_all if isinstance(premise, Assumption) else premise.left.args
        for at in _cases(variables, premise.where, values):
            _check_equal(f"{premise.key} ({premise.statement})", premise.left, premise.right, values, at)
            compared += 1
    letters = {s for e in (*chain.lines, *chain.range) for s in e.free_symbols}
    tried = sorted(letters - fixed(chain), key=str)
    for at in _cases(tuple(tried), chain.range, values):
        for before, after in itertools.pairwise(chain.lines):
            _check_equal(chain.key, before, after, values, at)
            compared += 1
    if not compared:
        raise NoModelError(f"{chain.key}: nothing of it can be computed in this model")
    return compared


def _cases(variables: tuple, where: Where, values: Values) -> Iterator[dict]:
    """Small integers in a range for those among some variables; others have one value."""
    integers = [s for s in variables if s.is_Symbol and s.is_integer]
    for numbers in itertools.product(SMALL, repeat=len(integers)):
        at = dict(zip(integers, numbers, strict=True))
        if all(n >= (1 if s.is_positive else 0) for s, n in at.items()) and all(values(e, at) >= 0 for e in where):
            yield at


def _check_equal(what: str, left: sympy.Expr, right: sympy.Expr, values: Values, at: dict) -> None:
    here = [values(side, dict(at)) for side in (left, right)]
    if not all(np.all(np.isfinite(np.asarray(side, dtype=Real))) for side in here):
        raise NoModelError(f"{what}: {left} or {right} has no value at {at}")
    if np.max(abs(here[0] - here[1])) > TOLERANCE * (1 + np.max(abs(np.asarray(here[0])))):
        raise NoModelError(f"{what}: {left} is {here[0]}, and {right} is {here[1]}, at {at}")
    for side, value in zip((left, right), here, strict=True):
        if isinstance(side, AppliedUndef | sympy.Symbol) and side.is_nonnegative and np.any(value < -TOLERANCE):
            raise NoModelError(f"{what}: {side} is {value}, and not declared to be negative")


# --- Models of each file ----------------------------------------------------------------------------------------------


def _hermite(n: int, x: Any) -> Any:
    """Polynomials that are uncorrelated for standard normal ``x``, each with mean square 1."""
    before, now = Real(0), Real(1)
    for k in range(n):
        before, now = now, (x * now - np.sqrt(Real(k)) * before) / np.sqrt(Real(k + 1))
    return now


def _directions(seed: int, d: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0]


def _columns(seed: int, across: Function, d: int) -> Function:
    """Columns at right angles to ``across``."""
    w = np.array([across(None, j) for j in range(1, d + 1)])

    def column(_: Any, k: int, j: int) -> Any:
        one = np.random.default_rng([seed, k]).normal(size=d)
        return Real((one - w * (one @ w) / (w @ w))[j - 1]) if j <= d else Real(0)

    return column


def _autoencoder(seed: int) -> Model:
    d = 2 + seed
    v = _directions(seed, d)

    def across(_: Any, j: int) -> Any:
        return Real(1) / (j + seed)

    def spread(_: Any, j: int) -> Any:
        return Real(3) / (j + seed)

    def along(_: Any, k: int, j: int) -> Any:
        return Real(v[k - 1, j - 1]) if k <= d and j <= d else Real(0)

    def kept(_: Any, k: int, j: int) -> Any:
        return sum((along(None, n, j) ** 2 for n in range(1, k + 1)), Real(0))

    return Model(seed, {"d": d, "N": 2 + seed}, {
        "across": across,
        "column": _columns(seed, across, d),
        "lambda": spread,
        "data": lambda _, e: normal(e, 0, 1),
        "at": lambda _, e, j: np.sqrt(spread(None, j)) * _hermite(j, e),
        "v": along,
        "kept": kept,
        "edge": lambda _, k: (spread(None, k) + spread(None, k + 1)) / 2,
        "above": lambda _, k, j: spread(None, j) - (spread(None, k) + spread(None, k + 1)) / 2,
        "below": lambda _, k, j: (spread(None, k) + spread(None, k + 1)) / 2 - spread(None, j),
        "before": lambda _, e: _hermite(1, e),
        "after": lambda _, e: _hermite(1 + seed, e) * Real(0.6),
    })  # fmt: skip


def _em(seed: int) -> Model:
    basic = _autoencoder(seed)

    def weight(values: Values, i: int) -> Any:
        v = values(_V, {})
        return 1 / v - 1 / (v + Real(2) / (i + seed))

    def held(values: Values, k: int) -> Any:
        d, v, spread = (basic.numbers["d"], basic.functions["v"], basic.functions["lambda"])
        return sum((spread(None, j) * v(None, k, j) ** 2 for j in range(1, d + 1)), Real(0))

    return Model(seed, {**basic.numbers, "delta": Real(seed) / 10}, {
        **basic.functions,
        "rho": held,
        "along": lambda values, e: np.sqrt(values(g, {}) * held(values, 1)) * e,
        "extra": lambda _, i: Real(2) / (i + seed),
        "drop": lambda values, i: weight(values, i) - weight(values, i + 1),
    }, {
        "w_1": lambda values: _regression(values)[0],
        "b_1": lambda values: _regression(values)[1],
    })  # fmt: skip


def _regression(values: Values) -> tuple[Any, Any]:
    """The line that fits pixels to codes best, in the mean over ``em.pairs``."""
    x, pairs = em.pixel, em.over_pairs
    mean_x, mean_z, xz, zz = (values(pairs(f), {}) for f in (x, z, x * z, z**2))
    weight = (xz - mean_x * mean_z) / (zz - mean_z**2)
    return weight, mean_x - weight * mean_z


_V = sympy.Symbol("v", positive=True)


class _Diffusion:
    """Pixels ``x_0``, ``x_1``, ... of a Markov chain that is normal: every law of some, given others, is known."""

    def __init__(self, seed: int) -> None:
        self.beta = [Real(0), *(Real(4 + (seed + 2 * t) % 4) / 20 for t in range(1, 9))]
        self.abar = np.cumprod([1 - beta for beta in self.beta])
        self.mean, self.variance = Real(seed) / 5, Real(4 + seed) / 6

    def law(self, states: list, times: list[int], given: int) -> Any:
        """The density of the first states, given so many at the end."""
        means = [np.sqrt(self.abar[t]) * self.mean for t in times]
        spread = [self.abar[t] * self.variance + 1 - self.abar[t] for t in times]
        early = np.array([[i if times[i] <= times[j] else j for j in range(len(times))] for i in range(len(times))])
        late = [[j if times[i] <= times[j] else i for j in range(len(times))] for i in range(len(times))]
        cov = np.array([
            [np.sqrt(self.abar[times[late[i][j]]] / self.abar[times[early[i][j]]]) * spread[early[i][j]]
             for j in range(len(times))] for i in range(len(times))
        ])  # fmt: skip
        density, n = Real(1), len(states)
        for i in range(n - given):  # each state given those behind it
            behind = cov[i + 1 :, i + 1 :].astype(float)
            pull = np.linalg.solve(behind, cov[i + 1 :, i].astype(float)) if i + 1 < n else np.zeros(0)
            middle = means[i] + sum(
                Real(p) * (states[j] - means[j]) for p, j in zip(pull, range(i + 1, n), strict=True)
            )
            density = density * normal(states[i], middle, spread[i] - Real(pull @ cov[i + 1 :, i].astype(float)))
        return density

    def timed(self, of: int) -> Function:
        def density(_: Any, *arguments: Any) -> Any:
            half = len(arguments) // 2
            return self.law(list(arguments[:half]), list(arguments[half:]), half - of)

        return density


def _diffusion(seed: int) -> Model:
    chain = _Diffusion(seed)
    return Model(seed, {"t": 1 + seed}, {
        "alpha": lambda _, t: 1 - chain.beta[t],
        "beta": lambda _, t: chain.beta[t],
        "abar": lambda _, t: chain.abar[t],
        "q": chain.timed(1),
        "pair_of_states": chain.timed(2),
        "triple": chain.timed(3),
    })  # fmt: skip


SEEDS = (1, 2, 3)
OF_FILE: dict[str, Callable[[int], Model]] = {
    "autoencoder": _autoencoder,
    "vae": Model,
    "em": _em,
    "forward": _diffusion,
    "posterior": _diffusion,
    "bound": _diffusion,
}
