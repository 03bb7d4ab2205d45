"""Variational EM (F18-F20): exact steps never lower the bound and reach the optimum; networks move in turn."""

import itertools
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lecture11 import em, networks, vae

float64 = torch.float64


def data(seed: int = 0, n: int = 300) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    scale = torch.tensor([3.0, 2.0, 1.5, 0.5, 0.3], dtype=float64)
    return torch.randn(n, 5, generator=rng, dtype=float64) * scale + 1


def start(seed: int = 0, k: int = 2, variance: float = 1.0) -> vae.LinearGaussian:
    rng = torch.Generator().manual_seed(100 + seed)
    weight = torch.randn(5, k, generator=rng, dtype=float64)
    return vae.LinearGaussian(weight, torch.zeros(5, dtype=float64), variance)


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), k=st.integers(1, 4), variance=st.sampled_from([0.3, 1.0, 2.0]))
def test_exact_steps_never_lower_the_bound_or_the_likelihood(seed: int, k: int, variance: float) -> None:
    x = data(seed)
    states = list(em.fit(start(seed, k, variance), x, steps=40))
    bounds = [state.bound for state in states]
    assert all(b >= a - 1e-10 for a, b in itertools.pairwise(bounds))
    assert bounds[-1] > bounds[0] + 0.01
    likelihoods = [state.model.log_prob(x).mean().item() for state in states]
    assert all(b >= a - 1e-10 for a, b in itertools.pairwise(likelihoods))


@settings(max_examples=10)
@given(seed=st.integers(0, 1000), k=st.integers(1, 4), variance=st.sampled_from([0.3, 1.0, 2.0]))
def test_each_rise_has_its_exact_size(seed: int, k: int, variance: float) -> None:
    """The E-step raises the bound by the divergence of the two posteriors, the M-step by a squared distance (F20)."""
    x = data(seed)
    states = list(em.fit(start(seed, k, variance), x, steps=9))
    for before, e, m in zip(states[0::2], states[1::2], states[2::2], strict=False):
        # ``before`` is an E-step, so that ``e`` is the M-step after it, and ``m`` the next E-step.
        old, new = before.model, e.model
        mean, covariance = old.posterior(x)
        codes = torch.cat([mean, torch.ones(len(x), 1, dtype=float64)], dim=1)
        moment = codes.T @ codes / len(x)
        moment[:k, :k] += covariance
        change = torch.cat([new.weight - old.weight, (new.bias - old.bias)[:, None]], dim=1)
        squared = torch.trace(change @ moment @ change.T).item() / (2 * variance)
        assert e.bound - before.bound == pytest.approx(squared, abs=1e-10)

        target = torch.distributions.MultivariateNormal(*new.posterior(x))
        divergence = torch.distributions.kl_divergence(torch.distributions.MultivariateNormal(mean, covariance), target)
        assert m.bound - e.bound == pytest.approx(divergence.mean().item(), abs=1e-10)


def test_exact_steps_alternate_and_e_makes_the_bound_tight() -> None:
    """F18: after an E-step there is no slack, so that no other ``q`` is better."""
    x = data()
    states = list(em.fit(start(), x, steps=6))
    assert [(s.step, s.phase) for s in states] == [(i + 1, "EM"[i % 2]) for i in range(6)]
    for state in states:
        slack = state.model.log_prob(x).mean().item() - state.bound
        assert slack >= -1e-10
        if state.phase == "E":
            assert slack == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("variance", [1.0, 0.5])
def test_exact_steps_reach_the_optimum_of_the_likelihood(variance: float) -> None:
    x = data()
    *_, last = em.fit(start(variance=variance), x, steps=600)
    best = vae.LinearGaussian.optimum(x, 2, variance=variance)
    assert last.bound == pytest.approx(best.log_prob(x).mean().item(), abs=1e-8)
    assert last.bound <= best.log_prob(x).mean().item() + 1e-10
    # The same law of x, though W may be turned.
    covariance = last.model.weight @ last.model.weight.T
    assert torch.allclose(covariance, best.weight @ best.weight.T, atol=1e-3)
    assert torch.allclose(last.model.bias, x.mean(0), atol=1e-10)


