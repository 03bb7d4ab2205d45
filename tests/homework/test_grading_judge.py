"""What comes back from a sandbox may be made up: it is limited before it is decoded, and judged where it harms nobody.

No sandbox is needed: frames are written down here, as a student's program may write them.
"""

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import hostile
import pytest
import torch

from lecture11.homework.grading import frames, judge, submission
from lecture11.homework.grading.intake import Submission
from lecture11.homework.grading.judge import Judge
from lecture11.homework.grading.policy import Limits
from lecture11.homework.grading.process import Child, Killed
from lecture11.homework.grading.sandbox import Sandbox, SandboxError
from lecture11.homework.grading.submission import Grader, Result
from lecture11.homework.observation import Observation, observe
from lecture11.homework.parts import PARTS

pytestmark = pytest.mark.sandbox

PART = PARTS["elbo-kl"]


@pytest.fixture(scope="module")
def bench() -> Iterator[Judge]:
    """A judge for all of these tests: to start one costs seconds."""
    with Judge() as made:
        yield made


def right(seed: str = "hidden") -> list[bytes]:
    """What a right answer to the part sends."""
    return [observe(PART.reference, case).to_bytes() for case in PART.cases(seed)]


def test_a_right_answer_is_right_and_a_mistake_has_its_name(bench: Judge) -> None:
    assert bench.parts["elbo-kl"].title == PART.title
    assert bench.parts["half-signal"].personal
    assert bench.cases("elbo-kl", "hidden") == [case.to_bytes() for case in PART.cases("hidden")]
    assert bench.verdict("elbo-kl", "hidden", right()).ok
    wrong = [observe(lambda mu, log_var: 2 * PART.reference(mu, log_var), c).to_bytes() for c in PART.cases("hidden")]
    said = bench.verdict("elbo-kl", "hidden", wrong)
    assert (said.ok, said.kind, said.headline) == (False, "mistake", "the factor 1/2 is missing")


def as_written(header: dict[str, Any], body: bytes = b"", **tensors: Any) -> bytes:
    """Bytes in safetensors' format with whatever in their header."""
    inner = json.loads(_outer(Observation({"kind": "none"}).to_bytes())["__metadata__"]["lecture11"])
    outer = {"__metadata__": {"lecture11": json.dumps({**inner, **header})}, **tensors}
    text = json.dumps(outer).encode()
    return len(text).to_bytes(8, "little") + text + body


def _outer(data: bytes) -> Any:
    return json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])


def tensor(shape: list[int], dtype: str = "F64", size: int | None = None) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [0, 8 * math.prod(shape) if size is None else size]}


ONE = {"structure": {"kind": "tensor", "at": 0}, "outputs": 1}
MADE_UP = {
    "100,000 dimensions": as_written(ONE, bytes(8), **{"0": tensor([1] * 100_000)}),
    "20 million rows of nothing": as_written(ONE, **{"0": tensor([20_000_000, 0])}),
    "a size that no number holds": as_written(ONE, **{"0": tensor([2**62, 2**62], size=0)}),
    "a negative size": as_written(ONE, bytes(8), **{"0": tensor([-1], size=8)}),
    "300,000 numbers": as_written(ONE, bytes(300_000), **{"0": tensor([300_000], "U8", 300_000)}),
    "eight bits of a number": as_written(ONE, bytes(1), **{"0": tensor([1], "F8_E4M3", 1)}),
    "10,000 tensors": as_written(ONE, bytes(8), **{str(i): tensor([0], size=0) for i in range(1, 10_000)}),
    "a list in a list in ...": as_written({"structure": json.loads('{"kind":"list","items":[' * 300 + "]}" * 300)}),
    "an infinite number of results": as_written({"outputs": math.inf}),
    "an infinite time": as_written({"structure": {"kind": "number", "value": math.inf}, "seconds": -math.inf}),
    "a number of 4,000 digits": as_written({"structure": {"kind": "number", "value": 10**4000}}),
    "no number": as_written({"structure": {"kind": "number", "value": math.nan}}),
    "half a letter": as_written({"structure": {"kind": "text", "value": "\ud800"}, "changed": ["\udfff"]}),
    "100,000 names": as_written({"package": [f"lecture11.{i}" for i in range(100_000)]}),
    "names that are none": as_written({"changed": {"a": 1}, "unused": 7}),
    "an error that is none": as_written({"error": {"type": [], "text": 7, "line": None, "function": {}}}),
    "a gradient of nothing": as_written({**ONE, "gradients": [["mu", {"tensor": 0}]]}, bytes(8), **{"0": tensor([1])}),
    "nested without end": b"\xff\xff\x00\x00\x00\x00\x00\x00" + b"[" * 65535,
    "a header longer than all": (2**63).to_bytes(8, "little") + b"{}",
    "nothing": b"",
    "noise": bytes(range(256)) * 50,
}


