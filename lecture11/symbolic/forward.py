r"""From data to noise, and the loss that teaches a network to see the noise (F21, F23-F28).

An image is a list of d pixels, and what is said of it is said for any d. $x_{t,j}$ is pixel j of $x_t$; a Gaussian
with the covariance v I is a product over the pixels (F23.pixels). That an integral of such a product is one over each
pixel, and that a pixel has its own distribution, stands first, for lists y of any kind. All $\alpha_t$, $\beta_t$ and
$\bar\alpha_t$ lie between 0 and 1 (F25).
"""

from collections.abc import Callable
from typing import Any

from sympy import Derivative, Expr, Integer, Sum, Symbol, exp, log, pi, sqrt

from lecture11.symbolic import lists
from lecture11.symbolic.chain import Code, Experiment
from lecture11.symbolic.facts import HYPOTHESIS, Assumption, Definition, Derivation, Fact, Induction, Step
from lecture11.symbolic.lists import (
    MARGINAL,
    MASS,
    PRODUCT,
    d,
    factor,
    i,
    j,
    k,
    one_law,
    pixel,
    product,
    u,
    y,
)
from lecture11.symbolic.terms import LETTERS, Mean, Normal, density, indexed, last, rest

t, T = Symbol("t", integer=True, positive=True), Symbol("T", integer=True, positive=True)
alpha, beta = indexed("alpha", r"\alpha", fraction=True), indexed("beta", r"\beta", fraction=True)
abar = indexed("abar", r"\bar\alpha", fraction=True)
x = indexed("x", "x", real=True)
eps = Symbol(r"\epsilon", real=True)  # the noise in x_t
step_noise = indexed("epsilon", r"\epsilon", real=True)  # that of step t
q = density("q", "q", timed=True)

ALPHA = Definition("alpha", "alpha_t is what a step keeps of the variance", beta(t), 1 - alpha(t))
ABAR = Definition("abar", "abar_t is what t steps keep of it", abar(t), alpha(t) * abar(t - 1), (t - 2,))
ABAR_1 = Definition("abar", "abar_1 is what one step keeps of it", abar(1), alpha(1))


def step_of_pixel(now: Expr, before: Expr, t: Expr) -> Expr:
    """The distribution of one pixel after a step, given the one before."""
    return Normal(now, sqrt(1 - beta(t)) * before, beta(t))


def pixel_from_data(now: Expr, start: Expr, t: Expr) -> Expr:
    """The distribution of one pixel after t steps."""
    return Normal(now, sqrt(abar(t)) * start, 1 - abar(t))


def step_law(now: Expr, before: Expr, t: Expr) -> Expr:
    """``q(x_t | x_{t-1})``, with any names for the two."""
    return product(step_of_pixel(pixel(now), pixel(before), t))


def law_from_data(t: Expr) -> Expr:
    """``q(x_t | x_0)``."""
    return product(pixel_from_data(pixel(x(t)), pixel(x(0)), t))


F23 = Definition(
    "F23",
    "a step shrinks each pixel and adds noise to it",
    q(x(t), x(t - 1)),
    step_law(x(t), x(t - 1), t),
    by=(MASS.at({one_law(y, j): step_of_pixel(y, pixel(x(t - 1)), t)}),),
)
F24 = Definition(
    "F24",
    "the noise in a step, for each pixel",
    step_noise(t, j),
    (pixel(x(t)) - sqrt(1 - beta(t)) * pixel(x(t - 1))) / sqrt(beta(t)),
    where=(d - j,),
)
BETWEEN = Definition(
    "F26",
    "the chain has no memory, and what lies between is integrated out",
    q(x(t), x(0)),
    Mean(q(x(t), x(t - 1)), x(t - 1), q(x(t - 1), x(0))),
    where=(t - 2,),
)
TWO_STEPS = Assumption(
    "F26",
    "two steps, and what lies between",
    q(x(t), x(t - 2)),
    Mean(q(x(t), x(t - 1)), x(t - 1), q(x(t - 1), x(t - 2))),
    for_all=(x(t), x(t - 2), t),
    where=(t - 2,),
)


