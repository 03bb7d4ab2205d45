"""Interactions that also work on a page with no kernel behind it.

A static page keeps a widget's state and the links between widgets, but runs no Python. So every picture that
the reader can reach is drawn beforehand, and a slider only selects one.
"""

import base64
import html
import io
from collections.abc import Sequence

import ipywidgets
import PIL.Image
from matplotlib.figure import Figure


def image_html(figure: Figure, alt: str, *, dpi: int = 80) -> str:
    """An ``<img>`` element that holds ``figure`` as a PNG, with its alternative text.

    Raises:
        ValueError: ``alt`` is empty: a picture with no text is lost to a reader who cannot see it.
    """
    if not alt.strip():
        raise ValueError("alt is empty: say in a sentence what the picture shows")
    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=dpi)
    # A page holds every picture of every slider. 64 colours are enough for a plot, and a third of the bytes.
    PIL.Image.open(drawn).convert("RGB").quantize(64, dither=PIL.Image.Dither.NONE).save(small, "png", optimize=True)
    data = base64.b64encode(small.getvalue()).decode("ascii")
    return f'<img alt="{html.escape(alt, quote=True)}" src="data:image/png;base64,{data}">'


def picture_slider(
    figures: Sequence[Figure],
    labels: Sequence[str],
    alts: Sequence[str],
    *,
    description: str,
    start: int = 0,
) -> ipywidgets.VBox:
    """A slider that shows one of several pictures: one label and one alternative text a picture.

    The link runs in the browser, so that the slider works with a mouse, a finger and the arrow keys on the
    static page too. Colab's ipywidgets 7 has no ``Stack``: there Python swaps the picture.

    Raises:
        ValueError: the three sequences differ in length, or hold fewer than two pictures.
    """
    if not len(figures) == len(labels) == len(alts):
        raise ValueError(
            f"one label and one alt text a picture: got {len(figures)} figures, {len(labels)} labels, {len(alts)} alts"
        )
    if len(figures) < 2:
        raise ValueError(f"a slider needs at least two pictures, got {len(figures)}")
    pages = [ipywidgets.HTML(image_html(f, a)) for f, a in zip(figures, alts, strict=True)]
    slider = ipywidgets.SelectionSlider(
        options=list(labels), index=start, description=description,
        style={"description_width": "initial"}, layout={"width": "95%", "max_width": "32rem"},
    )  # fmt: skip
    if hasattr(ipywidgets, "Stack"):
        stack = ipywidgets.Stack(pages, selected_index=start)
        ipywidgets.jslink((slider, "index"), (stack, "selected_index"))
        return ipywidgets.VBox([slider, stack])
    page = ipywidgets.HTML(pages[start].value)
    slider.observe(lambda change: setattr(page, "value", pages[change["new"]].value), names="index")
    return ipywidgets.VBox([slider, page])
