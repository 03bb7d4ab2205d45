"""The bound against exact answers: linear-Gaussian models, quadrature, torch.distributions."""

import itertools
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.distributions import (
    Bernoulli,
    Categorical,
    Independent,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    kl_divergence,
)

from lecture11 import gaussian, networks, training, vae

D, K = 4, 2
float64 = torch.float64


def linear_model(seed: int = 0, variance: float = 1.0) -> vae.LinearGaussian:
    rng = torch.Generator().manual_seed(seed)
    return vae.LinearGaussian(
        torch.randn(D, K, generator=rng, dtype=float64), torch.randn(D, generator=rng, dtype=float64), variance
    )


def linear_vae(seed: int = 0, likelihood: str = "gaussian", d: int = D, k: int = K) -> vae.VAE:
    torch.manual_seed(seed)
    model = vae.VAE(networks.MLP((d,), (), (2, k)), networks.MLP((k,), (), (d,)), likelihood)
    return model.double()


def as_linear(model: vae.VAE) -> vae.LinearGaussian:
    layer = model.decoder.layers[0]
    variance = model.log_var_x.exp().item() if model.likelihood == "sigma-gaussian" else 1.0
    return vae.LinearGaussian(layer.weight.detach(), layer.bias.detach(), variance)


def points(n: int = 5, seed: int = 1) -> Tensor:
    return 2 * torch.randn(n, D, generator=torch.Generator().manual_seed(seed), dtype=float64)


