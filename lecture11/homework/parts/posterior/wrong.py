"""The known mistakes in the posterior."""

from typing import Any

import torch
from torch import Tensor

from lecture11.homework.part import Mistake, generic, per, step_alpha
from lecture11.homework.parts.posterior.right import OF_X_0, OF_X_T, VARIANCE, made, of_alpha, posterior
from lecture11.homework.slips import ALPHA, BEFORE, BETA, NOISE, NOISE_BEFORE, NOW, Powers, slips, times, to_the


def _clipped_at_1(ab: Tensor, x_0: Tensor, x_t: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    return posterior(ab, x_0, x_t, t)[0], posterior(ab, x_0, x_t, t.clamp(min=2))[1]


def _both(powers: Powers) -> Any:
    """The mean with its two denominators replaced."""
    return made(of_x_t=times({**OF_X_T, NOISE: 0}, powers), of_x_0=times({**OF_X_0, NOISE: 0}, powers))


def _mean(formula: Any) -> Any:
    """Another mean, with the right variance."""
    return lambda ab, x_0, x_t, t: (formula(ab, x_0, x_t, t), posterior(ab, x_0, x_t, t)[1])


IN_WORDS: dict[str, tuple[str, Powers]] = {
    "forward-variance": ("it is beta_t, that of the step forward. Knowing x_0 leaves less", {BETA: 1}),
    "standard-deviation": ("you returned its root, the standard deviation", to_the(0.5, VARIANCE)),
    "upside-down": ("its fraction stands upside down; it must be 0 at t = 1", {NOISE: 1, NOISE_BEFORE: -1, BETA: 1}),
    "now-in-variance": ("alpha_bar_t stands where alpha_bar_{t-1} belongs, and cancels", {NOISE: 1, BETA: 1}),
    "signal-in-variance": ("its fraction has alpha_bar in place of 1 - alpha_bar", {BEFORE: 1, NOW: -1, BETA: 1}),
    "noise-so-far": ("1 - alpha_bar_t is that of x_t given x_0", {NOISE: 1}),
    "noise-before": ("1 - alpha_bar_{t-1} is that of x_{t-1} before x_t is seen", {NOISE_BEFORE: 1}),
    "forward-squared": ("it is beta_t squared, and beta_t is a variance", {BETA: 2}),
    "root-of-fraction": ("its fraction stands under a root", {NOISE_BEFORE: 0.5, NOISE: -0.5, BETA: 1}),
}
VARIANCES = tuple(powers for _, powers in IN_WORDS.values())

MISTAKES = (
    # ``answer``: in no pairs, since what is wrong with the variance is named beside what is wrong with the mean.
    *(Mistake(id, f"the variance is not right: {text}", made(variance=powers).answer)
      for id, (text, powers) in IN_WORDS.items()),
    *(Mistake(f"variance-{slip.id}", f"in the variance, {slip.text}",
              made(variance=slip.powers).answer) for slip in slips(VARIANCE, but=VARIANCES)),
    *(Mistake(f"xt-{slip.id}", f"in front of x_t, {slip.text}", made(of_x_t=slip.powers)) for slip in slips(OF_X_T)),
    *(Mistake(f"x0-{slip.id}", f"in front of x_0, {slip.text}", made(of_x_0=slip.powers)) for slip in slips(OF_X_0)),
    *(Mistake(f"mean-{slip.id}", f"in both terms of the mean, {slip.text}", _both(slip.powers))
      for slip in slips({NOISE: -1})),
    # the mean in one piece
    Mistake("swapped", "the factors of x_0 and x_t are exchanged", made(of_x_t=OF_X_0, of_x_0=OF_X_T)),
    Mistake("noise-exchanged", "1 - alpha_bar_{t-1} and beta_t have changed places in the mean",
            made(of_x_t={ALPHA: 0.5, BETA: 1, NOISE: -1}, of_x_0={BEFORE: 0.5, NOISE_BEFORE: 1, NOISE: -1})),
    Mistake("roots-missing", "the roots in the mean are missing: over alpha_t in front of x_t, over alpha_bar_{t-1} in "
            "front of x_0", made(of_x_t={**OF_X_T, ALPHA: 1}, of_x_0={**OF_X_0, BEFORE: 1})),
    Mistake("x0-missing", "x_0 is missing in the mean: it is known here, and draws x_{t-1} towards it",
            made(terms=(1, 0))),
    Mistake("xt-missing", "x_t is missing in the mean: both are known here", made(terms=(0, 1))),
    Mistake("subtracted", "the two terms of the mean are subtracted; they add", made(terms=(1, -1))),
    Mistake("without-xt", "this is the mean of x_{t-1} given x_0 alone: x_t tells more",
            made(of_x_0={BEFORE: 0.5}, terms=(0, 1))),
    Mistake("alpha-is-bar", "alpha_t is taken for alpha_bar_t, everywhere: it is alpha_bar_t over alpha_bar_{t-1}",
            made(of_x_t={**OF_X_T, ALPHA: 0, NOW: 0.5}, of_x_0={BEFORE: 0.5}, variance={NOISE_BEFORE: 1})),
    Mistake("alpha-is-beta", "alpha_t stands wherever beta_t belongs, in mean and variance; beta_t = 1 - alpha_t",
            made(of_x_0={**OF_X_0, BETA: 0, ALPHA: 1}, variance={**VARIANCE, BETA: 0, ALPHA: 1})),
    Mistake("bar-is-beta", "alpha_bar_t stands wherever beta_t belongs, in mean and variance; beta_t = 1 - alpha_t",
            made(of_x_0={**OF_X_0, BETA: 0, NOW: 1}, variance={**VARIANCE, BETA: 0, NOW: 1})),
    Mistake("now-for-before", "alpha_bar_t stands wherever alpha_bar_{t-1} belongs, in mean and variance",
            made(of_x_t={ALPHA: 0.5}, of_x_0={**OF_X_0, BEFORE: 0, NOW: 0.5}, variance={BETA: 1})),
    Mistake("clipped-at-1", "at t = 1 the variance is that of t = 2, as programs have it that take its logarithm; it "
            "is 0 there", _clipped_at_1),
    Mistake("alpha-upside-down", "alpha_t is upside down: it is alpha_bar_t over alpha_bar_{t-1}",
            lambda ab, x_0, x_t, t: of_alpha(ab, x_0, x_t, t, ab[t - 1] / ab[t])),
    Mistake("forward-mean", "this is the mean of the step forward, sqrt(alpha_t) x_t; the step back is asked for",
            _mean(lambda ab, x_0, x_t, t: step_alpha(ab, t, x_t).sqrt() * x_t)),
    Mistake("noised-x0", "this is the mean of x_t given x_0, sqrt(alpha_bar_t) x_0; that of x_{t-1} is asked for",
            _mean(lambda ab, x_0, x_t, t: per(ab[t], x_0).sqrt() * x_0)),
    # what is returned
    Mistake("log-variance", "you returned the logarithm of the variance",
            lambda *args: ((both := posterior(*args))[0], both[1].log())),
    Mistake("roots-in-fraction", "the fraction in the variance is one of roots of alpha_bar",
            lambda ab, x_0, x_t, t: (posterior(ab, x_0, x_t, t)[0], (
                (1 - ab[t - 1].sqrt()) / (1 - ab[t].sqrt()) * (1 - ab[t] / ab[t - 1])).to(x_t.dtype))),
    Mistake("row-before", "all rows are one too early: step t stands in row t of the table",
            lambda ab, x_0, x_t, t: posterior(torch.cat([ab[:1], ab]), x_0, x_t, t)),
    Mistake("first-step", "all examples get the step of the first: t has one for each example",
            lambda ab, x_0, x_t, t: posterior(ab, x_0, x_t, t[:1].expand(len(t)))),
    Mistake("alpha-of-step-before", "alpha_t is made of the rows t - 1 and t - 2, and is that of the step before",
            lambda ab, x_0, x_t, t: of_alpha(ab, x_0, x_t, t, ab[t - 1] / ab[(t - 2).clamp(min=0)])),
    Mistake("beta-is-difference", "alpha_bar_{t-1} - alpha_bar_t stands for beta_t; beta_t = 1 - alpha_t",
            lambda ab, x_0, x_t, t: of_alpha(ab, x_0, x_t, t, ab[t] / ab[t - 1], ab[t - 1] - ab[t])),
    Mistake("half-variance", "the variance is half of what it should be",
            lambda *args: ((both := posterior(*args))[0], 0.5 * both[1])),
    *generic(posterior, order="both are right, in the wrong order: the mean first, then the variance"),
    Mistake("variance-missing", "the variance is missing: return the mean and the variance",
            lambda *args: posterior(*args)[0]),
)  # fmt: skip
