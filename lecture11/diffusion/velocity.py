"""A network for ``v``, from which Algorithm 1 and the samplers see the noise that follows (Salimans and Ho 2022)."""

from jaxtyping import Float, Int
from torch import Tensor, nn

from lecture11.checks import checked
from lecture11.diffusion.schedule import NoiseSchedule, spread


class VelocityModel(nn.Module):
    """``eps = sqrt(alpha_bar_t) v + sqrt(1 - alpha_bar_t) x_t`` from a network for ``v``: a model like any other.

    ``v = sqrt(alpha_bar_t) eps - sqrt(1 - alpha_bar_t) x_0`` has about unit variance at every step. The guess of
    ``x_0`` becomes ``sqrt(alpha_bar_t) x_t - sqrt(1 - alpha_bar_t) v``: where a network for ``eps`` divides its error
    by ``sqrt(SNR)``, 1/60 at the last step of the shipped schedule, this one never makes it larger.

    The error of ``eps`` is ``sqrt(alpha_bar_t)`` times that of ``v``. So the loss of Algorithm 1 weighs the steps by
    ``alpha_bar_t``; divided by that it is ``||v - network||^2``.

    Args:
        network: ``v = network(x_t, t)``, or ``network(x_t, t, y)``.
        s: the schedule that it is trained and asked on.
    """

    @checked
    def __init__(self, network: nn.Module, s: NoiseSchedule) -> None:
        super().__init__()
        self.network, self.s = network, s

    @checked
    def forward(
        self, x_t: Float[Tensor, "batch *dims"], t: Int[Tensor, " batch"], y: Int[Tensor, " batch"] | None = None
    ) -> Float[Tensor, "batch *dims"]:
        v = self.network(x_t, t) if y is None else self.network(x_t, t, y)
        return spread(self.s.alpha_bar(t).sqrt(), x_t) * v + spread(self.s.noise_variance(t).sqrt(), x_t) * x_t
