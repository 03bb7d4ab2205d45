r"""From data to noise, and the loss that teaches a network to see the noise (F21, F23-F28).

One pixel is enough: noise and shrinking act on each coordinate by itself, and the density of ``d`` of them with one
variance is the product of ``d`` densities (``F23.pixels``). All $\alpha_t$, $\beta_t$ and $\bar\alpha_t$ lie between 0
and 1 (F25).
"""

from typing import Any

from sympy import Derivative, Expr, Integer, Symbol, exp, log, pi, sqrt

from lecture11.symbolic.chain import Code, Experiment
from lecture11.symbolic.facts import HYPOTHESIS, Assumption, Definition, Derivation, Induction, Step
from lecture11.symbolic.terms import Mean, Normal, density, indexed

t = Symbol("t", integer=True, positive=True)
alpha, beta = indexed("alpha", r"\alpha", fraction=True), indexed("beta", r"\beta", fraction=True)
abar = indexed("abar", r"\bar\alpha", fraction=True)
x = indexed("x", "x", real=True)
eps = Symbol(r"\epsilon", real=True)  # the noise in x_t
step_noise = indexed("epsilon", r"\epsilon", real=True)  # that of step t
q = density("q", "q", timed=True)

ALPHA = Definition("alpha", "alpha_t is what a step keeps of the variance", beta(t), 1 - alpha(t))
ABAR = Definition("abar", "abar_t is what t steps keep of it", abar(t), alpha(t) * abar(t - 1), (t - 2,))
ABAR_1 = Definition("abar", "abar_1 is what one step keeps of it", abar(1), alpha(1))


def step_law(now: Expr, before: Expr, t: Expr) -> Expr:
    """``q(x_t | x_{t-1})``, with any names for the two."""
    return Normal(now, sqrt(1 - beta(t)) * before, beta(t))


def law_from_data(t: Expr) -> Expr:
    """``q(x_t | x_0)``."""
    return Normal(x(t), sqrt(abar(t)) * x(0), 1 - abar(t))


F23 = Definition("F23", "a step shrinks and adds noise", q(x(t), x(t - 1)), step_law(x(t), x(t - 1), t))
F24 = Definition(
    "F24", "the same as a sum", x(t), sqrt(1 - beta(t)) * x(t - 1) + sqrt(beta(t)) * step_noise(t)
)  # fmt: skip
F26 = Definition(
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
    """The ``x_t`` of a normal law that the noise ``epsilon`` leads to: mean and, times ``epsilon``, deviation."""
    (normal,) = law.atoms(Normal)
    y, mean, variance = normal.args
    standardised = (y - mean) / sqrt(variance)
    return (eps - standardised.subs(x(t), 0)) / standardised.diff(x(t))


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
        x(0): draws[0], x(t): draws[1], x(t - 1): draws[2], x(t - 2): draws[3], eps: draws[4],
    }  # fmt: skip


def _q_step() -> tuple[Any, dict[Expr, Any]]:
    from lecture11 import diffusion

    s, steps, at = random_points()
    return diffusion.q_step(s, at[x(t - 1)], steps, at[eps]), at


def _q_merged() -> tuple[Any, dict[Expr, Any]]:
    from lecture11 import diffusion

    s, steps, at = random_points()
    return diffusion.q_merged(s, at[x(t - 2)], steps - 2, steps, at[eps]), at


def _q_sample() -> tuple[Any, dict[Expr, Any]]:
    from lecture11 import diffusion

    s, steps, at = random_points()
    return diffusion.q_sample(s, at[x(0)], steps, at[eps]), at


# --- One step ---------------------------------------------------------------------------------------------------------

d = Symbol("d", integer=True, positive=True)
pixel, centre = indexed("x", "x", real=True), indexed("m", "m", real=True)
variance, square = Symbol("v", positive=True), indexed("squared", "S", nonnegative=True)
joint = indexed("of_d", r"\mathcal{N}", positive=True)
PIXELS = Definition(
    "F23",
    "a normal density with covariance v I",
    joint(d),
    exp(-square(d) / (2 * variance)) / (2 * pi * variance) ** (d / 2),
)
SQUARE = Definition(
    "F23",
    "the squared distance grows by a term",
    square(d),
    square(d - 1) + (pixel(d) - centre(d)) ** 2,
    where=(d - 2,),
)

