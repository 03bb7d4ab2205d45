r"""The step back when the data is known, and the model that imitates it (F22, F29-F35, F39).

For images of d pixels, as on the page before. The step back to $x_{t-1}$ is that for t from 2 on: the last one, to
$x_0$, has no posterior.
"""

from typing import Any

from sympy import Expr, Integer, Sum, Symbol, exp, log, pi, sqrt

from lecture11.symbolic import lists
from lecture11.symbolic.chain import Code, Experiment
from lecture11.symbolic.facts import HYPOTHESIS, Assumption, Definition, Derivation, Induction, Step
from lecture11.symbolic.forward import (
    ABAR,
    ABAR_1,
    ALPHA,
    DATA,
    F23,
    F23_MEAN,
    F23_VARIANCE,
    F28,
    abar,
    alpha,
    beta,
    centre,
    eps,
    guess,
    law_from_data,
    of_image,
    pixel_from_data,
    q,
    random_points,
    step_law,
    step_of_pixel,
    t,
    variance,
    x,
)
from lecture11.symbolic.lists import MASS, d, i, j, k, m, one_law, part, pixel, product, y
from lecture11.symbolic.terms import Mean, Normal, density, indexed, last, rest

mu_tilde = indexed("mu_tilde", r"\tilde\mu", real=True)  # mu_tilde(x(t), x(0), t, j): its pixel j


def _of_states(self: Expr, printer: Any, exp: str | None = None) -> str:
    names = list(map(printer._print, self.args))
    power = "" if exp is None else f"^{{{exp}}}"
    return rf"\tilde\mu_{{{','.join(names[-2:])}}}{power}({', '.join(names[:-2])})"


mu_tilde._latex = _of_states
beta_tilde = indexed("beta_tilde", r"\tilde\beta", positive=True)
mu_theta = indexed("mu_theta", r"\mu_\theta", real=True)  # mu_theta(x(t), t, j): its pixel j
mu_theta._latex = of_image

# --- Bayes ------------------------------------------------------------------------------------------------------------

_noise = Symbol("e", real=True)
a, b, c = (Symbol(name, integer=True, nonnegative=True) for name in "abc")
A, B, C = x(a), x(b), x(c)  # the states at three steps, c < a < b
pair, triple = density("pair_of_states", "q", of=2, timed=True), density("triple", "q", of=3, timed=True)
_in_order = (b - a - 1, a - c - 1)


def _conditional(left: Expr, right: Expr, *states: Expr) -> Assumption:
    """For any steps in this order: only then does each state have a density given the others."""
    times = tuple(state.args[0] for state in states)
    order = tuple(e for e in _in_order if e.free_symbols <= set(times))
    return Assumption("F31", "a conditional density is a joint one over a marginal one", left, right,
                      (*states, *times), order)  # fmt: skip


A_GIVEN_BC = _conditional(q(A, B, C), triple(A, B, C) / pair(B, C), A, B, C)
B_GIVEN_AC = _conditional(q(B, A, C), triple(A, B, C) / pair(A, C), A, B, C)
A_GIVEN_C = _conditional(q(A, C), pair(A, C) / q(C), A, C)
B_GIVEN_C = Assumption("F31", "a conditional density is a joint one over a marginal one", q(B, C), pair(B, C) / q(C),
                       (B, C, b, c), (b - c - 1,))  # fmt: skip

F31 = Derivation(
    key="F31",
    statement="Bayes' rule: of two states $x_a$ and $x_b$, with a third one, $x_c$, given throughout; c < a < b",
    start=q(A, B, C),
    steps=(
        Step(triple(A, B, C) / pair(B, C), "what a conditional density is", by=(A_GIVEN_BC,)),
        Step(q(B, A, C) * pair(A, C) / pair(B, C), "the same the other way round", by=(B_GIVEN_AC,)),
        Step(q(B, A, C) * q(A, C) * q(C) / pair(B, C), "above, a joint density as conditional", by=(A_GIVEN_C,)),
        Step(q(B, A, C) * q(A, C) / q(B, C), "below, the same: the density of C cancels", by=(B_GIVEN_C,)),
    ),
    where=_in_order,
)

