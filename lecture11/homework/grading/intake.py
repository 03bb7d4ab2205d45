"""Finds the submissions in a folder or zip, and takes from each what is the student's. Runs nothing.

Everything here may be made to do harm: names, sizes, links, the text. Nothing is unpacked to a disk.
"""

import hashlib
import json
import os
import re
import stat
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import Any

from lecture11.homework import build

BYTES_LIMIT = 20 * 2**20  # of a notebook, pictures included
CELLS_LIMIT = 1_000
ENTRIES_LIMIT = 20_000  # of a folder or zip
IGNORED = re.compile(r"^(\.(?!\.)|__MACOSX$|Thumbs\.db$|desktop\.ini$)")
MOODLE = re.compile(r"_\d+_assignsubmission_(file|onlinetext)_?.*$")


class Refused(Exception):
    """A submission that is not run; the message is for its report."""


@dataclass(frozen=True)
class Submission:
    """A file that was handed in.

    Attributes:
        name: its path in the folder or zip; different for each.
        read: gives its bytes, or raises Refused.
    """

    name: str
    read: Callable[[], bytes] = field(repr=False)

    @property
    def student(self) -> str:
        """Who handed it in, as far as names tell: the folder, or the file without its ending."""
        path = PurePosixPath(self.name)
        first = path.parts[0] if len(path.parts) > 1 else path.name.removesuffix(".ipynb")
        return MOODLE.sub("", first) or first


@dataclass(frozen=True)
class Check:
    """A check cell of a homework's source: which answer it asks for, and its worth."""

    part: str
    answer: str
    points: int


@dataclass(frozen=True)
class Homework:
    """What the grader takes from the source of a homework.

    Attributes:
        given: the code cells that a student gets, by id.
        not_run: ids of cells that are not run as long as they are as they were given: pictures, the installation.
    """

    name: str
    number: int
    title: str
    checks: tuple[Check, ...]
    given: dict[str, str]
    not_run: frozenset[str]
    check_cells: frozenset[str]
    seed_name: str


@dataclass(frozen=True)
class Cell:
    """A code cell that is run."""

    id: str
    text: str


@dataclass(frozen=True)
class Work:
    """A student's notebook, read and found in order.

    Attributes:
        seed: the text in the cell of the seed; empty where it is none.
        remarks: for the report.
    """

    homework: Homework
    cells: tuple[Cell, ...]
    seed: str
    remarks: tuple[str, ...] = ()


def printable(text: str) -> str:
    """The text without characters that move, hide or cannot be written: those as escapes."""
    shown = (c if c.isprintable() and unicodedata.category(c) != "Cf" else ascii(c)[1:-1] for c in text)
    return "".join(shown)


@lru_cache(maxsize=1)
def homeworks() -> dict[str, Homework]:
    """All homeworks by their names."""
    return {name: _homework(name) for name in build.names()}


def _homework(name: str) -> Homework:
    source = build.source(name)
    given = {cell["id"]: build.text_of(cell) for cell in build.student(source)["cells"] if cell["cell_type"] == "code"}
    about = {cell["id"]: cell["metadata"].get("lecture11", {}) for cell in source["cells"]}
    checks = [data for data in about.values() if data.get("role") == "check"]
    seed = [id for id, data in about.items() if "seed" in data]
    run = {id for id, data in about.items() if data.get("role") == "answer"} | {"setup", *seed}
    return Homework(
        name,
        source["metadata"]["lecture11"]["homework"],
        build.text_of(source["cells"][0]).splitlines()[0].lstrip("# "),
        tuple(Check(data["part"], data["answer"], data["points"]) for data in checks),
        given,
        frozenset(given) - run,
        frozenset(id for id, data in about.items() if data.get("role") == "check"),
        about[seed[0]]["seed"],
    )


# --- what was handed in


def submissions(place: Path) -> list[Submission]:
    """All files in a folder or zip, in the order of their names; those that cannot be submissions raise when read.

    Raises:
        ValueError: the place is neither, or holds too many files.
    """
    if place.is_dir():
        found = list(_in_folder(place))
    elif zipfile.is_zipfile(place):
        found = list(_in_zip(place))
    else:
        raise ValueError(f"{place} is no folder and no zip")
    if len(found) > ENTRIES_LIMIT:
        raise ValueError(f"{place} holds more than {ENTRIES_LIMIT:,} files: is it the right one?")
    notebooks = {str(PurePosixPath(s.name).parent) for s in found if s.name.endswith(".ipynb")}
    found = [s for s in found if s.name.endswith(".ipynb") or not _beside(s, notebooks)]
    return sorted(found, key=lambda s: s.name)


