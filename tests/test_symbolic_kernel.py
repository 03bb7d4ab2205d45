"""What the kernel of the proofs must refuse: false statements of twelve kinds, all of which fooled an earlier checker.

A kind is a table of cases; each is a function that returns chains, the last of which is false. Add the next one that
you find. Whatever is raised must be a ``ProofError``.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import sympy
from sympy import Derivative, Function, I, Integer, Integral, Rational, Sum, Symbol, cos, exp, log, pi, sin, sqrt

from lecture11 import symbolic
from lecture11.symbolic import (
    HYPOTHESIS,
    Assumption,
    Definition,
    Derivation,
    Induction,
    Mean,
    Normal,
    Step,
    attack,
    density,
    falsehoods,
    indexed,
    lists,
)
from lecture11.symbolic import autoencoder as A
from lecture11.symbolic import bound as B
from lecture11.symbolic import em as EM
from lecture11.symbolic import forward as F
from lecture11.symbolic import posterior as P
from lecture11.symbolic.terms import KL, last
from lecture11.symbolic.vae import decoder as D
from lecture11.symbolic.vae import elbo as E

x, y, a, b = sympy.symbols("x y a b", real=True)
v, u = sympy.symbols("v u", positive=True)
n, j, i = (Symbol(name, integer=True, positive=True) for name in "nji")
k, m = Symbol("k", integer=True, nonnegative=True), Symbol("m", integer=True)
f, g = Function("f", real=True), Function("g_of_a_test", positive=True)
h, h2 = indexed("h_of_a_test", "h", real=True), indexed("h2_of_a_test", "h'", real=True)
r, fraction = indexed("r_of_a_test", "r", nonnegative=True), indexed("f_of_a_test", "f'", fraction=True)
law, law2 = density("law_of_a_test", "p")(x), density("other_law_of_a_test", "p'")(x)
t = F.t
one_pixel = Definition("F7", "the decoder's law, for one pixel", D.likelihood, Normal(D.x, D.dec(D.z), 1))

Chains = tuple[Derivation, ...]


def chain(start: object, *steps: tuple, key: str = "F0", **options: object) -> Derivation:
    """Steps as tuples: the expression, then what it cites."""
    made = tuple(Step(sympy.sympify(e), "because", by=tuple(by)) for e, *by in steps)
    return Derivation(key, "false", sympy.sympify(start), made, **options)  # type: ignore[arg-type]


def instance(fact: symbolic.Fact) -> Derivation:
    """What a fact says, as a chain of one step."""
    return chain(fact.left, (fact.right, fact))


def a_root() -> Derivation:
    return chain(sqrt(1 + 2 * v + v**2), (1 + v,), key="root")


def a_count() -> Derivation:
    return chain(Sum(f(i), (j, 1, n)), (n * f(i),), key="count")


def a_mean() -> Derivation:
    return chain(Mean((x - b) ** 2, x, Normal(x, 0, 1)), (1 + b**2,), key="mean")


def w(factor: int) -> Sum:
    return A.over_axes(factor * A.across(A.j) * A.column(A.k, A.j))


def from_three() -> Chains:
    """h_n = (n - 3) h_(n-1), with h_0 = 1: from n = 3 on all are 0, and h_1 is -2."""
    recursion = Definition("h", "a recursion", h(n), (n - 3) * h(n - 1))
    start = Definition("h", "its start", h(0), Integer(1))
    base = chain(h(3), (0, recursion.at({n: 3})), key="base")
    step = chain(h(n), ((n - 3) * h(n - 1), recursion), (0, HYPOTHESIS), key="step", induction=Induction(n, base, 3))
    return base, step, chain(-2, (-2 * h(0), start), (h(1), recursion.at({n: 1})), (0, step.at({n: 1})))


def over_a_real_index() -> Chains:
    sine = Definition("h", "a sine", h(a), sin(2 * pi * a))
    base = chain(h(1), (0, sine.at({a: 1})), key="base")
    steps = ((sin(2 * pi * a), sine), (h(a - 1), sine.at({a: a - 1})), (0, HYPOTHESIS))
    return base, chain(h(a), *steps, induction=Induction(a, base))


def base_elsewhere() -> Chains:
    base = chain(h(1), (0, Definition("h", "", h(1), Integer(0))), key="base")
    back = Definition("h", "", h(n), h(n - 1), (n - 2,))
    return base, chain(h(n), (h(n - 1), back), (0, HYPOTHESIS), induction=Induction(n, base, 2))


def two_steps_back() -> Chains:
    base = chain(h(1), (0, Definition("h", "", h(1), Integer(0))), key="base")
    back = Definition("h", "", h(n), h(n - 2), (n - 3,))
    return base, chain(h(n), (h(n - 2), back), (0, HYPOTHESIS), induction=Induction(n, base))


def no_spread() -> Chains:
    square = A.over_data_law(A.at(A.example, A.d) ** 2)
    none = chain(A.spread(A.d), (square, A.SPREAD), (0, A.UNCORRELATED.at({A.j: A.d})), key="none")
    return none, chain(1, (A.spread(A.d) / square, A.SPREAD), (0, none))


def three_levels_too_many() -> Chains:
    top, c = B.levels, B.j
    edges = B.cdf(B.edge(top + 1), c) - B.cdf(B.edge(top), c)
    steps = ((B.mass(top, c) - edges, B.HIGHEST.at({top: top + 1})), (0, B.INNER.at({B.k: top})))
    return (chain(B.mass(top + 1, c), (1 - B.cdf(B.edge(top + 1), c), B.HIGHEST.at({top: top + 2})), *steps),)


def cites_itself() -> Derivation:
    claim = chain(1, (2,))
    return dataclasses.replace(claim, steps=(Step(Integer(2), "as was to be shown", by=(claim,)),))


def in_a_circle() -> Derivation:
    one = chain(1, (2,), key="one")
    other = chain(1, (2, one), key="other")
    object.__setattr__(one.steps[0], "by", (other,))
    return other


def base_of_itself() -> Derivation:
    step = chain(f(n), (f(n) + 1, HYPOTHESIS), induction=Induction(n, chain(1, (2,))))
    object.__setattr__(step.induction, "base", step)
    return step


def a_forged_fact() -> Derivation:
    fact = E.F16_ONE.at({E.mu: a})
    fact.__dict__.update(left=Integer(1), right=Integer(2))
    return chain(1, (2, fact))


def a_forged_chain() -> Derivation:
    class Forged(Derivation):
        left, right = Integer(1), Integer(2)  # type: ignore[assignment]

    return chain(1, (2, Forged("F0", "", Integer(1), (Step(a, "because"),))))


def force(one: object, **changed: object) -> None:
    """What is frozen is changed all the same."""
    for name, value in changed.items():
        object.__setattr__(one, name, value)


def assume(left: object, right: object, *for_all: sympy.Expr) -> Assumption:
    return Assumption("a", "assumed", sympy.sympify(left), sympy.sympify(right), for_all)


def named(left: sympy.Expr, right: object, **options: object) -> Definition:
    return Definition("d", "a name", left, sympy.sympify(right), **options)  # type: ignore[arg-type]


STANDARD = Normal(x, 0, 1)
total = Symbol("C", positive=True)


def no_density(cite: Callable[[Derivation], object]) -> Derivation:
    """A density that a false chain shows to be one."""
    wrong = chain(total, (Mean(STANDARD, x, 1),), key="wrong")
    name = named(law2, STANDARD / total, by=(cite(wrong),))
    return chain(1 / total, (Mean(STANDARD / total, x, 1),), (Mean(law2, x, 1), name), (Mean(1, x, law2),), (1, mass2))


mass2 = Definition("p", "", Mean(1, x, law2), Integer(1))


def base_that_is_a_fact() -> Derivation:
    wrong = chain(h2(1), (0,), key="wrong")
    back = named(h2(n), h2(n - 1), where=(n - 2,))
    return chain(h2(n), (h2(n - 1), back), (0, HYPOTHESIS), induction=Induction(n, symbolic.Fact(wrong)))  # type: ignore


def a_changed_definition() -> Derivation:
    name = named(h(n), n)
    before = chain(h(n), (n, name), key="before")
    symbolic.check(before)
    force(name, right=n + 1)
    return chain(n, (h(n), before), (n + 1, name))


def a_changed_base() -> Derivation:
    first, back = named(h(1), 0), named(h(n), h(n - 1), where=(n - 2,))
    base = chain(h(1), (0, first), key="base")
    step = chain(h(n), (h(n - 1), back), (0, HYPOTHESIS), induction=Induction(n, base))
    symbolic.check(step)
    force(first, right=Integer(5))
    return step


def a_changed_expression() -> Derivation:
    square = chain((a + b) ** 2, (a**2 + 2 * a * b + b**2,), key="square")
    symbolic.check(square)
    wrong = square.steps[0].expression
    wrong._args, wrong._mhash = (a**2, b**2), None
    return chain((a + b) ** 2, (a**2 + b**2, square))


def a_dropped_assumption() -> Derivation:
    fact = assume(a, 0).at({})
    before = chain(a + 1, (1, fact), key="before")
    symbolic.check(before)
    force(fact, source=named(h(n), n))
    return chain(a + 1, (1, before))


def other_steps() -> Chains:
    class Steps(tuple):
        def __getitem__(self, index):  # type: ignore[no-untyped-def]
            return Step(Integer(2), "because")

    mass = chain(Mean(1, x, STANDARD), (1,), key="mass")
    force(mass, steps=Steps(mass.steps))
    return mass, chain(1, (Mean(1, x, STANDARD),), (2, mass))


def a_letter_of_its_own() -> Derivation:
    class Letter(Symbol):
        def _eval_is_positive(self) -> bool:
            return True

    letter = Letter("s", real=True)
    return chain(log(letter**2), (2 * log(letter),))


class Equal:
    """Says that it equals whatever stands there, and has the hash of it."""

    def __init__(self, like: object) -> None:
        self.like = like

    def __hash__(self) -> int:
        return hash(self.like)

    def __eq__(self, other: object) -> bool:
        return True

    def __bool__(self) -> bool:
        return True

    def _sympy_(self) -> object:
        return self.like


class Number(int):
    """An integer that SymPy asks to subtract itself."""

    _op_priority = 1000.0

    def __rsub__(self, other: object) -> Integer:
        return Integer(1000)


def a_line_that_equals_another() -> Derivation:
    proved = chain((x + 1) ** 2 - 1, (x**2 + 2 * x,))
    symbolic.check(proved)
    return dataclasses.replace(proved, start=Equal(proved.start))  # type: ignore[arg-type]


def a_sign_that_equals_another() -> Derivation:
    proved = chain(-((x + 1) ** 2) - 1, (-(x**2) - 2 * x - 2,))
    symbolic.check(proved)
    sign = dataclasses.replace(proved, nonnegative=Equal(False))  # type: ignore[arg-type]
    return chain(r(x), (proved.start, named(r(x), proved.start, sign=sign)))


def a_forged_first() -> Derivation:
    base = chain(h(1), (0, named(h(1), 0)), key="base")
    back = named(h(n), h(n - 1), where=(n - 2,))
    return chain(h(n), (h(n - 1), back), (0, HYPOTHESIS), induction=Induction(n, base, Number(1)))


def a_density_by_a_forged_fact() -> Derivation:
    fact = symbolic.Fact(named(h(2), 0))
    fact.__dict__.update(left=Mean(g(x) / 2, x, 1), right=Integer(1))
    return chain(law, (g(x) / 2, named(law, g(x) / 2, by=(fact,))))


def mean_of(name: sympy.Expr, says: symbolic.Definition | Assumption, shown: sympy.Expr) -> Derivation:
    """``name + E[name + 1] - E[name]``, if ``says`` explains the name, which is ``shown`` at a."""
    mean = Mean(name + 1, x, STANDARD) - Mean(name, x, STANDARD)
    return chain(name.subs(x, a) + mean, (shown + mean, says.at({x: a})), (shown + 1,))


def slope_of(right: sympy.Expr) -> Derivation:
    slope = Derivative(h(x) + x, x) - Derivative(h(x), x)
    return chain(h(a) + slope, (right.subs(x, a) + slope, named(h(x), right).at({x: a})), (right.subs(x, a) + 1,))


def under_a_name_for_a_law(f: sympy.Expr) -> Derivation:
    mean = Mean(f + 1, x, law2) - Mean(f, x, law2)
    law_at_a = law2.func(a)
    end = Normal(a, 0, 1) + Mean(1, x, law2)
    return chain(law_at_a + mean, (Normal(a, 0, 1) + mean, named(law2, STANDARD).at({x: a})), (end,))


def mean_of_a_pixel(f: Callable[[sympy.Expr], sympy.Expr]) -> Derivation:
    """Of the last of d pixels, by what the entries of a list are."""
    law = lists.product(Normal(lists.part(lists.y, lists.j, F.d - lists.j), 0, 1))
    old = f(lists.part(lists.y, F.d, 0))
    more = Mean(old + 1, lists.y, law) - Mean(old, lists.y, law)
    return chain(
        lists.part(b, F.d, 0) + more, (last(b, F.d) + more, lists.LAST.at({lists.y: b, lists.j: F.d})),
        (last(b, F.d) + Mean(1, lists.y, law),), where=(F.d - 2,),
    )  # fmt: skip


def integral_of(right: sympy.Expr) -> Derivation:
    return chain(h(v) + Integral(h(y), (y, 0, 1)), (right + Integral(h(y), (y, 0, 1)), named(h(v), right)))


def recursion(first: sympy.Expr, factor: sympy.Expr) -> Derivation:
    """The mean of a name that a recursion explains, whatever its number."""
    begins, goes_on = named(h2(0, x), first), named(h2(n, x), h2(n - 1, x) * factor, where=(n - 1,))
    mean = Mean(h2(n, x) + 1, x, STANDARD) - Mean(h2(n, x), x, STANDARD)
    start = h2(0, a) + h2(n, a)
    shown = first.subs(x, a) + h2(n - 1, a) * factor.subs(x, a)
    return chain(start + mean, (shown + mean, begins.at({x: a}), goes_on.at({x: a})), (shown + 1,))


count = Symbol("N_of_a_test", integer=True, positive=True)
squares = Sum(h(j) ** 2, (j, 1, count))
negative = Symbol("c", negative=True)
whole = Function("k_of_a_test", integer=True, nonnegative=True)

Case = Callable[[], "Chains | Derivation"]
KINDS: dict[str, dict[str, Case]] = {
    "A. renaming what a premise has fixed": {
        "E9 from F28": lambda: chain(
            F.q(F.x(t), F.x(0)),
            (
                F.product(Normal(F.pixel(F.x(t)), sqrt(F.alpha(t)) * F.pixel(F.x(0)), 1 - F.alpha(t))),
                F.F28.at({F.abar(t): F.alpha(t)}),
            ),
        ),
        "mass 1 of 2 f": lambda: chain(
            2, (2 * Mean(1, E.z, E.left), E.LEFT_MASS), (Mean(1, E.z, 2 * E.left),),
            (1, E.LEFT_MASS.at({E.left: 2 * E.left})),
        ),
        "beta is alpha": lambda: instance(F.F23.at({F.beta(t): F.alpha(t)})),
        "another stretch": lambda: chain(
            Mean(h(x), x, 1), (Mean(h(2 * y), y, 1), Definition("integral", "", Mean(h(x), x, 1), Mean(h(2 * y), y, 1)))
        ),
        "turned round": lambda: instance(D.OTHER.at({D.scale: -1})),
        "a stretch that moves": lambda: instance(D.OTHER.at({D.h(D.one): D.h(D.one) ** 2, D.scale: D.eps})),
        "a slope without the chain rule": lambda: chain(
            Derivative(f(2 * x + a), x), (Derivative(f(2 * x + a), a),)
        ),
        "a slope along another argument": lambda: chain(
            Derivative(D.f(x, a), x), (Derivative(D.f(x, a), a),)
        ),
        "a slope of its own variable twice": lambda: chain(Derivative(D.f(x, x), x), (Derivative(D.f(x, a), x),)),
        "the mean of a product of sums": lambda: chain(
            Mean(Sum(h2(i) * x, (i, 1, n)) ** 2, x, Normal(x, 0, 1)), (Sum(h2(i) ** 2, (i, 1, n)),)
        ),
        "a sum with too few means": lambda: chain(
            Mean(Sum(A.at(x, i), (i, 1, n + 1)), x, law), (Sum(Mean(A.at(x, i), x, law), (i, 1, n)),)
        ),
        "another mean": lambda: chain(A.m, (A.m + 1, A.CENTRE.at({A.m: A.m + 1}))),
        "F9 for R = 0": lambda: instance(D.F9_LINEAR.at({D.R: 0})),
        "KL of no density": lambda: chain(
            KL(2 * E.left, E.right),
            (Mean(log(2 * E.left / E.right), E.z, 2 * E.left), E.kl(2 * E.left, E.right, E.z)),
        ),
        "mass 1 over what is given": lambda: chain(
            Mean(1, x, D.q(D.z, x)), (1, Definition("q", "", Mean(1, x, D.q(D.z, x)), Integer(1)))
        ),
    },
    "B. values of another kind, or out of range": {
        "a count of -3": lambda: chain(count + abs(a), (-3 + abs(a), named(count, -3))),
        "a count of 0": lambda: chain(count, (0, named(count, 0))),
        "a count of -1, from 0 on": lambda: chain(abs(k) + a, (a - 1, named(k, -1))),
        "a derivative over integers": lambda: chain(Derivative(n**2, n), (2 * n,)),
        "a positive v at -3": lambda: (root := a_root(), chain(2, (-2, root.at({v: -3})))),
        "G(-1)": lambda: chain(-2 - log(Integer(-1)), (E.gap(-1), E.GAP.at({E.u: -1})), nonnegative=True),
        "a real u": lambda: instance(E.F12_GAP.at({E.u: a})),
        "v = 0": lambda: instance(D.F7.at({D.v: 0})),
        "a sum to -2": lambda: (count := a_count(), chain(Sum(f(i), (j, 1, -2)), (-2 * f(i), count.at({n: -2})))),
        "a sum to 1/2": lambda: (
            count := a_count(), chain(Sum(f(i), (j, 1, Rational(1, 2))), (f(i) / 2, count.at({n: Rational(1, 2)}))),
        ),
        "F28 at t = 0": lambda: instance(F.F28.at({t: 0})),
        "F32 at t = 1": lambda: instance(P.F32.at({t: 1})),
        "the weight at t = 1": lambda: instance(B.F40_WEIGHT.at({t: 1})),
        "a negative letter at 3": lambda: (
            c := chain(exp(log(1 - negative)), (Mean(1 - negative, x, STANDARD),), key="c"),
            chain(-2, (exp(log(Integer(-2))) + Mean(0, x, STANDARD), c.at({negative: 3}))),
        ),
        "an imaginary number": lambda: instance(chain((a + 1) ** 2, (a**2 + 2 * a + 1,)).at({a: I})),
    },
    "C. capture": {
        "a derivative of what hides a state": lambda: chain(
            Derivative(b, h(1)) + b, (squares, named(b, squares))
        ),
        "a mean of what hides a state": lambda: chain(
            Mean(b * h(1) ** 2, h(1), Normal(h(1), 0, 1)), (b,), (squares, named(b, squares))
        ),
        "a mean of what hides it behind a number": lambda: chain(
            Mean(h2(count), h(1), Normal(h(1), 0, 1)), (h2(count),), (squares, named(h2(count), squares))
        ),
        "2 x below an integral over x": lambda: (
            mean := a_mean(), chain(1, (Mean(x**2, x, Normal(x, 0, 1)),), (1 + 4 * x**2, mean.at({b: 2 * x}))),
        ),
        "the index of a sum": lambda: (count := a_count(), chain(Sum(f(j), (j, 1, n)), (n * f(j), count.at({i: j})))),
        "below a derivative": lambda: (
            c := chain(Derivative(b * x, x), (b,), key="c"), chain(Derivative(x**2, x), (x, c.at({b: x}))),
        ),
        "a function": lambda: (
            c := chain(Mean(f(y), x, Normal(x, 0, 1)), (f(y) + 0 * x + Mean(x, x, Normal(x, 0, 1)),), key="c"),
            chain(Mean(x**2, x, Normal(x, 0, 1)), (x**2, c.at({f(y): x**2}))),
        ),
        "two states that become one": lambda: (
            c := chain(Mean(F.x(t) * F.x(0), F.x(t), Normal(F.x(t), 0, 1)), (0,), key="c"),
            chain(Mean(F.x(0) ** 2, F.x(0), Normal(F.x(0), 0, 1)), (0, c.at({t: 0}))),
        ),
        "a state in a sum": lambda: chain(
            Mean(Sum(F.x(j), (j, 1, 2)), F.x(1), Normal(F.x(1), 0, 1)), (Sum(F.x(j), (j, 1, 2)) + 0,), (F.x(2),)
        ),
        "one variable twice": lambda: chain(Mean(Mean(x, x, Normal(x, 0, 1)) + x**2, x, Normal(x, 0, 1)), (2,)),
        "what holds for one x": lambda: chain(
            Mean(f(x), x, Normal(x, 0, 1)), (0, Assumption("f", "at this x", f(x), Integer(0)))
        ),
        "the range of another index": lambda: chain(
            Sum(Sum(1, (i, 1, j - 5)), (j, 1, 3)), (Sum(j - 5, (j, 1, 3)),), where=(j - 5,)
        ),
    },
    "D. induction": {
        "begins at 3, cited at 1": from_three,
        "over a real index": over_a_real_index,
        "with another base": base_elsewhere,
        "a base that is a fact": base_that_is_a_fact,
        "two steps back": two_steps_back,
        "no induction": lambda: chain(f(n), (f(n - 1), HYPOTHESIS)),
    },
    "E. both judges blind": {
        "|1 - v|": lambda: chain(sqrt(1 - 2 * v + v**2), (1 - v,)),
        "a law on three points": lambda: chain(
            Mean(sqrt(1 - 2 * x + x**2), x, law), (Mean(1 - x, x, law),)
        ),
        "a polynomial on its nodes": lambda: chain(
            Mean((x**5 - 10 * x**3 + 15 * x) * sqrt(g(x)), x, Normal(x, 0, 1)), (0,)
        ),
        "log of a product": lambda: chain(log((1 + a) ** 2 + b**2), (2 * log(1 + a) + 2 * log(b),)),
        "a root of a product": lambda: chain(sqrt(a**2 * v), (a * sqrt(v),)),
        "a logarithm halved": lambda: chain(exp(log(a**2 + v) - log(1 + v / a**2)), (a**2,)),
        "a cosine": lambda: chain(1 - cos(2 * a), (2 * sin(a),)),
        "a pole between the ends": lambda: chain(Integral(1 / (2 * y - 1) ** 2, (y, 0, 1)), (-2,)),
        "a pole at an end": lambda: chain(Integral(1 / y, (y, 0, 1)), (2 * Integral(1 / y, (y, 0, 1)),)),
        "the slope of |x|": lambda: chain(Derivative(sqrt(x**2), x), (1,)),
        "a mean at its middle": lambda: chain(Mean(f(x), x, Normal(x, 0, 1)), (f(0),)),
        "a mean of a square": lambda: chain(Mean(f(x) ** 2, x, law), (Mean(f(x), x, law) ** 2,)),
    },
    "F. laws that are none": {
        "N(0, -1)": lambda: chain(-1, (Mean(x**2, x, Normal(x, 0, -1)),), nonnegative=True),
        "the variance 1 + x^2": lambda: chain(Mean(x**2, x, Normal(x, 0, 1 + x**2)), (1 + x**2,)),
        "a real variance": lambda: chain(Mean(x**2, x, Normal(x, 0, a)), (a,)),
        "the variance 0": lambda: chain(Mean(x**2, x, Normal(x, 0, 0)), (0,)),
        "its own mean": lambda: chain(Mean(x, x, Normal(x, x, 1)), (x,)),
        "twice a law": lambda: chain(
            Mean(1, x, law2), (Mean(2 * Normal(x, 0, 1), x, 1), Definition("p", "", law2, 2 * Normal(x, 0, 1))), (2,)
        ),
        "a negative law": lambda: chain(-1, (Mean(x**2, x, -Normal(x, 0, 1)),), nonnegative=True),
        "an integral without end": lambda: chain(Mean(x - a, x, 1), (Mean(x, x, 1) - a * Mean(1, x, 1),)),
        "one that may not converge": lambda: chain(Mean(exp(v * x**2), x, Normal(x, 0, 1)), (1 / sqrt(1 - 2 * v),)),
        "infinite less infinite": lambda: (
            c := chain(Mean(f(x) + g(x), x, 1), (Mean(f(x), x, 1) + Mean(g(x), x, 1),), key="c"),
            instance(c.at({f(x): -1, g(x): 1})),
        ),
        "a name for what has no mean": lambda: mean_of(h(x), named(h(x), exp(x**2)), exp(a**2)),
        "one that is assumed": lambda: mean_of(f(x), assume(f(x), exp(x**2), x), exp(a**2)),
        "one of which something is assumed": lambda: mean_of(
            g(x), assume(log(g(x)), x**2, x), exp(a**2)
        ),
        "a recursion that begins with it": lambda: recursion(exp(x**2), x),
        "a recursion that comes to it": lambda: recursion(x, exp(x**2 / 8)),
        "a name for a law that has no such mean": lambda: under_a_name_for_a_law(exp(x**2)),
        "a pixel that has no such mean": lambda: mean_of_a_pixel(lambda e: exp(e**2)),
        "a name for what has no slope": lambda: slope_of(abs(x)),
        "a name for a root, which has none": lambda: slope_of(sqrt(x**2)),
        "a name for what has no integral": lambda: integral_of(1 / v),
        "an imaginary letter": lambda: chain(-1 - Symbol("K") ** 2, (-1 - Mean(Symbol("K"), x, law) ** 2, )),
    },
    "G. division by what may be 0": {
        "0 / 0 by a cited fact": lambda: chain(
            2, (w(2) / w(1),), (0, A.ACROSS.at({A.across(A.j): 2 * A.across(A.j)}))
        ),
        "a - b": lambda: chain((a**2 - b**2) / (a - b), (a + b,)),
        "a variance that may be 0": lambda: chain(1 / (EM.S_zz - EM.S_z**2), (1 / EM.varied, EM.VARIED)),
        "a sum of squares": lambda: chain(1 / A.over_axes(D.w(j) ** 2), (1 / D.g, D.LENGTH)),
    },
    "H. contradictions": {
        "no spread": no_spread,
        "both above and below": lambda: chain(
            A.above(A.k, A.j), (A.spread(A.j) - A.edge(A.k), A.ABOVE), (-A.below(A.k, A.j), A.BELOW)
        ),
        "inner and highest": three_levels_too_many,
        "abar_1 twice": lambda: chain(F.abar(1), (F.alpha(1) * F.abar(0), F.ABAR.at({t: 1}))),
        "two assumptions": lambda: chain(1, (a, assume(a, 1)), (2, assume(a, 2))),
        "three assumptions": lambda: chain(1, (a, assume(a, 1)), (b, assume(a, b)), (2, assume(b, 2))),
        "a sum of two": lambda: chain(1, (a + b, assume(a + b, 1)), (2, assume(a, 1), assume(b, 1))),
        "for all functions": lambda: chain(1, (0, assume(f(x), 0, f(x)).at({f(x): 1}))),
        "for all x": lambda: (c := assume(a, x, x), chain(1, (a, c.at({x: 1})), (2, c.at({x: 2})))),
        "for all arguments": lambda: chain(
            1, (f(0), assume(f(x), 1 - x, x).at({x: 0})), (0, assume(f(x), x, x).at({x: 0}))
        ),
        "a definition and an assumption": lambda: chain(n, (h(n), named(h(n), n)), (n + 1, assume(h(n), n + 1, n))),
        "a mass of 2": lambda: chain(1, (Mean(1, x, law2), mass2), (2, assume(Mean(1, x, law2), 2))),
        "two means": lambda: chain(0, (Mean(x, x, law), assume(Mean(x, x, law), 0)), (1, assume(Mean(x, x, law), 1))),
        "a law and its spread": lambda: chain(
            1, (Mean(x**2, x, law), assume(Mean(x**2, x, law), 1)), (2, named(law, Normal(x, 0, 2)))
        ),
        "an integer that is 3/2": lambda: chain(2 * n, (3, assume(2 * n, 3))),
        "a negative divergence": lambda: chain(KL(law, law2), (-1, assume(KL(law, law2), -1))),
        "two definitions": lambda: chain(
            h(n), (1, Definition("h", "", h(n), Integer(1))), (n, Definition("h", "", h(n), n))
        ),
        "two at some index": lambda: chain(
            h(2), (1, Definition("h", "", h(2 * n), Integer(1)).at({n: 1})),
            (2, Definition("h", "", h(n), n).at({n: 2}))
        ),
        "a circle": lambda: chain(
            h(n), (h2(n) + 1, Definition("h", "", h(n), h2(n) + 1)), (h(n) + 1, Definition("h", "", h2(n), h(n)))
        ),
        "an assumption that nothing fulfils": lambda: chain(v, (0, Assumption("v", "", v, Integer(0)))),
        "a range with nothing in it": lambda: chain(n, (n + 1,), where=(-n,)),
    },
    "I. assumptions called definitions": {
        "Bessel by a name": lambda: (
            base := chain(A.kept(0, 1), (0, A.NONE_KEPT.at({A.j: 1})), key="base"),
            chain(
                A.kept(A.k, 1), (A.kept(A.k - 1, 1) + A.v(A.k, 1) ** 2, A.KEPT.at({A.j: 1})),
                (A.k, HYPOTHESIS, Definition("v", "the first axis", A.v(A.k, 1) ** 2, Integer(1))),
                induction=Induction(A.k, base, 0),
            ),
        ),
        "4 = 5": lambda: chain(4, (5, Definition("four", "", Integer(4), Integer(5)))),
        "a density by a false chain": lambda: no_density(lambda wrong: wrong),
        "a density by a false fact": lambda: no_density(symbolic.Fact),
        "a product of two letters": lambda: chain(h(n * j), (n, named(h(n * j), n))),
        "a square of a letter": lambda: chain(h(n * n), (n, named(h(n * n), n))),
        "a sum of two letters": lambda: chain(h(n + j), (n, named(h(n + j), n))),
        "a sign by a name": lambda: chain(
            -1 - x**2, (r(x), Definition("r", "", r(x), -1 - x**2)), nonnegative=True
        ),
        "a sign by another proof": lambda: chain(
            0, (r(x) + x**2, Definition("r", "", r(x), -(x**2), sign=E.F12_GAP)), nonnegative=True
        ),
        "a fraction that is 2": lambda: chain(fraction(n), (2, Definition("f", "", fraction(n), Integer(2)))),
        "a positive symbol": lambda: chain(v, (-1 - a**2, Definition("v", "", v, -1 - a**2)), nonnegative=True),
        "an integer that is a half": lambda: chain(n, (Rational(1, 2), Definition("n", "", n, Rational(1, 2)))),
        "a product": lambda: chain(a * b, (7, Definition("ab", "", a * b, Integer(7)))),
        "a mean": lambda: chain(
            Mean(f(x), x, law), (5, Definition("f", "", Mean(f(x), x, law), Integer(5)))
        ),
        "a name of the project": lambda: chain(F.abar(t), (F.alpha(t), Definition("abar", "", F.abar(t), F.alpha(t)))),
        "one variable twice": lambda: chain(
            indexed("h3", "h", real=True)(n, n),
            (0, Definition("h", "", indexed("h3", "h", real=True)(n, n), Integer(0))),
        ),
    },
    "J. one name for two quantities": {
        "mu~ without x_t": lambda: chain(Mean(P.mu_tilde(t), F.x(t), F.law_from_data(t)), (P.mu_tilde(t),)),
        "the noise without t": lambda: chain(F.guess(x), (F.guess(x) + Mean(x, x, Normal(x, 0, 1)),)),
        "one p for both models": lambda: chain(
            P.p(F.x(t - 1), F.x(t)),
            (Normal(F.x(t - 1), D.dec(F.x(t)), 1), one_pixel.at({D.x: F.x(t - 1), D.z: F.x(t)})),
            where=(t - 2,),
        ),
        "posterior and likelihood": lambda: chain(
            D.posterior, (Normal(D.z, D.dec(D.x), 1), one_pixel.at({D.x: D.z, D.z: D.x}))
        ),
        "a law at another step": lambda: chain(
            F.q(F.x(t), F.x(t - 1)), (F.step_law(F.x(t), F.x(t - 1), t + 1), F.F23.at({t: t + 1}))
        ),
        "two letters that print alike": lambda: chain(
            Symbol("X", real=True) - Symbol("X", positive=True),
            (1, Definition("X", "", Symbol("X", real=True), Symbol("X", positive=True) + 1)),
        ),
        "letters of another alphabet": lambda: (
            c := Symbol("\N{CYRILLIC SMALL LETTER A}", real=True), chain(a - c, (1, assume(a, c + 1))),
        ),
        "a letter and a blank": lambda: chain(a - Symbol("a ", real=True), (1, assume(a, Symbol("a ", real=True) + 1))),
        "another function of that name": lambda: chain(
            Function("beta", real=True)(n), (Function("beta", real=True)(n) * Mean(1, x, STANDARD),)
        ),
        "a variable that a name hides": lambda: chain(
            Mean(h(n), x, Normal(x, 0, 1)), (x**2, Definition("h", "", h(n), x**2))
        ),
    },
    "K. sums with symbolic ends": {
        "sum_1^k - sum_1^4": lambda: chain(
            Sum(f(j) ** 2, (j, 1, k)) - Sum(f(j) ** 2, (j, 1, 4)), (Sum(f(j) ** 2, (j, 5, k)),), nonnegative=True
        ),
        "to k - 1, for k = 0": lambda: chain(Sum(f(j), (j, 1, k)) - Sum(f(j), (j, 1, k - 1)), (f(k),)),
        "to any integer": lambda: chain(Sum(1, (j, 1, m)), (m,)),
        "from k to 3": lambda: chain(
            Sum(f(j) ** 2, (j, 1, 3)) - Sum(f(j) ** 2, (j, 1, k)), (Sum(f(j) ** 2, (j, k + 1, 3)),), nonnegative=True
        ),
        "a division by 0 in a sum of no terms": lambda: chain(
            Sum(1 / whole(x) ** 2, (i, 1, whole(x) ** 2)), (1,)
        ),
        "a logarithm of 0 in a sum of no terms": lambda: chain(
            Sum(log(v * whole(x)), (i, 1, whole(x))), (whole(x) * (log(v) + log(whole(x))),)
        ),
        "a logarithm of no terms": lambda: chain(log(Sum(v, (j, 1, k))), (log(k) + log(v),)),
        "without end": lambda: chain(Sum(1 / j**2, (j, 1, sympy.oo)), (pi**2 / 6,)),
        "an index that begins later": lambda: chain(Sum(sqrt(j**2), (j, -1, 1)), (0,)),
        "an end that depends on the index": lambda: chain(Sum(f(j), (j, 1, j)), (j * f(j),)),
        "the name of an index inside": lambda: chain(
            Sum(h(Symbol("'", integer=True, positive=True) * i), (i, 1, n)), (Sum(h(i**2), (i, 1, n)),)
        ),
    },
    "L. check alone": {
        "a line that says it equals another": a_line_that_equals_another,
        "a sign that says it was asked for": a_sign_that_equals_another,
        "a first number of its own class": a_forged_first,
        "a density by a forged fact": a_density_by_a_forged_fact,
        "cites itself": cites_itself,
        "in a circle": in_a_circle,
        "its own base": base_of_itself,
        "cites what is false": lambda: chain(1, (2, chain(1, (2,), key="claim"))),
        "a base that is false": lambda: chain(n, (n + 0 * a, ), (n + 1,), induction=Induction(n, chain(1, (2,)))),
        "a changed definition": a_changed_definition,
        "a changed base": a_changed_base,
        "a changed expression": a_changed_expression,
        "a dropped assumption": a_dropped_assumption,
        "other steps for another reader": other_steps,
        "a letter of its own class": a_letter_of_its_own,
        "a forged fact": a_forged_fact,
        "a forged chain": a_forged_chain,
    },
    "what is no mathematics of ours": {
        "a limit": lambda: chain(sympy.Limit(1 / x, x, 0), (0,)),
        "zoo": lambda: chain(sympy.zoo, (0,)),
        "a maximum": lambda: chain(sympy.Max(a, b), (a,)),
        "cases": lambda: chain(sympy.Piecewise((1, a > 0), (0, True)), (1,)),
        "a product": lambda: chain(sympy.Product(f(j), (j, 1, k)), (1,)),
        "a float": lambda: chain(0.1 + a, (a + 0.1000000000000001,)),
        "a text": lambda: dataclasses.replace(chain(1, (2,)), start="1"),
        "no reason": lambda: Derivation("F0", "", a, (Step(b, None),)),
        "no chain": lambda: 5,
    },
}  # fmt: skip


def _refusal(chain: Derivation) -> symbolic.ProofError | None:
    try:
        symbolic.check(chain)
    except symbolic.ProofError as error:
        return error
    return None


@pytest.mark.parametrize("kind", KINDS)
def test_false_statements_are_refused(kind: str) -> None:
    """By ``check`` alone, which looks at all that a chain rests on."""
    for name, case in KINDS[kind].items():
        chains = case()
        error = _refusal(chains[-1] if isinstance(chains, tuple) else chains)
        assert error is not None, f"accepted: {name}"
        # For what it is, not because the checker stumbles over it.
        assert kind.startswith("what is no") or "cannot be judged" not in str(error), (name, str(error))


def test_the_helpers_of_the_cases_are_true() -> None:
    """What the false statements instantiate is not refused for itself."""
    for true in (a_count(), a_mean(), *from_three()[:2]):
        symbolic.check(true)


TRUE: dict[str, Case] = {
    "a name for what has a mean": lambda: mean_of(h(x), named(h(x), x**2), a**2),
    "one that is assumed": lambda: mean_of(f(x), assume(f(x), exp(x), x), exp(a)),
    "a recursion that grows like a power": lambda: recursion(x, x**2),
    "a name for a law": lambda: under_a_name_for_a_law(exp(x)),
    "a pixel that has a mean": lambda: mean_of_a_pixel(lambda e: e**2),
    "a name for what has a slope": lambda: slope_of(x**2),
    "a name for what has an integral": lambda: integral_of(1 / (1 + v)),
    "a name for a root that has one": lambda: slope_of(sqrt(x**2 + 1)),
    "a name for an unknown function": lambda: mean_of(h(x), named(h(x), f(x) ** 2), f(a) ** 2),
}


@pytest.mark.parametrize("name", TRUE)
def test_their_true_neighbours_are_proved(name: str) -> None:
    symbolic.check(TRUE[name]())  # type: ignore[arg-type]


@pytest.mark.parametrize(("p", "q"), [(p, q) for p in "abxy" for q in "uvwz"])
def test_what_is_accepted_does_not_depend_on_names(p: str, q: str) -> None:
    """log(p q) is log p + log q for positive numbers, and for no others."""
    for kind in ("positive", "real"):
        first, second = Symbol(p, **{kind: True}), Symbol(q, **{kind: True})
        product = chain(log(first * second), (log(first) + log(second),))
        if kind == "positive":
            symbolic.check(product)
        else:
            with pytest.raises(symbolic.MeaninglessError):
                symbolic.check(product)


def test_the_page_says_what_the_checker_says() -> None:
    """Of a falsehood of each kind: what stands there is what is raised."""
    assert [*falsehoods.EXAMPLES] == [*attack.KINDS]
    page = (Path(__file__).parents[1] / "book/proving.md").read_text(encoding="utf-8")
    assert falsehoods.table() in page


def test_errors_of_all_kinds_are_planted() -> None:
    """In a chain by induction, with sums and integrals, all twelve."""
    assert {letter for letter, _ in attack.false_claims(symbolic.derivation("F28"))} == {*attack.KINDS}
