"""The built pages, read as files."""

import hashlib
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from book_source import BOOK, ROOT, config, parsed, toc_files
from bs4 import BeautifulSoup, Tag

PAGES = toc_files()


@pytest.fixture(scope="module")
def soups(site: Path) -> dict[Path, BeautifulSoup]:
    """Each page of the table of contents, parsed, by its file."""
    files = [site / f"{name}.html" for name in PAGES]
    missing = [str(path.relative_to(site)) for path in files if not path.exists()]
    assert missing == [], "pages of _toc.yml that the build did not write"
    return {path: parsed(path) for path in files}


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest, site: Path, soups: dict[Path, BeautifulSoup]) -> tuple[Path, BeautifulSoup]:
    path = site / f"{request.param}.html"
    return path, soups[path]


def article(soup: BeautifulSoup) -> Tag:
    found = soup.select_one("article.bd-article")
    assert found is not None
    return found


def stored(figure: Tag) -> list[tuple[str, str]]:
    """Address and alternative text of all pictures of a slider."""
    return [tuple(pair) for pair in json.loads(str(figure["data-pictures"]))]


def texts(soup: BeautifulSoup) -> Iterator[str]:
    """The alternative texts of a page, those of the pictures that wait behind a slider among them."""
    yield from (str(img.get("alt") or "") for img in article(soup).find_all("img"))
    for figure in soup.select("figure.pictures"):
        yield from (alt for _, alt in stored(figure))


def test_each_page_exists(soups: dict[Path, BeautifulSoup]) -> None:
    assert len(soups) == len(PAGES) >= 4


def test_pictures_have_alternative_text(page: tuple[Path, BeautifulSoup]) -> None:
    assert [alt for alt in texts(page[1]) if not alt.strip()] == []
    # Sphinx falls back to the name of the file, which tells nobody anything.
    assert [alt for alt in texts(page[1]) if re.search(r"\.(png|svg|jpe?g)$", alt)] == []


@pytest.fixture(scope="module")
def places(soups: dict[Path, BeautifulSoup]) -> dict[Path, set[str]]:
    """What a link may lead to on each page."""
    return {
        file: {str(tag[key]) for tag in soup.find_all(True) for key in ("id", "name") if tag.has_attr(key)}
        for file, soup in soups.items()
    }


def test_internal_links_resolve(page: tuple[Path, BeautifulSoup], site: Path, places: dict[Path, set[str]]) -> None:
    path, soup = page
    broken = []
    for element in soup.select("a[href], link[href], script[src], img[src]"):
        target = str(element.get("href") or element.get("src"))
        parts = urlsplit(target)
        if parts.scheme or parts.netloc:
            continue
        name = unquote(parts.fragment)
        file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if file.is_dir():
            file /= "index.html"
        if (
            not file.is_relative_to(site.resolve())
            or not file.exists()
            or (name and element.name == "a" and name not in places.get(file, {name}))
        ):
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


def test_icons_are_drawn_and_pictures_have_sizes(page: tuple[Path, BeautifulSoup]) -> None:
    _, soup = page
    # The icons of the theme, which had a script of half a megabyte.
    assert soup.select('[class*="fa-"]') == []
    assert soup.select_one("svg.svg-inline--fa path[d]")
    # No picture has to be waited for to know how large it is.
    sizeless = [str(img["src"]) for img in article(soup).select("img[src$='.png']") if not img.get("width")]
    assert sizeless == []


def test_what_is_not_shown_is_not_published(site: Path) -> None:
    assert list((site / "_static").rglob("*.map")) == []
    assert not (site / "_static" / "scripts" / "fontawesome.js").exists()
    fonts = list((site / "_static" / "vendor" / "fontawesome").rglob("*.*"))
    assert {font.suffix for font in fonts} == {".woff"}
    assert all(500 < font.stat().st_size < 5000 for font in fonts)


def test_equation_references_resolve(page: tuple[Path, BeautifulSoup]) -> None:
    # What MathJax prints for an equation that it does not find, and Sphinx.
    assert not re.search(r"\(\?+\)", article(page[1]).get_text())


def test_equations_carry_tags() -> None:
    # \ref and \label reach neither another page nor Colab (_ext/lecture11_book.py).
    assert [name for name, text in sources() if re.search(r"\\(?:eq)?ref\{|\\label\{", text)] == []


def test_no_markup_is_left_in_the_text(page: tuple[Path, BeautifulSoup]) -> None:
    whole = page[0].read_text(encoding="utf-8")
    text = whole[whole.index("<article") : whole.index("</article>")]
    text = re.sub(r"<(pre|code|script|style|math)\b.*?</\1>", "", text, flags=re.DOTALL)
    text = re.sub(r"<[^>]*>", "", text)
    assert re.findall(r"\$\$|\\begin\{|\\[(\[]|:::|\{cite|\{eq\}|^\(\S+\)=$", text, flags=re.MULTILINE) == []


def test_a_printed_number_has_a_true_minus(page: tuple[Path, BeautifulSoup]) -> None:
    cells = [cell.get_text() for cell in article(page[1]).select("td:not(:has(code)), th")]
    assert [text for text in cells if re.match(r"≈?-(\w|$)", text)] == []
    assert "≈-" not in article(page[1]).get_text()


def test_a_slider_has_all_its_pictures(page: tuple[Path, BeautifulSoup]) -> None:
    path, soup = page
    for figure in soup.select("figure.pictures"):
        sliders = [json.loads(str(slider["data-labels"])) for slider in figure.select("input[type=range]")]
        assert len(stored(figure)) == math.prod(map(len, sliders)) > 1
        assert [src for src, _ in stored(figure) if not (path.parent / src).resolve().is_file()] == []
        shown = figure.select_one("img")
        assert shown is not None
        assert (shown["src"], shown["alt"]) in stored(figure)
        for slider in figure.select("input[type=range]"):
            assert slider["aria-valuetext"] in json.loads(str(slider["data-labels"]))
            assert figure.select_one(f"label[for={slider['id']}]")


def test_no_page_needs_a_widget_manager(page: tuple[Path, BeautifulSoup]) -> None:
    assert page[1].select('script[type^="application/vnd.jupyter"]') == []


def test_each_chapter_can_be_played_with(soups: dict[Path, BeautifulSoup]) -> None:
    chapters = {path.stem: soup for path, soup in soups.items() if re.match(r"\d\d-", path.stem)}
    assert [name for name, soup in chapters.items() if not soup.select("figure.pictures, figure.live")] == []


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
    found = {
        path.relative_to(BOOK).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in ("vendor", "_ext/mathjax")
        for path in (BOOK / folder).rglob("*")
        if path.is_file()
    }
    assert found == listed
    assert "vendor/mathjax/LICENSE" in found


def test_each_figure_that_computes_has_a_picture(soups: dict[Path, BeautifulSoup]) -> None:
    """It is what a reader without JavaScript sees, and what is printed."""
    figures = [figure for soup in soups.values() for figure in soup.select("figure.live, figure.pictures")]
    assert len(figures) > 20
    assert [str(figure)[:200] for figure in figures if not figure.select_one("img[src][alt]")] == []
