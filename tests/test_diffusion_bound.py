"""The bound: against joint Gaussians, torch's divergences, SymPy, quadrature, and a mixture whose density is known."""

import functools
import itertools
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sympy
import torch
from diffusion_oracles import SCHEDULES, gaussian_data, points_of, sigma_points
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from lecture11 import diffusion, evaluation, gaussian
from lecture11.data import planar
from lecture11.diffusion import NoiseSchedule, bound

float64 = torch.float64
VARIANCES = ("posterior", "beta")


def randn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=float64)


def pixels(n: int = 3, levels: int = 256, shape: tuple[int, ...] = (1, 3, 5)) -> Tensor:
    level = torch.randint(levels, (n, *shape), generator=torch.Generator().manual_seed(0))
    return 2 * level.double() / (levels - 1) - 1


def some_model(x_t: Tensor, t: Tensor) -> Tensor:
    """Some network: it depends on the point and on the step."""
    return 0.9 * x_t - 0.1 * x_t.flip(-1) + 0.01 * t.view(-1, *[1] * (x_t.ndim - 1))


def optimal(s: NoiseSchedule, data: gaussian.Mixture) -> functools.partial:
    return functools.partial(diffusion.optimal_eps, s, data)


# Gaussian data: the mean of the bound, exactly


def joint_laws(s: NoiseSchedule, data: gaussian.Mixture, variance: str) -> tuple[MultivariateNormal, ...]:
    """``q(x_0 .. x_T)`` and ``p(x_0 .. x_T)`` as two large Gaussians, for the best mean that a step can have.

    That mean is ``E[x_{t-1} | x_t]``, here by conditioning in ``q``: no formula of the posterior is used.
    """
    d, T = data.dim, s.T
    block = lambda t: slice(t * d, (t + 1) * d)  # noqa: E731
    mean, covariance = torch.zeros((T + 1) * d, dtype=float64), torch.zeros((T + 1) * d, (T + 1) * d, dtype=float64)
    mean[block(0)], covariance[block(0), block(0)] = data.means[0], data.covariances[0]
    identity = torch.eye(d, dtype=float64)
    for t in range(1, T + 1):
        keep = (1 - s.betas[t - 1]).sqrt()
        mean[block(t)] = keep * mean[block(t - 1)]
        covariance[block(t)] = keep * covariance[block(t - 1)]
        covariance[:, block(t)] = covariance[block(t)].T
        covariance[block(t), block(t)] = keep * covariance[block(t - 1), block(t)] + s.betas[t - 1] * identity
    p_mean, p_covariance = torch.zeros_like(mean), torch.zeros_like(covariance)
    p_covariance[block(T), block(T)] = identity
    for t in range(T, 0, -1):
        slope = covariance[block(t - 1), block(t)] @ torch.linalg.inv(covariance[block(t), block(t)])
        p_mean[block(t - 1)] = mean[block(t - 1)] + slope @ (p_mean[block(t)] - mean[block(t)])
        p_covariance[block(t - 1)] = slope @ p_covariance[block(t)]
        p_covariance[:, block(t - 1)] = p_covariance[block(t - 1)].T
        noise = s.beta(t) if variance == "beta" or T == 1 else s.posterior_variance(max(t, 2))
        p_covariance[block(t - 1), block(t - 1)] = slope @ p_covariance[block(t), block(t - 1)] + noise * identity
    return MultivariateNormal(mean, covariance), MultivariateNormal(p_mean, p_covariance)


def mean_bound(s: NoiseSchedule, data: gaussian.Mixture, variance: str) -> diffusion.Bound:
    """The bound at points over which its mean is the exact one: all its terms are quadratic."""
    both = sigma_points(2 * data.dim)
    noise = both[:, data.dim :].expand(s.T, -1, -1)
    x_0 = points_of(data, both[:, : data.dim])
    return diffusion.variational_bound(optimal(s, data), s, x_0, variance=variance, levels=None, noise=noise)


@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("betas", [[0.3], [0.2, 0.7], [0.01, 0.1, 0.1, 0.2, 0.4, 0.9], [1e-6, 0.5, 1 - 1e-3]])
def test_mean_bound_is_exact(betas: list[float], variance: str) -> None:
    """F37, F29, F26: ``E[-ELBO] = KL(q(x_0 .. x_T), p(x_0 .. x_T)) + H(q(x_0))``, with two joint Gaussians."""
    s, data = NoiseSchedule(betas), gaussian_data()
    q, p = joint_laws(s, data, variance)
    entropy = MultivariateNormal(data.means[0], data.covariances[0]).entropy()
    exact = kl_divergence(q, p) + entropy
    # With a beta of 1e-6, the large covariance is nearly singular, and the divergence itself is large.
    precision = {"abs": 1e-10, "rel": 0} if betas[0] > 1e-3 else {"rel": 1e-8}
    assert mean_bound(s, data, variance).nats.mean().item() == pytest.approx(exact.item(), **precision)


@pytest.mark.parametrize("variance", VARIANCES)
def test_model_s_own_density_keeps_the_bound(variance: str) -> None:
    """F37: for the linear model ``p(x_0)`` is known too, and the mean bound lies above the mean of ``-ln p(x_0)``."""
    s, data = SCHEDULES["linear"], gaussian_data()
    _, p = joint_laws(s, data, variance)
    marginal = MultivariateNormal(p.mean[:2], p.covariance_matrix[:2, :2])
    truth = MultivariateNormal(data.means[0], data.covariances[0])
    cross_entropy = kl_divergence(truth, marginal) + truth.entropy()
    assert mean_bound(s, data, variance).nats.mean() > cross_entropy > truth.entropy()


