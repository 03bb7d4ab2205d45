"""The bound below the likelihood in four lines, and the divergence in it (F12-F16)."""

from typing import Any

from sympy import Expr, Function, Integer, Rational, Symbol, exp, log, pi
from sympy import Integral as OverInterval

from lecture11.symbolic.autoencoder import d, j, over_axes
from lecture11.symbolic.chain import Code
from lecture11.symbolic.facts import HYPOTHESIS, Assumption, Definition, Derivation, Induction, Step
from lecture11.symbolic.terms import KL, Mean, Normal, density, indexed
from lecture11.symbolic.vae.decoder import (
    EXACT,
    k,
    likelihood,
    marginal,
    pixel,
    posterior,
    prior,
    q,
    random_numbers,
    x,
    z,
    z1,
    z2,
)

# --- Divergences ------------------------------------------------------------------------------------------------------

divergence = KL


def kl(left: Expr, right: Expr, variable: Expr, *where: Expr) -> Definition:
    """What ``KL(left, right)`` is."""
    mean = Mean(log(left / right), variable, left)
    return Definition("KL", "what a divergence is", divergence(left, right), mean, where)


u, gap = Symbol("u", positive=True), indexed("gap", "G", nonnegative=True)
gap._latex = lambda self, printer: rf"G\left({printer._print(self.args[0])}\right)"
part = Symbol("t", real=True)


def written_out(e: Expr) -> Expr:
    """A formula without the name for u - 1 - ln u."""
    return e.replace(gap, lambda u: u - 1 - log(u))


F12_GAP = Derivation(
    key="F12.gap",
    statement="the logarithm lies below its tangent: u - 1 - ln u is not negative, which has the name G(u)",
    start=u - 1 - log(u),
    steps=(
        Step(
            u - 1 - OverInterval((u - 1) / (1 + part * (u - 1)), (part, 0, 1)),
            "the logarithm as the integral of its slope",
        ),
        Step((u - 1) ** 2 * OverInterval(part / (1 + part * (u - 1)), (part, 0, 1)), "one integral"),
    ),
    nonnegative=True,
)
GAP = Definition("F12", "G: how far ln u is below its tangent", gap(u), u - 1 - log(u), sign=F12_GAP)

left, right = density("left", "f")(z), density("right", "h")(z)
LEFT_MASS = Definition("F12", "a density has mass 1", Mean(1, z, left), Integer(1))
RIGHT_MASS = Definition("F12", "a density has mass 1", Mean(1, z, right), Integer(1))

F12_DIVERGENCE = Derivation(
    key="F12.divergence",
    statement="the divergence of any two densities f and h is never negative (Gibbs)",
    start=divergence(left, right),
    steps=(
        Step(Mean(log(left / right), z, left), "what it is", by=(kl(left, right, z),)),
        Step(
            Mean(right / left - 1 - log(right / left), z, left) + Mean(1, z, left) - Mean(1, z, right),
            "add and subtract both masses",
        ),
        Step(Mean(right / left - 1 - log(right / left), z, left), "both masses are 1", by=(LEFT_MASS, RIGHT_MASS)),
        Step(Mean(gap(right / left), z, left), "a logarithm below its tangent", by=(GAP.at({u: right / left}),)),
    ),
    nonnegative=True,
)

# --- The bound (F12-F15) ----------------------------------------------------------------------------------------------

joint = density("both", r"p_\theta", of=2)
JOINT = Definition("F9", "first a code, then an image", joint(x, z), likelihood * prior(z))
POSTERIOR = EXACT
MASS = Definition("F12", "q is a density", Mean(1, z, q(z, x)), Integer(1))

elbo = Function("ELBO", real=True)(x)
slack = divergence(q(z, x), posterior)
ELBO = Definition("F12", "the bound", elbo, Mean(log(joint(x, z) / q(z, x)), z, q(z, x)))

