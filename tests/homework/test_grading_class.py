"""A class: who is in it, what a person decides, one row for each, and what is handed back. Nothing is run here."""

import csv
import io
import json
import re
import zipfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import hostile
import pytest

from lecture11.homework import build
from lecture11.homework.grading import alike, intake, records, report
from lecture11.homework.grading.gradebook import Gradebook, gradebook
from lecture11.homework.grading.intake import Submission
from lecture11.homework.grading.records import Decision, Person, Roster
from lecture11.homework.grading.submission import Grade, Result

MAY = datetime(2026, 5, 12, 23, 59)
RUN = report.Run(datetime(2026, 5, 20, 8, 30), True, "Run in a test.")


def table(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def submission(name: str, time: datetime | None = MAY) -> Submission:
    """As it is found among others."""
    parts = name.split("/")
    return replace(intake._submission(parts, name, lambda: b"", None), time=time)


def result(one: Submission, points: int = 2, **changes: Any) -> Result:
    """Of homework 2, with the KL right and the bound wrong."""
    parts = (
        Grade("elbo-kl", "the KL in closed form", points, 2, "right", "right", "right"),
        Grade("elbo", "the bound", 0, 4, "mistake", "a <b> & c", "a <b> & c\nline two", "kl-added"),
    )
    made = Result(one.name, one.student, "02-vae-elbo", one.student, one.name, "", parts, (), (), 1.0)
    return replace(made, **changes)


def book(*results: tuple[Submission, Result], roster: Roster | None = None, **options: Any) -> Gradebook:
    """Of these submissions."""
    given = {"deadlines": records.Deadlines(), "decisions": (), "homework": "02-vae-elbo", **options}
    return gradebook([s for s, _ in results], [r for _, r in results], {}, roster=roster or Roster(), **given)


def both(name: str, *, time: datetime | None = MAY, **changes: Any) -> tuple[Submission, Result]:
    """A submission and its result."""
    one = submission(name, time)
    return one, result(one, **changes)


# --- who is who

MOODLE = "Identifier,Full name,Email address,Status\nParticipant 17,Ada Lovelace,ada@example.org,Submitted\n"
CANVAS = (
    'Student,ID,SIS Login ID,Section\n    Points Possible,,,\n"Noether, Emmy",123,enoether,A\n"Student, Test",1,x,A\n'
)
OWN = "Nachname;Vorname;Matrikelnummer\nMüller;Zoë;1234567\nHopper;Grace;7654321\n"


@pytest.mark.parametrize(
    ("text", "encoding", "name", "owner"),
    [
        (MOODLE, "utf-8", "Ada Lovelace_17_assignsubmission_file_/hw.ipynb", "Ada Lovelace"),
        (MOODLE, "utf-8-sig", "A. L._17_assignsubmission_file_hw.ipynb", "Ada Lovelace"),
        (MOODLE, "utf-16", "hw_ada@example.org_2.ipynb", "Ada Lovelace"),
        (MOODLE, "utf-8", "17.ipynb", None),  # a number by itself may be of anything
        (CANVAS, "utf-8", "noetheremmy_LATE_123_4567_hw.ipynb", "Noether, Emmy"),
        (CANVAS, "utf-8", "Homework 2_enoether_attempt_2026-05-12-12-00-00_hw.ipynb", "Noether, Emmy"),
        (CANVAS, "utf-8", "someone_9_4567_hw.ipynb", None),
        (OWN, "cp1252", "Müller_Zoe_zmueller_4711/hw.ipynb", None),
        (OWN, "cp1252", "Muller_Zoë_zm_1234567/hw.ipynb", "Zoë Müller"),
        (OWN, "cp1252", "grace hopper.ipynb", "Grace Hopper"),
        (OWN, "utf-8", "Zoe\u0308 Mu\u0308ller/hw.ipynb", "Zoë Müller"),  # as a Mac writes it
    ],
)
def test_a_submission_finds_its_student(tmp_path: Path, text: str, encoding: str, name: str, owner: str | None) -> None:
    found = records.roster(table(tmp_path / "roster.csv", text, encoding)).whose(submission(name))
    assert (found.name if found else None) == owner


def test_two_of_one_name_are_told_apart_by_their_number(tmp_path: Path) -> None:
    text = "name,id,email\nAda L,17,a@x.org\nAda L,18,b@x.org\nBob,19,\n"
    class_ = records.roster(table(tmp_path / "roster.csv", text))
    assert [person.name for person in class_.people] == ["Ada L (17)", "Ada L (18)", "Bob"]
    found = class_.whose(submission("Ada L_18_assignsubmission_file_hw.ipynb"))
    assert found is not None
    assert found.name == "Ada L (18)"
    assert class_.whose(submission("Ada L.ipynb")) is None
    assert class_.called("a@x.org") == class_.people[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("name\n", "no students in it"),
        ("login,email\nx,y\n", "line 2: no name"),
        ("name\nAda\nAda\n", "Ada is there twice, and no id or e-mail tells them apart"),
    ],
)
def test_a_roster_that_is_none(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        records.roster(table(tmp_path / "roster.csv", text))


# --- when, and what a person decides

PEOPLE = Roster((Person("Ada"), Person("Zoë Müller", {"id": "4711"}), Person("Absent", {"id": "3"})))
LATE = (
    "homework;student;deadline;handed in;late days;per day\n"
    ";;2026-05-12 23:59;;1;20%\n"
    "02-vae-elbo;4711;14.05.2026 12:00;;;\n"
    "02-vae-elbo;Ada;;2026-05-15 00:00;;\n"
)


def test_days_late_are_counted_as_they_begin(tmp_path: Path) -> None:
    due = records.deadlines(table(tmp_path / "deadlines.csv", LATE), PEOPLE)
    everyone, ada, zoe = (due.due(who, "02-vae-elbo") for who in ("Absent", "Ada", "Zoë Müller"))
    assert [everyone.days(time) for time in (None, MAY, MAY.replace(day=13, hour=0), MAY.replace(day=14))] == [
        0,
        0,
        1,
        2,
    ]
    assert everyone.share(MAY.replace(day=14)) == pytest.approx(0.8)
    assert everyone.share(MAY.replace(day=30)) == 0
    assert ada.days(MAY) == 3, "the teacher says when it was handed in"
    assert zoe.days(datetime(2026, 5, 14, 12)) == 0
    assert zoe.days(datetime(2026, 5, 14, 12, 1)) == 1
    assert due.due("Zoë Müller", "04-diffusion").days(datetime(2026, 5, 14, 12)) == 2, "it was for one homework"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("05-none,,,,,", "no homework is called '05-none'"),
        (",Nobody,2026-05-12 12:00,,,", "'Nobody' is nobody who handed in"),
        (",,soon,,,", "a time is written as 2026-05-12 23:59, got 'soon'"),
        (",,,,-1,", "a number that is not negative is expected, got '-1'"),
        (",Ada,,,,", "nothing is said"),
    ],
)
def test_a_deadline_that_is_none(tmp_path: Path, line: str, says: str) -> None:
    path = table(tmp_path / "d.csv", f"homework,student,deadline,handed in,late days,per day\n{line}\n")
    with pytest.raises(ValueError, match=f"line 2: {re.escape(says)}"):
        records.deadlines(path, PEOPLE)


