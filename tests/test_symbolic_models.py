"""The third judge: three models for each file, in which all premises hold and all lines are equal; and errors found."""

from dataclasses import replace

import pytest
import sympy

from lecture11 import symbolic
from lecture11.symbolic import Assumption, Definition, Derivation, Mean, Normal, Step, indexed, models
from lecture11.symbolic import autoencoder as A
from lecture11.symbolic.models import Model, NoModelError, check_in_model

a, x = sympy.symbols("a x", real=True)
n = sympy.Symbol("n", integer=True, positive=True)
f = sympy.Function("f", real=True)
h = indexed("h_of_models", "h", real=True)
FILE_OF = {d.key: part.__name__.rpartition(".")[2] for part in symbolic.PARTS for d in part.DERIVATIONS}


def chain(start: sympy.Expr, end: sympy.Expr, *by: Definition | Assumption | Derivation) -> Derivation:
    return Derivation("F0", "a test", start, (Step(sympy.sympify(end), "because", by=by),))


@pytest.mark.parametrize("key", symbolic.DERIVATIONS)
def test_every_chain_holds_in_its_models(key: str) -> None:
    """Definitions, assumptions and lines, by numbers of which SymPy knows nothing; and a wrong last line does not."""
    proof = symbolic.derivation(key)
    first, *others = (models.model_of(proof, FILE_OF[key], seed) for seed in models.SEEDS)
    for model in (first, *others):
        assert check_in_model(proof, model) > 0
    by = tuple(dict.fromkeys(fact for step in proof.steps for fact in step.by))  # what names mean stays as it is
    wrong = replace(proof.steps[-1], expression=2 * proof.right + 1, by=by)
    with pytest.raises(NoModelError, match=rf"^{key}: "):
        check_in_model(replace(proof, start=proof.lines[-2], steps=(wrong,)), first)


def test_contradictory_assumptions_have_no_model() -> None:
    """Those that the kernel cannot see: a mean square of 0, and a mean of 1."""
    law = symbolic.density("law_of_models", "p")(x)
    none = Assumption("square", "", Mean(x**2, x, law), sympy.Integer(0))
    one = Assumption("mean", "", Mean(x, x, law), sympy.Integer(1))
    proof = chain(Mean(x**2, x, law) - Mean(x, x, law) ** 2, sympy.Integer(-1), none, one)
    symbolic.check(proof)
    for seed in models.SEEDS:
        with pytest.raises(NoModelError, match=r"^(square|mean) "):
            check_in_model(proof, Model(seed))


def test_directions_of_length_1_without_end_have_no_model() -> None:
    """As F3 once assumed them: there are no more at right angles than axes. The range is part of the assumption."""
    without = replace(A.UNIT, where=(A.k - 1,))
    with pytest.raises(NoModelError, match=r"^F3 "):
        check_in_model(chain(without.left + a, without.right + a, without), models.OF_FILE["autoencoder"](1))


@pytest.mark.parametrize(
    "wrong",
    [
        chain(Mean(x**2, x, Normal(x, 0, 1)), 2),
        chain(sympy.Sum(n**2, (n, 1, 4)), 29),
        chain(sympy.Derivative(sympy.sin(x) * x, x), sympy.sin(x) - x * sympy.cos(x)),
        chain(sympy.Integral(x**2, (x, 0, 1)), sympy.Rational(1, 2)),
        chain(f(x) * f(a), f(x) ** 2),
        chain(symbolic.terms.KL(Normal(x, 0, 1), Normal(x, 1, 1)), sympy.Rational(1, 3)),
        chain(h(3), 4, Definition("h", "", h(n), n)),
        chain(sympy.sqrt(a**2), a),
        chain(sympy.erf(1), 1),
    ],
    ids=["mean", "sum", "derivative", "integral", "function", "divergence", "definition", "root", "erf"],
)
def test_each_kind_of_expression_has_its_own_value(wrong: Derivation) -> None:
    with pytest.raises(NoModelError, match="F0"):
        check_in_model(wrong, Model(2))


def test_true_ones_hold() -> None:
    h2 = indexed("sum_of_models", "s", real=True)
    first, more = Definition("s", "", h2(1), sympy.Integer(1)), Definition("s", "", h2(n), h2(n - 1) + n, (n - 2,))
    for true in (
        chain(symbolic.terms.KL(Normal(x, 0, 1), Normal(x, 1, 1)), sympy.Rational(1, 2)),
        chain(h2(n), n * (n + 1) / 2, first, more),
        chain(sympy.Derivative(f(x) ** 2, x), 2 * f(x) * sympy.Derivative(f(x), x)),
        chain(sympy.Integral(1 / (1 + x), (x, 0, 1)), sympy.log(2)),
    ):
        assert check_in_model(true, Model(1)) > 0