def hermite(n: int = 5) -> tuple[Tensor, Tensor]:
    """Nodes ``(n^K, K)`` and weights: sums over them are exact Gaussian means of polynomials up to degree 2n - 1."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(n)
    grid = torch.tensor(list(itertools.product(nodes, repeat=K)), dtype=float64)
    mass = torch.tensor([math.prod(w) for w in itertools.product(weights / weights.sum(), repeat=K)], dtype=float64)
    return grid, mass


# The linear-Gaussian model, where everything is known


@pytest.mark.parametrize("variance", [1.0, 0.3])
def test_log_prob_and_posterior_are_those_of_torch(variance: float) -> None:
    """F9, and the posterior that F10 to F12 speak of."""
    model, x = linear_model(variance=variance), points()
    noise = variance * torch.eye(D, dtype=float64)
    marginal = MultivariateNormal(model.bias, model.weight @ model.weight.T + noise)
    torch.testing.assert_close(model.log_prob(x), marginal.log_prob(x), atol=1e-10, rtol=0)
    # Bayes' rule at any z: ln p(z | x) = ln p(x | z) + ln p(z) - ln p(x).
    mean, covariance = model.posterior(x)
    z = torch.randn(5, K, dtype=float64)
    joint = MultivariateNormal(z @ model.weight.T + model.bias, noise).log_prob(x)
    joint += MultivariateNormal(torch.zeros(K, dtype=float64), torch.eye(K, dtype=float64)).log_prob(z)
    posterior = MultivariateNormal(mean, covariance).log_prob(z)
    torch.testing.assert_close(posterior, joint - marginal.log_prob(x), atol=1e-10, rtol=0)


@pytest.mark.parametrize("variance", [1.0, 0.3])
def test_bound_is_tight_at_the_exact_posterior(variance: float) -> None:
    """F12 with equality."""
    model, x = linear_model(variance=variance), points()
    torch.testing.assert_close(model.elbo(x, *model.posterior(x)), model.log_prob(x), atol=1e-10, rtol=0)


@given(seed=st.integers(0, 1000))
def test_slack_is_the_divergence_from_the_exact_posterior(seed: int) -> None:
    """F12: the slack."""
    model, x = linear_model(seed), points(seed=seed)
    rng = torch.Generator().manual_seed(seed)
    mean = torch.randn(5, K, generator=rng, dtype=float64)
    root = torch.randn(K, K, generator=rng, dtype=float64)
    covariance = root @ root.T + 0.1 * torch.eye(K, dtype=float64)
    slack = model.log_prob(x) - model.elbo(x, mean, covariance)
    expected = kl_divergence(MultivariateNormal(mean, covariance), MultivariateNormal(*model.posterior(x)))
    torch.testing.assert_close(slack, expected, atol=1e-9, rtol=1e-9)
    assert (slack >= 0).all()


def test_optimum_of_the_likelihood_is_one() -> None:
    x = points(200) @ torch.diag(torch.tensor([2.0, 1.0, 0.5, 0.2], dtype=float64))
    for variance in (1.0, None):
        best = vae.LinearGaussian.optimum(x, K, variance=variance)
        top = best.log_prob(x).mean()
        for seed in range(20):
            step = 1e-3 * linear_model(seed).weight
            worse = vae.LinearGaussian(best.weight + step, best.bias + step[:, 0], best.variance)
            assert worse.log_prob(x).mean() < top
    for factor in (0.99, 1.01):
        other = vae.LinearGaussian(best.weight, best.bias, factor * best.variance)
        assert other.log_prob(x).mean() < top


def test_optimum_with_its_own_variance_is_that_of_scikit_learn() -> None:
    from sklearn.decomposition import PCA

    x = points(200) @ linear_model(3).weight.new_tensor(np.diag([3.0, 2.0, 1.0, 0.5]))
    ours = vae.LinearGaussian.optimum(x, K, variance=None)
    theirs = PCA(K).fit(x.numpy())
    # Their variances have denominator n - 1.
    factor = 199 / 200
    covariance = ours.weight @ ours.weight.T + ours.variance * torch.eye(D, dtype=float64)
    torch.testing.assert_close(covariance, factor * torch.from_numpy(theirs.get_covariance()), atol=1e-9, rtol=0)


def test_directions_quieter_than_the_noise_are_switched_off() -> None:
    x = points(500) * torch.tensor([3.0, 0.1, 0.1, 0.1], dtype=float64)
    model = vae.LinearGaussian.optimum(x, 2)
    norms = model.weight.norm(dim=0)
    assert norms[0] > 1
    assert norms[1] == 0


# The VAE against it


@pytest.mark.parametrize("likelihood", ["gaussian", "sigma-gaussian"])
def test_elbo_has_the_exact_mean_over_its_noise(likelihood: str) -> None:
    """F15. The ELBO of a linear VAE is quadratic in the noise, so that a few quadrature nodes give its exact mean."""
    model, x = linear_vae(likelihood=likelihood), points()
    if likelihood == "sigma-gaussian":
        model.log_var_x.data.fill_(-0.7)
    nodes, mass = hermite()
    with torch.no_grad():
        mu, log_var = model.encode(x)
        mean = sum(w * model.elbo(x, eps=e.expand_as(mu)).total for e, w in zip(nodes, mass, strict=True))
    expected = [as_linear(model).elbo(x[i : i + 1], mu[i : i + 1], log_var[i].exp().diag()) for i in range(5)]
    torch.testing.assert_close(mean, torch.cat(expected), atol=1e-10, rtol=0)


def test_elbo_is_reconstruction_less_kl() -> None:
    """F14, with the exact divergence F16."""
    model, x = linear_vae(), points()
    elbo = model.elbo(x, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(elbo.total, elbo.reconstruction - elbo.kl, atol=0, rtol=0)
    mu, log_var = model.encode(x)
    torch.testing.assert_close(elbo.kl, gaussian.kl_to_standard_normal(mu, log_var))


def test_log_weights_have_the_elbo_as_their_mean() -> None:
    """F13 and F14: the same bound, with the divergence drawn or exact."""
    model, x = linear_vae(), points()
    nodes, mass = hermite()
    with torch.no_grad():
        weights = model.log_weights(x, len(nodes), eps=nodes[:, None].expand(-1, 5, -1))
        mu, _ = model.encode(x)
        elbos = torch.stack([model.elbo(x, eps=e.expand_as(mu)).total for e in nodes])
    torch.testing.assert_close(mass @ weights, mass @ elbos, atol=1e-10, rtol=0)


def test_weights_are_constant_at_the_exact_posterior() -> None:
    """With q the posterior, p(x, z) / q(z | x) is p(x) whatever z is: the bound is exact with one draw."""
    x = points()
    model = linear_vae()
    # Orthogonal columns, so that the posterior is diagonal as the encoder's q must be.
    weight = torch.linalg.qr(linear_model().weight).Q * torch.tensor([1.5, 0.5], dtype=float64)
    exact = vae.LinearGaussian(weight, linear_model().bias)
    _, covariance = exact.posterior(x)
    with torch.no_grad():
        model.decoder.layers[0].weight.copy_(weight)
        model.decoder.layers[0].bias.copy_(exact.bias)
        to_mean = covariance @ weight.T
        encoder = model.encoder.layers[0]
        encoder.weight.copy_(torch.cat([to_mean, torch.zeros_like(to_mean)]))
        encoder.bias.copy_(torch.cat([-to_mean @ exact.bias, covariance.diagonal().log()]))
        weights = model.log_weights(x, 50, generator=torch.Generator().manual_seed(0))
        many = model.log_marginal(x, 7, generator=torch.Generator().manual_seed(1), chunk=3)
    torch.testing.assert_close(weights, exact.log_prob(x).expand(50, 5), atol=1e-10, rtol=0)
    torch.testing.assert_close(many, exact.log_prob(x), atol=1e-10, rtol=0)


def test_bound_rises_with_k_to_the_exact_value() -> None:
    model, x = linear_vae(), points(3)
    exact = as_linear(model).log_prob(x)
    rng = torch.Generator().manual_seed(0)
    with torch.no_grad():
        runs = {k: torch.stack([model.log_marginal(x, k, generator=rng) for _ in range(100)]) for k in (1, 5, 50, 1000)}
        mu, log_var = model.encode(x)
    means = [runs[k].mean(0) for k in runs]
    assert all((b > a).all() for a, b in itertools.pairwise(means))
    assert (means[-1] < exact + 3 * runs[1000].std(0) / 10).all()
    assert ((means[-1] - exact).abs() < 3 * runs[1000].std(0) / 10 + 1e-3).all()
    elbo = torch.cat([as_linear(model).elbo(x[i : i + 1], mu[i : i + 1], log_var[i].exp().diag()) for i in range(3)])
    assert ((means[0] - elbo).abs() < 4 * runs[1].std(0) / 10).all()


def test_memory_of_the_bound_does_not_grow_with_k() -> None:
    decoded: list[int] = []
    model = linear_vae()
    model.decoder.register_forward_hook(lambda module, args, out: decoded.append(len(out)))
    model.log_marginal(points(7), 5000, chunk=100, generator=torch.Generator().manual_seed(0))
    assert max(decoded) <= 100
    assert sum(decoded) == 7 * 5000


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read as Linux gives it")
def test_peak_memory_of_the_bound_does_not_grow_with_k() -> None:
    """What the process holds, not only what is decoded at once: results that stay scatter what passes."""
    code = """
