"""The variational bound, term by term: what the chain promises about ``-ln p(x_0)`` (F36-F38, F41).

All terms are in nats, one number per example, constants included.
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from lecture11 import gaussian
from lecture11.checks import Count, Finite, checked, signed_pixels
from lecture11.diffusion.forward import Model, in_single, predict_eps, q_chain, q_sample
from lecture11.diffusion.posterior import posterior_mean_from_x0
from lecture11.diffusion.sampling import Variance, p_mean, step_variance
from lecture11.diffusion.schedule import NoiseSchedule, Step, spread, spread_over
from lecture11.gaussian import noise_like, total
from lecture11.precision import cast, double

Cdf = Literal["exact", "tanh"]


@dataclass(frozen=True)
class Bound:
    """``-ln p(x_0) <= L_T + sum_{t >= 2} L_{t-1} + L_0``, in expectation over the noise (F37; Ho et al. 2020, eq. 5).

    Attributes:
        prior: ``L_T = KL(q(x_T | x_0), N(0, I))``, ``(batch,)``, exact.
        steps: ``L_{t-1} = KL(q(x_{t-1} | x_t, x_0), p(x_{t-1} | x_t))`` at a draw of ``x_t``, ``(batch, T - 1)``:
            the first column is ``t = 2``, the last one ``t = T``.
        decoder: ``L_0 = -ln p(x_0 | x_1)`` at a draw of ``x_1``, ``(batch,)``.
        dims: numbers in an example, for bits per dimension.
    """

    prior: Float[Tensor, " batch"]
    steps: Float[Tensor, "batch steps"]
    decoder: Float[Tensor, " batch"]
    dims: int

    @property
    def nats(self) -> Float[Tensor, " batch"]:
        """The bound on ``-ln p(x_0)``, summed over the dimensions."""
        return self.prior + self.steps.sum(1) + self.decoder

    @property
    def bits_per_dim(self) -> Float[Tensor, " batch"]:
        """The bound in bits for each dimension: with 256 levels, 8 is what knowing nothing costs."""
        return self.nats / (self.dims * math.log(2))


@checked
def prior_divergence(s: NoiseSchedule, x_0: Float[Tensor, "batch *dims"]) -> Float[Tensor, " batch"]:
    """``L_T = KL(q(x_T | x_0), N(0, I))``, exact: nothing in it is learned (F37)."""
    log_var = spread_over(s.noise_variance(s.T).log(), x_0)
    return gaussian.kl_to_standard_normal(spread(s.alpha_bar(s.T).sqrt(), x_0) * x_0, log_var)


@checked
def step_divergence(
    model: Model,
    s: NoiseSchedule,
    x_0: Float[Tensor, "batch *dims"],
    t: Step,
    eps: Float[Tensor, "batch *dims"],
    *,
    variance: Variance = "posterior",
    clip: bool = False,
) -> Float[Tensor, " batch"]:
    """``L_{t-1} = KL(q(x_{t-1} | x_t, x_0), p(x_{t-1} | x_t))`` at the ``x_t`` that ``eps`` leads to (F38), ``t >= 2``.

    With the posterior variance in both it is ``||mu~_t - mu_theta||^2 / (2 beta~_t)``, and without clipping
    ``w_t ||eps - eps_theta||^2`` with ``w_t = s.loss_weight(t)`` (F40). Arguments as in ``p_step``; gradients flow.
    """
    s.check(t, first=2)
    if clip:
        signed_pixels(x_0=x_0)
    x_t = q_sample(s, x_0, t, eps)
    mean = p_mean(s, x_t, t, predict_eps(model, x_t, t), clip=clip)
    log_var_q = spread_over(s.posterior_variance(t).log(), x_0)
    log_var_p = spread_over(step_variance(s, t, variance).log(), x_0)
    return gaussian.kl(posterior_mean_from_x0(s, x_0, x_t, t), log_var_q, mean, log_var_p)


@checked
@torch.no_grad()
def optimal_variance(
    model: Model,
    s: NoiseSchedule,
    x_0: Float[Tensor, "n *dims"],
    *,
    draws: Count = 30,
    per_dim: bool = False,
    clip: bool = False,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "T *table"]:
    """The variance of each learned step that makes the bound lowest: ``beta~_t + E ||mu~_t - mu_theta||^2 / d`` (F38).

    ``L_{t-1}`` depends on ``sigma^2`` by ``d/2 ln sigma^2 + (d beta~_t + E ||mu~_t - mu_theta||^2) / (2 sigma^2)``: set
    the derivative to zero. So the variance is measured, on data that the model was trained on, and nothing is trained
    (Bao et al. 2022, "Estimating the optimal covariance with imperfect mean", Theorem 1). Without clipping it is
    ``beta~_t + beta_t^2 / (alpha_t (1 - alpha_bar_t)) E ||eps - eps_theta||^2 / d``, and with the perfect network that
    of "Analytic-DPM" (Bao et al. 2022, Theorem 1). At ``t = 1``, where ``beta~`` is 0 and ``mu~`` is ``x_0``, it is the
    best for a density, and for pixels on a grid nearly so.

    Args:
        x_0: examples of the training data.
        draws: for each step so many examples, each with its own noise: ``T draws`` questions to the model.
        per_dim: one for each number of an example too: a margin that is always black has hardly an error. As if one
            more draw had the mean error everywhere, so that none is zero.
        clip: as in ``p_mean``; give the bound and the sampler the same.

    Returns:
        float64, ``(T,)`` or with ``per_dim`` ``(T, *dims)``, row ``t - 1`` for step ``t``: a ``variance`` for the bound
        and the samplers.
    """
    if clip:
        signed_pixels(x_0=x_0)
    ask, x_0 = in_single(model, x_0)
    variances = []
    for t in range(1, s.T + 1):
        x = x_0[torch.randint(len(x_0), (draws,), generator=generator, device=x_0.device)]
        x_t = q_sample(s, x, t, noise_like(x, generator))
        mean = p_mean(s, x_t, t, predict_eps(ask, x_t, t), clip=clip)
        error = double(posterior_mean_from_x0(s, x, x_t, t) - mean).square()
        error = (error.sum(0) + error.mean()) / (draws + 1) if per_dim else error.mean()
        variances.append(s.posterior_variance(t) + error.cpu())
    return torch.stack(variances)


@checked
def decoder_log_prob(
    model: Model,
    s: NoiseSchedule,
    x_0: Float[Tensor, "batch *dims"],
    x_1: Float[Tensor, "batch *dims"],
    *,
    variance: Variance = "posterior",
    clip: bool = False,
    cdf: Cdf = "exact",
    levels: int | None = 256,
) -> Float[Tensor, " batch"]:
    """``ln p(x_0 | x_1)``, that is ``-L_0``: a Gaussian around ``mu_theta(x_1, 1)``, discretised (F41).

    Its variance is ``beta_1``, or with ``variance="posterior"`` that of ``t = 2``, since ``beta~_1`` is zero (Ho et al.
    2020; with one step only, ``beta_1``). Of a table it is the first row.

    Args:
        cdf: as in ``discretised_log_likelihood``.
        levels: values that a dimension takes in [-1, 1]. None: the data is on no grid, and the density is meant.
    """
    mean = p_mean(s, x_1, 1, predict_eps(model, x_1, 1), clip=clip)
    if isinstance(variance, Tensor):
        log_var = step_variance(s, 1, variance).log()
    else:
        t = 2 if variance == "posterior" and s.T > 1 else 1
        log_var = step_variance(s, t, variance if s.T > 1 else "beta").log()
    if levels is None:
        return gaussian.log_prob(x_0, mean, spread_over(log_var, x_0))
    log_scale = 0.5 * (spread_over(log_var, x_0) if log_var.ndim else log_var)
    return discretised_log_likelihood(x_0, mean, log_scale, levels=levels, cdf=cdf)


@checked
def discretised_log_likelihood(
    x_0: Float[Tensor, "batch *dims"],
    mean: Float[Tensor, "batch *dims"],
    log_scale: Finite | Float[Tensor, ""] | Float[Tensor, "batch *dims"],
    *,
    levels: int = 256,
    cdf: Cdf = "exact",
) -> Float[Tensor, " batch"]:
    """``ln`` of the mass that a Gaussian gives to the bins around the pixels, summed (F41; Ho et al. 2020, eq. 13).

    The ``levels`` values are evenly spaced in [-1, 1]; a value's bin reaches half way to its neighbours, and the two
    outer bins to infinity, so that the masses of all values add up to 1. Each pixel is read as the value nearest to it.
    Computed in float64; far from the mean, where the mass itself is 0, its logarithm is still right.

    Args:
        x_0: pixels in [-1, 1].
        mean, log_scale: of the Gaussian: its mean, and the logarithm of its *standard deviation*, one number or one for
            each pixel of each example.
        levels: number of values, at least 2.
        cdf: ``"exact"``, or ``"tanh"``: the approximation that much published code uses, ``(1 + tanh(sqrt(2 / pi)
            (z + 0.044715 z^3))) / 2``.

    Raises:
        ValueError: pixels that do not live in [-1, 1] (see ``checks.signed_pixels``), fewer than two levels, another
            ``cdf``.
    """
    if levels < 2:
        raise ValueError(f"levels is the number of values of a pixel, at least 2; got {levels}")
    signed_pixels(levels, x_0=x_0)
    log_cdf = torch.special.log_ndtr if cdf == "exact" else _log_tanh_cdf
    level = ((double(x_0) + 1) * (levels - 1) / 2).round()
    scale = double(log_scale) if isinstance(log_scale, Tensor) else torch.tensor(log_scale, dtype=torch.float64)
    per_scale = torch.exp(-scale.to(level.device))
    z = (2 * level / (levels - 1) - 1 - double(mean)) * per_scale
    half = per_scale / (levels - 1)
    # An inner bin reaches from z - half to z + half. Its mirror image below the mean has the same mass, and there the
    # logarithms are accurate however far out: ln(b - a) = ln b + ln(1 - a / b).
    log_high, log_low = log_cdf(half - z.abs()), log_cdf(-half - z.abs())
    ratio = (log_low - log_high).clamp(max=-torch.finfo(torch.float64).tiny)  # never a bin of no width
    inner = log_high + torch.log(-torch.expm1(ratio))
    log_mass = torch.where(level == 0, log_cdf(half + z), torch.where(level == levels - 1, log_cdf(half - z), inner))
    return cast(total(log_mass), x_0)


def _log_tanh_cdf(z: Tensor) -> Tensor:
    return torch.nn.functional.logsigmoid(2 * math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))


@checked
@torch.no_grad()
def variational_bound(
    model: Model,
    s: NoiseSchedule,
    x_0: Float[Tensor, "batch *dims"],
    *,
    variance: Variance = "posterior",
    clip: bool = False,
    cdf: Cdf = "exact",
    levels: int | None = 256,
    noise: Float[Tensor, "T batch *dims"] | None = None,
    generator: torch.Generator | None = None,
    chunk: Count = 1000,
) -> Bound:
    """All terms of the bound on ``-ln p(x_0)``, each with its own draw of ``x_t``: ``T`` calls of the model (F37).

    Args:
        model: predicts the noise in ``x_t``.
        x_0: pixels in [-1, 1]; with ``levels=None`` and no clipping, any data.
        variance, clip: of the learned steps, as in ``p_step``.
        cdf, levels: of the last one, as in ``decoder_log_prob``.
        noise: ``noise[t - 1]`` leads from ``x_0`` to ``x_t``; drawn from ``generator`` if not given, in this order. It
            is cast to the precision that the terms are computed in.
        chunk: examples, counted once for each step, that the model sees at once (at least the batch). Memory grows with
            it and not with ``T``; the result does not depend on it.

    Returns:
        The terms in at least float32, even if the model computes in half precision.

    Raises:
        ValueError: pixels that do not live in [-1, 1]; the values are looked at, once.
    """
    _check_range(x_0, levels, clip)
    ask, x_0 = in_single(model, x_0)
    if noise is not None and len(noise) != s.T:
        raise ValueError(f"noise must hold one draw a step, shape {(s.T, *x_0.shape)}; got {tuple(noise.shape)}")

    def draw(t: int) -> Tensor:
        return noise_like(x_0, generator) if noise is None else noise[t - 1].to(x_0.dtype)

    x_1 = q_sample(s, x_0, 1, draw(1))
    decoder = -decoder_log_prob(ask, s, x_0, x_1, variance=variance, clip=clip, cdf=cdf, levels=levels)
    # One place for all: small results kept between large passing ones would scatter the memory.
    steps = x_0.new_empty(len(x_0), s.T - 1)
    at_once = max(1, chunk // len(x_0))
    for first in range(2, s.T + 1, at_once):
        group = range(first, min(first + at_once, s.T + 1))
        t = torch.tensor(group, device=x_0.device).repeat_interleave(len(x_0))
        copies = x_0.repeat(len(group), *[1] * (x_0.ndim - 1))
        eps = torch.cat([draw(step) for step in group])
        terms = step_divergence(ask, s, copies, t, eps, variance=variance, clip=clip)
        steps[:, first - 2 : first - 2 + len(group)] = terms.view(len(group), len(x_0)).T
    return Bound(prior_divergence(s, x_0), steps, decoder, dims=x_0[0].numel())


@checked
def sampled_bound(
    model: Model,
    s: NoiseSchedule,
    x_0: Float[Tensor, "batch *dims"],
    *,
    draws: Count = 1,
    variance: Variance = "posterior",
    clip: bool = False,
    cdf: Cdf = "exact",
    levels: int | None = 256,
    generator: torch.Generator | None = None,
) -> Float[Tensor, " batch"]:
    """An unbiased estimate of the bound in nats with ``draws + 1`` calls of the model instead of ``T`` (F37, F40).

    ``L_T`` and ``L_0`` are computed for each example, and of the sum over ``t >= 2`` a few terms: drawn with
    probabilities proportional to ``w_t``, and divided by them. With the posterior variance such a term is a constant,
    ``sum_t w_t``, times the loss of Algorithm 1. ``evaluation.estimate`` makes of the result a mean over the examples
    and its standard error.

    Gradients flow: with one draw, it is the objective that trains on the bound itself.

    Args:
        draws: terms drawn for each example, each with its own noise; more lower the variance.
    """
    _check_range(x_0, levels, clip)
    ask, x_0 = in_single(model, x_0)
    x_1 = q_sample(s, x_0, 1, noise_like(x_0, generator))
    decoder = -decoder_log_prob(ask, s, x_0, x_1, variance=variance, clip=clip, cdf=cdf, levels=levels)
    bound = prior_divergence(s, x_0) + decoder
    if s.T == 1:
        return bound
    weight = s.loss_weight(torch.arange(2, s.T + 1))
    probability, per_draw = cast(weight, x_0), cast(weight.sum() / weight / draws, x_0)
    for _ in range(draws):
        row = torch.multinomial(probability, len(x_0), replacement=True, generator=generator)
        term = step_divergence(ask, s, x_0, row + 2, noise_like(x_0, generator), variance=variance, clip=clip)
        bound = bound + per_draw[row] * term
    return bound


@checked
@torch.no_grad()
def negative_elbo_lines(
    model: Model,
    s: NoiseSchedule,
    x_0: Float[Tensor, "batch *dims"],
    *,
    variance: Variance = "posterior",
    clip: bool = False,
    cdf: Cdf = "exact",
    levels: int | None = 256,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "5 batch"]:
    """What stands inside the expectation in each of the five lines of ``-ELBO``, on one path ``x_1 .. x_T`` (F36).

    The lines are equal on every path, not only in the mean; each is added up from its own terms. The mean over paths is
    that of ``variational_bound(...).nats``. Arguments as there.
    """
    _check_range(x_0, levels, clip)
    ask, x_0 = in_single(model, x_0)
    path = list(q_chain(s, x_0, generator=generator))
    zeros = torch.zeros_like(x_0)

    def log_normal(x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        return gaussian.log_prob(x, mean, spread_over(var.log(), x))

    # In each list, entry t - 1 belongs to step t.
    learned, forward, marginal, posterior = [], [], [], []
    for t in range(1, s.T + 1):
        before, x_t = path[t - 1], path[t]
        forward.append(log_normal(x_t, spread(s.alpha(t).sqrt(), x_0) * before, s.beta(t)))
        marginal.append(log_normal(x_t, spread(s.alpha_bar(t).sqrt(), x_0) * x_0, s.noise_variance(t)))
        if t == 1:
            learned.append(decoder_log_prob(ask, s, x_0, x_t, variance=variance, clip=clip, cdf=cdf, levels=levels))
            posterior.append(torch.zeros_like(learned[0]))  # q(x_0 | x_1, x_0) is a point, and enters nowhere
        else:
            mean = p_mean(s, x_t, t, predict_eps(ask, x_t, t), clip=clip)
            learned.append(log_normal(before, mean, step_variance(s, t, variance)))
            posterior.append(log_normal(before, posterior_mean_from_x0(s, x_0, x_t, t), s.posterior_variance(t)))
    p, q, m, b = (torch.stack(terms) for terms in (learned, forward, marginal, posterior))
    p_T = gaussian.log_prob(path[-1], zeros, zeros)
    return torch.stack(
        [
            q.sum(0) - (p_T + p.sum(0)),
            -p_T - (p - q).sum(0),
            -p_T - (p - q)[1:].sum(0) - (p - m)[0],
            -p_T - (p[1:] - (b[1:] + m[1:] - m[:-1])).sum(0) - (p - m)[0],
            -(p_T - m[-1]) - (p - b)[1:].sum(0) - p[0],
        ]
    )


def _check_range(x_0: Tensor, levels: int | None, clip: bool) -> None:
    """Pixels are meant where they are on a grid, and where the guess of them is cut to [-1, 1]."""
    if levels is not None or clip:
        signed_pixels(levels, x_0=x_0)
