"""What each student gets for a homework: of several tries one, what it costs to be late, and what a person decides."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from lecture11.homework.grading.intake import Homework, Submission, homeworks
from lecture11.homework.grading.records import Deadlines, Decision, Due, Person, Roster
from lecture11.homework.grading.submission import Grade, Result

Tries = Literal["best", "last"]


@dataclass(frozen=True)
class Mark:
    """What a part, or an open answer, is worth in the end.

    Attributes:
        points: None for an open answer that nobody has judged yet.
        reason: why a person gave them; what a person says.
        grade: the grader's own, of a part.
    """

    part: str
    title: str
    points: float | int | None
    of: int
    decided: bool = False
    reason: str = ""
    grade: Grade | None = None


@dataclass(frozen=True)
class Row:
    """A student's homework.

    Attributes:
        homework: its name; empty where it is not known.
        counted: the try that counts; None where nothing was handed in.
        tries: all of them, in the order of time.
        submission: of the one that counts.
        days: late, in days.
        share: what is left of the points for being late.
        notes: for the teacher.
    """

    person: Person
    homework: str
    counted: Result | None
    tries: tuple[Result, ...]
    submission: Submission | None
    marks: tuple[Mark, ...]
    days: int = 0
    share: float | int = 1.0
    notes: tuple[str, ...] = ()

    @property
    def points(self) -> float | int:
        """All points, without what it costs to be late."""
        return whole(round(self.share * sum(mark.points or 0 for mark in self.marks), 2))

    @property
    def of(self) -> int:
        """The most that it could be."""
        return sum(mark.of for mark in self.marks)

    @property
    def graded(self) -> bool:
        """There is something to be shown for it, by the grader or a person."""
        return any(mark.grade is not None or mark.decided for mark in self.marks)


@dataclass(frozen=True)
class Gradebook:
    """All rows of a class.

    Attributes:
        roster: without people, if there is none.
        results: of all submissions, in the order of their names.
        failed: names of submissions that could not be graded now, and why.
        decisions: which a person made, as they were read.
    """

    roster: Roster
    results: tuple[Result, ...]
    rows: tuple[Row, ...]
    failed: Mapping[str, str] = field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()


def gradebook(
    found: Sequence[Submission],
    results: Sequence[Result],
    failed: Mapping[str, str],
    *,
    roster: Roster,
    deadlines: Deadlines,
    decisions: Sequence[Decision],
    tries: Tries = "best",
    homework: str | None = None,
) -> Gradebook:
    """Brings all together: a row for each student and homework, absentees included."""
    submissions = {one.name: one for one in found}
    owners = {one.name: roster.whose(one) or Person(one.student) for one in found}
    people = list(dict.fromkeys(person.name for person in (*roster.people, *owners.values())))
    persons = {person.name: person for person in (*owners.values(), *roster.people)}
    handed: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        handed.setdefault((owners[result.name].name, result.homework), []).append(result)
    given = sorted({which for _, which in handed if which} | {d.homework for d in decisions})
    expected = [homework] if homework else given or [""]
    read = {(d.homework, d.part) for d in decisions}
    rows = []
    for name in people:
        # What is no homework is a try of the one that there is.
        unknown = handed.pop((name, ""), [])
        own = [which for which in given if (name, which) in handed] or (expected if len(expected) == 1 else [""])
        in_class = any(person.name == name for person in roster.people)
        for which in dict.fromkeys([*own, *(expected if in_class and own != [""] else [])]):
            some = [*handed.get((name, which), []), *(unknown if which == own[0] else [])]
            waiting = [one for one in failed if owners[one].name == name] if which == own[0] else []
            if not some and waiting and not any(d.student == name for d in decisions):
                continue  # it has a line of its own
            due = deadlines.due(name, which)
            about = [d for d in decisions if (d.student, d.homework) == (name, which)]
            asked = [q.id for q in homeworks()[which].questions if (which, q.id) in read] if which else []
            rows.append(_row(persons[name], which, some, submissions, due, about, asked, tries, roster))
    return Gradebook(roster, tuple(results), tuple(rows), failed, tuple(decisions))


def _row(
    person: Person,
    homework: str,
    some: Sequence[Result],
    submissions: Mapping[str, Submission],
    due: Due,
    decisions: Sequence[Decision],
    asked: Sequence[str],
    tries: Tries,
    roster: Roster,
) -> Row:
    def time(result: Result) -> datetime | None:
        return due.handed_in or submissions[result.name].time

    def value(result: Result) -> tuple[float, bool]:
        return sum(mark.points or 0 for mark in marks(result)) * due.share(time(result)), not result.refused

    def marks(result: Result | None) -> tuple[Mark, ...]:
        return tuple(_marks(homeworks()[homework], result, decisions, asked)) if homework else ()

    ordered = sorted(some, key=lambda result: (time(result) or datetime.min, result.name))
    counted: Result | None = None
    if ordered:
        counted = max(reversed(ordered), key=value) if tries == "best" else ordered[-1]
    days = due.days(time(counted)) if counted else 0
    share = due.share(time(counted)) if counted else 1.0
    notes = []
    if counted is None:
        notes.append("nothing was handed in")
    else:
        others = "; ".join(f"{one.name} ({one.refused or f'{one.points} points'})" for one in ordered if one != counted)
        notes += [counted.refused] if counted.refused else []
        notes += [f"other tries: {others}"] if others else []
        notes += counted.look
        if roster.people and person not in roster.people:
            notes.append("not on the roster, or not to be told from another one")
        if due.deadline is not None and time(counted) is None:
            notes.append("when it was handed in is not known")
    if days:
        notes.append(f"{days} {'day' if days == 1 else 'days'} late: {share:.0%} of the points")
    for mark in marks(counted):
        if mark.decided:
            notes.append(f"{mark.part}: {whole(mark.points or 0)} of {mark.of} by decision ({mark.reason})")
    submission = submissions[counted.name] if counted else None
    return Row(person, homework, counted, tuple(ordered), submission, marks(counted), days, share, tuple(notes))


def _marks(
    homework: Homework, result: Result | None, decisions: Sequence[Decision], asked: Sequence[str]
) -> Iterator[Mark]:
    decided = {decision.part: decision for decision in decisions}
    grades = {grade.part: grade for grade in (result.parts if result else ())}
    for check in homework.checks:
        grade, decision = grades.get(check.part), decided.get(check.part)
        points: float | int | None = decision.points if decision else grade.points if grade else 0
        reason = decision.reason if decision else ""
        yield Mark(check.part, check.title, points, check.points, decision is not None, reason, grade)
    for question in homework.questions:
        if question.id in asked:  # open answers count where somebody has begun to judge this one
            decision = decided.get(question.id)
            points, reason = (decision.points, decision.reason) if decision else (None, "")
            yield Mark(question.id, question.title, points, question.points, decision is not None, reason)


def whole(number: float | int) -> float | int:
    """A number without ``.0``."""
    return int(number) if number == int(number) else number
