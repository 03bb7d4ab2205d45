"""Fills the tables of book/results.md with what the benchmarks recorded: numbers are measured, never typed.

A benchmark writes benchmarks/results/NAME.json. Its table stands in the page between the comments
``<!-- table: NAME -->`` and ``<!-- end -->``; the text around is written by hand.
"""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "book" / "results.md"
RESULTS = ROOT / "benchmarks" / "results"
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


def stale() -> list[Path]:
    page = PAGE.read_text(encoding="utf-8")
    return [] if filled(page) == page else [PAGE]


def write() -> None:
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