HEAD = "student,homework,part,points,reason\n"


def test_decisions_are_read_as_a_spreadsheet_saves_them(tmp_path: Path) -> None:
    text = f'{HEAD}Ada,,elbo,"2,5","a slip; the rest is right"\n\'Zoë Müller,02-vae-elbo,kl-per-latent-question,2,\n'
    text += "4711,,elbo,,\nAda,,elbo,3,again\n"
    found = records.decisions(table(tmp_path / "d.csv", text), PEOPLE, "02-vae-elbo")
    assert found == [
        Decision("Ada", "02-vae-elbo", "elbo", 2.5, "a slip; the rest is right"),
        Decision("Zoë Müller", "02-vae-elbo", "kl-per-latent-question", 2, ""),
        Decision("Ada", "02-vae-elbo", "elbo", 3, "again"),
    ]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("Ada,,elbo,3,why", "which homework? There are: 01-autoencoders"),
        ("Ada,02-vae-elbo,elbow,3,why", "02-vae-elbo has no part 'elbow'. There are: gaussian-log-prob, elbo-kl"),
        ("Ada,02-vae-elbo,elbo,5,why", "5 points, and elbo has 4"),
        ("Ada,02-vae-elbo,elbo,nan,why", "a number that is not negative"),
        ("Ada,02-vae-elbo,elbo,3,", "why 3 points? Give a reason"),
        (",02-vae-elbo,elbo,3,why", "whose points?"),
        ("Eve,02-vae-elbo,elbo,3,why", "'Eve' is nobody who handed in"),
    ],
)
def test_a_decision_that_is_none(tmp_path: Path, line: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"line 2: {says}")):
        records.decisions(table(tmp_path / "d.csv", f"{HEAD}{line}\n"), PEOPLE)


