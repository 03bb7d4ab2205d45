"""Are two results the same? Judges observations, and runs nothing that a student wrote.

An answer is compared with each known mistake. What runs most often has ``no_type_check``: the tests' checks of types
would be most of the time.
"""

import math
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


def relation(pairs: list[tuple[Any, Any]]) -> tuple[str, str] | None:
    """One simple thing that all numbers, of the first result of each pair, have in common with the right ones.

    Returns:
        Its name, and a sentence.
    """
    got, want = [], []
    for a, b in pairs:
        if not (isinstance(a, Tensor) and isinstance(b, Tensor) and a.shape == b.shape and a.dtype == b.dtype):
            return None
        if a.dtype == torch.float64:
            got.append(a.flatten())
            want.append(b.flatten())
    if not got or sum(map(len, got)) < 3:
        return None
    x, y = torch.cat(got), torch.cat(want)
    if not (x.isfinite().all() and y.isfinite().all()):
        return None
    used = y.abs() > 1e-9
    ratio = x[used] / y[used]
    if used.sum() >= 3 and close(ratio, ratio[:1].expand_as(ratio)) and close(x[~used], y[~used]):
        factor = ratio[0].item()
        if abs(factor - 1) < 1e-6:
            return None  # right in these cases
        if abs(factor) < 1e-12:
            return "zero", "all of your numbers are zero"
        if abs(factor + 1) < 1e-8:
            return "negated", "the sign is the wrong way round"
        return "factor", f"all of your numbers are {factor:.4g} times as large as they should be"
    if (y > -1e-9).all() and (x >= 0).all():
        if close(x * x, y):
            return "root", "this is the root of what is asked for"
        if close(x, y * y):
            return "square", "this is the square of what is asked for"
    if used.sum() >= 3 and close(x[used] * y[used], torch.ones_like(x[used])):
        return "inverse", "this is 1 over what is asked for"
    shift = x - y
    if close(shift, shift[:1].expand_as(shift)):
        return "shifted", f"all of your numbers differ by {shift[0].item():.4g} from what is asked for"
    return None


def of_a_size(triples: list[tuple[dict[str, Any], Observation, Observation]]) -> tuple[str, str] | None:
    """A size of an argument by which all numbers are too small or too large: mostly a mean in place of a sum."""
    ratios, rows = [], []
    for args, o, right in triples:
        a, b = result(o), result(right)
        if not (isinstance(a, Tensor) and isinstance(b, Tensor) and a.shape == b.shape and a.dtype == b.dtype):
            return None
        used = b.abs() > 1e-9
        if a.dtype != torch.float64 or not used.any():
            continue
        ratio = a[used] / b[used]
        if not (ratio.isfinite().all() and close(ratio, ratio[:1].expand_as(ratio)) and close(a[~used], b[~used])):
            return None
        ratios.append(ratio[0].item())
        rows.append(_sizes(args))
    for name in rows[0] if rows else ():
        sizes = [row.get(name, 0) for row in rows]
        if len(set(sizes)) < 2 or not all(sizes):
            continue
        if all(abs(ratio * size - 1) < 1e-8 for ratio, size in zip(ratios, sizes, strict=True)):
            return "divided-by-size", f"all of your numbers are divided by {name}: is a mean taken where a sum belongs?"
        if all(abs(ratio / size - 1) < 1e-8 for ratio, size in zip(ratios, sizes, strict=True)):
            return "times-size", f"all of your numbers are multiplied with {name}: is a sum taken where a mean belongs?"
    return None


def product_of(ratio: Tensor, quantities: dict[str, Tensor]) -> str | None:
    """A ratio in words: a constant, or one or two powers of quantities, times 1/2, 1, 2 or -1.

    Of different ratios there are at least four: a product of two powers does not agree with so many by chance.
    """
    if len(ratio) < 4 or not ratio.isfinite().all() or not ratio.all():
        return None
    if close(ratio, ratio[:1].expand_as(ratio)):
        return f"{ratio[0].item():.4g}"
    if not quantities or len(ratio.unique()) < 4:
        return None
    powers = [(name, power) for name in quantities for power in (0.5, -0.5, 1, -1, 2, -2, 1.5, -1.5, 0.25, -0.25)]
    logs = torch.stack([power * quantities[name].abs().log() for name, power in powers])
    for wanted, made in ((1, logs[:, None]), (2, logs[:, None] + logs[None])):
        for constant in (1.0, -1.0, 2.0, 0.5):
            off = (made + math.log(abs(constant)) - ratio.abs().log()).abs().nan_to_num(nan=1.0).amax(-1)
            for i, j in (off < 1e-7).nonzero().tolist():
                used = [powers[i]] if wanted == 1 else [powers[i], powers[j]]
                product = constant * ratio.new_ones(len(ratio))
                for name, power in used:
                    product = product * quantities[name] ** power
                if len({name for name, _ in used}) == wanted and close(product, ratio):
                    return _in_words(constant, used)
    return None


def _in_words(constant: float, powers: list[tuple[str, float]]) -> str:
    above = [] if abs(constant) == 1 else [f"{constant:g}"]
    below: list[str] = []
    for name, power in powers:
        plain = f"({name})" if " " in name else name
        text = {0.5: f"sqrt({name})", 1: plain}.get(abs(power), f"{plain}^{abs(power):g}")
        (above if power > 0 else below).append(text)
    over = f" / {below[0]}" if len(below) == 1 else f" / ({' * '.join(below)})" if below else ""
    return ("-" if constant == -1 else "") + (" * ".join(above) or "1") + over


def _sizes(args: dict[str, Any]) -> dict[str, int]:
    """The sizes of a case's tensors, in words."""
    sizes: dict[str, int] = {}
    for name, value in args.items():
        if isinstance(value, Tensor) and value.ndim:
            sizes[f"the number of entries of each example in {name}"] = value[0].numel() if value.ndim > 1 else 0
            sizes |= {f"the size of dimension {i} of {name}": size for i, size in enumerate(value.shape)}
            sizes[f"the number of all entries of {name}"] = value.numel()
    return sizes
