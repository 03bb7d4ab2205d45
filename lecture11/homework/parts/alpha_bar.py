"""Homework 4, part 1: what is left of the signal."""

from typing import Any

import torch
from torch import Tensor

from lecture11.homework.observation import Case
from lecture11.homework.part import Draw, Mistake, Part, alpha_bar, case, with_places


def _alpha_bar_cases(d: Draw) -> list[Case]:
    return [
        case("one step", betas=torch.tensor([0.2], dtype=torch.float64)),
        case("two steps", betas=torch.tensor([0.1, 0.3], dtype=torch.float64)),
        case("a schedule", betas=d.betas(d.size(4, 7))),
        case("a schedule in float32", betas=d.betas(5).float()),
    ]


def _edges(d: Draw) -> list[Case]:
    return [case("a long schedule: nothing is to be cut off", betas=d.betas(20))]


def _table(rows: Tensor) -> Tensor:
    return torch.cat([rows.new_ones(1), rows])


@with_places
def _with(*, rows: Any = lambda b: (1 - b).cumprod(0), table: Any = _table) -> Any:
    """The rows from 1 to T, of the betas, and how they become a table."""
    return lambda b: table(rows(b))


MISTAKES = (
    Mistake("row-0-missing", "row 0 is missing. alpha_bar(0) = 1, so that step t stands in row t and no index is ever "
            "shifted", _with(table=lambda rows: rows)),
    Mistake("product-of-betas", "you multiplied the betas. alpha_bar is a product of alphas, and alpha_t = 1 - beta_t",
            _with(rows=lambda b: b.cumprod(0))),
    Mistake("alphas", "these are the alphas themselves; alpha_bar_t is the product of all up to t",
            _with(rows=lambda b: 1 - b)),
    Mistake("sum-of-betas", "you summed the betas. The share of the signal that each step leaves multiplies what was "
            "left before", _with(rows=lambda b: 1 - b.cumsum(0))),
    Mistake("root", "this is the square root of alpha_bar: what multiplies x_0, not the table itself",
            _with(rows=lambda b: (1 - b).cumprod(0).sqrt())),
    Mistake("noise", "this is 1 - alpha_bar, the noise and not the signal",
            _with(rows=lambda b: 1 - (1 - b).cumprod(0))),
    Mistake("noise-in-row-0", "this is 1 - alpha_bar in all rows, the variance of the noise; row 0 is 1, and alpha_bar "
            "falls from there", lambda b: 1 - alpha_bar(b)),
    Mistake("zero-in-row-0", "row 0 is 0; nothing was done to the data yet, so that all of the signal is there: 1",
            _with(table=lambda rows: torch.cat([rows.new_zeros(1), rows]))),
    Mistake("row-0-at-the-end", "the 1 stands at the end; it belongs in front, so that step t stands in row t",
            _with(table=lambda rows: torch.cat([rows, rows.new_ones(1)]))),
    Mistake("mean-of-alphas", "these are means of the alphas; they are multiplied",
            _with(rows=lambda b: (1 - b).cumsum(0) / torch.arange(1, len(b) + 1).to(b))),
    Mistake("from-t-on", "row t is the product of the alphas after t; it is that of the alphas up to t",
            lambda b: _table((1 - b).flip(0).cumprod(0)).flip(0)),
    Mistake("first-alpha-twice", "alpha_1 is multiplied twice, and row 0 is alpha_1; it is 1, the product of no alphas",
            lambda b: torch.cat([1 - b[:1], 1 - b]).cumprod(0)),
    Mistake("first-twice", "row 0 is alpha_1 again; it is 1, the product of no alphas",
            lambda b: torch.cat([1 - b[:1], (1 - b).cumprod(0)])),
    Mistake("two-ones", "there are two rows of 1: the first step is in row 2, and it belongs in row 1",
            _with(table=lambda rows: torch.cat([rows.new_ones(2), rows]))),
    Mistake("two-ones-cut", "the table is late by one row: row 1 is 1 still, and the first step belongs there",
            _with(table=lambda rows: torch.cat([rows.new_ones(2), rows])[:-1])),
    Mistake("from-the-end", "the product begins with the last beta; alpha_bar_t is the product of the first t alphas",
            _with(rows=lambda b: (1 - b.flip(0)).cumprod(0))),
    Mistake("upside-down", "the table runs from T to 0; row 0 is alpha_bar_0 = 1",
            lambda b: alpha_bar(b).flip(0)),
    Mistake("plus", "1 + beta stands where alpha = 1 - beta belongs: the signal would grow",
            _with(rows=lambda b: (1 + b).cumprod(0))),
    Mistake("product-of-betas-taken-off", "this is 1 minus the product of the betas; the product of the (1 - beta) is "
            "another number", _with(rows=lambda b: 1 - b.cumprod(0))),
    Mistake("squares", "this is the product of the squares of the alphas",
            _with(rows=lambda b: (1 - b).cumprod(0) ** 2)),
    Mistake("exponential", "exp of minus the sum is close for small betas only: multiply the alphas",
            _with(rows=lambda b: (-b.cumsum(0)).exp())),
    Mistake("total", "this is the product of all alphas alone; collect it after each step", lambda b: (1 - b).prod()),
    Mistake("logs", "these are the logarithms of the table", lambda b: alpha_bar(b).log()),
    Mistake("sums-of-alphas", "the alphas are summed; they are multiplied", _with(rows=lambda b: (1 - b).cumsum(0))),
    Mistake("last-missing", "there is one row too few: the last step is not in the table",
            _with(table=lambda rows: _table(rows)[:-1])),
    Mistake("zeros", "the product begins with 0, and stays there; it begins with 1",
            lambda b: b.new_zeros(len(b) + 1)),
    Mistake("last-row-twice", "the last row is there twice: the 1 stands at the end of the product, not in front",
            lambda b: torch.cat([1 - b, b.new_ones(1)]).cumprod(0)),
    Mistake("last-row-1", "the last row is still 1: range stops before its end",
            lambda b: torch.cat([alpha_bar(b)[:-1], b.new_ones(1)])),
    Mistake("product-of-betas-from-1", "this is 1 minus the product of the betas; alpha_bar is the product of the "
            "(1 - beta)", lambda b: 1 - torch.cat([b.new_ones(1), b.cumprod(0)])),
    Mistake("betas", "these are the betas; alpha_bar_t is the product of all 1 - beta up to t", _table),
    Mistake("betas-squared", "the betas are squared in 1 - beta^2; alpha_t = 1 - beta_t",
            _with(rows=lambda b: (1 - b**2).cumprod(0))),
    Mistake("root-of-beta", "1 - sqrt(beta) stands where alpha = 1 - beta belongs",
            _with(rows=lambda b: (1 - b.sqrt()).cumprod(0))),
    Mistake("neighbours", "each row is the product of two neighbouring alphas; it is that of all alphas up to t",
            lambda b: _table((1 - b) * torch.cat([b.new_ones(1), 1 - b[:-1]]))),
    Mistake("first-beta-skipped", "the first beta is left out: betas[t - 1] belongs to step t, not betas[t]",
            lambda b: _table((1 - b[1:]).cumprod(0))),
    Mistake("first-beta-skipped-last-row-1", "betas[t] is taken for step t: the first beta is left out, and the last "
            "row is still 1", lambda b: torch.cat([_table((1 - b[1:]).cumprod(0)), b.new_ones(1)])),
    Mistake("one-over", "1/(1 + beta) is close to alpha for small betas only; alpha_t = 1 - beta_t",
            _with(rows=lambda b: (1 / (1 + b)).cumprod(0))),
)  # fmt: skip

PART = Part(
    id="alpha-bar",
    homework=4,
    title="what is left of the signal",
    points=1,
    trains="the table that the other parts start from, with its row 0",
    unit="",
    make_cases=_alpha_bar_cases,
    make_edges=_edges,
    reference=alpha_bar,
    mistakes=MISTAKES,
)