def test_mean_bound_approaches_the_entropy_with_beta_and_stays_above_it_with_the_posterior_variance() -> None:
    """The gap falls as ``1 / T`` with ``beta_t``. With ``beta~_t`` a constant remains, from the first few steps."""
    data = gaussian_data()
    entropy = MultivariateNormal(data.means[0], data.covariances[0]).entropy().item()
    gaps = {
        variance: [
            mean_bound(NoiseSchedule.linear(T, rescale=True), data, variance).nats.mean().item() - entropy
            for T in (50, 100, 200, 400)
        ]
        for variance in VARIANCES
    }
    assert all(1.7 < a / b < 2.1 for a, b in itertools.pairwise(gaps["beta"]))
    assert 0 < gaps["beta"][-1] < 0.04
    assert all(a > b > 0.5 for a, b in itertools.pairwise(gaps["posterior"]))


# Each term


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("clip", [False, True])
def test_terms_are_the_divergences_of_torch(name: str, variance: str, clip: bool) -> None:
    """F37, F38."""
    s, x_0 = SCHEDULES[name], pixels()
    noise = randn(s.T, *x_0.shape)
    terms = diffusion.variational_bound(some_model, s, x_0, variance=variance, clip=clip, noise=noise)
    assert terms.steps.shape == (3, s.T - 1)
    prior = Normal(s.alpha_bar(s.T).sqrt() * x_0, s.noise_variance(s.T).sqrt())
    expected = kl_divergence(prior, Normal(torch.zeros_like(x_0), 1.0)).flatten(1).sum(1)
    torch.testing.assert_close(terms.prior, expected, atol=1e-10, rtol=1e-10)
    for t in range(2, s.T + 1):
        x_t = diffusion.q_sample(s, x_0, t, noise[t - 1])
        q = Normal(diffusion.posterior_mean_from_x0(s, x_0, x_t, t), s.posterior_variance(t).sqrt())
        sigma = (s.posterior_variance(t) if variance == "posterior" else s.beta(t)).sqrt()
        p = Normal(diffusion.p_mean(s, x_t, t, some_model(x_t, torch.full((3,), t)), clip=clip), sigma)
        expected = kl_divergence(q, p).flatten(1).sum(1)
        torch.testing.assert_close(terms.steps[:, t - 2], expected, atol=1e-10, rtol=1e-9)
    # The last step has the variance of t = 2, where that of t = 1 is zero.
    log_scale = 0.5 * (s.posterior_variance(2) if variance == "posterior" else s.beta(1)).log()
    x_1 = diffusion.q_sample(s, x_0, 1, noise[0])
    mean = diffusion.p_mean(s, x_1, 1, some_model(x_1, torch.ones(3)), clip=clip)
    expected = -diffusion.discretised_log_likelihood(x_0, mean, log_scale)
    torch.testing.assert_close(terms.decoder, expected, atol=1e-10, rtol=1e-10)
    torch.testing.assert_close(terms.nats, terms.prior + terms.steps.sum(1) + terms.decoder, atol=1e-10, rtol=1e-12)
    torch.testing.assert_close(terms.bits_per_dim, terms.nats / 15 / math.log(2), atol=1e-10, rtol=1e-12)


