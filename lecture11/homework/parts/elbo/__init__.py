"""Homework 2, part 3: the evidence lower bound."""

from lecture11.homework.part import Part
from lecture11.homework.parts.elbo.right import elbo, elbo_cases, elbo_edges
from lecture11.homework.parts.elbo.wrong import MISTAKES

PART = Part(
    id="elbo",
    homework=2,
    title="the evidence lower bound",
    points=4,
    trains="encoder, draw, decoder and KL in one; the constant; sums that fit together",
    unit="nats, one number for each example",
    make_cases=elbo_cases,
    make_edges=elbo_edges,
    reference=elbo,
    mistakes=MISTAKES,
)
