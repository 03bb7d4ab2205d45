"""What the book is made from, for the tests beside this file."""

import functools
import gzip
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from bs4 import BeautifulSoup, Tag

from tools import browser

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


@functools.cache
def parsed(path: Path) -> BeautifulSoup:
    """A page, read once for all tests of a worker, without what is most of it: the glyphs of formulas, the MathML of
    those within a line, and the colours of code."""
    page = re.sub(r"<mjx-math.*?</mjx-math>", "", path.read_text(encoding="utf-8"))
    page = re.sub(r"<math>.*?</math>", "<math></math>", page)
    return BeautifulSoup(re.sub(r'<span class="\w{1,3}">([^<]*)</span>', r"\1", page), "html.parser")


def tags(element: Tag) -> list[str]:
    """The tags of the equations of a page, or of a part of it: F1, F2, ..."""
    return [cell.get_text().strip("()") for cell in element.select("mlabeledtr > mtd:first-child")]


COMPRESSED = (".html", ".css", ".js", ".svg", ".json")


@functools.cache
def compressed(path: Path) -> bytes:
    """A file as a server sends it: text compressed, all else as it is."""
    return gzip.compress(path.read_bytes(), 6) if path.suffix in COMPRESSED else path.read_bytes()


class CompressingHandler(browser.QuietHandler):
    """Sends text compressed, as servers do."""

    def send_head(self) -> io.BytesIO | None:  # type: ignore[override]
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return None
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        if path.suffix in COMPRESSED:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(compressed(path))))
        self.end_headers()
        return io.BytesIO(compressed(path))
