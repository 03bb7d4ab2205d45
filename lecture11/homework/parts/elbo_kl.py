"""Homework 2, part 2: the KL in closed form."""

from typing import Any

import torch
from torch import Tensor

from lecture11.homework.observation import Case
from lecture11.homework.part import WIDE, Draw, Mistake, Part, case, generic, in_float32, numbers


def elbo_kl(mu: Tensor, log_var: Tensor) -> Tensor:
    return 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1)


def _one(d: Draw, name: str, b: int, k: int) -> Case:
    return case(name, b, grad=("mu", "log_var"), mu=d.normal(b, k), log_var=d.normal(b, k))


def _kl_cases(d: Draw) -> list[Case]:
    k = d.size(2, 5)
    return [
        case("one number", 1, mu=numbers(0.6), log_var=numbers(0.5)),
        _one(d, "one example", 1, k),
        _one(d, "three examples, three latents", 3, 3),
        _one(d, "several examples", d.size(4, 6), k),
        in_float32(_one(d, "in single precision", 2, k)),
    ]


def _edges(d: Draw) -> list[Case]:
    wide: dict[str, Any] = {"mu": d.normal(1, 4), "log_var": WIDE}
    return [
        _one(d, "nine latents", 2, 9),
        case("log_var from -12.5 to 9: nothing is to be cut off, and nothing added", 1, grad=("log_var",), **wide),
        case("nine variances of exp(100)", 1, mu=d.normal(1, 9), log_var=numbers(*[100.0] * 9)),
    ]


