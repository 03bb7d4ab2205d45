"""Grades all that is in a folder, with several workers; when stopped and started again, goes on."""

import hashlib
import json
import os
import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from lecture11.homework.grading import intake, report, submission
from lecture11.homework.grading.intake import Refused, Submission
from lecture11.homework.grading.sandbox import Limits, Sandbox, sandbox
from lecture11.homework.grading.submission import Result

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
    """

    results: list[Result]
    graded: int
    failed: dict[str, str]
    isolation: str


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
) -> Summary:
    """Grades the notebooks in a folder or zip, and writes ``grades.csv``, ``class.html`` and a page for each.

    Each result is a file of its own, written whole or not at all. One that is there, of the same content, name, checks,
    grader, limits and seed, is not made again.

    Args:
        homework: its name, if no other one is expected.
        workers: submissions at a time; by default one for each processor.
        seed: of the hidden cases; by default a secret that is drawn once for each output folder.
        without_sandbox: go on where the system has none.
        methods: of isolation to try; by default all that there are.

    Raises:
        NotIsolatedError: there is no sandbox, and ``without_sandbox`` is not set.
        ValueError: ``place`` or ``output`` is not what it must be, or there is no such homework.
    """
    if homework is not None and homework not in intake.homeworks():
        raise ValueError(f"no homework is called {homework!r}. There are: {', '.join(intake.homeworks())}")
    found = intake.submissions(place)
    if output.resolve().is_relative_to(place.resolve()):
        raise ValueError(f"the results would stand among the submissions: choose another folder than {output}")
    (output / ALONE).mkdir(parents=True, exist_ok=True)
    seed = seed or _secret(output / "seed.txt")
    hidden = [path for path in (place, output) if path.is_dir()]
    with sandbox(hidden, limits or Limits(), methods) as box:
        if not box.isolated and not without_sandbox:
            raise NotIsolatedError("; ".join(box.reasons))
        return _Course(found, output, box, seed, homework).run(workers or _processors())


def _processors() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _secret(path: Path) -> str:
    if not path.exists():
        _write(path, secrets.token_hex(16))
        path.chmod(0o600)
    return path.read_text(encoding="utf-8").strip()


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    with beside.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


class _Course:
    def __init__(self, found: list[Submission], output: Path, box: Sandbox, seed: str, homework: str | None) -> None:
        self.found = found
        self.output = output
        self.box = box
        self.seed = seed
        self.homework = homework
        self.failed: dict[str, str] = {}
        self.graded = 0

    def run(self, workers: int) -> Summary:
        left = iter(self.found)
        paths: dict[str, Path] = {}
        with (
            ThreadPoolExecutor(workers) as pool,
            tqdm(total=len(self.found), unit="submission", dynamic_ncols=True) as bar,
        ):
            # Few at a time, so that a class of any size fits.
            open_: dict[Future[Path], Submission] = {pool.submit(self._one, s): s for s in islice(left, 2 * workers)}
            try:
                while open_:
                    done, _ = wait(open_, return_when=FIRST_COMPLETED)
                    for future in done:
                        one = open_.pop(future)
                        try:
                            paths[one.name] = future.result()
                        except Exception as error:  # whatever it is, it is one submission's
                            self.failed[one.name] = f"{type(error).__name__}: {error}"
                        bar.update()
                        for following in islice(left, 1):
                            open_[pool.submit(self._one, following)] = following
            except BaseException:
                self.box.stop()
                pool.shutdown(cancel_futures=True)
                raise
        results = [_result(path) for path in self._in_order(paths)]
        summary = Summary([r for r in results if r is not None], self.graded, self.failed, self.box.statement)
        for name, text in report.pages(summary.results, summary.failed, self.box.isolated, summary.isolation):
            path = self.output / name
            path.parent.mkdir(exist_ok=True)
            _write(path, text)
        return summary

    def _in_order(self, paths: dict[str, Path]) -> Iterator[Path]:
        return (paths[s.name] for s in self.found if s.name in paths)

    def _one(self, one: Submission) -> Path:
        """The file with the result of a submission; made, if it is not there."""
        reason, content = "", b""
        try:
            content = one.read()
        except Refused as error:
            reason = str(error)
        digest = hashlib.sha256(content).hexdigest() if content else ""
        path = self.output / ALONE / f"{self._key(one.name, digest, reason)}.json"
        if _result(path) is None:
            if reason:
                made = submission.refused(one, reason)
            else:
                made = submission.grade(one, content, digest, self.box, self.seed, self.homework)
            _write(path, json.dumps(made.to_dict(), indent=1))
            self.graded += 1
        return path

    def _key(self, *of: str) -> str:
        settings = [intake.version(), self.seed, self.box.method, repr(self.box.limits), self.homework or ""]
        return hashlib.sha256(json.dumps([*of, *settings]).encode()).hexdigest()[:32]


def _result(path: Path) -> Result | None:
    """The result in a file, if there is a whole one."""
    try:
        return Result.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None
