"""Homework 2, part 4: a tighter bound."""

import math

import torch
from torch import Tensor

from lecture11.homework.cases import log_weight_cases, log_weight_edges
from lecture11.homework.part import Mistake, Part, generic


def iw_bound(log_w: Tensor) -> Tensor:
    return log_w.logsumexp(0) - math.log(len(log_w))


MISTAKES = (
    *generic(iw_bound, "examples-averaged"),
    Mistake("one-maximum", "one largest weight is taken for all examples, and those of a much smaller one are lost: "
            "each has its own", lambda w: w.max() + (w - w.max()).exp().mean(0).log()),
    Mistake("underflow", "right for moderate weights, but exp underflows for those of images, whose logarithm is about "
            "-2000: subtract the largest first, or take logsumexp", lambda w: w.exp().mean(0).log()),
    Mistake("first-draw", "what is taken out is the first weight: exp overflows for one far above it",
            lambda w: w[0] + (w - w[0]).exp().mean(0).log()),
    Mistake("log-k-missing", "log k is missing: a mean is a sum divided by k", lambda w: w.logsumexp(0)),
    Mistake("log-k-added", "log k is added; a mean is a sum divided by k", lambda w: w.logsumexp(0) + math.log(len(w))),
    Mistake("divided-outside", "the logarithm of the sum is divided by k; the sum itself is to be divided",
            lambda w: w.logsumexp(0) / len(w)),
    Mistake("mean-of-logs", "this is the mean of the logarithms: the ELBO again. The logarithm of the mean is asked "
            "for", lambda w: w.mean(0)),
    Mistake("over-examples", "the mean is over the examples. The draws are in dimension 0, the examples in dimension 1",
            lambda w: w.logsumexp(1) - math.log(w.shape[1])),
    Mistake("over-examples-by-draws", "the mean is over the examples, and divided by the number of draws: draws are in "
            "dimension 0", lambda w: w.logsumexp(1) - math.log(w.shape[0])),
    Mistake("by-examples", "the sum is over the draws, but divided by the number of examples",
            lambda w: w.logsumexp(0) - math.log(w.shape[1])),
    Mistake("all-together", "draws and examples are thrown together; return one number for each example",
            lambda w: w.flatten().logsumexp(0) - math.log(w.numel())),
    Mistake("maximum-over-k", "this is the largest weight over k; all weights are summed first",
            lambda w: w.max(0).values - math.log(len(w))),
    Mistake("maximum-alone", "this is the largest weight alone, not the mean of all", lambda w: w.max(0).values),
    Mistake("not-the-maximum", "what is taken out is not the largest weight (the smallest, or a mean): exp overflows "
            "for one far above it", lambda w: (m := w.min(0).values) + (w - m).exp().mean(0).log()),
    Mistake("fixed-shift", "a fixed number is taken out; weights of another size are lost: take out the largest of "
            "each example", lambda w: -2000 + (w + 2000).exp().mean(0).log()),
    Mistake("small-number", "a small number under the logarithm only hides the underflow: take out the largest weight",
            lambda w: (w.exp().mean(0) + 1e-12).log()),
    Mistake("maximum-not-added", "the largest logarithm is taken out, and not added again",
            lambda w: (w - w.max(0).values).exp().mean(0).log()),
    Mistake("log-missing", "the logarithm is missing after the mean",
            lambda w: (m := w.max(0).values) + (w - m).exp().mean(0)),
    Mistake("mean-weight", "this is the mean weight; its logarithm is asked for", lambda w: w.exp().mean(0)),
    Mistake("k-subtracted", "k is subtracted; log k is to be", lambda w: w.logsumexp(0) - len(w)),
    Mistake("log2", "log k has base 2 here; all logarithms are natural", lambda w: w.logsumexp(0) - math.log2(len(w))),
    Mistake("normalised-logs", "this is the mean of the normalised logarithms; the logarithm of the mean weight is "
            "asked for", lambda w: w.log_softmax(0).mean(0)),
    Mistake("largest-absolute", "the largest absolute value is taken out; only the largest weight itself keeps exp in "
            "range", lambda w: (m := w.abs().max(0).values) + (w - m).exp().mean(0).log()),
    Mistake("sum-of-logs", "this is the sum of the logarithms; asked for is the logarithm of the mean",
            lambda w: w.sum(0)),
    Mistake("logs-divided", "the logarithms are divided by k; the sum of the weights is to be",
            lambda w: (w / len(w)).logsumexp(0)),
    Mistake("sum-divided-outside", "what was taken out is added again whole, but the logarithm of the sum is divided "
            "by k; the sum is to be", lambda w: (m := w.max(0).values) + (w - m).exp().sum(0).log() / len(w)),
    Mistake("clamped", "cutting off small logarithms only hides the underflow: take out the largest weight",
            lambda w: w.clamp(min=-700).exp().mean(0).log()),
    Mistake("log-of-one", "this is the logarithm of 1: normalised weights sum to 1, whatever they are",
            lambda w: torch.zeros_like(w[0])),
    Mistake("median", "this is the median of the logarithms, not the logarithm of the mean",
            lambda w: w.median(0).values),
)  # fmt: skip

PART = Part(
    id="iw-bound",
    homework=2,
    title="a tighter bound",
    points=2,
    trains="the mean inside the logarithm, over which dimension, and without underflow",
    unit="nats, one number for each example",
    make_cases=lambda d: log_weight_cases(d, grad=True),
    make_edges=lambda d: log_weight_edges(d, grad=True),
    reference=iw_bound,
    mistakes=MISTAKES,
)
