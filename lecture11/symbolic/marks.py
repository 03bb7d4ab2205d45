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
_PIXEL = "one pixel; d pixels with one variance are d such laws (F23.pixels)"
MARKS: dict[str, Mark] = {
    "F1": _of("of a definition, for a linear decoder"),
    "F2": _of("of an aim, where the answer is one number"),
    "F3": _for("decoders with orthonormal columns, with Bessel's inequality assumed"),
    "F4": _of("of an aim, for one pixel and a denoiser that is a factor"),
    "F5": PROVED,
    "F6": _of("of an aim, where q is the exact posterior and the data follow the model"),
    "F7": _for("one pixel of d that are independent"),
    "F8": PROVED,
    "F9": _of("of a definition, for a linear decoder with one latent, or two at right angles"),
    "F10": _of("of an estimate, for a linear decoder with one latent, or k alike"),
    "F11": _of("of a choice, for a linear decoder with one latent, or two"),
    "F12": PROVED,
    "F13": PROVED,
    "F14": PROVED,
    "F15": PROVED,
    "F16": _for("k latents whose divergences add up, which F16.product shows for two"),
    "F17": _for("one latent; its gradient for exponentials and polynomials"),
    "F18": PROVED,
    "F19": _for("a linear decoder with one pixel and one latent"),
    "F20": _for("a linear decoder with one pixel and one latent, in the mean over the data"),
    "F21": _of("of a loss, for one pixel"),
    "F22": _of("of an algorithm, for one pixel and the noise that is in x_t"),
    "F23": _of("of a definition"),
    "F24": _for(_PIXEL),
    "F25": EXPERIMENT,
    "F26": _of("of a definition, for two steps"),
    "F27": _for(_PIXEL),
    "F28": _for(_PIXEL),
    "F29": _of("of a definition, for two steps"),
    "F30": _for("one pixel"),
    "F31": PROVED,
    "F32": _for(_PIXEL),
    "F33": _for(_PIXEL),
    "F34": _for(_PIXEL),
    "F35": _for(_PIXEL),
    "F36": PROVED,
    "F37": _for("T = 3"),
    "F38": _for("one pixel, and two (F38.pixels)"),
    "F39": _of("of a definition, for one pixel"),
    "F40": _for("one pixel"),
    "F41": _for("one pixel, and any number L of values from 2 on"),
}
