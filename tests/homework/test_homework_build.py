"""The generated notebooks and pages are those of their sources; unsolved they say so, solved they pass."""

import json
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import nbformat
import pytest
import torch
from answers import RIGHT, WRONG

from lecture11 import cli
from lecture11.homework import NotDoneYet, WrongAnswer, build
from lecture11.homework.diagnosis import diagnose
from lecture11.homework.part import Part, changed
from lecture11.homework.parts import PARTS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "book" / "homework"
NAMES = build.names()


def role(cell: dict[str, Any]) -> str | None:
    return cell["metadata"].get("lecture11", {}).get("role")


def execute(notebook: dict[str, Any]) -> dict[str, Exception]:
    """Runs the code cells in this process; what each raised, by its id."""
    raised: dict[str, Exception] = {}
    space: dict[str, Any] = {"__name__": "__main__"}
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code" or "remove-cell" in cell["metadata"].get("tags", []):
            continue
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="FigureCanvasAgg")
                exec(compile(build.text_of(cell), cell["id"], "exec"), space)
        except Exception as error:
            raised[cell["id"]] = error
        plt.close("all")
    return raised


@pytest.fixture(autouse=True)
def style() -> Any:
    backend, settings = plt.get_backend(), plt.rcParams.copy()
    plt.switch_backend("agg")
    yield
    plt.switch_backend(backend)
    plt.rcParams.update(settings)


def test_generated_files_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    made = build.build()
    stale = [name for name, text in made.items() if (FOLDER / name).read_text(encoding="utf-8") != text]
    assert stale == [], "run: lecture11 homework build"
    assert {path.name for path in FOLDER.iterdir() if path.is_file()} == set(made)
    assert cli.main(["homework", "build", "--output", str(FOLDER)]) == 0
    assert "is up to date" in capsys.readouterr().out


def test_the_command_writes_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["homework", "build", "--output", str(tmp_path / "new")]) == 0
    assert "04-diffusion.ipynb" in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "new").iterdir()} == set(build.build())


def test_four_notebooks_hold_all_parts_in_order() -> None:
    assert len(NAMES) == 4
    assert 20 <= len(PARTS) <= 30
    for number, name in enumerate(NAMES, start=1):
        notebook = build.source(name)
        checks = [cell for cell in notebook["cells"] if role(cell) == "check"]
        parts = [part for part in PARTS.values() if part.homework == number]
        assert [cell["metadata"]["lecture11"] for cell in checks] == [
            {"part": part.id, "role": "check", "points": part.points, "answer": part.answer} for part in parts
        ]
        headings = [build.text_of(cell) for cell in notebook["cells"] if cell["id"].endswith("-task")]
        for i, (part, text) in enumerate(zip(parts, headings, strict=True), start=1):
            title = f"{part.title[0].upper()}{part.title[1:]}"
            points = "1 point" if part.points == 1 else f"{part.points} points"
            assert text.startswith(f"## {i}. {title}\n\n*{points}. It trains {part.trains}.*\n")
            assert "<summary>Hint</summary>" in text


@pytest.mark.parametrize("name", NAMES)
def test_cells_keep_their_ids_and_nothing_leaks(name: str) -> None:
    source = build.source(name)
    for made in (build.student(source), build.solution(source)):
        nbformat.validate(nbformat.from_dict(made))
        assert [cell["id"] for cell in made["cells"]] == [cell["id"] for cell in source["cells"]]
        assert "###" not in json.dumps([build.text_of(c) for c in made["cells"] if c["cell_type"] == "code"])
        # nbval compares what a cell raises, not what it prints.
        tags = [c["metadata"].get("tags") for c in made["cells"] if c["cell_type"] == "code"]
        assert all(t in (["remove-cell"], ["nbval-ignore-output"]) for t in tags)
    for cell in build.student(source)["cells"]:
        if role(cell) == "answer":
            assert build.text_of(cell).endswith(("raise NotDoneYet", " = ..."))


