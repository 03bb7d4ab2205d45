"""The built site, a server of it, and a browser."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Browser

import tools.site
from tools import browser


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, built strictly, once for all workers of xdist, unless it is up to date."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    log = shared / "book.log"
    with FileLock(shared / "book.lock"):
        if not log.exists():
            run = tools.site.build(env={**os.environ, "NO_COLOR": "1"}, text=True, capture_output=True)
            log.write_text(f"{run.returncode}\n{run.stdout}\n{run.stderr}" if run else "0\n", encoding="utf-8")
    code, output = log.read_text(encoding="utf-8").split("\n", 1)
    if code != "0":
        lines = [line for line in output.splitlines() if "WARNING" in line or "ERROR" in line]
        pytest.fail("the strict build of the book failed:\n" + ("\n".join(lines) or output[-4000:]), pytrace=False)
    return tools.site.SITE


@pytest.fixture(scope="session")
def url(site: Path) -> Iterator[str]:
    """Address of the built site."""
    with browser.served(site) as address:
        yield address


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests of a worker."""
    if browser.CHROMIUM is None:
        # In CI the absence of a browser is a failure, not a silence.
        assert os.environ.get("CI") != "true", browser.MISSING
        pytest.skip(browser.MISSING)
    with browser.started() as chromium:
        yield chromium
