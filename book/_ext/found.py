"""What makes a page found: by the site's own search, by a link to ``#F33``, by search engines.

Sphinx's search ranks titles and entries of its index first. Each tagged equation is an entry, and so is each term that
a chapter sets in bold, which it does once, where it says what the term means.
"""

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.transforms import SphinxTransform

CHAPTER = re.compile(r"(?:^|/)\d\d-[\w-]+$")


class IndexedTerm(SphinxTransform):
    """Make each term in bold, in the running text of a chapter, an entry of the index."""

    default_priority = 400

    def apply(self, **kwargs: Any) -> None:
        if not CHAPTER.search(self.env.docname):
            return
        for paragraph in list(self.document.findall(nodes.paragraph)):
            for strong in paragraph.findall(nodes.strong):
                if words := strong.astext().replace("\\", "").strip(" .:,"):
                    name = f"term-{nodes.make_id(words)}"
                    if name in self.document.ids:
                        continue
                    strong["ids"].append(name)
                    self.document.ids[name] = strong
                    add_entry(paragraph, words, name)


def add_entry(node: nodes.Element, words: str, target: str) -> None:
    """Put a main entry of the index before ``node``: ``words`` lead to the id ``target``, before any other result."""
    entry = addnodes.index(entries=[("single", words, target, "main", None)])
    node.parent.insert(node.parent.index(node), entry)


def set_address(app: Sphinx, config: Config) -> None:
    """What other extensions want to know of the site, from its title and address."""
    config.ogp_site_url = config.html_baseurl
    config.ogp_site_name = config.html_title
    # The page of a wrong address is shown at any depth: its links begin at the root of the host.
    config.notfound_urls_prefix = urlsplit(config.html_baseurl).path


ROOT = """<!DOCTYPE html>
<html lang="{language}">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>{title}</title>
    <meta http-equiv="refresh" content="0; url={page}.html" />
    <link rel="canonical" href="{address}{page}.html" />
  </head>
  <body><a href="{page}.html">{title}</a></body>
</html>
"""


COUNTED = re.compile(r"~?typing\.Annotated\[(\w+), '[^']*'\]")
QUALIFIED = re.compile(r"~?(?:[A-Za-z_]\w*\.)+([A-Za-z_]\w*)")


def short_types(
    app: Sphinx, what: str, name: str, value: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """A signature as it is written: ``Sequence[int]``, without modules, and without what the docstring says."""
    signature, returns = (text and QUALIFIED.sub(r"\1", COUNTED.sub(r"\1", text)) for text in (signature, returns))
    return signature, returns


def link_pdf(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Link the whole book on paper from the header, where it will be printed after this build (``make pdf``)."""
    if os.environ.get("BOOK_PDF") and "header_buttons" in context:
        button = {"type": "link", "url": context["pathto"]("book.pdf", 1), "icon": "fas fa-file-pdf",
                  "tooltip": "The whole book as PDF", "label": "whole-book"}  # fmt: skip
        context["header_buttons"].append(button)


def write_root(app: Sphinx, exception: Exception | None) -> None:
    """What stands at the root of the site: the way to the first page, and what robots may read."""
    if exception is None and app.builder.format == "html":
        config = app.config
        words = {"language": config.language, "title": config.html_title, "page": config.root_doc}
        index = ROOT.format(**words, address=config.html_baseurl)
        robots = f"User-agent: *\nAllow: /\nSitemap: {config.html_baseurl}sitemap.xml\n"
        Path(app.outdir, "index.html").write_text(index, encoding="utf-8")
        Path(app.outdir, "robots.txt").write_text(robots, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_transform(IndexedTerm)
    app.connect("config-inited", set_address)
    app.connect("autodoc-process-signature", short_types)
    app.connect("html-page-context", link_pdf, priority=900)  # after the theme's own buttons
    app.connect("build-finished", write_root)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