@pytest.mark.parametrize("name", NAMES)
def test_unsolved_each_check_says_not_done_yet(name: str) -> None:
    notebook = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))
    raised = execute(notebook)
    checks = {cell["id"] for cell in notebook["cells"] if role(cell) == "check"}
    assert checks <= set(raised)
    assert {type(error) for error in raised.values()} == {NotDoneYet}  # in the pictures too: never a traceback
    assert {str(raised[key]).split(": ")[-1] for key in checks} == {"not done yet"}


@pytest.mark.parametrize("name", NAMES)
def test_solved_each_check_passes(name: str) -> None:
    notebook = json.loads((FOLDER / f"{name}-solution.ipynb").read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if role(cell) == "check":
            part = PARTS[cell["metadata"]["lecture11"]["part"]]
            if not part.personal:  # other numbers than the stored name gives
                cell["source"] = f"{build.text_of(cell)}\ncheck.{part.answer}({part.answer}, seed='another')"
    assert execute(notebook) == {}


def test_regions_are_kept_or_replaced() -> None:
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [{"x": 1}], "execution_count": 3}
    text = "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION\n\n\ny = 1\n"
    notebook = {"cells": [{**cell, "source": text}]}
    (student,), (solved,) = build.student(notebook)["cells"], build.solution(notebook)["cells"]
    assert build.text_of(student) == "def f(x):\n    raise NotDoneYet\n\n\ny = 1"
    assert build.text_of(solved) == "def f(x):\n    return x\n\n\ny = 1"
    assert (student["outputs"], student["execution_count"]) == ([], None)
    outside = {"cells": [{**cell, "source": "### BEGIN SOLUTION\nhelp = 1\nanswer = 2\n### END SOLUTION"}]}
    assert build.text_of(build.student(outside)["cells"][0]) == "answer = ..."
    for broken in ("### BEGIN SOLUTION\nx = 1", "x\n### END SOLUTION", "### BEGIN HIDDEN\n### END HIDDEN"):
        with pytest.raises(ValueError, match="an unknown marker, or one without its other end"):
            build.student({"cells": [{**cell, "source": broken}]})


def test_a_new_part_works_as_it_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("lecture11/homework/parts", "lecture11/homework/sources", "tests/homework/answers"):
        (tmp_path / folder).mkdir(parents=True)
        for path in (ROOT / folder).iterdir():
            if path.is_file():
                shutil.copy(path, tmp_path / folder)
    command = ["homework", "new", "row-length", "--homework", "2", "--root", str(tmp_path)]
    assert cli.main(command) == 0
    assert "parts/row_length.py" in capsys.readouterr().out

    # It has its place among the parts, and a cell each for task, answer and check.
    listed = (tmp_path / "lecture11/homework/parts/__init__.py").read_text("utf-8")
    assert "    reparametrise,\n    row_length,\n    sampler,\n" in listed
    assert (
        "*(gaussian_log_prob, elbo_kl, elbo, iw_bound, effective_sample_size, kl_per_latent, row_length),\n" in listed
    )
    compile(listed, "parts", "exec")
    notebook = json.loads((tmp_path / "lecture11/homework/sources/02-vae-elbo.ipynb").read_text("utf-8"))
    nbformat.validate(nbformat.from_dict(build.student(notebook)))
    assert [cell["id"] for cell in notebook["cells"]][-3:] == [
        "row-length-task",
        "row-length-answer",
        "row-length-check",
    ]
    assert build.text_of(notebook["cells"][-3]).startswith(
        "## 7. The squared length of each row\n\n*1 point. It trains"
    )
    assert build.text_of(build.student(notebook)["cells"][-2]).endswith("    raise NotDoneYet")

    # Its check says what its answers say that it must.
    space: dict[str, Any] = {}
    exec((tmp_path / "lecture11/homework/parts/row_length.py").read_text("utf-8"), space)
    part: Part = space["PART"]
    text = (tmp_path / "tests/homework/answers/row_length.py").read_text("utf-8")
    before = len(WRONG)
    exec(text, {})
    try:
        for answer in RIGHT.pop("row-length"):
            assert diagnose(part, part.observed(answer, 0)).ok
        found = [(wrong, diagnose(part, part.observed(wrong.answer, 0))) for wrong in WRONG[before:]]
    finally:
        del WRONG[before:]
    assert len(found) == 4
    assert all((v.mistake, v.kind) == (wrong.mistake, wrong.kind) and wrong.says in v.headline for wrong, v in found)
    for mistake in part.mistakes:
        assert diagnose(part, part.observed(mistake.function, 0)).mistake == mistake.id

    (tmp_path / "lecture11/homework/parts/elbo").mkdir()
    for wrong, says in (
        ("elbo", "there is a part elbo already"),
        ("elbo-kl", "there is a part elbo-kl already"),
        ("Elbo", "is written like elbo-kl, got 'Elbo'"),
    ):
        assert cli.main(["homework", "new", wrong, "--homework", "2", "--root", str(tmp_path)]) == 1
        assert says in capsys.readouterr().out
    assert cli.main([*command[:3], "--homework", "5"]) == 1
    assert "homework 5: there are 1 to 4" in capsys.readouterr().out
    assert cli.main([*command[:-1], str(tmp_path / "tests")]) == 1
    assert "is not there: call this in a checkout" in capsys.readouterr().out


