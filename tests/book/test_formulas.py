"""Each statement of the lecture: stated in a chapter, computed by the package, proved, tested, and listed.

The proof or the experiment stands on a page of proofs; a cell after the statement raises if it does not hold.
"""

import dataclasses
import json
import re
from functools import cache
from pathlib import Path

import lecture11_book
import nbformat
import pytest
from book_source import BOOK, ROOT

from tools import address, formula_index, formulas, proofs, run


@cache
def rows() -> dict[str, formula_index.Row]:
    return {row.key: row for row in formula_index.rows()}


def test_each_statement_stands_in_a_chapter_before_a_check() -> None:
    assert sorted(formulas.statements(), key=formulas.IDS.index) == formulas.IDS
    unchecked = [
        name for name, found in formulas.statements().items() if not re.search(r"\bverdict\(|\bassert\b", found.code)
    ]
    assert unchecked == []


def test_each_tag_is_found() -> None:
    # An equation written in another way would be missing from the index, and nobody would miss it.
    for path in formulas.chapters():
        cells = nbformat.read(path, as_version=4).cells
        text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        tags = re.findall(r"\\tag\{(F\d+)\}", text)
        assert sorted(tags) == sorted(name for name, found in formulas.statements().items() if found.chapter == path)


@pytest.mark.parametrize("name", formulas.IDS)
def test_the_index_has_no_empty_column(name: str) -> None:
    hint = "name the id in the docstring of what computes it and of what tests it, and prove it"
    assert rows()[name].missing == [], hint


@pytest.mark.parametrize("path", [formula_index.PAGE, *proofs.FOLDER.glob("*.ipynb")], ids=lambda path: path.stem)
def test_no_link_to_a_source_is_dead(path: Path) -> None:
    """Those within the book are followed in the built pages (test_pages.py)."""
    start = f"{address.current().url}/blob/main/"
    links = re.findall(re.escape(start) + r"[^)\s]+", path.read_text(encoding="utf-8"))
    for link in links:
        file, _, line = lecture11_book.resolved(link.removeprefix(start)).partition("#L")
        assert re.match(r"\s*(def|class) ", (ROOT / file).read_text(encoding="utf-8").splitlines()[int(line) - 1]), link
    assert links or path.suffix == ".ipynb"


def test_a_link_finds_its_function_wherever_it_is_moved(tmp_path: Path) -> None:
    source = "class A:\n    def f(self): ...\n\ndef f(): ...\n"
    room = tmp_path / "room"
    room.mkdir()
    for lines_above, file in ((0, "a.py"), (7, "b.py")):
        (room / file).write_text("\n" * lines_above + source)
        for link in ("room", f"room/{file}"):
            assert lecture11_book.resolved(f"{link}#f", tmp_path) == f"room/{file}#L{lines_above + 4}"
            assert lecture11_book.resolved(f"{link}#A.f", tmp_path) == f"room/{file}#L{lines_above + 2}"
        (room / file).unlink()
    assert lecture11_book.resolved("room", tmp_path) == "room"


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("b.py#f", "there is no b.py"),
        ("a.py#g", "a.py defines g 0 times"),
        ("a.py#f.g", "a.py defines f.g 0 times"),
        ("room#f", "room defines f 2 times"),
        ("a.py#L1", "name the function instead of the line"),
        ("a.py#L1-L2", "name the function instead of the line"),
    ],
)
def test_a_link_that_leads_nowhere_is_refused(link: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    for file in ("a.py", "room/a.py", "room/b.py"):
        (tmp_path / file).write_text("def f(): ...")
    with pytest.raises(LookupError, match=message):
        lecture11_book.resolved(link, tmp_path)


def test_a_function_that_is_moved_changes_no_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(formulas, "ROOT", tmp_path)
    f, g, h = (f'def {name}():\n    """F1"""\n' for name in "fgh")

    def found(**files: str) -> list[dict[str, list[formulas.Place]]]:
        for name, text in files.items():
            for path in (f"lecture11/{name}.py", f"lecture11/room/{name}.py", f"tests/test_{name}.py"):
                (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / path).write_text(text)
        return [formulas.named.__wrapped__(folder) for folder in ("lecture11", "lecture11/room", "tests")]

    one_file, one_room, tests = found(a=f + g, b=h)
    assert [place.name for place in one_room["F1"]] == ["f", "g", "h"]
    # Within a file, and from one file of a room to another.
    assert found(a="\n\n" + g + f, b=h) == [one_file, one_room, tests]
    assert found(a=h, b=g + f)[1] == one_room


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
    assert dataclasses.replace(rows()["F28"], tests="").missing == ["tests"]


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
