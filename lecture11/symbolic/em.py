"""Variational EM: what each step gains, that nothing falls, and where it ends (F18-F20).

The steps are for any decoder and any data. Where it ends is solved for a linear decoder: with one latent, where several
do not mix, since columns at right angles are enough (``F9.rotation``); its rows, the pixels, are fitted one by one.
"""

from typing import Any

from sympy import Derivative, Expr, Function, Integer, Rational, Sum, Symbol, exp, log, sqrt

from lecture11.symbolic.autoencoder import F3_HELD, KEPT, NONE_KEPT, above, below, d, i, j, kept, large, lost, small
from lecture11.symbolic.autoencoder import k as rank
from lecture11.symbolic.autoencoder import spread as eigenvalue
from lecture11.symbolic.autoencoder import v as v_
from lecture11.symbolic.chain import Code, Experiment
from lecture11.symbolic.facts import HYPOTHESIS, Assumption, Definition, Derivation, Induction, Step
from lecture11.symbolic.terms import Mean, Normal, density, indexed
from lecture11.symbolic.vae.decoder import (
    R,
    c,
    constant,
    data,
    g,
    linear_models,
    marginal,
    of_three_pixels,
    posterior,
    prior,
    q,
    random_numbers,
    v,
    x,
    z,
)
from lecture11.symbolic.vae.elbo import (
    F12,
    F12_DIVERGENCE,
    F12_LAW,
    F16_ONE,
    GAP,
    JOINT,
    POSTERIOR,
    divergence,
    elbo,
    gap,
    joint,
    left,
    mu,
    right,
    sigma,
    slack,
    u,
    written_out,
)

# --- The E-step (F18) -------------------------------------------------------------------------------------------------

best_elbo = Function("ELBO_best", real=True)(x)
best_elbo.func._latex = lambda self, printer: r"\operatorname{ELBO}^*(x)"
BEST_ELBO = Definition(
    "F18", "the bound at the posterior", best_elbo, Mean(log(joint(x, z) / posterior), z, posterior)
)  # fmt: skip
POSTERIOR_MASS = Definition("F18", "the posterior is a density", Mean(1, z, posterior), Integer(1))

F18 = Derivation(
    key="F18",
    statement=r"$\operatorname{ELBO}^*$ is the bound at q = p(z|x), where its slack is 0; at another q it is lower "
    "by the slack, so that the E-step ends there",
    start=elbo,
    steps=(
        Step(log(marginal) - slack, "the bound is the likelihood, less a slack", by=(F12,)),
        Step(log(marginal) * Mean(1, z, posterior) - slack, "the posterior has mass 1", by=(POSTERIOR_MASS,)),
        Step(Mean(log(marginal), z, posterior) - slack, "it does not depend on z"),
        Step(
            Mean(log(joint(x, z) / posterior), z, posterior) - slack, "Bayes' rule, at every z", by=(POSTERIOR, JOINT)
        ),
        Step(best_elbo - slack, "the same at q = p(z|x)", by=(BEST_ELBO,)),
    ),
)

F18_RISE = Derivation(
    key="F18.rise",
    statement="the E-step never lowers the bound: what it gains is a mean of G(u) = u - 1 - ln u",
    start=best_elbo - elbo,
    steps=(
        Step(slack, "the slack before it", by=(F18,)),
        Step(
            Mean(gap(posterior / q(z, x)), z, q(z, x)),
            "a divergence is never negative",
            by=(F12_DIVERGENCE.at({left: q(z, x), right: posterior}),),
        ),
    ),
    nonnegative=True,
    printed=(("E8", Integer(0)),),  # of ELBO(phi^, theta) the argument phi is no part: no step gains anything
)

m, s = Symbol("m", real=True), Symbol("s", positive=True)
_q = Normal(z, m, s**2)
_linear_elbo = -(R - 2 * m * c + (m**2 + s**2) * g) / (2 * v) - constant - (m**2 + s**2 - 1 - log(s**2)) / 2


def _models() -> Any:
    """50 linear decoders with 20 images each, and distributions q for them; and what stands in the formulas."""
    models, images, at = linear_models()
    means, deviations = random_numbers(50, 20, seed=2), random_numbers(50, seed=3).exp()
    laws = [(m_[:, None], s_.square()[None, None]) for m_, s_ in zip(means, deviations, strict=True)]
    at |= {m: means.flatten(), s: deviations.repeat_interleave(20)}
    return list(zip(models, images, laws, strict=True)), at


