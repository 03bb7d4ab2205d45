"""Each statement of the lecture that the book has reached: stated in a chapter, computed by the package, tested.

The proof or the experiment stands in the chapter: a cell after the statement that raises if it does not hold.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from book_source import ROOT, notebooks

IDS = [f"F{i}" for i in range(1, 36)]


def named(node: ast.AST) -> Iterator[str]:
    """The ids in the docstring of a function, class or method."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield from re.findall(r"\bF\d+\b", ast.get_docstring(node) or "")


def ids_in(folder: str, pattern: str = "**/*.py") -> set[str]:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in Path(ROOT, folder).glob(pattern)]
    return {name for tree in trees for node in ast.walk(tree) for name in named(node)}


@pytest.fixture(scope="module")
def stated() -> dict[str, list[str]]:
    """For each id that a chapter states, the code of the cells from there to the end of the chapter."""
    found: dict[str, list[str]] = {}
    for path in notebooks():
        cells = nbformat.read(path, as_version=4).cells
        for i, cell in enumerate(cells):
            if cell.cell_type == "markdown":
                for name in re.findall(r"\\tag\{(F\d+)\}", cell.source):
                    assert name not in found, f"{name} is stated twice"
                    found[name] = [later.source for later in cells[i:] if later.cell_type == "code"]
    return found


def test_each_statement_stands_in_a_chapter_before_a_check(stated: dict[str, list[str]]) -> None:
    assert sorted(stated, key=lambda name: int(name[1:])) == IDS
    unchecked = [name for name, code in stated.items() if not re.search(r"\bverdict\(|\bassert\b", "\n".join(code))]
    assert unchecked == []


def test_each_statement_has_a_function() -> None:
    assert set(IDS) - ids_in("lecture11") == set(), "name the id in the docstring of what computes it"


def test_each_statement_has_a_test() -> None:
    assert set(IDS) - ids_in("tests", "test_*.py") == set(), "name the id in the docstring of what tests it"