MISTAKES = (
    *generic(elbo_kl, "examples-averaged", "examples-summed", "doubled",
             negated="the sign is reversed: a KL is never negative"),
    Mistake("dims-averaged", "you averaged over the latent dimensions; the KL is a sum",
            lambda mu, v: 0.5 * (mu**2 + v.exp() - 1 - v).mean(1)),
    Mistake("erratum-e6", "the factor 1/2 applies to ||mu||^2 alone, as the lecture notes print it without parentheses "
            "(erratum E6)", lambda mu, v: (0.5 * mu**2 + v.exp() - 1 - v).sum(1), several=True),
    Mistake("half-on-squares", "the factor 1/2 stands before ||mu||^2 and the trace alone; k and log det have it too",
            lambda mu, v: (0.5 * (mu**2 + v.exp()) - 1 - v).sum(1), several=True),
    Mistake("log-of-log-var", "this is what you get if log sigma^2 is taken for sigma^2: log_var is a logarithm",
            lambda mu, v: 0.5 * (mu**2 + v - 1 - v.log()).sum(1)),
    Mistake("trace-log-var", "the trace is taken over log_var; the variances belong there",
            lambda mu, v: 0.5 * (mu**2 + v - 1 - v).sum(1)),
    Mistake("log-std", "this is what you get if log_var is taken for log sigma: it is the logarithm of the variance",
            lambda mu, v: elbo_kl(mu, 2 * v)),
    Mistake("trace-std", "the trace holds standard deviations; it is the sum of the variances",
            lambda mu, v: 0.5 * (mu**2 + (0.5 * v).exp() - 1 - v).sum(1)),
    Mistake("k-missing", "the -k is missing: at mu = 0 and sigma = 1 the KL must be 0",
            lambda mu, v: 0.5 * (mu**2 + v.exp() - v).sum(1), "the -k"),
    Mistake("k-once", "k counts once for all: 1 is subtracted where k belongs",
            lambda mu, v: 0.5 * ((mu**2 + v.exp() - v).sum(1) - 1)),
    Mistake("not-squared", "the mean is not squared", lambda mu, v: 0.5 * (mu + v.exp() - 1 - v).sum(1)),
    Mistake("logdet-sign", "log det Sigma has the wrong sign", lambda mu, v: 0.5 * (mu**2 + v.exp() - 1 + v).sum(1)),
    Mistake("exchanged", "this is KL(p, q), with the densities exchanged: the expectation is under q",
            lambda mu, v: 0.5 * ((1 + mu**2) / v.exp() - 1 + v).sum(1)),
    Mistake("all-averaged", "everything is averaged, over the examples and the latents; sum over the latents, and keep "
            "the examples", lambda mu, v: 0.5 * (mu**2 + v.exp() - 1 - v).mean()),
    Mistake("not-summed", "the sum over the latents is missing", lambda mu, v: 0.5 * (mu**2 + v.exp() - 1 - v)),
    Mistake("summed-over-examples", "this sums over the examples; sum over the latents",
            lambda mu, v: 0.5 * (mu**2 + v.exp() - 1 - v).sum(0)),
    Mistake("k-is-batch", "k is taken as the number of examples; it is the number of latents, mu.shape[1]",
            lambda mu, v: 0.5 * ((mu**2 + v.exp() - v).sum(1) - len(mu))),
    Mistake("k-times-k", "k is subtracted for each latent, so k times: once is enough",
            lambda mu, v: 0.5 * (mu**2 + v.exp() - mu.shape[1] - v).sum(1)),
    Mistake("k-added", "k is added; it is subtracted", lambda mu, v: 0.5 * (mu**2 + v.exp() + 1 - v).sum(1)),
    Mistake("length-not-squared", "the length of mu is not squared",
            lambda mu, v: 0.5 * (mu.norm(dim=1) + (v.exp() - 1 - v).sum(1))),
    Mistake("logdet-missing", "log det Sigma is missing", lambda mu, v: 0.5 * (mu**2 + v.exp() - 1).sum(1),
            "log det Sigma"),
    Mistake("absolute", "the absolute value of mu stands where its square belongs",
            lambda mu, v: 0.5 * (mu.abs() + v.exp() - 1 - v).sum(1)),
    Mistake("trace-missing", "the trace of Sigma is missing", lambda mu, v: 0.5 * (mu**2 - 1 - v).sum(1), "tr Sigma"),
    Mistake("log-of-trace", "the logarithm of the trace stands where log det Sigma belongs, the sum of the logarithms",
            lambda mu, v: 0.5 * ((mu**2 + v.exp() - 1).sum(1) - v.exp().sum(1).log())),
    Mistake("logdet-product", "log det Sigma is the product of the log_var; the logarithm of a product is a sum",
            lambda mu, v: 0.5 * ((mu**2 + v.exp() - 1).sum(1) - v.prod(1))),
    Mistake("det", "the determinant is subtracted; its logarithm is to be",
            lambda mu, v: 0.5 * ((mu**2 + v.exp() - 1).sum(1) - v.exp().prod(1))),
    Mistake("det-overflows", "the determinant is multiplied out before its logarithm is taken: of many latents it "
            "over- or underflows",
            lambda mu, v: 0.5 * ((mu**2 + v.exp() - 1).sum(1) - v.exp().prod(1).log())),
    Mistake("half-exponent", "Sigma holds standard deviations; it holds variances: exp of log_var, not of its half",
            lambda mu, v: elbo_kl(mu, 0.5 * v)),
    Mistake("torch-trace", "torch.trace takes the (batch, k) for one matrix; each row is the diagonal of an example's "
            "own", lambda mu, v: 0.5 * ((mu**2 - 1 - v).sum(1) + torch.trace(v.exp()))),
    Mistake("sum-squared", "the mean is summed and then squared; ||mu||^2 is the sum of the squares",
            lambda mu, v: 0.5 * (mu.sum(1) ** 2 + (v.exp() - 1 - v).sum(1))),
    Mistake("logdet-outside", "log det Sigma stands outside of the bracket: it has the factor 1/2 too",
            lambda mu, v: 0.5 * (mu**2 + v.exp() - 1).sum(1) - v.sum(1)),
    Mistake("variance-squared", "the variances are squared in the trace: exp(log_var) is sigma^2 already",
            lambda mu, v: 0.5 * (mu**2 + v.exp() ** 2 - 1 - v).sum(1)),
    Mistake("mu-missing", "the term with ||mu||^2 is missing", lambda mu, v: 0.5 * (v.exp() - 1 - v).sum(1),
            "||mu||^2"),
    Mistake("half-logdet", "half of log det Sigma stands in the bracket: log det is the sum of log sigma^2",
            lambda mu, v: 0.5 * (mu**2 + v.exp() - 1 - 0.5 * v).sum(1)),
    Mistake("k-is-numel", "k is the size of all of mu; it is the number of latents, mu.shape[1]",
            lambda mu, v: 0.5 * ((mu**2 + v.exp() - v).sum(1) - mu.numel())),
)  # fmt: skip

PART = Part(
    id="elbo-kl",
    homework=2,
    title="the KL in closed form",
    points=2,
    trains="a formula with four terms, and what log_var is",
    unit="nats, one number for each example",
    make_cases=_kl_cases,
    make_edges=_edges,
    reference=elbo_kl,
    mistakes=MISTAKES,
)
