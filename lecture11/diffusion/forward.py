"""From data to noise, and the loss that teaches a network to see the noise (F21, F23-F28)."""

from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from lecture11.checks import answer, checked, fits_module, generator_on
from lecture11.diffusion.schedule import NoiseSchedule, Step, as_steps, spread
from lecture11.gaussian import noise_like, total

# eps = model(x_t, t), with t a LongTensor: one step of 1..T for each example.
Model = Callable[[Tensor, Tensor], Tensor]


@checked
def q_step(
    s: NoiseSchedule, x_prev: Float[Tensor, "batch *dims"], t: Step, eps: Float[Tensor, "batch *dims"]
) -> Float[Tensor, "batch *dims"]:
    """One step of noise: ``x_t = sqrt(1 - beta_t) x_{t-1} + sqrt(beta_t) eps`` (F23, F24; Ho et al. 2020, eq. 2).

    Args:
        x_prev: ``x_{t-1}``.
        t: the step that is made, in 1..T: one for all examples or one each.
        eps: standard normal noise.
    """
    return spread(s.alpha(t).sqrt(), x_prev) * x_prev + spread(s.beta(t).sqrt(), x_prev) * eps


@checked
def q_sample(
    s: NoiseSchedule, x_0: Float[Tensor, "batch *dims"], t: Step, eps: Float[Tensor, "batch *dims"]
) -> Float[Tensor, "batch *dims"]:
    """``t`` steps at once: ``x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps`` (F28; Ho et al. 2020, eq. 4).

    Arguments as in ``q_step``.
    """
    s.check(t)
    return spread(s.alpha_bar(t).sqrt(), x_0) * x_0 + spread(s.noise_variance(t).sqrt(), x_0) * eps


@checked
def q_merged(
    s: NoiseSchedule, x: Float[Tensor, "batch *dims"], t_from: Step, t_to: Step, eps: Float[Tensor, "batch *dims"]
) -> Float[Tensor, "batch *dims"]:
    """The steps after ``t_from`` up to ``t_to``, merged into one: their noises add up to a single one (F27).

    Two steps give ``sqrt(alpha_t alpha_{t-1}) x_{t-2} + sqrt(1 - alpha_t alpha_{t-1}) eps``; one is ``q_step``, and all
    from 0 are ``q_sample``.

    Args:
        x: ``x_{t_from}``; ``t_from`` may be 0.
    """
    noise = s.variance_between(t_from, t_to)
    return spread((1 - noise).sqrt(), x) * x + spread(noise.sqrt(), x) * eps


@checked
def q_chain(
    s: NoiseSchedule, x_0: Float[Tensor, "batch *dims"], *, generator: torch.Generator | None = None
) -> Iterator[Float[Tensor, "batch *dims"]]:
    """Yields ``x_0, x_1, ..., x_T``, each by ``q_step`` from the one before: a draw of ``q(x_1..x_T | x_0)`` (F26)."""
    yield x_0
    x = x_0
    for t in range(1, s.T + 1):
        x = q_step(s, x, t, noise_like(x, generator))
        yield x


@checked
def simple_loss(
    model: Model,
    s: NoiseSchedule,
    x_0: Float[Tensor, "batch *dims"],
    *,
    t: Step | None = None,
    eps: Float[Tensor, "batch *dims"] | None = None,
    generator: torch.Generator | None = None,
) -> Float[Tensor, " batch"]:
    """``||eps - model(x_t, t)||^2``, summed over the dimensions of each example (F21, Algorithm 1; Ho et al., eq. 14).

    Args:
        model: predicts the noise in ``x_t``.
        x_0: examples; images live in [-1, 1].
        t: the step of each example; drawn uniformly from 1..T if not given.
        eps: the noise; drawn if not given.
        generator: where what is not given is drawn from, ``t`` first.
    """
    if t is None:
        generator_on(x_0.device, generator)
        t = torch.randint(1, s.T + 1, x_0.shape[:1], generator=generator, device=x_0.device)
    if eps is None:
        eps = noise_like(x_0, generator)
    return total((eps - predict_eps(model, q_sample(s, x_0, t, eps), t)).square())


def in_single(model: Model, x: Float[Tensor, "batch *dims"]) -> tuple[Model, Float[Tensor, "batch *dims"]]:
    """``x`` in at least float32, and the model asked in the precision that ``x`` had.

    Chains and bounds add up hundreds of small changes and differences: in half precision, most would be rounded away.
    """
    wide = torch.promote_types(x.dtype, torch.float32)
    return lambda x_t, t: predict_eps(model, x_t.to(x.dtype), t).to(wide), x.to(wide)


def predict_eps(model: Model, x_t: Float[Tensor, "batch *dims"], t: Step) -> Float[Tensor, "batch *dims"]:
    """``eps_theta(x_t, t)``: the model's answer, in the dtype of ``x_t`` (autocast answers in half precision).

    Raises:
        TypeError: a model in another dtype than ``x_t``, or an answer that is no tensor of real numbers.
        ValueError: the answer has another shape than ``x_t``.
    """
    fits_module(model, x_t=x_t)
    return answer("the model", model(x_t, as_steps(t, x_t)), x_t.shape, of="x_t").to(x_t.dtype)
