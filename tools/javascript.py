"""``python -m tools.javascript``: types and formatting of live figures and picture sliders, by pinned tools of npm.

Without Node.js nothing is checked, and that is said; where ``CI`` is ``true`` it is an error. Neither tool depends on
another package. ``--fix`` formats.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TYPESCRIPT, PRETTIER = "typescript@5.9.3", "prettier@3.10.1"
TYPES = [
    "--noEmit", "--checkJs", "--allowJs", "--strict", "--target", "es2022", "--module", "es2022",
    "--moduleResolution", "bundler", "--lib", "es2023,dom,dom.iterable",
]  # fmt: skip


def main(arguments: list[str]) -> int:
    npx = shutil.which("npx")
    if npx is None:
        print("Node.js is not here: the types and the formatting of book/static/live were not checked")
        return int(os.environ.get("CI") == "true")
    static = ROOT / "book" / "static"
    files = [str(path.relative_to(ROOT)) for path in (static / "pictures.js", *sorted(static.glob("live/*.js")))]
    form = "--write" if "--fix" in arguments else "--check"
    commands = [
        [npx, "--yes", f"--package={TYPESCRIPT}", "tsc", *TYPES, *files],
        [npx, "--yes", PRETTIER, "--print-width", "120", "--log-level", "warn", form, *files],
    ]
    return max(subprocess.run(command, cwd=ROOT, check=False).returncode for command in commands)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
