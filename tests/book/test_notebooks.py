"""What a stored notebook must look like: nbval compares only what was really executed and kept."""

import ast
import builtins
import dis
import re
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import nbformat
import pytest
from book_source import ROOT, config, notebooks
from nbformat import NotebookNode

from tools.run import FOLDED, solutions

VIEW = "application/vnd.jupyter.widget-view+json"
# A folder of some machine, and a warning, in what a cell printed.
PATH = re.compile(r"(?<![\w./:])/(?:home|Users|work|root|tmp|mnt|usr|opt|content)/|\b[A-Za-z]:\\\\?\w")
WARNING = re.compile(r"\b\w*Warning\b|\bwarning:", re.IGNORECASE)
HEADING = re.compile(r"^(##+) (Checked\b|Further\b)?.*", re.MULTILINE)


@pytest.fixture(params=notebooks(), ids=lambda path: path.stem, scope="module")
def notebook(request: pytest.FixtureRequest) -> NotebookNode:
    return nbformat.read(request.param, as_version=4)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def where(cell: NotebookNode) -> str:
    return f"cell {cell.get('execution_count')}: {cell.source[:60]!r}"


def shown(nb: NotebookNode) -> list[str]:
    return [cell.source for cell in code_cells(nb) if "remove-cell" not in cell.get("metadata", {}).get("tags", [])]


def folds(nb: NotebookNode) -> Iterator[tuple[NotebookNode, bool, bool]]:
    """Each cell, whether a fold holds it, and whether a heading within it begins or ends a fold: Jupyter and Colab
    fold whole cells, from one that begins with a heading to the next that begins with one as high.
    """
    level = 0  # of the fold's heading
    for cell in nb.cells:
        inside = False
        for heading in HEADING.finditer(cell.source if cell.cell_type == "markdown" else ""):
            ends = level >= len(heading[1])
            begins = heading[2] is not None
            inside |= (begins or ends) and heading.start() > 0
            level = len(heading[1]) if begins else 0 if ends else level
        yield cell, level > 0, inside


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


def test_a_notebook_opens_with_its_folds_closed(notebook: NotebookNode) -> None:
    assert [cell.source[-80:] for cell, _, inside in folds(notebook) if inside] == [], "begin a cell there: +++"
    headings = [cell for cell in notebook.cells if (match := HEADING.match(cell.source)) and match[2]]
    assert [cell.source[:80] for cell in headings if not cell.metadata.get(FOLDED)] == []


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


def too_wide(code: list[str]) -> list[str]:
    return [line for source in code for line in source.splitlines() if len(line) > 78]


def programs(markdown: str) -> list[str]:
    """The blocks of Markdown that a reader runs."""
    return re.findall(r"^```(?:python|bash)\n(.*?)^```$", markdown, flags=re.MULTILINE | re.DOTALL)


def test_a_program_in_markdown_is_found() -> None:
    text = "a\n```python\nx = 1\n\ny = 2\n```\nb\n```bash\nls\n```\n```text\nno\n```\n"
    assert programs(text) == ["x = 1\n\ny = 2\n", "ls\n"]


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_code_is_as_wide_as_its_column(path: Path) -> None:
    nb = nbformat.read(path, as_version=4)
    assert too_wide(shown(nb)) == []


@pytest.mark.parametrize("path", sorted(Path(ROOT, "book").rglob("*.md")), ids=lambda path: path.stem)
def test_a_program_in_the_text_is_as_wide_as_its_column(path: Path) -> None:
    assert too_wide(programs(path.read_text(encoding="utf-8"))) == []


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


def unknown(nb: NotebookNode) -> set[str]:
    """What a solution reads, and no cell or program of the chapter assigns."""
    known = set(dir(builtins)).union(*(names(source)[0] for source in shown(nb) + solutions(nb)))
    return set().union(*(names(source)[1] for source in solutions(nb))) - known


