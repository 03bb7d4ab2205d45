"""The results as a table for a spreadsheet, a page for each student and one for the class.

Pages are made from ``templates``, which escape all that comes from a student, after it went through ``printable``.
"""

import csv
import hashlib
import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import jinja2
from markupsafe import Markup

from lecture11.homework.grading.intake import homeworks, printable
from lecture11.homework.grading.submission import Grade, Result

MISTAKES_LIMIT = 12  # of a part, on the page of the class
# What a spreadsheet takes for the beginning of a formula; the wide forms are turned into these by some programs.
FORMULA = re.compile(r"""(^|[;,|\t])([\s"']*)(?=[=+\-@%|＝＋－＠％])""")


def pages(
    results: Sequence[Result], failed: dict[str, str], isolated: bool, isolation: str, warning: str = ""
) -> Iterator[tuple[str, str]]:
    """All files with their texts, by their paths."""
    made = _templates()
    yield "grades.csv", table(results, failed)
    yield (
        "class.html",
        made.get_template("class.html").render(
            results=results,
            homeworks=list(_homeworks(results)),
            look=list(_to_look_at(results, failed)),
            isolated=isolated,
            isolation=isolation,
            warning=warning,
        ),
    )
    student = made.get_template("student.html")
    for result in results:
        title = homeworks()[result.homework].title if result.homework in homeworks() else ""
        yield page_name(result), student.render(result=result, title=title, isolation=isolation)


def page_name(result: Result) -> str:
    """A path that is safe on every system, and different for each submission."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", result.student).strip("-")[:40]
    digest = hashlib.sha256(result.name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"reports/{plain or 'submission'}-{digest}.html"


# --- grades.csv


def table(results: Sequence[Result], failed: dict[str, str]) -> str:
    """A row for each submission. No cell is a formula, whatever a file is called."""
    columns = list(dict.fromkeys(check.part for hw in homeworks().values() for check in hw.checks))
    used = {part.part for result in results for part in result.parts}
    columns = [part for part in columns if part in used]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["submission", "student", "homework", "points", "of", *columns, "note"])
    for result in results:
        points: dict[str, int | str] = {part.part: part.points for part in result.parts}
        of = result.of if result.parts else ""
        row: list[int | str] = [result.name, result.student, result.homework, result.points, of]
        note = "; ".join([*filter(None, [result.refused]), *result.look])
        writer.writerow([cell(v) for v in [*row, *(points.get(part, "") for part in columns), note]])
    for name, reason in failed.items():
        empty = [""] * (4 + len(columns))
        writer.writerow([cell(v) for v in [name, *empty, f"not graded yet: {reason}"]])
    return out.getvalue()


def cell(value: int | str) -> int | str:
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
    made.filters.update(page_name=page_name, first_upper=_first_upper, lines=_lines, not_right=_not_right)
    return made


def _shown(value: Any) -> Any:
    """What a template is to show. The templates' own text, which comes through here too, has nothing to be changed."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _lines(text: str) -> Markup:
    """A text whose lines are kept."""
    return Markup("\n").join(printable(line) for line in text.split("\n"))


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _not_right(result: Result) -> list[str]:
    return [part.part for part in result.parts if part.points < part.of]


def _homeworks(results: Sequence[Result]) -> Iterator[dict[str, Any]]:
    """For each homework that somebody handed in: which mistakes, how often."""
    for name, homework in homeworks().items():
        own = [result for result in results if not result.refused and result.homework == name]
        if own:
            grades = [[p for r in own for p in r.parts if p.part == check.part] for check in homework.checks]
            parts = [_mistakes(number, of_part) for number, of_part in enumerate(grades, 1) if of_part]
            yield {"title": homework.title, "parts": parts}


def _mistakes(number: int, grades: Sequence[Grade]) -> dict[str, Any]:
    """How often which mistake was made in a part."""
    counted = Counter(grade.headline for grade in grades if grade.points < grade.of)
    most = [(times, headline) for headline, times in counted.most_common(MISTAKES_LIMIT)]
    rest = counted.total() - sum(times for times, _ in most)
    return {
        "number": number,
        "title": grades[0].title,
        "right": sum(grade.points == grade.of for grade in grades),
        "all": len(grades),
        "mistakes": [*most, *([(rest, "others")] if rest else [])],
    }


def _to_look_at(results: Sequence[Result], failed: dict[str, str]) -> Iterator[str]:
    for name, reason in failed.items():
        yield f"Not graded yet: {name} ({reason}). Run the same command again."
    for result in results:
        if result.refused:
            yield f"{result.name}: {result.refused}"
        yield from (f"{result.name}: {line}" for line in result.look)
    same: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for result in results:
        if result.content and not result.refused:
            same["The same file", result.content, ""].append(result.name)
            if result.seed:
                same["The same name in the notebook", result.homework, result.seed].append(result.name)
    yield from (f"{what}: {', '.join(names)}" for (what, _, _), names in same.items() if len(names) > 1)