# --- a row for each


def rows(made: Gradebook) -> dict[str, dict[str, str]]:
    """Of grades.csv, by student."""
    found = list(csv.DictReader(io.StringIO(report.table(made).removeprefix("\ufeff"))))
    assert len({row["student"] for row in found}) == len(found)
    return {row["student"]: row for row in found}


def test_a_row_for_each_student_with_absentees_and_strangers() -> None:
    made = book(both("Ada.ipynb"), both("4711_x_zm_4711/hw.ipynb"), both("Eve.ipynb"), roster=PEOPLE)
    found = rows(made)
    assert list(found) == ["Ada", "Zoë Müller", "Absent", "4711_x_zm_4711", "Eve"]
    found = rows(book(both("Ada.ipynb"), both("Müller_Zoë/hw.ipynb"), both("Eve.ipynb"), roster=PEOPLE))
    assert [(row["student"], row["id"], row["points"], row["note"]) for row in found.values()] == [
        ("Ada", "", "2", ""),
        ("Zoë Müller", "4711", "2", ""),
        ("Absent", "3", "0", "nothing was handed in"),
        ("Eve", "", "2", "not on the roster, or not to be told from another one"),
    ]
    assert found["Absent"]["of"] == "15"
    assert found["Ada"]["handed in"] == "2026-05-12 23:59:00"


def test_of_several_tries_the_best_or_the_last_counts() -> None:
    old = both("Ada/a.ipynb", points=2, time=MAY.replace(day=1))
    new = both("Ada/b.ipynb", points=0, time=MAY)
    broken = both("Ada/c.pdf", homework="", refused="not a notebook", parts=(), time=None)
    best, last = (rows(book(new, broken, old, tries=tries))["Ada"] for tries in ("best", "last"))
    assert (best["points"], best["submission"]) == ("2", "Ada/a.ipynb")
    assert best["note"] == "other tries: Ada/c.pdf (not a notebook); Ada/b.ipynb (0 points)"
    assert (last["points"], last["submission"]) == ("0", "Ada/b.ipynb")
    assert rows(book(broken))["Ada"]["note"] == "not a notebook"
    # A better one that came too late is not the best.
    due = records.Deadlines((("", "02-vae-elbo", {"deadline": MAY.replace(day=2), "per_day": 10.0}),))
    late = both("Ada/b.ipynb", points=2, time=MAY)
    worse = both("Ada/a.ipynb", points=1, time=MAY.replace(day=1))
    found = rows(book(late, worse, deadlines=due))["Ada"]
    assert (found["points"], found["submission"]) == ("1", "Ada/a.ipynb")


def test_being_late_costs_and_is_said() -> None:
    due = records.Deadlines((("", "", {"deadline": MAY.replace(day=10), "free": 1.0, "per_day": 25.0}),))
    made = book(both("Ada.ipynb", time=MAY), both("Bob.ipynb", time=None), deadlines=due)
    found = rows(made)
    assert (found["Ada"]["points"], found["Ada"]["note"]) == ("1.5", "2 days late: 75% of the points")
    assert (found["Bob"]["points"], found["Bob"]["note"]) == ("2", "when it was handed in is not known")
    page = dict(report.pages(made, [], RUN))[report.page_name(made.rows[0])]
    assert "1.5 of 15 points</strong>\n(handed in 2 days late: 75 % of the points below)" in page


