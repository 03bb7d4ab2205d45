"""A term in small: handed out, collected, graded, contested, graded again and handed back, by the commands alone.

The grades are fixed beforehand. What students wrote runs in this process here, since nobody in this class means harm;
with a sandbox, test_grading.py grades another class.
"""

import csv
import json
import os
import re
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import hostile
import near
import pytest

from lecture11 import cli
from lecture11.homework import build, check, variation
from lecture11.homework.checks import NotDoneYet, observations
from lecture11.homework.grading import intake, policy, sandbox
from lecture11.homework.grading.policy import Stub
from lecture11.homework.grading.submission import Grader
from lecture11.homework.part import Mistake
from lecture11.homework.parts import PARTS


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of the sandbox and the judge; what is the same is run and judged once."""
    ran: dict[tuple[str, str, str], list[bytes]] = {}

    def process(grader: Grader, found: Any, run: Any, alone: bool) -> bool:
        space: dict[str, Any] = {"NotDoneYet": NotDoneYet, "check": check, "variation": variation}
        exec("import math\nimport torch", space)
        for cell in found.cells:
            try:
                exec(cell.text, space)
            except Exception as error:
                run.errors.setdefault(found.cells.index(cell), []).append(str(error))
        run.seed = str(space.get(found.homework.seed_name, ""))
        for one in found.homework.checks:
            if one.answer not in space:
                run.missing.add(one.part)
            elif one.part not in run.kept:
                seed = run.seed if PARTS[one.part].personal else grader.seed
                text = next(cell.text for cell in found.cells if one.answer in cell.text)
                if (one.part, seed, text) not in ran:  # most of the class left it as it was
                    seen = observations(one.part, space[one.answer], seed=seed)
                    ran[one.part, seed, text] = [o.to_bytes() for o in seen]
                run.seen[one.part] = ran[one.part, seed, text]
        return False

    near.judge_here(monkeypatch)
    monkeypatch.setattr(Grader, "_process", process)
    monkeypatch.setattr(sandbox, "tried", lambda box, hidden: "")
    monkeypatch.setattr(policy, "make_stub", lambda folder: Stub(folder))


RIGHT = {
    "gaussian_log_prob": "x, mean, log_var: torch.distributions.Normal(mean, (log_var / 2).exp()).log_prob(x).sum(1)",
    "elbo_kl": "mu, log_var: 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1)",
    "iw_bound": "log_w: log_w.logsumexp(0) - math.log(len(log_w))",
    "effective_sample_size": "log_w: 1 / log_w.softmax(0).square().sum(0)",
    "alpha_bar": "betas: torch.cat([betas.new_ones(1), (1 - betas).cumprod(0)])",
    "half_signal": "",
}
KL_WRONG = {"elbo_kl": "mu, log_var: (mu**2 + log_var.exp() - 1 - log_var).sum(1)"}
QUESTION = "effective-sample-size-question"


def notebook(homework: str, *answers: str, seed: str, words: str = "", shown: str = "", **others: str) -> bytes:
    """A student's notebook with these answers."""
    made = build.student(build.source(homework))
    for cell in made["cells"]:
        about = cell["metadata"].get("lecture11", {})
        name = about.get("part", "").replace("-", "_")
        if "seed" in about:
            cell["source"] = f"SEED = {seed!r}"
        elif about.get("role") == "answer" and name in (*answers, *others):
            cell["source"] = f"{name} = lambda {others.get(name, RIGHT[name])}"
        elif about.get("role") == "check" and name == shown:
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": f"right: {name}, 2 points\n"}]
        elif cell["id"] == QUESTION:
            cell["source"] = f"{build.text_of(cell)}\n\n{words}"
    return json.dumps(made).encode()


