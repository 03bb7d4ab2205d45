"""Gaussian densities and mixtures: what both halves of the lecture share.

Everything is in nats, constants included, one number per example: summed over dimensions, averaged over nothing.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lecture11.checks import Count, Finite, checked, finite, generator_on, of_dtype


def total(x: Float[Tensor, "batch *dims"]) -> Float[Tensor, " batch"]:
    """The sum over the dimensions of each example, of which there may be none."""
    return x.reshape(len(x), -1).sum(1)


@checked
def log_prob(
    x: Float[Tensor, "batch *dims"], mean: Float[Tensor, "batch *dims"], log_var: Float[Tensor, "batch *dims"]
) -> Float[Tensor, " batch"]:
    """Log-density of a diagonal Gaussian, ``log N(x; mean, diag exp(log_var))``, in nats per example (F7, F8).

    The constant ``-(d/2) log 2 pi`` is included.

    Args:
        x, mean, log_var: one shape, the batch first. ``log_var`` is the logarithm of the *variance*.
    """
    squared = (x - mean).square() * torch.exp(-log_var)
    return -0.5 * total(squared + log_var + math.log(2 * math.pi))


@checked
def kl(
    mu_q: Float[Tensor, "batch *dims"],
    log_var_q: Float[Tensor, "batch *dims"],
    mu_p: Float[Tensor, "batch *dims"],
    log_var_p: Float[Tensor, "batch *dims"],
) -> Float[Tensor, " batch"]:
    """``KL(q, p)`` of two diagonal Gaussians, in nats per example, summed over the dimensions.

    Args:
        mu_q, log_var_q: mean and logarithm of the variance of ``q``, under which the expectation is taken.
        mu_p, log_var_p: those of ``p``.
    """
    # In the difference of the log-variances, so that equal variances cancel exactly, however extreme they are.
    log_ratio = log_var_q - log_var_p
    distance = (mu_q - mu_p).square() * torch.exp(-log_var_p)
    return 0.5 * total(torch.expm1(log_ratio) - log_ratio + distance)


@checked
def kl_to_standard_normal(
    mu: Float[Tensor, "batch *dims"], log_var: Float[Tensor, "batch *dims"]
) -> Float[Tensor, " batch"]:
    """``KL(N(mu, diag exp(log_var)), N(0, I)) = (||mu||^2 + tr Sigma - k - ln det Sigma) / 2``, in nats (F16).

    Kingma and Welling 2014, appendix B, with the opposite sign.
    """
    return 0.5 * total(mu.square() + torch.expm1(log_var) - log_var)


@checked
def reparametrise(
    mu: Float[Tensor, "*shape"],
    log_var: Float[Tensor, "*shape"],
    *,
    eps: Float[Tensor, "*shape"] | None = None,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "*shape"]:
    """``z = mu + sigma eps`` with ``eps ~ N(0, I)``: a draw from ``N(mu, diag sigma^2)`` that carries gradients (F17).

    Args:
        mu, log_var: mean and logarithm of the variance; gradients flow to both.
        eps: standard normal noise; drawn from ``generator`` if not given.
    """
    if eps is None:
        eps = noise_like(mu, generator)
    return mu + torch.exp(0.5 * log_var) * eps


@checked
def noise_like(x: Float[Tensor, "*shape"], generator: torch.Generator | None) -> Float[Tensor, "*shape"]:
    """Draws from ``N(0, 1)`` of the shape and dtype of ``x``, on its device; from PyTorch's own generator if None.

    Raises:
        ValueError: the generator lives on another device than ``x``.
    """
    generator_on(x.device, generator)
    return torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)


@checked
def standard_normal(
    *shape: Count, seed: int, dtype: torch.dtype = torch.float32, device: torch.device | str | None = None
) -> Tensor:
    """Draws from ``N(0, 1)`` of the given shape: for one seed the same on every device and in every precision.

    For what must come out the same wherever a chapter runs. Drawn in float32 on the CPU, then converted.
    """
    eps = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float32)
    return eps.to(device, dtype)


@dataclass(frozen=True)
class Mixture:
    """A mixture of Gaussians with full covariances; with one component, a Gaussian. All of it is exact.

    Its noised version is again a mixture, so that the density, the score and the optimal denoiser of noisy data
    have closed forms: the oracle that learned denoisers are held against (F5).

    Args:
        weights: ``(m,)``, positive, summing to one.
        means: ``(m, d)``.
        covariances: ``(m, d, d)``, symmetric and positive definite.

    Raises:
        TypeError: dtypes that differ.
        ValueError: shapes that do not fit, weights that are no distribution, a covariance that is none.
    """

    weights: Float[Tensor, " m"]
    means: Float[Tensor, "m d"]
    covariances: Float[Tensor, "m d d"]

    @checked
    def __post_init__(self) -> None:
        of_dtype(self.means.dtype, "means", weights=self.weights, covariances=self.covariances)
        finite(weights=self.weights, means=self.means, covariances=self.covariances)
        if not (self.weights > 0).all() or abs(self.weights.sum().item() - 1) > 1e-6:
            raise ValueError(f"weights must be positive and sum to 1, got {self.weights.tolist()}")
        if (self.covariances - self.covariances.mT).abs().max() > 1e-6 * self.covariances.abs().max():
            raise ValueError("covariances must be symmetric")
        if torch.linalg.eigvalsh(self.covariances).min() <= 0:
            raise ValueError("covariances must be positive definite; a degenerate direction needs some variance")

    @property
    def dim(self) -> int:
        """Dimension ``d`` of the space."""
        return self.means.shape[1]

    def to(self, *args, **kwargs) -> "Mixture":
        """The same mixture on another device or in another dtype."""
        return Mixture(
            self.weights.to(*args, **kwargs),
            self.means.to(*args, **kwargs),
            self.covariances.to(*args, **kwargs),
        )

    @checked
    def noised(self, noise_std: Finite) -> "Mixture":
        """The distribution of ``x + eps`` for ``x`` from this mixture and ``eps ~ N(0, noise_std^2 I)``.

        Independent noise adds ``noise_std^2 I`` to each covariance and changes nothing else.
        """
        if noise_std < 0:
            raise ValueError(f"noise_std is a standard deviation, at least 0; got {noise_std}")
        identity = torch.eye(self.dim, dtype=self.means.dtype, device=self.means.device)
        return Mixture(self.weights, self.means, self.covariances + noise_std**2 * identity)

    def _component_terms(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """``log(w_j N(x; m_j, C_j))`` as ``(batch, m)``, and ``C_j^{-1} (x - m_j)`` as ``(batch, m, d)``."""
        centred = x[:, None, :] - self.means
        root = torch.linalg.cholesky(self.covariances).to(centred.dtype)
        # One solve for each component with the batch as columns: a solve for each point would copy the root.
        solved = torch.cholesky_solve(centred.permute(1, 2, 0), root).permute(2, 0, 1)
        log_det = 2 * root.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        quadratic = (centred * solved).sum(-1)
        log_joint = self.weights.log() - 0.5 * (quadratic + log_det + self.dim * math.log(2 * math.pi))
        return log_joint, solved

    @checked
    def log_prob(self, x: Float[Tensor, "batch d"]) -> Float[Tensor, " batch"]:
        """``log p(x)`` in nats per example."""
        return self._component_terms(x)[0].logsumexp(-1)

    @checked
    def responsibilities(self, x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch m"]:
        """``p(component | x)``; each row sums to one."""
        return self._component_terms(x)[0].softmax(-1)

    @checked
    def score(self, x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
        """``grad_x log p(x)``: the direction in which the density grows fastest."""
        log_joint, solved = self._component_terms(x)
        return -(log_joint.softmax(-1)[..., None] * solved).sum(1)

    @checked
    def sample(
        self, n: Count, *, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "n d"], Int[Tensor, " n"]]:
        """``n`` points and the component each came from."""
        generator_on(self.means.device, generator)
        component = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        eps = noise_like(self.means.new_empty(n, self.dim), generator)
        root = torch.linalg.cholesky(self.covariances)[component]
        return self.means[component] + (root @ eps[..., None])[..., 0], component
