"""Variational EM: exact steps never lower the bound and reach the optimum; gradient steps move what they should."""

import itertools

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


def start(seed: int = 0, k: int = 2) -> vae.LinearGaussian:
    rng = torch.Generator().manual_seed(100 + seed)
    return vae.LinearGaussian(torch.randn(5, k, generator=rng, dtype=float64), torch.zeros(5, dtype=float64))


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), k=st.integers(1, 4))
def test_exact_steps_never_lower_the_bound(seed: int, k: int) -> None:
    bounds = [state.bound for state in em.fit(start(seed, k), data(seed), steps=40)]
    assert all(b >= a - 1e-10 for a, b in itertools.pairwise(bounds))
    assert bounds[-1] > bounds[0] + 0.01


def test_exact_steps_alternate_and_e_makes_the_bound_tight() -> None:
    x = data()
    states = list(em.fit(start(), x, steps=6))
    assert [(s.step, s.phase) for s in states] == [(i + 1, "EM"[i % 2]) for i in range(6)]
    for state in states:
        slack = state.model.log_prob(x).mean().item() - state.bound
        assert slack >= -1e-10
        if state.phase == "E":
            assert slack == pytest.approx(0, abs=1e-10)


def test_exact_steps_reach_the_optimum_of_the_likelihood() -> None:
    x = data()
    *_, last = em.fit(start(), x, steps=400)
    best = vae.LinearGaussian.optimum(x, 2).log_prob(x).mean().item()
    assert last.bound == pytest.approx(best, abs=1e-8)
    assert last.bound <= best + 1e-10


def test_m_step_is_the_maximum_over_the_decoder() -> None:
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
    states = list(em.fit(network(), data(), steps=300, e_steps=5, m_steps=5, joint=joint, lr=0.01))
    assert {s.phase for s in states} == ({"joint"} if joint else {"E", "M"})
    assert states[-1].bound > states[0].bound + 1
    best = vae.LinearGaussian.optimum(data(), 2, variance=None).log_prob(data()).mean().item()
    assert states[-1].bound < best + 0.5


def test_bounds_of_one_model_are_equal() -> None:
    """The noise and the examples that judge are fixed."""
    bounds = [state.bound for state in em.fit(network(), data(), steps=3, lr=0.0)]
    assert bounds[0] == bounds[1] == bounds[2]


def test_arguments_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="exact steps reach the maximum at once"):
        em.fit(start(), data(), steps=2, e_steps=3)
    with pytest.raises(ValueError, match="e_steps=0"):
        em.fit(network(), data(), steps=2, e_steps=0)


# Planted errors


def test_swapped_arguments_of_the_two_steps_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Erratum E8: the E-step moves the decoder, the M-step the posterior, each for the other's old value."""
    right = em.m_step

    def stale(model: vae.LinearGaussian, x: Tensor, mean: Tensor, covariance: Tensor) -> vae.LinearGaussian:
        return right(model, x, covariance.new_ones(mean.shape) * mean.mean(0), covariance)

    monkeypatch.setattr(em, "m_step", stale)
    with pytest.raises(AssertionError):
        test_exact_steps_reach_the_optimum_of_the_likelihood()


def test_a_posterior_spread_left_out_of_the_m_step_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    right = em.m_step
    monkeypatch.setattr(em, "m_step", lambda model, x, mean, covariance: right(model, x, mean, 0 * covariance))
    with pytest.raises(AssertionError):
        test_exact_steps_never_lower_the_bound.hypothesis.inner_test(0, 2)
