"""What holds for unit tests and notebooks alike: their marks, their order, and a word on those that did not run."""

import json
import math
from collections import Counter
from pathlib import Path

import pytest

# Seconds of each file, and of each test of a second or more, as `make times` last measured them.
DURATIONS = json.loads(Path(__file__).with_name("tests").joinpath("durations.json").read_text(encoding="utf-8"))
# A test that uses one of these fixtures starts a browser, or builds the book.
MARK_OF_FIXTURE = {"browser": "browser", "chromium": "browser", "site": "slow"}
NEEDS = {
    "browser": "Chromium (Debian, Ubuntu: .ci/chromium) or Google Chrome",
    "sandbox": "bubblewrap (Debian, Ubuntu: sudo apt-get install bubblewrap), or user namespaces (.ci/namespaces)",
}


def _file(item: pytest.Item) -> str:
    """The name of its file, as a report in JUnit's format has it."""
    return item.nodeid.partition("::")[0].replace("/", ".").removesuffix(".py")


@pytest.hookimpl(tryfirst=True)  # before -m chooses among them
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.suffix == ".ipynb":
            item.add_marker("notebook")
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in MARK_OF_FIXTURE:
                item.add_marker(MARK_OF_FIXTURE[fixture])
        if f"{_file(item)}::{item.name}" in DURATIONS["slow"]:
            item.add_marker("slow")
    # The longest files first, and first of all those that nobody has measured: a long file at the end would leave a
    # worker idle.
    items.sort(key=lambda item: -DURATIONS["files"].get(_file(item), math.inf))


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
