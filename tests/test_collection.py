"""conftest.py of the repository: who gets which mark, in which order files start, and what the last line says."""

from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest


@pytest.fixture
def conftest(request: pytest.FixtureRequest) -> ModuleType:
    return request.config.pluginmanager.get_plugin(str(Path(__file__).resolve().parents[1] / "conftest.py"))


class Item:
    """As much of a test as the hook looks at."""

    def __init__(self, nodeid: str, *fixtures: str) -> None:
        self.nodeid, self.name, self.fixturenames = nodeid, nodeid.rpartition("::")[2], fixtures
        self.path = Path(nodeid.partition("::")[0])
        self.marks: set[str] = set()
        self.user_properties: list[tuple[str, str]] = []

    def add_marker(self, mark: str) -> None:
        self.marks.add(mark)

    def get_closest_marker(self, mark: str) -> str | None:
        return mark if mark in self.marks else None


def test_marks_and_order(conftest: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = {"files": {"tests.test_a": 1.0, "tests.test_b": 9.0, "tests.test_c": 8.0, "book.x.ipynb": 5.0},
                "slow": {"tests.test_b::test_1[p]": 8.0}}  # fmt: skip
    monkeypatch.setattr(conftest, "DURATIONS", measured)
    items: list[Any] = [
        Item("tests/test_a.py::test_1[p]"),
        Item("tests/test_c.py::test_1", "site"),
        Item("tests/test_b.py::test_1[p]"),
        Item("tests/test_b.py::test_1[q]", "tmp_path", "browser", "url", "site"),
        Item("tests/test_b.py::test_2", "site"),
        Item("book/x.ipynb::Cell 0"),
    ]
    conftest.pytest_collection_modifyitems(items)
    # Two workers take the first two files: one of them builds the book, and the other does not wait for it.
    assert [(item.nodeid.split("/")[1], item.marks) for item in items] == [
        ("test_b.py::test_1[p]", {"slow"}),
        ("test_b.py::test_1[q]", {"browser", "slow"}),
        ("test_b.py::test_2", {"slow"}),
        ("x.ipynb::Cell 0", {"notebook"}),
        ("test_c.py::test_1", {"slow"}),
        ("test_a.py::test_1[p]", set()),
    ]
    left_out = {item.nodeid.split("/")[1] for item in items if item.user_properties}
    assert left_out == {"test_b.py::test_1[q]", "test_b.py::test_2", "x.ipynb::Cell 0", "test_c.py::test_1"}
    items.append(Item("tests/test_new.py::test_1"))
    conftest.pytest_collection_modifyitems(items)
    assert items[3].nodeid == "tests/test_new.py::test_1", "how long it takes, nobody knows"


def test_the_marks_of_this_run(request: pytest.FixtureRequest) -> None:
    """Real tests, as far as they were chosen: each that needs a browser, a kernel or the built book says so."""
    for item in request.session.items:
        names = {mark.name for mark in item.iter_markers()}
        fixtures = getattr(item, "fixturenames", ())
        assert ("notebook" in names) == (item.path.suffix == ".ipynb"), item.nodeid
        assert "browser" in names or "browser" not in fixtures, item.nodeid
        assert "slow" in names or "site" not in fixtures, item.nodeid


def test_one_line_says_what_did_not_run_and_what_to_install(conftest: ModuleType) -> None:
    def skipped(reason: str, *marks: str) -> SimpleNamespace:
        return SimpleNamespace(keywords=dict.fromkeys(marks, 1), longrepr=("file", 1, f"Skipped: {reason}"))

    lines: list[str] = []
    reporter = SimpleNamespace(stats={}, write_line=lambda line, **_: lines.append(line))
    conftest.pytest_terminal_summary(reporter, SimpleNamespace(option=SimpleNamespace(markexpr="")))
    assert lines == []
    reporter.stats["skipped"] = [skipped("x", "browser"), skipped("y", "browser"), skipped("z", "sandbox"),
                                 skipped("this machine has a GPU")]  # fmt: skip
    conftest.pytest_terminal_summary(reporter, SimpleNamespace(option=SimpleNamespace(markexpr="not slow")))
    (line,) = lines
    assert line.startswith("Not run: only tests with -m 'not slow'; make test runs all; ")
    assert "2 skipped: browser, which need Chromium (Debian, Ubuntu: .ci/chromium)" in line
    assert "1 skipped: sandbox, which need bubblewrap" in line
    assert line.endswith("1 skipped: this machine has a GPU.")
