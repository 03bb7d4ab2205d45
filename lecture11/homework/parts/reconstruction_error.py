"""Homework 1, part 1: the error of a reconstruction."""

from typing import Any

import torch
from torch import Tensor

from lecture11.homework.observation import Case
from lecture11.homework.part import Draw, Mistake, Part, case, generic, in_float32


def reconstruction_error(x: Tensor, x_tilde: Tensor) -> Tensor:
    return ((x - x_tilde) ** 2).flatten(1).sum(1)


def _error(d: Draw, name: str, b: int, *dims: int) -> Case:
    return case(name, b, grad=("x_tilde",), x=d.normal(b, *dims), x_tilde=d.normal(b, *dims))


def _error_cases(d: Draw) -> list[Case]:
    side = d.size(2, 4)
    tiny: dict[str, Any] = {
        "x": torch.tensor([[1.0, 2.0]], dtype=torch.float64),
        "x_tilde": torch.tensor([[0.5, 4.0]], dtype=torch.float64),
    }
    return [
        case("one point in the plane", 1, **tiny),
        _error(d, "three points in three dimensions", 3, 3),
        _error(d, "several points", d.size(4, 6), 2),
        _error(d, "two small images", 2, 1, side, side + 1),
        in_float32(_error(d, "single precision", 3, 2)),
    ]


def _edges(d: Draw) -> list[Case]:
    return [_error(d, "nine dimensions", 2, 9), _error(d, "an image with three channels", 1, 3, 2, 2)]


MISTAKES = (
    *generic(reconstruction_error, "examples-averaged", "examples-summed",
             root="this is the length; its square is asked for"),
    Mistake("dims-averaged", "you averaged over the dimensions; the squared length of a vector is a sum",
            lambda x, y: ((x - y) ** 2).flatten(1).mean(1)),
    Mistake("absolute", "these are absolute values; squares are asked for",
            lambda x, y: (x - y).abs().flatten(1).sum(1)),
    Mistake("not-squared", "the square is missing: errors of both signs cancel",
            lambda x, y: (x - y).flatten(1).sum(1)),
    Mistake("sum-squared", "the sum is squared; square first, then sum: otherwise errors of both signs cancel",
            lambda x, y: (x - y).flatten(1).sum(1) ** 2),
    Mistake("all-averaged", "this is one mean over everything; return one number for each example, summed over its "
            "dimensions", lambda x, y: ((x - y) ** 2).mean()),
    Mistake("not-summed", "the sum over the dimensions is missing", lambda x, y: (x - y) ** 2),
    Mistake("last-dim-summed", "only the last dimension is summed: an image has three (channel, height, width)",
            lambda x, y: ((x - y) ** 2).sum(-1)),
    Mistake("dim-1-summed", "only dimension 1 is summed: an image has three (channel, height, width)",
            lambda x, y: ((x - y) ** 2).sum(1)),
    Mistake("summed-over-examples", "this sums over the examples; sum over the dimensions",
            lambda x, y: ((x - y) ** 2).flatten(1).sum(0)),
    Mistake("sum-of-squares", "this is the sum of two squared lengths; asked for is the squared length of the "
            "difference", lambda x, y: (x**2 + y**2).flatten(1).sum(1)),
    Mistake("added", "x and x_tilde are added; they are subtracted", lambda x, y: ((x + y) ** 2).flatten(1).sum(1)),
    Mistake("difference-of-squares", "this is the difference of two squared lengths; asked for is the squared length "
            "of the difference", lambda x, y: (x**2 - y**2).flatten(1).sum(1)),
)  # fmt: skip

PART = Part(
    id="reconstruction-error",
    homework=1,
    title="the error of a reconstruction",
    points=1,
    trains="sums against means, and shapes: one number for each example",
    unit="one number for each example",
    make_cases=_error_cases,
    make_edges=_edges,
    reference=reconstruction_error,
    mistakes=MISTAKES,
)