def _beside(submission: Submission, folders: set[str]) -> bool:
    """Something else in a student's folder, where a notebook is."""
    folder = str(PurePosixPath(submission.name).parent)
    return folder != "." and folder in folders


def _in_folder(place: Path) -> Iterator[Submission]:
    for folder, folders, files in os.walk(place):
        for name in sorted(folders):
            if Path(folder, name).is_symlink():  # os.walk does not follow it
                files.append(name)
        folders[:] = [name for name in folders if not IGNORED.match(name)]
        for name in files:
            if not IGNORED.match(name):
                path = Path(folder, name)
                yield Submission(path.relative_to(place).as_posix(), partial(_read, path))


def _read(path: Path) -> bytes:
    try:
        # Neither a link is followed nor a pipe waited for.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        raise Refused(
            "a symbolic link: it is not followed" if path.is_symlink() else f"cannot be read: {error.strerror}"
        ) from None
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise Refused("not a file")
        _checked_name_and_size(path.name, about.st_size)
        return file.read(BYTES_LIMIT)


def _checked_name_and_size(name: str, size: int) -> None:
    if not name.endswith(".ipynb"):
        raise Refused("not a notebook: its name does not end with .ipynb")
    if size > BYTES_LIMIT:
        raise Refused(f"{size / 2**20:,.0f} MB, and at most {BYTES_LIMIT // 2**20} MB are read: clear the outputs")


def _in_zip(place: Path) -> Iterator[Submission]:
    with zipfile.ZipFile(place) as archive:
        entries = archive.infolist()
    seen: dict[str, int] = {}
    for entry in entries[: ENTRIES_LIMIT + 1]:
        name = entry.filename
        if entry.is_dir() or any(IGNORED.match(part) for part in name.split("/") if part != ".."):
            continue
        seen[name] = seen.get(name, 0) + 1
        unique = name if seen[name] == 1 else f"{name} ({seen[name]})"
        yield Submission(unique, partial(_read_entry, place, entry))


def _read_entry(place: Path, entry: zipfile.ZipInfo) -> bytes:
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise Refused("a symbolic link: it is not followed")
    parts = re.split(r"[/\\]", entry.filename)
    if ".." in parts or not parts[0] or re.match(r"^[A-Za-z]:", entry.filename):
        raise Refused("its name leads out of the folder")
    _checked_name_and_size(entry.filename, entry.file_size)
    try:
        with zipfile.ZipFile(place) as archive, archive.open(entry) as file:
            content = file.read(BYTES_LIMIT + 1)
    except Exception as error:  # damaged, encrypted, a method that is not known
        raise Refused(f"cannot be read from the zip: {error}") from None
    _checked_name_and_size(entry.filename, len(content))
    return content


# --- what is in it


def work(content: bytes, homework: str | None = None) -> Work:
    """The student's part of a notebook: code cells in order, without checks and untouched pictures.

    Args:
        homework: its name, if it must be this one.

    Raises:
        Refused: what is wrong with the notebook.
    """
    notebook = _parsed(content)
    found = _which(notebook)
    if homework is not None and found.name != homework:
        raise Refused(f"this is {found.name}, and {homework} is graded")
    cells, skipped = [], 0
    for cell in notebook.code:
        changed = _plain(cell.text) != _plain(found.given.get(cell.id, ""))
        if cell.id in found.check_cells or re.match(r"check\.\w+\(", cell.text):
            skipped += changed and cell.id in found.check_cells
        elif changed or cell.id not in found.not_run:
            cells.append(cell)
    seed = _seed(cells, found.seed_name)
    remarks = []
    if skipped:
        remarks.append(
            "A check cell was changed. Checks come from the teacher's source: what stands in theirs is not run."
        )
    if seed in ("", _seed((Cell(id, text) for id, text in found.given.items()), found.seed_name)):
        remarks.append(f"There is no name in the cell {found.seed_name} = ...")
    return Work(found, tuple(cells), seed, tuple(remarks))


