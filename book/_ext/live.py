"""Figures that compute in the reader's browser: a picture with the class ``live-NAME`` becomes one.

In a notebook the class stands in the cell's metadata, beside the alternative text (``mystnb: image: classes:``), on a
page in Markdown in the options of ``image``. Everywhere else, on GitHub, in Colab, on paper, the picture is a picture;
here ``static/live/NAME.js`` takes its place, or with a second class, ``beside``, stands below it. A slider over pictures
whose cell has the class is replaced too, for it is the still form of the figure.
"""

import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

ROOT = Path(__file__).resolve().parents[2]
LIVE = ROOT / "book" / "static" / "live"
WEIGHTS = ROOT / "lecture11" / "models"
# The weights that a figure fetches when the reader presses its button.
MODELS = {"sample": ("diffusion-mnist", "classifier-mnist"), "drawing": ("vae-mnist",)}
LOGGER = logging.getLogger(__name__)


class live(nodes.General, nodes.Element):
    """A figure with a name; its child is the still picture."""


def opening_tag(name: str) -> str:
    """``<figure ...>``, with the size of what it would fetch."""
    size = sum((WEIGHTS / f"{model}.safetensors").stat().st_size for model in MODELS.get(name, ()))
    return f'<figure class="live" data-live="{name}"' + (f' data-size="{size / 1e6:.1f} MB">' if size else ">")


class LiveFigures(SphinxPostTransform):
    """Put the pictures into figures."""

    default_priority = 300  # after myst-nb has chosen among the forms of an output

    def run(self, **kwargs: Any) -> None:
        for image in list(self.document.findall(nodes.image)):
            for name in (c.removeprefix("live-") for c in image["classes"] if c.startswith("live-")):
                if not (LIVE / f"{name}.js").exists():
                    LOGGER.warning("there is no live figure %s", name, location=image)
                    continue
                figure = live(figure=name)
                image.replace_self(figure)
                figure += image


def load_module(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    if doctree is not None and next(doctree.findall(live), None) is not None:
        app.add_js_file("live/live.js", type="module")


def copy_models(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    target = Path(app.outdir, "_static", "models")
    target.mkdir(parents=True, exist_ok=True)
    for name in {model for models in MODELS.values() for model in models}:
        shutil.copyfile(WEIGHTS / f"{name}.safetensors", target / f"{name}.safetensors")


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_node(
        live,
        html=(
            lambda translator, node: translator.body.append(opening_tag(node["figure"])),
            lambda translator, _: translator.body.append("</figure>\n"),
        ),
    )
    app.add_post_transform(LiveFigures)
    app.connect("html-page-context", load_module)
    app.connect("build-finished", copy_models)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
