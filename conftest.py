"""What holds for unit tests and notebooks alike: their marks, their order, and a word on those that did not run."""

import gc
import json
import math
import os
from collections import Counter
from pathlib import Path

import pytest

from tools import kernels

# Seconds of each file, and of the longest tests, as `make times` last measured them.
DURATIONS = json.loads(Path(__file__).with_name("tests").joinpath("durations.json").read_text(encoding="utf-8"))
# A test that uses one of these fixtures starts a browser, or builds the book.
MARK_OF_FIXTURE = {"browser": "browser", "chromium": "browser", "site": "slow"}
LEFT_OUT = ("notebook", "browser", "sandbox", "slow")  # of test-fast
NEEDS = {
    "browser": "Chromium (Debian, Ubuntu: .ci/chromium) or Google Chrome",
    "sandbox": "bubblewrap (Debian, Ubuntu: sudo apt-get install bubblewrap), or user namespaces (.ci/namespaces)",
}


def pytest_configure() -> None:
    # SymPy forgets all but its last 1,000 results, and finds them again for chains that rest on each other.
    os.environ.setdefault("SYMPY_CACHE_SIZE", "None")
    kernels.install()


def _file(item: pytest.Item) -> str:
    """The name of its file, as a report in JUnit's format has it."""
    return item.nodeid.partition("::")[0].replace("/", ".").removesuffix(".py")


@pytest.hookimpl(tryfirst=True)  # before -m chooses among them
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    on_site = set()
    for item in items:
        if item.path.suffix == ".ipynb":
            item.add_marker("notebook")
        fixtures = getattr(item, "fixturenames", ())
        for fixture in fixtures:
            if fixture in MARK_OF_FIXTURE:
                item.add_marker(MARK_OF_FIXTURE[fixture])
        if "site" in fixtures:
            on_site.add(_file(item))
        # For the report: those that are left out of test-fast however long they take.
        item.user_properties += [("left_out", mark) for mark in LEFT_OUT if item.get_closest_marker(mark)]
        if f"{_file(item)}::{item.name}" in DURATIONS["slow"]:
            item.add_marker("slow")
    # The longest files first, and first of all those that nobody has measured: a long file at the end would leave a
    # worker idle. While the first one builds the book, no other may wait for it.
    files = sorted(dict.fromkeys(map(_file, items)), key=lambda file: -DURATIONS["files"].get(file, math.inf))
    first = [next((file for file in files if (file in on_site) == needs), "") for needs in (True, False)]
    place = {file: i for i, file in enumerate(dict.fromkeys([*first, *files]))}
    items.sort(key=lambda item: place[_file(item)])


def pytest_collection_finish(session: pytest.Session) -> None:
    if any(item.path.suffix == ".ipynb" for item in session.items):
        kernels.prepare()
    # The collector of garbage took an eighth of the time of proofs and pages: a million objects, hardly any dies.
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """One line: what did not run, and why."""
    said = []
    if config.option.markexpr:
        said.append(f"only tests with -m {config.option.markexpr!r}; make test runs all")
    reasons: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        mark = next((mark for mark in NEEDS if mark in report.keywords), None)
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[f"{mark}, which need {NEEDS[mark]}" if mark else reason.removeprefix("Skipped: ")] += 1
    said += [f"{count} skipped: {reason}" for reason, count in reasons.items()]
    if said:
        terminalreporter.write_line(f"Not run: {'; '.join(said)}.", yellow=True)
