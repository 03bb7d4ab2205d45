"""Judges what was observed of an answer, and names the mistake. Runs nothing that a student wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from lecture11.homework.observation import Case, Given, Observation, Seeded
from lecture11.homework.part import Part, expected, mistaken

Kind = Literal[
    "right", "not done", "time", "package", "none", "error", "type", "shape", "dtype", "changed", "generator",
    "broadcast", "dims", "batch", "gradient", "mistake", "precision", "random", "input", "value",
]  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """What is to be said of an answer.

    Attributes:
        ok: it is right.
        message: for the student: the headline, then the smallest case that shows it.
        kind: what was found.
        headline: the first sentence alone: equal for equal mistakes, so that a class's can be counted.
    """

    ok: bool
    message: str
    kind: Kind
    headline: str


def diagnose(part: Part, observations: Sequence[Observation], *, seed: str | int = 0) -> Verdict:
    """Judges what ``observe`` saw of an answer on ``part.cases(seed)``, one observation for each case, in this order.

    The order: not done, endless, a call of the package's own solution, nothing returned, an error everywhere, input
    changed, generator not used; where values differ: a known mistake, then right for points or for images only, type,
    shape (broadcasting first), dtype, an error, right to single precision only, random, the input itself, one batch
    size only, the smallest failing case; where they agree: the gradient.

    Raises:
        ValueError: another number of observations than of cases.
    """
    cases = part.cases(seed)
    if len(observations) != len(cases):
        raise ValueError(f"{part.id} has {len(cases)} cases for this seed, got {len(observations)} observations")
    seen = list(zip(cases, observations, strict=True))

    for o in observations:
        if o.structure["kind"] == "ellipsis" or (o.error is not None and o.error.not_done):
            other = o.error.function if o.error is not None else ""
            return _verdict("not done", f"it calls {other}, which is not done yet" if other else "not done yet")
    for case, o in seen:
        if o.timed_out:
            return _verdict(
                "time",
                "this takes too long. Is there a loop that never ends? An import belongs above the function",
                _given(case),
            )
    called = {name for o in observations for name in o.package if name not in part.may_use}
    if called:
        name = min(called)
        return _verdict("package", f"this calls the package's {name}. Write it yourself, then compare with it")

    # Of several right answers, the one that this comes closest to.
    right = min(expected(part, seed), key=lambda e: sum(not _agree(a, b) for a, b in zip(observations, e, strict=True)))
    failing = [i for i, o in enumerate(observations) if not _agree(o, right[i])]
    errors = [o.error for o in observations if o.error is not None]

    if any(o.structure["kind"] == "none" and o.error is None for o in observations):
        return _verdict("none", "nothing came back: the function returned None. Is a return missing on some way out?")
    for case, o in seen:
        if o.changed:
            return _verdict(
                "changed",
                f"it changed its input {o.changed[0]}, which belongs to the caller. Look for +=, *=, x[...] = "
                f"and methods that end with _",
                _given(case),
            )
    for (case, o), r in zip(seen, right, strict=True):
        if o.unused and not r.unused and o.error is None:
            drawn = " It drew from PyTorch's global generator instead." if o.global_random else ""
            return _verdict(
                "generator",
                f"nothing was drawn from {o.unused[0]}.{drawn} The same generator must give the same numbers again",
                _given(case),
            )

    if failing:
        for mistake, made in zip(part.mistakes, mistaken(part, seed), strict=True):
            if all(map(_agree, observations, made)):
                return _verdict("mistake", mistake.message, _detail(part, *seen[failing[0]], right[failing[0]]))
        if len(errors) == len(observations):
            return _error(*seen[0])
        first = failing[0]
        detail = _detail(part, *seen[first], right[first])
        dims = _one_number_of_dims(cases, failing)
        if dims:
            return _verdict("dims", dims, detail)
        forms = [(i, found) for i in failing if (found := _form(part, *seen[i], right[i])) is not None]
        if forms:
            return _most_telling([(found, _is_one_number(right[i])) for i, found in forms])
        if observations[first].error is not None:
            return _error(*seen[first])
        if all(_close_in_float32(observations[i], right[i]) for i in failing):
            return _verdict(
                "precision",
                "right to some six digits, and not to more: a part of it is calculated in float32 (look for .float(), "
                ".tolist(), tensors that are made without dtype=), or something small is added (an eps=)",
                detail,
            )
        if any(observations[i].global_random for i in failing) and not any(r.global_random for r in right):
            return _verdict("random", _chance(cases[first]), detail)
        same = _input_itself([(cases[i], observations[i]) for i in failing])
        if same:
            return _verdict("input", f"this is the input {same} itself: is the result assigned, and returned?", detail)
        batch = _one_batch_size(cases, failing)
        if batch:
            return _verdict("batch", batch, detail)
        if part.personal:
            return _verdict(
                "value",
                "this does not follow from your own numbers, and it is none of the mistakes that we know. Is the seed "
                "of the check the one that your numbers were made from?",
            )
        relation = _relation([(observations[i], right[i]) for i in failing])
        endless = next((i for i in failing if not _finite(observations[i])), first)  # shown, where that is what is said
        return _verdict(
            "value",
            "this is not right yet, and it is none of the mistakes that we know",
            relation,
            _detail(part, *seen[endless], right[endless]),
        )

    for (case, o), r in zip(seen, right, strict=True):
        wrong = _gradient(case, o, r)
        if wrong:
            return _verdict("gradient", wrong, _given(case))
    return Verdict(True, f"right: {part.title}, {_points(part.points)}", "right", "right")


def _verdict(kind: Kind, headline: str, *details: str) -> Verdict:
    return Verdict(False, "\n".join([headline, *(text for text in details if text)]), kind, headline)


def _points(points: int) -> str:
    return f"{points} point" if points == 1 else f"{points} points"


# --- are two results the same?


def _agree(a: Observation, b: Observation) -> bool:
    if a.timed_out or b.timed_out or (a.error is None) != (b.error is None):
        return False
    if a.error is not None and b.error is not None:
        return (a.error.type, a.error.text) == (b.error.type, b.error.text)
    return _same(_value(a), _value(b))


def _value(o: Observation) -> Any:
    """The result as tensors, numbers, texts and lists of these; what is none of them as its description."""
    return _built(o, o.structure)


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


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if _numeric(a) and _numeric(b):
        x, y = _tensor(a), _tensor(b)
        if x.shape != y.shape or (isinstance(a, Tensor) and isinstance(b, Tensor) and a.dtype != b.dtype):
            return False
        return _close(x, y)
    return type(a) is type(b) and not isinstance(a, Tensor | list) and a == b


def _finite(o: Observation) -> bool:
    value = _value(o)
    return not isinstance(value, Tensor) or bool(value.isfinite().all())


def _close_in_float32(a: Observation, b: Observation) -> bool:
    x, y = _value(a), _value(b)
    if not (isinstance(x, Tensor) and isinstance(y, Tensor) and x.shape == y.shape and x.dtype == y.dtype):
        return False
    return x.dtype == torch.float64 and torch.allclose(x, y, rtol=1e-5, atol=1e-6)


def _is_one_number(o: Observation) -> bool:
    value = _value(o)
    return isinstance(value, Tensor) and value.numel() == 1


def _numeric(value: Any) -> bool:
    return isinstance(value, Tensor | bool | int | float)


def _tensor(value: Any) -> Tensor:
    """A number is a tensor without dimensions."""
    return value if isinstance(value, Tensor) else torch.tensor(float(value), dtype=torch.float64)


def _close(x: Tensor, y: Tensor) -> bool:
    exact = all(t.dtype in (torch.float64, torch.int64, torch.bool) for t in (x, y))
    relative, absolute = (1e-8, 1e-10) if exact else (2e-4, 2e-5)
    x, y = x.double(), y.double()
    return torch.allclose(x, y, rtol=relative, atol=absolute, equal_nan=True)


# --- what is wrong with the form


def _form(part: Part, case: Case, o: Observation, right: Observation) -> Verdict | None:
    if o.error is not None:
        return None
    value, wanted = _value(o), _value(right)
    detail = _detail(part, case, o, right)
    if isinstance(wanted, list):
        if not isinstance(value, list) or len(value) != len(wanted):
            got = f"{len(value)} results" if isinstance(value, list) else _kind(value)
            return _verdict("type", f"{len(wanted)} results are expected, separated by a comma; got {got}", detail)
        pairs = list(zip(value, wanted, strict=True))
    else:
        pairs = [(value, wanted)]
    for i, (got, want) in enumerate(pairs):
        where = f"result {i + 1}: " if len(pairs) > 1 else ""
        if not _numeric(want):
            continue
        if not _numeric(got):
            hint = ""
            if isinstance(got, list) and isinstance(want, Tensor):
                hint = ". torch.stack makes a tensor of a list; sort, max and others return two results"
                if all(isinstance(item, bool | int | float) for item in got):
                    hint = ". Leave .item() away, and torch.stack makes a tensor of the list"
            return _verdict("type", f"{where}{_kind(want)} is expected, got {_kind(got)}{hint}", detail)
        if not isinstance(want, Tensor) or not isinstance(got, Tensor):
            if isinstance(want, Tensor) and want.ndim:
                return _verdict("type", f"{where}a tensor is expected, got the number {got:g}", detail)
            continue
        if got.shape != want.shape:
            return _shape(where, got, want, detail)
        if got.dtype != want.dtype:
            names = [str(t.dtype).removeprefix("torch.") for t in (got, want)]
            return _verdict(
                "dtype",
                f"{where}the result is {names[0]}, and {names[1]} is expected: keep the precision of the input. Look "
                f"for "
                f".float(), and for tensors that are made without dtype=",
                detail if not _close(got, want) else "",
            )
    return None


def _shape(where: str, got: Tensor, want: Tensor, detail: str) -> Verdict:
    shapes = f"shape {tuple(got.shape)}, where {tuple(want.shape)} is expected"
    if want.ndim and got.ndim > want.ndim and got.shape[: got.ndim - want.ndim + 1] == (len(want),) * (
        got.ndim - want.ndim + 1
    ):  # fmt: skip
        n = len(want)
        if n > 1:
            return _verdict(
                "broadcast",
                f"{where}{shapes}: a ({n},) met a ({n}, 1), and broadcasting paired each example with each other one. "
                f"Print the shapes of what you add or multiply",
                detail,
            )
    if got.numel() == want.numel():
        if got.ndim > want.ndim:
            hint = ". A dimension is too many: look for keepdim=, unsqueeze, [:, None], expand"
        elif got.ndim < want.ndim:
            hint = ". A dimension is gone: look for a sum or mean over it, for squeeze, for an index such as [0]"
        else:
            hint = ". The dimensions have changed places: look for .T"
    elif got.ndim > want.ndim:
        hint = ". Something is still to be summed or averaged"
    elif got.ndim < want.ndim:
        hint = ". Too much is summed or averaged, or only one of them is returned. Name dimensions, as in .sum(1)"
    else:
        hint = ". Print the shapes of what you combine"
    return _verdict("shape", f"{where}{shapes}{hint}", detail)


def _most_telling(forms: Sequence[tuple[Verdict, bool]]) -> Verdict:
    """Broadcasting, where all results look like it. Of one number, it cannot be told from a dimension too many; and
    where n happens to be another size, an (n, n) may be no broadcast at all."""
    telling = [found for found, one_number in forms if not one_number]
    if telling and all(found.kind == "broadcast" for found in telling):
        return telling[0]
    return next(found for found, _ in forms if found.kind != "broadcast")


def _kind(value: Any) -> str:
    if isinstance(value, Tensor):
        return "a tensor"
    if isinstance(value, bool | int | float):
        return "a number"
    if isinstance(value, list):
        return f"a list or tuple of {len(value)}"
    if isinstance(value, str):
        return "a text"
    name = {"none": "None", "other": value.get("type", "")}.get(value["kind"], value["kind"])
    return f"an object of type {name}" if value["kind"] == "other" else name


def _one_batch_size(cases: Sequence[Case], failing: Sequence[int]) -> str:
    good, bad = _apart([case.batch or 0 for case in cases], failing)
    if len(good) != 1 or not bad or 0 in good | bad:
        return ""
    batch = good.pop()
    right = [case for i, case in enumerate(cases) if i not in failing]
    if all(_single(case) for case in right):  # there all is compared less strictly
        return ""
    if batch == 1 and not (len(right) == 1 and 1 in _others(right[0])):
        batches = ", ".join(map(str, sorted(bad)))
        return (
            f"right for a batch of 1, and wrong for one of {batches}. Is something summed, averaged or mixed over the "
            f"examples?"
        )
    where = f"right in one case alone: {right[-1].name}."
    if batch == 1:
        return (
            f"{where} Sizes of 1 hide much: is something mixed over the examples or over the dimensions, taken of each "
            f"entry alone, or of the first one alone?"
        )
    if all(batch in _others(case) for case in right):
        return f"{where} Two sizes are equal there: is a size, or a sum, taken from the wrong dimension?"
    return f"{where} Is a size of it written as a number?"


def _others(case: Case) -> set[int]:
    """The sizes of a case's tensors, but for the first of each."""
    return {size for value in case.args.values() if isinstance(value, Tensor) for size in value.shape[1:]}