@pytest.mark.parametrize("name", ["linear", "cosine", "constant"])
def test_terms_are_weighted_squared_errors(name: str) -> None:
    """F38: a distance of means over ``2 beta~_t``. F40: ``w_t`` times the loss of Algorithm 1."""
    s, x_0 = SCHEDULES[name], pixels()
    noise = randn(s.T, *x_0.shape)
    terms = diffusion.variational_bound(some_model, s, x_0, noise=noise)
    for t in range(2, s.T + 1):
        eps = noise[t - 1]
        loss = diffusion.simple_loss(some_model, s, x_0, t=t, eps=eps)
        torch.testing.assert_close(terms.steps[:, t - 2], s.loss_weight(t) * loss, atol=1e-10, rtol=1e-10)
        x_t = diffusion.q_sample(s, x_0, t, eps)
        means = (
            diffusion.posterior_mean_from_eps(s, x_t, t, e) for e in (eps, some_model(x_t, torch.full((3,), t)))
        )  # fmt: skip
        distance = (next(means) - next(means)).square().flatten(1).sum(1)
        expected = distance / (2 * s.posterior_variance(t))
        torch.testing.assert_close(terms.steps[:, t - 2], expected, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("variance", VARIANCES)
def test_five_lines_are_equal_on_every_path(variance: str) -> None:
    """F36."""
    for name in ("linear", "cosine", "constant"):
        s, rng = SCHEDULES[name], torch.Generator().manual_seed(0)
        lines = diffusion.negative_elbo_lines(some_model, s, pixels(), variance=variance, generator=rng)
        torch.testing.assert_close(lines, lines[:1].expand_as(lines), atol=1e-9, rtol=1e-12)
    one = diffusion.negative_elbo_lines(some_model, NoiseSchedule([0.1]), pixels(), variance=variance)
    torch.testing.assert_close(one, one[:1].expand_as(one), atol=1e-9, rtol=1e-12)


@pytest.mark.parametrize("variance", VARIANCES)
def test_five_lines_have_the_mean_of_the_bound(variance: str) -> None:
    """F36 and F37: the sixth line, with its divergences, is equal in the mean."""
    s, data, n = SCHEDULES["linear"], gaussian_data(), 4000
    model, x_0 = optimal(s, data), randn(1, 2)
    noise = sigma_points(2).expand(s.T, -1, -1)
    exact = diffusion.variational_bound(
        model, s, x_0.expand(4, 2), variance=variance, levels=None, noise=noise
    ).nats.mean()  # fmt: skip
    rng = torch.Generator().manual_seed(1)
    lines = diffusion.negative_elbo_lines(
        model, s, x_0.expand(n, 2), variance=variance, levels=None, generator=rng
    )  # fmt: skip
    estimate = evaluation.estimate(lines[4])
    assert abs(estimate.mean - exact.item()) < 3 * estimate.standard_error


# A mixture: the gap to the exact log-density


def quadrature(nodes: int, d: int) -> tuple[Tensor, Tensor]:
    """Points ``(nodes^d, d)`` and weights: sums over them are means over ``N(0, I_d)``."""
    z, weights = np.polynomial.hermite_e.hermegauss(nodes)
    grid = torch.cartesian_prod(*[torch.tensor(z)] * d)
    mass = torch.cartesian_prod(*[torch.tensor(weights / weights.sum())] * d)
    return grid.view(-1, d), mass.view(-1, d).prod(1)


def mixture_bound(s: NoiseSchedule, variance: str, nodes: int = 24) -> float:
    """The mean of the bound for the ring of eight Gaussians with the exact noise, from ``q(x_t)`` alone.

    ``E ||eps - eps*||^2 = d - E ||eps*(x_t)||^2``, and that mean is a quadrature over one of the components, which are
    all alike.
    """
    data = planar.gaussian_mixture()
    z, mass = quadrature(nodes, 2)

    def error(t: int) -> float:
        law = diffusion.noised_law(s, data, t)
        score = law.score(law.means[0] + law.covariances[0, 0, 0].sqrt() * z)
        return 2 - s.noise_variance(t).item() * (mass @ score.square().sum(1)).item()

    # Centred data with covariance I: E ||x_0||^2 = 2.
    keep, v = s.alpha_bar(s.T).item(), s.noise_variance(s.T).item()
    total = 0.5 * (2 * keep + 2 * v - 2 - 2 * math.log(v))
    for t in range(2, s.T + 1):
        ratio = (s.posterior_variance(t) / s.beta(t)).item() if variance == "beta" else 1.0
        total += s.loss_weight(t).item() * ratio * error(t) + (ratio - 1 - math.log(ratio))
    noise = (s.beta(1) if variance == "beta" else s.posterior_variance(2)).item()
    square = (s.noise_variance(1) / s.alpha_bar(1)).item() * error(1)
    return total + 0.5 * square / noise + math.log(2 * math.pi * noise)


def mixture_entropy(nodes: int = 60) -> float:
    data = planar.gaussian_mixture()
    z, mass = quadrature(nodes, 2)
    return -(mass @ data.log_prob(data.means[0] + data.covariances[0, 0, 0].sqrt() * z)).item()


@pytest.mark.parametrize("variance", VARIANCES)
def test_mean_bound_of_a_mixture_is_exact(variance: str) -> None:
    """F37: by quadrature over ``x_0`` and the noise, for a model that is not linear."""
    s, data = NoiseSchedule.linear(8, 0.01, 0.7), planar.gaussian_mixture()
    z, mass = quadrature(14, 4)
    x_0 = data.means[0] + data.covariances[0, 0, 0].sqrt() * z[:, :2]
    noise = z[:, 2:].expand(s.T, -1, -1)
    terms = diffusion.variational_bound(optimal(s, data), s, x_0, variance=variance, levels=None, noise=noise)
    assert (mass @ terms.nats).item() == pytest.approx(mixture_bound(s, variance, nodes=40), abs=1e-3)


def test_gap_of_a_mixture_closes_with_beta_and_not_with_the_posterior_variance() -> None:
    """With ``beta_t`` it falls as ``1 / T``; with ``beta~_t``, a nat remains."""
    entropy = mixture_entropy()
    gaps = {
        variance: [mixture_bound(NoiseSchedule.linear(T, rescale=True), variance) - entropy for T in (50, 100, 200)]
        for variance in VARIANCES
    }
    assert all(1.8 < a / b < 2.1 for a, b in itertools.pairwise(gaps["beta"]))
    assert all(a > b > 1 for a, b in itertools.pairwise(gaps["posterior"]))
    s = NoiseSchedule.linear(500)
    assert mixture_bound(s, "beta") - entropy == pytest.approx(0.0321, abs=1e-4)
    assert mixture_bound(s, "posterior") - entropy == pytest.approx(1.2475, abs=1e-3)


# One step of a discrete model, where everything can be added up


def test_one_step_with_three_levels() -> None:
    """F37, F41: ``p(x_0)`` by quadrature over ``x_1`` adds up to 1, and the slack of the bound is a divergence."""
    s, levels = NoiseSchedule([0.4]), 3
    x_0 = torch.tensor([[-1.0], [0.0], [1.0]], dtype=float64)
    z, weights = np.polynomial.hermite_e.hermegauss(200)
    z, mass = torch.tensor(z)[:, None], torch.tensor(weights / weights.sum())
    model = lambda x_t, t: torch.sin(x_t)  # noqa: E731
    decode = functools.partial(diffusion.decoder_log_prob, model, s, levels=levels)
    likelihood = torch.stack([mass @ decode(x.expand(200, 1), z).exp() for x in x_0])
    assert likelihood.sum().item() == pytest.approx(1, abs=1e-12)
    for x, p in zip(x_0, likelihood, strict=True):
        copies = x.expand(200, 1)
        mean = mass @ diffusion.variational_bound(model, s, copies, levels=levels, noise=z[None]).nats
        # KL(q(x_1 | x_0), p(x_1 | x_0)), with p(x_1 | x_0) = p(x_0 | x_1) p(x_1) / p(x_0).
        x_1 = diffusion.q_sample(s, copies, 1, z)
        log_q = Normal(s.alpha_bar(1).sqrt() * copies, s.noise_variance(1).sqrt()).log_prob(x_1)[:, 0]
        log_posterior = decode(copies, x_1) + Normal(0.0, 1.0).log_prob(x_1)[:, 0] - p.log()
        slack = mass @ (log_q - log_posterior)
        assert slack > 0
        assert mean.item() == pytest.approx((slack - p.log()).item(), abs=1e-8)


# The discretised likelihood (F41)


@settings(max_examples=60)
@given(
    levels=st.sampled_from([2, 3, 17, 256]),
    mean=st.floats(-3, 3),
    log_scale=st.floats(-12, 8),
    cdf=st.sampled_from(["exact", "tanh"]),
)
def test_masses_add_up_to_one(levels: int, mean: float, log_scale: float, cdf: str) -> None:
    """F41: over all levels, with a mean inside or outside, narrow or wide, since the outer bins reach to infinity."""
    x_0 = torch.linspace(-1, 1, levels, dtype=float64)[:, None]
    mass = diffusion.discretised_log_likelihood(x_0, torch.full_like(x_0, mean), log_scale, levels=levels, cdf=cdf)
    assert mass.shape == (levels,)
    assert mass.exp().sum().item() == pytest.approx(1, abs=1e-10)


@pytest.mark.parametrize("levels", [2, 17, 256])
@pytest.mark.parametrize("log_scale", [-9.0, -4.0, -1.0, 0.0, 3.0])
@pytest.mark.parametrize("mean", [-1.2, 0.0, 0.3, 1.0, 2.5])
def test_logarithms_are_right_far_into_the_tails(levels: int, log_scale: float, mean: float) -> None:
    """F41, against SymPy: where the mass itself would be zero in any float, its logarithm has ten digits."""
    x_0 = torch.linspace(-1, 1, levels, dtype=float64)[:, None]
    ours = diffusion.discretised_log_likelihood(x_0, torch.full_like(x_0, mean), log_scale, levels=levels)
    scale = sympy.exp(sympy.Rational(log_scale))
    for i in sorted({0, 1, levels // 3, levels - 2, levels - 1}):
        edges = [(sympy.Rational(2 * i + side, levels - 1) - 1 - sympy.Rational(mean)) / scale for side in (-1, 1)]
        low = -sympy.oo if i == 0 else edges[0]
        high = sympy.oo if i == levels - 1 else edges[1]
        if low > 0:  # the complement of what is nearly 1 would need millions of digits
            low, high = -high, -low
        mass = (sympy.erfc(-high / sympy.sqrt(2)) - sympy.erfc(-low / sympy.sqrt(2))) / 2
        assert ours[i].item() == pytest.approx(float(sympy.log(mass).evalf(20)), rel=1e-10, abs=1e-10), i


def test_tanh_is_the_formula_of_published_code() -> None:
    """F41: as in improved-diffusion, ``gaussian_diffusion``, away from the tails, where theirs is cut at 1e-12."""
    x, means, log_scales = pixels(), pixels().flip(0) * 0.9, torch.tensor(-0.7, dtype=float64)

    def approximate(z: Tensor) -> Tensor:
        return 0.5 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)))

    inverse = torch.exp(-log_scales)
    plus = approximate(inverse * (x - means + 1 / 255))
    minus = approximate(inverse * (x - means - 1 / 255))
    logarithms = torch.where(
        x < -0.999, plus.log(), torch.where(x > 0.999, (1 - minus).log(), (plus - minus).log())
    )  # fmt: skip
    expected = logarithms.flatten(1).sum(1)
    ours = diffusion.discretised_log_likelihood(x, means, log_scales, cdf="tanh")
    torch.testing.assert_close(ours, expected, atol=1e-10, rtol=1e-10)
    exact = diffusion.discretised_log_likelihood(x, means, log_scales)
    assert 1e-6 < ((ours - exact) / exact).abs().max() < 1e-3


