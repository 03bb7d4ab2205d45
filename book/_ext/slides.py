"""The core of each chapter as slides that a teacher can show, made from the chapter's own page.

What is seen on the page without opening anything is the core. Each formula, figure, table, list, and each short piece of code that the prose
announces, is a slide, under the heading of its section, between the sentence that leads to it and the sentence that follows
it; a sentence that explains a term in bold is shown as well. All prose is in the speaker's notes. A section without
any of these is one slide of its sentences. Exercises, what goes further and references are left out.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin

from bs4 import BeautifulSoup, Tag
from found import CHAPTER
from sphinx.application import Sphinx

LAST = ("Exercises", "Going further", "References")
LINES = 20  # of code, so that 78 columns and all lines are legible from the last row
OUTPUT = ", ".join(f"div.cell_output {shown}" for shown in ("img", "figure", "table", "div.math"))
SENTENCE_END = re.compile(r"(?<! al)[.?!][)”\"’]*$")

PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Slides: {title}</title>
<link rel="canonical" href="{address}">
<link rel="icon" href="../_static/favicon.svg">
<link rel="stylesheet" href="../_static/reveal/reveal.css">
<link rel="stylesheet" href="../_static/pygments.css">
<link rel="stylesheet" href="../_static/book.css">
<link rel="stylesheet" href="../_static/slides.css">
<script defer src="../_static/reveal/reveal.js"></script>
<script defer src="../_static/reveal/notes.js"></script>
<script defer src="../_static/slides.js"></script>
{scripts}</head>
<body>
<main><div class="reveal"><div class="slides bd-article">
{stacks}
</div></div></main>
<noscript><p>Slides need JavaScript. All of it stands in <a href="{chapter}">the chapter</a>.</p></noscript>
</body>
</html>
"""
OPENING = """<section><div class="slide opening"><h1>{title}</h1>{content}
<p class="keys"><a href="{chapter}">The chapter</a> <kbd>S</kbd> notes <kbd>O</kbd> overview <kbd>D</kbd> dark
<kbd>E</kbd> for printing <kbd>?</kbd> more keys</p></div>
{notes}</section>"""


@dataclass
class Slide:
    """One idea: what is shown, the sentences before and after it, and the paragraphs that a speaker says."""

    heading: str
    kind: str
    thing: str = ""
    before: list[str] = field(default_factory=list)
    after: str = ""
    notes: list[str] = field(default_factory=list)

    def content(self) -> str:
        """All but the heading."""
        thing = f'<div class="thing">{self.thing}</div>' if self.thing else ""
        after = f"<p>{self.after}</p>" if self.after else ""
        return "".join(f"<p>{sentence}</p>" for sentence in self.before) + thing + after

    def said(self) -> str:
        """The speaker's notes."""
        return f'<aside class="notes">{"".join(self.notes)}</aside>' if self.notes else ""

    def __str__(self) -> str:
        slide = f'<div class="slide {self.kind}"><h2>{self.heading}</h2>{self.content()}</div>'
        return f"<section>{slide}{self.said()}</section>"


def classes_of(element: Tag) -> list[str]:
    return element.get_attribute_list("class")


def the(element: Tag, name: str) -> Tag:
    """The first element of a name in an element of a chapter, which must have one."""
    found = element.find(name)
    if found is None:
        raise ValueError(f"a chapter, or a section of it, has no <{name}>: {element.get_text()[:60]!r}")
    return found


def sentences(paragraph: Tag) -> list[str]:
    """The sentences of a paragraph, as HTML. What stands in parentheses or in an element is not taken apart."""
    found, current, text, depth = [], "", "", 0
    for node in paragraph.contents:
        words = node.get_text() if isinstance(node, Tag) else str(node)
        pieces = [words] if isinstance(node, Tag) else re.split(r"(?<=\s)(?=\S)", words)
        for piece in pieces:
            starts = isinstance(node, Tag) or piece[:1].isupper() or piece[:1] in "(“"
            if starts and depth == 0 and text[-1:].isspace() and SENTENCE_END.search(text.rstrip()):
                found.append(current.strip())
                current = text = ""
            current += str(node) if isinstance(node, Tag) else html.escape(piece, quote=False)
            text += piece
            if not (isinstance(node, Tag) and "math" in classes_of(node)):
                depth += piece.count("(") - piece.count(")")
    return [*found, current.strip()] if current.strip() else found


def things(element: Tag) -> Iterator[tuple[str, str]]:
    """What an element of a section shows, if it is no prose: kinds, and HTML."""
    classes = classes_of(element)
    if "cell" in classes:
        for shown in element.select(OUTPUT):
            if shown.find_parent(["figure", "table"]) is None:
                yield from things(shown)
    elif element.name in ("ul", "ol"):
        yield "list", str(element)
    elif element.name == "table" or "algorithm" in classes:
        yield "table", str(element)
    elif element.name == "figure":
        yield "live" if "live" in classes else "sliders", str(element)
    elif element.name == "img":
        yield "picture", str(element)
    elif "math" in classes and "narrow" not in classes:
        yield "formula", str(element)
    elif element.name == "div":
        for child in element.find_all(recursive=False):
            yield from things(child)


