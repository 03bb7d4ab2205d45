"""Finds the submissions in a folder or zip, and takes from each what is the student's. Runs nothing.

Everything here may be made to do harm: names, sizes, links, the text. Nothing is unpacked to a disk.
"""

import contextlib
import hashlib
import io
import json
import os
import re
import stat
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property, lru_cache, partial
from itertools import count, islice, takewhile
from operator import itemgetter
from pathlib import Path, PurePosixPath
from typing import Any

from lecture11.homework import build

BYTES_LIMIT = 20 * 2**20  # of a notebook, pictures included
CELLS_LIMIT = 1_000
ENTRIES_LIMIT = 20_000  # of a folder or zip, zips in it included
ZIP_LIMIT = 100 * 2**20  # of a zip in a zip
DEPTH_LIMIT = 2  # of zips in zips
INNER_LIMIT = 1_000  # entries of a zip in something else
NAME_LIMIT, FOLDERS_LIMIT = 1_000, 40  # characters of a path in a zip, and folders in it
TRIES_LIMIT = 20  # notebooks of one student that are run
OBJECTS_LIMIT = 1_000_000  # brackets that open in a notebook: each makes an object, of fifty times its size
AT_ONCE = timedelta(minutes=10)  # in which no class hands in: these are times of copies
IGNORED = re.compile(r"^(\.(?!\.)|__MACOSX$|Thumbs\.db$|desktop\.ini$)")
NOTEBOOK = re.compile(r"\.ipynb(\.(txt|json))?$", re.IGNORECASE)  # browsers add an ending
# How learning systems call what they export: Moodle's folders and files, Blackboard's, Canvas's without names and with
# them. What comes back to a student must have the same beginning, ``back``. After it stands the student's own name for
# the file, which may be made to look like another beginning.
EXPORTED = (
    re.compile(r"^(?P<back>(?P<student>.+?)_(?P<id>\d+)_assignsubmission_(file|onlinetext))_?.*$"),
    re.compile(r"^.+?_(?P<student>(?P<id>[^_]+))_attempt_(?P<time>\d{4}(-\d\d){5})([_.].*)?$"),
    re.compile(r"^(?P<back>(LATE_)?(?P<student>anon_(?P<id>[^_]+))_\d+)_.+$"),
    re.compile(r"^(?P<back>(?P<student>[^_]+)(_LATE)?_(?P<id>\d+)_\d+)_.+$"),
)
ANSWER_LIMIT = 5_000  # characters of an open answer


class Refused(Exception):
    """A submission that is not run; the message is for its report."""


@dataclass(frozen=True)
class Submission:
    """A file that was handed in.

    Attributes:
        name: its path in the folder or zip; different for each.
        student: who handed it in, as far as names tell.
        read: gives its bytes, or raises Refused.
        ids: what may be a number, a login or an e-mail address of the student.
        back: what the name of a file must begin with, for the learning system to hand it back to the student; or empty.
        time: when it was handed in, as far as names and files tell.
    """

    name: str
    student: str
    read: Callable[[], bytes] = field(repr=False)
    ids: frozenset[str] = frozenset()
    back: str = ""
    time: datetime | None = None


@dataclass(frozen=True)
class Check:
    """A check cell of a homework's source: which answer it asks for, and its worth."""

    part: str
    answer: str
    points: int
    title: str


@dataclass(frozen=True)
class Question:
    """A question with an open answer, which a person reads.

    Attributes:
        text: as students see it.
        rubric: what the points are for.
    """

    id: str
    title: str
    text: str
    points: int
    rubric: tuple[str, ...]


@dataclass(frozen=True)
class Homework:
    """What the grader takes from the source of a homework.

    Attributes:
        texts: of the given Markdown cells.
        setup: the cell of imports, which is run first.
        given: texts of cells that need not be run as long as they are as they were given: the set-up, which has been
            run; checks, pictures, the installation.
        seed_name, seed_given: the name that the seed has, and its value before a student changes it.
    """

    name: str
    number: int
    title: str
    checks: tuple[Check, ...]
    questions: tuple[Question, ...]
    texts: frozenset[str]
    setup: str
    given: frozenset[str]
    check_cells: frozenset[str]
    seed_name: str
    seed_given: str


