"""From the stored state of a slider to the page's own; and what a page without a kernel has no place for."""

import base64
import json
from types import SimpleNamespace

import ipywidgets
import matplotlib.pyplot as plt
import pictures
import pytest
from docutils import nodes
from docutils.utils import new_document
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
    sliders, images, interval = read(ipywidgets.Widget.get_manager_state()["state"], box.model_id)
    assert interval is None
    assert [tuple(slider) for slider in sliders] == [("row", ["a", "b"], 1), ("column", ["x", "y", "z"], 2)]
    assert [alt for _, alt in images] == [alt for row in alts for alt in row]
    assert len({data for data, _ in images}) == 6
    assert all(base64.b64decode(data).startswith(b"\x89PNG") for data, _ in images)
    assert _chosen(sliders, images)[1] == "bz."


def test_a_button_that_plays_is_read() -> None:
    box = widgets.picture_slider([drawn(0), drawn(1)], ["a", "b"], ["A.", "B."], description="letter", play=True)
    sliders, images, interval = read(ipywidgets.Widget.get_manager_state()["state"], box.model_id)
    assert (len(sliders), len(images), interval) == (1, 2, 500)


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


@pytest.mark.parametrize("beside", [True, False])
def test_a_slider_that_would_be_lost_is_named(monkeypatch: pytest.MonkeyPatch, beside: bool) -> None:
    """The figure that computes takes a slider's place; beside one, the page would lose the slider without a word."""
    box = widgets.picture_slider([drawn(0), drawn(1)], ["a", "b"], ["A.", "B."], description="letter")
    said: list[str] = []
    monkeypatch.setattr(pictures, "_state", lambda _: ipywidgets.Widget.get_manager_state()["state"])
    monkeypatch.setattr(pictures.LOGGER, "warning", lambda message, **_: said.append(message))
    page = new_document("page")
    page.settings.env = SimpleNamespace(doc2path=str, docname="page", nb_metadata={"page": {}})
    script = nodes.raw("", f"<script>{json.dumps({'model_id': box.model_id})}</script>", format="html")
    still = nodes.image(classes=["live-loss", *["beside"] * beside])
    page += nodes.section("", still, nodes.container("", script, mime_type=pictures.VIEW))
    pictures.PictureSliders(page).apply()
    assert [message.split(",")[0] for message in said] == ["a slider has no figure beside it"] * beside
    assert still["alt"] == "A."
    assert list(page.findall(nodes.container)) == []