def test_pixels_are_read_as_the_value_nearest_to_them() -> None:
    """What rounding left of a level is that level, in every precision; a black pixel stays in the outer bin."""
    x, mean = pixels(), torch.zeros_like(pixels())
    exact = diffusion.discretised_log_likelihood(x, mean, -3.0)
    assert torch.equal(diffusion.discretised_log_likelihood(x.float().double(), mean, -3.0), exact)
    single = diffusion.discretised_log_likelihood(x.float(), mean.float(), -3.0)
    torch.testing.assert_close(single, exact.float(), atol=0, rtol=1e-6)
    few = pixels(levels=17)
    rounded = diffusion.discretised_log_likelihood(few.to(torch.bfloat16).double(), mean, -3.0, levels=17)
    assert torch.equal(rounded, diffusion.discretised_log_likelihood(few, mean, -3.0, levels=17))


@pytest.mark.parametrize("cdf", ["exact", "tanh"])
def test_gradients_of_the_likelihood_are_finite_and_right(cdf: str) -> None:
    x = torch.tensor([[-1.0, -1.0, 1.0, 1.0, 1 / 3, -1 / 3, 1 / 3]], dtype=float64)
    mean = torch.tensor([[-1.1, 0.7, 0.9, -1.0, 1 / 3, 0.5, -0.9]], dtype=float64, requires_grad=True)
    log_scale = torch.full_like(x, -0.5).requires_grad_()
    f = lambda m, s: diffusion.discretised_log_likelihood(x, m, s, levels=4, cdf=cdf)  # noqa: E731
    assert torch.autograd.gradcheck(f, (mean, log_scale))
    for extreme in (-7.0, 7.0):
        gradients = torch.autograd.grad(f(mean, torch.full_like(x, extreme).requires_grad_()).sum(), mean)
        assert gradients[0].isfinite().all()


