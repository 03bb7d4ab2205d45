"""The known mistakes in the mean of a step back."""

from typing import Any

from torch import Tensor

from lecture11.homework.part import Mistake
from lecture11.homework.parts.mu_theta.right import FRONT, OF_EPS, made, mu_theta, mu_with
from lecture11.homework.slips import ALPHA, BETA, NOISE, NOW, Powers, slips


def _noise(factor: Any) -> Any:
    """Another factor of the noise."""
    return mu_with(lambda a, now, before, x, e: (x - factor(a, now, before) * e) / a.sqrt())


def _ddim(a: Tensor, now: Tensor, before: Tensor, x: Tensor, e: Tensor) -> Tensor:
    return before.sqrt() * (x - (1 - now).sqrt() * e) / now.sqrt() + (1 - before).sqrt() * e


def _via_x_0(guess: Any) -> Any:
    """The mean of part 6, with another x_0 of alpha_bar_t, x_t and eps."""

    def answer(a: Tensor, now: Tensor, before: Tensor, x: Tensor, e: Tensor) -> Tensor:
        x_0 = guess(now, x, e)
        return (a.sqrt() * (1 - before) * x + before.sqrt() * (1 - a) * x_0) / (1 - now)

    return mu_with(answer)


def _swapped(a: Tensor, now: Tensor, before: Tensor, x: Tensor, e: Tensor) -> Tensor:
    x_0 = (x - (1 - now).sqrt() * e) / now.sqrt()
    return (a.sqrt() * (1 - before) * x_0 + before.sqrt() * (1 - a) * x) / (1 - now)


PRINTED_FRONT, PRINTED_NOISE, ALL_NOISE = {NOW: -0.5}, {BETA: 0.5}, {NOISE: 0.5}  # as in the errata; of t steps

# What is misprinted or forgotten in both places at once.
FRONTS: tuple[tuple[str, str, Powers], ...] = (
    ("e13", "1/sqrt(alpha_bar_t) stands, as printed in the notes (erratum E13)", PRINTED_FRONT),
    ("no-front", "1/sqrt(alpha_t) is missing", {}),
    ("root", "the root over alpha_t is missing", {ALPHA: -1}),
)
NOISES: tuple[tuple[str, str, Powers], ...] = (
    ("e10", "sqrt(1 - alpha_t) divides, as printed in the notes (erratum E10)",
     PRINTED_NOISE),
    ("no-root", "the root over 1 - alpha_bar_t is missing", {BETA: 1, NOISE: -1}),
    ("all-noise", "sqrt(1 - alpha_bar_t) stands, that of t steps", ALL_NOISE),
)  # fmt: skip

