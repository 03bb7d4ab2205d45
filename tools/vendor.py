"""Rebuild what the book takes from npm: files that its pages load (``book/vendor``), and MathJax for its build.

    python -m tools.vendor            # fetch, write, compare with vendor.sha256
    python -m tools.vendor --update   # after a change of version: write new checksums

They are kept in the repository so that neither a page nor the build asks another host for anything: both work with no
network, and nobody is told who reads. Needs ``npm``.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

BOOK = Path(__file__).resolve().parents[1] / "book"
FOLDERS = ("vendor", "_ext/mathjax")
CHECKSUMS = Path(__file__).with_name("vendor.sha256")

# npm package -> {path or glob in the package: folder below book}
PACKAGES = {
    "mathjax@3.2.2": {
        "LICENSE": "vendor/mathjax",
        # What a page shows, and what the build typesets with (_ext/typeset.js).
        "es5/output/chtml/fonts/woff-v2/*.woff": "vendor/mathjax",
        "es5/startup.js": "_ext/mathjax",
        "es5/core.js": "_ext/mathjax",
        "es5/adaptors/liteDOM.js": "_ext/mathjax/adaptors",
        "es5/input/tex.js": "_ext/mathjax/input",
        # It is loaded where an equation has a colour.
        "es5/input/tex/extensions/color.js": "_ext/mathjax/input/tex/extensions",
        "es5/output/chtml.js": "_ext/mathjax/output",
        "es5/output/chtml/fonts/tex.js": "_ext/mathjax/output/chtml/fonts",
        "es5/a11y/assistive-mml.js": "_ext/mathjax/a11y",
    },
    # The slides (_ext/slides.py): the frame, and the speaker's view.
    "reveal.js@6.0.2": dict.fromkeys(
        ("LICENSE", "dist/reveal.js", "dist/reveal.css", "dist/plugin/notes.js"), "vendor/reveal"
    ),
}


def files() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (BOOK / folder).rglob("*") if path.is_file())


def checksums() -> str:
    """One line per file, in the format of ``sha256sum``."""
    return "".join(f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(BOOK).as_posix()}\n" for p in files())


def fetch(package: str, wanted: dict[str, str]) -> None:
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
            (BOOK / target).mkdir(parents=True, exist_ok=True)
            for path in found:
                shutil.copyfile(path, BOOK / target / path.name)


def main() -> None:
    for folder in FOLDERS:
        shutil.rmtree(BOOK / folder, ignore_errors=True)
    for package, wanted in PACKAGES.items():
        fetch(package, wanted)
    if "--update" in sys.argv[1:]:
        CHECKSUMS.write_text(checksums(), encoding="utf-8", newline="\n")
    elif checksums() != CHECKSUMS.read_text(encoding="utf-8"):
        sys.exit(f"the files differ from {CHECKSUMS.name}: see git diff, then run again with --update")


if __name__ == "__main__":
    main()