def test_what_a_person_decides_counts_and_is_said() -> None:
    decided = (
        Decision("Ada", "02-vae-elbo", "elbo", 3.5, "a slip <i>"),
        Decision("Ada", "02-vae-elbo", "kl-per-latent-question", 1, "and why those?"),
        Decision("Absent", "02-vae-elbo", "elbo-kl", 2, "on paper"),
    )
    made = book(both("Ada.ipynb"), both("Müller_Zoë/hw.ipynb"), roster=PEOPLE, decisions=decided)
    found = rows(made)
    assert (found["Ada"]["points"], found["Ada"]["of"], found["Ada"]["elbo"]) == ("6.5", "17", "3.5")
    assert found["Ada"]["kl-per-latent-question"] == "1"
    assert "effective-sample-size-question" not in found["Ada"], "nobody reads it"
    assert found["Ada"]["note"] == (
        "elbo: 3.5 of 4 by decision (a slip <i>); kl-per-latent-question: 1 of 2 by decision (and why those?)"
    )
    assert (found["Zoë Müller"]["points"], found["Zoë Müller"]["kl-per-latent-question"]) == ("2", "")
    assert found["Absent"]["points"] == "2"
    pages = dict(report.pages(made, [], RUN))
    own = pages[report.page_name(made.rows[0])]
    assert "3.5 of 4 points, by decision of your teacher</strong>: a slip &lt;i&gt;" in own
    assert "line two" in own, "what the grader said stands beside it"
    assert "not read yet" in pages[report.page_name(made.rows[1])]
    assert report.page_name(made.rows[2]) in pages


def test_homeworks_of_a_term_in_one_folder() -> None:
    diffusion = both("Ada/4.ipynb", homework="04-diffusion", parts=())
    made = book(both("Ada/2.ipynb"), diffusion, both("Müller_Zoë/hw.ipynb"), roster=PEOPLE, homework=None)
    assert [(row.person.name, row.homework, row.counted is not None) for row in made.rows] == [
        ("Ada", "02-vae-elbo", True),
        ("Ada", "04-diffusion", True),
        ("Zoë Müller", "02-vae-elbo", True),
        ("Zoë Müller", "04-diffusion", False),
        ("Absent", "", False),
    ]


# --- pages


def test_pages_of_a_student_and_of_the_class() -> None:
    odd = "\ud800.ipynb"
    made = book(
        both("Ada.ipynb"),
        both("<i>Bob<|i>.ipynb", content="Ada.ipynb", seed="Ada"),
        both("c.ipynb", refused="the file is empty", parts=(), homework="", content="", seed=""),
        both(odd, look=("odd <i>",), cells=("c1: \x1b[2J\udfff {{ 7 * 7 }}",), seed="\udfff"),
    )
    pages = dict(report.pages(made, [alike.Pair("Ada.ipynb", odd, 0.75, 60)], RUN))
    names = [report.page_name(row) for row in made.rows]
    assert set(pages) == {"grades.csv", "class.html", "answers.html", "feedback.zip", *names}
    page = pages["class.html"]
    assert isinstance(page, str)
    assert "2026-05-20 08:30" in page
    assert "3 students, mean 2.0 and median 2 of 15 points" in page
    assert "2. The KL in closed form: 3 of 3 right" in page
    assert "<summary>3 × a &lt;b&gt; &amp; c</summary>" in page
    assert re.search(rf'3 × a &lt;b.*\n<p><a href="{names[0]}">Ada</a>, ', page), "to those who made it"
    assert r"\ud800.ipynb: odd &lt;i&gt;" in page
    assert "75 % (60)" in page
    assert "&lt;i&gt;Bob&lt;|i&gt;" in page
    assert "<i>" not in page
    assert "The same file: Ada.ipynb, &lt;i&gt;Bob&lt;|i&gt;.ipynb" in page
    assert "The same name in the notebook: Ada.ipynb" in page
    assert "c.ipynb: the file is empty" in page
    assert r"c1: \x1b[2J\udfff {{ 7 * 7 }}" in str(pages[names[3]])
    own = str(pages[names[0]])
    assert "2 of 15 points" in own
    assert "a &lt;b&gt; &amp; c</p>\n<pre>line two" in own
    assert "Not graded, no points: the file is empty" in str(pages[names[2]])
    for text in pages.values():
        if isinstance(text, str):
            text.encode()


def test_a_mistake_is_known_by_its_id_whatever_is_said_of_it() -> None:
    one, other = both("Ada.ipynb"), both("Bob.ipynb")
    said = replace(other[1].parts[1], headline="said in other words")
    unnamed = tuple(replace(grade, mistake="", headline="none that we know") for grade in one[1].parts)
    made = book(one, (other[0], replace(other[1], parts=(other[1].parts[0], said))), both("Cyd.ipynb", parts=unnamed))
    page = dict(report.pages(made, [], RUN))["class.html"]
    assert "<summary>2 × a &lt;b&gt; &amp; c</summary>" in str(page)
    assert "<summary>1 × none that we know</summary>" in str(page)


