"""The whole book as one PDF, printed by Chromium: ``make pdf``, or this after ``make book``.

The articles of the built pages, in the order of the table of contents, become one page with a cover and a list of
contents; links between pages become links within it, and links to what is not in it lead to the site. LaTeX would lose
the figures, and what MathJax typesets needs no second set of macros.
"""

import argparse
import functools
import shutil
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import yaml
from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
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


def article(site: Path, page: str, known: set[str], address: str) -> Tag:
    """The article of a page, with ids of its own, for a document that holds all pages that are ``known``."""
    soup = BeautifulSoup((site / f"{page}.html").read_bytes(), "html.parser")
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
    return found


def document(site: Path, names: Sequence[tuple[str, str | None]], config: dict[str, Any]) -> str:
    """All of it as one page."""
    known = {page for page, _ in names}
    articles = [article(site, page, known, config["html"]["baseurl"]) for page, _ in names]
    contents = []
    for (page, caption), content in zip(names, articles, strict=True):
        heading = content.select_one("h1")
        title = heading.get_text(" ", strip=True) if heading else page
        part = f"<li><strong>{caption}</strong></li>" if caption else ""
        contents.append(f'{part}<li><a href="#{page}">{title}</a></li>')
    # What a page with formulas loads, so that all looks and is typeset as on the site.
    head = BeautifulSoup((site / "book" / "notation.html").read_bytes(), "html.parser").head
    assert head is not None
    parts = head.select("link[rel=stylesheet]")
    parts += [script for script in head.find_all("script") if "mathjax" in str(script).lower()]
    for element in parts:
        for key in {"href", "src"} & set(element.attrs):
            element[key] = urljoin("/book/x.html", str(element[key]))
    return (
        f'<!DOCTYPE html><html lang="en" data-theme="light" data-mode="light"><head><meta charset="utf-8">'
        f"<title>{config['title']}</title>{''.join(map(str, parts))}<style>{STYLE}</style></head><body>"
        f'<section class="cover"><h1>{config["title"]}</h1><p>{config["author"]}, {config["copyright"]}</p>'
        f'<p><a href="{config["html"]["baseurl"]}">{config["html"]["baseurl"]}</a></p></section>'
        f'<nav class="contents"><h1>Contents</h1><ul>{"".join(contents)}</ul></nav>'
        f"{''.join(map(str, articles))}</body></html>"
    )


@contextmanager
def served(site: Path) -> Iterator[str]:
    """Address of a server of the site on this machine."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def print_pages(chromium: Browser, site: Path, target: Path, only: Sequence[str] = ()) -> None:
    """Writes the PDF of all pages, or of those that are named.

    Raises:
        RuntimeError: formulas that MathJax could not typeset.
    """
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    names = [(page, caption) for page, caption in pages(toc) if not only or page in only]
    whole = site / "whole-book.html"
    whole.write_text(document(site, names, config), encoding="utf-8")
    page = chromium.new_page()
    page.set_default_timeout(1_800_000)
    try:
        with served(site) as address:
            page.goto(f"{address}/{whole.name}", wait_until="load")
            page.evaluate("() => window.MathJax?.startup?.promise")
            faults = page.locator("mjx-merror").all_inner_texts()
            if faults:
                raise RuntimeError(f"{len(faults)} formulas were not typeset, the first: {faults[0]}")
            page.pdf(
                path=target, format="A4", prefer_css_page_size=True, print_background=True, outline=True, tagged=True,
                display_header_footer=True, header_template="<span></span>", footer_template=FOOTER,
            )  # fmt: skip
    finally:
        page.close()
        whole.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, default=SITE, help="the built site")
    parser.add_argument("--output", type=Path, default=None, help="the PDF; by default book.pdf in the site")
    parser.add_argument("pages", nargs="*", help="only these pages of _toc.yml, for a try")
    args = parser.parse_args()
    target = args.output or args.site / "book.pdf"
    if CHROMIUM is None:
        sys.exit("no browser: sudo apt-get install chromium (Debian), or install Google Chrome")
    quiet = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=quiet)
        print_pages(chromium, args.site, target, args.pages)
        chromium.close()
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
