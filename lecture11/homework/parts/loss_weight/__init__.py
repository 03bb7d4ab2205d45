"""Homework 4, part 9: what Algorithm 1 leaves out."""

import torch

from lecture11.homework.part import Part, alpha_bar, case, in_float32
from lecture11.homework.parts.loss_weight.right import loss_weight
from lecture11.homework.parts.loss_weight.wrong import MISTAKES
from lecture11.homework.slips import quantities
from lecture11.homework.variation import variation

PART = Part(
    id="loss-weight",
    homework=4,
    title="what Algorithm 1 leaves out",
    points=3,
    trains="from a distance of means to a distance of noises, and a look at the result",
    unit="for t = 2, ..., T",
    make_cases=lambda d: [
        case("T = 2", betas=torch.tensor([0.1, 0.3], dtype=torch.float64)),
        case("T = 3", betas=torch.tensor([0.1, 0.2, 0.4], dtype=torch.float64)),
        case("a schedule", betas=d.betas(d.size(5, 9))),
        case("your schedule", betas=variation(d.seed).betas),
    ],
    make_edges=lambda d: [in_float32(case("single precision", betas=d.betas(5)))],
    quantities=lambda args: quantities((table := alpha_bar(args["betas"]))[2:], table[1:-1]),
    reference=loss_weight,
    mistakes=MISTAKES,
)
