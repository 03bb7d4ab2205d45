"""Algorithm 2 and DDIM: exact laws for Gaussian data, two samples for a mixture, diffusers step by step."""

import functools
import itertools
from collections.abc import Callable

import pytest
import torch
from diffusion_oracles import SCHEDULES, gaussian_data, moments, points_of, sigma_points
from scipy.stats import ks_2samp
from torch import Tensor, nn
from torch.distributions import MultivariateNormal, kl_divergence

from lecture11 import diffusion, gaussian, networks
from lecture11.data import planar
from lecture11.diffusion import NoiseSchedule, sampling

float64 = torch.float64
VARIANCES = ("posterior", "beta")


def randn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=float64)


def linear_model(x_t: Tensor, t: Tensor) -> Tensor:
    """Some network: it depends on the point and on the step."""
    return 0.9 * x_t - 0.1 * x_t.flip(-1) + 0.01 * t.view(-1, *[1] * (x_t.ndim - 1))


def optimal(s: NoiseSchedule, data: gaussian.Mixture) -> functools.partial:
    return functools.partial(diffusion.optimal_eps, s, data)


# Algorithm 2 on Gaussian data, where the law of its output is known


@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("name", ["linear", "cosine", "constant"])
def test_distribution_of_the_output_is_exact(name: str, variance: str) -> None:
    """F22, F29, F39: mean and covariance, step by step, by points whose means are exact; no sampling."""
    s, data = SCHEDULES[name], gaussian_data()
    model, both = optimal(s, data), sigma_points(4)
    law = gaussian.Mixture(data.weights, torch.zeros(1, 2, dtype=float64), torch.eye(2, dtype=float64)[None])
    for t in range(s.T, 0, -1):
        x_t = points_of(law, both[:, :2])
        x_prev = diffusion.p_step(s, x_t, t, model(x_t, torch.full((8,), t)), both[:, 2:], variance=variance)
        mean, covariance = moments(x_prev)
        law = gaussian.Mixture(data.weights, mean[None], covariance[None])
    exact = diffusion.sampler_law(s, data, variance=variance)
    torch.testing.assert_close(law.means, exact.means, atol=1e-10, rtol=0)
    torch.testing.assert_close(law.covariances, exact.covariances, atol=1e-10, rtol=0)


@pytest.mark.parametrize("variance", VARIANCES)
def test_samples_have_the_exact_distribution(variance: str) -> None:
    """F22: the whole loop, within three standard errors."""
    s, data, n = SCHEDULES["linear"], gaussian_data(), 40_000
    exact = diffusion.sampler_law(s, data, variance=variance)
    x = diffusion.sample(
        optimal(s, data), s, (n, 2), variance=variance, generator=torch.Generator().manual_seed(1), x_T=randn(n, 2)
    )
    mean, covariance = moments(x)
    expected = exact.covariances[0]
    spread = expected.diagonal()
    assert ((mean - exact.means[0]).abs() < 3 * (spread / n).sqrt()).all()
    assert ((covariance - expected).abs() < 3 * ((torch.outer(spread, spread) + expected**2) / n).sqrt()).all()


@pytest.mark.parametrize("variance", VARIANCES)
def test_output_approaches_the_data_with_the_number_of_steps(variance: str) -> None:
    """The divergence falls by a factor between 3 and 4.5 when T doubles: nearly as ``1 / T^2``."""
    data = gaussian_data()
    truth = MultivariateNormal(data.means[0], data.covariances[0])
    gaps = []
    for T in (50, 100, 200):
        law = diffusion.sampler_law(NoiseSchedule.cosine(T), data, variance=variance)
        gaps.append(kl_divergence(truth, MultivariateNormal(law.means[0], law.covariances[0])).item())
    assert all(3 < a / b < 4.5 for a, b in itertools.pairwise(gaps))
    assert gaps[-1] < 1e-3


