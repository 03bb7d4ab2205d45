"""A third judge: concrete models, in which all that a chain assumes holds, and all its lines are equal.

The kernel cannot see whether assumptions contradict each other; but what holds in a model does not. A model gives each
letter a value: numbers for symbols and indices, functions of numbers for names. A name that a definition explains takes
the value of its right side; of any other the model says what it is, or it is some smooth function, or some mixture of
two normal laws if it is a density. An image, or a path, is a list of its parts.
Then every definition and every assumption below a chain is computed, as are its
lines, and compared.

Nothing of SymPy is used but the form of the expressions: integrals are sums over a grid (the trapezoidal rule, which is
exact to rounding for Gaussians that are not narrow beside its step), derivatives are differences, all in NumPy's
extended precision.
"""

import itertools
import math
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import sympy
from scipy import special
from sympy.core.function import AppliedUndef, UndefinedFunction

from lecture11.symbolic import em
from lecture11.symbolic.facts import Assumption, Definition, Derivation, fixed, premises
from lecture11.symbolic.signs import Where
from lecture11.symbolic.terms import KL, Mean, Normal, last, law_variables, letter_of, rest
from lecture11.symbolic.vae import decoder, elbo
from lecture11.symbolic.vae.decoder import g, z

Real = np.longdouble
STEP = Real(1) / 5
GRID = STEP * np.arange(-50, 51, dtype=Real)  # from -10 to 10
TOLERANCE = 1e-9
COARSE = Real(2) / 5 * np.arange(-20, 21, dtype=Real)  # for each entry of a list: from -8 to 8
FEW = 2 * np.arange(-1, 2, dtype=Real)  # the same for what holds for any laws: these have three values
MOST = 100_000  # points of an integral over lists; cases in which they are longer are left out
SMALL = range(6)  # the integers at which what is stated for all of them is tried

Function = Callable[..., Any]


_FUNCTIONS: dict[Any, Function] = {
    sympy.log: np.log, sympy.exp: np.exp, sympy.sin: np.sin, sympy.cos: np.cos, sympy.Abs: np.abs,
    sympy.erf: lambda x: np.asarray(special.erf(np.float64(x)), dtype=Real),
}  # fmt: skip


class _TooLongError(Exception):
    """A list has more entries than one can integrate over on a grid."""


class List(tuple):
    """The value of a list of two entries or more, each a number, an array, or such a list; one of one is its entry."""

    __slots__ = ()

    def flat(self) -> list:
        return [one for entry in self for one in _flat(entry)]


def _flat(value: Any) -> list:
    return value.flat() if isinstance(value, List) else [value]


class NoModelError(Exception):
    """Something does not hold in a model. The message names it, and its two values."""


@dataclass(frozen=True)
class Model:
    """What letters stand for.

    Attributes:
        seed: of what is not given.
        numbers: values of symbols, integers among them, by name.
        functions: by name; they get the values of all else, then numbers and arrays.
        unless_explained: the same, of names that no premise explains.
        solved: values of symbols that follow from others, by name.
        pixels: how many an image has, if ``x(t)`` is one.
        entries: the values of each entry of a list, at equal distances, over which an integral is a sum.
    """

    seed: int
    numbers: Mapping[str, Any] = field(default_factory=dict)
    functions: Mapping[str, Function] = field(default_factory=dict)
    solved: Mapping[str, "Callable[[Values], Any]"] = field(default_factory=dict)
    unless_explained: Mapping[str, Function] = field(default_factory=dict)
    pixels: int = 0
    entries: np.ndarray = field(default_factory=lambda: COARSE)

    def draw(self, name: str, low: Any = 0, high: Any = 1) -> Any:
        """A number that belongs to a name."""
        return Real(low + (high - low) * _share(f"{self.seed} {name}") / 9973)


