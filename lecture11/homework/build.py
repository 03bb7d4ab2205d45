"""Makes of the source of each homework the student's notebook, the solutions and the pages of the site.

A source is a notebook in ``sources``. In it, lines from ``### BEGIN SOLUTION`` to ``### END SOLUTION`` are for the
solutions. In the student's notebook stands ``raise NotDoneYet`` in their place, or, outside of a function,
``name = ...`` for each name that they set.

Cells keep their ids. Nothing is executed.
"""

import ast
import copy
import json
import re
import textwrap
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

Notebook = dict[str, Any]

SOLUTIONS = """# Solutions of the homework

One answer of many that the checks take. Try the tasks first: the checks tell you more than this page."""
REGION = re.compile(r"^([ \t]*)### BEGIN SOLUTION[ \t]*\n(.*?)^[ \t]*### END SOLUTION[ \t]*$\n?", re.M | re.S)
STRAY = re.compile(r"^[ \t]*### (?:BEGIN|END)\b.*", re.MULTILINE)


def names() -> list[str]:
    """The homeworks, such as ``01-autoencoders``, in order."""
    files = resources.files("lecture11.homework").joinpath("sources").iterdir()
    return sorted(file.name.removesuffix(".ipynb") for file in files if file.name.endswith(".ipynb"))


def source(name: str) -> Notebook:
    """The source of a homework, solutions included."""
    file = resources.files("lecture11.homework").joinpath("sources", f"{name}.ipynb")
    return json.loads(file.read_text(encoding="utf-8"))


def text_of(cell: dict[str, Any]) -> str:
    """The text of a cell, in which form ever it is stored."""
    return cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])


def student(notebook: Notebook) -> Notebook:
    """The notebook that a student gets, without the solutions.

    Raises:
        ValueError: a marker without its other end.
    """
    return _mapped(notebook, solution=False)


def solution(notebook: Notebook) -> Notebook:
    """The notebook with the solutions.

    Raises:
        ValueError: a marker without its other end.
    """
    return _mapped(notebook, solution=True)


def build() -> dict[str, str]:
    """All generated files: their texts by their paths in ``book/homework``."""
    files: dict[str, str] = {}
    rows, solutions = [], [SOLUTIONS]
    for name in names():
        made = source(name)
        files[f"{name}.ipynb"] = _as_text(student(made))
        files[f"{name}-solution.ipynb"] = _as_text(solution(made))
        files[f"tasks-{name}.md"] = _tasks_page(name, made)
        solutions.append(_solutions(name, made))
        rows.append(_row(name, made))
    files["solutions.md"] = "\n\n".join(solutions) + "\n"
    intro = resources.files("lecture11.homework").joinpath("sources", "index.md").read_text(encoding="utf-8")
    files["index.md"] = intro.replace("{table}", "\n".join(rows))
    return files


def write(folder: Path) -> list[Path]:
    """Writes the generated files into ``folder``; returns those that were not like this before."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = []
    for name, text in build().items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")
            changed.append(path)
    return changed


def _mapped(notebook: Notebook, *, solution: bool) -> Notebook:
    made = copy.deepcopy(notebook)
    for cell in made["cells"]:
        cell["source"] = _lines(_replaced(text_of(cell), solution=solution))
        cell["metadata"].get("lecture11", {}).pop("rubric", None)  # what the points are for is not told beforehand
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return made


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _replaced(text: str, *, solution: bool) -> str:
    """The text of a cell with its regions kept, without their markers, or replaced."""

    def replace(match: re.Match[str]) -> str:
        indent, inner = match.groups()
        return inner if solution else _stub(indent, inner)

    made = REGION.sub(replace, text)
    stray = STRAY.search(made)
    if stray is not None:
        raise ValueError(
            f"an unknown marker, or one without its other end: {stray[0].strip()!r}, in the cell that "
            f"begins {text[:60]!r}"
        )
    return made.rstrip("\n")


def _stub(indent: str, inner: str) -> str:
    if indent:
        return f"{indent}raise NotDoneYet\n"
    tree = ast.parse(textwrap.dedent(inner))
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    last = [target.id for target in targets[-1:] if isinstance(target, ast.Name)]
    return "".join(f"{name} = ...\n" for name in last)


def _as_text(notebook: Notebook) -> str:
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


# --- pages of the site


def _parts(notebook: Notebook) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """The task cell of each part, and all cells from there to the next part's."""
    current: list[dict[str, Any]] = []
    for cell in notebook["cells"]:
        if cell["metadata"].get("lecture11", {}).get("part") and cell["cell_type"] == "markdown":
            if current:
                yield current[0], current
            current = [cell]
        elif current:
            current.append(cell)
    if current:
        yield current[0], current


