"""``lecture11 grade``: what it prints, and with which status it ends."""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from lecture11.homework.grading import course, intake, records, report
from lecture11.homework.grading.gradebook import whole
from lecture11.homework.grading.intake import printable
from lecture11.homework.grading.judge import JudgeError
from lecture11.homework.grading.sandbox import SandboxError
from lecture11.homework.grading.submission import Result

WITHOUT_SANDBOX = (
    "What students wrote would run with your rights: it could read, change and delete your files. Install bubblewrap, "
    "use a virtual machine, or, if all of it can be trusted, add --without-sandbox."
)


def grade(options: argparse.Namespace) -> int:
    """Runs the command."""
    if os.name == "nt":
        print("lecture11 grade: Windows has no sandbox for it. In WSL (wsl --install) the same command works.")
        return 1
    try:
        return _grade(options)
    except KeyboardInterrupt:
        print("lecture11 grade: stopped. The same command goes on from here.")
        return 130
    except course.NotIsolatedError as error:
        print(f"lecture11 grade: NO SANDBOX here ({error}). {WITHOUT_SANDBOX}")
    except (ValueError, SandboxError, JudgeError) as error:
        print(f"lecture11 grade: {_line(error)}")
    except OSError as error:  # a full disk, say; what is graded is kept
        print(f"lecture11 grade: {_line(error)}. The same command goes on from here.")
    return 1


def _grade(options: argparse.Namespace) -> int:
    if options.preview:
        print("\n".join(map(printable, _previewed(course.preview(options.folder)))))
        return 0
    roster = records.roster(options.roster) if options.roster else records.Roster()
    if options.dry_run:
        return _grade_nobody(options.folder, options.homework, roster)
    output: Path = options.output or options.folder.with_name(f"{options.folder.resolve().stem}-grades")
    summary = course.grade(
        options.folder,
        output,
        homework=options.homework,
        workers=options.workers,
        seed=options.seed,
        without_sandbox=options.without_sandbox,
        about=course.Class(roster, options.deadlines, options.tries),
        again=options.again or (),
    )
    print(f"{len(summary.results)} submissions, {summary.graded} graded now: {output / 'class.html'}")
    print(summary.isolation)
    if summary.warning:
        print(f"NOTE: {summary.warning}.")
    for row, text in report.disagreements(summary.book):
        print(printable(f"look first at {row.person.name!r}: {text}"))
    for result in summary.results:
        for line in result.look:
            print(f"look at {result.name!r}: {line}")
    for name, reason in summary.failed.items():
        print(f"not graded: {name!r}: {reason}. The same command tries it again.")
    return 1 if summary.failed else 0


def _grade_nobody(folder: Path, homework: str | None, roster: records.Roster) -> int:
    found = list(course.found_in(folder, homework))
    whose = [roster.whose(one) for one, _, _ in found]
    for (one, name, reason), person in zip(found, whose, strict=True):
        who = person.name if person else one.student + (" (not on the roster)" if roster.people else "")
        print("  ".join(printable(text) for text in (who, name or f"NOT TO BE RUN: {reason}", one.name)))
    for person in roster.people:
        if person not in whose:
            print(printable(f"{person.name}  nothing was handed in"))
    print(f"{len(found)} submissions")
    return 0


def _previewed(result: Result) -> Iterator[str]:
    """What a student is told of their own notebook."""
    if result.refused:
        yield f"{result.name} would not be run, and have no points: {result.refused}"
        return
    yield f"{result.name}: {result.homework}, name {result.seed!r}: {result.points} of {result.of} points"
    for part in result.parts:
        yield f"  {part.points} of {part.of}  {part.part}: {part.headline}"
        shown = result.shown.get(part.part, "")
        if (shown == "right") != (part.points == part.of) and shown:
            yield f"          but the notebook as it was saved shows that it is {shown}: run all cells, and save it"
    for question in intake.homeworks()[result.homework].questions:
        found = "your answer is found" if result.answers.get(question.id) else "there is no answer"
        yield f"  {whole(question.points)} more  {question.id}: {found}; a person reads it"
    for line in (*(f"line that failed: {cell}" for cell in result.cells), *result.remarks):
        yield line.splitlines()[0]


def _line(error: Exception) -> str:
    """The text of an error, in one line that can be printed."""
    return printable(" ".join(str(error).split()))
