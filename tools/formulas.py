"""What the sources say of each statement of the lecture: where it stands, and what computes, proves and tests it.

A chapter states F28 in an equation with ``\\tag{F28}``; a function or a test names it in its docstring; its derivations
and experiments are in ``lecture11.symbolic``. Nothing is listed by hand. The tests, the formula index and the proof
pages read it from here.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
IDS = [f"F{i}" for i in range(1, 42)]
EQUATION = re.compile(r"\$\$(?P<latex>(?:(?!\$\$).)*?)\\tag\{(?P<id>F\d+)\}\s*\$\$", re.DOTALL)
# Their functions speak of statements that others compute.
ELSEWHERE = ("symbolic", "homework", "models", "figures.py")


@dataclass(frozen=True)
class Statement:
    """An equation of a chapter.

    Attributes:
        chapter: the notebook.
        title: of the chapter.
        latex: the equation, without its tag; in comments its form for a phone (lecture11_book.py).
        code: the cells from there to the end of the chapter.
    """

    chapter: Path
    title: str
    latex: str
    code: str


@dataclass(frozen=True)
class Place:
    """A function, class, method or test.

    Attributes:
        path: from the root: of its file, or of the folder of its room in the package, as users import it.
        name: with the class before that of a method.
    """

    path: str
    name: str


def chapters() -> list[Path]:
    """The notebooks that state formulas."""
    return sorted(BOOK.glob("[0-9][0-9]-*.ipynb"))


@cache
def statements() -> dict[str, Statement]:
    """Each id that a chapter states.

    Raises:
        ValueError: one is stated twice.
    """
    found: dict[str, Statement] = {}
    for path in chapters():
        cells = nbformat.read(path, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        title = re.search(r"^# (.+)$", text, flags=re.MULTILINE)
        for i, cell in enumerate(cells):
            for match in EQUATION.finditer(cell.source) if cell.cell_type == "markdown" else ():
                if match["id"] in found:
                    raise ValueError(f"{match['id']} is stated twice, in {found[match['id']].chapter} and in {path}")
                code = "\n".join(later.source for later in cells[i:] if later.cell_type == "code")
                found[match["id"]] = Statement(path, title[1] if title else path.stem, match["latex"].strip(), code)
    return found


@cache
def named(folder: str, pattern: str = "**/*.py") -> dict[str, list[Place]]:
    """For each id the functions, classes and methods whose docstrings name it, in the order of their names."""
    found: dict[str, list[Place]] = {}
    for path in sorted(Path(ROOT, folder).glob(pattern)):
        for name, node in definitions(ast.parse(path.read_text(encoding="utf-8"))):
            for key in dict.fromkeys(re.findall(r"\bF\d+\b", ast.get_docstring(node) or "")):
                found.setdefault(key, []).append(Place(_room(path), name))
    return {key: sorted(places, key=lambda place: (place.path, place.name)) for key, places in found.items()}


def _room(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    return "/".join(parts[:2] if parts[0] == "lecture11" else parts)


Named = ast.FunctionDef | ast.ClassDef


def definitions(tree: ast.AST, before: str = "") -> Iterator[tuple[str, Named]]:
    """Functions, classes and methods with their full names, in their order."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Named):
            yield before + node.name, node
            yield from definitions(node, f"{before}{node.name}.")


def functions() -> dict[str, list[Place]]:
    """For each id what computes it in the package."""
    places = named("lecture11")
    return {key: [place for place in found if not _is_elsewhere(place)] for key, found in places.items()}


def _is_elsewhere(place: Place) -> bool:
    return place.path.removeprefix("lecture11/") in ELSEWHERE


def tests() -> dict[str, list[Place]]:
    """For each id what tests it."""
    return named("tests", "**/test_*.py")


def test_named(node_id: str) -> Place | None:
    """The test ``tests/test_x.py::test_y``, if there is one."""
    file, _, name = node_id.partition("::")
    path = ROOT / file
    if path.is_file():
        for found, _ in definitions(ast.parse(path.read_text(encoding="utf-8"))):
            if found == name.replace("::", ".").partition("[")[0]:
                return Place(file, found)
    return None
