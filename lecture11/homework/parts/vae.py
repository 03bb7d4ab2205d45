"""Homework 2: variational auto-encoders and the ELBO (F6-F17)."""

import math
from typing import Any

import torch
from torch import Tensor

from lecture11.homework.observation import Case, Given
from lecture11.homework.part import Draw, Mistake, Part, case, in_float32


def _numbers(*values: float) -> Tensor:
    return torch.tensor([values], dtype=torch.float64)


# --- gaussian-log-prob


def _log_prob(x: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    return -0.5 * ((x - mean) ** 2 / log_var.exp() + log_var + math.log(2 * math.pi)).sum(1)


def _log_prob_cases(d: Draw) -> list[Case]:
    def one(name: str, b: int, k: int) -> Case:
        args: dict[str, Any] = {"x": d.normal(b, k), "mean": d.normal(b, k), "log_var": d.normal(b, k)}
        return case(name, b, grad=("mean", "log_var"), **args)

    k = d.size(2, 5)
    return [
        case("one number", 1, x=_numbers(1.0), mean=_numbers(0.4), log_var=_numbers(0.5)),
        one("one example", 1, k),
        one("three examples in three dimensions", 3, 3),
        one("several examples", d.size(4, 6), k),
        in_float32(one("in single precision", 2, k)),
    ]


GAUSSIAN_LOG_PROB = Part(
    id="gaussian-log-prob",
    homework=2,
    title="the density of a diagonal Gaussian",
    points=2,
    trains="the constant, the variance from its logarithm, and a sum over the dimensions",
    unit="nats, one number for each example",
    make_cases=_log_prob_cases,
    reference=_log_prob,
    mistakes=(
        Mistake(
            "the constant -(d/2) log 2 pi is missing: without it, this is no density",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v.exp() + v).sum(1),
        ),
        Mistake(
            "the constant log 2 pi is there once; each of the d dimensions has its own",
            lambda x, m, v: -0.5 * (((x - m) ** 2 / v.exp() + v).sum(1) + math.log(2 * math.pi)),
        ),
        Mistake(
            "you averaged over the dimensions; the logarithm of a product is a sum",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v.exp() + v + math.log(2 * math.pi)).mean(1),
        ),
        Mistake(
            "log_var is taken for the logarithm of the standard deviation: it is that of the variance",
            lambda x, m, v: _log_prob(x, m, 2 * v),
        ),
        Mistake(
            "the square is divided by the standard deviation; the variance belongs there",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / (0.5 * v).exp() + v + math.log(2 * math.pi)).sum(1),
        ),
        Mistake(
            "the square is divided by log_var; first make the variance of it",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v + v + math.log(2 * math.pi)).sum(1),
        ),
        Mistake(
            "the term with log_var is missing: the factor in front of the exponential depends on the variance",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v.exp() + math.log(2 * math.pi)).sum(1),
        ),
        Mistake("the sign is reversed: this is -log N", lambda x, m, v: -_log_prob(x, m, v)),
        Mistake("this is the density itself; its logarithm is asked for", lambda x, m, v: _log_prob(x, m, v).exp()),
        Mistake(
            "the examples are summed as well; return one number for each",
            lambda x, m, v: _log_prob(x, m, v).sum(),
        ),
        Mistake(
            "the examples are averaged as well; return one number for each, the caller takes the mean",
            lambda x, m, v: _log_prob(x, m, v).mean(),
        ),
        Mistake(
            "the sum over the dimensions is missing",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v.exp() + v + math.log(2 * math.pi)),
        ),
        Mistake(
            "the factor 1/2 stands before the square alone: log_var and the constant have it too",
            lambda x, m, v: -(0.5 * (x - m) ** 2 / v.exp() + v + math.log(2 * math.pi)).sum(1),
        ),
        Mistake(
            "the square is divided by the square of the variance: exp(log_var) is sigma^2 already",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v.exp() ** 2 + v + math.log(2 * math.pi)).sum(1),
        ),
        Mistake(
            "the square is multiplied with the variance; it is divided by it",
            lambda x, m, v: -0.5 * ((x - m) ** 2 * v.exp() + v + math.log(2 * math.pi)).sum(1),
        ),
        Mistake(
            "x - mean is not squared", lambda x, m, v: -0.5 * ((x - m) / v.exp() + v + math.log(2 * math.pi)).sum(1)
        ),
        Mistake(
            "log_var has the wrong sign: a wide density is a low one",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v.exp() - v + math.log(2 * math.pi)).sum(1),
        ),
        Mistake(
            "half of log_var stands in the bracket: that would be log sigma, and the bracket has log sigma^2",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v.exp() + 0.5 * v + math.log(2 * math.pi)).sum(1),
        ),
        Mistake(
            "the logarithm of log_var is taken: log_var is log sigma^2 already",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v.exp() + v.log() + math.log(2 * math.pi)).sum(1),
        ),
        Mistake(
            "the factor 1/2 is missing in front of log 2 pi",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v.exp() + v + 2 * math.log(2 * math.pi)).sum(1),
        ),
        Mistake("the factor 1/2 is missing", lambda x, m, v: 2 * _log_prob(x, m, v)),
        Mistake(
            "log 2 pi is a natural logarithm, math.log; this one has base 10",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v.exp() + v + math.log10(2 * math.pi)).sum(1),
        ),
        Mistake(
            "the constant is log(2) * pi; the logarithm of 2 pi belongs there",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v.exp() + v + math.log(2) * math.pi).sum(1),
        ),
        Mistake(
            "the variance is exp(log_var / 2) here: that is the standard deviation",
            lambda x, m, v: _log_prob(x, m, 0.5 * v),
        ),
        Mistake(
            "this sums over the examples; sum over the dimensions",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v.exp() + v + math.log(2 * math.pi)).sum(0),
        ),
        Mistake(
            "each is summed before the square and the quotient: the bracket belongs to one dimension",
            lambda x, m, v: -0.5 * ((x - m).sum(1) ** 2 / v.exp().sum(1) + v.sum(1) + math.log(2 * math.pi)),
        ),
        Mistake(
            "2 pi stands where its logarithm belongs",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v.exp() + v + 2 * math.pi).sum(1),
        ),
        Mistake(
            "the constant is log pi; the 2 is missing",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v.exp() + v + math.log(math.pi)).sum(1),
        ),
        Mistake(
            "the minus stands before the square alone: log_var and the constant have it too",
            lambda x, m, v: 0.5 * (-((x - m) ** 2) / v.exp() + v + math.log(2 * math.pi)).sum(1),
        ),
        Mistake(
            "this is the square alone: log_var and the constant are missing",
            lambda x, m, v: -0.5 * ((x - m) ** 2 / v.exp()).sum(1),
        ),
        Mistake(
            "the square is missing: this does not depend on x",
            lambda x, m, v: -0.5 * (v + math.log(2 * math.pi) + 0 * x).sum(1),
        ),
        Mistake(
            "d is taken as the number of examples; it is x.shape[1]",
            lambda x, m, v: -0.5 * (((x - m) ** 2 / v.exp() + v).sum(1) + len(x) * math.log(2 * math.pi)),
        ),
    ),
)


