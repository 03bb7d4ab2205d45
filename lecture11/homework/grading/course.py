"""Grades all that is in a folder, with several workers; when stopped and started again, goes on."""

import contextlib
import hashlib
import json
import os
import secrets
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from lecture11.homework.grading import alike, intake, records, report, submission
from lecture11.homework.grading.gradebook import Gradebook, Tries, gradebook
from lecture11.homework.grading.intake import Refused, Submission
from lecture11.homework.grading.judge import Judge, JudgeError
from lecture11.homework.grading.policy import Limits
from lecture11.homework.grading.process import Killed
from lecture11.homework.grading.records import Deadlines, Decision, Roster
from lecture11.homework.grading.sandbox import SandboxError, sandbox, workers_that_fit
from lecture11.homework.grading.submission import Grader, Result

ALONE = "results"  # folder of the results, one file each


class NotIsolatedError(Exception):
    """There is no sandbox on this system, and nobody said that it may be done without."""


@dataclass(frozen=True)
class Summary:
    """What a run did.

    Attributes:
        results: of all submissions, in the order of their names.
        graded: how many of them in this run; the others were there before.
        failed: names that could not be graded now, and why; the next run tries them again.
        warning: what the teacher should know of how it ran; may be empty.
        book: what each student has.
    """

    results: list[Result]
    graded: int
    failed: dict[str, str]
    isolation: str
    warning: str
    book: Gradebook


@dataclass(frozen=True)
class Class:
    """What the teacher says of a class.

    Attributes:
        deadlines: file of a table, as ``records.deadlines`` reads it.
        tries: of several, which counts.
    """

    roster: Roster = field(default_factory=Roster)
    deadlines: Path | None = None
    tries: Tries = "best"


def grade(
    place: Path,
    output: Path,
    *,
    homework: str | None = None,
    workers: int | None = None,
    seed: str | None = None,
    without_sandbox: bool = False,
    limits: Limits | None = None,
    methods: tuple[str, ...] | None = None,
    about: Class | None = None,
    again: Sequence[str] = (),
) -> Summary:
    """Grades the notebooks in a folder or zip, and writes ``grades.csv``, ``class.html`` and a page for each.

    Each result is a file of its own, written whole or not at all. One that is there, of the same content, name, checks,
    grader, limits and seed, is not made again. What a person decided is read from ``decisions.csv`` in ``output``.

    Args:
        homework: its name, if no other one is expected.
        about: roster, deadlines and what else there is to say of the class.
        again: parts that run again; what was found of the others stands, whatever has changed in checks and grader.
        workers: submissions at a time; by default one for each processor. Fewer, if memory does not suffice for these.
        seed: of the hidden cases; by default a secret that is drawn once for each output folder.
        without_sandbox: go on where the system has none.
        methods: of isolation to try; by default all that there are.

    Raises:
        NotIsolatedError: there is no sandbox, and ``without_sandbox`` is not set.
        ValueError: ``place`` or ``output`` is not what it must be, or there is no such homework.
        SandboxError, JudgeError: nothing can be run here.
    """
    known(homework)
    about = about or Class()
    unknown = set(again) - {check.part for one in intake.homeworks().values() for check in one.checks}
    if unknown:
        raise ValueError(f"no part is called {min(unknown)!r}: it is the name of a column in grades.csv")
    if workers is not None and workers < 1:
        raise ValueError(f"{workers} workers: at least one is needed")
    found = intake.submissions(place)
    if output.resolve().is_relative_to(place.resolve()):
        raise ValueError(f"the results would stand among the submissions: choose another folder than {output}")
    _check_output(output)
    everyone = about.roster.with_others(found)
    due = records.deadlines(about.deadlines, everyone) if about.deadlines else Deadlines()
    decided = _decisions(output, everyone, homework)
    seed = seed or _secret(output / "seed.txt")
    limits = limits or Limits()
    wanted = workers or _processors()
    fitting = min(wanted, workers_that_fit(limits))
    with sandbox([place, output], limits, methods) as box:
        if not box.isolated and not without_sandbox:
            raise NotIsolatedError("; ".join(box.reasons))
        with Judge() as judge:
            course = Course(found, output, Grader(box, judge, seed, homework), about, due, decided, frozenset(again))
            return course.run(fitting, "" if fitting == wanted else _too_many(wanted, fitting, limits))


