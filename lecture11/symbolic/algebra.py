"""Are two expressions equal? By SymPy's algebra, and a few rules for logarithms, roots, means and sums.

Part of what a proof trusts (``kernel.py``). Logarithms and roots are taken apart only where the sign of the parts is
known, a quotient only where its denominator is not 0, which the kernel sees to. Of SymPy it takes ``expand``,
``together``, ``factor``, ``cancel``, ``Poly`` and differentiation; of analysis, that sums and integrals of what is
integrable may change their order, that a derivative may be taken below an integral, and that means of unknown functions
converge, term by term. An integral of known functions must be Gaussian, so that it does converge.
"""

import itertools
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from lecture11.symbolic.signs import (
    NEGATIVE,
    Where,
    below_sum,
    in_range,
    never_negative,
    nonzero,
    positive,
    sign,
    without,
)
from lecture11.symbolic.substitution import substitute
from lecture11.symbolic.terms import (
    BINDERS,
    KL,
    Mean,
    Normal,
    bound_by,
    canonical,
    caught,
    depends,
    kind,
    last_sum,
    moment,
)

# The same integral stands in many lines, and in many ranges.
_factor, _cancel = lru_cache(maxsize=20_000)(sympy.factor), lru_cache(maxsize=20_000)(sympy.cancel)


class DivergentError(Exception):
    """An integral that does not converge, or does not show it."""


def same_by_algebra(left: sympy.Expr, right: sympy.Expr, where: Where = ()) -> bool:
    """Whether the difference is zero, with all densities, logarithms and means worked out.

    Raises:
        DivergentError: an integral does not show that it converges.
    """
    if left == right or _same_parts(left, right, where):
        return True
    left, right = (canonical(work_out(side, where)) for side in (left, right))  # whatever names their variables have
    if _is_zero(left - right):
        return True
    if not left.has(sympy.exp) or not (positive(left, where) and positive(right, where)):
        return False
    # Positive, with exponents that differ in form: their logarithms are sums.
    return _is_zero(_log(left, where) - _log(right, where))


def _same_parts(left: sympy.Expr, right: sympy.Expr, where: Where) -> bool:
    """Whether they are the same function, sum or mean of parts that are equal one by one."""
    if left.func != right.func or not isinstance(left, sympy.exp | sympy.log | sympy.Pow | Normal | sympy.Sum | Mean):
        return False
    pairs = list(zip(left.args, right.args, strict=False))
    if isinstance(left, sympy.Sum):
        (f, *limits), (g, *others) = last_sum(left), last_sum(right)
        return limits == others and same_by_algebra(f, g, below_sum(where, *limits))
    if isinstance(left, Mean):
        (*_, variables), pairs = pairs[:2], pairs[::2]
        if variables[0] != variables[1]:
            return False
        where = without(where, left.variables)
    return all(same_by_algebra(a, b, where) for a, b in pairs)


def _is_zero(e: sympy.Expr) -> bool:
    return _expands_to_zero(_exponents(e.xreplace(_squares(e))))


def _exponents(e: sympy.Basic) -> sympy.Basic:
    """Each product with one exponential, and its exponent as one fraction, so that equal ones look alike."""
    if isinstance(e, BINDERS) or not e.has(sympy.exp):
        return e
    if isinstance(e, sympy.exp) or e.is_Mul:
        exponentials, others = _split(sympy.Mul.make_args(e), lambda factor: isinstance(factor, sympy.exp))
        exponent = _cancel(sympy.Add(*(factor.args[0] for factor in exponentials)))
        return sympy.Mul(*map(_exponents, others)) * sympy.exp(exponent)
    return e.func(*map(_exponents, e.args))


def _squares(e: sympy.Expr) -> dict[sympy.Expr, sympy.Expr]:
    """Positive quantities whose roots occur, as squares: their roots become polynomials.

    Not what a variable of an integral stands in: below it, that is another quantity.
    """
    powers = {power for power in e.atoms(sympy.Pow) if power.exp.is_Rational and power.exp.q == 2}
    bound = {x for binder in e.atoms(*BINDERS) for x in bound_by(binder)}
    rooted = {power.base for power in powers if isinstance(power.base, sympy.Symbol | AppliedUndef)}
    free = {e for e in rooted if e.is_positive and not any(depends(e, x) for x in bound)}
    return {e: sympy.Dummy(f"root of {e}", positive=True) ** 2 for e in free}


