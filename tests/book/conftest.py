"""The built site, and a server of it."""

import functools
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from book_source import ROOT, build_arguments
from filelock import FileLock


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, built strictly, once for all workers of xdist."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    log = shared / "book.log"
    with FileLock(shared / "book.lock"):
        if not log.exists():
            command = [str(Path(sys.executable).with_name("jupyter-book")), *build_arguments()]
            run = subprocess.run(command, cwd=ROOT, env={**os.environ, "NO_COLOR": "1"}, text=True, capture_output=True)
            log.write_text(f"{run.returncode}\n{run.stdout}\n{run.stderr}", encoding="utf-8")
    code, output = log.read_text(encoding="utf-8").split("\n", 1)
    if code != "0":
        lines = [line for line in output.splitlines() if "WARNING" in line or "ERROR" in line]
        pytest.fail("the strict build of the book failed:\n" + ("\n".join(lines) or output[-4000:]), pytrace=False)
    return ROOT / "_build" / "html"


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="session")
def url(site: Path) -> Iterator[str]:
    """Address of a server of the site on this machine."""
    handler = functools.partial(QuietHandler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
