"""F1-F5 against scikit-learn, SciPy, automatic differentiation and exact posteriors."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import subspace_angles
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA as SklearnPCA
from torch import Tensor, nn
from torch.distributions import MultivariateNormal

from lecture11 import autoencoder, gaussian, training


def points(n: int, d: int, seed: int = 0) -> Tensor:
    """Correlated data with a mean that is not zero."""
    rng = torch.Generator().manual_seed(seed)
    scale = torch.linspace(2, 0.2, d, dtype=torch.float64)
    rotation = torch.linalg.qr(torch.randn(d, d, generator=rng, dtype=torch.float64)).Q
    return torch.randn(n, d, generator=rng, dtype=torch.float64) * scale @ rotation + 3


class Doubling(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 2 * x


# F1, F2


def test_forward_is_decode_after_encode() -> None:
    """F1."""
    model = autoencoder.AutoEncoder(nn.Linear(4, 2), nn.Linear(2, 4))
    x = torch.randn(3, 4)
    assert torch.equal(model(x), model.decoder(model.encoder(x)))


def test_reconstruction_error_is_the_sum_over_all_dimensions_of_each_example() -> None:
    """F2."""
    x = torch.randn(3, 1, 2, 2, dtype=torch.float64)
    expected = torch.stack([torch.linalg.norm(x[i]) ** 2 for i in range(3)])  # ||x - 2x||^2
    torch.testing.assert_close(autoencoder.reconstruction_error(Doubling(), x), expected, atol=1e-12, rtol=0)


def test_a_model_that_changes_the_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the model must give the shape of x, \(5, 2\), got \(5, 1\)"):
        autoencoder.reconstruction_error(lambda x: x[:, :1], torch.zeros(5, 2))


def test_gradient_of_the_error_agrees_with_finite_differences() -> None:
    model = autoencoder.AutoEncoder(nn.Linear(3, 2), nn.Linear(2, 3)).double()
    x = points(4, 3)
    parameters = tuple(model.parameters())

    def error(*values: Tensor) -> Tensor:
        state = dict(zip([name for name, _ in model.named_parameters()], values, strict=True))
        return autoencoder.reconstruction_error(lambda y: torch.func.functional_call(model, state, (y,)), x)

    assert torch.autograd.gradcheck(error, parameters)


# F3


@given(seed=st.integers(0, 1000), d=st.integers(1, 6), data=st.data())
def test_pca_is_that_of_scikit_learn(seed: int, d: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, d))
    x = points(20, d, seed)
    ours, theirs = autoencoder.PCA(x, k), SklearnPCA(k).fit(x.numpy())
    reconstruction = torch.from_numpy(theirs.inverse_transform(theirs.transform(x.numpy())))
    torch.testing.assert_close(ours(x), reconstruction, atol=1e-9, rtol=0)
    variances = torch.from_numpy(theirs.explained_variance_) * 19 / 20
    torch.testing.assert_close(ours.variances, variances, atol=1e-9, rtol=1e-9)


def test_pca_keeps_image_shapes_and_dtype() -> None:
    x = torch.rand(30, 1, 4, 4)
    pca = autoencoder.PCA(x, 3)
    assert pca.encode(x).shape == (30, 3)
    assert pca(x).shape == x.shape
    assert pca(x).dtype == torch.float32
    torch.testing.assert_close(autoencoder.PCA(x, 16)(x), x, atol=1e-5, rtol=0)


def test_codes_of_pca_are_uncorrelated_with_the_variances_it_states() -> None:
    x = points(500, 5)
    pca = autoencoder.PCA(x, 3)
    z = pca.encode(x)
    torch.testing.assert_close(z.T @ z / 500, pca.variances.diag(), atol=1e-9, rtol=0)


def test_a_trained_linear_auto_encoder_spans_the_principal_subspace() -> None:
    """F3."""
    x = points(200, 5)
    torch.manual_seed(0)
    model = autoencoder.linear(5, 2).double()
    before = autoencoder.principal_angles(model.decoder.layers[0].weight.detach(), autoencoder.PCA(x, 2).components.T)
    trainer = training.Trainer(
        model, lambda m, x, generator: autoencoder.reconstruction_error(m, x), x, batch_size=200, lr=0.03
    )
    *_, _last = trainer.run(steps=1000)
    pca = autoencoder.PCA(x, 2)
    weight = model.decoder.layers[0].weight.detach().cpu()
    after = autoencoder.principal_angles(weight, pca.components.T)
    assert before[-1] > 0.1  # an untrained one does not
    assert after[-1] < 1e-3
    x_device = x.to(training.default_device())
    excess = (
        autoencoder.reconstruction_error(model, x_device).mean().cpu() - autoencoder.reconstruction_error(pca, x).mean()
    )
    assert -1e-12 < excess < 1e-6  # PCA is the optimum: nothing is below it


def test_no_linear_auto_encoder_beats_pca_on_digits() -> None:
    x = torch.from_numpy(load_digits().data / 16)
    pca = autoencoder.PCA(x, 8)
    best = autoencoder.reconstruction_error(pca, x).mean()
    for seed in range(5):
        other = torch.linalg.qr(torch.randn(64, 8, generator=torch.Generator().manual_seed(seed)).double()).Q
        tilted = torch.linalg.qr(pca.components.T + 0.05 * other).Q
        error = ((x - x.mean(0)) - (x - x.mean(0)) @ tilted @ tilted.T).square().sum(1).mean()
        assert error > best


@given(seed=st.integers(0, 1000), d=st.integers(2, 6), data=st.data())
def test_principal_angles_are_those_of_scipy(seed: int, d: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, d - 1))
    a, b = torch.randn(2, d, k, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    expected = torch.from_numpy(subspace_angles(a.numpy(), b.numpy())).flip(0)
    # SciPy itself gives angles of exactly zero as 1e-8.
    torch.testing.assert_close(autoencoder.principal_angles(a, b), expected, atol=1e-7, rtol=0)


def test_tiny_angles_are_not_lost() -> None:
    a = torch.tensor([[1.0], [0.0]], dtype=torch.float64)
    b = torch.tensor([[1.0], [1e-10]], dtype=torch.float64)
    torch.testing.assert_close(autoencoder.principal_angles(a, b), torch.tensor([1e-10]).double(), atol=1e-16, rtol=0)
    assert autoencoder.principal_angles(a, 5 * a).item() == 0  # the basis does not matter
    quarter = autoencoder.principal_angles(a, torch.tensor([[0.0], [1.0]], dtype=torch.float64))
    assert quarter.item() == pytest.approx(math.pi / 2)


# F4


def test_denoising_error_uses_the_noise_it_is_given() -> None:
    x, eps = torch.randn(2, 4, 3, dtype=torch.float64)
    error = autoencoder.denoising_error(lambda y: y, x, 0.5, eps=eps)
    torch.testing.assert_close(error, 0.25 * eps.square().sum(1), atol=1e-12, rtol=0)


def test_noise_has_standard_deviation_s_not_variance_s() -> None:
    """F4."""
    x = torch.zeros(50_000, 2, dtype=torch.float64)
    y = autoencoder.add_noise(x, 0.3, generator=torch.Generator().manual_seed(0))
    assert y.std().item() == pytest.approx(0.3, rel=4 / math.sqrt(2 * 100_000))


def test_one_noise_level_an_example() -> None:
    x, eps = torch.zeros(2, 1, 2, 2), torch.ones(2, 1, 2, 2)
    y = autoencoder.add_noise(x, torch.tensor([1.0, 3.0]), eps=eps)
    assert torch.equal(y[:, 0, 0, 0], torch.tensor([1.0, 3.0]))


def test_same_generator_same_error() -> None:
    x = torch.randn(4, 3)
    a, b = (
        autoencoder.denoising_error(lambda y: y, x, 0.5, generator=torch.Generator().manual_seed(1)) for _ in range(2)
    )
    assert torch.equal(a, b)


def test_negative_noise_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 0 and finite; got -1"):
        autoencoder.add_noise(torch.zeros(1, 2), -1.0)


# F5


def random_mixture(seed: int, m: int, d: int) -> gaussian.Mixture:
    rng = torch.Generator().manual_seed(seed)
    roots = torch.randn(m, d, d, generator=rng, dtype=torch.float64)
    covariances = roots @ roots.mT + 0.1 * torch.eye(d, dtype=torch.float64)
    means = 2 * torch.randn(m, d, generator=rng, dtype=torch.float64)
    return gaussian.Mixture(torch.full((m,), 1 / m, dtype=torch.float64), means, covariances)


@given(seed=st.integers(0, 1000), m=st.integers(1, 4), d=st.integers(1, 3), s=st.floats(0.05, 5))
def test_tweedie_is_the_posterior_mean(seed: int, m: int, d: int, s: float) -> None:
    """F5. The other way to it: condition each component on y, weigh by its evidence."""
    p = random_mixture(seed, m, d)
    y = 3 * torch.randn(5, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    noisy = p.covariances + s**2 * torch.eye(d, dtype=torch.float64)
    gain = p.covariances @ torch.linalg.inv(noisy)
    conditional = p.means + ((y[:, None] - p.means)[:, :, None] @ gain.mT)[:, :, 0]
    evidence = p.weights.log() + MultivariateNormal(p.means, noisy).log_prob(y[:, None])
    expected = (evidence.softmax(1)[..., None] * conditional).sum(1)
    torch.testing.assert_close(autoencoder.optimal_denoiser(p, y, s), expected, atol=1e-9, rtol=1e-9)


def test_no_denoiser_beats_the_optimal_one() -> None:
    """Orthogonality: the error of E[x|y] is uncorrelated with every function of y, so that any change costs."""
    p, s, n = random_mixture(3, 3, 2), 0.8, 100_000
    rng = torch.Generator().manual_seed(0)
    x, _ = p.sample(n, generator=rng)
    eps = torch.randn(n, 2, generator=rng, dtype=torch.float64)

    def excess(change: Tensor) -> tuple[float, float]:
        y = x + s * eps
        best = autoencoder.optimal_denoiser(p, y, s)
        difference = (x - best - change).square().sum(1) - (x - best).square().sum(1)
        return difference.mean().item(), difference.std().item() / math.sqrt(n)

    y = x + s * eps
    score = p.noised(s).score(y)
    for change in (0.1 * score, -0.1 * score, torch.full_like(y, 0.05), 0.05 * y.sin()):
        mean, error = excess(change)
        assert mean > 0
        assert mean == pytest.approx(change.square().sum(1).mean().item(), abs=4 * error)


def test_gaussian_denoiser_shrinks_each_principal_direction() -> None:
    variances, s = torch.tensor([4.0, 0.25], dtype=torch.float64), 0.5
    p = gaussian.Mixture(torch.ones(1).double(), torch.zeros(1, 2).double(), variances.diag()[None])
    y = torch.tensor([[1.0, 1.0], [-2.0, 3.0]], dtype=torch.float64)
    expected = y * variances / (variances + s**2)
    torch.testing.assert_close(autoencoder.optimal_denoiser(p, y, s), expected, atol=1e-12, rtol=0)


def test_score_of_the_optimal_denoiser_is_the_score() -> None:
    p, s = random_mixture(1, 3, 2), 0.7
    y = torch.randn(6, 2, dtype=torch.float64)
    score = autoencoder.score_of_denoiser(autoencoder.optimal_denoiser(p, y, s), y, s)
    torch.testing.assert_close(score, p.noised(s).score(y), atol=1e-10, rtol=0)
    with pytest.raises(ValueError, match="positive"):
        autoencoder.score_of_denoiser(y, y, 0.0)


def test_walk_carries_the_noisy_distribution_to_the_clean_one() -> None:
    """For a Gaussian the walk is linear, so that its end has a known standard deviation in the limit of many steps."""
    p = gaussian.Mixture(torch.ones(1).double(), torch.zeros(1, 1).double(), torch.full((1, 1, 1), 0.25).double())
    levels = torch.logspace(1, -3, 2000, dtype=torch.float64).tolist()
    start = torch.tensor([[math.sqrt(0.25 + 100)]], dtype=torch.float64)  # one standard deviation of p_10
    *_, end = autoencoder.walk_to_data(lambda y, s: autoencoder.optimal_denoiser(p, y, s), start, levels)
    assert end.item() == pytest.approx(0.5, rel=5e-3)


def test_walk_ends_at_the_guess_when_the_last_level_is_zero() -> None:
    (end,) = autoencoder.walk_to_data(lambda y, s: 0 * y + 7, torch.zeros(2, 2), [1.0, 0.0])
    assert torch.equal(end, torch.full((2, 2), 7.0))


@pytest.mark.parametrize("levels", [[1.0], [1.0, 2.0], [1.0, 1.0], [1.0, -0.5]])
def test_levels_that_do_not_decrease_are_refused(levels: list[float]) -> None:
    with pytest.raises(ValueError, match="must decrease"):
        list(autoencoder.walk_to_data(lambda y, s: y, torch.zeros(1, 2), levels))


@pytest.mark.parametrize("k", [0, 6])
def test_impossible_code_sizes_are_refused(k: int) -> None:
    with pytest.raises(ValueError, match=f"got (k = )?{k}"):
        autoencoder.linear(5, k)
    with pytest.raises(ValueError, match=f"got {k}"):
        autoencoder.PCA(points(20, 5), k)


def test_bases_of_two_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"b must have the shape \(d, k\), where .*k = 1 as in a; got \(3, 2\)"):
        autoencoder.principal_angles(torch.zeros(3, 1), torch.zeros(3, 2))
