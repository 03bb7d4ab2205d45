"""The figures of the lecture, redrawn from computed data, and the few kinds of picture the chapters share.

Every function returns a matplotlib Figure and shows nothing: the notebook does that, with an alternative text.
Colours are Okabe and Ito's, which colour-blind readers can tell apart; shapes repeat what colours say.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.core.getipython import get_ipython
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Circle, ConnectionPatch
from matplotlib_inline.backend_inline import set_matplotlib_formats
from torch import Tensor

from lecture11.checks import Count, Finite, checked, drawable, finite

VERMILION, GREEN, BLUE, ORANGE, GREY = "#D55E00", "#009E73", "#0072B2", "#E69F00", "#666666"
# Ten classes: seven colours of Okabe and Ito (their yellow is too light for letters), a grey, a violet, a brown.
TEN = ["#000000", "#E69F00", "#56B4E9", "#009E73", "#7F4F24", "#0072B2", "#D55E00", "#CC79A7", "#707070", "#6A3D9A"]


def use_style() -> None:
    """Sets matplotlib up for the book: small figures, with letters that a phone shows large and sharp enough."""
    if get_ipython() is not None:
        set_matplotlib_formats("retina")  # type: ignore[no-untyped-call]  # twice as many pixels, shown in the same place
    plt.rcParams.update(
        {
            "figure.dpi": 80,
            "savefig.dpi": 80,
            "figure.constrained_layout.use": True,
            "font.size": 11,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "legend.frameon": False,
        }
    )


def _numpy(x: Tensor) -> np.ndarray:
    return x.detach().cpu().numpy()


def _show_image(ax: Axes, name: str, image: Tensor, low: float = 0.0, **place: Any) -> None:
    """One or three channels with values in [low, 1]. Clipped for the eye only: a reconstruction may leave the range."""
    if image.shape[0] not in (1, 3):
        raise ValueError(f"{name} must have one channel or three, got {tuple(image.shape)}")
    drawable(low, 1.0, **{name: image})
    if len(image) == 3:  # for colours, matplotlib heeds no vmin
        image = ((image - low) / (1 - low)).clamp(0, 1)
    ax.imshow(np.moveaxis(_numpy(image), 0, -1), cmap="gray_r", vmin=low, vmax=1.0, interpolation="nearest", **place)
    ax.set_axis_off()


@checked
def structure_of_autoencoder(
    image: Float[Tensor, "channels height width"],
    code: Float[Tensor, " k"],
    reconstruction: Float[Tensor, "channels height width"],
) -> Figure:
    """Fig. 1: one image, its code as bars, its reconstruction."""
    finite(code=code)
    figure, axes = plt.subplots(1, 3, figsize=(6, 2.4), width_ratios=[1, 0.8, 1])
    _show_image(axes[0], "image", image)
    _show_image(axes[2], "reconstruction", reconstruction)
    axes[0].set_title(f"x\n{image.numel()} numbers")
    axes[2].set_title(f"x̃ = Dec(z)\n{reconstruction.numel()} numbers")
    axes[1].barh(np.arange(len(code)), _numpy(code), color=BLUE)
    axes[1].axvline(0, color=GREY, lw=0.8)
    axes[1].set(title=f"z = Enc(x)\n{len(code)} numbers", xticks=[], yticks=[])
    axes[1].spines[["left", "bottom"]].set_visible(False)
    for left, right in itertools.pairwise(axes):
        arrow = ConnectionPatch(
            (1.05, 0.5), (-0.05, 0.5), left.transAxes, right.transAxes,
            arrowstyle="-|>", mutation_scale=22, lw=2, color=GREY,
        )  # fmt: skip
        figure.add_artist(arrow)
    return figure


@checked
def latent_curve(
    points: Float[Tensor, "n 2"],
    reconstructions: Float[Tensor, "n 2"],
    curve: Float[Tensor, "m 2"],
    title: str = "",
) -> Figure:
    """Fig. 2: points, the curve that a one-dimensional code can reach, and each reconstruction on it."""
    finite(points=points, reconstructions=reconstructions, curve=curve)
    figure, ax = plt.subplots(figsize=(5, 4))
    x, y = _numpy(points), _numpy(reconstructions)
    lost = ax.plot(*np.stack([x, y]).transpose(2, 0, 1), color=GREY, lw=1, zorder=1)
    lost[0].set_label("what is lost")
    ax.plot(*_numpy(curve).T, color=GREEN, lw=2.5, zorder=2, label="what the decoder can reach")
    ax.scatter(x[:, 0], x[:, 1], s=22, color=VERMILION, marker="o", zorder=3, label="points x")
    ax.scatter(y[:, 0], y[:, 1], s=22, color=BLUE, marker="s", zorder=4, label="reconstructions x̃")
    margin = 0.35
    low, high = x.min(0) - margin, x.max(0) + margin
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal", xticks=[], yticks=[], title=title)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=2)
    return figure


@checked
def codes_against_normal(codes: Float[Tensor, "n 2"], labels: Int[Tensor, " n"]) -> Figure:
    """Fig. 3, put to the test: codes by class, and the circles that hold 50 % and 99 % of N(0, I)."""
    finite(codes=codes)
    figure, ax = plt.subplots(figsize=(5, 5.2))
    scatter_classes(ax, codes, labels)
    for share, style in ((0.5, "--"), (0.99, "-")):
        # The squared radius of a two-dimensional standard normal is exponential with mean 2.
        radius = float(np.sqrt(-2 * np.log(1 - share)))
        label = f"circle that holds {share:.0%} of N(0, I)"
        ax.add_patch(Circle((0, 0), radius, fill=False, color="black", lw=1.8, ls=style, zorder=5))
        ax.plot([], [], color="black", lw=1.8, ls=style, label=label)  # a patch would be a rectangle in the legend
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12))
    return figure


@checked
def structure_of_vae(
    image: Float[Tensor, "channels height width"],
    mu: Float[Tensor, " k"],
    sigma: Float[Tensor, " k"],
    z: Float[Tensor, " k"],
    reconstruction: Float[Tensor, "channels height width"],
) -> Figure:
    """Fig. 4: an image, mean and standard deviation of each latent, a code drawn from them, decoded."""
    finite(mu=mu, sigma=sigma, z=z)
    figure = plt.figure(figsize=(6, 2.8), layout=ConstrainedLayoutEngine(wspace=0.18))  # room for the arrows
    left, encoder, code, right = figure.subplots(1, 4, width_ratios=[1.1, 1, 1, 1.1])
    for ax, name, picture, title in ((left, "image", image, "x"), (right, "reconstruction", reconstruction, "Dec(z)")):
        _show_image(ax, name, picture)
        ax.set_title(title)
    # One row for each latent, and one scale: what is drawn can be compared with what it is drawn from.
    limit = 1.1 * max(float(part.abs().max()) for part in (mu.abs() + sigma.abs(), z))
    rows, whiskers = np.arange(len(mu)), {"xerr": np.abs(_numpy(sigma)), "fmt": "none", "elinewidth": 2}
    encoder.barh(rows, _numpy(mu), color=BLUE, alpha=0.6)
    encoder.errorbar(_numpy(mu), rows, **whiskers, ecolor=ORANGE, capsize=3, capthick=1.5)
    code.errorbar(_numpy(mu), rows, **whiskers, ecolor=ORANGE, capsize=3, capthick=1.5)
    code.plot(_numpy(z), rows, "o", color=GREEN, ms=4)
    for ax, title in ((encoder, "μ(x), σ(x)"), (code, "z ~ q(z | x)")):
        ax.axvline(0, color=GREY, lw=0.8)
        ax.set(title=title, xticks=[], yticks=[], xlim=(-limit, limit), ylim=(-0.6, len(mu) - 0.4))
        ax.spines[["left", "bottom"]].set_visible(False)
    for start, end in ((left, encoder), (encoder, code), (code, right)):
        arrow = ConnectionPatch(
            (1.02, 0.5), (-0.02, 0.5), start.transAxes, end.transAxes,
            arrowstyle="-|>", mutation_scale=18, lw=1.8, color=GREY,
        )  # fmt: skip
        figure.add_artist(arrow)
    return figure


@checked
def denoising_chain(chain: Mapping[int, Float[Tensor, "channels height width"]]) -> Figure:
    """Fig. 6: images along the chain, from noise to data; ``p_theta`` leads from each to the next, ``q`` back (F29).

    Args:
        chain: ``x_t`` by ``t``, in [-1, 1]; drawn from the largest ``t`` to the smallest. Between neighbours ``t`` and
            ``t - 1`` the two distributions are named, and dots stand where steps are left out.
    """
    if len(chain) < 2 or not all(isinstance(t, int) and t >= 0 for t in chain):
        raise ValueError(f"chain must hold two images or more, each by its step t = 0, 1, ..., got {list(chain)}")
    times = sorted(chain, reverse=True)
    figure = plt.figure(figsize=(1.5 * len(times), 2.2), layout="none")
    width = 1 / (2 * len(times) - 0.9)  # and 0.95 of it between two images
    axes = [figure.add_axes(((0.025 + 1.95 * i) * width, 0.3, width, 0.45)) for i in range(len(times))]
    for ax, t in zip(axes, times, strict=True):
        _show_image(ax, "chain", chain[t], -1.0)
        ax.text(0.5, -0.12, f"$x_{{{t}}}$", transform=ax.transAxes, ha="center", va="top", size=13)
    for (before, after), (t, t_next) in zip(itertools.pairwise(axes), itertools.pairwise(times), strict=True):
        for start, end, height, color, style in ((before, after, 0.72, BLUE, "-"), (after, before, 0.28, GREY, "--")):
            ends = ((1.06, height), (-0.06, height)) if start is before else ((-0.06, height), (1.06, height))
            arrow = ConnectionPatch(
                *ends,
                start.transAxes,
                end.transAxes,
                arrowstyle="-|>",
                mutation_scale=14,
                lw=1.6,
                color=color,
                ls=style,
            )
            figure.add_artist(arrow)
        middle = (before.get_position().x1 + after.get_position().x0) / 2
        if t_next == t - 1:
            names = (rf"$p_\theta(x_{{{t_next}}} \mid x_{{{t}}})$", rf"$q(x_{{{t}}} \mid x_{{{t_next}}})$")
            figure.text(middle, 0.82, names[0], ha="center", va="bottom", size=12, color=BLUE)
            figure.text(middle, 0.12, names[1], ha="center", va="top", size=12, color=GREY)
        else:
            figure.text(middle, 0.525, "· · ·", ha="center", va="center", size=12)
    return figure


@checked
def scatter_classes(ax: Axes, points: Float[Tensor, "n 2"], labels: Int[Tensor, " n"]) -> None:
    """Codes coloured by class, each named where its codes lie most by themselves: colour alone is not enough."""
    finite(points=points)
    xy, classes = _numpy(points), _numpy(labels)
    if not 0 <= classes.min() <= classes.max() < len(TEN):
        raise ValueError(f"labels must lie in 0..{len(TEN) - 1}, got {classes.min()} to {classes.max()}")
    limit = 1.05 * float(np.quantile(np.abs(xy), 0.998))  # a few stragglers would shrink everything else
    ax.scatter(xy[:, 0], xy[:, 1], c=[TEN[c] for c in classes], s=8, alpha=0.7, linewidths=0)
    taken: list[np.ndarray] = []
    for c in np.unique(classes):
        x, y = place = _place_of_label(xy, classes == c, limit, taken)
        taken.append(place)
        ax.text(
            x, y, str(c), color=TEN[c], weight="bold", ha="center", va="center",
            bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": TEN[c], "alpha": 0.85},
        )  # fmt: skip
    ax.set(xlabel="$z_1$", ylabel="$z_2$", xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")


def _place_of_label(xy: np.ndarray, own: np.ndarray, limit: float, taken: Sequence[np.ndarray]) -> np.ndarray:
    """The point of a class with the largest share of its class around it, clear of the labels that stand already."""
    points = xy[own]
    weight = np.exp(-((points[:, None] - xy[None]) ** 2).sum(axis=-1) / (2 * (0.1 * limit) ** 2))
    share = weight[:, own].sum(axis=1) / (weight.sum(axis=1) + 0.03 * own.sum())  # a point by itself is no class
    for place in taken:
        share -= np.abs(points - place).max(axis=1) < 0.14 * limit
    return points[share.argmax()]


# Where each part of fig. 5 stands, and its name.
_GRAPH = {
    "x": (0.0, 4.1, "$x$"),
    "phi": (1.9, 4.1, r"Enc$_\phi$"),
    "mu": (4.3, 5.0, r"$\mu$"),
    "sigma": (4.3, 3.2, r"$\sigma$"),
    "eps": (7.2, 5.0, r"$\epsilon$"),
    "z": (7.2, 3.2, "$z$"),
    "theta": (7.2, 1.0, r"Dec$_\theta$"),
    "likelihood": (4.1, 1.0, r"$\ln p_\theta(x \mid z)$"),
}
# The one wide box: its arrows meet its right end, not its middle.
_ENDS = {name: place[:2] for name, place in _GRAPH.items()} | {"likelihood": (4.6, 1.0)}
_FORTH = [
    ("x", "phi"), ("phi", "mu"), ("phi", "sigma"), ("mu", "z"), ("sigma", "z"), ("eps", "z"), ("z", "theta"),
    ("theta", "likelihood"),
]  # fmt: skip
# Along the same edges; none leads to the noise.
_BACK = [
    ("likelihood", "theta"), ("theta", "z"), ("z", "sigma"), ("z", "mu"), ("sigma", "phi"), ("mu", "phi"),
]  # fmt: skip
_GRADIENTS = {"theta": (7.2, 0.35), "z": (7.95, 3.2), "sigma": (4.3, 2.5), "mu": (5.05, 5.3), "phi": (1.9, 3.4)}


@checked
def reparametrisation_graph(gradients: Mapping[str, Finite]) -> Figure:
    """Fig. 5: the reconstruction term, and how far its gradient comes back, drawn and reparametrised (F17).

    Above, the code is drawn, and the way back ends at it; below, the noise is, and the way back leads past it.

    Args:
        gradients: size of the gradient at each of ``"z"``, ``"mu"``, ``"sigma"``, ``"theta"`` and ``"phi"``: numbers
            computed from a model, which are written beside the parts.
    """
    if set(gradients) != set(_GRADIENTS):
        raise ValueError(f"gradients must have the keys {', '.join(_GRADIENTS)}; got {', '.join(map(str, gradients))}")
    figure, (above, below) = plt.subplots(2, 1, figsize=(5.6, 6.4))
    drawn = [edge for edge in _FORTH if "eps" not in edge]
    at_theta_and_z = {name: gradients[name] for name in ("theta", "z")}
    _draw_graph(above, "z", drawn, _BACK[:2], at_theta_and_z, r"$z \sim \mathcal{N}(\mu, \sigma^2)$")
    _draw_graph(below, "eps", _FORTH, _BACK, gradients, r"$z = \mu + \sigma\,\epsilon$")
    return figure


def _draw_graph(
    ax: Axes,
    random: str,
    forward: Sequence[tuple[str, str]],
    backward: Sequence[tuple[str, str]],
    gradients: Mapping[str, Finite],
    code: str,
) -> None:
    """One graph: the nodes on the forward edges, of which one is random, both kinds of edges, and the numbers."""
    ax.set(xlim=(-0.5, 8.3), ylim=(0.2, 5.6), aspect="equal")
    ax.set_axis_off()
    for name in {name for edge in forward for name in edge}:
        x, y, text = _GRAPH[name]
        ax.text(
            x, y, text, ha="center", va="center", size=13, zorder=3,
            bbox={"boxstyle": "circle" if name == random else "round,pad=0.35", "fc": "white", "lw": 1.4,
                  "ec": BLUE if name == random else "black", "ls": "--" if name == random else "-"},
        )  # fmt: skip
    # Those back are bent away from those forth.
    forth, back = {"color": GREY, "ls": "-"}, {"color": VERMILION, "ls": (0, (4, 2))}
    for edges, style, bend in ((forward, forth, 0.0), (backward, back, 0.3)):
        for start, end in edges:
            ax.annotate(
                "", _ENDS[end], _ENDS[start], zorder=1,
                arrowprops={"arrowstyle": "-|>", "mutation_scale": 15, "shrinkA": 19, "shrinkB": 19, "lw": 1.5,
                            "connectionstyle": f"arc3,rad={bend:g}", **style},
            )  # fmt: skip
    ax.text(5.75, 2.75, code, ha="center", va="center", size=12)
    for name, size in gradients.items():
        text = f"{size:.{0 if size >= 10 else 2}f}"
        ax.text(*_GRADIENTS[name], text, color=VERMILION, ha="center", va="center", size=12)


@checked
def image_rows(
    rows: Mapping[str, Float[Tensor, "n channels height width"] | Sequence[Float[Tensor, "channels height width"]]],
    low: Finite = 0.0,
    columns: Sequence[str] = (),
) -> Figure:
    """Rows of square images under each other, each with its name: grey, black is 1 and white ``low``; or in colour.

    What stands in ``columns`` is written above the first row.

    Raises:
        ValueError: no row; ``low`` not below 1; images of neither one nor three channels, or on another scale.
    """
    if not rows or not low < 1:
        raise ValueError(f"rows must hold a row at least, and low lie below 1; got {len(rows)} rows, low = {low}")
    n = max(len(images) for images in rows.values())
    # One pair of axes for all: a pair for each image takes ten times as long.
    figure, ax = plt.subplots(figsize=(6, 0.62 * len(rows)))
    step = 1.15  # from one image to the next; an image is 1 wide
    for i, (name, images) in enumerate(rows.items()):
        bottom = -i * step - 1
        for j, image in enumerate(images):
            _show_image(ax, "rows", image, low, extent=(j * step, j * step + 1, bottom, bottom + 1))
        ax.text(-0.15, bottom + 0.5, name, ha="right", va="center")
    for j, name in enumerate(columns):
        ax.text(j * step + 0.5, 0.1, name, ha="center", va="bottom", size=9)
    ax.set(xlim=(0, (n - 1) * step + 1), ylim=((1 - len(rows)) * step - 1, 0), aspect="equal")
    return figure


@checked
def vector_field(
    ax: Axes,
    points: Float[Tensor, "n 2"],
    vectors: Float[Tensor, "n 2"],
    *,
    color: str = GREY,
    width: Finite = 0.004,
) -> None:
    """Arrows at the points; their lengths are in the units of the axes, ``width`` in that of the picture."""
    finite(points=points, vectors=vectors)
    x, v = _numpy(points), _numpy(vectors)
    ax.quiver(
        x[:, 0], x[:, 1], v[:, 0], v[:, 1], color=color, angles="xy", scale_units="xy", scale=1, width=width,
    )  # fmt: skip


@checked
def grid(limit: Finite, n: Count) -> Float[Tensor, "n_squared 2"]:
    """The ``n x n`` points of a square grid over ``[-limit, limit]^2``, in float64."""
    if limit <= 0:
        raise ValueError(f"limit must be positive, got {limit}")
    axis = torch.linspace(-limit, limit, n, dtype=torch.float64)
    return torch.cartesian_prod(axis, axis)
