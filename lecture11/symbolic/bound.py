r"""The bound on the likelihood, line by line and term by term (F36-F38, F40, F41).

The five lines are written for ``T = 3``, in unknown densities: they hold for any betas and any model. ``F36.any`` has
them for any ``T``, path by path. $\mathbb{E}_q$ is the mean over $x_1$, $x_2$, $x_3$ given $x_0$.
"""

from typing import Any

from sympy import Expr, Function, Integer, Rational, Sum, Symbol, erf, exp, log, pi, sqrt
from sympy import Integral as OverInterval

from lecture11.symbolic.chain import Code, Experiment
from lecture11.symbolic.facts import HYPOTHESIS, Definition, Derivation, Induction, Step
from lecture11.symbolic.forward import (
    ALPHA,
    F23,
    F26,
    F28,
    abar,
    alpha,
    beta,
    eps,
    law_from_data,
    q,
    random_points,
    step_law,
    t,
    x,
)
from lecture11.symbolic.posterior import (
    BAYES,
    F32,
    F39,
    MODEL,
    NO_MEMORY,
    VARIANCE,
    beta_tilde,
    mu_theta,
    mu_tilde,
    p,
    predicted,
    sigma,
)
from lecture11.symbolic.terms import Mean, Normal, density, indexed
from lecture11.symbolic.vae.decoder import z1, z2
from lecture11.symbolic.vae.elbo import F16_PRODUCT, divergence, kl, p_1, p_2, q_1, q_2

# --- The five lines ---------------------------------------------------------------------------------------------------

x0, x1, x2, x3 = map(x, range(4))
path = (x1, x2, x3)
whole_q = density("q_path", "q", of=3, timed=True)(*path, x0)
whole_p = density("p_path", r"p_\theta", of=4, timed=True)(x0, *path)
CHAIN = Definition("F26", "the chain, step by step", whole_q, q(x1, x0) * q(x2, x1) * q(x3, x2))
MODEL_CHAIN = Definition("F29", "the model, step by step", whole_p, p(x3) * p(x2, x3) * p(x1, x2) * p(x0, x1))


def over_path(f: Expr) -> Mean:
    """``E_q[f]``, over all paths from ``x_0``."""
    return Mean(f, path, whole_q)


def _path_densities() -> tuple[Any, dict[Expr, Any]]:
    """The five lines of the package on 1,000 paths, and the densities that stand in them."""
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
    at = {p(x3): normal(xs[3], 0 * x_0, torch.ones_like(x_0))}
    for k in (1, 2, 3):
        a, b, kept = s.alpha(k), s.beta(k), s.alpha_bar(k)
        learned = (xs[k] - b / (1 - kept).sqrt() * model(xs[k], torch.full((1000,), k))) / a.sqrt()
        at[q(x(k), x(k - 1))] = normal(xs[k], a.sqrt() * xs[k - 1], b)
        at[q(x(k), x0)] = normal(xs[k], kept.sqrt() * x_0, 1 - kept)
        at[p(x(k - 1), x(k))] = normal(xs[k - 1], learned, s.posterior_variance(max(k, 2)))
        if k > 1:
            at[q(x(k), x(k - 1), x0)] = at[q(x(k), x(k - 1))]
            forward = at[q(x(k), x(k - 1))] * at[q(x(k - 1), x0)]
            at[q(x(k - 1), x(k), x0)] = forward / at[q(x(k), x0)]
    at[whole_q] = at[q(x1, x0)] * at[q(x2, x1)] * at[q(x3, x2)]
    at[whole_p] = at[p(x3)] * at[p(x2, x3)] * at[p(x1, x2)] * at[p(x0, x1)]
    return lines, at


def elbo_line(number: int) -> Code:
    """What the package computes for one of the five lines, on a path: the expression inside the expectation."""

    def compute() -> tuple[Any, dict[Expr, Any]]:
        lines, at = _path_densities()
        return lines[number - 1], at

    return Code("diffusion.negative_elbo_lines", compute, of=lambda line: line.args[0])


