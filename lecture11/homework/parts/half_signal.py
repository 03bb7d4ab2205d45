"""Homework 4, part 4: where signal and noise are equal."""

from torch import Tensor

from lecture11.homework.part import Mistake, Part, alpha_bar, case
from lecture11.homework.variation import variation


def half_signal(betas: Tensor) -> int:
    return int((alpha_bar(betas) < 0.5).nonzero()[0])


MISTAKES = (
    Mistake("one-early", "this is off by one. Steps count from 1; in a table with alpha_bar(0) = 1 in row 0, step t "
            "stands in row t", lambda betas: half_signal(betas) - 1),
    Mistake("one-late", "this is one step too late: the step asked for is the first at which the signal is the weaker",
            lambda betas: half_signal(betas) + 1),
    Mistake("root", "here sqrt(alpha_bar) falls below 1/2. The signal-to-noise ratio compares variances: alpha_bar "
            "with 1 - alpha_bar", lambda betas: int((alpha_bar(betas).sqrt() < 0.5).nonzero()[0])),
    Mistake("root-against-variance", "here sqrt(alpha_bar) falls below 1 - alpha_bar: a factor is compared with a "
            "variance, and both are to be variances",
            lambda betas: int(((a := alpha_bar(betas)).sqrt() < 1 - a).nonzero()[0])),
    Mistake("last-step", "this is T, the last step", lambda betas: len(betas)),
    Mistake("counted", "this is the number of steps in which the noise is the stronger; the first of them is asked for",
            lambda betas: int((alpha_bar(betas) < 0.5).sum())),
    Mistake("half-of-t", "this is half of T. The steps do not take equal amounts: compute alpha_bar",
            lambda betas: len(betas) // 2),
    Mistake("sum-of-betas", "here the sum of the betas passes 1/2; but what each step leaves multiplies: alpha_bar is "
            "a product", lambda betas: int((betas.cumsum(0) > 0.5).nonzero()[0]) + 1),
    Mistake("value", "this is the value of alpha_bar there, not the step",
            lambda betas: float(alpha_bar(betas)[half_signal(betas)])),
)  # fmt: skip

PART = Part(
    id="half-signal",
    homework=4,
    title="where signal and noise are equal",
    points=2,
    trains="reading a schedule: your own, so the number is yours alone",
    unit="",
    make_cases=lambda d: [case("your schedule", betas=variation(d.seed).betas)],
    reference=half_signal,
    mistakes=MISTAKES,
    personal=True,
)