def _expands_to_zero(e: sympy.Expr) -> bool:
    above = sympy.expand(sympy.fraction(sympy.together(e))[0])
    if above.has(sympy.sin, sympy.cos) and not any(
        e.has(sympy.sin, sympy.cos) for e in above.atoms(sympy.exp, sympy.log)
    ):
        above = sympy.expand(sympy.expand_trig(above))
        sines = {sine: sympy.Dummy("sine") for sine in above.atoms(sympy.sin)}
        above = above.xreplace(sines)
        for sine, name in sines.items():
            above = sympy.rem(above, name**2 + sympy.cos(sine.args[0]) ** 2 - 1, name)
        above = sympy.expand(above)
    return bool(above == 0)


def _log(u: sympy.Expr, where: Where) -> sympy.Expr:
    """``log u`` as a sum over those factors of ``u`` that are positive."""
    if u.is_Mul:
        u = _turned(u, where)
        known = [factor for factor in sympy.Mul.make_args(u) if positive(factor, where)]
        rest = sympy.Mul(*(factor for factor in sympy.Mul.make_args(u) if factor not in known))
        logs = sympy.Add(*(_log(factor, where) for factor in known))
        return logs if rest == 1 else logs + sympy.log(rest)
    if isinstance(u, Normal):
        return u.log()
    if u.is_Pow or isinstance(u, sympy.exp):
        base, power = u.as_base_exp()
        if base == sympy.E:
            return power
        return power * _log(base, where) if positive(base, where) else sympy.log(u)
    if u.is_Add:
        factors = _factor(u)
        if not factors.is_Add and positive(u, where):
            product = _turned(factors, where)
            if product != u:  # SymPy multiplies a number into a sum by itself
                return _log(product, where)
    return sympy.log(u)


def _turned(u: sympy.Expr, where: Where) -> sympy.Expr:
    """A product in which each factor that is negative is turned round: ``(-a)^n`` as ``(-1)^n a^n``."""
    turned = []
    for factor in sympy.Mul.make_args(u):
        base, exponent = factor.as_base_exp()
        negative = exponent.is_Integer and sign(base, where) == NEGATIVE
        turned += [sympy.S.NegativeOne**exponent, (-base) ** exponent] if negative else [factor]
    return sympy.Mul(*turned)


def _root(u: sympy.Expr, power: sympy.Expr, where: Where) -> sympy.Expr:
    """``u^power`` as a product over those factors of ``u`` that are positive."""
    known, rest = sympy.S.One, sympy.S.One
    for factor in sympy.Mul.make_args(_turned(_factor(u), where)):
        base, exponent = factor.as_base_exp()
        if positive(base, where):
            known *= base ** (power * exponent)
        else:
            rest *= factor
    return known * rest**power


@lru_cache(maxsize=20_000)
def work_out(e: sympy.Expr, where: Where = ()) -> sympy.Expr:
    """Densities as exponentials, logarithms of products as sums, derivatives taken, integrals solved or sorted.

    Raises:
        DivergentError: an integral does not show that it converges.
    """
    if not e.args:
        return e
    if isinstance(e, KL):
        return canonical(e)
    if isinstance(e, sympy.log):
        logs = _log(e.args[0], where)
        return work_out(logs, where) if logs != e else e.func(work_out(e.args[0], where))
    if e.is_Pow and e.exp.is_Rational and not e.exp.is_Integer:
        return _root(work_out(e.base, where), e.exp, where)
    if isinstance(e, Normal):
        return work_out(e.doit(), where)
    if isinstance(e, Mean):
        f, x, law = e.args
        return _integral(f, x, law, without(where, e.variables))
    if isinstance(e, sympy.Sum):
        return _sum(*last_sum(e), where)
    if isinstance(e, sympy.Integral):
        *inner, limits = e.limits  # SymPy joins an integral of an integral
        f = sympy.Integral(e.function, *inner) if inner else e.function
        return _between_ends(work_out(f, without(where, e.variables)), limits, where)
    if isinstance(e, sympy.Derivative):
        e = e.func(work_out(e.args[0], where), *e.args[1:])
        for integral in e.atoms(sympy.Integral):
            if x := caught(integral):
                raise DivergentError(f"{e}: an end of {integral} depends on {x}, a variable in it: rename that")
        done = _slopes(e.doit(deep=False))
        return e if done == e else work_out(done, where)
    return e.func(*(work_out(argument, where) for argument in e.args))


