"""Chains as LaTeX: lines that fit a column or a phone, in the order of reading; symbols typeset among words."""

import functools
import itertools
import re
from collections.abc import Iterator

import numpy as np
import pytest
import sympy

from lecture11 import symbolic
from lecture11.symbolic import Definition, Derivation, Step, indexed, show

a, b, c, d = sympy.symbols("a b c d", real=True)
long = sympy.symbols("alpha_1:9", positive=True)


@functools.cache
def _typeset(key: str) -> str:
    return show.typeset(symbolic.derivation(key))


def _forms(key: str) -> dict[float, str]:
    """The chain as a page shows it, and as a phone does, by the room that each has."""
    wide, _, comment = _typeset(key).partition("% narrow:\n")
    narrow = re.sub("^% ", "", comment.removesuffix("\n$$"), flags=re.MULTILINE)
    return {show.WIDTH: wide.strip("$"), show.NARROW: narrow or wide.strip("$")}


@pytest.mark.parametrize("key", symbolic.DERIVATIONS)
def test_no_line_is_wider_than_the_room(key: str) -> None:
    for room, form in _forms(key).items():
        lines = form.strip().splitlines()
        assert (lines[0], lines[-1]) == (r"\begin{aligned}", r"\end{aligned}")
        # A little more than the room: indices and brackets are estimated.
        assert [
            line
            for line in lines[1:-1]
            if show.width(line.removesuffix(r"\\")) * (0.8 if "text" in line else 1) > room + 3.5
        ] == []


def test_a_page_shows_longer_lines_than_a_phone() -> None:
    wide, narrow = (form.count(r"\\") for form in _forms("F36").values())
    assert wide < narrow - 10
    assert "% narrow" not in _typeset("F36.telescope.base")  # which fits a phone as it is


@pytest.mark.parametrize("key", symbolic.DERIVATIONS)
def test_no_symbol_has_two_indices_below(key: str) -> None:
    # MathJax shows an error in their place.
    assert not re.search(r"_(?:\\?\w+|\{[^{}]*\})_", _typeset(key).replace(r"\_", ""))


def test_names_with_an_index_of_their_own_take_another_and_a_power() -> None:
    assert show.latex(indexed("x", "x", real=True)(1) ** 2) == "x_{1}^{2}"
    assert show.latex(indexed("above", r"\delta^+", nonnegative=True)(1) ** 2) == r"{\delta^+_{1}}^{2}"
    assert show.latex(indexed("centre", r"\mu_\phi", real=True)(a) ** 2) == r"\mu_\phi(a)^{2}"
    assert show.latex(symbolic.posterior.mu_theta(a, b) ** 2) == r"\mu_\theta(a)_{b}^{2}"
    assert show.latex(symbolic.lists.part(symbolic.forward.x(1), 2, 3) ** 2) == "x_{1,2}^{2}"


def test_a_product_is_one_also_below_a_fraction() -> None:
    product = symbolic.lists.product(a, 3)
    assert show.latex(b / product) == r"\frac{b}{\prod_{j=1}^{3} a}"
    assert show.latex(sympy.exp(a)) == "e^{a}"


def test_a_fraction_that_does_not_fit_keeps_its_bar() -> None:
    e = sympy.Add(*long) ** 2 / sympy.Add(*(x * x for x in long))
    (line,) = show.laid_out(e, 30)
    assert line.count(r"\frac{\begin{aligned} &") == line.count(r"\end{aligned}}{\begin{aligned} &") == 1
    # As wide as the widest of its lines.
    assert show.width(r"\frac{\begin{aligned} &a \\ &a + b \end{aligned}}{a}") == show.width(r"\frac{a + b}{a}")


def test_what_fits_is_one_line() -> None:
    assert show.laid_out(a + b, 30) == ["a + b"]


def test_a_sum_does_not_begin_with_a_minus() -> None:
    assert show.latex(b - a) == "b - a"
    assert show.latex(c - (a - b) ** 2) == r"c - \left(a - b\right)^{2}"
    assert show.latex(-a - b) == "- a - b"


@pytest.mark.parametrize(
    "e",
    [
        sympy.Add(*(x**3 / (1 + y) for x, y in itertools.pairwise(long))),
        sympy.Mul(*(x + y for x, y in itertools.pairwise(long))),
        sympy.log(sympy.Add(*long, evaluate=False)),
        sympy.Add(*long) ** 2 / sympy.Add(*(x * x for x in long)),
        -sympy.exp(sympy.Add(*long)) * sympy.sqrt(sympy.Add(*long)),
        symbolic.Normal(a, sympy.Add(*long), sympy.Add(*long) ** 2),
        symbolic.Mean(sympy.Add(*long) + a, a, 1),
        sympy.Sum(sympy.Add(*long) * sympy.Symbol("n"), (sympy.Symbol("n"), 1, 3)),
    ],
)
def test_what_does_not_fit_is_broken_and_whole(e: sympy.Expr) -> None:
    lines = show.laid_out(e, 30)
    assert len(lines) > 1 or r"\begin{aligned}" in lines[0]
    assert max(map(show.width, lines)) <= 32
    text = "".join(lines)
    assert [name for name in long if sympy.latex(name) not in text] == []
    assert all(text.count(left) == text.count(right) for left, right in ("()", "[]", "{}"))
    assert text.count(r"\left") == text.count(r"\right")


