"""Grades one submission: runs it in the sandbox, and has judged outside what came back."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from lecture11.homework.grading import frames
from lecture11.homework.grading.intake import Check, Refused, Submission, Work, version, work
from lecture11.homework.grading.judge import Judge, JudgeError
from lecture11.homework.grading.process import Child, Killed
from lecture11.homework.grading.sandbox import Sandbox, SandboxError

GRACE = 5.0  # seconds beyond a limit, until the process is ended from outside
MESSAGE_LIMIT = 4_000
LINES_LIMIT = 50  # errors of cells in a report
EVENTS_LIMIT = 50_000  # of a process; one comes before each statement
SEED_LIMIT = 2_000  # characters
SEEN_LIMIT = 32 * 2**20  # bytes of all that is seen of a submission


@dataclass(frozen=True)
class Grade:
    """What a part is worth in a submission, and why.

    Attributes:
        kind: as of ``diagnosis.Verdict``; or ``missing`` (no answer of this name), ``ended`` (the process ended).
        headline: equal for equal mistakes.
        mistake: the id of the known mistake, where it is one.
    """

    part: str
    title: str
    points: int
    of: int
    kind: str
    headline: str
    message: str
    mistake: str = ""


@dataclass(frozen=True)
class Result:
    """The grades of a submission.

    Attributes:
        refused: why nothing was run; empty if it was.
        cells: errors of cells, each in a line.
        look: what the teacher should look at.
        answers, shown: as of ``intake.Work``.
        version: of checks and grader, as of ``intake.version``.
    """

    name: str
    student: str
    homework: str
    seed: str
    content: str
    refused: str
    parts: tuple[Grade, ...]
    remarks: tuple[str, ...]
    cells: tuple[str, ...]
    seconds: float
    look: tuple[str, ...] = ()
    answers: dict[str, str] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    version: str = ""

    @property
    def points(self) -> int:
        return sum(part.points for part in self.parts)

    @property
    def of(self) -> int:
        return sum(part.of for part in self.parts)

    def to_dict(self) -> dict[str, Any]:
        """For ``from_dict``, as JSON has it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Result":
        """What ``to_dict`` gave."""
        parts = tuple(Grade(**part) for part in data["parts"])
        texts = {name: tuple(data[name]) for name in ("remarks", "cells", "look")}
        return cls(**{**data, "parts": parts, **texts})


