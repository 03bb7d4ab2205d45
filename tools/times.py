"""Measures how long the commands take that the README names: ``make times``, on a machine that does nothing else.

The last commit is cloned, and the commands run there one after the other, as on a newcomer's machine. What they took
goes into tools/times.json, and from there into the table in README.md (``make generate``); what the tests took goes
into tests/durations.json, from which conftest.py orders them, and knows the slow ones.
"""

import datetime
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "README.md"
RECORD = Path(__file__).with_name("times.json")
DURATIONS = ROOT / "tests" / "durations.json"
PLACE = re.compile(r"(<!-- times -->\n).*?(<!-- end -->)", re.DOTALL)
# A command; what the table calls it; the folder that it fills.
COMMANDS = [
    ("env", "`make env`, once", ".venv"),
    ("book", "`make book`", "_build/html"),
    ("test", "`make test`", None),
    ("test-fast", "`make test-fast`", None),
]
# Seconds that the tests of test-fast take together in a whole run: within a minute on two cores, with the start. Alone
# they take longer: the first to use something pays for it, and chains are checked that else their pages check.
FAST = 24.0
BUSY = 0.5  # processes that run or wait, on average over the last minute


def stale() -> list[Path]:
    page = PAGE.read_text(encoding="utf-8")
    return [] if filled(page) == page else [PAGE]


def write() -> None:
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def filled(page: str) -> str:
    """The page with the table as it was last measured.

    Raises:
        ValueError: the page has no place for it.
    """
    if not PLACE.search(page):
        raise ValueError(f"{PAGE.name} has no place for the times: add <!-- times --> and <!-- end -->")
    return PLACE.sub(lambda match: match[1] + table(json.loads(RECORD.read_text(encoding="utf-8"))) + match[2], page)


def table(measured: dict[str, Any]) -> str:
    """What was measured, as Markdown."""
    lines = [f"| | Time on {measured['cores']} cores | Disk |", "|---|---|---|"]
    for name, title, _ in COMMANDS:
        if name in measured["commands"]:
            one = measured["commands"][name]
            lines.append(f"| {title} | {_in_words(one['seconds'])} | {_size(one.get('bytes', 0))} |")
    return "\n".join(lines) + f"\n\nMeasured on {measured['date']}, {measured['hardware']}; `make times` repeats it.\n"


def _in_words(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _size(size: int) -> str:
    return "" if size < 1e6 else f"{size / 1e6:.0f} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"


def durations(report: Path) -> dict[str, dict[str, float]]:
    """What conftest.py reads, from a report in JUnit's format: seconds of each file, and of each slow test.

    Slow are the longest tests: so many that the rest fits into ``FAST``. What test-fast leaves out anyhow, and says so
    in the report (conftest.py), is not counted.
    """
    files: dict[str, float] = defaultdict(float)
    tests = {}
    for case in ElementTree.parse(report).iter("testcase"):
        file, seconds = case.attrib["classname"], float(case.attrib["time"])
        files[file] += seconds
        if case.find("properties/property[@name='left_out']") is None:
            tests[f"{file}::{case.attrib['name']}"] = seconds
    left, slow = sum(tests.values()), {}
    for test in sorted(tests, key=lambda test: -tests[test]):
        if left <= FAST:
            break
        slow[test] = round(tests[test], 2)
        left -= tests[test]
    return {"files": {file: round(files[file], 1) for file in sorted(files)}, "slow": dict(sorted(slow.items()))}


def run(clone: Path, *command: str) -> dict[str, float]:
    """Seconds of a command, and of the work that all of its processes did together."""
    # Under make this is a make of its own; and a missing browser or sandbox is an error: it would look like speed.
    left_out = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "PYTHONPATH", "VIRTUAL_ENV"}
    env = {name: value for name, value in os.environ.items() if name not in left_out} | {"CI": "true"}
    begin = time.perf_counter()
    subprocess.run(command, cwd=clone, env=env, check=True)
    return {"seconds": round(time.perf_counter() - begin, 1)}


def measure(clone: Path) -> dict[str, Any]:
    """Runs the commands in a clone.

    Raises:
        subprocess.CalledProcessError: one of them failed.
    """
    measured = {}
    for name, _, folder in COMMANDS:
        arguments = {
            # Not an environment's interpreter: that of the system which it was made with.
            "env": [f"PYTHON={sys._base_executable}"],  # type: ignore[attr-defined]
            "test": [f"ARGS=--junit-xml={clone / 'tests.xml'}"],
        }
        measured[name] = run(clone, "make", name, *arguments.get(name, []))
        if name == "test":  # in the clone too: it says what is slow, and so left out of test-fast
            found = durations(clone / "tests.xml")
            (clone / DURATIONS.relative_to(ROOT)).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        if folder:
            files = (path for path in (clone / folder).rglob("*") if path.is_file() and not path.is_symlink())
            measured[name]["bytes"] = sum(path.stat().st_blocks * 512 for path in files)
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "hardware": f"{_processor()}, Python {sys.version.split()[0]}",
        "cores": len(os.sched_getaffinity(0)),
        "commands": measured,
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "processor unknown")


def main() -> int:
    load = os.getloadavg()[0]
    if load > BUSY:
        print(f"this machine is busy (load {load:.1f}, expected at most {BUSY:g}): stop what runs, wait a minute, and "
              "measure again", file=sys.stderr)  # fmt: skip
        return 1
    with tempfile.TemporaryDirectory(prefix="times-") as folder:
        clone = Path(folder, "clone")
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        try:
            measured = measure(clone)
        except subprocess.CalledProcessError as error:
            print(f"nothing is recorded: {' '.join(map(str, error.cmd))} failed", file=sys.stderr)
            return 1
        DURATIONS.write_bytes((clone / DURATIONS.relative_to(ROOT)).read_bytes())
    RECORD.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    write()
    print(table(measured))
    return 0


if __name__ == "__main__":
    sys.exit(main())
