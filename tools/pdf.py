"""The whole book as one PDF, printed by Chromium: ``make pdf``, or this after ``make book``.

The articles of the built pages, in the order of the table of contents, become one page with a cover and a list of
contents; links between pages become links within it, and links to what is not in it lead to the site. LaTeX would lose
the figures; formulas are those of the pages. What was printed is looked at: pages, outline, pictures, links.
"""

import argparse
import itertools
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import yaml
from bs4 import BeautifulSoup
from playwright.sync_api import Browser

from tools import browser

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
FORMULA = re.compile(r"<mjx-math.*?</mjx-math>", re.DOTALL)
# What a printed document would show wrongly: pictures that are not there, formulas that are still source, dead links.
FAULTS = """() => {
  const all = (what, fault) => [...document.querySelectorAll(what)].filter(fault);
  const ids = new Set(all('[id]', () => true).map((e) => e.id));
  return [
    ...all('img', (e) => !e.naturalWidth).map((e) => `picture ${e.src}`),
    ...all('.math', (e) => !e.querySelector('mjx-container')).map((e) => `formula ${e.textContent.slice(0, 60)}`),
    ...all('a[href^="#"]', (e) => !ids.has(decodeURIComponent(e.hash.slice(1)))).map((e) => `link ${e.hash}`),
  ];
}"""
STYLE = """
@page { size: A4; margin: 18mm 16mm 20mm; }
html { font-size: 13px; }
body { background: #fff; }
.cover { break-after: page; padding-top: 8cm; text-align: center; }
.cover h1 { font-size: 2.6rem; }
.contents ul { list-style: none; }
article { break-before: page; max-width: none; }
.bd-article mjx-container[display="true"] { max-width: 100%; }
"""
FOOTER = """<div style="font-size: 8px; width: 100%; text-align: center; color: #444">
<span class="pageNumber"></span></div>"""


def pages(node: Any) -> Iterator[tuple[str, str | None]]:
    """The pages of a table of contents in their order, the first of each part with the part's name."""
    if "root" in node:
        yield node["root"], None
    for part in node.get("parts", []):
        caption: str | None = part["caption"]
        for page, _ in pages(part):
            yield page, caption
            caption = None
    for child in [*node.get("chapters", []), *node.get("sections", [])]:
        yield child["file"], None
        yield from pages(child)


def article(site: Path, page: str, known: set[str], address: str) -> tuple[str, str]:
    """Title and article of a page, with ids of its own, for a document that holds all pages that are ``known``.

    Raises:
        ValueError: it has no article, as when the site was not built.
    """
    text = (site / f"{page}.html").read_text(encoding="utf-8")
    # What draws the formulas, nine tenths of a page, is set aside: it has neither ids nor links.
    formulas = FORMULA.findall(text)
    number = itertools.count()
    soup = BeautifulSoup(FORMULA.sub(lambda _: f'<mjx-math n="{next(number)}"></mjx-math>', text), "html.parser")
    found = soup.select_one("article.bd-article")
    if found is None:
        raise ValueError(f"{page}.html has no article: build the site first, with make book")
    for element in found.find_all(id=True):
        element["id"] = f"{page}--{element['id']}"
    for element in found.select("[for]"):
        element["for"] = f"{page}--{element['for']}"
    for element in found.select("script, .headerlink, button"):
        element.decompose()
    for link in found.select("a[href]"):
        target = urlsplit(urljoin(f"/{page}.html", str(link["href"])))
        name = target.path.removeprefix("/").removesuffix(".html")
        if target.scheme or target.netloc:
            continue
        if name in known:
            link["href"] = f"#{name}--{target.fragment}" if target.fragment else f"#{name}"
        else:
            link["href"] = urljoin(address, target.geturl().removeprefix("/"))
    for image in found.select("img[src]"):
        image["src"] = urljoin(f"/{page}.html", str(image["src"]))
        image["loading"] = "eager"
    found["id"] = page
    heading = found.select_one("h1")
    title = heading.get_text(" ", strip=True) if heading else page
    return title, re.sub(r'<mjx-math n="(\d+)"></mjx-math>', lambda match: formulas[int(match[1])], str(found))