@pytest.mark.parametrize("name", MADE_UP)
def test_whatever_is_made_up_is_wrong_and_harms_nobody(bench: Judge, name: str) -> None:
    before = bench.process
    said = bench.verdict("elbo-kl", "hidden", [MADE_UP[name]] * len(right()))
    assert not said.ok
    assert said.message
    assert bench.process is before, "the judge lives"
    assert before is not None


LISTS: dict[str, Any] = {
    "one result, one that is none": [torch.zeros(1, 1).double(), None],
    "fifty results": [torch.zeros(150).double()] * 50,
    "words": ["right", "right"],
    "infinite": [torch.full((1, 1), math.inf).double(), torch.full((1,), -math.inf).double()],
    "in a list": [[torch.zeros(1, 1).double()], [torch.zeros(1).double()]],
    "no two": [],
}


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("part", ["posterior", "e-step"])
def test_two_results_that_are_none(bench: Judge, part: str, name: str) -> None:
    before = bench.process
    some = [observe(lambda *a: LISTS[name], replace(case, grad=())).to_bytes() for case in PARTS[part].cases("hidden")]
    said = bench.verdict(part, "hidden", some)
    assert not said.ok
    assert said.kind != "mistake", said.message
    assert bench.process is before


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("100,000 dimensions", "a tensor of 100,000 dimensions"),
        ("20 million rows of nothing", "a tensor of 20,000,000 numbers"),
        ("300,000 numbers", "a tensor of 300,000 numbers"),
        ("eight bits of a number", "a tensor of float8_e4m3fn"),
        ("100,000 names", "at most 100 names"),
    ],
)
def test_what_is_too_much_is_refused_before_anything_is_done_with_it(name: str, says: str) -> None:
    with pytest.raises(ValueError, match=f"these bytes are no observation: ValueError: {says}"):
        Observation.from_bytes(MADE_UP[name])


@pytest.mark.parametrize("number", [0, 1, 50])
def test_another_number_of_cases_is_wrong(bench: Judge, number: int) -> None:
    assert not bench.verdict("elbo-kl", "hidden", right()[:1] * number).ok


def _another(then: str) -> list[str]:
    """A judge who says which parts there are, and then does this."""
    parts = frames.pack(b"1", b'{"elbo-kl": {"title": "t", "personal": false}}')
    return [sys.executable, "-S", "-c", f"import os; os.write(1, {parts!r}); {then}"]


def test_a_judge_who_dies_is_replaced_and_the_answer_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "COMMAND", _another("import os; os.read(0, 4); os.abort()"))
    with Judge() as made:
        said = made.verdict("elbo-kl", "hidden", [b""])
        assert (said.ok, said.kind) == (False, "value")
        assert "it ends whatever looks at it" in said.message
        assert made.parts["elbo-kl"].title == "t", "another one is there"


def test_a_judge_who_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "COMMAND", _another("import time; time.sleep(100)"))
    monkeypatch.setattr(judge, "PATIENCE", 0.3)
    with Judge() as made:
        assert "it takes too long" in made.verdict("elbo-kl", "hidden", [b""]).message


def test_without_a_judge_nobody_is_graded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "COMMAND", [sys.executable, "-c", "raise SystemExit"])
    with Judge() as made, pytest.raises(judge.JudgeError, match="did not start"):
        made.verdict("elbo-kl", "hidden", [b""])


