"""Drawing a code through noise, and the gradients that this gives (F17)."""

from typing import Any

from sympy import Derivative, Expr, Symbol, exp, log

from lecture11.symbolic.chain import Code, Experiment
from lecture11.symbolic.facts import Derivation, Step
from lecture11.symbolic.terms import Mean, Normal
from lecture11.symbolic.vae.decoder import OTHER, eps, f, h, one, random_numbers, scale, start, z
from lecture11.symbolic.vae.elbo import inside, mu, sigma

t = Symbol("t", real=True)
_encoder, _noise = Normal(z, mu, sigma**2), Normal(eps, 0, 1)
_code = mu + sigma * eps
hidden = Symbol("z'", real=True)  # all latents but one

MOVED = OTHER.at({h(one): f(one, hidden) * Normal(one, mu, sigma**2), start: mu, scale: sigma})


def _points() -> tuple[Any, Any, Any, dict[Expr, Any]]:
    """The encoder's answer, noise, and what stands in the formulas."""
    import torch

    noise = random_numbers(1000, 1)
    mu_, log_var = torch.tensor([0.3], dtype=torch.float64), torch.tensor([-0.4], dtype=torch.float64)
    deviation = (log_var / 2).exp()
    at: dict[Expr, Any] = {mu: mu_, sigma: deviation, eps: noise[:, 0], z: (mu_ + deviation * noise)[:, 0], t: 0.7}
    return mu_, log_var, noise, at


def _reparametrise() -> tuple[Any, dict[Expr, Any]]:
    from lecture11 import gaussian

    mu_, log_var, noise, at = _points()
    return gaussian.reparametrise(mu_.expand_as(noise), log_var.expand_as(noise), eps=noise)[:, 0], at


def _as_draw(law: Expr) -> Expr:
    """The code of a noise, as it stands in the goal."""
    (goal,) = law.atoms(type(f(z, hidden)))
    return goal.args[0]


def _gradient(name: str, of: int) -> tuple[Any, dict[Expr, Any]]:
    import torch

    from lecture11 import vae

    mu_, log_var, noise, at = _points()
    estimates = getattr(vae, name)(lambda code: torch.exp(0.7 * code[:, 0]), mu_, log_var, noise)
    return estimates[of][:, 0], at


def at_one_draw(e: Expr) -> Expr:
    """What is integrated, over the noise's or the code's density, with e^(t z) for f."""
    known = e.replace(f, lambda code, _: exp(t * code)).doit(deep=False)
    density_ = next(law for law in (_noise, _encoder) if inside(known).has(law))
    return inside(known).replace(Derivative, lambda g, x: g.diff(x[0])) / density_


F17 = Derivation(
    key="F17",
    statement=r"$z = \mu + \sigma \epsilon$ has the encoder's distribution: whatever f is, its mean over codes of that "
    r"distribution is its mean over the noise. z is one latent, z' all others: so one after the other is drawn by "
    "noise of its own",
    start=Mean(f(z, hidden) * _encoder, z, 1),
    steps=(
        Step(
            Mean(sigma * f(_code, hidden) * Normal(_code, mu, sigma**2), eps, 1),
            r"put in $z = \mu + \sigma \epsilon$", by=(MOVED,),
        ),
        Step(Mean(f(_code, hidden) * _noise, eps, 1), r"the density of $\epsilon$ is left"),
    ),
    code=Code("gaussian.reparametrise", _reparametrise, of=_as_draw),
)  # fmt: skip

e1, e2 = Symbol("epsilon_1", real=True), Symbol("epsilon_2", real=True)
s1, s2 = Symbol("sigma_1", positive=True), Symbol("sigma_2", positive=True)

F17_INDEPENDENT = Derivation(
    key="F17.independent",
    statement=r"each latent has its own noise: the mean product of two, here with one mean $\mu$, is the product of "
    "their means, so that they are uncorrelated, as q says",
    start=Mean(Mean((mu + s1 * e1) * (mu + s2 * e2), e2, Normal(e2, 0, 1)), e1, Normal(e1, 0, 1)),
    steps=(
        Step(
            Mean(mu + s1 * e1, e1, Normal(e1, 0, 1)) * Mean(mu + s2 * e2, e2, Normal(e2, 0, 1)),
            "independent: a product of means",
        ),
        Step(mu**2, "noise has mean 0"),
    ),
    printed=(("E7", mu**2 + s1 * s2),),
)

