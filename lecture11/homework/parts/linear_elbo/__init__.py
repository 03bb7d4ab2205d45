"""Homework 3, part 5: the bound, without a single draw."""

from lecture11.homework.cases import linear_cases, linear_edges, with_single
from lecture11.homework.part import Part
from lecture11.homework.parts.linear_elbo.right import linear_elbo, linear_elbo_cases
from lecture11.homework.parts.linear_elbo.wrong import MISTAKES

PART = Part(
    id="linear-elbo",
    homework=3,
    title="the bound, without a single draw",
    points=3,
    trains="the expectation of a square, and the KL of a full covariance",
    unit="nats, one number for each example",
    make_cases=lambda d: linear_elbo_cases(d, linear_cases(d)),
    make_edges=lambda d: with_single(linear_elbo_cases(d, linear_edges(d))),
    reference=linear_elbo,
    mistakes=MISTAKES,
)
