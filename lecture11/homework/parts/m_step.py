"""Homework 3, part 4: the M-step of a linear decoder."""

import torch
from torch import Tensor

from lecture11.homework.cases import linear_cases, linear_edges, with_single
from lecture11.homework.observation import Case
from lecture11.homework.part import Mistake, Part, case
from lecture11.homework.parts.e_step import e_step


def m_step(x: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    return torch.linalg.solve(mean.T @ mean + len(x) * covariance, mean.T @ x).T


def _cases(linear: list[tuple[str, int, Tensor, Tensor]]) -> list[Case]:
    cases = []
    for name, b, x, W in linear:
        mean, covariance = (result.round(decimals=3) for result in e_step(x, W))
        cases.append(case(name, b, x=x, mean=mean, covariance=covariance))
    return cases


MISTAKES = (
    Mistake("certain-codes", "the codes are taken as certain: E[z z^T] = m m^T + C, and C is missing",
            lambda x, m, C: torch.linalg.solve(m.T @ m, m.T @ x).T),
    Mistake("c-once", "C is added once; each of the n examples has its own",
            lambda x, m, C: torch.linalg.solve(m.T @ m + C, m.T @ x).T),
    Mistake("one-divided", "one sum is divided by n and the other is not",
            lambda x, m, C: torch.linalg.solve(m.T @ m / len(x) + C, m.T @ x).T),
    Mistake("other-divided", "one sum is divided by n and the other is not: n C is in it, and the sum with x is a mean",
            lambda x, m, C: torch.linalg.solve(m.T @ m + len(x) * C, m.T @ x / len(x)).T),
    Mistake("transposed", "this is W^T: its shape is to be (d, k)", lambda x, m, C: m_step(x, m, C).T),
    Mistake("multiplied", "the matrix of second moments is multiplied; the normal equations are solved with its "
            "inverse", lambda x, m, C: x.T @ m @ (m.T @ m + len(x) * C)),
    Mistake("inverse-added", "the inverse of C is added: C is a covariance already",
            lambda x, m, C: torch.linalg.solve(m.T @ m + len(x) * torch.linalg.inv(C), m.T @ x).T),
    Mistake("c-subtracted", "C is subtracted; E[z z^T] = m m^T + C",
            lambda x, m, C: torch.linalg.solve(m.T @ m - len(x) * C, m.T @ x).T),
    Mistake("identity", "an identity is added in place of C, as in ridge regression",
            lambda x, m, C: torch.linalg.solve(m.T @ m + len(x) * torch.eye(len(C), dtype=C.dtype), m.T @ x).T),
    Mistake("second-moments-missing", "the second moments are missing: this is X^T M alone", lambda x, m, C: x.T @ m),
    Mistake("second-moments-n", "this is X^T M / n: the second moments are missing", lambda x, m, C: x.T @ m / len(x)),
    Mistake("c-d-times", "C is added d times, the number of coordinates; it belongs to the n examples",
            lambda x, m, C: torch.linalg.solve(m.T @ m + x.shape[1] * C, m.T @ x).T),
    Mistake("c-k-times", "C is added k times, the number of latents; it belongs to the n examples",
            lambda x, m, C: torch.linalg.solve(m.T @ m + m.shape[1] * C, m.T @ x).T),
    Mistake("c-outside", "n C is added after the inverse; it belongs inside",
            lambda x, m, C: x.T @ m @ (torch.linalg.inv(m.T @ m) + len(x) * C)),
    Mistake("c-diagonal", "only the diagonal of C is added; all of it enters",
            lambda x, m, C: torch.linalg.solve(m.T @ m + len(x) * C.diagonal().diag(), m.T @ x).T),
    Mistake("c-as-row", "the diagonal of C is added as a row, to each row of the matrix: C is a matrix",
            lambda x, m, C: x.T @ m @ torch.linalg.inv(m.T @ m + len(x) * C.diagonal())),
    Mistake("inner-product", "m @ m.T of one point is a number, added to all entries of C; m m^T is a matrix: "
            "torch.outer", lambda x, m, C: torch.linalg.solve((m**2).sum() + len(x) * C, m.T @ x).T),
    Mistake("products-of-sums", "the products of the sums stand where the sums of the products belong",
            lambda x, m, C: (
                torch.outer(x.sum(0), m.sum(0)) @ torch.linalg.inv(torch.outer(m.sum(0), m.sum(0)) + len(x) * C)
            )),
    Mistake("first-point", "only the first point is used", lambda x, m, C: m_step(x[:1], m[:1], C)),
    Mistake("c-squared", "C is squared; it is a covariance already",
            lambda x, m, C: torch.linalg.solve(m.T @ m + len(x) * C**2, m.T @ x).T),
    Mistake("centred", "x was centred: the model has mean zero already", lambda x, m, C: m_step(x - x.mean(0), m, C)),
    Mistake("m-n-times", "the sum of m m^T is multiplied with n too; only C is the same for all",
            lambda x, m, C: torch.linalg.solve(len(x) * (m.T @ m + C), m.T @ x).T),
    Mistake("c-divided", "C is divided by n; it is added n times",
            lambda x, m, C: torch.linalg.solve(m.T @ m + C / len(x), m.T @ x).T),
    Mistake("both-divided", "both sums are divided by n, and n C is not",
            lambda x, m, C: torch.linalg.solve(m.T @ m / len(x) + len(x) * C, m.T @ x / len(x)).T),
    Mistake("entries-inverted", "each entry is inverted alone, 1 / a; the inverse of a matrix is torch.linalg.inv",
            lambda x, m, C: x.T @ m @ (1 / (m.T @ m + len(x) * C))),
    Mistake("identity-too", "an identity is added beside n C: W has no prior",
            lambda x, m, C: torch.linalg.solve(m.T @ m + len(x) * C + torch.eye(len(C), dtype=C.dtype), m.T @ x).T),
    Mistake("m-missing", "m m^T is missing: E[z z^T] = m m^T + C",
            lambda x, m, C: torch.linalg.solve(len(x) * C, m.T @ x).T),
    Mistake("means-centred", "the means are centred in the second sum: E[z z^T] is no covariance",
            lambda x, m, C: torch.linalg.solve((m - m.mean(0)).T @ (m - m.mean(0)) + len(x) * C, m.T @ x).T),
    Mistake("c-n-minus-1", "C is added n - 1 times; each of the n examples has its own",
            lambda x, m, C: torch.linalg.solve(m.T @ m + (len(x) - 1) * C, m.T @ x).T),
)  # fmt: skip

PART = Part(
    id="m-step",
    homework=3,
    title="the M-step of a linear decoder",
    points=3,
    trains="least squares with uncertain codes",
    unit="W of shape (d, k)",
    make_cases=lambda d: _cases(linear_cases(d)),
    make_edges=lambda d: with_single(_cases(linear_edges(d))),
    reference=m_step,
    mistakes=MISTAKES,
)
