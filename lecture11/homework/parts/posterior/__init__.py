"""Homework 4, part 6: the step back, when x_0 is known."""

from lecture11.homework.cases import noised_cases, noised_edges
from lecture11.homework.part import Part
from lecture11.homework.parts.posterior.right import posterior, posterior_cases
from lecture11.homework.parts.posterior.wrong import MISTAKES
from lecture11.homework.slips import quantities

PART = Part(
    id="posterior",
    homework=4,
    title="the step back, when x_0 is known",
    points=3,
    trains="alpha_bar_{t-1} against alpha_bar_t, and the posterior variance",
    unit="mean of the shape of x_t, variance of shape (batch,)",
    make_cases=lambda d: posterior_cases(noised_cases(d)),
    make_edges=lambda d: posterior_cases(noised_edges(d)),
    reference=posterior,
    quantities=lambda args: quantities(args["alpha_bar"][args["t"]], args["alpha_bar"][args["t"] - 1]),
    linear_in=("x_t", "x_0"),
    mistakes=MISTAKES,
)
