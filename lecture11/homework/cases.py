"""What the cases of several parts are made of: noised examples, data for a linear decoder, weights of draws."""

from typing import Any

import torch
from torch import Tensor

from lecture11.homework.observation import Case
from lecture11.homework.part import Draw, alpha_bar, case, in_float32


def spread(d: Draw, n: int, dim: int) -> Tensor:
    """Points with directions of different size and a mean far from zero: nothing is ambiguous."""
    x = d.normal(n, dim) * (1 + torch.arange(dim, dtype=torch.float64)) + d.normal(1, dim, scale=3.0)
    return x.round(decimals=2)


def _table(d: Draw) -> Tensor:
    return alpha_bar(d.betas(d.size(5, 8))).round(decimals=4)


def _noised(d: Draw, name: str, second: str, table: Tensor, b: int, t: Tensor, *dims: int) -> Case:
    args: dict[str, Any] = {"alpha_bar": table, second: d.normal(b, *dims), "t": t, "eps": d.normal(b, *dims)}
    return case(name, b, grad=(second, "eps"), **args)


def noised_cases(d: Draw, *, second: str = "x_0") -> list[Case]:
    table = _table(d)
    T = len(table) - 1

    def one(name: str, b: int, t: Tensor, *dims: int) -> Case:
        return _noised(d, name, second, table, b, t, *dims)

    side = d.size(2, 4)
    short = torch.tensor([1, 0.8, 0.3], dtype=torch.float64)
    first: dict[str, Any] = {
        "alpha_bar": short,
        second: torch.tensor([[0.6]], dtype=torch.float64),
        "t": torch.tensor([2]),
        "eps": torch.tensor([[-1.2]], dtype=torch.float64),
    }
    return [
        case("one number, T = 2", 1, **first),
        one("all at t = 1", 2, torch.ones(2, dtype=torch.int64), 2),
        one("three points in the plane", 3, torch.tensor([1, T, 2]), 2),
        one("as many points as dimensions", 3, torch.tensor([3, 1, T]), 3),
        one("two small images", 2, torch.tensor([T, 3]), 1, side, side),
        in_float32(one("four points", 4, d.steps(T, 4), 2)),
    ]


def noised_edges(d: Draw, *, second: str = "x_0") -> list[Case]:
    """More dimensions, and more than one channel."""
    table, t = _table(d), torch.tensor([4, 2])
    return [
        _noised(d, "nine dimensions", second, table, 2, t, 9),
        _noised(d, "images with three channels", second, table, 2, t, 3, 2, 2),
    ]


def linear_cases(d: Draw) -> list[tuple[str, int, Tensor, Tensor]]:
    """Names, numbers of points, points and decoders."""
    k, dim = d.size(2, 3), d.size(4, 6)
    tiny = (torch.tensor([[2.0, 1.0]], dtype=torch.float64), torch.tensor([[1.0], [0.5]], dtype=torch.float64))
    return [
        ("one point, d = 2, k = 1", 1, *tiny),
        ("three points, d = 3, k = 2", 3, d.normal(3, 3), d.normal(3, 2)),
        (f"several points, d = {dim}, k = {k}", 6, d.normal(6, dim), d.normal(dim, k)),
        (f"more points, d = {dim}, k = {k}", 9, d.normal(9, dim), d.normal(dim, k)),
    ]


def linear_edges(d: Draw) -> list[tuple[str, int, Tensor, Tensor]]:
    """The same, with more dimensions than points; the last one is for single precision."""
    return [
        ("two points, d = 8, k = 3", 2, d.normal(2, 8), d.normal(8, 3)),
        ("single precision", 4, d.normal(4, 3), d.normal(3, 2)),
    ]


def with_single(cases: list[Case]) -> list[Case]:
    """The last case in single precision."""
    return [*cases[:-1], in_float32(cases[-1])]


def log_weight_cases(d: Draw, *, grad: bool) -> list[Case]:
    def one(name: str, k: int, b: int, shift: Tensor | float = 0.0) -> Case:
        return case(name, b, grad=("log_w",) if grad else (), log_w=d.normal(k, b) + shift)

    small = torch.tensor([[-1.0], [-2.0]], dtype=torch.float64)
    return [
        case("two draws, one example", 1, log_w=small),
        one("several draws, one example", d.size(4, 6), 1),
        one("as many draws as examples", 3, 3),
        one("more draws than examples", d.size(5, 7), 2),
        one("weights as small as those of images", 5, 3, -2000.0),
        one("two examples, 2000 nats apart", 4, 2, torch.tensor([-2000.0, 0.0], dtype=torch.float64)),
        one("four draws, one 2000 nats above the others", 4, 1, torch.tensor([[0.0], [-2000], [-2000], [-2000]])),
        in_float32(one("in single precision", 4, 2)),
    ]


def log_weight_edges(d: Draw, *, grad: bool) -> list[Case]:
    large, last = d.normal(4, 2) + 2000, torch.tensor([[-2000.0], [-2000.0], [-2000.0], [0.0]], dtype=torch.float64)
    return [
        case("weights as large as exp(2000)", 2, grad=("log_w",) if grad else (), log_w=large),
        case("four draws, the last one 2000 nats above the others", 1, log_w=last),
    ]
