"""What may be said of each statement of the lecture: proved, proved for a case, a consequence, or an experiment.

The index and the pages count and print these. A statement is *proved* if its chains show what it says, for all that it
speaks of; *proved for* a case, if they show it there; of a definition, a choice or an aim, for which there is nothing
to prove, they show a *consequence*; where a choice has none, an *experiment* that could fail stands for it.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["proved", "proved for", "consequence", "experiment"]
KINDS: tuple[Kind, ...] = ("proved", "proved for", "consequence", "experiment")


@dataclass(frozen=True)
class Mark:
    """What may be said of a statement.

    Attributes:
        kind: one of ``KINDS``.
        case: of 'proved for' the case, of a consequence what it follows from and for which case; else empty.
    """

    kind: Kind
    case: str = ""

    def __str__(self) -> str:
        return self.kind if not self.case else f"{self.kind} {self.case}"


def _for(case: str) -> Mark:
    return Mark("proved for", case)


def _of(case: str) -> Mark:
    return Mark("consequence", case)


PROVED, EXPERIMENT = Mark("proved"), Mark("experiment")
MARKS: dict[str, Mark] = {
    "F1": _of("of a definition, for a linear decoder"),
    "F2": _of("of an aim, where the answer is one number"),
    "F3": PROVED,
    "F4": _of("of an aim, for one pixel and a denoiser that is a factor"),
    "F5": PROVED,
    "F6": _of("of an aim, where q is the exact posterior and the data follow the model"),
    "F7": PROVED,
    "F8": PROVED,
    "F9": PROVED,
    "F10": PROVED,
    "F11": _of("of a choice, for a linear decoder whose k columns are at right angles"),
    "F12": PROVED,
    "F13": PROVED,
    "F14": PROVED,
    "F15": PROVED,
    "F16": PROVED,
    "F17": PROVED,
    "F18": PROVED,
    "F19": PROVED,
    "F20": PROVED,
    "F21": PROVED,
    "F22": PROVED,
    "F23": _of("of a definition"),
    "F24": PROVED,
    "F25": EXPERIMENT,
    **{f"F{number}": PROVED for number in range(26, 42)},
}
