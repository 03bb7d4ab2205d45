"""Proofs: the checker refuses what proves nothing, every chain passes it, and no planted error does."""

import contextlib
import dataclasses
import importlib
import operator
import re
import subprocess
import sys
from pathlib import Path

import pytest
import sympy

import tools.attack
from lecture11 import symbolic
from lecture11.symbolic import Definition, Derivation, Mean, Normal, Step, attack, compare
from lecture11.symbolic.agreement import difference
from lecture11.symbolic.algebra import DivergentError, same_by_algebra, work_out
from lecture11.symbolic.rewriting import rewrite
from lecture11.symbolic.substitution import substitute
from lecture11.symbolic.terms import moment

a, b, c = sympy.symbols("a b u", real=True)
v, w = sympy.symbols("v w", positive=True)
SUM = Definition("c", "a sum", c, a + b)
SQUARE = Derivation(
    key="F0",
    statement="the square of a sum",
    start=c**2,
    steps=(
        Step((a + b) ** 2, "what c is", by=(SUM,)),
        Step(a**2 + 2 * a * b + b**2, "expand"),
    ),
)


def chain(*steps: Step, start: sympy.Expr = c**2) -> Derivation:
    return Derivation(key="F0", statement="a test", start=start, steps=steps)


def test_a_chain_passes() -> None:
    symbolic.check(SQUARE)


@pytest.mark.parametrize(
    ("error", "steps"),
    [
        (symbolic.GapError, ()),
        (symbolic.GapError, (Step((a + b) ** 2, "", by=(SUM,)),)),
        (symbolic.WrongStepError, (Step((a + b) ** 2, "a fact is missing"),)),
        (symbolic.GapError, (Step((a + b) ** 2, "what c is", by=(SUM,)), Step(c * (a + b), "it is cited elsewhere"))),
        (symbolic.WrongStepError, (Step((a + b) ** 2, "what c is", by=(SUM,)), Step(a**2 + b**2, "expand"))),
        (symbolic.WrongStepError, (Step((a + b) ** 2, "what c is", by=(SUM,)), Step((a - b) ** 2, "a sign"))),
        (symbolic.EmptyStepError, (Step(c**2, "again"),)),
        (symbolic.GapError, (Step(c * c + 0 * a + sympy.sin(a) ** 2 + sympy.cos(a) ** 2 - 1, "idle", by=(SUM,)),)),
        (symbolic.DefinitionError, (Step((a + b) ** 2, "a circle", by=(SUM, Definition("b", "", b, c - a))),)),
        (symbolic.CitationError, (Step((a + b) ** 2, "no induction", by=(symbolic.HYPOTHESIS,)),)),
    ],
)  # fmt: skip
def test_what_proves_nothing_is_refused(error: type[Exception], steps: tuple[Step, ...]) -> None:
    with pytest.raises(error, match="F0"):
        symbolic.check(chain(*steps))


def test_only_what_is_proved_before_may_be_cited() -> None:
    user = chain(Step(a**2 + 2 * a * b + b**2 + 1, "by the square", by=(SQUARE,)), start=c**2 + 1)
    symbolic.check_all([SQUARE, user])
    with pytest.raises(symbolic.CitationError, match="not proved before"):
        symbolic.check_all([user, SQUARE])
    itself = chain(Step(a**2 + 2 * a * b + b**2, "by itself"))
    object.__setattr__(itself.steps[0], "by", (itself,))
    with pytest.raises(symbolic.CitationError, match="not proved before"):
        symbolic.check_all([itself])


def test_a_fact_has_the_sides_of_its_source() -> None:
    fact = chain(Step(a**2 + 2 * a * b + b**2, "expand"), start=(a + b) ** 2).at({a: b, b: v})
    assert (fact.left, fact.right) == ((b + v) ** 2, b**2 + 2 * b * v + v**2)


def test_a_fact_keeps_out_of_integrals_over_what_it_speaks_of() -> None:
    """``c = a + b`` under an integral over ``a`` would make a constant depend on ``a``."""
    steps = (Step(Mean((a + b) ** 2, a, Normal(a, 0, 1)), "what c is", by=(SUM,)),)
    with pytest.raises(symbolic.DefinitionError, match="list it"):
        symbolic.check(chain(*steps, start=Mean(c**2, a, Normal(a, 0, 1))))


