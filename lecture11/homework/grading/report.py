"""The grades as a table for a spreadsheet, a page for each student, and pages for the teacher.

Pages are made from ``templates``, which escape all that comes from a student, after it went through ``printable``.
"""

import base64
import csv
import hashlib
import io
import json
import re
import statistics
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from lecture11.homework.grading.alike import Pair
from lecture11.homework.grading.gradebook import Gradebook, Row, whole
from lecture11.homework.grading.intake import Check, homeworks, printable
from lecture11.homework.grading.records import worth
from lecture11.homework.grading.submission import Grade

MISTAKES_LIMIT = 12  # of a part, on the page of the class
# What a spreadsheet takes for the beginning of a formula; the wide forms are turned into these by some programs.
FORMULA = re.compile(r"""(^|[;,|\t])([\s"']*)(?=[=+\-@%|＝＋－＠％])""")


@dataclass(frozen=True)
class Run:
    """How a class was graded, for its pages.

    Attributes:
        isolation: how submissions were held back.
        warning: what else the teacher should know; may be empty.
    """

    date: datetime
    isolated: bool
    isolation: str
    warning: str = ""


def pages(book: Gradebook, alike: Sequence[Pair], run: Run) -> Iterator[tuple[str, str | bytes]]:
    """All files with what is in them, by their paths."""
    made = _templates()
    yield "grades.csv", table(book)
    yield (
        "class.html",
        made.get_template("class.html").render(
            run=run,
            book=book,
            homeworks=list(_homeworks(book)),
            first=list(disagreements(book)),
            look=list(_to_look_at(book)),
            alike=alike,
            pages={row.counted.name: page_name(row) for row in book.rows if row.counted},
        ),
    )
    questions = [question for question in _questions(book) if question["answers"]]
    script = resources.files("lecture11.homework.grading").joinpath("templates", "answers.js").read_text("utf-8")
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()  # this one, and no other script
    yield (
        "answers.html",
        made.get_template("answers.html").render(
            questions=questions, decided=_decided(book), script=Markup(script), script_hash=f"sha256-{allowed}"
        ),
    )
    student = made.get_template("student.html")
    back: dict[str, str] = {}
    for row in book.rows:
        if row.counted is not None or row.graded:
            title = homeworks()[row.homework].title if row.homework else ""
            page = student.render(row=row, result=row.counted, title=title, run=run)
            yield page_name(row), page
            back[_back(row)] = page
    yield "feedback.zip", _zip(back)


def page_name(row: Row) -> str:
    """A path that is safe on every system, and different for each student and homework."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", row.person.name).strip("-")[:40]
    told = f"{row.person.name}\0{row.homework}"
    digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"reports/{plain or 'submission'}-{digest}.html"


def _back(row: Row) -> str:
    """The name by which a learning system hands the report to its student; elsewhere a folder for each."""
    name = f"{row.submission.back}_report.html" if row.submission and row.submission.back else ""
    plain = re.sub(r"[/\\\x00-\x1f]+|^\.+", "-", name or row.person.name).encode("utf-8", "replace").decode()
    return plain if name else f"{plain}/{row.homework or 'homework'}.html"


def _zip(files: Mapping[str, str]) -> bytes:
    """The same bytes for the same files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return out.getvalue()


# --- grades.csv


def table(book: Gradebook) -> str:
    """A row for each student and homework. No cell is a formula, whatever a student calls a file."""
    used = {(mark.part, row.homework) for row in book.rows for mark in row.marks}
    columns = [part for which, hw in homeworks().items() for part in worth(hw) if (part, which) in used]
    ids = book.roster.columns
    out = io.StringIO()
    out.write("\ufeff")  # by which Excel knows that this is UTF-8
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["student", *ids, "homework", "points", "of", *columns, "submission", "handed in", "note"])
    for row in book.rows:
        points = {mark.part: "" if mark.points is None else whole(mark.points) for mark in row.marks}
        time = row.submission.time if row.submission else None
        values: list[str | int | float] = [
            *[row.person.name, *(row.person.ids.get(header, "") for header in ids), row.homework, row.points],
            *[row.of or "", *(points.get(part, "") for part in columns), row.counted.name if row.counted else ""],
            *[f"{time:%Y-%m-%d %H:%M:%S}" if time else "", "; ".join(row.notes)],
        ]
        writer.writerow([cell(value) for value in values])
    for name, reason in book.failed.items():
        empty = [""] * (len(ids) + len(columns) + 3)
        writer.writerow([cell(v) for v in ["", *empty, name, "", f"not graded yet: {reason}"]])
    return out.getvalue()


def cell(value: float | int | str) -> float | int | str:
    """A text that no spreadsheet takes for a formula, or for several cells of which one is.

    Where ``;`` separates cells, quotation marks around all of it do not hold it together.
    """
    if not isinstance(value, str):
        return value
    text = FORMULA.sub(lambda found: f"{found[1]}{found[2]}'" if found[1] else f"'{found[2]}", value)
    return printable(f"'{text}" if text[:1] in ("\t", "\r", "\n") else text)


# --- pages


def _templates() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("lecture11.homework.grading"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
    )
    made.filters.update(page_name=page_name, lines=_lines, not_right=_not_right, whole=whole, embedded=_embedded)
    made.filters["plain"] = _plain
    return made


