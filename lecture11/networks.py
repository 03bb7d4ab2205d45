"""Networks. They know no data and no loss: shapes in, shapes out."""

import itertools
import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


def _check_shape(x: Tensor, shape: tuple[int, ...]) -> None:
    if x.shape[1:] != shape:
        raise ValueError(f"expected a batch of examples of shape {shape}, got {tuple(x.shape)}")


class MLP(nn.Module):
    """Linear layers with an activation between them: ``(batch, *in_shape)`` to ``(batch, *out_shape)``.

    With no hidden layer it is one affine map.
    """

    def __init__(
        self,
        in_shape: Sequence[int],
        hidden: Sequence[int],
        out_shape: Sequence[int],
        activation: type[nn.Module] = nn.SiLU,
    ) -> None:
        super().__init__()
        self.in_shape, self.out_shape = tuple(in_shape), tuple(out_shape)
        sizes = [math.prod(self.in_shape), *hidden, math.prod(self.out_shape)]
        layers: list[nn.Module] = []
        for n_in, n_out in itertools.pairwise(sizes):
            layers += [nn.Linear(n_in, n_out), activation()]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, x: Float[Tensor, "batch *dims"]) -> Float[Tensor, "batch *out"]:
        """Raises ValueError if the examples do not have ``in_shape``."""
        _check_shape(x, self.in_shape)
        return self.layers(x.flatten(1)).unflatten(1, self.out_shape)


class ConvEncoder(nn.Module):
    """Images ``(batch, channels, height, width)`` to vectors ``(batch, out_dim)``: two strided convolutions and a map.

    Height and width must be multiples of 4.
    """

    def __init__(self, image_shape: Sequence[int], width: int, out_dim: int) -> None:
        super().__init__()
        channels, height, length = self.image_shape = _image_shape(image_shape)
        self.layers = nn.Sequential(
            nn.Conv2d(channels, width, 4, stride=2, padding=1),
            nn.SiLU(),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
            nn.SiLU(),
            nn.Flatten(),
            nn.Linear(2 * width * (height // 4) * (length // 4), out_dim),
        )

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch out_dim"]:
        """Raises ValueError if the images do not have ``image_shape``."""
        _check_shape(x, self.image_shape)
        return self.layers(x)


class ConvDecoder(nn.Module):
    """The mirror of ``ConvEncoder``: vectors ``(batch, in_dim)`` to images ``(batch, channels, height, width)``."""

    def __init__(self, in_dim: int, width: int, image_shape: Sequence[int]) -> None:
        super().__init__()
        channels, height, length = _image_shape(image_shape)
        self.in_dim = in_dim
        self.layers = nn.Sequential(
            nn.Linear(in_dim, 2 * width * (height // 4) * (length // 4)),
            nn.Unflatten(1, (2 * width, height // 4, length // 4)),
            nn.SiLU(),
            nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1),
            nn.SiLU(),
            nn.ConvTranspose2d(width, channels, 4, stride=2, padding=1),
        )

    def forward(self, z: Float[Tensor, "batch in_dim"]) -> Float[Tensor, "batch channels height width"]:
        """Raises ValueError if the vectors do not have ``in_dim`` entries."""
        _check_shape(z, (self.in_dim,))
        return self.layers(z)


def _image_shape(shape: Sequence[int]) -> tuple[int, int, int]:
    if len(shape) != 3 or shape[1] % 4 or shape[2] % 4 or min(shape) < 1:
        raise ValueError(
            f"image_shape is (channels, height, width) with height and width multiples of 4, got {tuple(shape)}"
        )
    channels, height, width = shape
    return channels, height, width


class NoiseLevelMLP(nn.Module):
    """A denoiser of vectors that is told the noise level: ``(batch, dim)`` and ``(batch,)`` to ``(batch, dim)``.

    It sees the point scaled to about unit variance (for data of unit variance) and the logarithm of the level,
    and predicts a correction to the point. One network serves all levels.
    """

    def __init__(self, dim: int, hidden: Sequence[int]) -> None:
        super().__init__()
        self.correction = MLP((dim + 1,), hidden, (dim,))

    def forward(self, y: Float[Tensor, "batch dim"], noise_std: Float[Tensor, " batch"]) -> Float[Tensor, "batch dim"]:
        """Raises ValueError if a noise level is not positive."""
        if not (noise_std > 0).all():
            raise ValueError("noise_std must be positive: at 0 there is nothing to remove")
        level = noise_std[:, None]
        # The best linear guess for data of unit variance, N(0, I): right at both ends of the scale, where the
        # network would otherwise have to learn 'leave it' and 'answer the mean'.
        shrunk = y / (1 + level.square())
        seen = torch.cat([y / (1 + level.square()).sqrt(), level.log()], dim=1)
        return shrunk + level / (1 + level.square()).sqrt() * self.correction(seen)


def timestep_embedding(t: Int[Tensor, " batch"], dim: int) -> Float[Tensor, "batch dim"]:
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
    exponents = torch.arange(half, dtype=torch.float64, device=t.device) / max(half - 1, 1)
    angles = t[:, None] * 1e-4**exponents
    embedding = torch.cat([angles.sin(), angles.cos()], dim=1)
    return nn.functional.pad(embedding, (0, dim % 2)).to(torch.get_default_dtype())


class TimeMLP(nn.Module):
    """A guess of the noise in points: ``(batch, dim)`` and steps ``(batch,)`` to ``(batch, dim)``."""

    def __init__(self, dim: int, hidden: Sequence[int], embedding: int = 64) -> None:
        super().__init__()
        self.embedding = embedding
        self.body = MLP((dim + embedding,), hidden, (dim,))

    def forward(self, x_t: Float[Tensor, "batch dim"], t: Int[Tensor, " batch"]) -> Float[Tensor, "batch dim"]:
        """Raises ValueError if the points do not have ``dim`` numbers."""
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

    Raises:
        ValueError: no width, or one below one.
    """

    def __init__(self, channels: int, widths: Sequence[int] = (64, 128), blocks: int = 1, embedding: int = 128) -> None:
        super().__init__()
        if not widths or min(widths) < 1 or blocks < 1:
            raise ValueError(f"widths and blocks must be positive, got widths={tuple(widths)}, blocks={blocks}")
        self.channels, self.embedding = channels, embedding
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

    def forward(
        self, x_t: Float[Tensor, "batch channels height width"], t: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Raises ValueError if the images have an odd side or other channels."""
        if x_t.shape[1] != self.channels or x_t.shape[2] % 2 or x_t.shape[3] % 2:
            raise ValueError(
                f"images of {self.channels} channels and even height and width expected, got {tuple(x_t.shape[1:])}"
            )
        step = self.embed(timestep_embedding(t, self.embedding).to(x_t))
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

    def __init__(self, image_shape: Sequence[int], classes: int, width: int = 32) -> None:
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

    def features(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch features"]:
        """What the last layer sees: ``2 * width`` numbers, in which images of one kind lie together.

        Raises ValueError if the images do not have ``image_shape``.
        """
        _check_shape(x, self.image_shape)
        return nn.functional.silu(self.body(x))

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch classes"]:
        return self.logits(self.features(x))
