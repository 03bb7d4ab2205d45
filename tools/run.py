"""Executes notebooks in place, so that their stored outputs are what the code computes.

The outputs in the repository are what readers see and what ``make test`` compares against. So what is written must
not depend on when or where it ran: no time stamps, no random widget ids, no state of widgets that are gone. A
notebook whose code is deterministic comes out byte for byte as it went in.

A checksum over all stored outputs goes into the notebook's metadata. It guards what nbval does not compare
(pictures, widgets, numbers marked with ≈) against a change by hand; ``--check`` verifies it.
"""

import argparse
import hashlib
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

BOOK = Path(__file__).resolve().parents[1] / "book"
VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
LINKS = ("LinkModel", "DirectionalLinkModel")
REFERENCE = "IPY_MODEL_"
FOLDED = "jp-MarkdownHeadingCollapsed"

# Set unless the caller has set them. One thread: sums come out the same on any number of cores. No progress bar
# in the first 1,000,000 seconds: a finished one shows a speed, which differs from run to run, and a removed one leaves
# a dead widget on the page. (tqdm's notebook bars do not heed TQDM_DISABLE.)
KERNEL_ENV = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "TQDM_DELAY": "1000000"}


class NotebookError(Exception):
    """A cell raised, or a notebook's checksum does not fit its outputs."""


def notebooks() -> list[Path]:
    """All chapters, in the order of their names. Homework is not among them: it fails until it is done."""
    found = ((path, path.relative_to(BOOK).parts) for path in BOOK.rglob("*.ipynb"))
    return sorted(path for path, parts in found if not any(part.startswith((".", "homework")) for part in parts))


def outputs_sha256(nb: NotebookNode) -> str:
    """SHA-256 over every stored output and the widgets' state. Text and code may change without a new run."""
    stored = [[cell.id, cell.execution_count, cell.outputs] for cell in nb.cells if cell.cell_type == "code"]
    text = json.dumps([stored, nb.metadata.get("widgets", {})], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def check(path: Path) -> None:
    """Raises NotebookError if the stored outputs are not those that were written with the stored checksum."""
    nb = nbformat.read(path, as_version=4)
    stored = nb.metadata.get("lecture11", {}).get("outputs_sha256")
    if stored is None:
        raise NotebookError(f"{path}: no checksum of its outputs; run it with: make run NB={path.name}")
    if stored != outputs_sha256(nb):
        raise NotebookError(f"{path}: its outputs are not those that were computed; run: make run NB={path.name}")


def execute(path: Path, timeout: float) -> None:
    """Runs the notebook in its own folder and writes it back, in one move and only if no cell raised."""
    nb = nbformat.read(path, as_version=4)
    nb.metadata.pop("widgets", None)
    _run_cells(nb, path, timeout)
    tidy(nb)
    write(path, nb)


def execute_twice(path: Path, timeout: float) -> None:
    """Runs each cell and runs it again, as readers do, and writes nothing.

    Raises:
        NotebookError: a cell fails, or prints something else the second time (numbers marked with ≈ apart): it goes on
            with what another cell began, and should make its own beginning.
    """
    nb = nbformat.read(path, as_version=4)
    pairs = []
    cells = []
    for cell in nb.cells:
        cells.append(cell)
        if cell.cell_type == "code":
            again = nbformat.from_dict({**cell, "id": f"{cell.id}-again"})
            pairs.append((cell, again))
            cells.append(again)
    nb.cells = cells
    _run_cells(nb, path, timeout)
    changed = [cell for cell, again in pairs if _printed(cell) != _printed(again)]
    if changed:
        which = "\n".join(f"{cell.id}: {cell.source[:200]}" for cell in changed)
        raise NotebookError(f"{path}: run again, these cells print something else:\n{which}")


def _printed(cell: NotebookNode) -> str:
    """The text that a cell printed, without the digits that the tests do not compare either."""
    from nbval.plugin import get_sanitize_patterns  # here: only this needs the tests' tools

    patterns = get_sanitize_patterns((BOOK.parent / "tests" / "nbval_sanitize.cfg").read_text(encoding="utf-8"))
    texts = [output.text for output in cell.outputs if output.output_type == "stream"]
    texts += [
        output.data.get("text/html", "") for output in cell.outputs if "data" in output and VIEW not in output.data
    ]
    text = "".join(texts)
    for pattern, replacement in patterns:
        text = re.sub(pattern, replacement, text)
    return text


def _run_cells(nb: NotebookNode, path: Path, timeout: float) -> None:
    client = NotebookClient(
        nb,
        # With no folders to search, "python3" is the interpreter that runs this script, whatever kernels are installed.
        km=AsyncKernelManager(kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[])),
        resources={"metadata": {"path": str(path.parent)}},
        timeout=timeout,
        record_timing=False,
        # How a long text was cut into messages depends on time.
        coalesce_streams=True,
        # Only errors: the kernel's warnings at its start are about networks, and it listens on this machine alone.
        extra_arguments=["--log-level=ERROR"],
    )
    try:
        client.execute(env={**KERNEL_ENV, **os.environ}, cleanup_kc=True)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise NotebookError(f"{path}: {error}") from error