F12_LAW = Derivation(
    key="F12.parts",
    statement="the log-likelihood in two parts, for any distribution q of the code, and any p(x) and p(z|x)",
    start=log(marginal),
    steps=(
        Step(log(marginal) * Mean(1, z, q(z, x)), "q has mass 1", by=(MASS,)),
        Step(Mean(log(marginal), z, q(z, x)), "it does not depend on z"),
        Step(
            Mean(log(marginal * posterior / q(z, x)), z, q(z, x)) + Mean(log(q(z, x) / posterior), z, q(z, x)),
            "multiply and divide by both distributions of the code",
        ),
        Step(
            Mean(log(marginal * posterior / q(z, x)), z, q(z, x)) + slack,
            "what a divergence is",
            by=(kl(q(z, x), posterior, z),),
        ),
    ),
)

F12 = Derivation(
    key="F12",
    statement="the log-likelihood is the bound and a slack: the divergence of q from the posterior",
    start=log(marginal),
    steps=(
        Step(Mean(log(marginal * posterior / q(z, x)), z, q(z, x)) + slack, "in two parts", by=(F12_LAW,)),
        Step(Mean(log(joint(x, z) / q(z, x)), z, q(z, x)) + slack, "Bayes' rule, at every z", by=(POSTERIOR, JOINT)),
        Step(elbo + slack, "the mean is the bound", by=(ELBO,)),
    ),
)

F12_SLACK = Derivation(
    key="F12.slack",
    statement="ELBO is a lower bound: the slack is never negative",
    start=log(marginal) - elbo,
    steps=(
        Step(slack, "a divergence", by=(F12,)),
        Step(
            Mean(gap(posterior / q(z, x)), z, q(z, x)),
            "a divergence is never negative",
            by=(F12_DIVERGENCE.at({left: q(z, x), right: posterior}),),
        ),
    ),
    nonnegative=True,
)


def inside(e: Expr) -> Expr:
    """A formula with each mean replaced by what it is the mean of: what the package computes at one draw."""
    return e.replace(lambda part: isinstance(part, Mean), lambda mean: mean.args[0])


