"""The sampler of second order: its order, the path it follows, diffusers step by step."""

import itertools
from collections.abc import Callable

import pytest
import torch
from diffusion_oracles import SCHEDULES
from test_diffusion_sampling import linear_model, randn
from torch import Tensor

from lecture11 import diffusion
from lecture11.data import planar
from lecture11.diffusion import NoiseSchedule, sampling

float64 = torch.float64
S = NoiseSchedule.cosine(240, max_beta=0.2)
RING = planar.gaussian_mixture()


def gaps(sampler: Callable[..., Tensor], model: Callable, x_T: Tensor, end: Tensor) -> list[float]:
    """Largest distance from the end of the path, for 15, 30 and 60 steps."""
    return [(sampler(model, S, x_T.shape, steps=n, x_T=x_T) - end).norm(dim=1).max().item() for n in (15, 30, 60)]


def test_the_order_is_two_where_ddim_has_one() -> None:
    """Along the path of a Gaussian, ``(x_t - sqrt(alpha_bar_t) m) / std_t`` never changes: its end is known."""
    mean, variance = torch.tensor([0.5, -1.0], dtype=float64), torch.tensor([0.09, 2.0], dtype=float64)

    def model(x_t: Tensor, t: Tensor) -> Tensor:
        keep, v = S.alpha_bar(int(t[0])), S.noise_variance(int(t[0]))
        return v.sqrt() * (x_t - keep.sqrt() * mean) / (keep * variance + v)

    keep, x_T = S.alpha_bar(S.T), randn(16, 2)
    end = mean + (x_T - keep.sqrt() * mean) * (variance / (keep * variance + 1 - keep)).sqrt()
    first, second = (gaps(f, model, x_T, end) for f in (diffusion.ddim_sample, diffusion.dpm_sample))
    assert all(1.9 < a / b < 2.1 for a, b in itertools.pairwise(first))
    assert all(3.8 < a / b < 5.2 for a, b in itertools.pairwise(second))
    assert second[-1] < first[-1] / 20


def test_on_the_ring_it_arrives_where_all_steps_lead() -> None:
    def model(x_t: Tensor, t: Tensor) -> Tensor:
        """The exact noise, by softmax: each component is round."""
        keep, v = S.alpha_bar(int(t[0])), S.noise_variance(int(t[0]))
        apart = x_t[:, None] - keep.sqrt() * RING.means
        variance = keep * RING.covariances[0, 0, 0] + v
        nearness = (-apart.square().sum(2) / (2 * variance)).softmax(1)
        return v.sqrt() * (nearness[..., None] * apart).sum(1) / variance

    x_T = randn(16, 2)
    end = diffusion.dpm_sample(model, S, x_T.shape, steps=S.T, x_T=x_T)
    first, second = (gaps(f, model, x_T, end) for f in (diffusion.ddim_sample, diffusion.dpm_sample))
    assert (diffusion.ddim_sample(model, S, x_T.shape, steps=S.T, x_T=x_T) - end).norm(dim=1).max() < first[-1] / 3
    assert 4 < second[1] / second[2] < 6
    assert second[-1] < first[-1] / 3


@pytest.mark.parametrize("steps", [[1, 2, 3, 7, 15, 20], [5, 17], [20]])
def test_each_step_is_that_of_diffusers(steps: list[int]) -> None:
    """To the digits of float32, in which theirs takes its steps."""
    import diffusers

    s, x_T = SCHEDULES["linear"], randn(3, 1, 2, 4)
    scheduler = diffusers.DPMSolverMultistepScheduler(s.T, trained_betas=s.betas.numpy(), final_sigmas_type="zero")
    scheduler.set_timesteps(timesteps=[t - 1 for t in sorted(steps, reverse=True)])
    # Theirs reads its sigmas from a table in float32: ours, so that the steps themselves are compared.
    chosen = sorted(steps, reverse=True)
    scheduler.sigmas = torch.stack([*(s.snr(t) ** -0.5 for t in chosen), torch.zeros((), dtype=float64)])
    expected = x_T
    for stage, t in zip(diffusion.dpm_chain(linear_model, s, x_T.shape, steps=steps, x_T=x_T), chosen, strict=False):
        assert stage.t == t
        torch.testing.assert_close(stage.x_t, expected, atol=2e-6, rtol=0)
        eps = linear_model(expected, torch.full((3,), t))
        expected = scheduler.step(eps, t - 1, expected).prev_sample
    whole = diffusion.dpm_sample(linear_model, s, x_T.shape, steps=steps, x_T=x_T)
    torch.testing.assert_close(whole, expected, atol=2e-6, rtol=0)


