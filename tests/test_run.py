"""``make run``: stored outputs depend on the code alone."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import psutil
import pytest

from tools import run

v4 = nbformat.v4
ROOT = run.BOOK.parent

pytestmark = pytest.mark.slow  # most start a kernel

PROGRESS = """\
from tqdm.auto import tqdm
for i in tqdm(range(3), leave=False, disable=False): pass
for i in tqdm(range(3)): pass
print("error ≈0.5")"""
WIDGETS = """\
import ipywidgets
sliders = [ipywidgets.IntSlider(value) for value in (1, 2)]
link = ipywidgets.jslink((sliders[0], "value"), (sliders[1], "value"))
half = ipywidgets.jslink((sliders[0], "value"), (ipywidgets.IntSlider(7), "value"))
closed = ipywidgets.IntText(3)
closed.close()
ipywidgets.VBox(sliders)"""
FIGURE = """\
import matplotlib.pyplot as plt
plt.plot([1, 2]);"""


def notebook(folder: Path, *sources: str) -> Path:
    path = folder / "notebook.ipynb"
    cells = [v4.new_markdown_cell("# Title"), *map(v4.new_code_cell, sources)]
    nbformat.write(v4.new_notebook(cells=cells), path)
    return path


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = notebook(tmp_path_factory.mktemp("run"), PROGRESS, WIDGETS, "sliders[0]", FIGURE)
    assert run.main([str(path)]) == 0
    return path


def test_a_second_run_gives_the_same_bytes(executed: Path) -> None:
    before = executed.read_bytes()
    assert run.main([str(executed)]) == 0
    assert executed.read_bytes() == before
    assert b"iopub" not in before


def test_cell_ids_and_counts_and_no_kernel_is_left(executed: Path, tmp_path: Path) -> None:
    path = notebook(tmp_path, "1 + 1", "2")
    ids = [cell.id for cell in nbformat.read(path, as_version=4).cells]
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    run.main([str(path)])
    left = [child for child in psutil.Process().children(recursive=True) if child.pid not in before]
    assert psutil.wait_procs(left, timeout=10)[1] == [], "the kernel goes on after the notebook"
    cells = nbformat.read(path, as_version=4).cells
    assert [cell.id for cell in cells] == ids
    assert [cell.execution_count for cell in cells[1:]] == [1, 2]


def test_no_progress_bar_is_stored(executed: Path) -> None:
    first = nbformat.read(executed, as_version=4).cells[1]
    assert [(output.name, output.text) for output in first.outputs] == [("stdout", "error ≈0.5\n")]


def test_the_widgets_that_a_page_shows_are_stored_and_no_others(executed: Path) -> None:
    stored = nbformat.read(executed, as_version=4)
    models = stored.metadata.widgets[run.STATE]["state"]
    assert list(models) == [f"{n:032x}" for n in range(1, len(models) + 1)]
    kinds = sorted(
        model["model_name"] for model in models.values() if not re.search("Layout|Style", model["model_name"])
    )
    assert kinds == ["IntSliderModel", "IntSliderModel", "LinkModel", "VBoxModel"]
    shown = [output.data[run.VIEW]["model_id"] for cell in stored.cells[2:4] for output in cell.outputs]
    assert [models[key]["model_name"] for key in shown] == ["VBoxModel", "IntSliderModel"]
    box, slider = (models[key] for key in shown)
    assert box["state"]["children"][0] == run.REFERENCE + shown[1]
    assert slider["state"]["value"] == 1
    assert set(run._references(models)) <= set(models)


def test_a_run_passes_nbval(executed: Path) -> None:
    (executed.parent / "conftest.py").write_bytes((ROOT / "book" / "conftest.py").read_bytes())
    options = ["-c", str(ROOT / "pyproject.toml"), f"--confcutdir={executed.parent}", "-p", "no:cacheprovider"]
    options += [f"--nbval-sanitize-with={ROOT / 'tests' / 'nbval_sanitize.cfg'}", str(executed)]
    finished = subprocess.run([sys.executable, "-m", "pytest", *options], text=True, capture_output=True)
    assert finished.returncode == 0, finished.stdout
    assert "4 passed" in finished.stdout


def test_a_notebook_that_fails_is_left_as_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = notebook(tmp_path, "print(1)", "raise ValueError('the bound does not hold')")
    before = path.read_bytes()
    assert run.main([str(path)]) == 1
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    assert "the bound does not hold" in capsys.readouterr().err


def test_check_sees_a_change_by_hand(executed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "notebook.ipynb"
    text = executed.read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    assert run.main(["--check", str(path)]) == 0
    # Words may change without a new run, outputs may not.
    path.write_text(text.replace("# Title", "# Another title"), encoding="utf-8")
    assert run.main(["--check", str(path)]) == 0
    assert text.count("error ≈0.5\\n") == 1
    path.write_text(text.replace("error ≈0.5\\n", "error ≈0.4\\n"), encoding="utf-8")
    assert run.main(["--check", str(path)]) == 1
    assert "not those that were computed" in capsys.readouterr().err


def test_a_notebook_that_was_never_run_has_no_checksum(tmp_path: Path) -> None:
    path = notebook(tmp_path, "1")
    with pytest.raises(run.NotebookError, match="no checksum of its outputs"):
        run.check(path)


def test_an_unknown_name_is_answered_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run.main(["no-such-chapter.ipynb"])
    error = capsys.readouterr().err
    assert "no such notebook" in error
    assert run.notebooks()[0].name in error


def test_a_cell_that_goes_on_with_what_another_began_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = ["x = [1]", "print(len(x), '≈0.5' if x.pop else '')", "y = iter([1, 2])\nprint(list(y))"]
    assert run.main(["--twice", str(notebook(tmp_path, *sound))]) == 0
    path = notebook(tmp_path, "y = iter([1, 2])", "print(list(y))")
    before = path.read_bytes()
    assert run.main(["--twice", str(path)]) == 1
    assert "print(list(y))" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_evidence_is_folded_in_jupyter_and_colab() -> None:
    sources = ["# Title", "## Idea", "### Checked: two bounds\n\nThey hold.", "## Further: more", "Checked by hand."]
    nb = v4.new_notebook(cells=[*map(v4.new_markdown_cell, sources), v4.new_code_cell("1")])
    run.fold(nb)
    folded = [cell for cell in nb.cells if cell.metadata.get("jp-MarkdownHeadingCollapsed")]
    assert [cell.source for cell in folded] == sources[2:4]
    assert nb.metadata.colab.collapsed_sections == [cell.metadata["id"] for cell in folded]
    nb.cells[2].source = "### Seen"
    run.fold(nb)
    assert [cell.source for cell in nb.cells if cell.metadata] == [sources[3]]
    assert nb.metadata.colab.collapsed_sections == [nb.cells[3].id]
