"""Homework 3, part 5: the bound, without a single draw."""

import math
from typing import Any

import torch
from torch import Tensor

from lecture11.homework.observation import Case
from lecture11.homework.part import Draw, Mistake, Part, case, generic, with_places
from lecture11.homework.parts.e_step import e_step, linear_cases, linear_edges, with_single


@with_places
def _elbo_with(
    *,
    spread: float = 1.0,
    constant: float = 1.0,
    kl: Any = None,
    total: Any = lambda e: e,
    half: float = 0.5,
    sign: float = -1.0,
) -> Any:
    def elbo(x: Tensor, W: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
        d, k = W.shape
        residual = ((x - mean @ W.T) ** 2).sum(1) + spread * torch.trace(W @ covariance @ W.T)
        divergence = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - k - torch.logdet(covariance))
        if kl is not None:
            divergence = kl(mean, covariance, k)
        return total(-half * residual - constant * 0.5 * d * math.log(2 * math.pi) + sign * divergence)

    return elbo


linear_elbo = _elbo_with()


def _elbo_cases(d: Draw, linear: list[tuple[str, int, Tensor, Tensor]]) -> list[Case]:
    cases = []
    for name, b, x, W in linear:
        k = W.shape[1]
        root = d.normal(k, k, scale=0.5)
        args: dict[str, Any] = {
            "x": x,
            "W": W,
            "mean": d.normal(b, k),
            "covariance": (root @ root.T + 0.5 * torch.eye(k, dtype=W.dtype)).round(decimals=4),
        }
        cases.append(case(name, b, grad=("W", "mean"), **args))
    return cases