# --- elbo-kl


def _kl(mu: Tensor, log_var: Tensor) -> Tensor:
    return 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1)


def _kl_cases(d: Draw) -> list[Case]:
    def one(name: str, b: int, k: int) -> Case:
        return case(name, b, grad=("mu", "log_var"), mu=d.normal(b, k), log_var=d.normal(b, k))

    k = d.size(2, 5)
    return [
        case("one number", 1, mu=_numbers(0.6), log_var=_numbers(0.5)),
        one("one example", 1, k),
        one("three examples, three latents", 3, 3),
        one("several examples", d.size(4, 6), k),
        in_float32(one("in single precision", 2, k)),
    ]


ELBO_KL = Part(
    id="elbo-kl",
    homework=2,
    title="the KL in closed form",
    points=2,
    trains="a formula with four terms, and what log_var is",
    unit="nats, one number for each example",
    make_cases=_kl_cases,
    reference=_kl,
    mistakes=(
        Mistake(
            "you averaged over the latent dimensions; the KL is a sum",
            lambda mu, v: 0.5 * (mu**2 + v.exp() - 1 - v).mean(1),
        ),
        Mistake("the factor 1/2 is missing", lambda mu, v: (mu**2 + v.exp() - 1 - v).sum(1)),
        Mistake(
            "the factor 1/2 applies to ||mu||^2 alone, as the lecture notes print it without parentheses (erratum E6)",
            lambda mu, v: (0.5 * mu**2 + v.exp() - 1 - v).sum(1),
        ),
        Mistake(
            "this is what you get if log sigma^2 is taken for sigma^2: log_var is a logarithm",
            lambda mu, v: 0.5 * (mu**2 + v - 1 - v.log()).sum(1),
        ),
        Mistake(
            "the trace is taken over log_var; the variances belong there",
            lambda mu, v: 0.5 * (mu**2 + v - 1 - v).sum(1),
        ),
        Mistake(
            "this is what you get if log_var is taken for log sigma: it is the logarithm of the variance",
            lambda mu, v: _kl(mu, 2 * v),
        ),
        Mistake(
            "the trace holds standard deviations; it is the sum of the variances",
            lambda mu, v: 0.5 * (mu**2 + (0.5 * v).exp() - 1 - v).sum(1),
        ),
        Mistake("the sign is reversed: a KL is never negative", lambda mu, v: -_kl(mu, v)),
        Mistake(
            "the -k is missing: at mu = 0 and sigma = 1 the KL must be 0",
            lambda mu, v: 0.5 * (mu**2 + v.exp() - v).sum(1),
        ),
        Mistake(
            "k counts once for all: 1 is subtracted where k belongs",
            lambda mu, v: 0.5 * ((mu**2 + v.exp() - v).sum(1) - 1),
        ),
        Mistake("the mean is not squared", lambda mu, v: 0.5 * (mu + v.exp() - 1 - v).sum(1)),
        Mistake("log det Sigma has the wrong sign", lambda mu, v: 0.5 * (mu**2 + v.exp() - 1 + v).sum(1)),
        Mistake(
            "this is KL(p, q), with the laws exchanged: the expectation is under q",
            lambda mu, v: 0.5 * ((1 + mu**2) / v.exp() - 1 + v).sum(1),
        ),
        Mistake(
            "the examples are averaged as well; return one number for each, the caller takes the mean",
            lambda mu, v: _kl(mu, v).mean(),
        ),
        Mistake("the examples are summed as well; return one number for each", lambda mu, v: _kl(mu, v).sum()),
        Mistake(
            "everything is averaged, over the examples and the latents; sum over the latents, and keep the examples",
            lambda mu, v: 0.5 * (mu**2 + v.exp() - 1 - v).mean(),
        ),
        Mistake("the sum over the latents is missing", lambda mu, v: 0.5 * (mu**2 + v.exp() - 1 - v)),
        Mistake(
            "this sums over the examples; sum over the latents", lambda mu, v: 0.5 * (mu**2 + v.exp() - 1 - v).sum(0)
        ),
        Mistake(
            "k is taken as the number of examples; it is the number of latents, mu.shape[1]",
            lambda mu, v: 0.5 * ((mu**2 + v.exp() - v).sum(1) - len(mu)),
        ),
        Mistake(
            "k is subtracted for each latent, so k times: once is enough",
            lambda mu, v: 0.5 * (mu**2 + v.exp() - mu.shape[1] - v).sum(1),
        ),
        Mistake("k is added; it is subtracted", lambda mu, v: 0.5 * (mu**2 + v.exp() + 1 - v).sum(1)),
        Mistake("the length of mu is not squared", lambda mu, v: 0.5 * (mu.norm(dim=1) + (v.exp() - 1 - v).sum(1))),
        Mistake("log det Sigma is missing", lambda mu, v: 0.5 * (mu**2 + v.exp() - 1).sum(1)),
        Mistake(
            "log det Sigma is the product of the log_var; the logarithm of a product is a sum",
            lambda mu, v: 0.5 * ((mu**2 + v.exp() - 1).sum(1) - v.prod(1)),
        ),
        Mistake(
            "the determinant is subtracted; its logarithm is to be",
            lambda mu, v: 0.5 * ((mu**2 + v.exp() - 1).sum(1) - v.exp().prod(1)),
        ),
        Mistake(
            "Sigma holds standard deviations; it holds variances: exp of log_var, not of its half",
            lambda mu, v: _kl(mu, 0.5 * v),
        ),
        Mistake(
            "torch.trace takes the (batch, k) for one matrix; each row is the diagonal of an example's own",
            lambda mu, v: 0.5 * ((mu**2 - 1 - v).sum(1) + torch.trace(v.exp())),
        ),
        Mistake(
            "the mean is summed and then squared; ||mu||^2 is the sum of the squares",
            lambda mu, v: 0.5 * (mu.sum(1) ** 2 + (v.exp() - 1 - v).sum(1)),
        ),
        Mistake(
            "log det Sigma stands outside of the bracket: it has the factor 1/2 too",
            lambda mu, v: 0.5 * (mu**2 + v.exp() - 1).sum(1) - v.sum(1),
        ),
        Mistake(
            "the variances are squared in the trace: exp(log_var) is sigma^2 already",
            lambda mu, v: 0.5 * (mu**2 + v.exp() ** 2 - 1 - v).sum(1),
        ),
        Mistake("the term with ||mu||^2 is missing", lambda mu, v: 0.5 * (v.exp() - 1 - v).sum(1)),
        Mistake(
            "half of log det Sigma stands in the bracket: log det is the sum of log sigma^2",
            lambda mu, v: 0.5 * (mu**2 + v.exp() - 1 - 0.5 * v).sum(1),
        ),
        Mistake(
            "k is the size of all of mu; it is the number of latents, mu.shape[1]",
            lambda mu, v: 0.5 * ((mu**2 + v.exp() - v).sum(1) - mu.numel()),
        ),
    ),
)