def _title(notebook: Notebook) -> str:
    return text_of(notebook["cells"][0]).splitlines()[0].removeprefix("# ")


def _linked(text: str) -> str:
    """``chapter 4`` and ``chapters 1 and 2``, which a notebook cannot link to, as links."""

    def link(match: re.Match[str]) -> str:
        return re.sub(r"\d+", lambda n: f"[{n[0]}](../{CHAPTERS[int(n[0])]}.ipynb)", match[0])

    return re.sub(r"\bchapters? \d+(?: (?:and|to) \d+)?", link, text)


CHAPTERS = {
    1: "01-autoencoder",
    2: "02-denoising-autoencoder",
    3: "03-probabilistic-decoder",
    4: "04-elbo",
    5: "05-training-a-vae",
    6: "06-judging-a-vae",
    7: "07-variational-em",
    8: "08-adding-noise",
    9: "09-the-way-back",
    10: "10-training-and-sampling",
    11: "11-the-bound",
    12: "12-at-scale",
}


def _colab(name: str, notebook: Notebook) -> str:
    """The address that opens a notebook in Colab; the repository is that of its first code cell."""
    install = next(text_of(cell) for cell in notebook["cells"] if cell["cell_type"] == "code")
    found = re.search(r"git\+https://github\.com/(\S+?)@(\S+)", install)
    assert found is not None, "the first code cell installs the package"
    return f"https://colab.research.google.com/github/{found[1]}/blob/{found[2]}/book/homework/{name}.ipynb"


def _links(name: str, notebook: Notebook, other: str) -> str:
    colab = f"[Open the notebook in Colab]({_colab(name, notebook)})"
    return f"{colab}, or {{download}}`download it <{name}.ipynb>`. {other}"


def _tasks_page(name: str, notebook: Notebook) -> str:
    title, *rest = text_of(notebook["cells"][0]).split("\n", 1)
    pieces = [title, _linked("".join(rest)).strip()]
    pieces.append(_links(name, notebook, "[The solutions](solutions.md) are on a page of their own."))
    pieces.append("Below, `SEED` is your name, and `mine` the sizes and data that the notebook draws from it.")
    for _, cells in _parts(student(notebook)):
        for cell in cells:
            text = text_of(cell)
            role = cell["metadata"].get("lecture11", {}).get("role")
            if cell["cell_type"] == "markdown":
                pieces.append(_linked(text))
            elif role in ("answer", "check"):
                pieces.append(f"```python\n{text}\n```")
    return "\n\n".join(pieces) + "\n"


def _solutions(name: str, notebook: Notebook) -> str:
    pieces = [
        f"## {_title(notebook)}",
        _links(f"{name}-solution", notebook, f"[The tasks](tasks-{name}.md)."),
    ]
    for task, cells in _parts(solution(notebook)):
        pieces.append(f"#{text_of(task).splitlines()[0]}")
        pieces += [
            f"```python\n{text_of(cell)}\n```"
            for cell in cells
            if cell["metadata"].get("lecture11", {}).get("role") == "answer"
        ]
    return "\n\n".join(pieces)


def _row(name: str, notebook: Notebook) -> str:
    about = [cell["metadata"].get("lecture11", {}) for cell in notebook["cells"]]
    found = [data["points"] for data in about if data.get("role") == "check"]
    title = _title(notebook).split(": ", 1)[1]
    return (
        f"| [{title[0].upper()}{title[1:]}](tasks-{name}.md) | {len(found)} | {sum(found)} "
        f"| [open]({_colab(name, notebook)}) |"
    )
