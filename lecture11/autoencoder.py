"""Auto-encoders, their linear optimum, and denoising (F1-F5)."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lecture11.checks import Count, Finite, answer, checked, finite, fits_module
from lecture11.gaussian import Mixture, noise_like, total
from lecture11.networks import MLP
from lecture11.precision import cast, double


class AutoEncoder(nn.Module):
    """An encoder and a decoder, ``z = Enc_phi(x)`` and ``x~ = Dec_theta(z)`` (F1).

    Args:
        encoder: ``(batch, *dims)`` to codes ``(batch, k)``; its weights are phi.
        decoder: codes back to ``(batch, *dims)``; its weights are theta.
    """

    @checked
    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    @checked
    def encode(self, x: Float[Tensor, "batch *dims"]) -> Float[Tensor, "batch k"]:
        """Codes ``z``."""
        fits_module(self.encoder, x=x)
        return answer("the encoder", self.encoder(x), (len(x), None))

    @checked
    def decode(self, z: Float[Tensor, "batch k"]) -> Float[Tensor, "batch *dims"]:
        """Reconstructions ``x~`` of the codes."""
        fits_module(self.decoder, z=z)
        return self.decoder(z)

    @checked
    def forward(self, x: Float[Tensor, "batch *dims"]) -> Float[Tensor, "batch *dims"]:
        """Reconstructions ``x~`` of ``x``."""
        return self.decode(self.encode(x))


@checked
def linear(d: Count, k: Count) -> AutoEncoder:
    """The linear auto-encoder: one affine map down to ``k`` dimensions and one back (F3)."""
    if not k <= d:
        raise ValueError(f"the code has between 1 and d = {d} dimensions, got k = {k}")
    return AutoEncoder(MLP((d,), (), (k,)), MLP((k,), (), (d,)))


@checked
def reconstruction_error(model: Callable[[Tensor], Tensor], x: Float[Tensor, "batch *dims"]) -> Float[Tensor, " batch"]:
    """``||x - x~||^2``, summed over the dimensions of each example (F2)."""
    fits_module(model, x=x)
    return _squared_distance(x, model(x))


@checked
def denoising_error(
    model: Callable[[Tensor], Tensor],
    x: Float[Tensor, "batch *dims"],
    noise_std: Finite | Float[Tensor, " batch"],
    *,
    eps: Float[Tensor, "batch *dims"] | None = None,
    generator: torch.Generator | None = None,
) -> Float[Tensor, " batch"]:
    """``||x - model(x + s eps)||^2`` with ``eps ~ N(0, I)``, summed over the dimensions of each example (F4).

    The mean of this over data and noise is the denoising objective; the noise distribution is ``N(0, s^2 I)``.

    Args:
        model: gives an estimate of the clean ``x``, of its shape.
        noise_std: the standard deviation ``s``, one for all examples or one each.
        eps: the standard normal noise; drawn from ``generator`` if not given.
    """
    fits_module(model, x=x)
    return _squared_distance(x, model(add_noise(x, noise_std, eps=eps, generator=generator)))


@checked
def add_noise(
    x: Float[Tensor, "batch *dims"],
    noise_std: Finite | Float[Tensor, " batch"],
    *,
    eps: Float[Tensor, "batch *dims"] | None = None,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "batch *dims"]:
    """``y = x + s eps``: the noisy input of a denoising auto-encoder (F4). Arguments as in ``denoising_error``."""
    s = torch.as_tensor(noise_std, dtype=x.dtype, device=x.device)
    if not ((s >= 0) & (s < math.inf)).all():
        raise ValueError(f"noise_std is a standard deviation, at least 0 and finite; got {noise_std}")
    if s.ndim:
        s = s.view(-1, *[1] * (x.ndim - 1))
    if eps is None:
        eps = noise_like(x, generator)
    return x + s * eps


def _squared_distance(x: Tensor, estimate: Tensor) -> Tensor:
    return total((x - answer("the model", estimate, x.shape, of="x")).square())


class PCA:
    """Principal component analysis: the best linear auto-encoder, in closed form (F3).

    It has the methods of ``AutoEncoder``. The fit is an eigendecomposition of the covariance, in float64.

    Args:
        x: training data ``(n, *dims)``.
        k: dimensions of the code, at most ``min(n, d)``.

    Raises:
        ValueError: numbers that are not finite; in a method, examples or codes of another shape.

    Attributes:
        mean: ``(d,)``, of the training data.
        components: ``(k, d)``, orthonormal rows, the directions of largest variance first.
        variances: ``(k,)``, of the training data along each, with denominator ``n``.
    """

    @checked
    def __init__(self, x: Float[Tensor, "n *dims"], k: Count) -> None:
        flat = double(x).reshape(len(x), -1)
        finite(x=x)
        if not k <= min(flat.shape):
            raise ValueError(f"k must lie in 1..{min(flat.shape)}, got {k}: x has the shape {tuple(flat.shape)}")
        self.mean = flat.mean(0)
        centred = flat - self.mean
        # Ascending; rounding may leave a variance of zero a little below it.
        variances, vectors = torch.linalg.eigh(centred.T @ centred / len(flat))
        self.components = vectors.T.flip(0)[:k]
        self.variances = variances.flip(0)[:k].clamp(min=0)
        self._dims = x.shape[1:]

    @checked
    def encode(self, x: Float[Tensor, "batch *dims"]) -> Float[Tensor, "batch k"]:
        """Coordinates along the components, in the dtype of ``x``."""
        if x.shape[1:] != self._dims:
            raise ValueError(f"x must hold examples of shape {tuple(self._dims)}, got {tuple(x.shape)}")
        return cast((double(x).reshape(len(x), -1) - self.mean) @ self.components.T, x)

    @checked
    def decode(self, z: Float[Tensor, "batch k"]) -> Float[Tensor, "batch *dims"]:
        """The point of the principal subspace with coordinates ``z``."""
        if z.shape[1] != len(self.components):
            raise ValueError(f"z must hold {len(self.components)} coordinates an example, got {tuple(z.shape)}")
        return cast(self.mean + double(z) @ self.components, z).reshape(len(z), *self._dims)

    @checked
    def __call__(self, x: Float[Tensor, "batch *dims"]) -> Float[Tensor, "batch *dims"]:
        """The projection of ``x`` on the principal subspace."""
        return self.decode(self.encode(x))


@checked
def principal_angles(a: Float[Tensor, "d k"], b: Float[Tensor, "d k"]) -> Float[Tensor, " k"]:
    """Angles between the column spaces of ``a`` and ``b``, in radians, the largest last.

    Both spaces are equal exactly when all angles are zero. The angles come from their sines: from a cosine, an
    angle below 1e-8 cannot be told from zero (Knyazev & Argentati 2002).
    """
    finite(a=a, b=b)
    if a.shape[0] < a.shape[1]:
        raise ValueError(f"a and b must have no more columns than rows, got the shape {tuple(a.shape)}")
    qa, qb = torch.linalg.qr(double(a)).Q, torch.linalg.qr(double(b)).Q
    sines = torch.linalg.svdvals(qb - qa @ (qa.T @ qb)).clamp(max=1)
    cosines = torch.linalg.svdvals(qa.T @ qb).clamp(max=1).flip(0)
    angles = torch.where(cosines.square() >= 0.5, sines.asin(), cosines.acos())
    return angles.sort().values


@checked
def optimal_denoiser(clean: Mixture, y: Float[Tensor, "batch d"], noise_std: Finite) -> Float[Tensor, "batch d"]:
    """``E[x | x + eps = y] = y + s^2 grad log p_s(y)``: the best possible denoiser (F5, Tweedie's formula).

    Args:
        clean: the distribution of ``x``; ``p_s`` is the distribution of ``x + eps`` with ``eps ~ N(0, s^2 I)``.
        noise_std: ``s``.
    """
    return y + noise_std**2 * clean.noised(noise_std).score(y)


@checked
def score_of_denoiser(
    denoised: Float[Tensor, "batch *dims"], y: Float[Tensor, "batch *dims"], noise_std: Finite
) -> Float[Tensor, "batch *dims"]:
    """``(D(y) - y) / s^2``: the score of the noisy data that a denoiser implies (F5, read backwards)."""
    if noise_std <= 0:
        raise ValueError(f"noise_std must be positive, got {noise_std}")
    return (denoised - y) / noise_std**2


@checked
def walk_to_data(
    denoise: Callable[[Tensor, float], Tensor], y: Float[Tensor, "batch *dims"], noise_stds: Sequence[Finite]
) -> Iterator[Float[Tensor, "batch *dims"]]:
    """Turns noise into data by small steps along the denoiser's field; yields ``y`` after each step.

    At level ``s`` the denoiser guesses the clean point; the step goes towards it by as much as lowers the noise
    to the next level ``s'``: ``y' = D(y, s) + (s'/s) (y - D(y, s))``. It is Euler's method for
    ``dy/ds = -s grad log p_s(y)``, along which the distribution of ``y`` stays ``p_s`` (Song et al. 2021, eq. 13).

    Args:
        denoise: ``denoise(y, s)``, an estimate of the clean points.
        y: points at noise level ``noise_stds[0]``.
        noise_stds: decreasing; the last may be 0, where the guess itself is the answer.
    """
    levels = noise_stds
    if len(levels) < 2 or levels[-1] < 0 or any(a <= b for a, b in itertools.pairwise(levels)):
        raise ValueError(f"noise_stds must decrease and not be negative, got {levels}")
    for s, s_next in itertools.pairwise(levels):
        guess = answer("denoise", denoise(y, s), y.shape, of="y")
        y = guess + s_next / s * (y - guess)
        yield y
