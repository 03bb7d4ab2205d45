"""Runs in the sandbox: a student's cells, then their answers on the cases. Knows no solutions and judges nothing.

A job comes in as frames; what happened goes out in the same way. The grader believes none of it: it judges the values
that come back, whoever wrote them.
"""

import ast
import builtins
import contextlib
import gc
import json
import os
import shutil
import sys
import types
from pathlib import Path
from typing import Any, BinaryIO

# In the sandbox these lie beside this file.
from cells import TEXT_LIMIT, Cells, Shell, needed, time_limit
from confine import limit_sizes, refuse_calls
from frames import FRAME_LIMIT, read, write


def main() -> None:
    """The whole run of one submission."""
    source, out = _taken_over()
    job = json.loads(read(source))
    cases = {part["id"]: [read(source) for _ in range(part["cases"])] for part in job["parts"]}
    with contextlib.suppress(OSError):  # matplotlib's list of fonts: to make it takes seconds
        shutil.copytree(Path(__file__).with_name("matplotlib"), os.environ["MPLCONFIGDIR"])

    # Another module of the same name may be installed in a way that does not ask sys.path first.
    finders = [finder for finder in sys.meta_path if "__editable__" not in getattr(finder, "__module__", "")]
    sys.meta_path[:] = [*finders, _Absent]

    # What is imported stays: not to search it for garbage is a tenth of the time that it takes.
    gc.disable()
    from lecture11.homework.observation import Case, observe

    gc.freeze()
    gc.enable()

    own = os.getpid()

    def tell(event: dict[str, Any], data: bytes = b"") -> None:
        if os.getpid() != own:  # a copy that a student's fork made of this process: it is not to go on
            os._exit(0)
        write(out, json.dumps(event).encode() + b"\n" + data)

    main_module = types.ModuleType("__main__")
    namespace = vars(main_module)
    namespace.update(display=lambda *a, **k: None, get_ipython=Shell)
    sys.modules["__main__"] = main_module
    _set_up(job, namespace)
    limit_sizes(job["limits"]["sizes"])
    refuse_calls()
    tell({"event": "ready"})

    cells = Cells(namespace, job["limits"]["cell"], job["limits"]["experiments"])
    for at, cell in enumerate(job["cells"]):
        if at not in job["skip"]:
            for error in cells.run(cell["id"], cell["text"]):
                tell({"event": "cell", "at": at, "error": error})
    tell({"event": "seed", "seed": _text(namespace.get(job["seed"], ""))})
    for id, number in json.loads(read(source)).items():  # of parts whose cases depend on the seed
        cases[id] = [read(source) for _ in range(number)]
    # First: if an answer ends the process, no other process is needed to find out what is not there.
    there = [part for part in job["parts"] if part["answer"] in namespace]
    tell({"event": "missing", "ids": [part["id"] for part in job["parts"] if part not in there]})
    for part in there:
        tell({"event": "part", "id": part["id"]})
        for data in cases[part["id"]]:
            observation = observe(namespace[part["answer"]], Case.from_bytes(data), limit=job["limits"]["call"])
            try:
                written = observation.to_bytes()
            except Exception:  # a tensor without numbers, say
                written = b""
            tell({"event": "seen", "last": observation.timed_out}, written[:FRAME_LIMIT])
            if observation.timed_out:  # the other cases would take as long
                break
    tell({"event": "end"})
    os._exit(0)


def _taken_over() -> tuple[BinaryIO, int]:
    """Where the job comes from, and a descriptor for results. What is printed goes nowhere from now on."""
    source, out = os.fdopen(os.dup(0), "rb"), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(nothing, descriptor)
    return source, out


def _set_up(job: dict[str, Any], namespace: dict[str, Any]) -> None:
    """Runs what the course's own first cell gives to these cells: trusted, so before the limits."""
    for statement in needed(job["setup"], [cell["text"] for cell in job["cells"]]):
        exec(compile(ast.Module([statement], []), "<set-up>", "exec", dont_inherit=True), namespace)
    # What an error says has been said until now, and is heard by nobody from here on.
    sys.stderr.flush()
    os.dup2(0, 2)


def _text(value: Any) -> str:
    """The seed, which may be of any kind: text or number."""
    try:
        with time_limit(1.0):
            return "" if value is None or value is ... else str(value)[:TEXT_LIMIT]
    except BaseException:  # its text may be a student's code
        return ""


class _Absent:
    """Is asked last: says why something of the package is not found."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        if name.startswith("lecture11."):
            raise ModuleNotFoundError(f"{name} is not there while homework is graded: write what you need yourself")


if __name__ == "__main__":
    try:
        main()
    except BaseException as error:
        # Nobody reads this but the grader, and only if it comes before a student's code ran.
        with contextlib.suppress(BaseException):
            builtins.print(f"{type(error).__name__}: {error}", file=sys.__stderr__, flush=True)
        os._exit(70)
