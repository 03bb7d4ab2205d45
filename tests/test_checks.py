"""The one mechanism that checks arguments, and the few checks that look at values."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import jaxtyping
import numpy as np
import pytest
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

import lecture11
from lecture11 import checks
from lecture11.checks import Count, Finite, checked


@dataclass
class Law:
    means: Float[Tensor, "m d"]

    @checked
    def at(self, x: Float[Tensor, "batch d"]) -> None: ...


@checked
def shaped(
    x: Float[Tensor, "batch *dims"],
    eps: Float[Tensor, "batch *dims"] | None = None,
    *,
    many: Float[Tensor, "k batch _"] | None = None,
    pair: Float[Tensor, "2 2"] | None = None,
    t: int | Int[Tensor, ""] | Int[Tensor, " batch"] = 1,
) -> int | Tensor:
    return t


@checked
def valued(
    k: Count = 1,
    s: Finite | Float[Tensor, " n"] = 0.0,
    way: Literal["up", "down"] = "up",
    sizes: Sequence[Count] = (),
    pair: tuple[int, str] = (0, ""),
    f: Callable[[int], int] = abs,
    rows: Mapping[str, Float[Tensor, " n"]] | None = None,
    layer: type[nn.Module] = nn.SiLU,
    law: Law | None = None,
    *more: Count,
) -> Any:
    return k, s, sizes, more


X = torch.zeros(3, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"x": X.long()},
            r"x must be a tensor of real numbers, got a tensor of torch.int64: .*x.float\(\) / 127.5 - 1",
        ),
        ({"x": X.numpy()}, r"x must be .*got a NumPy array of float32: take torch.from_numpy\(x\)"),
        ({"x": X.tolist()}, r"got a list: take torch.tensor\(x\)"),
        ({"x": X.to(torch.complex64)}, r"got a tensor of torch.complex64: take x.real"),
        ({"x": torch.tensor(1.0)}, r"x must have the shape \(batch, \*dims\); got \(\)"),
        ({"x": X[:0]}, "x is empty"),
        ({"x": X, "eps": X[:1]}, r"eps must have .* batch = 3 as in x, \*dims = \(2,\) as in x; got \(1, 2\)"),
        ({"x": X, "eps": X[:, :1]}, r"got \(3, 1\)"),
        ({"x": X, "eps": X[None]}, r"got \(1, 3, 2\)"),
        ({"x": X, "many": X[None, :2]}, r"many must have the shape \(k, batch, _\), where batch = 3 as in x"),
        ({"x": X, "pair": X}, r"pair must have the shape \(2, 2\); got \(3, 2\)"),
        ({"x": X, "t": torch.tensor([1, 2])}, r"t must have the shape \(batch\), where batch = 3 as in x; got \(2,\)"),
        ({"x": X, "t": 1.5}, "t must be an integer or a tensor of integers, got the float 1.5"),
        ({"x": X, "t": torch.ones(3)}, r"t must be .*got a tensor of torch.float32: take t.long\(\)"),
        ({"x": X, "t": True}, "got the bool True"),
    ],
)
def test_what_does_not_fit_the_signature_is_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        shaped(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 0}, "k is a count, at least 1; got 0"),
        ({"k": 2.0}, "k must be an integer, got the float 2.0"),
        ({"k": "5"}, "k must be an integer, got the str '5'"),
        ({"k": True}, "k must be an integer, got the bool True"),
        ({"s": float("nan")}, "s must be a finite number, got nan"),
        ({"s": "0.5"}, "s must be a real number or a tensor of real numbers, got the str"),
        ({"way": "sideways"}, "way must be 'up' or 'down', got 'sideways'"),
        ({"sizes": "12"}, "sizes must be a list"),
        ({"sizes": [2, 0]}, r"sizes\[1\] is a count"),
        ({"sizes": 3}, "sizes must be a list, each entry an integer, got the int 3"),
        ({"pair": [0, ""]}, "pair must be a tuple of 2"),
        ({"pair": (0, 1)}, r"pair\[1\] must be a text"),
        ({"f": 3}, "f must be a function"),
        ({"rows": {"a": [1.0]}}, r"rows must be a mapping|rows\['a'\] must be a tensor"),
        ({"layer": nn.SiLU()}, "layer must be a class, a kind of Module"),
        ({"law": X}, "law must be a .* Law"),
    ],
)
def test_numbers_and_choices_are_named_too(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        valued(**arguments)


def test_what_fits_passes_and_numbers_of_numpy_become_python_s() -> None:
    assert torch.equal(shaped(X, X, many=torch.zeros(5, 3, 7), t=torch.tensor([1, 2, 3])), torch.tensor([1, 2, 3]))
    assert type(shaped(X[:, 0], t=np.int64(4))) is int  # dims may be none
    k, s, sizes, more = valued(np.int32(3), 2, "down", np.array([4, 5]), (0, ""), abs, None, nn.Tanh, None, np.int64(6))
    assert (k, s, sizes, more) == (3, 2.0, [4, 5], (6,))
    assert [type(v) for v in (k, s, sizes[0], more[0])] == [int, float, int, int]
    weight = torch.tensor(0.5, requires_grad=True)
    assert valued(s=weight)[1] is weight


def test_fields_of_a_dataclass_fix_the_sizes() -> None:
    law = Law(torch.zeros(4, 2))
    law.at(X)
    with pytest.raises(ValueError, match=r"x must have the shape \(batch, d\), where d = 2 as in means; got \(2, 3\)"):
        law.at(X.T)


def test_an_annotation_that_nobody_could_check_is_refused_at_once() -> None:
    def f(x: "int | mystery") -> None: ...  # type: ignore[name-defined]

    with pytest.raises(TypeError, match=r"no check is known for the annotation .int \| mystery."):
        checked(f)


def test_a_model_in_another_precision_is_named_but_not_under_autocast() -> None:
    model = nn.Linear(2, 2)
    with pytest.raises(
        TypeError, match=r"x must have the dtype of the model's weights, torch.float32, got torch.float64"
    ):
        checks.fits_module(model, x=X.double())
    checks.fits_module(model, x=X)
    checks.fits_module(lambda x: x, x=X.double())
    with torch.autocast("cpu", torch.bfloat16):
        checks.fits_module(model, x=X.bfloat16())


def test_a_generator_on_another_device_is_named() -> None:
    checks.generator_on(torch.device("cpu"), torch.Generator())
    checks.generator_on(torch.device("cuda", 0), None)
    with pytest.raises(ValueError, match=r"on cuda:0, but lives on cpu: make it with torch.Generator\('cuda:0'\)"):
        checks.generator_on(torch.device("cuda", 0), torch.Generator())


GREY = torch.linspace(0, 1, 12).reshape(3, 4)


@pytest.mark.parametrize("x", [GREY, 255 * GREY, 1.1 * (2 * GREY - 1), X / 0, 255 * GREY - 100])
def test_pixels_in_another_range_are_seen(x: Tensor) -> None:
    for levels in (None, 256):
        with pytest.raises(ValueError, match=r"x: pixels must lie in \[-1, 1\], got .* take 2 x - 1, for bytes"):
            checks.signed_pixels(levels, x=x)


@pytest.mark.parametrize(
    ("x", "levels"),
    [(2 * GREY - 1, 256), (X + 1, 256), (X, 256), (torch.tensor([[1.0], [0.0]]), 3), (-GREY, None)],
    ids=["grey", "white", "of one value", "on the grid", "dark"],
)
def test_pixels_in_their_range_pass(x: Tensor, levels: int | None) -> None:
    checks.signed_pixels(levels, x=x)


def test_samples_may_leave_the_range_but_not_have_another() -> None:
    checks.signed_pixels(strict=False, samples=3 * (2 * GREY - 1))
    for wrong in (GREY, 255 * GREY, (2 * GREY - 1) / 0):
        with pytest.raises(ValueError, match="samples: pixels must lie"):
            checks.signed_pixels(strict=False, samples=wrong)


SHAPES = """
from collections.abc import Iterator
from jaxtyping import Float
from torch import Tensor

