"""What the commands share: counts, and errors that end in one line."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def count(text: str) -> int:
    """For argparse: a whole number, at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number, at least 1, got {text!r}")
    return int(text)


def described(parser: argparse.ArgumentParser, text: str) -> None:
    """Sets the description, with its examples as they stand."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = text


def with_root(parser: argparse.ArgumentParser) -> None:
    """Lets a command be told where the data's original files lie."""
    parser.add_argument("--root", type=Path, help="folder of the data's original files (default: download them)")


def in_a_line(name: str, work: Callable[[], None], say: Callable[[], bool] = lambda: True) -> int:
    """The exit status of ``work``: 0, or 1 after one line if something that a user can mend stood in its way.

    Args:
        say: whether this process is the one to print it.
    """
    from lecture11.data import DataUnavailableError
    from lecture11.training import TrainingDivergedError

    try:
        work()
    except OSError as error:
        line = str(error) if error.filename is None else f"{error.filename}: {error.strerror}"
    except (ValueError, DataUnavailableError, TrainingDivergedError) as error:
        line = " ".join(str(error).split())
    else:
        return 0
    if say():
        print(f"lecture11 {name}: {line}")
    return 1


def write_sheet(images: "Tensor", path: Path, low: float, columns: int = 10) -> None:
    """Images ``(n, channels, height, width)`` with values in [``low``, 1] as one picture, in rows of ``columns``."""
    from torchvision.utils import make_grid, save_image

    path.parent.mkdir(parents=True, exist_ok=True)
    unit = (images.detach().float().cpu() - low) / (1 - low)
    save_image(make_grid(unit.clamp(0, 1), nrow=columns, padding=2, pad_value=0.5), path)


def sets(texts: Sequence[Sequence[str]] | None) -> list[str]:
    """All of ``--set a=1 b=2 --set c=3``."""
    return [text for group in texts or [] for text in group]