@pytest.mark.parametrize(("variance", "point"), [("beta", False), ("posterior", True)])
def test_each_variance_is_exact_at_its_extreme(variance: str, point: bool) -> None:
    """F22: ``beta_t`` for data ``N(0, I)``, ``beta~_t`` for a single point (Ho et al. 2020, section 3.2)."""
    s = NoiseSchedule.cosine(6)
    width = 1e-8 if point else 1.0
    data = gaussian.Mixture(
        torch.ones(1, dtype=float64), torch.zeros(1, 2, dtype=float64), width * torch.eye(2, dtype=float64)[None]
    )
    law = diffusion.sampler_law(s, data, variance=variance)
    # For N(0, I) the very last step adds no noise, and is not exact: x_0 has beta_1 less.
    expected = width if point else width - s.beta(1).item()
    assert law.covariances[0, 0, 0].item() == pytest.approx(expected, abs=1e-7 if point else 1e-12)


# A mixture


def p_value(x: Tensor, y: Tensor, permutations: int = 200) -> float:
    """Permutation test of the energy distance between two samples of one size."""
    n = len(x)
    points = torch.cat([x, y])
    distances = torch.cdist(points, points)
    sign = torch.cat([torch.ones(n, dtype=float64), -torch.ones(n, dtype=float64)])
    rng = torch.Generator().manual_seed(0)
    signs = torch.stack([sign] + [sign[torch.randperm(2 * n, generator=rng)] for _ in range(permutations)], dim=1)
    energy = -(signs * (distances @ signs)).sum(0)
    return (1 + (energy[1:] >= energy[0]).sum().item()) / (1 + permutations)


@pytest.mark.parametrize("variance", VARIANCES)
def test_samples_of_a_mixture_pass_for_the_data(variance: str) -> None:
    """F22: two samples, compared in the plane and by their densities, which see width and gaps."""
    s, data, n = NoiseSchedule.linear(400, rescale=True), planar.gaussian_mixture(), 1000
    rng = torch.Generator().manual_seed(1)
    x = diffusion.sample(optimal(s, data), s, (n, 2), variance=variance, generator=rng, x_T=randn(n, 2))
    y, _ = data.sample(n, generator=rng)
    assert p_value(x, y) > 0.05
    assert ks_2samp(data.log_prob(x), data.log_prob(y)).pvalue > 0.01
    # And the test has eyes: a tenth more, and it fails.
    assert min(p_value(1.1 * x, y), ks_2samp(data.log_prob(1.1 * x), data.log_prob(y)).pvalue) < 0.01


# One step, and the loop around it


@pytest.mark.parametrize("clip", [False, True])
@pytest.mark.parametrize(("variance", "theirs"), [("posterior", "fixed_small"), ("beta", "fixed_large")])
def test_steps_are_those_of_diffusers(variance: str, theirs: str, clip: bool) -> None:
    """F22. Theirs counts from 0 and keeps float32 tables, which are replaced here."""
    import diffusers

    for name in ("linear", "cosine"):
        s = SCHEDULES[name]
        scheduler = diffusers.DDPMScheduler(s.T, variance_type=theirs, clip_sample=clip)
        scheduler.alphas_cumprod = (1 - s.betas).cumprod(0)
        x = 2 * randn(4, 1, 3, 5)
        for t in range(s.T, 0, -1):
            eps = linear_model(x, torch.full((4,), t))
            rng = torch.Generator().manual_seed(t)
            expected = scheduler.step(eps, t - 1, x, generator=rng).prev_sample
            noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(t), dtype=float64)
            x = diffusion.p_step(s, x, t, eps, noise, variance=variance, clip=clip)
            torch.testing.assert_close(x, expected, atol=1e-10, rtol=1e-10)


