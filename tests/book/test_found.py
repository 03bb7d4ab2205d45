"""A page is found: by its address, by the site's search, by search engines, by those with whom a link is shared."""

import importlib
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.parse import urljoin

import pytest
from book_source import BOOK, config, parsed, toc_files
from bs4 import BeautifulSoup

ADDRESS = config()["html"]["baseurl"]
MODULES = re.findall(r"automodule:: ([\w.]+)", (BOOK / "api.md").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, BeautifulSoup]:
    return {name: parsed(site / f"{name}.html") for name in toc_files()}


@pytest.fixture(scope="module")
def entries(site: Path) -> dict[str, set[tuple[str, str]]]:
    """The entries of the search's index: words, and the pages and ids that they lead to."""
    text = (site / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(text.removeprefix("Search.setIndex(").removesuffix(")"))
    names = index["docnames"]
    return {words: {(names[doc], at) for doc, at, _ in places} for words, places in index["indexentries"].items()}


@pytest.fixture(scope="module")
def ids(pages: dict[str, BeautifulSoup]) -> dict[str, set[str]]:
    """What an address on each page may lead to."""
    return {name: {str(tag["id"]) for tag in page.find_all(id=True)} for name, page in pages.items()}


def content(page: BeautifulSoup, **attributes: str) -> str:
    (tag,) = page.find_all("meta", attrs=attributes)
    return str(tag["content"])


@pytest.mark.parametrize("name", toc_files())
def test_each_page_introduces_itself(pages: dict[str, BeautifulSoup], name: str) -> None:
    page = pages[name]
    assert len(content(page, name="description")) > 40
    assert page.find("link", rel="canonical")["href"] == f"{ADDRESS}{name}.html" == content(page, property="og:url")
    assert content(page, property="og:site_name") == config()["title"]
    assert content(page, property="og:image").startswith(ADDRESS)
    assert len(page.find_all("title")) == 1


def test_the_picture_of_a_shared_link_is_there(pages: dict[str, BeautifulSoup], site: Path) -> None:
    for page in pages.values():
        assert (site / content(page, property="og:image").removeprefix(ADDRESS)).is_file()


def test_what_stands_at_the_root(site: Path) -> None:
    places = {place.text for place in ET.parse(site / "sitemap.xml").iter() if place.tag.endswith("loc")}
    assert {f"{ADDRESS}{name}.html" for name in toc_files()} <= places
    assert f"Sitemap: {ADDRESS}sitemap.xml" in (site / "robots.txt").read_text()
    root = BeautifulSoup((site / "index.html").read_bytes(), "html.parser")
    assert root.html["lang"] == "en"
    assert root.title.string == config()["title"]
    assert (site / root.find("a")["href"]).is_file()


def test_each_page_says_once_how_wide_it_is(site: Path) -> None:
    pages = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    counts = {path.name: path.read_text(encoding="utf-8").count('<meta name="viewport"') for path in pages}
    assert len(counts) > 25
    assert {name: n for name, n in counts.items() if n != 1} == {}


def test_the_page_of_a_wrong_address_works_at_any_depth(site: Path) -> None:
    page = BeautifulSoup((site / "404.html").read_bytes(), "html.parser")
    links = [tag["href"] for tag in page.find_all("link", rel="stylesheet")]
    links += [tag["href"] for tag in page.select("nav a[href]")]
    assert len(links) > 20
    assert [link for link in links if not urljoin(f"{ADDRESS}some/where/else", link).startswith(ADDRESS)] == []


def test_the_label_of_each_statement_is_an_address(
    ids: dict[str, set[str]], entries: dict[str, set[tuple[str, str]]]
) -> None:
    for number in range(1, 42):
        label = f"F{number}"
        stated = {name for name in ids if label in ids[name]}
        assert len(stated) == 1, label
        assert entries[label.lower()] == {(stated.pop(), label)}


def test_a_term_leads_to_where_it_is_explained(
    ids: dict[str, set[str]], entries: dict[str, set[tuple[str, str]]]
) -> None:
    terms = {words: places for words, places in entries.items() if not re.fullmatch(r"f\d+", words)}
    assert len(terms) > 30
    for words, places in terms.items():
        for name, at in places:
            assert at in ids[name], (words, name, at)
    for words in ("aggregated posterior", "kl() (in module lecture11.gaussian)"):
        assert words in terms


@pytest.mark.parametrize("module", MODULES)
def test_the_page_of_the_package_has_all_that_is_public(ids: dict[str, set[str]], module: str) -> None:
    loaded = importlib.import_module(module)
    own = (name for name, value in vars(loaded).items() if getattr(value, "__module__", None) == module)
    public = [name for name in getattr(loaded, "__all__", own) if not name.startswith("_")]
    documented = [name for name in public if callable(getattr(loaded, name)) and getattr(loaded, name).__doc__]
    assert documented
    assert [name for name in documented if f"{module}.{name}" not in ids["book/api"]] == []