F36 = Derivation(
    key="F36",
    statement="-ELBO in five lines, for T = 3",
    start=over_path(-log(whole_p / whole_q)),
    steps=(
        Step(
            over_path(
                -log(p(x3)) - log(p(x0, x1) / q(x1, x0)) - log(p(x1, x2) / q(x2, x1)) - log(p(x2, x3) / q(x3, x2))
            ),
            "both chains, step by step",
            by=(CHAIN, MODEL_CHAIN),
        ),
        Step(
            over_path(
                -log(p(x3))
                - log(p(x1, x2) / q(x2, x1, x0))
                - log(p(x2, x3) / q(x3, x2, x0))
                - log(p(x0, x1) / q(x1, x0))
            ),
            "given x_0 as well, a step is the same; t = 1 apart",
            by=(NO_MEMORY.at({t: 2}), NO_MEMORY.at({t: 3})),
        ),
        Step(
            over_path(
                -log(p(x3))
                - log(p(x1, x2) / q(x1, x2, x0) * q(x1, x0) / q(x2, x0))
                - log(p(x2, x3) / q(x2, x3, x0) * q(x2, x0) / q(x3, x0))
                - log(p(x0, x1) / q(x1, x0))
            ),
            "Bayes' rule given x_0",
            by=(BAYES.at({t: 2}), BAYES.at({t: 3})),
        ),
        Step(
            over_path(
                -log(p(x3) / q(x3, x0))
                - log(p(x1, x2) / q(x1, x2, x0))
                - log(p(x2, x3) / q(x2, x3, x0))
                - log(p(x0, x1))
            ),
            "what stands above and below cancels",
        ),
    ),
    code=elbo_line(5),
)

# For any number of steps, path by path: with the logarithm of a product as a sum.
T, n = Symbol("T", integer=True, positive=True), Symbol("n", integer=True, positive=True)
along_q, along_p = indexed("along_q", "Q", positive=True), indexed("along_p", "P", positive=True)
ALONG_Q = Definition("F26", "the chain, T steps", along_q(T), exp(Sum(log(q(x(t), x(t - 1))), (t, 1, T))))
ALONG_P = Definition(
    "F29", "the model, T steps", along_p(T), p(x(T)) * exp(Sum(log(p(x(t - 1), x(t))), (t, 1, T)))
)  # fmt: skip
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
_first, _kept = log(p(x0, x1) / q(x1, x0)), q(x(t - 1), x0) / q(x(t), x0)

F36_ANY = Derivation(
    key="F36.any",
    statement="the five lines for any number of steps T from 2 on, and any model: what stands in the mean is the same "
    "for every path. Q and P are the densities of the path under the chain, given x_0, and under the model",
    start=-log(along_p(T) / along_q(T)),
    steps=(
        Step(
            -log(p(x(T))) - Sum(log(p(x(t - 1), x(t)) / q(x(t), x(t - 1))), (t, 1, T)),
            "both chains, step by step",
            by=(ALONG_Q, ALONG_P),
        ),
        Step(-log(p(x(T))) - _after_first(log(p(x(t - 1), x(t)) / q(x(t), x(t - 1)))) - _first, "the first step apart"),
        Step(
            -log(p(x(T))) - _after_first(log(p(x(t - 1), x(t)) / q(x(t - 1), x(t), x0) * _kept)) - _first,
            "no memory, and Bayes' rule given x_0",
            by=(BAYES, NO_MEMORY),
        ),
        Step(
            -log(p(x(T))) - _back - _after_first(log(q(x(t - 1), x0)) - log(q(x(t), x0))) - _first,
            "the sum of logarithms in two",
        ),
        Step(
            -log(p(x(T)) / q(x(T), x0)) - _back - log(p(x0, x1)),
            "what stands above and below cancels",
            by=(F36_TELESCOPE.at({_any(n): log(q(x(n), x0))}).at({n: T}),),
        ),
    ),
    where=(T - 2,),
)

