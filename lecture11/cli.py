"""The command ``lecture11``."""

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; the exit status is 0 where it did what was asked."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a console without some character shows another in its place
            stream.reconfigure(errors="replace")
    parser = argparse.ArgumentParser(prog="lecture11", description="The course's models from the command line.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train a model that the course ships, by its recipe")
    train.add_argument("model", help="its name, such as vae-mnist")
    train.add_argument("--root", type=Path, help="folder of the data's original files (default: download them)")
    train.add_argument("--epochs", type=_count, help="fewer than the recipe's, for a try")
    train.add_argument("--output", type=Path, help="file of the weights (default: MODEL.safetensors)")
    train.description = (
        "Trains by the recipe in lecture11/models, and keeps a checkpoint beside the weights, OUTPUT.checkpoint: after "
        "an interruption the same command goes on. In several processes: "
        "torchrun --no-python --nproc-per-node 2 lecture11 train MODEL"
    )
    train.set_defaults(run=_train)

    homework = commands.add_parser("homework", help="the notebooks and pages of the homework")
    actions = homework.add_subparsers(required=True, metavar="ACTION")
    build = actions.add_parser("build", help="make them from their sources, lecture11/homework/sources")
    build.add_argument("--output", type=Path, default=Path("book/homework"), help="folder (default: %(default)s)")
    build.set_defaults(run=_homework_build)

    _add_grade(commands)

    options = parser.parse_args(arguments)
    try:
        return options.run(options)
    except KeyboardInterrupt:
        print("lecture11: stopped")
        return 130


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number, at least 1, got {text!r}")
    return int(text)


def _add_grade(commands: Any) -> None:
    grade = commands.add_parser("grade", help="grade a folder or zip of homework")
    grade.add_argument("folder", type=Path, help="with the notebooks, or a zip as learning systems export it")
    grade.add_argument("--output", type=Path, help="folder of grades and reports (default: FOLDER-grades)")
    grade.add_argument("--homework", help="its name, such as 02-vae-elbo: others are not graded then")
    grade.add_argument("--workers", type=int, help="submissions at a time (default: one for each processor)")
    grade.add_argument("--seed", help="of the hidden cases (default: a secret, drawn once for the output folder)")
    grade.add_argument("--dry-run", action="store_true", help="show who is found, and grade nobody")
    grade.add_argument("--without-sandbox", action="store_true", help="go on where this system has no sandbox")
    grade.set_defaults(run=_grade)


def _grade(options: argparse.Namespace) -> int:
    if os.name == "nt":
        print("lecture11 grade: Windows has no sandbox for it. In WSL (wsl --install) the same command works.")
        return 1
    from lecture11.homework.grading import course
    from lecture11.homework.grading.judge import JudgeError
    from lecture11.homework.grading.sandbox import SandboxError

    output = options.output or options.folder.with_name(f"{options.folder.resolve().stem}-grades")
    try:
        if options.dry_run:
            return _grade_nobody(options)
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
    except (ValueError, SandboxError, JudgeError) as error:
        print(f"lecture11 grade: {_line(error)}")
        return 1
    except OSError as error:  # a full disk, say; what is graded is kept
        print(f"lecture11 grade: {_line(error)}. The same command goes on from here.")
        return 1
    print(f"{len(summary.results)} submissions, {summary.graded} graded now: {output / 'class.html'}")
    print(summary.isolation)
    if summary.warning:
        print(f"NOTE: {summary.warning}.")
    for result in summary.results:
        for line in result.look:
            print(f"look at {result.name!r}: {line}")
    for name, reason in summary.failed.items():
        print(f"not graded: {name!r}: {reason}. The same command tries it again.")
    return 1 if summary.failed else 0


def _grade_nobody(options: argparse.Namespace) -> int:
    from lecture11.homework.grading import course
    from lecture11.homework.grading.intake import printable

    found = list(course.found_in(options.folder, options.homework))
    for one, homework, reason in found:
        print("  ".join(printable(text) for text in (one.student, homework or f"NOT TO BE RUN: {reason}", one.name)))
    print(f"{len(found)} submissions")
    return 0


def _line(error: Exception) -> str:
    """The text of an error, in one line that can be printed."""
    from lecture11.homework.grading.intake import printable

    return printable(" ".join(str(error).split()))


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

    from lecture11 import checkpoints, models, processes, training
    from lecture11.data import DataUnavailableError

    output = options.output or Path(f"{options.model}.safetensors")
    checkpoint = Path(f"{output}.checkpoint")  # added to the whole name, so that m-0.1 and m-0.2 have one each
    last: training.State | None = None

    def in_main(work: Callable[[], None]) -> None:
        processes.together(lambda: work() if processes.is_main() else None)

    def say(text: str) -> None:
        if processes.is_main():
            print(f"lecture11 train: {text}")

    def write(state: training.State) -> None:
        model = state.model if state.averaged is None else state.averaged
        training.save_weights(model, output, dtype=torch.float16, recipe=options.model)
        print(
            f"{output}: the run is finished, {state.step:,} steps in {state.seconds / 60:.1f} min, "
            f"loss of the last batch {state.loss:.4g}; {output.stat().st_size:,} bytes"
        )

    try:
        models.recipe(options.model)
        if output.suffix == ".checkpoint":
            raise ValueError(f"{output} has the name of a checkpoint: call the weights {output.stem}.safetensors")
        in_main(lambda: checkpoints.check_writable(output))
        for state in models.train(options.model, root=options.root, epochs=options.epochs, checkpoint=checkpoint):
            last = state
        in_main(lambda: write(state))
    except KeyboardInterrupt:
        goes_on = f"goes on from {checkpoint}" if checkpoint.exists() else "begins anew: no epoch was finished"
        say(f"stopped{f' at step {last.step:,}' if last else ''}. The same command {goes_on}")
        return 130
    except OSError as error:
        say(str(error) if error.filename is None else f"{error.filename}: {error.strerror}")
        return 1
    except (ValueError, DataUnavailableError, training.TrainingDivergedError) as error:
        say(str(error))
        return 1
    return 0
