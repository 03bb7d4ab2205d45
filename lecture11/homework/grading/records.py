"""The teacher's own tables: who is in the class, when homework is due, and points that a person gives.

They come from spreadsheets and learning systems, so any usual encoding and separator is read. What does not fit is a
ValueError with its file and line, before anything is graded.
"""

import csv
import io
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from lecture11.homework.grading.intake import Homework, Submission, homeworks

# Headers of a roster as learning systems export it, in small letters.
NAME = ("student", "name", "full name", "vollständiger name")
LAST, FIRST = ("last name", "surname", "nachname"), ("first name", "vorname")
IDS = (
    *("id", "id number", "identifier", "number", "matriculation number", "matrikelnummer", "id-nummer"),
    *("login", "login id", "username", "user name", "anmeldename", "benutzername", "sis user id", "sis login id"),
    *("email", "email address", "e-mail", "e-mail address", "e-mail-adresse"),
)
DECISIONS = ("student", "homework", "part", "points", "reason")


@dataclass(frozen=True)
class Person:
    """A student.

    Attributes:
        name: as it is shown; different for each.
        ids: numbers, logins and addresses, by the headers of the roster's columns.
        own: the name alone, where ``name`` has a number as well.
    """

    name: str
    ids: dict[str, str] = field(default_factory=dict)
    own: str = ""

    @property
    def known_as(self) -> frozenset[str]:
        """The ids as they are compared; of Moodle's ``Participant 17`` the number."""
        return frozenset(re.sub(r"^\D+ (?=\d+$)", "", text).casefold() for text in self.ids.values() if text)


@dataclass(frozen=True)
class Roster:
    """Who is in the class; without a roster nobody, and whoever handed in is found by name."""

    people: tuple[Person, ...] = ()

    @property
    def columns(self) -> list[str]:
        """Headers of the numbers, logins and addresses."""
        return list(dict.fromkeys(header for person in self.people for header in person.ids))

    def whose(self, submission: Submission) -> Person | None:
        """Who handed it in: by the name, if one student has it; else by number, login or address."""
        return self._one(submission.student, submission.ids)

    def with_others(self, found: Iterable[Submission]) -> "Roster":
        """And whoever else handed something in."""
        others = {one.student: Person(one.student) for one in found if self.whose(one) is None}
        return Roster((*self.people, *others.values()))

    def called(self, text: str) -> Person | None:
        """The student of this name, as it is shown, or of this number, login or address."""
        exact = [person for person in self.people if person.name == text]
        return exact[0] if exact else self._one(text, frozenset({text.casefold()}))

    def _one(self, name: str, ids: frozenset[str]) -> Person | None:
        named = [person for person in self.people if _same_name(person.own or person.name, name)]
        if len(named) == 1:
            return named[0]
        of_id = [person for person in named or self.people if person.known_as & ids]
        return of_id[0] if len(of_id) == 1 else None


def roster(path: Path) -> Roster:
    """Reads a CSV with a row for each student, of one's own or as Moodle, Canvas and others export it.

    Its columns are a name (``student``, ``name``, ``full name``; or ``first name`` and ``last name``) and any of
    ``id``, ``login``, ``email`` and the like; others are left aside.

    Raises:
        ValueError: it cannot be read, has no names, or somebody twice.
    """
    found: list[tuple[str, dict[str, str]]] = []
    for line, row in _rows(path):
        small = {header.casefold(): value for header, value in row.items()}
        name = next((small[header] for header in NAME if small.get(header)), "")
        parts = [next((small[header] for header in some if small.get(header)), "") for some in (FIRST, LAST)]
        name = name or " ".join(filter(None, parts))
        ids = {header: value for header, value in row.items() if header.casefold() in IDS}
        if name.casefold() in ("points possible", "student, test"):  # Canvas's, who is nobody
            continue
        if not name and any(row.values()):
            raise ValueError(f"{path}, line {line}: no name. A roster has a column student, or first and last name")
        if name:
            found.append((name, ids))
    if not found:
        raise ValueError(f"{path}: no students in it")
    people = []
    for name, ids in found:
        others = [other for other, _ in found if _same_name(other, name)]
        number = next(filter(None, ids.values()), "")
        if len(others) > 1 and (not number or sum(ids == those for _, those in found) > 1):
            raise ValueError(f"{path}: {name} is there twice, and no id or e-mail tells them apart")
        people.append(Person(name if len(others) == 1 else f"{name} ({number})", ids, name))
    return Roster(tuple(people))