def test_scale_is_a_standard_deviation() -> None:
    """F41: at a mean far from the edges the mass is the density times the width of the bin."""
    x, mean = torch.zeros(1, 1, dtype=float64), torch.full((1, 1), 0.3, dtype=float64)
    ours = diffusion.discretised_log_likelihood(x, mean, math.log(0.2), levels=100_001)
    expected = Normal(mean, 0.2).log_prob(x) + math.log(2 / 100_000)
    assert ours.item() == pytest.approx(expected.item(), abs=1e-6)


@pytest.mark.parametrize("options", [{"cdf": "tanh"}, {"levels": 17}, {"levels": None}])
def test_all_bounds_read_the_pixels_as_they_are_told(options: dict) -> None:
    """F41: with the same noise, another last step changes the bound by what it changes ``ln p(x_0 | x_1)``."""
    s, x_0 = SCHEDULES["linear"], pixels(levels=17)
    seeded = lambda: torch.Generator().manual_seed(0)  # noqa: E731
    x_1 = diffusion.q_sample(s, x_0, 1, torch.randn(x_0.shape, generator=seeded(), dtype=float64))
    default, other = (diffusion.decoder_log_prob(some_model, s, x_0, x_1, **kind) for kind in ({}, options))
    assert (default - other).abs().min() > 1e-6
    for function in (
        lambda *a, **kind: diffusion.variational_bound(*a, **kind).nats,
        diffusion.sampled_bound,
        lambda *a, **kind: diffusion.negative_elbo_lines(*a, **kind)[4],
    ):
        change = function(some_model, s, x_0, generator=seeded(), **options)
        change = change - function(some_model, s, x_0, generator=seeded())
        torch.testing.assert_close(change, default - other, atol=1e-9, rtol=1e-9)


# How it is computed


def test_chunks_bound_what_the_model_sees_and_change_nothing() -> None:
    s, x_0 = NoiseSchedule.cosine(50), pixels(4)
    seen: list[int] = []

    def model(x_t: Tensor, t: Tensor) -> Tensor:
        seen.append(len(x_t))
        assert not torch.is_grad_enabled()
        assert (t.dtype, t.shape) == (torch.long, (len(x_t),))
        return some_model(x_t, t)

    results = []
    for chunk, most in ((1, 4), (10, 8), (1000, 196)):
        seen.clear()
        rng = torch.Generator().manual_seed(0)
        results.append(diffusion.variational_bound(model, s, x_0, generator=rng, chunk=chunk))
        assert max(seen) == most
        assert sum(seen) == 4 * s.T
    for other in results[1:]:
        torch.testing.assert_close(other.nats, results[0].nats, atol=1e-10, rtol=1e-12)
        torch.testing.assert_close(other.steps, results[0].steps, atol=1e-10, rtol=1e-12)
    rng = torch.Generator().manual_seed(0)
    noise = torch.stack([torch.randn(x_0.shape, generator=rng, dtype=float64) for _ in range(s.T)])
    given = diffusion.variational_bound(model, s, x_0, noise=noise)
    torch.testing.assert_close(given.nats, results[0].nats, atol=1e-10, rtol=1e-12)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read as Linux gives it")
def test_peak_memory_does_not_grow_with_the_number_of_steps() -> None:
    """What the process holds: all noise at once would be 150 MiB, and results that scatter what passes cost 60."""
    code = """
import re, torch
from pathlib import Path
from lecture11 import diffusion
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
x_0 = torch.randint(256, (32, 1, 28, 28)) / 127.5 - 1
run = lambda T: diffusion.variational_bound(lambda x_t, t: x_t, diffusion.NoiseSchedule.cosine(T), x_0)
run(50)
before = peak()
run(1500)
print(peak() - before)
"""
    finished = subprocess.run([sys.executable, "-c", code], check=True, text=True, capture_output=True)
    assert float(finished.stdout) < 30, "MiB, for thirty times as many steps"


@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("shape", [(1,), (3, 1, 7)])
def test_short_chains_single_examples_and_odd_sizes(variance: str, shape: tuple[int, ...]) -> None:
    for T in (1, 2):
        s, x_0 = NoiseSchedule.cosine(T), pixels(1, shape=shape)
        terms = diffusion.variational_bound(some_model, s, x_0, variance=variance)
        assert (terms.prior.shape, terms.steps.shape, terms.decoder.shape) == ((1,), (1, T - 1), (1,))
        assert terms.nats.isfinite().all()
        assert diffusion.sampled_bound(some_model, s, x_0, variance=variance).isfinite().all()


@pytest.mark.parametrize("variance", VARIANCES)
def test_an_example_s_bound_does_not_depend_on_the_others(variance: str) -> None:
    s, x_0 = SCHEDULES["linear"], pixels(3)
    noise = randn(s.T, *x_0.shape)
    together = diffusion.variational_bound(some_model, s, x_0, variance=variance, noise=noise)
    for i in range(3):
        alone = diffusion.variational_bound(
            some_model, s, x_0[i : i + 1], variance=variance, noise=noise[:, i : i + 1]
        )  # fmt: skip
        torch.testing.assert_close(alone.nats, together.nats[i : i + 1], atol=1e-10, rtol=1e-12)