def _slopes(e: sympy.Basic) -> sympy.Basic:
    """A derivative of an unknown function over one of its arguments as a function of its own, as the chain rule has it.

    SymPy writes ``f'(a + b x)`` as a derivative over a variable that it puts something in the place of.
    """
    if not e.args or not e.has(sympy.Derivative):
        return e
    slope, places = (e.expr, e.point) if isinstance(e, sympy.Subs) else (e, getattr(e, "variables", ()))
    if isinstance(slope, sympy.Derivative) and isinstance(slope.expr, AppliedUndef) and len(slope.variables) == 1:
        f, (x,) = slope.expr, slope.variables
        if x in f.args and [depends(argument, x) for argument in f.args].count(True) == 1:
            i = f.args.index(x)
            name = f"{f.func.__name__}|{i}|{','.join(sorted(kind(f)))}"
            return sympy.Function(name, real=True)(*f.args[:i], *places, *f.args[i + 1 :])
    return e if isinstance(e, sympy.Subs | sympy.Derivative) else e.func(*map(_slopes, e.args))


def _integral(f: sympy.Expr, x: sympy.Expr, law: sympy.Expr, where: Where) -> sympy.Expr:
    """An integral term by term: by the rules for Gaussians where they hold, else with constants before it."""
    if isinstance(x, sympy.Tuple):
        if len(x.args) == 1:
            return _integral(f, x.args[0], law, where)
        f, x, law = _last_variable_apart(f, x, law)
        return _integral(f, x, law, where)
    f = sympy.Add(*_terms(work_out(f, where)))
    if f.is_Add and any(p.exp.is_negative and _is_unknown(p.base, x) for p in f.atoms(sympy.Pow) if p.exp.is_Number):
        whole = _cancel(sympy.together(f))  # parts may depend on an unknown function, and add up to what does not
        f = f if _is_unknown(whole, x) else whole
    if is_normal_in(law, x) and f.is_polynomial(x):
        mean, variance = (work_out(argument, where) for argument in law.args[1:])
        return sum(c * moment(n, mean, variance) for (n,), c in _coefficients(f, x))
    return sympy.Add(*(_integrate_term(term, x, where) for term in _terms(f * work_out(law, where))))


def _between_ends(f: sympy.Expr, limits: sympy.Tuple, where: Where) -> sympy.Expr:
    """An integral between two ends, if SymPy finds a function of which the derivative is ``f``, and it has no jump."""
    t, low, high = limits
    found = sympy.integrate(f, t)
    smooth = (sympy.Symbol, sympy.Add, sympy.Mul, sympy.Pow, sympy.exp, sympy.erf, sympy.log, sympy.Number,
              sympy.NumberSymbol, AppliedUndef)  # fmt: skip
    inside = t if (low, high) != (0, 1) else 1 / (1 + sympy.Dummy("w", positive=True))
    parts = [part for part in sympy.preorder_traversal(found) if depends(part, t)]
    known = all(isinstance(part, smooth) for part in parts)
    sure = all(positive(substitute(e, {t: inside}), where) for part in parts for e in _must_be_positive(part))
    if not (known and sure) or not _expands_to_zero(work_out(sympy.diff(found, t), where) - f):
        return sympy.Integral(f, limits)
    return work_out(substitute(found, {t: high}) - substitute(found, {t: low}), where)