# --- elbo


def _elbo(x: Tensor, encoder: Any, decoder: Any, eps: Tensor) -> Tensor:
    mu, log_var = encoder(x)
    return _reconstruction(x, decoder(_draw(mu, log_var, eps))) - _kl(mu, log_var)


def _draw(mu: Tensor, log_var: Tensor, eps: Tensor) -> Tensor:
    return mu + (0.5 * log_var).exp() * eps


def _reconstruction(x: Tensor, mean: Tensor) -> Tensor:
    return _log_prob(x, mean, torch.zeros_like(x))


def _elbo_cases(d: Draw) -> list[Case]:
    def one(name: str, b: int, dim: int, k: int) -> Case:
        args: dict[str, Any] = {
            "x": d.normal(b, dim),
            "encoder": Given("encoder", {"d": dim, "k": k, "seed": d.size(0, 1000)}),
            "decoder": Given("decoder", {"k": k, "d": dim, "seed": d.size(0, 1000)}),
            "eps": d.normal(b, k),
        }
        return case(name, b, grad=("encoder", "decoder"), **args)

    k = d.size(2, 3)
    return [
        one("one example, d = 2, k = 1", 1, 2, 1),
        one("three examples, d = 3, k = 3", 3, 3, 3),
        one("several examples", d.size(4, 6), d.size(4, 6), k),
        in_float32(one("in single precision", 2, 4, k)),
    ]


def _elbo_with(
    *,
    draw: Any = _draw,
    reconstruction: Any = _reconstruction,
    kl: Any = _kl,
    sign: float = -1.0,
    total: Any = lambda e: e,
) -> Any:
    def elbo(x: Tensor, encoder: Any, decoder: Any, eps: Tensor) -> Tensor:
        mu, log_var = encoder(x)
        return total(reconstruction(x, decoder(draw(mu, log_var, eps))) + sign * kl(mu, log_var))

    return elbo


