"""Interactions that also work on a page with no kernel behind it.

A static page keeps a widget's state and the links between widgets, but runs no Python. So every picture that
the reader can reach is drawn beforehand, and a slider only selects one.
"""

import base64
import html
import io
from collections.abc import Sequence
from typing import Any

import ipywidgets
import numpy as np
import PIL.Image
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lecture11.checks import Count, checked


@checked
def image_html(figure: Figure, alt: str, *, dpi: Count = 80) -> str:
    """An ``<img>`` element that holds ``figure`` as a PNG, with its alternative text.

    As on all of the book's figures, each of its ``dpi`` has two pixels, for screens that can show them.

    Raises:
        ValueError: ``alt`` is empty: a picture with no text is lost to a reader who cannot see it.
    """
    if not alt.strip():
        raise ValueError("alt is empty: say in a sentence what the picture shows")
    canvas, small, own = FigureCanvasAgg(figure), io.BytesIO(), figure.dpi
    figure.set_dpi(2 * dpi)
    # (Once, where savefig draws a figure with a layout twice.)
    canvas.draw()  # type: ignore[no-untyped-call]
    figure.set_dpi(own)
    # A page holds every picture of every slider. 64 colours are enough for a plot, and a third of the bytes.
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]  # type: ignore[no-untyped-call]
    image = PIL.Image.fromarray(pixels).quantize(64, dither=PIL.Image.Dither.NONE)
    image.save(small, "png", compress_level=7, dpi=(2 * dpi, 2 * dpi))
    data = base64.b64encode(small.getvalue()).decode("ascii")
    return f'<img alt="{html.escape(alt, quote=True)}" width="{image.width // 2}" src="data:image/png;base64,{data}">'


def _lay_out_as_one(figures: Sequence[Figure]) -> None:
    """Gives all the same places for their axes, with room for what stands beside any of them, so that no axis moves
    when a slider does. Figures that differ in size or in their number of axes keep what they have."""
    if len({(len(figure.axes), *figure.get_size_inches()) for figure in figures}) > 1:
        return
    for figure in figures:
        if engine := figure.get_layout_engine():
            engine.execute(figure)
            figure.set_layout_engine("none")
    for alike in zip(*(figure.axes for figure in figures), strict=True):
        places = np.array([ax.get_position(original=True).extents for ax in alike])
        low, high = places[:, :2].max(axis=0), places[:, 2:].min(axis=0)
        for ax in alike:
            ax.set_position((*low, *(high - low)))


@checked
def picture_slider(
    figures: Sequence[Figure],
    labels: Sequence[str],
    alts: Sequence[str],
    *,
    description: str,
    start: int = 0,
    play: bool = False,
) -> ipywidgets.VBox:
    """A slider that shows one of several pictures: one label and one alternative text a picture.

    With ``play`` a button shows them one after another, as a film. The link runs in the browser, so that the slider
    works with a mouse, a finger and the arrow keys on the static page too. Colab's ipywidgets 7 has no ``Stack``: there
    Python swaps the picture.

    Raises:
        ValueError: the three sequences differ in length, or hold fewer than two pictures.
    """
    if not len(figures) == len(labels) == len(alts):
        raise ValueError(
            f"one label and one alt text a picture: got {len(figures)} figures, {len(labels)} labels, {len(alts)} alts"
        )
    if len(figures) < 2:
        raise ValueError(f"a slider needs at least two pictures, got {len(figures)}")
    _lay_out_as_one(figures)
    pages = [image_html(f, a) for f, a in zip(figures, alts, strict=True)]
    return _with_sliders(pages, [_slider(labels, description, start)], play)


