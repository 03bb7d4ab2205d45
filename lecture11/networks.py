"""Networks. They know no data and no loss: shapes in, shapes out."""

import contextlib
import itertools
import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from lecture11.checks import Count, checked, fits_module
from lecture11.precision import double, read_at_once


def _check_shape(name: str, x: Tensor, shape: tuple[int, ...]) -> None:
    if x.shape[1:] != shape:
        raise ValueError(f"{name} must be a batch of examples of shape {shape}, got {tuple(x.shape)}")


class MLP(nn.Module):
    """Linear layers with an activation between them: ``(batch, *in_shape)`` to ``(batch, *out_shape)``.

    With no hidden layer it is one affine map.
    """

    @checked
    def __init__(
        self,
        in_shape: Sequence[Count],
        hidden: Sequence[Count],
        out_shape: Sequence[Count],
        activation: type[nn.Module] = nn.SiLU,
    ) -> None:
        super().__init__()
        self.in_shape, self.out_shape = tuple(in_shape), tuple(out_shape)
        sizes = [math.prod(self.in_shape), *hidden, math.prod(self.out_shape)]
        layers: list[nn.Module] = []
        for n_in, n_out in itertools.pairwise(sizes):
            layers += [nn.Linear(n_in, n_out), activation()]
        self.layers = nn.Sequential(*layers[:-1])

    @checked
    def forward(self, x: Float[Tensor, "batch *dims"]) -> Float[Tensor, "batch *out"]:
        """Raises ValueError if the examples do not have ``in_shape``."""
        _check_shape("x", x, self.in_shape)
        fits_module(self, x=x)
        return self.layers(x.flatten(1)).unflatten(1, self.out_shape)


class NoiseLevelMLP(nn.Module):
    """A denoiser of vectors that is told the noise level: ``(batch, dim)`` and ``(batch,)`` to ``(batch, dim)``.

    It sees the point scaled to about unit variance (for data of unit variance) and the logarithm of the level,
    and predicts a correction to the point. One network serves all levels.
    """

    @checked
    def __init__(self, dim: Count, hidden: Sequence[Count]) -> None:
        super().__init__()
        self.correction = MLP((dim + 1,), hidden, (dim,))

    @checked
    def forward(self, y: Float[Tensor, "batch dim"], noise_std: Float[Tensor, " batch"]) -> Float[Tensor, "batch dim"]:
        """Raises ValueError if a noise level is not positive."""
        if not (noise_std > 0).all():
            raise ValueError("noise_std must be positive: at 0 there is nothing to remove")
        _check_shape("y", y, self.correction.out_shape)
        fits_module(self, y=y, noise_std=noise_std)
        level = noise_std[:, None]
        # The best linear guess for data of unit variance, N(0, I): right at both ends of the scale, where the
        # network would otherwise have to learn 'leave it' and 'answer the mean'.
        shrunk = y / (1 + level.square())
        seen = torch.cat([y / (1 + level.square()).sqrt(), level.log()], dim=1)
        return shrunk + level / (1 + level.square()).sqrt() * self.correction(seen)


@checked
def timestep_embedding(t: Int[Tensor, " batch"], dim: Count) -> Float[Tensor, "batch dim"]:
    """Steps as vectors that a network can tell apart: sines, then cosines, of ``dim // 2`` frequencies each (F21).

    The frequencies fall geometrically from 1 to 1/10000 (Vaswani et al. 2017; in this order Ho et al. 2020). An odd
    ``dim`` ends with a zero.

    Args:
        t: one step for each example.

    Raises:
        ValueError: ``dim`` below 2.
    """
    if dim < 2:
        raise ValueError(f"dim must be at least 2, a sine and a cosine; got {dim}")
    half = dim // 2
    steps = double(t)
    exponents = torch.arange(half, dtype=torch.float64, device=steps.device) / max(half - 1, 1)
    angles = steps[:, None] * 1e-4**exponents
    embedding = torch.cat([angles.sin(), angles.cos()], dim=1)
    return nn.functional.pad(embedding, (0, dim % 2)).to(torch.get_default_dtype()).to(t.device)


class TimeMLP(nn.Module):
    """A guess of the noise in points: ``(batch, dim)`` and steps ``(batch,)`` to ``(batch, dim)``."""

    @checked
    def __init__(self, dim: Count, hidden: Sequence[Count], embedding: Count = 64) -> None:
        super().__init__()
        self.embedding = embedding
        self.body = MLP((dim + embedding,), hidden, (dim,))

    @checked
    def forward(self, x_t: Float[Tensor, "batch dim"], t: Int[Tensor, " batch"]) -> Float[Tensor, "batch dim"]:
        """Raises ValueError if the points do not have ``dim`` numbers."""
        _check_shape("x_t", x_t, self.body.out_shape)
        fits_module(self, x_t=x_t)
        return self.body(torch.cat([x_t, timestep_embedding(t, self.embedding).to(x_t)], dim=1))