BAYES = F31.at({a: t - 1, b: t, c: 0})
NO_MEMORY = Assumption(
    "F26", "the chain has no memory", q(x(t), x(t - 1), x(0)), q(x(t), x(t - 1)), (x(t), x(t - 1), x(0), t), (t - 2,)
)

PAIR = Assumption("F31", "a conditional density", q(A, B), pair(A, B) / q(B), (A, B, a, b), (b - a - 1,))
RIAP = Assumption("F31", "the same the other way round", q(B, A), pair(A, B) / q(A), (A, B, a, b), (b - a - 1,))
_all_data = Mean(law_from_data(t), x(0), q(x(0)))

F30 = Derivation(
    key="F30",
    statement="the step back without x_0 needs the distribution of all data, in two integrals",
    start=q(x(t - 1), x(t)),
    steps=(
        Step(
            q(x(t), x(t - 1)) * q(x(t - 1)) / q(x(t)),
            "Bayes' rule",
            by=(PAIR.at({a: t - 1, b: t}), RIAP.at({a: t - 1, b: t})),
        ),
        Step(
            step_law(x(t), x(t - 1), t) * Mean(law_from_data(t - 1), x(0), q(x(0))) / _all_data,
            "a step, and t steps from each x_0",
            by=(F23, F28, F28.at({t: t - 1}), DATA, DATA.at({t: t - 1})),
        ),
    ),
    printed=(("E12", step_law(x(t), x(t - 1), t) * Mean(law_from_data(t - 1), x(0), q(x(0)))),),
    where=(t - 2,),
)

_now, _back = Symbol("x", real=True), Symbol("y", real=True)
_before, _centre = Symbol("c", positive=True), Symbol("m", real=True)
_reverse_variance = beta(t) * _before / (alpha(t) * _before + beta(t))


def _reverse_law() -> tuple[Any, dict[Expr, Any]]:
    import torch

    from lecture11 import diffusion, gaussian

    s, steps, at = random_points()
    one = torch.ones(1, dtype=torch.float64)
    law = gaussian.Mixture(one, 0.7 * one[:, None], 0.3 * one[:, None, None])
    laws = [diffusion.reverse_law(s, law, at[pixel(x(t))][n : n + 1], int(steps[n])) for n in range(1000)]
    values = torch.stack([reverse.means[0, 0] + reverse.covariances[0, 0, 0].sqrt() for reverse in laws])
    kept = at[abar(t - 1)]
    x_t = at[pixel(x(t))]
    return values, {**at, _now: x_t, _before: 0.3 * kept + 1 - kept, _centre: 0.7 * kept.sqrt()}


F30_GAUSS = Derivation(
    key="F30.gauss",
    statement="for one pixel y of x_(t-1) with the distribution N(m, c), the step back from x is a Gaussian; "
    "the first line is Bayes' rule",
    start=step_of_pixel(_now, _back, t)
    * Normal(_back, _centre, _before)
    / Normal(_now, sqrt(alpha(t)) * _centre, alpha(t) * _before + beta(t)),
    steps=(
        Step(
            exp(-(((_back - _centre - sqrt(alpha(t)) * _before * (_now - sqrt(alpha(t)) * _centre)
                 / (alpha(t) * _before + beta(t)))) ** 2) / (2 * _reverse_variance))
            / sqrt(2 * pi * _reverse_variance),
            "complete the square in x_(t-1)",
            by=(ALPHA,),
        ),
        Step(
            Normal(
                _back,
                (beta(t) * _centre + sqrt(alpha(t)) * _before * _now) / (alpha(t) * _before + beta(t)),
                _reverse_variance,
            ),
            "a normal density",
        ),
    ),
    code=Code("diffusion.reverse_law", _reverse_law, of=lambda law: law.args[1] + sqrt(law.args[2])),
)  # fmt: skip

# --- The posterior ----------------------------------------------------------------------------------------------------