# --- The terms of the bound (F37) -------------------------------------------------------------------------------------

u, u2 = Function("f", real=True), Function("f_2", real=True)  # any functions of one state of a path, and of two

F37_FIRST = Derivation(
    key="F37.first",
    statement="the mean of any f(x_1) needs the first step alone",
    start=over_path(u(x1)),
    steps=(
        Step(
            Mean(Mean(Mean(u(x1), x3, step_law(x3, x2, 3)), x2, step_law(x2, x1, 2)), x1, q(x1, x0)),
            "step by step",
            by=(CHAIN, F23.at({t: 2}), F23.at({t: 3})),
        ),
        Step(Mean(u(x1), x1, q(x1, x0)), "later steps have mass 1"),
    ),
)

F37_LAST = Derivation(
    key="F37.last",
    statement="the mean of any f(x_3) needs the law of x_3 given x_0 alone",
    start=over_path(u(x3)),
    steps=(
        Step(Mean(Mean(u(x3), x3, q(x3, x2)), x2, q(x2, x0)), "integrate over x_1", by=(CHAIN, F26.at({t: 2}))),
        Step(Mean(u(x3), x3, q(x3, x0)), "and over x_2", by=(F26.at({t: 3}),)),
    ),
)

F37_MIDDLE = Derivation(
    key="F37.middle",
    statement="the mean of any f_2(x_1, x_2): first over x_1 given x_2 and x_0, then over x_2",
    start=over_path(u2(x1, x2)),
    steps=(
        Step(
            Mean(Mean(Mean(u2(x1, x2), x3, step_law(x3, x2, 3)), x2, q(x2, x1)), x1, q(x1, x0)),
            "step by step",
            by=(CHAIN, F23.at({t: 3})),
        ),
        Step(Mean(Mean(u2(x1, x2), x2, q(x2, x1)), x1, q(x1, x0)), "the last step has mass 1"),
        Step(
            Mean(Mean(u2(x1, x2), x1, q(x1, x2, x0)), x2, q(x2, x0)),
            "Bayes' rule given x_0: the other order",
            by=(BAYES.at({t: 2}), NO_MEMORY.at({t: 2})),
        ),
    ),
)

F37_END = Derivation(
    key="F37.end",
    statement="the mean of any f_2(x_2, x_3): first over x_2 given x_3 and x_0, then over x_3",
    start=over_path(u2(x2, x3)),
    steps=(
        Step(Mean(Mean(u2(x2, x3), x3, q(x3, x2)), x2, q(x2, x0)), "integrate over x_1", by=(CHAIN, F26.at({t: 2}))),
        Step(
            Mean(Mean(u2(x2, x3), x2, q(x2, x3, x0)), x3, q(x3, x0)),
            "Bayes' rule given x_0: the other order",
            by=(BAYES.at({t: 3}), NO_MEMORY.at({t: 3})),
        ),
    ),
)

_prior, _decoder = log(q(x3, x0) / p(x3)), log(p(x0, x1))
_step_2, _step_3 = log(q(x1, x2, x0) / p(x1, x2)), log(q(x2, x3, x0) / p(x2, x3))