def _single(case: Case) -> bool:
    return any(isinstance(value, Tensor) and value.dtype == torch.float32 for value in case.args.values())


def _chance(case: Case) -> str:
    name = next((name for name in ("eps", "noise") if name in case.args), None)
    if name is not None:
        return f"it draws random numbers of its own: the noise is given, in {name}"
    return "it draws random numbers, and two calls give two results; nothing is random here"


def _input_itself(pairs: Sequence[tuple[Case, Observation]]) -> str:
    """The name of an argument that came back as it was, in all of these."""
    names = [name for name, value in pairs[0][0].args.items() if isinstance(value, Tensor)]
    return next((n for n in names if all(_same(_value(o), case.args[n]) for case, o in pairs)), "")


def _one_number_of_dims(cases: Sequence[Case], failing: Sequence[int]) -> str:
    """Points ``(batch, d)`` and images ``(batch, channels, height, width)`` are among the cases: which are right?"""
    dims = [max((v.ndim for v in case.args.values() if isinstance(v, Tensor)), default=0) for case in cases]
    good, bad = _apart(dims, failing)
    if len(good) != 1 or len(bad) != 1:
        return ""
    if max(good) < max(bad):
        return (
            "right for points, and wrong for images, which have three dimensions more than the batch. A number for "
            "each example must get as many dimensions as x has, and a sum must go over all of them but the first"
        )
    return (
        "right for images, and wrong for points, which have one dimension beside the batch. Count the dimensions with "
        "x.ndim, or make rows of the examples with flatten(1)"
    )


