"""``lecture11 data``: which data sets there are, and what is in one, or in a folder of images."""

import argparse
import re
from typing import Any

from lecture11.commands.common import described, in_a_line, with_root

TEXT = """\
Without a name lists the data sets; with one loads it, which downloads it if need be, and says what is in it.

  lecture11 data
  lecture11 data fashion-mnist
  lecture11 data mnist --root FOLDER         from the four original files
  lecture11 data photos                      a folder of images, as lecture11 train --data photos reads it, or of
                                             files as those of MNIST (IDX) or CIFAR (binary version)
"""


def add(commands: Any) -> None:
    data = commands.add_parser("data", help="which data sets there are, and what is in one or in a folder of images")
    described(data, TEXT)
    data.add_argument("name", nargs="?", help="of a data set, or a folder of images")
    with_root(data)
    data.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    def work() -> None:
        from lecture11 import data

        if options.name is None:
            table = (data.__doc__ or "").split("\n\n")[1]
            names_first = re.sub("^``(.*?)``", r"\1    ", table, flags=re.MULTILINE)
            print(names_first.replace("``", ""))
            return
        for split in ("train", "test"):
            if options.name in data.NAMES:
                print(data.load(options.name, split, root=options.root))
            elif (own := data.from_files(options.name, split)) is not None:
                print(own)
            else:
                folder = data.Folder(options.name, split)
                print(folder)
                counts = folder.y.bincount(minlength=len(folder.classes)).tolist()
                for name, number in zip(folder.classes, counts, strict=False):
                    print(f"  {name}: {number:,}")

    return in_a_line("data", work)