def test_m_step_is_the_maximum_over_the_decoder() -> None:
    """F19: the gradient of the bound over the decoder vanishes there."""
    x = data()
    mean, covariance = em.e_step(start(), x)
    best = em.m_step(start(), x, mean, covariance)
    weight, bias = (part.clone().requires_grad_() for part in (best.weight, best.bias))
    bound = vae.LinearGaussian(weight, bias).elbo(x, mean, covariance).mean()
    for gradient in torch.autograd.grad(bound, (weight, bias)):
        assert gradient.abs().max() < 1e-10


def network() -> vae.VAE:
    torch.manual_seed(0)
    return vae.VAE(networks.MLP((5,), (8,), (2, 2)), networks.MLP((2,), (8,), (5,)), "sigma-gaussian").double()


def flat(module: torch.nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten().cpu() for p in module.parameters()])


def test_gradient_steps_move_one_part_at_a_time() -> None:
    model = network()
    before = (flat(model.encoder), flat(model.decoder), model.log_var_x.item())
    phases = []
    for state in em.fit(model, data(), steps=10, e_steps=2, m_steps=3, lr=0.01):
        after = (flat(model.encoder), flat(model.decoder), model.log_var_x.item())
        moved = (not torch.equal(before[0], after[0]), not torch.equal(before[1], after[1]), before[2] != after[2])
        assert moved == ((True, False, False) if state.phase == "E" else (False, True, True))
        phases.append(state.phase)
        before = after
    assert "".join(phases) == "EEMMMEEMMM"
    assert all(p.requires_grad for p in model.parameters())


def test_a_run_that_is_left_early_leaves_the_model_trainable() -> None:
    model = network()
    run = em.fit(model, data(), steps=10)
    next(run)
    run.close()
    assert all(p.requires_grad for p in model.parameters())


@pytest.mark.parametrize("joint", [False, True])
def test_gradient_steps_raise_the_bound(joint: bool) -> None:
    states = list(em.fit(network(), data(), steps=120, e_steps=5, m_steps=5, joint=joint, lr=0.02))
    assert {s.phase for s in states} == ({"joint"} if joint else {"E", "M"})
    assert states[-1].bound > states[0].bound + 1
    best = vae.LinearGaussian.optimum(data(), 2, variance=None).log_prob(data()).mean().item()
    assert states[-1].bound < best + 0.5


def test_bounds_of_one_model_are_equal() -> None:
    """The noise and the examples that judge are fixed."""
    bounds = [state.bound for state in em.fit(network(), data(), steps=3, lr=1e-30)]
    assert bounds[0] == bounds[1] == bounds[2]


def test_arguments_that_mean_nothing_are_refused() -> None:
    for meaningless in ({"e_steps": 3}, {"joint": True}, {"lr": 0.1}, {"batch_size": 10}, {"seed": 1}):
        with pytest.raises(TypeError, match="keyword argument"):
            em.fit(start(), data(), steps=2, **meaningless)
    with pytest.raises(ValueError, match="e_steps is a count, at least 1; got 0"):
        em.fit(network(), data(), steps=2, e_steps=0)


def test_fit_takes_exact_steps_where_it_can() -> None:
    exact, by_name = em.fit(start(), data(), steps=4), em.fit_exactly(start(), data(), steps=4)
    assert [state.bound for state in exact] == [state.bound for state in by_name]
    by_gradient, by_name = (f(network(), data(), steps=2, m_steps=2) for f in (em.fit, em.fit_by_gradient))
    assert [state.bound for state in by_gradient] == [state.bound for state in by_name]


# Planted errors: each must be seen by a test above

right_e, right_m = em.e_step, em.m_step
Q = tuple[Tensor, Tensor]


def literally(monkeypatch: pytest.MonkeyPatch) -> None:
    """Erratum E8 to the letter: ``ELBO(phi^, theta)`` has no ``phi`` in it, so that any ``phi`` will do."""
    monkeypatch.setattr(em, "e_step", lambda model, x: right_e(start(1), x))
    monkeypatch.setattr(em, "m_step", lambda model, x, mean, covariance: model)