def _elbo_of(formula: Any) -> Any:
    """The bound as a formula of x, mu, log_var, the draw z and what is decoded from it."""

    def elbo(x: Tensor, encoder: Any, decoder: Any, eps: Tensor) -> Tensor:
        mu, log_var = encoder(x)
        z = _draw(mu, log_var, eps)
        return formula(x, mu, log_var, z, decoder(z))

    return elbo


def _half_square(x: Tensor, mean: Tensor) -> Tensor:
    return -0.5 * ((x - mean) ** 2).sum(1)


ELBO = Part(
    id="elbo",
    homework=2,
    title="the evidence lower bound",
    points=4,
    trains="encoder, draw, decoder and KL in one; the constant; sums that fit together",
    unit="nats, one number for each example",
    make_cases=_elbo_cases,
    reference=_elbo,
    mistakes=(
        Mistake(
            "the constant -(d/2) log 2 pi is missing: without it this bounds nothing",
            _elbo_with(reconstruction=_half_square),
        ),
        Mistake(
            "the constant log 2 pi is there once; each of the d pixels has its own",
            _elbo_with(reconstruction=lambda x, m: _half_square(x, m) - 0.5 * math.log(2 * math.pi)),
        ),
        Mistake("the KL is added; it is subtracted from the reconstruction", _elbo_with(sign=1.0)),
        Mistake("this is minus the ELBO: a loss. The bound itself is asked for", _elbo_with(total=lambda e: -e)),
        Mistake(
            "z is the mean: nothing is drawn. The expectation is over z = mu + sigma eps",
            _elbo_with(draw=lambda mu, v, eps: mu),
        ),
        Mistake(
            "the noise is multiplied with the variance; the standard deviation belongs there",
            _elbo_with(draw=lambda mu, v, eps: mu + v.exp() * eps),
        ),
        Mistake(
            "the noise is multiplied with log_var; make the standard deviation of it",
            _elbo_with(draw=lambda mu, v, eps: mu + v * eps),
        ),
        Mistake(
            "the noise is not scaled: z = mu + eps has variance 1, whatever the encoder says",
            _elbo_with(draw=lambda mu, v, eps: mu + eps),
        ),
        Mistake(
            "the reconstruction is averaged over the pixels and the KL summed over the latents: a hidden beta-VAE. "
            "Both "
            "are sums",
            _elbo_with(reconstruction=lambda x, m: -0.5 * ((x - m) ** 2 + math.log(2 * math.pi)).mean(1)),
        ),
        Mistake(
            "the squared error is averaged over the pixels, the KL is summed over the latents: a hidden beta-VAE",
            _elbo_with(reconstruction=lambda x, m: -((x - m) ** 2).mean(1)),
        ),
        Mistake(
            "the 1/2 in front of the squared error is missing, and the constant too: it is log N(x; Dec(z), I)",
            _elbo_with(reconstruction=lambda x, m: -((x - m) ** 2).sum(1)),
        ),
        Mistake(
            "the KL is averaged over the latents; it is a sum",
            _elbo_with(kl=lambda mu, v: 0.5 * (mu**2 + v.exp() - 1 - v).mean(1)),
        ),
        Mistake(
            "the factor 1/2 of the KL applies to ||mu||^2 alone (erratum E6)",
            _elbo_with(kl=lambda mu, v: (0.5 * mu**2 + v.exp() - 1 - v).sum(1)),
        ),
        Mistake(
            "this is the reconstruction alone: the KL is missing",
            _elbo_with(kl=lambda mu, v: torch.zeros_like(mu[:, 0])),
        ),
        Mistake(
            "the examples are averaged as well; return one number for each, the caller takes the mean",
            _elbo_with(total=lambda e: e.mean()),
        ),
        Mistake(
            "the examples are summed as well; return one number for each",
            _elbo_with(total=lambda e: e.sum()),
        ),
        Mistake(
            "this KL is sampled, ln q(z) - ln p(z) at the draw: right in the mean, but part 2 has it exactly",
            _elbo_of(
                lambda x, mu, v, z, m: (
                    _reconstruction(x, m) - _log_prob(z, mu, v) + _log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
                )
            ),
        ),
        Mistake(
            "the decoder's variance is not 1: its log_var is log 1",
            _elbo_with(reconstruction=lambda x, m: _log_prob(x, m, torch.ones_like(x))),
        ),
        Mistake(
            "the 1/2 in front of the squared error is missing; the constant has it",
            _elbo_with(reconstruction=lambda x, m: -((x - m) ** 2).sum(1) - 0.5 * x.shape[1] * math.log(2 * math.pi)),
        ),
        Mistake(
            "the constant is -d log 2 pi: its 1/2 is missing",
            _elbo_with(reconstruction=lambda x, m: _half_square(x, m) - x.shape[1] * math.log(2 * math.pi)),
        ),
        Mistake(
            "the constant counts latents; it belongs to x: d, the number of pixels",
            _elbo_of(
                lambda x, mu, v, z, m: _half_square(x, m) - 0.5 * mu.shape[1] * math.log(2 * math.pi) - _kl(mu, v)
            ),
        ),
        Mistake(
            "the constant counts examples; it belongs to x: d, the number of pixels",
            _elbo_with(reconstruction=lambda x, m: _half_square(x, m) - 0.5 * len(x) * math.log(2 * math.pi)),
        ),
        Mistake(
            "the squared error is averaged over the pixels, the constant is not, and the KL is a sum over the latents",
            _elbo_with(
                reconstruction=lambda x, m: -0.5 * ((x - m) ** 2).mean(1) - 0.5 * x.shape[1] * math.log(2 * math.pi)
            ),
        ),
        Mistake(
            "the squared error is averaged over pixels and examples: a hidden beta-VAE",
            _elbo_with(reconstruction=lambda x, m: -((x - m) ** 2).mean()),
        ),
        Mistake(
            "the encoder's log_var is that of z; the decoder's law has variance 1",
            _elbo_of(lambda x, mu, v, z, m: _log_prob(x, m, v) - _kl(mu, v)),
        ),
        Mistake(
            "the density is that of z under q; the reconstruction is that of x under the decoder",
            _elbo_of(lambda x, mu, v, z, m: _log_prob(z, mu, v) - _kl(mu, v)),
        ),
        Mistake(
            "z stands in the KL where mu belongs (was mu changed in place?)",
            _elbo_of(lambda x, mu, v, z, m: _reconstruction(x, m) - _kl(z, v)),
        ),
        Mistake(
            "this is a cross-entropy: the density of black and white pixels. The decoder's law is normal here",
            _elbo_with(
                reconstruction=lambda x, m: (
                    -torch.nn.functional.binary_cross_entropy_with_logits(m, x, reduction="none").sum(1)
                )
            ),
        ),
        Mistake("half of the KL is subtracted: its 1/2 is counted twice", _elbo_with(sign=-0.5)),
        Mistake(
            "the noise is multiplied with the root of log_var; make the standard deviation of it",
            _elbo_with(draw=lambda mu, v, eps: mu + v.sqrt() * eps),
        ),
        Mistake(
            "the squared error is summed over the examples too; each has its own",
            _elbo_with(
                reconstruction=lambda x, m: -0.5 * ((x - m) ** 2).sum() - 0.5 * x.shape[1] * math.log(2 * math.pi)
            ),
        ),
        Mistake(
            "the KL is averaged over the examples; each has its own", _elbo_with(kl=lambda mu, v: _kl(mu, v).mean())
        ),
        Mistake("the KL is summed over the examples; each has its own", _elbo_with(kl=lambda mu, v: _kl(mu, v).sum())),
        Mistake(
            "the KL is given sigma; it takes log_var",
            _elbo_of(lambda x, mu, v, z, m: _reconstruction(x, m) - _kl(mu, (0.5 * v).exp())),
        ),
        Mistake("the noise is decoded, and not z", _elbo_with(draw=lambda mu, v, eps: eps)),
        Mistake(
            "exp(-log_var / 2) is one over the standard deviation",
            _elbo_with(draw=lambda mu, v, eps: mu + (-0.5 * v).exp() * eps),
        ),
        Mistake(
            "the encoder's two results have changed places: mu, log_var = encoder(x)",
            lambda x, encoder, decoder, eps: _elbo(x, lambda y: encoder(y)[::-1], decoder, eps),
        ),
        Mistake(
            "the constant has the wrong sign",
            _elbo_with(reconstruction=lambda x, m: _half_square(x, m) + 0.5 * x.shape[1] * math.log(2 * math.pi)),
        ),
        Mistake(
            "both terms are averaged, one over the pixels, one over the latents: both are sums",
            _elbo_of(lambda x, mu, v, z, m: _reconstruction(x, m) / x.shape[1] - _kl(mu, v) / mu.shape[1]),
        ),
        Mistake(
            "this is ln p(x, z): ln q(z) is missing, or the KL in its place",
            _elbo_of(
                lambda x, mu, v, z, m: _reconstruction(x, m) + _log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
            ),
        ),
        Mistake(
            "all examples get the noise of the first; each has its own",
            _elbo_with(draw=lambda mu, v, eps: mu + (0.5 * v).exp() * eps[0]),
        ),
        Mistake(
            "the squared errors of all examples are summed, without 1/2 and constant; each example has its own",
            _elbo_with(reconstruction=lambda x, m: -((x - m) ** 2).sum()),
        ),
        Mistake(
            "this KL is that of z with variance 1; it is that of the encoder's law, mu and log_var",
            _elbo_of(lambda x, mu, v, z, m: _reconstruction(x, m) - _kl(z, torch.zeros_like(z))),
        ),
    ),
)


