r"""The step back when the data is known, and the model that imitates it (F22, F29-F35, F39).

One pixel is enough, as on the page before (``F23.pixels``). The step back to $x_{t-1}$ is that for t from 2 on: the
last one, to $x_0$, has no posterior.
"""

from typing import Any

from sympy import Expr, Integer, Symbol, exp, pi, sqrt

from lecture11.symbolic.chain import Code, Experiment
from lecture11.symbolic.facts import Assumption, Definition, Derivation, Step
from lecture11.symbolic.forward import (
    ABAR,
    ALPHA,
    DATA,
    F23,
    F28,
    abar,
    alpha,
    beta,
    eps,
    guess,
    law_from_data,
    q,
    random_points,
    step_law,
    t,
    x,
)
from lecture11.symbolic.terms import Mean, Normal, density, indexed

mu_tilde = indexed("mu_tilde", r"\tilde\mu", real=True)  # mu_tilde(x(t), x(0), t)


def _of_states(self: Expr, printer: Any, exp: str | None = None) -> str:
    *states, step = map(printer._print, self.args)
    power = "" if exp is None else f"^{{{exp}}}"
    return rf"\tilde\mu_{{{step}}}{power}({', '.join(states)})"


mu_tilde._latex = _of_states
beta_tilde = indexed("beta_tilde", r"\tilde\beta", positive=True)
mu_theta = indexed("mu_theta", r"\mu_\theta", real=True)  # mu_theta(x(t), t)

# --- Bayes ------------------------------------------------------------------------------------------------------------

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
    statement="the step back without x_0 needs the law of all data, in two integrals",
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

_before, _centre = Symbol("c", positive=True), Symbol("m", real=True)
_reverse_variance = beta(t) * _before / (alpha(t) * _before + beta(t))


def _reverse_law() -> tuple[Any, dict[Expr, Any]]:
    import torch

    from lecture11 import diffusion, gaussian

    s, steps, at = random_points()
    one = torch.ones(1, dtype=torch.float64)
    law = gaussian.Mixture(one, 0.7 * one[:, None], 0.3 * one[:, None, None])
    laws = [diffusion.reverse_law(s, law, at[x(t)][i : i + 1], int(steps[i])) for i in range(1000)]
    values = torch.stack([reverse.means[0, 0] + reverse.covariances[0, 0, 0].sqrt() for reverse in laws])
    kept = at[abar(t - 1)]
    return values, {**at, _before: 0.3 * kept + 1 - kept, _centre: 0.7 * kept.sqrt()}


F30_GAUSS = Derivation(
    key="F30.gauss",
    statement="for x_(t-1) with the law N(m, c), the step back is a normal law; the first line is Bayes' rule",
    start=step_law(x(t), x(t - 1), t)
    * Normal(x(t - 1), _centre, _before)
    / Normal(x(t), sqrt(alpha(t)) * _centre, alpha(t) * _before + beta(t)),
    steps=(
        Step(
            exp(-(((x(t - 1) - _centre - sqrt(alpha(t)) * _before * (x(t) - sqrt(alpha(t)) * _centre)
                 / (alpha(t) * _before + beta(t)))) ** 2) / (2 * _reverse_variance))
            / sqrt(2 * pi * _reverse_variance),
            "complete the square in x_(t-1)",
            by=(ALPHA,),
        ),
        Step(
            Normal(
                x(t - 1),
                (beta(t) * _centre + sqrt(alpha(t)) * _before * x(t)) / (alpha(t) * _before + beta(t)),
                _reverse_variance,
            ),
            "a normal density",
        ),
    ),
    code=Code("diffusion.reverse_law", _reverse_law, of=lambda law: law.args[1] + sqrt(law.args[2])),
)  # fmt: skip

# --- The posterior ----------------------------------------------------------------------------------------------------

_precision = alpha(t) / beta(t) + 1 / (1 - abar(t - 1))
_pull = sqrt(alpha(t)) * x(t) / beta(t) + sqrt(abar(t - 1)) * x(0) / (1 - abar(t - 1))

F32_SQUARE = Derivation(
    key="F32.square",
    statement="the step back, given x_0, is a normal law; its precision, one over the variance, is "
    r"$\frac{\alpha_t}{\beta_t} + \frac{1}{1 - \bar\alpha_{t-1}}$",
    start=q(x(t - 1), x(t), x(0)),
    steps=(
        Step(q(x(t), x(t - 1), x(0)) * q(x(t - 1), x(0)) / q(x(t), x(0)), "Bayes' rule given x_0", by=(BAYES,)),
        Step(
            step_law(x(t), x(t - 1), t) * law_from_data(t - 1) / law_from_data(t),
            "the chain has no memory, and three laws are known",
            by=(NO_MEMORY, F23, F28, F28.at({t: t - 1})),
        ),
        Step(
            sqrt(_precision / (2 * pi)) * exp(-_precision / 2 * (x(t - 1) - _pull / _precision) ** 2),
            "precisions add: complete the square in x_(t-1)",
            by=(ALPHA, ABAR),
        ),
        Step(Normal(x(t - 1), _pull / _precision, 1 / _precision), "a normal density"),
    ),
    where=(t - 2,),
)

