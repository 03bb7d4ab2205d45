"""Cells run as in Jupyter, but statement by statement: what fails only here costs nothing. No sandbox is needed."""

import ast
import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from lecture11.homework import build
from lecture11.homework.grading.cells import Cells, needed, parsed

pytestmark = pytest.mark.sandbox


def run(*texts: str, limit: float = 5.0, experiments: float = 60.0) -> tuple[dict[str, Any], list[str]]:
    """What these cells define, and what went wrong in them."""
    from lecture11.homework.grading.cells import Shell

    cells = Cells({"get_ipython": Shell}, limit, experiments)
    errors = [error for i, text in enumerate(texts) for error in cells.run(f"c{i}", text) if error]
    return cells.namespace, errors


COMMANDS = [
    "!ls",
    "!rm -rf {x}",
    "!cd x && \\\n  ls",
    "files = !ls",
    "for f in (!ls): print(f)",
    "%timeit 1 + 1",
    "%time",
    "%matplotlib inline",
    "%pip install seaborn",
    "%load_ext autoreload",
    "x?",
    "print??",
    "?print",
    "%%timeit -n 3\nx",
    "%%bash\nrm -rf /",
    "%%html\n<b>x</b>",
    "%%javascript",
    "%%writefile a.py\nx = 2",
    "get_ipython().run_line_magic('time', 'x')",
]


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_of_jupyter_do_nothing_and_cost_nothing(line: str) -> None:
    after = "" if line.startswith("%%") else "\ny = 2"
    namespace, errors = run("x = 1", line + after, "z = 3")
    assert (namespace["x"], namespace.get("y", 2), namespace["z"]) == (1, 2, 3)
    if "(!ls)" not in line:  # no Python, in Jupyter neither
        assert namespace.get("y") == (2 if after else None)
        assert not errors


RUN = ["%%time\nx = 1", "%time x = 1", "\n%%capture out\nx = 1", "if True:\n    %time x = 1", ">>> x = 1", "  x = 1"]


@pytest.mark.parametrize("text", RUN)
def test_what_a_command_runs_is_run(text: str) -> None:
    assert run(text)[0]["x"] == 1


def test_a_result_of_a_command_may_be_missed_and_the_rest_goes_on() -> None:
    namespace, errors = run("t = %timeit -o 1 + 1\nprint(t.average)\nfiles = !ls\nn = len(files)\ndef f(): return 1")
    assert errors == ["line 2: AttributeError: 'NoneType' object has no attribute 'average'"]
    assert (namespace["n"], namespace["f"]()) == (0, 1)


@pytest.fixture
def no_loop() -> Iterator[None]:
    """No event loop runs in this thread, as in the grader: the browser's driver, in other tests, leaves its own."""
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(loop)


@pytest.mark.usefixtures("no_loop")
def test_await_on_top() -> None:
    namespace, errors = run(
        "import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    return 3\nx = await f()",
        "async with asyncio.timeout(9):\n    y = await f()\nz = [await f() for _ in range(2)]",
    )
    assert not errors
    assert (namespace["x"], namespace["y"], namespace["z"]) == (3, 3, [3, 3])


def test_a_failing_line_costs_no_other_one() -> None:
    namespace, errors = run(
        "import a_package_of_mine\nfrom google.colab import drive\nx = 1\n1 / 0\nraise SystemExit\ny = 2"
    )
    assert (namespace["x"], namespace["y"]) == (1, 2)
    assert [error.split(":")[:2] for error in errors] == [
        ["line 1", " ModuleNotFoundError"],
        ["line 2", " ModuleNotFoundError"],
        ["line 4", " ZeroDivisionError"],
        ["line 5", " SystemExit"],
    ]


def test_a_cell_that_is_no_python_costs_itself_alone() -> None:
    namespace, errors = run("x = 1\ndef f(:", "y = 1", "\ud800", "print 'x'", "z = 1")
    assert "x" not in namespace
    assert (namespace["y"], namespace["z"]) == (1, 1)
    assert [error.split(":")[0] for error in errors] == ["SyntaxError", "UnicodeEncodeError", "SyntaxError"]


def test_own_experiments_cost_no_answer() -> None:
    slow = "import time\ntime.sleep(0.15)\ntime.sleep(0.15)\ntime.sleep(0.15)\nwhile True: pass\nimport math\n"
    namespace, errors = run(slow + "def f(): return math.pi", "class A: pass\nx = 1", limit=0.2, experiments=0.3)
    assert namespace["f"]() > 3
    assert "A" in namespace
    assert "x" not in namespace
    assert errors[-1] == "line 2: not run: what stands before it took 0.3 seconds"


def test_an_error_that_cannot_be_told_is_told() -> None:
    evil = "class E(Exception):\n    def __str__(self): raise SystemExit\nraise E\nraise E('x')\nx = 1"
    namespace, errors = run(evil)
    assert namespace["x"] == 1
    assert errors == ["line 3: E", "line 4: E"]


def test_future_statements_hold_for_what_follows() -> None:
    namespace, errors = run("from __future__ import annotations\ndef f(x: a_name_that_is_not_there): return x")
    assert not errors
    assert namespace["f"].__annotations__ == {"x": "a_name_that_is_not_there"}


def test_many_errors_are_cut() -> None:
    assert len(run("\n".join(["1 / 0"] * 60))[1]) == 20


def test_the_courses_set_up_gives_what_the_cells_need() -> None:
    (setup,) = (c for c in build.source("02-vae-elbo")["cells"] if c["id"] == "setup")
    text = build.text_of(setup)

    def taken(*texts: str) -> set[str]:
        return {ast.unparse(statement).split()[1] for statement in needed(text, list(texts))}

    assert taken("def f(x):\n    return torch.exp(x)") == {"torch"}
    assert taken("plt.plot(math.pi)") == {"math", "matplotlib.pyplot"}
    assert taken("SEED = 'Ada'\nmine = variation(SEED)") == {"lecture11.homework"}
    assert taken("x = 1") == set()


def test_a_text_that_is_python_is_not_touched() -> None:
    text = "a = (3\n%b)\ns = '''\n!ls\n%time x\n'''"
    assert parsed(text)[0] == text