# --- iw-bound


def _iw_bound(log_w: Tensor) -> Tensor:
    return log_w.logsumexp(0) - math.log(len(log_w))


def _log_weight_cases(d: Draw, *, grad: bool) -> list[Case]:
    def one(name: str, k: int, b: int, shift: Tensor | float = 0.0) -> Case:
        return case(name, b, grad=("log_w",) if grad else (), log_w=d.normal(k, b) + shift)

    small = torch.tensor([[-1.0], [-2.0]], dtype=torch.float64)
    return [
        case("two draws, one example", 1, log_w=small),
        one("several draws, one example", d.size(4, 6), 1),
        one("as many draws as examples", 3, 3),
        one("more draws than examples", d.size(5, 7), 2),
        one("weights as small as those of images", 5, 3, -2000.0),
        one("two examples, 2000 nats apart", 4, 2, torch.tensor([-2000.0, 0.0], dtype=torch.float64)),
        one("four draws, one 2000 nats above the others", 4, 1, torch.tensor([[0.0], [-2000], [-2000], [-2000]])),
        in_float32(one("in single precision", 4, 2)),
    ]


IW_BOUND = Part(
    id="iw-bound",
    homework=2,
    title="a tighter bound",
    points=2,
    trains="the mean inside the logarithm, over which dimension, and without underflow",
    unit="nats, one number for each example",
    make_cases=lambda d: _log_weight_cases(d, grad=True),
    reference=_iw_bound,
    mistakes=(
        Mistake(
            "one largest weight is taken for all examples, and those of a much smaller one are lost: each has its own",
            lambda w: w.max() + (w - w.max()).exp().mean(0).log(),
        ),
        Mistake(
            "right for moderate weights, but exp underflows for those of images, whose logarithm is about -2000: "
            "subtract "
            "the largest first, or take logsumexp",
            lambda w: w.exp().mean(0).log(),
        ),
        Mistake("log k is missing: a mean is a sum divided by k", lambda w: w.logsumexp(0)),
        Mistake("log k is added; a mean is a sum divided by k", lambda w: w.logsumexp(0) + math.log(len(w))),
        Mistake(
            "the logarithm of the sum is divided by k; the sum itself is to be divided",
            lambda w: w.logsumexp(0) / len(w),
        ),
        Mistake(
            "this is the mean of the logarithms: the ELBO again. The logarithm of the mean is asked for",
            lambda w: w.mean(0),
        ),
        Mistake(
            "the mean is over the examples. The draws are in dimension 0, the examples in dimension 1",
            lambda w: w.logsumexp(1) - math.log(w.shape[1]),
        ),
        Mistake(
            "the mean is over the examples, and divided by the number of draws: draws are in dimension 0",
            lambda w: w.logsumexp(1) - math.log(w.shape[0]),
        ),
        Mistake(
            "the sum is over the draws, but divided by the number of examples",
            lambda w: w.logsumexp(0) - math.log(w.shape[1]),
        ),
        Mistake(
            "draws and examples are thrown together; return one number for each example",
            lambda w: w.flatten().logsumexp(0) - math.log(w.numel()),
        ),
        Mistake(
            "the examples are averaged as well; return one number for each, the caller takes the mean",
            lambda w: _iw_bound(w).mean(),
        ),
        Mistake("this is the largest weight alone, not the mean of all", lambda w: w.max(0).values),
        Mistake(
            "what is taken out is not the largest weight (the smallest, or a mean): exp overflows for one far above it",
            lambda w: (m := w.min(0).values) + (w - m).exp().mean(0).log(),
        ),
        Mistake(
            "a fixed number is taken out; weights of another size are lost: take out the largest of each example",
            lambda w: -2000 + (w + 2000).exp().mean(0).log(),
        ),
        Mistake(
            "a small number under the logarithm only hides the underflow: take out the largest weight",
            lambda w: (w.exp().mean(0) + 1e-12).log(),
        ),
        Mistake(
            "the largest logarithm is taken out, and not added again",
            lambda w: (w - w.max(0).values).exp().mean(0).log(),
        ),
        Mistake(
            "the logarithm is missing after the mean",
            lambda w: (m := w.max(0).values) + (w - m).exp().mean(0),
        ),
        Mistake("this is the mean weight; its logarithm is asked for", lambda w: w.exp().mean(0)),
        Mistake("k is subtracted; log k is to be", lambda w: w.logsumexp(0) - len(w)),
        Mistake("log k has base 2 here; all logarithms are natural", lambda w: w.logsumexp(0) - math.log2(len(w))),
        Mistake(
            "this is the mean of the normalised logarithms; the logarithm of the mean weight is asked for",
            lambda w: w.log_softmax(0).mean(0),
        ),
        Mistake(
            "the largest absolute value is taken out; only the largest weight itself keeps exp in range",
            lambda w: (m := w.abs().max(0).values) + (w - m).exp().mean(0).log(),
        ),
        Mistake("this is the sum of the logarithms; asked for is the logarithm of the mean", lambda w: w.sum(0)),
        Mistake(
            "the logarithms are divided by k; the sum of the weights is to be", lambda w: (w / len(w)).logsumexp(0)
        ),
        Mistake(
            "what was taken out is added again whole, but the logarithm of the sum is divided by k; the sum is to be",
            lambda w: (m := w.max(0).values) + (w - m).exp().sum(0).log() / len(w),
        ),
        Mistake(
            "cutting off small logarithms only hides the underflow: take out the largest weight",
            lambda w: w.clamp(min=-700).exp().mean(0).log(),
        ),
        Mistake(
            "this is the logarithm of 1: normalised weights sum to 1, whatever they are",
            lambda w: torch.zeros_like(w[0]),
        ),
        Mistake("this is the median of the logarithms, not the logarithm of the mean", lambda w: w.median(0).values),
    ),
)


