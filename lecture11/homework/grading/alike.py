"""Which submissions are alike: by what runs of tokens they share, and few others have.

It compares texts, and says nothing of how they came to be alike. Answers of a line are alike by themselves: what is in
the course's own notebooks, or in many of the class, does not count.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise

from lecture11.homework import build

RUN = 6  # tokens
COMMON = 0.1  # of the class: what more of them have is an idiom; at least three may have it
LEAST = 25  # runs that two must share, to be spoken of
ALIKE = 0.5  # of the smaller one's runs
CHARACTERS = 100_000  # that are looked at
PAIRS = 50  # that are listed
TOKEN = re.compile(r"\"\"\".*?\"\"\"|'''.*?'''|#[^\n]*|[A-Za-z_]\w*|\d[\w.]*|[^\w\s]", re.DOTALL)


@dataclass(frozen=True)
class Pair:
    """Two submissions that are alike.

    Attributes:
        share: of the runs of the smaller one that the other one has too.
        runs: how many these are.
    """

    first: str
    second: str
    share: float
    runs: int


def pairs(codes: Mapping[str, str]) -> list[Pair]:
    """Of codes by names, those that are alike, the most alike first."""
    marks = {name: _runs(code) - _given() for name, code in codes.items()}
    times = Counter(run for runs in marks.values() for run in runs)
    rare = max(3, COMMON * len(marks))
    own = {name: {run for run in runs if times[run] <= rare} for name, runs in marks.items()}
    by_run: dict[int, list[str]] = {}
    for name, runs in own.items():
        for run in runs:
            by_run.setdefault(run, []).append(name)
    shared = Counter(pair for names in by_run.values() for pair in combinations(sorted(names), 2))
    found = [Pair(a, b, both / min(len(own[a]), len(own[b])), both) for (a, b), both in shared.items() if both >= LEAST]
    return sorted((p for p in found if p.share >= ALIKE), key=lambda p: (-p.share, -p.runs, p.first))[:PAIRS]


def _runs(code: str) -> set[int]:
    """All runs of tokens, as numbers; names that are assigned to are all the same, comments and docstrings nothing."""
    tokens = [token for token in TOKEN.findall(code[:CHARACTERS]) if not token.startswith(("#", '"""', "'''"))]
    own = {name for name, after in pairwise(tokens) if after == "=" and name.isidentifier()}
    tokens = ["a name" if token in own else token for token in tokens]
    return {_number(tokens[i : i + RUN]) for i in range(len(tokens) - RUN + 1)}


def _number(tokens: list[str]) -> int:
    return int.from_bytes(hashlib.blake2b("\0".join(tokens).encode("utf-8", "surrogatepass"), digest_size=8).digest())


@lru_cache(maxsize=1)
def _given() -> frozenset[int]:
    """What the course's notebooks have, unsolved and solved."""
    return frozenset(run for text in _texts() for run in _runs(text))


def _texts() -> Iterator[str]:
    for name in build.names():
        for made in (build.student(build.source(name)), build.solution(build.source(name))):
            yield from (build.text_of(cell) for cell in made["cells"] if cell["cell_type"] == "code")