@dataclass(frozen=True)
class Due:
    """Until when a student's homework is to be handed in, and what it costs to be late.

    Attributes:
        handed_in: when it was, if the teacher says so.
        free: days that cost nothing.
        per_day: of what each day after these costs, in percent of the points.
    """

    deadline: datetime | None = None
    handed_in: datetime | None = None
    free: float = 0.0
    per_day: float = 0.0

    def days(self, time: datetime | None) -> int:
        """How many days late; a day that has begun counts."""
        time = self.handed_in or time
        if self.deadline is None or time is None:
            return 0
        return max(0, math.ceil((time - self.deadline).total_seconds() / 86_400))

    def share(self, time: datetime | None) -> float:
        """What is left of the points, from 0 to 1."""
        return max(0.0, 1 - max(0.0, self.days(time) - self.free) * self.per_day / 100)


@dataclass(frozen=True)
class Deadlines:
    """Rows of a table: those without a student are for all, those without a homework for each."""

    rows: tuple[tuple[str, str, dict[str, datetime | float]], ...] = ()

    def due(self, student: str, homework: str) -> Due:
        """What holds for a student: what a row says that names them goes before what is for all."""
        said: dict[str, datetime | float] = {}
        for whom in ("", student):
            for who, which, values in self.rows:
                if who == whom and which in ("", homework):
                    said.update(values)
        return Due(**said)  # type: ignore[arg-type]


def deadlines(path: Path, people: Roster) -> Deadlines:
    """Reads a CSV with the columns ``homework, student, deadline, handed in, late days, per day``; any may be empty.

    Args:
        people: all whom a line may be about.

    Raises:
        ValueError: it cannot be read, or a line of it makes no sense.
    """
    rows = []
    for line, row in _rows(path):
        small = {header.casefold().replace("_", " "): value for header, value in row.items()}
        where = f"{path}, line {line}"
        which = _homework(small.get("homework", ""), where)
        who = _student(small.get("student", ""), people, where)
        values: dict[str, datetime | float] = {}
        for header, name in (("deadline", "deadline"), ("handed in", "handed_in")):
            if small.get(header):
                values[name] = _moment(small[header], where)
        for header, name in (("late days", "free"), ("per day", "per_day")):
            if small.get(header):
                values[name] = _number(small[header].removesuffix("%"), where)
        if any(small.values()) and not values:
            raise ValueError(
                f"{where}: nothing is said. The columns are homework, student, deadline, handed in, late days, per day"
            )
        rows.append((who, which, values))
    return Deadlines(tuple(rows))


@dataclass(frozen=True)
class Decision:
    """Points that a person gives, for a part or an open answer, and why."""

    student: str
    homework: str
    part: str
    points: float | int
    reason: str


