"""Drawing a code through noise, and the gradients that this gives (F17)."""

from typing import Any

from sympy import Derivative, Expr, Symbol, exp, log

from lecture11.symbolic.chain import Code, Experiment
from lecture11.symbolic.facts import Definition, Derivation, Step
from lecture11.symbolic.terms import Mean, Normal
from lecture11.symbolic.vae.decoder import q, random_numbers, x, z
from lecture11.symbolic.vae.elbo import inside, mu, sigma

t = Symbol("t", real=True)
eps = Symbol(r"\epsilon", real=True)
_encoder, _noise = Normal(z, mu, sigma**2), Normal(eps, 0, 1)
_f, _moved = exp(t * z), exp(t * (mu + sigma * eps))


def _points() -> tuple[Any, Any, Any, dict[Expr, Any]]:
    """A function, the encoder's answer, noise, and what stands in the formulas."""
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
    """The code of a normal law that the noise leads to."""
    (normal,) = law.atoms(Normal)
    return (eps - normal.args[0].subs(z, 0)) / normal.args[0].diff(z)


def _gradient(name: str, of: int) -> tuple[Any, dict[Expr, Any]]:
    import torch

    from lecture11 import vae

    mu_, log_var, noise, at = _points()
    estimates = getattr(vae, name)(lambda code: torch.exp(0.7 * code[:, 0]), mu_, log_var, noise)
    return estimates[of][:, 0], at


F17 = Derivation(
    key="F17",
    statement=r"$z = \mu + \sigma \epsilon$ has the encoder's law: $(z - \mu) / \sigma$ is standard normal",
    start=q(z, x),
    steps=(
        Step(_encoder, "the encoder's law", by=(Definition("F11", "the encoder's law", q(z, x), _encoder),)),
        Step(Normal((z - mu) / sigma, 0, 1) / sigma, "the noise in it is standard normal"),
    ),
    code=Code("gaussian.reparametrise", _reparametrise, of=_as_draw),
)

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

F17_SLOPE = Derivation(
    key="F17.slope",
    statement=r"the gradient for $\mu$ is the mean of gradients, for $f(z) = e^{t z}$, and so for every polynomial: "
    "compare powers of t",
    start=Derivative(Mean(_f, z, _encoder), mu),
    steps=(
        Step(Derivative(Mean(_moved, eps, _noise), mu), "draw the noise instead of the code"),
        Step(Mean(t * _moved, eps, _noise), "the law of the noise does not move: differentiate inside"),
    ),
    code=Code("vae.reparametrised_gradient", lambda: _gradient("reparametrised_gradient", 0), of=inside),
)

ell = Symbol("l", real=True)  # ln sigma^2
LOG_VARIANCE = Definition("F11", "the encoder gives the logarithm of the variance", sigma, exp(ell / 2))

F17_SPREAD = Derivation(
    key="F17.spread",
    statement=r"the same for the logarithm of the variance, $l = \ln \sigma^2$",
    start=Derivative(Mean(exp(t * (mu + exp(ell / 2) * eps)), eps, _noise), ell),
    steps=(
        Step(
            Mean(t * exp(ell / 2) * eps / 2 * exp(t * (mu + exp(ell / 2) * eps)), eps, _noise), "differentiate inside"
        ),
        Step(Mean(t * sigma * eps / 2 * _moved, eps, _noise), "name the deviation", by=(LOG_VARIANCE,)),
    ),
    code=Code("vae.reparametrised_gradient", lambda: _gradient("reparametrised_gradient", 1), of=inside),
)

F17_SCORE = Derivation(
    key="F17.score",
    statement="the same gradient by the score function, without a derivative of f: against what the notes say "
    "(E7), it needs no trick",
    start=Derivative(Mean(_f, z, _encoder), mu),
    steps=(
        Step(
            Mean(_f * Derivative(log(_encoder), mu), z, _encoder), "the slope of a density is it times that of its log"
        ),
        Step(Mean(_f * (z - mu) / sigma**2, z, _encoder), "the slope of a parabola"),
    ),
    code=Code("vae.score_function_gradient", lambda: _gradient("score_function_gradient", 0), of=inside),
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
