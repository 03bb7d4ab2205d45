"""Grades one submission: runs it in the sandbox, judges outside what came back."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from lecture11.homework.diagnosis import Verdict, diagnose
from lecture11.homework.grading.intake import Check, Refused, Submission, Work, work
from lecture11.homework.grading.sandbox import Sandbox, SandboxError, frames
from lecture11.homework.observation import Observation
from lecture11.homework.parts import PARTS

GRACE = 5.0  # seconds beyond a limit, until the process is ended from outside
MESSAGE_LIMIT = 4_000

# To judge is to run reference answers, and that sets PyTorch's global generator.
_judging = threading.Lock()


@dataclass(frozen=True)
class Grade:
    """What a part is worth in a submission, and why.

    Attributes:
        kind: as of ``diagnosis.Verdict``; or ``missing`` (no answer of this name), ``ended`` (the process ended).
        headline: equal for equal mistakes.
    """

    part: str
    title: str
    points: int
    of: int
    kind: str
    headline: str
    message: str


@dataclass(frozen=True)
class Result:
    """The grades of a submission.

    Attributes:
        refused: why nothing was run; empty if it was.
        cells: errors of cells, each in a line.
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
        texts = {name: tuple(data[name]) for name in ("remarks", "cells")}
        return cls(**{**data, "parts": parts, **texts})


@dataclass
class _Run:
    """What is known of a submission while it runs, over all its processes."""

    seen: dict[str, list[Observation]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)  # parts in which the process ended, and how
    missing: set[str] = field(default_factory=set)
    skip: dict[int, str] = field(default_factory=dict)  # cells in which it ended
    errors: dict[int, str] = field(default_factory=dict)  # of cells


def grade(
    submission: Submission, content: bytes, digest: str, sandbox: Sandbox, seed: str, homework: str | None
) -> Result:
    """Grades a submission.

    Args:
        content: its bytes.
        digest: of the content.
        seed: of the hidden cases.
        homework: its name, if it must be this one.

    Raises:
        SandboxError: the sandbox did not start; try again later.
    """
    begin = time.monotonic()
    try:
        found = work(content, homework)
    except Refused as error:
        return refused(submission, str(error), digest)
    seeds = {c.part: found.seed if PARTS[c.part].personal else seed for c in found.homework.checks}
    run = _Run()
    deadline = begin + sandbox.limits.total
    # A process that ends takes one cell or part with it; the next one does without.
    while _open(found, run) and time.monotonic() < deadline:
        if not _process(found, seeds, run, sandbox, deadline):
            break
    parts = tuple(_graded(check, found, seeds[check.part], run) for check in found.homework.checks)
    cells = [f"{found.cells[at].id}: {text}" for at, text in sorted({**run.errors, **run.skip}.items())]
    return Result(
        submission.name,
        submission.student,
        found.homework.name,
        found.seed,
        digest,
        "",
        parts,
        found.remarks,
        tuple(cells),
        round(time.monotonic() - begin, 1),
    )


def refused(submission: Submission, reason: str, digest: str = "") -> Result:
    """The result of what is not run."""
    return Result(submission.name, submission.student, "", "", digest, reason, (), (), (), 0.0)


def _open(found: Work, run: _Run) -> list[Check]:
    """The checks of which nothing is known yet."""
    known = run.seen.keys() | run.broken.keys() | run.missing
    return [check for check in found.homework.checks if check.part not in known]