F37 = Derivation(
    key="F37",
    statement="-ELBO as divergences, for T = 3: the last lines are L_3, L_1, L_2 and L_0, in this order",
    start=F36.start,
    steps=(
        Step(F36.right, "the fifth line", by=(F36,)),
        Step(
            over_path(_prior) + over_path(_step_3) + over_path(_step_2) - over_path(_decoder),
            "the mean of a sum, term by term",
        ),
        Step(
            Mean(_prior, x3, q(x3, x0))
            + Mean(Mean(_step_3, x2, q(x2, x3, x0)), x3, q(x3, x0))
            + Mean(Mean(_step_2, x1, q(x1, x2, x0)), x2, q(x2, x0))
            - Mean(_decoder, x1, q(x1, x0)),
            "each over the states that it depends on",
            by=(
                F37_LAST.at({u(x3): _prior}),
                F37_END.at({u2(x2, x3): _step_3}),
                F37_MIDDLE.at({u2(x1, x2): _step_2}),
                F37_FIRST.at({u(x1): _decoder}),
            ),
        ),
        Step(
            divergence(q(x3, x0), p(x3))
            + Mean(divergence(q(x2, x3, x0), p(x2, x3)), x3, q(x3, x0))
            + Mean(divergence(q(x1, x2, x0), p(x1, x2)), x2, q(x2, x0))
            - Mean(_decoder, x1, q(x1, x0)),
            "what a divergence is",
            by=(
                kl(q(x3, x0), p(x3), x3),
                kl(q(x2, x3, x0), p(x2, x3), x2),
                kl(q(x1, x2, x0), p(x1, x2), x1),
            ),
        ),
    ),
)

_last = divergence(q(x(t), x0), Normal(x(t), 0, 1))


def _prior_divergence() -> tuple[Any, dict[Expr, Any]]:
    from lecture11 import diffusion

    s, _, at = random_points()
    return diffusion.prior_divergence(s, at[x0][:, None]), {x0: at[x0], abar(t): s.alpha_bar(s.T)}


F37_PRIOR = Derivation(
    key="F37.prior",
    statement="the divergence of x_t from standard normal noise, for one pixel: for t = T it is L_T, in which "
    "nothing is learned",
    start=_last,
    steps=(
        Step(
            Mean(log(law_from_data(t) / Normal(x(t), 0, 1)), x(t), law_from_data(t)),
            "what a divergence is",
            by=(kl(q(x(t), x0), Normal(x(t), 0, 1), x(t)), F28),
        ),
        Step(
            Mean(
                x(t) ** 2 / 2 - (x(t) - sqrt(abar(t)) * x0) ** 2 / (2 * (1 - abar(t))) - log(1 - abar(t)) / 2,
                x(t),
                law_from_data(t),
            ),
            "the logarithms of two normal densities",
        ),
        Step((abar(t) * x0**2 - abar(t) - log(1 - abar(t))) / 2, "mean squares"),
    ),
    code=Code("diffusion.prior_divergence", _prior_divergence),
)

# --- One step ---------------------------------------------------------------------------------------------------------

posterior, learned = q(x(t - 1), x(t), x0), p(x(t - 1), x(t))
_posterior, _learned = F32.right, MODEL.right


def _step_divergence() -> tuple[Any, dict[Expr, Any]]:
    from lecture11 import diffusion

    s, steps, at = random_points()
    x_t, guessed = diffusion.q_sample(s, at[x0], steps, at[eps]), at[x(t - 1)]
    values = diffusion.step_divergence(lambda *_: guessed[:, None], s, at[x0][:, None], steps, at[eps][:, None])
    return values, {
        **at,
        predicted: guessed,
        mu_tilde(x(t), x0, t): diffusion.posterior_mean_from_x0(s, at[x0], x_t, steps),
        mu_theta(x(t), t): diffusion.p_mean(s, x_t, steps, guessed),
        beta_tilde(t): s.posterior_variance(steps),
    }


def _loss_weight() -> tuple[Any, dict[Expr, Any]]:
    s, steps, at = random_points()
    return s.loss_weight(steps), at


CHOICE = Definition("F38", "the model takes the variance of the step back", sigma(t), sqrt(beta_tilde(t)), (t - 2,))
_distance = (mu_tilde(x(t), x0, t) - mu_theta(x(t), t)) ** 2

