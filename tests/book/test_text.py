"""The chapters as text: in step with the notebooks, and brought in step without a loss."""

from pathlib import Path

import nbformat
import pytest

from tools import run, text

v4 = nbformat.v4


@pytest.mark.parametrize("path", text.paired(), ids=lambda path: path.stem)
def test_text_and_notebook_are_in_step(path: Path) -> None:
    nb = nbformat.read(path, as_version=4)
    file = text.text_path(path)
    assert file.read_text(encoding="utf-8") == text.text_of(nb), "run: make sync"
    assert nb.metadata.lecture11.text_sha256 == text.checksum(text.text_of(nb)), "run: make sync"


def test_each_text_has_a_notebook() -> None:
    assert sorted(text.FOLDER.iterdir()) == sorted(map(text.text_path, text.paired()))


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A notebook that was executed, in step with its text."""
    monkeypatch.setattr(text, "FOLDER", tmp_path / "text")
    code = v4.new_code_cell("1 + 1", execution_count=1, outputs=[v4.new_output("stream", text="2\n")])
    cells = [v4.new_markdown_cell("# Title\n\nA *word* here."), code, v4.new_markdown_cell("The end.")]
    nb = v4.new_notebook(cells=cells)
    run.tidy(nb)
    path = tmp_path / "chapter.ipynb"
    nbformat.write(nb, path)
    assert text.sync(path) == "text"
    assert text.sync(path) is None
    run.check(path)
    return path


def edit(file: Path, old: str, new: str) -> None:
    content = file.read_text(encoding="utf-8")
    assert content.count(old) == 1
    file.write_text(content.replace(old, new), encoding="utf-8")


def test_a_word_in_the_text_reaches_the_notebook_and_outputs_stay(path: Path) -> None:
    before = nbformat.read(path, as_version=4)
    edit(text.text_path(path), "A *word* here.", "Another word here.")
    assert text.sync(path) == "notebook"
    after = nbformat.read(path, as_version=4)
    assert after.cells[0].source == "# Title\n\nAnother word here."
    assert [cell.id for cell in after.cells] == [cell.id for cell in before.cells]
    assert after.cells[1:] == before.cells[1:]
    run.check(path)
    assert text.sync(path) is None


def test_a_word_in_the_notebook_is_one_line_of_the_text(path: Path) -> None:
    lines = text.text_path(path).read_text().splitlines()
    edit(path, "The end.", "The very end.")
    assert text.sync(path) == "text"
    changed = text.text_path(path).read_text().splitlines()
    assert [(a, b) for a, b in zip(lines, changed, strict=True) if a != b] == [("The end.", "The very end.")]


def test_metadata_may_be_broken_into_other_lines(path: Path) -> None:
    nb = nbformat.read(path, as_version=4)
    alt = "A long text, " * 12 + "the end"
    nb.cells[1].metadata["mystnb"] = {"image": {"alt": alt}}
    nbformat.write(nb, path)
    assert text.sync(path) == "text"
    file = text.text_path(path)
    canonical = file.read_text()
    edit(file, "alt: A long text, A long text", "alt: A long text,\n      A long text")
    edit(file, "the end\n", "the very end\n")
    assert text.sync(path) == "notebook"
    assert nbformat.read(path, as_version=4).cells[1].metadata.mystnb.image.alt == alt.replace(
        "the end", "the very end"
    )
    assert file.read_text() == canonical.replace("the end\n", "the very end\n")
    assert text.sync(path) is None


def test_two_edits_are_not_merged_silently(path: Path) -> None:
    edit(path, "The end.", "The very end.")
    edit(text.text_path(path), "The end.", "The bitter end.")
    before = path.read_bytes()
    with pytest.raises(run.NotebookError, match="both have changed"):
        text.sync(path)
    assert path.read_bytes() == before
    text.text_path(path).unlink()  # as the message says
    assert text.sync(path) == "text"
    assert "very end" in text.text_path(path).read_text()


def test_the_same_edit_on_both_sides_is_in_step(path: Path) -> None:
    edit(path, "The end.", "The very end.")
    edit(text.text_path(path), "The end.", "The very end.")
    assert text.sync(path) is None
    edit(text.text_path(path), "very ", "")
    assert text.sync(path) == "notebook"


def test_check_writes_nothing(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert text.main([str(path), "--check"]) == 0
    edit(text.text_path(path), "The end.", "The bitter end.")
    before = path.read_bytes()
    assert text.main([str(path), "--check"]) == 1
    assert "make sync" in capsys.readouterr().err
    assert path.read_bytes() == before
