"""What the page folds, and equations in two widths: what a notebook says with headings and comments."""

import re
from pathlib import Path

import nbformat
import pytest
from book_source import ROOT, parsed, tags
from bs4 import BeautifulSoup

from tools import text

HEADING = re.compile(r"^##+ ((?:Checked|Further)\b.*)$", flags=re.MULTILINE)


@pytest.fixture(params=text.paired(), ids=lambda path: path.stem)
def chapter(request: pytest.FixtureRequest, site: Path) -> tuple[nbformat.NotebookNode, BeautifulSoup]:
    page = site / request.param.relative_to(ROOT).with_suffix(".html")
    return nbformat.read(request.param, as_version=4), parsed(page)


def source(notebook: nbformat.NotebookNode) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def test_evidence_is_a_line_that_opens(chapter: tuple[nbformat.NotebookNode, BeautifulSoup]) -> None:
    notebook, page = chapter
    headings = HEADING.findall(source(notebook))
    folded = page.select("article details.evidence")
    assert len(folded) == len(headings)
    for details, heading in zip(folded, headings, strict=True):
        summary = details.find("summary", recursive=False)
        plain = re.sub(r"[`*]|\[|\]\(.*?\)|\$.*", "", heading)
        assert summary is not None
        assert summary.get_text().startswith(plain[:12])
        assert details.find("h2") is details.find("h3") is None
        assert not details.has_attr("open")
        assert details["id"]
    contents = [str(link["href"]) for link in page.select("a.nav-link[href^='#']")]
    assert contents
    assert [link for link in contents if link.startswith(("#checked", "#further"))] == []


def test_each_line_says_what_was_checked(chapter: tuple[nbformat.NotebookNode, BeautifulSoup]) -> None:
    checked = [heading for heading in HEADING.findall(source(chapter[0])) if heading.startswith("Checked")]
    assert [heading for heading in checked if not re.match(r"Checked: \S.{15}", heading)] == []


def test_an_equation_with_a_form_for_a_phone_has_both(chapter: tuple[nbformat.NotebookNode, BeautifulSoup]) -> None:
    notebook, page = chapter
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    shown = [output.get("data", {}).get("text/latex", "") for output in outputs]
    forms = len(re.findall(r"^% narrow:$", "\n".join([source(notebook), *shown]), flags=re.MULTILINE))
    wide, narrow = page.select("div.math.wide"), page.select("div.math.narrow")
    assert len(wide) == len(narrow) == forms
    for first, second in zip(wide, narrow, strict=True):
        assert tags(first) == tags(second)
        assert len(tags(first)) <= 1
        assert not any("%" in equation.get_text() for equation in (first, second))
        # The target of links is the form that is seen on a wide screen, and there is one.
        assert not second.get("id")


def test_an_erratum_is_a_line_that_opens(chapter: tuple[nbformat.NotebookNode, BeautifulSoup]) -> None:
    _, page = chapter
    for details in page.select("article details.erratum"):
        summary = details.find("summary")
        assert summary is not None
        assert re.match(r"Errat(um E\d+|a E\d+ to E\d+): \S", summary.get_text())
        assert details.select_one('a[href*="errata.html#e"]') is not None
