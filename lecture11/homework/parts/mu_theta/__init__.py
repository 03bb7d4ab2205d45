"""Homework 4, part 7: the step back, when the noise is predicted."""

from lecture11.homework.cases import noised_cases, noised_edges
from lecture11.homework.part import Part
from lecture11.homework.parts.mu_theta.right import mu_theta
from lecture11.homework.parts.mu_theta.wrong import MISTAKES
from lecture11.homework.slips import quantities

PART = Part(
    id="mu-theta",
    homework=4,
    title="the step back, when the noise is predicted",
    points=2,
    trains="the formula of Algorithm 2, and three of its misprints",
    unit="",
    make_cases=lambda d: noised_cases(d, second="x_t"),
    make_edges=lambda d: noised_edges(d, second="x_t"),
    reference=mu_theta,
    quantities=lambda args: quantities(args["alpha_bar"][args["t"]], args["alpha_bar"][args["t"] - 1]),
    linear_in=("x_t", "eps"),
    mistakes=MISTAKES,
)
