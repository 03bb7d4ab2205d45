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
