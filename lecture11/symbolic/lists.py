r"""Images are lists of pixels, and paths are lists of images: what is shown here for lists lets a chain speak of both.

A list of n entries has a last entry and a rest, of which one thing is taken from analysis, Fubini's theorem: an
integral over a list is one over its last entry and one over the rest. All else is shown by induction.
"""

from sympy import Expr, Integer, Sum, Symbol, exp, log, sympify
from sympy.printing.printer import Printer

from lecture11.symbolic.facts import HYPOTHESIS, Definition, Derivation, Fact, Induction, Step
from lecture11.symbolic.terms import Mean, density, indexed, last, rest

d, i, j = (Symbol(name, integer=True, positive=True) for name in "dij")
k = Symbol("k", integer=True, nonnegative=True)
m = Symbol("m", integer=True, positive=True)
y, head, tail = (Symbol(name, real=True) for name in ("y", "u", "v"))
part = indexed("part", "x", real=True, entry=True)  # part(y, j, k): entry j of the list y, which has k more behind it


def _with_index(self: Expr, printer: Printer, exp: str | None = None) -> str:
    """``x_{t,j}`` for entry j of ``x(t)``."""
    name, index = (printer._print(argument) for argument in self.args[:2])
    name = (
        f"{name[:-1]},{index}}}" if name.endswith("}") and "_{" in name and ")" not in name else f"{name}_{{{index}}}"
    )
    return name if exp is None else f"{name}^{{{exp}}}"


part._latex = _with_index
ONE = Definition("list", "a list of one is its entry", part(y, 1, 0), y)
LAST = Definition("list", "its last entry", part(y, j, 0), last(y, j), (j - 2,))
BEFORE = Definition("list", "an entry that is not the last", part(y, j, k), part(rest(y, j + k), j, k - 1), (k - 1,))


def pixel(image: Expr, number: Expr = j) -> Expr:
    """Pixel ``number`` of an image, which has ``d``."""
    return part(image, number, d - number)


def product(f: Expr, number: Expr = d) -> Expr:
    """The product of ``f`` over ``j`` from 1 on."""
    return exp(Sum(log(f), (j, 1, number)))


def over_list(mean: Mean, n: Expr) -> Definition:
    """Fubini's theorem: an integral over a list of ``n`` entries, which occurs in it by its two parts alone."""
    f, z, law = mean.args
    parts = {rest(z, n): head, last(z, n): tail}
    both = Mean((f * law).xreplace(parts), (head, tail), 1)
    return Definition(
        "Fubini", "over a list: over its last entry, and over what stands before it", mean, both, (n - 2,)
    )


def has_mass(law: Expr, x: Expr) -> Definition:
    """A density has mass 1."""
    return Definition("mass", "a density has mass 1", Mean(1, x, law), Integer(1))


# --- Products ---------------------------------------------------------------------------------------------------------

factor = indexed("factor", "g", positive=True)

PRODUCT_BASE = Derivation(
    key="F23.product.base",
    statement="the same for one pixel",
    start=Mean(product(factor(j, part(y, j, 1 - j)), 1), y, 1),
    steps=(
        Step(Mean(factor(1, part(y, 1, 0)), y, 1), "a product of one factor"),
        Step(Mean(factor(1, y), y, 1), "the one pixel is all of it", by=(ONE,)),
        Step(product(Mean(factor(j, y), y, 1), 1), "a product of one factor"),
    ),
)

PRODUCT = Derivation(
    key="F23.product",
    statement="over an image y, the integral of a product of functions g of one pixel each is a product of d "
    "integrals over one pixel. In a formula, the pixels of y are y_j, its last one last(y), and the others rest(y)",
    start=Mean(product(factor(j, pixel(y))), y, 1),
    steps=(
        Step(Mean(product(factor(j, pixel(y)), d - 1) * factor(d, pixel(y, d)), y, 1), "the last factor apart"),
        Step(
            Mean(product(factor(j, part(rest(y, d), j, d - 1 - j)), d - 1) * factor(d, last(y, d)), y, 1),
            "the last pixel, and those before it",
            by=(BEFORE.at({k: d - j}), LAST.at({j: d})),
        ),
        Step(
            Mean(product(factor(j, part(head, j, d - 1 - j)), d - 1), head, 1) * Mean(factor(d, y), y, 1),
            "two integrals, by Fubini's theorem",
            by=(
                over_list(
                    Mean(product(factor(j, part(rest(y, d), j, d - 1 - j)), d - 1) * factor(d, last(y, d)), y, 1), d
                ),
            ),
        ),
        Step(product(Mean(factor(j, y), y, 1)), "the statement for d - 1", by=(HYPOTHESIS.at({y: head}),)),
    ),
    induction=Induction(d, PRODUCT_BASE),
)

one_law = density("law_of_pixel", "p")
MASS = Derivation(
    key="F23.mass",
    statement="a product of densities of one pixel each is a density of the image",
    start=Mean(product(one_law(pixel(y), j)), y, 1),
    steps=(
        Step(
            product(Mean(one_law(y, j), y, 1)),
            "a product of integrals",
            by=(PRODUCT.at({factor(j, y): one_law(y, j)}),),
        ),
        Step(product(Mean(1, y, one_law(y, j))), "the same integrals"),
        Step(Integer(1), "each density has mass 1", by=(has_mass(one_law(y, j), y),)),
    ),
)

