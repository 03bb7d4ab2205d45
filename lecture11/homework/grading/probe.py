"""Looks about in the sandbox before it is trusted, and prints ``held``, or what is open. Run in there by the trial."""

import contextlib
import importlib
import json
import os
import socket
import sys
from collections.abc import Iterator
from typing import Any

import confine


def found(about: dict[str, Any]) -> Iterator[str]:
    """What should not be so.

    Args:
        about: ``package``, the course's package; ``hidden``, folders by what of them may be seen; ``files``, that must
            not be seen; ``pid`` and ``port``, of the grader.
    """
    if os.path.exists(os.path.join(about["package"], "homework", "parts")):
        yield "the solutions can be read"
    for path, passed in about["hidden"].items():
        if os.path.isdir(path) and set(os.listdir(path)) - set(passed):
            yield f"{path} can be read"
    yield from (f"{path} can be read" for path in about["files"] if os.path.exists(path))
    for folder in ("/", os.path.dirname(os.__file__)):
        with contextlib.suppress(OSError), open(os.path.join(folder, "lecture11-probe"), "w"):
            yield f"{folder} can be written to"
    if [name for _, name in socket.if_nameindex() if name != "lo"]:
        yield "there is a network"
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", about["port"]), 2):
        yield "a socket can be reached"
    with contextlib.suppress(OSError), open(f"/proc/{about['pid']}/cmdline", "rb") as file:
        if b"lecture11" in file.read():
            yield "other processes are seen"
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("0")
        file.flush()
        yield "a process can protect itself when memory runs out"


def missing() -> Iterator[str]:
    """What is needed and is not there."""
    importlib.import_module("lecture11.homework.observation")
    confine.refuse_calls()
    with contextlib.suppress(OSError, AttributeError):
        os.close(os.memfd_create("x"))
        yield "memory can be held that is counted for nobody"


if __name__ == "__main__":
    print("; ".join(list(found(json.loads(sys.argv[1]))) or missing()) or "held", flush=True)