def _elbo() -> tuple[Any, dict[Expr, Any]]:
    import torch

    cases, at = _models()
    return torch.cat([model.elbo(x, *law) for model, x, law in cases]), at


def _rise_of_e_step() -> tuple[Any, dict[Expr, Any]]:
    import torch

    from lecture11 import em

    cases, at = _models()
    return torch.cat([model.elbo(x, *em.e_step(model, x)) - model.elbo(x, *law) for model, x, law in cases]), at


F18_LINEAR = Derivation(
    key="F18.linear",
    statement="the bound of a linear decoder in closed form, in the letters of F9.linear, for q with mean m and "
    "deviation s",
    start=Mean(-(R - 2 * z * c + z**2 * g) / (2 * v) - constant, z, _q) - divergence(_q, Normal(z, 0, 1)),
    steps=(
        Step(
            -(R - 2 * m * c + (m**2 + s**2) * g) / (2 * v) - constant - divergence(_q, Normal(z, 0, 1)),
            "mean and mean square of the code",
        ),
        Step(_linear_elbo, "the divergence in closed form", by=(F16_ONE.at({mu: m, sigma: s}),)),
    ),
    code=Code("vae.LinearGaussian.elbo", _elbo, of=of_three_pixels),
)

_best_m, _best_s = c / (v + g), sqrt(v / (v + g))

F18_GAIN = Derivation(
    key="F18.gain",
    statement="what the E-step gains for a linear decoder, in the same letters: it moves q to m = c / (v + g), "
    "s^2 = v / (v + g)",
    start=_linear_elbo.subs({m: _best_m, s: _best_s}) - _linear_elbo,
    steps=(
        Step(
            ((v + g) * m**2 - 2 * m * c + c**2 / (v + g) + (v + g) * s**2) / (2 * v)
            - Rational(1, 2)
            - log(s**2 * (v + g) / v) / 2,
            "R and the constant cancel",
        ),
        Step(
            (v + g) / (2 * v) * (m - _best_m) ** 2 + (s**2 * (v + g) / v - 1 - log(s**2 * (v + g) / v)) / 2,
            "complete the square in m",
        ),
        Step(
            (v + g) / (2 * v) * (m - _best_m) ** 2 + gap(s**2 * (v + g) / v) / 2,
            "a logarithm below its tangent",
            by=(GAP.at({u: s**2 * (v + g) / v}),),
        ),
    ),
    nonnegative=True,
    code=Code("em.e_step", _rise_of_e_step, of=written_out),
)

# --- The M-step (F19) -------------------------------------------------------------------------------------------------

law_of_data = data(x)
shade, says, tells = (
    indexed("shade", "y", real=True),
    indexed("says", "D", real=True),
    indexed("tells", "D'", real=True),
)
old_law, new_law = density("old_law", r"p_\theta")(x, z), density("new_law", r"p_{\theta'}")(x, z)


def over_data_and(f: Expr, law: Expr) -> Mean:
    """The mean over the data and, for each image, over codes with some distribution."""
    return Mean(Mean(f, z, law), x, law_of_data)


def distance(answer: Expr) -> Sum:
    """The squared distance of an image from a decoder's answer to a code."""
    return Sum((shade(x, j) - answer) ** 2, (j, 1, d))


DECODER, NEW_DECODER = (
    Assumption("F7", "the decoder's density: d pixels, independent given the code",
               law, exp(Sum(log(Normal(shade(x, j), answer(z, j), v)), (j, 1, d))), for_all=(x, z))
    for law, answer in ((old_law, says), (new_law, tells))
)  # fmt: skip

F19 = Derivation(
    key="F19",
    statement="what the M-step gains when it moves the decoder from D to D' and holds q, in the mean over the "
    "data: the "
    r"squared error falls by 2 v times as much, so that its maximum is the least squares. For any decoders; "
    r"$y_{x,j}$ is "
    r"pixel j of the image x, and $D_{z,j}$ what the decoder says of it for the code z",
    start=over_data_and(log(new_law * prior(z) / q(z, x)), q(z, x))
    - over_data_and(log(old_law * prior(z) / q(z, x)), q(z, x)),
    steps=(
        Step(over_data_and(log(new_law) - log(old_law), q(z, x)), "the prior and q stay as they are"),
        Step(
            (over_data_and(distance(says(z, j)), q(z, x)) - over_data_and(distance(tells(z, j)), q(z, x))) / (2 * v),
            "the log-density of d pixels",
            by=(DECODER, NEW_DECODER),
        ),
    ),
)

