"""Figures show the numbers they are given."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from matplotlib.text import Annotation
from matplotlib.transforms import Transform

from lecture11 import figures


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_figure_1_shows_image_code_and_reconstruction() -> None:
    image, code = torch.rand(1, 4, 4), torch.tensor([0.5, -1.0, 2.0])
    figure = figures.structure_of_autoencoder(image, code, image / 2)
    left, middle, right = figure.axes
    assert np.array_equal(left.images[0].get_array(), image[0].numpy())
    assert np.array_equal(right.images[0].get_array(), image[0].numpy() / 2)
    assert [bar.get_width() for bar in middle.patches] == code.tolist()
    assert "16 numbers" in left.get_title()
    assert "3 numbers" in middle.get_title()


def test_figure_2_joins_each_point_to_its_reconstruction() -> None:
    x, y, curve = torch.rand(3, 5, 2)
    (ax,) = figures.latent_curve(x, y, curve, "t").axes
    segments = [line.get_xydata() for line in ax.lines]
    for i in range(5):
        assert np.allclose(segments[i], torch.stack([x[i], y[i]]).numpy())
    assert np.allclose(segments[5], curve.numpy())
    points, reconstructions = (c.get_offsets() for c in ax.collections)
    assert np.allclose(points, x.numpy())
    assert np.allclose(reconstructions, y.numpy())


def test_figure_3_draws_the_circles_that_hold_what_they_say() -> None:
    z = torch.randn(100_000, 2, generator=torch.Generator().manual_seed(0))
    (ax,) = figures.codes_against_normal(z[:20], torch.arange(20) % 10).axes
    radii = [patch.radius for patch in ax.patches if isinstance(patch, Circle)]
    shares = [(z.norm(dim=1) < radius).double().mean().item() for radius in radii]
    assert shares == pytest.approx([0.5, 0.99], abs=0.006)


def test_figure_4_shows_the_distribution_a_draw_and_its_image() -> None:
    image = torch.rand(1, 4, 4)
    mu, sigma, z = torch.tensor([0.5, -1.0, 2.0]), torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0.4, -1.1, 2.5])
    figure = figures.structure_of_vae(image, mu, sigma, z, image / 2)
    drawn = {ax.get_title(): ax for ax in figure.axes}
    assert np.array_equal(drawn["x"].images[0].get_array(), image[0].numpy())
    assert np.array_equal(drawn["Dec(z)"].images[0].get_array(), image[0].numpy() / 2)
    encoder, code = drawn["μ(x), σ(x)"], drawn["z ~ q(z | x)"]
    assert [bar.get_width() for bar in encoder.patches] == mu.tolist()
    assert [bar.get_y() + bar.get_height() / 2 for bar in encoder.patches] == pytest.approx([0, 1, 2])
    ends = [[[m - s, row], [m + s, row]] for row, (m, s) in enumerate(zip(mu.tolist(), sigma.tolist(), strict=True))]
    for ax in (encoder, code):
        assert np.array(ax.collections[0].get_segments()) == pytest.approx(np.array(ends))
        assert ax.get_xlim() == encoder.get_xlim()
        assert ax.get_ylim() == encoder.get_ylim()
        assert ax.get_xlim()[1] > 2.5
    (dots,) = (line for line in code.lines if line.get_marker() == "o")
    assert np.array(dots.get_xydata()) == pytest.approx(np.stack([z.numpy(), np.arange(3)], axis=1))
    assert len(figure.artists) == 3  # arrows


def test_figure_5_ends_at_a_drawn_code_and_goes_on_past_drawn_noise() -> None:
    gradients = {"z": 1.0, "mu": 2.0, "sigma": 3.0, "theta": 4.0, "phi": 50.0}
    drawn, reparametrised = figures.reparametrisation_graph(gradients).axes

    def arrows(ax: Axes) -> list[tuple[float, float]]:
        """Where the arrows of the gradient end."""
        found = [(text.xy, text.arrow_patch) for text in ax.texts if isinstance(text, Annotation)]
        return [end for end, arrow in found if arrow and to_rgb(arrow.get_edgecolor()) == to_rgb(figures.VERMILION)]

    z, encoder, noise = (7.2, 3.2), (1.9, 4.1), (7.2, 5.0)
    assert len(arrows(drawn)) == 2
    assert z in arrows(drawn)
    assert len(arrows(reparametrised)) == 6
    assert arrows(reparametrised).count(encoder) == 2
    assert noise not in arrows(reparametrised)
    all_numbers = {"1.00", "2.00", "3.00", "4.00", "50"}
    assert {text.get_text() for text in drawn.texts} & all_numbers == {"1.00", "4.00"}
    assert {text.get_text() for text in reparametrised.texts} >= all_numbers


def test_figure_6_leads_from_noise_to_data_and_back() -> None:
    """F29: the law of each step above, the noising step below, named where nothing is left out."""
    chain = {0: torch.zeros(1, 4, 4), 500: torch.rand(1, 4, 4), 1000: torch.ones(1, 4, 4), 499: -torch.rand(1, 4, 4)}
    figure = figures.denoising_chain(chain)
    for ax, t in zip(figure.axes, (1000, 500, 499, 0), strict=True):
        assert ax.texts[0].get_text() == f"$x_{{{t}}}$"
        assert np.array_equal(ax.images[0].get_array(), chain[t][0].numpy())
        assert ax.images[0].get_clim() == (-1, 1)
    names = [text.get_text() for text in figure.texts]
    named = [r"$p_\theta(x_{499} \mid x_{500})$", r"$q(x_{500} \mid x_{499})$"]
    assert names == ["· · ·", *named, "· · ·"]
    # Of each pair of arrows one leads to the right and stands above the other, which leads back.
    for forth, back in zip(figure.artists[::2], figure.artists[1::2], strict=True):
        assert figure.axes.index(axis_of(figure, forth.coords1)) + 1 == figure.axes.index(
            axis_of(figure, forth.coords2)
        )
        assert (back.coords1, back.coords2) == (forth.coords2, forth.coords1)
        assert forth.xy1[1] > back.xy1[1]


def axis_of(figure: Figure, transform: Transform) -> Axes:
    (ax,) = (ax for ax in figure.axes if ax.transAxes == transform)
    return ax


def test_classes_are_named_where_they_are() -> None:
    # Half of the threes lie among sevens, the sevens at one place: threes are named where they are by themselves.
    points = torch.tensor([[0.0, 0.0], [0.0, 0.1], [5.0, 5.0], [5.0, 5.1], [5.1, 5.0], [4.9, 5.0]])
    _, ax = plt.subplots()
    figures.scatter_classes(ax, points, torch.tensor([3, 3, 3, 3, 7, 7]))
    named = {t.get_text(): torch.tensor(t.get_position()) for t in ax.texts}
    assert set(named) == {"3", "7"}
    assert named["3"].norm() < 0.2
    assert (named["7"] - 5).norm() < 0.2


def test_names_of_classes_do_not_cover_each_other() -> None:
    points = torch.randn(400, 2, generator=torch.Generator().manual_seed(0))
    _, ax = plt.subplots()
    figures.scatter_classes(ax, points, torch.arange(400) % 10)
    places = torch.tensor([t.get_position() for t in ax.texts])
    apart = (places[:, None] - places).abs().amax(dim=-1) + torch.eye(10)
    assert apart.min() >= 0.14 * ax.get_xlim()[1]


def test_rows_of_images_may_differ_in_length() -> None:
    figure = figures.image_rows({"a": torch.rand(3, 1, 4, 4), "b": torch.rand(2, 3, 4, 4)})
    (ax,) = figure.axes
    assert [image.get_array().shape for image in ax.images] == [(4, 4)] * 3 + [(4, 4, 3)] * 2
    corners = [tuple(image.get_extent()[:3:2]) for image in ax.images]  # left and bottom
    assert corners == [(0, -1), (1.15, -1), (2.3, -1), (0, -2.15), (1.15, -2.15)]


def test_colours_in_any_range_are_scaled_to_it() -> None:
    """matplotlib heeds no ``vmin`` for colours: everything below 0 would be black."""
    x = torch.linspace(-1, 1, 2 * 3 * 4 * 4).reshape(2, 3, 4, 4)
    figure = figures.image_rows({"a": x}, low=-1)
    shown = np.stack([image.get_array() for image in figure.axes[0].images])
    np.testing.assert_allclose(shown, (x.movedim(1, -1).numpy() + 1) / 2, atol=1e-6)


def test_pictures_of_another_scale_or_of_two_channels_are_refused() -> None:
    with pytest.raises(ValueError, match=r"rows: pixels in \[0, 1\] expected, got values in \[0, 255\]"):
        figures.image_rows({"a": 255 * torch.eye(4)[None, None]})
    with pytest.raises(ValueError, match=r"rows must have one channel or three, got \(2, 4, 4\)"):
        figures.image_rows({"a": torch.zeros(1, 2, 4, 4)})
    with pytest.raises(ValueError, match=r"labels must lie in 0\.\.9, got -1 to 1"):
        figures.codes_against_normal(torch.zeros(2, 2), torch.tensor([1, -1]))


def test_arrows_have_the_length_of_their_vectors() -> None:
    _, ax = plt.subplots()
    figures.vector_field(ax, torch.zeros(1, 2), torch.tensor([[0.25, -0.5]]))
    (arrows,) = ax.collections
    assert (arrows.U[0], arrows.V[0], arrows.scale, arrows.angles) == (0.25, -0.5, 1, "xy")


@given(limit=st.floats(0.1, 10), n=st.integers(2, 6))
def test_grid_covers_the_square(limit: float, n: int) -> None:
    points = figures.grid(limit, n)
    assert points.shape == (n * n, 2)
    assert len(points.unique(dim=0)) == n * n
    assert points.abs().max() == pytest.approx(limit)
    assert points.mean(0).abs().max() < 1e-12


def test_ten_colours_can_be_told_apart() -> None:
    for a, b in itertools.combinations(figures.TEN, 2):
        assert np.linalg.norm(np.subtract(to_rgb(a), to_rgb(b))) > 0.25