import re, torch
from pathlib import Path
from lecture11 import models
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
model, rng = models.burda_vae(), torch.Generator().manual_seed(0)
x = torch.bernoulli(torch.full((1000, 1, 28, 28), 0.5), generator=rng)
model.log_marginal(x, 20, generator=rng)
before = peak()
model.log_marginal(x, 150, generator=rng)
print(peak() - before)
"""
    finished = subprocess.run([sys.executable, "-c", code], check=True, text=True, capture_output=True)
    assert float(finished.stdout) < 100, "MiB, for seven times as many draws"


def test_chunks_do_not_change_the_bound() -> None:
    model, x = linear_vae(), points(7)
    copies = x.repeat(40, 1)
    results = [
        model.log_marginal(copies, 10, chunk=chunk, generator=rng).unflatten(0, (40, 7))
        for chunk in (3 * 40, 13 * 40, 40_000)
        for rng in [torch.Generator().manual_seed(chunk)]
    ]
    for other in results[1:]:
        error = ((results[0].var(0) + other.var(0)) / 40).sqrt()
        assert ((results[0].mean(0) - other.mean(0)).abs() < 4 * error).all()


def test_bound_of_an_example_does_not_depend_on_the_others() -> None:
    model, x = linear_vae(), points()
    eps = torch.randn(3, 5, K, generator=torch.Generator().manual_seed(0), dtype=float64)
    together = model.importance_weighted_bound(x, 3, eps=eps)
    for i in range(5):
        alone = model.importance_weighted_bound(x[i : i + 1], 3, eps=eps[:, i : i + 1])
        torch.testing.assert_close(together[i : i + 1], alone, atol=1e-12, rtol=0)


def test_bound_is_an_objective_with_gradients() -> None:
    model, x = linear_vae(), points()
    eps = torch.randn(3, 5, K, generator=torch.Generator().manual_seed(0), dtype=float64)
    bias = model.encoder.layers[0].bias
    (gradient,) = torch.autograd.grad(model.importance_weighted_bound(x, 3, eps=eps).sum(), bias)
    for i in range(len(bias)):
        values = []
        for h in (1e-6, -2e-6):
            bias.data[i] += h
            values.append(model.importance_weighted_bound(x, 3, eps=eps).sum().item())
        bias.data[i] += 1e-6
        assert gradient[i].item() == pytest.approx((values[0] - values[1]) / 2e-6, abs=1e-5)


def test_a_trained_linear_vae_reaches_the_optimum_of_the_likelihood() -> None:
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(500, D, generator=rng, dtype=float64) * torch.tensor([3.0, 2.0, 0.5, 0.3], dtype=float64) + 1
    model = linear_vae()
    trainer = training.Trainer(
        model, lambda m, x, generator: -m.elbo(x, generator=generator).total, x, batch_size=500, lr=0.1
    )
    list(trainer.run(steps=450))
    reached = as_linear(model)
    x = x.to(reached.bias.device)
    best = vae.LinearGaussian.optimum(x, K).log_prob(x).mean().item()
    with torch.no_grad():
        mu, log_var = model.encode(x)
        assert log_var.std(0).max() < 0.05  # q has about one covariance for all, as the exact posterior has
        bound = reached.elbo(x, mu, log_var.mean(0).exp().diag()).mean().item()
    assert best - 0.01 < bound <= reached.log_prob(x).mean().item() <= best + 1e-10


# The decoder alone (F8), and the prior as a proposal (F10)


def test_likelihood_of_the_decoder_alone_is_least_squares() -> None:
    """F8."""
    model, x = linear_vae(), points()
    z = torch.randn(5, K, generator=torch.Generator().manual_seed(0), dtype=float64)
    squared = (x - model.decoder(z)).square().sum(1)
    loss = -model.log_likelihood(x, z)
    constant = torch.full_like(loss, 0.5 * D * math.log(2 * math.pi))
    torch.testing.assert_close(loss - 0.5 * squared, constant, atol=1e-12, rtol=0)
    parameters = tuple(model.decoder.parameters())
    pairs = zip(
        torch.autograd.grad(loss.sum(), parameters), torch.autograd.grad(squared.sum(), parameters), strict=True
    )
    for a, b in pairs:
        torch.testing.assert_close(a, 0.5 * b, atol=1e-10, rtol=0)


def test_naive_estimate_is_unbiased_where_it_can_be_checked() -> None:
    """F10."""
    model = vae.LinearGaussian(torch.tensor([[0.5]], dtype=float64), torch.zeros(1, dtype=float64))
    x = torch.tensor([[0.3], [1.5]], dtype=float64)
    rng = torch.Generator().manual_seed(0)
    runs = torch.stack([vae.naive_log_marginal(model, x, 10, generator=rng).log_marginal.exp() for _ in range(500)])
    error = runs.std(0) / math.sqrt(500)
    assert ((runs.mean(0) - model.log_prob(x).exp()).abs() < 4 * error).all()
    assert (runs.log().mean(0) < model.log_prob(x)).all()  # the logarithm is not


def test_naive_estimate_is_exact_when_the_decoder_ignores_its_code() -> None:
    model = vae.LinearGaussian(torch.zeros(D, K, dtype=float64), torch.zeros(D, dtype=float64))
    estimate = vae.naive_log_marginal(model, points(), 7, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(estimate.log_marginal, model.log_prob(points()), atol=1e-12, rtol=0)
    torch.testing.assert_close(estimate.effective_sample_size, torch.full((5,), 7.0, dtype=float64))


def test_effective_sample_size_counts_the_draws_that_matter() -> None:
    """In a model so sharp that one draw outweighs all others, it is one."""
    model = vae.LinearGaussian(1e3 * linear_model().weight, linear_model().bias)
    estimate = vae.naive_log_marginal(model, points(), 100, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(estimate.effective_sample_size, torch.ones(5, dtype=float64), atol=1e-6, rtol=0)
    with pytest.raises(ValueError, match="at least 1; got 0"):
        vae.naive_log_marginal(model, points(), 0)


# Likelihoods and samples


def test_bernoulli_likelihood_is_that_of_torch() -> None:
    model = linear_vae(likelihood="bernoulli")
    x = (points() > 0).double()
    z = torch.randn(5, K, dtype=float64)
    expected = Bernoulli(logits=model.decoder(z)).log_prob(x).sum(1)
    torch.testing.assert_close(model.log_likelihood(x, z), expected, atol=1e-12, rtol=0)
    torch.testing.assert_close(model.mean(z), model.decoder(z).sigmoid())


def test_bernoulli_probabilities_sum_to_one_over_all_images() -> None:
    model = linear_vae(likelihood="bernoulli")
    images = torch.tensor(list(itertools.product([0.0, 1.0], repeat=D)), dtype=float64)
    z = torch.randn(1, K, dtype=float64).expand(len(images), -1)
    assert model.log_likelihood(images, z).exp().sum().item() == pytest.approx(1, abs=1e-12)


def test_grey_values_are_refused_with_the_ways_out() -> None:
    model = linear_vae(likelihood="bernoulli")
    with pytest.raises(ValueError, match=r"values in \[0, 0\.5\].*Dataset\.binarised.*sigma-gaussian"):
        model.elbo(torch.tensor([[0.0, 0.5, 0.0, 0.0]], dtype=float64))


@pytest.mark.parametrize("likelihood", ["gaussian", "sigma-gaussian"])
def test_samples_have_the_exact_moments(likelihood: str) -> None:
    """F7 and F9."""
    model = linear_vae(likelihood=likelihood)
    if likelihood == "sigma-gaussian":
        model.log_var_x.data.fill_(-1.0)
    n = 200_000
    x = model.sample(n, generator=torch.Generator().manual_seed(0))
    exact = as_linear(model)
    covariance = exact.weight @ exact.weight.T + exact.variance * torch.eye(D, dtype=float64)
    spread = covariance.diagonal()
    assert ((x.mean(0) - exact.bias).abs() < 5 * (spread / n).sqrt()).all()
    error = ((torch.outer(spread, spread) + covariance**2) / n).sqrt()
    assert ((x.T.cov() - covariance).abs() < 5 * error).all()


def test_bernoulli_samples_are_zeros_and_ones_with_the_decoder_s_means() -> None:
    model = linear_vae(likelihood="bernoulli")
    nn.init.zeros_(model.decoder.layers[0].weight)
    x = model.sample(20_000, generator=torch.Generator().manual_seed(0))
    assert set(x.unique().tolist()) == {0.0, 1.0}
    p = model.decoder.layers[0].bias.sigmoid()
    assert ((x.mean(0) - p).abs() < 5 * (p * (1 - p) / 20_000).sqrt()).all()


def test_encoder_gives_means_and_logarithms_of_variances() -> None:
    """F11."""
    model, x = linear_vae(), points()
    mu, log_var = model.encode(x)
    layer = model.encoder.layers[0]
    torch.testing.assert_close(torch.cat([mu, log_var], 1), x @ layer.weight.T + layer.bias, atol=1e-12, rtol=0)


@given(seed=st.integers(0, 1000), n=st.integers(1, 5))
def test_aggregated_posterior_is_the_mixture_of_torch(seed: int, n: int) -> None:
    """F6."""
    rng = torch.Generator().manual_seed(seed)
    mu, log_var = torch.randn(2, n, K, generator=rng, dtype=float64)
    z = torch.randn(7, K, generator=rng, dtype=float64)
    parts = Independent(Normal(mu, (log_var / 2).exp()), 1)
    mixture = MixtureSameFamily(Categorical(torch.ones(n, dtype=float64)), parts)
    torch.testing.assert_close(vae.aggregated_log_prob(z, mu, log_var), mixture.log_prob(z), atol=1e-10, rtol=0)


def test_images_and_single_examples_work() -> None:
    model = vae.VAE(networks.MLP((1, 4, 4), (8,), (2, 1)), networks.MLP((1,), (8,), (1, 4, 4)))
    x = torch.rand(1, 1, 4, 4)
    assert model.elbo(x).total.shape == (1,)
    assert model.log_marginal(x, 3).shape == (1,)
    assert model.sample(2).shape == (2, 1, 4, 4)
    assert model.latents == 1


def test_latents_are_those_of_a_linear_first_layer_or_as_given() -> None:
    upwards = nn.Sequential(nn.Unflatten(1, (3, 1, 1)), nn.ConvTranspose2d(3, 4, 4), nn.Flatten(), nn.Linear(64, 4))
    encoder = networks.MLP((4,), (), (2, 3))
    model = vae.VAE(encoder, upwards, latents=3)
    assert model.latents == 3
    assert model.sample(2).shape == (2, 4)
    assert vae.naive_log_marginal(model, torch.zeros(2, 4), 5).log_marginal.shape == (2,)
    # Its first linear layer has 64 inputs, which are no latents.
    with pytest.raises(TypeError, match=r"begins with ConvTranspose2d.*latents=\.\.\."):
        vae.VAE(encoder, upwards).sample(2)
    with pytest.raises(TypeError, match=r"begins with no layer"):
        vae.VAE(encoder, nn.Identity()).latents  # noqa: B018


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="must give the shape of x"):
        vae.VAE(networks.MLP((4,), (), (2, 2)), networks.MLP((2,), (), (3,))).elbo(torch.zeros(1, 4))
    for likelihood in vae.LIKELIHOODS:
        model = linear_vae(likelihood=likelihood)
        model.decoder.register_forward_hook(lambda module, args, out: out[:1])  # one answer for all would broadcast
        with pytest.raises(ValueError, match=r"must give the shape of x, \(5, 4\).*got \(1, 4\)"):
            model.log_likelihood(torch.ones(5, D, dtype=float64), torch.zeros(5, K, dtype=float64))
    with pytest.raises(ValueError, match=r"the shape of \(batch, 2, k\).*got \(1, 4\)"):
        vae.VAE(networks.MLP((4,), (), (4,)), networks.MLP((2,), (), (4,))).encode(torch.zeros(1, 4))
    with pytest.raises(ValueError, match="at least 1"):
        linear_vae().importance_weighted_bound(points(), 0)
    with pytest.raises(ValueError, match="chunk is a count, at least 1; got 0"):
        linear_vae().log_marginal(points(), 5, chunk=0)
    with pytest.raises(ValueError, match=r"1\.\.3, got 4"):
        vae.LinearGaussian.optimum(points(), 4)


# The objective


def test_objective_is_minus_the_bound() -> None:
    model, x = linear_vae(), points()
    seeded = lambda: torch.Generator().manual_seed(3)  # noqa: E731
    loss = vae.negative_bound(model, x, generator=seeded())
    torch.testing.assert_close(loss, -model.elbo(x, generator=seeded()).total, atol=0, rtol=0)
    many = vae.negative_bound(model, x, k=7, generator=seeded())
    torch.testing.assert_close(many, -model.importance_weighted_bound(x, 7, generator=seeded()), atol=0, rtol=0)


def test_redrawn_images_have_the_grey_values_as_their_mean() -> None:
    model = linear_vae(likelihood="bernoulli")
    seen: list[Tensor] = []
    model.encoder.register_forward_hook(lambda module, args, out: seen.append(args[0]))
    grey = torch.tensor([0.0, 0.3, 0.8, 1.0], dtype=float64).expand(20_000, -1)
    vae.negative_bound(model, grey, redraw=True, generator=torch.Generator().manual_seed(0))
    vae.negative_bound(model, grey, redraw=True, generator=torch.Generator().manual_seed(1))
    assert all(set(images.unique().tolist()) == {0.0, 1.0} for images in seen)
    assert not torch.equal(*seen)
    assert (seen[0].mean(0) - grey[0]).abs().max() < 5 * math.sqrt(0.25 / 20_000)
    with pytest.raises(ValueError, match=r"Dataset\.binarised"):
        vae.negative_bound(model, grey)


def test_several_draws_at_once_are_the_draws_one_by_one() -> None:
    x = (points() > 0).double()
    z = torch.randn(3, 5, K, generator=torch.Generator().manual_seed(0), dtype=float64)
    for likelihood in vae.LIKELIHOODS:
        model = linear_vae(likelihood=likelihood)
        together = model.log_likelihood(x, z)
        torch.testing.assert_close(
            together, torch.stack([model.log_likelihood(x, one) for one in z]), atol=1e-12, rtol=0
        )


# Precision


@pytest.mark.parametrize("dtype", [float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("log_var", [-30.0, 30.0])
def test_an_extreme_q_of_a_single_code_and_draw_stays_finite_and_right(dtype: torch.dtype, log_var: float) -> None:
    """d = k = 1, one example, one draw: with a decoder that ignores its code everything is known."""
    model = vae.VAE(networks.MLP((1,), (), (2, 1)), networks.MLP((1,), (), (1,)), "gaussian").to(dtype)
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    model.encoder.layers[0].bias.data[1] = log_var
    x, eps = torch.full((1, 1), 2.0, dtype=dtype), torch.full((1, 1), 0.5, dtype=dtype)
    elbo = model.elbo(x, eps=eps)
    precision = {float64: 1e-12, torch.float32: 1e-5, torch.bfloat16: 2e-2}[dtype]
    assert elbo.kl.item() == pytest.approx(0.5 * (math.exp(log_var) - 1 - log_var), rel=precision)
    exact = -2.0 - 0.5 * math.log(2 * math.pi)
    assert elbo.reconstruction.item() == pytest.approx(exact, rel=precision)
    weight = model.log_weights(x, 1, eps=eps[None])
    z = math.exp(log_var / 2) * 0.5
    assert weight.item() == pytest.approx(exact + 0.5 * (0.25 - z**2 + log_var), rel=precision, abs=precision)


@pytest.mark.parametrize("logit", [-1e4, -100.0, -20.0, 0.0, 20.0, 100.0, 1e4])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_bernoulli_likelihood_of_extreme_logits(logit: float, value: float) -> None:
    """Against torch's own, value and gradient, in the precision of training."""
    logits = torch.full((1, 1), logit, requires_grad=True)
    x = torch.full((1, 1), value)
    ours = vae.VAE(networks.MLP((1,), (), (2, 1)), nn.Identity(), "bernoulli").log_likelihood(x, logits)
    expected = Bernoulli(logits=logits).log_prob(x).sum(1)
    torch.testing.assert_close(ours, expected, atol=1e-6, rtol=1e-6)
    pair = (torch.autograd.grad(term.sum(), logits)[0] for term in (ours, expected))
    torch.testing.assert_close(*pair, atol=1e-6, rtol=1e-6)