codes, answer = density("codes", r"q_\phi"), indexed("mean_image", "m", real=True)
CODES = Definition("F6", "the distribution of the codes of all data", codes(z), Mean(q(z, x), x, law_of_data))
ANSWER = Definition(
    "F19", "m is the mean of the images behind a code", answer(z, j),
    Mean(shade(x, j) * q(z, x) / codes(z), x, law_of_data),
)  # fmt: skip

F19_BEST = Derivation(
    key="F19.best",
    statement="of all decoders that with the answers m has the least error, the mean image behind each code: any "
    "other D "
    "adds its mean squared distance from m",
    start=over_data_and(distance(says(z, j)), q(z, x)) - over_data_and(distance(answer(z, j)), q(z, x)),
    steps=(
        Step(
            over_data_and(
                Sum((answer(z, j) - says(z, j)) * (2 * shade(x, j) - answer(z, j) - says(z, j)), (j, 1, d)), q(z, x)
            ),
            "the squares of the pixels cancel",
        ),
        Step(
            Mean(
                Sum(
                    (answer(z, j) - says(z, j))
                    * (
                        2 * Mean(shade(x, j) * q(z, x), x, law_of_data)
                        - (answer(z, j) + says(z, j)) * Mean(q(z, x), x, law_of_data)
                    ),
                    (j, 1, d),
                ),
                z,
                1,
            ),
            "first over the images behind a code",
        ),
        Step(
            Mean(Sum((answer(z, j) - says(z, j)) ** 2, (j, 1, d)), z, codes(z)),
            "their mean is m",
            by=(ANSWER, CODES),
        ),
    ),
    nonnegative=True,
)

# For a decoder that is a line, it can be said what the best one is.
pixel = Symbol("x", real=True)
w, b, w1, b1 = Symbol("w", real=True), Symbol("b", real=True), Symbol("w_1", real=True), Symbol("b_1", real=True)
pairs = density("pairs", "q", of=2)(pixel, z)  # images of the data, codes drawn from q


def over_pairs(f: Expr) -> Mean:
    """The mean over the data and, for each image, over its codes."""
    return Mean(f, (pixel, z), pairs)


_change, _left = (w1 - w) * z + b1 - b, pixel - w1 * z - b1
NORMAL_1 = Assumption("F19", "what the decoder leaves has mean 0", over_pairs(_left), Integer(0))
NORMAL_Z = Assumption("F19", "and so has it times the code", over_pairs(_left * z), Integer(0))

F19_LINE = Derivation(
    key="F19.line",
    statement="for a linear decoder: for one pixel x and its codes z, the decoder w_1 z + b_1 that fulfils the "
    "normal equations has the least error: any other, w z + b, adds the mean square of the difference. "
    r"$\mathbb{E}_q$ is the mean over the data and, for each example, over its codes",
    start=over_pairs((pixel - w * z - b) ** 2),
    steps=(
        Step(over_pairs(_left**2 + 2 * _left * _change + _change**2), "insert w_1 z + b_1, and square"),
        Step(
            over_pairs(_left**2)
            + 2 * (w1 - w) * over_pairs(_left * z)
            + 2 * (b1 - b) * over_pairs(_left)
            + over_pairs(_change**2),
            "the mean of a sum",
        ),
        Step(over_pairs(_left**2) + over_pairs(_change**2), "two normal equations", by=(NORMAL_1, NORMAL_Z)),
    ),
)

S_z, S_x = Symbol("S_z", real=True), Symbol("S_x", real=True)
S_zz, S_xz = Symbol("S_zz", real=True), Symbol("S_xz", real=True)
varied = Symbol("V_z", positive=True)
MEAN_X = Assumption("F19", "the mean of what is left is 0", S_x, w1 * S_z + b1)
MEAN_XZ = Assumption("F19", "and that of it times the code", S_xz, w1 * S_zz + b1 * S_z)
VARIED = Assumption("F19", "the codes differ: $V_z$ is their variance", S_zz, varied + S_z**2)


def _m_step(part: str) -> tuple[Any, dict[Expr, Any]]:
    import torch

    from lecture11 import em, vae

    images, means, deviations = random_numbers(1000, 6, 1), random_numbers(1000, 6, 1, seed=1), random_numbers(1000, 1)
    old = vae.LinearGaussian(torch.ones(1, 1), torch.zeros(1))
    new = [
        em.m_step(old, x, mean, deviation.square()[None])
        for x, mean, deviation in zip(images, means, deviations, strict=True)
    ]
    at: dict[Expr, Any] = {
        S_x: images.mean((1, 2)),
        S_z: means.mean((1, 2)),
        S_xz: (images * means).mean((1, 2)),
        S_zz: means.square().mean((1, 2)) + deviations[:, 0] ** 2,
    }
    at[varied] = at[S_zz] - at[S_z] ** 2
    return torch.stack([getattr(model, part).flatten()[0] for model in new]), at


