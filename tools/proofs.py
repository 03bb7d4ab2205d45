"""Makes the proof pages, book/proofs/*.ipynb, and the mark beside each equation that leads to its proof.

A page shows the derivations of one file of ``lecture11.symbolic``, each checked by the cell that displays it. Nothing
in it is written by hand but the titles in ``PAGES`` and ``INTRODUCTION``.
"""

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import nbformat
import sympy
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from lecture11 import symbolic
from lecture11.symbolic.show import prose
from tools import address, formulas, run

FOLDER = formulas.BOOK / "proofs"
# The file of lecture11.symbolic; page, and its title.
PAGES = {
    "autoencoder": ("1-autoencoder", "Proofs: auto-encoders"),
    "vae": ("2-vae", "Proofs: variational auto-encoders"),
    "em": ("3-em", "Proofs: variational EM"),
    "forward": ("4-forward", "Proofs: from data to noise"),
    "posterior": ("5-posterior", "Proofs: the way back"),
    "bound": ("6-bound", "Proofs: the bound"),
}
MARK = re.compile(r'\n\n<small class="proof">.*?</small>')
INSTALL = """\
# On Colab: installs the course's package. Elsewhere, and when run again: does nothing.
import importlib.util

if importlib.util.find_spec("lecture11") is None:
    %pip install --quiet --no-deps git+{url}@main jaxtyping wadler-lindig"""
INTRODUCTION = """\
# {title}

{about}

A proof is a chain. Each line is printed from a SymPy expression, and above it stands why it equals the line before. In
parentheses stands what this rests on: another chain (`F9.distance`), definitions and assumptions (`F9`, from that
statement of the lecture; they are written out at the end, after *where*, and what is assumed begins with *assume*), or
*induction*, which is the statement itself for the number before. `symbolic.check` verifies the chain and all below it,
by algebra and at random points, and refuses a step that would hold without what it cites. Where the package computes
the result, the two are compared at 1,000 random points.

Above each chain stand the case that it is for, and its letters; above the first one of a statement its mark, which says
whether it is proved as it stands. Of a statement that is a definition or an aim a chain
shows what follows from it, and says so. Unknown functions that are taken as *regular* are any
whose integrals and slopes in the chain exist, and may change their order: what is smooth and falls fast is.
$\\mathbb{{E}}_{{x \\sim p(x)}}[f]$ is the integral of $p(x) \\, f$ over all $x$, and
$\\mathcal{{N}}(x; \\mu, \\sigma^2)$ a normal density.

The order is that in which the chains rest on each other. [How to prove your own formula](../proving.md) says how they
are written; the [index](../formula-index.md) has all statements."""


@dataclass
class Section:
    """What a page says of one derivation, or of the experiments of a statement that has none of its name."""

    key: str
    derivation: symbolic.Derivation | None = None
    experiments: list[symbolic.Experiment] = field(default_factory=list)

    @property
    def formula(self) -> str:
        return self.key.partition(".")[0]

    @property
    def anchor(self) -> str:
        """As the book makes it from the heading."""
        return self.key.lower().replace(".", "")


@cache
def sections() -> dict[str, list[Section]]:
    """For each page its sections, in the order of the proofs."""
    found: dict[str, list[Section]] = {}
    for part in symbolic.PARTS:
        page = PAGES[part.__name__.rpartition(".")[2]][0]
        here = [Section(d.key, d) for d in part.DERIVATIONS]
        for experiment in part.EXPERIMENTS:
            same = [section for section in here if section.key == experiment.key]
            if not same:
                same = [Section(experiment.key)]
                here += same
            same[0].experiments.append(experiment)
        found[page] = here
    return found


def link(formula: str) -> tuple[str, Section] | None:
    """Page and section to which the mark of a statement leads: that of its name, else the first of a part of it."""
    own = [(p, section) for p, here in sections().items() for section in here if section.formula == formula]
    return min(own, key=lambda item: item[1].key != formula) if own else None


def page(name: str) -> NotebookNode:
    """A page as a notebook that has not been run."""
    module, title = next((module, title) for module, (stem, title) in PAGES.items() if stem == name)
    about = (getattr(symbolic, module).__doc__ or "").strip().replace("``", "`")
    cells = [
        new_markdown_cell(INTRODUCTION.format(title=title, about=about), id="introduction"),
        new_code_cell(INSTALL.format(url=_repository()), id="install", metadata={"tags": ["remove-cell"]}),
        new_code_cell("from lecture11 import evaluation, symbolic", id="imports"),
    ]
    stated = formulas.statements()
    marked: set[str] = set()
    for section in sections()[name]:
        words = _words(section, stated)
        if section.formula not in marked:
            marked.add(section.formula)
            words += f"\n\n{section.formula}: **{prose(str(symbolic.MARKS[section.formula]))}**."
        cells.append(new_markdown_cell(words, id=f"{section.anchor}-words"))
        if section.derivation:
            cells.append(new_code_cell(_code(section.derivation), id=section.anchor))
    return new_notebook(cells=cells)