RULE = re.compile(r"^- Gradients pass to (.*)\.$", re.MULTILINE)


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_a_task_states_the_rules_that_its_check_tests(part: Part) -> None:
    notebook = build.source(NAMES[part.homework - 1])
    assert "A result has the precision of the inputs" in build.text_of(notebook["cells"][0])
    (task,) = [build.text_of(cell) for cell in notebook["cells"] if cell["id"] == f"{part.id}-task"]
    stated = RULE.search(task)
    tested = {name for case in part.cases() for name in case.grad}
    assert (set(re.findall(r"`(\w+)`", stated[1])) if stated else set()) == tested

    if not part.personal:  # of which the answer is a number
        right = part.reference
        double = diagnose(part, part.observed(changed(right, as_if(torch.Tensor.double)), 0))
        assert (double.kind, "float64, and float32 is expected" in double.headline) == ("dtype", True)
        single = diagnose(part, part.observed(changed(right, as_if(lambda r: r.float().to(r.dtype))), 0))
        assert single.kind == "precision"
        detached = diagnose(part, part.observed(changed(right, as_if(torch.Tensor.detach)), 0))
        assert detached.kind == ("gradient" if tested else "right")


def as_if(change: Any) -> Any:
    """The change, done to a tensor or to each of several."""
    return lambda result: tuple(map(change, result)) if isinstance(result, tuple) else change(result)


def test_nbval_gives_the_verdict_of_the_checks(tmp_path: Path) -> None:
    # One kernel, three parts of a student's notebook: one right, one wrong, one not done.
    notebook = build.student(build.source("02-vae-elbo"))
    answers = {
        "gaussian-log-prob": "def gaussian_log_prob(x, mean, log_var):\n"
        "    return torch.distributions.Normal(mean, (0.5 * log_var).exp()).log_prob(x).sum(1)",
        "elbo-kl": "def elbo_kl(mu, log_var):\n    return 0.5 * (mu**2 + log_var.exp() - 1 - log_var).mean(1)",
        "iw-bound": "",
    }
    keep = []
    for cell in notebook["cells"]:
        part = cell["metadata"].get("lecture11", {}).get("part")
        if cell["id"] in ("setup", "seed") or (part in answers and role(cell)):
            if role(cell) == "answer" and answers[part]:
                cell["source"] = answers[part]
            keep.append(cell)
    path = tmp_path / "homework.ipynb"
    path.write_text(json.dumps({**notebook, "cells": keep}), encoding="utf-8")
    shutil.copy(ROOT / "tests" / "nbval_sanitize.cfg", tmp_path)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval",
        "--nbval-current-env",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
    ]
    run = subprocess.run([*command, "-q", path.name], cwd=tmp_path, text=True, capture_output=True)
    assert "2 failed, 6 passed" in run.stdout, run.stdout[-3000:]
    assert "you averaged over the latent dimensions; the KL is a sum" in run.stdout
    assert "iw_bound: not done yet" in run.stdout
    assert "lecture11/homework/checks.py" not in run.stdout


def test_wrong_answer_is_an_assertion() -> None:
    assert issubclass(WrongAnswer, AssertionError)
    assert issubclass(NotDoneYet, NotImplementedError)