def moodle(path: Path, files: dict[str, bytes], day: int) -> None:
    """A zip as Moodle exports it."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 5, day, 12, 0, 0)), content)


def grades(output: Path) -> dict[str, dict[str, str]]:
    with (output / "grades.csv").open(newline="", encoding="utf-8-sig") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


ROSTER = "Full name,ID number,Email address\nAda Lovelace,9001,ada@x.org\nEmmy Noether,9002,emmy@x.org\n"
ROSTER += "Grace Hopper,9003,grace@x.org\nAlan Turing,9004,alan@x.org\n"
DEADLINES = "homework,student,deadline,handed in,late days,per day\n02-vae-elbo,,2026-05-12 23:59,,0,25\n"
DEADLINES += "02-vae-elbo,Grace Hopper,2026-05-20 23:59,,,\n"


def test_a_term(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("roster.csv").write_text(ROSTER)
    Path("deadlines.csv").write_text(DEADLINES)

    def run(command: str) -> str:
        # One at a time: what answers print is caught, and two threads would catch each other's.
        assert cli.main([*command.split()[1:], "--workers", "1"]) == 0
        return capsys.readouterr().out

    # Handed out, and collected: Moodle's export of the second homework.
    folder = "{}_{}_assignsubmission_file_/{}"
    ada = notebook("02-vae-elbo", "gaussian_log_prob", "elbo_kl", "iw_bound", seed="Ada", words="To 1.5 nats.")
    emmy = notebook("02-vae-elbo", "gaussian_log_prob", seed="Emmy", shown="elbo_kl", **KL_WRONG)
    files = {
        folder.format("Ada Lovelace", 17, "hw.ipynb"): ada,
        folder.format("Emmy Noether", 18, "hw.ipynb"): emmy,
        folder.format("Emmy Noether", 18, "old.ipynb"): b"",
        folder.format("Grace Hopper", 19, "hw.ipynb"): notebook("02-vae-elbo", "elbo_kl", seed="Grace"),
    }
    moodle(Path("hw2.zip"), files, day=14)
    grade = "lecture11 grade hw2.zip --homework 02-vae-elbo --roster roster.csv --deadlines deadlines.csv"
    said = run(f"{grade} --dry-run")
    assert "Ada Lovelace  02-vae-elbo  " in said
    assert "Alan Turing  nothing was handed in" in said
    assert not Path("hw2-grades").exists()

    said = run(grade)
    assert "4 submissions, 4 graded now" in said
    assert "look first at 'Emmy Noether': elbo-kl is right in the saved notebook, and not here: the factor" in said
    output = Path("hw2-grades")
    found = grades(output)
    # Two days late, a quarter off each: 6 of 15 become 3, and 2 become 1; Grace may be late.
    assert {name: row["points"] for name, row in found.items()} == {
        "Ada Lovelace": "3",
        "Emmy Noether": "1",
        "Grace Hopper": "2",
        "Alan Turing": "0",
    }
    assert found["Ada Lovelace"]["Email address"] == "ada@x.org"
    assert "other tries: Emmy Noether_18_assignsubmission_file_/old.ipynb" in found["Emmy Noether"]["note"]
    assert "To 1.5 nats." in (output / "answers.html").read_text("utf-8")

    # Answers are read and a grade is contested; Alan hands in on paper.
    with (output / "decisions.csv").open("a", encoding="utf-8") as file:
        file.write(
            f"Ada Lovelace,,{QUESTION},2,\nemmy@x.org,,elbo-kl,1,the idea is right\nAlan Turing,,elbo,4,on paper\n"
        )
    said = run(grade)
    assert "4 submissions, 0 graded now" in said
    assert "look first" not in said, "it is decided"
    assert {name: (row["points"], row["of"]) for name, row in grades(output).items()} == {
        "Ada Lovelace": ("4", "17"),
        "Emmy Noether": ("1.5", "17"),
        "Grace Hopper": ("2", "17"),
        "Alan Turing": ("4", "17"),
    }

    # A mistake gets a name, and that part alone is graded again.
    part = PARTS["elbo-kl"]
    named = replace(part, mistakes=(Mistake("new", "a mistake that has a name now", part.mistake("doubled").function),))
    monkeypatch.setitem(PARTS, "elbo-kl", named)
    monkeypatch.setattr(intake, "version", lambda: "another")
    monkeypatch.setitem(PARTS, "gaussian-log-prob", replace(PARTS["gaussian-log-prob"], reference=lambda *a: None))
    assert "4 graded now" in run(f"{grade} --again elbo-kl")
    assert grades(output)["Ada Lovelace"]["points"] == "4", "the broken check was not asked for"
    page = (output / "class.html").read_text("utf-8")
    assert "1 × a mistake that has a name now" in page
    assert re.search(r"a name now</summary>\s*<p><a[^>]*>Emmy Noether</a></p>", page)

    # Handed back: Moodle finds each by its number. Grace leaves, and so does what was hers.
    with zipfile.ZipFile(output / "feedback.zip") as archive:
        names = archive.namelist()
        assert b"by decision of your teacher</strong>: the idea is right" in archive.read(names[1])
    assert names[:3] == [
        "Ada Lovelace_17_assignsubmission_file_report.html",
        "Emmy Noether_18_assignsubmission_file_report.html",
        "Grace Hopper_19_assignsubmission_file_report.html",
    ]
    del files[folder.format("Grace Hopper", 19, "hw.ipynb")]
    moodle(Path("hw2.zip"), files, day=14)
    Path("roster.csv").write_text(ROSTER.replace("Grace Hopper,9003,grace@x.org\n", ""))
    Path("deadlines.csv").write_text(DEADLINES.replace("02-vae-elbo,Grace Hopper,2026-05-20 23:59,,,\n", ""))
    run(f"{grade} --again elbo-kl")
    left = [path for path in output.rglob("*") if path.suffix in (".html", ".csv", ".json")]
    assert not any("Grace" in path.read_text("utf-8-sig") for path in left)

    # The next homework comes from Canvas.
    Path("hw4").mkdir()
    for name, made in {
        "lovelaceada_101_55_hw.ipynb": notebook("04-diffusion", "alpha_bar", seed="Ada"),
        "turingalan_LATE_104_56_hw.ipynb": notebook("04-diffusion", seed="Alan"),
        "someone_105_57_hw.ipynb": ada,
    }.items():
        Path("hw4", name).write_bytes(made)
        os.utime(Path("hw4", name), (time.time(),) * 2)
    said = run("lecture11 grade hw4 --homework 04-diffusion --roster roster.csv --deadlines deadlines.csv")
    assert {name: row["points"] for name, row in grades(Path("hw4-grades")).items()} == {
        "Ada Lovelace": "1",
        "Emmy Noether": "0",
        "Alan Turing": "0",
        "someone": "0",
    }
    assert "this is 02-vae-elbo, and 04-diffusion is graded" in grades(Path("hw4-grades"))["someone"]["note"]

    # A student looks before.
    Path("mine.ipynb").write_bytes(notebook("02-vae-elbo", "iw_bound", seed="Alan", shown="elbo_kl", words="Words."))
    said = run("lecture11 grade --preview mine.ipynb")
    assert "mine.ipynb: 02-vae-elbo, name 'Alan': 2 of 15 points" in said
    assert "0 of 2  elbo-kl: not done yet" in said
    assert "but the notebook as it was saved shows that it is right: run all cells, and save it" in said
    assert f"2 more  {QUESTION}: your answer is found; a person reads it" in said
    assert "2 more  kl-per-latent-question: there is no answer; a person reads it" in said
    Path("empty.ipynb").write_bytes(b"")
    assert "would not be run, and have no points: the file is empty" in run("lecture11 grade --preview empty.ipynb")


# --- who knows the grader's code, and wants more


@pytest.fixture
def honest(tmp_path: Path) -> Path:
    """A folder with one honest student, who has two points."""
    place = tmp_path / "class"
    place.mkdir()
    (place / "Honest.ipynb").write_bytes(notebook("02-vae-elbo", "elbo_kl", seed="Honest"))
    return place


def change(content: bytes, **cells: Any) -> bytes:
    """The notebook with other cells, by their ids with ``_`` for ``-``."""
    made = json.loads(content)
    for cell in made["cells"]:
        cell.update(cells.get(cell.get("id", "").replace("-", "_"), {}))
    return json.dumps(made).encode()


NOTHING = notebook("02-vae-elbo", seed="x")
SAID = {"output_type": "stream", "text": "right: all of it, 15 points\n"}
EVIL: dict[str, bytes] = {
    "shows right.ipynb": change(NOTHING, **{f"{name}_check": {"outputs": [SAID]} for name in ("elbo_kl", "elbo")}),
    "shows without end.ipynb": change(NOTHING, elbo_check={"outputs": [SAID] * 50_000}),
    "shows no lists.ipynb": change(NOTHING, elbo_check={"outputs": [[[]], {"output_type": []}, {"text": {"a": 1}}, 7]}),
    "shows a long line.ipynb": change(NOTHING, elbo_check={"outputs": [{**SAID, "text": "right: " * 10**6}]}),
    "answers with a script.ipynb": notebook("02-vae-elbo", seed="x", words="</pre></script><script>alert(1)</script>"),
    "answers with a formula.ipynb": notebook("02-vae-elbo", seed="x", words='=HYPERLINK("http:","a")'),
    "answers with a book.ipynb": notebook("02-vae-elbo", seed="x", words="word " * 10**6),
    "answers in 900 cells.ipynb": hostile.as_bytes(
        {**json.loads(NOTHING), "cells": json.loads(NOTHING)["cells"][:1] * 900}
    ),
    "asks for points.ipynb": change(NOTHING, title={"metadata": {"lecture11": {"points": 15, "role": "check"}}}),
    "is homework nan.ipynb": NOTHING.replace(b'"homework": 2', b'"homework": NaN'),
    "is all homeworks.ipynb": NOTHING.replace(b'"homework": 2', b'"homework": [1, 2, 3, 4]'),
    "Honest\u200b.ipynb": NOTHING,
    "HONEST.ipynb": NOTHING,
    "Honest_17_assignsubmission_file_/hw.ipynb": NOTHING,
    "\u202e<b>.ipynb": NOTHING,
    "=cmd|' /C calc'!A0.ipynb": NOTHING,
    'a,b;c\td\ne"f.ipynb': NOTHING,
    "seed of a page.ipynb": notebook("02-vae-elbo", seed="</title><script>alert(1)</script>"),
    "tokens.ipynb": change(NOTHING, elbo_answer={"source": "'''" * 33_333}),
    "quotes.ipynb": change(NOTHING, elbo_answer={"source": '"""\'' * 25_000}),
}


