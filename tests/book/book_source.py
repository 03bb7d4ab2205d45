"""What the book is made from, for the tests beside this file."""

import re
import shlex
from collections.abc import Iterator
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
