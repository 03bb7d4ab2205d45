"""From data to noise (F21-F28)."""

from typing import Any

from sympy import Expr, Symbol, sqrt

from lecture11.symbolic.chain import HYPOTHESIS, Code, Definition, Derivation, Experiment, Induction, Step
from lecture11.symbolic.terms import Mean, Normal, density, indexed

t = Symbol("t", integer=True, positive=True)
alpha, beta = indexed("alpha", r"\alpha", positive=True), indexed("beta", r"\beta", positive=True)
abar = indexed("abar", r"\bar\alpha", positive=True)
x, eps = indexed("x", "x", real=True), indexed("epsilon", r"\epsilon", real=True)
q = density("q")

ALPHA = Definition("alpha", "what a step keeps of the variance", beta(t), 1 - alpha(t))
ABAR = Definition("abar", "what t steps keep of it", abar(t), alpha(t) * abar(t - 1))
ABAR_1 = Definition("abar", "what one step keeps of it", abar(1), alpha(1))
F23 = Definition("F23", "one step adds noise", q(x(t), x(t - 1)), Normal(x(t), sqrt(1 - beta(t)) * x(t - 1), beta(t)))
MARGINAL = Definition(
    "F26",
    "the chain has no memory: what lies between is integrated out",
    q(x(t), x(0)),
    Mean(q(x(t), x(t - 1)), x(t - 1), q(x(t - 1), x(0))),
)


def as_draw(law: Expr) -> Expr:
    """A draw from a ``Normal``: its mean and, times ``epsilon_t``, its standard deviation."""
    _, mean, variance = law.args
    return mean + sqrt(variance) * eps(t)


def random_points(seed: int = 0) -> tuple[Any, Any, dict[Expr, Any]]:
    """A schedule of 1,001 random betas, the steps 2..1001, and random values of what stands in a formula at each."""
    import torch

    from lecture11.diffusion import NoiseSchedule

    generator = torch.Generator().manual_seed(seed)
    betas = 0.001 + 0.019 * torch.rand(1001, generator=generator, dtype=torch.float64)
    s, steps = NoiseSchedule(betas.sort().values), torch.arange(2, 1002)
    draws = torch.randn(6, 1000, generator=generator, dtype=torch.float64)
    return s, steps, {
        alpha(t): s.alpha(steps), alpha(t - 1): s.alpha(steps - 1), beta(t): s.beta(steps),
        abar(t): s.alpha_bar(steps), abar(t - 1): s.alpha_bar(steps - 1), abar(t - 2): s.alpha_bar(steps - 2),
        x(0): draws[0], x(t): draws[1], x(t - 1): draws[2], x(t - 2): draws[3], eps(t): draws[4], eps(t - 1): draws[5],
    }  # fmt: skip


def _q_sample() -> tuple[Any, dict[Expr, Any]]:
    from lecture11 import diffusion

    s, steps, at = random_points()
    return diffusion.q_sample(s, at[x(0)], steps, at[eps(t)]), at


F28_BASE = Derivation(
    key="F28.base",
    statement="one step at once",
    start=q(x(1), x(0)),
    steps=(
        Step(Normal(x(1), sqrt(1 - beta(1)) * x(0), beta(1)), "a step", by=(F23.at({t: 1}),)),
        Step(
            Normal(x(1), sqrt(abar(1)) * x(0), 1 - abar(1)),
            "name the variance that is kept",
            by=(ALPHA.at({t: 1}), ABAR_1),
        ),
    ),
)

_before = Normal(x(t - 1), sqrt(abar(t - 1)) * x(0), 1 - abar(t - 1))
_mean, _variance = sqrt(alpha(t) * abar(t - 1)) * x(0), beta(t) + alpha(t) * (1 - abar(t - 1))
F28 = Derivation(
    key="F28",
    statement="t steps at once",
    start=q(x(t), x(0)),
    steps=(
        Step(MARGINAL.right, "integrate over the step before", by=(MARGINAL,)),
        Step(Mean(F23.right, x(t - 1), _before), "a step, and the statement for t - 1", by=(F23, HYPOTHESIS)),
        Step(Normal(x(t), _mean, _variance), "integrate over a Gaussian", by=(ALPHA,)),
        Step(Normal(x(t), sqrt(abar(t)) * x(0), 1 - abar(t)), "name what is kept", by=(ALPHA, ABAR)),
    ),
    induction=Induction(t, F28_BASE),
    code=Code("diffusion.q_sample", _q_sample, of=as_draw),
)
DERIVATIONS = (F28_BASE, F28)
EXPERIMENTS: tuple[Experiment, ...] = ()