# --- Points at which the package's functions are compared -------------------------------------------------------------


def as_draw(law: Expr) -> Expr:
    """The ``x_t`` of a Gaussian that the noise ``epsilon`` leads to: mean and, times ``epsilon``, deviation."""
    (normal,) = law.atoms(Normal)
    y, mean, variance = normal.args
    standardised = (y - mean) / sqrt(variance)
    here = Symbol("here", real=True)
    standardised = standardised.xreplace({pixel(x(t)): here})
    return (pixel(eps) - standardised.subs(here, 0)) / standardised.diff(here)


def random_points(seed: int = 0) -> tuple[Any, Any, dict[Expr, Any]]:
    """A schedule of 1,001 random betas, the steps 2..1001, and random values of what stands in a formula at each."""
    import torch

    from lecture11.diffusion import NoiseSchedule

    generator = torch.Generator().manual_seed(seed)
    betas = 0.001 + 0.019 * torch.rand(1001, generator=generator, dtype=torch.float64)
    s, steps = NoiseSchedule(betas.sort().values), torch.arange(2, 1002)
    draws = torch.randn(5, 1000, generator=generator, dtype=torch.float64)
    return s, steps, {
        alpha(t): s.alpha(steps), alpha(t - 1): s.alpha(steps - 1), beta(t): s.beta(steps),
        abar(t): s.alpha_bar(steps), abar(t - 1): s.alpha_bar(steps - 1),
        pixel(x(0)): draws[0], pixel(x(t)): draws[1], pixel(x(t - 1)): draws[2], pixel(x(t - 2)): draws[3],
        pixel(eps): draws[4],
    }  # fmt: skip


def _q_step() -> tuple[Any, dict[Expr, Any]]:
    from lecture11 import diffusion

    s, steps, at = random_points()
    return diffusion.q_step(s, at[pixel(x(t - 1))], steps, at[pixel(eps)]), at


def _q_merged() -> tuple[Any, dict[Expr, Any]]:
    from lecture11 import diffusion

    s, steps, at = random_points()
    return diffusion.q_merged(s, at[pixel(x(t - 2))], steps - 2, steps, at[pixel(eps)]), at


def _q_sample() -> tuple[Any, dict[Expr, Any]]:
    from lecture11 import diffusion

    s, steps, at = random_points()
    return diffusion.q_sample(s, at[pixel(x(0))], steps, at[pixel(eps)]), at


# --- One step ---------------------------------------------------------------------------------------------------------

centre, variance = indexed("m", "m", real=True), Symbol("v", positive=True)

F23_PIXELS = Derivation(
    key="F23.pixels",
    statement="a normal density of d pixels y with the mean m and the covariance v I is a product of d densities",
    start=exp(-Sum((pixel(y) - centre(j)) ** 2, (j, 1, d)) / (2 * variance)) / (2 * pi * variance) ** (d / 2),
    steps=(
        Step(
            product(exp(-((pixel(y) - centre(j)) ** 2) / (2 * variance)) / sqrt(2 * pi * variance)),
            "a term of the squared distance, and a root, for each pixel",
        ),
        Step(product(Normal(pixel(y), centre(j), variance)), "d normal densities"),
    ),
)

_normal_pixels = product(Normal(pixel(y), centre(j), variance))
_one_pixel = MARGINAL.at({k: d - i, one_law(y, j): Normal(y, centre(j), variance)})
F23_MEAN = Derivation(
    key="F23.mean",
    statement="the mean of pixel i under such a distribution is m_i",
    start=Mean(pixel(y, i), y, _normal_pixels),
    steps=(
        Step(Mean(y, y, Normal(y, centre(i), variance)), "the distribution of pixel i", by=(_one_pixel.at({u(y): y}),)),
        Step(centre(i), "the mean of a Gaussian"),
    ),
    where=(d - i,),
)
F23_VARIANCE = Derivation(
    key="F23.variance",
    statement="and its variance is v",
    start=Mean((pixel(y, i) - centre(i)) ** 2, y, _normal_pixels),
    steps=(
        Step(
            Mean((y - centre(i)) ** 2, y, Normal(y, centre(i), variance)),
            "the distribution of pixel i",
            by=(_one_pixel.at({u(y): (y - centre(i)) ** 2}),),
        ),
        Step(variance, "the variance of a Gaussian"),
    ),
    where=(d - i,),
)