@pytest.mark.parametrize(("dtype", "bound_on_error"), [(torch.float32, 1e-4), (torch.bfloat16, 3e-2)])
def test_lower_precision_drifts_little(dtype: torch.dtype, bound_on_error: float) -> None:
    """Relative to float64, over a thousand steps; in bfloat16 it is the model that is asked in 8 bits."""
    s, noise = NoiseSchedule.linear(1000), randn(1000, 4, 15)
    x_0 = pixels(4, levels=17, shape=(15,))

    def model(x_t: Tensor, t: Tensor) -> Tensor:
        v = s.noise_variance(t)
        return x_t * (v.sqrt() / (0.3 * (1 - v) + v)).to(x_t.dtype)[:, None]

    high, low = (
        diffusion.variational_bound(model, s, x_0.to(kind), levels=17, noise=noise) for kind in (float64, dtype)
    )  # fmt: skip
    assert low.nats.dtype == torch.float32
    assert ((low.nats.double() - high.nats) / high.nats).abs().max() < bound_on_error


def test_bound_is_computed_where_the_data_lives(device: torch.device) -> None:
    s, x_0 = SCHEDULES["linear"], pixels().float().to(device)
    rng = torch.Generator(device).manual_seed(0)
    for values in (
        diffusion.variational_bound(some_model, s, x_0, generator=rng).nats,
        diffusion.sampled_bound(some_model, s, x_0, generator=rng),
        diffusion.negative_elbo_lines(some_model, s, x_0, generator=rng),
    ):
        assert (values.device.type, values.dtype) == (device.type, torch.float32)


# The cheap estimator


@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("draws", [1, 3])
def test_estimator_is_unbiased_and_its_standard_error_honest(variance: str, draws: int) -> None:
    """F37: against the exact mean over the noise, for one example asked many times."""
    s, data, n = SCHEDULES["linear"], gaussian_data(), 40_000
    model, x_0 = optimal(s, data), randn(1, 2)
    noise = sigma_points(2).expand(s.T, -1, -1)
    exact = diffusion.variational_bound(
        model, s, x_0.expand(4, 2), variance=variance, levels=None, noise=noise
    ).nats.mean()  # fmt: skip
    rng = torch.Generator().manual_seed(0)
    values = diffusion.sampled_bound(
        model, s, x_0.expand(n, 2), draws=draws, variance=variance, levels=None, generator=rng
    )  # fmt: skip
    estimate = evaluation.estimate(values)
    assert abs(estimate.mean - exact.item()) < 3 * estimate.standard_error
    assert estimate.standard_error < 0.02 * abs(exact.item())
    # The deviations of 200 smaller samples, each in units of its own standard error, have variance 1.
    parts = [evaluation.estimate(part) for part in values.chunk(200)]
    deviations = torch.tensor([(part.mean - exact.item()) / part.standard_error for part in parts])
    assert 0.7 < deviations.square().mean() < 1.4


def test_estimator_asks_the_model_twice_and_carries_the_gradient() -> None:
    s, x_0 = NoiseSchedule.linear(1000), pixels(4).float()
    scale = torch.ones((), requires_grad=True)
    asked: list[Tensor] = []

    def model(x_t: Tensor, t: Tensor) -> Tensor:
        asked.append(t)
        return scale * x_t

    values = diffusion.sampled_bound(model, s, x_0, generator=torch.Generator().manual_seed(0))
    assert values.shape == (4,)
    assert [t.tolist() == [1] * 4 for t in asked] == [True, False]
    assert all(2 <= t <= 1000 for t in asked[1].tolist())
    values.sum().backward()
    assert scale.grad is not None
    assert scale.grad.isfinite()
    assert scale.grad != 0


# What does not fit


def test_what_does_not_fit_is_refused() -> None:
    s, x_0 = SCHEDULES["linear"], pixels()
    for function in (diffusion.variational_bound, diffusion.sampled_bound, diffusion.negative_elbo_lines):
        with pytest.raises(
            ValueError, match=r"pixels must lie in \[-1, 1\], got values in .*take 2 x - 1.*levels=None"
        ):
            function(some_model, s, 3 * x_0)
        with pytest.raises(ValueError, match="shape of x_t"):
            function(lambda x_t, t: x_t[:, :, :1], s, x_0)
        grey = (x_0 + 1) / 2
        for wrong in (grey, 255 * grey):
            with pytest.raises(ValueError, match=r"x_0: pixels must lie in \[-1, 1\]"):
                function(some_model, s, wrong)
        function(some_model, s, torch.ones_like(x_0))  # white is white
        function(some_model, s, 3 * x_0, levels=None)
        with pytest.raises(ValueError, match=r"x_0: pixels must lie"):
            function(some_model, s, 3 * x_0, levels=None, clip=True)
    with pytest.raises(ValueError, match="at least 2; got 1"):
        diffusion.variational_bound(some_model, s, x_0, levels=1)
    with pytest.raises((ValueError, TypeError), match="cdf"):
        diffusion.discretised_log_likelihood(x_0, x_0, 0.0, cdf="logistic")
    with pytest.raises(ValueError, match=r"one draw a step, shape \(20, 3, 1, 3, 5\); got \(19, 3, 1, 3, 5\)"):
        diffusion.variational_bound(some_model, s, x_0, noise=randn(19, *x_0.shape))
    with pytest.raises(ValueError, match="at least 1; got 0"):
        diffusion.sampled_bound(some_model, s, x_0, draws=0)
    with pytest.raises(ValueError, match=r"t must lie in 2\.\.T = 20, got 1"):
        diffusion.step_divergence(some_model, s, x_0, 1, x_0)


