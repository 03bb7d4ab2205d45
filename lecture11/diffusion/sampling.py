"""From noise to data: Algorithm 2, and DDIM, which walks the same way in fewer steps (F22, F29)."""

import functools
import inspect
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple, ParamSpec

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lecture11.checks import Count, Finite, checked
from lecture11.diffusion.forward import Model, in_single, predict_eps
from lecture11.diffusion.posterior import posterior_mean_from_eps, posterior_mean_from_x0, predict_x0
from lecture11.diffusion.schedule import NoiseSchedule, Step, check_order, spread
from lecture11.gaussian import noise_like

# sigma_t^2, the variance of the learned step: beta~_t, or beta_t, or a table of one for each step, or for each step and
# each number of an example, such as ``optimal_variance`` measures.
Variance = Literal["posterior", "beta"] | Float[Tensor, " T"] | Float[Tensor, "T *dims"]

P = ParamSpec("P")


@checked
def step_variance(s: NoiseSchedule, t: Step, variance: Variance) -> Tensor:
    """``sigma_t^2`` of ``p(x_{t-1} | x_t)``: ``beta~_t``, which is 0 at ``t = 1``, or ``beta_t`` (F22, F29).

    Both are right at an extreme: ``beta~_t`` if the data is a single point, ``beta_t`` if it is ``N(0, I)`` (Ho et al.
    2020, section 3.2). In between lies what ``optimal_variance`` measures, and a table is looked up.

    Raises:
        ValueError: a table that is not for ``T`` steps, or a variance in it that is not positive and finite.
    """
    if isinstance(variance, Tensor):
        s.check(t)
        if len(variance) != s.T or not ((variance > 0) & variance.isfinite()).all():
            raise ValueError(
                f"variance must be 'posterior', 'beta' or positive numbers for T = {s.T} steps, got {len(variance)} "
                f"from {variance.min().item():g} to {variance.max().item():g}"
            )
        if isinstance(t, int) or not t.ndim:  # one for all examples
            return variance[int(t) - 1] if variance.ndim == 1 else variance[int(t) - 1 : int(t)]
        return variance.to(t.device)[t.long() - 1]
    return s.posterior_variance(t) if variance == "posterior" else s.beta(t)


@checked
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


@checked
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
        variance: ``sigma_t^2`` is the ``"posterior"`` variance ``beta~_t`` or ``"beta"``, ``beta_t``, or that of a
            table, one for each step.
        clip: as in ``p_mean``.
    """
    mean = p_mean(s, x_t, t, eps, clip=clip)
    sigma_squared = step_variance(s, t, variance)
    last = torch.as_tensor(t, device=sigma_squared.device) == 1
    if last.ndim < sigma_squared.ndim:
        last = last.view(-1, *[1] * (sigma_squared.ndim - 1))
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


def _result_of(chain: Callable[P, Iterator[Stage]]) -> Callable[[Callable[[], None]], Callable[P, Tensor]]:
    """Makes of a name with a docstring the function that takes what ``chain`` takes, and gives where it ends."""

    def decorate(named: Callable[[], None]) -> Callable[P, Tensor]:
        @functools.wraps(named)
        def result(*args: P.args, **kwargs: P.kwargs) -> Tensor:
            for stage in chain(*args, **kwargs):
                x = stage.x_t
            return x

        images = Float[Tensor, "batch *dims"]
        result.__signature__ = inspect.signature(chain).replace(return_annotation=images)  # type: ignore[attr-defined]
        return result

    return decorate


@checked
def sample_chain(
    model: Model,
    s: NoiseSchedule,
    shape: Sequence[Count],
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
        generator: of all noise; drawn in order, ``x_T`` first, and each time for the whole batch: the first of four
            samples is not what the same seed gives for a batch of one.
        x_T: the noise to start from; drawn if not given. The model is asked in its dtype and on its device, else in
            those of the model's parameters, else in float32 on the generator's device. The samples are at least
            float32: in half precision the many small steps would be rounded away.
    """
    ask, x = in_single(model, _start(model, shape, generator, x_T))
    for t in range(s.T, 0, -1):
        with torch.no_grad():
            eps = predict_eps(ask, x, t)
        yield Stage(t, x, _guess(s, x, t, eps, clip))
        x = p_step(s, x, t, eps, noise_like(x, generator) if t > 1 else None, variance=variance, clip=clip)
    yield Stage(0, x, x)


@_result_of(sample_chain)
def sample() -> None:
    """The result of Algorithm 2: ``x_0``, drawn from the model (F22, F29). Arguments as in ``sample_chain``."""


