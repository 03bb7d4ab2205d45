"""The command ``lecture11``."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; the exit status is 0 where it did what was asked."""
    parser = argparse.ArgumentParser(prog="lecture11", description="The course's models from the command line.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train a model that the course ships, by its recipe")
    train.add_argument("model", help="its name, such as vae-mnist")
    train.add_argument("--root", type=Path, help="folder of the data's original files (default: download them)")
    train.add_argument("--epochs", type=int, help="fewer than the recipe's, for a try")
    train.add_argument("--output", type=Path, help="file of the weights (default: MODEL.safetensors)")
    train.set_defaults(run=_train)

    homework = commands.add_parser("homework", help="the notebooks and pages of the homework")
    actions = homework.add_subparsers(required=True, metavar="ACTION")
    build = actions.add_parser("build", help="make them from their sources, lecture11/homework/sources")
    build.add_argument("--output", type=Path, default=Path("book/homework"), help="folder (default: %(default)s)")
    build.set_defaults(run=_homework_build)

    _add_grade(commands)

    options = parser.parse_args(arguments)
    return options.run(options)


def _add_grade(commands: Any) -> None:
    grade = commands.add_parser("grade", help="grade a folder or zip of homework")
    grade.add_argument("folder", type=Path, help="with the notebooks, or a zip as learning systems export it")
    grade.add_argument("--output", type=Path, help="folder of grades and reports (default: FOLDER-grades)")
    grade.add_argument("--homework", help="its name, such as 02-vae-elbo: others are not graded then")
    grade.add_argument("--workers", type=int, help="submissions at a time (default: one for each processor)")
    grade.add_argument("--seed", help="of the hidden cases (default: a secret, drawn once for the output folder)")
    grade.add_argument("--without-sandbox", action="store_true", help="go on where this system has no sandbox")
    grade.set_defaults(run=_grade)


def _grade(options: argparse.Namespace) -> int:
    if os.name == "nt":
        print("lecture11 grade: Windows has no sandbox for it. In WSL (wsl --install) the same command works.")
        return 1
    from lecture11.homework.grading import course
    from lecture11.homework.grading.sandbox import SandboxError

    output = options.output or options.folder.with_name(f"{options.folder.resolve().stem}-grades")
    try:
        summary = course.grade(
            options.folder,
            output,
            homework=options.homework,
            workers=options.workers,
            seed=options.seed,
            without_sandbox=options.without_sandbox,
        )
    except KeyboardInterrupt:
        print("lecture11 grade: stopped. The same command goes on from here.")
        return 130
    except course.NotIsolatedError as error:
        print(f"lecture11 grade: NO SANDBOX here ({error}). {WITHOUT_SANDBOX}")
        return 1
    except (ValueError, SandboxError) as error:
        print(f"lecture11 grade: {error}")
        return 1
    print(f"{len(summary.results)} submissions, {summary.graded} graded now: {output / 'class.html'}")
    print(summary.isolation)
    for name, reason in summary.failed.items():
        print(f"not graded: {name!r}: {reason}. The same command tries it again.")
    return 1 if summary.failed else 0


WITHOUT_SANDBOX = (
    "What students wrote would run with your rights: it could read, change and delete your files. Install bubblewrap, "
    "use a virtual machine, or, if all of it can be trusted, add --without-sandbox."
)


def _homework_build(options: argparse.Namespace) -> int:
    from lecture11.homework import build

    try:
        changed = build.write(options.output)
    except ValueError as error:  # a marker without its other end
        print(f"lecture11 homework build: {error}")
        return 1
    print("\n".join(["written:", *map(str, changed)]) if changed else f"{options.output} is up to date")
    return 0


def _train(options: argparse.Namespace) -> int:
    # Here, so that --help does not wait for PyTorch.
    import torch

    from lecture11 import models, training
    from lecture11.data import CorruptDataError, DataUnavailableError

    output = options.output or Path(f"{options.model}.safetensors")
    checkpoint = output.with_suffix(".checkpoint")
    try:
        for state in models.train(options.model, root=options.root, epochs=options.epochs, checkpoint=checkpoint):
            last = state
    except (models.UnknownModelError, DataUnavailableError, CorruptDataError) as error:
        print(f"lecture11 train: {error}")
        return 1
    model = last.model if last.averaged is None else last.averaged
    training.save_weights(model, output, dtype=torch.float16)
    print(f"{output}: {last.step:,} steps in {last.seconds / 60:.1f} min, loss of the last batch {last.loss:.4g}; "
          f"{output.stat().st_size:,} bytes")  # fmt: skip
    return 0
