"""Runs an answer on a case and writes down what happened, without judging it.

Both the case and what happened can be written as bytes: a JSON header and raw tensors (the format of safetensors), no
pickle. So an answer can run in a process that knows no solutions and is trusted with nothing.

What runs for each tensor, and at each call that an answer makes, has ``no_type_check``: the tests' checks of types
would be most of the time.
"""

import contextlib
import inspect
import io
import itertools
import json
import math
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, no_type_check

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from lecture11.homework import given

IMPORT_LIMIT = 60.0  # seconds beyond the limit in which an import may end: PyTorch imports some of its parts when used
TEXT_LIMIT = 2_000  # characters that are kept of what an answer printed, or of an error's text
ITEMS_LIMIT = 1_000  # items of all lists of a result together
DIMENSIONS_LIMIT = 16  # of a tensor
NUMBERS_LIMIT = 200_000  # of all tensors of a result together; a dimension without numbers counts as one
NAMES_LIMIT = 100  # of arguments and functions
BYTES_LIMIT = 64 * 2**20

FLOATS = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
DTYPES = frozenset((*FLOATS, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool))

PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Seeded:
    """An argument: a generator of random numbers with this seed, made anew for each call."""

    seed: int


@dataclass(frozen=True)
class Given:
    """An argument: a function or network of ``homework.given``, by its name, with numbers that make it."""

    name: str
    options: dict[str, int]


@dataclass(frozen=True)
class Case:
    """One call of an answer, and what is to be observed.

    Attributes:
        name: in a few words, for messages.
        args: by the names that the task gives them, in order: tensors, numbers, texts, None, lists of these,
            ``Seeded``, ``Given``. They are passed by position, but those in ``keywords`` by name.
        grad: arguments with respect to which the gradient of the result is taken: tensors, or networks.
        batch: number of examples, where there is a batch.
    """

    name: str
    args: dict[str, Any]
    grad: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    batch: int | None = None

    def to_bytes(self) -> bytes:
        """For ``Case.from_bytes`` in another process."""
        tensors: list[Tensor] = []
        header = {
            "name": self.name,
            "args": [[name, _encode(value, tensors)] for name, value in self.args.items()],
            "grad": self.grad,
            "keywords": self.keywords,
            "batch": self.batch,
        }
        return _pack(header, tensors)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Case":
        """The case that ``to_bytes`` wrote.

        Raises:
            ValueError: the bytes are no case.
        """
        with _corrupt_is_value_error("case"):
            header, tensors = _unpack(data)
            args = {str(name): _decode(value, tensors) for name, value in header["args"]}
            return cls(
                str(header["name"]), args, tuple(header["grad"]), tuple(header["keywords"]), header["batch"]
            )  # fmt: skip


@dataclass(frozen=True)
class Raised:
    """An exception that an answer raised.

    Attributes:
        type: name of its class.
        text: what it says, cut after ``TEXT_LIMIT`` characters.
        line: the line of the answer that raised it, with its number, where that is known.
        not_done: it is a NotImplementedError.
        function: of what is not done, the name of the function that said so, where that is not the answer itself.
    """

    type: str
    text: str
    line: str = ""
    not_done: bool = False
    function: str = ""


