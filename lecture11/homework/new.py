"""Begins a new part of a homework: its file, its answers, its line among the parts and its three cells.

What is written works as it stands, so that the tests are green from the beginning: it asks for the squared length of
each row. Change it piece by piece into what you want to ask.
"""

import json
import re
from pathlib import Path

from lecture11.homework import build

PART = '''"""Homework {homework}, a new part: the squared length of each row."""

from typing import Any

from torch import Tensor

from lecture11.homework.observation import Case
from lecture11.homework.part import Draw, Mistake, Part, case, generic, in_float32, numbers


def {answer}(x: Tensor) -> Tensor:
    return (x**2).sum(1)


def _one(d: Draw, name: str, b: int, k: int) -> Case:
    args: dict[str, Any] = {{"x": d.normal(b, k)}}
    return case(name, b, grad=("x",), **args)


def _cases(d: Draw) -> list[Case]:
    return [
        case("one row of two numbers", 1, x=numbers(0.6, -1.3)),  # small enough for paper
        _one(d, "three rows of three", 3, 3),
        _one(d, "several rows", d.size(4, 6), 2),
    ]


def _edges(d: Draw) -> list[Case]:
    return [_one(d, "nine dimensions", 2, 9), in_float32(_one(d, "single precision", 2, 3))]


MISTAKES = (
    *generic({answer}, "examples-averaged", "examples-summed", root="this is the length; its square is asked for"),
    Mistake("dims-averaged", "the squares are averaged over the dimensions; they are to be summed",
            lambda x: (x**2).mean(1)),
)  # fmt: skip

PART = Part(
    id="{id}",
    homework={homework},
    title="the squared length of each row",
    points=1,
    trains="which dimension is summed",
    unit="one number for each row",
    make_cases=_cases,
    make_edges=_edges,
    reference={answer},
    mistakes=MISTAKES,
)
'''

ANSWERS = '''"""Answers to {answer}."""

import torch

from answers.collected import answers_to

right, wrong = answers_to("{id}")


@right
def _(x):
    return (x * x).sum(1)


@right
def _(x):
    return torch.einsum("ij,ij->i", x, x)


@right
def _(x):
    return torch.stack([row.square().sum() for row in x])


@wrong("root")
def _(x):
    return x.square().sum(1).sqrt()


@wrong("dims-averaged")
def _(x):
    return torch.mean(x**2, dim=1)


@wrong("examples-summed")
def _(x):
    return x.square().sum()


@wrong(kind="shape", says="A dimension is too many")
def _(x):
    return x.square().sum(1, keepdim=True)
'''

TASK = """## {number}. The squared length of each row

*1 point. It trains which dimension is summed.*

The squared length of each row of a matrix, $\\|x\\|^2 = \\sum_j x_j^2$.

- `x`: shape `(batch, d)`.
- Returns shape `(batch,)`.
- Gradients pass to `x`.

<details>
<summary>Hint</summary>

Which of the two dimensions is left?

</details>"""

ANSWER = '''def {answer}(x):
    """||x||^2, one number for each row."""
    ### BEGIN SOLUTION
    return x.square().sum(1)
    ### END SOLUTION'''


def new(id: str, homework: int, root: Path) -> list[Path]:
    """Writes a new part into a checkout; gives the files that were made or changed.

    Args:
        id: such as ``elbo-kl``; the answer is called ``elbo_kl``.
        homework: its number.
        root: of the checkout.

    Raises:
        ValueError: the id is none or taken, there is no such homework, or ``root`` is no checkout.
    """
    if not re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", id):
        raise ValueError(f"the id of a part is written like elbo-kl, got {id!r}")
    names = build.names()
    if not 1 <= homework <= len(names):
        raise ValueError(f"homework {homework}: there are 1 to {len(names)}")
    answer = id.replace("-", "_")
    parts = root / "lecture11/homework/parts"
    answers = root / "tests/homework/answers" / f"{answer}.py"
    source = root / "lecture11/homework/sources" / f"{names[homework - 1]}.ipynb"
    for path in (parts, answers.parent, source):
        if not path.exists():
            raise ValueError(f"{path} is not there: call this in a checkout of the repository")
    part = parts / f"{answer}.py"
    if part.exists() or part.with_suffix("").exists():  # a file, or a folder
        raise ValueError(f"there is a part {id} already: {part}")
    about = {"id": id, "answer": answer, "homework": homework}
    listed = _listed((parts / "__init__.py").read_text(encoding="utf-8"), answer, homework)
    notebook = _with_cells(json.loads(source.read_text(encoding="utf-8")), id, answer)
    texts = {
        part: PART.format(**about),
        answers: ANSWERS.format(**about),
        parts / "__init__.py": listed,
        source: json.dumps(notebook, indent=1, ensure_ascii=False) + "\n",
    }
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8", newline="\n")
    return list(texts)


def _listed(text: str, answer: str, homework: int) -> str:
    """The list of the parts, with one more: imported in the order of the alphabet, and last of its homework."""
    head, names, tail = re.split(r"(?<=import \()\n((?:    \w+,\n)+)(?=\))", text, maxsplit=1)
    imported = "".join(sorted([*names.splitlines(keepends=True), f"    {answer},\n"]))
    before, order, after = re.split(r"(?<=_IN_ORDER = \(\n)((?:    \*\(.*\),\n)+)", tail, maxsplit=1)
    rows = order.splitlines()
    rows[homework - 1] = rows[homework - 1].removesuffix("),") + f", {answer}),"
    return f"{head}\n{imported}{before}" + "\n".join(rows) + f"\n{after}"


def _with_cells(notebook: build.Notebook, id: str, answer: str) -> build.Notebook:
    """The source with a task, an answer and a check at its end."""
    tasks = sum(cell["id"].endswith("-task") for cell in notebook["cells"])
    tags = ["nbval-ignore-output"]
    texts = TASK.format(number=tasks + 1), ANSWER.format(answer=answer), f"check.{answer}({answer}, seed=SEED)"
    check = {"part": id, "role": "check", "points": 1, "answer": answer}
    about = (
        ("task", "markdown", {"lecture11": {"part": id}}),
        ("answer", "code", {"lecture11": {"part": id, "role": "answer"}, "tags": tags}),
        ("check", "code", {"deletable": False, "editable": False, "lecture11": check, "tags": tags}),
    )
    for (role, kind, metadata), text in zip(about, texts, strict=True):
        cell = {"cell_type": kind, "id": f"{id}-{role}", "metadata": metadata, "source": text.splitlines(keepends=True)}
        notebook["cells"].append(cell | ({"execution_count": None, "outputs": []} if kind == "code" else {}))
    return notebook
