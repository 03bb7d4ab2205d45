r"""Auto-encoders: what a short code loses, the best linear one, and the best denoiser (F1-F5).

Sums run over the coordinates ``j``, 1 to ``d``, and over the columns of a linear decoder, 1 to ``k``; the latter are
inductions. The mean of the data is 0: it has been taken off. The axes are the principal ones of the data, in which its
coordinates are uncorrelated: any other axes differ from them by a rotation, which changes no distance. For F4 and F5
$\epsilon$ is standard normal, so that the noise of the chapter is written $s \epsilon$.
"""

import functools
from typing import Any

from sympy import Derivative, Expr, Integer, Sum, Symbol, cos, log, sin

from lecture11.symbolic.chain import Code, Experiment
from lecture11.symbolic.facts import HYPOTHESIS, Assumption, Definition, Derivation, Induction, Step
from lecture11.symbolic.terms import Mean, Normal, density, indexed

i, j, n = (Symbol(name, integer=True, positive=True) for name in "ijn")
d, N = Symbol("d", integer=True, positive=True), Symbol("N", integer=True, positive=True)
k = Symbol("k", integer=True, nonnegative=True)
x = indexed("x", "x", real=True)  # one example by its coordinates, or N of them


def over_axes(f: Expr) -> Sum:
    """The sum over all coordinates ``j``."""
    return Sum(f, (j, 1, d))


def over_data(f: Expr) -> Sum:
    """The sum over all examples ``n``."""
    return Sum(f, (n, 1, N))


# --- What is lost, and the best point (F1, F2) ------------------------------------------------------------------------

back = indexed("back", r"\tilde x", real=True)  # back(k, j): what comes back, from a code of k numbers
code, column = indexed("code", "z", real=True), indexed("column", "a", real=True)
across = indexed("across", "w", real=True)
DECODER = Definition(
    "F1", "a linear decoder adds the column a_k, times z_k", back(k, j), back(k - 1, j) + code(k) * column(k, j),
    where=(k - 1,),
)  # fmt: skip
NO_CODE = Definition("F1", "without a code it gives 0", back(0, j), Integer(0))
ACROSS = Assumption(
    "F1", "w is at right angles to each column", over_axes(across(j) * column(k, j)), Integer(0), (k,), (k - 1,)
)

F1_BASE = Derivation(
    key="F1.base",
    statement=r"without a code nothing comes back: $\tilde x_{0,j}$ is coordinate j of what comes back, and w any "
    "direction",
    start=over_axes(across(j) * back(0, j)),
    steps=(Step(Integer(0), "each term is 0", by=(NO_CODE,)),),
)

F1 = Derivation(
    key="F1",
    statement="F1 is a definition. What it costs that k < d, for a linear decoder: whatever the code z, nothing "
    r"comes back along a w at right angles to its k columns a. $\tilde x_{k,j}$ is coordinate j of what "
    "comes back",
    start=over_axes(across(j) * back(k, j)),
    steps=(
        Step(over_axes(across(j) * (back(k - 1, j) + code(k) * column(k, j))), "the last column apart", by=(DECODER,)),
        Step(
            over_axes(across(j) * back(k - 1, j)) + code(k) * over_axes(across(j) * column(k, j)),
            "the sum term by term",
        ),
        Step(Integer(0), "both are zero", by=(HYPOTHESIS, ACROSS)),
    ),
    induction=Induction(k, F1_BASE, first=0),
)

m, b = Symbol("m", real=True), Symbol("b", real=True)
CENTRE = Definition("F2", "m is the mean", m, Sum(x(i), (i, 1, N)) / N)