MEAN = Definition(
    "F33",
    "mu~_t is the mean of the step back",
    mu_tilde(x(t), x(0), t),
    Mean(x(t - 1), x(t - 1), q(x(t - 1), x(t), x(0))),
    (t - 2,),
)
_from_x_0 = sqrt(alpha(t)) * (1 - abar(t - 1)) / (1 - abar(t)) * x(t) + sqrt(abar(t - 1)) * beta(t) / (1 - abar(t)) * x(
    0
)
_variance = (1 - abar(t - 1)) / (1 - abar(t)) * beta(t)
VARIANCE = Definition("F32", "beta~_t, which F32.variance shows to be its variance", beta_tilde(t), _variance, (t - 2,))


def _posterior_mean_from_x0() -> tuple[Any, dict[Expr, Any]]:
    from lecture11 import diffusion

    s, steps, at = random_points()
    return diffusion.posterior_mean_from_x0(s, at[x(0)], at[x(t)], steps), at


def _posterior_variance() -> tuple[Any, dict[Expr, Any]]:
    s, steps, at = random_points()
    return s.posterior_variance(steps), at


F33 = Derivation(
    key="F33",
    statement="the mean mu~_t of the step back, given x_0: two coefficients",
    start=mu_tilde(x(t), x(0), t),
    steps=(
        Step(MEAN.right, "what it is", by=(MEAN,)),
        Step(_pull / _precision, "the mean of the normal law", by=(F32_SQUARE,)),
        Step(
            (sqrt(alpha(t)) * (1 - abar(t - 1)) * x(t) + sqrt(abar(t - 1)) * beta(t) * x(0))
            / (alpha(t) * (1 - abar(t - 1)) + beta(t)),
            r"multiply above and below by $\beta_t (1 - \bar\alpha_{t-1})$",
        ),
        Step(_from_x_0, r"below stands $1 - \bar\alpha_t$", by=(ALPHA, ABAR)),
    ),
    code=Code("diffusion.posterior_mean_from_x0", _posterior_mean_from_x0),
    where=(t - 2,),
)

F32_VARIANCE = Derivation(
    key="F32.variance",
    statement="the variance beta~_t of the step back, given x_0",
    start=Mean((x(t - 1) - mu_tilde(x(t), x(0), t)) ** 2, x(t - 1), q(x(t - 1), x(t), x(0))),
    steps=(
        Step(1 / _precision, "the variance of the normal law", by=(F32_SQUARE, MEAN)),
        Step(
            beta(t) * (1 - abar(t - 1)) / (alpha(t) * (1 - abar(t - 1)) + beta(t)),
            r"multiply above and below by $\beta_t (1 - \bar\alpha_{t-1})$",
        ),
        Step(_variance, r"below stands $1 - \bar\alpha_t$", by=(ALPHA, ABAR)),
    ),
    code=Code("diffusion.NoiseSchedule.posterior_variance", _posterior_variance),
    where=(t - 2,),
)

F32 = Derivation(
    key="F32",
    statement="the step back, given x_0, by its mean and variance",
    start=q(x(t - 1), x(t), x(0)),
    steps=(
        Step(Normal(x(t - 1), _pull / _precision, 1 / _precision), "a normal law", by=(F32_SQUARE,)),
        Step(
            Normal(x(t - 1), mu_tilde(x(t), x(0), t), beta_tilde(t)),
            "name its mean and variance",
            by=(F33, VARIANCE, ALPHA, ABAR),
        ),
    ),
    where=(t - 2,),
)

# --- From the noise ---------------------------------------------------------------------------------------------------

NOISE = Assumption("F28", r"$\epsilon$ is the noise in $x_t$", x(t), sqrt(abar(t)) * x(0) + sqrt(1 - abar(t)) * eps)
_solved = (x(t) - sqrt(1 - abar(t)) * eps) / sqrt(abar(t))
_from_noise = (x(t) - (1 - alpha(t)) / sqrt(1 - abar(t)) * eps) / sqrt(alpha(t))


def _predict_x0() -> tuple[Any, dict[Expr, Any]]:
    from lecture11 import diffusion

    s, steps, at = random_points()
    return diffusion.predict_x0(s, at[x(t)], steps, at[eps]), at


def _posterior_mean_from_eps() -> tuple[Any, dict[Expr, Any]]:
    from lecture11 import diffusion

    s, steps, at = random_points()
    return diffusion.posterior_mean_from_eps(s, at[x(t)], steps, at[eps]), at


F34 = Derivation(
    key="F34",
    statement="x_0 from the noise in x_t",
    start=x(0),
    steps=(Step(_solved, "take the noise from x_t, and undo the shrinking", by=(NOISE,)),),
    code=Code("diffusion.predict_x0", _predict_x0),
)

