"""Noising and the loss of Algorithm 1: laws by exact moments, against torch.distributions and diffusers."""

import functools
import itertools
from collections.abc import Callable

import pytest
import torch
from diffusion_oracles import SCHEDULES, gaussian_data, moments, points_of, sigma_points
from torch import Tensor
from torch.distributions import Normal

from lecture11 import diffusion, networks
from lecture11.diffusion import forward

float64 = torch.float64


def images(n: int = 3, seed: int = 0, shape: tuple[int, ...] = (1, 3, 5)) -> Tensor:
    return 2 * torch.rand(n, *shape, generator=torch.Generator().manual_seed(seed), dtype=float64) - 1


def noise(like: Tensor, seed: int = 1) -> Tensor:
    return torch.randn(like.shape, generator=torch.Generator().manual_seed(seed), dtype=like.dtype)


@pytest.mark.parametrize("name", SCHEDULES)
def test_one_step_and_t_steps_have_the_densities_of_the_lecture(name: str) -> None:
    """F23, F24, F28: a change of variables, ``q(x_t) = N(eps; 0, I) / std``, tests mean and standard deviation."""
    s = SCHEDULES[name]
    x, eps = images(), noise(images())
    for t in range(1, s.T + 1):
        beta, alpha_bar = s.betas[t - 1], (1 - s.betas[:t]).prod()
        std = s.noise_variance(t).sqrt()
        laws = {
            diffusion.q_step: Normal((1 - beta).sqrt() * x, beta.sqrt()),
            diffusion.q_sample: Normal(alpha_bar.sqrt() * x, std),
        }
        for draw, law in laws.items():
            expected = Normal(0, 1).log_prob(eps) - law.scale.log()
            # A value of 1e-6 beside one of order 1 keeps ten digits of itself at best.
            tolerance = 1e-10 / law.scale.min().item()
            torch.testing.assert_close(law.log_prob(draw(s, x, t, eps)), expected, atol=tolerance, rtol=1e-10)


@pytest.mark.parametrize("name", SCHEDULES)
def test_steps_merge(name: str) -> None:
    """F26, F27, F28: one step after the other has the law of a single one, in mean and covariance."""
    s = SCHEDULES[name]
    x = images(1, shape=(2,)).expand(8, 2)
    both = sigma_points(4)
    for t in range(2, s.T + 1):
        chained = diffusion.q_step(s, diffusion.q_step(s, x, t - 1, both[:, :2]), t, both[:, 2:])
        merged = diffusion.q_merged(s, x[:4], t - 2, t, sigma_points(2))
        for a, b in zip(moments(chained), moments(merged), strict=True):
            torch.testing.assert_close(a, b, atol=1e-12, rtol=1e-12)
    for t in range(1, s.T + 1):
        eps = noise(x)
        one, all_at_once = diffusion.q_merged(s, x, t - 1, t, eps), diffusion.q_merged(s, x, 0, t, eps)
        torch.testing.assert_close(one, diffusion.q_step(s, x, t, eps), atol=1e-12, rtol=0)
        torch.testing.assert_close(all_at_once, diffusion.q_sample(s, x, t, eps), atol=1e-12, rtol=0)


def test_chain_is_the_steps_one_by_one_and_ends_with_the_distribution_of_all_at_once() -> None:
    """F26."""
    s = SCHEDULES["linear"]
    x_0 = images(20_000, shape=(2,))
    chain = list(diffusion.q_chain(s, x_0, generator=torch.Generator().manual_seed(2)))
    assert len(chain) == s.T + 1
    assert chain[0] is x_0
    rng = torch.Generator().manual_seed(2)
    for t, (before, after) in enumerate(itertools.pairwise(chain), start=1):
        eps = torch.randn(x_0.shape, generator=rng, dtype=float64)
        assert torch.equal(after, diffusion.q_step(s, before, t, eps))
    for t in (1, 5, s.T):
        eps = (chain[t] - s.alpha_bar(t).sqrt() * x_0) / s.noise_variance(t).sqrt()
        n = eps.numel()
        assert abs(eps.mean()) < 4 / n**0.5
        assert abs(eps.var() - 1) < 4 * (2 / n) ** 0.5
        assert abs((eps * x_0).mean()) < 4 * x_0.square().mean().sqrt() / n**0.5


def test_noising_is_that_of_diffusers() -> None:
    """F28. Theirs counts from 0."""
    import diffusers

    s = SCHEDULES["cosine"]
    scheduler = diffusers.DDPMScheduler(s.T)
    scheduler.alphas_cumprod = (1 - s.betas).cumprod(0)
    x, t = images(s.T), torch.arange(1, s.T + 1)
    expected = scheduler.add_noise(x, noise(x), t - 1)
    torch.testing.assert_close(diffusion.q_sample(s, x, t, noise(x)), expected, atol=1e-10, rtol=0)