def document(site: Path, names: Sequence[tuple[str, str | None]], config: dict[str, Any]) -> str:
    """All of it as one page."""
    known = {page for page, _ in names}
    articles = [article(site, page, known, config["html"]["baseurl"]) for page, _ in names]
    contents = []
    for (page, caption), (title, _) in zip(names, articles, strict=True):
        part = f"<li><strong>{caption}</strong></li>" if caption else ""
        contents.append(f'{part}<li><a href="#{page}">{title}</a></li>')
    # The styles of a page with formulas, so that all looks as on the site.
    head = BeautifulSoup((site / "book" / "notation.html").read_bytes(), "html.parser").head
    assert head is not None
    styles = head.select("link[rel=stylesheet]")
    for style in styles:
        style["href"] = urljoin("/book/x.html", str(style["href"]))
    return (
        f'<!DOCTYPE html><html lang="en" data-theme="light" data-mode="light"><head><meta charset="utf-8">'
        f"<title>{config['title']}</title>{''.join(map(str, styles))}<style>{STYLE}</style></head><body>"
        f'<section class="cover"><h1>{config["title"]}</h1><p>{config["author"]}, {config["copyright"]}</p>'
        f'<p><a href="{config["html"]["baseurl"]}">{config["html"]["baseurl"]}</a></p></section>'
        f'<nav class="contents"><h1>Contents</h1><ul>{"".join(contents)}</ul></nav>'
        f"{''.join(text for _, text in articles)}</body></html>"
    )


def print_pages(chromium: Browser, site: Path, target: Path, only: Sequence[str] = ()) -> None:
    """Writes the PDF of all pages, or of those that are named.

    Raises:
        RuntimeError: a picture, a formula or a link is not as it should be, or the PDF has fewer sheets than the book
            has pages, or no outline.
    """
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    names = [(page, caption) for page, caption in pages(toc) if not only or page in only]
    whole = site / "whole-book.html"
    whole.write_text(document(site, names, config), encoding="utf-8")
    page = chromium.new_page()
    page.set_default_timeout(1_800_000)
    try:
        with browser.served(site) as address:
            page.goto(f"{address}/{whole.name}", wait_until="load")
            page.evaluate("() => document.fonts.ready.then(() => null)")
            if faults := page.evaluate(FAULTS):
                raise RuntimeError(f"{len(faults)} faults, the first: {'; '.join(faults[:3])}")
            page.pdf(
                path=target, format="A4", prefer_css_page_size=True, print_background=True, outline=True, tagged=True,
                display_header_footer=True, header_template="<span></span>", footer_template=FOOTER,
            )  # fmt: skip
    finally:
        page.close()
        whole.unlink()
    sheets, outline = printed(target)
    if sheets < len(names) + 2 or not outline:
        raise RuntimeError(
            f"{target} has {sheets} sheets, an outline of {outline} lines; {len(names)} pages were printed"
        )


def printed(target: Path) -> tuple[int, int]:
    """How many sheets a PDF has, and how many lines its outline."""
    data = target.read_bytes()
    counts = [int(count) for count in re.findall(rb"/Type /Pages\b[^>]*?/Count (\d+)", data)]
    return max(counts, default=0), len(re.findall(rb"/Title\b", data))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, default=SITE, help="the built site")
    parser.add_argument("--output", type=Path, default=None, help="the PDF; by default book.pdf in the site")
    parser.add_argument("pages", nargs="*", help="only these pages of _toc.yml, for a try")
    args = parser.parse_args()
    target = args.output or args.site / "book.pdf"
    if browser.CHROMIUM is None:
        sys.exit(browser.MISSING)
    with browser.started() as chromium:
        print_pages(chromium, args.site, target, args.pages)
    print(f"{target}: {printed(target)[0]} sheets, {target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