F35 = Derivation(
    key="F35",
    statement="the mean mu~_t of the step back, from the noise in x_t",
    start=mu_tilde(x(t), x(0), t),
    steps=(
        Step(_from_x_0, "the mean from x_0", by=(F33,)),
        Step(
            sqrt(alpha(t)) * (1 - abar(t - 1)) / (1 - abar(t)) * x(t)
            + sqrt(abar(t - 1)) * beta(t) / (1 - abar(t)) * _solved,
            "x_0 from the noise",
            by=(F34,),
        ),
        Step(
            (alpha(t) * (1 - abar(t - 1)) + beta(t)) / ((1 - abar(t)) * sqrt(alpha(t))) * x(t)
            - beta(t) / (sqrt(1 - abar(t)) * sqrt(alpha(t))) * eps,
            "sort by x_t and the noise: sqrt(abar_(t-1) / abar_t) is 1 / sqrt(alpha_t)",
            by=(ABAR,),
        ),
        Step(_from_noise, "the first numerator is 1 - abar_t", by=(ALPHA, ABAR)),
    ),
    code=Code("diffusion.posterior_mean_from_eps", _posterior_mean_from_eps),
    printed=(("E13", _from_noise * sqrt(alpha(t)) / sqrt(abar(t))),),
    where=(t - 2,),
)

# --- The model --------------------------------------------------------------------------------------------------------

p = density("p_theta", r"p_\theta", timed=True)
predicted, z = guess(x(t), t), Symbol("z", real=True)
sigma = indexed("sigma", r"\sigma", positive=True)
MODEL = Definition("F29", "the learned step", p(x(t - 1), x(t)), Normal(x(t - 1), mu_theta(x(t), t), sigma(t) ** 2))
_model_mean = _from_noise.subs(eps, predicted)
F39_MEAN = Definition("F39", "the learned mean: with the predicted noise", mu_theta(x(t), t), _model_mean)


F29 = Derivation(
    key="F29",
    statement="F29 is a definition. The model is a density, whatever its means and variances: two steps, and each "
    "further one likewise",
    start=Mean(Mean(Mean(1, x(0), p(x(0), x(1))), x(1), p(x(1), x(2))), x(2), Normal(x(2), 0, 1)),
    steps=(
        Step(
            Mean(Mean(1, x(1), MODEL.at({t: 2}).right), x(2), Normal(x(2), 0, 1)),
            "the last step has mass 1, wherever it starts",
            by=(MODEL.at({t: 1}), MODEL.at({t: 2})),
        ),
        Step(Mean(1, x(2), Normal(x(2), 0, 1)), "so has the one before"),
        Step(Integer(1), "and the law of the start"),
    ),
)


def _difference_of_means() -> tuple[Any, dict[Expr, Any]]:
    from lecture11 import diffusion

    s, steps, at = random_points()
    other = at[x(t - 1)]
    true = diffusion.posterior_mean_from_eps(s, at[x(t)], steps, at[eps])
    return true - diffusion.p_mean(s, at[x(t)], steps, other), {**at, predicted: other}


def _p_step() -> tuple[Any, dict[Expr, Any]]:
    from lecture11 import diffusion

    s, steps, at = random_points()
    return diffusion.p_step(s, at[x(t)], steps, at[eps], at[x(0)]), {**at, z: at[x(0)]}


F39 = Derivation(
    key="F39",
    statement=r"F39 is a definition. With it the two means, $\tilde\mu_t$ and $\mu_\theta$, differ by the two "
    "noises alone",
    start=mu_tilde(x(t), x(0), t) - mu_theta(x(t), t),
    steps=(
        Step(_from_noise - _model_mean, "both means from a noise", by=(F35, F39_MEAN)),
        Step(
            (1 - alpha(t)) / (sqrt(alpha(t)) * sqrt(1 - abar(t))) * (predicted - eps),
            "x_t cancels",
        ),
    ),
    code=Code("diffusion.p_mean", _difference_of_means),
    where=(t - 2,),
)

F22 = Derivation(
    key="F22",
    statement="with the noise that is in x_t, and z standard normal, a line of Algorithm 2 draws from the step "
    "back given x_0",
    start=mu_tilde(x(t), x(0), t) + sqrt(beta_tilde(t)) * z,
    steps=(
        Step(_from_noise + sqrt(beta_tilde(t)) * z, "the mean from the noise", by=(F35,)),
        Step(_from_noise + sqrt(_variance) * z, "the posterior variance", by=(VARIANCE,)),
    ),
    code=Code("diffusion.p_step", _p_step),
    printed=(("E10", (x(t) - (1 - alpha(t)) / sqrt(1 - alpha(t)) * eps) / sqrt(alpha(t)) + sqrt(_variance) * z),),
    where=(t - 2,),
)

DERIVATIONS = (F31, F30, F30_GAUSS, F32_SQUARE, F33, F32_VARIANCE, F32, F34, F35, F29, F39, F22)
EXPERIMENTS = (
    Experiment(
        "F22",
        "Algorithm 2 with the exact noise returns the law that can be computed for Gaussian data",
        "tests/test_diffusion_sampling.py::test_samples_have_the_exact_law",
    ),
)