@pytest.mark.parametrize("function", [diffusion.q_step, diffusion.q_sample, diffusion.predict_x0])
@pytest.mark.parametrize("shape", [(2,), (1, 3, 5), (3, 1, 1, 7)])
def test_each_example_has_its_own_step(function: Callable[..., Tensor], shape: tuple[int, ...]) -> None:
    s = SCHEDULES["linear"]
    x = images(4, shape=shape)
    t = torch.tensor([1, 20, 7, 7])
    together = function(s, x, t, noise(x))
    for i, step in enumerate(t.tolist()):
        one = function(s, x[i : i + 1], step, noise(x)[i : i + 1])
        torch.testing.assert_close(together[i : i + 1], one, atol=1e-14, rtol=0)
        assert torch.equal(function(s, x[i : i + 1], t[i], noise(x)[i : i + 1]), one)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 4e-7), (torch.bfloat16, 2e-2)])
def test_lower_precision_costs_no_more_than_its_digits(name: str, dtype: torch.dtype, bound: float) -> None:
    """Coefficients are computed in float64 and then cast: their error is one rounding."""
    s, x = SCHEDULES[name], images().to(dtype)
    eps = noise(images()).to(dtype)
    for t in range(1, s.T + 1):
        for function in (diffusion.q_step, diffusion.q_sample):
            low, high = function(s, x, t, eps), function(s, x.double(), t, eps.double())
            assert low.dtype == dtype
            assert (low.double() - high).abs().max() < bound * (1 + high.abs().max())


def test_data_and_steps_may_live_on_another_device(device: torch.device) -> None:
    s = SCHEDULES["linear"]
    x, t = images(4).float().to(device), torch.tensor([1, 2, 3, 20], device=device)
    eps = noise(images(4)).float().to(device)
    for step in (t, t.cpu(), 5):
        out = diffusion.q_sample(s, x, step, eps)
        assert (out.device.type, out.dtype) == (device.type, torch.float32)
    rng = torch.Generator(device).manual_seed(0)
    loss = diffusion.simple_loss(lambda x_t, t: 0 * x_t * t.view(-1, 1, 1, 1), s, x, generator=rng)
    assert loss.device.type == device.type


# Algorithm 1


def test_loss_is_the_squared_error_of_the_noise_summed_over_the_dimensions() -> None:
    """F21."""
    s, x = SCHEDULES["linear"], images(4)
    eps, t = noise(x), torch.tensor([1, 5, 20, 5])
    seen: list[tuple[Tensor, Tensor]] = []

    def model(x_t: Tensor, steps: Tensor) -> Tensor:
        seen.append((x_t, steps))
        return 0.3 * x_t + steps.view(-1, 1, 1, 1)

    loss = diffusion.simple_loss(model, s, x, t=t, eps=eps)
    for i, step in enumerate(t.tolist()):
        alpha_bar = (1 - s.betas[:step]).prod()
        x_t = alpha_bar.sqrt() * x[i] + (1 - alpha_bar).sqrt() * eps[i]
        assert loss[i].item() == pytest.approx(((eps[i] - 0.3 * x_t - step) ** 2).sum().item(), rel=1e-12)
    assert seen[0][1].dtype == torch.long
    assert torch.equal(diffusion.simple_loss(model, s, x, t=5, eps=eps)[3], loss[3])
    assert torch.equal(seen[1][1], torch.full((4,), 5))


def test_steps_are_uniform_from_1_to_T_and_noise_is_standard_normal() -> None:
    """F21: lines 3 and 4 of Algorithm 1."""
    s, n = SCHEDULES["linear"], 40_000
    steps: list[Tensor] = []

    def model(x_t: Tensor, t: Tensor) -> Tensor:
        steps.append(t)
        return 0 * x_t

    state = torch.get_rng_state()
    loss = diffusion.simple_loss(model, s, torch.zeros(n, 2), generator=torch.Generator().manual_seed(0))
    assert torch.equal(torch.get_rng_state(), state)
    counts = torch.bincount(steps[0], minlength=s.T + 1)[1:].double()
    assert counts.sum() == n  # none outside 1..T
    chi_squared = ((counts - n / s.T) ** 2 / (n / s.T)).sum()
    assert chi_squared < 43.8  # 19 degrees of freedom, one false alarm in 1000
    # The model answers zero, so that the loss is ||eps||^2: chi squared with 2 degrees of freedom.
    assert abs(loss.mean() - 2) < 4 * 2 / n**0.5
    again = diffusion.simple_loss(model, s, torch.zeros(n, 2), generator=torch.Generator().manual_seed(0))
    assert torch.equal(loss, again)