@dataclass(frozen=True)
class _Notebook:
    metadata: dict[str, Any]
    code: tuple[Cell, ...]

    @cached_property
    def text(self) -> str:
        return "\n".join(cell.text for cell in self.code)


def _parsed(content: bytes) -> _Notebook:
    if not content.strip():
        raise Refused("the file is empty")
    try:
        data = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Refused("not a notebook: not a text") from None
    except (ValueError, RecursionError) as error:
        raise Refused(f"not a notebook, or a damaged one: {str(error)[:200]}") from None
    if not isinstance(data, dict) or not isinstance(data.get("nbformat"), int):
        raise Refused("not a notebook")
    if data["nbformat"] < 4:
        raise Refused("an old format of notebooks: open it, save it, and hand it in again")
    metadata, cells = data.get("metadata", {}), data.get("cells")
    if not isinstance(metadata, dict) or not isinstance(cells, list) or not all(isinstance(c, dict) for c in cells):
        raise Refused("not a notebook: it has no cells")
    if len(cells) > CELLS_LIMIT:
        raise Refused(f"{len(cells):,} cells, and at most {CELLS_LIMIT:,} are read")
    _checked_language(metadata)
    return _Notebook(metadata, tuple(_code(cells)))


def _checked_language(metadata: dict[str, Any]) -> None:
    kernel, language = metadata.get("kernelspec", {}), metadata.get("language_info", {})
    kernel, language = (d if isinstance(d, dict) else {} for d in (kernel, language))
    name = str(kernel.get("language") or language.get("name") or "python").lower()
    if name not in ("python", "ipython"):
        raise Refused(f"its kernel is of the language {name[:40]}; Python is expected")
    if str(kernel.get("name", "")).lower() == "python2" or str(language.get("version", "3")).startswith("2"):
        raise Refused("its kernel is Python 2; Python 3 is expected")


def _code(cells: list[dict[str, Any]]) -> Iterator[Cell]:
    seen: set[str] = set()
    for number, cell in enumerate(cells, 1):
        metadata = cell.get("metadata")
        own = cell.get("id") or (metadata.get("id") if isinstance(metadata, dict) else None)  # Colab's place for it
        if own is not None and not isinstance(own, str):
            raise Refused(f"the id of cell {number} is no text")
        if own in seen:
            raise Refused(f"two cells have the id {own[:64]!r}: each has its own. Start from a fresh copy")
        if own is not None:
            seen.add(own)
        if cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        if isinstance(source, list) and all(isinstance(line, str) for line in source):
            source = "".join(source)
        if not isinstance(source, str):
            raise Refused(f"the source of cell {number} is no text")
        yield Cell(own or f"cell {number}", source)


def _which(notebook: _Notebook) -> Homework:
    about = notebook.metadata.get("lecture11")
    number = about.get("homework") if isinstance(about, dict) else None
    for homework in homeworks().values():
        if homework.number == number:
            return homework

    def defined(homework: Homework) -> int:
        return sum(f"def {check.answer}(" in notebook.text for check in homework.checks)

    best = max(homeworks().values(), key=defined)
    if not defined(best):
        raise Refused("none of the homeworks: no answer to any part is in it")
    return best


def _plain(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def _seed(cells: Iterable[Cell], name: str) -> str:
    """The text that a cell assigns to the seed, if it is written out.

    By an expression and no parser: Python's own can be crashed by what it is given.
    """
    for cell in cells:
        found = re.search(rf"""^{name}[ ]*=[ ]*(["'])([^"'\\\n]{{1,200}})\1[ ]*(?:#.*)?$""", cell.text, re.MULTILINE)
        if found is not None:
            return found[2]
    return ""


@lru_cache(maxsize=1)
def version() -> str:
    """Of sources, checks and grader: results of another version are not taken up again."""
    digest = hashlib.sha256()
    here = Path(__file__).resolve().parents[1]
    for path in sorted([*here.rglob("*.py"), *here.glob("sources/*.ipynb")]):
        digest.update(f"{path.relative_to(here)}\n".encode() + path.read_bytes())
    return digest.hexdigest()
