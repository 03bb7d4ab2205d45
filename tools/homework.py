"""Makes the notebooks and pages in book/homework from ``lecture11/homework/sources``."""

from pathlib import Path

from lecture11.homework import build

FOLDER = Path(__file__).resolve().parents[1] / "book" / "homework"


def stale() -> list[Path]:
    """Files that are not as the sources say, and files that no source makes."""
    made = {FOLDER / name: text for name, text in build.build().items()}
    old = [path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    return old + [path for path in sorted(FOLDER.iterdir()) if path.is_file() and path not in made]


def write() -> None:
    for path in stale():
        path.unlink(missing_ok=True)
    build.write(FOLDER)