@dataclass
class _Run:
    """What is known of a submission while it runs, over all its processes.

    Attributes:
        kept: grades of parts that are not to run again.
        seen: what was written of the cases of each part, not yet decoded.
        broken: parts in which the process ended, and how.
        skip: cells in which it ended, and how.
        left: seconds.
    """

    left: float
    kept: dict[str, Grade] = field(default_factory=dict)
    seed: str = ""
    seen: dict[str, list[bytes]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    skip: dict[int, str] = field(default_factory=dict)
    errors: dict[int, list[str]] = field(default_factory=dict)
    killed: str = ""
    starts: int = 0


@dataclass(frozen=True)
class Grader:
    """What grading needs beside the submission.

    Attributes:
        seed: of the hidden cases.
        homework: its name, if it must be this one.
    """

    sandbox: Sandbox
    judge: Judge
    seed: str
    homework: str | None = None

    def grade(
        self,
        submission: Submission,
        content: bytes,
        digest: str,
        *,
        alone: bool = False,
        kept: Sequence[Grade] = (),
    ) -> Result:
        """Grades a submission.

        Args:
            content: its bytes.
            digest: of the content.
            alone: no other one runs at the same time.
            kept: grades of parts that are not to run again.

        Raises:
            Killed: a process was ended from outside, and it was not alone: try again when it is.
            SandboxError: the sandbox did not start; try again later.
        """
        begin = time.monotonic()
        try:
            found = work(content, self.homework)
        except Refused as error:
            return refused(submission, str(error), digest)
        run = _Run(self.sandbox.limits.total, {grade.part: grade for grade in kept})
        # A process that ends takes one cell or part with it; the next one does without.
        while _open(found, run) and run.left > 0:
            if not self._process(found, run, alone):
                break
        parts = tuple(self._graded(check, found, run) for check in found.homework.checks)
        remarks = list(found.remarks)
        if run.seed in ("", found.homework.seed_given):
            remarks.append(f"There is no name in the cell {found.homework.seed_name} = ...")
        return Result(
            submission.name,
            submission.student,
            found.homework.name,
            run.seed,
            digest,
            "",
            parts,
            tuple(remarks),
            tuple(_lines(found, run)),
            round(time.monotonic() - begin, 1),
            _looks(run, alone),
            found.answers,
            found.shown,
            version(),
        )

    def _process(self, found: Work, run: _Run, alone: bool) -> bool:
        """Runs what is open in a new process until it ends; False if there is no use in another one."""
        checks, limits = _open(found, run), self.sandbox.limits
        about = self.judge.parts
        cases = {c.part: self.judge.cases(c.part, self.seed) for c in checks if not about[c.part].personal}
        personal = [c.part for c in checks if about[c.part].personal]
        job = {
            "setup": found.homework.setup,
            "cells": [{"id": cell.id, "text": cell.text} for cell in found.cells],
            "skip": list(run.skip),
            "seed": found.homework.seed_name,
            "parts": [{"id": c.part, "answer": c.answer, "cases": len(cases.get(c.part, []))} for c in checks],
            # What runs once more runs shorter: else experiments would take the time of answers.
            "limits": {**limits.as_dict(), "experiments": min(limits.experiments, run.left / 3)},
        }
        blobs = [blob for check in checks for blob in cases.get(check.part, [])]
        listener = _Listener(self, found, run, cases, personal)
        with self.sandbox.start() as child:
            how = listener.listen(child, frames.pack(json.dumps(job).encode(), *blobs), alone)
            if listener.now is None:
                raise SandboxError(f"the sandbox did not start: {how}; {child.errors()}")
        listener.close(how)
        return listener.at_fault()

    def _graded(self, check: Check, found: Work, run: _Run) -> Grade:
        if check.part in run.kept:
            return run.kept[check.part]
        about = self.judge.parts[check.part]

        def made(kind: str, headline: str, message: str = "", points: int = 0, mistake: str = "") -> Grade:
            headline, message = headline[:MESSAGE_LIMIT], (message or headline)[:MESSAGE_LIMIT]
            return Grade(check.part, about.title, points, check.points, kind, headline, message, mistake)

        if check.part in run.broken:
            how = run.broken[check.part]
            return made("ended", f"the process ended while {check.answer} ran", f"while {check.answer} ran: {how}")
        if check.part in run.missing:
            return made("missing", f"there is no {check.answer}", _why_missing(check, found, run))
        if check.part not in run.seen:
            return made("ended", "time was up before this part")
        said = self.judge.verdict(check.part, run.seed if about.personal else self.seed, run.seen[check.part])
        return made(said.kind, said.headline, said.message, check.points if said.ok else 0, said.mistake)


class _Listener:
    """Takes the events of one process, as far as they fit. Whoever wrote them: nothing in them is believed but values.

    Attributes:
        now: what is under way: None before the process is ready, a cell by its number, a part by its id, else empty.
    """

    def __init__(
        self, grader: Grader, found: Work, run: _Run, cases: dict[str, list[bytes]], personal: list[str]
    ) -> None:
        self.now: int | str | None = None
        self.done = False
        self._grader, self._found, self._run = grader, found, run
        self._limits = grader.sandbox.limits
        self._cases, self._personal = cases, personal
        self._ids = {*cases, *personal}
        self._complete: set[str] = set()
        self._answered = False
        self._waited = 0.0
        self._events = 0
        self._how = ""

    def listen(self, child: Child, job: bytes, alone: bool) -> str:
        """Hands the job over, and takes events until the process ends; how it did, in words."""
        begin = time.monotonic()
        first, self._run.starts = not self._run.starts, self._run.starts + 1
        try:
            child.send(job, begin + self._limits.start)
            frame = child.frame(begin + self._limits.start)
            if first:  # what it takes the machine to start is not the student's time
                begin = time.monotonic()
            while not self._take(child, frame):
                pause = max(self._limits.cell, self._limits.call) + GRACE
                deadline = begin + self._run.left + self._waited
                frame = child.frame(min(deadline, time.monotonic() + pause))
            return ""
        except TimeoutError:
            return "time is up"
        except MemoryError:
            return "it filled more memory than there is for a submission"
        except EOFError:
            return child.ended()
        except Killed as error:
            if not alone:
                raise
            self._run.killed = str(error)
            return str(error)
        except (SandboxError, JudgeError, OSError):
            raise
        except Exception:  # whatever it is, it is of what the process wrote
            return "what came back was no result"
        finally:
            self._run.left -= time.monotonic() - begin - self._waited

    def _take(self, child: Child, frame: bytes) -> bool:
        """Takes an event; True if it is the last one.

        Raises:
            ValueError: it does not fit. Or another error, if it is none.
        """
        self._events += 1
        if self._events > EVENTS_LIMIT:
            raise ValueError("events without end")
        head, _, data = frame.partition(b"\n")
        event, run = json.loads(head), self._run
        match event:
            case {"event": "ready"} if self.now is None:
                self.now = ""
            case {"event": "cell", "at": int(at), "error": str(error)} if (
                self.now is not None and 0 <= at < len(self._found.cells) and at not in run.skip
            ):
                self.now = at
                if error and sum(map(len, run.errors.values())) < LINES_LIMIT:
                    run.errors.setdefault(at, []).append(error[:MESSAGE_LIMIT])
            case {"event": "seed", "seed": str(seed)} if not self._answered:
                self.now, run.seed, self._answered = "", seed[:SEED_LIMIT], True
                self._hand_over_personal_cases(child)
            case {"event": "missing", "ids": list(ids)} if self._answered and {*ids} <= self._ids - run.seen.keys():
                run.missing.update(ids)
            case {"event": "part", "id": str(id)} if self._answered and id in self._ids - run.seen.keys() - run.missing:
                self.now, run.seen[id] = id, []
            case {"event": "seen", "last": bool(last)} if (
                isinstance(self.now, str) and self.now in self._ids and self.now not in self._complete
            ):
                run.seen[self.now].append(data)
                if sum(len(seen) for blobs in run.seen.values() for seen in blobs) > SEEN_LIMIT:
                    raise ValueError("more than all results together")
                if last or len(run.seen[self.now]) == len(self._cases[self.now]):
                    self._complete.add(self.now)
            case {"event": "end"}:
                self.done = True
            case _:
                raise ValueError("an event that does not fit")
        return self.done

    def _hand_over_personal_cases(self, child: Child) -> None:
        """Those that depend on the seed, which is known when the cells have run."""
        begin = time.monotonic()
        own = {part: self._grader.judge.cases(part, self._run.seed) for part in self._personal}
        self._waited = time.monotonic() - begin  # for the judge, who may have other things to do
        self._cases.update(own)
        counts = json.dumps({part: len(blobs) for part, blobs in own.items()}).encode()
        blobs = [blob for part in own.values() for blob in part]
        child.send(frames.pack(counts, *blobs), time.monotonic() + GRACE)

    def close(self, how: str) -> None:
        """What is half done is broken."""
        run = self._run
        for part in [part for part in run.seen if part in self._ids and part not in self._complete]:
            del run.seen[part]
            run.broken[part] = how or "the process ended before it was done"
        if isinstance(self.now, int):
            run.skip[self.now] = how or "the process ended"
        self._how = how

    def at_fault(self) -> bool:
        """Whether a cell or a part is known that the next process can do without."""
        return isinstance(self.now, int) or (bool(self.now) and bool(self._how))


def refused(submission: Submission, reason: str, digest: str = "") -> Result:
    """The result of what is not run."""
    return Result(submission.name, submission.student, "", "", digest, reason, (), (), (), 0.0, version=version())


def _looks(run: _Run, alone: bool) -> tuple[str, ...]:
    if run.killed:
        return (f"{run.killed}, twice, the second time while it ran alone",)
    return ("a process of it was killed from outside: what is graded is a second run, alone",) if alone else ()


def _open(found: Work, run: _Run) -> list[Check]:
    """The checks of which nothing is known yet."""
    known = run.kept.keys() | run.seen.keys() | run.broken.keys() | run.missing
    return [check for check in found.homework.checks if check.part not in known]


def _lines(found: Work, run: _Run) -> list[str]:
    """What went wrong in cells."""
    return [f"{found.cells[at].id}: {text}" for at in sorted({*run.errors, *run.skip}) for text in _of_cell(run, at)]


def _of_cell(run: _Run, at: int) -> list[str]:
    # Each process runs the cell again.
    return list(dict.fromkeys([*run.errors.get(at, []), *([run.skip[at]] if at in run.skip else [])]))


def _why_missing(check: Check, found: Work, run: _Run) -> str:
    for at in sorted({*run.errors, *run.skip}):
        if check.answer in found.cells[at].text:
            return f"there is no {check.answer}: its cell fails with\n" + "\n".join(_of_cell(run, at))
    return f"there is no {check.answer}: is its cell gone, or the name changed?"