def _apart(kinds: Sequence[int], failing: Sequence[int]) -> tuple[set[int], set[int]]:
    """The kinds of cases that are always right, and those that are always wrong; empty sets if there are others."""
    bad = {kinds[i] for i in failing}
    good = {kind for i, kind in enumerate(kinds) if i not in failing}
    return (good, bad) if not good & bad else (set(), set())


def _gradient(case: Case, o: Observation, right: Observation) -> str:
    if not case.grad:
        return ""
    if o.gradient_error is not None:
        return (
            f"the values are right, but going backwards through them fails with {o.gradient_error.type}: "
            f"{o.gradient_error.text.splitlines()[0] if o.gradient_error.text else ''}"
        )
    wanted, got = right.gradients or {}, o.gradients or {}
    for name, gradient in wanted.items():
        if gradient is None or not gradient.any():
            continue
        found = got.get(name)
        if found is None:
            return (
                f"the values are right, but no gradient reaches {name}: the result is detached from it. Look for "
                f".detach(), .item(), .data, torch.no_grad(), torch.tensor(...) and numpy"
            )
        if found.shape != gradient.shape or not _close(found, gradient):
            return (
                f"the values are right, but the gradient with respect to {name} is not: a part of the calculation is "
                f"detached. Look for .detach(), .item(), .data, torch.no_grad(), torch.normal, and for "
                f"torch.autograd.grad without create_graph=True"
            )
    return ""