def test_last_step_adds_no_noise() -> None:
    """F22, line 3 of Algorithm 2: not even where ``sigma_1`` is not zero, and not if the noise is no number."""
    s, x, eps = SCHEDULES["linear"], randn(3, 2), randn(3, 2, seed=1)
    mean = diffusion.posterior_mean_from_eps(s, x, 1, eps)
    for variance in VARIANCES:
        for noise in (randn(3, 2, seed=2), torch.full((3, 2), torch.nan, dtype=float64), None):
            for t in (1, torch.tensor([1, 1, 1]), torch.tensor(1)):
                assert torch.equal(diffusion.p_step(s, x, t, eps, noise, variance=variance), mean)
        # One batch may hold last steps and others.
        mixed = diffusion.p_step(s, x, torch.tensor([1, 2, 1]), eps, randn(3, 2, seed=2), variance=variance)
        assert torch.equal(mixed[0::2], mean[0::2])
        assert not torch.equal(mixed[1], diffusion.posterior_mean_from_eps(s, x, 2, eps)[1])


def test_noise_has_the_standard_deviation_and_not_the_variance() -> None:
    """F22: the step is linear in the noise, with slope ``sigma_t``."""
    s, x, eps = SCHEDULES["linear"], randn(3, 2), randn(3, 2, seed=1)
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    for t in range(2, s.T + 1):
        for variance, table in (("posterior", s.posterior_variance), ("beta", s.beta)):
            slope = diffusion.p_step(s, x, t, eps, one, variance=variance)
            slope = slope - diffusion.p_step(s, x, t, eps, zero, variance=variance)
            torch.testing.assert_close(slope**2, table(t).expand_as(x), atol=1e-12, rtol=1e-10)


def test_clipping_cuts_the_guess_and_only_that() -> None:
    """F33 with a cut ``x_0``; where nothing is cut, nothing changes."""
    s = SCHEDULES["linear"]
    x_0, eps = 0.9 * torch.rand(3, 4, dtype=float64), randn(3, 4)
    for t in range(1, s.T + 1):
        x_t = diffusion.q_sample(s, x_0, t, eps)
        plain, clipped = (diffusion.p_mean(s, x_t, t, eps, clip=clip) for clip in (False, True))
        torch.testing.assert_close(plain, clipped, atol=1e-12, rtol=0)
        far = diffusion.q_sample(s, 5 + x_0, t, eps)
        expected = diffusion.posterior_mean_from_x0(s, torch.ones_like(x_0), far, t)
        torch.testing.assert_close(diffusion.p_mean(s, far, t, eps, clip=True), expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("variance", VARIANCES)
def test_chain_is_algorithm_2_line_by_line(variance: str) -> None:
    """F22."""
    s, shape = SCHEDULES["cosine"], (3, 1, 5)
    asked: list[Tensor] = []

    def model(x_t: Tensor, t: Tensor) -> Tensor:
        asked.append(t)
        return linear_model(x_t, t)

    seeded = lambda: torch.Generator().manual_seed(4)  # noqa: E731
    chain = list(diffusion.sample_chain(model, s, shape, variance=variance, generator=seeded()))
    assert [stage.t for stage in chain] == list(range(s.T, -1, -1))
    assert all(t.dtype == torch.long and t.tolist() == [s.T - i] * 3 for i, t in enumerate(asked))
    assert len(asked) == s.T
    rng = seeded()
    x = torch.randn(shape, generator=rng)
    for t in range(s.T, 0, -1):
        stage = chain[s.T - t]
        assert torch.equal(stage.x_t, x)
        eps = linear_model(x, torch.full((3,), t))
        assert torch.equal(stage.x_0, diffusion.predict_x0(s, x, t, eps))
        z = torch.randn(shape, generator=rng) if t > 1 else torch.zeros(shape)
        sigma = (s.posterior_variance(t) if variance == "posterior" else s.beta(t)).sqrt().float()
        mean = (x - (s.beta(t) / s.noise_variance(t).sqrt()).float() * eps) / s.alpha(t).sqrt().float()
        x = mean + sigma * z
    torch.testing.assert_close(chain[-1].x_t, x, atol=1e-5, rtol=0)
    assert torch.equal(chain[-1].x_t, chain[-1].x_0)
    result = diffusion.sample(model, s, shape, variance=variance, generator=seeded())
    assert torch.equal(result, chain[-1].x_t)


@pytest.mark.parametrize("T", [1, 2])
@pytest.mark.parametrize("shape", [(1, 1), (1, 3, 5, 7)])
def test_short_chains_single_examples_and_odd_sizes(T: int, shape: tuple[int, ...]) -> None:
    s = NoiseSchedule.cosine(T)
    x_T = randn(*shape)
    x = diffusion.sample(linear_model, s, shape, x_T=x_T)
    assert x.shape == shape
    if T == 1:
        guess = diffusion.predict_x0(s, x_T, 1, linear_model(x_T, torch.ones(1)))
        torch.testing.assert_close(x, guess, atol=1e-10, rtol=0)
    assert diffusion.ddim_sample(linear_model, s, shape, steps=T).shape == shape


def test_samples_live_where_the_model_computes(device: torch.device) -> None:
    s = SCHEDULES["cosine"]
    net = networks.MLP((4,), (), (4,)).to(device, float64)

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
            assert x_t.device == t.device
            return self.net(x_t)

    rng = torch.Generator(device).manual_seed(0)
    for draw in (diffusion.sample, functools.partial(diffusion.ddim_sample, steps=5)):
        x = draw(Model(), s, (2, 4), generator=rng)
        assert (x.device.type, x.dtype, x.requires_grad) == (device.type, float64, False)
        x = draw(linear_model, s, (2, 4), generator=rng)
        assert (x.device.type, x.dtype) == (device.type, torch.float32)
        assert draw(linear_model, s, (2, 4), x_T=randn(2, 4).to(device)).dtype == float64


def test_nothing_is_drawn_from_the_global_state_when_there_is_a_generator() -> None:
    s, state = SCHEDULES["cosine"], torch.get_rng_state()
    rng = torch.Generator().manual_seed(0)
    diffusion.sample(linear_model, s, (2, 3), generator=rng)
    diffusion.ddim_sample(linear_model, s, (2, 3), steps=4, eta=0.5, generator=rng)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 1e-4), (torch.bfloat16, 0.02)])