_precision = alpha(t) / beta(t) + 1 / (1 - abar(t - 1))
_pull = sqrt(alpha(t)) * pixel(x(t)) / beta(t) + sqrt(abar(t - 1)) * pixel(x(0)) / (1 - abar(t - 1))

_a, _b, _m, _v = Symbol("a", real=True), Symbol("b", positive=True), Symbol("m", real=True), Symbol("v", positive=True)
_sum = _a**2 / _b + 1 / _v
_mean_of_two = (_a * _now / _b + _m / _v) / _sum
F32_ROW = Derivation(
    key="F32.row",
    statement="Bayes' rule for two Gaussians in a row (F27.row), for one pixel y and the next one x: precisions add, "
    "and the mean is weighted by them",
    start=Normal(_now, _a * _back, _b) * Normal(_back, _m, _v) / Normal(_now, _a * _m, _a**2 * _v + _b),
    steps=(
        Step(
            sqrt(_sum / (2 * pi)) * exp(-_sum / 2 * (_back - _mean_of_two) ** 2),
            "complete the square in y",
        ),
        Step(Normal(_back, _mean_of_two, 1 / _sum), "a normal density"),
    ),
)

_start, _to = sqrt(abar(t - 1)) * pixel(x(0)), pixel(x(t))
F32_SQUARE = Derivation(
    key="F32.square",
    statement="the step back, given x_0, is a Gaussian in each pixel; its precision, one over the variance, is "
    r"$\frac{\alpha_t}{\beta_t} + \frac{1}{1 - \bar\alpha_{t-1}}$",
    start=q(x(t - 1), x(t), x(0)),
    steps=(
        Step(q(x(t), x(t - 1), x(0)) * q(x(t - 1), x(0)) / q(x(t), x(0)), "Bayes' rule given x_0", by=(BAYES,)),
        Step(
            step_law(x(t), x(t - 1), t) * law_from_data(t - 1) / law_from_data(t),
            "the chain has no memory, and three distributions are known",
            by=(NO_MEMORY, F23, F28, F28.at({t: t - 1})),
        ),
        Step(
            product(
                step_of_pixel(_to, pixel(x(t - 1)), t)
                * pixel_from_data(pixel(x(t - 1)), pixel(x(0)), t - 1)
                / pixel_from_data(_to, pixel(x(0)), t)
            ),
            "one product over the pixels",
        ),
        Step(
            product(
                Normal(_to, sqrt(alpha(t)) * pixel(x(t - 1)), beta(t))
                * Normal(pixel(x(t - 1)), _start, 1 - abar(t - 1))
                / Normal(_to, sqrt(alpha(t)) * _start, alpha(t) * (1 - abar(t - 1)) + beta(t))
            ),
            r"put in $\alpha$, and what $\bar\alpha$ is",
            by=(ALPHA, ABAR),
        ),
        Step(
            product(Normal(pixel(x(t - 1)), _pull / _precision, 1 / _precision)),
            "in each pixel, Bayes' rule for Gaussians, as in F32.row",
        ),
    ),
    where=(t - 2,),
)

MEAN = Definition(
    "F33",
    "mu~_t is the mean of the step back",
    mu_tilde(x(t), x(0), t, j),
    Mean(pixel(x(t - 1)), x(t - 1), q(x(t - 1), x(t), x(0))),
    (t - 2, d - j),
)
_mean = mu_tilde(x(t), x(0), t, j)


def _from_x_0(now: Expr, start: Expr) -> Expr:
    """The mean of the step back, in one pixel."""
    kept = sqrt(alpha(t)) * (1 - abar(t - 1)) / (1 - abar(t)) * now
    return kept + sqrt(abar(t - 1)) * beta(t) / (1 - abar(t)) * start


_variance = (1 - abar(t - 1)) / (1 - abar(t)) * beta(t)
VARIANCE = Definition("F32", "beta~_t, which F32.variance shows to be its variance", beta_tilde(t), _variance, (t - 2,))


def _posterior_mean_from_x0() -> tuple[Any, dict[Expr, Any]]:
    from lecture11 import diffusion

    s, steps, at = random_points()
    return diffusion.posterior_mean_from_x0(s, at[pixel(x(0))], at[pixel(x(t))], steps), at


