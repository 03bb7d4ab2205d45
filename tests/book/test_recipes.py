"""The forms of writing that chapters use: they build strictly, and their mistakes do not.

They were chosen to read well in Colab too, which knows plain Markdown, HTML and formulas, and no Sphinx.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from book_source import BOOK, ROOT, config
from bs4 import BeautifulSoup
from nbformat.v4 import new_markdown_cell, new_notebook, writes

pytestmark = pytest.mark.slow

CHAPTER = r"""# Chapter

## A section

$$
\begin{aligned}
a &= b \\
  &= c < d
\end{aligned}
\tag{F90}
$$

Inline $a < b$.

> **Note.** A remark.

### Exercise 1

What is $1 + 1$?

<details>
<summary>Solution</summary>

By (F90) it is **two**:

$$1 + 1 = 2$$

</details>
"""

OTHER = r"""# Other

See [(F90)](#F90), [a section](chapter.ipynb#a-section), [the chapter](chapter.ipynb) and
[Vincent (2011)](https://doi.org/10.1162/NECO_a_00142), in code [`gaussian.kl`](SOURCES/lecture11/gaussian.py#kl).
"""

BROKEN = r"""# Other

See [(F99)](#F99), [a section](chapter.ipynb#no-section), [no chapter](none.ipynb) and {cite}`nobody1900`,
[no function](SOURCES/lecture11/gaussian.py#no_such) and [a line](SOURCES/lecture11/gaussian.py#L3).

$$a \tag{F90}$$

and $\nothing$.
"""


def build(folder: Path, other: str) -> subprocess.CompletedProcess[str]:
    """Build a book of two pages with the configuration of the real one."""
    (folder / "book").mkdir(parents=True)
    shutil.copy(ROOT / "_config.yml", folder)
    for name in ("_ext", "static", "vendor", "references.bib"):
        (folder / "book" / name).symlink_to(BOOK / name)
    (folder / "_toc.yml").write_text("format: jb-book\nroot: book/chapter\nchapters:\n  - file: book/other\n")
    cells = [new_markdown_cell(part) for part in CHAPTER.split("\n### ")]
    cells[1].source = "### " + cells[1].source
    (folder / "book" / "chapter.ipynb").write_text(writes(new_notebook(cells=cells)), encoding="utf-8")
    repository = config()["repository"]
    other = other.replace("SOURCES", f"{repository['url']}/blob/{repository['branch']}")
    (folder / "book" / "other.md").write_text(other, encoding="utf-8")
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(folder), "-W", "-n", "--keep-going"]
    return subprocess.run(command, env={**os.environ, "NO_COLOR": "1"}, text=True, capture_output=True)


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recipes")
    run = build(folder, OTHER)
    assert run.returncode == 0, run.stderr
    return folder / "_build" / "html" / "book"


def test_an_equation_is_linked_by_its_tag(html: Path) -> None:
    chapter = BeautifulSoup((html / "chapter.html").read_bytes(), "html.parser")
    other = BeautifulSoup((html / "other.html").read_bytes(), "html.parser")
    link = other.find("a", string="(F90)")
    assert link is not None
    assert link["href"] == "chapter.html#f90"
    equation = chapter.find(id="f90")
    assert equation is not None
    # As written: MathJax refuses a tag inside the environment that Sphinx puts around several lines.
    assert equation.get_text().split() == ["(F90)a=b=c<d"]


def test_a_link_to_a_function_leads_to_its_line(html: Path) -> None:
    other = BeautifulSoup((html / "other.html").read_bytes(), "html.parser")
    link = next(a["href"] for a in other.find_all("a") if a.get_text() == "gaussian.kl")
    file, _, line = link.partition("#L")
    assert file == f"{config()['repository']['url']}/blob/main/lecture11/gaussian.py"
    assert (ROOT / "lecture11" / "gaussian.py").read_text().splitlines()[int(line) - 1].startswith("def kl(")


def test_a_folded_solution_is_typeset(html: Path) -> None:
    chapter = BeautifulSoup((html / "chapter.html").read_bytes(), "html.parser")
    details = chapter.select_one("article details")
    assert details is not None
    assert details.select_one("strong, .math") is not None
    assert not details.has_attr("open")


def test_each_mistake_is_a_warning(tmp_path: Path) -> None:
    run = build(tmp_path, BROKEN)
    assert run.returncode != 0
    for message in ("'F99'", "no-section", "none.ipynb", "nobody1900", "equation F90 is on page book/chapter already",
                    "gaussian.py defines no_such 0 times", "name the function instead of the line",
                    r"book/other.html: Undefined control sequence \nothing"):  # fmt: skip
        assert message in run.stderr + run.stdout, message