@dataclass(frozen=True)
class Observation:
    """What happened when an answer ran on a case.

    Attributes:
        structure: what came out, as JSON: ``{"kind": "tensor", "at": 0}`` is ``tensors[0]``; the other kinds are
            ``number``, ``none``, ``ellipsis``, ``text``, ``list`` (with ``items``) and ``other``.
        tensors: detached, on the CPU.
        gradients: of the sum of all results, each weighted with ``cotangent``, with respect to the arguments in
            ``case.grad``; of a network, those of all its parameters in one row. None where no gradient arrives.
        gradient_error: what the backward pass raised.
        changed: arguments that were not the same after the call.
        unused: generators from which nothing was drawn.
        global_random: something was drawn from PyTorch's global generator.
        error: what was raised.
        timed_out: the call did not end within the limit.
        printed: the first ``TEXT_LIMIT`` characters.
        seconds: how long the call took.
        package: functions of lecture11, outside homework, that ran.
    """

    structure: dict[str, Any]
    tensors: tuple[Tensor, ...] = ()
    gradients: dict[str, Tensor | None] | None = None
    gradient_error: Raised | None = None
    changed: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    global_random: bool = False
    error: Raised | None = None
    timed_out: bool = False
    printed: str = ""
    seconds: float = 0.0
    package: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """For ``Observation.from_bytes`` in another process."""
        tensors = list(self.tensors)
        gradients = None
        if self.gradients is not None:
            gradients = [[name, _encode(value, tensors)] for name, value in self.gradients.items()]
        header = {
            "structure": self.structure,
            "outputs": len(self.tensors),
            "gradients": gradients,
            "gradient_error": None if self.gradient_error is None else vars(self.gradient_error),
            "changed": self.changed,
            "unused": self.unused,
            "global_random": self.global_random,
            "error": None if self.error is None else vars(self.error),
            "timed_out": self.timed_out,
            "printed": self.printed,
            "seconds": self.seconds,
            "package": self.package,
        }
        return _pack(header, tensors)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Observation":
        """What ``to_bytes`` wrote. The bytes may come from anyone: nothing in them is run, and all is checked.

        Raises:
            ValueError: the bytes are no observation, or more than ``BYTES_LIMIT``.
        """
        with _corrupt_is_value_error("observation"):
            header, tensors = _unpack(data)
            _checked_tensors(tensors)
            outputs = int(header["outputs"])
            structure = _checked_structure(header["structure"], outputs if 0 <= outputs <= len(tensors) else 0)
            gradients: dict[str, Tensor | None] | None = None
            if header["gradients"] is not None:
                gradients = {str(name): _decode(value, tensors) for name, value in header["gradients"]}
                if not all(value is None or isinstance(value, Tensor) for value in gradients.values()):
                    raise ValueError("a gradient is a tensor")
            return cls(
                structure=structure,
                tensors=tuple(tensors[:outputs]),
                gradients=gradients,
                gradient_error=_raised(header["gradient_error"]),
                changed=_names(header["changed"]),
                unused=_names(header["unused"]),
                global_random=bool(header["global_random"]),
                error=_raised(header["error"]),
                timed_out=bool(header["timed_out"]),
                printed=str(header["printed"])[:TEXT_LIMIT],
                seconds=float(header["seconds"]),
                package=_names(header["package"]),
            )


def observe(answer: Any, case: Case, *, limit: float | None = 10.0) -> Observation:
    """Runs ``answer`` on the case. Whatever it does, an observation comes back.

    What is no function is its own result: the answer to a question.

    The limit holds for loops without end too. In the main thread, where the system has interval timers, a signal ends
    the call. Elsewhere (in another thread, on Windows) it ends at the next call of any function after the limit: a loop
    that calls nothing is then to be interrupted by hand.

    Args:
        limit: seconds; None for an answer of ours, which ends and is not watched: that is a third of the time.
    """
    if not callable(answer):
        structure, tensors = _described(answer)
        return Observation(structure, tuple(tensors))
    # The caller's random numbers, and whether gradients are on, are none of the answer's business.
    state = torch.get_rng_state()
    torch.default_generator.manual_seed(0)
    try:
        with torch.enable_grad():
            return _observe(answer, case, limit)
    finally:
        torch.set_rng_state(state)


def _observe(answer: Callable[..., Any], case: Case, limit: float | None) -> Observation:
    leaves: dict[str, Tensor] = {}
    passed: dict[str, Any] = {}
    for name, value in case.args.items():
        passed[name] = _made(value)
        if isinstance(value, Tensor):
            leaves[name] = value.detach().clone().requires_grad_(name in case.grad)
            # A copy, so that a change in place is seen, and is no error of autograd's.
            passed[name] = leaves[name].clone()
    positional = [value for name, value in passed.items() if name not in case.keywords]
    by_name = {name: value for name, value in passed.items() if name in case.keywords}
    states = {name: value.get_state() for name, value in passed.items() if isinstance(value, torch.Generator)}
    before = torch.get_rng_state()

    printed = _Head()
    watch = _Watch(limit)
    error = gradient_error = None
    structure: dict[str, Any] = {"kind": "none"}
    results: list[Tensor] = []
    gradients: dict[str, Tensor | None] | None = None
    begin = time.perf_counter()
    try:
        with contextlib.redirect_stdout(printed), warnings.catch_warnings(), watch:
            warnings.simplefilter("ignore")
            try:
                structure, results = _described(answer(*positional, **by_name))
            except Exception as caught:
                error = _as_raised(caught, answer)
            if case.grad and error is None:
                try:
                    gradients = _gradients(results, case, leaves, passed)
                except Exception as caught:
                    gradient_error = _as_raised(caught, answer)
    except _TimeIsUp:
        pass
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as caught:  # SystemExit among them
        error = _as_raised(caught, answer)
    seconds = time.perf_counter() - begin
    if watch.expired:
        return Observation({"kind": "none"}, timed_out=True, printed=printed.text, seconds=seconds)
    return Observation(
        structure,
        tuple(tensor.detach().cpu() for tensor in results),
        gradients,
        gradient_error,
        tuple(name for name, leaf in leaves.items() if not _equal(leaf, passed[name])),
        tuple(name for name, state in states.items() if torch.equal(state, passed[name].get_state())),
        _drew(before),
        error,
        False,
        printed.text,
        seconds,
        tuple(sorted(watch.package)[:NAMES_LIMIT]),
    )