# --- The gradients (F17) ----------------------------------------------------------------------------------------------

F17_SLOPE = Derivation(
    key="F17.slope",
    statement=r"the gradient for $\mu$ is a mean of gradients, for any f that may be differentiated below the "
    r"integral: "
    "f has a derivative, and that is bounded by what has a mean",
    start=Derivative(F17.start, mu),
    steps=(
        Step(Derivative(F17.right, mu), "draw the noise instead of the code", by=(F17,)),
        Step(
            Mean(Derivative(f(_code, hidden), mu) * _noise, eps, 1),
            "the distribution of the noise does not move: differentiate inside",
        ),
    ),
    code=Code("vae.reparametrised_gradient", lambda: _gradient("reparametrised_gradient", 0), of=at_one_draw),
)

ell = Symbol("l", real=True)  # ln sigma^2
_with_ell = {sigma: exp(ell / 2)}
_code_of_ell = _code.xreplace(_with_ell)

F17_SPREAD = Derivation(
    key="F17.spread",
    statement=r"the same for the logarithm of the variance, $l = \ln \sigma^2$",
    start=Derivative(F17.start.xreplace(_with_ell), ell),
    steps=(
        Step(Derivative(F17.right.xreplace(_with_ell), ell), "draw the noise", by=(F17.at(_with_ell),)),
        Step(Mean(Derivative(f(_code_of_ell, hidden), ell) * _noise, eps, 1), "differentiate inside"),
    ),
    code=Code(
        "vae.reparametrised_gradient",
        lambda: _gradient("reparametrised_gradient", 1),
        of=lambda e: at_one_draw(e).subs(ell, log(sigma**2)),
    ),
)

F17_SCORE = Derivation(
    key="F17.score",
    statement="the same gradient by the score function, without a derivative of f: against what the notes say "
    "(E7), it needs no trick",
    start=Derivative(F17.start, mu),
    steps=(
        Step(
            Mean(f(z, hidden) * Derivative(log(_encoder), mu) * _encoder, z, 1),
            "the slope of a density is it times that of its log",
        ),
        Step(Mean(f(z, hidden) * (z - mu) / sigma**2 * _encoder, z, 1), "the slope of a parabola"),
    ),
    code=Code("vae.score_function_gradient", lambda: _gradient("score_function_gradient", 0), of=at_one_draw),
)

F17_VARIANCE = Derivation(
    key="F17.variance",
    statement="for $f(z) = z^2$ the score function has the larger variance: both estimates have one mean, so that "
    "their mean squares are compared",
    start=Mean((z**2 * (z - mu) / sigma**2) ** 2, z, _encoder) - Mean((2 * z) ** 2, z, _encoder),
    steps=(
        Step(
            Mean((mu + sigma * eps) ** 4 * eps**2, eps, _noise) / sigma**2
            - Mean(4 * (mu + sigma * eps) ** 2, eps, _noise),
            r"put in $z = \mu + \sigma \epsilon$",
        ),
        Step(
            (mu**4 + 18 * mu**2 * sigma**2 + 15 * sigma**4) / sigma**2 - 4 * (mu**2 + sigma**2),
            r"the mean of $\epsilon^2$, $\epsilon^4$, $\epsilon^6$ is 1, 3, 15",
        ),
        Step(mu**4 / sigma**2 + 14 * mu**2 + 11 * sigma**2, "sort by powers"),
    ),
    nonnegative=True,
)

DERIVATIONS = (F17, F17_INDEPENDENT, F17_SLOPE, F17_SPREAD, F17_SCORE, F17_VARIANCE)
EXPERIMENTS = (
    Experiment(
        "F17",
        "the score-function estimator has the larger variance",
        "tests/test_vae.py::test_the_score_function_estimator_has_the_larger_variance",
    ),
)