def test_variables_of_integrals_and_sums_give_way() -> None:
    other = sympy.Symbol("a'", real=True)
    mean = Mean(a * b, a, Normal(a, b, v))
    assert substitute(mean, {b: c}) == Mean(a * c, a, Normal(a, c, v))
    assert substitute(mean, {b: 2 * a}) == Mean(2 * other * a, other, Normal(other, 2 * a, v))
    n, i = (sympy.Symbol(name, integer=True, positive=True) for name in "ni")
    f = sympy.Function("f", real=True)
    moved = substitute(sympy.Sum(f(n), (i, 1, 3)), {n: i})
    assert moved.doit() == 3 * f(i)


@pytest.mark.parametrize("n", range(7))
def test_moments_are_those_of_sympy_s_integral(n: int) -> None:
    """The rule by which means of polynomials under a Gaussian are worked out."""
    power = sympy.Poly((a + sympy.sqrt(v) * b) ** n, b)
    terms = (c * sympy.integrate(b**k * Normal(b, 0, 1).doit(), (b, -sympy.oo, sympy.oo)) for (k,), c in power.terms())
    assert sympy.expand(sum(terms) - moment(n, a, v)) == 0


def test_the_gaussian_integral_is_that_of_sympy() -> None:
    """The rule by which exponentials of squares are integrated: the product of two densities."""
    ours = work_out(Mean(sympy.exp(-v * a**2 + b * a + c), a, 1))
    theirs = sympy.integrate(sympy.exp(-v * a**2 + b * a + c), (a, -sympy.oo, sympy.oo))
    assert sympy.simplify(ours - theirs) == 0


@pytest.fixture(scope="session")
def on_pages(request: pytest.FixtureRequest) -> set[str]:
    """The chains that a cell of this run checks, in the notebooks of the proof pages."""
    cells = [item.cell.source for item in request.session.items if item.path.match("book/proofs/*.ipynb")]  # type: ignore[attr-defined]
    checked = re.compile(r'^proof = symbolic\.derivation\("([^"]+)"\)\nsymbolic\.check\(proof\)$', re.MULTILINE)
    return {key for source in cells for key in checked.findall(source)}


@pytest.mark.parametrize("key", symbolic.DERIVATIONS)
def test_every_derivation_is_verified(key: str, on_pages: set[str]) -> None:
    before = list(symbolic.DERIVATIONS.values())
    derivation = symbolic.derivation(key)
    symbolic.chain.check_citations(derivation, before[: before.index(derivation)])
    if key not in on_pages:  # half a minute of a whole run, in which its page checks it
        symbolic.check(derivation)


# In each file some: with sums, integrals, lists and paths, inductions, assumptions and slopes. All of them are attacked
# by ``python -m tools.attack``.
SAMPLE = (
    "F3.bessel", "F4.best", "F5.pixels", "F12.gap", "F17.slope", "F16.product", "F19.gain", "F20.parts", "F23.product",
    "F26.base", "F28.base", "F21.score", "F31", "F32.row", "F37.last", "F37.two.base", "F40.weight", "F41.sum",
    "F41.mass",
)  # fmt: skip


@pytest.mark.parametrize("key", SAMPLE)
def test_every_planted_error_is_caught(key: str) -> None:
    """In its lines and facts; at other values, at other letters, from another base: as many as were recorded."""
    planted, passed = attack.attacked(symbolic.derivation(key))
    assert not passed
    assert planted == tools.attack.recorded()[key], "run: python -m tools.attack"


def test_the_sample_has_errors_of_all_kinds() -> None:
    recorded = tools.attack.recorded()
    assert {letter for key in SAMPLE for letter in recorded[key]} == {*attack.KINDS}
    files = {part.__name__ for part in symbolic.PARTS if any(d.key in SAMPLE for d in part.DERIVATIONS)}
    assert len(files) == len(symbolic.PARTS)


def test_errors_were_planted_in_all_chains_and_steps() -> None:
    """And the page has their sums."""
    recorded = tools.attack.recorded()
    assert [*recorded] == [*symbolic.DERIVATIONS], "run: python -m tools.attack"
    assert all(recorded[key].total() >= 12 + 3 * len(d.steps) for key, d in symbolic.DERIVATIONS.items())
    page = tools.attack.PAGE.read_text(encoding="utf-8")
    assert tools.attack.with_table(page) == page, "run: python -m tools.attack"