MISTAKES = (
    *generic(linear_elbo, "examples-averaged", "examples-summed", negated="this is minus the ELBO"),
    Mistake("spread-missing", "the spread of z is forgotten: E||x - W z||^2 is the square at the mean plus tr(W C W^T)",
            _elbo_with(spread=0.0), "tr(W C W^T)"),
    Mistake("constant-missing", "the constant -(d/2) log 2 pi is missing", _elbo_with(constant=0.0), "the constant"),
    Mistake("constant-once", "the constant log 2 pi is there once; each of the d coordinates has its own",
            lambda x, W, m, C: linear_elbo(x, W, m, C) + 0.5 * (len(W) - 1) * math.log(2 * math.pi)),
    Mistake("kl-added", "the KL is added; it is subtracted", _elbo_with(sign=1.0)),
    Mistake("logdet-sign", "the KL has log det C with the wrong sign",
            _elbo_with(kl=lambda m, C, k: 0.5 * ((m**2).sum(1) + torch.trace(C) - k + torch.logdet(C)))),
    Mistake("erratum-e6", "the factor 1/2 of the KL applies to ||m||^2 alone, as the lecture notes print it (erratum "
            "E6)", _elbo_with(kl=lambda m, C, k: 0.5 * (m**2).sum(1) + torch.trace(C) - k - torch.logdet(C))),
    Mistake("diagonal", "the KL knows only the diagonal of C: log det of a full matrix is not the sum of the "
            "logarithms of its diagonal",
            _elbo_with(kl=lambda m, C, k: 0.5 * ((m**2).sum(1) + torch.trace(C) - k - C.diagonal().log().sum()))),
    Mistake("k-missing", "the KL lacks its -k: for q = p it must be 0",
            _elbo_with(kl=lambda m, C, k: 0.5 * ((m**2).sum(1) + torch.trace(C) - torch.logdet(C))),
            "the -k of the KL"),
    Mistake("trace-missing", "the KL lacks the trace of C",
            _elbo_with(kl=lambda m, C, k: 0.5 * ((m**2).sum(1) - k - torch.logdet(C))), "tr C in the KL"),
    Mistake("half-missing", "the 1/2 in front of the squared error is missing", _elbo_with(half=1.0)),
    Mistake("kl-missing", "the KL is missing: this is the reconstruction alone",
            _elbo_with(kl=lambda m, C, k: 0 * m.sum(1)), "the KL"),
    Mistake("spread-summed", "all entries of W C W^T are summed; the trace has those of its diagonal alone",
            lambda x, W, m, C: linear_elbo(x, W, m, C) - 0.5 * ((s := W @ C @ W.T).sum() - s.trace())),
    Mistake("spread-outside", "tr(W C W^T) stands outside of the bracket: it has the factor -1/2 of the squared error "
            "too", lambda x, W, m, C: linear_elbo(x, W, m, C) + 1.5 * (W @ C @ W.T).trace()),
    Mistake("spread-sign", "tr(W C W^T) has the wrong sign: the spread of z makes the error larger",
            _elbo_with(spread=-1.0)),
    Mistake("spread-doubled", "tr(W C W^T) lacks the factor 1/2: it is a part of the squared error",
            _elbo_with(spread=2.0)),
    Mistake("trace-c", "tr C is added to the squared error; through W it becomes tr(W C W^T)",
            lambda x, W, m, C: _elbo_with(spread=0.0)(x, W, m, C) - 0.5 * torch.trace(C)),
    Mistake("product-of-sums", "tr(W C W^T) is not the product of two sums: multiply the matrices, then take the trace",
            lambda x, W, m, C: _elbo_with(spread=0.0)(x, W, m, C) - 0.5 * (W**2).sum() * torch.trace(C)),
    Mistake("spread-diagonal", "only the diagonal of C is used in tr(W C W^T); the latents are correlated",
            lambda x, W, m, C: _elbo_with(spread=0.0)(x, W, m, C) - 0.5 * (W**2 @ C.diagonal()).sum()),
    Mistake("spread-n-times", "tr(W C W^T) is counted n times; each example has it once",
            lambda x, W, m, C: _elbo_with(spread=float(len(x)))(x, W, m, C)),
    Mistake("constant-counts-latents", "the constant counts latents; it belongs to x: d, the number of its coordinates",
            lambda x, W, m, C: _elbo_with(constant=W.shape[1] / W.shape[0])(x, W, m, C)),
    Mistake("constant-sign", "the constant has the wrong sign", _elbo_with(constant=-1.0)),
    Mistake("constant-doubled", "the constant is -d log 2 pi: its 1/2 is missing", _elbo_with(constant=2.0)),
    Mistake("squares-averaged", "the squared error is averaged over the coordinates; it is a sum",
            lambda x, W, m, C: linear_elbo(x, W, m, C) + 0.5 * (1 - 1 / len(W)) * ((x - m @ W.T) ** 2).sum(1)),
    Mistake("kl-doubled", "the KL lacks its factor 1/2", _elbo_with(sign=-2.0)),
    Mistake("d-for-k", "the KL has d where k belongs: it lives in the space of the codes",
            lambda x, W, m, C: linear_elbo(x, W, m, C) + 0.5 * (W.shape[0] - W.shape[1])),
    Mistake("det", "the determinant stands where its logarithm belongs",
            _elbo_with(kl=lambda m, C, k: 0.5 * ((m**2).sum(1) + torch.trace(C) - k - torch.det(C)))),
    Mistake("length-not-squared", "the length of m is not squared in the KL",
            _elbo_with(kl=lambda m, C, k: 0.5 * (m.norm(dim=1) + torch.trace(C) - k - torch.logdet(C)))),
    Mistake("m-summed", "in the KL, ||m||^2 is summed over the examples; each has its own",
            _elbo_with(kl=lambda m, C, k: 0.5 * ((m**2).sum() + torch.trace(C) - k - torch.logdet(C)))),
    Mistake("log-evidence", "this is ln p(x), the bound at the best q; here q is given, and need not be the best",
            lambda x, W, m, C: linear_elbo(x, W, *e_step(x, W))),
    Mistake("error-not-squared", "the length of the error is not squared",
            lambda x, W, m, C: linear_elbo(x, W, m, C) + 0.5 * (r := (x - m @ W.T).norm(dim=1)) ** 2 - 0.5 * r),
    Mistake("squares-summed", "the squared error is summed over the examples too; each has its own",
            lambda x, W, m, C: linear_elbo(x, W, m, C) + 0.5 * (r := ((x - m @ W.T) ** 2).sum(1)) - 0.5 * r.sum()),
    Mistake("c-missing", "C is missing in tr(W C W^T): W alone does not know how far z spreads",
            lambda x, W, m, C: _elbo_with(spread=0.0)(x, W, m, C) - 0.5 * (W**2).sum()),
    Mistake("wm-twice", "||W m||^2 is counted again: with ||x - W m||^2, only tr(W C W^T) is left to add",
            lambda x, W, m, C: linear_elbo(x, W, m, C) - 0.5 * ((m @ W.T) ** 2).sum(1)),
    Mistake("wm-added", "W m is added to x; it is subtracted", lambda x, W, m, C: linear_elbo(-x, W, m, C)),
    Mistake("sum-of-c", "the KL has the sum of all entries of C; its trace is that of the diagonal",
            _elbo_with(kl=lambda m, C, k: 0.5 * ((m**2).sum(1) + C.sum() - k - torch.logdet(C)))),
    Mistake("logdet-doubled", "the KL has log det C twice as large: it is the logarithm of variances already",
            _elbo_with(kl=lambda m, C, k: 0.5 * ((m**2).sum(1) + torch.trace(C) - k - 2 * torch.logdet(C)))),
    Mistake("log-trace", "the KL has the logarithm of the trace; that of the determinant belongs there",
            _elbo_with(kl=lambda m, C, k: 0.5 * ((m**2).sum(1) + torch.trace(C) - k - torch.trace(C).log()))),
)  # fmt: skip

PART = Part(
    id="linear-elbo",
    homework=3,
    title="the bound, without a single draw",
    points=3,
    trains="the expectation of a square, and the KL of a full covariance",
    unit="nats, one number for each example",
    make_cases=lambda d: _elbo_cases(d, linear_cases(d)),
    make_edges=lambda d: with_single(_elbo_cases(d, linear_edges(d))),
    reference=linear_elbo,
    mistakes=MISTAKES,
)
