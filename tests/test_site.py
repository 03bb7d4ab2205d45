"""The site is built strictly, and only where it is not up to date."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools import site


def test_it_is_built_strictly() -> None:
    # --all: a page that Sphinx has in its cache does not repeat its warnings, so that a second build is always clean.
    assert {"-W", "-n", "--all"} <= set(site.COMMAND)
    assert "python -m tools.site" in (site.ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_tests_find_what_make_has_built() -> None:
    """Whatever the folders are in which Python looks for packages."""
    program = "from tools import site; print(site.fingerprint())"
    run = subprocess.run([sys.executable, "-c", program], cwd=site.ROOT, text=True, capture_output=True, check=True)
    assert run.stdout.strip() == site.fingerprint()


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A book of one page, which a program beside the interpreter builds by copying it."""
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "page.md").write_text("one")
    monkeypatch.setattr(site, "ROOT", tmp_path)
    monkeypatch.setattr(site, "SITE", tmp_path / "_build" / "html")
    monkeypatch.setattr(site, "STAMP", tmp_path / "_build" / "site.txt")
    monkeypatch.setattr(site, "COMMAND", ["sh", "-c", "grep -q one book/page.md && mkdir -p _build/html"])
    monkeypatch.setattr(site.sys, "executable", "/bin/python")
    monkeypatch.delenv("BOOK_PDF", raising=False)
    return tmp_path


def test_what_is_built_is_not_built_again(book: Path) -> None:
    first = site.build()
    assert first is not None
    assert first.returncode == 0
    assert site.build() is None


@pytest.mark.parametrize("change", ["a page", "a new file", "no site", "a PDF to link to"])
def test_it_is_built_again_after_a_change(book: Path, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    site.build()
    if change == "a page":
        (book / "book" / "page.md").write_text("one!")
    elif change == "a new file":
        (book / "book" / "other.md").write_text("")
    elif change == "no site":
        site.SITE.rmdir()
    else:
        monkeypatch.setenv("BOOK_PDF", "1")
    assert site.build() is not None
    assert site.build() is None


def test_a_failed_build_is_repeated(book: Path) -> None:
    site.build()
    (book / "book" / "page.md").write_text("two")
    for _ in range(2):
        run = site.build()
        assert run is not None
        assert run.returncode == 1
    assert site.main() == 1


def test_what_was_changed_meanwhile_is_built_again(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "COMMAND", ["sh", "-c", "mkdir -p _build/html; echo two >> book/page.md"])
    assert site.build() is not None
    assert site.build() is not None
