"""Sliders over stored pictures, as HTML of the page's own: an ``<img>``, native inputs, and a few lines of script.

A notebook keeps such a slider as the state of its widgets, which html-manager could show: half a megabyte of script
and all pictures in the head of the page, for what ``pictures.js`` does with files that are fetched when wanted. A
widget of another kind has no place on a page without a kernel: the build says so.
"""

import base64
import hashlib
import html
import itertools
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import light
from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
LOGGER = logging.getLogger(__name__)


class pictures(nodes.General, nodes.Element):
    """Sliders (name, labels, start), and for each setting of them in turn a picture: its PNG and its alternative text.

    With ``interval``, a button that moves the last slider: the milliseconds from a picture to the next.
    """


class PictureSliders(SphinxTransform):
    """Replace the views of widgets."""

    default_priority = 200

    def apply(self, **kwargs: Any) -> None:
        views = [node for node in self.document.findall(nodes.container) if node.get("mime_type") == VIEW]
        if not views:
            return
        state = _state(self.env.doc2path(self.env.docname))
        for view in views:
            script = BeautifulSoup(view.astext(), "html.parser").script
            assert script is not None
            try:
                sliders, images, interval = read(state, json.loads(script.string or "")["model_id"])
            except (KeyError, ValueError) as error:
                LOGGER.warning("a widget that is no slider over pictures: %s", error, location=view)
                continue
            still = next((node for node in view.parent.findall(nodes.image)), None)
            chosen = _chosen(sliders, images)
            if still is not None and any(name.startswith("live-") for name in still["classes"]):
                # A figure that computes takes the place of the slider: its picture stays.
                if "beside" in still["classes"]:
                    LOGGER.warning("a slider has no figure beside it, it would be lost: give that a cell of its own",
                                   location=view)  # fmt: skip
                still["alt"] = chosen[1]
                view.parent.remove(view)
            else:
                view.children = [pictures(sliders=sliders, images=images, interval=interval)]
        # What html-manager would read.
        self.env.nb_metadata[self.env.docname].pop("js_files", None)  # type: ignore[attr-defined]


def read(
    state: dict[str, Any], model: str
) -> tuple[list[tuple[str, list[str], int]], list[tuple[str, str]], int | None]:
    """The sliders of a box that ``lecture11.widgets`` made, and its pictures, those of the last slider side by side.

    Last the interval of its button that plays them, if it has one.

    Raises:
        KeyError: a part that is not stored.
        ValueError: a widget of another kind.
    """

    def part(reference: str) -> tuple[str, dict[str, Any]]:
        found = state[reference.removeprefix("IPY_MODEL_")]
        return found["model_name"], found["state"]

    def walk(reference: str) -> Iterator[tuple[str, str]]:
        name, content = part(reference)
        if name == "StackModel":
            for child in content["children"]:
                yield from walk(child)
            return
        image = BeautifulSoup(content["value"], "html.parser").img if name == "HTMLModel" else None
        if image is None:
            raise ValueError(name)
        yield str(image["src"]).partition("base64,")[2], str(image["alt"])

    name, box = part(model)
    if name != "VBoxModel":
        raise ValueError(name)
    *references, stack = box["children"]
    sliders, interval = [], None
    for name, content in map(part, references):
        if name == "PlayModel" and interval is None:
            interval = int(content["interval"])
            continue
        if name != "SelectionSliderModel":
            raise ValueError(name)
        sliders.append((content["description"], list(content["_options_labels"]), content["index"]))
    images = list(walk(stack))
    settings = 1
    for _, labels, _ in sliders:
        settings *= len(labels)
    if not sliders or len(images) != settings:
        raise ValueError(f"{len(images)} pictures for {settings} settings")
    return sliders, images, interval


@cache
def _state(path: str) -> dict[str, Any]:
    """The widgets of a notebook."""
    return json.loads(Path(path).read_text(encoding="utf-8"))["metadata"]["widgets"][STATE]["state"]


def _chosen(sliders: list[tuple[str, list[str], int]], images: list[tuple[str, str]]) -> tuple[str, str]:
    """The picture at which the sliders stand."""
    at = 0
    for _, labels, index in sliders:
        at = at * len(labels) + index
    return images[at]


_NUMBER = itertools.count(1)


def _visit(translator: Any, node: pictures) -> None:
    """The markup; and the pictures as files, beside the site's other files."""
    builder = translator.builder
    folder = Path(builder.outdir) / "_static" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    root = "../" * builder.current_docname.count("/") + "_static/pictures/"
    sources = []
    for data, _ in node["images"]:
        png = base64.b64decode(data)
        name = hashlib.sha256(png).hexdigest()[:16] + ".png"
        (folder / name).write_bytes(png)
        sources.append(root + name)
    data, alt = _chosen(node["sliders"], node["images"])
    width, height = light.shown_size(base64.b64decode(data))
    first = sources[node["images"].index((data, alt))]
    inputs = []
    for name, labels, index in node["sliders"]:
        key = f"pictures-{next(_NUMBER)}"
        inputs.append(
            f'<div><label for="{key}">{html.escape(name)}</label>'
            f'<input type="range" id="{key}" min="0" max="{len(labels) - 1}" value="{index}" '
            f'aria-valuetext="{html.escape(labels[index])}" '
            f'data-labels="{html.escape(json.dumps(labels, ensure_ascii=False))}">'
            f'<output for="{key}">{html.escape(labels[index])}</output></div>'
        )
    if node["interval"]:
        name = node["sliders"][-1][0]
        # The slider that moves is a part of the button's name, which begins with what is seen.
        inputs.append(
            f'<button type="button" data-interval="{node["interval"]}" aria-label="Play: {html.escape(name)}">Play</button>'
        )
    kept = json.dumps([[source, text] for source, (_, text) in zip(sources, node["images"], strict=True)])
    translator.body.append(
        f'<figure class="pictures" data-pictures="{html.escape(kept)}">'
        f'<img src="{first}" alt="{html.escape(alt)}" width="{width}" height="{height}" loading="lazy">'
        f'<div class="live-controls">{"".join(inputs)}</div><p class="live-aloud" aria-live="polite"></p></figure>\n'
    )


def load_script(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    if doctree is not None and next(doctree.findall(pictures), None) is not None:
        app.add_js_file("pictures.js", defer="defer")


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_node(pictures, html=(_visit, lambda translator, node: None))
    app.add_transform(PictureSliders)
    app.connect("html-page-context", load_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
