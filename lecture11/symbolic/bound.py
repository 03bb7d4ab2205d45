r"""The bound on the likelihood, line by line and term by term (F36-F38, F40, F41).

For any number of steps T, any betas and any model, and for images of d pixels. A path w of T steps from $x_0$ is the
list of its states $w_1$ to $w_T$, and $w_0$ is $x_0$.
"""

from typing import Any

from sympy import Expr, Integer, Rational, Sum, Symbol, erf, exp, log, pi, sqrt
from sympy import Integral as OverInterval

from lecture11.symbolic import lists
from lecture11.symbolic.chain import Code, Experiment
from lecture11.symbolic.facts import HYPOTHESIS, Definition, Derivation, Fact, Induction, Step
from lecture11.symbolic.forward import (
    ALPHA,
    BETWEEN,
    F26,
    F26_START,
    F28,
    FIRST_STEP,
    NEXT_STEP,
    WAY,
    WAY_LAST,
    WAY_ONE,
    abar,
    alpha,
    beta,
    eps,
    law_from_data,
    n,
    over_pixels,
    path,
    pixel_from_data,
    q,
    q_path,
    q_step,
    random_points,
    s,
    start,
    t,
    way,
    x,
)
from lecture11.symbolic.lists import MARGINAL, MASS, d, i, j, k, m, one_law, pixel, product, summed, u, y
from lecture11.symbolic.posterior import (
    BAYES,
    F32,
    F39_DIFFERENCE,
    MODEL,
    NO_MEMORY,
    VARIANCE,
    T,
    beta_tilde,
    mu_theta,
    mu_tilde,
    noise_in,
    p,
    predicted,
    sigma,
)
from lecture11.symbolic.substitution import substitute
from lecture11.symbolic.terms import Mean, Normal, density, indexed, last, rest
from lecture11.symbolic.vae.elbo import divergence, kl

noise = density("noise_of_image", "p")
NOISE_LAW = Definition(
    "F29", "standard normal noise", noise(y), product(Normal(pixel(y), 0, 1)),
    by=(MASS.at({one_law(y, j): Normal(y, 0, 1)}),)
)  # fmt: skip


def of_one_pixel(e: Expr) -> Expr:
    """A formula for images of one pixel, which the points are."""
    return e.replace(Sum, lambda term, limits: term)


# --- The five lines ---------------------------------------------------------------------------------------------------

x0 = x(0)
whole_q = q_path(path, x0, T)
whole_p = indexed("p_path", r"p_\theta", positive=True)(path, x0, T)
whole_p.func._latex = lambda self, printer, exp=None: r"p_\theta(x_0, w)" + ("" if exp is None else f"^{{{exp}}}")
_on_path = {x(t): way(path, x0, t, T - t)}


def on_path(e: Expr) -> Expr:
    """What is said of states x_0 to x_T, of those of the path w."""
    return substitute(e, _on_path)


def over_path(f: Expr) -> Mean:
    """``E_q[f]``, over all paths from ``x_0``."""
    return Mean(f, path, whole_q)


ALONG = Definition(
    "F29", "the model, step by step", whole_p, on_path(p(x(T)) * exp(Sum(log(p(x(t - 1), x(t))), (t, 1, T))))
)  # fmt: skip


