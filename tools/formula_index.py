"""Makes book/formula-index.md: each statement, where it stands, and what computes, proves and tests it.

All of it is read from the sources (``formulas.py``, ``lecture11.symbolic``).
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath

from lecture11 import symbolic
from lecture11.symbolic.facts import premises
from lecture11.symbolic.show import prose
from tools import formulas, proofs

PAGE = formulas.BOOK / "formula-index.md"
PARTS = {"Auto-encoders": range(1, 6), "Variational auto-encoders": range(6, 21), "Denoising diffusion": range(21, 42)}
MOST = 3  # places named of a kind; a statement may have more tests
TEXT = """\
# Index of formulas

The {total} statements of the lecture, as the chapters write them, each with the function of the package that computes
it, its proof, and its tests. This page is generated from the sources, and a test fails if it is out of date.

Each bears a mark. {proved} are **proved** as they stand, by chains of steps in SymPy that a machine has verified{case}.
{consequence} are definitions, choices or aims, for which there is nothing to prove: there the chains show a
**consequence**. {experiment} is a choice for which an **experiment** that could fail stands for the proof. What the
chains of a statement, and those below them, take for granted beside definitions, is listed as *assumed*. What the notes
print otherwise is among the [errata](errata.ipynb); how a proof is written is on [a page of its own](proving.md).

{summary}
"""


@dataclass(frozen=True)
class Row:
    """What the page says of a statement; what is missing is empty.

    Attributes:
        statement: the equation.
        chapter: a link to it.
        functions, tests: links to the sources.
        proof: a link to the page of proofs.
        state: what may be said of it (``symbolic.MARKS``).
        assumed: what the proofs rest on beside definitions.
    """

    key: str
    statement: str
    chapter: str
    functions: str
    proof: str
    tests: str
    state: str
    assumed: str = ""

    @property
    def missing(self) -> list[str]:
        return [name for name, value in vars(self).items() if not value and name != "assumed"]


def rows() -> list[Row]:
    """One for each of F1..F41."""
    stated, functions, tests = formulas.statements(), formulas.functions(), formulas.tests()
    return [_row(key, stated.get(key), functions.get(key, []), tests.get(key, [])) for key in formulas.IDS]


def _row(
    key: str, stated: formulas.Statement | None, functions: list[formulas.Place], tests: list[formulas.Place]
) -> Row:
    # First the function that the proof was compared with.
    compared = {d.code.name.rpartition(".")[2] for d in symbolic.DERIVATIONS.values() if d.formula == key and d.code}
    functions = sorted(functions, key=lambda place: place.name.rpartition(".")[2] not in compared)
    tests = sorted(tests, key=lambda place: f"{place.path}::{place.name}" not in _experiments(key))
    return Row(
        key,
        stated.latex if stated else "",
        f"[{stated.title}](#{key})" if stated else "",
        _links(functions, lambda place: f"`{PurePath(place.path).stem}.{place.name}`"),
        _proof(key),
        _links(tests, lambda place: proofs.in_words(place.name)),
        prose(str(symbolic.MARKS[key])),
        _assumed(key),
    )


def _assumed(key: str) -> str:
    """The words of all assumptions below the chains of a statement."""
    chains = [d for d in symbolic.DERIVATIONS.values() if d.formula == key]
    below = [premise for chain in chains for premise in premises(chain)]
    words = [prose(premise.statement) for premise in below if isinstance(premise, symbolic.Assumption)]
    return "; ".join(dict.fromkeys(words))


def _experiments(key: str) -> list[str]:
    return [e.test for part in symbolic.PARTS for e in part.EXPERIMENTS if e.key.partition(".")[0] == key]


def _proof(key: str) -> str:
    found = proofs.link(key)
    if found is None:
        return ""
    name, best = found
    own = [section for section in proofs.sections()[name] if section.formula == key]
    links = [_section_link(name, section) for section in sorted(own, key=lambda section: section is not best)]
    return ", ".join(links)


def _section_link(name: str, section: proofs.Section) -> str:
    return f"[{section.key}](proofs/{name}.ipynb#{section.anchor})"


def _links(places: list[formulas.Place], name: Callable[[formulas.Place], str]) -> str:
    shown = [proofs.source(place, name(place)) for place in places[:MOST]]
    more = len(places) - len(shown)
    return "; ".join(shown) + (f" and {more} more" if more else "")


def text() -> str:
    """The page. What is not there yet is left out of it."""
    all_rows = rows()
    there = {row.key: row for row in all_rows if row.statement}
    count = Counter(symbolic.MARKS[key].kind for key in there)
    case = count["proved for"]
    lines = [
        TEXT.format(
            total=len(there),
            proved=count["proved"],
            case=f", and {case} are **proved for** the case that the mark names" if case else "",
            consequence=count["consequence"],
            experiment=count["experiment"],
            summary=" · ".join(f"[{key}](#{_anchor(key)})" for key in there),
        )
    ]
    for title, numbers in PARTS.items():
        lines.append(f"## {title}\n")
        for key in (f"F{i}" for i in numbers):
            if key in there:
                lines.append(_entry(there[key]))
    return "\n".join(lines)


def _anchor(key: str) -> str:
    return key.lower()


def _entry(row: Row) -> str:
    fields = {
        "Stated in": row.chapter,
        "Computed by": row.functions,
        "Proof": row.proof,
        "Assumed": row.assumed,
        "Tested by": row.tests,
    }
    listed = [f"- **{row.state}**", *(f"- {name}: {value}" for name, value in fields.items() if value)]
    return f"### {row.key}\n\n$$\n{row.statement}\n$$\n\n" + "\n".join(listed) + "\n"


def stale() -> list[Path]:
    return [] if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text() else [PAGE]


def write() -> None:
    PAGE.write_text(text(), encoding="utf-8")
