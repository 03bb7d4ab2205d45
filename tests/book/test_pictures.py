"""From the stored state of a slider to the page's own; and what a page without a kernel has no place for."""

import base64

import ipywidgets
import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure
from pictures import _chosen, read

from lecture11 import widgets


def drawn(k: int) -> Figure:
    figure, ax = plt.subplots(figsize=(2, 1))
    ax.plot([0, 1], [0, k])
    plt.close(figure)
    return figure


def test_the_pictures_of_two_sliders_come_row_by_row() -> None:
    alts = [[f"{row}{column}." for column in "xyz"] for row in "ab"]
    figures = [[drawn(3 * i + j) for j in range(3)] for i in range(2)]
    box = widgets.picture_grid(figures, [*"ab"], [*"xyz"], alts, descriptions=("row", "column"), start=(1, 2))
    sliders, images = read(ipywidgets.Widget.get_manager_state()["state"], box.model_id)
    assert [tuple(slider) for slider in sliders] == [("row", ["a", "b"], 1), ("column", ["x", "y", "z"], 2)]
    assert [alt for _, alt in images] == [alt for row in alts for alt in row]
    assert len({data for data, _ in images}) == 6
    assert all(base64.b64decode(data).startswith(b"\x89PNG") for data, _ in images)
    assert _chosen(sliders, images)[1] == "bz."


def test_another_widget_is_refused() -> None:
    slider, button = ipywidgets.SelectionSlider(options=["a", "b"]), ipywidgets.Button()
    for widget in (button, ipywidgets.VBox([slider, button]), ipywidgets.VBox([slider, ipywidgets.HTML("<b>no</b>")])):
        with pytest.raises(ValueError, match=r"ButtonModel|HTMLModel"):
            read(ipywidgets.Widget.get_manager_state()["state"], widget.model_id)
    lonely = ipywidgets.VBox([slider, ipywidgets.HTML('<img alt="a" src="data:image/png;base64,AA">')])
    with pytest.raises(ValueError, match="1 pictures for 2 settings"):
        read(ipywidgets.Widget.get_manager_state()["state"], lonely.model_id)
    with pytest.raises(KeyError):
        read({}, lonely.model_id)