F19_WEIGHT = Derivation(
    key="F19.weight",
    statement="the normal equations solved for the weight w_1: $S_z$, $S_{zz}$, $S_x$, $S_{xz}$ are the means of "
    "z, z^2, x and x z over data and codes, and $V_z$ is the variance of the codes",
    start=w1,
    steps=(
        Step(((w1 * S_zz + b1 * S_z) - (w1 * S_z + b1) * S_z) / varied, "b_1 cancels", by=(VARIED,)),
        Step((S_xz - S_x * S_z) / varied, "the normal equations", by=(MEAN_X, MEAN_XZ)),
    ),
    code=Code("em.m_step", lambda: _m_step("weight")),
)

F19_BIAS = Derivation(
    key="F19.bias",
    statement="and the bias b_1, with the same means S",
    start=b1,
    steps=(
        Step(((w1 * S_z + b1) * S_zz - (w1 * S_zz + b1 * S_z) * S_z) / varied, "w_1 cancels", by=(VARIED,)),
        Step((S_x * S_zz - S_xz * S_z) / varied, "the normal equations", by=(MEAN_X, MEAN_XZ)),
    ),
    code=Code("em.m_step", lambda: _m_step("bias")),
)

bound = indexed("bound", r"\operatorname{ELBO}", real=True)  # of the data, after so many steps of EM: 0, then E, then M
old_marginal, new_marginal = density("old", r"p_\theta")(x), density("new", r"p_{\theta'}")(x)
old_posterior = density("old_posterior", r"p_\theta")(z, x)
new_posterior = density("new_posterior", r"p_{\theta'}")(z, x)
gain = Symbol("gamma", nonnegative=True)
OLD_MARGINAL, NEW_MARGINAL = (
    Definition("F9", "over all codes", marginal_, Mean(law, z, prior(z)))
    for marginal_, law in ((old_marginal, old_law), (new_marginal, new_law))
)
OLD = Definition("F12", "Bayes' rule, before the M-step", old_posterior, old_law * prior(z) / old_marginal,
                 by=(OLD_MARGINAL,))  # fmt: skip
NEW = Definition("F12", "Bayes' rule, after it", new_posterior, new_law * prior(z) / new_marginal,
                 by=(NEW_MARGINAL,))  # fmt: skip
BOUND_0 = Definition(
    "F12", "the bound of the data before a round", bound(0),
    over_data_and(log(old_marginal * old_posterior / q(z, x)), q(z, x)),
)  # fmt: skip
BOUND_1 = Definition(
    "F12", "after the E-step, when q is the posterior", bound(1),
    over_data_and(log(old_marginal * old_posterior / old_posterior), old_posterior),
)  # fmt: skip
F20 = Definition(
    "F20", "after the M-step, which changes p and leaves q", bound(2),
    over_data_and(log(new_marginal * new_posterior / old_posterior), old_posterior),
)  # fmt: skip
old_fit, new_fit = Symbol("L", real=True), Symbol("L'", real=True)
OLD_FIT, NEW_FIT = (
    Definition("F19", f"the decoder's log-density {when} the M-step", fit, over_data_and(log(law), old_posterior))
    for when, fit, law in (("before", old_fit, old_law), ("after", new_fit, new_law))
)
HIGHER = Assumption(
    "F19", r"the M-step takes a maximum: what it gains, $\gamma$, is not negative", old_fit, new_fit - gain
)

F19_GAIN = Derivation(
    key="F19.gain",
    statement=r"the M-step, in the mean over the data and for any decoder: from $\operatorname{ELBO}_1$ to "
    r"$\operatorname{ELBO}_2$ the bound gains what the decoder's log-density gains. $p_\theta$ is the model before it, "
    r"$p_{\theta'}$ that after it",
    start=bound(1),
    steps=(
        Step(
            over_data_and(log(old_law * prior(z) / old_posterior), old_posterior),
            "the bound of the data after the E-step",
            by=(BOUND_1, OLD),
        ),
        Step(
            over_data_and(log(prior(z) / old_posterior), old_posterior) + old_fit,
            "the part that sees the decoder, and the rest",
            by=(OLD_FIT,),
        ),
        Step(
            over_data_and(log(new_law * prior(z) / old_posterior), old_posterior) - gain,
            "the new decoder",
            by=(HIGHER, NEW_FIT),
        ),
        Step(bound(2) - gain, "the bound after the M-step", by=(F20, NEW)),
    ),
    printed=(("E8", bound(2)),),
)

