"""Writes all files that are made from other files, or compares them: ``make generate``, ``make generate CHECK=1``."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools import formula_index, homework, overview, proofs, results, teaching, times

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Generator:
    """What makes some files.

    Attributes:
        stale: the files that are not what it would write; or do not exist, or should not.
        write: writes all of them.
    """

    stale: Callable[[], list[Path]]
    write: Callable[[], None]


# In this order: the index is made from what the chapters say when the proofs have marked them.
GENERATORS = {
    "homework": Generator(homework.stale, homework.write),
    "proofs": Generator(proofs.stale, proofs.write),
    "index": Generator(formula_index.stale, formula_index.write),
    "results": Generator(results.stale, results.write),
    "overview": Generator(overview.stale, overview.write),
    "teaching": Generator(teaching.stale, teaching.write),
    "times": Generator(times.stale, times.write),
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", metavar="WHAT", help=f"{', '.join(GENERATORS)} (default: all)")
    parser.add_argument("--check", action="store_true", help="write nothing, fail if a file is out of date")
    options = parser.parse_args(arguments)
    unknown = set(options.what) - set(GENERATORS)
    if unknown:
        parser.error(f"nothing is called {', '.join(sorted(unknown))}; there are: {', '.join(GENERATORS)}")
    out_of_date = []
    for name in options.what or GENERATORS:
        old = GENERATORS[name].stale()
        out_of_date += old
        for path in old:
            print(f"{path.relative_to(ROOT)}: {'out of date' if options.check else 'written'}")
        if not options.check:
            GENERATORS[name].write()
    if options.check and out_of_date:
        print("run: make generate", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