@dataclass(frozen=True)
class Cell:
    """A code cell that is run."""

    id: str
    text: str


@dataclass(frozen=True)
class Work:
    """A student's notebook, read and found in order.

    Attributes:
        remarks: for the report.
        answers: to the questions that a person reads, by their ids.
        shown: what the notebook shows of the checks as it was saved: ``right`` or ``wrong``, by the ids of the parts.
    """

    homework: Homework
    cells: tuple[Cell, ...]
    remarks: tuple[str, ...] = ()
    answers: dict[str, str] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)


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
    cells = build.student(source)["cells"]
    texts = {cell["id"]: build.text_of(cell) for cell in cells if cell["cell_type"] == "code"}
    prose = {cell["id"]: build.text_of(cell) for cell in cells if cell["cell_type"] == "markdown"}
    about = {cell["id"]: cell["metadata"].get("lecture11", {}) for cell in source["cells"]}
    checks = {id: data for id, data in about.items() if data.get("role") == "check"}
    answers = {id for id, data in about.items() if data.get("role") == "answer"}
    (seed,) = (id for id, data in about.items() if "seed" in data)
    seed_name = about[seed]["seed"]
    given = re.search(rf'^{seed_name} = "(.*)"$', texts[seed], re.MULTILINE)
    assert given is not None, f"{name}: the seed is a text"

    def title(part: str) -> str:
        heading = re.match(r"## \d+\. (.*)", prose[f"{part}-task"])
        assert heading is not None, f"{name}: the task of {part} begins with its title"
        return heading[1]

    return Homework(
        name,
        source["metadata"]["lecture11"]["homework"],
        build.text_of(source["cells"][0]).splitlines()[0].lstrip("# "),
        tuple(Check(data["part"], data["answer"], data["points"], title(data["part"])) for data in checks.values()),
        tuple(
            Question(
                id, f"In words: {title(id.removesuffix('-question'))}", prose[id], data["points"], tuple(data["rubric"])
            )
            for id, data in about.items()
            if data.get("role") == "question"
        ),
        frozenset(_plain(text) for text in prose.values()),
        texts["setup"],
        frozenset(_plain(text) for id, text in texts.items() if id not in answers | {seed}),
        frozenset(checks),
        seed_name,
        given[1],
    )


# --- what was handed in


def submissions(place: Path) -> list[Submission]:
    """All files in a folder or zip, in the order of their names; those that cannot be submissions raise when read.

    Empty folders, and what cannot be read, are among them: whoever handed in is to be found in the grades.

    Raises:
        ValueError: the place is neither, cannot be read, or holds nothing, or too many files.
    """
    try:
        if place.is_dir():
            inside = [path for path in place.iterdir() if not IGNORED.match(path.name)]
            if len(inside) == 1 and zipfile.is_zipfile(inside[0]) and not inside[0].is_symlink():
                return submissions(inside[0])  # what a learning system exported
            entries = _in_folder(place)
        elif zipfile.is_zipfile(place):
            entries = _in_zip(partial(zipfile.ZipFile, place), "", 0)
        else:
            raise ValueError(f"{place} is no folder and no zip" if place.exists() else f"{place} does not exist")
        found = list(islice(entries, ENTRIES_LIMIT + 1))
    except OSError as error:
        raise ValueError(f"{place} cannot be read: {error.strerror or error}") from None
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise ValueError(f"{place} is a damaged zip: {error}") from None
    if len(found) > ENTRIES_LIMIT:
        raise ValueError(f"{place} holds more than {ENTRIES_LIMIT:,} files: is it the right one?")
    systems = _systems([name for name, *_ in found])
    notebooks = {
        place for name, *_ in found if NOTEBOOK.search(name) for place in (_folder(name), _hand_in(name, systems))
    }
    found = [entry for entry in found if NOTEBOOK.search(entry[0]) or not _beside(entry[0], notebooks, systems)]
    if not found:
        raise ValueError(f"no submissions: {place} holds no files")
    above = _common_folders([_parts(name) for name, *_ in found])
    times = [time for *_, time in found if time is not None]
    copied = len(times) >= 5 and max(times) - min(times) <= AT_ONCE
    return _not_too_many(
        [
            _submission(_parts(name)[above:], name, read, None if copied else time, systems)
            for name, read, time in sorted(found, key=itemgetter(0))
        ]
    )


