"""What a stored notebook must look like: nbval compares only what was really executed and kept."""

import dis
import re
from pathlib import Path
from types import CodeType

import nbformat
import pytest
from book_source import ROOT, config, notebooks
from nbformat import NotebookNode

VIEW = "application/vnd.jupyter.widget-view+json"
# A folder of some machine, and a warning, in what a cell printed.
PATH = re.compile(r"(?<![\w./:])/(?:home|Users|work|root|tmp|mnt|usr|opt|content)/|\b[A-Za-z]:\\\\?\w")
WARNING = re.compile(r"\b\w*Warning\b|\bwarning:", re.IGNORECASE)


@pytest.fixture(params=notebooks(), ids=lambda path: path.stem, scope="module")
def notebook(request: pytest.FixtureRequest) -> NotebookNode:
    return nbformat.read(request.param, as_version=4)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def where(cell: NotebookNode) -> str:
    return f"cell {cell.get('execution_count')}: {cell.source[:60]!r}"


def text_outputs(cell: NotebookNode) -> str:
    """Everything of the outputs that a reader can read."""
    texts = []
    for output in cell.outputs:
        texts.append(output.get("text", ""))
        data = output.get("data", {})
        texts += [str(value) for mime, value in data.items() if mime.startswith("text/")]
        texts += output.get("traceback", [])
    return "\n".join(texts)


def test_a_path_and_a_warning_are_recognised() -> None:
    assert PATH.search("in /home/ann/x.py")
    assert PATH.search(r"C:\Users\ann")
    assert not PATH.search("https://github.com/home/work and 3/tmp")
    assert WARNING.search("x.py:3: UserWarning: mind")
    assert not WARNING.search("we warn the reader")


def test_each_notebook_is_valid(notebook: NotebookNode) -> None:
    nbformat.validate(notebook)


def test_cells_were_executed_in_order(notebook: NotebookNode) -> None:
    counts = [cell.execution_count for cell in code_cells(notebook) if cell.source.strip()]
    assert counts == list(range(1, len(counts) + 1)), "execute the notebook from top to bottom: make run"


def test_no_cell_failed(notebook: NotebookNode) -> None:
    failed = [
        where(cell)
        for cell in code_cells(notebook)
        if any(output.output_type == "error" for output in cell.outputs)
        and "raises-exception" not in cell.metadata.get("tags", [])
    ]
    assert failed == []


def test_outputs_hold_no_path_and_no_warning(notebook: NotebookNode) -> None:
    found = [
        f"{where(cell)}: {match[0]!r}"
        for cell in code_cells(notebook)
        for pattern in (PATH, WARNING)
        if (match := pattern.search(text_outputs(cell)))
    ]
    assert found == []


def test_each_picture_has_alternative_text(notebook: NotebookNode) -> None:
    bare = [
        where(cell)
        for cell in code_cells(notebook)
        # The pictures of a slider bring their own, see test_pages.
        if any(
            mime.startswith("image/")
            for output in cell.outputs
            for mime in output.get("data", {})
            if VIEW not in output.data
        )
        and not cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "").strip()
    ]
    assert bare == [], 'add to the metadata of the cell: {"mystnb": {"image": {"alt": "what the picture shows"}}}'


def test_the_first_code_cell_installs_on_colab(notebook: NotebookNode) -> None:
    source = code_cells(notebook)[0].source
    assert "--no-deps" in source
    assert f"git+{config()['repository']['url']}@{config()['repository']['branch']}" in source


def test_numbers_in_the_code_are_lines_of_the_algorithm() -> None:
    """``# 4`` in ``algorithm_1`` is line 4 of the table that is headed Algorithm 1."""
    nb = nbformat.read(ROOT / "book" / "10-training-and-sampling.ipynb", as_version=4)
    prose = "\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")
    code = "\n".join(cell.source for cell in code_cells(nb))
    for name in "12":
        table = re.search(rf"^\| \| Algorithm {name} \|.*\n\|[-|]+\n((?:\|.*\n)+)", prose, flags=re.MULTILINE)
        function = re.search(rf"^def algorithm_{name}\(.*\n((?:    .*\n|\n)+)", code, flags=re.MULTILINE)
        assert table is not None
        assert function is not None
        lines = [int(number) for row in table[1].splitlines() for number in row.split("|")[1].split(",")]
        numbers = [int(number) for number in re.findall(r"  # (\d)$", function[1], flags=re.MULTILINE)]
        assert len(numbers) >= 4
        assert numbers == sorted(set(numbers) & set(lines))


def test_no_time_stamps_are_stored(notebook: NotebookNode) -> None:
    stamped = [where(cell) for cell in notebook.cells if "execution" in cell.metadata]
    assert stamped == [], "they make each run a different file: make run strips them"


def test_each_chapter_has_one_title(notebook: NotebookNode) -> None:
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert len(re.findall(r"^# ", text, flags=re.MULTILINE)) == 1


def test_each_notebook_of_the_folder_is_in_the_book() -> None:
    listed = set(notebooks())
    loose = [path.name for path in Path(ROOT, "book").glob("[0-9]*.ipynb") if path not in listed]
    assert loose == [], "add it to _toc.yml"


def test_a_slider_is_a_picture_where_no_widget_is_shown(notebook: NotebookNode) -> None:
    """On GitHub, in Markdown and in a PDF, the text of a widget's object says nothing to a reader."""
    shown = [output.data for cell in code_cells(notebook) for output in cell.outputs if VIEW in output.get("data", {})]
    assert [data["text/plain"] for data in shown if "image/png" not in data or "(" in data["text/plain"]] == []


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_code_is_as_wide_as_its_column(path: Path) -> None:
    nb = nbformat.read(path, as_version=4)
    shown = [cell for cell in code_cells(nb) if "remove-cell" not in cell.metadata.get("tags", [])]
    assert [line for cell in shown for line in cell.source.splitlines() if len(line) > 78] == []


def names(source: str) -> tuple[set[str], set[str]]:
    """What the code of a cell assigns, and what it reads that it has not assigned itself."""
    assigned: set[str] = set()
    read: set[str] = set()

    def visit(code: CodeType) -> None:
        for step in dis.get_instructions(code):
            if step.opname == "STORE_NAME":
                assigned.add(step.argval)
            elif step.opname in ("LOAD_NAME", "LOAD_GLOBAL") and step.argval not in assigned:
                read.add(step.argval)
        for inner in code.co_consts:
            if isinstance(inner, CodeType):
                visit(inner)

    visit(compile(source, "cell", "exec"))
    return assigned, read


def overwritten(nb: NotebookNode) -> list[str]:
    """Names that one cell reads and two cells assign: such a cell depends on which of the two ran last."""
    cells = [
        names(cell.source) for cell in code_cells(nb) if "remove-cell" not in cell.get("metadata", {}).get("tags", [])
    ]
    read = set().union(*(reads for _, reads in cells))
    return sorted(name for name in read if sum(name in assigned for assigned, _ in cells) > 1)


@pytest.mark.parametrize("path", [path for path in notebooks() if path.stem[0].isdigit()], ids=lambda path: path.stem)
def test_a_cell_may_be_run_again_after_later_ones(path: Path) -> None:
    assert overwritten(nbformat.read(path, as_version=4)) == [], "give what a later cell reads a name of its own"


def test_a_name_with_two_meanings_is_found() -> None:
    cells = [
        "k = 10",
        "def f(n):\n    return n + k",
        "for k in range(3):\n    pass",
        "z = [z for z in 'ab']",
        "z = f(1)",
    ]
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    assert overwritten(nb) == ["k"]
