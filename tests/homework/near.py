"""In place of what costs a process that imports PyTorch: the judge, and the trial of a sandbox, of which both are tried
out as they are in test_grading_judge.py and test_grading.py.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lecture11.homework.grading import judge, sandbox
from lecture11.homework.grading.sandbox import Sandbox

whole_trial = sandbox.tried


def trial_without_pytorch(box: Sandbox, hidden: Sequence[Path]) -> str:
    """Whether a sandbox holds. It ends before PyTorch is imported, since it finds something: a file that is shown."""
    said = whole_trial(box, [*hidden, box.stub.runner])
    return "" if said == f"{box.stub.runner} can be read" else said or "it does not see what it should"


def judge_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge is this process, and judges the same only once."""
    from lecture11.homework.diagnosis import diagnose
    from lecture11.homework.observation import Observation
    from lecture11.homework.parts import PARTS

    judged: dict[tuple[Any, ...], judge.Said] = {}

    def verdict(self: judge.Judge, part: str, seed: str, seen: Sequence[bytes]) -> judge.Said:
        known = (id(PARTS[part]), seed, *seen)
        if known not in judged:
            found = diagnose(PARTS[part], [Observation.from_bytes(data) for data in seen], seed=seed)
            judged[known] = judge.Said(found.ok, found.kind, found.headline, found.message, found.mistake)
        return judged[known]

    def cases(self: judge.Judge, part: str, seed: str) -> list[bytes]:
        return [case.to_bytes() for case in PARTS[part].cases(seed)]

    about = {part.id: judge.About(part.title, part.personal) for part in PARTS.values()}
    monkeypatch.setattr(judge.Judge, "parts", property(lambda self: about))
    monkeypatch.setattr(judge.Judge, "cases", cases)
    monkeypatch.setattr(judge.Judge, "verdict", verdict)
    monkeypatch.setattr(judge, "COMMAND", [sys.executable, "-S", "-c", ""])