def _not_too_many(made: list[Submission]) -> list[Submission]:
    """Of each student the newest ``TRIES_LIMIT`` notebooks; the others are refused: each may take minutes."""
    of: dict[str, list[Submission]] = {}
    for one in made:
        if NOTEBOOK.search(one.name):
            of.setdefault(one.back or one.student, []).append(one)
    newest = {
        one.name
        for some in of.values()
        for one in sorted(some, key=lambda one: (one.time or datetime.min, one.name))[-TRIES_LIMIT:]
    }
    too_many = partial(_refuse, f"not run: this student handed in more than {TRIES_LIMIT} notebooks, and newer ones")
    return [
        replace(one, read=too_many) if NOTEBOOK.search(one.name) and one.name not in newest else one for one in made
    ]


def one_file(path: Path) -> list[Submission]:
    """A notebook by itself."""
    return [_submission([path.name], path.name, read, time) for _, read, time in _or_in_it(path.name, path)][:1]


def _parts(name: str) -> list[str]:
    """Of a path; zips made on Windows may have the other separator."""
    return [part for part in re.split(r"[/\\]", name) if part] or [name]


def _folder(name: str) -> str:
    return str(PurePosixPath(name).parent)


Systems = Sequence[re.Pattern[str]]


def _systems(names: Sequence[str]) -> Systems:
    """How names are exported, the most frequent way first: one student's name for a file does not outvote a class."""

    def matching(pattern: re.Pattern[str]) -> int:
        return sum(any(pattern.match(part) for part in _parts(name)) for name in names)

    return sorted(EXPORTED, key=matching, reverse=True)


def _hand_in(name: str, systems: Systems) -> str:
    """Of a file that a learning system exports without folders, what all have that were handed in with it."""
    last = PurePosixPath(name).name
    known = next((found for pattern in systems if (found := pattern.match(last))), None)
    return f"{_folder(name)}/{last[: known.end('time' if 'time' in known.groupdict() else 'id')]}" if known else ""


def _beside(name: str, places: set[str], systems: Systems) -> bool:
    """Something else in a student's folder, or in a folder of it, or among their files, where a notebook is."""
    around = [str(folder) for folder in PurePosixPath(name).parents if str(folder) != "."]
    return any(place in places for place in (*around, _hand_in(name, systems)) if place)


def _common_folders(paths: list[list[str]]) -> int:
    """How many folders lie around all students' files: one for the whole class, say."""
    if len(paths) == 1:
        return 0
    folders = zip(*(path[:-1] for path in paths), strict=False)
    around = [level[0] for level in takewhile(lambda level: len(set(level)) == 1, folders)]
    while around and any(pattern.match(around[-1]) for pattern in EXPORTED):  # there is but one student
        around = around[:-1]
    return len(around)


def _submission(
    parts: list[str],
    name: str,
    read: Callable[[], bytes],
    time: datetime | None,
    systems: Systems = EXPORTED,
) -> Submission:
    """With who handed it in: the folder, or the file without its ending."""
    first = parts[0] if len(parts) > 1 else NOTEBOOK.sub("", parts[0])
    first = re.sub(r"\.zip$", "", first, flags=re.IGNORECASE) or first
    # A login or an e-mail address between underlines, and a number that is too long for one of a homework or year.
    ids = {word.casefold() for word in first.split("_") if not word.isdecimal() or len(word) > 4}
    exported = next((found for pattern in systems if (found := pattern.match(first))), None)
    if exported is None:
        return Submission(name, first, read, frozenset(ids), "", time)
    said = {"back": "", "time": "", **exported.groupdict()}
    if said["time"]:
        with contextlib.suppress(ValueError):
            time = datetime.strptime(said["time"], "%Y-%m-%d-%H-%M-%S")
    return Submission(name, said["student"], read, frozenset({*ids, said["id"].casefold()}), said["back"], time)


Entry = tuple[str, Callable[[], bytes], datetime | None]