F23_SIZE = Derivation(
    key="F23",
    statement="F23 is a definition. A step moves the mean square of each pixel towards 1, by the factor 1 - beta_t",
    start=Mean(pixel(x(t), i) ** 2, x(t), q(x(t), x(t - 1))) - 1,
    steps=(
        Step(Mean(pixel(x(t), i) ** 2, x(t), F23.right) - 1, "the distribution of a step", by=(F23,)),
        Step(
            Mean(y**2, y, step_of_pixel(y, pixel(x(t - 1), i), t)) - 1,
            "the distribution of pixel i",
            by=(MARGINAL.at({k: d - i, u(y): y**2, one_law(y, j): step_of_pixel(y, pixel(x(t - 1)), t)}),),
        ),
        Step((1 - beta(t)) * pixel(x(t - 1), i) ** 2 + beta(t) - 1, "squared mean plus variance"),
        Step((1 - beta(t)) * (pixel(x(t - 1), i) ** 2 - 1), "take the factor out"),
    ),
    where=(d - i,),
)

_noise_in_step = (pixel(x(t)) - sqrt(1 - beta(t)) * pixel(x(t - 1))) / sqrt(beta(t))
F24_LAW = Derivation(
    key="F24",
    statement="a step's distribution is that of a sum: the shrunk image, and noise with standard deviation "
    "sqrt(beta_t) in each pixel",
    start=q(x(t), x(t - 1)),
    steps=(
        Step(F23.right, "the distribution of a step", by=(F23,)),
        Step(product(Normal(_noise_in_step, 0, 1) / sqrt(beta(t))), "the noise in it is standard normal"),
    ),
    code=Code("diffusion.q_step", _q_step, of=as_draw),
    printed=(
        (
            "E11",
            product(Normal((pixel(x(t)) - sqrt(1 - beta(t)) * pixel(x(t - 1))) / beta(t), 0, 1) / beta(t)),
        ),
    ),
)

# --- The chain --------------------------------------------------------------------------------------------------------

n = Symbol("n", integer=True, positive=True)
path, start = Symbol("w", real=True), Symbol("x_0", real=True)
way = indexed("way", "w", real=True, entry=True)  # way(w, x_0, t, k): state t of a path from x_0, which has k more


def _state(self: Expr, printer: Any, exp: str | None = None) -> str:
    name = rf"{printer._print(self.args[0])}_{{{printer._print(self.args[2])}}}"
    return name if exp is None else f"{name}^{{{exp}}}"


way._latex = _state
START = Definition("path", "it starts at x_0", way(path, start, 0, 0), start)
WAY_ONE = Definition("path", "a path of one step", way(path, start, 1, 0), path)
WAY_LAST = Definition("path", "its last state", way(path, start, t, 0), last(path, t), (t - 2,))
s = Symbol("s", integer=True, nonnegative=True)
WAY = Definition(
    "path", "a state before the last", way(path, start, s, k), way(rest(path, s + k), start, s, k - 1), (k - 1,)
)  # fmt: skip
q_step = q(x(t), x(t - 1)).func
q_path = density("q_path", "q")
_before_last = way(rest(path, n), start, n - 1, 0)
_one_more = q_path(rest(path, n), start, n - 1) * q_step(last(path, n), _before_last, n, n - 1)


def shorter(f: Expr) -> Definition:
    """The mean of ``f`` over a path of ``n`` steps: over the last one, and over the path before it."""
    return lists.over_list(Mean(f, path, _one_more), n)


