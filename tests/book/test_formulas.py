"""Each statement of the lecture: stated in a chapter, computed by the package, proved, tested, and listed.

The proof or the experiment stands on a page of proofs; a cell after the statement raises if it does not hold.
"""

import dataclasses
import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from book_source import BOOK, ROOT
from tools import address, formula_index, formulas, proofs, run

STATED, ROWS = formulas.statements(), {row.key: row for row in formula_index.rows()}


def test_each_statement_stands_in_a_chapter_before_a_check() -> None:
    assert sorted(STATED, key=formulas.IDS.index) == formulas.IDS
    unchecked = [name for name, found in STATED.items() if not re.search(r"\bverdict\(|\bassert\b", found.code)]
    assert unchecked == []


def test_each_tag_is_found() -> None:
    # An equation written in another way would be missing from the index, and nobody would miss it.
    for path in formulas.chapters():
        cells = nbformat.read(path, as_version=4).cells
        text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        tags = re.findall(r"\\tag\{(F\d+)\}", text)
        assert sorted(tags) == sorted(name for name, found in STATED.items() if found.chapter == path)


@pytest.mark.parametrize("name", formulas.IDS)
def test_the_index_has_no_empty_column(name: str) -> None:
    hint = "name the id in the docstring of what computes it and of what tests it, and prove it"
    assert ROWS[name].missing == [], hint


def test_pages_and_marks_are_up_to_date() -> None:
    """Also: each equation has the mark that leads to its proof."""
    old = [name for name in proofs.sections() if not proofs.is_current(name)]
    old += [path.name for path in formulas.chapters() if proofs.with_marks(path) != path.read_text(encoding="utf-8")]
    assert old == [], "run: make proofs"


def test_the_index_is_up_to_date() -> None:
    assert formula_index.PAGE.read_text(encoding="utf-8") == formula_index.text(), "run: make proofs"


@pytest.mark.parametrize("path", [formula_index.PAGE, *proofs.FOLDER.glob("*.ipynb")], ids=lambda path: path.stem)
def test_no_link_to_a_source_is_dead(path: Path) -> None:
    """Those within the book are followed in the built pages (test_pages.py)."""
    start = f"{address.current().url}/blob/main/"
    links = re.findall(re.escape(start) + r"[^)\s]+", path.read_text(encoding="utf-8"))
    for link in links:
        parts = urlsplit(link.removeprefix(start))
        lines = (ROOT / parts.path).read_text(encoding="utf-8").splitlines()
        assert re.match(r"\s*(def|class) ", lines[int(parts.fragment.removeprefix("L")) - 1]), link
    assert links or path.suffix == ".ipynb"


# --- The tools --------------------------------------------------------------------------------------------------------


def test_a_mark_is_put_below_its_equation_once() -> None:
    text = "Before\n\n$$\na \\\\\nb\n\\tag{F28}\n$$\n\nAfter, $$c$$ and\n\n$$d$$"
    marked = proofs.marked(text)
    assert marked == text.replace("{F28}\n$$", "{F28}\n$$" + proofs.mark("F28"))
    assert "[proof](proofs/4-forward.ipynb#f28)" in marked
    assert proofs.marked(marked) == marked


def test_a_statement_without_a_proof_gets_no_mark() -> None:
    assert proofs.marked("$$x \\tag{F99}$$") == "$$x \\tag{F99}$$"


def test_marking_changes_nothing_else(tmp_path: Path) -> None:
    for path in formulas.chapters():
        unmarked = json.loads(path.read_text(encoding="utf-8"))
        for cell in unmarked["cells"]:
            if cell["cell_type"] == "markdown":
                cell["source"] = proofs.MARK.sub("", "".join(cell["source"])).splitlines(keepends=True)
        (tmp_path / path.name).write_text(json.dumps(unmarked, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        assert proofs.with_marks(tmp_path / path.name) == path.read_text(encoding="utf-8")


def test_a_page_that_says_something_else_is_out_of_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs, "FOLDER", tmp_path)
    assert not proofs.is_current("4-forward")
    page = proofs.page("4-forward")
    nbformat.write(page, tmp_path / "4-forward.ipynb")
    assert not proofs.is_current("4-forward"), "it has not been executed"
    run.tidy(page)
    nbformat.write(page, tmp_path / "4-forward.ipynb")
    assert proofs.is_current("4-forward")
    page.cells[-1].source += " "
    nbformat.write(page, tmp_path / "4-forward.ipynb")
    assert not proofs.is_current("4-forward")


def test_a_missing_column_is_named() -> None:
    assert dataclasses.replace(ROWS["F28"], tests="").missing == ["tests"]


# --- Errata -----------------------------------------------------------------------------------------------------------


def test_each_erratum_has_its_section() -> None:
    cells = nbformat.read(BOOK / "errata.ipynb", as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    headings = re.findall(r"^## (E\d+)$", text, flags=re.MULTILINE)
    assert sorted(headings, key=lambda name: int(name[1:])) == [f"E{i}" for i in range(1, 15)]
    for name in headings:
        kind = re.search(rf"^## {name}\n\n\*\*(False|Loose)\b", text, flags=re.MULTILINE)
        assert kind, f"{name}: say first whether it is false or loose"
        row = rf"^\| \[{name}\]\(#{name.lower()}\) \| {kind[1].lower()}:"
        assert re.search(row, text, flags=re.MULTILINE), f"{name}: the table says something else"
