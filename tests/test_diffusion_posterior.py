"""The step back: Bayes' rule with torch.distributions, the two forms of the mean, and the ends of the chain."""

from collections.abc import Callable

import pytest
import torch
from diffusion_oracles import SCHEDULES
from torch import Tensor
from torch.distributions import Normal

from lecture11 import diffusion

float64 = torch.float64


def triple(seed: int = 0, shape: tuple[int, ...] = (4, 1, 3, 5)) -> Tensor:
    """Any ``x_0``, ``x_{t-1}``, ``x_t``."""
    return torch.randn(3, *shape, generator=torch.Generator().manual_seed(seed), dtype=float64)


@pytest.mark.parametrize("name", SCHEDULES)
def test_posterior_is_bayes_rule(name: str) -> None:
    """F31, F32, F33: ``q(x_{t-1} | x_t, x_0) q(x_t | x_0) = q(x_t | x_{t-1}) q(x_{t-1} | x_0)`` at any three points."""
    s = SCHEDULES[name]
    x_0, eps, shift = triple()
    for t in range(2, s.T + 1):
        before, now = s.alpha_bar(t - 1), s.alpha_bar(t)
        # Points where the densities are not astronomically small, whatever the step.
        x_t = now.sqrt() * x_0 + s.noise_variance(t).sqrt() * eps
        mean = diffusion.posterior_mean_from_x0(s, x_0, x_t, t)
        posterior = Normal(mean, s.posterior_variance(t).sqrt())
        x_prev = mean + posterior.scale * shift
        left = posterior.log_prob(x_prev) + Normal(now.sqrt() * x_0, s.noise_variance(t).sqrt()).log_prob(x_t)
        right = Normal(s.alpha(t).sqrt() * x_prev, s.beta(t).sqrt()).log_prob(x_t)
        right = right + Normal(before.sqrt() * x_0, s.noise_variance(t - 1).sqrt()).log_prob(x_prev)
        smallest = min(s.noise_variance(t - 1).sqrt().item(), s.beta(t).sqrt().item())
        torch.testing.assert_close(left, right, atol=1e-13 / smallest + 1e-11, rtol=1e-10)


@pytest.mark.parametrize("name", SCHEDULES)
def test_both_forms_of_the_mean_are_one(name: str) -> None:
    """F33 with F34 is F35, and F34 takes back F28."""
    s = SCHEDULES[name]
    x_0, eps, _ = triple()
    for t in range(1, s.T + 1):
        x_t = diffusion.q_sample(s, x_0, t, eps)
        from_x0 = diffusion.posterior_mean_from_x0(s, x_0, x_t, t)
        from_eps = diffusion.posterior_mean_from_eps(s, x_t, t, eps)
        # 1 / sqrt(alpha_t) magnifies rounding: by 1000 in the last step of the extreme schedule.
        torch.testing.assert_close(from_x0, from_eps, atol=1e-14 / s.alpha(t).sqrt().item() + 1e-13, rtol=0)
        tolerance = 1e-14 / s.alpha_bar(t).sqrt().item() + 1e-13
        torch.testing.assert_close(diffusion.predict_x0(s, x_t, t, eps), x_0, atol=tolerance, rtol=0)


@pytest.mark.parametrize("name", SCHEDULES)
def test_first_step_leads_back_to_the_data(name: str) -> None:
    """F33 at ``t = 1``: the mean is ``x_0`` itself and the variance 0."""
    s = SCHEDULES[name]
    x_0, _, x_1 = triple()
    assert torch.equal(diffusion.posterior_mean_from_x0(s, x_0, x_1, 1), x_0)
    assert s.posterior_variance(1).item() == 0


def test_chains_of_one_and_of_two_steps() -> None:
    """By hand, with ``alpha_1 = alpha_2 = 1/2``."""
    x_0, _, x_t = triple(shape=(2, 1))
    one = diffusion.NoiseSchedule([0.5])
    assert torch.equal(diffusion.posterior_mean_from_x0(one, x_0, x_t, 1), x_0)
    two = diffusion.NoiseSchedule([0.5, 0.5])
    # alpha_bar = 1/2, 1/4: (sqrt(1/2) 1/2 x_2 + sqrt(1/2) 1/2 x_0) / (3/4).
    expected = (x_t + x_0) * 0.5**0.5 * 2 / 3
    torch.testing.assert_close(diffusion.posterior_mean_from_x0(two, x_0, x_t, 2), expected, atol=1e-14, rtol=0)
    assert two.posterior_variance(2).item() == pytest.approx(1 / 3, rel=1e-14)


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (5, 3, 1, 7)])
def test_each_example_has_its_own_step(shape: tuple[int, ...]) -> None:
    s = SCHEDULES["linear"]
    x_0, eps, x_t = triple(shape=shape)
    t = torch.tensor([1, 20, 2, 7, 7])[: len(x_0)]
    together = diffusion.posterior_mean_from_x0(s, x_0, x_t, t), diffusion.posterior_mean_from_eps(s, x_t, t, eps)
    for i, step in enumerate(t.tolist()):
        row = slice(i, i + 1)
        alone = diffusion.posterior_mean_from_x0(s, x_0[row], x_t[row], step)
        torch.testing.assert_close(together[0][row], alone, atol=1e-14, rtol=0)
        alone = diffusion.posterior_mean_from_eps(s, x_t[row], step, eps[row])
        torch.testing.assert_close(together[1][row], alone, atol=1e-14, rtol=0)


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 6e-7), (torch.bfloat16, 3e-2)])
def test_lower_precision_costs_no_more_than_its_digits(dtype: torch.dtype, bound: float) -> None:
    for name in ("linear", "cosine", "constant"):
        s = SCHEDULES[name]
        x_0, eps, x_t = triple().to(dtype)
        for t in range(1, s.T + 1):
            pairs = [
                (diffusion.posterior_mean_from_x0(s, a, b, t), diffusion.posterior_mean_from_eps(s, b, t, c))
                for a, b, c in ((x_0, x_t, eps), (x_0.double(), x_t.double(), eps.double()))
            ]
            for low, high in zip(*pairs, strict=True):
                assert low.dtype == dtype
                assert (low.double() - high).abs().max() < bound * (1 + high.abs().max()) / s.alpha(t).sqrt()