F26_MASS = Derivation(
    key="F26.mass",
    statement="a path w of n - 1 steps and one more step, drawn given the state before, have a density together",
    start=Mean(_one_more, path, 1),
    steps=(
        Step(
            Mean(Mean(1, y, q_step(y, way(path, start, n - 1, 0), n, n - 1)), path, q_path(path, start, n - 1)),
            "over the last state, and over those before it",
            by=(lists.over_list(Mean(_one_more, path, 1), n),),
        ),
        Step(
            Mean(1, path, q_path(path, start, n - 1)),
            "the last step has mass 1, wherever it starts",
            by=(lists.has_mass(q_step(y, way(path, start, n - 1, 0), n, n - 1), y),),
        ),
        Step(Integer(1), "and so have the others", by=(lists.has_mass(q_path(path, start, n - 1), path),)),
    ),
    where=(n - 2,),
)
FIRST_STEP = Definition("F26", "a path of one step", q_path(path, start, 1), q_step(path, start, 1, 0))
NEXT_STEP = Definition(
    "F26", "the next step is drawn given the last state alone", q_path(path, start, n), _one_more, (n - 2,),
    by=(F26_MASS,),
)  # fmt: skip


def steps_of(number: Expr, more: Expr) -> Expr:
    """The product of the steps' densities, of a path that has ``more`` steps behind them."""
    law = q_step(way(path, start, t, number + more - t), way(path, start, t - 1, number + more - t + 1), t, t - 1)
    return exp(Sum(log(law), (t, 1, number)))


F26_START_BASE = Derivation(
    key="F26.start.base",
    statement="the same for a path of no steps",
    start=way(path, start, 0, 0),
    steps=(Step(start, "it starts at x_0", by=(START,)),),
)

F26_START = Derivation(
    key="F26.start",
    statement="a path w of k steps from x_0 starts at w_0, which is x_0",
    start=way(path, start, 0, k),
    steps=(
        Step(way(rest(path, k), start, 0, k - 1), "the path before", by=(WAY.at({s: 0}),)),
        Step(start, "the statement for k - 1", by=(HYPOTHESIS.at({path: rest(path, k)}),)),
    ),
    induction=Induction(k, F26_START_BASE, first=0),
)

F26_BASE = Derivation(
    key="F26.base",
    statement="a path of one step",
    start=q_path(path, start, 1),
    steps=(
        Step(q_step(path, start, 1, 0), "the distribution of a step", by=(FIRST_STEP,)),
        Step(
            q_step(way(path, start, 1, 0), way(path, start, 0, 1), 1, 0),
            "its two states",
            by=(WAY_ONE, F26_START.at({k: 1})),
        ),
        Step(steps_of(Integer(1), Integer(0)), "a product of one factor"),
    ),
)

_shifted = exp(
    Sum(
        log(q_step(way(rest(path, n), start, t, n - 1 - t), way(rest(path, n), start, t - 1, n - t), t, t - 1)),
        (t, 1, n - 1),
    )
)
F26 = Derivation(
    key="F26",
    statement="the density of a path w of n steps from x_0 is the product of the densities of its steps, if each is "
    "drawn given the state before it alone. Its states are w_1 to w_n, and w_0 is x_0",
    start=q_path(path, start, n),
    steps=(
        Step(_one_more, "the last step apart", by=(NEXT_STEP,)),
        Step(
            _shifted * q_step(last(path, n), _before_last, n, n - 1),
            "the statement for n - 1",
            by=(HYPOTHESIS.at({path: rest(path, n)}),),
        ),
        Step(
            steps_of(n - 1, Integer(1)) * q_step(way(path, start, n, 0), way(path, start, n - 1, 1), n, n - 1),
            "states of the path",
            by=(
                WAY.at({s: t, k: n - t}),
                WAY.at({s: t - 1, k: n - t + 1}),
                WAY.at({s: n - 1, k: 1}),
                WAY_LAST.at({t: n}),
            ),
        ),
        Step(steps_of(n, Integer(0)), "one product"),
    ),
    induction=Induction(n, F26_BASE),
)

# --- Two steps, and t -------------------------------------------------------------------------------------------------

