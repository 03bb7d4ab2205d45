"""Attacks the proofs with planted errors of all twelve kinds, and records how many: ``python -m tools.attack``.

For each chain it keeps in ``tests/planted_errors.json`` how many errors of each kind were planted, all of which were
caught, and writes their sums on the page about proving. With keys of chains it attacks these alone. It takes
about two minutes; the tests attack a sample (``attack.SAMPLE``), and compare the counts.
"""

import argparse
import json
import sys
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from lecture11 import symbolic
from lecture11.symbolic import attack

ROOT = Path(__file__).resolve().parents[1]
RECORD, PAGE = ROOT / "tests/planted_errors.json", ROOT / "book/proving.md"
BEGIN, END = "<!-- begin: planted errors -->", "<!-- end: planted errors -->"


def recorded() -> dict[str, Counter[str]]:
    """For each chain, how many errors of each kind were planted when all of them were caught."""
    return {key: Counter(counts) for key, counts in json.loads(RECORD.read_text(encoding="utf-8")).items()}


def table() -> str:
    """Their sums, as they stand on the page."""
    return attack.table(sum(recorded().values(), Counter()))


def with_table(page: str) -> str:
    """The page with the sums that are recorded."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n\n{table()}\n{END}{rest.partition(END)[2]}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("keys", nargs="*", metavar="KEY", help="a chain, such as F28 (default: all)")
    keys = parser.parse_args(arguments).keys or list(symbolic.DERIVATIONS)
    counts = recorded() if RECORD.exists() else {}
    passed = []
    for key in keys:
        begin = time.process_time()
        try:
            counts[key], missed = attack.attacked(symbolic.derivation(key))
        except Exception:  # the others are attacked all the same
            missed = [traceback.format_exc()]
        passed += [f"{key}: {one}" for one in missed]
        print(f"{key}: {counts.get(key, Counter()).total()} in {time.process_time() - begin:.1f} s", flush=True)
    if passed:
        print(f"{len(passed)} not caught; nothing is recorded", *passed, sep="\n", file=sys.stderr)
        return 1
    kept = {key: dict(sorted(counts[key].items())) for key in symbolic.DERIVATIONS if key in counts}
    rows = ",\n".join(f" {json.dumps(key)}: {json.dumps(row)}" for key, row in kept.items())
    RECORD.write_text(f"{{\n{rows}\n}}\n", encoding="utf-8")
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
