"""The comparison of notebooks bites: one altered digit of what is stored turns a test red."""

import copy
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode
from nbval.plugin import IPyNbFile, NbCellError, get_sanitize_patterns

from tools import run

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "book").glob("[0-9]*.ipynb"))
PATTERNS = get_sanitize_patterns((ROOT / "tests" / "nbval_sanitize.cfg").read_text(encoding="utf-8"))
NOT_COMPARED = ("image/png", "image/jpeg", run.VIEW)

by_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
by_notebook = pytest.mark.parametrize("path", run.notebooks(), ids=lambda path: path.stem)


def sanitized(text: str) -> str:
    for pattern, replacement in PATTERNS:
        text = re.sub(pattern, replacement, text)
    return text


def altered(text: str, position: int) -> str:
    digit = str((int(text[position]) + 1) % 10)
    return text[:position] + digit + text[position + 1 :]


def with_altered_digit(output: NotebookNode) -> NotebookNode | None:
    """The output with one digit altered that the comparison must see; None if it has none."""
    result = copy.deepcopy(output)
    fields: list[tuple[Any, str]] = [(result, "text")] if result.output_type == "stream" else []
    fields += [(result.data, mime) for mime in result.get("data", {}) if mime not in NOT_COMPARED]
    for holder, key in fields:
        text = holder[key]
        for digit in re.finditer(r"[0-9]", text) if isinstance(text, str) else ():
            if sanitized(altered(text, digit.start())) != sanitized(text):
                holder[key] = altered(text, digit.start())
                return result
    return None


class StoredOutputs:
    """In place of a kernel: answers with the outputs that a notebook stores for a cell, and computes nothing."""

    def __init__(self, outputs: list[NotebookNode]) -> None:
        self.outputs = copy.deepcopy(outputs)

    def is_alive(self) -> bool:
        return True

    def execute_cell_input(self, source: str, allow_stdin: bool) -> str:
        self.messages = [(output.output_type, output) for output in self.outputs]
        self.messages.append(("status", {"execution_state": "idle"}))
        return "cell"

    def await_reply(self, msg_id: str, timeout: float) -> None:
        pass

    def await_idle(self, msg_id: str, timeout: float) -> None:
        pass

    def get_message(self, stream: str, timeout: float) -> dict[str, Any]:
        kind, content = self.messages.pop(0)
        return {"msg_type": kind, "content": content, "parent_header": {"msg_id": "cell"}}


@by_notebook
def test_an_altered_digit_of_any_output_turns_its_cell_red(path: Path, request: pytest.FixtureRequest) -> None:
    """Everything of nbval but the kernel, for which the unaltered outputs stand: those `make test` computes."""
    notebook = IPyNbFile.from_parent(request.session, path=path)
    notebook.setup_sanitize_files()
    seen = 0
    for cell in notebook.collect():
        stored = cell.cell.outputs
        notebook.kernel = StoredOutputs(stored)
        cell.runtest()
        for i, output in enumerate(stored):
            changed = with_altered_digit(output)
            if changed is None or not cell.options["check"]:
                continue
            cell.cell.outputs = [*stored[:i], changed, *stored[i + 1 :]]
            with pytest.raises(NbCellError, match="Cell outputs differ"):
                cell.runtest()
            seen += 1
    assert seen, "no stored output of this notebook has a digit that is compared"


@pytest.mark.slow
def test_an_altered_digit_turns_its_cell_red_and_no_other(tmp_path: Path) -> None:
    """The same with a kernel, and by the command that `make test` runs."""
    notebook = nbformat.v4.new_notebook()
    for count, stored in ((1, "0.25\n"), (2, "0.26\n"), (3, "0.25\n")):
        cell = nbformat.v4.new_code_cell("print(0.25)", execution_count=count)
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=stored)]
        notebook.cells.append(cell)
    nbformat.write(notebook, tmp_path / "notebook.ipynb")
    shutil.copy(ROOT / "book" / "conftest.py", tmp_path)
    report = tmp_path / "report.xml"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), f"--confcutdir={tmp_path}"]
    command += ["-p", "no:cacheprovider", f"--junit-xml={report}", "notebook.ipynb"]
    command += [f"--nbval-sanitize-with={ROOT / 'tests' / 'nbval_sanitize.cfg'}"]
    finished = subprocess.run(command, cwd=tmp_path, env=environment, text=True, capture_output=True)

    red = [case.find("*") is not None for case in ElementTree.parse(report).iter("testcase")]
    assert red == [False, True, False], finished.stdout
    assert "Cell outputs differ" in finished.stdout


def test_nbval_still_skips_only_what_this_file_thinks_it_skips(request: pytest.FixtureRequest) -> None:
    notebook = IPyNbFile.from_parent(request.session, path=CHAPTERS[0])
    mime_types = {key for key in notebook.skip_compare if "/" in key}
    assert mime_types == set(NOT_COMPARED)


# What the sanitiser masks -------------------------------------------------------------------------------------------

sign = st.sampled_from(["", "+", "-", "−"])
magnitude = st.from_regex(r"(0|[1-9][0-9]{0,5})(\.[0-9]{1,6})?([eE][+-]?[0-9]{1,3})?|\.[0-9]{1,4}", fullmatch=True)
number = st.builds("".join, st.tuples(sign, magnitude))
without_mark = st.text(st.characters(codec="utf-8", exclude_characters="≈"))
# What follows a number must not go on with it.
after = st.builds(
    "".join, st.tuples(st.sampled_from(["", " nats", "%", ")", ", 5 more", " 7", "\n3", " | ", "±2"]), without_mark)
)
after = after.filter(lambda text: not re.match(r"[0-9.eE]|%? ± ", text))


