"""What the book asks of Sphinx beyond its configuration."""

import ast
import gc
import re
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from found import add_entry
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

ROOT = Path(__file__).resolve().parents[2]
TAG = re.compile(r"\\tag\{([\w.-]+)\}")
NARROW = re.compile(r"^% narrow:\n((?:%.*\n?)+)", flags=re.MULTILINE)
LOGGER = logging.getLogger(__name__)


class TaggedEquation(SphinxTransform):
    r"""Make ``$$ ... \tag{F2} $$`` a target that any page links to with ``[(F2)](#F2)``.

    Sphinx's own labels show as stray text in Colab, ``\label`` and ``\eqref`` fail there and in KaTeX; a tag is
    typeset everywhere, and is the same number everywhere.

    An equation may bring a form for a phone, in comment lines below ``% narrow:``, which other programs pass over. The
    page holds both, and its width decides which is seen.
    """

    default_priority = 200  # before links are resolved

    def apply(self, **kwargs: Any) -> None:
        known = self.env.get_domain("std").data["anonlabels"]
        for node in list(self.document.findall(nodes.math_block)):
            tag = TAG.search(node.astext())
            if tag is None:
                if NARROW.search(node.astext()):
                    node["nowrap"] = True
                    self.set(node)
                continue
            name = nodes.fully_normalize_name(tag[1])
            # Within a page docutils warns of a second one; between pages nobody does, and a link would pick either.
            page = known.get(name, (self.env.docname,))[0]
            if page != self.env.docname:
                LOGGER.warning("equation %s is on page %s already", tag[1], page, location=node)
            node["names"].append(name)
            self.document.note_explicit_target(node, node)
            node["ids"].append(tag[1])  # an address with #F2 is typed as the label is written
            add_entry(node, tag[1], tag[1])
            # As written: Sphinx would wrap several lines in an environment in which MathJax refuses a tag.
            node["nowrap"] = True
            self.set(node)

    def set(self, node: nodes.math_block) -> None:
        """Set the equation; once more, in shorter lines, where it brings a form for a phone."""
        wide = node.astext()
        narrow = NARROW.search(wide)
        if narrow is None:
            node.children = [nodes.Text(rf"\[{wide}\]")]
            return
        wide = NARROW.sub("", wide)
        short = re.sub("^% ?", "", narrow[1], flags=re.MULTILINE)
        tag = TAG.search(wide)
        node.children = [nodes.Text(rf"\[{wide}\]")]
        node["classes"].append("wide")
        second = nodes.math_block("", rf"\[{short}{tag[0] if tag else ''}\]", nowrap=True, classes=["narrow"])
        node.parent.insert(node.parent.index(node) + 1, second)


class SourceLink(SphinxTransform):
    """Make ``REPOSITORY/blob/main/lecture11/gaussian.py#kl`` lead to the line where ``kl`` begins in this build.

    What is before the ``#`` is a file, or a folder with one file that defines the name. As written, the link leads to
    that file from everywhere, Colab too; and no page changes where a function is moved within it.
    """

    default_priority = 200

    def apply(self, **kwargs: Any) -> None:
        options = self.config.html_theme_options
        start = f"{options['repository_url']}/blob/{options['repository_branch']}/"
        for node in self.document.findall(nodes.reference):
            uri = node.get("refuri", "")
            if uri.startswith(start):
                try:
                    node["refuri"] = start + resolved(uri.removeprefix(start))
                except LookupError as error:
                    LOGGER.warning("%s: %s", uri, error, location=node)


def resolved(link: str, root: Path = ROOT) -> str:
    """``FILE#L12`` for ``FILE#NAME`` or ``FOLDER#NAME``; a link without a name as it is.

    Raises:
        LookupError: there is no such file or name, or more than one; or the link has the number of a line, which would
            be that of something else tomorrow.
    """
    path, _, name = link.partition("#")
    place = root / path
    if not place.exists():
        raise LookupError(f"there is no {path}")
    if not name:
        return link
    if re.fullmatch(r"L\d+.*", name):
        raise LookupError("name the function instead of the line: FILE#NAME")
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
    found = [(file, line) for file in files if (line := _line(_parsed(file), name))]
    if len(found) != 1:
        raise LookupError(f"{path} defines {name} {len(found)} times, expected once")
    ((file, line),) = found
    return f"{file.relative_to(root).as_posix()}#L{line}"


@cache
def _parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _line(tree: ast.Module, name: str) -> int | None:
    """Where the function, class or method begins, if the module has it."""
    node: ast.Module | ast.FunctionDef | ast.ClassDef = tree
    for part in name.split("."):
        inner = (n for n in node.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name == part)
        found = next(inner, None)
        if found is None:
            return None
        node = found
    assert not isinstance(node, ast.Module)
    return node.lineno


class Numbers(SphinxTransform):
    """In tables and results, a true minus, no break between a number and its unit, and a dash where there is no number.

    They are stored as the programs print them, which write a hyphen.
    """

    default_priority = 200
    MINUS = re.compile(r"(?<![^\s>(≈])-(?=\w)")
    UNIT = re.compile(r"(?<=\d) (?=(?:%|s|ms|min|h|MiB|GFLOP|M|nats)(?!\w))")

    def apply(self, **kwargs: Any) -> None:
        for text in list(self.document.findall(nodes.Text)):
            before = str(text)
            if before.startswith('<table class="table">') or in_cell(text):
                after = self.UNIT.sub("\N{NO-BREAK SPACE}", self.MINUS.sub("−", before))
                after = "–" if after == "-" else after.replace("<td></td>", "<td>–</td>")
            else:
                after = before.replace("≈-", "≈−")
            if after != before:
                text.parent.replace(text, nodes.Text(after))


def in_cell(text: nodes.Text) -> bool:
    """Whether it is prose in a cell of a table; code there is as it must be typed."""
    place = text.parent
    while place is not None and not isinstance(place, nodes.entry | nodes.literal | nodes.math):
        place = place.parent
    return isinstance(place, nodes.entry)


def drop_thebe(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Remove sphinx-thebe's scripts: Jupyter Book always loads it, and it declares one constant twice."""
    scripts = context["script_files"]
    scripts[:] = [s for s in scripts if "thebe" not in str(s.filename) + s.attributes.get("body", "")]


def setup(app: Sphinx) -> dict[str, bool]:
    gc.disable()  # the trees of the pages live until the end: to look for what does not took a fifth of the time
    app.add_transform(TaggedEquation)
    app.add_transform(SourceLink)
    app.add_transform(Numbers)
    app.connect("html-page-context", drop_thebe, priority=900)  # after every extension has added its scripts
    return {"parallel_read_safe": True, "parallel_write_safe": True}
