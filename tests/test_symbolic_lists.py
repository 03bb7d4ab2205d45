"""Lists of pixels and of images in proofs: Fubini's theorem, hypotheses at other letters, laws shown by their mass."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import sympy
from sympy import Derivative, Integer, Sum, Symbol, exp

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
    lists,
    models,
)
from lecture11.symbolic.lists import (
    BEFORE,
    LAST,
    MASS,
    PRODUCT,
    d,
    factor,
    head,
    j,
    k,
    over_list,
    part,
    tail,
    y,
)
from lecture11.symbolic.terms import last, rest

a, b, x = sympy.symbols("a b x", real=True)
n = Symbol("n", integer=True, positive=True)
f, g = symbolic.indexed("f_of_lists", "f", real=True), symbolic.indexed("g_of_lists", "g", positive=True)
h = symbolic.indexed("h_of_lists", "h", real=True)
q = symbolic.density("q_of_lists", "q")


def chain(start: object, *steps: tuple, key: str = "F0", **options: object) -> Derivation:
    made = tuple(Step(sympy.sympify(e), "because", by=tuple(by)) for e, *by in steps)
    return Derivation(key, "a test", sympy.sympify(start), made, **options)  # type: ignore[arg-type]


def fubini(left: Mean, right: Mean, *where: sympy.Expr) -> Derivation:
    return chain(left, (right, Definition("Fubini", "", left, right, where)), where=where)


def both(f: sympy.Expr, law: object = 1, variables: tuple = (head, tail)) -> Mean:
    return Mean(f, variables, law)


PARTS = Mean(f(rest(y, n)) * g(last(y, n)), y, 1)
TRUE = both(f(head) * g(tail))


def test_an_integral_over_a_list_is_one_over_its_parts() -> None:
    symbolic.check(fubini(PARTS, TRUE, n - 2))
    law = q(rest(y, n), a) * q(last(y, n), rest(y, n))
    symbolic.check(fubini(Mean(f(last(y, n)), y, law), both(f(tail), q(head, a) * q(tail, head)), n - 2))


def _zero_by_induction(hypothesis: object, *, at: object = Integer(0)) -> Derivation:
    """A mean over lists whose entries are all drawn from q: of f, for all f."""
    base = chain(h(1), (at, Definition("h", "", h(1), sympy.sympify(at))), key="base")
    return chain(h(n), (h(n - 1), Definition("h", "", h(n), h(n - 1), (n - 2,))), (at, hypothesis),
                 induction=Induction(n, base))  # fmt: skip


MASS_OF_ONE = Assumption("mass", "for this a alone", Mean(g(x) * exp(a), x, 1), Integer(1))
OF_A = symbolic.density("law_of_a_list_test", "p")
FALSE: dict[str, Callable[[], Derivation]] = {
    "a list of one": lambda: fubini(PARTS, TRUE, n - 1),
    "a list of any length": lambda: fubini(PARTS, TRUE),
    "parts exchanged": lambda: fubini(PARTS, both(f(tail) * g(head)), n - 2),
    "a part twice": lambda: fubini(PARTS, both(f(head) * g(head)), n - 2),
    "the whole list stays": lambda: fubini(
        Mean(f(y) * g(last(y, n)), y, 1), both(f(y) * g(tail)), n - 2
    ),
    "the whole list is its rest": lambda: fubini(Mean(f(y) * g(last(y, n)), y, 1), both(f(head) * g(tail)), n - 2),
    "two lengths": lambda: fubini(Mean(f(rest(y, n)) * g(last(y, n + 1)), y, 1), TRUE, n - 2),
    "one part for both": lambda: fubini(PARTS, Mean(f(head) * g(head), (head, head), 1), n - 2),
    "a law of its own": lambda: fubini(PARTS, both(f(head) * g(tail), q(tail, a)), n - 2),
    "a fixed length at 1": lambda: chain(
        Mean(f(rest(y, 1)) * g(last(y, 1)), y, 1),
        (TRUE, Definition("Fubini", "", PARTS, TRUE, (n - 2,)).at({n: 1})),
    ),
    "an integral that has no value": lambda: fubini(
        Mean(f(rest(y, n)) * exp(last(y, n)), y, 1), both(f(head) * exp(tail)), n - 2
    ),
    "the last entry renamed": lambda: chain(
        Mean(f(rest(y, n)) * g(h(y)), y, 1),
        (TRUE, chain(PARTS, (TRUE, over_list(PARTS, n)), key="true", where=(n - 2,)).at({last(y, n): h(y)})),
        where=(n - 2,),
    ),
    "the parts of a list defined": lambda: chain(
        last(y, n), (0, Definition("last", "", last(y, n), Integer(0), (n - 2,))), where=(n - 2,)
    ),
    "the rest defined": lambda: chain(
        rest(y, n), (y, Definition("rest", "", rest(y, n), y, (n - 2,))), where=(n - 2,)
    ),
    "the slope of an entry": lambda: chain(
        Derivative(last(x, n) ** 2, x), (2 * last(x, n) * Derivative(last(x, n), x),), where=(n - 2,)
    ),
    "the pixels of two numbers of them are one": lambda: chain(
        Mean(lists.product(factor(j, part(y, j, d - j)), n), y, 1),
        (lists.product(Mean(factor(j, y), y, 1), n), PRODUCT),
    ),
    "an entry behind the last": lambda: chain(part(y, j, -1), (part(rest(y, j - 1), j, -2), BEFORE.at({k: -1}))),
    "the last of one": lambda: chain(part(y, 1, 0), (last(y, 1), LAST.at({j: 1}))),
    "the hypothesis at its own number": lambda: _zero_by_induction(HYPOTHESIS.at({n: n + 1})),
    "the hypothesis later": lambda: _zero_by_induction(HYPOTHESIS.at({n: 2 * n})),
    "the hypothesis at a name that a definition explains": lambda: _zero_by_induction(HYPOTHESIS.at({h(n): h(n) + 1})),
    "the hypothesis at what is of another kind": lambda: replace(
        PRODUCT, steps=(*PRODUCT.steps[:-1], replace(PRODUCT.steps[-1], by=(
            HYPOTHESIS.at({y: head}).at({factor(j, y): f(y)}),
        ))),
    ),
    "a hypothesis without induction": lambda: chain(f(a), (f(b), HYPOTHESIS.at({a: b}))),
    "a law of mass 1 for one a": lambda: chain(
        OF_A(x, a), (g(x) * exp(a), Definition("p", "", OF_A(x, a), g(x) * exp(a), by=(MASS_OF_ONE,)))
    ),
    "a law of mass 2": lambda: chain(
        OF_A(y), (2 * MASS.left.args[0], Definition("p", "", OF_A(y), 2 * MASS.left.args[0], by=(MASS,)))
    ),
    "a law that is negative": lambda: chain(
        OF_A(x), (x * Normal(x, 1, 1), Definition("p", "", OF_A(x), x * Normal(x, 1, 1), by=(
            chain(Mean(x * Normal(x, 1, 1), x, 1), (1,), key="mean"),
        ))),
    ),
    "a law whose mass is not shown": lambda: chain(
        OF_A(y), (MASS.left.args[0], Definition("p", "", OF_A(y), MASS.left.args[0]))
    ),
    "a sum over the same, of unequal terms": lambda: chain(
        exp(Sum(f(j), (j, 1, n))), (exp(Sum(f(j + 1), (j, 1, n))),)
    ),
    "sums of equal terms to two ends": lambda: chain(exp(Sum(f(j), (j, 1, n))), (exp(Sum(f(j), (j, 1, n + 1))),)),
    "means over two variables": lambda: chain(Mean(f(a) * g(b), a, q(a, b)), (Mean(f(a) * g(b), b, q(a, b)),)),
}  # fmt: skip


@pytest.mark.parametrize("name", FALSE)
def test_false_uses_are_refused(name: str) -> None:
    with pytest.raises(symbolic.ProofError) as error:
        symbolic.check(FALSE[name]())
    assert "cannot be judged" not in str(error.value)


def test_a_hypothesis_is_stated_for_all_functions() -> None:
    """That of a path's last state: it is cited for another function, and would not do for the same."""
    proof = symbolic.derivation("F37.last")
    symbolic.check(proof)
    number = next(n for n, step in enumerate(proof.steps) if any(isinstance(by, type(HYPOTHESIS)) for by in step.by))
    with pytest.raises(symbolic.ProofError, match=r"only with a fact|is not equal"):
        symbolic.check_step(proof, number + 1, replace(proof.steps[number], by=(HYPOTHESIS,)))


@pytest.mark.parametrize("pixels", [1, 2, 3])
def test_the_entries_of_a_list_are_its_entries(pixels: int) -> None:
    """By models: part, rest and last of a list of numbers."""
    values = models.Values(models.OF_FILE["forward"](1), (lists.ONE, LAST, BEFORE))
    entries = [10 * (number + 1) for number in range(pixels)]
    at = {y: models.as_list(entries)}
    assert [values(part(y, c, pixels - c), at) for c in range(1, pixels + 1)] == entries