def _in_folder(place: Path) -> Iterator[Entry]:
    failed: list[OSError] = []
    for folder, folders, files in os.walk(place, onerror=failed.append):
        for name in sorted(folders):
            if Path(folder, name).is_symlink():  # os.walk does not follow it
                files.append(name)
        folders[:] = sorted(name for name in folders if not IGNORED.match(name))
        files = [name for name in files if not IGNORED.match(name)]
        inside = Path(folder).relative_to(place).as_posix()
        if not folders and not files and inside != ".":
            yield f"{inside}/", partial(_refuse, "the folder is empty"), None
        for name in files:
            path = Path(folder, name)
            yield from _or_in_it(path.relative_to(place).as_posix(), path)
    for error in failed:
        if Path(error.filename) == place:
            raise error
        inside = Path(error.filename).relative_to(place).as_posix()
        yield f"{inside}/", partial(_refuse, f"cannot be read: {error.strerror}"), None


def _or_in_it(name: str, path: Path) -> Iterator[Entry]:
    """The file; of a zip, what is in it."""
    if name.lower().endswith(".zip") and path.is_file() and not path.is_symlink():
        yield from _listed(partial(zipfile.ZipFile, path), name, 1, _changed(path))
    else:
        time = _changed(path)
        yield name, partial(_read, path), time


def _changed(path: Path) -> datetime | None:
    with contextlib.suppress(OSError, ValueError, OverflowError):
        return datetime.fromtimestamp(path.lstat().st_mtime)
    return None


def _refuse(reason: str) -> bytes:
    raise Refused(reason)


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
        try:
            return file.read(BYTES_LIMIT)
        except OSError as error:
            raise Refused(f"cannot be read: {error.strerror}") from None


def _checked_name_and_size(name: str, size: int) -> None:
    if not NOTEBOOK.search(name):
        raise Refused("not a notebook: its name does not end with .ipynb")
    if size > BYTES_LIMIT:
        raise Refused(f"{size / 2**20:,.0f} MB, and at most {BYTES_LIMIT // 2**20} MB are read: clear the outputs")


Opened = Callable[[], contextlib.AbstractContextManager[zipfile.ZipFile]]


def _in_zip(opened: Opened, above: str, depth: int) -> Iterator[Entry]:
    """What is in a zip; ``above`` is its own name, if it lies in something else."""
    with opened() as archive:
        entries = archive.infolist()[: ENTRIES_LIMIT + 1]
    used: set[str] = set()
    numbers: dict[str, Iterator[int]] = {}
    for entry in [entry for entry in entries if _too_long(entry.filename)]:
        entries.remove(entry)
        shortened = f"{entry.filename.replace('/', ' ')[:40]}... ({len(entry.filename):,} characters)"
        yield f"{above}/{shortened}" if above else shortened, partial(_refuse, "its name is too long"), _time(entry)
    names = {entry: _name(entry) for entry in entries}
    folders = {str(parent) for name in names.values() for parent in PurePosixPath(name).parents}
    for entry, inside in names.items():
        if any(IGNORED.match(part) for part in inside.split("/") if part != ".."):
            continue
        name = f"{above}/{inside}" if above else inside
        if entry.is_dir():
            if inside.rstrip("/") not in folders:
                yield name, partial(_refuse, "the folder is empty"), None
            continue
        again = (f"{name} ({number})" for number in numbers.setdefault(name, count(2)))
        unique = name if name not in used else next(other for other in again if other not in used)
        used.add(unique)
        if name.lower().endswith(".zip"):
            yield from _listed(partial(_inner_zip, opened, entry), unique, depth + 1, _time(entry))
        else:
            yield unique, partial(_read_entry, opened, entry), _time(entry)


def _too_long(name: str) -> bool:
    """Longer than any file system takes, or deeper: to look at all the folders of many such names takes hours."""
    return len(name) > NAME_LIMIT or name.count("/") + name.count("\\") > FOLDERS_LIMIT


def _time(entry: zipfile.ZipInfo) -> datetime | None:
    """When the file was written; many programs write the first day of 1980 for not knowing it."""
    try:
        return datetime(*entry.date_time) if entry.date_time[0] > 1980 else None
    except ValueError:
        return None


def _name(entry: zipfile.ZipInfo) -> str:
    """UTF-8, also where a program did not say so."""
    if not entry.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            return entry.filename.encode("cp437").decode("utf-8")
    return entry.filename