F27_SUM = Derivation(
    key="F27.sum",
    statement="two steps as a sum, with two noises in each pixel",
    start=pixel(x(t)),
    steps=(
        Step(
            sqrt(1 - beta(t)) * pixel(x(t - 1)) + sqrt(beta(t)) * step_noise(t, j),
            "a step",
            by=(F24,),
        ),
        Step(
            sqrt(alpha(t)) * (sqrt(alpha(t - 1)) * pixel(x(t - 2)) + sqrt(1 - alpha(t - 1)) * step_noise(t - 1, j))
            + sqrt(1 - alpha(t)) * step_noise(t, j),
            "the step before",
            by=(F24.at({t: t - 1}), ALPHA, ALPHA.at({t: t - 1})),
        ),
        Step(
            sqrt(alpha(t) * alpha(t - 1)) * pixel(x(t - 2))
            + sqrt(alpha(t) * (1 - alpha(t - 1))) * step_noise(t - 1, j)
            + sqrt(1 - alpha(t)) * step_noise(t, j),
            "multiply out",
        ),
    ),
    where=(t - 2, d - j),
)

_later, _earlier = step_noise(t, j), step_noise(t - 1, j)
_noises = sqrt(alpha(t) * (1 - alpha(t - 1))) * _earlier + sqrt(1 - alpha(t)) * _later
F27_VARIANCE = Derivation(
    key="F27.variance",
    statement="the two noises in a pixel together have the variance 1 - alpha_t alpha_(t-1)",
    start=Mean(Mean(_noises**2, _later, Normal(_later, 0, 1)), _earlier, Normal(_earlier, 0, 1)),
    steps=(
        Step(
            Mean(
                alpha(t) * (1 - alpha(t - 1)) * _earlier**2 + 1 - alpha(t),
                _earlier,
                Normal(_earlier, 0, 1),
            ),
            "mean over the later noise: its square has mean 1, the product mean 0",
        ),
        Step(alpha(t) * (1 - alpha(t - 1)) + 1 - alpha(t), "mean over the earlier one"),
        Step(1 - alpha(t) * alpha(t - 1), "two terms cancel"),
    ),
    where=(t - 2,),
)

_a, _b, _m, _now = Symbol("a", real=True), Symbol("b", positive=True), Symbol("m", real=True), Symbol("x", real=True)
_all = _a**2 * variance + _b
F27_ROW = Derivation(
    key="F27.row",
    statement="two Gaussians in a row, for one pixel y and the next one x: means are scaled, variances scaled and "
    "added",
    start=Mean(Normal(_now, _a * y, _b) * Normal(y, _m, variance), y, 1),
    steps=(
        Step(
            Normal(_now, _a * _m, _all)
            * Mean(1, y, Normal(y, (_a * variance * _now + _b * _m) / _all, variance * _b / _all)),
            "complete the square in y: a density of it, and what is left",
        ),
        Step(Normal(_now, _a * _m, _all), "a density has mass 1, wherever its mean is"),
    ),
)


def over_each_pixel(f: Expr) -> Fact:
    """That an integral of a product over an image y is one over each pixel y."""
    return PRODUCT.at({factor(j, y): f})


def step_from(before: Callable[[Expr], Expr]) -> tuple[Step, Step]:
    """The step to x_t, integrated over x_(t-1), whose pixels have the densities ``before``: each pixel on its own."""

    def joint(between: Expr) -> Expr:
        return step_of_pixel(pixel(x(t)), between, t) * before(between)

    return (
        Step(Mean(product(joint(pixel(x(t - 1)))), x(t - 1), 1), "one product over the pixels"),
        Step(product(Mean(joint(y), y, 1)), "an integral over each pixel", by=(over_each_pixel(joint(y)),)),
    )


_keep = sqrt((1 - beta(t)) * (1 - beta(t - 1)))
_both = beta(t) + (1 - beta(t)) * beta(t - 1)
F27 = Derivation(
    key="F27",
    statement="two steps are one, with the variance 1 - alpha_t alpha_(t-1)",
    start=q(x(t), x(t - 2)),
    steps=(
        Step(TWO_STEPS.right, "integrate over the step between", by=(TWO_STEPS,)),
        Step(
            Mean(step_law(x(t), x(t - 1), t), x(t - 1), step_law(x(t - 1), x(t - 2), t - 1)),
            "two steps",
            by=(F23, F23.at({t: t - 1})),
        ),
        *step_from(lambda between: step_of_pixel(between, pixel(x(t - 2)), t - 1)),
        Step(
            product(Normal(pixel(x(t)), _keep * pixel(x(t - 2)), _both)),
            "two Gaussians in a row, as in F27.row",
        ),
        Step(
            product(Normal(pixel(x(t)), sqrt(alpha(t) * alpha(t - 1)) * pixel(x(t - 2)), 1 - alpha(t) * alpha(t - 1))),
            "write alpha_t for 1 - beta_t",
            by=(ALPHA, ALPHA.at({t: t - 1})),
        ),
    ),
    code=Code("diffusion.q_merged", _q_merged, of=as_draw),
    where=(t - 2,),
)