def test_twenty_who_know_the_grader_gain_nothing_and_harm_nobody(honest: Path, tmp_path: Path) -> None:
    for name, content in EVIL.items():
        (honest / name).parent.mkdir(exist_ok=True)
        (honest / name).write_bytes(content)
    output = tmp_path / "class-grades"
    begin = time.process_time()
    assert cli.main(["grade", str(honest), "--workers", "1"]) == 0
    assert time.process_time() - begin < 60
    with (output / "grades.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    (own,) = [row for row in rows if row["submission"] == "Honest.ipynb"]
    assert (own["student"], own["points"], own["elbo-kl"]) == ("Honest", "2", "2")
    assert {row["points"] for row in rows if row is not own} == {"0"}
    told = {text for row in rows for text in (row["submission"], row["note"])}
    assert len(rows) == len(EVIL), "of one name are Honest, and who pretends to be"
    assert any("Honest_17_assignsubmission_file_/hw.ipynb" in text for text in told)
    for path in output.rglob("*.html"):
        page = path.read_text("utf-8")
        assert page.count("<script") == (2 if path.name == "answers.html" else 0), path.name
        assert "\u202e" not in page
        assert "\u200b" not in page
    assert not any(value.startswith(("=", "+", "-", "@")) for row in rows for value in row.values())
    with zipfile.ZipFile(output / "feedback.zip") as archive:
        names = archive.namelist()
    assert len(set(names)) == len(names) == len(rows)
    assert not any(name.startswith("/") or ".." in name.split("/") for name in names)