# --- Nothing falls (F20) ----------------------------------------------------------------------------------------------

OLD_MASS = Definition("F18", "the posterior is a density", Mean(1, z, old_posterior), Integer(1))
_slack = Mean(divergence(q(z, x), old_posterior), x, law_of_data)
_new_slack = Mean(divergence(old_posterior, new_posterior), x, law_of_data)

F18_DATA = Derivation(
    key="F18.data",
    statement=r"the E-step, in the mean over the data: from $\operatorname{ELBO}_0$ to $\operatorname{ELBO}_1$ the "
    "bound gains the slack that it had",
    start=bound(0),
    steps=(
        Step(
            Mean(Mean(log(old_marginal * old_posterior / q(z, x)), z, q(z, x)), x, law_of_data),
            "the bound before",
            by=(BOUND_0,),
        ),
        Step(
            Mean(log(old_marginal) - divergence(q(z, x), old_posterior), x, law_of_data),
            "the likelihood, less a slack, for each image",
            by=(F12_LAW.at({marginal: old_marginal, posterior: old_posterior}),),
        ),
        Step(
            Mean(log(old_marginal) * Mean(1, z, old_posterior), x, law_of_data) - _slack,
            "the posterior has mass 1",
            by=(OLD_MASS,),
        ),
        Step(Mean(Mean(log(old_marginal), z, old_posterior), x, law_of_data) - _slack, "it does not depend on z"),
        Step(bound(1) - _slack, "the bound after it", by=(BOUND_1,)),
    ),
)

F20_RISE = Derivation(
    key="F20",
    statement=r"after a round of EM, with $\theta'$ for $\theta$, the likelihood is at least the bound before it, in "
    r"the mean over the data: three parts, none negative. The bound is $\operatorname{ELBO}_0$ before, "
    r"$\operatorname{ELBO}_1$ after the E-step, $\operatorname{ELBO}_2$ after the M-step, and $\gamma$ what that "
    r"gains; "
    "G(u) = u - 1 - ln u. For any decoder",
    start=Mean(log(new_marginal), x, law_of_data) - bound(0),
    steps=(
        Step(
            over_data_and(log(new_marginal * new_posterior / old_posterior), old_posterior) + _new_slack - bound(0),
            "the new likelihood and its bound; q is still the old posterior",
            by=(F12_LAW.at({marginal: new_marginal, posterior: new_posterior, q(z, x): old_posterior}),),
        ),
        Step(bound(2) + _new_slack - bound(1) + _slack, "the M-step's bound, and the E-step", by=(F20, F18_DATA)),
        Step(gain + _new_slack + _slack, "the M-step", by=(F19_GAIN,)),
        Step(
            gain
            + over_data_and(gap(new_posterior / old_posterior), old_posterior)
            + over_data_and(gap(old_posterior / q(z, x)), q(z, x)),
            "divergences are never negative",
            by=(
                F12_DIVERGENCE.at({left: old_posterior, right: new_posterior}),
                F12_DIVERGENCE.at({left: q(z, x), right: old_posterior}),
            ),
        ),
    ),
    nonnegative=True,
)

# --- Where it ends: one pixel, one latent, b = 0, v = 1 (F20) ---------------------------------------------------------

S, a, t = Symbol("S", positive=True), Symbol("a", real=True), Symbol("t", positive=True)
NEW_WEIGHT = Definition("F19", "the M-step, S_z and S_x being 0", w1, a * S / (a**2 * S + t))
BEST_CODE = Definition("F18", "q has the mean a x", a, w / (1 + w**2))
BEST_SPREAD = Definition("F18", "and the variance t", t, 1 / (1 + w**2))
_simple = -(S * (1 - a * w) ** 2 + t * w**2) / 2 - (a**2 * S + t - 1 - log(t)) / 2


def _round() -> tuple[Any, dict[Expr, Any]]:
    import torch

    from lecture11 import em, vae

    half, weights = random_numbers(1000, 3, 1), random_numbers(1000, seed=1)
    images = torch.cat([half, -half], dim=1)
    models = [vae.LinearGaussian(weight[None, None], torch.zeros(1).double()) for weight in weights]
    new = [em.m_step(model, x, *em.e_step(model, x)) for model, x in zip(models, images, strict=True)]
    moves = torch.stack([model.weight[0, 0] for model in new]) - weights
    return moves, {S: images.square().mean((1, 2)), w: weights}


