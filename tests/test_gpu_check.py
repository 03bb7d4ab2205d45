"""``make gpu-check``, as far as it can be tried without a GPU."""

import contextlib
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch

from tools import gpu_check


def notebook(path: Path, expected: str) -> Path:
    cell = nbformat.v4.new_code_cell("import os; print(os.environ['LECTURE11_DEVICE'])", execution_count=1)
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=f"{expected}\n")]
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    return path


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """What describes the device is run in this process, where PyTorch is imported already."""
    start = subprocess.run

    def run(command: list, **how: Any) -> subprocess.CompletedProcess[str]:
        if command[1:3] != ["-c", gpu_check.DESCRIBE]:
            return start(command, **how)
        monkeypatch.setattr(sys, "argv", ["-c", *command[3:]])
        code = 0
        with contextlib.redirect_stdout(io.StringIO()) as out:
            try:
                exec(gpu_check.DESCRIBE, {})
            except SystemExit as stopped:  # as the interpreter does it
                print(stopped.code, file=sys.stderr)
                code = 1
        return subprocess.CompletedProcess(command, code, out.getvalue())

    monkeypatch.setattr(gpu_check.subprocess, "run", run)


@pytest.mark.slow
def test_a_dry_run_does_the_work_on_the_cpu(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    good, bad = notebook(tmp_path / "good.ipynb", "cpu"), notebook(tmp_path / "bad.ipynb", "cuda")
    assert gpu_check.main(["--dry-run", str(good), str(bad)]) == 1
    output = capfd.readouterr().out
    assert f"CPU, PyTorch {torch.__version__}" in output
    assert "good.ipynb: passed on cpu, " in output
    assert "bad.ipynb: FAILED on cpu, " in output
    monkeypatch.setattr(gpu_check.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, ""))
    assert gpu_check.main(["--dry-run", str(good), str(bad)]) == 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_without_a_gpu_it_says_so_and_fails(capfd: pytest.CaptureFixture[str]) -> None:
    assert gpu_check.main([]) != 0
    assert "no CUDA device" in capfd.readouterr().err


def test_needs_are_pinned_in_the_requirements(capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu_check.main(["--list-needs"]) == 0
    needs = capsys.readouterr().out.split()
    lines = (gpu_check.ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.split("==")[0] for line in lines if "==" in line}
    assert set(needs) <= pinned
    assert {"torch", "torchvision"}.isdisjoint(needs)