# Planted errors: each must be seen by a test above

discretised, log_prob = diffusion.discretised_log_likelihood, gaussian.log_prob


def without_outer_bins(x_0, mean, log_scale, *, levels=256, cdf="exact"):
    scale = torch.exp(torch.as_tensor(log_scale))
    law, half = Normal(mean, scale), 1 / (levels - 1)
    return (law.cdf(x_0 + half) - law.cdf(x_0 - half)).clamp(min=1e-300).log().flatten(1).sum(1)


def log_variance_for_log_scale(x_0, mean, log_scale, **options):
    return discretised(x_0, mean, 2 * torch.as_tensor(log_scale), **options)


def test_planted_outer_bins_that_end_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diffusion, "discretised_log_likelihood", without_outer_bins)
    monkeypatch.setattr(bound, "discretised_log_likelihood", without_outer_bins)
    with pytest.raises(AssertionError):
        test_one_step_with_three_levels()
    with pytest.raises(AssertionError):
        test_logarithms_are_right_far_into_the_tails(17, -1.0, 1.0)
    with pytest.raises(AssertionError):
        test_tanh_is_the_formula_of_published_code()


def test_a_planted_variance_for_the_standard_deviation_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diffusion, "discretised_log_likelihood", log_variance_for_log_scale)
    with pytest.raises(AssertionError):
        test_scale_is_a_standard_deviation()
    monkeypatch.undo()
    monkeypatch.setattr(bound, "discretised_log_likelihood", log_variance_for_log_scale)
    with pytest.raises(AssertionError):
        test_terms_are_the_divergences_of_torch("linear", "posterior", False)


def test_a_planted_bound_without_its_prior_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diffusion.Bound, "nats", property(lambda self: self.steps.sum(1) + self.decoder))
    for test in (
        lambda: test_mean_bound_is_exact([0.2, 0.7], "posterior"),
        lambda: test_terms_are_the_divergences_of_torch("linear", "posterior", False),
        test_one_step_with_three_levels,
    ):
        with pytest.raises(AssertionError):
            test()


