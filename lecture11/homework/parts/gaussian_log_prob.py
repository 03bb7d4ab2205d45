"""Homework 2, part 1: the density of a diagonal Gaussian."""

import math
from typing import Any

from torch import Tensor

from lecture11.homework.observation import Case
from lecture11.homework.part import LOG_2_PI, WIDE, Draw, Mistake, Part, case, generic, in_float32, numbers


def gaussian_log_prob(x: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    return -0.5 * ((x - mean) ** 2 / log_var.exp() + log_var + LOG_2_PI).sum(1)


def _one(d: Draw, name: str, b: int, k: int) -> Case:
    return case(name, b, grad=("mean", "log_var"), x=d.normal(b, k), mean=d.normal(b, k), log_var=d.normal(b, k))


def _log_prob_cases(d: Draw) -> list[Case]:
    k = d.size(2, 5)
    return [
        case("one number", 1, x=numbers(1.3), mean=numbers(0.4), log_var=numbers(0.5)),
        _one(d, "one example", 1, k),
        _one(d, "three examples in three dimensions", 3, 3),
        _one(d, "several examples", d.size(4, 6), k),
        in_float32(_one(d, "in single precision", 2, k)),
    ]


def _edges(d: Draw) -> list[Case]:
    far: dict[str, Any] = {"x": numbers(60.0, -45.0), "mean": numbers(0.0, 0.5), "log_var": numbers(0.0, 0.3)}
    wide: dict[str, Any] = {"x": d.normal(1, 4), "mean": d.normal(1, 4), "log_var": WIDE}
    return [
        _one(d, "nine dimensions", 2, 9),
        case("a density that underflows: its logarithm does not", 1, grad=("mean", "log_var"), **far),
        case("log_var from -12.5 to 9: nothing is to be cut off, and nothing added", 1, grad=("log_var",), **wide),
        case("nine variances of exp(100)", 1, x=d.normal(1, 9), mean=d.normal(1, 9), log_var=numbers(*[100.0] * 9)),
    ]


MISTAKES = (
    *generic(gaussian_log_prob, "examples-averaged", "examples-summed", "doubled",
             negated="the sign is reversed: this is -log N"),
    Mistake("constant-missing", "the constant -(d/2) log 2 pi is missing: without it, this is no density",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v.exp() + v).sum(1), "the constant"),
    Mistake("constant-once", "the constant log 2 pi is there once; each of the d dimensions has its own",
            lambda x, m, v: -0.5 * (((x - m) ** 2 / v.exp() + v).sum(1) + LOG_2_PI)),
    Mistake("dims-averaged", "you averaged over the dimensions; the logarithm of a product is a sum",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v.exp() + v + LOG_2_PI).mean(1)),
    Mistake("log-std", "log_var is taken for the logarithm of the standard deviation: it is that of the variance",
            lambda x, m, v: gaussian_log_prob(x, m, 2 * v)),
    Mistake("divided-by-std", "the square is divided by the standard deviation; the variance belongs there",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / (0.5 * v).exp() + v + LOG_2_PI).sum(1)),
    Mistake("divided-by-log-var", "the square is divided by log_var; first make the variance of it",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v + v + LOG_2_PI).sum(1)),
    Mistake("log-var-missing", "the term with log_var is missing: the factor in front of the exponential depends on "
            "the variance", lambda x, m, v: -0.5 * ((x - m) ** 2 / v.exp() + LOG_2_PI).sum(1), "the term with log_var"),
    Mistake("density", "this is the density itself; its logarithm is asked for",
            lambda x, m, v: gaussian_log_prob(x, m, v).exp()),
    Mistake("not-summed", "the sum over the dimensions is missing",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v.exp() + v + LOG_2_PI)),
    Mistake("half-on-square-only", "the factor 1/2 stands before the square alone: log_var and the constant have it "
            "too", lambda x, m, v: -(0.5 * (x - m) ** 2 / v.exp() + v + LOG_2_PI).sum(1), several=True),
    Mistake("variance-squared", "the square is divided by the square of the variance: exp(log_var) is sigma^2 already",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v.exp() ** 2 + v + LOG_2_PI).sum(1)),
    Mistake("multiplied", "the square is multiplied with the variance; it is divided by it",
            lambda x, m, v: -0.5 * ((x - m) ** 2 * v.exp() + v + LOG_2_PI).sum(1)),
    Mistake("absolute", "the absolute value of x - mean stands where its square belongs",
            lambda x, m, v: -0.5 * ((x - m).abs() / v.exp() + v + LOG_2_PI).sum(1)),
    Mistake("not-squared", "x - mean is not squared", lambda x, m, v: -0.5 * ((x - m) / v.exp() + v + LOG_2_PI).sum(1)),
    Mistake("log-var-for-var", "log_var stands wherever the variance belongs: it is the logarithm of it",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v + v.log() + LOG_2_PI).sum(1)),
    Mistake("dims-multiplied", "the logarithms of the dimensions are multiplied; the logarithm of a product is a sum",
            lambda x, m, v: (-0.5 * ((x - m) ** 2 / v.exp() + v + LOG_2_PI)).prod(1)),
    Mistake("log-var-sign", "log_var has the wrong sign: a wide density is a low one",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v.exp() - v + LOG_2_PI).sum(1)),
    Mistake("half-log-var", "half of log_var stands in the bracket: that would be log sigma, and the bracket has log "
            "sigma^2", lambda x, m, v: -0.5 * ((x - m) ** 2 / v.exp() + 0.5 * v + LOG_2_PI).sum(1)),
    Mistake("log-of-log-var", "the logarithm of log_var is taken: log_var is log sigma^2 already",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v.exp() + v.log() + LOG_2_PI).sum(1)),
    Mistake("half-exponent", "the variance is exp(log_var / 2) here: that is the standard deviation",
            lambda x, m, v: gaussian_log_prob(x, m, 0.5 * v)),
    Mistake("summed-over-examples", "this sums over the examples; sum over the dimensions",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v.exp() + v + LOG_2_PI).sum(0)),
    Mistake("summed-first", "each is summed before the square and the quotient: the bracket belongs to one dimension",
            lambda x, m, v: -0.5 * ((x - m).sum(1) ** 2 / v.exp().sum(1) + v.sum(1) + LOG_2_PI)),
    Mistake("minus-on-square-only", "the minus stands before the square alone: log_var and the constant have it too",
            lambda x, m, v: 0.5 * (-((x - m) ** 2) / v.exp() + v + LOG_2_PI).sum(1), several=True),
    Mistake("square-alone", "this is the square alone: log_var and the constant are missing",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v.exp()).sum(1), several=True),
    Mistake("square-missing", "the square is missing: this does not depend on x",
            lambda x, m, v: -0.5 * (v + LOG_2_PI + 0 * x).sum(1), "the square"),
    Mistake("d-is-batch", "d is taken as the number of examples; it is x.shape[1]",
            lambda x, m, v: -0.5 * (((x - m) ** 2 / v.exp() + v).sum(1) + len(x) * LOG_2_PI)),
    Mistake("log-var-twice", "log_var is counted twice: it is log sigma^2 already",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v.exp() + 2 * v + LOG_2_PI).sum(1)),
    *(Mistake(id, text, lambda x, m, v, c=c: -0.5 * ((x - m) ** 2 / v.exp() + v + c).sum(1)) for id, text, c in (
        ("constant-half-missing", "the factor 1/2 is missing in front of log 2 pi", 2 * LOG_2_PI),
        ("constant-halved", "the constant in the bracket is half of log 2 pi: the 1/2 in front is counted twice",
         0.5 * LOG_2_PI),
        ("log10", "log 2 pi is a natural logarithm, math.log; this one has base 10", math.log10(2 * math.pi)),
        ("log2-times-pi", "the constant is log(2) * pi; the logarithm of 2 pi belongs there", math.log(2) * math.pi),
        ("two-pi", "2 pi stands where its logarithm belongs", 2 * math.pi),
        ("log-pi", "the constant is log pi; the 2 is missing", math.log(math.pi)),
    )),
)  # fmt: skip

PART = Part(
    id="gaussian-log-prob",
    homework=2,
    title="the density of a diagonal Gaussian",
    points=2,
    trains="the constant, the variance from its logarithm, and a sum over the dimensions",
    unit="nats, one number for each example",
    make_cases=_log_prob_cases,
    make_edges=_edges,
    reference=gaussian_log_prob,
    mistakes=MISTAKES,
)