def _must_be_positive(e: sympy.Expr) -> list[sympy.Expr]:
    """Of what a logarithm, a root or a fraction is taken."""
    if isinstance(e, sympy.log):
        return [e.args[0]]
    whole = not e.is_Pow or e.base == sympy.E or (e.exp.is_Integer and e.exp > 0)
    return [] if whole else [e.base]


def is_normal_in(law: sympy.Expr, x: sympy.Expr) -> bool:
    """Whether ``law`` is a normal density of ``x``, with a mean and a variance that do not depend on it."""
    return isinstance(law, Normal) and law.args[0] == x and not any(depends(part, x) for part in law.args[1:])


def _sum(f: sympy.Expr, i: sympy.Symbol, low: sympy.Expr, high: sympy.Expr, where: Where) -> sympy.Expr:
    """A sum term by term, with constants before it, and from 1 to a symbol: so that two of them can be compared.

    Before a sum that may have no terms a constant must have a value of its own, which below it none has to have.
    """
    total, some = [], in_range(high - low, where)
    for term in _terms(work_out(f, below_sum(where, i, low, high))):
        constant, varying = _split(
            sympy.Mul.make_args(term), lambda factor: not depends(factor, i) and (some or _is_finite(factor, where))
        )
        part = sympy.Mul(*varying)
        total.append(sympy.Mul(*constant) * (_up_to(part, i, high) - _up_to(part, i, low - 1)))
    return sympy.Add(*total)


def _is_finite(e: sympy.Expr, where: Where) -> bool:
    """Whether it shows that no power in an expression divides by 0."""
    return all(p.base == sympy.E or never_negative(p.exp, where) or nonzero(p.base, where) for p in e.atoms(sympy.Pow))


def _up_to(f: sympy.Expr, i: sympy.Symbol, last: sympy.Expr) -> sympy.Expr:
    """The sum from 1. What it has of too much or too little, the other end of the sum takes back."""
    if f == 1:
        return last
    more, end = last.as_coeff_Add()
    depth = 1 + max((len(s.name) for s in f.atoms(sympy.Symbol) if not s.name.strip("'")), default=0)
    same = sympy.Symbol(depth * "'", integer=True, positive=True)  # whatever its name was
    if f.xreplace({i: same}).xreplace({same: i}) != f:  # as of |i|, from an i below 0 on
        same = sympy.Symbol(depth * "'", integer=True)
    f, i = f.xreplace({i: same}), same
    further = [substitute(f, {i: end + n}) for n in (range(1, more + 1) if more > 0 else range(more + 1, 1))]
    whole = sympy.S.Zero if end == 0 else sympy.Sum(f, (i, 1, end))
    return whole + sympy.sign(more) * sympy.Add(*further)


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


@lru_cache(maxsize=20_000)
def _coefficients(f: sympy.Expr, x: sympy.Expr) -> tuple[tuple[tuple[int], sympy.Expr], ...]:
    y = sympy.Dummy("y", real=True)  # a quantity with an index is no generator of a polynomial
    return tuple(sympy.Poly(f.xreplace({x: y}), y).terms())


