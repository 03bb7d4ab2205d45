"""Auto-encoders, their linear optimum, and denoising (F1-F5)."""

import itertools
from collections.abc import Callable, Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lecture11.gaussian import Mixture
from lecture11.networks import MLP


class AutoEncoder(nn.Module):
    """An encoder and a decoder, ``z = Enc_phi(x)`` and ``x~ = Dec_theta(z)`` (F1).

    Args:
        encoder: ``(batch, *dims)`` to codes ``(batch, k)``; its weights are phi.
        decoder: codes back to ``(batch, *dims)``; its weights are theta.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def encode(self, x: Float[Tensor, "batch *dims"]) -> Float[Tensor, "batch k"]:
        """Codes ``z``."""
        return self.encoder(x)

    def decode(self, z: Float[Tensor, "batch k"]) -> Float[Tensor, "batch *dims"]:
        """Reconstructions ``x~`` of the codes."""
        return self.decoder(z)

    def forward(self, x: Float[Tensor, "batch *dims"]) -> Float[Tensor, "batch *dims"]:
        """Reconstructions ``x~`` of ``x``."""
        return self.decode(self.encode(x))


def linear(d: int, k: int) -> AutoEncoder:
    """The linear auto-encoder: one affine map down to ``k`` dimensions and one back (F3)."""
    if not 1 <= k <= d:
        raise ValueError(f"the code has between 1 and d = {d} dimensions, got k = {k}")
    return AutoEncoder(MLP((d,), (), (k,)), MLP((k,), (), (d,)))


def reconstruction_error(model: Callable[[Tensor], Tensor], x: Float[Tensor, "batch *dims"]) -> Float[Tensor, " batch"]:
    """``||x - x~||^2``, summed over the dimensions of each example (F2)."""
    return _squared_distance(x, model(x))


def denoising_error(
    model: Callable[[Tensor], Tensor],
    x: Float[Tensor, "batch *dims"],
    noise_std: float | Float[Tensor, " batch"],
    *,
    eps: Float[Tensor, "batch *dims"] | None = None,
    generator: torch.Generator | None = None,
) -> Float[Tensor, " batch"]:
    """``||x - model(x + s eps)||^2`` with ``eps ~ N(0, I)``, summed over the dimensions of each example (F4).

    The mean of this over data and noise is the denoising objective; the noise law is ``N(0, s^2 I)``.

    Args:
        model: gives an estimate of the clean ``x``, of its shape.
        noise_std: the standard deviation ``s``, one for all examples or one each.
        eps: the standard normal noise; drawn from ``generator`` if not given.
    """
    return _squared_distance(x, model(add_noise(x, noise_std, eps=eps, generator=generator)))


def add_noise(
    x: Float[Tensor, "batch *dims"],
    noise_std: float | Float[Tensor, " batch"],
    *,
    eps: Float[Tensor, "batch *dims"] | None = None,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "batch *dims"]:
    """``y = x + s eps``: the noisy input of a denoising auto-encoder (F4). Arguments as in ``denoising_error``."""
    s = torch.as_tensor(noise_std, dtype=x.dtype, device=x.device)
    if not (s >= 0).all():
        raise ValueError(f"noise_std is a standard deviation, at least 0; got {noise_std}")
    if s.ndim:
        s = s.view(-1, *[1] * (x.ndim - 1))
    if eps is None:
        eps = torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)
    return x + s * eps


def _squared_distance(x: Tensor, estimate: Tensor) -> Tensor:
    # Subtraction would broadcast, and a model with a wrong output shape would train without a word.
    if x.shape != estimate.shape:
        raise ValueError(f"the model must keep the shape of its input: {tuple(x.shape)} became {tuple(estimate.shape)}")
    return (x - estimate).square().flatten(1).sum(1)


class PCA:
    """Principal component analysis: the best linear auto-encoder, in closed form (F3).

    It has the methods of ``AutoEncoder``. The fit is an eigendecomposition of the covariance, in float64.

    Args:
        x: training data ``(n, *dims)``.
        k: dimensions of the code, at most ``min(n, d)``.

    Attributes:
        mean: ``(d,)``, of the training data.
        components: ``(k, d)``, orthonormal rows, the directions of largest variance first.
        variances: ``(k,)``, of the training data along each, with denominator ``n``.
    """

    def __init__(self, x: Float[Tensor, "n *dims"], k: int) -> None:
        flat = x.flatten(1).double()
        if not 1 <= k <= min(flat.shape):
            raise ValueError(f"k must lie in 1..{min(flat.shape)} for data of shape {tuple(flat.shape)}, got {k}")
        self.mean = flat.mean(0)
        centred = flat - self.mean
        # Ascending; rounding may leave a variance of zero a little below it.
        variances, vectors = torch.linalg.eigh(centred.T @ centred / len(flat))
        self.components = vectors.T.flip(0)[:k]
        self.variances = variances.flip(0)[:k].clamp(min=0)
        self._dims = x.shape[1:]

    def encode(self, x: Float[Tensor, "batch *dims"]) -> Float[Tensor, "batch k"]:
        """Coordinates along the components, in the dtype of ``x``."""
        return ((x.flatten(1).double() - self.mean) @ self.components.T).to(x.dtype)

    def decode(self, z: Float[Tensor, "batch k"]) -> Float[Tensor, "batch *dims"]:
        """The point of the principal subspace with coordinates ``z``."""
        return (self.mean + z.double() @ self.components).to(z.dtype).unflatten(1, self._dims)

    def __call__(self, x: Float[Tensor, "batch *dims"]) -> Float[Tensor, "batch *dims"]:
        """The projection of ``x`` on the principal subspace."""
        return self.decode(self.encode(x))


def principal_angles(a: Float[Tensor, "d k"], b: Float[Tensor, "d k"]) -> Float[Tensor, " k"]:
    """Angles between the column spaces of ``a`` and ``b``, in radians, the largest last.

    Both spaces are equal exactly when all angles are zero. The angles come from their sines: from a cosine, an
    angle below 1e-8 cannot be told from zero (Knyazev & Argentati 2002).
    """
    if a.shape != b.shape:
        raise ValueError(f"two bases of one shape (d, k) expected, got {tuple(a.shape)} and {tuple(b.shape)}")
    qa, qb = torch.linalg.qr(a.double()).Q, torch.linalg.qr(b.double()).Q
    sines = torch.linalg.svdvals(qb - qa @ (qa.T @ qb)).clamp(max=1)
    cosines = torch.linalg.svdvals(qa.T @ qb).clamp(max=1).flip(0)
    angles = torch.where(cosines.square() >= 0.5, sines.asin(), cosines.acos())
    return angles.sort().values


def optimal_denoiser(clean: Mixture, y: Float[Tensor, "batch d"], noise_std: float) -> Float[Tensor, "batch d"]:
    """``E[x | x + eps = y] = y + s^2 grad log p_s(y)``: the best possible denoiser (F5, Tweedie's formula).

    Args:
        clean: the law of ``x``; ``p_s`` is the law of ``x + eps`` with ``eps ~ N(0, s^2 I)``.
        noise_std: ``s``.
    """
    return y + noise_std**2 * clean.noised(noise_std).score(y)


def score_of_denoiser(
    denoised: Float[Tensor, "batch *dims"], y: Float[Tensor, "batch *dims"], noise_std: float
) -> Float[Tensor, "batch *dims"]:
    """``(D(y) - y) / s^2``: the score of the noisy data that a denoiser implies (F5, read backwards)."""
    if noise_std <= 0:
        raise ValueError(f"noise_std must be positive, got {noise_std}")
    return (denoised - y) / noise_std**2


def walk_to_data(
    denoise: Callable[[Tensor, float], Tensor], y: Float[Tensor, "batch *dims"], noise_stds: Sequence[float]
) -> Iterator[Float[Tensor, "batch *dims"]]:
    """Turns noise into data by small steps along the denoiser's field; yields ``y`` after each step.

    At level ``s`` the denoiser guesses the clean point; the step goes towards it by as much as lowers the noise
    to the next level ``s'``: ``y' = D(y, s) + (s'/s) (y - D(y, s))``. It is Euler's method for
    ``dy/ds = -s grad log p_s(y)``, along which the law of ``y`` stays ``p_s`` (Song et al. 2021, eq. 13).

    Args:
        denoise: ``denoise(y, s)``, an estimate of the clean points.
        y: points at noise level ``noise_stds[0]``.
        noise_stds: decreasing; the last may be 0, where the guess itself is the answer.
    """
    levels = list(noise_stds)
    if len(levels) < 2 or levels[-1] < 0 or any(a <= b for a, b in itertools.pairwise(levels)):
        raise ValueError(f"noise_stds must decrease and not be negative, got {levels}")
    for s, s_next in itertools.pairwise(levels):
        guess = denoise(y, s)
        y = guess + s_next / s * (y - guess)
        yield y