def preview(path: Path, limits: Limits | None = None) -> Result:
    """What a grader would find in one notebook, on cases of its own. It is the user's own: no sandbox is needed.

    Raises:
        ValueError: the file is none.
        SandboxError, JudgeError: nothing can be run here.
    """
    if path.is_dir():
        raise ValueError(f"{path} is a folder: --preview takes one notebook")
    (one,) = intake.one_file(path)
    try:
        content = one.read()
    except Refused as error:
        return submission.refused(one, str(error))
    with sandbox([], limits or Limits()) as box, Judge() as judge:
        grader = Grader(box, judge, secrets.token_hex(16))
        return grader.grade(one, content, hashlib.sha256(content).hexdigest(), alone=True)


def _decisions(output: Path, roster: Roster, homework: str | None) -> tuple[Decision, ...]:
    """What a person decided. Where there is nothing yet, a table to begin with."""
    path = output / "decisions.csv"
    if not path.exists():
        _write(path, ",".join(records.DECISIONS) + "\r\n")
    return tuple(records.decisions(path, roster, homework))


def known(homework: str | None) -> None:
    """Raises a ValueError if no homework has this name."""
    if homework is not None and homework not in intake.homeworks():
        raise ValueError(f"no homework is called {homework!r}. There are: {', '.join(intake.homeworks())}")


def found_in(place: Path, homework: str | None = None) -> Iterator[tuple[Submission, str, str]]:
    """Who is in a folder or zip, with the homework or why there is none; runs nothing.

    Raises:
        ValueError: ``place`` is not what it must be, or there is no such homework.
    """
    known(homework)
    for one in intake.submissions(place):
        try:
            yield one, intake.work(one.read(), homework).homework.name, ""
        except Refused as error:
            yield one, "", str(error)


def _too_many(wanted: int, fitting: int, limits: Limits) -> str:
    return (
        f"{fitting} of {wanted} workers: each submission may fill {limits.together / 2**30:g} GiB, and memory does not "
        f"suffice for more of them at a time"
    )


def _processors() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check_output(output: Path) -> None:
    """Before any work: all that will be written can be.

    Raises:
        ValueError: something cannot, and why.
    """
    try:
        for folder in (output, output / ALONE, output / "reports"):
            folder.mkdir(parents=True, exist_ok=True)
            _write(folder / ".written", "")
            (folder / ".written").unlink()
    except OSError as error:
        raise ValueError(f"{error.filename or output} cannot be written: {error.strerror}") from None
    for name in ("grades.csv", "class.html", "answers.html", "feedback.zip", "decisions.csv", "seed.txt"):
        if (output / name).is_dir():
            raise ValueError(f"{output / name} cannot be written: it is a folder")


def _secret(path: Path) -> str:
    try:
        if not path.exists():
            _write(path, secrets.token_hex(16), mode=0o600)
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    if not text:
        raise ValueError(f"{path} is empty: remove it, and another secret is drawn")
    return text