def defined(source: str) -> set[str]:
    """The functions and classes that a cell defines: a reader may call them at any later place."""
    return {node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def overwritten(nb: NotebookNode) -> list[str]:
    """Names that two cells assign, and that a cell or the solution of an exercise reads, or a cell defines as a
    function: what one gets then depends on which of the two cells ran last.
    """
    sources = shown(nb)
    assigned = [names(source)[0] for source in sources]
    read = set().union(*(names(source)[1] for source in sources + solutions(nb)), *map(defined, sources))
    return sorted(name for name in read if sum(name in cell for cell in assigned) > 1)


@pytest.mark.parametrize("path", [path for path in notebooks() if path.stem[0].isdigit()], ids=lambda path: path.stem)
def test_a_cell_may_be_run_again_after_later_ones(path: Path) -> None:
    assert overwritten(nbformat.read(path, as_version=4)) == [], "give what a later cell reads a name of its own"


def skipped(nb: NotebookNode) -> set[str]:
    """What a cell outside the folds reads, and up to there only cells in folds assign: a reader may leave them out."""
    known: set[str] = set()
    only_folded: set[str] = set()
    missing: set[str] = set()
    for cell, folded, _ in folds(nb):
        if cell.cell_type != "code" or "remove-cell" in cell.metadata.get("tags", []):
            continue
        assigned, read = names(cell.source)
        if folded:
            only_folded |= assigned - known
        else:
            missing |= read & only_folded
            known |= assigned
            only_folded -= known
    return missing


@pytest.mark.parametrize("path", [path for path in notebooks() if path.stem[0].isdigit()], ids=lambda path: path.stem)
def test_what_is_folded_may_be_skipped(path: Path) -> None:
    assert skipped(nbformat.read(path, as_version=4)) == set(), "define it in a cell outside the folds"


@pytest.mark.parametrize("path", [path for path in notebooks() if path.stem[:2].isdigit()], ids=lambda path: path.stem)
def test_verdicts_are_folded(path: Path) -> None:
    cells = folds(nbformat.read(path, as_version=4))
    open_ones = [where(cell) for cell, folded, _ in cells if "evaluation.verdict(" in cell.source and not folded]
    assert open_ones == [], 'put them under a heading "Checked: ..."'


@pytest.mark.parametrize("path", [path for path in notebooks() if path.stem[0].isdigit()], ids=lambda path: path.stem)
def test_a_solution_reads_what_the_chapter_defines(path: Path) -> None:
    assert unknown(nbformat.read(path, as_version=4)) == set()


def test_a_name_with_two_meanings_is_found() -> None:
    cells = [
        "k = 10",
        "def f(n):\n    return n + k",
        "for k in range(3):\n    pass",
        "z = [z for z in 'ab']",
        "z = f(1)",
        "for f in range(3):\n    pass",
        "a = b = 1",
        "a = b = 2",
    ]
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nb.cells.append(nbformat.v4.new_markdown_cell("Solution:\n\n```python\nb + z + len(gone)\n```\n"))
    assert overwritten(nb) == ["b", "f", "k", "z"]
    assert unknown(nb) == {"gone"}


def test_a_fold_within_a_cell_and_a_name_from_a_fold_are_found() -> None:
    markdown, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    cells = [
        markdown("## First"),
        code("a = 1"),
        markdown("### Checked: it holds"),
        code("b = c = a"),
        markdown("Prose\n\n#### Part\n\nProse\n\n### Further"),
        code("d = c"),
        markdown("Prose\n\n## Second"),
        code("c = a\nprint(b)"),
        code("print(c, d)"),
    ]
    nb = nbformat.v4.new_notebook(cells=cells)
    assert [index for index, (_, _, inside) in enumerate(folds(nb)) if inside] == [4, 6]
    assert [index for index, (_, folded, _) in enumerate(folds(nb)) if folded] == [2, 3, 4, 5]
    assert skipped(nb) == {"b", "d"}
