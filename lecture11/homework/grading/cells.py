"""Runs the cells of a notebook as Jupyter would, but statement by statement: one that fails costs no other one.

Runs in the sandbox, beside ``runner``, and knows nothing of the package.
"""

import __future__

import ast
import asyncio
import contextlib
import inspect
import linecache
import re
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

TEXT_LIMIT = 2_000
ERRORS_LIMIT = 20  # of a cell
# What runs the rest of its line or cell, and measures it.
LINE_MAGIC = re.compile(r"^([ \t]*)%(?:time|prun)[ \t]+(?!-)", re.MULTILINE)
CELL_MAGIC = re.compile(r"\A\s*%%(?:time|capture|prun)\b[^\n]*\n")
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


class Shell:
    """What ``get_ipython()`` gives: takes every command and does nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *a, **k: None

    def getoutput(self, *a: Any, **k: Any) -> list[str]:
        """What a command of the system prints: ``files = !ls``."""
        return []


class Cells:
    """The state that cells share.

    Attributes:
        namespace: what they define.
        limit: seconds of a statement.
        left: seconds until only definitions are run at length: answers come before experiments.
    """

    def __init__(self, namespace: dict[str, Any], limit: float, experiments: float) -> None:
        self.namespace = namespace
        self.limit = limit
        self.experiments = self.left = experiments
        self._flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, id: str, text: str) -> Iterator[str]:
        """Runs a cell; before each statement comes an empty text, and after one that fails its error."""
        name = f"<{id}>"
        try:
            with time_limit(self.limit):
                text, statements = parsed(text)
        except BaseException as caught:
            yield said(caught)
            return
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        errors = 0
        for statement in statements:
            yield ""
            error = self._statement(statement, name)
            errors += bool(error)
            if error and errors <= ERRORS_LIMIT:
                yield f"line {statement.lineno}: {error}"

    def _statement(self, statement: ast.stmt, name: str) -> str:
        definition = isinstance(statement, DEFINITIONS)
        if not definition and self.left < -self.experiments / 2:
            return f"not run: what stands before it took {self.experiments:g} seconds"
        limit = self.limit if definition else min(self.limit, max(self.left, 1.0))
        begin = time.monotonic()
        try:
            with time_limit(limit):
                self._execute(statement, name)
        except BaseException as caught:  # SystemExit, KeyboardInterrupt, and the limit's own
            return said(caught)
        finally:
            self.left -= time.monotonic() - begin
        return ""

    def _execute(self, statement: ast.stmt, name: str) -> None:
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            for one in statement.names:
                self._flags |= getattr(__future__, one.name).compiler_flag
        code = compile(ast.Module([statement], []), name, "exec", self._flags, dont_inherit=True)
        result = eval(code, self.namespace)
        if code.co_flags & inspect.CO_COROUTINE:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
            self._loop.run_until_complete(result)


def parsed(text: str) -> tuple[str, list[ast.stmt]]:
    """The statements of a cell, and its text without Jupyter's own commands.

    Raises:
        SyntaxError: it is no Python, and nothing that Jupyter takes.
    """
    try:
        return text, ast.parse(text).body
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager

        plain = LINE_MAGIC.sub(r"\1", CELL_MAGIC.sub("", text))
        plain = TransformerManager().transform_cell(plain)  # type: ignore[no-untyped-call]
        return plain, ast.parse(plain).body


def said(error: BaseException) -> str:
    """An error in a line or two."""
    name = type(error).__name__
    with contextlib.suppress(BaseException):  # its text may be a student's code
        return f"{name}: {error}"[:TEXT_LIMIT]
    return name


class TimeIsUp(BaseException):
    """No Exception: what catches all of those does not keep going."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Ends the block by ``TimeIsUp``, in the main thread."""

    def alarm(*_: Any) -> None:
        raise TimeIsUp(f"it took longer than {seconds:g} seconds")

    signal.signal(signal.SIGALRM, alarm)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.05)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def needed(setup: str, texts: list[str]) -> Iterator[ast.stmt]:
    """Of the course's first cell the statements whose names stand in one of the texts: matplotlib takes a second."""
    words = set(re.findall(r"\w+", "\n".join(texts)))
    for statement in ast.parse(setup).body:
        names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
        if isinstance(statement, ast.Import | ast.ImportFrom):
            names |= {(one.asname or one.name).split(".")[0] for one in statement.names}
        if names & words:
            yield statement
