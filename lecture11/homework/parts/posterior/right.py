"""The right answer, its cases, and the posterior with a place for each mistake."""

from typing import Any

from torch import Tensor

from lecture11.homework.observation import Case
from lecture11.homework.part import case, per, with_places
from lecture11.homework.slips import ALPHA, BEFORE, BETA, NOISE, NOISE_BEFORE, Powers, value


def posterior(alpha_bar: Tensor, x_0: Tensor, x_t: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    now, before = alpha_bar[t], alpha_bar[t - 1]
    alpha = now / before
    of_x_t, of_x_0 = alpha.sqrt() * (1 - before) / (1 - now), before.sqrt() * (1 - alpha) / (1 - now)
    mean = per(of_x_t, x_t) * x_t + per(of_x_0, x_t) * x_0
    return mean, ((1 - before) / (1 - now) * (1 - alpha)).to(x_t.dtype)


def posterior_cases(plain: list[Case]) -> list[Case]:
    cases = []
    for noised in plain:
        table, x_0, t, x_t = noised.args.values()
        args: dict[str, Any] = {"alpha_bar": table, "x_0": x_0, "x_t": x_t, "t": t}
        cases.append(case(noised.name, noised.batch, grad=("x_0", "x_t") if noised.grad else (), **args))
    return cases


# The factors of x_t and of x_0 in the mean, and the variance.
OF_X_T: Powers = {ALPHA: 0.5, NOISE_BEFORE: 1, NOISE: -1}
OF_X_0: Powers = {BEFORE: 0.5, BETA: 1, NOISE: -1}
VARIANCE: Powers = {NOISE_BEFORE: 1, NOISE: -1, BETA: 1}


@with_places
def made(
    *, of_x_t: Powers = OF_X_T, of_x_0: Powers = OF_X_0, variance: Powers = VARIANCE, terms: tuple[int, int] = (1, 1)
) -> Any:
    """The posterior with other factors, and each term of the mean as often as ``terms`` says."""

    def answer(ab: Tensor, x_0: Tensor, x_t: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        a, b, c = (value(powers, ab[t], ab[t - 1]) for powers in (of_x_t, of_x_0, variance))
        return terms[0] * per(a, x_t) * x_t + terms[1] * per(b, x_t) * x_0, c.to(x_t.dtype)

    return answer


def of_alpha(
    ab: Tensor, x_0: Tensor, x_t: Tensor, t: Tensor, alpha: Tensor, beta: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """The posterior of another alpha_t, and of another beta_t."""
    now, before = ab[t], ab[t - 1]
    beta = 1 - alpha if beta is None else beta
    of_x_t, of_x_0 = alpha.sqrt() * (1 - before) / (1 - now), before.sqrt() * beta / (1 - now)
    return per(of_x_t, x_t) * x_t + per(of_x_0, x_t) * x_0, ((1 - before) / (1 - now) * beta).to(x_t.dtype)
