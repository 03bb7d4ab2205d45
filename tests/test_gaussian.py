"""Densities against torch.distributions, automatic differentiation and quadrature."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal, Normal, kl_divergence

from lecture11 import gaussian


def mixture(seed: int = 0, m: int = 3, d: int = 2) -> gaussian.Mixture:
    rng = torch.Generator().manual_seed(seed)
    roots = torch.randn(m, d, d, generator=rng, dtype=torch.float64)
    weights = torch.rand(m, generator=rng, dtype=torch.float64) + 0.1
    return gaussian.Mixture(
        weights / weights.sum(),
        2 * torch.randn(m, d, generator=rng, dtype=torch.float64),
        roots @ roots.mT + 0.2 * torch.eye(d, dtype=torch.float64),
    )


def in_torch(p: gaussian.Mixture) -> MixtureSameFamily:
    return MixtureSameFamily(Categorical(p.weights), MultivariateNormal(p.means, p.covariances))


@given(seed=st.integers(0, 1000), d=st.integers(1, 5), batch=st.integers(1, 4))
def test_log_prob_is_that_of_torch_and_keeps_the_constant(seed: int, d: int, batch: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    x, mean, log_var = torch.randn(3, batch, d, generator=rng, dtype=torch.float64)
    expected = Normal(mean, (log_var / 2).exp()).log_prob(x).sum(1)
    torch.testing.assert_close(gaussian.log_prob(x, mean, log_var), expected, atol=1e-12, rtol=1e-12)


def test_log_prob_at_the_mean_is_the_constant_for_images_too() -> None:
    zero = torch.zeros(2, 1, 4, 4, dtype=torch.float64)
    expected = torch.full((2,), -8 * math.log(2 * math.pi), dtype=torch.float64)
    torch.testing.assert_close(gaussian.log_prob(zero, zero, zero), expected, atol=1e-12, rtol=0)


@given(seed=st.integers(0, 1000), m=st.integers(1, 4), d=st.integers(1, 3))
def test_mixture_density_is_that_of_torch(seed: int, m: int, d: int) -> None:
    p = mixture(seed, m, d)
    x = 3 * torch.randn(5, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    torch.testing.assert_close(p.log_prob(x), in_torch(p).log_prob(x), atol=1e-10, rtol=1e-10)
    torch.testing.assert_close(p.responsibilities(x).sum(1), torch.ones(5, dtype=torch.float64))


@given(seed=st.integers(0, 1000), m=st.integers(1, 4), d=st.integers(1, 3))
def test_score_is_the_gradient_of_the_log_density(seed: int, m: int, d: int) -> None:
    p = mixture(seed, m, d)
    x = 2 * torch.randn(4, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(in_torch(p).log_prob(x).sum(), x)
    torch.testing.assert_close(p.score(x.detach()), gradient, atol=1e-10, rtol=1e-10)


def test_noised_density_is_the_convolution() -> None:
    """In one dimension the convolution with the noise is an integral, here a fine sum."""
    p, s = mixture(1, 2, 1), 0.7
    clean = torch.linspace(-20, 20, 20_001, dtype=torch.float64)
    y = torch.tensor([-2.0, 0.3, 4.0], dtype=torch.float64)
    kernel = Normal(torch.zeros(1).double(), s).log_prob(y[:, None] - clean).exp()
    expected = (kernel * p.log_prob(clean[:, None]).exp()).sum(1) * (clean[1] - clean[0])
    torch.testing.assert_close(p.noised(s).log_prob(y[:, None]).exp(), expected, atol=1e-10, rtol=1e-10)


def test_samples_have_the_mixture_s_moments() -> None:
    p = mixture(2)
    n = 200_000
    x, component = p.sample(n, generator=torch.Generator().manual_seed(0))
    mean = (p.weights[:, None] * p.means).sum(0)
    centred = p.means - mean
    covariance = (p.weights[:, None, None] * (p.covariances + centred[:, :, None] * centred[:, None])).sum(0)
    spread = covariance.diagonal().sqrt()
    # Four standard errors: one false alarm in 16,000 for each of the numbers compared.
    assert ((x.mean(0) - mean).abs() < 4 * spread / math.sqrt(n)).all()
    assert (torch.cov(x.T) - covariance).abs().max() < 4 * math.sqrt(8 / n) * covariance.diagonal().max()
    share = torch.bincount(component) / n
    assert ((share - p.weights).abs() < 4 * (p.weights * (1 - p.weights) / n).sqrt()).all()


def test_same_generator_same_samples() -> None:
    a, b = (mixture().sample(5, generator=torch.Generator().manual_seed(3))[0] for _ in range(2))
    assert torch.equal(a, b)


def test_to_changes_every_tensor() -> None:
    p = mixture().to(torch.float32)
    assert {p.weights.dtype, p.means.dtype, p.covariances.dtype} == {torch.float32}


eye = torch.eye(2, dtype=torch.float64)
half = torch.tensor([0.5, 0.5], dtype=torch.float64)
zeros = torch.zeros(2, 2, dtype=torch.float64)


@pytest.mark.parametrize(
    ("weights", "covariances", "message"),
    [
        (torch.tensor([0.7, 0.7], dtype=torch.float64), eye.expand(2, 2, 2), "sum to 1"),
        (torch.tensor([1.5, -0.5], dtype=torch.float64), eye.expand(2, 2, 2), "positive"),
        (half, -eye.expand(2, 2, 2), "positive definite"),
        (half, torch.tensor([[1.0, 0.5], [0.0, 1.0]], dtype=torch.float64).expand(2, 2, 2), "symmetric"),
    ],
)
def test_what_is_no_mixture_is_refused(weights: torch.Tensor, covariances: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gaussian.Mixture(weights, zeros, covariances)


def test_points_of_another_dimension_and_negative_noise_are_refused() -> None:
    with pytest.raises(ValueError, match="d = 2 as in means"):
        mixture().log_prob(torch.zeros(4, 3, dtype=torch.float64))
    with pytest.raises(ValueError, match=r"at least 0; got -0\.1"):
        mixture().noised(-0.1)


# Divergences and reparametrised draws


def quadrature_kl(mu_q: float, log_var_q: float, mu_p: float, log_var_p: float) -> float:
    """``E_q[ln q - ln p]`` by SciPy, over twelve standard deviations of q."""
    q, p = norm(mu_q, math.exp(log_var_q / 2)), norm(mu_p, math.exp(log_var_p / 2))
    width = 12 * q.std()
    value, _ = quad(
        lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), mu_q - width, mu_q + width, epsabs=1e-13, limit=200
    )
    return value


@pytest.mark.parametrize(
    ("mu_q", "log_var_q", "mu_p", "log_var_p"), [(0, 0, 0, 0), (1.3, -2, -0.4, 0.7), (-3, 1, 2, 1)]
)
def test_kl_is_its_integral(mu_q: float, log_var_q: float, mu_p: float, log_var_p: float) -> None:
    """F16."""
    arguments = [torch.tensor([[v]], dtype=torch.float64) for v in (mu_q, log_var_q, mu_p, log_var_p)]
    assert gaussian.kl(*arguments).item() == pytest.approx(quadrature_kl(mu_q, log_var_q, mu_p, log_var_p), abs=1e-10)
    standard = gaussian.kl_to_standard_normal(*arguments[:2]).item()
    assert standard == pytest.approx(quadrature_kl(mu_q, log_var_q, 0, 0), abs=1e-10)


@given(seed=st.integers(0, 1000), d=st.integers(1, 6), batch=st.integers(1, 4))
def test_kl_is_that_of_torch(seed: int, d: int, batch: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    mu_q, log_var_q, mu_p, log_var_p = 2 * torch.randn(4, batch, d, generator=rng, dtype=torch.float64)
    q, p = Normal(mu_q, (log_var_q / 2).exp()), Normal(mu_p, (log_var_p / 2).exp())
    expected = kl_divergence(q, p).sum(1)
    torch.testing.assert_close(gaussian.kl(mu_q, log_var_q, mu_p, log_var_p), expected, atol=1e-10, rtol=1e-12)
    zero = torch.zeros_like(mu_q)
    standard = gaussian.kl_to_standard_normal(mu_q, log_var_q)
    torch.testing.assert_close(standard, gaussian.kl(mu_q, log_var_q, zero, zero), atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("log_var", [-30.0, 30.0])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_extreme_variances(log_var: float, dtype: torch.dtype) -> None:
    mu, extreme = torch.zeros(1, 1, dtype=dtype), torch.full((1, 1), log_var, dtype=dtype)
    exact = 0.5 * (math.exp(log_var) - 1 - log_var)
    precision = {torch.float64: 1e-14, torch.float32: 1e-6, torch.bfloat16: 2e-2}[dtype]
    assert gaussian.kl_to_standard_normal(mu, extreme).item() == pytest.approx(exact, rel=precision)
    assert gaussian.kl(mu, extreme, mu, extreme).item() == 0


def test_tiny_divergences_are_not_lost() -> None:
    """Near q = p the terms cancel: exp(x) - 1 - x is x^2 / 2."""
    log_var = torch.tensor([[1e-4]], dtype=torch.float64)
    mu = torch.zeros_like(log_var)
    assert gaussian.kl_to_standard_normal(mu, log_var).item() == pytest.approx(1e-8 / 4, rel=1e-3)


def test_reparametrised_draws_have_the_distribution_and_carry_the_gradient() -> None:
    """F17."""
    mu = torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True)
    log_var = torch.tensor([0.5, -1.0], dtype=torch.float64, requires_grad=True)
    n = 100_000
    z = gaussian.reparametrise(mu.expand(n, 2), log_var.expand(n, 2), generator=torch.Generator().manual_seed(0))
    variance = log_var.detach().exp()
    assert ((z.mean(0) - mu).abs() < 5 * (variance / n).sqrt()).all()
    assert ((z.var(0) - variance).abs() < 5 * variance * math.sqrt(2 / n)).all()
    eps = torch.tensor([0.3, -0.7], dtype=torch.float64)
    d_mu, d_log_var = torch.autograd.grad(gaussian.reparametrise(mu, log_var, eps=eps).sum(), (mu, log_var))
    torch.testing.assert_close(d_mu, torch.ones_like(mu))
    torch.testing.assert_close(d_log_var, 0.5 * variance.sqrt() * eps)


def test_seeded_noise_is_the_same_in_every_precision_and_standard_normal(device: torch.device) -> None:
    state = torch.get_rng_state()
    single = gaussian.standard_normal(100_000, 2, seed=3, device=device)
    double = gaussian.standard_normal(100_000, 2, seed=3, dtype=torch.float64)
    assert single.device.type == device.type
    assert torch.equal(single.cpu().double(), double)
    assert not torch.equal(double, gaussian.standard_normal(100_000, 2, seed=4, dtype=torch.float64))
    assert torch.equal(torch.get_rng_state(), state)
    assert double.mean().abs() < 5 / math.sqrt(200_000)
    assert (double.var() - 1).abs() < 5 * math.sqrt(2 / 200_000)