def _drew(before: Tensor) -> bool:
    """Whether PyTorch's global generator has drawn since it had this state. To seed it alone draws nothing."""
    now = torch.get_rng_state()
    seeded = torch.Generator().manual_seed(torch.initial_seed()).get_state()
    return not torch.equal(before, now) and not torch.equal(seeded, now)


def cotangent(like: Tensor) -> Tensor:
    """Fixed weights, all different: one gradient of the weighted sum tells all entries of a result apart."""
    return torch.cos(1.0 + torch.arange(like.numel(), dtype=torch.float64)).to(like.dtype).view(like.shape)


def _gradients(
    results: list[Tensor], case: Case, leaves: dict[str, Tensor], passed: dict[str, Any]
) -> dict[str, Tensor | None]:
    sources = {
        name: [leaves[name]] if name in leaves else [p for p in passed[name].parameters() if p.requires_grad]
        for name in case.grad
    }
    flowing = [result for result in results if result.requires_grad and result.is_floating_point()]
    if not flowing:
        return dict.fromkeys(sources)
    total = torch.stack([(cotangent(result) * result).sum().double() for result in flowing]).sum()
    every = [tensor for tensors in sources.values() for tensor in tensors]
    found = iter(torch.autograd.grad(total, every, allow_unused=True))
    gradients: dict[str, Tensor | None] = {}
    for name, tensors in sources.items():
        parts = [(gradient, tensor) for tensor, gradient in zip(tensors, found, strict=False)]
        if all(gradient is None for gradient, _ in parts):
            gradients[name] = None
        elif name in leaves:
            gradients[name] = parts[0][0]
        else:
            rows = [torch.zeros_like(tensor) if gradient is None else gradient for gradient, tensor in parts]
            gradients[name] = torch.cat([row.flatten() for row in rows])
    return gradients


@no_type_check
def _made(value: Any) -> Any:
    if isinstance(value, Seeded):
        return torch.Generator().manual_seed(value.seed)
    if isinstance(value, Given):
        return given.make(value.name, **value.options)
    if isinstance(value, list):
        return [_made(item) for item in value]
    return value


@no_type_check
def _equal(a: Tensor, b: Tensor) -> bool:
    if a.shape != b.shape or a.dtype != b.dtype or a.device != b.device:
        return False
    return torch.equal(a.detach().nan_to_num(), b.detach().nan_to_num())


def _described(result: Any) -> tuple[dict[str, Any], list[Tensor]]:
    tensors: list[Tensor] = []
    return _describe(result, tensors, itertools.count(1), 0), tensors


@no_type_check
def _describe(value: Any, tensors: list[Tensor], items: Iterator[int], depth: int) -> dict[str, Any]:
    if isinstance(value, Tensor):
        refused = _not_to_be_kept(value, tensors)
        if refused:
            return {"kind": "other", "type": f"torch.Tensor, {refused}"}
        tensors.append(value.as_subclass(Tensor))
        return {"kind": "tensor", "at": len(tensors) - 1}
    if value is None:
        return {"kind": "none"}
    if value is Ellipsis or value is NotImplemented:
        return {"kind": "ellipsis"}
    if isinstance(value, np.bool_ | np.integer | np.floating):
        value = value.item()
    if isinstance(value, bool | int | float) and _fits(value):
        return {"kind": "number", "value": value}
    if isinstance(value, str):
        return {"kind": "text", "value": value[:TEXT_LIMIT]}
    if isinstance(value, Iterator):
        value = list(itertools.islice(value, ITEMS_LIMIT))
    if isinstance(value, list | tuple) and depth < 3 and len(value) <= ITEMS_LIMIT:
        described = [_describe(item, tensors, items, depth + 1) for item in value if next(items) <= ITEMS_LIMIT]
        if len(described) == len(value):
            return {"kind": "list", "items": described}
    return {"kind": "other", "type": f"{type(value).__module__}.{type(value).__qualname__}"[:TEXT_LIMIT]}


