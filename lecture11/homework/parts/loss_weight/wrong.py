"""The known mistakes in the weight."""

import torch

from lecture11.homework.part import Mistake, alpha_bar, generic
from lecture11.homework.parts.loss_weight.right import SQUARED, TILDE, WEIGHT, loss_weight, made, over, product
from lecture11.homework.slips import (
    ALPHA,
    BEFORE,
    BETA,
    NOISE,
    NOISE_BEFORE,
    NOW,
    TWO,
    Powers,
    differing,
    in_places,
    times,
    to_the,
)

IN_WORDS: dict[str, tuple[str, Powers]] = {
    "doubled": ("the 2 in the denominator is missing", {**WEIGHT, TWO: 0}),
    "halved": ("there is a 2 too many in the denominator", {**WEIGHT, TWO: -2}),
    "root": ("this is the root of the weight", to_the(0.5, WEIGHT)),
    "inverse": ("this is 1 over the weight", to_the(-1, WEIGHT)),
    "now-for-before": (
        "you used alpha_bar_t where alpha_bar_{t-1} belongs, or beta_t where beta~_t does: both "
        "densities have the posterior variance. Write it out and see which factor cancels",
        {**WEIGHT, NOISE_BEFORE: 0, NOISE: -1},
    ),
    "alpha-missing": (
        "alpha_t in the denominator is missing: the mean has 1/sqrt(alpha_t) in front, and it is squared",
        {**WEIGHT, ALPHA: 0},
    ),
    "factor-not-squared": (
        "the factor in front of the noise is not squared; the distance is",
        over(to_the(0.5, SQUARED)),
    ),
    "factor-not-squared-no-alpha": (
        "the factor in front of the noise is not squared, and lacks 1/sqrt(alpha_t)",
        over({BETA: 1, NOISE: -0.5}),
    ),
    "standard-deviation": (
        "this is divided by 2 times the standard deviation; it is the variance beta~_t",
        over(tilde=to_the(0.5, TILDE)),
    ),
    "variance-squared": ("beta~_t is squared; it is a variance already", over(tilde=to_the(2, TILDE))),
    "tilde-multiplied": ("beta~_t multiplies where it divides", over(tilde=to_the(-1, TILDE))),
    "two-tilde-multiplied": (
        "2 beta~_t multiplies where it divides",
        times(over(tilde=to_the(-1, TILDE)), {TWO: 2}),
    ),
    "x0-weight": (
        "this is the weight of ||x_0 - x_theta||^2; that of the noise is asked for",
        {BETA: 1, BEFORE: 1, NOISE: -1, NOISE_BEFORE: -1, TWO: -1},
    ),
    "tilde-missing": ("beta~_t is missing in the denominator: 2 beta~_t belongs there", over(tilde={})),
    "variance-missing": ("2 beta~_t is missing in the denominator: this is the squared factor alone", SQUARED),
    "fraction-upside-down": (
        "in beta~_t, the fraction stands upside down",
        over(tilde={NOISE_BEFORE: -1, NOISE: 1, BETA: 1}),
    ),
    "roots-missing": (
        "the roots in the factor of part 7 are missing, so that both are squared",
        over({BETA: 2, ALPHA: -2, NOISE: -2}),
    ),
}
SLIPS = in_places(
    ("weight", "in the weight", WEIGHT, lambda powers: powers),
    ("squared", "in the squared factor of the noise", SQUARED, over),
    ("tilde", "in beta~_t", TILDE, lambda powers: over(tilde=powers)),
    but=[WEIGHT, *(powers for _, powers in IN_WORDS.values())],
)

MISTAKES = (
    *generic(loss_weight, negated="the sign is reversed: a weight is positive",
             log="this is the logarithm of the weight", backwards="the weights run from T down to 2"),
    *(Mistake(id, text, made(**differing(powers, WEIGHT))) for id, (text, powers) in IN_WORDS.items()),
    *(Mistake(slip.id, slip.text, made(**differing(slip.powers, WEIGHT))) for slip in SLIPS),
    Mistake("length-over-deviation", "the factor of the noise is not squared, and is divided by 2 sqrt(beta~_t); the "
            "squared distance is divided by 2 beta~_t",
            product(over(to_the(0.5, SQUARED), to_the(0.5, TILDE)))),
    Mistake("noise-to-signal", "this is half of (1 - alpha_bar_t) / alpha_bar_t, noise over signal; the weight of the "
            "noise's distance is asked for", product({NOISE: 1, NOW: -1, TWO: -1})),
    Mistake("constant", "this is 1/2 for each t: nothing of the schedule is left in it",
            lambda b: torch.full_like(b[1:], 0.5)),
    Mistake("ones", "this is 1 for each t, as in Algorithm 1: what stands before the distance of the noises in the "
            "bound is asked for", lambda b: torch.ones_like(b[1:])),
    Mistake("averaged", "the weights are averaged; there is one for each t", lambda b: loss_weight(b).mean()),
    Mistake("summed", "the weights are summed; there is one for each t", lambda b: loss_weight(b).sum()),
    Mistake("row-1", "row t = 1 is in it. There the posterior variance is 0 and the weight infinite: begin at t = 2",
            product(WEIGHT, first=1)),
    Mistake("row-1-zero", "there is a row for t = 1, set to something finite: the weights begin at t = 2",
            lambda b: torch.cat([b.new_zeros(1), loss_weight(b)])),
    Mistake("last-missing", "the last step is missing: the weights end at t = T", lambda b: loss_weight(b)[:-1]),
    Mistake("begins-at-3", "the weights begin at t = 3", lambda b: loss_weight(b)[1:]),
    Mistake("weights-from-1", "these are the weights of t = 1, ..., T - 1; that of t = 1 is infinite, as the posterior "
            "variance is 0 there", lambda b: (c := b[:-1]) / (2 * (1 - c) * (1 - alpha_bar(b)[:-2]))),
    Mistake("row-too-early", "beta_t is taken one step too early: betas[t - 1] belongs to step t",
            lambda b: (c := b[:-1]) / (2 * (1 - c) * (1 - alpha_bar(b)[1:-1]))),
    Mistake("normalised", "the weights are divided by their sum; they are asked for as they are",
            lambda b: (w := loss_weight(b)) / w.sum()),
)  # fmt: skip
