"""The chapters as text: ``book/text/NAME.md`` beside ``book/NAME.ipynb``, to edit and to review line by line.

The notebook is what runs, what is compared and what readers open. The text holds its prose and code, cell by cell, in
jupytext's MyST form, and nothing that was computed. Either may be edited: ``make sync`` brings the other in step. Which
of the two was edited is told by a checksum of the text, kept in the notebook, from when they were in step last.
"""

import argparse
import copy
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

import jupytext
import nbformat
from jupytext.combine import combine_inputs_with_outputs
from nbformat import NotebookNode

from tools import run

FORM = "md:myst"
FOLDER = run.BOOK / "text"


def paired() -> list[Path]:
    """The notebooks that have a text: the book's own, but for those that are generated into folders of their own."""
    return [path for path in run.notebooks() if has_text(path)]


def has_text(notebook: Path) -> bool:
    return notebook.resolve().parent == FOLDER.parent


def text_of(nb: NotebookNode) -> str:
    """Prose and code, without the header, which would say only which version of jupytext wrote it."""
    nb = copy.deepcopy(nb)
    for cell in nb.cells:
        if cell.cell_type == "markdown":  # what run.fold has put there
            cell.metadata.clear()
    _, _, body = jupytext.writes(nb, FORM).split("---\n", 2)
    return body.lstrip("\n")


def text_path(notebook: Path) -> Path:
    return FOLDER / f"{notebook.stem}.md"


def checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def sync(path: Path) -> str | None:
    """Brings notebook and text in step; returns which of the two was written, ``"text"`` or ``"notebook"``.

    A cell whose code was edited keeps its outputs until the notebook is run.

    Raises:
        NotebookError: both were edited, and differ; or they differ, and it cannot be told which was edited.
    """
    nb = nbformat.read(path, as_version=4)
    file = text_path(path)
    ours = text_of(nb)
    theirs = file.read_text(encoding="utf-8") if file.exists() else None
    in_step = nb.metadata.get("lecture11", {}).get("text_sha256")
    if theirs is None or (theirs != ours and checksum(theirs) == in_step):
        file.parent.mkdir(exist_ok=True)
        file.write_text(ours, encoding="utf-8", newline="\n")
        written, agreed = "text", ours
    elif theirs == ours:
        written, agreed = None, ours
    elif checksum(ours) == in_step:
        nb = combine_inputs_with_outputs(jupytext.reads(theirs, FORM), nb, FORM)
        run.fold(nb)
        written, agreed = "notebook", text_of(nb)
        # The metadata of a cell may come out with other line breaks.
        file.write_text(agreed, encoding="utf-8", newline="\n")
    else:
        raise run.NotebookError(
            f"{path.name} and {file.name} differ, and both have changed since they were in step. To keep the notebook, "
            f"delete the text; to keep the text, undo the change of the notebook (git checkout {path.name}); then sync"
        )
    if checksum(agreed) != in_step or written == "notebook":
        nb.metadata["lecture11"] = {**nb.metadata.get("lecture11", {}), "text_sha256": checksum(agreed)}
        run.write(path, nb)
    return written


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", type=Path, help="notebooks, by path or by name (default: all)")
    parser.add_argument("--check", action="store_true", help="write nothing, fail where the two are not in step")
    options = parser.parse_args(arguments)
    named = [path if path.exists() else run.BOOK / path for path in options.notebooks]
    paths = [path for path in named if has_text(path)] if named else paired()
    failures = 0
    for path in paths:
        try:
            if options.check:
                file = text_path(path)
                if not file.exists() or file.read_text(encoding="utf-8") != text_of(nbformat.read(path, as_version=4)):
                    raise run.NotebookError(f"{path.name} and {file.name} are not in step; run: make sync")
            elif written := sync(path):
                print(f"{path.stem}: the {written} was written")
        except run.NotebookError as error:
            failures += 1
            print(error, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