def _words(section: Section, stated: dict[str, formulas.Statement]) -> str:
    lines = [f"## {section.key}"]
    if section.derivation:
        of = f"[({section.formula})](#{section.formula}): " if section.formula in stated else ""
        lines.append(of + prose(section.derivation.statement) + ".")
        proved = dict.fromkeys(
            fact.source.key
            for step in section.derivation.steps
            for fact in section.derivation.facts(step)
            if isinstance(fact.source, symbolic.Derivation) and fact.source is not section.derivation
        )
        if proved:
            lines[-1] += f" It rests on {', '.join(_link_to(key) for key in proved)}."
        if section.derivation.induction:
            lines[-1] += f" An induction: its base is {_link_to(section.derivation.induction.base.key)}."
        if regular := [f"${sympy.latex(name)}$" for name in symbolic.regular_functions(section.derivation)]:
            lines[-1] += f" Taken as [regular](../proving.md#how-the-checker-can-be-wrong): {', '.join(regular)}."
    for experiment in section.experiments:
        place = formulas.test_named(experiment.test)
        if place is None:
            raise ValueError(f"{experiment.key}: there is no test {experiment.test}")
        of = (
            f"[({section.formula})](#{section.formula}) by experiment" if section.formula in stated else "By experiment"
        )
        lines.append(f"{of}: {prose(experiment.statement)}. The test: {source(place, in_words(place.name))}.")
    return "\n\n".join(lines)


def _link_to(key: str) -> str:
    """A link from one page to the section of a derivation."""
    name, section = next((name, s) for name, here in sections().items() for s in here if s.key == key)
    return f"[{key}]({name}.ipynb#{section.anchor})"


def _code(derivation: symbolic.Derivation) -> str:
    lines = [f'proof = symbolic.derivation("{derivation.key}")', "symbolic.check(proof)"]
    if derivation.code:
        lines.append("difference = symbolic.largest_difference(proof)")
        arguments = [f'"{derivation.code.name} differs by"', "difference", "at_most=1e-10"]
        verdict = f"evaluation.verdict({', '.join(arguments)})"
        if len(verdict) > 78:
            inside = f"    {', '.join(arguments)}\n"
            if len(inside) > 79:
                inside = "".join(f"    {argument},\n" for argument in arguments)
            verdict = f"evaluation.verdict(\n{inside})"
        lines.append(verdict)
    return "\n".join([*lines, "proof"])


def in_words(test: str) -> str:
    """The name of a test as the sentence that it is."""
    return test.rpartition("::")[2].removeprefix("test_").replace("_", " ")


def source(place: formulas.Place, text: str) -> str:
    """A link to the source at GitHub; the book finds the line (``book/_ext``)."""
    return f"[{text}]({_repository()}/blob/main/{place.path}#{place.name})"


@cache
def _repository() -> str:
    return address.current().url


def is_current(name: str) -> bool:
    """Whether the stored page says and runs what the derivations say now. What it printed, its own test compares."""
    path = FOLDER / f"{name}.ipynb"
    if not path.exists():
        return False
    stored = nbformat.read(path, as_version=4)
    old, new = ([(c.id, c.cell_type, c.source) for c in nb.cells] for nb in (stored, page(name)))
    return old == new and "lecture11" in stored.metadata  # written by run.py, when the page has been executed


# --- Marks -----------------------------------------------------------------------------------------------------------


def mark(formula: str) -> str:
    """What stands below the equation of a statement: nothing as long as it has no proof."""
    found = link(formula)
    if found is None:
        return ""
    word = "proof" if any(s.derivation and s.formula == formula for s in sections()[found[0]]) else "experiment"
    return f'\n\n<small class="proof">[{word}](proofs/{found[0]}.ipynb#{found[1].anchor})</small>'


def marked(text: str) -> str:
    """A text with the mark of each equation below it."""
    return formulas.EQUATION.sub(lambda match: match[0] + mark(match["id"]), MARK.sub("", text))


def with_marks(path: Path) -> str:
    """The file of a chapter, with marks. Everything else in it stays as it is, to the byte."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = marked("".join(cell["source"])).splitlines(keepends=True)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def stale() -> list[Path]:
    """The pages, and the chapters whose marks are not those of the proofs that there are now."""
    pages = [FOLDER / f"{name}.ipynb" for name in sections() if not is_current(name)]
    return pages + [path for path in formulas.chapters() if with_marks(path) != path.read_text(encoding="utf-8")]


def write() -> None:
    """Executes all pages: the words of one may be the same, and what a derivation displays another."""
    for path in formulas.chapters():
        path.write_text(with_marks(path), encoding="utf-8")
    FOLDER.mkdir(exist_ok=True)
    for name in sections():
        path = FOLDER / f"{name}.ipynb"
        nbformat.write(page(name), path)
        run.execute(path, timeout=300)