@checked
def picture_grid(
    figures: Sequence[Sequence[Figure]],
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    alts: Sequence[Sequence[str]],
    *,
    descriptions: tuple[str, str],
    start: tuple[int, int] = (0, 0),
    play: bool = False,
) -> ipywidgets.VBox:
    """Two sliders that together show one of a grid of pictures: the first selects the row, the second the column.

    With ``play`` a button shows the pictures of a row one after another, as a film. It works where ``picture_slider``
    does. A page stores all pictures: keep them small.

    Raises:
        ValueError: figures or alternative texts that are no grid of the size of the labels; fewer than two rows or
            columns.
    """
    rows, columns = len(row_labels), len(column_labels)
    for name, cells in (("figures", figures), ("alts", alts)):
        if (sizes := [len(row) for row in cells]) != [columns] * rows:
            raise ValueError(f"{rows} row labels and {columns} column labels, but rows of {sizes} {name}")
    if rows < 2 or columns < 2:
        raise ValueError(f"a slider needs at least two pictures, got a grid of {rows} x {columns}")
    _lay_out_as_one([f for row in figures for f in row])
    pages = [
        [image_html(f, a) for f, a in zip(figure_row, alt_row, strict=True)]
        for figure_row, alt_row in zip(figures, alts, strict=True)
    ]
    labels = (row_labels, column_labels)
    return _with_sliders(pages, [_slider(*each) for each in zip(labels, descriptions, start, strict=True)], play)


def _slider(labels: Sequence[str], description: str, start: int) -> ipywidgets.SelectionSlider:
    if not 0 <= start < len(labels):
        raise ValueError(f"start is a position, 0..{len(labels) - 1}; got {start}")
    return ipywidgets.SelectionSlider(
        options=list(labels), index=start, description=description,
        style={"description_width": "initial"}, layout={"width": "95%", "max_width": "32rem"},
    )  # fmt: skip


class _Pictures(ipywidgets.VBox):
    """Sliders and what they select; a still picture where no widget is shown: on GitHub, in Markdown, in a PDF."""

    def __init__(self, children: Sequence[ipywidgets.Widget], still: str, text: str) -> None:
        super().__init__(children)
        self._still, self._text = still, text

    def __repr__(self) -> str:
        return self._text

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        return {**super()._repr_mimebundle_(**kwargs), "image/png": self._still}


def _with_sliders(pages: list, sliders: list[ipywidgets.SelectionSlider], play: bool) -> ipywidgets.VBox:
    """The sliders, and below them the page that they select from lists nested as deep as there are sliders.

    Between them, if asked for, the button that moves the last slider.
    """

    def selected() -> str:
        found: Any = pages
        for slider in sliders:
            found = found[slider.index]
        return found

    if hasattr(ipywidgets, "Stack"):
        like = ipywidgets.HTML()
        page = _stacked(pages, sliders, layout=like.layout, style=like.style)
    else:
        page = ipywidgets.HTML(selected())
        for slider in sliders:
            slider.observe(lambda _: setattr(page, "value", selected()), names="index")
    button = [_button(sliders[-1])] if play else []
    names = " and ".join(slider.description for slider in sliders)
    still = selected().partition("base64,")[2].removesuffix('">')
    return _Pictures([*sliders, *button, page], still, f"A picture that a slider chooses: {names}.")


def _button(slider: ipywidgets.SelectionSlider) -> ipywidgets.Play:
    """It plays nothing until it is pressed, and stops at the end."""
    play = ipywidgets.Play(value=slider.index, max=len(slider.options) - 1, interval=500, show_repeat=False)
    ipywidgets.jslink((play, "value"), (slider, "index"))
    return play


def _stacked(pages: list | str, sliders: list[ipywidgets.SelectionSlider], **shared: Any) -> ipywidgets.Widget:
    """A stack that follows the first slider; in it, for each of its positions, a stack that follows the second.

    All pages share one layout and one style: each of its own would add 2 kB to the page.
    """
    if not sliders:
        return ipywidgets.HTML(pages, **shared)
    children = [_stacked(part, sliders[1:], **shared) for part in pages]
    stack = ipywidgets.Stack(children, selected_index=sliders[0].index)
    ipywidgets.jslink((sliders[0], "index"), (stack, "selected_index"))
    return stack
