"""Folds what is not on the way: a section whose heading begins with "Checked" or "Further" is a line that opens.

In a notebook the section is a heading that Jupyter and Colab fold. On the page it is a ``<details>``: the heading,
which says what was checked and that it held, is its summary. It does not stand in the page's table of contents.
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

HEADINGS = ("Checked", "Further")


class evidence(nodes.General, nodes.Element):
    """What only checks, or goes further. Its first child is the summary."""


class summary(nodes.General, nodes.TextElement):
    """The line that is always seen."""


class FoldedEvidence(SphinxTransform):
    """Replace the sections by ``evidence`` nodes."""

    default_priority = 870  # after the sections are whole, before they are collected (880) for the table of contents

    def apply(self, **kwargs: Any) -> None:
        for section in list(self.document.findall(nodes.section)):
            title = section[0]
            if not isinstance(title, nodes.title) or not title.astext().startswith(HEADINGS):
                continue
            folded = evidence(ids=section["ids"], names=section["names"])
            folded += summary("", "", *title.children)
            folded += section.children[1:]
            section.replace_self(folded)


def setup(app: Sphinx) -> dict[str, bool]:
    def visit_evidence(translator: Any, node: evidence) -> None:
        translator.body.append(translator.starttag(node, "details", CLASS="evidence"))

    def visit_summary(translator: Any, node: summary) -> None:
        translator.body.append(translator.starttag(node, "summary", ""))

    app.add_node(evidence, html=(visit_evidence, lambda translator, _: translator.body.append("</details>\n")))
    app.add_node(summary, html=(visit_summary, lambda translator, _: translator.body.append("</summary>\n")))
    app.add_transform(FoldedEvidence)
    app.add_js_file("keys.js", defer="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
