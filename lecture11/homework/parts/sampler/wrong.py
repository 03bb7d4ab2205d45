"""The known mistakes in the sampler."""

from typing import Any

import torch
from torch import Tensor

from lecture11.homework.part import Mistake, alpha_bar, per
from lecture11.homework.parts.mu_theta import PART as MU_THETA
from lecture11.homework.parts.mu_theta.right import mu_theta
from lecture11.homework.parts.posterior.right import VARIANCE, posterior
from lecture11.homework.parts.sampler.right import SIGMA, sampler, walk
from lecture11.homework.slips import BETA, NOISE, NOISE_BEFORE, Powers, slips, to_the, value


def _scaled(powers: Powers, **others: Any) -> Any:
    """With another sigma_t."""
    return walk(sigma=lambda now, before: value(powers, now, before), **others)


def _clipped(table: Tensor, x_t: Tensor, t: Tensor, eps: Tensor) -> Tensor:
    now = per(table[t], x_t)
    x_0 = ((x_t - (1 - now).sqrt() * eps) / now.sqrt()).clamp(-1, 1)
    return posterior(table, x_0, x_t, t)[0]


def _noise_first(model: Any, betas: Tensor, x_T: Tensor, noise: Tensor) -> Tensor:
    table, x = alpha_bar(betas), x_T
    for t in range(len(betas), 0, -1):
        step = torch.full((len(x),), t, dtype=torch.int64)
        if t > 1:
            x = x + value(SIGMA, table[t], table[t - 1]).to(x.dtype) * noise[t - 1]
        x = mu_theta(table, x, step, model(x, step))
    return x


ROOT_OF_BETA: Powers = {BETA: 0.5}
IN_WORDS: dict[str, tuple[str, Powers]] = {
    "beta": ("sigma_t is sqrt(beta_t). It is a good choice too, but this task asks for the posterior variance",
             ROOT_OF_BETA),
    "variance-scales": ("the noise is multiplied with the variance; which factor gives noise of that variance?",
                        VARIANCE),
    "beta-scales": ("the noise is multiplied with beta_t, a variance, and not the posterior one", {BETA: 1}),
    "variance-squared": ("sigma_t is the square of the posterior variance; it is its root", to_the(2, VARIANCE)),
    "noise-unscaled": ("the noise is not scaled: sigma_t is missing", {}),
    "fraction-upside-down": ("sigma_t is made with the fraction upside down; 1 - alpha_bar_{t-1} stands above",
                             {NOISE: 0.5, NOISE_BEFORE: -0.5, BETA: 0.5}),
    "root-of-beta-alone": ("in sigma_t, only beta_t stands under the root; the whole variance does",
                           {**VARIANCE, BETA: 0.5}),
    "all-noise": ("sigma_t is sqrt(1 - alpha_bar_t), that of t steps; one step has less", {NOISE: 0.5}),
    "noise-before": ("sigma_t is sqrt(1 - alpha_bar_{t-1}): beta_t over 1 - alpha_bar_t is missing",
                     {NOISE_BEFORE: 0.5}),
}  # fmt: skip

