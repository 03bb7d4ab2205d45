"""Homework 3, part 3: the E-step of a linear decoder."""

from typing import Any

import torch
from torch import Tensor

from lecture11.homework.cases import linear_cases, linear_edges, with_single
from lecture11.homework.observation import Case
from lecture11.homework.part import Mistake, Part, case, generic


def e_step(x: Tensor, W: Tensor) -> tuple[Tensor, Tensor]:
    covariance = torch.linalg.inv(torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W)
    return x @ W @ covariance, covariance


def _e_with(mean: Any = None, covariance: Any = None) -> Any:
    def answer(x: Tensor, W: Tensor) -> tuple[Tensor, Tensor]:
        right = e_step(x, W)
        eye = torch.eye(W.shape[1], dtype=W.dtype)
        return (
            right[0] if mean is None else mean(x, W, right[1], eye),
            right[1] if covariance is None else covariance(W, eye),
        )

    return answer


def _cases(linear: list[tuple[str, int, Tensor, Tensor]]) -> list[Case]:
    return [case(name, b, grad=("W",), x=x, W=W) for name, b, x, W in linear]


MISTAKES = (
    Mistake("precision-throughout", "the covariance is not inverted: I + W^T W is the precision; and the means are "
            "made with it", lambda x, W: (x @ W @ (P := torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W), P)),
    Mistake("precision", "the second result is the precision I + W^T W: its inverse is the covariance",
            _e_with(covariance=lambda W, eye: eye + W.T @ W)),
    Mistake("prior-forgotten", "the prior is forgotten: its precision I is added to W^T W. This is least squares",
            lambda x, W: (x @ torch.linalg.pinv(W).T, torch.linalg.inv(W.T @ W))),
    Mistake("means-unscaled", "the means are W^T x, not yet multiplied with the covariance",
            _e_with(mean=lambda x, W, C, eye: x @ W)),
    Mistake("means-least-squares", "the means are those of least squares: the prior draws "
            "them towards zero", _e_with(mean=lambda x, W, C, eye: x @ torch.linalg.pinv(W).T)),
    Mistake("means-by-precision", "the means are scaled with the precision in place of the "
            "covariance", _e_with(mean=lambda x, W, C, eye: x @ W @ (eye + W.T @ W))),
    Mistake("covariance-of-prior", "the covariance is that of the prior: seeing x leaves less",
            _e_with(covariance=lambda W, eye: eye)),
    Mistake("covariance-without-prior", "the covariance lacks the prior: I + W^T W is inverted, "
            "not W^T W", _e_with(covariance=lambda W, eye: torch.linalg.inv(W.T @ W))),
    Mistake("variances", "the second result holds only variances: the latents are correlated "
            "given x", _e_with(covariance=lambda W, eye: torch.linalg.inv(eye + W.T @ W).diagonal())),
    Mistake("root-of-covariance", "the second result is the root of the covariance",
            _e_with(covariance=lambda W, eye: torch.linalg.inv(eye + W.T @ W).sqrt())),
    *generic(e_step, order="both are right, in the wrong order: the means first, then the covariance"),
    Mistake("covariance-missing", "the covariance is missing: return the means and the covariance",
            lambda x, W: e_step(x, W)[0]),
    Mistake("d-by-d", "the covariance is (d, d): W W^T is a matrix of coordinates of x. That of the codes is (k, k)",
            lambda x, W: (x @ (C := torch.linalg.inv(torch.eye(len(W), dtype=W.dtype) + W @ W.T)) @ W, C)),
    Mistake("entries-inverted", "each entry is inverted alone, 1 / a; the inverse of a matrix is torch.linalg.inv",
            lambda x, W: (x @ W @ (C := 1 / (torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W)), C)),
    Mistake("ones-added", "1 is added to all entries; the identity, torch.eye, has it on the diagonal alone",
            lambda x, W: (x @ W @ (C := torch.linalg.inv(1 + W.T @ W)), C)),
    Mistake("subtracted", "W^T W is subtracted from I; precisions add",
            lambda x, W: (x @ W @ (C := torch.linalg.inv(torch.eye(W.shape[1], dtype=W.dtype) - W.T @ W)), C)),
    Mistake("means-twice", "the means are multiplied with it twice",
            _e_with(mean=lambda x, W, C, eye: x @ W @ C @ C)),
    Mistake("centred", "for the means x was centred: the model has mean zero already",
            _e_with(mean=lambda x, W, C, eye: (x - x.mean(0)) @ W @ C)),
    Mistake("cholesky", "this is the Cholesky factor of the precision; its inverse is asked for",
            lambda x, W: (x @ W @ (C := torch.linalg.cholesky(torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W)), C)),
    Mistake("covariance-repeated", "one covariance is the same for all points: return it once",
            lambda x, W: ((r := e_step(x, W))[0], r[1].expand(len(x), -1, -1))),
    Mistake("means-summed", "the means are summed over the points",
            _e_with(mean=lambda x, W, C, eye: (x @ W @ C).sum(0))),
    Mistake("n-times", "W^T W is multiplied with n: each point has a posterior of its own",
            lambda x, W: (x @ W @ (C := torch.linalg.inv(torch.eye(W.shape[1], dtype=W.dtype) + len(x) * W.T @ W)), C)),
    Mistake("diagonal-inverted", "only the diagonal of W^T W is inverted; the latents are correlated given x",
            lambda x, W: (x @ W @ (C := (1 / (1 + (W**2).sum(0))).diag()), C)),
    Mistake("prior-twice", "the prior's precision is I; here it is counted twice",
            lambda x, W: (x @ W @ (C := torch.linalg.inv(2 * torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W)), C)),
    Mistake("means-negated", "the means have the wrong sign",
            _e_with(mean=lambda x, W, C, eye: -x @ W @ C)),
    Mistake("means-averaged", "the means are averaged over the points",
            _e_with(mean=lambda x, W, C, eye: (x @ W @ C).mean(0))),
)  # fmt: skip

PART = Part(
    id="e-step",
    homework=3,
    title="the E-step of a linear decoder",
    points=3,
    trains="a Gaussian posterior: precision against covariance",
    unit="means (n, k), covariance (k, k)",
    make_cases=lambda d: _cases(linear_cases(d)),
    make_edges=lambda d: with_single(_cases(linear_edges(d))),
    reference=e_step,
    mistakes=MISTAKES,
)