@pytest.mark.parametrize("name", ["linear", "cosine", "constant"])
def test_least_loss_is_that_of_the_exact_noise(name: str) -> None:
    """F21: for Gaussian data the minimum is ``d - (1 - alpha_bar_t) tr C_t^{-1}``, and what is near loses."""
    s, data = SCHEDULES[name], gaussian_data()
    both = sigma_points(4)
    x_0, eps = points_of(data, both[:, :2]), both[:, 2:]
    best = functools.partial(diffusion.optimal_eps, s, data)
    for t in (1, 2, s.T // 2, s.T):
        covariance = s.alpha_bar(t) * data.covariances[0] + s.noise_variance(t) * torch.eye(2, dtype=float64)
        exact = 2 - s.noise_variance(t) * torch.linalg.inv(covariance).trace()
        least = diffusion.simple_loss(best, s, x_0, t=t, eps=eps).mean()
        assert least.item() == pytest.approx(exact.item(), abs=1e-10)
        for change in (lambda e, x: 1.01 * e, lambda e, x: e + 0.01, lambda e, x: e + 0.01 * x):
            worse = lambda x_t, t, change=change: change(best(x_t, t), x_t)  # noqa: E731
            assert diffusion.simple_loss(worse, s, x_0, t=t, eps=eps).mean() > least


def test_gradient_reaches_the_network_and_autocast_leaves_the_loss_in_the_data_s_precision() -> None:
    net = networks.MLP((1, 3, 5), (8,), (1, 3, 5))
    loss = diffusion.simple_loss(lambda x_t, t: net(x_t), SCHEDULES["linear"], images().float())
    loss.mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())
    with torch.autocast("cpu", torch.bfloat16):
        loss = diffusion.simple_loss(lambda x_t, t: net(x_t), SCHEDULES["linear"], images().float())
    assert loss.dtype == torch.float32


def test_what_does_not_fit_is_refused() -> None:
    s, x = SCHEDULES["linear"], images()
    with pytest.raises(ValueError, match=r"the model must give the shape of x_t, \(3, 1, 3, 5\), got \(3, 15\)"):
        diffusion.simple_loss(lambda x_t, t: x_t.flatten(1), s, x)
    for function in (diffusion.q_step, diffusion.q_sample, diffusion.predict_x0):
        for t in (0, 21, torch.tensor([1, 2, 0])):
            with pytest.raises(ValueError, match=r"t must lie in 1\.\.T = 20"):
                function(s, x, t, noise(x))
        # Without the shapes that these tests check, it is a ValueError of the package.
        with pytest.raises((ValueError, TypeError)):
            function(s, x, torch.tensor([1, 2]), noise(x))
        with pytest.raises((ValueError, TypeError)):
            function(s, x, 1, noise(x)[:1])


# Planted errors: each must be seen by a test above


def with_alpha_for_alpha_bar(s, x_0, t, eps):
    """Erratum E9."""
    return forward.spread(s.alpha(t).sqrt(), x_0) * x_0 + forward.spread(s.beta(t).sqrt(), x_0) * eps


def with_variance_for_std(s, x_0, t, eps):
    return forward.spread(s.alpha_bar(t).sqrt(), x_0) * x_0 + forward.spread(s.noise_variance(t), x_0) * eps


def one_step_with_variance_for_std(s, x, t, eps):
    """Erratum E11."""
    return forward.spread(s.alpha(t).sqrt(), x) * x + forward.spread(s.beta(t), x) * eps


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("q_sample", with_alpha_for_alpha_bar),
        ("q_sample", with_variance_for_std),
        ("q_step", one_step_with_variance_for_std),
    ],
)
def test_planted_errors_are_seen(name: str, error: Callable[..., Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diffusion, name, error)
    monkeypatch.setattr(forward, name, error)
    with pytest.raises(AssertionError):
        test_one_step_and_t_steps_have_the_densities_of_the_lecture("linear")
    with pytest.raises(AssertionError):
        test_steps_merge("linear")
    if name == "q_sample":
        with pytest.raises(AssertionError):
            test_loss_is_the_squared_error_of_the_noise_summed_over_the_dimensions()


def test_a_planted_mean_over_the_dimensions_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    loss = diffusion.simple_loss
    monkeypatch.setattr(diffusion, "simple_loss", lambda m, s, x, **options: loss(m, s, x, **options) / x[0].numel())
    for test in (
        test_loss_is_the_squared_error_of_the_noise_summed_over_the_dimensions,
        lambda: test_least_loss_is_that_of_the_exact_noise("linear"),
    ):
        with pytest.raises(AssertionError):
            test()


def test_planted_steps_from_0_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A draw of ``t`` from 0 to T - 1, as code that counts from 0 would do."""
    randint = torch.randint
    monkeypatch.setattr(
        torch, "randint", lambda low, high, *rest, **options: randint(low - 1, high - 1, *rest, **options)
    )
    with pytest.raises((AssertionError, ValueError)):
        test_steps_are_uniform_from_1_to_T_and_noise_is_standard_normal()
