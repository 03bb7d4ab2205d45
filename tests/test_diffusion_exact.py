"""The oracles themselves: laws of noisy mixtures, the best noise prediction, the reverse step that needs the data."""

import pytest
import torch
from diffusion_oracles import SCHEDULES, gaussian_data, moments, points_of, sigma_points
from torch import Tensor

from lecture11 import diffusion, gaussian
from lecture11.data import planar
from lecture11.diffusion import exact

float64 = torch.float64


def mixture(d: int = 1) -> gaussian.Mixture:
    rng = torch.Generator().manual_seed(3)
    root = 0.5 * torch.randn(3, d, d, generator=rng, dtype=float64)
    return gaussian.Mixture(
        torch.tensor([0.5, 0.3, 0.2], dtype=float64),
        2 * torch.randn(3, d, generator=rng, dtype=float64),
        root @ root.mT + 0.05 * torch.eye(d, dtype=float64),
    )


@pytest.mark.parametrize("name", SCHEDULES)
def test_noised_law_is_that_of_noised_points(name: str) -> None:
    """F28: mean and covariance of each component, exactly; the weights stay."""
    s, data = SCHEDULES[name], gaussian_data()
    both = sigma_points(4)
    for t in range(1, s.T + 1):
        x_t = diffusion.q_sample(s, points_of(data, both[:, :2]), t, both[:, 2:])
        law = diffusion.noised_law(s, data, t)
        mean, covariance = moments(x_t)
        torch.testing.assert_close(law.means[0], mean, atol=1e-10, rtol=0)
        torch.testing.assert_close(law.covariances[0], covariance, atol=1e-10, rtol=0)
    start = diffusion.noised_law(s, mixture(2), 0)
    assert torch.equal(start.means, mixture(2).means)
    assert torch.equal(start.covariances, mixture(2).covariances)


def test_optimal_noise_is_the_conditional_mean() -> None:
    """F5, F21: ``E[eps | x_t]`` by a fine sum over ``x_0``, which knows nothing of scores."""
    s, data = SCHEDULES["linear"], mixture()
    x_0 = torch.linspace(-12, 12, 40_001, dtype=float64)[:, None]
    weight = data.log_prob(x_0)
    x_t = torch.tensor([[-2.0], [0.1], [1.7]], dtype=float64)
    for t in (1, 4, 20):
        keep, std = s.alpha_bar(t).sqrt(), s.noise_variance(t).sqrt()
        eps = (x_t - keep * x_0.T) / std
        posterior = (weight - eps.square() / 2).softmax(1)
        expected = (posterior * eps).sum(1, keepdim=True)
        ours = diffusion.optimal_eps(s, data, x_t, t)
        torch.testing.assert_close(ours, expected, atol=1e-10, rtol=0)


def test_optimal_noise_takes_each_example_s_step_and_keeps_the_dtype(device: torch.device) -> None:
    s, data = SCHEDULES["cosine"], planar.gaussian_mixture()
    x_t = torch.randn(5, 2, generator=torch.Generator().manual_seed(0)).to(device)
    t = torch.tensor([3, 20, 1, 3, 7], device=device)
    together = diffusion.optimal_eps(s, data, x_t, t)
    assert (together.dtype, together.device.type) == (torch.float32, device.type)
    alone = torch.cat([diffusion.optimal_eps(s, data, x_t[i : i + 1], step) for i, step in enumerate(t.tolist())])
    torch.testing.assert_close(together, alone, atol=1e-6, rtol=0)


def test_reverse_step_is_bayes_rule_with_the_data_s_distribution() -> None:
    """F30: ``q(x_{t-1} | x_t)`` up to its constant is ``q(x_t | x_{t-1}) q(x_{t-1})``, and it adds up to 1."""
    s, data = SCHEDULES["linear"], mixture()
    grid = torch.linspace(-12, 12, 20_001, dtype=float64)[:, None]
    for t in (1, 2, 9, 20):
        for x_t in (-1.5, 0.2, 2.0):
            law = diffusion.reverse_law(s, data, torch.tensor([x_t], dtype=float64), t)
            step = torch.distributions.Normal(s.alpha(t).sqrt() * grid[:, 0], s.beta(t).sqrt())
            joint = step.log_prob(torch.tensor(x_t, dtype=float64)) + diffusion.noised_law(s, data, t - 1).log_prob(
                grid
            )
            density = joint.softmax(0) / (grid[1, 0] - grid[0, 0])
            torch.testing.assert_close(law.log_prob(grid).exp(), density, atol=1e-8, rtol=1e-8)


@pytest.mark.parametrize("d", [1, 2])
def test_mean_of_the_reverse_step_is_that_of_the_best_network(d: int) -> None:
    """F30, F35, F39: with ``eps*``, ``mu_theta`` is ``E[x_{t-1} | x_t]``, although the law itself is no Gaussian."""
    s, data = SCHEDULES["linear"], mixture(d)
    x_t = torch.randn(1, d, generator=torch.Generator().manual_seed(0), dtype=float64)
    for t in range(1, s.T + 1):
        law = diffusion.reverse_law(s, data, x_t[0], t)
        mean = law.weights @ law.means
        eps = diffusion.optimal_eps(s, data, x_t, t)
        torch.testing.assert_close(diffusion.p_mean(s, x_t, t, eps)[0], mean, atol=1e-10, rtol=0)


def test_reverse_step_of_gaussian_data_lies_between_the_two_variances() -> None:
    """F22, F32: ``beta~_t`` is too small and ``beta_t`` too large for data with some spread below 1."""
    s = SCHEDULES["linear"]
    data = gaussian.Mixture(
        torch.ones(1, dtype=float64), torch.zeros(1, 1, dtype=float64), torch.full((1, 1, 1), 0.3, dtype=float64)
    )
    for t in range(2, s.T + 1):
        law = diffusion.reverse_law(s, data, torch.zeros(1, dtype=float64), t)
        assert s.posterior_variance(t) < law.covariances[0, 0, 0] < s.beta(t)


def test_distribution_of_the_sampler_is_for_one_gaussian_only() -> None:
    with pytest.raises(ValueError, match=r"single Gaussian.*got 3 components"):
        diffusion.sampler_law(SCHEDULES["linear"], mixture())


# Planted errors: each must be seen by a test above


def test_a_planted_score_for_the_noise_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_the_scale(s: diffusion.NoiseSchedule, data: gaussian.Mixture, x_t: Tensor, t: int) -> Tensor:
        return -exact.noised_law(s, data, t).score(x_t)

    monkeypatch.setattr(diffusion, "optimal_eps", without_the_scale)
    with pytest.raises(AssertionError):
        test_optimal_noise_is_the_conditional_mean()
    with pytest.raises(AssertionError):
        test_mean_of_the_reverse_step_is_that_of_the_best_network(1)