def _network() -> tuple[Any, Any, Any, dict[Expr, Any]]:
    """A VAE of random weights with d = 3 and one latent, 1,000 images and noise; and what stands in the lines."""
    import torch
    from torch import nn

    from lecture11 import gaussian, vae

    class Encoder(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.tanh(x @ random_numbers(3, 2)).unflatten(1, (2, 1))

    class Decoder(nn.Module):
        def forward(self, z: torch.Tensor) -> torch.Tensor:
            return torch.sin(z @ random_numbers(1, 3, seed=1))

    model, x_, noise = vae.VAE(Encoder(), Decoder()), random_numbers(1000, 3, seed=2), random_numbers(1000, 1, seed=3)
    mu, log_var = model.encode(x_)
    code = gaussian.reparametrise(mu, log_var, eps=noise)
    values: dict[Expr, Any] = {
        likelihood: gaussian.log_prob(x_, model.mean(code), 0 * x_).exp(),
        prior(z): gaussian.log_prob(code, 0 * code, 0 * code).exp(),
        q(z, x): gaussian.log_prob(code, mu, log_var).exp(),
        divergence(q(z, x), prior(z)): gaussian.kl(mu, log_var, 0 * mu, 0 * mu),
        missed(z): (x_ - model.mean(code)).square().sum(1),
    }
    return model, x_, noise, values


def _log_weights() -> tuple[Any, dict[Expr, Any]]:
    model, x_, noise, values = _network()
    return model.log_weights(x_, 1, eps=noise[None])[0], values


def _elbo() -> tuple[Any, dict[Expr, Any]]:
    model, x_, noise, values = _network()
    return model.elbo(x_, eps=noise).total, values


F13 = Derivation(
    key="F13",
    statement="line 2: the decoder's log-density, less the logarithm of q over the prior",
    start=elbo,
    steps=(
        Step(ELBO.right, "line 1", by=(ELBO,)),
        Step(Mean(log(likelihood * prior(z) / q(z, x)), z, q(z, x)), "first a code, then an image", by=(JOINT,)),
        Step(Mean(log(likelihood) - log(q(z, x) / prior(z)), z, q(z, x)), "the logarithm of a product"),
    ),
    code=Code("vae.VAE.log_weights", _log_weights, of=inside),
)

F14 = Derivation(
    key="F14",
    statement="line 3: the second part is a divergence",
    start=elbo,
    steps=(
        Step(F13.right, "line 2", by=(F13,)),
        Step(Mean(log(likelihood), z, q(z, x)) - Mean(log(q(z, x) / prior(z)), z, q(z, x)), "the mean of a difference"),
        Step(
            Mean(log(likelihood), z, q(z, x)) - divergence(q(z, x), prior(z)),
            "what a divergence is",
            by=(kl(q(z, x), prior(z), z),),
        ),
    ),
    code=Code("vae.VAE.elbo", _elbo, of=inside),
)

answer = indexed("dec_pixels", r"\operatorname{Dec}_\theta", real=True)  # answer(z, j): pixel j of Dec(z)
missed = indexed("missed", "S", nonnegative=True)
DECODER = Assumption(
    "F7", "the decoder's density: d pixels, independent given the code, with v = 1",
    likelihood, exp(over_axes(log(Normal(pixel(j), answer(z, j), 1)))), for_all=(z,),
)  # fmt: skip
MISSED = Definition("F15", "the squared distance", missed(z), over_axes((pixel(j) - answer(z, j)) ** 2))
_reconstruction = Mean(-missed(z) / 2, z, q(z, x))

F15 = Derivation(
    key="F15",
    statement="line 4: half the squared distance S_z of the image from Dec(z), the divergence, and a constant",
    start=elbo,
    steps=(
        Step(F14.right, "line 3", by=(F14,)),
        Step(
            Mean(-missed(z) / 2 - d * log(2 * pi) / 2, z, q(z, x)) - divergence(q(z, x), prior(z)),
            "the log-density of d pixels, with v = 1",
            by=(DECODER, MISSED),
        ),
        Step(
            _reconstruction - d * log(2 * pi) / 2 * Mean(1, z, q(z, x)) - divergence(q(z, x), prior(z)),
            "the mean of a sum",
        ),
        Step(_reconstruction - d * log(2 * pi) / 2 - divergence(q(z, x), prior(z)), "q has mass 1", by=(MASS,)),
    ),
    code=Code("vae.VAE.elbo", _elbo, of=lambda e: inside(e).subs(d, 3)),
    printed=(
        ("E5", _reconstruction - divergence(q(z, x), prior(z))),
        ("E5", _reconstruction - d * log(2 * pi) / 2 - divergence(q(z, x), q(z))),
    ),
)

# --- The divergence (F16) ---------------------------------------------------------------------------------------------

mu, sigma = Symbol("mu", real=True), Symbol("sigma", positive=True)
_encoder, _standard = Normal(z, mu, sigma**2), Normal(z, 0, 1)
_divergence = (mu**2 + sigma**2 - 1 - log(sigma**2)) / 2


def _kl_to_standard_normal() -> tuple[Any, dict[Expr, Any]]:
    from lecture11 import gaussian

    mu_, log_var = random_numbers(2, 1000, 1)
    return gaussian.kl_to_standard_normal(mu_, log_var), {mu: mu_[:, 0], sigma: (log_var[:, 0] / 2).exp()}


F16_ONE = Derivation(
    key="F16.one",
    statement="the divergence of a Gaussian from the standard one, for one latent",
    start=divergence(_encoder, _standard),
    steps=(
        Step(Mean(log(_encoder / _standard), z, _encoder), "what it is", by=(kl(_encoder, _standard, z),)),
        Step(
            Mean(z**2 / 2 - (z - mu) ** 2 / (2 * sigma**2) - log(sigma), z, _encoder),
            "the logarithms of two normal densities",
        ),
        Step((mu**2 + sigma**2) / 2 - Rational(1, 2) - log(sigma), "three means: two squares and a constant"),
        Step(_divergence, "one fraction"),
    ),
    code=Code("gaussian.kl_to_standard_normal", _kl_to_standard_normal),
    printed=(("E6", mu**2 / 2 + sigma**2 - 1 - log(sigma**2)),),
)

F16_SIGN = Derivation(
    key="F16.sign",
    statement=r"it is never negative, and zero for $\mu = 0$, $\sigma = 1$ alone",
    start=divergence(_encoder, _standard),
    steps=(
        Step(_divergence, "in closed form", by=(F16_ONE,)),
        Step(mu**2 / 2 + gap(sigma**2) / 2, "a logarithm below its tangent", by=(GAP.at({u: sigma**2}),)),
    ),
    nonnegative=True,
)

q_1, q_2 = density("q_1", "q_1")(z1), density("q_2", "q_2")(z2)
p_1, p_2 = density("p_1", "p_1")(z1), density("p_2", "p_2")(z2)

F16_PRODUCT = Derivation(
    key="F16.product",
    statement="the divergences of two independent parts of a code, z_1 and z_2, of whatever distributions, add up",
    start=Mean(Mean(log(q_1 * q_2 / (p_1 * p_2)), z2, q_2), z1, q_1),
    steps=(
        Step(
            Mean(log(q_1 / p_1), z1, q_1) * Mean(1, z2, q_2) + Mean(log(q_2 / p_2), z2, q_2) * Mean(1, z1, q_1),
            "the logarithm of a product, term by term",
        ),
        Step(
            divergence(q_1, p_1) + divergence(q_2, p_2),
            "densities have mass 1",
            by=(
                kl(q_1, p_1, z1),
                kl(q_2, p_2, z2),
                Definition("F16", "a density has mass 1", Mean(1, z1, q_1), Integer(1)),
                Definition("F16", "a density has mass 1", Mean(1, z2, q_2), Integer(1)),
            ),
        ),
    ),
)

mus, sigmas = indexed("mus", r"\mu", real=True), indexed("sigmas", r"\sigma", positive=True)
total, norm = indexed("total", r"\operatorname{KL}", real=True), indexed("norm", "M", nonnegative=True)
trace, logdet = indexed("trace", "T", nonnegative=True), indexed("logdet", "D", real=True)
coded, plain = density("coded", r"q_\phi"), density("plain", "p")  # of the first k latents together, z_1
_of_last, _plain_last = Normal(z2, mus(k), sigmas(k) ** 2), Normal(z2, 0, 1)
_coordinate = divergence(Normal(z, mus(k), sigmas(k) ** 2), _standard)
START = tuple(
    Definition("F16", "no coordinate yet: all sums are 0", quantity(0), Integer(0))
    for quantity in (norm, trace, logdet)
)
NO_LATENTS = Definition("F16", "without latents both distributions are one", coded(z1, 0), plain(z1, 0))
TOTAL = Definition("F16", "the divergence with k latents", total(k), divergence(coded(z1, k), plain(z1, k)))
LAST = Assumption(
    "F16", "the k-th latent, z_2, apart: in both distributions it is independent of those before it, z_1",
    divergence(coded(z1, k), plain(z1, k)),
    Mean(Mean(log(coded(z1, k - 1) * _of_last / (plain(z1, k - 1) * _plain_last)), z2, _of_last), z1, coded(z1, k - 1)),
    (k,), (k - 1,),
)  # fmt: skip
NORM = Definition("F16", r"$M_k$ is the squared length of $\mu$", norm(k), norm(k - 1) + mus(k) ** 2,
                  (k - 1,))  # fmt: skip
TRACE = Definition("F16", r"$T_k$ is the trace of $\Sigma$", trace(k), trace(k - 1) + sigmas(k) ** 2, (k - 1,))
LOGDET = Definition("F16", r"$D_k$ is its log-determinant", logdet(k), logdet(k - 1) + log(sigmas(k) ** 2), (k - 1,))


def _kl_of_three() -> tuple[Any, dict[Expr, Any]]:
    from lecture11 import gaussian

    mu_, log_var = random_numbers(2, 1000, 3)
    at = {norm(3): mu_.square().sum(1), trace(3): log_var.exp().sum(1), logdet(3): log_var.sum(1)}
    return gaussian.kl_to_standard_normal(mu_, log_var), at


F16_BASE = Derivation(
    key="F16.base",
    statement="without latents all is 0",
    start=total(0),
    steps=(
        Step(
            (norm(0) + trace(0) - logdet(0)) / 2,
            "there is nothing to tell the distributions apart, and three sums have no term",
            by=(TOTAL.at({k: 0}), kl(coded(z1, 0), plain(z1, 0), z1), NO_LATENTS, *START),
        ),
    ),
)

F16 = Derivation(
    key="F16",
    statement="the divergence of the encoder's distribution from the prior, with k latents: $M_k$ is the squared "
    r"length of $\mu$, $T_k$ the trace of $\Sigma$, $D_k$ its log-determinant",
    start=total(k),
    steps=(
        Step(LAST.right, "the last latent apart", by=(TOTAL, LAST)),
        Step(
            total(k - 1) + divergence(_of_last, _plain_last),
            "independent parts: the divergences add up",
            by=(
                F16_PRODUCT.at({q_1: coded(z1, k - 1), p_1: plain(z1, k - 1), q_2: _of_last, p_2: _plain_last}),
                TOTAL.at({k: k - 1}),
            ),
        ),
        Step(
            (norm(k - 1) + trace(k - 1) - (k - 1) - logdet(k - 1)) / 2
            + (mus(k) ** 2 + sigmas(k) ** 2 - 1 - log(sigmas(k) ** 2)) / 2,
            "the statement for k - 1, and one coordinate",
            by=(HYPOTHESIS, F16_ONE.at({mu: mus(k), sigma: sigmas(k)})),
        ),
        Step((norm(k) + trace(k) - k - logdet(k)) / 2, "three sums", by=(NORM, TRACE, LOGDET)),
    ),
    induction=Induction(k, F16_BASE, first=0),
    code=Code("gaussian.kl_to_standard_normal", _kl_of_three, of=lambda e: e.subs(k, 3)),
    printed=(("E6", norm(k) / 2 + trace(k) - k - logdet(k)),),
)

# --- What a naive estimate misses (F10) -------------------------------------------------------------------------------

told = Symbol("D", real=True)
_surprise = posterior / prior(z) * exp(-told)
TOLD = Definition("F10", "how much the image tells of its code", told, divergence(posterior, prior(z)))
POSTERIOR_MASS = Definition("F10", "the posterior is a density", Mean(1, z, posterior), Integer(1))

F10_TOLD = Derivation(
    key="F10.told",
    statement="how much an image tells of its code: D, the divergence of its posterior from the prior",
    start=Mean(log(posterior / prior(z)), z, posterior),
    steps=(Step(told, "what a divergence is", by=(TOLD, kl(posterior, prior(z), z))),),
)

F10 = Derivation(
    key="F10",
    statement="whatever the decoder, the naive estimate fails as far as the image says something of its code. Of "
    "the weight "
    r"$p_\theta(x \mid z)$ of a draw, the mean square over the square of the mean is at least $e^D$, with D "
    "of F10.told: it takes so many draws to see one good one. G(u) = u - 1 - ln u",
    start=Mean(likelihood**2, z, prior(z)) / marginal**2 - exp(told),
    steps=(
        Step(
            Mean(posterior / prior(z), z, posterior) - exp(told),
            "Bayes' rule: a mean over the posterior", by=(POSTERIOR,),
        ),
        Step(
            exp(told)
            * (
                Mean(_surprise - 1 - log(_surprise), z, posterior)
                + (1 - told) * Mean(1, z, posterior) - 1
                + Mean(log(posterior / prior(z)), z, posterior)
            ),
            "add and subtract",
        ),
        Step(
            exp(told) * Mean(gap(_surprise), z, posterior),
            "what is added is 0; a logarithm below its tangent",
            by=(POSTERIOR_MASS, F10_TOLD, GAP.at({u: _surprise})),
        ),
    ),
    nonnegative=True,
)  # fmt: skip

DERIVATIONS = (
    F12_GAP, F12_DIVERGENCE, F12_LAW, F12, F12_SLACK, F13, F14, F15, F16_ONE, F16_SIGN, F16_PRODUCT, F16_BASE, F16,
    F10_TOLD, F10,
)  # fmt: skip