F38_ANY = Derivation(
    key="F38.any",
    statement="L_(t-1) at one x_t, for one pixel and any variance sigma_t^2 of the model: a squared distance of means, "
    "over twice the variance, and what the variances differ by",
    start=divergence(posterior, learned),
    steps=(
        Step(
            Mean(log(_posterior / _learned), x(t - 1), _posterior),
            "what a divergence is",
            by=(kl(posterior, learned, x(t - 1), t - 2), F32, MODEL),
        ),
        Step(
            Mean(
                (x(t - 1) - mu_theta(x(t), t)) ** 2 / (2 * sigma(t) ** 2)
                - (x(t - 1) - mu_tilde(x(t), x0, t)) ** 2 / (2 * beta_tilde(t))
                - log(beta_tilde(t) / sigma(t) ** 2) / 2,
                x(t - 1),
                _posterior,
            ),
            "the logarithms of two normal densities",
        ),
        Step(
            _distance / (2 * sigma(t) ** 2)
            + (beta_tilde(t) / sigma(t) ** 2 - 1 - log(beta_tilde(t) / sigma(t) ** 2)) / 2,
            "mean squares",
        ),
    ),
    where=(t - 2,),
)

F38 = Derivation(
    key="F38",
    statement="L_(t-1) at one x_t, for one pixel and the variance beta~_t in both laws, is a squared distance of "
    "means, over twice the variance",
    start=divergence(posterior, learned),
    steps=(
        Step(
            _distance / (2 * sigma(t) ** 2)
            + (beta_tilde(t) / sigma(t) ** 2 - 1 - log(beta_tilde(t) / sigma(t) ** 2)) / 2,
            "for any variance",
            by=(F38_ANY,),
        ),
        Step(_distance / (2 * beta_tilde(t)), "one variance in both", by=(CHOICE,)),
    ),
    code=Code("diffusion.step_divergence", _step_divergence),
    printed=(("E14", _distance / (2 * beta_tilde(t - 1))),),
    where=(t - 2,),
)

# A second pixel of the same image.
other = indexed("second", "y", real=True)
second = {x(t): other(t)}
posterior_y, learned_y = F38.at(second).left.args

F38_PIXELS = Derivation(
    key="F38.pixels",
    statement="two pixels x and y: their divergences add up, and so do those of d pixels",
    start=Mean(
        Mean(log(posterior * posterior_y / (learned * learned_y)), other(t - 1), posterior_y), x(t - 1), posterior
    ),
    steps=(
        Step(
            divergence(posterior, learned) + divergence(posterior_y, learned_y),
            "divergences of independent pixels add up",
            by=(
                F16_PRODUCT.at(
                    {z1: x(t - 1), z2: other(t - 1), q_1: posterior, q_2: posterior_y, p_1: learned, p_2: learned_y}
                ),
            ),
        ),
        Step(
            (_distance + (mu_tilde(other(t), other(0), t) - mu_theta(other(t), t)) ** 2) / (2 * beta_tilde(t)),
            "each is a squared distance of means",
            by=(F38, F38.at(second)),
        ),
    ),
    where=(t - 2,),
)

_error = (eps - predicted) ** 2
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

F40 = Derivation(
    key="F40",
    statement="L_(t-1) at one x_t is a squared distance of noises, times the weight w_t",
    start=divergence(posterior, learned),
    steps=(
        Step(_distance / (2 * beta_tilde(t)), "a distance of means", by=(F38,)),
        Step(
            ((1 - alpha(t)) / (sqrt(alpha(t)) * sqrt(1 - abar(t))) * (predicted - eps)) ** 2 / (2 * beta_tilde(t)),
            "the means differ by the noises",
            by=(F39,),
        ),
        Step(_long_weight * _error, "square the factor", by=(ALPHA,)),
        Step(_weight * _error, "put in the posterior variance, and cancel", by=(VARIANCE, ALPHA)),
    ),
    code=Code("diffusion.step_divergence", _step_divergence),
    printed=(("E14", _weight.subs(t, t + 1) * _error),),
    where=(t - 2,),
)

# --- The last step: pixels --------------------------------------------------------------------------------------------