@pytest.mark.parametrize("key", SAMPLE)
def test_algebra_alone_and_numbers_alone_catch_errors(key: str) -> None:
    """The two judges do not lean on each other: the first three kinds of error in a chain, before each of them.

    Without ``simplify``, which no step needs. A term more makes sums of exponentials, whose expansion takes a minute.
    """
    derivation, seen = symbolic.derivation(key), set()
    for mutant in symbolic.planted_errors(derivation, most=1):
        if mutant.error in {*seen, "fact", "extra term"}:
            continue
        seen.add(mutant.error)
        facts = derivation.facts(mutant.step)
        right, wrong = derivation.steps[mutant.number - 1].expression, mutant.step.expression
        right, wrong = (rewrite(side, facts, derivation.range) for side in (right, wrong))
        assert not compare.same_by_numbers(right, wrong, where=derivation.range)
        with contextlib.suppress(DivergentError):  # an integral that has no value is refused too
            assert not same_by_algebra(right, wrong, derivation.range)
        if len(seen) == 3:
            break


WITH_CODE = [key for key, derivation in symbolic.DERIVATIONS.items() if derivation.code]


@pytest.mark.parametrize("key", WITH_CODE)
def test_the_package_computes_what_was_proved(key: str) -> None:
    """To 1e-10 at 1,000 points. And with an error in the result it would not: three of them, the first of each kind."""
    code = symbolic.derivation(key).code
    part = code.of(symbolic.derivation(key).right)
    computed, points = code.compute()
    assert difference(part, computed, points) < 1e-10
    assert callable(operator.attrgetter(code.name)(importlib.import_module("lecture11")))
    errors = {}
    for error, wrong in attack.changes(part, list(points)):
        if error not in errors and len(errors) < 3 and not compare.same_by_numbers(wrong, part):
            errors[error] = wrong
            assert not difference(wrong, computed, points) < 1e-10, (error, wrong)
    assert len(errors) == 3


@pytest.mark.parametrize("number", range(1, 6))
def test_the_package_computes_each_line_of_the_bound(number: int) -> None:
    """F36: the result of the chain is its last line; here the package's line is compared with each."""
    F36 = symbolic.derivation("F36")
    line = (*F36.lines[:4], F36.right)[number - 1]
    code = symbolic.bound.elbo_line(number)
    assert symbolic.largest_difference(dataclasses.replace(F36, code=code), line) < 1e-10


def test_what_the_notes_misprint_is_refused() -> None:
    found = set()
    for derivation in symbolic.DERIVATIONS.values():
        for erratum, printed in derivation.printed:
            step = Step(printed, erratum, derivation.steps[-1].by)
            with pytest.raises(symbolic.WrongStepError):
                symbolic.check_step(derivation, len(derivation.steps), step)
            found.add(erratum)
    print("refused:", *sorted(found, key=lambda erratum: int(erratum[1:])))
    assert found >= {f"E{number}" for number in range(9, 15)}


def test_the_logarithm_of_a_sum_with_a_common_number_comes_to_an_end() -> None:
    """SymPy writes ``(S + 2) / 4`` as ``S / 4 + 1/2`` again."""
    S = sympy.Symbol("S", positive=True)
    assert work_out(sympy.log(S / 4 + sympy.Rational(1, 2))) == sympy.log(S / 4 + sympy.Rational(1, 2))


def test_every_statement_has_a_proof_or_an_experiment() -> None:
    """F21-F41, and the experiments are tests that exist."""
    formulas = {d.formula for d in symbolic.DERIVATIONS.values()} | set(symbolic.EXPERIMENTS)
    assert formulas >= {f"F{number}" for number in range(21, 42)}
    for experiment in symbolic.EXPERIMENTS.values():
        file, _, name = experiment.test.partition("::")
        assert f"def {name}(" in (Path(__file__).parents[1] / file).read_text(encoding="utf-8"), experiment


def test_importing_the_package_imports_no_sympy() -> None:
    code = "import sys, lecture11; assert not {'torch', 'sympy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_each_statement_bears_a_mark() -> None:
    """An experiment where there is no chain, and only there; a case in words where there is one."""
    assert list(symbolic.MARKS) == [f"F{number}" for number in range(1, 42)]
    proved = {derivation.formula for derivation in symbolic.DERIVATIONS.values()}
    for key, mark in symbolic.MARKS.items():
        assert (mark.kind == "experiment") == (key not in proved), key
        assert bool(mark.case) == (mark.kind in {"proved for", "consequence"}), key
