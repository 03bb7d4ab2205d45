"""From noise to data: Algorithm 2, and DDIM, which walks the same way in fewer steps (F22, F29)."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lecture11.diffusion.forward import Model, in_single, predict_eps
from lecture11.diffusion.posterior import posterior_mean_from_eps, posterior_mean_from_x0, predict_x0
from lecture11.diffusion.schedule import NoiseSchedule, Step, same_shape, spread

# sigma_t^2, the variance of the learned step: beta~_t, or beta_t.
Variance = Literal["posterior", "beta"]


def step_variance(s: NoiseSchedule, t: Step, variance: Variance) -> Tensor:
    """``sigma_t^2`` of ``p(x_{t-1} | x_t)``: ``beta~_t``, which is 0 at ``t = 1``, or ``beta_t`` (F22, F29).

    Both are right at an extreme: ``beta~_t`` if the data is a single point, ``beta_t`` if it is ``N(0, I)`` (Ho et al.
    2020, section 3.2).
    """
    if variance not in get_args(Variance):
        raise ValueError(f"variance must be 'posterior' or 'beta', got {variance!r}")
    return s.posterior_variance(t) if variance == "posterior" else s.beta(t)


def p_mean(
    s: NoiseSchedule,
    x_t: Float[Tensor, "batch *dims"],
    t: Step,
    eps: Float[Tensor, "batch *dims"],
    *,
    clip: bool = False,
) -> Float[Tensor, "batch *dims"]:
    """``mu_theta(x_t, t)``, the mean of the learned step, from the predicted noise (F39).

    Args:
        clip: cut the predicted ``x_0`` to [-1, 1] and take the posterior mean from that (F33): not in Algorithm 2, and
            only for data that lives there. Without cutting, both ways are the same.
    """
    if not clip:
        return posterior_mean_from_eps(s, x_t, t, eps)
    return posterior_mean_from_x0(s, predict_x0(s, x_t, t, eps).clamp(-1, 1), x_t, t)


def p_step(
    s: NoiseSchedule,
    x_t: Float[Tensor, "batch *dims"],
    t: Step,
    eps: Float[Tensor, "batch *dims"],
    noise: Float[Tensor, "batch *dims"] | None,
    *,
    variance: Variance = "posterior",
    clip: bool = False,
) -> Float[Tensor, "batch *dims"]:
    """``x_{t-1} = mu_theta(x_t, t) + sigma_t z``: a draw of the learned step, one line of Algorithm 2 (F22, F29).

    Args:
        t: the step that is undone, in 1..T: one for all examples or one each.
        eps: the predicted noise, ``model(x_t, t)``.
        noise: ``z``, standard normal. It is ignored at ``t = 1``, and may be None where all ``t`` are 1.
        variance: ``sigma_t^2`` is the ``"posterior"`` variance ``beta~_t`` or ``"beta"``, ``beta_t``.
        clip: as in ``p_mean``.
    """
    mean = p_mean(s, x_t, t, eps, clip=clip)
    sigma_squared = step_variance(s, t, variance)
    last = torch.as_tensor(t, device=sigma_squared.device) == 1
    return _add_noise(mean, sigma_squared.masked_fill(last, 0.0), noise)


class Stage(NamedTuple):
    """Where a sampler stands.

    Attributes:
        t: steps that are still to be undone.
        x_t: the sample so far.
        x_0: the guess of the result from here; at ``t = 0`` the result itself.
    """

    t: int
    x_t: Float[Tensor, "batch *dims"]
    x_0: Float[Tensor, "batch *dims"]


def sample_chain(
    model: Model,
    s: NoiseSchedule,
    shape: Sequence[int],
    *,
    variance: Variance = "posterior",
    clip: bool = False,
    generator: torch.Generator | None = None,
    x_T: Float[Tensor, "batch *dims"] | None = None,
) -> Iterator[Stage]:
    """Algorithm 2, step by step: yields ``(t, x_t, predicted x_0)`` for ``t = T, ..., 0`` (F22).

    Args:
        shape: ``(batch, *dims)``.
        variance, clip: as in ``p_step``.
        generator: of all noise; drawn in order, ``x_T`` first.
        x_T: the noise to start from; drawn if not given. The model is asked in its dtype and on its device, else in
            those of the model's parameters, else in float32 on the generator's device. The samples are at least
            float32: in half precision the many small steps would be rounded away.
    """
    ask, x = in_single(model, _start(model, shape, generator, x_T))
    for t in range(s.T, 0, -1):
        with torch.no_grad():
            eps = predict_eps(ask, x, t)
        yield Stage(t, x, _guess(s, x, t, eps, clip))
        x = p_step(s, x, t, eps, _noise_like(x, generator) if t > 1 else None, variance=variance, clip=clip)
    yield Stage(0, x, x)


def sample(
    model: Model,
    s: NoiseSchedule,
    shape: Sequence[int],
    *,
    variance: Variance = "posterior",
    clip: bool = False,
    generator: torch.Generator | None = None,
    x_T: Float[Tensor, "batch *dims"] | None = None,
) -> Float[Tensor, "batch *dims"]:
    """The result of Algorithm 2: ``x_0``, drawn from the model (F22, F29). Arguments as in ``sample_chain``."""
    return _last(sample_chain(model, s, shape, variance=variance, clip=clip, generator=generator, x_T=x_T))


def ddim_step(
    s: NoiseSchedule,
    x_t: Float[Tensor, "batch *dims"],
    t: Step,
    t_prev: Step,
    eps: Float[Tensor, "batch *dims"],
    *,
    eta: float = 0.0,
    noise: Float[Tensor, "batch *dims"] | None = None,
    clip: bool = False,
) -> Float[Tensor, "batch *dims"]:
    """From ``x_t`` to ``x_{t_prev}`` in one step, over as many as lie between (Song et al. 2021, eq. 12 and 16).

    ``x_{t_prev} = sqrt(alpha_bar_prev) x_0 + sqrt(1 - alpha_bar_prev - sigma^2) eps + sigma z`` with the predicted
    ``x_0`` and ``sigma^2 = eta^2 (1 - alpha_bar_prev) / (1 - alpha_bar_t) (1 - alpha_bar_t / alpha_bar_prev)``.

    Args:
        t_prev: the step to arrive at, in 0..t - 1.
        eps: the predicted noise, ``model(x_t, t)``.
        eta: 0 adds no noise; with 1 and ``t_prev = t - 1`` this is ``p_step`` with the posterior variance.
        noise: ``z``, standard normal; needed if ``eta > 0``, unless all ``t_prev`` are 0.
        clip: cut the predicted ``x_0`` to [-1, 1], and take the noise that fits it.

    Raises:
        ValueError: ``t_prev`` not below ``t``; an ``eta`` that is negative, or above 1 and too large for this step.
    """
    between = s.variance_between(t_prev, t)
    before = s.noise_variance(t_prev)
    sigma_squared = eta**2 * before / s.noise_variance(t) * between
    if eta < 0 or (sigma_squared > before * (1 + 1e-12)).any():
        raise ValueError(f"eta = {eta:g} asks for more noise than x_{{t_prev}} holds; take one in [0, 1]")
    x_0 = _guess(s, x_t, t, eps, clip)
    if clip:
        eps = (x_t - spread(s.alpha_bar(t).sqrt(), x_t) * x_0) / spread(s.noise_variance(t).sqrt(), x_t)
    towards_x_t = (before - sigma_squared).clamp(min=0).sqrt()
    mean = spread(s.alpha_bar(t_prev).sqrt(), x_t) * x_0 + spread(towards_x_t, x_t) * eps
    return _add_noise(mean, sigma_squared, noise)


def ddim_chain(
    model: Model,
    s: NoiseSchedule,
    shape: Sequence[int],
    *,
    steps: int | Sequence[int] = 50,
    eta: float = 0.0,
    clip: bool = False,
    generator: torch.Generator | None = None,
    x_T: Float[Tensor, "batch *dims"] | None = None,
) -> Iterator[Stage]:
    """DDIM, step by step: yields ``(t, x_t, predicted x_0)`` for each ``t`` of the list, from the largest, and for 0.

    Args:
        steps: the list of the steps at which the model is asked, in any order; each step goes to the next smaller one
            of the list, the last one to 0. Or their number ``n``: then they are ``T k / n``, rounded up,
            for ``k = n, ..., 1``.
        eta: noise of each step, see ``ddim_step``. With 1 it is Algorithm 2 on a coarser schedule.
        shape, clip, generator, x_T: as in ``sample_chain``.

    Raises:
        ValueError: steps outside 1..T or given twice.
    """
    chosen = _steps(s, steps)
    ask, x = in_single(model, _start(model, shape, generator, x_T))
    for t, t_prev in itertools.pairwise([*chosen, 0]):
        with torch.no_grad():
            eps = predict_eps(ask, x, t)
        yield Stage(t, x, _guess(s, x, t, eps, clip))
        noise = _noise_like(x, generator) if eta > 0 and t_prev > 0 else None
        x = ddim_step(s, x, t, t_prev, eps, eta=eta, noise=noise, clip=clip)
    yield Stage(0, x, x)


def ddim_sample(
    model: Model,
    s: NoiseSchedule,
    shape: Sequence[int],
    *,
    steps: int | Sequence[int] = 50,
    eta: float = 0.0,
    clip: bool = False,
    generator: torch.Generator | None = None,
    x_T: Float[Tensor, "batch *dims"] | None = None,
) -> Float[Tensor, "batch *dims"]:
    """The result of DDIM; with ``eta = 0`` a function of the start ``x_T`` alone. Arguments as in ``ddim_chain``."""
    return _last(ddim_chain(model, s, shape, steps=steps, eta=eta, clip=clip, generator=generator, x_T=x_T))


def _steps(s: NoiseSchedule, steps: int | Sequence[int]) -> list[int]:
    """The steps of a list, or as many as are asked for, from the largest to the smallest."""
    if isinstance(steps, int):
        if not 1 <= steps <= s.T:
            raise ValueError(f"the number of steps must lie in 1..T = {s.T}, got {steps}")
        return [-(-s.T * k // steps) for k in range(steps, 0, -1)]
    chosen = sorted((int(t) for t in steps), reverse=True)
    if not chosen or len(set(chosen)) < len(chosen):
        raise ValueError(f"steps must be a list of different steps, got {list(steps)}")
    for t in chosen:
        s.check(t)
    return chosen


def _start(
    model: Model, shape: Sequence[int], generator: torch.Generator | None, x_T: Tensor | None
) -> Float[Tensor, "batch *dims"]:
    """``x_T ~ N(0, I)`` (F29), where and in what precision the model computes."""
    if x_T is not None:
        if x_T.shape != tuple(shape):
            raise ValueError(f"x_T must have the shape asked for, {tuple(shape)}; got {tuple(x_T.shape)}")
        return x_T
    like = next(model.parameters(), None) if isinstance(model, nn.Module) else None
    if like is None:
        return torch.randn(*shape, generator=generator, device=generator.device if generator else None)
    return torch.randn(*shape, generator=generator, dtype=like.dtype, device=like.device)


def _noise_like(x: Tensor, generator: torch.Generator | None) -> Tensor:
    return torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)


def _guess(s: NoiseSchedule, x_t: Tensor, t: Step, eps: Tensor, clip: bool) -> Tensor:
    x_0 = predict_x0(s, x_t, t, eps)
    return x_0.clamp(-1, 1) if clip else x_0


def _add_noise(mean: Tensor, variance: Tensor, noise: Tensor | None) -> Tensor:
    """``mean + sqrt(variance) noise``; where the variance is zero the noise is not looked at."""
    if noise is None:
        if (variance > 0).any():
            raise ValueError("this step adds noise: give it as noise=, standard normal and of the shape of x_t")
        return mean
    same_shape(x_t=mean, noise=noise)
    std = spread(variance.sqrt(), mean)
    return torch.where(std > 0, mean + std * noise, mean)


def _last(chain: Iterator[Stage]) -> Tensor:
    for stage in chain:
        x = stage.x_t
    return x
