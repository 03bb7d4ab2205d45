"""The step back when the data is known: ``q(x_{t-1} | x_t, x_0)``, a Gaussian in closed form (F31-F35)."""

from jaxtyping import Float
from torch import Tensor

from lecture11.checks import checked
from lecture11.diffusion.schedule import NoiseSchedule, Step, spread


@checked
def predict_x0(
    s: NoiseSchedule, x_t: Float[Tensor, "batch *dims"], t: Step, eps: Float[Tensor, "batch *dims"]
) -> Float[Tensor, "batch *dims"]:
    """``x_0 = (x_t - sqrt(1 - alpha_bar_t) eps) / sqrt(alpha_bar_t)``, from the noise in ``x_t`` (F34)."""
    s.check(t)
    return (x_t - spread(s.noise_variance(t).sqrt(), x_t) * eps) / spread(s.alpha_bar(t).sqrt(), x_t)


@checked
def posterior_mean_from_x0(
    s: NoiseSchedule, x_0: Float[Tensor, "batch *dims"], x_t: Float[Tensor, "batch *dims"], t: Step
) -> Float[Tensor, "batch *dims"]:
    """``mu~_t(x_t, x_0)``, the mean of ``q(x_{t-1} | x_t, x_0)`` (F32, F33; Ho et al. 2020, eq. 7).

    It follows by Bayes' rule given ``x_0``, ``q(x_t | x_{t-1}) q(x_{t-1} | x_0) / q(x_t | x_0)`` (F31). The variance is
    ``s.posterior_variance(t)``. At ``t = 1`` the distribution is the point ``x_0``.
    """
    s.check(t)
    before, now = s.noise_variance(t - 1), s.noise_variance(t)
    of_x_t = s.alpha(t).sqrt() * before / now
    of_x_0 = s.alpha_bar(t - 1).sqrt() * s.beta(t) / now
    return spread(of_x_t, x_t) * x_t + spread(of_x_0, x_t) * x_0


@checked
def posterior_mean_from_eps(
    s: NoiseSchedule, x_t: Float[Tensor, "batch *dims"], t: Step, eps: Float[Tensor, "batch *dims"]
) -> Float[Tensor, "batch *dims"]:
    """The same mean from the noise: ``(x_t - (1 - alpha_t) / sqrt(1 - alpha_bar_t) eps) / sqrt(alpha_t)`` (F35).

    With the noise that a network predicts it is ``mu_theta(x_t, t)``, the mean of the learned step (F39; Ho et al.,
    eq. 11).
    """
    return (x_t - spread(s.beta(t) / s.noise_variance(t).sqrt(), x_t) * eps) / spread(s.alpha(t).sqrt(), x_t)