MISTAKES = (
    *(Mistake(id, text, _scaled(powers)) for id, (text, powers) in IN_WORDS.items()),
    *(Mistake(f"sigma-{slip.id}", f"in sigma_t, {slip.text}", _scaled(slip.powers))
      for slip in slips(SIGMA, but=[powers for _, powers in IN_WORDS.values()])),
    *(Mistake(f"mean-{m.id}", f"part 7: {m.message}", walk(mean=m.function)) for m in MU_THETA.mistakes
      if m.id not in ("first-step", "row-before", "noise-noise-before-for-noise", "front-noise-before-for-alpha")),
    Mistake("noise-at-1", "right, but noise was added at t = 1 as well. The last step gives the image: z = 0 there",
            walk(noisy=lambda t, T: True, sigma=lambda now, before: torch.where(
                before < 1, value(SIGMA, now, before), value(ROOT_OF_BETA, now, before)))),
    Mistake("beta-and-noise-at-1", "sigma_t is sqrt(beta_t), and noise was added at t = 1 as well. This task takes the "
            "posterior variance, and z = 0 at t = 1", _scaled(ROOT_OF_BETA, noisy=lambda t, T: True)),
    Mistake("no-noise", "no noise was added at all; each step but the last is a draw", walk(noisy=lambda t, T: False)),
    Mistake("noise-subtracted", "the noise is subtracted. That has the same distribution, but the task adds it, and "
            "numbers are compared", walk(sigma=lambda now, before: -value(SIGMA, now, before))),
    Mistake("half-variance", "sigma_t is half of the variance; it is its root",
            walk(sigma=lambda now, before: 0.5 * value(VARIANCE, now, before))),
    Mistake("upwards", "the steps run from 1 to T. Sampling starts at the noise, at t = T",
            walk(steps=lambda T: range(1, T + 1))),
    Mistake("last-step-missing", "the last step, t = 1, is missing: range(T, 1, -1) ends at 2",
            walk(steps=lambda T: range(T, 1, -1))),
    Mistake("told-t-plus-1", "the model is told a step that is one too large: it counts from 1, as the table's rows do",
            walk(told=lambda t, T: t + 1)),
    Mistake("told-T", "the model is told T in each step; it is t", walk(told=lambda t, T: torch.full_like(t, T))),
    Mistake("told-1", "the model is told 1 in each step; it is t", walk(told=lambda t, T: torch.ones_like(t))),
    Mistake("one-noise", "all steps get the same noise, noise[0]; step t takes noise[t - 1]", walk(row=lambda t: 0)),
    Mistake("last-noise", "all steps get the same noise, noise[-1]; step t takes noise[t - 1]",
            walk(row=lambda t: -1)),
    Mistake("noise-row-before", "the noise of the wrong step is used: step t takes noise[t - 1], not noise[t - 2]",
            walk(row=lambda t: t - 2)),
    Mistake("no-noise-at-2", "no noise is added at t = 2 either; only the last step, t = 1, has none",
            walk(noisy=lambda t, T: t > 2)),
    Mistake("no-noise-at-T", "no noise is added at t = T; the step without noise is t = 1",
            walk(noisy=lambda t, T: 1 < t < T)),
    Mistake("model-sees-x_T", "the model sees x_T in each step; it sees the x that the step before made",
            walk(stale=True)),
    Mistake("noise-before-step", "the noise is added to x before the step, and the model sees it; it is added after it",
            _noise_first),
    Mistake("clipped", "the predicted x_0 is cut to [-1, 1] in each step; Algorithm 2 does not do this",
            walk(mean=_clipped)),
    Mistake("noise-of-wrong-step", "the noise of the wrong step is used: step t takes noise[t - 1]",
            lambda model, betas, x_T, noise: sampler(model, betas, x_T, noise.flip(0))),
    Mistake("nothing-changes", "this is x_T: the loop changes nothing. Does each pass write its result to the x that "
            "the next one reads?", lambda model, betas, x_T, noise: x_T.clone()),
    Mistake("restarts", "each pass starts from x_T again. The result of one pass is where the next one starts",
            walk(steps=lambda T: [1])),
    Mistake("told-backwards", "the model is told 1, 2, ... while the steps run from T down; it is told t",
            walk(told=lambda t, T: T + 1 - t)),
    Mistake("ddim-alone", "this is DDIM, without a draw; Algorithm 2 takes the mean and adds noise",
            walk(mean=MU_THETA.mistake("ddim").function, noisy=lambda t, T: False)),
    Mistake("first-step-missing", "the first step, t = T, is missing: range(T - 1, 0, -1) begins at T - 1",
            walk(steps=lambda T: range(T - 1, 0, -1))),
)  # fmt: skip
