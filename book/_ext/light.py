"""Pages that are light: icons without a script, and pictures that are fetched when a reader comes near them.

What the theme leaves without a name gets one here too.

The theme draws seventeen icons with half a megabyte of script; those that a page shows are taken out of it and written
into the page. A picture gets its size, so that nothing moves when it comes.
"""

import io
import re
from functools import cache, partial
from pathlib import Path

import PIL.Image
from docutils import nodes
from fontTools import subset
from fontTools.ttLib import TTFont
from sphinx.application import Sphinx

# Alone in an element, which keeps its other class and its attributes.
ICON = re.compile(
    r'<(?P<tag>i|span) class="(?P<other>theme-switch )?(?P<family>fa[a-z-]*) fa-(?P<name>[a-z0-9-]+)(?:\s+fa-lg)?"'
    r"(?P<rest>[^>]*)></(?P=tag)>"
)
SCRIPT = re.compile(
    r'\s*(?:<!-- So that users can add custom icons -->|<script defer src="[^"]*fontawesome\.js[^"]*"></script>)'
)

# What the theme and other extensions leave without a name, or give a role that it does not have.
NAMES = [
    # Where a screen reader finds the title, the search and the list of pages; and the toggles of that list.
    (re.compile(r'<div (?=id="pst-primary-sidebar")'), '<div role="complementary" aria-label="Book" '),
    (re.compile(r'(<a class="[^"]*" href="[^"]*">([^<]*)</a><details[^>]*><summary)(?=>)'), r'\1 aria-label="Pages below \2"'),
    # The corner of a table is no heading.
    (re.compile(r'<th\b((?:(?! scope=)[^>])*)(?: scope="\w+")?([^>]*)>(?:<p></p>)?</th>'), r"<td\1\2></td>"),
    (re.compile(r' role="doc-biblioentry"| role="list"(?= class="citation-list")'), ""),
]

# What only a search in the page's own box would use, which this book does not have.
SEARCH = re.compile(r'\s*<script src="[^"]*(?:searchtools|language_data|searchindex)\.js"></script>')
GLYPH = re.compile(r'(?:\.fa-[a-z0-9-]+:before,?)+\{content:"[^"]*"\}')
# The theme and Sphinx write one each; the last counts.
VIEWPORT = re.compile(r'\s*<meta name="viewport"[^>]*>(?=.*<meta name="viewport")', re.DOTALL)
IMAGE = re.compile(r'<img (?![^>]*\b(?:loading|width)=)([^>]*?)src="([^":]+\.png)"')


@cache
def icon(script: str, family: str, name: str) -> str:
    """The SVG of an icon, from the theme's script, which has it in up to three families: brands, regular, solid.

    Raises:
        LookupError: the script has none of this name.
    """
    found = re.findall(
        rf'[{{,]"?{re.escape(name)}"?:\[(\d+),(\d+),\[[^\]]*\],"[0-9a-f]+","([^"]+)"\]',
        script,
    )
    if not found:
        raise LookupError(f"the theme's script has no icon {name}")
    width, height, path = found[0 if family == "fab" else -1]
    return (
        f'<svg class="svg-inline--fa" aria-hidden="true" viewBox="0 0 {width} {height}">'
        f'<path fill="currentColor" d="{path}"/></svg>'
    )


def drawn(script: str, match: re.Match[str]) -> str:
    """The element with its icon in it."""
    tag, classes = match["tag"], f"{match['other'] or ''}icon"
    return f'<{tag} class="{classes}"{match["rest"]}>{icon(script, match["family"], match["name"])}</{tag}>'


def unfix(app: Sphinx, doctree: nodes.document) -> None:
    """Pictures may shrink: what a notebook says of their size would fix it, and make a link of each."""
    for image in doctree.findall(nodes.image):
        if "jupyter_execute" in image["uri"]:
            image.attributes.pop("width", None)
            image.attributes.pop("height", None)