def test_bars_hold_each_student_once() -> None:
    bars = report._bars([0, 0.05, 0.099, 0.1, 0.5, 0.999, 1.0, 1.0])
    assert [bar["count"] for bar in bars] == [3, 1, 0, 0, 0, 1, 0, 0, 0, 1, 2]
    assert [bar["name"] for bar in bars][-2:] == ["90 to 99 %", "100 %"]


def test_a_notebook_that_shows_something_else_than_the_grade_is_first_to_look_at() -> None:
    made = book(
        both("Ada.ipynb", shown={"elbo-kl": "right", "elbo": "right"}, remarks=("A check cell was changed.",)),
        both("Bob.ipynb", shown={"elbo-kl": "wrong", "elbo": "wrong"}),
        both("Cyd.ipynb"),
    )
    assert [(row.person.name, text) for row, text in report.disagreements(made)] == [
        ("Ada", "elbo is right in the saved notebook (its check cell was changed), and not here: a <b> & c"),
        ("Bob", "elbo-kl is wrong in the saved notebook, and right here"),
    ]
    page = str(dict(report.pages(made, [], RUN))["class.html"])
    assert page.index("Look at these first") < page.index("Homework 2")


def test_learning_systems_take_the_zip_back() -> None:
    made = book(
        both("Ada Lovelace_17_assignsubmission_file_/hw.ipynb"),
        both("Bob B_18_assignsubmission_file_hw 2.ipynb"),
        both("noetheremmy_LATE_123_4567_hw.ipynb"),
        both("Turing_Alan/hw.ipynb"),
        both("..|evil.ipynb", parts=()),
    )
    content = dict(report.pages(made, [], RUN))["feedback.zip"]
    assert isinstance(content, bytes)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        assert "2 of 15 points" in archive.read(names[0]).decode()
    assert names == [
        "Ada Lovelace_17_assignsubmission_file_report.html",
        "Bob B_18_assignsubmission_file_report.html",
        "noetheremmy_LATE_123_4567_report.html",
        "Turing_Alan/02-vae-elbo.html",
        "-|evil/02-vae-elbo.html",
    ]
    # What Moodle and Canvas look for in them.
    assert [re.split("_", name, maxsplit=4)[1:4] for name in names[:2]] == [
        ["17", "assignsubmission", "file"],
        ["18", "assignsubmission", "file"],
    ]
    assert re.findall(r"(?<=_)\d+(?=_)", names[2]) == ["123", "4567"]
    assert dict(report.pages(made, [], RUN))["feedback.zip"] == content


def test_page_names_are_safe_and_different() -> None:
    people = ["a b", "A B", "../x", "\udcff", "con", "x" * 300, ""]
    made = [report.page_name(replace(book(both("Ada.ipynb")).rows[0], person=Person(name))) for name in people]
    assert len(set(made)) == len(people)
    for name in made:
        assert name.removeprefix("reports/").removesuffix(".html").replace("-", "").isalnum()
        assert len(name) < 80


# --- answers in words, and what is shown


def notebook_with(**cells: Any) -> bytes:
    """Homework 2 as it is given, with other cells."""
    made = build.student(build.source("02-vae-elbo"))
    for cell in made["cells"]:
        cell.update(cells.get(cell["id"], {}))
    return json.dumps(made).encode()


def test_an_answer_in_words_is_found_wherever_it_was_written() -> None:
    id = "kl-per-latent-question"
    given = next(build.text_of(c) for c in build.source("02-vae-elbo")["cells"] if c["id"] == id)
    assert intake.work(notebook_with()).answers[id] == ""
    for text, says in (
        (f"{given}\n\nThe small ones.", "The small ones."),
        (f"The small ones.\n\n{given}", "The small ones."),
        ("The small ones.", "The small ones."),
        (given.replace(" and write", "\nThe small ones.\nand write"), "The small ones."),
    ):
        assert says in intake.work(notebook_with(**{id: {"source": text}})).answers[id], text
    made = json.loads(notebook_with())
    at = next(i for i, cell in enumerate(made["cells"]) if cell["id"] == id)
    made["cells"].insert(at + 1, {"cell_type": "markdown", "metadata": {}, "source": ["In a cell\n", "of its own."]})
    for cell in made["cells"]:
        cell.pop("id", None)  # an old editor
    assert intake.work(json.dumps(made).encode()).answers[id] == "In a cell\nof its own."
    made["cells"][at]["source"] = 7
    assert intake.work(json.dumps(made).encode()).answers[id] == ""
    long = intake.work(notebook_with(**{id: {"source": "x" * 10**6}})).answers[id]
    assert len(long) == intake.ANSWER_LIMIT


