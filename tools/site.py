"""Builds the site into _build/html, strictly: ``make book``. What is built already, from the same files, is left as is.

So the tests of the pages, and the next command that needs the site, do not build it again.
"""

import hashlib
import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from filelock import FileLock

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
STAMP = ROOT / "_build" / "site.txt"
# --all: a page that Sphinx has in its cache does not repeat its warnings.
COMMAND = ["jupyter-book", "build", ".", "-W", "-n", "--keep-going", "--all"]
SOURCES = ("book", "lecture11", "tools", "_config.yml", "_toc.yml")


def fingerprint() -> str:
    """Of all that the site is made from: files, installed packages, and whether there is a PDF to link to."""
    found = hashlib.sha256(repr([sys.version, os.environ.get("BOOK_PDF")]).encode())
    # Once each: one that lies in two folders of sys.path is found twice.
    for distribution in sorted({f"{d.name} {d.version}" for d in importlib.metadata.distributions()}):
        found.update(distribution.encode())
    for source in SOURCES:
        for path in sorted([ROOT / source, *(ROOT / source).rglob("*")]):
            if path.is_file() and path.suffix != ".pyc":
                found.update(f"{path.relative_to(ROOT)} {path.stat().st_size}\n".encode())
                found.update(path.read_bytes())
    return found.hexdigest()


def build(**options: Any) -> subprocess.CompletedProcess[str] | None:
    """Builds the site where it is needed, one process at a time; None: it is there.

    Args:
        options: of ``subprocess.run``.
    """
    STAMP.parent.mkdir(exist_ok=True)
    with FileLock(STAMP.with_suffix(".lock")):
        before = fingerprint()
        if SITE.is_dir() and STAMP.exists() and STAMP.read_text(encoding="utf-8") == before:
            return None
        STAMP.unlink(missing_ok=True)
        run = subprocess.run([str(Path(sys.executable).with_name(COMMAND[0])), *COMMAND[1:]], cwd=ROOT, **options)
        if run.returncode == 0 and fingerprint() == before:  # else a file was changed meanwhile
            STAMP.write_text(before, encoding="utf-8")
        return run


def main() -> int:
    run = build()
    if run is None:
        print(f"{SITE.relative_to(ROOT)} is up to date.")
    return run.returncode if run else 0


if __name__ == "__main__":
    sys.exit(main())