class UNet(nn.Module):
    """A guess of the noise in images: ``(batch, channels, height, width)`` and steps ``(batch,)`` to the same shape.

    The U-Net of Ho et al. 2020 (appendix B), made for a CPU: a convolution costs its weights once for each position,
    so the image is first folded, 2x2 pixels into channels, and no layer works at full size. Then residual blocks at
    half, at a quarter, ... of the size and back, joined by shortcuts, with self-attention at the smallest size, where
    every position is near enough to see all others for next to nothing. The step enters each block as a scale and a
    shift. The last layer starts at zero, so that the untrained network answers zero.

    Args:
        channels: of the images.
        widths: channels at half the size, a quarter, and so on.
        blocks: residual blocks at each size on the way down; one more on the way up.
        embedding: numbers that describe the step.
        classes: that the network can be asked for, 0 for a network that knows none. A vector for each, and one for
            'any', is added to the description of the step; all start at zero.

    Raises:
        ValueError: no width, or one below one.
    """

    @checked
    def __init__(
        self,
        channels: Count,
        widths: Sequence[Count] = (64, 128),
        blocks: Count = 1,
        embedding: Count = 128,
        classes: int = 0,
    ) -> None:
        super().__init__()
        if not widths:
            raise ValueError("widths must hold the channels at half the size at least, got none")
        if classes < 0:
            raise ValueError(f"classes is their number, or 0 for a model that knows none; got {classes}")
        self.channels, self.embedding, self.classes = channels, embedding, classes
        if classes:
            self.label = nn.Embedding(classes + 1, embedding)
            nn.init.zeros_(self.label.weight)
        self.embed = nn.Sequential(
            nn.Linear(embedding, embedding), nn.SiLU(), nn.Linear(embedding, embedding), nn.SiLU()
        )
        self.fold = nn.Conv2d(4 * channels, widths[0], 3, padding=1)
        self.down, self.shrink = nn.ModuleList(), nn.ModuleList()
        kept = []  # widths of the shortcuts
        width = widths[0]
        for level, next_width in enumerate(widths):
            stage = nn.ModuleList()
            for _ in range(blocks):
                stage.append(_Block(width, next_width, embedding))
                width = next_width
                kept.append(width)
            self.down.append(stage)
            last = level == len(widths) - 1
            self.shrink.append(nn.Identity() if last else nn.Conv2d(width, width, 3, stride=2, padding=1))
        self.middle = _Block(width, width, embedding)
        self.attention = _Attention(width)
        self.up, self.grow = nn.ModuleList(), nn.ModuleList()
        for level, next_width in reversed(list(enumerate(widths))):
            stage = nn.ModuleList()
            for _ in range(blocks):
                stage.append(_Block(width + kept.pop(), next_width, embedding))
                width = next_width
            self.up.append(stage)
            # Down to the width of the next size first: at twice the height and the width, a channel costs four times.
            self.grow.append(nn.Conv2d(width, widths[level - 1], 3, padding=1) if level else nn.Identity())
            width = widths[level - 1] if level else width
        self.unfold = nn.Sequential(_group_norm(width), nn.SiLU(), nn.Conv2d(width, 4 * channels, 3, padding=1))
        nn.init.zeros_(self.unfold[-1].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.unfold[-1].bias)  # type: ignore[arg-type]

    @checked
    def forward(
        self,
        x_t: Float[Tensor, "batch channels height width"],
        t: Int[Tensor, " batch"],
        y: Int[Tensor, " batch"] | None = None,
    ) -> Float[Tensor, "batch channels height width"]:
        """``y`` asks for classes, 0 and up; the number ``classes``, or None for all, stands for 'any'.

        Raises ValueError if the images have an odd side or other channels, or if a class does not exist.
        """
        if x_t.shape[1] != self.channels or x_t.shape[2] % 2 or x_t.shape[3] % 2:
            raise ValueError(
                f"x_t must hold images of {self.channels} channels and even height and width, "
                f"got {tuple(x_t.shape[1:])}"
            )
        fits_module(self, x_t=x_t)
        step = self.embed(self._describe(t, y).to(x_t))
        # The noise of the first steps is 0.006, less than bfloat16 can tell on a black pixel, -1.
        half = torch.is_autocast_enabled(x_t.device.type)
        with torch.autocast(x_t.device.type, enabled=False) if half else contextlib.nullcontext():
            h = self.fold(nn.functional.pixel_unshuffle(x_t, 2))
        shortcuts: list[Tensor] = []
        for stage, shrink in zip(self.down, self.shrink, strict=True):
            for block in stage:  # type: ignore[attr-defined]
                h = block(h, step)
                shortcuts.append(h)
            h = shrink(h)
        h = self.attention(self.middle(h, step))
        for stage, grow in zip(self.up, self.grow, strict=True):
            for block in stage:  # type: ignore[attr-defined]
                shortcut = shortcuts.pop()
                h = block(torch.cat([h, shortcut], dim=1), step)
            if shortcuts:  # to the size of the next shortcut: half of an odd size was rounded up
                h = grow(nn.functional.interpolate(h, size=shortcuts[-1].shape[2:], mode="nearest"))
        return nn.functional.pixel_shuffle(self.unfold(h), 2)

    def _describe(self, t: Tensor, y: Tensor | None) -> Tensor:
        """The step and the class as one vector for each example."""
        if y is not None and y.shape != t.shape:
            raise ValueError(f"one class for each of the {len(t)} images expected, got y of shape {tuple(y.shape)}")
        read = y is not None and read_at_once(y)  # a GPU stops by itself where a row does not exist
        if y is not None and (not self.classes or (read and (y.min() < 0 or y.max() > self.classes))):
            known = f"0..{self.classes - 1}, and {self.classes} for any" if self.classes else "none"
            raise ValueError(f"no such class: y has {y.unique().tolist()}, this network knows {known}")
        step = timestep_embedding(t, self.embedding)
        if not self.classes:
            return step
        return step + self.label(torch.full_like(t, self.classes) if y is None else y)