def normal(x: Any, mean: Any, variance: Any) -> Any:
    """The density of a normal law."""
    return np.exp(-((x - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)


_LENGTHS: dict[str, Callable[..., tuple]] = {
    "part": lambda _, j, k: (j + k,), "way": lambda _, start, t, k: (t + k,),
    "rest_of_list": lambda _, n: (n,), "last_of_list": lambda _, n: (n,),
    "q_path": lambda _, start, n: (n,), "p_back": lambda _, n, T: (n,), "p_path": lambda _, start, T: (T,),
}  # fmt: skip
_PARTS = (rest.__name__, last.__name__)
_OF_PATHS = {"way", "q_path", "p_back", "p_path"}
_OF_IMAGES = {"q", "p_theta", "noise", "noise_of_image"}


def as_list(entries: list) -> Any:
    """The value of a list of these entries."""
    return entries[0] if len(entries) == 1 else List(entries)


def _part_of(value: Any, is_last: bool) -> Any:
    if not isinstance(value, List):
        return value  # a list of one has no parts
    return value[-1] if is_last else as_list(list(value[:-1]))


def _size(shape: Any) -> int:
    return 1 if isinstance(shape, int) else sum(map(_size, shape))


def _shaped(shape: Any, numbers: Iterator[Any]) -> Any:
    return next(numbers) if isinstance(shape, int) else List(_shaped(one, numbers) for one in shape)


@lru_cache(maxsize=10_000)
def _names_in(e: sympy.Expr) -> set[sympy.Expr]:
    return e.atoms(AppliedUndef)


@lru_cache(maxsize=10_000)
def _numbers_in(lines: tuple[sympy.Expr, ...]) -> list[sympy.Symbol]:
    """The letters that stand for numbers, or lists of them."""
    return sorted({s for line in lines for s in line.free_symbols if not s.is_integer}, key=str)


@lru_cache(maxsize=50_000)
def _share(key: str) -> int:
    return zlib.crc32(key.encode()) % 9973


class Values:
    """The values of expressions in a model; what is on the left of a definition or an assumption explains a name."""

    def __init__(self, model: Model, below: Iterable[Definition | Assumption]) -> None:
        self.model = model
        self.explained: dict[tuple[str, int], list[Definition | Assumption]] = {}
        self._known: dict[sympy.Expr, Any] = {}
        self._of_integers: dict[tuple, Any] = {}  # names at integers
        for one in below:
            if isinstance(one.left, sympy.Symbol | AppliedUndef):
                key = (str(one.left), 0) if one.left.is_Symbol else (one.left.func.__name__, len(one.left.args))
                self.explained.setdefault(key, []).append(one)

    def __call__(self, e: sympy.Expr, at: dict) -> Any:
        """``at`` has the values of bound variables: of a symbol, or of ``x(2)`` as ``("x", 2)``."""
        if e in at:
            return at[e]
        kind = type(e)
        if type(kind) is UndefinedFunction:
            return self._name(e, at)
        return _VALUE_OF[kind](self, e, at)

    def _number(self, e: sympy.Expr, at: dict) -> Any:
        return int(e) if e.is_Integer else Real(e.p) / Real(e.q)

    def _mean(self, e: sympy.Expr, at: dict) -> Any:
        f, _, law = e.args
        return self._over_all(f * law if law != 1 else f, e.variables, at)

    def _divergence(self, e: sympy.Expr, at: dict) -> Any:
        f, g = e.args
        return self._over_all(f * sympy.log(f / g, evaluate=False), e.variables, at)

    def _plus(self, e: sympy.Expr, at: dict) -> Any:
        return sum([self(argument, at) for argument in e.args])

    def _times(self, e: sympy.Expr, at: dict) -> Any:
        product: Any = 1  # of integers an integer
        for argument in e.args:
            product = product * self(argument, at)
        return product

    def _normal(self, e: sympy.Expr, at: dict) -> Any:
        return normal(*[self(argument, at) for argument in e.args])

    def _function(self, e: sympy.Expr, at: dict) -> Any:
        return _FUNCTIONS[e.func](np.asarray(self(e.args[0], at), dtype=Real))

    def _power(self, e: sympy.Expr, at: dict) -> Any:
        base, exponent = (self(argument, at) for argument in e.args)
        if e.base is sympy.E:
            return np.exp(np.asarray(exponent, dtype=Real))
        return np.asarray(base, dtype=Real) ** (exponent if isinstance(exponent, int) else Real(exponent))

    def _symbol(self, e: sympy.Expr, at: dict) -> Any:
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
        name = type(e).__name__  # which SymPy compares faster than functions
        if name in _PARTS:
            return _part_of(arguments[0], name == _PARTS[1])
        if not all(isinstance(argument, int) for argument in arguments):
            return self._named(e, arguments, at)
        key = (name, *arguments)
        if key in at and not law_variables(e):
            return at[key]
        if key not in self._of_integers:
            self._of_integers[key] = self._named(e, arguments, {})
        return self._of_integers[key]

    def _named(self, e: sympy.Expr, arguments: list, at: dict) -> Any:
        name = type(e).__name__
        if name in self.model.functions:
            return self.model.functions[name](self, *arguments)
        for one in self.explained.get((name, len(arguments)), ()):
            values = self._matched(one, arguments)
            if values is not None:
                return self(one.right, {**values, "depth": at.get("depth", 0)})
        if self.model.pixels and name == "x" and len(arguments) == 1:
            return as_list([self._some_function(e, [*arguments, n]) for n in range(self.model.pixels)])
        if name in self.model.unless_explained:
            return self.model.unless_explained[name](self, *arguments)
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
            own, given = List(arguments[: letter.law_of]).flat(), List(arguments[letter.law_of :]).flat()
            place = sum(Real(0.5) * np.sin(a + draw(f"{name} {i}", 0, 6)) for i, a in enumerate(given))
            wide, apart, share = draw(name, 0.7, 1.0), draw(name + "apart", 0.5, 1), draw(name + "share", 0.3, 0.7)
            density = Real(1)
            for i, x in enumerate(own):
                middle = place + draw(f"{name} mean {i}", -0.5, 0.5)
                density = density * (
                    share * normal(x, middle - apart, wide**2) + (1 - share) * normal(x, middle + apart, wide**2)
                )
            return density
        arguments = List(arguments).flat()
        wave = sum(np.sin(Real(1) * a * draw(f"{name} {i}", 0.5, 1.5) + draw(f"{name}{i}", 0, 6))
                   for i, a in enumerate(arguments))  # fmt: skip
        if letter and letter.fraction:
            return 1 / (1 + np.exp(wave / 2 - draw(name, -0.3, 0.3)))
        return np.exp(wave / 5) if e.is_nonnegative else wave + draw(name, -0.5, 0.5)

    def _over_all(self, f: sympy.Expr, variables: tuple, at: dict) -> Any:
        depth, inner = at.get("depth", 0), dict(at)
        steps: list[Any] = []
        entries = self.model.entries
        for x in variables:
            shape = self.shape(x, (f,), at)
            grid, step = (GRID, STEP) if isinstance(shape, int) else (entries, entries[1] - entries[0])
            axes = [grid.reshape((-1,) + (1,) * (depth + len(steps) + i)) for i in range(_size(shape))]
            steps += [step] * len(axes)
            inner[self.key(x, at)] = _shaped(shape, iter(axes))
        if len(entries) ** len(steps) > MOST and len(steps) > 1:
            raise _TooLongError
        inner["depth"] = depth + len(steps)
        values = np.asarray(self(f, inner), dtype=Real)
        for i, step in enumerate(steps):
            axis = depth + i + 1
            if values.ndim < axis or values.shape[-axis] == 1:
                raise NoModelError(f"{f} does not depend on {variables}: the integral has no value")
            values = step * values.sum(axis=-axis, keepdims=True)
        return values if values.size > 1 else values.reshape(())[()]

    def shape(self, x: sympy.Expr, where: tuple[sympy.Expr, ...], at: dict) -> Any:
        """Of a variable that stands for a list, the shapes of its entries; of one that is a number, 1.

        It is seen from what is said of it in some expressions: which part it has, and of which law it is a state.
        """
        if not self.model.pixels:
            return 1
        image = (1,) * self.model.pixels if self.model.pixels > 1 else 1
        used = {e for one in where for e in _names_in(one) if x in e.args}
        if isinstance(x, AppliedUndef) or x.name == "x_0":
            return image if not isinstance(x, AppliedUndef) or x.func.__name__ == "x" else 1
        lengths = {
            self(n, at) for e in used if e.args[0] == x
            for n in (_LENGTHS[e.func.__name__](*e.args) if e.func.__name__ in _LENGTHS else ())
        }  # fmt: skip
        if lengths:
            on_path = any(e.func.__name__ in _OF_PATHS for one in where for e in _names_in(one))
            entry, length = (image if on_path else 1), max(lengths)
            return (entry,) * length if length > 1 else entry
        return image if any(e.func.__name__ in _OF_IMAGES for e in used) else 1

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


_VALUE_OF: dict[type, Callable[[Values, Any, dict], Any]] = {
    sympy.Symbol: Values._symbol, sympy.Add: Values._plus, sympy.Mul: Values._times, sympy.Pow: Values._power,
    Mean: Values._mean, KL: Values._divergence, sympy.Sum: Values._sum, sympy.Integral: Values._between,
    sympy.Derivative: Values._slope, Normal: Values._normal,
    type(sympy.pi): lambda *_: Real("3.14159265358979323846264338327950288"),
    **{function: Values._function for function in _FUNCTIONS},
    **{type(number): Values._number for number in map(sympy.Rational, ("0", "1", "-1", "2", "1/2", "1/3"))},
}  # fmt: skip


def check_in_model(chain: Derivation, model: Model) -> int:
    """Whether all that a chain rests on holds in a model, and all its lines are equal there. Returns how many were.

    Raises:
        NoModelError: at the first thing that does not.
    """
    values, compared = _with_premises(model, premises(chain))
    letters = {s for e in (*chain.lines, *chain.range) for s in e.free_symbols}
    tried = sorted(letters - fixed(chain), key=str)
    lines = 0
    for at in _cases(tuple(tried), chain.range, values):
        lines += _compared(chain.key, chain.lines, values, at)
    if not lines:
        raise NoModelError(f"{chain.key}: nothing of it can be computed in this model")
    return compared + lines


_known: dict[tuple, tuple] = {}  # what was computed for some premises in a model, and these, which so live on


def _with_premises(model: Model, below: tuple[Definition | Assumption, ...]) -> tuple[Values, int]:
    """The values in a model in which some premises hold, and how many of their cases were compared."""
    key = (id(model), frozenset(map(id, below)))
    if key not in _known:
        values, compared = Values(model, below), 0
        for premise in below:
            variables = premise.for_all if isinstance(premise, Assumption) else premise.left.args
            for at in _cases(variables, premise.where, values):
                what = f"{premise.key} ({premise.statement})"
                compared += _compared(what, (premise.left, premise.right), values, at)
        _known[key] = (values, compared, model, below)
    return _known[key][:2]


def _compared(what: str, lines: tuple[sympy.Expr, ...], values: Values, at: dict) -> int:
    """How many of some lines were compared: none if a list is too long."""
    lists = {}
    for s in _numbers_in(lines):
        shape = values.shape(s, lines, at)
        if not isinstance(shape, int):
            numbers = (values.model.draw(f"{s.name} {n}", -1, 1) for n in itertools.count())
            lists[s] = _shaped(shape, numbers)
    try:
        known = [values(line, {**lists, **at}) for line in lines]
    except _TooLongError:
        return 0
    for (left, right), pair in zip(itertools.pairwise(lines), itertools.pairwise(known), strict=True):
        _check_equal(what, left, right, pair, at)
    return len(lines) - 1


def _cases(variables: tuple, where: Where, values: Values) -> Iterator[dict]:
    """Small integers in a range for those among some variables; others have one value."""
    integers = [s for s in variables if s.is_Symbol and s.is_integer]
    for numbers in itertools.product(SMALL, repeat=len(integers)):
        at = dict(zip(integers, numbers, strict=True))
        if all(n >= (1 if s.is_positive else 0) for s, n in at.items()) and all(values(e, at) >= 0 for e in where):
            yield at


def _check_equal(what: str, left: sympy.Expr, right: sympy.Expr, values: tuple, at: dict) -> None:
    here = [np.asarray(_flat(value), dtype=Real) for value in values]
    if not all(np.all(np.isfinite(side)) for side in here):
        raise NoModelError(f"{what}: {left} or {right} has no value at {at}")
    if here[0].shape != here[1].shape or np.max(abs(here[0] - here[1])) > TOLERANCE * (1 + np.max(abs(here[0]))):
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


def _surprise(mean: Any, deviation: Any) -> Any:
    """The divergence of a normal law from the standard one."""
    return (mean**2 + deviation**2 - 1 - np.log(deviation**2)) / 2


_WIDE, _SLOPE = Real(3) / 2, Real(3) / 5


def _vae(seed: int) -> Model:
    """The first k latents together are one number, with the laws that they need; so are all draws, as waves."""

    def shift(values: Values, k: int) -> Any:
        """How far the law of k latents is from the prior: as far as its divergence says."""
        latents = [[values(name(n), {}) for name in (elbo.mus, elbo.sigmas)] for n in range(1, k + 1)]
        return np.sqrt(2 * sum((_surprise(mu, sigma) for mu, sigma in latents), Real(0)))

    def share(values: Values, r: Any, k: int) -> Any:
        means = Real(1)
        for n in range(1, k + 1):
            c, g, v = (values(e, {}) for e in (decoder.pulls(n), decoder.lengths(n), decoder.v))
            means = means * np.exp(c**2 / (2 * v * (v + g))) / np.sqrt(1 + g / v)
        tilt = Real(k * seed) / 20
        return means * np.exp(tilt * r - tilt**2 / 2)

    def drawn(values: Values, e: Any, j: int) -> Any:
        """Codes whose weights have one mean, and are not correlated: it, more or less a cosine of the j-th multiple."""
        weight = values(Mean(decoder.likelihood, z, decoder.prior(z)), {})
        weight = weight * (1 + np.sqrt(Real(2)) * np.cos(2 * np.pi * j * special.ndtr(np.float64(e / _WIDE))) / 20)
        return (values(decoder.x, {}) + np.sqrt(-2 * np.log(weight * np.sqrt(2 * np.pi)))) / _SLOPE

    def marginal(values: Values, x: Any) -> Any:
        codes = GRID.reshape((-1,) + (1,) * np.ndim(x))
        return STEP * (normal(x, _SLOPE * codes, 1) * values(decoder.prior(z), {z: codes})).sum(axis=0)

    return Model(seed, {"a": Real(seed) / 4, "b": Real(3 + seed) / 5}, {
        "drawn": drawn,
        "draws": lambda _, e: normal(e, 0, _WIDE**2),
        "integrand": lambda _, x: np.exp(-2 * (x - Real(seed) / 5) ** 2) * (2 + x),
        "coded": lambda values, r, k: normal(r, shift(values, k), 1),
        "plain": lambda _, r, k: normal(r, 0, 1),
        "together": lambda _, r, k: normal(r, 0, 1),
        "share": share,
    }, {
        "s": lambda values: values(Mean(decoder.likelihood, z, decoder.prior(z)), {}) ** 2 * (1 + Real(1) / 400),
    }, {
        "p": lambda _, x, z: normal(x, _SLOPE * z, 1),
        "marginal": marginal,
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
        "gamma": lambda values: values(em.NEW_FIT.right - em.OLD_FIT.right, {}),
    }, {
        "old_law": lambda _, x, z: normal(x, z, 9),  # too wide, so that the M-step gains something
        "new_law": lambda _, x, z: normal(x, z, Real(9) / 4),
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
        self.beta = [Real(0), *(Real(6 + (seed + 2 * t) % 4) / 20 for t in range(1, 9))]
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
            by_pixel = zip(*map(_flat, arguments[:half]), strict=True)
            density = Real(1)
            for states in by_pixel:
                density = density * self.law(list(states), list(arguments[half:]), half - of)
            return density

        return density


def _diffusion(seed: int, pixels: int = 2, entries: np.ndarray = COARSE) -> Model:
    chain = _Diffusion(seed)
    return Model(seed, {"t": 1 + seed, "d": pixels}, {
        "alpha": lambda _, t: 1 - chain.beta[t],
        "beta": lambda _, t: chain.beta[t],
        "abar": lambda _, t: chain.abar[t],
        "q": chain.timed(1),
        "pair_of_states": chain.timed(2),
        "triple": chain.timed(3),
        "factor": lambda _, j, y: normal(y, Real(j) / 5, Real(seed) / 2),
        "others": lambda _, y: math.prod(normal(one, 0, 1) for one in _flat(y)),
        "weight_of_list": lambda _, y: math.prod(normal(one, 0, 1) for one in _flat(y)),
    }, pixels=pixels, entries=entries)  # fmt: skip


SEEDS = (1, 2, 3)
OF_FILE: dict[str, Callable[[int], Model]] = {
    "autoencoder": _autoencoder,
    "vae": _vae,
    "em": _em,
    "forward": _diffusion,
    "posterior": _diffusion,
    "bound": _diffusion,
}


_made: dict[tuple, Model] = {}


def model_of(chain: Derivation, file: str, seed: int) -> Model:
    """A model for a chain of a file. Images have two pixels, or one where so many integrals stand in each other.

    What rests on nothing, as that the gradient of a mean is the mean of the gradients, holds for any laws: there each
    pixel has three values.
    """
    if OF_FILE[file] is not _diffusion:
        return _made.setdefault((file, seed), OF_FILE[file](seed))
    on_path = any(e.func.__name__ in _OF_PATHS for line in chain.lines for e in line.atoms(AppliedUndef))
    nested = any(mean.args[0].has(KL) for line in chain.lines for mean in line.atoms(Mean))
    pixels, general = 1 if on_path or nested else 2, not premises(chain)
    key = (seed, pixels, general)
    return _made.setdefault(key, _diffusion(seed, pixels, FEW if general else COARSE))