F23_PIXELS = Derivation(
    key="F23.pixels",
    statement="with covariance v I the density of d pixels is that of d - 1 of them times that of one: so what is "
              r"shown for one pixel holds for d. $\mathcal{N}_d$ is the density of d pixels, S_d their squared "
              "distance from the mean m",
    start=joint(d),
    steps=(
        Step(PIXELS.right, "the density in d dimensions", by=(PIXELS,)),
        Step(
            exp(-square(d - 1) / (2 * variance)) * exp(-((pixel(d) - centre(d)) ** 2) / (2 * variance))
            / ((2 * pi * variance) ** ((d - 1) / 2) * sqrt(2 * pi * variance)),
            "take the last pixel out of the square",
            by=(SQUARE,),
        ),
        Step(joint(d - 1) * Normal(pixel(d), centre(d), variance), "two densities", by=(PIXELS.at({d: d - 1}),)),
    ),
    where=(d - 2,),
)  # fmt: skip

F23_SIZE = Derivation(
    key="F23",
    statement="F23 is a definition. A step moves the mean square of a pixel towards 1, by the factor 1 - beta_t",
    start=Mean(x(t) ** 2, x(t), q(x(t), x(t - 1))) - 1,
    steps=(
        Step(Mean(x(t) ** 2, x(t), F23.right) - 1, "the law of a step", by=(F23,)),
        Step((1 - beta(t)) * x(t - 1) ** 2 + beta(t) - 1, "squared mean plus variance"),
        Step((1 - beta(t)) * (x(t - 1) ** 2 - 1), "take the factor out"),
    ),
)

F24_LAW = Derivation(
    key="F24",
    statement="a step's law is that of a sum: the shrunk image and noise with standard deviation sqrt(beta_t)",
    start=q(x(t), x(t - 1)),
    steps=(
        Step(F23.right, "the law of a step", by=(F23,)),
        Step(
            Normal((x(t) - sqrt(1 - beta(t)) * x(t - 1)) / sqrt(beta(t)), 0, 1) / sqrt(beta(t)),
            "the noise in it is standard normal",
        ),
    ),
    code=Code("diffusion.q_step", _q_step, of=as_draw),
    printed=(("E11", Normal((x(t) - sqrt(1 - beta(t)) * x(t - 1)) / beta(t), 0, 1) / beta(t)),),
)

F26_MASS = Derivation(
    key="F26",
    statement="the joint density of a chain integrates to 1: two steps, and each further one in the same way",
    start=Mean(Mean(1, x(2), q(x(2), x(1))), x(1), q(x(1), x(0))),
    steps=(
        Step(
            Mean(1, x(1), step_law(x(1), x(0), 1)),
            "the last step has mass 1, wherever it starts",
            by=(F23.at({t: 2}), F23.at({t: 1})),
        ),
        Step(Integer(1), "and so has the first step"),
    ),
)

# --- Two steps, and t -------------------------------------------------------------------------------------------------

F27_SUM = Derivation(
    key="F27.sum",
    statement="two steps as a sum, with two noises",
    start=x(t),
    steps=(
        Step(F24.right, "a step", by=(F24,)),
        Step(
            sqrt(alpha(t)) * (sqrt(alpha(t - 1)) * x(t - 2) + sqrt(1 - alpha(t - 1)) * step_noise(t - 1))
            + sqrt(1 - alpha(t)) * step_noise(t),
            "the step before",
            by=(F24.at({t: t - 1}), ALPHA, ALPHA.at({t: t - 1})),
        ),
        Step(
            sqrt(alpha(t) * alpha(t - 1)) * x(t - 2)
            + sqrt(alpha(t) * (1 - alpha(t - 1))) * step_noise(t - 1)
            + sqrt(1 - alpha(t)) * step_noise(t),
            "multiply out",
        ),
    ),
    where=(t - 2,),
)

_noises = sqrt(alpha(t) * (1 - alpha(t - 1))) * step_noise(t - 1) + sqrt(1 - alpha(t)) * step_noise(t)
F27_VARIANCE = Derivation(
    key="F27.variance",
    statement="the two noises together have the variance 1 - alpha_t alpha_(t-1)",
    start=Mean(
        Mean(_noises**2, step_noise(t), Normal(step_noise(t), 0, 1)),
        step_noise(t - 1),
        Normal(step_noise(t - 1), 0, 1),
    ),
    steps=(
        Step(
            Mean(
                alpha(t) * (1 - alpha(t - 1)) * step_noise(t - 1) ** 2 + 1 - alpha(t),
                step_noise(t - 1),
                Normal(step_noise(t - 1), 0, 1),
            ),
            "mean over the later noise: its square has mean 1, the product mean 0",
        ),
        Step(alpha(t) * (1 - alpha(t - 1)) + 1 - alpha(t), "mean over the earlier one"),
        Step(1 - alpha(t) * alpha(t - 1), "two terms cancel"),
    ),
    where=(t - 2,),
)

