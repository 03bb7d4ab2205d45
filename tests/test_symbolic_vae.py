"""Proofs of F1-F20: what shows that it is never negative, and what the notes misprint.

That each chain is verified, that planted errors are caught and that the package computes the results is tested with all
others, in test_symbolic.py.
"""

import dataclasses

import pytest
import sympy

from lecture11 import symbolic
from lecture11.symbolic import Mean, Normal, density
from lecture11.symbolic.signs import never_negative

a, b = sympy.symbols("a b", real=True)
v, w = sympy.symbols("v w", positive=True)
i, n = sympy.symbols("i n", integer=True, positive=True)
law = density("law_of_a_test", "p")(a)
f = sympy.Function("f", real=True)


@pytest.mark.parametrize(
    "e",
    [
        a**2,
        v * (a - b) ** 2 + w,
        sympy.exp(a) / v,
        Mean((a - b) ** 2, a, law),
        Mean(v, a, Normal(a, b, v)),
        sympy.Sum(v * f(i) ** 2, (i, 1, n)),
        sympy.Integral((1 - b) * sympy.exp(a * b), (b, 0, 1)),
    ],
)
def test_what_is_never_negative_is_seen(e: sympy.Expr) -> None:
    assert never_negative(e)


@pytest.mark.parametrize(
    "e",
    [
        a,
        a**2 - b**2,
        -v,
        a**3,
        v - 1,
        Mean(a, a, law),
        Mean(a**2, a, -law),
        sympy.Sum(f(i), (i, 1, n)),
        sympy.Integral((1 - 2 * b) * sympy.exp(a * b), (b, 0, 1)),
        sympy.Integral((1 - b) * sympy.exp(a * b), (b, 0, 2)),
        sympy.Integral((1 - b) * sympy.exp(a * b), (b, v, w)),
        sympy.log(v),
    ],
)
def test_what_may_be_negative_is_not_taken_for_it(e: sympy.Expr) -> None:
    assert not never_negative(e)


BOUNDS = [key for key, derivation in symbolic.DERIVATIONS.items() if derivation.nonnegative]


@pytest.mark.parametrize("key", BOUNDS)
def test_a_sign_in_a_result_that_is_never_negative_is_seen(key: str) -> None:
    """Each term in turn."""
    result, where = symbolic.derivation(key).right, symbolic.derivation(key).where
    assert never_negative(result, where)
    for term in sympy.Add.make_args(result):
        assert not never_negative(result - 2 * term, where), term


def test_a_result_that_does_not_show_its_sign_is_refused() -> None:
    proof = symbolic.derivation("F18.gain")
    too_short = dataclasses.replace(proof, steps=proof.steps[:1])
    with pytest.raises(symbolic.GapError, match="never negative"):
        symbolic.check(too_short)


def test_every_inequality_of_the_lecture_is_among_them() -> None:
    """The bound (F12), its divergence (F16), PCA (F3), the best denoiser (F5), EM (F18) and its end (F20)."""
    assert {symbolic.derivation(key).formula for key in BOUNDS} >= {"F3", "F5", "F12", "F16", "F18", "F20"}


def test_every_statement_has_a_proof() -> None:
    """F1-F20 each have a derivation, under their own name."""
    assert {f"F{number}" for number in range(1, 21)} <= set(symbolic.DERIVATIONS)


def test_misprints_of_this_half_are_refused() -> None:
    """test_symbolic.py tries them; E1 and E4 are no algebra."""
    found = {erratum for part in (symbolic.autoencoder, symbolic.vae, symbolic.em)
             for derivation in part.DERIVATIONS for erratum, _ in derivation.printed}  # fmt: skip
    assert found == {"E2", "E3", "E5", "E6", "E7", "E8"}


def test_no_name_stands_for_two_quantities() -> None:
    """To SymPy two functions of one name are one, and its cache prints the one that came first."""
    assert symbolic.indexed("abar", r"\bar\alpha", fraction=True) is symbolic.forward.abar
    with pytest.raises(ValueError, match="taken"):
        symbolic.indexed("abar", r"\bar\alpha", positive=True)
    with pytest.raises(ValueError, match="F28 is given twice"):
        symbolic.kernel.register([dataclasses.replace(symbolic.derivation("F28"))])
