"""The results as a table for a spreadsheet, a page for each student and one for the class."""

import csv
import hashlib
import html
import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from lecture11.homework.grading.intake import homeworks, printable
from lecture11.homework.grading.submission import Grade, Result

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
td, th { border-bottom: 1px solid #ccc; padding: .3rem .6rem; text-align: left; vertical-align: top; }
td.n { text-align: right; }
pre { background: #f4f4f4; padding: .6rem; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
.right { color: #176b2c; } .wrong { color: #a01818; }
.warning { border: 3px solid #a01818; padding: .6rem 1rem; }
@media (prefers-color-scheme: dark) {
  body { background: #181818; color: #e4e4e4; } pre { background: #262626; } a { color: #8ab4f8; }
  .right { color: #7bd88f; } .wrong { color: #ff8a80; }
}
"""


def pages(
    results: Sequence[Result], failed: dict[str, str], isolated: bool, isolation: str
) -> Iterator[tuple[str, str]]:
    """All files with their texts, by their paths."""
    yield "grades.csv", table(results, failed)
    yield "class.html", class_page(results, failed, isolated, isolation)
    for result in results:
        yield page_name(result), student_page(result, isolated, isolation)


def page_name(result: Result) -> str:
    """A path that is safe on every system, and different for each submission."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", result.student).strip("-")[:40]
    digest = hashlib.sha256(result.name.encode("utf-8", "surrogateescape")).hexdigest()[:8]
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
        writer.writerow([cell(v) for v in [*row, *(points.get(part, "") for part in columns), result.refused]])
    for name, reason in failed.items():
        empty = [""] * (4 + len(columns))
        writer.writerow([cell(v) for v in [name, *empty, f"not graded yet: {reason}"]])
    return out.getvalue()


def cell(value: int | str) -> int | str:
    """A text that no spreadsheet takes for a formula."""
    if not isinstance(value, str):
        return value
    text = printable(value)
    # Also behind spaces, and the wide forms that some programs turn into these.
    return f"'{text}" if re.match(r"\s*[=+\-@＝＋－＠|%]", text) or value[:1] in ("\t", "\r", "\n") else text


# --- pages


def student_page(result: Result, isolated: bool, isolation: str) -> str:
    """What a student is told."""
    body = [f"<h1>{_text(result.student)}</h1>"]
    if result.refused:
        body.append(f"<p class='wrong'>Not graded, no points: {_text(result.refused)}</p>")
    else:
        title = homeworks()[result.homework].title
        body.append(f"<p>{_text(title)}: <strong>{result.points} of {result.of} points</strong></p>")
        rows = [[_title(i, p), f"{p.points} of {p.of}"] for i, p in enumerate(result.parts, 1)]
        body.append(_html_table(["Part", "Points"], rows))
        body += [_part(i, part) for i, part in enumerate(result.parts, 1)]
        if result.cells:
            body.append("<h2>Cells that failed</h2><pre>" + "\n".join(map(_text, result.cells)) + "</pre>")
    if result.remarks:
        body.append("<h2>Remarks</h2>" + "".join(f"<p>{_text(remark)}</p>" for remark in result.remarks))
    body.append(f"<p><small>File {_text(result.name)}. {_text(isolation)}</small></p>")
    return _page(f"{result.student}: {result.homework or 'not graded'}", body)


def _title(number: int, part: Grade) -> str:
    return f"{number}. {_text(part.title[:1].upper() + part.title[1:])}"


def _part(number: int, part: Grade) -> str:
    mark = "right" if part.points == part.of else "wrong"
    message = _text(part.message, lines=True)
    return f"<h2>{_title(number, part)}</h2><pre class='{mark}'>{message}</pre>"


def class_page(results: Sequence[Result], failed: dict[str, str], isolated: bool, isolation: str) -> str:
    """What the teacher sees: which mistakes, how often; then all results."""
    body = ["<h1>The class</h1>", _isolation(isolated, isolation)]
    run = [result for result in results if not result.refused]
    body.append(f"<p>{len(results)} submissions, {len(results) - len(run)} of them not to be run.</p>")
    for name, homework in homeworks().items():
        own = [result for result in run if result.homework == name]
        if own:
            body.append(f"<h2>{_text(homework.title)}</h2>")
            for number, check in enumerate(homework.checks, 1):
                body.append(_mistakes(number, [p for r in own for p in r.parts if p.part == check.part]))
    body.append("<h2>To look at</h2>" + _to_look_at(results, failed))
    rows = [
        [
            f"<a href='{html.escape(page_name(r), quote=True)}'>{_text(r.student)}</a>",
            _text(r.homework),
            f"{r.points} of {r.of}" if r.parts else "",
            _text(r.refused or ", ".join(p.part for p in r.parts if p.points < p.of)),
        ]
        for r in results
    ]
    body.append("<h2>All</h2>" + _html_table(["Student", "Homework", "Points", "Not right"], rows))
    return _page("The class", body)


def _mistakes(number: int, grades: Sequence[Grade]) -> str:
    """How often which mistake was made in a part."""
    if not grades:
        return ""
    right = sum(p.points == p.of for p in grades)
    counted = Counter(p.headline for p in grades if p.points < p.of)
    rows = [[str(n), _text(headline)] for headline, n in counted.most_common(12)]
    rest = sum(counted.values()) - sum(n for _, n in counted.most_common(12))
    if rest:
        rows.append([str(rest), "others"])
    head = f"<h3>{_title(number, grades[0])}: {right} of {len(grades)} right</h3>"
    return head + (_html_table(["Times", "Mistake"], rows) if rows else "")


def _to_look_at(results: Sequence[Result], failed: dict[str, str]) -> str:
    lines = [f"Not graded yet: {name} ({reason}). Run the same command again." for name, reason in failed.items()]
    lines += [f"{r.name}: {r.refused}" for r in results if r.refused]
    same: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for r in results:
        if r.content and not r.refused:
            same["The same file", r.content, ""].append(r.name)
            if r.seed:
                same["The same name in the notebook", r.homework, r.seed].append(r.name)
    lines += [f"{what[0]}: {', '.join(names)}" for what, names in same.items() if len(names) > 1]
    return "<ul>" + "".join(f"<li>{_text(line)}</li>" for line in lines) + "</ul>" if lines else "<p>Nothing.</p>"


def _isolation(isolated: bool, text: str) -> str:
    return f"<p>{_text(text)}</p>" if isolated else f"<p class='warning'><strong>{_text(text)}</strong></p>"


def _text(text: str, *, lines: bool = False) -> str:
    shown = "\n".join(map(printable, text.split("\n"))) if lines else printable(text)
    return html.escape(shown)


def _html_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Of cells that are HTML already."""
    top = "".join(f"<th>{name}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{value}</td>" for value in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _page(title: str, body: Sequence[str]) -> str:
    return (
        "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{_text(title)}</title><style>{STYLE}</style></head><body>{''.join(body)}</body></html>\n"
    )