F20_ROUND = Derivation(
    key="F20.round",
    statement="one pixel and one latent, with v = 1: one round moves w to w_1, towards w^2 = S - 1, where S is "
    "the mean square of the pixel, and stops there or at 0; a x is the mean of q and t its variance",
    start=w1 - w,
    steps=(
        Step(a * S / (a**2 * S + t) - w, "the M-step", by=(NEW_WEIGHT,)),
        Step(w * S * (1 + w**2) / (w**2 * S + 1 + w**2) - w, "the E-step before it", by=(BEST_CODE, BEST_SPREAD)),
        Step(w * (S - 1 - w**2) / (w**2 * S + 1 + w**2), "one fraction"),
    ),
    code=Code("em.m_step", _round),
)


F20_JOINT_W = Derivation(
    key="F20.joint.w",
    statement="joint ascent, in the letters of F20.round: the slope of the mean bound over w is 0 at the w_1 of "
    "the M-step alone",
    start=Derivative(_simple, w),
    steps=(
        Step(a * S * (1 - a * w) - t * w, "differentiate"),
        Step((a**2 * S + t) * (w1 - w), "the M-step", by=(NEW_WEIGHT,)),
    ),
)

F20_JOINT_A = Derivation(
    key="F20.joint.a",
    statement="the slope over a is 0 at the a of the E-step alone",
    start=Derivative(_simple, a),
    steps=(
        Step(S * w * (1 - a * w) - S * a, "differentiate"),
        Step(S * (1 + w**2) * (w / (1 + w**2) - a), "sort by a"),
    ),
)

F20_JOINT_T = Derivation(
    key="F20.joint.t",
    statement="and that over t at its t alone: joint ascent can stop nowhere else than EM",
    start=Derivative(_simple, t),
    steps=(
        Step((1 / t - 1 - w**2) / 2, "differentiate"),
        Step((1 + w**2) / (2 * t) * (1 / (1 + w**2) - t), "sort by t"),
    ),
)

# --- Probabilistic PCA: the optimum (F20) -----------------------------------------------------------------------------

rho, kappa = indexed("rho", r"\rho", real=True), indexed("kappa", r"\kappa", nonnegative=True)
extra, short = indexed("extra", "g", nonnegative=True), indexed("short", r"\Delta", nonnegative=True)
example = Symbol("e", real=True)
along = indexed("along", "c", real=True)
ALONG = Assumption(
    "F20",
    r"$\rho_1$ is the mean square along the column",
    Mean(along(example) ** 2, example, data(example)),
    g * rho(1),
)
DATA_MASS = Definition("F20", "the density of the data has mass 1", Mean(1, example, data(example)), Integer(1))

F20_LEVEL = Derivation(
    key="F20.level",
    statement="what a latent with the column w, of squared length g, adds to -2 ln p(x), in the mean over the "
    r"data: c is the product of w with an example e, less the mean, and $\rho_1$ the mean square of the "
    "data along w",
    start=Mean(log(1 + g / v) - along(example) ** 2 / (v * (v + g)), example, data(example)),
    steps=(
        Step(
            log(1 + g / v) * Mean(1, example, data(example))
            - Mean(along(example) ** 2, example, data(example)) / (v * (v + g)),
            "the mean of a sum",
        ),
        Step(log(1 + g / v) - g * rho(1) / (v * (v + g)), "along a column", by=(ALONG, DATA_MASS)),
        Step(log((v + g) / v) - (1 / v - 1 / (v + g)) * rho(1), "in terms of v + g, the variance along it"),
    ),
)

_held = Sum(eigenvalue(j) * kept(rank, j), (j, 1, d))
F20_SHORT = Derivation(
    key="F20.short",
    statement="what k directions hold less than the first k axes, is not negative; g, h and $\\delta$ are those of "
    "F3.held",
    start=large(eigenvalue(j)) - _held,
    steps=(
        Step(
            large(above(rank, j) * lost(rank, j)) + small(below(rank, j) * kept(rank, j)),
            "what a plane can hold",
            by=(F3_HELD,),
        ),
    ),
    nonnegative=True,
    where=(d - rank,),
)
SHORT = Definition(
    "F20", "what k directions hold less than the first k axes", short(rank), Sum(eigenvalue(j), (j, 1, rank)) - _held,
    where=(d - rank,), sign=F20_SHORT,
)  # fmt: skip
RHO = Definition(
    "F20", r"$\rho_k$ is the mean square along $v_k$", rho(rank), Sum(eigenvalue(j) * v_(rank, j) ** 2, (j, 1, d))
)

