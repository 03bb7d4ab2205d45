"""The command ``lecture11``."""

import argparse
import io
import sys
from collections.abc import Sequence

from lecture11.commands import data, evaluate, export, grade, homework, sample, train


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; the exit status is 0 where it did what was asked."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a console without some character shows another in its place
            stream.reconfigure(errors="replace")
    parser = argparse.ArgumentParser(prog="lecture11", description="The course's models from the command line.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (train, sample, evaluate, export, data, homework, grade):
        command.add(commands)
    options = parser.parse_args(arguments)
    try:
        return options.run(options)
    except KeyboardInterrupt:
        print("lecture11: stopped")
        return 130