def solutions(nb: NotebookNode) -> list[str]:
    """The programs in the text, nearly all of them in solutions of exercises: the tests run them after the cells."""
    prose = "\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")
    return re.findall(r"^```python\n(.*?)^```", prose, re.DOTALL | re.MULTILINE)


def tidy(nb: NotebookNode) -> None:
    """Removes what depends on when and where the notebook ran, and adds the checksum."""
    for cell in nb.cells:
        cell.metadata.pop("execution", None)
    nb.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nb.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    fold(nb)
    _tidy_widgets(nb)
    nb.metadata["lecture11"] = {**nb.metadata.get("lecture11", {}), "outputs_sha256": outputs_sha256(nb)}


def fold(nb: NotebookNode) -> None:
    """Has Jupyter and Colab open the notebook with its evidence folded, as on the page (``book/_ext/evidence.py``)."""
    folded = []
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            cell.metadata.pop(FOLDED, None)
            cell.metadata.pop("id", None)
            if re.match(r"##+ (Checked|Further)\b", cell.source):
                cell.metadata[FOLDED] = True
                cell.metadata["id"] = cell.id  # Colab's name for the cell
                folded.append(cell.id)
    nb.metadata.pop("colab", None)
    if folded:
        nb.metadata["colab"] = {"collapsed_sections": folded}


def _tidy_widgets(nb: NotebookNode) -> None:
    """Keeps the state that a page can show, under ids that count up in the order of the page."""
    if STATE not in nb.metadata.get("widgets", {}):
        return
    models: dict[str, dict[str, Any]] = nb.metadata["widgets"][STATE]["state"]
    new_ids: dict[str, str] = {}

    def visit(model_id: str) -> None:
        if model_id in models and model_id not in new_ids:
            new_ids[model_id] = f"{len(new_ids) + 1:032x}"
            for child in _references(models[model_id]["state"]):
                visit(child)

    outputs = (output for cell in nb.cells for output in cell.get("outputs", []))
    views = [output.data[VIEW] for output in outputs if VIEW in output.get("data", {})]
    for view in views:
        visit(view["model_id"])
    # Nothing refers to a link: it is kept if both of its ends are.
    links = {key: _references(model["state"]) for key, model in models.items() if model["model_name"] in LINKS}
    kept_links = [key for key, ends in links.items() if all(end in new_ids for end in ends)]
    for key in sorted(kept_links, key=lambda key: _renamed(models[key], new_ids)):
        visit(key)

    nb.metadata["widgets"][STATE]["state"] = nbformat.from_dict(
        {new: json.loads(_renamed(models[old], new_ids)) for old, new in new_ids.items()}
    )
    for view in views:
        view["model_id"] = new_ids.get(view["model_id"], view["model_id"])


def _references(state: Any) -> list[str]:
    """Ids of the models that a widget's state refers to, in an order that does not depend on those ids."""
    if isinstance(state, str):
        return [state.removeprefix(REFERENCE)] if state.startswith(REFERENCE) else []
    if isinstance(state, dict):
        return [found for key in sorted(state) for found in _references(state[key])]
    if isinstance(state, list):
        return [found for value in state for found in _references(value)]
    return []


def _renamed(model: dict[str, Any], new_ids: dict[str, str]) -> str:
    """The model as JSON, with new ids in its references."""
    return re.sub(
        f"{REFERENCE}([0-9a-f]+)",
        lambda match: REFERENCE + new_ids.get(match[1], match[1]),
        json.dumps(model, sort_keys=True),
    )


def write(path: Path, nb: NotebookNode) -> None:
    """Replaces the file in one move: an interrupted run leaves the old notebook, never half a one."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            nbformat.write(nb, file)
        os.chmod(name, path.stat().st_mode)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _for_each(paths: Sequence[Path], action: Callable[[Path], None], done: str) -> int:
    """Applies ``action`` to every notebook, and reports all failures, not only the first."""
    failures = 0
    for path in paths:
        begin = time.perf_counter()
        try:
            action(path)
        except NotebookError as error:
            failures += 1
            print(f"{error}\n{path.name}: FAILED, left as it was", file=sys.stderr)
        else:
            print(f"{path.name}: {done}, {time.perf_counter() - begin:.1f} s", flush=True)
    return 1 if failures else 0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", type=Path, help="notebooks, by path or by name (default: all)")
    parser.add_argument("--check", action="store_true", help="execute nothing, verify the checksums")
    parser.add_argument("--twice", action="store_true", help="run each cell twice in a row, write nothing")
    limit = "limit per cell, as in the tests (%(default)g)"
    parser.add_argument("--timeout", type=float, default=300, metavar="SECONDS", help=limit)
    options = parser.parse_args(arguments)

    paths = [path if path.exists() else BOOK / path for path in options.notebooks] or notebooks()
    for path in paths:
        if not path.is_file():
            parser.error(f"no such notebook: {path}; those of the book: {', '.join(p.name for p in notebooks())}")
    if options.check:
        return _for_each(paths, check, "checksum fits")
    action, done = (execute_twice, "each cell ran twice") if options.twice else (execute, "executed")
    return _for_each([path.resolve() for path in paths], lambda path: action(path, options.timeout), done)


if __name__ == "__main__":
    sys.exit(main())
