"""The workflows on GitHub are valid, and run nothing that is not run here as well."""

import itertools
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml

from tools import javascript

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


def test_workflows_fit_their_schema() -> None:
    check_schema("vendor.github-workflows", *WORKFLOWS)


def test_citation_fits_its_schema() -> None:
    check_schema("vendor.citation-file-format", ROOT / "CITATION.cff")


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    newest = re.search(
        r"^## ([\d.]+), (?:\d{4}-\d\d-\d\d|not released yet)$", (ROOT / "CHANGELOG.md").read_text(), re.M
    )
    assert newest is not None
    assert project["version"] == citation["version"] == newest[1]


def check_schema(schema: str, *paths: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, paths)]
    finished = subprocess.run(command, text=True, capture_output=True)
    assert finished.returncode == 0, finished.stdout


def test_the_workflows_run_what_ci_or_a_test_runs() -> None:
    ci = {line.strip() for line in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()}
    assert len(WORKFLOWS) == 4
    assert commands() <= ci | set(RUN_HERE)
    assert set(RUN_HERE) <= commands()
    assert set(RUN_HERE.values()) <= set(globals())


@pytest.mark.parametrize(("ci", "expected"), [("true", True), ("false", False), ("", False), (None, False)])
def test_only_ci_changes_the_system(
    ci: str | None, expected: bool, tmp_path: Path, on_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no browser and no namespace is to be had, so that both would have to be installed."""
    if ci is None:
        monkeypatch.delenv("CI", raising=False)
    else:
        monkeypatch.setenv("CI", ci)
    record = tmp_path / "calls"
    for program in ("make", "apt-get", "sysctl"):
        executable(on_path / program, f'#!/bin/bash\necho {program} "$@" >>{record}\ntouch {tmp_path}/{program}\n')
    executable(on_path / "sudo", '#!/bin/bash\nexec "$@"\n')
    executable(on_path / "unshare", f"#!/bin/bash\ntest -e {tmp_path}/sysctl\n")
    for program in ("bash", "dirname", "id", "touch"):
        (on_path / program).symlink_to(shutil.which(program) or program)
    monkeypatch.setenv("PATH", str(on_path))
    subprocess.run([ROOT / ".ci" / "run"], check=True)
    calls = record.read_text(encoding="utf-8").splitlines()
    assert calls[-3:] == ["make lint", "make test", "make pdf" if expected else "make book"]
    changes = [call.split()[:2] for call in calls[:-3]]
    assert changes == ([["apt-get", "update"], ["apt-get", "install"], ["sysctl", "-w"]] if expected else [])


def test_what_git_runs_before_a_commit_is_what_make_lint_runs() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    entries = {hook["entry"].removeprefix(".venv/bin/").removesuffix(" --force-exclude") for hook in hooks}
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nlint:")[2].splitlines()[1:]
    lint = {line.removeprefix("\t$(BIN)/") for line in itertools.takewhile(lambda line: line.startswith("\t"), lines)}
    fetches = {"python -m tools.javascript"}
    assert lint == {"ruff check", "ruff format --check", "mypy"} | fetches
    assert entries == lint - fetches | {"python -m tools.run --check"}


def test_scripts_that_cannot_be_checked_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nowhere = {"npm_config_registry": "http://127.0.0.1:9", "npm_config_cache": str(tmp_path)}
    command = [sys.executable, "-m", "tools.javascript"]
    finished = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **nowhere, "CI": "true"}, text=True, capture_output=True
    )
    assert finished.returncode == 1
    said = re.findall(r"^not checked, since npm cannot fetch (\w+)@", finished.stdout, flags=re.MULTILINE)
    assert said == ["typescript", "prettier"]
    monkeypatch.setattr(javascript, "reach", lambda package: None)
    for ci, status in (("true", 1), ("", 0)):
        monkeypatch.setenv("CI", ci)
        assert javascript.main([]) == status


def test_git_refuses_an_output_that_was_altered_by_hand(tmp_path: Path) -> None:
    """The hooks need no network, and see a notebook that is about to be committed."""

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=tmp_path, env=environment, text=True, capture_output=True)

    unset = ("GIT_", "PRE_COMMIT")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(unset)}
    environment |= {"PRE_COMMIT_HOME": str(tmp_path / "cache"), "PYTHONPATH": str(ROOT), "https_proxy": "127.0.0.1:9"}
    shutil.copy(ROOT / ".pre-commit-config.yaml", tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    executable(tmp_path / ".venv" / "bin" / "python", f'#!/bin/bash\nexec {sys.executable} "$@"\n')
    (tmp_path / "book").mkdir()
    notebook = tmp_path / "book" / "notebook.ipynb"
    original = (ROOT / "book" / "proofs" / "4-forward.ipynb").read_text(encoding="utf-8")
    notebook.write_text(original, encoding="utf-8")
    run("git", "init", "--quiet")
    run("git", "add", "book", ".pre-commit-config.yaml")
    check = [sys.executable, "-m", "pre_commit", "run", "outputs", "--all-files"]
    finished = run(*check)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "Passed" in finished.stdout
    notebook.write_text(original.replace('"execution_count": 3', '"execution_count": 4', 1), encoding="utf-8")
    finished = run(*check)
    assert finished.returncode != 0
    assert "its outputs are not those that were computed" in finished.stdout


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
    *dead, summary = [line for line in finished.stdout.splitlines() if "tools.links" not in line]
    assert all(line.startswith("dead ") for line in dead)
    assert summary == f"{len(dead)} links: 0 answer, 0 refuse machines, {len(dead)} dead"
    assert any("https://doi.org/10." in line and "references.bib" in line for line in dead)


@pytest.mark.slow
def test_colab_command_on_one_notebook(tmp_path: Path, on_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    chapter = nbformat.read(next(iter(sorted((ROOT / "book").glob("[0-9]*.ipynb")))), as_version=4)
    first = next(cell for cell in chapter.cells if cell.cell_type == "code")
    cells = [first]
    for stored in ("2", "3"):
        cells.append(nbformat.v4.new_code_cell("1 + 1", execution_count=len(cells) + 1))
        cells[-1].outputs = [nbformat.v4.new_output("execute_result", {"text/plain": stored}, execution_count=2)]
    notebook = tmp_path / "notebook.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), notebook)
    # Stands for the image: runs the command that docker would run in it.
    record = tmp_path / "docker-arguments"
    to_entrypoint = 'while [ "$1" != --entrypoint ]; do shift; done; shift 3'
    fake = f'#!/bin/bash\necho "$@" >{record}\n{to_entrypoint}\nexec {sys.executable} "$@"\n'
    executable(on_path / "docker", fake)

    finished = subprocess.run([ROOT / ".ci" / "colab", notebook], text=True, capture_output=True)
    assert finished.returncode != 0
    assert "us-docker.pkg.dev/colab-images/public/runtime -m tools.colab --here" in record.read_text(encoding="utf-8")
    assert "1 failed, 2 passed" in finished.stdout, finished.stdout + finished.stderr
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