@pytest.mark.parametrize("clip", [False, True])
def test_one_or_two_questions_are_steps_of_ddim(clip: bool) -> None:
    """With nothing to look back to, and before 0: there is no other step."""
    for steps in ([20], [20, 6]):
        ours, theirs = (
            f(linear_model, SCHEDULES["linear"], (3, 4), steps=steps, clip=clip, x_T=randn(3, 4))
            for f in (diffusion.dpm_sample, diffusion.ddim_sample)
        )
        torch.testing.assert_close(ours, theirs, atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", ["linear", "cosine"])
def test_the_list_of_steps_is_that_of_karras(name: str) -> None:
    """Against their formula, each step the nearest of the schedule."""
    s = NoiseSchedule.linear(1000) if name == "linear" else NoiseSchedule.cosine(1000, max_beta=0.05)
    steps = diffusion.karras_steps(s, 12)
    sigma = [(1 / s.snr(t).item()) ** 0.5 for t in range(1, 1001)]
    first, last = sigma[-1] ** (1 / 7), sigma[0] ** (1 / 7)
    for i, t in enumerate(steps):
        wanted = first + i / 11 * (last - first)
        assert t - 1 == min(range(1000), key=lambda j: abs(sigma[j] ** (1 / 7) - wanted))
    assert len(steps) == 12
    assert (steps[0], steps[-1]) == (1000, 1)


def test_steps_that_round_to_one_are_asked_once() -> None:
    s = SCHEDULES["linear"]
    steps = diffusion.karras_steps(s, s.T)
    assert len(steps) == len(set(steps)) < s.T
    assert steps == sorted(steps, reverse=True)


def test_what_does_not_fit_is_refused() -> None:
    for n, rho in ((1, 7.0), (21, 7.0), (5, 0.0), (5, float("nan"))):
        with pytest.raises(
            ValueError, match=r"n must lie in 2\.\.T = 20 and rho be positive, got n=|rho must be a finite number"
        ):
            diffusion.karras_steps(SCHEDULES["linear"], n, rho=rho)
    s = SCHEDULES["linear"]
    for steps, message in (([0, 5], "got 0"), ([5, 5], "different steps"), (21, "got 21")):
        with pytest.raises(ValueError, match=message):
            diffusion.dpm_sample(linear_model, s, (1, 2), steps=steps)


def first_order(s: NoiseSchedule, x_t: Tensor, t: int, t_prev: int, x_0: Tensor) -> Tensor:
    return diffusion.ddim_step(s, x_t, t, t_prev, linear_model(x_t, torch.full((len(x_t),), t)))


def variance_for_std(s: NoiseSchedule, x_t: Tensor, t: int, t_prev: int, x_0: Tensor) -> Tensor:
    keep, keep_prev = s.alpha_bar(t).sqrt(), s.alpha_bar(t_prev).sqrt()
    return keep_prev * x_0 + s.noise_variance(t_prev) / s.noise_variance(t) * (x_t - keep * x_0)


@pytest.mark.parametrize("error", [first_order, variance_for_std])
def test_planted_errors_are_seen(error: Callable[..., Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "_step_towards", error)
    with pytest.raises(AssertionError):
        test_each_step_is_that_of_diffusers([1, 2, 3, 7, 15, 20])
