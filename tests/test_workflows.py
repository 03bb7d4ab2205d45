"""The workflows on GitHub are valid, and run nothing that is not run here as well."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
# A target of the Makefile in the environment that runs this test, which is not to be installed again from here.
MAKE = ["make", "--assume-old=.venv/.installed", f"BIN={Path(sys.executable).parent}", f"PYTHON={sys.executable}"]

# Each command with the test below that runs it.
RUN_HERE = {
    "make links": "test_make_links_reports_what_it_cannot_reach",
    ".ci/colab": "test_colab_command_on_one_notebook",
    ".ci/report-colab": "test_report_opens_one_issue",
}


def commands() -> set[str]:
    """All that the workflows run."""
    jobs = [job for path in WORKFLOWS for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values()]
    return {step["run"] for job in jobs for step in job["steps"] if "run" in step}


def executable(path: Path, script: str) -> None:
    path.write_text(script, encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose programs hide those of the system."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return folder


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_fit_their_schema(path: Path) -> None:
    check_schema("vendor.github-workflows", path)


def test_citation_fits_its_schema() -> None:
    check_schema("vendor.citation-file-format", ROOT / "CITATION.cff")


def check_schema(schema: str, path: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    finished = subprocess.run(command, text=True, capture_output=True)
    assert finished.returncode == 0, finished.stdout


def test_the_workflows_run_what_ci_or_a_test_runs() -> None:
    ci = set((ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines())
    assert len(WORKFLOWS) == 4
    assert commands() <= ci | set(RUN_HERE)
    assert set(RUN_HERE) <= commands()
    assert set(RUN_HERE.values()) <= set(globals())


@pytest.mark.parametrize("script", sorted((ROOT / ".ci").iterdir()), ids=lambda path: path.name)
def test_scripts_stop_at_the_first_error(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert "\nset -euo pipefail\n" in script.read_text(encoding="utf-8")


def test_make_links_reports_what_it_cannot_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    # A proxy that is not there: no request leaves this machine.
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    # Else make, started by `make test`, also prints the folders that it enters.
    monkeypatch.delenv("MAKEFLAGS", raising=False)
    monkeypatch.delenv("MAKELEVEL", raising=False)
    finished = subprocess.run([*MAKE, "links"], cwd=ROOT, text=True, capture_output=True)
    assert finished.returncode != 0
    assert "Traceback" not in finished.stderr
    *dead, summary = [line for line in finished.stdout.splitlines() if "links.py" not in line]
    assert all(line.startswith("dead ") for line in dead)
    assert summary == f"{len(dead)} links: 0 answer, 0 refuse machines, {len(dead)} dead"
    assert any("https://doi.org/10." in line and "references.bib" in line for line in dead)


def test_colab_command_on_one_notebook(tmp_path: Path, on_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    chapter = nbformat.read(next(iter(sorted((ROOT / "book").glob("[0-9]*.ipynb")))), as_version=4)
    first = next(cell for cell in chapter.cells if cell.cell_type == "code")
    second = nbformat.v4.new_code_cell("1 + 1", execution_count=2)
    second.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "2"}, execution_count=2)]
    good, bad = tmp_path / "good.ipynb", tmp_path / "bad.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[first, second]), good)
    second.outputs[0].data["text/plain"] = "3"
    nbformat.write(nbformat.v4.new_notebook(cells=[first, second]), bad)
    # Stands for the image: runs the command that docker would run in it.
    record = tmp_path / "docker-arguments"
    to_entrypoint = 'while [ "$1" != --entrypoint ]; do shift; done; shift 3'
    fake = f'#!/bin/bash\necho "$@" >{record}\n{to_entrypoint}\nexec {sys.executable} "$@"\n'
    executable(on_path / "docker", fake)

    finished = subprocess.run([ROOT / ".ci" / "colab", good, bad], text=True, capture_output=True)
    assert finished.returncode != 0
    assert "us-docker.pkg.dev/colab-images/public/runtime book/tools/colab.py --here" in record.read_text(
        encoding="utf-8"
    )
    assert "1 failed, 3 passed" in finished.stdout, finished.stdout + finished.stderr
    assert "Cell outputs differ" in finished.stdout


@pytest.mark.parametrize(
    ("open_titles", "expected"),
    [
        ("", 1),
        ("Another issue\n", 1),
        ("Why: The notebooks fail in Colab\n", 1),
        ("x\nThe notebooks fail in Colab\n", 0),
    ],
)
def test_report_opens_one_issue(
    open_titles: str, expected: int, tmp_path: Path, on_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = tmp_path / "arguments"
    titles = tmp_path / "titles"
    titles.write_text(open_titles, encoding="utf-8")
    executable(
        on_path / "gh", f'#!/bin/bash\nprintf "%s\\n" "$@" >>{record}\nif [ "$2" = list ]; then cat {titles}; fi\n'
    )
    monkeypatch.setenv("RUN_URL", "https://example.org/runs/7")
    subprocess.run([ROOT / ".ci" / "report-colab"], check=True)
    arguments = record.read_text(encoding="utf-8").splitlines()
    assert arguments[:2] == ["issue", "list"]
    assert arguments.count("create") == expected
    if expected:
        assert "The notebooks fail in Colab" in arguments
        assert any("https://example.org/runs/7" in line for line in arguments)


def test_report_fails_where_github_does(on_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(on_path / "gh", "#!/bin/bash\nexit 4\n")
    monkeypatch.setenv("RUN_URL", "https://example.org/runs/7")
    assert subprocess.run([ROOT / ".ci" / "report-colab"]).returncode == 4


def test_all_chapters_open_with_the_same_cell() -> None:
    firsts = set()
    for path in sorted((ROOT / "book").glob("[0-9]*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        firsts.add(next(cell.source for cell in cells if cell.cell_type == "code"))
    (first,) = firsts
    url = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
    assert 'if importlib.util.find_spec("lecture11") is None:' in first
    # With its dependencies it would replace Colab's own PyTorch.
    assert f"%pip install --quiet --no-deps git+{url}@main" in first
