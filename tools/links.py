"""Looks for dead links to other sites, in the pages, notebooks, bibliography and documents of the repository.

A site that answers "forbidden" or "too many requests" refuses machines, as many publishers do: that is reported, but
not counted as dead. Without a network, every link is reported as unreachable.
"""

import argparse
import re
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
SUFFIXES = {".md", ".ipynb", ".bib", ".cff", ".toml", ".yml"}
LINK = re.compile(r"https?://[^\s<>\"'`{}\\|^]+[^\s<>\"'`{}\\|^.,;:!?*]")
DOI = re.compile(r"^\s*doi\s*=\s*[{\"](10\.[^}\"]+)", re.MULTILINE)
LOCAL = re.compile(r"https?://(localhost|127\.0\.0\.1)\b")
CONTEXT = ssl.create_default_context()  # once: to read the certificates takes longer than most answers
REFUSED = {401, 403, 418, 429, 503, 999}


def text_of(path: Path) -> str:
    """What an author wrote in the file: of a notebook, its cells without their outputs."""
    if path.suffix == ".ipynb":
        return "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
    return path.read_text(encoding="utf-8")


def links_in(text: str) -> set[str]:
    found = {_as_written(link) for link in LINK.findall(text) if not LOCAL.match(link)}
    return found | {f"https://doi.org/{doi.strip()}" for doi in DOI.findall(text)}


def _as_written(link: str) -> str:
    """Cuts what belongs to the text around the link: a bracket that nothing in the link opens, a branch, an anchor."""
    for opening, closing in ("()", "[]"):
        while link.count(closing) > link.count(opening):
            link = link[: link.rindex(closing)]
    # pip's "git+https://github.com/OWNER/NAME@main"
    return re.sub(r"(#|(?<=[\w-])@).*", "", link)


def state(link: str, timeout: float) -> str:
    """``ok``, ``refused ...`` or ``dead ...``, with the reason."""
    request = urllib.request.Request(link, headers={"User-Agent": "Mozilla/5.0 (link check)", "Accept": "*/*"})
    try:
        with urllib.request.urlopen(request, timeout=timeout, context=CONTEXT):
            return "ok"
    except urllib.error.HTTPError as error:
        return f"{'refused' if error.code in REFUSED else 'dead'} {error.code} {error.reason}"
    except (OSError, ValueError) as error:  # no such host, no answer in time, a malformed address
        return f"dead {error}"


def _documents() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if Path(name).suffix in SUFFIXES and (ROOT / name).exists()]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="files to read (default: all documents of the repository)")
    parser.add_argument("--timeout", type=float, default=30, help="seconds to wait for an answer (%(default)g)")
    options = parser.parse_args(arguments)

    places: dict[str, list[str]] = {}
    for path in options.files or _documents():
        for link in links_in(text_of(path)):
            places.setdefault(link, []).append(path.name)
    links = sorted(places)
    with ThreadPoolExecutor(8) as pool:
        states = dict(zip(links, pool.map(lambda link: state(link, options.timeout), links), strict=True))
    bad = {link: found for link, found in states.items() if found != "ok"}
    for link, found in bad.items():
        print(f"{found}: {link} (in {', '.join(sorted(places[link]))})")
    dead = sum(found.startswith("dead") for found in bad.values())
    print(f"{len(links)} links: {len(links) - len(bad)} answer, {len(bad) - dead} refuse machines, {dead} dead")
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main())