def _posterior_variance() -> tuple[Any, dict[Expr, Any]]:
    s, steps, at = random_points()
    return s.posterior_variance(steps), at


_at = {i: j, variance: 1 / _precision, centre(m): _pull.xreplace({j: m}) / _precision}
F33 = Derivation(
    key="F33",
    statement="the mean mu~_t of the step back, given x_0: two coefficients, the same for all pixels j",
    start=_mean,
    steps=(
        Step(MEAN.right, "what it is", by=(MEAN,)),
        Step(_pull / _precision, "the mean of a Gaussian", by=(F32_SQUARE, F23_MEAN.at(_at))),
        Step(
            (sqrt(alpha(t)) * (1 - abar(t - 1)) * pixel(x(t)) + sqrt(abar(t - 1)) * beta(t) * pixel(x(0)))
            / (alpha(t) * (1 - abar(t - 1)) + beta(t)),
            r"multiply above and below by $\beta_t (1 - \bar\alpha_{t-1})$",
        ),
        Step(_from_x_0(pixel(x(t)), pixel(x(0))), r"below stands $1 - \bar\alpha_t$", by=(ALPHA, ABAR)),
    ),
    code=Code("diffusion.posterior_mean_from_x0", _posterior_mean_from_x0),
    where=(t - 2, d - j),
)

F32_VARIANCE = Derivation(
    key="F32.variance",
    statement="the variance beta~_t of each pixel in the step back, given x_0",
    start=Mean((pixel(x(t - 1)) - _mean) ** 2, x(t - 1), q(x(t - 1), x(t), x(0))),
    steps=(
        Step(
            Mean((pixel(x(t - 1)) - _pull / _precision) ** 2, x(t - 1), F32_SQUARE.right),
            "a Gaussian in each pixel, and its mean",
            by=(F32_SQUARE, F33, ALPHA, ABAR),
        ),
        Step(1 / _precision, "the variance of that Gaussian", by=(F23_VARIANCE.at(_at),)),
        Step(
            beta(t) * (1 - abar(t - 1)) / (alpha(t) * (1 - abar(t - 1)) + beta(t)),
            r"multiply above and below by $\beta_t (1 - \bar\alpha_{t-1})$",
        ),
        Step(_variance, r"below stands $1 - \bar\alpha_t$", by=(ALPHA, ABAR)),
    ),
    code=Code("diffusion.NoiseSchedule.posterior_variance", _posterior_variance),
    where=(t - 2, d - j),
)

F32 = Derivation(
    key="F32",
    statement="the step back, given x_0, by its mean and variance",
    start=q(x(t - 1), x(t), x(0)),
    steps=(
        Step(F32_SQUARE.right, "a Gaussian in each pixel", by=(F32_SQUARE,)),
        Step(
            product(Normal(pixel(x(t - 1)), _mean, beta_tilde(t))),
            "name its mean and variance",
            by=(F33, VARIANCE, ALPHA, ABAR),
        ),
    ),
    where=(t - 2,),
)

# --- From the noise ---------------------------------------------------------------------------------------------------

noise_in = indexed("noise_in", r"\epsilon", real=True)
noise_in._latex = of_image
_eps = noise_in(x(t), x(0), t, j)
NOISE = Definition(
    "F28",
    r"$\epsilon$ is the noise in $x_t$",
    _eps,
    (pixel(x(t)) - sqrt(abar(t)) * pixel(x(0))) / sqrt(1 - abar(t)),
    (d - j,),
)


def _solved(noise: Expr) -> Expr:
    """A pixel of x_0, if that is the noise in the pixel of x_t."""
    return (pixel(x(t)) - sqrt(1 - abar(t)) * noise) / sqrt(abar(t))


def mean_from(noise: Expr) -> Expr:
    """The mean of the step back in a pixel, if that is the noise in the pixel of x_t."""
    return (pixel(x(t)) - (1 - alpha(t)) / sqrt(1 - abar(t)) * noise) / sqrt(alpha(t))


