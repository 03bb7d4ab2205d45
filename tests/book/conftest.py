"""The built site, a server of it, and a browser."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from book_source import served
from filelock import FileLock
from playwright.sync_api import Browser, sync_playwright

import tools.site

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


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
    with served(site) as address:
        yield address


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser, for which no other host has an address."""
    if CHROMIUM is None:
        # In CI the absence of a browser is a failure, not a silence.
        assert os.environ.get("CI") != "true", "CI needs a browser: apt-get install chromium"
        pytest.skip("no browser: sudo apt-get install chromium (Debian), or install Google Chrome")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    # (Playwright's own way to refuse requests turns the browser's cache off.)
    alone = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*quiet, alone])
        yield browser
        browser.close()