def decisions(path: Path, people: Roster, only: str | None = None) -> list[Decision]:
    """Reads a CSV with the columns ``student, homework, part, points, reason``; later lines go before earlier ones.

    Args:
        people: all whom a line may be about.
        only: the homework that is meant where none is named.

    Raises:
        ValueError: it cannot be read, or a line of it makes no sense.
    """
    found = []
    for line, row in _rows(path):
        small = {header.casefold(): value for header, value in row.items()}
        where = f"{path}, line {line}"
        if not any(small.get(header) for header in ("part", "points", "reason")):
            continue
        missing = [header for header in DECISIONS if header not in small and header != "homework"]
        if missing:
            raise ValueError(f"{where}: the column {missing[0]} is missing")
        which = _homework(small.get("homework", "") or only or "", where)
        if not which:
            raise ValueError(f"{where}: which homework? There are: {', '.join(homeworks())}")
        most = worth(homeworks()[which]).get(small["part"])
        if most is None:
            parts = ", ".join(worth(homeworks()[which]))
            raise ValueError(f"{where}: {which} has no part {small['part']!r}. There are: {parts}")
        if not small["points"]:  # an answer that is not judged yet
            continue
        points = _number(small["points"], where)
        if not 0 <= points <= most:
            raise ValueError(f"{where}: {points:g} points, and {small['part']} has {most}")
        if not small["reason"] and any(check.part == small["part"] for check in homeworks()[which].checks):
            raise ValueError(f"{where}: why {points:g} points? Give a reason, which stands in the report")
        if not small["student"]:
            raise ValueError(f"{where}: whose points?")
        student = _student(small["student"], people, where)
        found.append(Decision(student, which, small["part"], points, small["reason"]))
    return found


def worth(homework: Homework) -> dict[str, int]:
    """The points of all parts and open questions, by their ids."""
    return {
        **{check.part: check.points for check in homework.checks},
        **{question.id: question.points for question in homework.questions},
    }


# --- tables


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows by their headers, without what stands around the values, each with the number of its line."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    text = _decoded(content)
    first = text.splitlines()[0] if text.strip() else ""
    separator = max(",;\t", key=first.count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        table = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise ValueError(f"{path} is no table in CSV: {error}") from None
    if not table:
        raise ValueError(f"{path} is empty: the first line has the names of the columns")
    headers = [value.strip() for value in table[0][1]]
    for line, row in table[1:]:
        if any(value.strip() for value in row):
            # An apostrophe in front keeps spreadsheets from taking a text for a formula.
            values = [value.strip().removeprefix("'").strip() for value in row]
            yield line, dict(zip(headers, values + [""] * (len(headers) - len(row)), strict=False))


def _decoded(content: bytes) -> str:
    for encoding in ("utf-16",) if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            pass
    return content.decode("latin-1")


def _homework(text: str, where: str) -> str:
    if text and text not in homeworks():
        raise ValueError(f"{where}: no homework is called {text!r}. There are: {', '.join(homeworks())}")
    return text


def _student(text: str, people: Roster, where: str) -> str:
    if not text:
        return ""
    person = people.called(text)
    if person is None:
        raise ValueError(f"{where}: {text!r} is nobody who handed in or is on the roster, or more than one")
    return person.name


def _moment(text: str, where: str) -> datetime:
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%d.%m.%Y %H:%M"):
        try:
            return datetime.strptime(text, form)
        except ValueError:
            pass
    raise ValueError(f"{where}: a time is written as 2026-05-12 23:59, got {text!r}")


def _number(text: str, where: str) -> float:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number < 0:
        raise ValueError(f"{where}: a number that is not negative is expected, got {text!r}")
    return number


def _words(name: str) -> list[str]:
    """The words of a name without accents, in small letters."""
    plain = unicodedata.normalize("NFKD", name.casefold().replace("ß", "ss"))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return re.findall(r"\w+", plain.replace("_", " "))


def _same_name(a: str, b: str) -> bool:
    """The same words in any order; or run together, last name first or not, as Canvas does."""
    x, y = _words(a), _words(b)
    if not x or not y:
        return a == b
    return sorted(x) == sorted(y) or _run_together(x, y) or _run_together(y, x)


def _run_together(words: Sequence[str], one: Sequence[str]) -> bool:
    turned = ("".join([*words[i:], *words[:i]]) for i in range(len(words)))
    return len(one) == 1 and one[0] in turned