F28_BASE = Derivation(
    key="F28.base",
    statement="the case t = 1",
    start=q(x(1), x(0)),
    steps=(
        Step(step_law(x(1), x(0), 1), "the distribution of a step", by=(F23.at({t: 1}),)),
        Step(law_from_data(1), r"put in $\alpha$ and $\bar\alpha$", by=(ALPHA.at({t: 1}), ABAR_1)),
    ),
)

F28 = Derivation(
    key="F28",
    statement="t steps at once, by induction: what is kept is multiplied, and the noise has the rest of the variance",
    start=q(x(t), x(0)),
    steps=(
        Step(BETWEEN.right, "integrate over the step before", by=(BETWEEN,)),
        Step(
            Mean(step_law(x(t), x(t - 1), t), x(t - 1), law_from_data(t - 1)),
            "a step, and the statement for the steps before",
            by=(F23, HYPOTHESIS),
        ),
        *step_from(lambda between: pixel_from_data(between, pixel(x(0)), t - 1)),
        Step(
            product(
                Normal(
                    pixel(x(t)),
                    sqrt((1 - beta(t)) * abar(t - 1)) * pixel(x(0)),
                    beta(t) + (1 - beta(t)) * (1 - abar(t - 1)),
                )
            ),
            "two Gaussians in a row: means are scaled, variances scaled and added",
        ),
        Step(law_from_data(t), r"put in $\alpha$ and $\bar\alpha$", by=(ALPHA, ABAR)),
    ),
    induction=Induction(t, F28_BASE),
    code=Code("diffusion.q_sample", _q_sample, of=as_draw),
)

F28_PIXEL = Derivation(
    key="F28.pixel",
    statement="the mean of any function f of pixel i after t steps",
    start=Mean(u(pixel(x(t), i)), x(t), q(x(t), x(0))),
    steps=(
        Step(Mean(u(pixel(x(t), i)), x(t), law_from_data(t)), "t steps at once", by=(F28,)),
        Step(
            Mean(u(y), y, pixel_from_data(y, pixel(x(0), i), t)),
            "the distribution of pixel i",
            by=(MARGINAL.at({k: d - i, one_law(y, j): pixel_from_data(y, pixel(x(0)), t)}),),
        ),
    ),
    where=(d - i,),
)

# --- The loss ---------------------------------------------------------------------------------------------------------

guess, best = indexed("guess", r"\epsilon_\theta", real=True), indexed("best", r"\epsilon^*", real=True)


def of_image(self: Expr, printer: Any, exp: str | None = None) -> str:
    """``m_j(x_t, t)`` for pixel j of what a function m of images, and of t, returns: its last argument is j."""
    *states, index = map(printer._print, self.args)
    latex = LETTERS[self.func.__name__].latex
    return rf"{latex}({', '.join(states)})_{{{index}}}" + ("" if exp is None else f"^{{{exp}}}")


def of_parameter(self: Expr, printer: Any, exp: str | None = None) -> str:
    """The same, of what depends on a parameter too, which is not printed."""
    return of_image(self.func(*self.args[1:]), printer, exp)


guess._latex = best._latex = of_image
noise_law = density("noise", "p")(eps, x(t), t)
BEST = Definition("F21", r"$\epsilon^*$ is the mean noise in $x_t$", best(x(t), t, j), Mean(pixel(eps), eps, noise_law))
DATA = Definition("F30", "the distribution of x_t", q(x(t)), Mean(q(x(t), x(0)), x(0), q(x(0))))
_best, _guess = best(x(t), t, j), guess(x(t), t, j)