def _predict_x0() -> tuple[Any, dict[Expr, Any]]:
    from lecture11 import diffusion

    s, steps, at = random_points()
    return diffusion.predict_x0(s, at[pixel(x(t))], steps, at[pixel(eps)]), {**at, _eps: at[pixel(eps)]}


def _posterior_mean_from_eps() -> tuple[Any, dict[Expr, Any]]:
    from lecture11 import diffusion

    s, steps, at = random_points()
    values = diffusion.posterior_mean_from_eps(s, at[pixel(x(t))], steps, at[pixel(eps)])
    return values, {**at, _eps: at[pixel(eps)]}


F34 = Derivation(
    key="F34",
    statement="x_0 from the noise in x_t, pixel by pixel",
    start=pixel(x(0)),
    steps=(Step(_solved(_eps), "take the noise from x_t, and undo the shrinking", by=(NOISE,)),),
    code=Code("diffusion.predict_x0", _predict_x0),
    where=(d - j,),
)

F35_ANY = Derivation(
    key="F35.any",
    statement=r"the mean of the step back, if x_0 is what any noise e leaves of $x_t$; for pixel j",
    start=_from_x_0(pixel(x(t)), _solved(_noise)),
    steps=(
        Step(
            (alpha(t) * (1 - abar(t - 1)) + beta(t)) / ((1 - abar(t)) * sqrt(alpha(t))) * pixel(x(t))
            - beta(t) / (sqrt(1 - abar(t)) * sqrt(alpha(t))) * _noise,
            "sort by x_t and the noise: sqrt(abar_(t-1) / abar_t) is 1 / sqrt(alpha_t)",
            by=(ABAR,),
        ),
        Step(mean_from(_noise), "the first numerator is 1 - abar_t", by=(ALPHA, ABAR)),
    ),
    where=(t - 2, d - j),
)

F35 = Derivation(
    key="F35",
    statement="the mean mu~_t of the step back, from the noise in x_t",
    start=_mean,
    steps=(
        Step(_from_x_0(pixel(x(t)), pixel(x(0))), "the mean from x_0", by=(F33,)),
        Step(_from_x_0(pixel(x(t)), _solved(_eps)), "x_0 from the noise", by=(F34,)),
        Step(mean_from(_eps), "for any noise", by=(F35_ANY.at({_noise: _eps}),)),
    ),
    code=Code("diffusion.posterior_mean_from_eps", _posterior_mean_from_eps),
    printed=(("E13", mean_from(_eps) * sqrt(alpha(t)) / sqrt(abar(t))),),
    where=(t - 2, d - j),
)

# --- The model --------------------------------------------------------------------------------------------------------

p = density("p_theta", r"p_\theta", timed=True)
predicted, z = guess(x(t), t, j), Symbol("z", real=True)
sigma = indexed("sigma", r"\sigma", positive=True)
_learned = mu_theta(x(t), t, j)
MODEL = Definition(
    "F29", "the learned step", p(x(t - 1), x(t)),
    product(Normal(pixel(x(t - 1)), _learned, sigma(t) ** 2)),
    by=(MASS.at({one_law(y, j): Normal(y, _learned, sigma(t) ** 2)}),),
)  # fmt: skip
F39_MEAN = Definition(
    "F39", "the learned mean: that of the step back from x_0 as the network sees it", _learned,
    _from_x_0(pixel(x(t)), _solved(predicted)), (t - 2, d - j),
)  # fmt: skip

T, n = Symbol("T", integer=True, positive=True), Symbol("n", integer=True, positive=True)
back = Symbol("r", real=True)
p_path, p_step, p_last = density("p_back", r"p_\theta"), p(x(t - 1), x(t)).func, p(x(t)).func
_next = p_step(last(back, n), part(rest(back, n), n - 1, 0), T + 1 - n, T + 2 - n)
_one_more = p_path(rest(back, n), n - 1, T) * _next
_far = (n - 2, T + 1 - n)