@given(without_mark)
def test_nothing_is_masked_without_the_mark(text: str) -> None:
    assert sanitized(text) == text


@given(without_mark, number, after)
def test_exactly_the_number_behind_the_mark_is_masked(before: str, value: str, behind: str) -> None:
    assert sanitized(f"{before}≈{value}{behind}") == f"{before}≈#{behind}"


@given(number, magnitude, st.sampled_from(["", "%"]))
def test_an_error_is_masked_with_its_number(value: str, error: str, unit: str) -> None:
    assert sanitized(f"loss ≈{value}{unit} ± {error}{unit}") == f"loss ≈#{unit}{unit}"


@pytest.mark.parametrize(
    "text",
    [
        "≈nan",
        "≈inf",
        "≈-inf",
        "≈ 0.5",
        "≈yes",
        "~0.5",
        "±0.5",
        "0.5 ± 0.1",
        r"\approx 0.5",
        "0.5≈",
        "2 ≈ x",
        "≈nan ± 0.1",
    ],
)
def test_these_are_compared_to_the_letter(text: str) -> None:
    assert sanitized(text) == text


def test_verdicts_beside_a_measured_number_are_compared() -> None:
    line = "largest error <= 1e-3: yes, measured ≈0.0003"
    assert sanitized(line) == sanitized(line.replace("0.0003", "0.0009"))
    assert sanitized(line) != sanitized(line.replace("1e-3", "1e-2"))
    assert sanitized(line) != sanitized(line.replace("yes", "no"))


# The checksum sees what the comparison does not -----------------------------------------------------------------------


@by_notebook
def test_outputs_are_those_that_a_run_has_stored(path: Path) -> None:
    run.check(path)


def texts(node: Any, place: tuple = ()) -> Iterator[tuple[tuple, str]]:
    """Every text with a digit in a tree of dictionaries and lists, with the keys that lead to it."""
    if isinstance(node, str) and re.search("[0-9]", node):
        yield place, node
    elif isinstance(node, dict | list):
        for key, child in node.items() if isinstance(node, dict) else enumerate(node):
            yield from texts(child, (*place, key))


@cache
def stored_texts(path: Path) -> tuple[NotebookNode, str, list[tuple[tuple, str]]]:
    """The notebook, its checksum, and each text with a digit in its outputs and widgets, with the way there."""
    notebook = nbformat.read(path, as_version=4)
    outputs = [(("cells", c, "outputs", *place), text) for c, cell in enumerate(notebook.cells)
               for place, text in texts(cell.get("outputs", []))]  # fmt: skip
    widgets = [(("metadata", "widgets", *place), text) for place, text in texts(notebook.metadata.get("widgets", {}))]
    return notebook, run.outputs_sha256(notebook), outputs + widgets


@by_chapter
@settings(max_examples=30)
@given(data=st.data())
def test_no_stored_digit_can_be_altered_unnoticed(path: Path, data: st.DataObject) -> None:
    notebook, before, places = stored_texts(path)
    (*way, last), text = data.draw(st.sampled_from(places))
    # A picture has a million characters: not all of its digits are listed to choose one.
    start = data.draw(st.integers(0, len(text) - 1))
    digit = re.compile("[0-9]").search(text, start) or re.search("[0-9]", text)
    node: Any = notebook
    for key in way:
        node = node[key]
    node[last] = altered(text, digit.start())
    try:
        assert run.outputs_sha256(notebook) != before
    finally:
        node[last] = text


# No cell is left out without a reason ---------------------------------------------------------------------------------

MARKER = re.compile(r"nbval[-_](ignore[-_]output|skip)", re.IGNORECASE)
REASON = re.compile(r"^\s*# Not (compared|run): \w+", re.MULTILINE)


def left_out_without_reason(cell: NotebookNode) -> bool:
    """Whether nbval is told to skip or not to compare the cell, and no ``# Not compared: ...`` says why."""
    marked = MARKER.search(cell.source) or any(MARKER.search(tag) for tag in cell.metadata.get("tags", []))
    return bool(marked) and not REASON.search(cell.source)


@by_notebook
def test_no_cell_is_left_out_of_the_comparison_without_a_reason(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    assert [cell.source for cell in cells if cell.cell_type == "code" and left_out_without_reason(cell)] == []


@pytest.mark.parametrize(
    ("source", "tags", "expected"),
    [
        ("# NBVAL_IGNORE_OUTPUT\nx", [], True),
        ("# NBVAL_SKIP\nx", [], True),
        ("x", ["nbval-skip"], True),
        ("x", ["nbval-ignore-output"], True),
        ("# Not compared: the time of day\n# NBVAL_IGNORE_OUTPUT\nx", [], False),
        ("# Not run: takes an hour\nx", ["nbval-skip"], False),
        ("x", ["remove-cell"], False),
    ],
)
def test_the_rule_about_reasons(source: str, tags: list[str], expected: bool) -> None:
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": tags})
    assert left_out_without_reason(cell) is expected