def over_pixels(f: Expr) -> Expr:
    """The sum of ``f`` over the pixels."""
    return Sum(f, (j, 1, d))


_three = (pixel(eps) - _best) ** 2 + 2 * (pixel(eps) - _best) * (_best - _guess) + (_best - _guess) ** 2
F21 = Derivation(
    key="F21",
    statement=r"the loss of Algorithm 1, whose steps descend it (F21.gradient), has its least value at the mean noise "
    r"in x_t, $\epsilon^*$: any other guess $\epsilon_\theta$ adds its squared distance from it",
    start=Mean(over_pixels((pixel(eps) - _guess) ** 2), eps, noise_law),
    steps=(
        Step(Mean(over_pixels(_three), eps, noise_law), r"insert $\epsilon^*$, and square"),
        Step(
            over_pixels(Mean(_three, eps, noise_law)),
            "the mean of a sum",
        ),
        Step(
            over_pixels(Mean((pixel(eps) - _best) ** 2, eps, noise_law))
            + over_pixels(
                2 * (_best - _guess) * (Mean(pixel(eps), eps, noise_law) - _best * Mean(1, eps, noise_law))
                + (_best - _guess) ** 2 * Mean(1, eps, noise_law)
            ),
            "term by term",
        ),
        Step(
            over_pixels(Mean((pixel(eps) - _best) ** 2, eps, noise_law)) + over_pixels((_best - _guess) ** 2),
            "the middle term is zero",
            by=(BEST, lists.has_mass(noise_law, eps)),
        ),
        Step(
            Mean(over_pixels((pixel(eps) - _best) ** 2), eps, noise_law) + over_pixels((_best - _guess) ** 2),
            "the mean of a sum",
        ),
    ),
)

_noise = (pixel(x(t)) - sqrt(abar(t)) * pixel(x(0))) / sqrt(1 - abar(t))
F21_INPUT = Derivation(
    key="F21.input",
    statement="what Algorithm 1 shows to the network has the distribution of x_t: take the shrunk data away from it, "
    "and standard normal noise is left in each pixel, times sqrt(1 - abar_t)",
    start=q(x(t), x(0)),
    steps=(
        Step(law_from_data(t), "t steps at once", by=(F28,)),
        Step(product(Normal(_noise, 0, 1) / sqrt(1 - abar(t))), "the noise in it is standard normal"),
    ),
    code=Code("diffusion.q_sample", _q_sample, of=as_draw),
    printed=(
        (
            "E9",
            product(
                Normal((pixel(x(t)) - sqrt(alpha(t)) * pixel(x(0))) / sqrt(1 - alpha(t)), 0, 1) / sqrt(1 - alpha(t))
            ),
        ),
    ),
)

theta, network = Symbol("theta", real=True), indexed("network", r"\epsilon_\theta", real=True)
network._latex = of_parameter
_error = over_pixels((_noise - network(theta, x(t), t, j)) ** 2)
_slope = over_pixels(
    2 * (network(theta, x(t), t, j) - _noise) * Derivative(network(theta, x(t), t, j), theta)
)  # fmt: skip


def over_draws(f: Expr) -> Expr:
    """The mean over what Algorithm 1 draws: an example x_0, a step t, all alike, and the noise in x_t."""
    return Sum(Mean(Mean(f, x(t), q(x(t), x(0))), x(0), q(x(0))), (t, 1, T)) / T


F21_GRADIENT = Derivation(
    key="F21.gradient",
    statement=r"a step of Algorithm 1 goes, in the mean over its draws, down the gradient of the mean loss, whatever "
    r"the data and the network: for each of its parameters, $\theta$. In $x_t$ is the noise "
    r"$(x_t - \sqrt{\bar\alpha_t}\, x_0) / \sqrt{1 - \bar\alpha_t}$, by F21.input, and L_(t-1) is that mean for one t, "
    "times w_t, by F40",
    start=Derivative(over_draws(_error), theta),
    steps=(
        Step(over_draws(Derivative(_error, theta)), "the gradient of a mean is the mean of the gradients"),
        Step(over_draws(_slope), "differentiate the squares: the gradient of the loss of one draw"),
    ),
)