def test_under_autocast_the_densities_keep_the_precision_of_the_data() -> None:
    torch.manual_seed(0)
    model = vae.VAE(networks.MLP((1, 28, 28), (32,), (2, 4)), networks.MLP((4,), (32,), (1, 28, 28)), "bernoulli")
    x, eps = (torch.rand(8, 1, 28, 28) < 0.5).float(), torch.randn(8, 4)
    full = model.elbo(x, eps=eps)
    with torch.autocast("cpu", torch.bfloat16):
        half = model.elbo(x, eps=eps)
    assert half.total.dtype == torch.float32
    # The networks compute with 8 bits; a sum of 784 terms in 8 bits would be off by about 2.
    assert (half.total - full.total).abs().max() < 0.3


# The two gradient estimators (F17)


def quadratic(z: Tensor) -> Tensor:
    return (z.square() * torch.tensor([1.0, -0.5], dtype=z.dtype)).sum(-1) + z[..., 0] * z[..., 1]


def test_both_estimators_have_the_exact_gradient_as_their_mean() -> None:
    """F17."""
    mu, log_var = torch.tensor([0.7, -0.3], dtype=float64), torch.tensor([-0.5, 0.4], dtype=float64)
    # E f = sum_i a_i (mu_i^2 + sigma_i^2) + mu_1 mu_2.
    a = torch.tensor([1.0, -0.5], dtype=float64)
    exact = (2 * a * mu + mu.flip(0), a * log_var.exp())
    nodes, mass = hermite()
    for estimator in (vae.reparametrised_gradient, vae.score_function_gradient):
        estimates = estimator(quadratic, mu, log_var, nodes)
        for estimate, truth in zip(estimates, exact, strict=True):
            torch.testing.assert_close(mass @ estimate, truth, atol=1e-10, rtol=0)


