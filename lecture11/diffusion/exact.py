"""What a perfect network would know, for data from a mixture of Gaussians: oracles for all of the rest.

Noise turns a mixture into a mixture, so that the optimal noise prediction and even the reverse step have closed forms.
Everything is computed in the precision of the mixture.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lecture11.checks import checked, finite
from lecture11.diffusion.sampling import Variance, step_variance
from lecture11.diffusion.schedule import NoiseSchedule, Step, as_steps
from lecture11.gaussian import Mixture
from lecture11.precision import cast


@checked
def noised_law(s: NoiseSchedule, data: Mixture, t: int) -> Mixture:
    """The distribution of ``x_t``, for ``x_0`` from ``data``: means times ``sqrt(alpha_bar_t)``, and noise (F28).

    ``t = 0`` gives the data.
    """
    keep = cast(s.alpha_bar(t), data.means)
    shrunk = Mixture(data.weights, keep.sqrt() * data.means, keep * data.covariances)
    return shrunk.noised(s.noise_variance(t).sqrt().item())


@checked
def optimal_eps(s: NoiseSchedule, data: Mixture, x_t: Float[Tensor, "batch d"], t: Step) -> Float[Tensor, "batch d"]:
    """``E[eps | x_t] = -sqrt(1 - alpha_bar_t) grad log q(x_t)``: what Algorithm 1 converges to at best (F21, F5).

    ``functools.partial(optimal_eps, s, data)`` is a model.
    """
    t = as_steps(t, x_t)
    eps = torch.empty_like(x_t)
    for step in t.unique().tolist():
        rows = t == step
        law = noised_law(s, data, step).to(x_t.device)
        score = law.score(x_t[rows].to(law.means.dtype))
        eps[rows] = (-s.noise_variance(step).sqrt().item() * score).to(x_t.dtype)
    return eps


@checked
def optimal_class_eps(
    s: NoiseSchedule,
    data: Mixture,
    classes: Int[Tensor, " m"],
    x_t: Float[Tensor, "batch d"],
    t: Step,
    y: Int[Tensor, " batch"] | None = None,
) -> Float[Tensor, "batch d"]:
    """``E[eps | x_t, y]`` where the components of the mixture are labelled: what a network with classes learns at best.

    ``functools.partial(optimal_class_eps, s, data, classes)`` is a model for ``Guided``.

    Args:
        classes: the class of each component.
        y: the class of each point; None for any, as in ``optimal_eps``.

    Raises:
        ValueError: a class that no component has.
    """
    if y is None:
        return optimal_eps(s, data, x_t, t)
    t, eps = as_steps(t, x_t), torch.empty_like(x_t)
    for label in y.unique().tolist():
        of_class, rows = classes == label, y == label
        if not of_class.any():
            raise ValueError(f"y asks for the class {label}; classes holds {classes.unique().tolist()} alone")
        weights = data.weights[of_class]
        law = Mixture(weights / weights.sum(), data.means[of_class], data.covariances[of_class])
        eps[rows] = optimal_eps(s, law, x_t[rows], t[rows])
    return eps


@checked
def reverse_law(s: NoiseSchedule, data: Mixture, x_t: Float[Tensor, " d"], t: int) -> Mixture:
    """``q(x_{t-1} | x_t)`` itself, which needs the density of the data: a mixture, and no Gaussian in general (F30).

    Args:
        x_t: one point.
        t: in 2..T; at 1 it is the distribution of ``x_0`` given ``x_1``.
    """
    finite(x_t=x_t)
    prior = noised_law(s, data, t - 1)
    alpha, beta = s.alpha(t).item(), s.beta(t).item()
    identity = torch.eye(data.dim, dtype=data.means.dtype, device=data.means.device)
    # Each component times the density of x_t given x_{t-1}, as in a linear regression.
    precision = torch.linalg.inv(prior.covariances) + alpha / beta * identity
    covariance = torch.linalg.inv(precision)
    pull = (torch.linalg.inv(prior.covariances) @ prior.means[..., None])[..., 0] + alpha**0.5 / beta * x_t
    means = (covariance @ pull[..., None])[..., 0]
    weights = noised_law(s, data, t).responsibilities(x_t[None])[0]
    return Mixture(weights, means, (covariance + covariance.mT) / 2)


@checked
def sampler_law(s: NoiseSchedule, data: Mixture, *, variance: Variance = "posterior") -> Mixture:
    """The exact distribution of what Algorithm 2 returns with the optimal noise, for a Gaussian ``data`` (F22, F29).

    There the optimal noise is linear in ``x_t``, and each step turns a Gaussian into a Gaussian. It comes close to the
    data with many steps, and never quite there: the steps are finite.

    Raises:
        ValueError: more than one component.
    """
    if len(data.weights) > 1:
        raise ValueError(f"only for a single Gaussian is the step linear; got {len(data.weights)} components")
    identity = torch.eye(data.dim, dtype=data.means.dtype, device=data.means.device)
    mean, covariance = torch.zeros_like(data.means[0]), identity
    for t in range(s.T, 0, -1):
        law = noised_law(s, data, t)
        alpha, beta = s.alpha(t).item(), s.beta(t).item()
        # mu = (x - beta C_t^{-1} (x - m_t)) / sqrt(alpha) = step x + shift, from F39 and the optimal noise.
        pull = beta * torch.linalg.inv(law.covariances[0])
        step, shift = (identity - pull) / alpha**0.5, pull @ law.means[0] / alpha**0.5
        noise = step_variance(s, t, variance).to(identity) * identity if t > 1 else 0 * identity
        mean, covariance = step @ mean + shift, step @ covariance @ step.mT + noise
    return Mixture(data.weights, mean[None], (covariance + covariance.mT)[None] / 2)