def test_what_a_saved_notebook_shows_is_read() -> None:
    right = {"output_type": "stream", "name": "stdout", "text": ["right: the KL in closed form, 2 points\n"]}
    wrong = {"output_type": "error", "ename": "WrongAnswer", "evalue": "elbo: x", "traceback": []}
    other = {"output_type": "error", "ename": "NameError", "evalue": "x", "traceback": []}
    cells = {
        "elbo-kl-check": {"outputs": [right]},
        "elbo-check": {"outputs": [wrong]},
        "iw-bound-check": {"outputs": [other]},
        "effective-sample-size-check": {"outputs": [7, {"output_type": "stream", "text": 7}, None]},
        "kl-per-latent-check": {"outputs": {"output_type": "stream"}},
    }
    assert intake.work(notebook_with(**cells)).shown == {"elbo-kl": "right", "elbo": "wrong"}


def test_answers_stand_side_by_side_and_are_no_code() -> None:
    id = "kl-per-latent-question"
    evil = "</script><script>alert(1)</script>"
    decided = (
        Decision("Ada", "02-vae-elbo", id, 1.5, evil),
        Decision("Ada", "02-vae-elbo", "elbo", 3, evil),
    )
    made = book(both("Ada.ipynb", answers={id: evil}), both("Bob.ipynb"), both('C"d.ipynb'), decisions=decided)
    page = str(dict(report.pages(made, [], RUN))["answers.html"])
    assert page.count("<script") == 2
    assert "&lt;/script&gt;&lt;script&gt;alert(1)" in page
    assert 'data-student="C&#34;d"' in page
    assert page.count("Nothing was written.") == 5  # two questions, three students
    assert 'value="1.5"> of 2' in page
    rubric = intake.homeworks()["02-vae-elbo"].questions[1].rubric
    assert all(line.replace("'", "&#39;") in page for line in rubric)
    data = re.search(r'id="decided">(.*)</script>', page)
    assert data is not None
    assert json.loads(data[1]) == [["Ada", "02-vae-elbo", "elbo", "3", evil]], "decisions on parts are handed on"


def test_no_rubric_reaches_the_students() -> None:
    for name in build.names():
        questions = intake.homeworks()[name].questions
        assert questions
        for made in (build.student(build.source(name)), build.solution(build.source(name))):
            assert "rubric" not in json.dumps(made)
        assert all(sum(int(line.split(":")[0]) for line in q.rubric) == q.points for q in questions)
        assert all("*(2 points, where a teacher reads it.)*" in q.text for q in questions)


# --- who wrote alike


def changed(code: str, names: dict[str, str]) -> str:
    return re.sub(r"\b\w+\b", lambda found: names.get(found[0], found[0]), code)


def test_a_copy_with_other_names_is_found_and_the_common_way_is_not() -> None:
    own = [hostile.solved(name) for name in build.names()]
    class_ = {f"{i}": "\n".join(build.text_of(c) for c in made["cells"]) for i, made in enumerate(own)}
    long = (
        "def elbo(x, encoder, decoder, eps):\n    m, lv = encoder(x)\n    noise = eps * torch.exp(lv / 2)\n"
        "    out = decoder(m + noise)\n    first = ((x - out) ** 2).sum(dim=1)\n    second = math.log(2 * math.pi)\n"
        "    first = -first / 2 - x.shape[1] * second / 2\n    third = (m * m + torch.exp(lv) - lv - 1).sum(dim=-1)\n"
        "    return torch.sub(first, third, alpha=0.5)\n"
    )
    copy = changed(long, {"m": "mean", "lv": "logvar", "noise": "n", "out": "rec", "first": "a", "third": "kl"})
    class_ |= {"Ada": f"{long}# mine", "Bob": f'"""Mine."""\n{copy}', "Cyd": hostile.KL, "Dan": hostile.KL}
    (pair,) = alike.pairs(class_)
    assert {pair.first, pair.second} == {"Ada", "Bob"}
    assert pair.share > 0.5
    many = {**class_, **{f"friend {i}": long for i in range(10)}}
    assert alike.pairs(many) == [], "what many have is the common way"
