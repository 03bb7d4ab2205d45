"""Sliders that need no kernel: what they store is all that a static page has."""

import base64
import io
import re

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
import pytest
from ipywidgets.widgets.widget import _instances
from ipywidgets.widgets.widget_link import Link
from matplotlib.figure import Figure

from lecture11 import widgets


def pictures(n: int) -> list[Figure]:
    figures = []
    for k in range(n):
        figure, ax = plt.subplots(figsize=(2, 1))
        ax.plot([0, 1], [0, k])
        plt.close(figure)
        figures.append(figure)
    return figures


def pixels(page: str) -> np.ndarray:
    data = re.search(r"base64,([^\"]+)", page)
    assert data is not None
    return np.asarray(PIL.Image.open(io.BytesIO(base64.b64decode(data[1]))).convert("RGB"))


def test_picture_is_the_figure_with_its_text() -> None:
    (figure,) = pictures(1)
    page = widgets.image_html(figure, 'A "line" & more.')
    assert 'alt="A &quot;line&quot; &amp; more."' in page
    file = io.BytesIO()
    figure.savefig(file, dpi=160)
    drawn = np.asarray(PIL.Image.open(file).convert("RGB"), dtype=float)
    assert pixels(page).shape == drawn.shape == (160, 320, 3)
    assert 'width="160"' in page
    assert np.abs(pixels(page) - drawn).mean() < 3  # of 255: few colours, but near ones


def test_slider_is_linked_to_the_pictures_in_the_browser() -> None:
    box = widgets.picture_slider(pictures(3), ["a", "b", "c"], ["A.", "B.", "C."], description="which", start=1)
    slider, stack = box.children
    assert slider.options == ("a", "b", "c")
    assert (slider.index, stack.selected_index) == (1, 1)
    assert ["A." in page.value for page in stack.children] == [True, False, False]
    assert isinstance(stack, ipywidgets.Stack)
    links = [w for w in _instances.values() if isinstance(w, Link)]
    assert any(link.source == (slider, "index") and link.target == (stack, "selected_index") for link in links)


def test_axes_stand_still_and_nothing_beside_them_is_cut() -> None:
    drawn = pictures(3)
    for figure, label in zip(drawn, ("1", "1.0000", "1"), strict=True):
        figure.set_layout_engine("constrained")
        figure.axes[0].set(ylim=(0, 1.2), yticks=[1], yticklabels=[label], ylabel="y")
    drawn[2].axes[0].set(xlabel="two\nlines")
    widgets.picture_slider(drawn, ["a", "b", "c"], ["A.", "B.", "C."], description="which")
    assert len({figure.axes[0].get_position().bounds for figure in drawn}) == 1
    for figure in drawn:
        box = figure.axes[0].get_tightbbox()
        assert box is not None
        assert box.x0 >= -0.5
        assert box.y0 >= -0.5
        assert box.x1 <= figure.bbox.width + 0.5
        assert box.y1 <= figure.bbox.height + 0.5


def test_where_no_widget_is_shown_there_is_a_picture() -> None:
    drawn = pictures(2)
    box = widgets.picture_slider(drawn, ["a", "b"], ["A.", "B."], description="which", start=1)
    shown = box._repr_mimebundle_()
    assert shown["text/plain"] == repr(box) == "A picture that a slider chooses: which."
    still = np.asarray(PIL.Image.open(io.BytesIO(base64.b64decode(shown["image/png"]))).convert("RGB"))
    assert np.array_equal(still, pixels(widgets.image_html(drawn[1], "B.")))
    grid = widgets.picture_grid(
        [drawn, drawn], ["a", "b"], ["c", "d"], [["A.", "B."]] * 2, descriptions=("row", "column")
    )
    assert repr(grid) == "A picture that a slider chooses: row and column."