others = indexed("others", "r", positive=True)
_value = Symbol("x", real=True)
_given = Normal(_value, sqrt(abar(t)) * pixel(y), 1 - abar(t)) * others(y)
_marginal_y = Mean(_given, y, 1)
F21_SCORE = Derivation(
    key="F21.score",
    statement="the mean noise in a pixel x of x_t is the slope of the log-density of x_t, times minus its standard "
    "deviation sqrt(1 - abar_t). For the image y, r(y) is its density times those of the other pixels of x_t",
    start=-sqrt(1 - abar(t)) * Derivative(log(_marginal_y), _value),
    steps=(
        Step(
            sqrt(1 - abar(t)) * Mean((_value - sqrt(abar(t)) * pixel(y)) / (1 - abar(t)) * _given, y, 1) / _marginal_y,
            "differentiate under the integral",
        ),
        Step(
            Mean((_value - sqrt(abar(t)) * pixel(y)) / sqrt(1 - abar(t)) * _given, y, 1) / _marginal_y,
            "the mean of the noise in x, by Bayes' rule",
        ),
    ),
    where=(d - j,),
)

_centre, _spread = Symbol("m", real=True), Symbol("v", positive=True)
_given_noise = Normal(_value, sqrt(abar(t)) * _centre + sqrt(1 - abar(t)) * eps, abar(t) * _spread)
_standard = Normal(eps, 0, 1)
_whole = abar(t) * _spread + 1 - abar(t)
_marginal = Normal(_value, sqrt(abar(t)) * _centre, _whole)
_mean_noise = sqrt(1 - abar(t)) * (_value - sqrt(abar(t)) * _centre) / _whole


def _optimal_eps() -> tuple[Any, dict[Expr, Any]]:
    import torch

    from lecture11 import diffusion, gaussian

    s, steps, at = random_points()
    one = torch.ones(1, dtype=torch.float64)
    law = gaussian.Mixture(one, 0.7 * one[:, None], 0.3 * one[:, None, None])
    values = diffusion.optimal_eps(s, law, at[pixel(x(t))][:, None], steps)[:, 0]
    return values, {**at, _value: at[pixel(x(t))], _centre: 0.7, _spread: 0.3}


F21_GAUSS = Derivation(
    key="F21.gauss",
    statement="for one pixel x with data of the distribution N(m, v), the mean noise in it is linear in x; the "
    "first line is that mean, "
    "by Bayes' rule",
    start=Mean(eps * _given_noise, eps, _standard) / Mean(_given_noise, eps, _standard),
    steps=(
        Step(
            Mean(eps * _given_noise, eps, _standard) / _marginal,
            "integrate: means are scaled, variances scaled and added",
        ),
        Step(
            _marginal * Mean(eps, eps, Normal(eps, _mean_noise, abar(t) * _spread / _whole)) / _marginal,
            "complete the square in the noise",
        ),
        Step(_mean_noise, "the mean of a Gaussian; the rest cancels"),
    ),
    code=Code("diffusion.optimal_eps", _optimal_eps),
)

DERIVATIONS = (
    *lists.DERIVATIONS, F23_PIXELS, F23_MEAN, F23_VARIANCE, F23_SIZE, F24_LAW, F26_START_BASE, F26_START,
    F26_MASS, F26_BASE, F26, F27_SUM,
    F27_VARIANCE, F27_ROW, F27, F28_BASE, F28, F28_PIXEL, F21, F21_INPUT, F21_GRADIENT, F21_SCORE, F21_GAUSS,
)  # fmt: skip
EXPERIMENTS = (
    Experiment(
        "F25",
        "the schedules of the package lie in (0, 1) and never decrease, for any T",
        "tests/test_diffusion_schedule.py::test_cosine_and_linear_are_schedules_for_any_length",
    ),
    Experiment(
        "F21",
        "the least loss of a network is that of the exact noise",
        "tests/test_diffusion_forward.py::test_least_loss_is_that_of_the_exact_noise",
    ),
)