k, levels = Symbol("k", integer=True, nonnegative=True), Symbol("L", integer=True, positive=True)
mass, total, edge = (
    indexed(name, latex, real=True) for name, latex in (("mass", "m"), ("masses", "S"), ("edge_of", "b"))
)
cdf = Function("Phi", positive=True)
LOWEST = Definition("F41", "the lowest value has all that lies below its edge", mass(0), cdf(edge(1)))
INNER = Definition(
    "F41", "an inner value has what lies between its edges", mass(k), cdf(edge(k + 1)) - cdf(edge(k)),
    (k - 1, levels - 2 - k),
)  # fmt: skip
HIGHEST = Definition(
    "F41", "the highest value has all that lies above its edge", mass(levels - 1), 1 - cdf(edge(levels - 1)),
    (levels - 2,),
)  # fmt: skip
FIRST_TERM = Definition("F41", "a sum of one term", total(0), mass(0))
ONE_MORE = Definition("F41", "a sum of one term more", total(k), total(k - 1) + mass(k), (k - 1,))

F41_BASE = Derivation(
    key="F41.base",
    statement="the mass of the lowest value: $m_k$ is the mass of value k, $S_k$ the sum of the masses of 0 to k, "
    r"$b_k$ the lower edge of value k, and $\Phi(b)$ what a normal law has below b",
    start=total(0),
    steps=(
        Step(mass(0), "one term", by=(FIRST_TERM,)),
        Step(cdf(edge(1)), "all that lies below its edge", by=(LOWEST,)),
    ),
)

F41_SUM = Derivation(
    key="F41.sum",
    statement="the masses of the values 0 to k add up to what lies below the upper edge of k",
    start=total(k),
    steps=(
        Step(total(k - 1) + mass(k), "one term more", by=(ONE_MORE,)),
        Step(cdf(edge(k)) + mass(k), "the statement for k - 1", by=(HYPOTHESIS,)),
        Step(cdf(edge(k + 1)), "what lies between the edges", by=(INNER,)),
    ),
    induction=Induction(k, F41_BASE, first=0),
    where=(levels - 2 - k,),
)

F41 = Derivation(
    key="F41",
    statement="the masses of all L values, 0 to L - 1, add up to 1, for L from 2 on, in the letters of F41.base",
    start=total(levels - 1),
    steps=(
        Step(total(levels - 2) + mass(levels - 1), "the highest value apart", by=(ONE_MORE.at({k: levels - 1}),)),
        Step(cdf(edge(levels - 1)) + mass(levels - 1), "all below it", by=(F41_SUM.at({k: levels - 2}),)),
        Step(Integer(1), "and all above its edge", by=(HIGHEST,)),
    ),
    where=(levels - 2,),
)

y, mean, scale = Symbol("y", real=True), Symbol("mu", real=True), Symbol("sigma", positive=True)
low, high = Symbol("b", real=True), Symbol("c", real=True)


def _standard(at: Expr) -> Expr:
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
    statement="the mass that a normal law gives to a bin, from b to c",
    start=OverInterval(Normal(y, mean, scale**2), (y, low, high)),
    steps=(
        Step(
            OverInterval(exp(-(y**2) / 2) / sqrt(2 * pi), (y, (low - mean) / scale, (high - mean) / scale)),
            "measure from the mean, in standard deviations",
        ),
        Step(_standard(high) - _standard(low), "the distribution function of the normal law"),
    ),
    code=Code("diffusion.discretised_log_likelihood", _discretised),
)

DERIVATIONS = (
    F36, F36_TELESCOPE_BASE, F36_TELESCOPE, F36_ANY, F37_FIRST, F37_LAST, F37_MIDDLE, F37_END, F37, F37_PRIOR,
    F38_ANY, F38, F38_PIXELS, F40_WEIGHT, F40, F41_BASE, F41_SUM, F41, F41_MASS,
)  # fmt: skip
EXPERIMENTS = (
    Experiment(
        "F37",
        "the mean of the bound's terms, and of the five lines on sampled paths, is that of exact integration",
        "tests/test_diffusion_bound.py::test_mean_bound_is_exact",
    ),
)