def old_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Erratum E8, a letter without a hat read as the value at the start: no step sees what the other one found."""
    monkeypatch.setattr(em, "e_step", lambda model, x: right_e(start(), x))
    monkeypatch.setattr(em, "m_step", lambda model, x, mean, covariance: right_m(model, x, *right_e(start(), x)))


@pytest.mark.parametrize("printed", [literally, old_values])
def test_the_printed_steps_are_seen(
    printed: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    printed(monkeypatch)
    with pytest.raises(AssertionError):
        test_exact_steps_alternate_and_e_makes_the_bound_tight()
    with pytest.raises(AssertionError):
        test_exact_steps_reach_the_optimum_of_the_likelihood(1.0)


def test_steps_that_move_the_other_network_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Erratum E8, the letters under argmax overlooked: what is called E moves the decoder."""
    right = em._train
    monkeypatch.setattr(em, "_train", lambda module, trains: right(module, not trains))
    with pytest.raises(AssertionError):
        test_gradient_steps_move_one_part_at_a_time()


def spread_left_out(model: vae.LinearGaussian, x: Tensor, mean: Tensor, covariance: Tensor) -> vae.LinearGaussian:
    return right_m(model, x, mean, 0 * covariance)


def spread_counted_once(model: vae.LinearGaussian, x: Tensor, mean: Tensor, covariance: Tensor) -> vae.LinearGaussian:
    return right_m(model, x, mean, covariance / len(x))


def bias_left_alone(model: vae.LinearGaussian, x: Tensor, mean: Tensor, covariance: Tensor) -> vae.LinearGaussian:
    return vae.LinearGaussian(right_m(model, x, mean, covariance).weight, model.bias, model.variance)


def half_a_step(model: vae.LinearGaussian, x: Tensor, mean: Tensor, covariance: Tensor) -> vae.LinearGaussian:
    new = right_m(model, x, mean, covariance)
    return vae.LinearGaussian((model.weight + new.weight) / 2, (model.bias + new.bias) / 2, model.variance)


@pytest.mark.parametrize("planted", [spread_left_out, spread_counted_once, bias_left_alone, half_a_step])
def test_errors_of_the_m_step_are_seen(
    planted: Callable[..., vae.LinearGaussian], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(em, "m_step", planted)
    with pytest.raises(AssertionError):
        test_m_step_is_the_maximum_over_the_decoder()
    with pytest.raises(AssertionError):
        test_each_rise_has_its_exact_size.hypothesis.inner_test(0, 2, 1.0)


def prior(model: vae.LinearGaussian, x: Tensor) -> Q:
    mean, covariance = right_e(model, x)
    return 0 * mean, torch.eye(len(covariance), dtype=x.dtype)


def unit_noise(model: vae.LinearGaussian, x: Tensor) -> Q:
    return right_e(vae.LinearGaussian(model.weight, model.bias), x)


def variances_only(model: vae.LinearGaussian, x: Tensor) -> Q:
    mean, covariance = right_e(model, x)
    return mean, torch.diag(covariance.diagonal())


@pytest.mark.parametrize("planted", [prior, unit_noise, variances_only])
def test_errors_of_the_e_step_are_seen(planted: Callable[..., Q], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(em, "e_step", planted)
    with pytest.raises(AssertionError):
        test_each_rise_has_its_exact_size.hypothesis.inner_test(0, 2, 0.3)


def test_a_sign_in_the_bound_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The divergence added instead of subtracted: the bound exceeds the likelihood."""
    right = vae.LinearGaussian.elbo

    def elbo(self: vae.LinearGaussian, x: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
        kl = 0.5 * (mean.square().sum(1) + torch.trace(covariance) - mean.shape[1] - torch.logdet(covariance))
        return right(self, x, mean, covariance) + 2 * kl

    monkeypatch.setattr(vae.LinearGaussian, "elbo", elbo)
    with pytest.raises(AssertionError):
        test_exact_steps_alternate_and_e_makes_the_bound_tight()