MISTAKES = (
    Mistake("erratum-e13", "in front stands 1/sqrt(alpha_bar_t), as the lecture notes print it (erratum E13). One step "
            "back undoes the shrinking of one step", made(front=PRINTED_FRONT)),
    Mistake("erratum-e10", "the noise is divided by sqrt(1 - alpha_t), as the lecture notes print Algorithm 2 (erratum "
            "E10). The noise in x_t is that of t steps", made(of_eps=PRINTED_NOISE)),
    Mistake("predicted-x0", "this takes away all noise at once: it is the predicted x_0, not the mean of x_{t-1}",
            mu_with(lambda a, now, before, x, e: (x - (1 - now).sqrt() * e) / now.sqrt())),
    Mistake("ddim", "this is x_{t-1} with the same noise in it, a step of DDIM; the mean of q(x_{t-1} | x_t, x_0) has "
            "less of it", mu_with(_ddim)),
    *(Mistake(f"front-{slip.id}", f"in front of the bracket, {slip.text}", made(front=slip.powers))
      for slip in slips(FRONT, but=(PRINTED_FRONT,))),
    *(Mistake(f"noise-{slip.id}", f"in front of the noise, {slip.text}", made(of_eps=slip.powers))
      for slip in slips(OF_EPS, but=(PRINTED_NOISE, ALL_NOISE))),
    *(Mistake(f"{front}-{noise}", f"in front of the bracket, {front_text}; in front of the noise, {noise_text}",
              made(front=front_powers, of_eps=noise_powers))
      for front, front_text, front_powers in FRONTS for noise, noise_text, noise_powers in NOISES
      if (front, noise) != ("e13", "all-noise")),  # that is the predicted x_0
    Mistake("factor-on-x-alone", "1/sqrt(alpha_t) multiplies x_t alone; it stands in front of the whole bracket",
            mu_with(lambda a, now, before, x, e: x / a.sqrt() - (1 - a) / (1 - now).sqrt() * e)),
    Mistake("factor-on-noise-alone", "1/sqrt(alpha_t) multiplies the noise alone; it stands in front of the whole "
            "bracket", mu_with(lambda a, now, before, x, e: x - (1 - a) / (1 - now).sqrt() * e / a.sqrt())),
    Mistake("multiplied-x-alone", "x_t is multiplied with sqrt(alpha_t), as in a step forward; going back divides",
            mu_with(lambda a, now, before, x, e: a.sqrt() * x - (1 - a) / (1 - now).sqrt() * e)),
    Mistake("alpha-upside-down", "alpha_t is upside down: it is alpha_bar_t over alpha_bar_{t-1}",
            mu_with(lambda a, now, before, x, e: (x - (1 - 1 / a) / (1 - now).sqrt() * e) * a.sqrt())),
    # the noise
    Mistake("noise-added", "you added the noise; going back takes it away", made(sign=1)),
    Mistake("noise-missing", "the noise is missing: this undoes the shrinking alone", made(sign=0)),
    Mistake("noise-unscaled", "the noise has no factor", made(of_eps={})),
    Mistake("all-noise", "the noise has the factor sqrt(1 - alpha_bar_t), that of t steps; one step takes less away",
            made(of_eps=ALL_NOISE)),
    Mistake("root-exchanged", "the root stands over 1 - alpha_t; it belongs over 1 - alpha_bar_t, below",
            made(of_eps={BETA: 0.5, NOISE: -1})),
    Mistake("upside-down", "the fraction in front of the noise stands upside down",
            made(of_eps={BETA: -1, NOISE: 0.5})),
    Mistake("fraction-exchanged", "beta_t and 1 - alpha_bar_t have changed places in front of the noise",
            made(of_eps={NOISE: 1, BETA: -0.5})),
    Mistake("root-of-difference", "1 - sqrt(alpha_bar_t) stands where sqrt(1 - alpha_bar_t) belongs",
            _noise(lambda a, now, before: (1 - a) / (1 - now.sqrt()))),
    Mistake("difference-of-roots", "1 - sqrt(alpha_t) stands where 1 - alpha_t belongs",
            _noise(lambda a, now, before: (1 - a.sqrt()) / (1 - now).sqrt())),
    Mistake("bar-taken-away", "alpha_t - alpha_bar_t stands where 1 - alpha_t belongs",
            _noise(lambda a, now, before: (a - now) / (1 - now).sqrt())),
    Mistake("bar-squared", "alpha_bar_t is squared under the root",
            _noise(lambda a, now, before: (1 - a) / (1 - now**2).sqrt())),
    # by way of x_0
    Mistake("x0-root-missing", "x_0 is made with 1/alpha_bar_t in front; it is 1/sqrt(alpha_bar_t)",
            _via_x_0(lambda now, x, e: (x - (1 - now).sqrt() * e) / now)),
    Mistake("x0-factor-missing", "x_0 is made without 1/sqrt(alpha_bar_t) in front",
            _via_x_0(lambda now, x, e: x - (1 - now).sqrt() * e)),
    Mistake("x0-swapped", "by way of part 6: there the factors of x_0 and x_t are exchanged", mu_with(_swapped)),
    Mistake("eps-for-x0", "eps stands where x_0 belongs in the mean of part 6: x_0 is made of x_t and eps",
            _via_x_0(lambda now, x, e: e)),
    # the step
    Mistake("row-before", "all rows are one too early: step t stands in row t of the table",
            lambda ab, x, t, eps: mu_theta(ab, x, t - 1, eps)),
    Mistake("first-step", "all examples get the step of the first: t has one for each example",
            lambda ab, x, t, eps: mu_theta(ab, x, t[:1].expand(len(x)), eps)),
)  # fmt: skip