def turned(x: Float[Tensor, "a b"], same: "Unknown" = None) -> Float[Tensor, "b a"]:
    return x

def one_by_one(x: Float[Tensor, "a b"], y: Float[Tensor, "a b"]) -> Iterator[Tensor]:
    yield x
"""


def test_in_the_tests_every_function_checks_its_shapes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """conftest.py: of what comes in and of what goes out, without ``@checked``; a generator's when it is called."""
    (tmp_path / "unchecked.py").write_text(SHAPES)
    monkeypatch.setattr(lecture11, "__path__", [*lecture11.__path__, str(tmp_path)])
    unchecked = importlib.import_module("lecture11.unchecked")
    assert unchecked.turned(torch.ones(2, 2)).shape == (2, 2)
    assert unchecked.turned(torch.ones(3, 3), same=1).shape == (3, 3)  # the sizes of the last call are forgotten
    with pytest.raises(TypeError, match="return"):
        unchecked.turned(torch.ones(2, 3))
    with pytest.raises(TypeError, match="x="):
        unchecked.turned(torch.ones(2))
    with pytest.raises(TypeError, match="y"):
        unchecked.one_by_one(torch.ones(2, 3), torch.ones(2, 4))
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    assert unchecked.turned(torch.ones(2, 3)).shape == (2, 3)