F20_GROWS = Derivation(
    key="F20.grows",
    statement=r"how much $\Delta_k$ grows with a direction v more: by what the next axis has, $\lambda_k$, less "
    r"what the data have along the direction, $\rho_k$",
    start=short(rank),
    steps=(
        Step(Sum(eigenvalue(j), (j, 1, rank)) - _held, "what it is", by=(SHORT,)),
        Step(
            Sum(eigenvalue(j), (j, 1, rank - 1))
            + eigenvalue(rank)
            - Sum(eigenvalue(j) * kept(rank - 1, j), (j, 1, d))
            - Sum(eigenvalue(j) * v_(rank, j) ** 2, (j, 1, d)),
            "the last axis and the last direction apart",
            by=(KEPT,),
        ),
        Step(short(rank - 1) + eigenvalue(rank) - rho(rank), "name them", by=(SHORT.at({rank: rank - 1}), RHO)),
    ),
    where=(rank - 1, d - rank),
)


def _columns(f: Expr, last: Expr = rank) -> Sum:
    return Sum(f, (i, 1, last))


_steps = (kappa(i) - kappa(i + 1)) * short(i)

F20_PARTS_BASE = Derivation(
    key="F20.parts.base",
    statement=r"no direction, with any weights $\kappa$",
    start=_columns(kappa(i) * (eigenvalue(i) - rho(i)), 0),
    steps=(
        Step(_columns(_steps, 0) + kappa(1) * short(0), "nothing on both sides", by=(SHORT.at({rank: 0}), NONE_KEPT)),
    ),
)

F20_PARTS = Derivation(
    key="F20.parts",
    statement=r"summation by parts (Abel), with $\Delta$ and $\rho$ of F20.grows: for falling weights $\kappa$ it "
    "is not negative",
    start=_columns(kappa(i) * (eigenvalue(i) - rho(i))),
    steps=(
        Step(
            _columns(kappa(i) * (eigenvalue(i) - rho(i)), rank - 1) + kappa(rank) * (eigenvalue(rank) - rho(rank)),
            "the last term apart",
        ),
        Step(
            _columns(_steps, rank - 1) + kappa(rank) * short(rank - 1) + kappa(rank) * (eigenvalue(rank) - rho(rank)),
            "the statement for k - 1",
            by=(HYPOTHESIS,),
        ),
        Step(_columns(_steps, rank - 1) + kappa(rank) * short(rank), "a direction more", by=(F20_GROWS,)),
        Step(_columns(_steps) + kappa(rank + 1) * short(rank), "one step more in the sum"),
    ),
    induction=Induction(rank, F20_PARTS_BASE, first=0),
    where=(d - rank,),
)

drop = indexed("drop", r"\delta", nonnegative=True)
KAPPA = Definition("F20", "the weight of column i", kappa(i), 1 / v - 1 / (v + extra(i)))
DROP = Assumption(
    "F20", r"columns sorted by length: $\delta_i$ is not negative", kappa(i) - kappa(i + 1), drop(i), (i,)
)
_worst = _columns(log((v + extra(i)) / v) - kappa(i) * rho(i))
_best = _columns(log(eigenvalue(i) / v) - eigenvalue(i) / v + 1)


def _optimum() -> tuple[Any, dict[Expr, Any]]:
    """Data in 3 dimensions, 2 latents: 100 data sets, and 10 models for each."""
    import torch

    from lecture11 import vae

    values, at = [], []
    lengths = torch.tensor([1.2, 0.5], dtype=torch.float64)
    for n in range(100):
        x = random_numbers(30, 3, seed=n) * torch.tensor([1.5, 1.0, 0.2])
        best = vae.LinearGaussian.optimum(x, 2, variance=0.1)
        covariance = (x - x.mean(0)).T @ (x - x.mean(0)) / 30
        spreads = torch.linalg.eigvalsh(covariance).flip(0)
        for directions in torch.linalg.qr(random_numbers(10, 3, 2, seed=n)).Q:
            model = vae.LinearGaussian(directions * lengths, x.mean(0), 0.1)
            values.append(2 * (best.log_prob(x) - model.log_prob(x)).mean())
            held = (directions * (covariance @ directions)).sum(0)
            at.append({eigenvalue(Integer(1)): spreads[0], eigenvalue(Integer(2)): spreads[1],
                       short(1): spreads[0] - held[0], short(2): spreads[:2].sum() - held.sum()})  # fmt: skip
    variances = lengths.square() + 0.1
    kappas = 10 - 1 / variances
    points: dict[Expr, Any] = {key: torch.stack([point[key] for point in at]) for key in at[0]}
    points |= {v: 0.1, extra(1): lengths[0] ** 2, extra(2): lengths[1] ** 2, drop(1): kappas[0] - kappas[1]}
    return torch.stack(values), points | {drop(2): kappas[1] - 0.3, kappa(3): 0.3}