def _listed(opened: Opened, name: str, depth: int, time: datetime | None) -> Iterator[Entry]:
    """What is in a zip in something else; or the zip itself, with a reason.

    All of it was handed in when the zip was: the times in it are its maker's, who may have set them.
    """
    try:
        if depth > DEPTH_LIMIT:
            raise Refused("a zip in a zip in a zip: unpack it")
        found = list(_in_zip(opened, name, depth))
        if len(found) > INNER_LIMIT:  # for each of them a zip in a zip is unpacked anew
            raise Refused(f"it holds more than {INNER_LIMIT:,} files: unpack it")
    except (Refused, OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError) as error:
        yield name, partial(_refuse, f"a zip that cannot be read: {error}"), time
        return
    if found:
        yield from ((inside, read, time) for inside, read, _ in found)
    else:
        yield name, partial(_refuse, "an empty zip"), time


@contextlib.contextmanager
def _inner_zip(opened: Opened, entry: zipfile.ZipInfo) -> Iterator[zipfile.ZipFile]:
    with opened() as outer:
        if entry.file_size > ZIP_LIMIT:
            raise Refused(f"{entry.file_size / 2**20:,.0f} MB, and at most {ZIP_LIMIT // 2**20} MB are read")
        with outer.open(entry) as file:
            content = file.read(ZIP_LIMIT)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        yield archive


def _read_entry(opened: Opened, entry: zipfile.ZipInfo) -> bytes:
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise Refused("a symbolic link: it is not followed")
    parts = re.split(r"[/\\]", entry.filename)
    if ".." in parts or not parts[0] or re.match(r"^[A-Za-z]:", entry.filename):
        raise Refused("its name leads out of the folder")
    _checked_name_and_size(entry.filename, entry.file_size)
    try:
        with opened() as archive, archive.open(entry) as file:
            content = file.read(BYTES_LIMIT + 1)
    except Exception as error:  # damaged, encrypted, a method that is not known
        raise Refused(f"cannot be read from the zip: {error}") from None
    _checked_name_and_size(entry.filename, len(content))
    return content


# --- what is in it


def work(content: bytes, homework: str | None = None) -> Work:
    """The student's part of a notebook: code cells in order, without what is as it was given.

    Args:
        homework: its name, if it must be this one.

    Raises:
        Refused: what is wrong with the notebook.
    """
    notebook = _parsed(content)
    found = _which(notebook)
    if homework is not None and found.name != homework:
        raise Refused(f"this is {found.name}, and {homework} is graded")
    cells = tuple(read.cell for read in notebook.code if _plain(read.cell.text) not in found.given)
    changed = [cell for cell in cells if cell.id in found.check_cells]
    remark = "A check cell was changed. It counts for nothing: points come from the teacher's own checks."
    answers = {question.id: _answer(question, notebook, found) for question in found.questions}
    shown = {check.part: said for check in found.checks if (said := _shown(check, notebook))}
    return Work(found, cells, (remark,) if changed else (), answers, shown)


def _answer(question: Question, notebook: "_Notebook", homework: Homework) -> str:
    """What a student wrote into the cell of a question, in place of it, or into cells below it."""
    opening, pieces, inside = _plain(question.text)[:40], [], False
    for read in notebook.cells:
        text = _plain(read.cell.text)
        if read.code:
            inside = False
        elif read.cell.id == question.id or opening in text:
            inside = True
            pieces.append(_without(text, question.text))
        elif text in homework.texts:
            inside = False
        elif inside:
            pieces.append(text)
    return "\n\n".join(dict.fromkeys(piece for piece in pieces if piece))[:ANSWER_LIMIT]


def _without(text: str, given: str) -> str:
    lines = {line for line in _plain(given).splitlines() if line}
    return "\n".join(line for line in text.replace(_plain(given), "").splitlines() if line not in lines).strip()


def _shown(check: Check, notebook: "_Notebook") -> str:
    """What the last saved run of a check says."""
    call = f"check.{check.answer}("
    return next((read.shown for read in reversed(notebook.code) if read.shown and call in read.cell.text), "")


@dataclass(frozen=True)
class _Read:
    """A cell as it was saved; of a check, with what it shows."""

    code: bool
    cell: Cell
    shown: str