def _integrate_term(term: sympy.Expr, x: sympy.Expr, where: Where) -> sympy.Expr:
    if term == 0:
        return term
    constant, varying = _split(sympy.Mul.make_args(term), lambda factor: not depends(factor, x))
    for factor in varying:
        if isinstance(factor, sympy.Sum):  # the mean of a sum is the sum of the means
            f, i, low, high = last_sum(factor)
            if depends(low, x) or depends(high, x):
                continue
            n = sympy.Dummy("n", **kind(i))
            rest = sympy.Mul(*(other for other in varying if other is not factor))
            within = below_sum(where, n, low, high)
            means = sympy.Add(*(_integrate_term(part, x, within) for part in _terms(f.xreplace({i: n}) * rest)))
            return sympy.Mul(*constant) * _sum(means, n, low, high, where)
    exponent = sympy.Add(*(factor.args[0] for factor in varying if isinstance(factor, sympy.exp)))
    others = sympy.Mul(*(factor for factor in varying if not isinstance(factor, sympy.exp)))
    unknown = any(_is_unknown(factor, x) for factor in varying)
    powers = {n: _cancel(c) for (n,), c in _coefficients(exponent, x)} if exponent.is_polynomial(x) else {}
    if powers and max(powers) == 2 and (others.is_polynomial(x) or not unknown):
        # Complete the square: exp(-a x^2 + b x + c) is exp(c + b^2 / 4a) sqrt(pi / a) N(x; b / 2a, 1 / 2a).
        a, b, c = -sympy.together(powers[2]), powers.get(1, sympy.S.Zero), powers.get(0, sympy.S.Zero)
        if not positive(a, where):
            raise DivergentError(
                f"the integral over {x} of {term}: in the exponent, {a} does not show that it is positive"
            )
        if others.is_polynomial(x):
            mass = sympy.exp(_factor(c + b**2 / (4 * a))) * _root(sympy.pi / a, sympy.S.Half, where)
            mean, variance = _cancel(b / (2 * a)), _cancel(1 / (2 * a))
            polynomial = sum(k * moment(n, mean, variance) for (n,), k in _coefficients(others, x))
            return sympy.Mul(*constant) * mass * polynomial
        unknown = grows_slowly(others, x)
    if not unknown:
        raise DivergentError(f"the integral over {x} of {term} does not show that it converges")
    known_growth = depends(exponent, x) and not exponent.is_polynomial(x) and not _is_unknown(exponent, x)
    if known_growth and not grows_slowly(exponent, x):
        raise DivergentError(f"the integral over {x} of {term}: no Gaussian falls as {sympy.exp(exponent)} may grow")
    highest = max(powers, default=0)
    if highest > 1 and (highest % 2 or not positive(-powers[highest], where)):
        # No unknown function may be so small; and parts of one that is may add up to one that is not.
        raise DivergentError(f"the integral over {x} of {term}: {sympy.exp(exponent)} grows without bound")
    if powers:
        constant.append(sympy.exp(powers.pop(0, sympy.S.Zero)))
        exponent = sympy.Add(*(c * x**n for n, c in powers.items()))
    # Unknown functions: one integral over all variables, in one order, with what is constant before it.
    varying = [factor for factor in varying if not isinstance(factor, sympy.exp)] + [sympy.exp(exponent)]
    variables, inside = {x}, list(varying)
    for factor in varying:
        if isinstance(factor, Mean):
            rest = [other for other in inside if other != factor]
            if not any(depends(other, bound) for other in rest for bound in factor.variables):
                variables |= set(factor.variables)
                inside[inside.index(factor)] = factor.args[0]
    ordered = sympy.Tuple(*sorted(variables, key=sympy.default_sort_key))
    return sympy.Mul(*constant) * Mean(sympy.Mul(*inside), ordered, 1)


def _is_unknown(e: sympy.Expr, x: sympy.Expr) -> bool:
    """Whether an unknown function of ``x`` occurs, which may be as small as one likes: not below a sine."""
    if isinstance(e, sympy.sin | sympy.cos | sympy.erf):
        return False
    if isinstance(e, AppliedUndef | KL):
        return e != x and depends(e, x)
    return any(_is_unknown(part, x) for part in e.args)


def grows_slowly(f: sympy.Expr, x: sympy.Expr) -> bool:
    """Whether ``f`` grows like a power of ``x`` at most: made of sums, products, powers, logarithms, sines."""
    if not depends(f, x) or f == x or isinstance(f, sympy.sin | sympy.cos):
        return True
    kept = (
        f.is_Add or f.is_Mul or isinstance(f, sympy.log | sympy.Abs) or (f.is_Pow and f.exp.is_Rational and f.exp > 0)
    )
    return bool(kept) and all(grows_slowly(g, x) for g in f.args)


def _split(items: Any, test: Callable[[Any], bool]) -> tuple[list, list]:
    return [item for item in items if test(item)], [item for item in items if not test(item)]
