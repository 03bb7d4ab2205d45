"""The command ``lecture11``."""

import argparse
from collections.abc import Sequence
from pathlib import Path


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

    options = parser.parse_args(arguments)
    return options.run(options)


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