@no_type_check
def _not_to_be_kept(tensor: Tensor, others: Sequence[Tensor]) -> str:
    """Why a tensor is no result of any part, in words that follow its type; empty if it may be one.

    It is asked of what a student's function returns, and once more of what came from its process: to write out a tensor
    of a hundred thousand dimensions, or of millions of rows without numbers, ends a process.
    """
    if tensor.layout != torch.strided or tensor.is_nested or tensor.device.type == "meta":
        return "without numbers of its own"
    if tensor.dtype not in DTYPES:
        return f"of {str(tensor.dtype).removeprefix('torch.')}"
    if tensor.ndim > DIMENSIONS_LIMIT:
        return f"of {tensor.ndim:,} dimensions"
    if sum(map(_places, [*others, tensor])) > NUMBERS_LIMIT:
        return f"of {_places(tensor):,} numbers, more than there is room for"
    return ""


@no_type_check
def _places(tensor: Tensor) -> int:
    return math.prod(max(size, 1) for size in tensor.shape)


def _checked_tensors(tensors: list[Tensor]) -> None:
    for i, tensor in enumerate(tensors):
        # Beside a result there are gradients, which are as large as the input.
        refused = _not_to_be_kept(tensor, []) if i < ITEMS_LIMIT else "one of too many"
        if refused:
            raise ValueError(f"a tensor {refused}")