def _reconstruction_error() -> tuple[Any, dict[Expr, Any]]:
    import torch

    from lecture11 import autoencoder

    examples = torch.randn(5, 1000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    answers = examples[4]
    errors = [autoencoder.reconstruction_error(lambda _: answers[:, None], e[:, None]) for e in examples[:4]]
    points = {x(Integer(i + 1)): examples[i] for i in range(4)}
    return sum(errors), {**points, m: examples[:4].mean(0), b: answers}


F2 = Derivation(
    key="F2",
    statement="F2 is an aim. Where the answer must be one number b for all examples x_n, their mean m has the "
    "least error: any other adds N times its squared distance from m",
    start=over_data((x(n) - b) ** 2),
    steps=(
        Step(
            over_data((x(n) - m) ** 2 + 2 * (x(n) - m) * (m - b) + (m - b) ** 2),
            "x_n - b = (x_n - m) + (m - b), squared",
        ),
        Step(
            over_data((x(n) - m) ** 2) + 2 * (m - b) * (over_data(x(n)) - N * m) + N * (m - b) ** 2,
            "the sum term by term",
        ),
        Step(over_data((x(n) - m) ** 2) + N * (m - b) ** 2, "the middle term is zero", by=(CENTRE,)),
    ),
    code=Code("autoencoder.reconstruction_error", _reconstruction_error, of=lambda e: e.subs(N, 4).doit()),
    printed=(("E2", Sum((x(k) - m) ** 2, (k, 0, N)) + (N + 1) * (m - b) ** 2),),
)

# --- The best linear auto-encoder (F3) --------------------------------------------------------------------------------

spread = indexed("lambda", r"\lambda", positive=True)  # the mean square of the data along an axis, the largest first
weight = indexed("weight", "u", real=True)
example = Symbol("e", real=True)
data = density("data", "p")(example)
at = indexed("at", "x", real=True)  # at(example, j): coordinate j of an example


def over_data_law(f: Expr) -> Mean:
    """The mean over the data, whatever their distribution: that of N examples is one."""
    return Mean(f, example, data)


def along(weight: Any, last: Expr) -> Sum:
    """What an example has along a direction with some weights, from its first coordinates."""
    return Sum(weight(i) * at(example, i), (i, 1, last))


SPREAD = Assumption(
    "F3", "lambda_d is the mean square along axis d", over_data_law(at(example, d) ** 2), spread(d), (d,)
)  # fmt: skip
UNCORRELATED = Assumption(
    "F3", "in the principal axes two are uncorrelated", over_data_law(at(example, j) * at(example, d)), Integer(0),
    for_all=(j, d), where=(d - j - 1,),
)  # fmt: skip
F3_UNCORRELATED_BASE = Derivation(
    key="F3.uncorrelated.base",
    statement="of an example e, the first coordinate in the principal axes, times a weight u_1, is not correlated "
    "with a later one, $x_{e,d}$",
    start=over_data_law(along(weight, 1) * at(example, d)),
    steps=(
        Step(weight(1) * over_data_law(at(example, 1) * at(example, d)), "one coordinate"),
        Step(Integer(0), "they are uncorrelated", by=(UNCORRELATED.at({j: 1}),)),
    ),
    where=(d - 2,),
)

F3_UNCORRELATED = Derivation(
    key="F3.uncorrelated",
    statement="nor is the sum of the first j coordinates of an example e with weights u correlated with a later "
    "coordinate $x_{e,d}$",
    start=over_data_law(along(weight, j) * at(example, d)),
    steps=(
        Step(
            over_data_law((along(weight, j - 1) + weight(j) * at(example, j)) * at(example, d)),
            "the last coordinate apart",
        ),
        Step(
            over_data_law(along(weight, j - 1) * at(example, d))
            + weight(j) * over_data_law(at(example, j) * at(example, d)),
            "the mean of a sum",
        ),
        Step(Integer(0), "both are zero", by=(HYPOTHESIS, UNCORRELATED)),
    ),
    induction=Induction(j, F3_UNCORRELATED_BASE),
    where=(d - j - 1,),
)

F3_AXIS_BASE = Derivation(
    key="F3.axis.base",
    statement="the mean square of one coordinate of an example e, times a weight u_1",
    start=over_data_law(along(weight, 1) ** 2),
    steps=(
        Step(weight(1) ** 2 * over_data_law(at(example, 1) ** 2), "one coordinate"),
        Step(spread(1) * weight(1) ** 2, "its mean square", by=(SPREAD.at({d: 1}),)),
        Step(Sum(spread(j) * weight(j) ** 2, (j, 1, 1)), "a sum of one term"),
    ),
)

F3_AXIS = Derivation(
    key="F3.axis",
    statement="the mean square of the sum of all d coordinates of an example e with weights u: each axis j counts "
    "with its spread lambda_j, times the square of its weight",
    start=over_data_law(along(weight, d) ** 2),
    steps=(
        Step(over_data_law((along(weight, d - 1) + weight(d) * at(example, d)) ** 2), "the last coordinate apart"),
        Step(
            over_data_law(along(weight, d - 1) ** 2)
            + 2 * weight(d) * over_data_law(along(weight, d - 1) * at(example, d))
            + weight(d) ** 2 * over_data_law(at(example, d) ** 2),
            "the mean of a square of a sum",
        ),
        Step(
            Sum(spread(j) * weight(j) ** 2, (j, 1, d - 1)) + weight(d) ** 2 * spread(d),
            "the middle term is zero",
            by=(HYPOTHESIS, F3_UNCORRELATED.at({j: d - 1}), SPREAD),
        ),
        Step(over_axes(spread(j) * weight(j) ** 2), "one sum"),
    ),
    induction=Induction(d, F3_AXIS_BASE),
)

# The decoder's columns: k of d directions v of length 1, at right angles to each other.
v, reach = indexed("v", "v", real=True), indexed("reach", "m", real=True)
few = Symbol("l", integer=True, nonnegative=True)
UNIT = Assumption("F3", "a direction has length 1", over_axes(v(k, j) ** 2), Integer(1), (k,), (k - 1, d - k))
RIGHT = Assumption(
    "F3", "two directions are at right angles", over_axes(v(few, j) * v(k, j)), Integer(0), (few, k),
    (few - 1, k - few - 1, d - k),
)  # fmt: skip

# Any columns are sums of such directions (Gram and Schmidt).
given, inner = indexed("given", "a", real=True), indexed("inner", "t", real=True)
both_sums = indexed("two_sums", "f", real=True)
GRAM = Assumption(
    "F3", "k columns lie in a plane with k such directions (Gram and Schmidt)", given(i, j),
    Sum(inner(i, n) * v(n, j), (n, 1, k)), (i, j),
)  # fmt: skip

F3_ORDER_BASE = Derivation(
    key="F3.order.base",
    statement="where one of two sums, over n, has one term only",
    start=Sum(Sum(both_sums(i, n), (i, 1, k)), (n, 1, 1)),
    steps=(
        Step(Sum(both_sums(i, 1), (i, 1, k)), "one term"),
        Step(Sum(Sum(both_sums(i, n), (n, 1, 1)), (i, 1, k)), "and one in each"),
    ),
)

F3_ORDER = Derivation(
    key="F3.order",
    statement="two sums may be taken in either order: of any terms f, over i up to k and over n up to l",
    start=Sum(Sum(both_sums(i, n), (i, 1, k)), (n, 1, few)),
    steps=(
        Step(
            Sum(Sum(both_sums(i, n), (i, 1, k)), (n, 1, few - 1)) + Sum(both_sums(i, few), (i, 1, k)),
            "the last n apart",
        ),
        Step(
            Sum(Sum(both_sums(i, n), (n, 1, few - 1)) + both_sums(i, few), (i, 1, k)),
            "the statement for l - 1, in one sum",
            by=(HYPOTHESIS,),
        ),
        Step(Sum(Sum(both_sums(i, n), (n, 1, few)), (i, 1, k)), "one term more in each"),
    ),
    induction=Induction(few, F3_ORDER_BASE),
)

F3_COLUMNS = Derivation(
    key="F3.columns",
    statement="so it is enough to look at decoders with such columns: what any columns a give back for a code z, in "
    "coordinate j, the directions v give back for another code, of which the l-th number is the inner sum",
    start=Sum(code(i) * given(i, j), (i, 1, k)),
    steps=(
        Step(Sum(Sum(code(i) * inner(i, n) * v(n, j), (n, 1, k)), (i, 1, k)), "the plane of the columns", by=(GRAM,)),
        Step(
            Sum(Sum(code(i) * inner(i, n) * v(n, j), (i, 1, k)), (n, 1, k)),
            "the sums in the other order",
            by=(F3_ORDER.at({both_sums(i, n): code(i) * inner(i, n) * v(n, j), few: k}),),
        ),
        Step(Sum(Sum(code(i) * inner(i, n), (i, 1, k)) * v(n, j), (n, 1, k)), "take v out of the inner one"),
    ),
    where=(k - 1,),
)

# What a plane keeps of the axes (Bessel).
kept, lost = indexed("kept", "h", nonnegative=True), indexed("lost", "g", nonnegative=True)
onto = indexed("onto", "P", real=True)
KEPT = Definition("F3", "v_k adds its share of axis j to what is kept", kept(k, j), kept(k - 1, j) + v(k, j) ** 2,
                  where=(k - 1,))  # fmt: skip
NONE_KEPT = Definition("F3", "without a direction nothing is kept", kept(0, j), Integer(0))
ONTO = Definition(
    "F3", "P projects onto the plane of the first k directions", onto(k, i, j),
    onto(k - 1, i, j) + v(k, i) * v(k, j), where=(k - 1,),
)  # fmt: skip
ONTO_NONE = Definition("F3", "without a direction onto 0", onto(0, i, j), Integer(0))
_row = ONTO.at({i: j, j: i})

F3_NEXT_BASE = Derivation(
    key="F3.next.base",
    statement="the projection P onto no direction is at right angles to any v",
    start=Sum(onto(0, j, i) * v(k, i), (i, 1, d)),
    steps=(Step(Integer(0), "each term is 0", by=(ONTO_NONE.at({i: j, j: i}),)),),
    where=(k - 1, d - k),
)

F3_NEXT = Derivation(
    key="F3.next",
    statement="P projects onto the first l directions; a later one, $v_k$, it projects onto 0",
    start=Sum(onto(few, j, i) * v(k, i), (i, 1, d)),
    steps=(
        Step(
            Sum((onto(few - 1, j, i) + v(few, j) * v(few, i)) * v(k, i), (i, 1, d)),
            "the last one apart",
            by=(_row.at({k: few}),),
        ),
        Step(
            Sum(onto(few - 1, j, i) * v(k, i), (i, 1, d)) + v(few, j) * Sum(v(few, i) * v(k, i), (i, 1, d)),
            "the sum term by term",
        ),
        Step(Integer(0), "both are 0", by=(HYPOTHESIS, RIGHT)),
    ),
    induction=Induction(few, F3_NEXT_BASE, first=0),
    where=(k - few - 1, d - k),
)

F3_ROW_BASE = Derivation(
    key="F3.row.base",
    statement="of no direction, the squared length of a row of P is 0",
    start=Sum(onto(0, j, i) ** 2, (i, 1, d)),
    steps=(Step(kept(0, j), "nothing is kept", by=(ONTO_NONE.at({i: j, j: i}), NONE_KEPT)),),
)

F3_ROW = Derivation(
    key="F3.row",
    statement="the squared length of row j of P is the share h that the k directions keep of axis j",
    start=Sum(onto(k, j, i) ** 2, (i, 1, d)),
    steps=(
        Step(Sum((onto(k - 1, j, i) + v(k, j) * v(k, i)) ** 2, (i, 1, d)), "the last direction apart", by=(_row,)),
        Step(
            Sum(onto(k - 1, j, i) ** 2, (i, 1, d))
            + 2 * v(k, j) * Sum(onto(k - 1, j, i) * v(k, i), (i, 1, d))
            + v(k, j) ** 2 * Sum(v(k, i) ** 2, (i, 1, d)),
            "the sum term by term",
        ),
        Step(
            kept(k - 1, j) + v(k, j) ** 2,
            "the statement for k - 1; right angles; length 1",
            by=(HYPOTHESIS, F3_NEXT.at({few: k - 1}), UNIT),
        ),
        Step(kept(k, j), "what is kept", by=(KEPT,)),
    ),
    induction=Induction(k, F3_ROW_BASE, first=0),
    where=(d - k,),
)

F3_DIAGONAL_BASE = Derivation(
    key="F3.diagonal.base",
    statement="without a direction, both P and h are 0",
    start=onto(0, j, j),
    steps=(Step(kept(0, j), "nothing is kept", by=(ONTO_NONE.at({i: j}), NONE_KEPT)),),
)

F3_DIAGONAL = Derivation(
    key="F3.diagonal",
    statement="and so is what stands on the diagonal of P",
    start=onto(k, j, j),
    steps=(
        Step(onto(k - 1, j, j) + v(k, j) ** 2, "the last direction apart", by=(ONTO.at({i: j}),)),
        Step(kept(k, j), "the statement for k - 1", by=(HYPOTHESIS, KEPT)),
    ),
    induction=Induction(k, F3_DIAGONAL_BASE, first=0),
)

F3_BESSEL = Derivation(
    key="F3.bessel",
    statement="k directions keep no more of an axis than there is (Bessel): 1 - h is the squared length of what "
    "P leaves of "
    "the axis, as a sum of squares",
    start=1 - kept(k, j),
    steps=(
        Step(1 - 2 * onto(k, j, j) + Sum(onto(k, j, i) ** 2, (i, 1, d)), "twice h, and h", by=(F3_DIAGONAL, F3_ROW)),
        Step(
            (1 - onto(k, j, j)) ** 2 + Sum(onto(k, j, i) ** 2, (i, 1, j - 1)) + Sum(onto(k, j, i) ** 2, (i, j + 1, d)),
            "the j-th term apart",
        ),
    ),
    nonnegative=True,
    where=(d - k, d - j),
)
LOST = Definition(
    "F3", "the rest is lost, and not negative (F3.bessel)", lost(k, j), 1 - kept(k, j), where=(d - k, d - j),
    sign=F3_BESSEL,
)  # fmt: skip

# What comes back of an example (Pythagoras).
error, comes = indexed("error", "E", real=True), indexed("comes", r"\tilde x", real=True)
held, left_over = indexed("held", "b", real=True), indexed("left_over", "c", real=True)
miss = indexed("miss", "s", nonnegative=True)
HELD = Definition("F3", "what an example has along v_k", held(k, example), along(lambda j: v(k, j), d))
LEFT_OVER = Definition(
    "F3", "and what the code leaves of it", left_over(k, example), along(lambda j: v(k, j) - reach(k, j), d)
)
COMES = Definition(
    "F3", "the k-th number of the code, m_k times the example, gives back so much of v_k",
    comes(k, example, j), comes(k - 1, example, j) + (held(k, example) - left_over(k, example)) * v(k, j), (k - 1,),
)  # fmt: skip
NOTHING = Definition("F3", "without a code nothing comes back", comes(0, example, j), Integer(0))
ERROR = Definition(
    "F3", "E is the mean error", error(k), over_data_law(over_axes((at(example, j) - comes(k, example, j)) ** 2))
)  # fmt: skip
MISS = Definition("F3", "what m misses of v adds up", miss(k, j), miss(k - 1, j) + (v(k, j) - reach(k, j)) ** 2,
                  where=(k - 1,))  # fmt: skip
NONE_MISSED = Definition("F3", "and nothing missed", miss(0, j), Integer(0))

F3_BEHIND_BASE = Derivation(
    key="F3.behind.base",
    statement="nothing comes back of an example e without a code, and so nothing along any v",
    start=over_axes(comes(0, example, j) * v(k, j)),
    steps=(Step(Integer(0), "each term is 0", by=(NOTHING,)),),
    where=(k - 1, d - k),
)

F3_BEHIND = Derivation(
    key="F3.behind",
    statement="what the first l directions give back of an example e is at right angles to a later one, $v_k$",
    start=over_axes(comes(few, example, j) * v(k, j)),
    steps=(
        Step(
            over_axes(
                (comes(few - 1, example, j) + (held(few, example) - left_over(few, example)) * v(few, j)) * v(k, j)
            ),
            "the last one apart",
            by=(COMES.at({k: few}),),
        ),
        Step(
            over_axes(comes(few - 1, example, j) * v(k, j))
            + (held(few, example) - left_over(few, example)) * over_axes(v(few, j) * v(k, j)),
            "the sum term by term",
        ),
        Step(Integer(0), "both are 0", by=(HYPOTHESIS, RIGHT)),
    ),
    induction=Induction(few, F3_BEHIND_BASE, first=0),
    where=(k - few - 1, d - k),
)

F3_PYTHAGORAS = Derivation(
    key="F3.pythagoras",
    statement="along the direction $v_k$ an example e had b, and c is left; across it nothing changes (Pythagoras)",
    start=over_axes((at(example, j) - comes(k, example, j)) ** 2),
    steps=(
        Step(
            over_axes(
                (at(example, j) - comes(k - 1, example, j) - (held(k, example) - left_over(k, example)) * v(k, j)) ** 2
            ),
            "the last direction apart",
            by=(COMES,),
        ),
        Step(
            over_axes((at(example, j) - comes(k - 1, example, j)) ** 2)
            - 2 * (held(k, example) - left_over(k, example)) * over_axes(at(example, j) * v(k, j))
            + 2 * (held(k, example) - left_over(k, example)) * over_axes(comes(k - 1, example, j) * v(k, j))
            + (held(k, example) - left_over(k, example)) ** 2 * over_axes(v(k, j) ** 2),
            "the sum term by term",
        ),
        Step(
            over_axes((at(example, j) - comes(k - 1, example, j)) ** 2)
            - 2 * (held(k, example) - left_over(k, example)) * over_axes(at(example, j) * v(k, j))
            + (held(k, example) - left_over(k, example)) ** 2,
            "right angles, and length 1",
            by=(F3_BEHIND.at({few: k - 1}), UNIT),
        ),
        Step(
            over_axes((at(example, j) - comes(k - 1, example, j)) ** 2)
            - held(k, example) ** 2
            + left_over(k, example) ** 2,
            "b is what the example has along it",
            by=(HELD,),
        ),
    ),
    where=(k - 1, d - k),
)

F3_ERROR_BASE = Derivation(
    key="F3.error.base",
    statement="without a code all is lost: of axis j, with spread lambda_j, a plane without directions keeps the "
    "share h = 0 and loses g = 1, and its encoder misses s = 0",
    start=error(0),
    steps=(
        Step(over_data_law(over_axes(at(example, j) ** 2)), "nothing comes back", by=(ERROR.at({k: 0}), NOTHING)),
        Step(over_axes(over_data_law(at(example, j) ** 2)), "the mean of a sum"),
        Step(over_axes(spread(j)), "the mean squares along all axes", by=(SPREAD.at({d: j}),)),
        Step(
            over_axes(spread(j) * (lost(0, j) + miss(0, j))),
            "nothing is kept, nothing missed",
            by=(LOST.at({k: 0}), NONE_KEPT, NONE_MISSED),
        ),
    ),
)

F3_ERROR = Derivation(
    key="F3.error",
    statement="the mean error E_k of a linear auto-encoder with the columns v. Of axis j their plane keeps the "
    "share h and "
    "loses g; the encoder, with weights m where v would be best, misses s",
    start=error(k),
    steps=(
        Step(
            error(k - 1) - over_data_law(held(k, example) ** 2) + over_data_law(left_over(k, example) ** 2),
            "along the last direction there was b, and c is left",
            by=(ERROR, ERROR.at({k: k - 1}), F3_PYTHAGORAS),
        ),
        Step(
            error(k - 1) - over_axes(spread(j) * v(k, j) ** 2) + over_axes(spread(j) * (v(k, j) - reach(k, j)) ** 2),
            "mean squares along two weights",
            by=(
                HELD,
                LEFT_OVER,
                F3_AXIS.at({weight(j): v(k, j)}),
                F3_AXIS.at({weight(j): v(k, j) - reach(k, j)}),
            ),
        ),
        Step(
            over_axes(spread(j) * (lost(k - 1, j) + miss(k - 1, j) - v(k, j) ** 2 + (v(k, j) - reach(k, j)) ** 2)),
            "the statement for k - 1, in one sum",
            by=(HYPOTHESIS,),
        ),
        Step(
            over_axes(spread(j) * (lost(k, j) + miss(k, j))),
            "one direction more",
            by=(LOST, LOST.at({k: k - 1}), KEPT, MISS),
        ),
    ),
    induction=Induction(k, F3_ERROR_BASE, first=0),
    where=(d - k,),
)

F3_TRACE_BASE = Derivation(
    key="F3.trace.base",
    statement="no direction keeps nothing: $h_{0,j}$ is the share kept of axis j",
    start=over_axes(kept(0, j)),
    steps=(Step(Integer(0), "each term is 0", by=(NONE_KEPT,)),),
)

F3_TRACE = Derivation(
    key="F3.trace",
    statement="k directions v keep k in all, when the shares h of all d axes are added",
    start=over_axes(kept(k, j)),
    steps=(
        Step(over_axes(kept(k - 1, j) + v(k, j) ** 2), "the last direction apart", by=(KEPT,)),
        Step(over_axes(kept(k - 1, j)) + over_axes(v(k, j) ** 2), "the sum term by term"),
        Step(k, "k - 1 of those before, and 1", by=(HYPOTHESIS, UNIT)),
    ),
    induction=Induction(k, F3_TRACE_BASE, first=0),
    where=(d - k,),
)


def large(f: Expr) -> Sum:
    """The sum over the k axes with the largest spread."""
    return Sum(f, (j, 1, k))


def small(f: Expr) -> Sum:
    """The sum over the other d - k axes."""
    return Sum(f, (j, k + 1, d))


F3_BALANCE = Derivation(
    key="F3.balance",
    statement="of the first k axes a plane of k directions loses as much as it keeps of the d - k others: of "
    "axis j it keeps the share h and loses g",
    start=large(lost(k, j)),
    steps=(
        Step(k - large(kept(k, j)), "what is lost is what is not kept", by=(LOST,)),
        Step(over_axes(kept(k, j)) - large(kept(k, j)), "all axes together give k", by=(F3_TRACE,)),
        Step(small(kept(k, j)), "what remains of the sum"),
    ),
    where=(d - k,),
)

edge = indexed("edge", r"\lambda^*", positive=True)  # any number between lambda_k and lambda_{k+1}
above, below = indexed("above", r"\delta^+", nonnegative=True), indexed("below", r"\delta^-", nonnegative=True)
ABOVE = Assumption("F3", "not negative for j up to k", spread(j) - edge(k), above(k, j), (k, j), (k - j,))
BELOW = Assumption("F3", "not negative for j after k", edge(k) - spread(j), below(k, j), (k, j), (j - k - 1,))


F3_HELD = Derivation(
    key="F3.held",
    statement="a plane of k directions, which keeps the share h of axis j and loses g, holds at most the spread of "
    "the first k axes: with lambda^* between lambda_k and the next, what is subtracted in the last line "
    "is not negative",
    start=over_axes(spread(j) * kept(k, j)),
    steps=(
        Step(
            large(spread(j)) - large(spread(j) * lost(k, j)) + small(spread(j) * kept(k, j)),
            "the k first axes, and the others",
            by=(LOST,),
        ),
        Step(
            large(spread(j))
            - large(spread(j) * lost(k, j))
            + small(spread(j) * kept(k, j))
            + edge(k) * (large(lost(k, j)) - small(kept(k, j))),
            "add zero: two sums that are equal",
            by=(F3_BALANCE,),
        ),
        Step(
            large(spread(j)) - large((spread(j) - edge(k)) * lost(k, j)) - small((edge(k) - spread(j)) * kept(k, j)),
            "sort by axes",
        ),
        Step(
            large(spread(j)) - large(above(k, j) * lost(k, j)) - small(below(k, j) * kept(k, j)),
            "the larger spreads come first",
            by=(ABOVE, BELOW),
        ),
    ),
    where=(d - k,),
)


def _linear(encoder: Any, decoder: Any, x: Any) -> Any:
    return x @ encoder.T @ decoder


def _excess_of_linear() -> tuple[Any, dict[Expr, Any]]:
    """Data in 3 dimensions, codes of 2: 100 data sets, and 10 auto-encoders for each."""
    import torch

    from lecture11 import autoencoder

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    generator = torch.Generator().manual_seed(0)
    values, spreads, axes, directions, codes = [], [], [], torch.linalg.qr(normal(1000, 3, 2)).Q.mT, normal(1000, 2, 3)
    for a in range(100):
        x = normal(6, 3)
        x = x - x.mean(0)
        best = autoencoder.reconstruction_error(autoencoder.PCA(x, 2), x).mean()
        for M, V in zip(codes[10 * a : 10 * a + 10], directions[10 * a : 10 * a + 10], strict=True):
            linear = functools.partial(_linear, M, V)
            values.append(autoencoder.reconstruction_error(linear, x).mean() - best)
        axes += 10 * [autoencoder.PCA(x, 3).components]
        spreads += 10 * [autoencoder.PCA(x, 3).variances]
    s, V, M = torch.stack(spreads), *(rows @ torch.stack(axes).mT for rows in (directions, codes))
    held, missed, between = V.square().sum(1), (V - M).square().sum(1), s[:, 1:].mean(1)
    at: dict[Expr, Any] = {above(2, a + 1): s[:, a] - between for a in (0, 1)} | {below(2, 3): between - s[:, 2]}
    at |= {lost(2, a + 1): 1 - held[:, a] for a in (0, 1)} | {kept(2, 3): held[:, 2]}
    at |= {miss(2, a + 1): missed[:, a] for a in range(3)} | {spread(Integer(a + 1)): s[:, a] for a in range(3)}
    return torch.stack(values), at


F3 = Derivation(
    key="F3",
    statement="no linear auto-encoder has a smaller error than PCA, which has the sum of the d - k smallest "
    r"lambda_j. E, g, h and s are those of F3.error, $\delta^+$ and $\delta^-$ those of F3.held",
    start=error(k) - small(spread(j)),
    steps=(
        Step(
            over_axes(spread(j) * (lost(k, j) + miss(k, j))) - small(spread(j)),
            "the error, axis by axis",
            by=(F3_ERROR,),
        ),
        Step(
            over_axes(spread(j) * miss(k, j)) + large(spread(j)) - over_axes(spread(j) * kept(k, j)),
            "what is not kept is lost",
            by=(LOST,),
        ),
        Step(
            over_axes(spread(j) * miss(k, j)) + large(above(k, j) * lost(k, j)) + small(below(k, j) * kept(k, j)),
            "what a plane can hold",
            by=(F3_HELD,),
        ),
    ),
    nonnegative=True,
    where=(d - k,),
    code=Code("autoencoder.PCA", _excess_of_linear, of=lambda e: e.subs({k: 2, d: 3}).doit()),
)

first_back, other_back = indexed("first_back", "x^*", real=True), indexed("other_back", r"x^\circ", real=True)
FIRST = Definition("F3", "PCA gives back the first k coordinates", first_back(example, j), at(example, j))
OTHERS = Definition("F3", "and nothing of the others", other_back(example, j), Integer(0))

F3_ATTAINED = Derivation(
    key="F3.attained",
    statement=r"PCA has that error: $x^*$ is what it gives back of an example e along the first k axes, and "
    r"$x^\circ$ along "
    "the others",
    start=over_data_law(
        large((at(example, j) - first_back(example, j)) ** 2) + small((at(example, j) - other_back(example, j)) ** 2)
    ),
    steps=(
        Step(over_data_law(small(at(example, j) ** 2)), "the first k are right", by=(FIRST, OTHERS)),
        Step(small(over_data_law(at(example, j) ** 2)), "the mean of a sum"),
        Step(small(spread(j)), "the mean square along each", by=(SPREAD.at({d: j}),)),
    ),
    where=(d - k,),
)

angle = Symbol(r"\varphi", real=True)
before, after = indexed("before", "b", real=True), indexed("after", "c", real=True)
UNCORRELATED_PARTS = Assumption(
    "F3", "in the principal axes both are uncorrelated", over_data_law(before(example) * after(example)), Integer(0)
)  # fmt: skip
F3_SLOPE = Derivation(
    key="F3.slope",
    statement=r"turn a kept direction, with part b of an example e, by an angle $\varphi$ towards a dropped one, "
    "with part c: in the principal axes the error has slope 0 at the start, and rises from there if b "
    "has the larger mean square",
    start=Derivative(over_data_law((cos(angle) * after(example) - sin(angle) * before(example)) ** 2), angle),
    steps=(
        Step(
            -2
            * over_data_law(
                (cos(angle) * after(example) - sin(angle) * before(example))
                * (sin(angle) * after(example) + cos(angle) * before(example))
            ),
            "differentiate the square",
        ),
        Step(
            2 * sin(angle) * cos(angle) * (over_data_law(before(example) ** 2) - over_data_law(after(example) ** 2))
            - 2 * (cos(angle) ** 2 - sin(angle) ** 2) * over_data_law(before(example) * after(example)),
            "the mean of a sum",
        ),
        Step(
            sin(2 * angle) * (over_data_law(before(example) ** 2) - over_data_law(after(example) ** 2)),
            "the parts are uncorrelated",
            by=(UNCORRELATED_PARTS,),
        ),
    ),
)

# --- Denoising (F4, F5) -----------------------------------------------------------------------------------------------

clean, noisy, other = Symbol("x", real=True), Symbol("y", real=True), Symbol("y'", real=True)
hidden = Symbol("x'", real=True)  # all coordinates but one
noise, s = Symbol(r"\epsilon", real=True), Symbol("s", positive=True)
w, mean_square = Symbol("w", real=True), Symbol("lambda", nonnegative=True)
standard = Normal(noise, 0, 1)
x_law = density("clean", "p")(clean)
SECOND = Definition("F4", "the mean square of the data", mean_square, Mean(clean**2, clean, x_law))
MASS = Definition("F4", "the density of the data has mass 1", Mean(1, clean, x_law), Integer(1))


def _denoising_error() -> tuple[Any, dict[Expr, Any]]:
    import torch

    from lecture11 import autoencoder

    x, factor = torch.randn(2, 1000, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def error(eps: float) -> torch.Tensor:
        drawn = torch.full_like(x, eps)
        return autoencoder.denoising_error(lambda y: factor * y, x, 0.7, eps=drawn)

    # Gauss and Hermite's rule is exact for squares.
    values = (error(-(3**0.5)) + 4 * error(0.0) + error(3**0.5)) / 6
    return values, {clean: x[:, 0], w: factor[:, 0], s: 0.7}


F4 = Derivation(
    key="F4",
    statement=r"F4 is an aim. For one pixel and the denoiser D(y) = w y of $y = x + s \epsilon$, noise adds $s^2 "
    "w^2$ to the error: what one would add to keep weights small",
    start=Mean((clean - w * (clean + s * noise)) ** 2, noise, standard),
    steps=(
        Step(
            Mean(
                (1 - w) ** 2 * clean**2 - 2 * (1 - w) * w * s * clean * noise + w**2 * s**2 * noise**2, noise, standard
            ),
            "multiply out",
        ),
        Step((1 - w) ** 2 * clean**2 + w**2 * s**2, "the noise has mean 0 and mean square 1"),
    ),
    code=Code("autoencoder.denoising_error", _denoising_error),
)

F4_BEST = Derivation(
    key="F4.best",
    statement=r"the best w is $\lambda / (\lambda + s^2)$, where $\lambda$ is the mean square of the data: any "
    r"other adds to the error, which is then $\lambda s^2 / (\lambda + s^2)$",
    start=Mean(Mean((clean - w * (clean + s * noise)) ** 2, noise, standard), clean, x_law)
    - mean_square * s**2 / (mean_square + s**2),
    steps=(
        Step(
            Mean((1 - w) ** 2 * clean**2 + w**2 * s**2, clean, x_law) - mean_square * s**2 / (mean_square + s**2),
            "mean over the noise",
        ),
        Step(
            (1 - w) ** 2 * Mean(clean**2, clean, x_law)
            + w**2 * s**2 * Mean(1, clean, x_law)
            - mean_square * s**2 / (mean_square + s**2),
            "mean over the data, term by term",
        ),
        Step(
            (1 - w) ** 2 * mean_square + w**2 * s**2 - mean_square * s**2 / (mean_square + s**2),
            "their mean square",
            by=(SECOND, MASS),
        ),
        Step((mean_square + s**2) * (w - mean_square / (mean_square + s**2)) ** 2, "complete the square in w"),
    ),
    nonnegative=True,
)

given_clean = Normal(noisy, clean, s**2)
seen = density("seen", "p_s")
answer, best = Symbol("D", real=True), indexed("denoised", "D^*", real=True)
back_law = density("behind", "p")(clean, noisy)
SEEN = Definition("F5", "the distribution of noisy data", seen(noisy), Mean(given_clean, clean, x_law))
BAYES = Definition("F5", "Bayes' rule", back_law, given_clean * x_law / seen(noisy), by=(SEEN,))
BACK_MASS = Definition("F5", "the density of x behind y has mass 1", Mean(1, clean, back_law), Integer(1))
BEST = Definition("F5", "D^* is the mean of the clean x behind y", best(noisy), Mean(clean, clean, back_law))

F5_BEST = Derivation(
    key="F5.best",
    statement="of all answers D to a noisy y the mean of the clean x behind it, $D^*$, has the least error",
    start=Mean((clean - answer) ** 2, clean, back_law) - Mean((clean - best(noisy)) ** 2, clean, back_law),
    steps=(
        Step(
            Mean(2 * clean * (best(noisy) - answer) + answer**2 - best(noisy) ** 2, clean, back_law),
            "the squares of x cancel",
        ),
        Step(
            2 * (best(noisy) - answer) * Mean(clean, clean, back_law)
            + (answer**2 - best(noisy) ** 2) * Mean(1, clean, back_law),
            "the mean of a sum",
        ),
        Step(
            2 * (best(noisy) - answer) * best(noisy) + answer**2 - best(noisy) ** 2, "what D^* is", by=(BEST, BACK_MASS)
        ),
        Step((answer - best(noisy)) ** 2, "a square"),
    ),
    nonnegative=True,
)

F5 = Derivation(
    key="F5",
    statement="Tweedie's formula, for one pixel: the best denoiser $D^*$ is a step along the slope of the "
    "log-density of noisy data, $p_s$, where s is the standard deviation of the noise",
    start=noisy + s**2 * Derivative(log(seen(noisy)), noisy),
    steps=(
        Step(noisy + s**2 * Derivative(log(Mean(given_clean, clean, x_law)), noisy), "y comes from some x", by=(SEEN,)),
        Step(
            noisy + s**2 * Mean((clean - noisy) / s**2 * given_clean, clean, x_law) / Mean(given_clean, clean, x_law),
            "differentiate under the integral",
        ),
        Step(
            Mean(clean * given_clean, clean, x_law) / Mean(given_clean, clean, x_law), "y cancels, being constant there"
        ),
        Step(Mean(clean * given_clean / seen(noisy), clean, x_law), "name the distribution of noisy data", by=(SEEN,)),
        Step(Mean(clean, clean, back_law), "Bayes' rule", by=(BAYES,)),
        Step(best(noisy), "the best denoiser", by=(BEST,)),
    ),
)

# The other coordinates: noise acts on each by itself, so that their density, whatever it is, does not depend on y.
rest = density("rest", "r")(other, hidden)
pair_law = density("pair", "p", of=2)(clean, hidden)


def over_both(f: Expr) -> Mean:
    """The mean over all coordinates of a clean example."""
    return Mean(f, (clean, hidden), pair_law)


F5_PIXELS = Derivation(
    key="F5.pixels",
    statement="the same for one pixel of d: x is that pixel, y what is seen of it, x' and y' are all others, r any "
    r"distribution of the noise on those, and $\mathbb{E}_p$ the mean over x and x'. The last line is the mean of "
    "x given y and y', by Bayes' rule",
    start=noisy + s**2 * Derivative(log(over_both(given_clean * rest)), noisy),
    steps=(
        Step(
            noisy + s**2 * over_both((clean - noisy) / s**2 * given_clean * rest) / over_both(given_clean * rest),
            "differentiate under the integral",
        ),
        Step(over_both(clean * given_clean * rest) / over_both(given_clean * rest), "y cancels, being constant there"),
    ),
)

_m, _v = Symbol("m", real=True), Symbol("v", positive=True)


def _optimal_denoiser() -> tuple[Any, dict[Expr, Any]]:
    import torch

    from lecture11 import autoencoder, gaussian

    y = 2 * torch.randn(1000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    one = torch.ones(1, dtype=torch.float64)
    law = gaussian.Mixture(one, 0.7 * one[:, None], 0.3 * one[:, None, None])
    return autoencoder.optimal_denoiser(law, y[:, None], 0.8)[:, 0], {noisy: y, s: 0.8, _m: 0.7, _v: 0.3}


F5_GAUSS = Derivation(
    key="F5.gauss",
    statement="for data from N(m, v) and noise of standard deviation s, the best denoiser shrinks y towards m",
    start=noisy + s**2 * Derivative(log(Mean(given_clean, clean, Normal(clean, _m, _v))), noisy),
    steps=(
        Step(
            noisy + s**2 * Derivative(log(Normal(noisy, _m, _v + s**2)), noisy),
            "x and noise are independent: variances add",
        ),
        Step(noisy - s**2 * (noisy - _m) / (_v + s**2), "the slope of a parabola"),
        Step(_m + _v / (_v + s**2) * (noisy - _m), "measured from m"),
    ),
    code=Code("autoencoder.optimal_denoiser", _optimal_denoiser),
)

DERIVATIONS = (
    F1_BASE, F1, F2, F3_UNCORRELATED_BASE, F3_UNCORRELATED, F3_AXIS_BASE, F3_AXIS, F3_ORDER_BASE, F3_ORDER, F3_COLUMNS,
    F3_NEXT_BASE, F3_NEXT, F3_ROW_BASE, F3_ROW, F3_DIAGONAL_BASE, F3_DIAGONAL, F3_BESSEL, F3_BEHIND_BASE, F3_BEHIND,
    F3_PYTHAGORAS, F3_ERROR_BASE, F3_ERROR, F3_TRACE_BASE, F3_TRACE, F3_BALANCE, F3_HELD, F3, F3_ATTAINED, F3_SLOPE,
    F4, F4_BEST, F5_BEST, F5, F5_PIXELS, F5_GAUSS,
)  # fmt: skip
EXPERIMENTS = (
    Experiment(
        "F1",
        "what an auto-encoder gives back is its decoder's answer to its encoder's code",
        "tests/test_autoencoder.py::test_forward_is_decode_after_encode",
    ),
    Experiment(
        "F3",
        "a linear auto-encoder, trained, spans the plane of PCA",
        "tests/test_autoencoder.py::test_a_trained_linear_auto_encoder_spans_the_principal_subspace",
    ),
)
