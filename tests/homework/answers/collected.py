"""Where the files beside this one put their answers: ``right, wrong = answers_to("elbo-kl")``."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Answer = Callable[..., Any]


@dataclass(frozen=True)
class Wrong:
    """A wrong answer, and what is to be said of it.

    Attributes:
        mistake: the id of the known mistake; empty where it is none.
        kind: what is found.
        says: a piece of the headline, where the kind alone does not tell.
    """

    part: str
    answer: Answer
    mistake: str
    kind: str
    says: str


RIGHT: dict[str, list[Answer]] = {}
WRONG: list[Wrong] = []


def answers_to(part: str) -> tuple[Callable[[Answer], Answer], Callable[..., Callable[[Answer], Answer]]]:
    """Two decorators: ``@right``, and ``@wrong("its-mistake")`` or ``@wrong(kind="shape", says="a dimension")``."""
    RIGHT[part] = []

    def right(answer: Answer) -> Answer:
        RIGHT[part].append(answer)
        return answer

    def wrong(mistake: str = "", *, kind: str = "mistake", says: str = "") -> Callable[[Answer], Answer]:
        assert (kind == "mistake") == bool(mistake), "a known mistake has its id, and nothing else has one"

        def add(answer: Answer) -> Answer:
            WRONG.append(Wrong(part, answer, mistake, kind, says))
            return answer

        return add

    return right, wrong