# --- what is shown


# What PyTorch's words mean, for those who read them for the first time.
ONE_NUMBER = "math.sqrt, float and the like take one number; torch.sqrt takes a tensor."
HINTS = (
    (
        "must match the size of tensor",
        "Print the shapes of what you combine. A number for each example must get as many dimensions as x has.",
    ),
    ("shapes cannot be multiplied", "Print the shapes of what you multiply. Is a .T missing, or one too many?"),
    ("one element tensors", ONE_NUMBER),
    ("elements cannot be converted to Scalar", ONE_NUMBER),
    ("out of bounds", "Rows count from 0: which row belongs to step t?"),
    ("complex", "eig gives complex numbers; a symmetric matrix has real ones: eigh."),
    ("Can't call numpy() on Tensor", "NumPy ends the gradient: take torch.exp, torch.log, ... for np.exp, np.log."),
    ("must be Tensor, not float", "torch.log, torch.sqrt and the like take a tensor; math.log takes a number."),
    ("expected m1 and m2 to have the same dtype", "Two precisions meet: keep that of the input."),
    ("'tuple' object has no attribute", "Something gave several results: unpack them, as in a, b = f(x)."),
    ("Boolean value of Tensor", "An if takes one truth value, and this tensor has several: torch.where."),
)


def _error(case: Case, o: Observation) -> Verdict:
    assert o.error is not None
    text = o.error.text.strip().splitlines()
    headline = f"it raises {o.error.type}" + (f": {text[0][:300]}" if text else "")
    hint = next((hint for words, hint in HINTS if words in o.error.text), "")
    return _verdict(
        "error", headline, hint, f"at        {o.error.line}" if o.error.line else "", _given(case), _printed(o)
    )


