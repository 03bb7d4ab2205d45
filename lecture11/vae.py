"""Variational auto-encoders: the bound, its tighter relatives, and the linear case in closed form (F6-F17, F20).

Everything is in nats, constants included, one number per example.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lecture11 import gaussian
from lecture11.checks import Count, Finite, answer, checked, finite, fits_module, generator_on, of_dtype

Likelihood = Literal["gaussian", "sigma-gaussian", "bernoulli"]
LIKELIHOODS: tuple[Likelihood, ...] = get_args(Likelihood)


@dataclass(frozen=True)
class Elbo:
    """The evidence lower bound and its two parts, each ``(batch,)``, in nats per example (F14).

    Attributes:
        total: ``reconstruction - kl``, at most ``ln p(x)`` in expectation over the noise.
        reconstruction: ``ln p(x | z)`` at a draw of ``z ~ q(z | x)``, constant included.
        kl: ``KL(q(z | x), p(z))``, exact (F16).
    """

    total: Float[Tensor, " batch"]
    reconstruction: Float[Tensor, " batch"]
    kl: Float[Tensor, " batch"]


class VAE(nn.Module):
    """A decoder ``p(x | z)``, an encoder ``q(z | x)`` and the prior ``p(z) = N(0, I_k)`` (F7, F9, F11).

    Args:
        encoder: ``(batch, *dims)`` to ``(batch, 2, k)``: means, and logarithms of the variances.
        decoder: ``(batch, k)`` to ``(batch, *dims)``: the mean of ``x``, or with a Bernoulli likelihood its logits.
        likelihood: ``"gaussian"``, ``N(x; Dec(z), I)``, the lecture's; ``"sigma-gaussian"``, ``N(x; Dec(z), s^2 I)``
            with one learned scale; ``"bernoulli"``, for data that are 0 or 1.
        latents: ``k``, needed by what samples the prior where the decoder does not begin with a linear layer.

    Raises:
        ValueError: an unknown likelihood.
    """

    @checked
    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        likelihood: Likelihood = "gaussian",
        *,
        latents: Count | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = likelihood
        self._latents = latents
        if likelihood == "sigma-gaussian":
            self.log_var_x = nn.Parameter(torch.zeros(()))

    @property
    def latents(self) -> int:
        """Number ``k`` of latent dimensions: as given, else as the decoder's first layer with weights has it.

        Raises:
            TypeError: that layer is not linear, and ``latents`` was not given.
        """
        if self._latents is not None:
            return self._latents
        first = next((m for m in self.decoder.modules() if next(m.parameters(recurse=False), None) is not None), None)
        if isinstance(first, nn.Linear):
            return first.in_features
        raise TypeError(
            f"the decoder begins with {'no layer' if first is None else type(first).__name__}, which has no number of "
            f"latents: give it, VAE(encoder, decoder, latents=...)"
        )

    @checked
    def encode(self, x: Float[Tensor, "batch *dims"]) -> tuple[Float[Tensor, "batch k"], Float[Tensor, "batch k"]]:
        """``mu`` and ``log_var`` of ``q(z | x) = N(mu, diag exp(log_var))`` (F11).

        Raises:
            TypeError: ``x`` has another dtype than the weights.
            ValueError: the encoder does not give ``(batch, 2, k)``, means and log-variances.
        """
        fits_module(self.encoder, x=x)
        out = answer("the encoder", self.encoder(x), (len(x), 2, None), of="(batch, 2, k)")
        # Autocast computes in half precision; densities are sums of hundreds of terms and need that of the data.
        mu, log_var = out.to(x.dtype).unbind(1)
        return mu, log_var

    @checked
    def mean(self, z: Float[Tensor, "batch k"]) -> Float[Tensor, "batch *dims"]:
        """``E[x | z]``: the decoder's image, or with a Bernoulli likelihood the probability of a 1."""
        fits_module(self.decoder, z=z)
        out = self.decoder(z)
        return out.sigmoid() if self.likelihood == "bernoulli" else out

    @checked
    def log_likelihood(
        self, x: Float[Tensor, "batch *dims"], z: Float[Tensor, "*draws batch k"]
    ) -> Float[Tensor, "*draws batch"]:
        """``ln p(x | z)``, constant included, for one code an example or for several draws of it (F7, F15).

        Raises:
            ValueError: values other than 0 and 1 with a Bernoulli likelihood; a decoder of another shape than ``x``.
        """
        fits_module(self.decoder, z=z)
        draws = z.shape[:-2]
        # The number of examples too: a Gaussian would spread one code over all of them without a word.
        out = answer("the decoder", self.decoder(z.flatten(0, -2)), (math.prod(draws) * len(x), *x.shape[1:]), of="x")
        out = out.to(x.dtype)
        if self.likelihood == "bernoulli":
            if not torch.compiler.is_compiling() and not ((x == 0) | (x == 1)).all():
                raise ValueError(
                    f"x: a Bernoulli likelihood is for data that are 0 or 1, got values in [{x.min():g}, {x.max():g}]: "
                    f"of grey values it is no density, and the bound no bound. Binarise the data "
                    f"(Dataset.binarised), or take likelihood='sigma-gaussian'"
                )
            logits = out.view(*draws, *x.shape)
            return _BernoulliLogProb.apply(logits, x).flatten(len(draws) + 1).sum(-1)
        log_var = self.log_var_x if self.likelihood == "sigma-gaussian" else out.new_zeros(())
        copies = x.expand(*draws, *x.shape).flatten(0, len(draws))
        return gaussian.log_prob(copies, out, log_var.expand_as(out)).view(*draws, len(x))

    @checked
    def elbo(
        self,
        x: Float[Tensor, "batch *dims"],
        *,
        eps: Float[Tensor, "batch k"] | None = None,
        generator: torch.Generator | None = None,
    ) -> Elbo:
        """The bound with one draw of ``z`` an example and the exact KL (F14, F15; Kingma and Welling 2014, eq. 7).

        Args:
            eps: standard normal noise for the draw; drawn from ``generator`` if not given.
        """
        mu, log_var = self.encode(x)
        if eps is not None:
            of_dtype(mu.dtype, "x", eps=eps)
        z = gaussian.reparametrise(mu, log_var, eps=eps, generator=generator)
        reconstruction = self.log_likelihood(x, z)
        kl = gaussian.kl_to_standard_normal(mu, log_var)
        return Elbo(reconstruction - kl, reconstruction, kl)

    @checked
    def log_weights(
        self,
        x: Float[Tensor, "batch *dims"],
        k: Count,
        *,
        eps: Float[Tensor, "k batch latents"] | None = None,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "k batch"]:
        """``ln p(x, z) - ln q(z | x)`` at ``k`` draws of ``z`` an example (F12, F13; Burda et al. 2016, eq. 8)."""
        mu, log_var = (part.expand(k, *part.shape) for part in self.encode(x))
        if eps is None:
            eps = gaussian.noise_like(mu, generator)
        of_dtype(mu.dtype, "x", eps=eps)
        z = gaussian.reparametrise(mu, log_var, eps=eps)
        # ln p(z) - ln q(z | x): the constants cancel, and (z - mu) / sigma is eps.
        return self.log_likelihood(x, z) + 0.5 * (eps.square() - z.square() + log_var).sum(-1)

    @checked
    def importance_weighted_bound(
        self,
        x: Float[Tensor, "batch *dims"],
        k: Count,
        *,
        eps: Float[Tensor, "k batch latents"] | None = None,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, " batch"]:
        """``ln (1/k) sum_j w_j``, an objective tighter than the ELBO (Burda et al. 2016, eq. 8); gradients flow.

        In expectation it equals the ELBO at ``k = 1`` and rises with ``k`` towards ``ln p(x)``.
        """
        return self.log_weights(x, k, eps=eps, generator=generator).logsumexp(0) - math.log(k)

    @checked
    @torch.no_grad()
    def log_marginal(
        self,
        x: Float[Tensor, "batch *dims"],
        k: Count = 1000,
        *,
        generator: torch.Generator | None = None,
        chunk: Count = 10_000,
    ) -> Float[Tensor, " batch"]:
        """The importance-weighted bound on ``ln p(x)`` with ``k`` draws an example, in constant memory.

        Args:
            chunk: pairs of an example and a draw that are decoded at once; memory is proportional to it.

        Returns:
            A lower bound in expectation, near ``ln p(x)`` for large ``k``; see ``importance_weighted_bound``.
        """
        bounds = []
        for part in x.split(min(chunk, 1000)):
            draws = max(1, chunk // len(part))
            total = x.new_full((len(part),), -math.inf)
            for done in range(0, k, draws):
                weights = self.log_weights(part, min(draws, k - done), generator=generator)
                # In place: small results kept between large passing ones would scatter the memory.
                torch.logaddexp(total, weights.logsumexp(0), out=total)
            bounds.append(total - math.log(k))
        return torch.cat(bounds)

    @checked
    @torch.no_grad()
    def sample(self, n: Count, *, generator: torch.Generator | None = None) -> Float[Tensor, "n *dims"]:
        """``n`` draws from the model: ``z ~ N(0, I)``, then ``x ~ p(x | z)``, the decoder's noise included (F7, F9).

        The images without that noise, which most papers show, are ``model.mean(z)``. One seed gives one batch: the
        first of four samples is not what it gives for ``n = 1``.
        """
        like = next(self.parameters())

        mean = self.mean(gaussian.noise_like(like.new_empty(n, self.latents), generator))
        if self.likelihood == "bernoulli":
            return torch.bernoulli(mean, generator=generator)
        if self.likelihood == "sigma-gaussian":
            return mean + torch.exp(0.5 * self.log_var_x) * gaussian.noise_like(mean, generator)
        return mean + gaussian.noise_like(mean, generator)


@checked
def aggregated_log_prob(
    z: Float[Tensor, "m k"], mu: Float[Tensor, "n k"], log_var: Float[Tensor, "n k"]
) -> Float[Tensor, " m"]:
    """``ln (1/n) sum_i q(z | x_i)``: log-density of the aggregated posterior at each ``z``, in nats (F6).

    Args:
        mu, log_var: what ``VAE.encode`` gives for the ``n`` examples.
    """
    sums = [gaussian.log_prob(point.expand_as(mu), mu, log_var).logsumexp(0) for point in z]
    return torch.stack(sums) - math.log(len(mu))


@checked
def negative_bound(
    model: VAE,
    x: Float[Tensor, "batch *dims"],
    *,
    k: Count = 1,
    redraw: bool = False,
    generator: torch.Generator | None = None,
) -> Float[Tensor, " batch"]:
    """What ``training.Trainer`` minimises: minus the ELBO, or with ``k > 1`` minus the importance-weighted bound.

    ``functools.partial(vae.negative_bound, k=5)`` is the objective of an IWAE (Burda et al. 2016).

    Args:
        k: draws of ``z`` an example.
        redraw: ``x`` are grey values in [0, 1], from which black-and-white images are drawn anew each time (Burda et
            al. 2016, section 5): for a Bernoulli likelihood, and more to learn from than one fixed draw.

    Raises:
        ValueError: ``redraw``, and values outside [0, 1]; and what the bounds raise.
    """
    if redraw:
        if not torch.compiler.is_compiling() and not ((x >= 0) & (x <= 1)).all():
            raise ValueError(
                f"x are the probabilities of a 1, in [0, 1], got values in [{x.min():g}, {x.max():g}]: take "
                f"(x + 1) / 2 for [-1, 1], x / 255 for bytes"
            )
        generator_on(x.device, generator)
        x = torch.bernoulli(x, generator=generator)
    if k == 1:  # one draw, but the KL of the ELBO is exact: less noise in the gradient
        return -model.elbo(x, generator=generator).total
    return -model.importance_weighted_bound(x, k, generator=generator)


class _BernoulliLogProb(torch.autograd.Function):
    """``ln Bernoulli(x; sigmoid(logits))``, element by element, to rounding in the absolute value.

    PyTorch's own keeps the relative error small too, by a ``log1p`` that a CPU computes number by number, and autograd
    keeps an array for every operation: together half of a training step with many draws.
    """

    @staticmethod
    def forward(ctx, logits: Tensor, x: Tensor) -> Tensor:
        ctx.save_for_backward(logits, x)
        signed = (2 * x - 1) * logits
        # ln sigmoid(s) = min(s, 0) + ln sigmoid(|s|): nothing overflows.
        return signed.abs().sigmoid_().log_().add_(signed.clamp_(max=0))

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        logits, x = ctx.saved_tensors
        return (x - logits.sigmoid()).mul_(gradient), None


@checked
def reparametrised_gradient(
    f: Callable[[Tensor], Tensor],
    mu: Float[Tensor, " k"],
    log_var: Float[Tensor, " k"],
    eps: Float[Tensor, "n k"],
) -> tuple[Float[Tensor, "n k"], Float[Tensor, "n k"]]:
    """One estimate for each row of noise of the gradient of ``E[f(z)]``, ``z ~ N(mu, diag exp(log_var))`` (F17).

    The gradient of ``f(mu + sigma eps)`` itself. Unbiased; needs the derivative of ``f``.

    Args:
        f: ``(n, k)`` to ``(n,)``, differentiable.

    Returns:
        Gradients with respect to ``mu`` and to ``log_var``.
    """
    mus, log_vars = (part.detach().expand_as(eps).clone().requires_grad_() for part in (mu, log_var))
    values = f(gaussian.reparametrise(mus, log_vars, eps=eps))
    answer("f", values, eps.shape[:1])
    d_mu, d_log_var = torch.autograd.grad(values.sum(), (mus, log_vars))
    return d_mu, d_log_var


@checked
def score_function_gradient(
    f: Callable[[Tensor], Tensor],
    mu: Float[Tensor, " k"],
    log_var: Float[Tensor, " k"],
    eps: Float[Tensor, "n k"],
) -> tuple[Float[Tensor, "n k"], Float[Tensor, "n k"]]:
    """The same gradient without the derivative of ``f``: ``f(z) grad ln q(z)`` (F17; Williams 1992, REINFORCE).

    Unbiased too, with a far larger variance. Arguments and results as in ``reparametrised_gradient``.
    """
    values = f(gaussian.reparametrise(mu.expand_as(eps), log_var.expand_as(eps), eps=eps))
    values = answer("f", values, eps.shape[:1])[:, None]
    # With z = mu + sigma eps: d ln q / d mu = eps / sigma, and d ln q / d log_var = (eps^2 - 1) / 2.
    return values * eps * torch.exp(-0.5 * log_var), values * 0.5 * (eps.square() - 1)


@dataclass(frozen=True)
class LinearGaussian:
    """The linear decoder ``x = W z + b + noise``, for which everything is known: probabilistic PCA (F20).

    Args:
        weight: ``W``, ``(d, k)``; ``bias``: ``b``, ``(d,)``.
        variance: of the noise; the lecture's decoder has 1.

    Raises:
        TypeError: weight and bias of two dtypes; in a method, ``x`` of another one.
        ValueError: shapes that do not fit, or a variance that is not positive.
    """

    weight: Float[Tensor, "d k"]
    bias: Float[Tensor, " d"]
    variance: Finite = 1.0

    @checked
    def __post_init__(self) -> None:
        self._same_dtype(bias=self.bias)
        if self.variance <= 0:
            raise ValueError(f"variance must be positive, got {self.variance}")

    def _same_dtype(self, **tensors: Tensor) -> None:
        of_dtype(self.weight.dtype, "weight", **tensors)

    @staticmethod
    @checked
    def optimum(x: Float[Tensor, "n d"], k: Count, *, variance: Finite | None = 1.0) -> "LinearGaussian":
        """The maximum of the likelihood, in closed form (Tipping and Bishop 1999, eq. 7 and 8).

        Args:
            variance: fixed to this; None takes the best one, the mean of the ``d - k`` smallest eigenvalues.
        """
        d = x.shape[1]
        if not k < d:
            raise ValueError(f"k must lie in 1..{d - 1}, got {k}: x has {d} dimensions")
        finite(x=x)
        bias = x.mean(0)
        values, vectors = torch.linalg.eigh((x - bias).T @ (x - bias) / len(x))
        values, vectors = values.flip(0), vectors.flip(1)
        best = values[k:].mean().item() if variance is None else variance
        # A direction with less variance than the noise explains on its own is switched off.
        scale = (values[:k] - best).clamp(min=0).sqrt()
        return LinearGaussian(vectors[:, :k] * scale, bias, best)

    @property
    def latents(self) -> int:
        """Number ``k`` of latent dimensions."""
        return self.weight.shape[1]

    @checked
    def log_likelihood(self, x: Float[Tensor, "n d"], z: Float[Tensor, "n k"]) -> Float[Tensor, " n"]:
        """``ln p(x | z) = ln N(x; W z + b, variance I)`` (F7)."""
        self._same_dtype(x=x, z=z)
        mean = z @ self.weight.T + self.bias
        return gaussian.log_prob(x, mean, torch.full_like(mean, math.log(self.variance)))

    @checked
    def log_prob(self, x: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """``ln p(x) = ln N(x; b, W W^T + variance I)``, exact, in nats (F9)."""
        self._same_dtype(x=x)
        identity = torch.eye(len(self.bias), dtype=x.dtype, device=x.device)
        covariance = self.weight @ self.weight.T + self.variance * identity
        return gaussian.Mixture(torch.ones_like(self.bias[:1]), self.bias[None], covariance[None]).log_prob(x)

    @checked
    def posterior(self, x: Float[Tensor, "n d"]) -> tuple[Float[Tensor, "n k"], Float[Tensor, "k k"]]:
        """``p(z | x) = N(mean, covariance)``, exact; the covariance is the same for all ``x``."""
        self._same_dtype(x=x)
        identity = torch.eye(self.weight.shape[1], dtype=x.dtype, device=x.device)
        covariance = torch.linalg.inv(identity + self.weight.T @ self.weight / self.variance)
        return (x - self.bias) @ self.weight @ covariance / self.variance, covariance

    @checked
    def elbo(
        self, x: Float[Tensor, "n d"], mean: Float[Tensor, "n k"], covariance: Float[Tensor, "k k"]
    ) -> Float[Tensor, " n"]:
        """The bound at ``q(z | x) = N(mean, covariance)`` with all expectations exact (F15, F16)."""
        self._same_dtype(x=x, mean=mean, covariance=covariance)
        d, k = self.weight.shape
        residual = (x - self.bias - mean @ self.weight.T).square().sum(1)
        spread = torch.trace(self.weight @ covariance @ self.weight.T)
        reconstruction = -0.5 * ((residual + spread) / self.variance + d * math.log(2 * math.pi * self.variance))
        kl = 0.5 * (mean.square().sum(1) + torch.trace(covariance) - k - torch.logdet(covariance))
        return reconstruction - kl


@dataclass(frozen=True)
class NaiveEstimate:
    """What sampling the prior says of the marginal likelihood, each ``(batch,)`` (F10).

    Attributes:
        log_marginal: logarithm of the mean of ``p(x | z_j)`` over draws ``z_j ~ p(z)``, in nats. The mean is unbiased;
            its logarithm is too low, in general by much.
        effective_sample_size: ``(sum_j p(x | z_j))^2 / sum_j p(x | z_j)^2``: how many draws the mean rests on,
            between 1 and their number.
    """

    log_marginal: Float[Tensor, " batch"]
    effective_sample_size: Float[Tensor, " batch"]


@checked
@torch.no_grad()
def naive_log_marginal(
    model: VAE | LinearGaussian,
    x: Float[Tensor, "batch *dims"],
    k: Count,
    *,
    generator: torch.Generator | None = None,
) -> NaiveEstimate:
    """The marginal likelihood (F9) as a mean over ``k`` draws from the prior, the same for all examples (F10)."""
    z = gaussian.noise_like(x.new_empty(k, model.latents), generator)
    weights = torch.stack([model.log_likelihood(example.expand(k, *example.shape), z) for example in x])
    total = weights.logsumexp(1)
    return NaiveEstimate(total - math.log(k), torch.exp(2 * total - (2 * weights).logsumexp(1)))