# --- frames, whoever wrote them


class Desk(Sandbox):
    """In place of a sandbox: each process that is started says the next of these words, and ends so."""

    def __init__(self, *said: bytes, ending: str = "exit 0") -> None:
        self.limits = Limits(start=60.0, total=60.0)
        self.left = list(said)
        self.ending = ending

    @contextmanager
    def start(self) -> Iterator[Child]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "said")
            path.write_bytes(self.left.pop(0) if self.left else b"")
            pipe = subprocess.PIPE
            line = f"cat '{path}'; {self.ending}"
            process = subprocess.Popen(["sh", "-c", line], stdin=pipe, stdout=pipe, start_new_session=True)
            child = Child(process, tempfile.TemporaryFile())  # noqa: SIM115 - the child closes it
            try:
                yield child
            finally:
                child.kill()
                child.close()


def event(data: bytes = b"", /, **what: Any) -> bytes:
    return frames.pack(json.dumps(what).encode() + b"\n" + data)


READY, SEED = event(event="ready"), event(event="seed", seed="Ada")
PARTS_OF_2 = ["gaussian-log-prob", "elbo-kl", "elbo", "iw-bound", "effective-sample-size", "kl-per-latent"]
OTHERS = event(event="missing", ids=[part for part in PARTS_OF_2 if part != "elbo-kl"])
BEGUN = READY + event(event="cell", at=0, error="") + SEED + OTHERS + event(event="part", id="elbo-kl")
SEEN = b"".join(event(data, event="seen", last=False) for data in right())


def graded(bench: Judge, desk: Desk, **options: Any) -> Result:
    content = hostile.as_bytes(hostile.notebook(hostile.KL))
    grader = Grader(desk, bench, "hidden")
    return grader.grade(Submission("a.ipynb", "a", lambda: content), content, "digest", **options)


def test_what_a_runner_says_is_graded(bench: Judge) -> None:
    result = graded(bench, Desk(BEGUN + SEEN + event(event="end")))
    assert (result.points, result.seed) == (2, "Ada")
    assert {part.kind for part in result.parts} == {"right", "missing"}


FORGED = {
    "an infinite cell": READY + event(event="cell", at=math.inf, error=""),
    "no cell": READY + event(event="cell", at=math.nan, error=""),
    "half a cell": READY + event(event="cell", at=0.5, error=""),
    "a cell that was ended before": READY + event(event="cell", at=0, error="") * 3,
    "a cell that is not there": READY + event(event="cell", at=10**30, error=""),
    "an error that is no text": READY + event(event="cell", at=0, error={"a": 1}),
    "half a letter": READY + event(event="cell", at=0, error="\ud800") + event(event="seed", seed="\udfff"),
    "a seed that is a list": READY + event(event="seed", seed=[1]),
    "two seeds": READY + SEED + SEED,
    "a part before the seed": READY + event(event="part", id="elbo-kl") + SEEN,
    "a part that is not there": READY + SEED + event(event="part", id="no-part"),
    "a part of another homework": READY + SEED + event(event="part", id="sampler"),
    "a part that is a list": READY + SEED + event(event="part", id=["elbo-kl"]),
    "parts missing that are lists": READY + SEED + event(event="missing", ids=[["elbo-kl"]]),
    "no text": READY + SEED + event(event="missing", ids="elbo-kl"),
    "missing, and seen": BEGUN + SEEN + event(event="missing", ids=["elbo-kl"]),
    "seen twice": BEGUN + SEEN + SEEN,
    "seen, of no part": READY + SEED + SEEN,
    "points": READY + SEED + event(event="graded", points=15),
    "not an object": READY + frames.pack(b"[1, 2]\n"),
    "no JSON": READY + frames.pack(b"\xff\xfe\n"),
    "nested without end": READY + frames.pack(b"[" * 100_000),
    "ten thousand digits": READY + frames.pack(b'{"event": "cell", "at": ' + b"9" * 10_000 + b', "error": ""}'),
    "a frame without end": READY + b"\xff\xff\xff\xff",
    "half a frame": READY + b"\x40\x00\x00\x00{",
    "an end at once": READY + event(event="end"),
    "an end in a part": BEGUN + event(event="end"),
    "events without end": READY + event(event="cell", at=0, error="") * 60_000,
    "noise": READY + bytes(range(256)) * 8,
}