# --- effective-sample-size


def _ess(log_w: Tensor) -> Tensor:
    w = log_w.softmax(0)
    return 1 / (w**2).sum(0)


EFFECTIVE_SAMPLE_SIZE = Part(
    id="effective-sample-size",
    homework=2,
    title="on how many draws does it rest?",
    points=2,
    trains="normalised weights, and again no underflow",
    unit="draws, one number for each example",
    make_cases=lambda d: _log_weight_cases(d, grad=False),
    reference=_ess,
    mistakes=(
        Mistake(
            "one largest weight is taken for all examples, and those of a much smaller one are lost: each has its own",
            lambda w: (v := (w - w.max()).exp()).sum(0) ** 2 / (v**2).sum(0),
        ),
        Mistake(
            "right for moderate weights, but exp underflows for those of images: 0/0. The ratio does not change if all "
            "weights are divided by the largest",
            lambda w: w.exp().sum(0) ** 2 / (w.exp() ** 2).sum(0),
        ),
        Mistake(
            "the weights are not normalised: divide them by their sum before you square them",
            lambda w: 1 / (w.exp() ** 2).sum(0),
        ),
        Mistake(
            "the square of the sum and the sum of the squares have changed places",
            lambda w: (w.softmax(0) ** 2).sum(0),
        ),
        Mistake("the sum is not squared", lambda w: w.exp().sum(0) / (w.exp() ** 2).sum(0)),
        Mistake(
            "the weights are normalised over the examples; the draws are in dimension 0",
            lambda w: 1 / (w.softmax(1) ** 2).sum(1),
        ),
        Mistake(
            "the weights are normalised over the examples and summed over the draws",
            lambda w: 1 / (w.softmax(1) ** 2).sum(0),
        ),
        Mistake(
            "this is divided by the number of draws; the size itself is asked for, between 1 and k",
            lambda w: _ess(w) / len(w),
        ),
        Mistake(
            "this is the exponential of the entropy of the weights: another measure of the same thing. Asked for is "
            "the one "
            "with squares",
            lambda w: (-(w.softmax(0) * w.log_softmax(0)).sum(0)).exp(),
        ),
        Mistake(
            "these are the logarithms of the weights in place of the weights",
            lambda w: w.sum(0) ** 2 / (w**2).sum(0),
        ),
        Mistake(
            "this is 1 / the largest weight: another measure. Asked for is the one with squares",
            lambda w: 1 / w.softmax(0).max(0).values,
        ),
        Mistake(
            "the weights are normalised over draws and examples together; each example has its own sum",
            lambda w: 1 / (w.flatten().softmax(0).view_as(w) ** 2).sum(0),
        ),
        Mistake("the squares are averaged; they are summed", lambda w: len(w) * _ess(w)),
        Mistake("this is the logarithm of it", lambda w: _ess(w).log()),
        Mistake(
            "the sum is not squared, only each weight",
            lambda w: (v := (w - w.max(0).values).exp()).sum(0) / (v**2).sum(0),
        ),
        Mistake(
            "this is 1 whatever the weights are: normalised weights sum to 1. Square each before they are summed",
            lambda w: torch.ones_like(w[0]),
        ),
        Mistake("this is the root of it", lambda w: _ess(w).sqrt()),
        Mistake("the weights are normalised twice", lambda w: 1 / (w.softmax(0).softmax(0) ** 2).sum(0)),
        Mistake(
            "the squares of all examples are summed; return one number for each",
            lambda w: 1 / (w.softmax(0) ** 2).sum(),
        ),
        Mistake(
            "the weights are divided by the smallest, and exp overflows for one far above it: divide by the largest",
            lambda w: (v := (w - w.min(0).values).exp()).sum(0) ** 2 / (v**2).sum(0),
        ),
        Mistake(
            "this is the exponential of the entropy of the weights, and 0 log 0 is no number. Asked for are squares",
            lambda w: (-((v := w.softmax(0)) * v.log()).sum(0)).exp(),
        ),
        Mistake(
            "this is 1 / the square of the largest weight; asked for is the sum of all squares",
            lambda w: 1 / w.softmax(0).max(0).values ** 2,
        ),
        Mistake("this is the number of draws, whatever their weights are", lambda w: torch.full_like(w[0], len(w))),
        Mistake(
            "the logarithms of the normalised weights are squared; the weights are to be",
            lambda w: 1 / (w.log_softmax(0) ** 2).sum(0),
        ),
        Mistake(
            "replacing nan only hides the underflow: divide by the largest weight first",
            lambda w: (w.exp().sum(0) ** 2 / (w.exp() ** 2).sum(0)).nan_to_num(1.0),
        ),
    ),
)


