"""Homework 3, part 6: up, and never down."""

from lecture11.homework.cases import linear_cases, linear_edges, with_single
from lecture11.homework.part import Part
from lecture11.homework.parts.em_curve.right import em_cases, em_curve
from lecture11.homework.parts.em_curve.wrong import MISTAKES

PART = Part(
    id="em-curve",
    homework=3,
    title="up, and never down",
    points=4,
    trains="the whole algorithm: who is held while the other moves, and what the bound does",
    unit="nats, the mean bound after each E-step and each M-step",
    make_cases=lambda d: em_cases(linear_cases(d)),
    make_edges=lambda d: with_single(em_cases(linear_edges(d))),
    reference=em_curve,
    mistakes=MISTAKES,
)
