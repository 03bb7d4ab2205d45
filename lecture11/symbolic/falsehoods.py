"""A false statement of each of the twelve kinds, as an earlier checker took it, and what is said of it now.

The page on proving prints them with the messages that ``check`` gives; a test
compares.
"""

from collections.abc import Callable

import sympy
from sympy import Function, Integer, Sum, Symbol, sqrt

from lecture11.symbolic.chain import check
from lecture11.symbolic.errors import ProofError
from lecture11.symbolic.facts import HYPOTHESIS, Definition, Derivation, Fact, Induction, Step
from lecture11.symbolic.forward import F28, abar, alpha, q, t, x
from lecture11.symbolic.lists import pixel, product
from lecture11.symbolic.posterior import mu_tilde
from lecture11.symbolic.terms import Mean, Normal, indexed

a, b, y = sympy.symbols("a b y", real=True)
v = Symbol("v", positive=True)
j, n = (Symbol(name, integer=True, positive=True) for name in "jn")
k = Symbol("k", integer=True, nonnegative=True)
f, h = Function("f", real=True), indexed("name", "h", real=True)
STANDARD = Normal(y, 0, 1)


def chain(start: object, *steps: tuple, key: str = "false", **options: object) -> Derivation:
    """Steps as tuples: the expression, then what it cites."""
    made = tuple(Step(sympy.sympify(e), "so it seems", by=tuple(by)) for e, *by in steps)
    return Derivation(key, "a false statement", sympy.sympify(start), made, **options)  # type: ignore[arg-type]


def _misprint() -> Derivation:
    wrong = product(Normal(pixel(x(t)), sqrt(alpha(t)) * pixel(x(0)), 1 - alpha(t)))
    return chain(q(x(t), x(0)), (wrong, F28.at({abar(t): alpha(t)})))


def _root() -> Derivation:
    root = chain(sqrt(1 + 2 * v + v**2), (1 + v,), key="root")
    return chain(2, (-2, root.at({v: -3})))


def _caught() -> Derivation:
    mean = chain(Mean((y - b) ** 2, y, STANDARD), (1 + b**2,), key="mean")
    caught: Fact = mean.at({b: 2 * y})
    return chain(Mean((y - 2 * y) ** 2, y, STANDARD), (1 + 4 * y**2, caught))


def _from_three() -> Derivation:
    again, start = Definition("h", "", h(n), (n - 3) * h(n - 1)), Definition("h", "", h(0), Integer(1))
    base = chain(h(3), (0, again.at({n: 3})), key="base")
    zero = chain(h(n), ((n - 3) * h(n - 1), again), (0, HYPOTHESIS), key="zero", induction=Induction(n, base, 3))
    return chain(-2, (-2 * h(0), start), (h(1), again.at({n: 1})), (0, zero.at({n: 1})))


def _itself() -> Derivation:
    claim = chain(1, (2,), key="claim")
    object.__setattr__(claim.steps[0], "by", (claim,))
    return claim


EXAMPLES: dict[str, tuple[str, Callable[[], Derivation]]] = {
    "A": (r"$q(x_t \mid x_0)$ with $\alpha_t$ for $\bar\alpha_t$, by `F28.at`: the misprint E9", _misprint),
    "B": (r"2 = -2, by $\sqrt{1 + 2v + v^2} = 1 + v$ at $v = -3$", _root),
    "C": (r"$\mathbb{E}[(y - 2y)^2] = 1 + 4y^2$, by $\mathbb{E}[(y - b)^2] = 1 + b^2$ at $b = 2y$", _caught),
    "D": ("-2 = 0, by an induction that begins at 3, cited at 1", _from_three),
    "E": (
        r"$\sqrt{1 - 2v + v^2} = 1 - v$, true for the small numbers that were tried",
        lambda: chain(sqrt(1 - 2 * v + v**2), (1 - v,)),
    ),
    "F": (
        r"$\mathbb{E}[h + 1] - \mathbb{E}[h] = 1$ for $h(y) = e^{y^2}$, which has no mean",
        lambda: chain(
            h(0) + Mean(h(y) + 1, y, STANDARD) - Mean(h(y), y, STANDARD),
            (2, Definition("h", "", h(y), sympy.exp(y**2)).at({y: 0})),
        ),
    ),
    "G": (r"$(a^2 - b^2) / (a - b) = a + b$, also for $a = b$", lambda: chain((a**2 - b**2) / (a - b), (a + b,))),
    "H": (
        "1 = 2, by two definitions of one name",
        lambda: chain(
            1, (h(1), Definition("h", "", h(n), n).at({n: 1})), (2, Definition("h", "", h(j), j + 1).at({j: 1}))
        ),
    ),
    "I": ("4 = 5, as a definition", lambda: chain(4, (5, Definition("four", "", Integer(4), Integer(5))))),
    "J": (
        r"$\tilde\mu_t$, which depends on $x_t$, without it: a constant below a mean over $x_t$",
        lambda: chain(Mean(mu_tilde(t), x(t), Normal(x(t), 0, 1)), (mu_tilde(t),)),
    ),
    "K": (
        r"$\sum_{j=1}^k f_j^2 - \sum_{j=1}^4 f_j^2 \ge 0$, for k = 0 too",
        lambda: chain(
            Sum(f(j) ** 2, (j, 1, k)) - Sum(f(j) ** 2, (j, 1, 4)), (Sum(f(j) ** 2, (j, 5, k)),), nonnegative=True
        ),
    ),
    "L": ("1 = 2, by itself", _itself),
}


def message(make: Callable[[], Derivation]) -> str:
    """What ``check`` says of a false statement.

    Raises:
        AssertionError: it says nothing.
    """
    try:
        check(make())
    except ProofError as error:
        return f"{type(error).__name__}: {error}"
    raise AssertionError(f"accepted: {make}")


def table() -> str:
    """The twelve kinds, for the page: an example, and what is said of it."""
    from lecture11.symbolic.attack import KINDS

    rows = []
    for letter, (says, make) in EXAMPLES.items():
        text = message(make).replace("|", r"\|")
        rows.append(f"| {letter} | {KINDS[letter]} | {says} | `{text}` |")
    return "\n".join(["| | Kind | Example | What `check` says |", "|---|---|---|---|", *rows]) + "\n"