_keep = sqrt((1 - beta(t)) * (1 - beta(t - 1)))
_both = beta(t) + (1 - beta(t)) * beta(t - 1)
_middle = Normal(
    x(t - 1),
    (beta(t) * sqrt(1 - beta(t - 1)) * x(t - 2) + beta(t - 1) * sqrt(1 - beta(t)) * x(t)) / _both,
    beta(t) * beta(t - 1) / _both,
)
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
        Step(
            Normal(x(t), _keep * x(t - 2), _both) * Mean(1, x(t - 1), _middle),
            "complete the square in x_(t-1): a density of it, and what is left",
        ),
        Step(Normal(x(t), _keep * x(t - 2), _both), "a density has mass 1, wherever its mean is"),
        Step(
            Normal(x(t), sqrt(alpha(t) * alpha(t - 1)) * x(t - 2), 1 - alpha(t) * alpha(t - 1)),
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
        Step(step_law(x(1), x(0), 1), "the law of a step", by=(F23.at({t: 1}),)),
        Step(law_from_data(1), r"put in $\alpha$ and $\bar\alpha$", by=(ALPHA.at({t: 1}), ABAR_1)),
    ),
)

F28 = Derivation(
    key="F28",
    statement="t steps at once, by induction: what is kept is multiplied, and the noise has the rest of the variance",
    start=q(x(t), x(0)),
    steps=(
        Step(F26.right, "integrate over the step before", by=(F26,)),
        Step(
            Mean(step_law(x(t), x(t - 1), t), x(t - 1), law_from_data(t - 1)),
            "a step, and the statement for the steps before",
            by=(F23, HYPOTHESIS),
        ),
        Step(
            Normal(x(t), sqrt((1 - beta(t)) * abar(t - 1)) * x(0), beta(t) + (1 - beta(t)) * (1 - abar(t - 1))),
            "integrate: means are scaled, variances scaled and added",
        ),
        Step(law_from_data(t), r"put in $\alpha$ and $\bar\alpha$", by=(ALPHA, ABAR)),
    ),
    induction=Induction(t, F28_BASE),
    code=Code("diffusion.q_sample", _q_sample, of=as_draw),
)

# --- The loss ---------------------------------------------------------------------------------------------------------

guess, best = indexed("guess", r"\epsilon_\theta", real=True), indexed("best", r"\epsilon^*", real=True)
noise_law = density("noise", "p")(eps, x(t), t)
BEST = Definition("F21", r"$\epsilon^*$ is the mean noise in $x_t$", best(x(t), t), Mean(eps, eps, noise_law))
MASS = Definition("F21", "the law of the noise is a density", Mean(1, eps, noise_law), Integer(1))
DATA = Definition("F30", "the law of x_t", q(x(t)), Mean(q(x(t), x(0)), x(0), q(x(0))))

F21 = Derivation(
    key="F21",
    statement=r"F21 is a loss. Its least value is that of the mean noise in x_t, $\epsilon^*$: any other guess "
    r"$\epsilon_\theta$ adds its squared distance from it",
    start=Mean((eps - guess(x(t), t)) ** 2, eps, noise_law),
    steps=(
        Step(
            Mean(
                (eps - best(x(t), t)) ** 2
                + 2 * (eps - best(x(t), t)) * (best(x(t), t) - guess(x(t), t))
                + (best(x(t), t) - guess(x(t), t)) ** 2,
                eps,
                noise_law,
            ),
            r"insert $\epsilon^*$, and square",
        ),
        Step(
            Mean((eps - best(x(t), t)) ** 2, eps, noise_law)
            + 2
            * (best(x(t), t) - guess(x(t), t))
            * (Mean(eps, eps, noise_law) - best(x(t), t) * Mean(1, eps, noise_law))
            + (best(x(t), t) - guess(x(t), t)) ** 2 * Mean(1, eps, noise_law),
            "the mean of a sum, term by term",
        ),
        Step(
            Mean((eps - best(x(t), t)) ** 2, eps, noise_law) + (best(x(t), t) - guess(x(t), t)) ** 2,
            "the middle term is zero",
            by=(BEST, MASS),
        ),
    ),
)

