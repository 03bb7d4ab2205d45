"""Fills the tables of book/results.md with what the benchmarks recorded: numbers are measured, never typed.

    python book/tools/results.py            fills them in
    python book/tools/results.py --check    fails if one is out of date

A benchmark writes benchmarks/results/NAME.json. Its table stands in the page between the comments
``<!-- table: NAME -->`` and ``<!-- end -->``; the text around is written by hand.
"""

import argparse
import json
import re
import sys
from pathlib import Path

BOOK = Path(__file__).resolve().parents[1]
PAGE = BOOK / "results.md"
RESULTS = BOOK.parent / "benchmarks" / "results"
PLACE = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(name: str) -> str:
    """One measurement as Markdown: caption, table, and when, where and how it was measured."""
    measurement = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    header, body = measurement["header"], measurement["rows"]
    if len(body) == 1:  # a single row with many columns would not fit a phone: one line a column
        header, body = ["", "measured"], [list(pair) for pair in zip(header, body[0], strict=True)]
    lines = [" | ".join(row) for row in [header, ["---"] * len(header), *body]]
    rows = "\n".join(f"| {line} |" for line in lines)
    origin = f"{measurement['date']}, {measurement['hardware']}, {measurement['versions']}"
    return f"\n{measurement['caption']}\n\n{rows}\n\n*Measured {origin}:* `{measurement['command']}`\n\n"


def filled(page: str) -> str:
    """The page with each table as it was last measured.

    Raises:
        ValueError: a measurement has no place on the page.
    """
    shown = {match[2] for match in PLACE.finditer(page)}
    left_out = {path.stem for path in RESULTS.glob("*.json")} - shown
    if left_out:
        names = ", ".join(sorted(left_out))
        raise ValueError(f"{PAGE.name} has no place for {names}: add <!-- table: NAME --> and <!-- end -->")
    return PLACE.sub(lambda match: match[1] + table(match[2]) + match[3], page)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing, fail if a table is out of date")
    options = parser.parse_args(arguments)
    page = PAGE.read_text(encoding="utf-8")
    new = filled(page)
    if options.check and new != page:
        print(f"{PAGE}: not as measured; run: python book/tools/results.py", file=sys.stderr)
        return 1
    if not options.check:
        PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
