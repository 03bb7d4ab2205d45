"""Moves the project to another repository: ``make address URL=https://github.com/OWNER/NAME``.

The address stands in ``_config.yml`` (``repository: url:``). All other places repeat it, since they are read by
programs that cannot look there: badges, links, Colab's install lines, package metadata, the address of the site.
This rewrites them all; with no URL it only prints the address.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
URL = re.compile(
    r"https://github\.com/(?P<owner>[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38})/(?P<name>[A-Za-z0-9._-]+?)(?:\.git)?/?"
)
# What may follow the name of a repository in a link; "lecture11-extra" is another repository.
END = r"(?![A-Za-z0-9_-])"


@dataclass(frozen=True)
class Address:
    """A repository on GitHub, and the site that GitHub Pages makes of it."""

    owner: str
    name: str

    @classmethod
    def parse(cls, url: str) -> "Address":
        match = URL.fullmatch(url)
        if match is None:
            raise ValueError(f"not the address of a repository: {url!r}; expected https://github.com/OWNER/NAME")
        return cls(match["owner"], match["name"])

    @property
    def url(self) -> str:
        return f"https://github.com/{self.owner}/{self.name}"

    @property
    def forms(self) -> tuple[str, str, str]:
        """How the address shows in a text: of the repository, of a file of it in Colab, of its site."""
        repository = f"{self.owner}/{self.name}"
        return (
            f"github.com/{repository}",
            f"colab.research.google.com/github/{repository}",
            f"{self.owner.lower()}.github.io/{self.name}",
        )


def current(root: Path = ROOT) -> Address:
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    return Address.parse(config["repository"]["url"])


def texts(root: Path = ROOT) -> dict[Path, str]:
    """All text files that git tracks, but not those of other projects (``book/vendor``, ``book/_ext/mathjax``)."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True).stdout
    found = {}
    for name in filter(None, listed.split("\0")):
        path = root / name
        if name.startswith(("book/vendor/", "book/_ext/mathjax/")) or not path.is_file():
            continue
        try:
            found[path] = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:  # a picture, or data
            continue
    return found


def move(new: Address, root: Path = ROOT) -> list[Path]:
    """Rewrites every mention of the current address, and returns the changed files."""
    replaced = dict(zip(current(root).forms, new.forms, strict=True))
    mention = re.compile("(?:" + "|".join(re.escape(form) for form in replaced) + ")" + END)
    changed = []
    for path, old_text in texts(root).items():
        new_text = mention.sub(lambda match: replaced[match[0]], old_text)
        if new_text != old_text:
            path.write_bytes(new_text.encode("utf-8"))
            changed.append(path)
    return changed


def stragglers(root: Path = ROOT, names: Sequence[str] = ("lecture11",)) -> list[str]:
    """Mentions of a repository of this project's name, or of its site, that are not the current address."""
    address = current(root)
    alternatives = "|".join(re.escape(name) for name in {address.name, *names})
    suspect = re.compile(
        rf"(?:github\.com|/github)/[\w-]+/(?:{alternatives}){END}|(?<![\w-])[\w-]+\.github\.io/(?:{alternatives}){END}"
    )
    return [
        f"{path.relative_to(root)}: {match[0]}"
        for path, text in texts(root).items()
        for match in suspect.finditer(text)
        if not any(form.endswith(match[0]) for form in address.forms)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", nargs="?", help="https://github.com/OWNER/NAME")
    options = parser.parse_args(arguments)
    if options.url is None:
        print(current().url)
        return 0
    try:
        changed = move(Address.parse(options.url))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    for path in changed:
        print(path.relative_to(ROOT))
    print(f"{current().url}: {len(changed)} files changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
