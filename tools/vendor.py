"""Rebuild ``book/vendor``: the front-end files that pages and slides of the book load, taken from npm.

    python -m tools.vendor            # fetch, write, compare with vendor.sha256
    python -m tools.vendor --update   # after a change of version: write new checksums

They are kept in the repository so that a page asks no other host for anything: it works with no network, and
nobody is told who reads it. Needs ``npm``; the book's build does not.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VENDOR = Path(__file__).resolve().parents[1] / "book" / "vendor"
CHECKSUMS = Path(__file__).with_name("vendor.sha256")

# npm package -> folder under vendor, and {path or glob in the package: folder below that}
PACKAGES = {
    "mathjax@3.2.2": (
        "mathjax",
        {
            "LICENSE": ".",
            "es5/startup.js": ".",
            "es5/core.js": ".",
            "es5/input/tex.js": "input",
            # It is fetched where an equation has a colour.
            "es5/input/tex/extensions/color.js": "input/tex/extensions",
            "es5/output/chtml.js": "output",
            "es5/output/chtml/fonts/tex.js": "output/chtml/fonts",
            "es5/a11y/assistive-mml.js": "a11y",
            # MathJax looks for its fonts here, relative to its script.
            "es5/output/chtml/fonts/woff-v2/*.woff": "output/chtml/fonts/woff-v2",
        },
    ),
    # The slides (_ext/slides.py): the frame, and the speaker's view.
    "reveal.js@6.0.2": (
        "reveal",
        {"LICENSE": ".", "dist/reveal.js": ".", "dist/reveal.css": ".", "dist/plugin/notes.js": "."},
    ),
}


def checksums() -> str:
    """One line per vendored file, in the format of ``sha256sum``."""
    files = sorted(p for p in VENDOR.rglob("*") if p.is_file())
    return "".join(f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(VENDOR).as_posix()}\n" for p in files)


def fetch(package: str, folder: Path, wanted: dict[str, str]) -> None:
    """Unpack one npm package, whose integrity npm has verified, and copy the wanted files out of it."""
    with tempfile.TemporaryDirectory() as tmp:
        npm = ["npm", "pack", package, "--silent", "--pack-destination", tmp]
        subprocess.run(npm, check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(tmp).glob("*.tgz")
        with tarfile.open(archive) as tar:
            tar.extractall(tmp, filter="data")
        for pattern, target in wanted.items():
            found = sorted(Path(tmp, "package").glob(pattern))
            if not found:
                raise FileNotFoundError(f"{package} holds no {pattern}")
            (folder / target).mkdir(parents=True, exist_ok=True)
            for path in found:
                shutil.copyfile(path, folder / target / path.name)


def main() -> None:
    shutil.rmtree(VENDOR, ignore_errors=True)
    for package, (name, wanted) in PACKAGES.items():
        fetch(package, VENDOR / name, wanted)
    if "--update" in sys.argv[1:]:
        CHECKSUMS.write_text(checksums(), encoding="utf-8", newline="\n")
    elif checksums() != CHECKSUMS.read_text(encoding="utf-8"):
        sys.exit(f"the files differ from {CHECKSUMS.name}: see git diff, then run again with --update")


if __name__ == "__main__":
    main()