F21_INPUT = Derivation(
    key="F21.input",
    statement="what Algorithm 1 shows to the network has the law of x_t: take the shrunk data away from it, and "
    "standard normal noise is left, times sqrt(1 - abar_t)",
    start=q(x(t), x(0)),
    steps=(
        Step(law_from_data(t), "t steps at once", by=(F28,)),
        Step(
            Normal((x(t) - sqrt(abar(t)) * x(0)) / sqrt(1 - abar(t)), 0, 1) / sqrt(1 - abar(t)),
            "the noise in it is standard normal",
        ),
    ),
    code=Code("diffusion.q_sample", _q_sample, of=as_draw),
    printed=(("E9", Normal((x(t) - sqrt(alpha(t)) * x(0)) / sqrt(1 - alpha(t)), 0, 1) / sqrt(1 - alpha(t))),),
)

F21_SCORE = Derivation(
    key="F21.score",
    statement="the mean noise in x_t is the slope of the log-density of x_t, times minus its standard deviation "
    "sqrt(1 - abar_t)",
    start=-sqrt(1 - abar(t)) * Derivative(log(q(x(t))), x(t)),
    steps=(
        Step(
            -sqrt(1 - abar(t)) * Derivative(log(Mean(law_from_data(t), x(0), q(x(0)))), x(t)),
            "x_t comes from some x_0",
            by=(DATA, F28),
        ),
        Step(
            sqrt(1 - abar(t))
            * Mean((x(t) - sqrt(abar(t)) * x(0)) / (1 - abar(t)) * law_from_data(t), x(0), q(x(0)))
            / Mean(law_from_data(t), x(0), q(x(0))),
            "differentiate under the integral",
        ),
        Step(
            Mean((x(t) - sqrt(abar(t)) * x(0)) / sqrt(1 - abar(t)) * q(x(t), x(0)), x(0), q(x(0))) / q(x(t)),
            "the mean of the noise in x_t, by Bayes' rule",
            by=(DATA, F28),
        ),
    ),
)

_centre, _spread = Symbol("m", real=True), Symbol("v", positive=True)
_given_noise = Normal(x(t), sqrt(abar(t)) * _centre + sqrt(1 - abar(t)) * eps, abar(t) * _spread)
_standard = Normal(eps, 0, 1)
_all = abar(t) * _spread + 1 - abar(t)
_marginal = Normal(x(t), sqrt(abar(t)) * _centre, _all)
_mean_noise = sqrt(1 - abar(t)) * (x(t) - sqrt(abar(t)) * _centre) / _all


def _optimal_eps() -> tuple[Any, dict[Expr, Any]]:
    import torch

    from lecture11 import diffusion, gaussian

    s, steps, at = random_points()
    one = torch.ones(1, dtype=torch.float64)
    law = gaussian.Mixture(one, 0.7 * one[:, None], 0.3 * one[:, None, None])
    values = diffusion.optimal_eps(s, law, at[x(t)][:, None], steps)[:, 0]
    return values, {**at, _centre: 0.7, _spread: 0.3}


F21_GAUSS = Derivation(
    key="F21.gauss",
    statement="for data with the law N(m, v), the mean noise in x_t is linear in x_t; the first line is that mean, "
    "by Bayes' rule",
    start=Mean(eps * _given_noise, eps, _standard) / Mean(_given_noise, eps, _standard),
    steps=(
        Step(
            Mean(eps * _given_noise, eps, _standard) / _marginal,
            "integrate: means are scaled, variances scaled and added",
        ),
        Step(
            _marginal * Mean(eps, eps, Normal(eps, _mean_noise, abar(t) * _spread / _all)) / _marginal,
            "complete the square in the noise",
        ),
        Step(_mean_noise, "the mean of a normal law; the rest cancels"),
    ),
    code=Code("diffusion.optimal_eps", _optimal_eps),
)

DERIVATIONS = (
    F23_PIXELS, F23_SIZE, F24_LAW, F26_MASS, F27_SUM, F27_VARIANCE, F27, F28_BASE, F28,
    F21, F21_INPUT, F21_SCORE, F21_GAUSS,
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