def test_what_does_not_fit_is_refused() -> None:
    s = SCHEDULES["linear"]
    x_0, eps, x_t = triple()
    for t in (0, 21):
        with pytest.raises(ValueError, match=rf"t must lie in 1\.\.T = 20, got {t}"):
            diffusion.posterior_mean_from_x0(s, x_0, x_t, t)
        with pytest.raises(ValueError, match=rf"t must lie in 1\.\.T = 20, got {t}"):
            diffusion.posterior_mean_from_eps(s, x_t, t, eps)
    with pytest.raises((ValueError, TypeError)):
        diffusion.posterior_mean_from_x0(s, x_0[:1], x_t, 1)


# Planted errors: each must be seen by a test above


def coefficients(s: diffusion.NoiseSchedule, t: int) -> tuple[Tensor, Tensor]:
    """Of ``x_t`` and of ``x_0``."""
    before, now = s.noise_variance(t - 1), s.noise_variance(t)
    return s.alpha(t).sqrt() * before / now, s.alpha_bar(t - 1).sqrt() * s.beta(t) / now


def swapped(s: diffusion.NoiseSchedule, x_0: Tensor, x_t: Tensor, t: int) -> Tensor:
    of_x_t, of_x_0 = coefficients(s, t)
    return of_x_0 * x_t + of_x_t * x_0


def alpha_bar_t_for_the_one_before(s: diffusion.NoiseSchedule, x_0: Tensor, x_t: Tensor, t: int) -> Tensor:
    return s.alpha(t).sqrt() * x_t + s.alpha_bar(t).sqrt() * s.beta(t) / s.noise_variance(t) * x_0


def alpha_for_alpha_bar(s: diffusion.NoiseSchedule, x_0: Tensor, x_t: Tensor, t: int) -> Tensor:
    of_x_t, of_x_0 = coefficients(s, t)
    return of_x_t * x_t + of_x_0 * (s.alpha(t) / s.alpha_bar(t)).sqrt() * x_0


def as_printed_in_e13(s: diffusion.NoiseSchedule, x_t: Tensor, t: int, eps: Tensor) -> Tensor:
    return (x_t - s.beta(t) / s.noise_variance(t).sqrt() * eps) / s.alpha_bar(t).sqrt()


def as_printed_in_e10(s: diffusion.NoiseSchedule, x_t: Tensor, t: int, eps: Tensor) -> Tensor:
    return (x_t - s.beta(t) / s.beta(t).sqrt() * eps) / s.alpha(t).sqrt()


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("posterior_mean_from_x0", swapped),
        ("posterior_mean_from_x0", alpha_bar_t_for_the_one_before),
        ("posterior_mean_from_x0", alpha_for_alpha_bar),
        ("posterior_mean_from_eps", as_printed_in_e13),
        ("posterior_mean_from_eps", as_printed_in_e10),
        ("predict_x0", lambda s, x_t, t, eps: (x_t - s.noise_variance(t) * eps) / s.alpha_bar(t).sqrt()),
    ],
)
def test_planted_errors_are_seen(name: str, error: Callable[..., Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diffusion, name, error)
    with pytest.raises(AssertionError):
        test_both_forms_of_the_mean_are_one("linear")
    if name == "posterior_mean_from_x0":
        with pytest.raises(AssertionError):
            test_posterior_is_bayes_rule("linear")
        with pytest.raises(AssertionError):
            test_chains_of_one_and_of_two_steps()


def test_a_planted_standard_deviation_for_the_variance_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    variance = diffusion.NoiseSchedule.posterior_variance
    monkeypatch.setattr(diffusion.NoiseSchedule, "posterior_variance", lambda self, t: variance(self, t).sqrt())
    with pytest.raises(AssertionError):
        test_posterior_is_bayes_rule("linear")