def _process(found: Work, seeds: dict[str, str], run: _Run, sandbox: Sandbox, deadline: float) -> bool:
    """Runs what is open in a new process until it ends; False if there is no use in another one."""
    checks = _open(found, run)
    cases = {check.part: PARTS[check.part].cases(seeds[check.part]) for check in checks}
    header = {
        "cells": [{"id": cell.id, "text": cell.text} for cell in found.cells],
        "skip": list(run.skip),
        "parts": [{"id": c.part, "answer": c.answer, "cases": len(cases[c.part])} for c in checks],
        "limits": sandbox.limits.as_dict(),
    }
    job = frames(header, [case.to_bytes() for check in checks for case in cases[check.part]])
    now: tuple[str, Any] = ("start", None)
    with sandbox.start(job) as child:
        try:
            for frame in _frames(child, sandbox, deadline):
                head, _, data = frame.partition(b"\n")
                event = json.loads(head)
                match event["event"]:
                    case "ready":
                        now = ("ready", None)
                    case "cell" if 0 <= int(event["at"]) < len(found.cells):
                        now = ("cell", int(event["at"]))
                    case "cell done" if now == ("cell", event["at"]):
                        if event["error"]:
                            run.errors[now[1]] = str(event["error"])[:MESSAGE_LIMIT]
                    case "part" if event["id"] in cases.keys() - run.seen.keys() - run.missing:
                        now = ("part", event["id"])
                        run.seen[now[1]] = []
                    case "missing" if set(event["ids"]) <= cases.keys() - run.seen.keys():
                        now = ("ready", None)
                        run.missing.update(event["ids"])
                    case "seen" if now[0] == "part" and len(run.seen[now[1]]) < len(cases[now[1]]):
                        run.seen[now[1]].append(Observation.from_bytes(data))
                        if run.seen[now[1]][-1].timed_out:
                            missing = len(cases[now[1]]) - len(run.seen[now[1]])
                            run.seen[now[1]] += [run.seen[now[1]][-1]] * missing
                    case "end":
                        break
                    case _:
                        raise ValueError("an event that does not fit")
            how = ""
        except TimeoutError:
            how = "time is up"
        except MemoryError:
            how = "it filled more memory than there is for a submission"
        except EOFError:
            how = child.ended()
        except (ValueError, KeyError, TypeError, RecursionError, AttributeError):
            how = "what came back was no result"
        if now[0] == "start":
            raise SandboxError(f"the sandbox did not start: {how}; {child.errors()}")
    for part in [part for part, seen in run.seen.items() if len(seen) < len(cases.get(part, seen))]:
        del run.seen[part]
        run.broken[part] = how or "the process ended before it was done"
    if now[0] == "cell":
        run.skip[now[1]] = how or "the process ended"
        return True
    return now[0] == "part" and bool(how)


def _frames(child: Any, sandbox: Sandbox, deadline: float) -> Iterator[bytes]:
    limit = sandbox.limits
    yield child.frame(time.monotonic() + limit.start)
    while True:
        yield child.frame(min(deadline, time.monotonic() + max(limit.cell, limit.call) + GRACE))


def _graded(check: Check, found: Work, seed: str, run: _Run) -> Grade:
    part = PARTS[check.part]

    def made(kind: str, headline: str, message: str = "", points: int = 0) -> Grade:
        texts = (text[:MESSAGE_LIMIT] for text in (headline, message or headline))
        return Grade(check.part, part.title, points, check.points, kind, *texts)

    if check.part in run.broken:
        how = run.broken[check.part]
        return made("ended", f"the process ended while {check.answer} ran", f"while {check.answer} ran: {how}")
    if check.part not in run.seen:
        if check.part in run.missing:
            return made("missing", f"there is no {check.answer}", _why_missing(check, found, run))
        return made("ended", "time was up before this part")
    try:
        with _judging:
            verdict: Verdict = diagnose(part, run.seen[check.part], seed=seed)
    except Exception as error:  # made up on purpose, and no result of a part
        return made("value", "what came back cannot be compared with a result", f"{type(error).__name__}: {error}")
    return made(verdict.kind, verdict.headline, verdict.message, check.points if verdict.ok else 0)


def _why_missing(check: Check, found: Work, run: _Run) -> str:
    for at, text in {**run.errors, **run.skip}.items():
        if check.answer in found.cells[at].text:
            return f"there is no {check.answer}: its cell fails with\n{text}"
    return f"there is no {check.answer}: is its cell gone, or the name changed?"
