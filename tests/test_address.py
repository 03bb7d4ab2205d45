"""The address of the repository stands in one place; all others follow it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tools import address, run

OTHER = address.Address("Some-One", "other-name")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the files that git tracks, as a repository."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=address.ROOT, check=True, capture_output=True, text=True)
    for name in filter(None, tracked.stdout.split("\0")):
        # Other projects' files hold no address of this one.
        if not name.startswith(("book/vendor/", "book/_ext/mathjax/")) and (address.ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(address.ROOT / name, tmp_path / name)
    for command in (["init", "--quiet"], ["add", "--all", "--force"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


@pytest.fixture
def small_root(tmp_path: Path) -> Path:
    """A repository with an address and one more file."""
    (tmp_path / "README.md").write_text("nothing yet", encoding="utf-8")
    shutil.copy(address.ROOT / "_config.yml", tmp_path)
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def contents(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in address.texts(root)}


def test_no_straggler_in_the_tree() -> None:
    assert address.stragglers() == []


def test_move_there_and_back(root: Path) -> None:
    old, before = address.current(root), contents(root)
    assert old != OTHER

    changed = address.move(OTHER, root)
    moved = contents(root)
    assert address.current(root) == OTHER
    assert {"_config.yml", "pyproject.toml", "README.md", "CITATION.cff"} <= {path.name for path in changed}
    assert {path for path in run.notebooks() if (root / path.relative_to(address.ROOT)) not in changed} == set()
    for form in old.forms:
        assert [path for path, text in moved.items() if form.encode() in text] == []
    assert address.stragglers(root) == []
    for path in changed:
        if path.suffix == ".ipynb" and b"outputs_sha256" in before[path]:
            run.check(path)

    assert address.move(OTHER, root) == []
    assert contents(root) == moved
    address.move(old, root)
    assert contents(root) == before


def test_a_straggler_is_found(small_root: Path) -> None:
    root = small_root
    name = address.current(root).name
    for text in (
        f"https://github.com/someone-else/{name}/issues",
        f"https://colab.research.google.com/github/someone-else/{name}/blob/main/x.ipynb",
        f"git+https://github.com/someone-else/{name}@main",
        f"https://someone-else.github.io/{name}/",
    ):
        (root / "README.md").write_text(text, encoding="utf-8")
        assert len(address.stragglers(root)) == 1, text


def test_a_repository_whose_name_only_begins_alike_is_another(small_root: Path) -> None:
    root = small_root
    url = address.current(root).url
    (root / "README.md").write_text(f"{url}-extra {url}/x {url}.git {url}. {url}", encoding="utf-8")
    address.move(OTHER, root)
    new = OTHER.url
    assert (root / "README.md").read_text(encoding="utf-8") == f"{url}-extra {new}/x {new}.git {new}. {new}"


@pytest.mark.parametrize(
    "url", ["https://github.com/a-b/c.d_e", "https://github.com/a-b/c.d_e/", "https://github.com/a-b/c.d_e.git"]
)
def test_an_address_in_its_spellings(url: str) -> None:
    parsed = address.Address.parse(url)
    assert parsed.url == "https://github.com/a-b/c.d_e"
    assert parsed.forms[2] == "a-b.github.io/c.d_e"


@pytest.mark.parametrize(
    "url",
    ["", "github.com/a/b", "http://github.com/a/b", "https://gitlab.com/a/b", "https://github.com/a", "https://github.com/-a/b",
     "https://github.com/a/b/tree/main", "https://github.com/a/b c", "git@github.com:a/b.git"],
)  # fmt: skip
def test_what_is_no_address_of_a_repository(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = address.current()
    assert address.main([url]) == 1
    assert "expected https://github.com/OWNER/NAME" in capsys.readouterr().err
    assert address.current() == before