F29_MASS = Derivation(
    key="F29.mass",
    statement="the first states of the model, from x_T down, and one more, drawn given the state before, "
    "have a density "
    "together. The list r has n of them",
    start=Mean(_one_more, back, 1),
    steps=(
        Step(
            Mean(Mean(1, y, p_step(y, part(back, n - 1, 0), T + 1 - n, T + 2 - n)), back, p_path(back, n - 1, T)),
            "over the last state, and over those before it",
            by=(lists.over_list(Mean(_one_more, back, 1), n),),
        ),
        Step(
            Mean(1, back, p_path(back, n - 1, T)),
            "the last step has mass 1, wherever it starts",
            by=(lists.has_mass(p_step(y, part(back, n - 1, 0), T + 1 - n, T + 2 - n), y),),
        ),
        Step(Integer(1), "and so have the others", by=(lists.has_mass(p_path(back, n - 1, T), back),)),
    ),
    where=_far,
)
MODEL_START = Definition("F29", "the distribution of x_T", p_path(back, 1, T), p_last(back, T))
MODEL_NEXT = Definition(
    "F29", "the next state is drawn given the last one alone", p_path(back, n, T), _one_more, _far, by=(F29_MASS,)
)  # fmt: skip


def _steps(states: Any, number: Expr) -> Expr:
    """The distribution of x_T, and the product of the densities of the steps down from it."""
    law = p_step(states(j), states(j - 1), T + 1 - j, T + 2 - j)
    return p_last(states(Integer(1)), T) * exp(Sum(log(law), (j, 2, number)))


F29_BASE = Derivation(
    key="F29.base",
    statement="the same for x_T and one step",
    start=p_path(back, 2, T),
    steps=(
        Step(
            p_path(rest(back, 2), 1, T) * p_step(last(back, 2), part(rest(back, 2), 1, 0), T - 1, T),
            "the last step apart",
            by=(MODEL_NEXT.at({n: 2}),),
        ),
        Step(
            p_last(rest(back, 2), T) * p_step(last(back, 2), rest(back, 2), T - 1, T),
            "the distribution of x_T",
            by=(MODEL_START.at({back: rest(back, 2)}), lists.ONE.at({y: rest(back, 2)})),
        ),
        Step(
            p_last(part(back, 1, 1), T) * p_step(part(back, 2, 0), part(back, 1, 1), T - 1, T),
            "states of the list",
            by=(
                lists.BEFORE.at({y: back, j: 1, k: 1}),
                lists.LAST.at({y: back, j: 2}),
                lists.ONE.at({y: rest(back, 2)}),
            ),
        ),
        Step(_steps(lambda m: part(back, m, 2 - m), Integer(2)), "a product of one factor"),
    ),
)

F29 = Derivation(
    key="F29",
    statement="the density of the model is that of x_T times the product of the densities of its steps, if each is "
    "drawn given the state before it alone; for all states from x_T to x_0, n is T + 1. Of the list r, r_1 is x_T",
    start=p_path(back, n, T),
    steps=(
        Step(_one_more, "the last step apart", by=(MODEL_NEXT,)),
        Step(
            _steps(lambda m: part(rest(back, n), m, n - 1 - m), n - 1) * _next,
            "the statement for n - 1",
            by=(HYPOTHESIS.at({back: rest(back, n)}),),
        ),
        Step(
            _steps(lambda m: part(back, m, n - m), n - 1)
            * p_step(part(back, n, 0), part(back, n - 1, 1), T + 1 - n, T + 2 - n),
            "states of the list",
            by=(
                lists.BEFORE.at({y: back, k: n - j}),
                lists.BEFORE.at({y: back, j: j - 1, k: n - j + 1}),
                lists.BEFORE.at({y: back, j: 1, k: n - 1}),
                lists.BEFORE.at({y: back, j: n - 1, k: 1}),
                lists.LAST.at({y: back, j: n}),
            ),
        ),
        Step(_steps(lambda m: part(back, m, n - m), n), "one product"),
    ),
    induction=Induction(n, F29_BASE, first=2),
    where=(T + 1 - n,),
)


