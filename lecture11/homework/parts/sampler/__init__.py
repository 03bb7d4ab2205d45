"""Homework 4, part 8: Algorithm 2: the sampler."""

from lecture11.homework.part import Part
from lecture11.homework.parts.sampler.right import sampler, sampler_cases, sampler_edges
from lecture11.homework.parts.sampler.wrong import MISTAKES

PART = Part(
    id="sampler",
    homework=4,
    title="Algorithm 2: the sampler",
    points=4,
    trains="the whole loop: its order, its noise, and its last step",
    unit="x_0",
    make_cases=sampler_cases,
    make_edges=sampler_edges,
    reference=sampler,
    mistakes=MISTAKES,
)