@pytest.mark.parametrize("name", FORGED)
def test_whatever_is_forged_is_a_grade_and_a_line(bench: Judge, name: str) -> None:
    result = graded(bench, Desk(*[FORGED[name]] * 20))
    assert result.of == 15
    assert result.points == (2 if name in ("missing, and seen", "seen twice") else 0)
    assert all(part.message for part in result.parts)
    json.dumps(result.to_dict())


def test_a_process_that_is_killed_is_not_the_students_mistake(bench: Judge) -> None:
    for said in (BEGUN, READY + event(event="cell", at=0, error=""), b""):
        with pytest.raises(Killed, match="the process was killed"):
            graded(bench, Desk(said, ending="kill -9 $$"))
    result = graded(bench, Desk(BEGUN, BEGUN, ending="kill -9 $$"), alone=True)
    assert result.look == ("the process was killed, twice, the second time while it ran alone",)
    assert "while elbo_kl ran: the process was killed" in [part.message for part in result.parts]
    assert graded(bench, Desk(*[BEGUN] * 20)).look == ()
    assert graded(bench, Desk(*[BEGUN] * 20), alone=True).look == (
        "a process of it was killed from outside: what is graded is a second run, alone",
    )


def test_a_sandbox_that_does_not_start_is_nobodys_mistake(bench: Judge) -> None:
    for said in (b"", event(event="cell", at=0, error="")):
        with pytest.raises(SandboxError, match=r"did not start: (the process was ended, with code 3|what came back)"):
            graded(bench, Desk(said, ending="exit 3"))


def test_a_process_that_goes_on_without_end_is_ended(bench: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(READY, READY)
    desk.limits, desk.ending = Limits(cell=0.1, call=0.1, total=0.5), "sleep 100"
    monkeypatch.setattr(submission, "GRACE", 0.1)
    result = graded(bench, desk)
    assert result.points == 0
    assert {part.message for part in result.parts} == {"time was up before this part"}


def test_results_of_a_size_that_nobody_asks_for(bench: Judge) -> None:
    large = event(bytes(4 * 2**20), event="seen", last=False)
    said = READY + SEED + b"".join(event(event="part", id=part) + 3 * large for part in PARTS_OF_2)
    assert graded(bench, Desk(*[said] * 10)).points == 0


def test_what_an_answer_returns_is_limited_before_it_is_written() -> None:
    case = PART.cases()[0]

    def kind(result: Any) -> Any:
        made = observe(lambda *a: result, case)
        assert len(made.to_bytes()) < frames.FRAME_LIMIT
        return made.structure

    for made, says in (
        (torch.zeros(1).reshape([1] * 64), "of 64 dimensions"),
        (torch.empty(20_000_000, 0), "of 20,000,000 numbers"),
        (torch.zeros(10**7, dtype=torch.uint8), "of 10,000,000 numbers"),
        (torch.zeros(1).expand(10**12), "of 1,000,000,000,000 numbers"),
        (torch.zeros(2, dtype=torch.complex64), "of complex64"),
        (torch.zeros(2, device="meta"), "without numbers of its own"),
        (torch.zeros(2).to_sparse(), "without numbers of its own"),
        (torch.zeros(2).to(torch.float8_e4m3fn), "of float8_e4m3fn"),
    ):
        assert kind(made) == {"kind": "other", "type": f"torch.Tensor, {says}"} or says in kind(made)["type"]
    assert kind([torch.zeros(150_000), torch.zeros(150_000)])["items"][1]["kind"] == "other"
    assert kind([[0.0] * 900] * 900) == {"kind": "other", "type": "builtins.list"}
    assert kind([1, [2, [3, [4, [5]]]]])["kind"] == "list"