def _p_mean() -> tuple[Any, dict[Expr, Any]]:
    from lecture11 import diffusion

    s, steps, at = random_points()
    return diffusion.p_mean(s, at[pixel(x(t))], steps, at[pixel(x(t - 1))]), {**at, predicted: at[pixel(x(t - 1))]}


def _p_step() -> tuple[Any, dict[Expr, Any]]:
    from lecture11 import diffusion

    s, steps, at = random_points()
    guessed, noise = at[pixel(eps)], at[pixel(x(0))]
    return diffusion.p_step(s, at[pixel(x(t))], steps, guessed, noise), {
        **at, predicted: guessed, z: noise, sigma(t): s.posterior_variance(steps).sqrt(),
    }  # fmt: skip


F39_FIRST = Derivation(
    key="F39.first",
    statement="for t = 1 the formula of F39 gives x_0 as the network sees it: with that, and no noise, "
    "Algorithm 2 ends",
    start=mean_from(predicted).xreplace({t: Integer(1)}),
    steps=(
        Step(_solved(predicted).xreplace({t: Integer(1)}), "one step keeps what the first one keeps", by=(ABAR_1,)),
    ),
    where=(d - j,),
)

F39 = Derivation(
    key="F39",
    statement=r"the mean of the step back, from x_0 as the network sees it in $x_t$: with the noise that it predicts",
    start=_learned,
    steps=(
        Step(F39_MEAN.right, "what it is", by=(F39_MEAN,)),
        Step(mean_from(predicted), "for any noise", by=(F35_ANY.at({_noise: predicted}),)),
    ),
    code=Code("diffusion.p_mean", _p_mean),
    where=(t - 2, d - j),
)

F39_DIFFERENCE = Derivation(
    key="F39.difference",
    statement=r"the two means, $\tilde\mu_t$ and $\mu_\theta$, differ by the two noises alone",
    start=_mean - _learned,
    steps=(
        Step(mean_from(_eps) - mean_from(predicted), "both means from a noise", by=(F35, F39)),
        Step(
            (1 - alpha(t)) / (sqrt(alpha(t)) * sqrt(1 - abar(t))) * (predicted - _eps),
            "x_t cancels",
        ),
    ),
    where=(t - 2, d - j),
)

F22_LAW = Derivation(
    key="F22.draw",
    statement="what a line of Algorithm 2 makes of x_t has the distribution of the learned step: take the learned "
    "mean away from "
    "it, and standard normal noise z is left in each pixel, times sigma_t",
    start=p(x(t - 1), x(t)),
    steps=(
        Step(MODEL.right, "the learned step", by=(MODEL,)),
        Step(
            product(Normal((pixel(x(t - 1)) - _learned) / sigma(t), 0, 1) / sigma(t)),
            "the noise in it is standard normal",
        ),
    ),
)

F22 = Derivation(
    key="F22",
    statement="a line of Algorithm 2, in one pixel: the learned mean, and noise z with the standard deviation sigma_t; "
    "that it draws from the learned step shows F22.draw",
    start=_learned + sigma(t) * z,
    steps=(Step(mean_from(predicted) + sigma(t) * z, "the mean from the noise", by=(F39,)),),
    code=Code("diffusion.p_step", _p_step),
    printed=(
        (
            "E10",
            (pixel(x(t)) - (1 - alpha(t)) / sqrt(1 - alpha(t)) * predicted) / sqrt(alpha(t)) + sigma(t) * z,
        ),
    ),
    where=(t - 2, d - j),
)

DERIVATIONS = (
    F31, F30, F30_GAUSS, F32_ROW, F32_SQUARE, F33, F32_VARIANCE, F32, F34, F35_ANY, F35, F29_MASS, F29_BASE,
    F29, F39_FIRST, F39,
    F39_DIFFERENCE, F22_LAW, F22,
)  # fmt: skip
EXPERIMENTS = (
    Experiment(
        "F22",
        "Algorithm 2 with the exact noise returns the distribution that can be computed for Gaussian data",
        "tests/test_diffusion_sampling.py::test_samples_have_the_exact_distribution",
    ),
)
