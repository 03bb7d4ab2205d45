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
    figure.savefig(file, dpi=80)
    drawn = np.asarray(PIL.Image.open(file).convert("RGB"), dtype=float)
    assert pixels(page).shape == drawn.shape == (80, 160, 3)
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


def test_without_stack_python_swaps_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Colab, whose ipywidgets is older."""
    monkeypatch.delattr(ipywidgets, "Stack")
    slider, page = widgets.picture_slider(pictures(2), ["a", "b"], ["A.", "B."], description="which").children
    assert 'alt="A."' in page.value
    slider.index = 1
    assert 'alt="B."' in page.value


def test_a_picture_without_text_is_refused() -> None:
    with pytest.raises(ValueError, match="alt is empty"):
        widgets.image_html(pictures(1)[0], " ")


def test_sequences_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="2 figures, 1 labels, 2 alts"):
        widgets.picture_slider(pictures(2), ["a"], ["A.", "B."], description="which")
    with pytest.raises(ValueError, match="at least two pictures, got 1"):
        widgets.picture_slider(pictures(1), ["a"], ["A."], description="which")