def _given(case: Case) -> str:
    lines = [f"{name} = {_show(value)}" for name, value in case.args.items()]
    return f"case      {case.name}" + "".join(
        f"\n{'given' if i == 0 else '':<10}{line}" for i, line in enumerate(lines)
    )


def _detail(part: Part, case: Case, o: Observation, right: Observation) -> str:
    if part.personal:  # there the expected value is the answer
        return ""
    unit = f", {part.unit}" if part.unit else ""
    got = f"{o.error.type}: {o.error.text[:200]}" if o.error is not None else _show_all(_value(o))
    lines = [_given(case), f"expected  {_show_all(_value(right))}{unit}", f"got       {got}", _printed(o)]
    return "\n".join(line for line in lines if line)


def _printed(o: Observation) -> str:
    return f"printed   {o.printed.strip()[:500]}" if o.printed.strip() else ""


def _show_all(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(_show_all(item) for item in value[:4]) + ("; ..." if len(value) > 4 else "")
    return _show(value) if not isinstance(value, dict) else _kind(value)


def _show(value: Any) -> str:
    """A value in a line: small tensors whole, of larger ones the beginning."""
    if isinstance(value, Tensor):
        form = f"{tuple(value.shape)} {str(value.dtype).removeprefix('torch.')}"
        if value.numel() <= 8:
            return f"{_rounded(value.tolist())}  {form}"
        return f"[{', '.join(_digits(v) for v in value.flatten()[:6].tolist())}, ...]  {form}"
    if isinstance(value, Seeded):
        return f"torch.Generator().manual_seed({value.seed})"
    if isinstance(value, Given):
        options = [repr(value.name), *(f"{name}={option}" for name, option in value.options.items())]
        return f"lecture11.homework.given.make({', '.join(options)})"
    return _digits(value) if isinstance(value, float) else repr(value)[:200]


def _rounded(values: Any) -> str:
    return f"[{', '.join(map(_rounded, values))}]" if isinstance(values, list) else _digits(values)


def _digits(value: float | int) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _relation(pairs: Sequence[tuple[Observation, Observation]]) -> str:
    """One simple thing that all wrong numbers have in common."""
    got, want = [], []
    for o, right in pairs:
        a, b = _value(o), _value(right)
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
    if used.sum() >= 3 and _close(ratio, ratio[:1].expand_as(ratio)) and _close(x[~used], y[~used]):
        factor = ratio[0].item()
        if abs(factor) < 1e-12:
            return "All of your numbers are zero."
        return (
            "The sign is the wrong way round." if abs(factor + 1) < 1e-8 else f"Yours is {factor:.4g} times as large."
        )
    if (y > -1e-9).all() and (x >= 0).all():
        if _close(x * x, y):
            return "Yours is the root of what is expected."
        if _close(x, y * y):
            return "Yours is the square of what is expected."
    shift = x - y
    if _close(shift, shift[:1].expand_as(shift)):
        return f"Yours differs by {shift[0].item():.4g} everywhere."
    return ""
