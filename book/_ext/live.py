"""Figures that compute in the reader's browser: a picture with the class ``live-NAME`` becomes one.

In a notebook the class stands in the cell's metadata, beside the alternative text (``mystnb: image: classes:``), on a
page in Markdown in the options of ``image``. Everywhere else, on GitHub, in Colab, on paper, the picture is a picture;
here ``static/live/NAME.js`` takes its place, or with a second class, ``beside``, stands below it. A slider over pictures
whose cell has the class is replaced too, for it is the still form of the figure.

What a figure fetches lies in ``_static/models``: weights of the package, and tables that the build computes with it.
"""

import re
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

if TYPE_CHECKING:
    from torch import Tensor

ROOT = Path(__file__).resolve().parents[2]
LIVE = ROOT / "book" / "static" / "live"
WEIGHTS = ROOT / "lecture11" / "models"
# What a figure fetches when the reader presses its button.
MODELS = {
    "sample": ("diffusion-mnist", "classifier-mnist"),
    "drawing": ("vae-mnist", "codes-50"),
    "map": ("vae-mnist-2d", "autoencoder-mnist-2d", "codes-2"),
    "plane": ("diffusion-ring",),
}
LOGGER = logging.getLogger(__name__)


class live(nodes.General, nodes.Element):
    """A figure with a name; its child is the still picture."""


@cache
def tables() -> "dict[str, dict[str, Tensor]]":
    """What the build computes for the figures, in single precision: where images lie among codes, principal directions.

    ``codes-2``: of the first 1,000 test images of ``mnist-small``, the means of the codes by the models with two latents.
    ``codes-50``: those by ``vae-mnist``, seen along the two ``directions`` that tell the classes apart best (Fisher's);
    the variance within a class is 1 along both. ``principal``: mean and principal directions of its training images, and
    four test images to be reconstructed.
    """
    # Here: nothing but the site needs them.
    import torch

    from lecture11 import autoencoder, data, models

    load: Callable[[str], Any] = models.load
    images = data.load("mnist-small", "test", n=1000)
    assert images.y is not None
    test, y = images.x, images.y
    digits = (test > 0.5).float()
    flat, plain, deep = (load(name) for name in ("vae-mnist-2d", "autoencoder-mnist-2d", "vae-mnist"))
    plane = {"vae": flat.encode(test)[0], "autoencoder": plain.encode(test)}
    mu = deep.encode(digits)[0].double()
    centres = torch.stack([mu[y == k].mean(0) for k in range(10)])
    root = torch.linalg.cholesky((mu - centres[y]).T @ (mu - centres[y]) / len(mu))
    between = torch.linalg.solve_triangular(root, torch.cov(centres.T), upper=False)
    between = torch.linalg.solve_triangular(root, between.T, upper=False)
    directions = torch.linalg.solve_triangular(root.T, torch.linalg.eigh(between)[1][:, [-1, -2]], upper=True).T
    pca = autoencoder.PCA(data.load("mnist-small", "train").x, 40)
    found = {
        "codes-2": {**plane, "classes": y},
        "codes-50": {"directions": directions, "codes": mu @ directions.T, "classes": y},
        "principal": {
            "mean": pca.mean,
            "directions": pca.components,
            "variances": pca.variances,
            "images": test[[2, 3, 7, 9]].flatten(1),
        },
    }
    return {file: {name: part.float().contiguous() for name, part in parts.items()} for file, parts in found.items()}


@cache
def write_models(folder: Path) -> None:
    """Weights and tables, for the figures to fetch; once, when the first figure comes."""
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    for name, parts in tables().items():
        (folder / f"{name}.safetensors").write_bytes(save(parts))
    for name in {name for names in MODELS.values() for name in names} - set(tables()):
        shutil.copyfile(WEIGHTS / f"{name}.safetensors", folder / f"{name}.safetensors")


def opening_tag(name: str, folder: Path) -> str:
    """``<figure ...>``, with the size of what it would fetch from the folder."""
    write_models(folder)
    size = sum((folder / f"{file}.safetensors").stat().st_size for file in MODELS.get(name, ()))
    shown = f"{size / 1e6:.1f} MB" if size > 99_999 else f"{size / 1e3:.0f} kB"
    return f'<figure class="live" data-live="{name}"' + (f' data-size="{shown}">' if size else ">")


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


# Comments that have lines of their own; a type in parentheses stands within a line and stays.
COMMENT = re.compile(r"^ *(?://[^\n]*|/\*\*(?:(?!\*/).)*\*/)\n", re.MULTILINE | re.DOTALL)


def write_modules(folder: Path) -> None:
    """The modules as a page loads them: without the types and comments, a fifth of the bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in LIVE.glob("*.js"):
        (folder / path.name).write_text(COMMENT.sub("", path.read_text("utf-8")), encoding="utf-8")


def models_of(app: Sphinx) -> Path:
    return Path(app.outdir, "_static", "models")


def after_copying(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        write_modules(Path(app.outdir, "_static", "live"))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_node(
        live,
        html=(
            lambda translator, node: translator.body.append(opening_tag(node["figure"], models_of(app))),
            lambda translator, _: translator.body.append("</figure>\n"),
        ),
    )
    app.add_post_transform(LiveFigures)
    app.connect("html-page-context", load_module)
    app.connect("build-finished", after_copying)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