def test_without_stack_python_swaps_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Colab, whose ipywidgets is older."""
    monkeypatch.delattr(ipywidgets, "Stack")
    slider, page = widgets.picture_slider(pictures(2), ["a", "b"], ["A.", "B."], description="which").children
    assert 'alt="A."' in page.value
    slider.index = 1
    assert 'alt="B."' in page.value


def grid(rows: int, columns: int) -> tuple[list[list[Figure]], list[list[str]]]:
    drawn = iter(pictures(rows * columns))
    alts = [[f"{r}{c}." for c in range(columns)] for r in range(rows)]
    return [[next(drawn) for _ in row] for row in alts], alts


def test_two_sliders_are_linked_to_the_pictures_in_the_browser() -> None:
    figures, alts = grid(3, 2)
    box = widgets.picture_grid(figures, ["a", "b", "c"], ["x", "y"], alts, descriptions=("row", "column"), start=(2, 1))
    first, second, outer = box.children
    assert (first.description, first.options, first.index) == ("row", ("a", "b", "c"), 2)
    assert (second.description, second.options, second.index) == ("column", ("x", "y"), 1)
    assert outer.selected_index == 2
    assert [inner.selected_index for inner in outer.children] == [1, 1, 1]
    shown = [[re.findall(r'alt="(.+?)"', page.value) for page in inner.children] for inner in outer.children]
    assert shown == [[[alt] for alt in row] for row in alts]
    links = [(w.source, w.target) for w in _instances.values() if isinstance(w, Link)]
    assert ((first, "index"), (outer, "selected_index")) in links
    # Each inner stack follows the second slider, those that are out of sight too.
    for inner in outer.children:
        assert ((second, "index"), (inner, "selected_index")) in links


@pytest.mark.parametrize("stack", [True, False])
def test_a_button_moves_the_last_slider(monkeypatch: pytest.MonkeyPatch, stack: bool) -> None:
    if not stack:
        monkeypatch.delattr(ipywidgets, "Stack")
    figures, alts = grid(2, 3)
    box = widgets.picture_grid(
        figures, ["a", "b"], ["x", "y", "z"], alts, descriptions=("row", "column"), start=(1, 2), play=True
    )
    _, column, button, _ = box.children
    assert isinstance(button, ipywidgets.Play)
    assert (button.min, button.value, button.max) == (0, 2, 2)
    assert not button.playing
    links = [(w.source, w.target) for w in _instances.values() if isinstance(w, Link)]
    assert ((button, "value"), (column, "index")) in links


def test_without_stack_python_swaps_the_picture_of_a_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(ipywidgets, "Stack")
    figures, alts = grid(2, 3)
    box = widgets.picture_grid(figures, ["a", "b"], ["x", "y", "z"], alts, descriptions=("row", "column"))
    first, second, page = box.children
    assert 'alt="00."' in page.value
    second.index = 2
    assert 'alt="02."' in page.value
    first.index = 1
    assert 'alt="12."' in page.value
    second.index = 0
    assert 'alt="10."' in page.value


def test_a_grid_that_does_not_fit_is_refused() -> None:
    figures, alts = grid(2, 2)
    both = {"descriptions": ("row", "column")}
    with pytest.raises(ValueError, match=r"2 row labels and 3 column labels, but rows of \[2, 2\] figures"):
        widgets.picture_grid(figures, ["a", "b"], ["x", "y", "z"], alts, **both)
    with pytest.raises(ValueError, match=r"but rows of \[2, 1\] alts"):
        widgets.picture_grid(figures, ["a", "b"], ["x", "y"], [alts[0], alts[1][:1]], **both)
    with pytest.raises(ValueError, match=r"but rows of \[2\] figures"):
        widgets.picture_grid(figures[:1], ["a", "b"], ["x", "y"], alts, **both)
    with pytest.raises(ValueError, match="a grid of 1 x 2"):
        widgets.picture_grid(figures[:1], ["a"], ["x", "y"], alts[:1], **both)


def test_a_picture_without_text_is_refused() -> None:
    with pytest.raises(ValueError, match="alt is empty"):
        widgets.image_html(pictures(1)[0], " ")


def test_sequences_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="2 figures, 1 labels, 2 alts"):
        widgets.picture_slider(pictures(2), ["a"], ["A.", "B."], description="which")
    with pytest.raises(ValueError, match="at least two pictures, got 1"):
        widgets.picture_slider(pictures(1), ["a"], ["A."], description="which")