def code(cell: Tag, prose: list[Tag]) -> Iterator[tuple[str, str]]:
    """The code of a cell, where the prose before it ends with a colon, so that it speaks of this code.

    If the cell or the next one shows something, it speaks of that, and the code only prepares it.
    """
    found = cell.find("div", class_="cell_input")
    if found is None or not prose or not prose[-1].get_text().rstrip().endswith(":"):
        return
    following = cell.find_next_sibling()
    if cell.select_one(OUTPUT) or (following and "cell" in classes_of(following) and following.select_one(OUTPUT)):
        return
    if found.get_text().strip().count("\n") < LINES:
        yield "code", str(found)


def stack(section: Tag) -> list[Slide]:
    """The slides of one section, and below it of its own sections."""
    title = section.find(["h1", "h2", "h3"], recursive=False)
    heading = title.decode_contents() if title else ""
    made: list[Slide] = []
    prose: list[Tag] = []
    inner: list[Slide] = []
    for element in section.find_all(recursive=False):
        if element.name == "section":
            inner += stack(element)
        elif element.name == "p":
            if element.find("small", class_="proof") is None:
                prose.append(element)
        else:
            for kind, thing in [*code(element, prose), *things(element)]:
                slide = Slide(heading, kind, thing)
                between(made[-1] if made else None, prose, slide)
                made.append(slide)
                prose = []
    if made:
        between(made[-1], prose, None)
    elif prose:
        said = [sentence for paragraph in prose for sentence in sentences(paragraph)]
        shown = [s for i, s in enumerate(said) if i in (0, len(said) - 1) or "<strong" in s]
        made = [Slide(heading, "text", before=shown, notes=[str(p) for p in prose])]
    return made + inner


def between(last: Slide | None, prose: list[Tag], following: Slide | None) -> None:
    """Hand out the paragraphs between two things: sentences for each to show, and all of them to say."""
    if not prose:
        return
    *said, end = map(sentences, prose)
    leads = following is not None and (last is None or said or len(end) > 1 or end[0][-1] in ":,")
    lead = end.pop() if leads else ""
    first, *others = [*said, end] if last else [[], *said, end]
    if last is not None:
        last.notes.append(str(prose[0]))
        shown = [sentence for i, sentence in enumerate(first) if i == 0 or "<strong" in sentence]
        last.after = " ".join(shown) if first and first[0][0] != "(" else ""
    slide = following or last
    assert slide is not None
    slide.notes += map(str, prose[1:] if last else prose)
    if following is not None:
        terms = [sentence for paragraph in others for sentence in paragraph if "<strong" in sentence]
        following.before = terms + [lead] * (lead[:1] not in ("", "("))


def unfolded(page: str, address: str) -> str:
    """The article of the page at an address, without what a reader would have to open, and its links from there."""
    start, end = (
        page.index('<article class="bd-article"'),
        page.index("</article>"),
    )
    kept, depth = [], 0
    for piece in re.split(r"(<details\b|</details>)", page[start:end]):
        depth += piece == "<details"
        if depth == 0:
            kept.append(piece)
        depth -= piece == "</details>"
    article = "".join(kept)
    article = re.sub(
        r'<a class="headerlink".*?</a>| id="term-[^"]*"| loading="lazy"',
        "",
        article,
    )
    return re.sub(
        r'(?<= href=")(?![a-z]+:)[^"]*',
        lambda link: urljoin(address, link[0]),
        article,
    )


def deck(page: str, name: str, address: str, language: str) -> str:
    """The slides of a chapter from its page, which is called ``name`` and stands in the folder ``book``."""
    chapter = f"../book/{name}.html"
    whole = BeautifulSoup(unfolded(page, chapter), "html.parser").section
    assert whole is not None
    sections = [section.extract() for section in whole.find_all("section", recursive=False)]
    core = [s for s in sections if not the(s, "h2").get_text().startswith(LAST)]
    first, *goals = stack(whole)
    for slide in goals:
        if slide.kind == "list":
            slide.heading = the(whole, "ul").find_all_previous("p", limit=1)[0].decode_contents()
            slide.before, slide.after = [], ""
    said = [sentence for paragraph in whole.find_all("p") for sentence in sentences(paragraph)]
    first.before, first.after = (
        [sentence for sentence in said if sentence[-1] == "?"],
        "",
    )
    title = the(whole, "h1")
    opening = OPENING.format(
        title=title.decode_contents(),
        content=first.content(),
        notes=first.said(),
        chapter=chapter,
    )
    stacks = ["\n".join(map(str, slides)) for slides in [goals, *map(stack, core)] if slides]
    scripts = re.findall(
        r'<script [^>]*src="\.\./_static/(?:live/live|pictures)\.js[^>]*></script>\n?',
        page,
    )
    return PAGE.format(
        language=language,
        title=title.get_text(),
        address=f"{address}slides/{name}.html",
        chapter=chapter,
        scripts="".join(scripts),
        stacks="\n".join(
            [
                opening,
                *(f"<section>\n{slides}\n</section>" for slides in stacks),
            ]
        ),
    )


def write(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir, "slides")
    folder.mkdir(exist_ok=True)
    for name in app.env.found_docs:
        if CHAPTER.search(name) and name.startswith("book/") and name.count("/") == 1:
            page = Path(app.outdir, f"{name}.html").read_text(encoding="utf-8")
            name = name.removeprefix("book/")
            made = deck(page, name, app.config.html_baseurl, app.config.language)
            (folder / f"{name}.html").write_text(made, encoding="utf-8", newline="\n")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("build-finished", write, priority=950)  # when the pages are as they stay, but for formulas
    return {"parallel_read_safe": True, "parallel_write_safe": True}