def _shown(value: Any) -> Any:
    """What a template is to show. The templates' own text, which comes through here too, has nothing to be changed."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _lines(text: str) -> Markup:
    """A text whose lines are kept."""
    return Markup("\n").join(printable(line) for line in text.split("\n"))


def _plain(text: str) -> str:
    """Prose of a notebook without its marks for bold and italics, on one line."""
    return " ".join(text.replace("**", "").replace("*(", "(").replace(")*", ")").split())


def _embedded(data: Any) -> Markup:
    """Data for a script, in which nothing can end the script."""
    text = json.dumps(data)  # in ASCII
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _not_right(row: Row) -> list[str]:
    return [mark.part for mark in row.marks if mark.points is not None and mark.points < mark.of]


def _homeworks(book: Gradebook) -> Iterator[dict[str, Any]]:
    """For each homework that somebody handed in: how it went, and which mistakes who made."""
    for name, homework in homeworks().items():
        rows = [row for row in book.rows if row.homework == name and row.counted and not row.counted.refused]
        if rows:
            points = [row.points for row in rows]
            parts = [_mistakes(check, rows) for check in homework.checks]
            yield {
                "title": homework.title,
                "of": rows[0].of,
                "count": len(rows),
                "mean": f"{statistics.mean(points):.1f}",
                "median": whole(statistics.median(points)),
                "bars": _bars([point / max(row.of, 1) for point, row in zip(points, rows, strict=True)]),
                "parts": parts,
            }


def _bars(shares: Sequence[float | int]) -> list[dict[str, Any]]:
    """How many have which share of the points, in tenths; the last bar is for all of them."""
    counts = Counter(min(int(10 * share + 1e-9), 10) for share in shares)
    most = max(counts.values())
    names = [*(f"{10 * i} to {10 * i + 9} %" for i in range(10)), "100 %"]
    return [{"name": name, "count": counts[i], "width": 100 * counts[i] // most} for i, name in enumerate(names)]


def _mistakes(check: Check, rows: Sequence[Row]) -> dict[str, Any]:
    """Who made which mistake in a part. A mistake is known by its id; what has none, by what is said of it."""
    whose: dict[str, list[tuple[Row, Grade]]] = defaultdict(list)
    grades = [(row, mark.grade) for row in rows for mark in row.marks if mark.part == check.part and mark.grade]
    for row, grade in grades:
        if grade.points < grade.of:
            whose[grade.mistake or grade.headline].append((row, grade))
    most = sorted(whose.values(), key=len, reverse=True)
    rest = [one for some in most[MISTAKES_LIMIT:] for one in some]
    mistakes = [{"headline": some[0][1].headline, "rows": [row for row, _ in some]} for some in most[:MISTAKES_LIMIT]]
    return {
        "title": check.title,
        "right": sum(grade.points == grade.of for _, grade in grades),
        "all": len(grades),
        "mistakes": [*mistakes, *([{"headline": "others", "rows": [row for row, _ in rest]}] if rest else [])],
    }


def _questions(book: Gradebook) -> Iterator[dict[str, Any]]:
    """Each open question with the answers of the class."""
    for name, homework in homeworks().items():
        decided = {(d.student, d.part): d for d in book.decisions if d.homework == name}
        for question in homework.questions:
            answers = [
                {
                    "row": row,
                    "text": row.counted.answers.get(question.id, ""),
                    "decision": decided.get((row.person.name, question.id)),
                }
                for row in book.rows
                if row.homework == name and row.counted and not row.counted.refused
            ]
            written = sorted(answers, key=lambda answer: not answer["text"])  # the empty ones last
            yield {"homework": name, "question": question, "answers": written}


def _decided(book: Gradebook) -> list[list[str]]:
    """The decisions on parts, which the page of the open answers hands on as they are."""
    open_ = {question.id for homework in homeworks().values() for question in homework.questions}
    some = [d for d in book.decisions if d.part not in open_]
    return [[d.student, d.homework, d.part, str(whole(d.points)), d.reason] for d in some]


def disagreements(book: Gradebook) -> Iterator[tuple[Row, str]]:
    """Where a saved notebook shows something else than the grader says: what costs points first."""
    for shown, right in (("right", False), ("wrong", True)):
        for row in book.rows:
            for mark in row.marks:
                grade = mark.grade
                if row.counted and grade and row.counted.shown.get(mark.part) == shown:
                    if right and grade.points == grade.of:
                        yield row, f"{mark.part} is wrong in the saved notebook, and right here"
                    if not right and grade.points < grade.of and not mark.decided:
                        changed = " (its check cell was changed)" if row.counted.remarks else ""
                        yield (
                            row,
                            f"{mark.part} is right in the saved notebook{changed}, and not here: {grade.headline}",
                        )


def _to_look_at(book: Gradebook) -> Iterator[str]:
    for name, reason in book.failed.items():
        yield f"Not graded yet: {name} ({reason}). Run the same command again."
    for result in book.results:
        if result.refused:
            yield f"{result.name}: {result.refused}"
        yield from (f"{result.name}: {line}" for line in result.look)
    if book.roster.people:
        known = {person.name for person in book.roster.people}
        strangers = [row.person.name for row in book.rows if row.person.name not in known]
        absent = [row.person.name for row in book.rows if row.counted is None]
        if strangers:
            yield f"Not on the roster, or not to be told from another one: {', '.join(dict.fromkeys(strangers))}"
        if absent:
            yield f"Nothing was handed in by {', '.join(dict.fromkeys(absent))}"
    same: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for result in book.results:
        if result.content and not result.refused:
            same["The same file", result.content, ""].append(result.name)
            if result.seed:
                same["The same name in the notebook", result.homework, result.seed].append(result.name)
    yield from (f"{what}: {', '.join(names)}" for (what, _, _), names in same.items() if len(names) > 1)
