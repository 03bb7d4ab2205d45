"""The right answer, and the mean with a place for each mistake."""

from typing import Any

from torch import Tensor

from lecture11.homework.part import per, step_alpha, with_places
from lecture11.homework.slips import ALPHA, BETA, NOISE, Powers, value


def mu_theta(alpha_bar: Tensor, x_t: Tensor, t: Tensor, eps: Tensor) -> Tensor:
    alpha, now = step_alpha(alpha_bar, t, x_t), per(alpha_bar[t], x_t)
    return (x_t - (1 - alpha) / (1 - now).sqrt() * eps) / alpha.sqrt()


def mu_with(formula: Any) -> Any:
    """Another formula of alpha_t, alpha_bar_t, alpha_bar_{t-1}, x_t and eps."""
    return lambda ab, x, t, eps: formula(step_alpha(ab, t, x), per(ab[t], x), per(ab[t - 1], x), x, eps)


FRONT: Powers = {ALPHA: -0.5}  # of the bracket
OF_EPS: Powers = {BETA: 1, NOISE: -0.5}  # in the bracket


@with_places
def made(*, front: Powers = FRONT, of_eps: Powers = OF_EPS, sign: int = -1) -> Any:
    """The mean with other factors."""
    return mu_with(lambda a, now, before, x, e: value(front, now, before) * (x + sign * value(of_eps, now, before) * e))