@checked
def ddim_step(
    s: NoiseSchedule,
    x_t: Float[Tensor, "batch *dims"],
    t: Step,
    t_prev: Step,
    eps: Float[Tensor, "batch *dims"],
    *,
    eta: Finite = 0.0,
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
    s.check(t)
    s.check(t_prev, 0, "t_prev")
    check_order(t_prev=t_prev, t=t)
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


@checked
def ddim_chain(
    model: Model,
    s: NoiseSchedule,
    shape: Sequence[Count],
    *,
    steps: Count | Sequence[int] = 50,
    eta: Finite = 0.0,
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
        noise = noise_like(x, generator) if eta > 0 and t_prev > 0 else None
        x = ddim_step(s, x, t, t_prev, eps, eta=eta, noise=noise, clip=clip)
    yield Stage(0, x, x)


@_result_of(ddim_chain)
def ddim_sample() -> None:
    """The result of DDIM; with ``eta = 0`` a function of the start ``x_T`` alone. Arguments as in ``ddim_chain``."""


@checked
def dpm_chain(
    model: Model,
    s: NoiseSchedule,
    shape: Sequence[Count],
    *,
    steps: Count | Sequence[int] = 50,
    clip: bool = False,
    generator: torch.Generator | None = None,
    x_T: Float[Tensor, "batch *dims"] | None = None,
) -> Iterator[Stage]:
    """DPM-Solver++(2M): DDIM, but towards where the guess of ``x_0`` is heading. Yields as ``ddim_chain``.

    DDIM takes the guess for constant while it steps, and is off by the square of its step. The guess of the step
    before tells how it moves with ``lambda = log(SNR) / 2``; half a step on lies, with ``h = lambda_prev - lambda_t``,

        ``D = x_0 + h / (2 h_before) (x_0 - x_0_before)``,

    and DDIM's step with ``D`` is off by the cube (Lu et al. 2022, "DPM-Solver++", Algorithm 2). The first step has no
    guess before it and the last, to 0, no finite ``h``: both are plain steps of DDIM.

    Args:
        steps: a list of steps, or their number, as in ``ddim_chain``.
        shape, clip, generator, x_T: as in ``sample_chain``.

    Raises:
        ValueError: steps outside 1..T or given twice.
    """
    chosen = _steps(s, steps)
    ask, x = in_single(model, _start(model, shape, generator, x_T))
    x_0_before, h_before = None, 0.0
    for t, t_prev in itertools.pairwise([*chosen, 0]):
        with torch.no_grad():
            x_0 = _guess(s, x, t, predict_eps(ask, x, t), clip)
        yield Stage(t, x, x_0)
        h = (s.snr(t_prev) / s.snr(t)).log().item() / 2 if t_prev else 0.0
        towards = x_0 if x_0_before is None else x_0 + h / (2 * h_before) * (x_0 - x_0_before)
        x = _step_towards(s, x, t, t_prev, towards)
        x_0_before, h_before = x_0, h
    yield Stage(0, x, x)


@_result_of(dpm_chain)
def dpm_sample() -> None:
    """The result of DPM-Solver++(2M), a function of the start ``x_T`` alone. Arguments as in ``dpm_chain``."""


@checked
def karras_steps(s: NoiseSchedule, n: Count, *, rho: Finite = 7.0) -> list[int]:
    """Steps for a sampler, from ``T`` to 1, even in ``sigma^(1 / rho)`` with ``sigma = 1 / sqrt(SNR)``.

    The list of Karras et al. (2022, eq. 5), rounded to steps of the schedule: shorter strides than an even list where
    the image is almost clean, longer ones before. Where two round to one step, there are fewer than ``n``.

    Raises:
        ValueError: ``n`` outside 2..T, or a ``rho`` that is not positive.
    """
    if not 2 <= n <= s.T or not rho > 0:
        raise ValueError(f"n must lie in 2..T = {s.T} and rho be positive, got n={n}, rho={rho}")
    level = s.snr(torch.arange(1, s.T + 1)) ** (-1 / (2 * rho))
    wanted = torch.linspace(level[-1].item(), level[0].item(), n, dtype=torch.float64)
    nearest = (level - wanted[:, None]).abs().argmin(1) + 1
    return nearest.unique().flip(0).tolist()


def _step_towards(s: NoiseSchedule, x_t: Tensor, t: int, t_prev: int, x_0: Tensor) -> Tensor:
    """DDIM's step (Song et al. 2021, eq. 12 with sigma = 0) for a guess of ``x_0`` instead of the noise."""
    keep, keep_prev = (spread(s.alpha_bar(step).sqrt(), x_t) for step in (t, t_prev))
    shrink = spread((s.noise_variance(t_prev) / s.noise_variance(t)).sqrt(), x_t)
    return keep_prev * x_0 + shrink * (x_t - keep * x_0)


def _steps(s: NoiseSchedule, steps: int | Sequence[int]) -> list[int]:
    """The steps of a list, or as many as are asked for, from the largest to the smallest."""
    if isinstance(steps, int):
        if steps > s.T:
            raise ValueError(f"the number of steps must lie in 1..T = {s.T}, got {steps}")
        return [-(-s.T * k // steps) for k in range(steps, 0, -1)]
    chosen = sorted(steps, reverse=True)
    if not chosen or len(set(chosen)) < len(chosen):
        raise ValueError(f"steps must be a list of different steps, got {list(steps)}")
    for t in chosen:
        s.check(t, name="steps")
    return chosen


def _start(
    model: Model, shape: Sequence[int], generator: torch.Generator | None, x_T: Tensor | None
) -> Float[Tensor, "batch *dims"]:
    """``x_T ~ N(0, I)`` (F29), where and in what precision the model computes."""
    if len(shape) == 0:
        raise ValueError("shape must be (batch, *dims), got ()")
    if x_T is not None:
        if x_T.shape != tuple(shape):
            raise ValueError(f"x_T must have the shape asked for, {tuple(shape)}; got {tuple(x_T.shape)}")
        return x_T
    like = next(model.parameters(), None) if isinstance(model, nn.Module) else None
    if like is None:
        return noise_like(torch.empty(*shape, device=generator.device if generator else None), generator)
    return noise_like(like.new_empty(shape), generator)


def _guess(s: NoiseSchedule, x_t: Tensor, t: Step, eps: Tensor, clip: bool) -> Tensor:
    x_0 = predict_x0(s, x_t, t, eps)
    return x_0.clamp(-1, 1) if clip else x_0


def _add_noise(mean: Tensor, variance: Tensor, noise: Tensor | None) -> Tensor:
    """``mean + sqrt(variance) noise``; where the variance is zero the noise is not looked at."""
    if noise is None:
        if (variance > 0).any():
            raise ValueError("this step adds noise: give it as noise=, standard normal and of the shape of x_t")
        return mean
    std = spread(variance.sqrt(), mean)
    return torch.where(std > 0, mean + std * noise, mean)
