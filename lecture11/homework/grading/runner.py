"""Runs in the sandbox: a student's cells, then their answers on the cases. Knows no solutions and judges nothing.

A job comes in as frames, a length and then so many bytes; what happened goes out in the same way. The grader believes
none of it: it judges the values that come back, whoever wrote them.
"""

import builtins
import contextlib
import importlib
import io
import json
import linecache
import os
import resource
import shutil
import signal
import struct
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

FRAME_LIMIT = 4 * 2**20  # larger than any result that is asked for
TEXT_LIMIT = 2_000


def read(stream: BinaryIO) -> bytes:
    """The next frame."""
    (size,) = struct.unpack("<I", stream.read(4))
    return stream.read(size)


def main() -> None:
    """The whole run of one submission."""
    job = json.loads(read(sys.stdin.buffer))
    cases = {part["id"]: [read(sys.stdin.buffer) for _ in range(part["cases"])] for part in job["parts"]}
    out = _taken_over()
    with contextlib.suppress(OSError):  # matplotlib's list of fonts: to make it takes seconds
        shutil.copytree(Path(__file__).with_name("matplotlib"), os.environ["MPLCONFIGDIR"])

    # Another module of the same name may be installed in a way that does not ask sys.path first.
    finders = [finder for finder in sys.meta_path if "__editable__" not in getattr(finder, "__module__", "")]
    sys.meta_path[:] = [*finders, _Absent]

    from lecture11.homework.observation import Case, observe

    # Takes seconds, and would count as a student's time.
    if any("matplotlib" in cell["text"] for cell in job["cells"]):
        importlib.import_module("lecture11.figures")

    own = os.getpid()

    def tell(event: dict[str, Any], data: bytes = b"") -> None:
        if os.getpid() != own:  # a copy that a student's fork made of this process: it is not to go on
            os._exit(0)
        frame = json.dumps(event).encode() + b"\n" + data
        _write(out, struct.pack("<I", len(frame)) + frame)

    main_module = types.ModuleType("__main__")
    vars(main_module).update(display=lambda *a, **k: None, get_ipython=lambda: _NoShell())
    sys.modules["__main__"] = main_module
    _limit(job["limits"])
    tell({"event": "ready"})

    for at, cell in enumerate(job["cells"]):
        if at not in job["skip"]:
            tell({"event": "cell", "at": at})
            tell({"event": "cell done", "at": at, **_run(cell, vars(main_module), job["limits"]["cell"])})
    # First: if an answer ends the process, no other process is needed to find out what is not there.
    there = [part for part in job["parts"] if part["answer"] in vars(main_module)]
    tell({"event": "missing", "ids": [part["id"] for part in job["parts"] if part not in there]})
    for part in there:
        tell({"event": "part", "id": part["id"]})
        for data in cases[part["id"]]:
            observation = observe(vars(main_module)[part["answer"]], Case.from_bytes(data), limit=job["limits"]["call"])
            try:
                written = observation.to_bytes()
            except Exception:  # a tensor without numbers, say
                written = b""
            tell({"event": "seen"}, written[:FRAME_LIMIT])  # what is cut is no observation any more
            if observation.timed_out:  # the other cases would take as long
                break
    tell({"event": "end"})
    os._exit(0)


class _Absent:
    """Is asked last: says why something of the package is not found."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        if name.startswith("lecture11."):
            raise ModuleNotFoundError(f"{name} is not there while homework is graded: write what you need yourself")


def _taken_over() -> int:
    """A descriptor for the results; what is printed goes nowhere from now on, and there is nothing to read."""
    sys.stdout.flush()
    out = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    return out


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _limit(limits: dict[str, Any]) -> None:
    """For this process and all that it starts. Called when PyTorch is there: what it maps is not to be counted."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # if memory runs out, this goes first
    for name, value in limits["sizes"].items():
        with contextlib.suppress(OSError, ValueError):  # not every system has each
            value += _mapped() if name == "RLIMIT_AS" else 0
            resource.setrlimit(getattr(resource, name), (value, value))


def _mapped() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def _run(cell: dict[str, str], namespace: dict[str, Any], limit: float) -> dict[str, Any]:
    """What became of a cell: its error, and the beginning of what it printed."""
    name, text = f"<{cell['id']}>", _without_magic(cell["text"])
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    printed = _Head()
    error = None
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), _time_limit(limit):
            exec(compile(text, name, "exec", dont_inherit=True), namespace)
    except BaseException as caught:  # SystemExit, KeyboardInterrupt, and the limit's own
        error = type(caught).__name__
        with contextlib.suppress(BaseException):  # its text may be a student's code
            error = f"{error}: {caught}"[:TEXT_LIMIT]
    return {"error": error, "printed": printed.getvalue()}


def _without_magic(text: str) -> str:
    """Jupyter's own commands do nothing here."""
    try:
        compile(text, "", "exec", dont_inherit=True)
        return text
    except (SyntaxError, ValueError):
        lines = []
        for line in text.split("\n"):
            bare = line.lstrip()
            lines.append(line[: len(line) - len(bare)] + "pass" if bare.startswith(("%", "!")) else line)
        return "\n".join(lines)


class _TimeIsUp(BaseException):
    pass


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    def alarm(*_: Any) -> None:
        raise _TimeIsUp(f"the cell took longer than {seconds:g} seconds")

    signal.signal(signal.SIGALRM, alarm)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.05)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


class _Head(io.StringIO):
    """Keeps the first characters: printing without end fills no memory."""

    def write(self, text: str) -> int:
        super().write(text[: max(TEXT_LIMIT - self.tell(), 0)])
        return len(text)


class _NoShell:
    """What ``get_ipython()`` gives: takes every command and does nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *a, **k: None


if __name__ == "__main__":
    try:
        main()
    except BaseException as error:
        # Nobody reads this but the grader, and only if it comes before a student's code ran.
        with contextlib.suppress(BaseException):
            builtins.print(f"{type(error).__name__}: {error}", file=sys.__stderr__, flush=True)
        os._exit(70)