def join_folded(app: Sphinx, doctree: nodes.document) -> None:
    """Code that is folded, has no output and is followed by such code stands behind one bar with it, not behind two."""
    for cell in list(doctree.findall(nodes.container)):
        after = cell.next_node(descend=False, siblings=True)
        if folded(cell) and folded(after) and len(cell.children) == 1:
            after[0][:0] = cell[0].children
            cell.parent.remove(cell)


def folded(node: nodes.Node | None) -> bool:
    """Whether it is a cell of a notebook whose code is folded."""
    return isinstance(node, nodes.container) and node.get("hide_mode") == "input"


def shown_size(png: bytes) -> tuple[int, int]:
    """Width and height of a picture on a page: half of its pixels, if it was drawn for screens that show two in one."""
    image = PIL.Image.open(io.BytesIO(png))
    dense = 2 if image.info.get("dpi", (72, 72))[0] > 150 else 1
    return image.width // dense, image.height // dense


def lazy(page: Path, match: re.Match[str]) -> str:
    """The beginning of an ``<img>`` that is fetched late, and whose place is kept."""
    attributes, source = match.groups()
    width, height = shown_size((page.parent / source).read_bytes())
    return f'<img {attributes}loading="lazy" width="{width}" height="{height}" src="{source}"'


def thin(static: Path) -> None:
    """Leave, of the icons' fonts and of the rules for them, what the theme's own rules show; fonts as WOFF."""
    style = static / "styles" / "pydata-sphinx-theme.css"
    rules = GLYPH.sub("", style.read_text(encoding="utf-8"))
    style.write_text(rules, encoding="utf-8", newline="\n")
    every = "".join(path.read_text(encoding="utf-8") for path in static.rglob("*.css"))
    # As they are, or by their numbers.
    codes = {ord(character) for character in every if "\ue000" <= character <= "\uf8ff"}
    codes |= {int(code, 16) for code in re.findall(r"\\(f[0-9a-f]{3})\b", every)}
    for path in (static / "vendor" / "fontawesome" / "webfonts").glob("*.ttf"):
        font = TTFont(path)
        chosen = subset.Subsetter()
        chosen.populate(unicodes=codes)
        chosen.subset(font)
        font.flavor = "woff"
        font.save(path.with_suffix(".woff"))
        path.unlink()
        path.with_suffix(".woff2").unlink()
    rules = re.sub(
        r'\.woff2\) format\("woff2"\),url\([^)]*\.ttf\) format\("truetype"\)', '.woff) format("woff")', rules
    )
    style.write_text(rules, encoding="utf-8", newline="\n")


def mend_search(static: Path) -> None:
    """Lets Sphinx's search show a result that has no text of its own, as an equation's label: it would stop there.

    Raises:
        LookupError: another version of Sphinx has other words.
    """
    tools = static / "searchtools.js"
    before, mended = tools.read_text(encoding="utf-8"), 'if (text === "") return document.createElement("p");'
    after = before.replace('if (text === "") return null;', mended)
    if mended not in after:
        raise LookupError(f"{tools.name} does not stop at an empty text: leave out mend_search")
    tools.write_text(after, encoding="utf-8", newline="\n")


def draw(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.name != "html":
        return
    site = Path(app.outdir)
    source = site / "_static" / "scripts" / "fontawesome.js"
    script = source.read_text(encoding="utf-8")
    for path in site.rglob("*.html"):
        before = path.read_text(encoding="utf-8")
        after = SCRIPT.sub("", ICON.sub(lambda match: drawn(script, match), before))
        after = IMAGE.sub(partial(lazy, path), after)
        for pattern, named in NAMES:
            after = pattern.sub(named, after)
        after = VIEWPORT.sub("", after)
        if path.name != "search.html":
            after = SEARCH.sub("", after)
        if after != before:
            path.write_text(after, encoding="utf-8", newline="\n")
    thin(site / "_static")
    mend_search(site / "_static")
    for unused in {*source.parent.glob("fontawesome.js*"), *(site / "_static").rglob("*.map")}:
        unused.unlink()


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-read", unfix)
    app.connect("doctree-read", join_folded)
    app.connect("build-finished", draw, priority=900)  # after all that writes pages
    return {"parallel_read_safe": True, "parallel_write_safe": True}
