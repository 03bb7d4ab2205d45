"""The built pages, read as files."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from book_source import BOOK, ROOT, build_arguments, config, toc_files
from bs4 import BeautifulSoup, Tag

PAGES = toc_files()
STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module")
def soups(site: Path) -> dict[Path, BeautifulSoup]:
    """Each page of the table of contents, parsed, by its file."""
    files = [site / f"{name}.html" for name in PAGES]
    missing = [str(path.relative_to(site)) for path in files if not path.exists()]
    assert missing == [], "pages of _toc.yml that the build did not write"
    return {path: BeautifulSoup(path.read_bytes(), "html.parser") for path in files}


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest, site: Path, soups: dict[Path, BeautifulSoup]) -> tuple[Path, BeautifulSoup]:
    path = site / f"{request.param}.html"
    return path, soups[path]


def article(soup: BeautifulSoup) -> Tag:
    found = soup.select_one("article.bd-article")
    assert found is not None
    return found


def widget_state(soup: BeautifulSoup) -> dict[str, dict]:
    scripts = soup.find_all("script", type=STATE)
    return {key: model for script in scripts for key, model in json.loads(script.string)["state"].items()}


def images(soup: BeautifulSoup) -> Iterator[Tag]:
    """The pictures of a page, those that wait inside a widget among them."""
    yield from article(soup).find_all("img")
    for model in widget_state(soup).values():
        value = model["state"].get("value")
        if isinstance(value, str) and "<img" in value:
            yield from BeautifulSoup(value, "html.parser").find_all("img")
        if model["model_name"] == "ImageModel":  # has no alternative text at all
            pytest.fail("use ipywidgets.HTML with an <img alt=...>: an Image widget cannot carry alternative text")


def test_make_builds_strictly() -> None:
    # --all: a page that Sphinx has in its cache does not repeat its warnings, so that a second build is always clean.
    assert {"-W", "-n", "--all"} <= set(build_arguments())


def test_each_page_exists(soups: dict[Path, BeautifulSoup]) -> None:
    assert len(soups) == len(PAGES) >= 4


def test_pictures_have_alternative_text(page: tuple[Path, BeautifulSoup]) -> None:
    bare = [str(img)[:120] for img in images(page[1]) if not (img.get("alt") or "").strip()]
    assert bare == []
    # Sphinx falls back to the name of the file, which tells nobody anything.
    named = [img["alt"] for img in images(page[1]) if re.search(r"\.(png|svg|jpe?g)$", img["alt"])]
    assert named == []


def test_internal_links_resolve(page: tuple[Path, BeautifulSoup], site: Path, soups: dict[Path, BeautifulSoup]) -> None:
    path, soup = page
    broken = []
    for element in soup.select("a[href], link[href], script[src], img[src]"):
        target = str(element.get("href") or element.get("src"))
        parts = urlsplit(target)
        if parts.scheme or parts.netloc:
            continue
        file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if file.is_dir():
            file /= "index.html"
        if not file.is_relative_to(site.resolve()) or not file.exists():
            broken.append(target)
        elif parts.fragment and element.name == "a" and file in soups:
            name = unquote(parts.fragment)
            if not soups[file].find(attrs={"id": name}) and not soups[file].find(attrs={"name": name}):
                broken.append(target)
    assert broken == []


def test_each_chapter_opens_in_colab(soups: dict[Path, BeautifulSoup]) -> None:
    repository = config()["repository"]
    folder = f"{repository['url'].removeprefix('https://github.com/')}/blob/{repository['branch']}"
    for name in (name for name in PAGES if (ROOT / f"{name}.ipynb").exists()):
        soup = next(soup for path, soup in soups.items() if path.as_posix().endswith(f"{name}.html"))
        links = [a["href"] for a in soup.select("a[href^='https://colab.']")]
        assert links == [f"https://colab.research.google.com/github/{folder}/{name}.ipynb"]


def test_nothing_is_loaded_from_another_host(page: tuple[Path, BeautifulSoup]) -> None:
    loading = page[1].select("script[src], link[rel=stylesheet], link[rel=preload], img[src], iframe[src]")
    addresses = [str(element.get("src") or element.get("href")) for element in loading]
    assert [a for a in addresses if urlsplit(a).netloc] == []


def test_equation_references_resolve(page: tuple[Path, BeautifulSoup]) -> None:
    # \ref and \label reach neither another page nor Colab: equations carry a \tag (_ext/lecture11_book.py).
    math = [element.get_text() for element in article(page[1]).select(".math")]
    assert [text for text in math if re.search(r"\\(?:eq)?ref\{|\\label\{", text)] == []
    # What Sphinx prints for an equation that it does not find.
    assert "(?)" not in article(page[1]).get_text()


def test_no_markup_is_left_in_the_text(page: tuple[Path, BeautifulSoup]) -> None:
    text = BeautifulSoup(str(article(page[1])), "html.parser")
    for element in text.select("pre, code, script, style, .math"):
        element.decompose()
    found = re.findall(r"\$\$|\\begin\{|:::|\{cite|\{eq\}|^\(\S+\)=$", text.get_text(), flags=re.MULTILINE)
    assert found == []


def test_widget_state_is_whole(page: tuple[Path, BeautifulSoup]) -> None:
    path, soup = page
    state = widget_state(soup)
    views = [json.loads(script.string)["model_id"] for script in soup.find_all("script", type=VIEW)]
    assert [view for view in views if view not in state] == [], (
        f"{path.name}: a widget is shown whose state is not stored"
    )
    references = set(re.findall(r"IPY_MODEL_(\w+)", json.dumps(state)))
    assert references <= set(state)


def test_each_chapter_has_a_widget(soups: dict[Path, BeautifulSoup]) -> None:
    chapters = {path.stem: soup for path, soup in soups.items() if re.match(r"\d\d-", path.stem)}
    assert [name for name, soup in chapters.items() if not soup.find("script", type=VIEW)] == []


def sources() -> Iterator[tuple[str, str]]:
    """Name and text of each source page."""
    for name in PAGES:
        path = ROOT / f"{name}.md"
        if path.exists():
            yield path.name, path.read_text(encoding="utf-8")
        else:
            notebook = nbformat.read(ROOT / f"{name}.ipynb", as_version=4)
            yield f"{name}.ipynb", "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")


def test_each_cited_doi_is_in_the_bibliography() -> None:
    bib = (BOOK / "references.bib").read_text(encoding="utf-8")
    known = {doi.lower() for doi in re.findall(r"doi = \{(.+?)\}", bib)}
    entries = re.findall(r"^@", bib, flags=re.MULTILINE)
    assert len(known) + len(re.findall(r"url = \{http", bib)) == len(entries), "each entry has a DOI or an address"
    # A DOI may hold round brackets, so a Markdown link ends at white space or at a bracket that it did not open.
    doi = re.compile(r"doi\.org/((?:[^\s()<>\]]|\([^\s()]*\))+)")
    cited = {(name, found.lower()) for name, text in sources() for found in doi.findall(text)}
    assert {c for c in cited if c[1] not in known} == set(), "add it to book/references.bib"


def test_the_notation_names_each_symbol_once() -> None:
    rows = re.findall(r"^\| (\$.+?) \|", (BOOK / "notation.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    symbols = [symbol for row in rows for symbol in re.findall(r"\$(.+?)\$", row)]
    assert len(symbols) > 40
    assert sorted(symbols) == sorted(set(symbols))


def test_vendored_files_are_those_of_npm() -> None:
    # tools/vendor.py fetches them again from npm, and writes this list.
    listed = dict(reversed(line.split("  ", 1)) for line in (ROOT / "tools" / "vendor.sha256").read_text().splitlines())
    vendor = BOOK / "vendor"
    found = {
        path.relative_to(vendor).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in vendor.rglob("*")
        if path.is_file()
    }
    assert found == listed
    assert {"mathjax/LICENSE", "html-manager/LICENSE"} <= set(found)