# --- kl-per-latent


def _per_latent(mu: Tensor, log_var: Tensor) -> Tensor:
    return (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).mean(0).sort(descending=True).values


KL_PER_LATENT = Part(
    id="kl-per-latent",
    homework=2,
    title="which latents are used?",
    points=3,
    trains="the KL taken apart, and a picture of a model",
    unit="nats, one number for each latent",
    make_cases=lambda d: [
        case("two examples, two latents", 2, mu=_numbers(0.1, 1.0).expand(2, 2).clone(), log_var=d.normal(2, 2)),
        case("three examples, three latents", 3, mu=d.normal(3, 3), log_var=d.normal(3, 3)),
        case("more examples", 7, mu=d.normal(7, 4), log_var=d.normal(7, 4)),
        case("one example", 1, mu=d.normal(1, 5), log_var=d.normal(1, 5)),
        in_float32(case("single precision", 4, mu=d.normal(4, 3), log_var=d.normal(4, 3))),
    ],
    reference=_per_latent,
    mistakes=(
        Mistake(
            "the latents are not sorted: the largest comes first",
            lambda mu, v: (0.5 * (mu**2 + v.exp() - 1 - v)).mean(0),
        ),
        Mistake(
            "sorted, but the smallest comes first",
            lambda mu, v: (0.5 * (mu**2 + v.exp() - 1 - v)).mean(0).sort().values,
        ),
        Mistake(
            "this sums over the examples; take their mean, so that their number does not matter",
            lambda mu, v: (0.5 * (mu**2 + v.exp() - 1 - v)).sum(0).sort(descending=True).values,
        ),
        Mistake(
            "this is one number for each example; here one for each latent is asked for",
            lambda mu, v: _kl(mu, v),
        ),
        Mistake(
            "this is one number for each example, sorted; here one for each latent is asked for",
            lambda mu, v: _kl(mu, v).sort(descending=True).values,
        ),
        Mistake(
            "the factor 1/2 is missing",
            lambda mu, v: (mu**2 + v.exp() - 1 - v).mean(0).sort(descending=True).values,
        ),
        Mistake(
            "this is the KL at the mean of mu and log_var. The mean is to be taken of the KL: it is not linear",
            lambda mu, v: _per_latent(mu.mean(0, keepdim=True), v.mean(0, keepdim=True)),
        ),
        Mistake(
            "this is the variance of mu, another measure of what a latent does. Asked for is its KL",
            lambda mu, v: mu.var(0).sort(descending=True).values,
        ),
        Mistake(
            "sorted within each example, before the mean: then no latent is itself any more",
            lambda mu, v: (0.5 * (mu**2 + v.exp() - 1 - v)).sort(1, descending=True).values.mean(0),
        ),
        Mistake(
            "these are the indices of the sorted latents; return their values",
            lambda mu, v: (0.5 * (mu**2 + v.exp() - 1 - v)).mean(0).argsort(descending=True),
        ),
        Mistake(
            "this is averaged over the latents: one number for each example. Keep the latents, average the examples",
            lambda mu, v: (0.5 * (mu**2 + v.exp() - 1 - v)).mean(1),
        ),
        Mistake(
            "the mean over the examples is missing: this has a row for each example",
            lambda mu, v: 0.5 * (mu**2 + v.exp() - 1 - v),
        ),
        Mistake(
            "the mean over the examples is missing: this has a sorted row for each example",
            lambda mu, v: (0.5 * (mu**2 + v.exp() - 1 - v)).sort(descending=True).values,
        ),
        Mistake(
            "k is subtracted from each latent; of one latent it is 1",
            lambda mu, v: _per_latent(mu, v) - 0.5 * (mu.shape[1] - 1),
        ),
        Mistake("the -1 of each latent is missing", lambda mu, v: _per_latent(mu, v) + 0.5),
        Mistake(
            "the sign is reversed: a KL is never negative",
            lambda mu, v: (-0.5 * (mu**2 + v.exp() - 1 - v)).mean(0).sort(descending=True).values,
        ),
        Mistake(
            "the sign was turned for the sorting, and not back: sort takes descending=True",
            lambda mu, v: (-0.5 * (mu**2 + v.exp() - 1 - v)).mean(0).sort().values,
        ),
        Mistake(
            "turned round, not sorted",
            lambda mu, v: (0.5 * (mu**2 + v.exp() - 1 - v)).mean(0).flip(0),
        ),
        Mistake(
            "this is a median over the examples; take their mean",
            lambda mu, v: (0.5 * (mu**2 + v.exp() - 1 - v)).median(0).values.sort(descending=True).values,
        ),
        Mistake(
            "this is what you get if log sigma^2 is taken for sigma^2: log_var is a logarithm",
            lambda mu, v: (0.5 * (mu**2 + v - 1 - v.log())).mean(0).sort(descending=True).values,
        ),
        Mistake(
            "sorted by the size of mu; the KL itself is to be sorted",
            lambda mu, v: (0.5 * (mu**2 + v.exp() - 1 - v)).mean(0)[mu.abs().mean(0).argsort(descending=True)],
        ),
        Mistake(
            "these are shares of the whole KL; the KL itself is asked for, in nats",
            lambda mu, v: (r := _per_latent(mu, v)) / r.sum(),
        ),
        Mistake(
            "the factor 1/2 applies to mu^2 alone (erratum E6)",
            lambda mu, v: (0.5 * mu**2 + v.exp() - 1 - v).mean(0).sort(descending=True).values,
        ),
        Mistake(
            "the standard deviation stands where the variance belongs",
            lambda mu, v: (0.5 * (mu**2 + (0.5 * v).exp() - 1 - v)).mean(0).sort(descending=True).values,
        ),
        Mistake(
            "log_var has the wrong sign",
            lambda mu, v: (0.5 * (mu**2 + v.exp() - 1 + v)).mean(0).sort(descending=True).values,
        ),
        Mistake(
            "this is the largest KL over the examples; take their mean",
            lambda mu, v: (0.5 * (mu**2 + v.exp() - 1 - v)).max(0).values.sort(descending=True).values,
        ),
        Mistake(
            "this is made of means of mu, sigma^2 and log_var. The mean is to be taken of the KL: mu^2 is not linear",
            lambda mu, v: (0.5 * (mu.mean(0) ** 2 + v.exp().mean(0) - 1 - v.mean(0))).sort(descending=True).values,
        ),
    ),
)


PARTS = (GAUSSIAN_LOG_PROB, ELBO_KL, ELBO, IW_BOUND, EFFECTIVE_SAMPLE_SIZE, KL_PER_LATENT)