def test_drift_over_a_thousand_steps_is_bounded(dtype: torch.dtype, bound: float) -> None:
    """Against float64 with the same noise, for data ``N(0, 4 I)``, whose exact noise has a short form.

    In bfloat16 only the model is asked: a state of 8 bits would lose the steps themselves, and be off by about 5.
    """
    s, x_T = NoiseSchedule.linear(1000), randn(50, 2).to(torch.bfloat16)

    def model(x_t: Tensor, t: Tensor) -> Tensor:
        v = s.noise_variance(t)
        return x_t * (v.sqrt() / (4 * (1 - v) + v)).to(x_t.dtype)[:, None]

    x = diffusion.sample(model, s, (50, 2), x_T=x_T.to(dtype), generator=torch.Generator().manual_seed(1))
    assert x.dtype == torch.float32
    exact, rng = x_T.double(), torch.Generator().manual_seed(1)
    for t in range(s.T, 0, -1):
        noise = torch.randn(x.shape, generator=rng).double() if t > 1 else None
        exact = diffusion.p_step(s, exact, t, model(exact, torch.full((50,), t)), noise)
    assert exact.abs().max() > 3
    assert (x.double() - exact).abs().max() < bound


# DDIM


@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("spacing", ["leading", "trailing"])
@pytest.mark.parametrize("clip", [False, True])
def test_ddim_is_that_of_diffusers(eta: float, spacing: str, clip: bool) -> None:
    """Where the number of steps divides T: else theirs takes the previous step by stride and not from the list."""
    import diffusers

    s, n = SCHEDULES["cosine"], 5
    scheduler = diffusers.DDIMScheduler(s.T, clip_sample=clip, timestep_spacing=spacing)
    scheduler.alphas_cumprod = (1 - s.betas).cumprod(0)
    scheduler.set_timesteps(n)
    steps = [t + 1 for t in scheduler.timesteps.tolist()]
    x = randn(4, 1, 3, 5)
    for t, t_prev in itertools.pairwise([*steps, 0]):
        eps, noise = linear_model(x, torch.full((4,), t)), randn(4, 1, 3, 5, seed=t)
        expected = scheduler.step(
            eps, t - 1, x, eta=eta, use_clipped_model_output=True, variance_noise=noise
        ).prev_sample  # fmt: skip
        x = diffusion.ddim_step(s, x, t, t_prev, eps, eta=eta, noise=noise, clip=clip)
        torch.testing.assert_close(x, expected, atol=1e-10, rtol=1e-10)
    if eta == 0:
        chosen = n if spacing == "trailing" else steps
        whole = diffusion.ddim_sample(
            linear_model, s, x.shape, steps=chosen, clip=clip, x_T=randn(4, 1, 3, 5)
        )  # fmt: skip
        torch.testing.assert_close(whole, x, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("eta", [0.0, 0.7, 1.0])
def test_ddim_keeps_the_distribution_of_x_t(eta: float) -> None:
    """With the true noise, ``x_{t_prev}`` has the law of F28, for any ``eta`` and any jump (Song et al., lemma 1)."""
    s, x_0 = SCHEDULES["linear"], randn(1, 2)
    both = sigma_points(4)
    for t, t_prev in itertools.combinations(range(s.T, -1, -1), 2):
        x_t = diffusion.q_sample(s, x_0.expand(8, 2), t, both[:, :2])
        x = diffusion.ddim_step(s, x_t, t, t_prev, both[:, :2], eta=eta, noise=both[:, 2:])
        mean, covariance = moments(x)
        torch.testing.assert_close(mean, s.alpha_bar(t_prev).sqrt() * x_0[0], atol=1e-10, rtol=0)
        identity = torch.eye(2, dtype=float64)
        torch.testing.assert_close(covariance, s.noise_variance(t_prev) * identity, atol=1e-10, rtol=0)


@pytest.mark.parametrize("clip", [False, True])
def test_ddim_with_eta_1_is_algorithm_2(clip: bool) -> None:
    """With all steps, and with some: then on the schedule that has only those."""
    s, x, noise = SCHEDULES["linear"], randn(3, 4), randn(3, 4, seed=1)
    for t in range(1, s.T + 1):
        eps = linear_model(x, torch.full((3,), t))
        expected = diffusion.p_step(s, x, t, eps, noise, clip=clip)
        ours = diffusion.ddim_step(s, x, t, t - 1, eps, eta=1.0, noise=noise, clip=clip)
        torch.testing.assert_close(ours, expected, atol=1e-12, rtol=0)
    steps = [2, 3, 7, 15, 20]
    kept = torch.stack([s.alpha_bar(t) for t in [0, *steps]])
    coarse = NoiseSchedule(1 - kept[1:] / kept[:-1])
    few = lambda x_t, t: linear_model(x_t, torch.tensor([0, *steps])[t])  # noqa: E731
    seeded = lambda: torch.Generator().manual_seed(0)  # noqa: E731
    ours = diffusion.ddim_sample(
        linear_model, s, (3, 4), steps=steps, eta=1.0, clip=clip, generator=seeded(), x_T=x
    )  # fmt: skip
    expected = diffusion.sample(few, coarse, (3, 4), clip=clip, generator=seeded(), x_T=x)
    torch.testing.assert_close(ours, expected, atol=1e-10, rtol=0)


@pytest.mark.parametrize("steps", [[1, 2, 20], [3, 7, 19], [20], [5, 17, 4, 11], 7, 1, 20])
def test_previous_step_is_the_next_one_of_the_list(steps: int | list[int]) -> None:
    """For data at one point the exact network knows the noise: ``x_t`` is on its line at every step of the list."""
    s, point = SCHEDULES["linear"], randn(1, 3)

    def model(x_t: Tensor, t: Tensor) -> Tensor:
        return (x_t - s.alpha_bar(t).sqrt()[:, None] * point) / s.noise_variance(t).sqrt()[:, None]

    x_T = randn(2, 3, seed=1)
    chain = list(diffusion.ddim_chain(model, s, (2, 3), steps=steps, x_T=x_T))
    visited = [stage.t for stage in chain]
    if isinstance(steps, list):
        assert visited == [*sorted(steps, reverse=True), 0]
    else:
        assert len(visited) == steps + 1
        assert visited[0] == s.T
        assert all(a > b for a, b in itertools.pairwise(visited))
    eps = model(x_T, torch.full((2,), visited[0]))
    for stage in chain[:-1]:
        expected = diffusion.q_sample(s, point.expand(2, 3), stage.t, eps)
        torch.testing.assert_close(stage.x_t, expected, atol=1e-10, rtol=0)
        torch.testing.assert_close(stage.x_0, point.expand(2, 3), atol=1e-10, rtol=0)
    torch.testing.assert_close(chain[-1].x_t, point.expand(2, 3), atol=1e-10, rtol=0)


def test_numbers_of_steps_are_spread_evenly_and_end_at_T() -> None:
    s = NoiseSchedule.linear(1000)
    assert sampling._steps(s, 4) == [1000, 750, 500, 250]
    assert sampling._steps(s, 3) == [1000, 667, 334]
    assert sampling._steps(s, 1000) == list(range(1000, 0, -1))


def test_ddim_without_noise_is_a_function_of_its_start() -> None:
    s, x_T = SCHEDULES["cosine"], randn(2, 3)
    a, b = (
        diffusion.ddim_sample(linear_model, s, (2, 3), steps=6, x_T=x_T, generator=torch.Generator().manual_seed(i))
        for i in range(2)
    )
    assert torch.equal(a, b)
    noisy = [
        diffusion.ddim_sample(
            linear_model, s, (2, 3), steps=6, eta=0.5, x_T=x_T, generator=torch.Generator().manual_seed(i)
        )
        for i in (0, 1, 0)
    ]
    assert not torch.equal(noisy[0], noisy[1])
    assert torch.equal(noisy[0], noisy[2])


def test_ddim_samples_of_gaussian_data_approach_the_data() -> None:
    """All steps, no noise: the map from noise to data is affine, and its image of ``N(0, I)`` is nearly ``N(m, S)``."""
    data = gaussian_data()
    errors = []
    for T in (50, 100, 200):
        s = NoiseSchedule.cosine(T)
        x = diffusion.ddim_sample(optimal(s, data), s, (4, 2), steps=T, x_T=sigma_points(2))
        mean, covariance = moments(x)
        errors.append(max((mean - data.means[0]).abs().max(), (covariance - data.covariances[0]).abs().max()).item())
    assert all(1.7 < a / b < 2.3 for a, b in itertools.pairwise(errors))  # first order in 1 / T
    assert errors[-1] < 0.15


def test_what_does_not_fit_is_refused() -> None:
    s, x = SCHEDULES["linear"], randn(3, 2)
    with pytest.raises((ValueError, TypeError), match="variance"):
        diffusion.p_step(s, x, 2, x, x, variance="beta~")
    with pytest.raises(ValueError, match="this step adds noise: give it as noise="):
        diffusion.p_step(s, x, 2, x, None)
    with pytest.raises(ValueError, match="this step adds noise"):
        diffusion.ddim_step(s, x, 5, 2, x, eta=0.5)
    diffusion.ddim_step(s, x, 5, 0, x, eta=0.5)  # the last step adds none
    for t in (0, 21):
        with pytest.raises(ValueError, match=rf"t must lie in 1\.\.T = 20, got {t}"):
            diffusion.p_step(s, x, t, x, x)
    for pair in ((5, 5), (5, 7)):
        with pytest.raises(ValueError, match="earlier step must be smaller"):
            diffusion.ddim_step(s, x, *pair, x)
    for eta in (-0.1, 2.5):
        with pytest.raises(ValueError, match=rf"eta = {eta} asks for more noise"):
            diffusion.ddim_step(s, x, 20, 19, x, eta=eta, noise=x)
    for steps, message in (
        ([0, 5], r"steps must lie in 1\.\.T = 20, got 0"),
        ([5, 21], "got 21"),
        ([5, 5], "different steps"),
        ([], "different steps"),
        (0, "steps is a count, at least 1; got 0"),
        (21, "got 21"),
    ):
        with pytest.raises(ValueError, match=message):
            diffusion.ddim_sample(linear_model, s, (1, 2), steps=steps)
    with pytest.raises(ValueError, match=r"x_T must have the shape asked for, \(2, 2\); got \(3, 2\)"):
        diffusion.sample(linear_model, s, (2, 2), x_T=x)
    with pytest.raises(ValueError, match="shape of x_t"):
        diffusion.sample(lambda x_t, t: x_t[:, :1], s, (2, 2))


# Planted errors: each must be seen by a test above

p_step, p_mean, step_variance, ddim_step = (
    diffusion.p_step,
    diffusion.p_mean,
    diffusion.step_variance,
    diffusion.ddim_step,
)


def noise_at_the_last_step(s, x_t, t, eps, noise, *, variance="posterior", clip=False):
    noise = torch.randn_like(x_t) if noise is None else noise
    return p_mean(s, x_t, t, eps, clip=clip) + s.beta(t).sqrt().to(x_t) * noise


def variance_for_std(s, x_t, t, eps, noise, *, variance="posterior", clip=False):
    noise = torch.zeros_like(x_t) if noise is None else noise
    return p_mean(s, x_t, t, eps, clip=clip) + step_variance(s, t, variance).to(x_t) * noise


def mean_as_printed_in_e10(s, x_t, t, eps, noise, *, variance="posterior", clip=False):
    shift = (s.beta(t).sqrt() - s.beta(t) / s.noise_variance(t).sqrt()) / s.alpha(t).sqrt()
    return p_step(s, x_t, t, eps, noise, variance=variance, clip=clip) - shift.to(x_t) * eps


def previous_by_stride(s, x_t, t, t_prev, eps, **options):
    """As if the steps were evenly spaced: 20 steps in 4 parts."""
    return ddim_step(s, x_t, t, max(t - 5, 0), eps, **options)


@pytest.mark.parametrize("error", [noise_at_the_last_step, variance_for_std, mean_as_printed_in_e10])
def test_planted_errors_in_the_step_are_seen(error: Callable[..., Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diffusion, "p_step", error)
    monkeypatch.setattr(sampling, "p_step", error)
    with pytest.raises(AssertionError):
        test_distribution_of_the_output_is_exact("linear", "posterior")
    with pytest.raises(AssertionError):
        test_samples_have_the_exact_distribution("posterior")
    with pytest.raises(AssertionError):
        test_chain_is_algorithm_2_line_by_line("posterior")
    with pytest.raises(AssertionError):
        test_steps_are_those_of_diffusers("posterior", "fixed_small", False)


def test_planted_coefficients_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def swapped(s: NoiseSchedule, x_0: Tensor, x_t: Tensor, t: int) -> Tensor:
        before, now = s.noise_variance(t - 1), s.noise_variance(t)
        return s.alpha(t).sqrt() * before / now * x_0 + s.alpha_bar(t - 1).sqrt() * s.beta(t) / now * x_t

    monkeypatch.setattr(sampling, "posterior_mean_from_x0", swapped)
    with pytest.raises(AssertionError):
        test_steps_are_those_of_diffusers("posterior", "fixed_small", True)
    with pytest.raises(AssertionError):
        test_clipping_cuts_the_guess_and_only_that()


def test_a_planted_stride_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "ddim_step", previous_by_stride)
    with pytest.raises(AssertionError):
        test_previous_step_is_the_next_one_of_the_list([3, 7, 19])
    # Evenly spaced steps do not see it: this is why it goes unnoticed.
    test_previous_step_is_the_next_one_of_the_list([5, 10, 15, 20])
