"""Are two results the same? Judges observations, and runs nothing that a student wrote.

An answer is compared with each known mistake. What runs most often has ``no_type_check``: the tests' checks of types
would be most of the time.
"""

from typing import Any, no_type_check

import numpy as np
import torch
from torch import Tensor

from lecture11.homework.observation import Observation


@no_type_check
def agree(got: Observation, wanted: Observation) -> bool:
    """The same result, or the same error."""
    if got.timed_out or wanted.timed_out or (got.error is None) != (wanted.error is None):
        return False
    if got.error is not None and wanted.error is not None:
        return (got.error.type, got.error.text) == (wanted.error.type, wanted.error.text)
    return same(result(got), result(wanted))


@no_type_check
def result(o: Observation) -> Any:
    """The result as tensors, numbers, texts and lists of these; what is none of them as its description."""
    return _built(o, o.structure)


@no_type_check
def _built(o: Observation, node: dict[str, Any]) -> Any:
    match node["kind"]:
        case "tensor":
            return o.tensors[node["at"]]
        case "number" | "text":
            return node["value"]
        case "list":
            return [_built(o, item) for item in node["items"]]
        case _:
            return node


@no_type_check
def same(got: Any, wanted: Any) -> bool:
    """Equal up to rounding, of the same shapes and dtypes. Where a number is wanted, a tensor of one element is one."""
    if isinstance(got, list) and isinstance(wanted, list):
        return len(got) == len(wanted) and all(map(same, got, wanted))
    if numeric(got) and numeric(wanted):
        x, y = as_tensor(got), as_tensor(wanted)
        if not isinstance(wanted, Tensor) and x.numel() == 1:
            x = x.reshape(())
        if x.shape != y.shape or (isinstance(got, Tensor) and isinstance(wanted, Tensor) and got.dtype != wanted.dtype):
            return False
        return close(x, y)
    return type(got) is type(wanted) and not isinstance(got, Tensor | list) and got == wanted


@no_type_check
def numeric(value: Any) -> bool:
    """A tensor or a number."""
    return isinstance(value, Tensor | bool | int | float)


@no_type_check
def as_tensor(value: Any) -> Tensor:
    """A number is a tensor without dimensions."""
    return value if isinstance(value, Tensor) else torch.tensor(float(value), dtype=torch.float64)


@no_type_check
def close(x: Tensor, y: Tensor) -> bool:
    """All entries are equal up to rounding, in the precision of both."""
    return bool(_close(x, y).all())


def first_difference(x: Tensor, y: Tensor) -> int:
    """The number of the first entry that differs, of two tensors of one shape; 0 where none does."""
    wrong = np.flatnonzero(~_close(x, y))
    return int(wrong[0]) if len(wrong) else 0


@no_type_check
def _close(x: Tensor, y: Tensor) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    exact = all(t.dtype in (torch.float64, torch.int64, torch.bool) for t in (x, y))
    relative, absolute = (1e-8, 1e-10) if exact else (2e-4, 2e-5)
    # In NumPy, which needs a fifth of the time for a few numbers: an answer is compared with each known mistake.
    a, b = x.double().numpy(), y.double().numpy()
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.abs(a - b) <= absolute + relative * np.abs(b)
    # inf or nan, which of them depends on the order of the operations.
    return np.asarray((near & np.isfinite(b)) | (~np.isfinite(a) & ~np.isfinite(b)))


def close_in_float32(got: Observation, wanted: Observation) -> bool:
    """Of double precision, and right to single precision; of several results, each."""
    return _close_in_float32(result(got), result(wanted))


def _close_in_float32(x: Any, y: Any) -> bool:
    if isinstance(x, list) and isinstance(y, list):
        return len(x) == len(y) and all(map(_close_in_float32, x, y))
    if not (isinstance(x, Tensor) and isinstance(y, Tensor) and x.shape == y.shape and x.dtype == y.dtype):
        return False
    return x.dtype == torch.float64 and torch.allclose(x, y, rtol=1e-5, atol=1e-6)


def has_numbers(o: Observation) -> bool:
    """Some number that is neither infinite nor nan, or something that is no number: what can be told apart."""
    return _has_numbers(result(o))


def _has_numbers(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_has_numbers, value))
    return not numeric(value) or bool(as_tensor(value).isfinite().any())


def finite(o: Observation) -> bool:
    """Neither infinite nor nan."""
    value = result(o)
    return not isinstance(value, Tensor) or bool(value.isfinite().all())


def relation(pairs: list[tuple[Observation, Observation]]) -> str:
    """One simple thing that all wrong numbers, the first of each pair, have in common with the right ones."""
    got, want = [], []
    for o, right in pairs:
        a, b = result(o), result(right)
        if not (isinstance(a, Tensor) and isinstance(b, Tensor) and a.shape == b.shape and a.dtype == b.dtype):
            return ""
        if a.dtype == torch.float64:
            got.append(a.flatten())
            want.append(b.flatten())
    if not got or sum(map(len, got)) < 3:
        return ""
    x, y = torch.cat(got), torch.cat(want)
    if not (x.isfinite().all() and y.isfinite().all()):
        return (
            "Not all of your numbers are finite: look for the root of a negative number, the logarithm of zero, "
            "exp of a large number."
        )
    used = y.abs() > 1e-9
    ratio = x[used] / y[used]
    if used.sum() >= 3 and close(ratio, ratio[:1].expand_as(ratio)) and close(x[~used], y[~used]):
        factor = ratio[0].item()
        if abs(factor) < 1e-12:
            return "All of your numbers are zero."
        return (
            "The sign is the wrong way round." if abs(factor + 1) < 1e-8 else f"Yours is {factor:.4g} times as large."
        )
    if (y > -1e-9).all() and (x >= 0).all():
        if close(x * x, y):
            return "Yours is the root of what is expected."
        if close(x, y * y):
            return "Yours is the square of what is expected."
    shift = x - y
    if close(shift, shift[:1].expand_as(shift)):
        return f"Yours differs by {shift[0].item():.4g} everywhere."
    return ""
