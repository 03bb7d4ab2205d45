"""What the book asks of Sphinx beyond its configuration."""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

TAG = re.compile(r"\\tag\{([\w.-]+)\}")
LOGGER = logging.getLogger(__name__)


class TaggedEquation(SphinxTransform):
    r"""Make ``$$ ... \tag{F2} $$`` a target that any page links to with ``[(F2)](#F2)``.

    Sphinx's own labels show as stray text in Colab, ``\label`` and ``\eqref`` fail there and in KaTeX; a tag is
    typeset everywhere, and is the same number everywhere.
    """

    default_priority = 200  # before links are resolved

    def apply(self, **kwargs: Any) -> None:
        known = self.env.get_domain("std").data["anonlabels"]
        for node in self.document.findall(nodes.math_block):
            tag = TAG.search(node.astext())
            if tag is None:
                continue
            name = nodes.fully_normalize_name(tag[1])
            # Within a page docutils warns of a second one; between pages nobody does, and a link would pick either.
            page = known.get(name, (self.env.docname,))[0]
            if page != self.env.docname:
                LOGGER.warning("equation %s is on page %s already", tag[1], page, location=node)
            node["names"].append(name)
            self.document.note_explicit_target(node, node)
            # As written: Sphinx would wrap several lines in an environment in which MathJax refuses a tag.
            node["nowrap"] = True
            node.children = [nodes.Text(rf"\[{node.astext()}\]")]


def drop_thebe(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Remove sphinx-thebe's scripts: Jupyter Book always loads it, and it declares one constant twice."""
    scripts = context["script_files"]
    scripts[:] = [s for s in scripts if "thebe" not in str(s.filename) + s.attributes.get("body", "")]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_transform(TaggedEquation)
    app.connect("html-page-context", drop_thebe, priority=900)  # after every extension has added its scripts
    return {"parallel_read_safe": True, "parallel_write_safe": True}