def _group_norm(width: int) -> nn.GroupNorm:
    """Normalisation over groups of at least 8 channels; the number of groups always divides the width."""
    return nn.GroupNorm(math.gcd(width, max(1, width // 8)), width)


class _Block(nn.Module):
    """A residual block: two 3x3 convolutions, the step as a scale and a shift between them."""

    def __init__(self, n_in: int, n_out: int, embedding: int) -> None:
        super().__init__()
        self.first = nn.Sequential(_group_norm(n_in), nn.SiLU(), nn.Conv2d(n_in, n_out, 3, padding=1))
        self.norm = _group_norm(n_out)
        self.step = nn.Linear(embedding, 2 * n_out)
        self.second = nn.Conv2d(n_out, n_out, 3, padding=1)
        self.shortcut = nn.Identity() if n_in == n_out else nn.Conv2d(n_in, n_out, 1)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, step: Tensor) -> Tensor:
        scale, shift = self.step(step)[:, :, None, None].chunk(2, dim=1)
        h = self.norm(self.first(x)) * (1 + scale) + shift
        return self.shortcut(x) + self.second(nn.functional.silu(h))


class _Attention(nn.Module):
    """Each position looks at all others, with four heads where the width allows; added to its input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = math.gcd(width, 4)
        self.norm = _group_norm(width)
        self.query_key_value = nn.Conv2d(width, 3 * width, 1)
        self.out = nn.Conv2d(width, width, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        parts = self.query_key_value(self.norm(x)).unflatten(1, (3, self.heads, -1)).flatten(4)
        query, key, value = parts.transpose(3, 4).unbind(1)
        seen = nn.functional.scaled_dot_product_attention(query, key, value)
        return x + self.out(seen.transpose(2, 3).reshape(x.shape))


class ImageClassifier(nn.Module):
    """Images ``(batch, *image_shape)`` to the logits of their classes ``(batch, classes)``.

    Three convolutions, each followed by a maximum over 2x2 pixels, and two linear layers.

    Raises:
        ValueError: ``image_shape`` is not (channels, height, width) with at least 8 pixels a side.
    """

    @checked
    def __init__(self, image_shape: Sequence[Count], classes: Count, width: Count = 32) -> None:
        super().__init__()
        if len(image_shape) != 3 or min(image_shape[1:]) < 8:
            raise ValueError(f"image_shape is (channels, height, width), 8x8 or more; got {tuple(image_shape)}")
        channels, height, length = self.image_shape = tuple(image_shape)
        layers: list[nn.Module] = []
        for n_in, n_out in itertools.pairwise([channels, width, 2 * width, 4 * width]):
            layers += [nn.Conv2d(n_in, n_out, 3, padding=1), _group_norm(n_out), nn.SiLU(), nn.MaxPool2d(2)]
        hidden = 2 * width
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * width * (height // 8) * (length // 8), hidden))
        self.logits = nn.Linear(hidden, classes)

    @checked
    def features(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch features"]:
        """What the last layer sees: ``2 * width`` numbers, in which images of one kind lie together.

        Raises ValueError if the images do not have ``image_shape``.
        """
        _check_shape("x", x, self.image_shape)
        fits_module(self, x=x)
        return nn.functional.silu(self.body(x))

    @checked
    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch classes"]:
        """Raises ValueError if the images do not have ``image_shape``."""
        return self.logits(self.features(x))