F20_OPTIMUM = Derivation(
    key="F20.optimum",
    statement="no decoder has a larger likelihood than probabilistic PCA: columns along the principal axes with v "
    "+ g_i = lambda_i; for lambda_i not below v, in -2 ln p(x). Of any other decoder, g_i is the "
    r"squared length of column i, and $\rho_i$ the mean square of the data along the column i",
    start=_worst - _best,
    steps=(
        Step(
            _columns(gap(eigenvalue(i) / (v + extra(i)))) + _columns(kappa(i) * (eigenvalue(i) - rho(i))),
            r"add and subtract $\kappa_i \lambda_i$",
            by=(GAP.at({u: eigenvalue(i) / (v + extra(i))}), KAPPA),
        ),
        Step(
            _columns(gap(eigenvalue(i) / (v + extra(i)))) + _columns(_steps) + kappa(rank + 1) * short(rank),
            "by parts",
            by=(F20_PARTS,),
        ),
        Step(
            _columns(gap(eigenvalue(i) / (v + extra(i))))
            + _columns(drop(i) * short(i))
            + kappa(rank + 1) * short(rank),
            "the weights fall",
            by=(DROP,),
        ),
    ),
    nonnegative=True,
    where=(d - rank,),
    code=Code("vae.LinearGaussian.optimum", _optimum, of=lambda e: written_out(e.subs(rank, 2).doit())),
)

quiet, size = Symbol("lambda", positive=True), Symbol("g", positive=True)
below_noise = Symbol("delta", nonnegative=True)
QUIET = Assumption("F20", "the axis is not louder than the noise", quiet, v - below_noise)

F20_QUIET = Derivation(
    key="F20.quiet",
    statement=r"an axis with $\lambda = v - \delta$ below v is best switched off: what a column of squared length g "
    "costs along it, in -2 ln p(x)",
    start=log((v + size) / v) - (1 / v - 1 / (v + size)) * quiet,
    steps=(
        Step((v / (v + size) - 1 - log(v / (v + size))) + (1 - v / (v + size)) * (1 - quiet / v), "add and subtract"),
        Step(
            gap(v / (v + size)) + size / (v + size) * below_noise / v,
            "a logarithm below its tangent",
            by=(GAP.at({u: v / (v + size)}), QUIET),
        ),
    ),
    nonnegative=True,
)

dropped, average = Symbol("r", integer=True, positive=True), Symbol("A", positive=True)

F20_NOISE = Derivation(
    key="F20.noise",
    statement=r"the best v is the mean A of the r = d - k smallest $\lambda$: what any other costs, in -2 ln p(x)",
    start=dropped * (log(v) + average / v) - dropped * (log(average) + 1),
    steps=(
        Step(dropped * (average / v - 1 - log(average / v)), "one logarithm"),
        Step(dropped * gap(average / v), "it lies below its tangent", by=(GAP.at({u: average / v}),)),
    ),
    nonnegative=True,
)

DERIVATIONS = (
    F18, F18_RISE, F18_LINEAR, F18_GAIN, F19, F19_BEST, F19_LINE, F19_WEIGHT, F19_BIAS, F19_GAIN, F18_DATA,
    F20_RISE, F20_ROUND, F20_JOINT_W, F20_JOINT_A, F20_JOINT_T, F20_LEVEL, F20_SHORT, F20_GROWS, F20_PARTS_BASE,
    F20_PARTS, F20_OPTIMUM, F20_QUIET, F20_NOISE,
)  # fmt: skip
EXPERIMENTS = (
    Experiment(
        "F19",
        "networks: a phase of steps moves one of the two, the other stays",
        "tests/test_em.py::test_gradient_steps_move_one_part_at_a_time",
    ),
    Experiment(
        "F20",
        "exact steps never lower the bound or the likelihood",
        "tests/test_em.py::test_exact_steps_never_lower_the_bound_or_the_likelihood",
    ),
)
