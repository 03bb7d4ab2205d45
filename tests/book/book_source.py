"""What the book is made from, for the tests beside this file."""

import functools
import re
import shlex
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "book"


def config() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))


def toc_files() -> list[str]:
    """The pages of _toc.yml in their order, as paths from the root without a suffix."""

    def walk(node: Any) -> Iterator[str]:
        if isinstance(node, list):
            for child in node:
                yield from walk(child)
        elif isinstance(node, dict):
            yield from (node[key] for key in ("root", "file") if key in node)
            for key in ("parts", "chapters", "sections"):
                yield from walk(node.get(key, []))

    return list(walk(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))))


def notebooks() -> list[Path]:
    return [path for name in toc_files() if (path := ROOT / f"{name}.ipynb").exists()]


def build_arguments() -> list[str]:
    """What `make book` hands to Jupyter Book."""
    found = re.search(r"^\t\$\(BIN\)/jupyter-book (build .*)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert found is not None, "the Makefile has no line that builds the book"
    return shlex.split(found[1])


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Address of a server of the folder on this machine."""
    handler = functools.partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
