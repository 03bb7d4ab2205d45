"""How cases and results are printed: inputs whole, to be typed in; results with as many digits as differ."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from lecture11.homework.comparison import first_difference
from lecture11.homework.observation import Case, Given, Seeded
from lecture11.homework.variation import variation

WHOLE = 24  # entries of a result that are printed at most; of a larger one a few, from the first wrong one on
FEW = 6


def given(case: Case, seed: str | int) -> str:
    """The name of a case and its arguments, as Python that makes them."""
    lines = [f"{name} = {literal(value, seed)}" for name, value in case.args.items()]
    return f"case      {case.name}" + "".join(
        f"\n{'given' if i == 0 else '':<10}{line}" for i, line in enumerate(lines)
    )


def literal(value: Any, seed: str | int) -> str:
    """A value as Python that makes it; the student's own data by their names."""
    if isinstance(value, Tensor):
        for name in ("betas", "digits") if value.numel() > 100 else ():
            own = getattr(variation(seed), name)
            if own.shape == value.shape and torch.equal(own.to(value.dtype), value):
                single = "" if value.dtype == own.dtype else ".float()"
                return f"variation({str(seed)!r}).{name}{single}"
        dtype = "" if value.dtype in (torch.int64, torch.bool) else f", dtype={value.dtype}"
        return f"torch.tensor({_nested(value.numpy())}{dtype})"
    if isinstance(value, Seeded):
        return f"torch.Generator().manual_seed({value.seed})"
    if isinstance(value, Given):
        options = [repr(value.name), *(f"{name}={option}" for name, option in value.options.items())]
        return f"lecture11.homework.given.make({', '.join(options)})"
    return repr(value)


def _nested(array: Any) -> str:
    if array.ndim:
        return f"[{', '.join(map(_nested, array))}]"
    # The shortest decimals that are this number in its precision.
    return np.format_float_positional(array, trim="0") if array.dtype.kind == "f" and _plain(array) else str(array)


def _plain(number: Any) -> bool:
    return bool(number == 0 or 1e-4 <= abs(number) < 1e9)


def outcome(wanted: Any, got: Any) -> tuple[str, str]:
    """Both results, with as many digits as it takes to tell them apart, and from the first entry that differs on."""
    at = 0
    if isinstance(wanted, Tensor) and isinstance(got, Tensor) and got.shape == wanted.shape:
        at = first_difference(got, wanted) if wanted.numel() > WHOLE else 0
    texts = ("", "")
    for digits in (4, 7, 10, 13, 17):
        texts = _result(wanted, digits, at), _result(got, digits, at)
        if texts[0] != texts[1]:
            break
    return texts


def _result(value: Any, digits: int, at: int) -> str:
    if isinstance(value, list):
        return "; ".join(_result(item, digits, 0) for item in value[:4]) + ("; ..." if len(value) > 4 else "")
    if isinstance(value, Tensor):
        form = f"{tuple(value.shape)} {str(value.dtype).removeprefix('torch.')}"
        if value.numel() <= WHOLE:
            return f"{_rounded(value.tolist(), digits)}  {form}"
        few = ", ".join(_number(v, digits) for v in value.flatten()[at : at + FEW].tolist())
        return f"[{'..., ' if at else ''}{few}, ...]  {form}" + (f", from entry {at} on" if at else "")
    if isinstance(value, dict):
        return kind(value)
    return _number(value, digits) if isinstance(value, float) else repr(value)[:200]


def _rounded(values: Any, digits: int) -> str:
    if isinstance(values, list):
        return f"[{', '.join(_rounded(value, digits) for value in values)}]"
    return _number(values, digits)


def _number(value: float | int, digits: int) -> str:
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def kind(value: Any) -> str:
    """What a result is, in words."""
    if isinstance(value, Tensor):
        return "a tensor"
    if isinstance(value, bool | int | float):
        return "a number"
    if isinstance(value, list):
        # A list, a tuple, or what a function with ``yield`` gives.
        return "1 result, as in a list" if len(value) == 1 else f"{len(value)} results, as in a list"
    if isinstance(value, str):
        return "a text"
    name = {"none": "None", "other": value.get("type", "")}.get(value["kind"], value["kind"])
    if name.startswith("torch.Tensor, "):  # of a sort that cannot be compared
        return f"a tensor {name.removeprefix('torch.Tensor, ')}"
    return f"an object of type {name}" if value["kind"] == "other" else name