def test_words_in_which_symbols_are_typeset() -> None:
    assert show.prose("the mean from x_0, and abar_(t-1)") == r"the mean from $x_{0}$, and $\bar\alpha_{t-1}$"
    assert show.prose("deviation sqrt(beta_t), $x_0$") == r"deviation $\sqrt{\beta_{t}}$, $x_0$"
    assert show.prose("towards w^2 = S - 1") == "towards $w^{2}$ = S - 1"
    assert show.prose("with lambda^* between") == r"with $\lambda^{*}$ between"
    assert show.prose("no symbols: t = 1, N(0, 1)") == "no symbols: t = 1, N(0, 1)"


def test_a_chain_shows_reasons_citations_and_definitions() -> None:
    square = indexed("s", "s", real=True)
    name = Definition("s", "s_1 is a square", square(1), a**2)
    chain = Derivation("F0", "a test", square(1) + b, (Step(a**2 + b, "what s_1 is", by=(name,)),))
    assert show.typeset(chain).splitlines()[1:-1] == [
        r"&b + s_{1} \\",
        r"&\quad \small\text{what $s_{1}$ is ($s_{1}$)} \\",
        r"&= a^{2} + b \\",
        r"&\small\text{where} \\",
        r"&\quad \small\text{$s_{1}$ is a square} \\",
        r"&\qquad s_{1} = a^{2}",
    ]


def test_a_citation_names_the_chain_and_an_induction_itself() -> None:
    text = show.typeset(symbolic.derivation("F3.axis"))
    assert r"\small\text{the middle term is zero (induction,}" in text
    assert r"\small\text{F3.uncorrelated, F3)}" in text
    assert "the two distributions (F32, F29)" in show.typeset(symbolic.derivation("F38.any"))


def test_words_that_several_definitions_share_stand_once() -> None:
    text = _forms("F31")[show.WIDTH]
    assert text.count("assume: a conditional density is") == 1


def _parts(e: sympy.Basic) -> Iterator[sympy.Expr]:
    if isinstance(e, sympy.Add | sympy.Mul | sympy.Pow):
        yield e
    for argument in e.args:
        yield from _parts(argument)


@pytest.mark.parametrize("key", symbolic.DERIVATIONS)
def test_what_is_printed_as_a_product_is_the_expression(key: str) -> None:
    # Sign, what stands above the bar and below it: at random numbers for all that is no sum, product or power.
    proof = symbolic.derivation(key)
    random = np.random.default_rng(0)
    for e in dict.fromkeys(part for line in proof.lines for part in _parts(line)):
        leaves = {leaf: sympy.Float(random.uniform(0.5, 2)) for leaf in _leaves(e)}
        negative, above, below = show._quotient(e)
        printed = (-1) ** negative * sympy.Mul(*above) / sympy.Mul(*below)
        values = [complex(form.xreplace(leaves)) for form in (e, printed)]
        assert values[1] == pytest.approx(values[0], rel=1e-9)


def _leaves(e: sympy.Expr) -> set[sympy.Expr]:
    if isinstance(e, sympy.Add | sympy.Mul | sympy.Pow):
        return {leaf for argument in e.args for leaf in _leaves(argument)}
    return set() if e.is_number else {e}


def test_products_and_fractions_as_one_writes_them() -> None:
    x, eps = sympy.Symbol("x"), sympy.Symbol(r"\epsilon")
    s, v = sympy.symbols("s v", positive=True)
    assert show.latex(x + s * eps) == r"x + s \epsilon"
    assert show.latex((a + b - c) / 2) == r"\frac{a + b - c}{2}"
    assert show.latex(2 * (a - b) * c) == r"2 c \left(a - b\right)"
    assert show.latex(sympy.exp(-(x**2)) / sympy.sqrt(2 * sympy.pi * v)) == r"\frac{e^{- x^{2}}}{\sqrt{2 \pi v}}"
    assert show.latex(sympy.sqrt(s / (2 * sympy.pi * v))) == r"\sqrt{\frac{s}{2 \pi v}}"


def test_a_derivative_that_does_not_fit_names_what_it_is_over() -> None:
    e = sympy.Derivative(sympy.Add(*(x**3 / (1 + y) for x, y in itertools.pairwise(long))), long[0], long[1])
    assert show.laid_out(e, 30)[0].startswith(r"\frac{\partial^{2}}{\partial \alpha_{1} \, \partial \alpha_{2}}")
