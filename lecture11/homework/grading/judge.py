"""Judges what came back from a sandbox, in a process of its own: what harms it is charged to whoever sent it.

``Judge`` is the grader's end. The other one, ``python -m lecture11.homework.grading.judge``, is the only process that
decodes what students' programs wrote; it runs nothing of it.
"""

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from lecture11.homework.grading import frames
from lecture11.homework.grading.confine import limit_sizes

COMMAND = [sys.executable, "-m", "lecture11.homework.grading.judge"]
MEMORY = 2**30  # bytes, beyond what PyTorch maps
START, PATIENCE = 300.0, 120.0  # seconds until it is there, and for one part


class JudgeError(Exception):
    """There is no judge: it did not start."""


@dataclass(frozen=True)
class About:
    """Of a part, what the grader itself needs to know."""

    title: str
    personal: bool


@dataclass(frozen=True)
class Said:
    """The verdict of an answer; as of ``diagnosis.Verdict``."""

    ok: bool
    kind: str
    headline: str
    message: str
    mistake: str = ""


class Judge:
    """The grader's end. One thing is asked at a time, from whichever thread.

    Attributes:
        process: the other end, while there is one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None
        self._parts: dict[str, About] = {}

    def __enter__(self) -> "Judge":
        self._begin()
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @property
    def parts(self) -> dict[str, About]:
        """All parts by their ids."""
        with self._lock:
            self._ready()
            return self._parts

    def cases(self, part: str, seed: str) -> list[bytes]:
        """The cases of a part for a seed, for the runner."""
        with self._lock:
            self._ready()
            return self._asked({"part": part, "seed": seed}, [])

    def verdict(self, part: str, seed: str, seen: Sequence[bytes]) -> Said:
        """Judges what was seen of an answer on the cases, in their order. A judge who dies of it is replaced."""
        for _ in range(2):  # once more, since it may have died of something else
            with self._lock:
                self._ready()
                try:
                    (answer,) = self._asked({"part": part, "seed": seed, "seen": len(seen)}, seen)
                    return Said(**json.loads(answer))
                except TimeoutError:
                    self._end()
                    return _not_comparable("it takes too long")
                except (EOFError, OSError):
                    self._end()
        return _not_comparable("it ends whatever looks at it")

    def _begin(self) -> None:
        self.process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
            start_new_session=True,  # an interrupt from the keyboard is the grader's alone
        )
        self._parts = {}

    def _ready(self) -> None:
        if self.process is None:
            self._begin()
        if not self._parts:
            try:
                (parts,) = self._answer(START)
            except (EOFError, OSError) as error:
                self._end()
                raise JudgeError(f"what judges the answers did not start: {type(error).__name__}") from None
            self._parts = {id: About(**about) for id, about in json.loads(parts).items()}

    def _end(self) -> None:
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    assert pipe is not None
                    pipe.close()

    def _asked(self, header: dict[str, Any], blobs: Sequence[bytes]) -> list[bytes]:
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write(frames.pack(json.dumps(header).encode(), *blobs))
        self.process.stdin.flush()
        return self._answer(PATIENCE)

    def _answer(self, seconds: float) -> list[bytes]:
        """A number, and so many frames."""
        assert self.process is not None
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        if not ready:
            raise TimeoutError
        return [frames.read(self.process.stdout) for _ in range(int(frames.read(self.process.stdout)))]


def _not_comparable(why: str) -> Said:
    headline = "what came back cannot be compared with a result"
    return Said(False, "value", headline, f"{headline}: {why}")


# --- the other end


def serve(source: BinaryIO, out: BinaryIO) -> None:
    """Answers until there is nothing more to read."""
    from lecture11.homework.diagnosis import diagnose
    from lecture11.homework.observation import Observation
    from lecture11.homework.parts import PARTS

    def answer(*blobs: bytes) -> None:
        out.write(frames.pack(str(len(blobs)).encode(), *blobs))
        out.flush()

    limit_sizes({"RLIMIT_AS": (MEMORY, MEMORY), "RLIMIT_CORE": (0, 0)})
    about = {part.id: {"title": part.title, "personal": part.personal} for part in PARTS.values()}
    answer(json.dumps(about).encode())
    while True:
        try:
            asked = json.loads(frames.read(source))
        except EOFError:
            return
        part, seed = PARTS[asked["part"]], asked["seed"]
        if "seen" not in asked:
            answer(*(case.to_bytes() for case in part.cases(seed)))
            continue
        seen = [frames.read(source) for _ in range(asked["seen"])]
        try:
            found = [Observation.from_bytes(data) for data in seen]
            if found and found[-1].timed_out:  # the cases after it were not tried
                found += found[-1:] * (len(part.cases(seed)) - len(found))
            verdict = diagnose(part, found, seed=seed)
            said = Said(verdict.ok, verdict.kind, verdict.headline, verdict.message, verdict.mistake)
        except Exception as error:  # made up on purpose, and no result of a part
            said = _not_comparable(f"{type(error).__name__}: {error}"[:500])
        answer(json.dumps(vars(said)).encode())


if __name__ == "__main__":
    own = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed by accident is no answer
    serve(sys.stdin.buffer, own)
