"""Variational EM: the bound raised over the encoder, then over the decoder, in turn (F18-F20).

For a linear decoder both steps are exact: neither the bound nor the likelihood ever falls (F20). For networks a step is
some gradient steps, and whether the bound rises is measured.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lecture11.checks import Count, Finite, checked, of_dtype
from lecture11.training import Trainer
from lecture11.vae import VAE, LinearGaussian, negative_bound

Phase = Literal["E", "M", "joint"]


@dataclass(frozen=True)
class EMState:
    """Where a run stands after a step.

    Attributes:
        step: steps done.
        phase: ``"E"``: the encoder, or ``q``, has moved; ``"M"``: the decoder has; ``"joint"``: both have.
        bound: mean ELBO after the step, in nats per example.
        model: as it is after the step.
    """

    step: int
    phase: Phase
    bound: float
    model: VAE | LinearGaussian


@checked
def fit(model: VAE | LinearGaussian, x: Float[Tensor, "n *dims"], *, steps: Count, **options: Any) -> Iterator[EMState]:
    """Runs ``steps`` steps and yields the state after each (F18, F19).

    Exact steps for a ``LinearGaussian``, by ``fit_exactly``, which has no options; gradient steps for a ``VAE``, by
    ``fit_by_gradient``.
    """
    if isinstance(model, LinearGaussian):
        return fit_exactly(model, x, steps=steps, **options)
    return fit_by_gradient(model, x, steps=steps, **options)


@checked
def fit_exactly(model: LinearGaussian, x: Float[Tensor, "n d"], *, steps: Count) -> Iterator[EMState]:
    """Exact E and M steps in turn, on all of ``x``: each reaches its maximum at once (F18, F19)."""
    for step in range(1, steps + 1):
        phase: Phase = "E" if step % 2 else "M"
        if phase == "E":
            q = e_step(model, x)
        else:
            model = m_step(model, x, *q)
        yield EMState(step, phase, model.elbo(x, *q).mean().item(), model)


@checked
def fit_by_gradient(
    model: VAE,
    x: Float[Tensor, "n *dims"],
    *,
    steps: Count,
    e_steps: Count = 1,
    m_steps: Count = 1,
    joint: bool = False,
    batch_size: Count = 128,
    lr: Finite = 1e-3,
    seed: int = 0,
) -> Iterator[EMState]:
    """Gradient steps on batches: ``e_steps`` of the encoder (F18), then ``m_steps`` of the decoder (F19), and so on.

    Or steps of both at once if ``joint``. The optimiser keeps its moments of what does not move as they are. The bound
    is measured on the first 300 examples, always with the same noise, so that two bounds differ only by the
    parameters.

    Args:
        batch_size, lr, seed: as in ``training.Trainer``; the rate is constant.
    """
    rounds: list[tuple[Phase, int]] = [("joint", 1)] if joint else [("E", e_steps), ("M", m_steps)]
    phases = [phase for phase, count in rounds for _ in range(count)]
    trainer = Trainer(model, negative_bound, x, batch_size=batch_size, lr=lr, schedule="constant", seed=seed)
    judged = x[:300].to(next(model.parameters()).device)
    with torch.no_grad():
        mu, _ = model.encode(judged)
    eps = torch.randn(mu.shape, generator=torch.Generator().manual_seed(seed), dtype=mu.dtype).to(mu.device)
    run = trainer.run(steps=steps)
    try:
        for phase in islice(cycle(phases), steps):
            # A parameter without a gradient is left alone by the optimiser.
            _train(model.encoder, phase != "M")
            _train(model.decoder, phase != "E")
            if model.likelihood == "sigma-gaussian":
                model.log_var_x.requires_grad_(phase != "E")
            state = next(run)
            with torch.no_grad():
                bound = model.elbo(judged, eps=eps).total.mean().item()
            yield EMState(state.step, phase, bound, model)
    finally:
        model.requires_grad_(True)


def _train(module: nn.Module, trains: bool) -> None:
    for parameter in module.parameters():
        parameter.requires_grad_(trains)


@checked
def e_step(model: LinearGaussian, x: Float[Tensor, "n d"]) -> tuple[Float[Tensor, "n k"], Float[Tensor, "k k"]]:
    """Mean and covariance of the best ``q``: the exact posterior, where the bound is ``ln p(x)`` (F18).

    ``phi^ <- argmax_phi ELBO(theta^, phi)``: the decoder is held at its newest value.
    """
    return model.posterior(x)


@checked
def m_step(
    model: LinearGaussian, x: Float[Tensor, "n d"], mean: Float[Tensor, "n j"], covariance: Float[Tensor, "j j"]
) -> LinearGaussian:
    """The best ``W`` and ``b`` for this ``q``: least squares on codes and their spread (F19; F8 with ``z`` uncertain).

    ``theta^ <- argmax_theta ELBO(theta, phi^)``: ``q`` is held at its newest value. The variance of the noise, the only
    thing that is taken from ``model``, stays.
    """
    of_dtype(x.dtype, "x", mean=mean, covariance=covariance)
    n, k = mean.shape
    codes = torch.cat([mean, torch.ones_like(mean[:, :1])], dim=1)
    second_moment = codes.T @ codes
    second_moment[:k, :k] += n * covariance
    solution = torch.linalg.solve(second_moment, codes.T @ x).T
    return LinearGaussian(solution[:, :k], solution[:, k], model.variance)