def test_the_score_function_estimator_has_the_larger_variance() -> None:
    mu, log_var = torch.zeros(2, 10, dtype=float64)
    eps = torch.randn(20_000, 10, generator=torch.Generator().manual_seed(0), dtype=float64)

    def distance(z: Tensor) -> Tensor:
        return -0.5 * (z - 1).square().sum(-1)

    reparametrised, _ = vae.reparametrised_gradient(distance, mu, log_var, eps)
    score, _ = vae.score_function_gradient(distance, mu, log_var, eps)
    error = (score.var(0) / 20_000).sqrt()
    assert ((score.mean(0) - reparametrised.mean(0)).abs() < 5 * error).all()
    assert (score.var(0) > 10 * reparametrised.var(0)).all()


# Planted errors: each must be seen by a test above


def kl_halved(mu: Tensor, log_var: Tensor) -> Tensor:
    return 0.25 * (mu.square() + log_var.exp() - 1 - log_var).sum(1)


def kl_averaged(mu: Tensor, log_var: Tensor) -> Tensor:
    return 0.5 * (mu.square() + log_var.exp() - 1 - log_var).mean(1)


def kl_with_one_half_on_the_first_term(mu: Tensor, log_var: Tensor) -> Tensor:
    return (0.5 * mu.square() + log_var.exp() - 1 - log_var).sum(1)  # erratum E6


def variance_for_standard_deviation(mu: Tensor, log_var: Tensor, *, eps: Tensor, generator: object = None) -> Tensor:
    return mu + log_var.exp() * eps


def without_constant(x: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    return -0.5 * ((x - mean).square() * torch.exp(-log_var) + log_var).sum(1)


def over_the_batch(self: vae.VAE, x: Tensor, k: int, **options: object) -> Tensor:
    weights = self.log_weights(x, k, **options)
    return weights.logsumexp(1)[:1].expand(len(x)) - math.log(k)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("kl_to_standard_normal", kl_halved),
        ("kl_to_standard_normal", kl_averaged),
        ("kl_to_standard_normal", kl_with_one_half_on_the_first_term),
        ("reparametrise", variance_for_standard_deviation),
        ("log_prob", without_constant),
    ],
)
def test_planted_errors_in_the_parts_are_seen(
    name: str, error: Callable[..., Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaussian, name, error)
    with pytest.raises(AssertionError):
        test_elbo_has_the_exact_mean_over_its_noise("gaussian")


def test_a_planted_sum_over_the_batch_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vae.VAE, "importance_weighted_bound", over_the_batch)
    with pytest.raises(AssertionError):
        test_bound_of_an_example_does_not_depend_on_the_others()
