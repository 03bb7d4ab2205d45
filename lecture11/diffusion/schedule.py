"""How much noise each step adds, and what follows from it: tables in float64, cast to the data when used (F25)."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lecture11.checks import Count, Finite, checked
from lecture11.precision import cast, exact_device, read_at_once

# One step for all examples, or one each.
Step = int | Int[Tensor, ""] | Int[Tensor, " batch"]


class NoiseSchedule:
    """The variances ``beta_1 <= ... <= beta_T`` of the noise that each step adds, and their products (F25).

    Each table is a method of the step ``t``: an int, or a tensor of integers, whose shape and device the result takes;
    it is float64 (and on the CPU if the device, as Apple's, has no float64). Steps run from 1 to ``T``; ``alpha_bar``
    takes 0 too, where it is 1.

    The lecture asks for an increasing sequence (F25). Equal neighbours are allowed here: a constant schedule is the
    one that is easiest to compute by hand, and the cosine schedule is cut at 0.999.

    Args:
        betas: ``T`` numbers in (0, 1), none smaller than the one before.

    Raises:
        ValueError: betas outside (0, 1) or decreasing, none at all, or so large that ``alpha_bar(T)`` rounds to zero.
    """

    @checked
    def __init__(self, betas: Float[Tensor, " T"] | Sequence[float]) -> None:
        if isinstance(betas, Tensor):
            betas = betas.detach().cpu()
        self.betas = beta = torch.as_tensor(betas, dtype=torch.float64).clone()
        if len(beta) == 0:
            raise ValueError("betas must be a list of T >= 1 numbers, got none")
        outside = (~((beta > 0) & (beta < 1))).nonzero()
        if len(outside):
            i = int(outside[0])
            raise ValueError(f"betas: each is a variance in (0, 1); got beta_{i + 1} = {beta[i].item():g}")
        falls = (beta.diff() < 0).nonzero()
        if len(falls):
            i = int(falls[0])
            raise ValueError(
                f"betas must not decrease (F25): beta_{i + 1} = {beta[i].item():g} is followed by "
                f"beta_{i + 2} = {beta[i + 1].item():g}. Sort them, or begin with smaller ones"
            )
        alpha_bar = (1 - beta).cumprod(0)
        if alpha_bar[-1] < torch.finfo(torch.float64).tiny:
            raise ValueError(
                f"alpha_bar({len(beta)}) rounds to zero: after so much noise nothing is left of the data, and x_0 "
                f"cannot be computed from x_t. Take fewer steps or smaller betas"
            )
        # 1 - alpha_bar by its own recursion: the difference would lose the digits of small betas.
        noise_variance = [0.0]
        for b in beta.tolist():
            noise_variance.append((1 - b) * noise_variance[-1] + b)
        v = torch.tensor(noise_variance, dtype=torch.float64)

        self._copies: dict[tuple[str, torch.device], Tensor] = {}
        # Row t of each table belongs to step t, so that no index is ever shifted. Row 0 exists where t = 0 is allowed.
        self._log_alpha_bar = _from_row_0(torch.log1p(-beta).cumsum(0), 0.0)
        self._alpha_bar = _from_row_0(alpha_bar, 1.0)
        self._noise_variance = v
        self._beta = _from_row_0(beta, math.nan)
        self._posterior_variance = _from_row_0(beta * v[:-1] / v[1:], math.nan)
        self._loss_weight = _from_row_0(beta / (2 * (1 - beta) * v[:-1]), math.nan)

    @classmethod
    @checked
    def linear(
        cls, T: Count = 1000, beta_1: Finite = 1e-4, beta_T: Finite = 0.02, *, rescale: bool = False
    ) -> "NoiseSchedule":
        """Betas on a straight line from ``beta_1`` to ``beta_T``; the defaults are for ``T = 1000`` (Ho et al. 2020).

        Args:
            T: number of steps; with one step, its beta is ``beta_1``.
            rescale: multiply both ends by ``1000 / T``, so that a chain of any length ends with about as little of the
                data as one of 1000 steps (Nichol and Dhariwal 2021). Without it, the ends are what you give, and a
                short chain with the default ends stops far from pure noise: ``alpha_bar(100)`` is 0.36.

        Raises:
            ValueError: ``T`` below 1; ends that are no variances, decreasing, or pushed above 1 by rescaling.
        """
        for name, beta in (("beta_1", beta_1), ("beta_T", beta_T)):
            if not 0 < beta < 1:
                raise ValueError(f"{name} is a variance in (0, 1), got {beta:g}")
        scale = 1000 / T if rescale else 1.0
        if scale * beta_T >= 1:
            raise ValueError(
                f"rescaled to T = {T} steps, beta_T = {beta_T:g} becomes {scale * beta_T:g}, which is no variance in "
                f"(0, 1): take more than {math.floor(1000 * beta_T)} steps, or NoiseSchedule.cosine({T})"
            )
        return cls(torch.linspace(scale * beta_1, scale * beta_T, T, dtype=torch.float64))

    @classmethod
    @checked
    def cosine(cls, T: Count = 1000, *, max_beta: Finite = 0.999) -> "NoiseSchedule":
        """``alpha_bar(t) = f(t) / f(0)``, ``f(t) = cos^2((t / T + 0.008) / 1.008 * pi / 2)``, for any ``T``.

        Betas are cut at ``max_beta``, so that ``alpha_bar(T)`` is small, not zero (Nichol and Dhariwal 2021, eq. 17).
        A sampler divides by ``sqrt(alpha_bar(T))`` on its way, and so multiplies the first errors of a model: with
        0.999 by 20,000 for ``T = 1000``, which only clipping mends; with 0.05 by 45.
        """
        if not 0 < max_beta < 1:
            raise ValueError(f"max_beta is a variance in (0, 1), got {max_beta:g}")
        f = torch.cos((torch.arange(T + 1, dtype=torch.float64) / T + 0.008) / 1.008 * math.pi / 2).square()
        return cls((1 - f[1:] / f[:-1]).clamp(max=max_beta))

    @property
    def T(self) -> int:
        """Number of steps."""
        return len(self.betas)

    def __repr__(self) -> str:
        ends = f"{self.betas[0].item():g} to {self.betas[-1].item():g}"
        return f"NoiseSchedule(T={self.T}, betas from {ends}, alpha_bar(T)={self._alpha_bar[-1].item():.3g})"

    @checked
    def beta(self, t: int | Int[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """``beta_t``, the variance of the noise of step ``t`` (F23)."""
        return self._look_up("_beta", t)

    @checked
    def alpha(self, t: int | Int[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """``alpha_t = 1 - beta_t``."""
        return 1 - self._look_up("_beta", t)

    @checked
    def alpha_bar(self, t: int | Int[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """``alpha_1 alpha_2 ... alpha_t``: how much of the data's variance ``t`` steps leave (F28). It is 1 at 0."""
        return self._look_up("_alpha_bar", t, first=0)

    @checked
    def noise_variance(self, t: int | Int[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """``1 - alpha_bar_t``, the variance of the noise in ``x_t``, to full precision; 0 at 0 (F28)."""
        return self._look_up("_noise_variance", t, first=0)

    @checked
    def snr(self, t: int | Int[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """``alpha_bar_t / (1 - alpha_bar_t)``: the signal-to-noise ratio of ``x_t`` for data of unit variance (F28)."""
        return self._look_up("_alpha_bar", t) / self._look_up("_noise_variance", t)

    @checked
    def posterior_variance(self, t: int | Int[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """``beta~_t = (1 - alpha_bar_{t-1}) / (1 - alpha_bar_t) beta_t``, variance of ``q(x_{t-1} | x_t, x_0)`` (F32).

        It is 0 at ``t = 1``: given ``x_0``, nothing is open there.
        """
        return self._look_up("_posterior_variance", t)

    @checked
    def loss_weight(self, t: int | Int[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """``w_t``: what turns the squared error of the noise into ``L_{t-1}`` (F40).

        ``beta_t^2 / (2 beta~_t alpha_t (1 - alpha_bar_t))``, which is ``beta_t / (2 alpha_t (1 - alpha_bar_{t-1}))``.
        Infinite at ``t = 1``: there the posterior is a point, and the bound has ``L_0`` instead (F41).
        """
        return self._look_up("_loss_weight", t)

    @checked
    def variance_between(
        self, t_from: int | Int[Tensor, "*shape"], t_to: int | Int[Tensor, "*shape"]
    ) -> Float[Tensor, "*shape"]:
        """``1 - alpha_bar_{t_to} / alpha_bar_{t_from}``: the noise that the steps between add, merged to one (F27)."""
        check_order(t_from=t_from, t_to=t_to)
        first = self._look_up("_log_alpha_bar", t_from, 0, "t_from")
        last = self._look_up("_log_alpha_bar", t_to, 0, "t_to")
        return -torch.expm1(last - first)

    @checked
    def check(self, t: int | Int[Tensor, "..."], first: int = 1, name: str = "t") -> None:
        """Raises ValueError if a step, called ``name``, lies outside ``first..T``.

        On a GPU, where looking would wait for it, the GPU itself stops the program.
        """
        if isinstance(t, Tensor):
            t = t.long()  # bytes know no T = 1000
            if not read_at_once(t):
                if t.device.type == "cuda" and not torch.compiler.is_compiling():
                    torch._assert_async(((t >= first) & (t <= self.T)).all(), f"{name} must lie in {first}..{self.T}")
                return
            outside = t[(t < first) | (t > self.T)].tolist()
        else:
            outside = [] if first <= t <= self.T else [t]
        if outside:
            raise ValueError(
                f"{name} must lie in {first}..T = {self.T}, got {outside[0]}. Steps count from 1, and 0 is the data; "
                f"where a library counts from 0, add 1"
            )

    def _look_up(self, table: str, t: int | Tensor, first: int = 1, name: str = "t") -> Tensor:
        self.check(t, first, name)
        if not isinstance(t, Tensor):
            return getattr(self, table)[t]
        device = exact_device(t.device)
        if (table, device) not in self._copies:  # each table travels to a device once
            self._copies[table, device] = getattr(self, table).to(device)
        return self._copies[table, device][t.to(device).long()]


def spread(values: Tensor, x: Tensor) -> Tensor:
    """One number for all examples, or one each, in the dtype and on the device of ``x``, ready to multiply ``x``.

    Values that have all axes of ``x`` already are only cast.

    Raises:
        ValueError: neither one number nor one for each example: it would broadcast along another axis.
    """
    if values.ndim == x.ndim > 1 and values.shape[1:] == x.shape[1:] and len(values) in (1, len(x)):
        return cast(values, x)
    if values.ndim and values.shape != x.shape[:1]:
        raise ValueError(
            f"t must be one step, or one for each of the {len(x)} examples; got steps of shape {tuple(values.shape)}"
        )
    if not values.ndim:  # one number multiplies a tensor on any device, and need not travel there
        return values.to(x.dtype) if values.device.type == "cpu" else cast(values, x)
    return cast(values, x).view(-1, *[1] * (x.ndim - 1))


def spread_over(values: Tensor, x: Tensor) -> Tensor:
    """As ``spread``, with the shape of ``x`` and where it is."""
    return spread(values, x).to(x.device).expand_as(x)


def as_steps(t: Step, x: Tensor) -> Int[Tensor, " batch"]:
    """``t`` as a model takes it: a LongTensor with one step for each example, on the device of ``x``."""
    if isinstance(t, Tensor):
        return t.to(x.device, torch.long).expand(len(x))
    return torch.full((len(x),), int(t), device=x.device)  # filled there: a number that travels is waited for


def _from_row_0(rows: Tensor, zeroth: float) -> Tensor:
    return torch.cat([rows.new_tensor([zeroth]), rows])


def check_order(**steps: int | Tensor) -> None:
    """Raises ValueError if the first of two steps, given by name, is not the earlier one."""
    (first, t_from), (last, t_to) = steps.items()
    if not torch.as_tensor(t_from < t_to).all():
        raise ValueError(f"the earlier step must be smaller: {first} < {last} expected, got {t_from} and {t_to}")
