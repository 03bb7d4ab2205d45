"""A run over a class goes on where it stopped, and says loudly where there is no sandbox; tables and pages."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import hostile
import near
import pytest

from lecture11 import cli
from lecture11.homework.grading import backends, course, intake, judge, policy, report, sandbox
from lecture11.homework.grading.policy import Limits, Stub
from lecture11.homework.grading.process import Killed, Watch, family
from lecture11.homework.grading.sandbox import Sandbox, SandboxError
from lecture11.homework.grading.submission import Grade, Grader, Result

pytestmark = pytest.mark.sandbox


def _result(name: str = "Ada.ipynb", **changes: Any) -> Result:
    parts = (
        Grade("elbo-kl", "the KL in closed form", 2, 2, "right", "right", "right"),
        Grade("elbo", "the bound", 0, 4, "mistake", "a <b> & c", "a <b> & c\nline two"),
    )
    made = Result(name, name.removesuffix(".ipynb"), "02-vae-elbo", "Ada", "abc", "", parts, (), (), 1.0)
    return replace(made, **changes)


class _Desk:
    """In place of the sandbox, of what runs in it and of the judge: notes who was graded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.graded: list[str] = []
        self.fail: dict[str, BaseException] = {}
        self.parts = _result().parts
        monkeypatch.setattr(Grader, "grade", lambda grader, *a, **k: self._grade(grader.seed, *a, **k))
        monkeypatch.setattr(sandbox, "tried", lambda box, hidden: "")
        monkeypatch.setattr(policy, "make_stub", lambda folder: Stub(folder))
        monkeypatch.setattr(judge, "COMMAND", [sys.executable, "-S", "-c", ""])

    def _grade(
        self, seed: str, one: Any, content: bytes, digest: str, *, alone: bool = False, kept: Sequence[Grade] = ()
    ) -> Result:
        error = self.fail.get(one.name)
        if error is not None and not (isinstance(error, Killed) and alone):
            raise error
        self.graded.append(one.name)
        parts = tuple({grade.part: grade for grade in (*self.parts, *kept)}.values())
        return _result(one.name, student=one.student, content=digest, seed=seed, parts=parts, version=intake.version())


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> _Desk:
    return _Desk(monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Seven submissions; ``6.ipynb`` is empty, so not run."""
    made = tmp_path / "class"
    made.mkdir()
    for i in range(7):
        (made / f"{i}.ipynb").write_text(str(i) if i < 6 else "")
    return made


def test_a_finished_submission_is_not_graded_again(desk: _Desk, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "grades"
    first = course.grade(folder, output, workers=2)
    assert sorted(desk.graded) == [f"{i}.ipynb" for i in range(7)]
    seed = first.results[0].seed
    assert len(seed) == 32
    (folder / "3.ipynb").write_text("changed")
    (folder / "new.ipynb").write_text("new")
    desk.graded.clear()
    second = course.grade(folder, output, workers=2)
    assert sorted(desk.graded) == ["3.ipynb", "new.ipynb"]
    assert second.graded == 2
    assert [r.name for r in second.results] == [*(f"{i}.ipynb" for i in range(7)), "new.ipynb"]
    assert {r.seed for r in second.results} == {seed}


@pytest.mark.parametrize("setting", [{"seed": "another"}, {"homework": "04-diffusion"}])
def test_other_settings_are_other_results(desk: _Desk, folder: Path, tmp_path: Path, setting: dict[str, str]) -> None:
    course.grade(folder, tmp_path / "grades", seed="a")
    desk.graded.clear()
    course.grade(folder, tmp_path / "grades", **{"seed": "a", **setting})
    assert len(desk.graded) == 7


def test_a_stopped_run_loses_nothing_and_goes_on(desk: _Desk, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "grades"
    desk.fail["4.ipynb"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        course.grade(folder, output, workers=1)
    done = set(desk.graded)
    assert {"0.ipynb", "1.ipynb", "2.ipynb", "3.ipynb"} <= done
    del desk.fail["4.ipynb"]
    summary = course.grade(folder, output, workers=1)
    assert sorted(desk.graded) == [f"{i}.ipynb" for i in range(7)], "each once"
    assert len(summary.results) == 7


def test_one_part_is_graded_again_and_the_others_stand(
    desk: _Desk, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "grades"
    course.grade(folder, output, seed="s")
    desk.graded.clear()
    right, wrong = desk.parts
    # Both checks say something else now; the teacher asks for one of them.
    desk.parts = replace(right, points=0, kind="value"), replace(wrong, points=4, kind="right")
    monkeypatch.setattr(intake, "version", lambda: "another")
    for graded in (7, 7):
        summary = course.grade(folder, output, seed="s", again=["elbo"])
        assert {(r.parts[0].points, r.parts[1].points) for r in summary.results} == {(2, 4)}
        assert len(desk.graded) == graded
        desk.graded.clear()
    summary = course.grade(folder, output, seed="s")
    assert not desk.graded, "the others are as good as new"
    monkeypatch.setattr(intake, "version", lambda: "a third one")
    summary = course.grade(folder, output, seed="s")
    assert {(r.parts[0].points, r.parts[1].points) for r in summary.results} == {(0, 4)}
    desk.graded.clear()
    summary = course.grade(folder, output, seed="s", again=["mu-theta"])
    assert not desk.graded, "nobody has this part"
    assert summary.graded == 0


def test_who_left_leaves_and_so_does_what_was_handed_in_before(desk: _Desk, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "grades"
    course.grade(folder, output)
    (folder / "2.ipynb").unlink()
    (folder / "3.ipynb").write_text("changed")
    desk.fail["4.ipynb"] = SandboxError("not now")
    course.grade(folder, output)
    assert len(list((output / "results").iterdir())) == 6
    names = [json.loads(path.read_text())["name"] for path in (output / "results").iterdir()]
    assert sorted(names) == ["0.ipynb", "1.ipynb", "3.ipynb", "4.ipynb", "5.ipynb", "6.ipynb"]
    pages = [path.read_text("utf-8") for path in (output / "reports").iterdir()]
    assert not any("2.ipynb" in page for page in pages)
    with zipfile.ZipFile(output / "feedback.zip") as archive:
        assert not any(name.startswith("2/") for name in archive.namelist())


def test_half_a_result_counts_as_none(desk: _Desk, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "grades"
    course.grade(folder, output)
    path = next(p for p in (output / "results").iterdir() if json.loads(p.read_text())["name"] == "2.ipynb")
    path.write_text(path.read_text()[:40])
    desk.graded.clear()
    assert len(course.grade(folder, output).results) == 7
    assert desk.graded == ["2.ipynb"]


def test_what_could_not_be_graded_is_said_and_tried_again(
    desk: _Desk, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "grades"
    desk.fail["4.ipynb"] = SandboxError("the sandbox did not start")
    desk.fail["5.ipynb"] = OSError(28, "No space left on device")
    assert cli.main(["grade", str(folder), "--output", str(output)]) == 1
    assert "not graded: '4.ipynb': SandboxError: the sandbox did not start" in capsys.readouterr().out
    assert "not graded yet: SandboxError: the sandbox did not start" in (output / "grades.csv").read_text()
    assert "Not graded yet: 4.ipynb" in (output / "class.html").read_text()
    desk.fail.clear()
    assert cli.main(["grade", str(folder), "--output", str(output)]) == 0
    assert "7 submissions, 2 graded now" in capsys.readouterr().out


@pytest.mark.parametrize("error", [ZeroDivisionError("a bug"), OverflowError("inf"), RecursionError(), MemoryError()])
def test_any_outcome_is_a_grade_and_a_line(
    desk: _Desk, folder: Path, tmp_path: Path, error: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "grades"
    desk.fail["4.ipynb"] = error
    for graded in (7, 0):  # and never again
        assert cli.main(["grade", str(folder), "--output", str(output)]) == 0
        assert f"7 submissions, {graded} graded now" in capsys.readouterr().out
    says = f"the grader fails on it: {type(error).__name__}"
    assert f"4.ipynb: {says}" in (output / "class.html").read_text("utf-8")
    (row,) = (row for row in _rows(output) if row["submission"] == "4.ipynb")
    assert row["note"].startswith(says)
    assert row["points"] == "0"


def test_who_was_killed_from_outside_is_tried_again_alone_at_the_end(desk: _Desk, folder: Path, tmp_path: Path) -> None:
    desk.fail["1.ipynb"] = Killed("the machine had no memory left")
    desk.fail["4.ipynb"] = Killed("the process was killed")
    summary = course.grade(folder, tmp_path / "grades", workers=2)
    assert desk.graded[-2:] == ["1.ipynb", "4.ipynb"]
    assert len(summary.results) == 7
    assert not summary.failed


def test_fewer_workers_than_wanted_are_said_loudly(
    desk: _Desk, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sandbox, "available", lambda: 4 * 2**30)
    output = tmp_path / "grades"
    assert cli.main(["grade", str(folder), "--output", str(output), "--workers", "3"]) == 0
    said = "1 of 3 workers: each submission may fill 2 GiB"
    assert said in capsys.readouterr().out
    assert said in (output / "class.html").read_text("utf-8")


def test_a_submission_that_cannot_even_be_read_is_in_the_table(
    desk: _Desk, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "nobody").mkdir()
    read = intake._read

    def odd(path: Path) -> bytes:
        if path.name == "3.ipynb":
            raise OverflowError("odd")
        return read(path)

    monkeypatch.setattr(intake, "_read", odd)
    output = tmp_path / "grades"
    assert cli.main(["grade", str(folder), "--output", str(output)]) == 0
    notes = {row["submission"]: row["note"] for row in _rows(output)}
    assert notes["3.ipynb"] == "cannot be read: OverflowError: odd"
    assert notes["nobody/"] == "the folder is empty"
    assert len(notes) == 8


def _rows(output: Path) -> list[dict[str, str]]:
    with (output / "grades.csv").open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def test_a_dry_run_shows_who_was_found_and_grades_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "class"
    (place / "nobody").mkdir(parents=True)
    (place / "lovelaceada_123_4567_hw.ipynb").write_bytes(hostile.as_bytes(hostile.notebook(hostile.KL)))
    (place / "a\nb.ipynb").write_bytes(b"")
    assert cli.main(["grade", str(place), "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        r"a\nb  NOT TO BE RUN: the file is empty  a\nb.ipynb",
        "lovelaceada  02-vae-elbo  lovelaceada_123_4567_hw.ipynb",
        "nobody  NOT TO BE RUN: the folder is empty  nobody/",
        "3 submissions",
    ]
    assert list(tmp_path.iterdir()) == [place]


def test_a_stopped_sandbox_gives_no_results(tmp_path: Path) -> None:
    box = Sandbox("none", tmp_path, Stub(tmp_path), Limits(), Watch(Limits()))
    box.stop()
    with pytest.raises(SandboxError, match="stopped"), box.start():
        pass


def test_without_a_sandbox_the_grader_stops_and_says_so(
    monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sandbox, "tried", lambda box, hidden: "does not work here")
    monkeypatch.setattr(sandbox, "_nobody_may_run_python", lambda: True)
    monkeypatch.setattr(policy, "make_stub", lambda folder: Stub(folder))
    assert cli.main(["grade", str(folder), "--output", str(tmp_path / "grades")]) == 1
    said = capsys.readouterr().out
    assert "NO SANDBOX" in said
    assert "does not work here" in said
    assert "--without-sandbox" in said
    assert not list(tmp_path.glob("grades/results/*"))


def test_on_request_it_goes_on_without_a_sandbox_and_says_so_everywhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # A harmless submission, run for real; as root there may be nobody else who can run this Python.
    monkeypatch.setattr(sandbox, "tried", lambda box, hidden: "does not work here")
    monkeypatch.setattr(sandbox, "_nobody_may_run_python", lambda: True)
    monkeypatch.setattr(backends, "NOBODY", os.geteuid())
    near.judge_here(monkeypatch)
    place = tmp_path / "class"
    place.mkdir()
    imports = "from lecture11.gaussian import kl as elbo_kl"
    (place / "a.ipynb").write_bytes(hostile.as_bytes(hostile.notebook(imports, hostile.ESS)))
    output = tmp_path / "grades"
    assert cli.main(["grade", str(place), "--output", str(output), "--without-sandbox"]) == 0
    assert "NOT ISOLATED" in capsys.readouterr().out
    pages = list(output.rglob("*.html"))
    pages.remove(output / "answers.html")
    assert len(pages) == 2
    for page in pages:
        assert "NOT ISOLATED" in page.read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO((output / "grades.csv").read_text(encoding="utf-8-sig"))))
    assert [(row["points"], row["effective-sample-size"], row["elbo-kl"]) for row in rows] == [("2", "2", "0")]
    assert "lecture11.gaussian is not there while homework is graded" in pages[1].read_text() + pages[0].read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--homework", "05-none"], "no homework is called '05-none'"),
        (["--output", "{folder}/grades"], "among the submissions"),
        (["--workers", "0"], "at least one is needed"),
        (["--output", "{folder}/../file"], "file cannot be written: "),
        (["--output", "{folder}/../file/grades"], "cannot be written: Not a directory"),
        (["--output", "{folder}/../taken"], "grades.csv cannot be written: it is a folder"),
        (["--output", "/proc/grades"], "cannot be written: "),
        (["--output", "{folder}/../odd"], "seed.txt cannot be read: "),
        (["--again", "elbow"], "no part is called 'elbow'"),
        (["--roster", "{folder}/none.csv"], "none.csv cannot be read: No such file"),
        (["--deadlines", "{folder}/none.csv"], "none.csv cannot be read: No such file"),
        (["--preview"], "is a folder: --preview takes one notebook"),
    ],
)
def test_arguments_that_cannot_be(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    (folder.parent / "file").write_text("x")
    (folder.parent / "taken/grades.csv").mkdir(parents=True)
    (folder.parent / "odd").mkdir()
    (folder.parent / "odd/seed.txt").write_bytes(b"\xff\xfe")
    assert cli.main(["grade", str(folder), *(a.format(folder=folder) for a in arguments)]) == 1
    said = capsys.readouterr().out
    assert says in said
    assert said.count("\n") == 1


def test_an_output_of_someone_else_is_noticed_before_any_work(
    desk: _Desk, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_open(path: Any, *a: Any, **k: Any) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(course.os, "open", no_open)  # as root, whom no mode keeps from it, too
    assert cli.main(["grade", str(folder), "--output", str(tmp_path / "grades")]) == 1
    assert "cannot be written: Permission denied" in capsys.readouterr().out
    assert not desk.graded


def test_a_disk_that_is_full_in_the_end_loses_nothing(
    desk: _Desk, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_space(*a: Any, **k: Any) -> Any:
        raise OSError(28, "No space left on device", "grades.csv")

    with monkeypatch.context() as patch:
        patch.setattr(report, "pages", no_space)
        assert cli.main(["grade", str(folder), "--output", str(tmp_path / "grades")]) == 1
    said = capsys.readouterr().out
    assert "No space left on device: 'grades.csv'. The same command goes on from here." in said
    assert cli.main(["grade", str(folder), "--output", str(tmp_path / "grades")]) == 0
    assert "7 submissions, 0 graded now" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["--dry-run"]])
def test_no_submissions_are_no_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    (tmp_path / "class").mkdir()
    assert cli.main(["grade", str(tmp_path / "class"), *arguments]) == 1
    assert "no submissions: " in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == [tmp_path / "class"]


# Its judge knows the parts, and has no cases of them; and the grader itself, which runs no answers, has no PyTorch.
KILLED = """
import json, sys
import near
from lecture11 import cli
from lecture11.homework.grading import command, frames, intake, judge, sandbox

about = {check.part: {"title": "", "personal": False} for one in intake.homeworks().values() for check in one.checks}
first, then = frames.pack(b"1", json.dumps(about).encode()), frames.pack(b"0")
says = f"import os; os.write(1, {first}); [os.write(1, {then}) for _ in iter(lambda: os.read(0, 2**16), b'')]"
judge.COMMAND = [sys.executable, "-S", "-c", says]
sandbox.tried = near.trial_without_pytorch
assert "torch" not in sys.modules
raise SystemExit(cli.main())
"""


def test_a_killed_grader_leaves_no_process_and_loses_no_result(tmp_path: Path) -> None:
    place, output = tmp_path / "class", tmp_path / "grades"
    place.mkdir()
    (place / "a.ipynb").write_bytes(b"")
    (place / "b.ipynb").write_bytes(hostile.as_bytes(hostile.notebook("time.sleep(1000)")))
    command = [sys.executable, "-c", KILLED, "grade", str(place), "--output", str(output), "--workers", "1"]
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    env = {**os.environ, "PYTHONPATH": path, "TMPDIR": str(tmp_path)}  # what a killed process does not tidy up
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env)
    assert process.stdout is not None
    children: list[int] = []
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None and not _running(children, "Seccomp:\t2"):
        time.sleep(0.1)
        found = family(process.pid)[1:] if list(output.glob("results/*.json")) else []
        children = [one.pid for one in found]
    if process.poll() is not None:
        assert "NO SANDBOX" in process.stdout.read()
        return
    process.send_signal(signal.SIGKILL)
    process.wait()
    until = time.monotonic() + 10  # less than a cell may take, after which it would end by itself
    while time.monotonic() < until and _running(children):
        time.sleep(0.1)
    assert not _running(children)
    (kept,) = output.glob("results/*.json")
    assert json.loads(kept.read_text())["name"] == "a.ipynb"


def _running(pids: list[int], status: str = "") -> list[int]:
    """Those of the processes that run a student's code, or wait for it; once calls are refused, they wait no more."""
    found = []
    for pid in pids:
        try:
            line, about = (Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "status"))
            if b"runner.py" in line and status.encode() in about:
                found.append(pid)
        except OSError:
            pass
    return found


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", r"'\t=1"),
        ("\r=1", r"'\r=1"),
        ("  =1", "'  =1"),
        ("＝1", "'＝1"),
        ("x;=cmd|' /C calc'!A0;", "x;'=cmd|' /C calc'!A0;"),
        ("x,@SUM(A1)", "x,'@SUM(A1)"),
        ("x\t+1", r"x\t'+1"),
        ('x; "=1"', 'x; "\'=1"'),
        ("x;-1;%0", "x;'-1;'%0"),
        ("a|=1", "a|'=1"),
        ("\n=1", r"'\n=1"),
        ("\t", r"'\t"),
        ("Müller-Lüdenscheidt; Ada + Bob", "Müller-Lüdenscheidt; Ada + Bob"),
        ("Ada", "Ada"),
        (3, 3),
    ],
)
def test_no_cell_of_the_table_is_a_formula(value: str | int, written: str | int) -> None:
    assert report.cell(value) == written
