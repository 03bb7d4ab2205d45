"""Homework 2, part 5: on how many draws does it rest?"""

import torch
from torch import Tensor

from lecture11.homework.cases import log_weight_cases, log_weight_edges
from lecture11.homework.part import Mistake, Part, generic


def effective_sample_size(log_w: Tensor) -> Tensor:
    w = log_w.softmax(0)
    return 1 / (w**2).sum(0)


MISTAKES = (
    *generic(effective_sample_size, "log", root="this is the root of it"),
    Mistake("one-maximum", "one largest weight is taken for all examples, and those of a much smaller one are lost: "
            "each has its own", lambda w: (v := (w - w.max()).exp()).sum(0) ** 2 / (v**2).sum(0)),
    Mistake("underflow", "right for moderate weights, but exp underflows for those of images: 0/0. The ratio does not "
            "change if all weights are divided by the largest", lambda w: w.exp().sum(0) ** 2 / (w.exp() ** 2).sum(0)),
    Mistake("not-normalised", "the weights are not normalised: divide them by their sum before you square them",
            lambda w: 1 / (w.exp() ** 2).sum(0)),
    Mistake("upside-down", "the square of the sum and the sum of the squares have changed places",
            lambda w: (w.softmax(0) ** 2).sum(0)),
    Mistake("sum-not-squared", "the sum is not squared", lambda w: w.exp().sum(0) / (w.exp() ** 2).sum(0)),
    Mistake("over-examples", "the weights are normalised over the examples; the draws are in dimension 0",
            lambda w: 1 / (w.softmax(1) ** 2).sum(1)),
    Mistake("over-examples-summed", "the weights are normalised over the examples and summed over the draws",
            lambda w: 1 / (w.softmax(1) ** 2).sum(0)),
    Mistake("divided-by-k", "this is divided by the number of draws; the size itself is asked for, between 1 and k",
            lambda w: effective_sample_size(w) / len(w)),
    Mistake("entropy", "this is the exponential of the entropy of the weights: another measure of the same thing. "
            "Asked for is the one with squares", lambda w: (-(w.softmax(0) * w.log_softmax(0)).sum(0)).exp()),
    Mistake("logs", "these are the logarithms of the weights in place of the weights",
            lambda w: w.sum(0) ** 2 / (w**2).sum(0)),
    Mistake("largest-weight", "this is 1 / the largest weight: another measure. Asked for is the one with squares",
            lambda w: 1 / w.softmax(0).max(0).values),
    Mistake("all-together", "the weights are normalised over draws and examples together; each example has its own sum",
            lambda w: 1 / (w.flatten().softmax(0).view_as(w) ** 2).sum(0)),
    Mistake("squares-averaged", "the squares are averaged; they are summed",
            lambda w: len(w) * effective_sample_size(w)),
    Mistake("only-weights-squared", "the sum is not squared, only each weight",
            lambda w: (v := (w - w.max(0).values).exp()).sum(0) / (v**2).sum(0)),
    Mistake("ones", "this is 1 whatever the weights are: normalised weights sum to 1. Square each before they are "
            "summed", lambda w: torch.ones_like(w[0])),
    Mistake("normalised-twice", "the weights are normalised twice",
            lambda w: 1 / (w.softmax(0).softmax(0) ** 2).sum(0)),
    Mistake("examples-summed", "the squares of all examples are summed; return one number for each",
            lambda w: 1 / (w.softmax(0) ** 2).sum()),
    Mistake("smallest", "the weights are divided by the smallest, or by a mean, and exp overflows for one far above "
            "it: divide by the largest", lambda w: (v := (w - w.min(0).values).exp()).sum(0) ** 2 / (v**2).sum(0)),
    Mistake("first-draw", "the weights are divided by the first, and exp overflows for one far above it: divide by the "
            "largest", lambda w: (v := (w - w[0]).exp()).sum(0) ** 2 / (v**2).sum(0)),
    Mistake("entropy-nan", "this is the exponential of the entropy of the weights, and 0 log 0 is no number. Asked for "
            "are squares", lambda w: (-((v := w.softmax(0)) * v.log()).sum(0)).exp()),
    Mistake("largest-squared", "this is 1 / the square of the largest weight; asked for is the sum of all squares",
            lambda w: 1 / w.softmax(0).max(0).values ** 2),
    Mistake("number-of-draws", "this is the number of draws, whatever their weights are",
            lambda w: torch.full_like(w[0], len(w))),
    Mistake("logs-squared", "the logarithms of the normalised weights are squared; the weights are to be",
            lambda w: 1 / (w.log_softmax(0) ** 2).sum(0)),
    Mistake("nan-replaced", "replacing nan only hides the underflow: divide by the largest weight first",
            lambda w: (w.exp().sum(0) ** 2 / (w.exp() ** 2).sum(0)).nan_to_num(1.0)),
)  # fmt: skip

PART = Part(
    id="effective-sample-size",
    homework=2,
    title="on how many draws does it rest?",
    points=2,
    trains="normalised weights, and again no underflow",
    unit="draws, one number for each example",
    make_cases=lambda d: log_weight_cases(d, grad=False),
    make_edges=lambda d: log_weight_edges(d, grad=False),
    reference=effective_sample_size,
    mistakes=MISTAKES,
)