def _names(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or len(values) > NAMES_LIMIT:
        raise ValueError(f"at most {NAMES_LIMIT} names are expected")
    return tuple(str(value)[:200] for value in values)


@no_type_check
def _fits(number: bool | int | float) -> bool:
    """Python's whole numbers have no bounds; one with a thousand digits is no result, and no float."""
    return isinstance(number, float) or abs(number) < 2**63


def _as_raised(error: BaseException, answer: Callable[..., Any]) -> Raised:
    try:
        text = str(error)[:TEXT_LIMIT]
    except Exception:
        text = "(its text cannot be shown)"
    not_done = _not_done(error)
    function = _function(error.__traceback__, answer) if not_done else ""
    return Raised(type(error).__name__[:200], text, _line(error.__traceback__, answer), not_done, function)


def _not_done(error: BaseException) -> bool:
    return isinstance(error, NotImplementedError) and not str(error).startswith(("Could not run", '"'))  # PyTorch's


def _line(trace: TracebackType | None, answer: Callable[..., Any]) -> str:
    """The last line in the file, or the cell, that the answer was written in."""
    code = getattr(answer, "__code__", None)
    if trace is None or code is None:
        return ""
    own = [frame for frame in traceback.extract_tb(trace) if frame.filename == code.co_filename]
    return f"line {own[-1].lineno}: {own[-1].line}"[:TEXT_LIMIT] if own and own[-1].line else ""


def _function(trace: TracebackType | None, answer: Callable[..., Any]) -> str:
    """The function that raised, where that is not the answer itself."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or trace.tb_frame.f_code is getattr(answer, "__code__", None):
        return ""
    name = trace.tb_frame.f_code.co_name[:200]
    return name if name.isidentifier() else ""


class _TimeIsUp(BaseException):
    """No Exception: ``except Exception`` in an answer does not keep it going."""


class _Head(io.StringIO):
    """Keeps the first characters and forgets the rest: printing without end fills no memory."""

    def write(self, text: str) -> int:
        room = TEXT_LIMIT - self.tell()
        super().write(text[: max(room, 0)])
        return len(text)

    @property
    def text(self) -> str:
        return self.getvalue()


class _Watch:
    """Ends what takes too long, and notes which functions of the package were called, but for those of homework."""

    def __init__(self, limit: float | None) -> None:
        self.on = limit is not None
        self.limit = limit or 0.0
        self.deadline = time.perf_counter() + self.limit
        self.expired = False
        self.package: set[str] = set()
        self._imported = -self.limit  # when an import was last seen after the limit
        self._timer = threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer")

    def __enter__(self) -> None:
        if not self.on:
            return
        self._profile = sys.getprofile()
        sys.setprofile(self._called)
        if self._timer:
            self._handler = signal.signal(signal.SIGALRM, self._alarm)
            # Again and again: a bare except in the answer may swallow the first ones.
            signal.setitimer(signal.ITIMER_REAL, self.limit, 0.05)

    def __exit__(self, *_: object) -> None:
        if not self.on:
            return
        if self._timer:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._handler)
        sys.setprofile(self._profile)

    def _alarm(self, signum: int, frame: FrameType | None) -> None:
        # An import that is broken off leaves half a module behind, for all that follow: it may end first.
        now = time.perf_counter()
        if _importing(frame):
            self._imported = now
        # What was imported is not the answer's time: it has its limit from then on.
        if now < min(self._imported + self.limit, self.deadline + IMPORT_LIMIT):
            return
        self.expired = True
        raise _TimeIsUp

    @no_type_check
    def _called(self, frame: FrameType, event: str, arg: Any) -> None:
        if not self._timer and time.perf_counter() > self.deadline:
            self.expired = True
            raise _TimeIsUp
        # The bodies of modules and classes run where an answer imports something: they are no functions.
        if event != "call" or not frame.f_code.co_flags & inspect.CO_OPTIMIZED:
            return
        file = frame.f_code.co_filename
        if file.startswith(PREFIX) and not file.startswith(OWN):
            self.package.add(f"{frame.f_globals.get('__name__', '')}.{frame.f_code.co_qualname}")


def _importing(frame: FrameType | None) -> bool:
    while frame is not None and not frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    return frame is not None


PREFIX = f"{PACKAGE}/"
# Homework, and what only checks the arguments of other functions.
OWN = (f"{PACKAGE / 'homework'}/", *(str(PACKAGE / name) for name in ("checks.py", "arguments.py", "precision.py")))


def _encode(value: Any, tensors: list[Tensor]) -> Any:
    if isinstance(value, Tensor):
        tensors.append(value)
        return {"tensor": len(tensors) - 1}
    if isinstance(value, Seeded):
        return {"generator": value.seed}
    if isinstance(value, Given):
        return {"given": value.name, "options": value.options}
    if isinstance(value, list | tuple):
        return {"list": [_encode(item, tensors) for item in value]}
    if value is None or isinstance(value, bool | int | float | str):
        return {"value": value}
    raise TypeError(f"an argument is a tensor, a number, a text, Seeded, Given or a list of these; got {value!r}")


def _decode(value: Any, tensors: list[Tensor]) -> Any:
    match value:
        case {"tensor": int(at)} if 0 <= at < len(tensors):
            return tensors[at]
        case {"generator": int(seed)}:
            return Seeded(seed)
        case {"given": str(name), "options": dict(options)}:
            return Given(name, options)
        case {"list": list(items)}:
            return [_decode(item, tensors) for item in items]
        case {"value": None | bool() | int() | float() | str() as plain}:
            return plain
    raise ValueError(f"unknown argument {value!r}")


def _pack(header: dict[str, Any], tensors: list[Tensor]) -> bytes:
    named = {str(i): tensor.detach().cpu().contiguous().clone() for i, tensor in enumerate(tensors)}
    return safetensors.torch.save(named, {"lecture11": json.dumps(header)})


def _unpack(data: bytes) -> tuple[dict[str, Any], list[Tensor]]:
    if len(data) > BYTES_LIMIT:
        raise ValueError(f"{len(data):,} bytes, at most {BYTES_LIMIT:,} are read")
    size = int.from_bytes(data[:8], "little")
    outer = json.loads(data[8 : 8 + min(size, len(data))])
    # Before any tensor is made: to make some of them is what does harm.
    for name, about in outer.items():
        if name != "__metadata__" and len(about["shape"]) > DIMENSIONS_LIMIT:
            raise ValueError(f"a tensor of {len(about['shape']):,} dimensions")
    tensors = safetensors.torch.load(data)
    return json.loads(outer["__metadata__"]["lecture11"]), [tensors[str(i)] for i in range(len(tensors))]


@contextlib.contextmanager
def _corrupt_is_value_error(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # of JSON, of safetensors, of a value of another type: all of it is bad input
        raise ValueError(f"these bytes are no {name}: {type(error).__name__}: {str(error)[:200]}") from error


def _checked_structure(value: Any, tensors: int, depth: int = 0) -> dict[str, Any]:
    match value:
        case {"kind": "tensor", "at": int(at)} if 0 <= at < tensors:
            return {"kind": "tensor", "at": at}
        case {"kind": "none" | "ellipsis" as kind}:
            return {"kind": kind}
        case {"kind": "number", "value": bool() | int() | float() as number} if _fits(number):
            return {"kind": "number", "value": number}
        case {"kind": "text", "value": str(text)}:
            return {"kind": "text", "value": text[:TEXT_LIMIT]}
        case {"kind": "other", "type": str(name)}:
            return {"kind": "other", "type": name[:TEXT_LIMIT]}
        case {"kind": "list", "items": list(items)} if depth < 5 and len(items) <= ITEMS_LIMIT:
            return {"kind": "list", "items": [_checked_structure(item, tensors, depth + 1) for item in items]}
    raise ValueError(f"unknown structure {str(value)[:200]}")


def _raised(value: Any) -> Raised | None:
    if value is None:
        return None
    text = {name: str(value[name])[:TEXT_LIMIT] for name in ("type", "text", "line", "function")}
    return Raised(**text, not_done=bool(value["not_done"]))