@dataclass(frozen=True)
class _Notebook:
    metadata: dict[str, Any]
    cells: tuple[_Read, ...]

    @cached_property
    def code(self) -> tuple[_Read, ...]:
        return tuple(read for read in self.cells if read.code)

    @cached_property
    def text(self) -> str:
        return "\n".join(read.cell.text for read in self.code)


def _parsed(content: bytes) -> _Notebook:
    if not content.strip():
        raise Refused("the file is empty")
    if content.count(b"{") + content.count(b"[") > OBJECTS_LIMIT:
        raise Refused("too many brackets for a notebook: clear the outputs")
    try:
        data = _json(content)
    except (ValueError, RecursionError) as error:
        raise Refused(f"not a notebook, or a damaged one: {str(error)[:200]}") from None
    if not isinstance(data, dict) or not isinstance(data.get("nbformat"), int):
        raise Refused("not a notebook")
    if data["nbformat"] < 4:
        raise Refused("an old format of notebooks: open it, save it, and hand it in again")
    metadata, cells = data.get("metadata"), data.get("cells")
    metadata = metadata if isinstance(metadata, dict) else {}
    if not isinstance(cells, list) or not all(isinstance(c, dict) for c in cells):
        raise Refused("not a notebook: it has no cells")
    if len(cells) > CELLS_LIMIT:
        raise Refused(f"{len(cells):,} cells, and at most {CELLS_LIMIT:,} are read")
    _checked_language(metadata)
    return _Notebook(metadata, tuple(_read_cells(cells)))


def _json(content: bytes) -> Any:
    """In UTF-8, 16 or 32; an editor may have saved it in the encoding of its system."""
    try:
        return json.loads(content)
    except UnicodeDecodeError:
        return json.loads(content.decode("latin-1"))


def _checked_language(metadata: dict[str, Any]) -> None:
    kernel, language = metadata.get("kernelspec", {}), metadata.get("language_info", {})
    kernel, language = (d if isinstance(d, dict) else {} for d in (kernel, language))
    name = str(kernel.get("language") or language.get("name") or "python").lower()
    if name not in ("python", "ipython"):
        raise Refused(f"its kernel is of the language {name[:40]}; Python is expected")
    if str(kernel.get("name", "")).lower() == "python2" or str(language.get("version", "3")).startswith("2"):
        raise Refused("its kernel is Python 2; Python 3 is expected")


def _read_cells(cells: list[dict[str, Any]]) -> Iterator[_Read]:
    """Code and prose, in order; ids are for names alone: editors copy them with cells."""
    for number, cell in enumerate(cells, 1):
        if cell.get("cell_type") not in ("code", "markdown"):
            continue
        metadata, code = cell.get("metadata"), cell["cell_type"] == "code"
        own = cell.get("id") or (metadata.get("id") if isinstance(metadata, dict) else None)  # Colab's place for it
        source = _joined(cell.get("source", ""))
        if source is None and code:
            raise Refused(f"the source of cell {number} is no text")
        id = own[:64] if isinstance(own, str) and own else f"cell {number}"
        yield _Read(code, Cell(id, source or ""), _verdict(cell.get("outputs")) if code else "")


def _joined(text: Any) -> str | None:
    """A text as notebooks store it, in one piece or as lines; None if it is neither."""
    if isinstance(text, list) and all(isinstance(line, str) for line in text):
        return "".join(text)
    return text if isinstance(text, str) else None


def _verdict(outputs: Any) -> str:
    """``right`` or ``wrong``, if that is what is shown below a cell."""
    for output in outputs if isinstance(outputs, list) else []:
        if isinstance(output, dict) and output.get("output_type") == "error":
            return "wrong" if output.get("ename") in ("WrongAnswer", "NotDoneYet") else ""
        if isinstance(output, dict) and re.match(r"right: .*, \d+ points?$", _joined(output.get("text")) or "", re.M):
            return "right"
    return ""


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


@lru_cache(maxsize=1)
def version() -> str:
    """Of sources, checks and grader: results of another version are not taken up again."""
    digest = hashlib.sha256()
    here = Path(__file__).resolve().parents[1]
    for path in sorted([*here.rglob("*.py"), *here.glob("sources/*.ipynb")]):
        digest.update(f"{path.relative_to(here)}\n".encode() + path.read_bytes())
    return digest.hexdigest()