def _path_densities() -> tuple[Any, dict[Expr, Any]]:
    """The five lines of the package on 1,000 paths of 3 steps, and the densities that stand in them."""
    import torch

    from lecture11 import diffusion
    from lecture11.gaussian import log_prob

    def normal(y: Any, mean: Any, variance: Any) -> Any:
        return log_prob(y, mean, variance.log().expand_as(y)).exp()

    def model(x_t: Any, steps: Any) -> Any:
        return torch.sin(x_t) + 0.1 * steps[:, None]

    s = diffusion.NoiseSchedule([0.1, 0.2, 0.4])
    x_0 = torch.randn(1000, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    seed = torch.Generator().manual_seed
    lines = diffusion.negative_elbo_lines(model, s, x_0, variance="posterior", levels=None, generator=seed(1))
    xs = list(diffusion.q_chain(s, x_0, generator=seed(1)))
    at = {p(x(3)): normal(xs[3], 0 * x_0, torch.ones_like(x_0))}
    for k in (1, 2, 3):  # noqa: F402
        a, b, kept = s.alpha(k), s.beta(k), s.alpha_bar(k)
        learned = (xs[k] - b / (1 - kept).sqrt() * model(xs[k], torch.full((1000,), k))) / a.sqrt()
        at[q(x(k), x(k - 1))] = normal(xs[k], a.sqrt() * xs[k - 1], b)
        at[q(x(k), x0)] = normal(xs[k], kept.sqrt() * x_0, 1 - kept)
        at[p(x(k - 1), x(k))] = normal(xs[k - 1], learned, s.posterior_variance(max(k, 2)))
        if k > 1:
            at[q(x(k), x(k - 1), x0)] = at[q(x(k), x(k - 1))]
            forward = at[q(x(k), x(k - 1))] * at[q(x(k - 1), x0)]
            at[q(x(k - 1), x(k), x0)] = forward / at[q(x(k), x0)]
    found = {on_path(law).xreplace({T: Integer(3)}): values for law, values in at.items()}
    found[q_path(path, x0, 3)] = at[q(x(1), x0)] * at[q(x(2), x(1))] * at[q(x(3), x(2))]
    found[whole_p.xreplace({T: Integer(3)})] = at[p(x(3))] * at[p(x(2), x(3))] * at[p(x(1), x(2))] * at[p(x0, x(1))]
    return lines, found


def elbo_line(number: int) -> Code:
    """What the package computes for one of the five lines, on a path: the expression inside the expectation."""

    def compute() -> tuple[Any, dict[Expr, Any]]:
        lines, at = _path_densities()
        return lines[number - 1], at

    return Code("diffusion.negative_elbo_lines", compute, of=lambda line: line.args[0].subs(T, 3).doit())


_any = indexed("any_sequence", "u", real=True)

F36_TELESCOPE_BASE = Derivation(
    key="F36.telescope.base",
    statement="the difference of the first two numbers of a sequence u, as a sum",
    start=Sum(_any(t - 1) - _any(t), (t, 2, 2)),
    steps=(Step(_any(1) - _any(2), "a sum of one term"),),
)

F36_TELESCOPE = Derivation(
    key="F36.telescope",
    statement="differences of a sequence u add up to that of its ends",
    start=Sum(_any(t - 1) - _any(t), (t, 2, n)),
    steps=(
        Step(Sum(_any(t - 1) - _any(t), (t, 2, n - 1)) + _any(n - 1) - _any(n), "the last one apart"),
        Step(_any(1) - _any(n), "the statement for n - 1", by=(HYPOTHESIS,)),
    ),
    induction=Induction(n, F36_TELESCOPE_BASE, first=2),
)


def _after_first(f: Expr) -> Sum:
    return Sum(f, (t, 2, T))


_back = _after_first(log(p(x(t - 1), x(t)) / q(x(t - 1), x(t), x0)))
_first, _kept = log(p(x0, x(1)) / q(x(1), x0)), q(x(t - 1), x0) / q(x(t), x0)


def _line(f: Expr) -> Mean:
    return over_path(on_path(f))


F36 = Derivation(
    key="F36",
    statement="-ELBO in five lines, for any number of steps T from 2 on, any model, and images of any "
    "size. The last but "
    "one here only sorts a sum",
    start=over_path(-log(whole_p / whole_q)),
    steps=(
        Step(
            _line(-log(p(x(T))) - Sum(log(p(x(t - 1), x(t)) / q(x(t), x(t - 1))), (t, 1, T))),
            "both chains, step by step",
            by=(F26.at({start: x0, n: T}), ALONG),
        ),
        Step(
            _line(-log(p(x(T))) - _after_first(log(p(x(t - 1), x(t)) / q(x(t), x(t - 1)))) - _first),
            "the first step apart",
        ),
        Step(
            _line(-log(p(x(T))) - _after_first(log(p(x(t - 1), x(t)) / q(x(t - 1), x(t), x0) * _kept)) - _first),
            "no memory, and Bayes' rule given the start",
            by=(BAYES.at(_on_path), NO_MEMORY.at(_on_path)),
        ),
        Step(
            _line(-log(p(x(T))) - _back - _after_first(log(q(x(t - 1), x0)) - log(q(x(t), x0))) - _first),
            "the sum of logarithms in two",
        ),
        Step(
            _line(-log(p(x(T)) / q(x(T), x0)) - _back - log(p(x0, x(1)))),
            "what stands above and below cancels",
            by=(F36_TELESCOPE.at({_any(n): on_path(log(q(x(n), x0)))}).at({n: T}),),
        ),
    ),
    code=elbo_line(5),
    where=(T - 2,),
)

# --- The terms of the bound (F37) -------------------------------------------------------------------------------------

two = indexed("of_two", "h", real=True)  # any function of two states
_states = t + k
_law = q_path(rest(path, _states), x0, _states - 1) * q_step(
    last(path, _states), way(rest(path, _states), x0, _states - 1, 0), _states, _states - 1
)
before = Symbol("v", real=True)  # a path of one step less
_next = q_step(y, way(before, x0, _states - 1, 0), _states, _states - 1)
_step = NEXT_STEP.at({start: x0, n: _states})
_way = WAY.at({start: x0})


def _shorter(f: Expr) -> Mean:
    """A mean over a path of one step less."""
    return Mean(f, before, q_path(before, x0, _states - 1))


_last_law = _law.xreplace({k: Integer(0)})
_last_step = q_step(x(t), way(before, x0, t - 1, 0), t, t - 1)
F37_ONE_STEP = Derivation(
    key="F37.last.base",
    statement="the same for a path of one step",
    start=Mean(u(way(path, x0, 1, 0)), path, q_path(path, x0, 1)),
    steps=(
        Step(
            Mean(u(path), path, q_step(path, x0, 1, 0)),
            "it is its one state",
            by=(WAY_ONE.at({start: x0}), FIRST_STEP.at({start: x0})),
        ),
        Step(Mean(u(x(1)), x(1), q(x(1), x0)), "with another name"),
    ),
)

F37_LAST = Derivation(
    key="F37.last",
    statement="the mean of any function f of the last state of a path needs the distribution of that state given x_0 "
    "alone. In a formula, the last state of w is last(w), and the states before it rest(w)",
    start=Mean(u(way(path, x0, t, 0)), path, q_path(path, x0, t)),
    steps=(
        Step(
            Mean(u(last(path, t)), path, _last_law),
            "the last step apart",
            by=(WAY_LAST.at({start: x0}), NEXT_STEP.at({start: x0, n: t})),
        ),
        Step(
            Mean(Mean(u(x(t)), x(t), _last_step), before, q_path(before, x0, t - 1)),
            "over the last state, and over those before it",
            by=(lists.over_list(Mean(u(last(path, t)), path, _last_law), t),),
        ),
        Step(
            Mean(Mean(u(x(t)), x(t), q(x(t), x(t - 1))), x(t - 1), q(x(t - 1), x0)),
            "the statement for t - 1",
            by=(HYPOTHESIS.at({path: before, u(y): Mean(u(x(t)), x(t), q_step(x(t), y, t, t - 1))}),),
        ),
        Step(Mean(u(x(t)), x(t), q(x(t), x0)), "the other order", by=(BETWEEN,)),
    ),
    induction=Induction(t, F37_ONE_STEP),
)

F37_STATE = Derivation(
    key="F37.state",
    statement="the same for any state of a path, behind which stand k more",
    start=Mean(u(way(path, x0, t, k)), path, q_path(path, x0, _states)),
    steps=(
        Step(
            Mean(u(way(rest(path, _states), x0, t, k - 1)), path, _law),
            "the last step apart",
            by=(_way.at({s: t}), _step),
        ),
        Step(
            _shorter(u(way(before, x0, t, k - 1)) * Mean(1, y, _next)),
            "over the last state, and over those before it",
            by=(lists.over_list(Mean(u(way(rest(path, _states), x0, t, k - 1)), path, _law), _states),),
        ),
        Step(_shorter(u(way(before, x0, t, k - 1))), "the last step has mass 1", by=(lists.has_mass(_next, y),)),
        Step(Mean(u(x(t)), x(t), q(x(t), x0)), "the statement for k - 1", by=(HYPOTHESIS.at({path: before}),)),
    ),
    induction=Induction(k, F37_LAST, first=0),
)

_last_two = two(way(rest(path, t), x0, t - 1, 0), last(path, t))
_other_order = Mean(Mean(two(x(t - 1), x(t)), x(t - 1), q(x(t - 1), x(t), x0)), x(t), q(x(t), x0))
F37_LAST_TWO = Derivation(
    key="F37.two.base",
    statement="the same for the last two states",
    start=Mean(two(way(path, x0, t - 1, 1), way(path, x0, t, 0)), path, q_path(path, x0, t)),
    steps=(
        Step(
            Mean(_last_two, path, _last_law),
            "the last step apart",
            by=(_way.at({s: t - 1, k: 1}), WAY_LAST.at({start: x0}), NEXT_STEP.at({start: x0, n: t})),
        ),
        Step(
            Mean(Mean(two(way(before, x0, t - 1, 0), x(t)), x(t), _last_step), before, q_path(before, x0, t - 1)),
            "over the last state, and over those before it",
            by=(lists.over_list(Mean(_last_two, path, _last_law), t),),
        ),
        Step(
            Mean(Mean(two(x(t - 1), x(t)), x(t), q(x(t), x(t - 1))), x(t - 1), q(x(t - 1), x0)),
            "over the last of these",
            by=(F37_LAST.at({t: t - 1, path: before}).at({u(y): Mean(two(y, x(t)), x(t), q_step(x(t), y, t, t - 1))}),),
        ),
        Step(_other_order, "Bayes' rule given x_0: the other order", by=(BAYES, NO_MEMORY)),
    ),
    where=(t - 2,),
)

_short_two = two(way(rest(path, _states), x0, t - 1, k), way(rest(path, _states), x0, t, k - 1))
_fewer_two = two(way(before, x0, t - 1, k), way(before, x0, t, k - 1))
F37_TWO = Derivation(
    key="F37.two",
    statement="the mean of any function h of two states in a row, behind which stand k more: first over the earlier "
    "one, given the later one and x_0, then over the later one",
    start=Mean(two(way(path, x0, t - 1, k + 1), way(path, x0, t, k)), path, q_path(path, x0, _states)),
    steps=(
        Step(
            Mean(_short_two, path, _law),
            "the last step apart",
            by=(_way.at({s: t - 1, k: k + 1}), _way.at({s: t}), _step),
        ),
        Step(
            _shorter(_fewer_two * Mean(1, y, _next)),
            "over the last state, and over those before it",
            by=(lists.over_list(Mean(_short_two, path, _law), _states),),
        ),
        Step(_shorter(_fewer_two), "the last step has mass 1", by=(lists.has_mass(_next, y),)),
        Step(_other_order, "the statement for k - 1", by=(HYPOTHESIS.at({path: before}),)),
    ),
    induction=Induction(k, F37_LAST_TWO, first=0),
    where=(t - 2,),
)


def _from_start(f: Expr) -> Expr:
    """Of the path, with x_0 for w_0."""
    return on_path(f).xreplace({way(path, x0, 0, T): x0})


_prior, _decoder = log(q(x(T), x0) / p(x(T))), log(p(x0, x(1)))
_each = log(q(x(t - 1), x(t), x0) / p(x(t - 1), x(t)))

F37 = Derivation(
    key="F37",
    statement="-ELBO as divergences, for any number of steps T from 2 on: L_T, the sum of the L_(t-1), and L_0",
    start=F36.start,
    steps=(
        Step(F36.right, "the fifth line", by=(F36,)),
        Step(
            over_path(_from_start(_prior + _after_first(_each) - _decoder)),
            "w_0 is x_0; turn the fractions round",
            by=(F26_START.at({start: x0, k: T}),),
        ),
        Step(
            over_path(_from_start(_prior))
            + over_path(_from_start(_after_first(_each)))
            - over_path(_from_start(_decoder)),
            "the mean of a sum, term by term",
        ),
        Step(
            over_path(_from_start(_prior))
            + _after_first(over_path(_from_start(_each)))
            - over_path(_from_start(_decoder)),
            "and of the sum of T - 1 terms",
        ),
        Step(
            Mean(_prior, x(T), q(x(T), x0))
            + _after_first(Mean(Mean(_each, x(t - 1), q(x(t - 1), x(t), x0)), x(t), q(x(t), x0)))
            - Mean(_decoder, x(1), q(x(1), x0)),
            "each over the states that it depends on",
            by=(
                F37_LAST.at({t: T}).at({u(x(T)): _prior}),
                F37_TWO.at({k: T - t}).at({two(x(t - 1), x(t)): _each}),
                F37_STATE.at({t: 1, k: T - 1}).at({u(x(1)): _decoder}),
            ),
        ),
        Step(
            divergence(q(x(T), x0), p(x(T)))
            + _after_first(Mean(divergence(q(x(t - 1), x(t), x0), p(x(t - 1), x(t))), x(t), q(x(t), x0)))
            - Mean(_decoder, x(1), q(x(1), x0)),
            "what a divergence is",
            by=(
                kl(q(x(T), x0), p(x(T)), x(T)),
                kl(q(x(t - 1), x(t), x0), p(x(t - 1), x(t)), x(t - 1), t - 2),
            ),
        ),
    ),
    where=(T - 2,),
)


def as_lists(law: Expr) -> Expr:
    """A product over the pixels, with m for its index: below a sum over j, that is another one."""
    return law.xreplace({j: m})


def one_of(f: Expr, law: Expr) -> Fact:
    """The mean of a function f of pixel j, y, under a product of such densities of y, needs that of the pixel alone."""
    return MARGINAL.at({i: j, k: d - j, u(y): f, one_law(y, m): as_lists(law)})


_start_law = pixel_from_data(y, pixel(x0), t)
_standard = Normal(y, 0, 1)
_last = divergence(q(x(t), x0), noise(x(t)))


def _at_pixel(f: Expr) -> Expr:
    return f.xreplace({y: pixel(x(t))})


def _prior_divergence() -> tuple[Any, dict[Expr, Any]]:
    from lecture11 import diffusion

    s, _, at = random_points()
    x_0 = at[pixel(x0)]
    return diffusion.prior_divergence(s, x_0[:, None]), {pixel(x0): x_0, abar(t): s.alpha_bar(s.T)}


F37_PRIOR = Derivation(
    key="F37.prior",
    statement="the divergence of x_t from standard normal noise: for t = T it is L_T, in which nothing is learned",
    start=_last,
    steps=(
        Step(
            Mean(log(q(x(t), x0) / noise(x(t))), x(t), q(x(t), x0)),
            "what a divergence is",
            by=(kl(q(x(t), x0), noise(x(t)), x(t)),),
        ),
        Step(
            Mean(log(law_from_data(t) / product(_at_pixel(_standard))), x(t), law_from_data(t)),
            "the two distributions",
            by=(F28, NOISE_LAW.at({y: x(t)})),
        ),
        Step(
            Mean(over_pixels(_at_pixel(log(_start_law / _standard))), x(t), law_from_data(t)),
            "the logarithm of a product",
        ),
        Step(
            over_pixels(Mean(log(_start_law / _standard), y, _start_law)),
            "term by term, and in each the distribution of one pixel",
            by=(
                summed(_at_pixel(log(_start_law / _standard)), j, Integer(1), d, x(t), as_lists(law_from_data(t))),
                one_of(log(_start_law / _standard), _start_law),
            ),
        ),
        Step(
            over_pixels((abar(t) * pixel(x0) ** 2 - abar(t) - log(1 - abar(t))) / 2),
            "logarithms of normal densities, and mean squares",
        ),
    ),
    code=Code("diffusion.prior_divergence", _prior_divergence, of=of_one_pixel),
)

# --- One step ---------------------------------------------------------------------------------------------------------

posterior, learned = q(x(t - 1), x(t), x0), p(x(t - 1), x(t))
_mean, _guess, _eps = mu_tilde(x(t), x0, t, j), mu_theta(x(t), t, j), noise_in(x(t), x0, t, j)
_true, _model = Normal(y, _mean, beta_tilde(t)), Normal(y, _guess, sigma(t) ** 2)


def _before(f: Expr) -> Expr:
    return f.xreplace({y: pixel(x(t - 1))})


def _step_divergence() -> tuple[Any, dict[Expr, Any]]:
    from lecture11 import diffusion

    s, steps, at = random_points()
    x_0, noise, guessed = at[pixel(x0)], at[pixel(eps)], at[pixel(x(t - 1))]
    x_t = diffusion.q_sample(s, x_0, steps, noise)
    values = diffusion.step_divergence(lambda *_: guessed[:, None], s, x_0[:, None], steps, noise[:, None])
    return values, {
        **at,
        predicted: guessed,
        _eps: noise,
        _mean: diffusion.posterior_mean_from_x0(s, x_0, x_t, steps),
        _guess: diffusion.p_mean(s, x_t, steps, guessed),
        beta_tilde(t): s.posterior_variance(steps),
    }


def _loss_weight() -> tuple[Any, dict[Expr, Any]]:
    s, steps, at = random_points()
    return s.loss_weight(steps), at


CHOICE = Definition("F38", "the model takes the variance of the step back", sigma(t), sqrt(beta_tilde(t)), (t - 2,))
_distance = over_pixels((_mean - _guess) ** 2)
_ratio = beta_tilde(t) / sigma(t) ** 2
_rest = d * (_ratio - 1 - log(_ratio)) / 2

F38_ANY = Derivation(
    key="F38.any",
    statement="L_(t-1) at one x_t, for any variance sigma_t^2 of the model: a squared distance of means over twice the "
    "variance, and what the variances differ by, which is c_t",
    start=divergence(posterior, learned),
    steps=(
        Step(
            Mean(log(posterior / learned), x(t - 1), posterior),
            "what a divergence is",
            by=(kl(posterior, learned, x(t - 1), t - 2),),
        ),
        Step(
            Mean(log(_before(product(_true)) / _before(product(_model))), x(t - 1), _before(product(_true))),
            "the two distributions",
            by=(F32, MODEL),
        ),
        Step(
            Mean(over_pixels(_before(log(_true / _model))), x(t - 1), _before(product(_true))),
            "the logarithm of a product",
        ),
        Step(
            over_pixels(Mean(log(_true / _model), y, _true)),
            "term by term, and in each the distribution of one pixel",
            by=(
                summed(_before(log(_true / _model)), j, Integer(1), d, x(t - 1), as_lists(_before(product(_true)))),
                one_of(log(_true / _model), _true),
            ),
        ),
        Step(
            over_pixels(
                Mean(
                    (y - _guess) ** 2 / (2 * sigma(t) ** 2) - (y - _mean) ** 2 / (2 * beta_tilde(t)) - log(_ratio) / 2,
                    y,
                    _true,
                )
            ),
            "the logarithms of two normal densities",
        ),
        Step(_distance / (2 * sigma(t) ** 2) + _rest, "mean squares"),
    ),
    where=(t - 2,),
)

F38_ONE = Derivation(
    key="F38.one",
    statement="L_(t-1) at one x_t, for the variance beta~_t in both distributions, is a squared distance of "
    "means, over twice the "
    "variance: c_t is zero",
    start=divergence(posterior, learned),
    steps=(
        Step(_distance / (2 * sigma(t) ** 2) + _rest, "for any variance", by=(F38_ANY,)),
        Step(_distance / (2 * beta_tilde(t)), "one variance in both", by=(CHOICE,)),
    ),
    code=Code("diffusion.step_divergence", _step_divergence, of=of_one_pixel),
    printed=(("E14", _distance / (2 * beta_tilde(t - 1))),),
    where=(t - 2,),
)

F38 = Derivation(
    key="F38",
    statement="L_(t-1) as it stands in the bound, in the mean over x_t: a squared distance of means over twice the "
    "variance",
    start=Mean(divergence(posterior, learned), x(t), q(x(t), x0)),
    steps=(Step(Mean(_distance, x(t), q(x(t), x0)) / (2 * beta_tilde(t)), "at each x_t", by=(F38_ONE,)),),
    where=(t - 2,),
)

_error = over_pixels((_eps - predicted) ** 2)
_weight = (1 - alpha(t)) / (2 * alpha(t) * (1 - abar(t - 1)))
_long_weight = beta(t) ** 2 / (2 * beta_tilde(t) * alpha(t) * (1 - abar(t)))

F40_WEIGHT = Derivation(
    key="F40.weight",
    statement="the weight of step t, w_t",
    start=_long_weight,
    steps=(
        Step(
            beta(t) / (2 * alpha(t) * (1 - abar(t - 1))),
            "put in the posterior variance, and cancel",
            by=(VARIANCE,),
        ),
        Step(_weight, "write alpha_t for 1 - beta_t", by=(ALPHA,)),
    ),
    code=Code("diffusion.NoiseSchedule.loss_weight", _loss_weight),
    where=(t - 2,),
)

F40_ONE = Derivation(
    key="F40.one",
    statement="L_(t-1) at one x_t is a squared distance of noises, times the weight w_t",
    start=divergence(posterior, learned),
    steps=(
        Step(_distance / (2 * beta_tilde(t)), "a distance of means", by=(F38_ONE,)),
        Step(
            over_pixels(((1 - alpha(t)) / (sqrt(alpha(t)) * sqrt(1 - abar(t))) * (predicted - _eps)) ** 2)
            / (2 * beta_tilde(t)),
            "the means differ by the noises",
            by=(F39_DIFFERENCE,),
        ),
        Step(_long_weight * _error, "take the factor out, and square it", by=(ALPHA,)),
        Step(_weight * _error, "the weight of the step, as in F40.weight", by=(VARIANCE, ALPHA)),
    ),
    code=Code("diffusion.step_divergence", _step_divergence, of=of_one_pixel),
    printed=(("E14", _weight.subs(t, t + 1) * _error),),
    where=(t - 2,),
)

F40 = Derivation(
    key="F40",
    statement="L_(t-1) as it stands in the bound, in the mean over x_t: a squared distance of noises, times w_t",
    start=Mean(divergence(posterior, learned), x(t), q(x(t), x0)),
    steps=(Step(_weight * Mean(_error, x(t), q(x(t), x0)), "at each x_t", by=(F40_ONE,)),),
    where=(t - 2,),
)

# --- The last step: pixels --------------------------------------------------------------------------------------------

levels, value = Symbol("L", integer=True, positive=True), Symbol("n", integer=True, nonnegative=True)
mass, total = indexed("mass", "m", real=True), indexed("masses", "S", real=True)
edge, cdf = indexed("edge_of", "b", real=True), indexed("Phi", r"\Phi", positive=True)
images = indexed("images", "I", real=True)
LOWEST = Definition("F41", "the lowest value has all that lies below its edge", mass(0, j), cdf(edge(1), j))
INNER = Definition(
    "F41", "an inner value has what lies between its edges", mass(k, j), cdf(edge(k + 1), j) - cdf(edge(k), j),
    (k - 1, levels - 2 - k),
)  # fmt: skip
HIGHEST = Definition(
    "F41", "the highest value has all that lies above its edge", mass(levels - 1, j),
    1 - cdf(edge(levels - 1), j), (levels - 2,),
)  # fmt: skip
TOTAL = Definition("F41", "the masses of the values from 0 on", total(k, j), Sum(mass(value, j), (value, 0, k)))
IMAGE = Definition("F41", "images of one pixel", images(1), Sum(mass(value, 1), (value, 0, levels - 1)))
IMAGES = Definition(
    "F41", "of d pixels: those of d - 1, with each value of the last", images(d),
    Sum(images(d - 1) * mass(value, d), (value, 0, levels - 1)), (d - 2,),
)  # fmt: skip

F41_BASE = Derivation(
    key="F41.base",
    statement="the mass of the lowest value of pixel j: $m_{k,j}$ is the mass of value k, $S_{k,j}$ the sum of the "
    r"masses of 0 to k, $b_k$ the lower edge of value k, and $\Phi_{b,j}$ what the Gaussian of the pixel has below b",
    start=total(0, j),
    steps=(
        Step(Sum(mass(value, j), (value, 0, 0)), "what it is", by=(TOTAL.at({k: 0}),)),
        Step(mass(0, j), "one term"),
        Step(cdf(edge(1), j), "all that lies below its edge", by=(LOWEST,)),
    ),
)

F41_SUM = Derivation(
    key="F41.sum",
    statement="the masses of the values 0 to k add up to what lies below the upper edge of k",
    start=total(k, j),
    steps=(
        Step(total(k - 1, j) + mass(k, j), "one term more", by=(TOTAL, TOTAL.at({k: k - 1}))),
        Step(cdf(edge(k), j) + mass(k, j), "the statement for k - 1", by=(HYPOTHESIS,)),
        Step(cdf(edge(k + 1), j), "what lies between the edges", by=(INNER,)),
    ),
    induction=Induction(k, F41_BASE, first=0),
    where=(levels - 2 - k,),
)

F41_PIXEL = Derivation(
    key="F41.pixel",
    statement="the masses of all L values of a pixel, 0 to L - 1, add up to 1, for L from 2 on, in the "
    "letters of F41.base",
    start=Sum(mass(value, j), (value, 0, levels - 1)),
    steps=(
        Step(total(levels - 2, j) + mass(levels - 1, j), "the highest value apart", by=(TOTAL.at({k: levels - 2}),)),
        Step(cdf(edge(levels - 1), j) + mass(levels - 1, j), "all below it", by=(F41_SUM.at({k: levels - 2}),)),
        Step(Integer(1), "and all above its edge", by=(HIGHEST,)),
    ),
    where=(levels - 2,),
)

F41_IMAGE = Derivation(
    key="F41.image",
    statement="the same for images of one pixel; $I_d$ is the sum of the masses of all images of d pixels",
    start=images(1),
    steps=(
        Step(IMAGE.right, "its values", by=(IMAGE,)),
        Step(Integer(1), "they add up to 1", by=(F41_PIXEL.at({j: 1}),)),
    ),
    where=(levels - 2,),
)

F41 = Derivation(
    key="F41",
    statement="the masses of all images of d pixels with L values each add up to 1, for L from 2 on: the decoder is a "
    "distribution of images, and $-\\log_2$ of it a number of bits. $I_d$ is their sum, in the letters of F41.base",
    start=images(d),
    steps=(
        Step(IMAGES.right, "the last pixel apart", by=(IMAGES,)),
        Step(Sum(mass(value, d), (value, 0, levels - 1)), "the statement for d - 1", by=(HYPOTHESIS,)),
        Step(Integer(1), "the values of a pixel", by=(F41_PIXEL.at({j: d}),)),
    ),
    induction=Induction(d, F41_IMAGE),
    where=(levels - 2,),
)

mean, scale = Symbol("mu", real=True), Symbol("sigma", positive=True)
low, high = Symbol("b", real=True), Symbol("c", real=True)


def _below(at: Expr) -> Expr:
    return Rational(1, 2) * (1 + erf((at - mean) / (sqrt(2) * scale)))


def _discretised() -> tuple[Any, dict[Expr, Any]]:
    import torch

    from lecture11 import diffusion

    generator = torch.Generator().manual_seed(0)
    level = torch.randint(1, 255, (1000,), generator=generator)
    at = 2 * level.double() / 255 - 1
    means, scales = at + 0.02 * torch.randn(1000, generator=generator), torch.full((1000,), 0.03, dtype=torch.float64)
    values = diffusion.discretised_log_likelihood(at[:, None], means[:, None], scales.log()[:, None]).exp()
    return values, {low: at - 1 / 255, high: at + 1 / 255, mean: means, scale: scales}


F41_MASS = Derivation(
    key="F41.mass",
    statement="the mass that a Gaussian gives to a bin, from b to c",
    start=OverInterval(Normal(y, mean, scale**2), (y, low, high)),
    steps=(
        Step(
            OverInterval(exp(-(y**2) / 2) / sqrt(2 * pi), (y, (low - mean) / scale, (high - mean) / scale)),
            "measure from the mean, in standard deviations",
        ),
        Step(_below(high) - _below(low), "the distribution function of the Gaussian"),
    ),
    code=Code("diffusion.discretised_log_likelihood", _discretised),
)

DERIVATIONS = (
    F36_TELESCOPE_BASE, F36_TELESCOPE, F36, F37_ONE_STEP, F37_LAST, F37_STATE, F37_LAST_TWO, F37_TWO, F37, F37_PRIOR,
    F38_ANY, F38_ONE, F38, F40_WEIGHT, F40_ONE, F40, F41_BASE, F41_SUM, F41_PIXEL, F41_IMAGE, F41, F41_MASS,
)  # fmt: skip
EXPERIMENTS = (
    Experiment(
        "F37",
        "the mean of the bound's terms, and of the five lines on sampled paths, is that of exact integration",
        "tests/test_diffusion_bound.py::test_mean_bound_is_exact",
    ),
)
