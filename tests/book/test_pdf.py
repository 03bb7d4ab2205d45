"""The book on paper: one document, whose links lead within it, and a PDF of a part of it."""

import re
from pathlib import Path

import pytest
from book_source import ROOT, config, toc_files
from bs4 import BeautifulSoup
from playwright.sync_api import Browser

from tools import pdf

SOME = ["book/index", "book/notation", "book/08-adding-noise"]


def test_it_has_all_pages_in_their_order() -> None:
    import yaml

    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    found = list(pdf.pages(toc))
    assert [page for page, _ in found] == toc_files()
    assert [caption for _, caption in found if caption] == [part["caption"] for part in toc["parts"]]


def test_links_lead_within_the_document(site: Path) -> None:
    text = pdf.document(site, [(page, None) for page in SOME], config())
    soup = BeautifulSoup(pdf.FORMULA.sub("", text), "html.parser")
    assert len(pdf.FORMULA.findall(text)) > 200
    ids = [element["id"] for element in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))
    inside = [str(a["href"]) for a in soup.select("a[href^='#']")]
    assert {f"#{page}" for page in SOME} <= set(inside)
    assert [link for link in inside if link.removeprefix("#") not in ids] == []
    outside = [str(a["href"]) for a in soup.select("a[href]") if not str(a["href"]).startswith("#")]
    assert [link for link in outside if not re.match(r"https?://", link)] == []
    # Still pictures only, and none that waits to come near the screen.
    assert {img.get("loading") for img in soup.select("article img")} <= {"eager"}
    assert [str(img["src"]) for img in soup.select("img") if not (site / str(img["src"])[1:]).is_file()] == []


def test_a_page_is_printed(site: Path, tmp_path: Path, chromium: Browser) -> None:
    target = tmp_path / "part.pdf"
    pdf.print_pages(chromium, site, target, ["book/notation"])
    data = target.read_bytes()
    assert data.startswith(b"%PDF")
    sheets, outline = pdf.printed(target)
    assert 4 <= sheets <= 20  # a cover, the contents, the page on some sheets
    assert outline >= 3
    assert not (site / "whole-book.html").exists()


def test_a_site_that_is_not_built_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "x.html").write_text("<p>no article</p>")
    with pytest.raises(ValueError, match="build the site first"):
        pdf.article(tmp_path, "x", set(), "https://example.org/")
