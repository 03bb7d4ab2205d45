"""``lecture11 homework``: its notebooks and pages, from their sources."""

import argparse
from pathlib import Path
from typing import Any

from lecture11.commands import common


def add(commands: Any) -> None:
    homework = commands.add_parser("homework", help="the notebooks and pages of the homework")
    actions = homework.add_subparsers(required=True, metavar="ACTION")
    build = actions.add_parser("build", help="make them from their sources, lecture11/homework/sources")
    build.add_argument("--output", type=Path, default=Path("book/homework"), help="folder (default: %(default)s)")
    build.set_defaults(run=_build)
    new = actions.add_parser("new", help="begin a new part, in a checkout of the repository")
    new.add_argument("part", help="its id, such as elbo-kl")
    new.add_argument("--homework", type=common.count, required=True, help="the number of the homework")
    new.add_argument("--root", type=Path, default=Path(), help="of the checkout (default: here)")
    new.set_defaults(run=_new)


def _build(options: argparse.Namespace) -> int:
    from lecture11.homework import build

    try:
        changed = build.write(options.output)
    except ValueError as error:  # a marker without its other end
        print(f"lecture11 homework build: {error}")
        return 1
    print("\n".join(["written:", *map(str, changed)]) if changed else f"{options.output} is up to date")
    return 0


def _new(options: argparse.Namespace) -> int:
    from lecture11.homework import new

    try:
        written = new.new(options.part, options.homework, options.root)
    except ValueError as error:
        print(f"lecture11 homework new: {error}")
        return 1
    print("\n".join(["written:", *map(str, written)]))
    print("Change them into what you ask, then: make generate WHAT=homework")
    return 0