def _write(path: Path, content: str | bytes, *, mode: int = 0o666) -> None:
    """Whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with open(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise


@dataclass
class Course:
    """A run over a class.

    Attributes:
        again: parts that run again.
        failed: names that could not be graded, and why.
        graded: how many were.
    """

    found: list[Submission]
    output: Path
    grader: Grader
    about: Class = field(default_factory=Class)
    deadlines: Deadlines = field(default_factory=Deadlines)
    decisions: tuple[Decision, ...] = ()
    again: frozenset[str] = frozenset()
    failed: dict[str, str] = field(default_factory=dict)
    graded: int = 0

    def run(self, workers: int, warning: str = "") -> Summary:
        """Grades all, and writes tables and pages."""
        paths: dict[str, Path] = {}
        with tqdm(total=len(self.found), unit="submission", dynamic_ncols=True) as bar:
            try:
                killed = self._round(self.found, workers, paths, bar)
                for one in killed:  # at the end, when no other one runs
                    self._round([one], 1, paths, bar, alone=True)
            except BaseException:
                self.grader.sandbox.stop()
                raise
        made = (_result(paths[one.name]) for one in self.found if one.name in paths)
        results = [result for result in made if result is not None]
        box = self.grader.sandbox
        book = gradebook(
            self.found,
            results,
            self.failed,
            roster=self.about.roster,
            deadlines=self.deadlines,
            decisions=self.decisions,
            tries=self.about.tries,
            homework=self.grader.homework,
        )
        run = report.Run(datetime.now(), box.isolated, box.statement, warning)
        written = set()
        for name, content in report.pages(book, alike.pairs(self._codes(results)), run):
            _write(self.output / name, content)
            written.add(self.output / name)
        self._forget(results, written)
        return Summary(results, self.graded, self.failed, box.statement, warning, book)

    def _codes(self, results: Sequence[Result]) -> dict[str, str]:
        """What each student wrote, of those who are not refused."""
        found: dict[str, str] = {}
        refused = {result.name for result in results if result.refused}
        for one in self.found:
            if one.name not in refused:
                with contextlib.suppress(Exception):  # whatever it is, it has been said when it was graded
                    found[one.name] = "\n".join(cell.text for cell in intake.work(one.read()).cells)
        return found

    def _forget(self, results: Sequence[Result], written: set[Path]) -> None:
        """Removes the pages and results of who is no longer among the submissions, and of what was handed in before."""
        for path in (self.output / "reports").glob("*.html"):
            if path not in written:
                path.unlink()
        now = {(result.name, result.content) for result in results}
        for path in (self.output / ALONE).glob("*.json"):
            old = _result(path)
            if old is not None and (old.name, old.content) not in now and old.name not in self.failed:
                path.unlink()

    def _round(
        self, some: Sequence[Submission], workers: int, paths: dict[str, Path], bar: "tqdm[None]", alone: bool = False
    ) -> list[Submission]:
        """Grades these; gives those of which a process was killed from outside."""
        killed: list[Submission] = []
        left = iter(some)
        with ThreadPoolExecutor(workers) as pool:
            # Few at a time, so that a class of any size fits.
            open_: dict[Future[Path], Submission] = {
                pool.submit(self.one, s, alone=alone): s for s in islice(left, 2 * workers)
            }
            try:
                while open_:
                    done, _ = wait(open_, return_when=FIRST_COMPLETED)
                    for future in done:
                        one = open_.pop(future)
                        try:
                            paths[one.name] = future.result()
                            bar.update()
                        except Killed:
                            killed.append(one)
                        except (SandboxError, JudgeError, OSError) as error:  # of this machine, now
                            self.failed[one.name] = f"{type(error).__name__}: {error}"
                            bar.update()
                        for following in islice(left, 1):
                            open_[pool.submit(self.one, following, alone=alone)] = following
            except BaseException:
                self.grader.sandbox.stop()
                pool.shutdown(cancel_futures=True)
                raise
        return killed

    def one(self, one: Submission, *, alone: bool = False) -> Path:
        """The file with the result of a submission; made, if it is not there.

        Raises:
            Killed, SandboxError, JudgeError, OSError: there is none now, and it is not the submission's fault.
        """
        reason, content = "", b""
        try:
            content = one.read()
        except Refused as error:
            reason = str(error)
        except Exception as error:  # of whatever kind: it is this submission's
            reason = f"cannot be read: {type(error).__name__}: {error}"[:500]
        digest = hashlib.sha256(content).hexdigest() if content else ""
        path = self.output / ALONE / f"{self._key(one.name, one.student, digest, reason)}.json"
        before = _result(path)
        if before is None or before.version != intake.version() or self._runs_again(before):
            made = submission.refused(one, reason) if reason else self._made(one, content, digest, alone, before)
            _write(path, json.dumps(made.to_dict(), indent=1))
            self.graded += 1
        return path

    def _runs_again(self, before: Result) -> bool:
        return any(grade.part in self.again for grade in before.parts)

    def _made(self, one: Submission, content: bytes, digest: str, alone: bool, before: Result | None) -> Result:
        """A result, whatever comes of it: what nobody thought of is a line as well."""
        kept = [grade for grade in before.parts if grade.part not in self.again] if before and self.again else []
        if before and self.again and not before.refused and not self._runs_again(before):
            return replace(before, version=intake.version())
        try:
            return self.grader.grade(one, content, digest, alone=alone, kept=kept)
        except (Killed, SandboxError, JudgeError, OSError):
            raise
        except Exception as error:
            return submission.refused(one, f"the grader fails on it: {type(error).__name__}: {error}"[:500], digest)

    def _key(self, *of: str) -> str:
        grader = self.grader
        settings = [grader.seed, grader.sandbox.method, repr(grader.sandbox.limits)]
        return hashlib.sha256(json.dumps([*of, *settings, grader.homework or ""]).encode()).hexdigest()[:32]


def _result(path: Path) -> Result | None:
    """The result in a file, if there is a whole one."""
    try:
        return Result.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None