# --- One of the pixels ------------------------------------------------------------------------------------------------

u = indexed("of_one", "f", real=True)


def _whole(number: Expr, image: Expr = y) -> Expr:
    return product(one_law(part(image, j, number - j), j), number)


_parted = product(one_law(part(rest(y, i), j, i - 1 - j), j), i - 1)
MARGINAL_ONE = Derivation(
    key="F23.marginal.one",
    statement="the same for an image of one pixel",
    start=Mean(u(part(y, 1, 0)), y, _whole(Integer(1))),
    steps=(
        Step(Mean(u(part(y, 1, 0)), y, one_law(part(y, 1, 0), 1)), "a product of one factor"),
        Step(Mean(u(y), y, one_law(y, 1)), "the one pixel is all of it", by=(ONE,)),
    ),
)

MARGINAL_LAST = Derivation(
    key="F23.marginal.last",
    statement="the same for the last of i pixels",
    start=Mean(u(part(y, i, 0)), y, _whole(i)),
    steps=(
        Step(
            Mean(u(part(y, i, 0)), y, product(one_law(part(y, j, i - j), j), i - 1) * one_law(part(y, i, 0), i)),
            "the last factor apart",
        ),
        Step(
            Mean(u(last(y, i)), y, _parted * one_law(last(y, i), i)),
            "the last pixel, and those before it",
            by=(BEFORE.at({k: i - j}), LAST.at({j: i})),
        ),
        Step(
            Mean(_whole(i - 1, head), head, 1) * Mean(u(y), y, one_law(y, i)),
            "two integrals, by Fubini's theorem",
            by=(over_list(Mean(u(last(y, i)), y, _parted * one_law(last(y, i), i)), i),),
        ),
        Step(Mean(u(y), y, one_law(y, i)), "the first has mass 1", by=(MASS.at({d: i - 1, y: head}),)),
    ),
    induction=Induction(i, MARGINAL_ONE),
)

_one_more = product(one_law(part(rest(y, i + k), j, i + k - 1 - j), j), i + k - 1)
_short = u(part(rest(y, i + k), i, k - 1))
MARGINAL = Derivation(
    key="F23.marginal",
    statement="if the density of an image y is a product, the mean of any function f of pixel i needs the distribution "
    "of that pixel alone; k pixels stand behind it",
    start=Mean(u(part(y, i, k)), y, _whole(i + k)),
    steps=(
        Step(
            Mean(u(part(y, i, k)), y,
                 product(one_law(part(y, j, i + k - j), j), i + k - 1) * one_law(part(y, i + k, 0), i + k)),
            "the last factor apart",
        ),
        Step(
            Mean(_short, y, _one_more * one_law(last(y, i + k), i + k)),
            "the last pixel, and those before it",
            by=(BEFORE.at({k: i + k - j}), BEFORE.at({j: i}), LAST.at({j: i + k})),
        ),
        Step(
            Mean(u(part(head, i, k - 1)), head, _whole(i + k - 1, head)) * Mean(1, y, one_law(y, i + k)),
            "two integrals, by Fubini's theorem",
            by=(over_list(Mean(_short, y, _one_more * one_law(last(y, i + k), i + k)), i + k),),
        ),
        Step(Mean(u(part(head, i, k - 1)), head, _whole(i + k - 1, head)), "the last pixel's density has mass 1",
             by=(has_mass(one_law(y, i + k), y),)),
        Step(Mean(u(y), y, one_law(y, i)), "the statement for k - 1", by=(HYPOTHESIS.at({y: head}),)),
    ),
    induction=Induction(k, MARGINAL_LAST, first=0),
)  # fmt: skip

# --- Sums -------------------------------------------------------------------------------------------------------------

term, any_law = indexed("term", "f", real=True), indexed("weight_of_list", "g", positive=True)
_first = Symbol("m", integer=True, positive=True)

SUM = Derivation(
    key="F23.sum",
    statement="the mean of a sum is the sum of the means, under any weight g: of the terms m to m + k",
    start=Mean(Sum(term(j, y), (j, _first, _first + k)), y, any_law(y)),
    steps=(Step(Sum(Mean(term(j, y), y, any_law(y)), (j, _first, _first + k)), "term by term"),),
)


def summed(f: Expr, index: Expr, first: Expr, final: Expr, x: Expr, law: Expr) -> Fact:
    """``F23.sum`` for the mean of the sum of ``f`` over ``index`` under a distribution of ``x``."""
    renamed = {_first: sympify(first), k: final - first}
    value = f.xreplace({index: j, x: y})
    return SUM.at(renamed).at({term(j, y): value, any_law(y): law.xreplace({x: y})})


DERIVATIONS = (
    PRODUCT_BASE, PRODUCT, MASS, MARGINAL_ONE, MARGINAL_LAST, MARGINAL, SUM,
)  # fmt: skip
