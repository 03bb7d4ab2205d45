"""The Makefile on machines that are not ready: a clear word, and no half an environment that looks whole."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # `make test ARGS=...` runs this: its options and variables, which it hands down, are not those of the make below.
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(["make", *arguments], cwd=folder, env=environment, text=True, capture_output=True)


def program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/bash\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("target", ["test", "book"])
def test_no_python(folder: Path, target: str) -> None:
    finished = make(folder, target, "PYTHON=no-such-python")
    assert finished.returncode != 0
    assert "no-such-python is not found: install Python 3.11 or newer" in finished.stderr


def test_a_python_that_is_too_old(folder: Path) -> None:
    old = program(folder / "old", 'if [ "$1" = -V ]; then echo Python 3.9.2; else exit 1; fi')
    finished = make(folder, "test", f"PYTHON={old}")
    assert finished.returncode != 0
    assert f"Python 3.11 or newer is needed, {old} is Python 3.9.2" in finished.stderr


def test_a_python_without_venv(folder: Path) -> None:
    bare = program(folder / "bare", 'case "$2" in *ensurepip*) exit 1;; esac')
    finished = make(folder, "test", f"PYTHON={bare}")
    assert finished.returncode != 0
    assert "has no module venv" in finished.stderr
    assert "apt install python3-venv" in finished.stderr


def test_only_a_finished_installation_counts(folder: Path) -> None:
    # An interpreter whose environments hold a pip that fails as long as the file "broken" is there.
    inner = f'echo "$@" >>{folder}/calls; test ! -e {folder}/broken'
    making = f"mkdir -p .venv/bin && cp {folder}/inner .venv/bin/python"
    program(folder / "inner", inner)
    python = program(folder / "python", f'if [ "$2" = venv ]; then {making}; fi')
    (folder / "broken").touch()
    assert make(folder, "env", f"PYTHON={python}").returncode != 0
    assert not (folder / ".venv" / ".installed").exists()

    (folder / "broken").unlink()
    assert make(folder, "test", f"PYTHON={python}").returncode == 0
    first = (folder / "calls").read_text(encoding="utf-8")
    assert "-m pip install -r requirements.txt" in first
    assert make(folder, "test", f"PYTHON={python}").returncode == 0
    second = (folder / "calls").read_text(encoding="utf-8").removeprefix(first)
    assert second == "-m pytest -n 2\n"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("test", ["-n", "4", "-k", "elbo or kl", "tests/test_vae.py"]),
        (
            "test-fast",
            ["-n", "4", "-m", "not (notebook or browser or sandbox or slow)", "-k", "elbo or kl", "tests/test_vae.py"],
        ),
    ],
)
def test_tests_take_arguments(folder: Path, target: str, expected: list[str]) -> None:
    (folder / ".venv" / "bin").mkdir(parents=True)
    program(folder / ".venv" / "bin" / "python", f'printf "%s\\n" "$@" >{folder}/arguments')
    (folder / ".venv" / ".installed").touch()
    assert make(folder, target, "JOBS=4", "ARGS=-k 'elbo or kl' tests/test_vae.py").returncode == 0
    assert (folder / "arguments").read_text(encoding="utf-8").splitlines() == ["-m", "pytest", *expected]


def test_help_lists_every_command() -> None:
    finished = make(ROOT)
    assert finished.returncode == 0
    listed = {line.split()[1] for line in finished.stdout.splitlines()}
    phony = next(
        line for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines() if line.startswith(".PHONY")
    )
    assert listed == set(phony.split()[1:])


def test_the_packages_of_the_environment_agree() -> None:
    subprocess.run([sys.executable, "-m", "pip", "check"], check=True, capture_output=True)