@pytest.mark.parametrize("wrong", ["of the step before", "alpha_bar of t"])
def test_planted_weights_are_seen(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    weight = NoiseSchedule.loss_weight
    error = {
        "of the step before": lambda self, t: weight(self, (torch.as_tensor(t) - 1).clamp(min=2)),
        "alpha_bar of t": lambda self, t: self.beta(t) / (2 * self.alpha(t) * self.noise_variance(t)),
    }
    monkeypatch.setattr(NoiseSchedule, "loss_weight", error[wrong])
    with pytest.raises(AssertionError):
        test_terms_are_weighted_squared_errors("linear")


def test_planted_means_of_the_posterior_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def swapped(s: NoiseSchedule, x_0: Tensor, x_t: Tensor, t: Tensor | int) -> Tensor:
        return diffusion.posterior_mean_from_x0(s, x_t, x_0, t)

    monkeypatch.setattr(bound, "posterior_mean_from_x0", swapped)
    for test in (
        lambda: test_mean_bound_is_exact([0.2, 0.7], "posterior"),
        lambda: test_five_lines_are_equal_on_every_path("posterior"),
        lambda: test_terms_are_weighted_squared_errors("linear"),
    ):
        with pytest.raises(AssertionError):
            test()


def test_planted_averages_over_pixels_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    kl = gaussian.kl
    monkeypatch.setattr(gaussian, "kl", lambda mu, *rest: kl(mu, *rest) / mu[0].numel())
    with pytest.raises(AssertionError):
        test_mean_bound_is_exact([0.2, 0.7], "beta")
    with pytest.raises(AssertionError):
        test_terms_are_weighted_squared_errors("linear")


def test_a_planted_estimator_that_forgets_its_probabilities_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps drawn evenly and weighted as if they were drawn by ``w_t``."""
    multinomial = torch.multinomial
    monkeypatch.setattr(torch, "multinomial", lambda p, *rest, **options: multinomial(p**0, *rest, **options))
    with pytest.raises(AssertionError):
        test_estimator_is_unbiased_and_its_standard_error_honest("posterior", 1)


# The optimal variance


def test_the_optimal_variance_is_known_for_an_exact_mixture_and_nothing_beats_it() -> None:
    """Two Gaussians on a line: Bao et al.'s formula by quadrature, from the score and not from errors."""
    s = NoiseSchedule.linear(6, 0.05, 0.5)
    data = gaussian.Mixture(
        torch.tensor([0.3, 0.7], dtype=float64),
        torch.tensor([[-0.8], [0.6]], dtype=float64),
        torch.tensor([[[0.04]], [[0.01]]], dtype=float64),
    )
    rng = torch.Generator().manual_seed(0)
    x_0 = data.sample(2000, generator=rng)[0]
    found = diffusion.optimal_variance(optimal(s, data), s, x_0, draws=8000, generator=rng)
    grid = torch.linspace(-8, 8, 4001, dtype=float64)[:, None]
    expected = []
    for t in range(1, s.T + 1):
        law = diffusion.noised_law(s, data, t)
        gamma = torch.trapezoid(law.log_prob(grid).exp() * law.score(grid)[:, 0] ** 2, grid[:, 0])
        scale = s.beta(t) ** 2 / s.alpha(t)
        expected.append(s.posterior_variance(t) + scale * (1 / s.noise_variance(t) - gamma))
    torch.testing.assert_close(found, torch.stack(expected), rtol=0.08, atol=0)

    def bound(variance: str | Tensor) -> float:
        noise = randn(s.T, len(x_0), 1)
        terms = diffusion.variational_bound(optimal(s, data), s, x_0, variance=variance, levels=None, noise=noise)
        return terms.nats.mean().item()

    best = bound(found)
    # Of each step alone, a quarter less or a third more is worse.
    for t in range(s.T):
        for factor in (0.75, 1.33):
            other = found.clone()
            other[t] *= factor
            assert bound(other) > best
    assert best < min(bound("posterior"), bound("beta"))
    assert best > -data.log_prob(x_0).mean().item()


def test_with_a_gaussian_and_the_optimal_variance_the_chain_is_exact() -> None:
    """The step back from an isotropic Gaussian is one: only the start is off, and with clipping nothing is cut here."""
    s = NoiseSchedule.linear(5, 0.1, 0.4)
    data = gaussian.Mixture(
        torch.ones(1, dtype=float64), torch.zeros(1, 3, dtype=float64), 1e-2 * torch.eye(3, dtype=float64)[None]
    )
    rng = torch.Generator().manual_seed(0)
    x_0 = data.sample(3000, generator=rng)[0]
    found = diffusion.optimal_variance(optimal(s, data), s, x_0, draws=3000, generator=rng)
    exact = [diffusion.reverse_law(s, data, x_0[0], t).covariances[0, 0, 0] for t in range(1, s.T + 1)]
    torch.testing.assert_close(found, torch.stack(exact), rtol=0.05, atol=0)
    clipped = diffusion.optimal_variance(
        optimal(s, data), s, x_0, draws=3000, clip=True, generator=torch.Generator().manual_seed(1)
    )
    torch.testing.assert_close(clipped, found, rtol=0.06, atol=0)
    bound = diffusion.variational_bound(optimal(s, data), s, x_0, variance=torch.stack(exact), levels=None).nats
    gap = bound.mean() + data.log_prob(x_0).mean()
    start = diffusion.noised_law(s, data, s.T).covariances[0, 0, 0]
    assert gap.item() == pytest.approx(1.5 * (start - 1 - start.log()).item(), abs=0.05)


def test_a_table_of_variances_is_one_for_each_step() -> None:
    s, x, t = NoiseSchedule.linear(4), randn(3, 2), torch.tensor([1, 4, 2])
    table = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=float64)
    assert diffusion.step_variance(s, t, table).tolist() == [0.1, 0.4, 0.2]
    assert diffusion.step_variance(s, 3, table) == 0.3
    step = diffusion.p_step(s, x, t, randn(3, 2), torch.ones(3, 2, dtype=float64), variance=table)
    mean = diffusion.p_mean(s, x, t, randn(3, 2))
    torch.testing.assert_close(step - mean, torch.tensor([[0.0], [0.4**0.5], [0.2**0.5]]).double().expand(3, 2))
    for wrong in (table[:3], table - 0.1, table / 0):
        with pytest.raises(ValueError, match="'beta' or positive numbers for T = 4 steps"):
            diffusion.step_variance(s, 2, wrong)
    # One for each number too: where they are equal nothing changes, where one is not, it is that number that does.
    wide = table[:, None].repeat(1, 2)
    for t_of in (t, 3, torch.tensor(3)):
        noise, eps = torch.ones(3, 2, dtype=float64), randn(3, 2)
        steps = [diffusion.p_step(s, x, t_of, eps, noise, variance=v) for v in (table, wide)]
        assert torch.equal(*steps)
    x_0, noise = pixels(3, shape=(2,)), randn(4, 3, 2)
    bounds = [diffusion.variational_bound(some_model, s, x_0, variance=v, noise=noise).nats for v in (table, wide)]
    torch.testing.assert_close(*bounds)
    wide[:, 1] = 0.25
    other = diffusion.p_step(s, x, 3, eps, noise[0], variance=wide)
    assert torch.equal(other[:, 0], diffusion.p_step(s, x, 3, eps, noise[0], variance=table)[:, 0])
    torch.testing.assert_close(other[:, 1], diffusion.p_mean(s, x, 3, eps)[:, 1] + 0.5 * noise[0, :, 1])
    with pytest.raises(ValueError, match="t must lie in"):
        diffusion.step_variance(s, 0, table)


def test_the_variance_of_each_number_is_measured_apart() -> None:
    """Data of which one number never varies: its steps are known, and the bound falls."""
    s = NoiseSchedule.linear(6, 0.05, 0.5)
    data = gaussian.Mixture(
        torch.ones(1, dtype=float64),
        torch.zeros(1, 2, dtype=float64),
        torch.diag(torch.tensor([1e-8, 1.0])).double()[None],
    )
    rng = torch.Generator().manual_seed(0)
    x_0 = data.sample(2000, generator=rng)[0]
    apart, one = (
        diffusion.optimal_variance(optimal(s, data), s, x_0, draws=2000, per_dim=per_dim, generator=rng)
        for per_dim in (True, False)
    )
    assert (apart.shape, one.shape) == ((6, 2), (6,))
    exact = [diffusion.reverse_law(s, data, x_0[0], t).covariances[0].diagonal() for t in range(2, s.T + 1)]
    torch.testing.assert_close(apart[1:], torch.stack(exact), rtol=0.07, atol=1e-3)
    torch.testing.assert_close(apart.mean(1), one, rtol=0.1, atol=0)
    bounds = [
        diffusion.variational_bound(optimal(s, data), s, x_0, variance=v, levels=None, generator=rng).nats.mean()
        for v in (apart, one)
    ]
    assert bounds[0] < bounds[1] - 1
