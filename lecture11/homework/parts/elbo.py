"""Homework 2, part 3: the evidence lower bound."""

import math
from typing import Any

import torch
from torch import Tensor

from lecture11.homework.observation import Case, Given
from lecture11.homework.part import Draw, Mistake, Part, case, generic, in_float32, with_places
from lecture11.homework.parts.elbo_kl import PART as ELBO_KL
from lecture11.homework.parts.elbo_kl import elbo_kl
from lecture11.homework.parts.gaussian_log_prob import gaussian_log_prob


def elbo(x: Tensor, encoder: Any, decoder: Any, eps: Tensor) -> Tensor:
    mu, log_var = encoder(x)
    return _reconstruction(x, decoder(_draw(mu, log_var, eps))) - elbo_kl(mu, log_var)


def _draw(mu: Tensor, log_var: Tensor, eps: Tensor) -> Tensor:
    return mu + (0.5 * log_var).exp() * eps


def _reconstruction(x: Tensor, mean: Tensor) -> Tensor:
    return gaussian_log_prob(x, mean, torch.zeros_like(x))


def _one(d: Draw, name: str, b: int, dim: int, k: int, wide: int = 1) -> Case:
    args: dict[str, Any] = {
        "x": d.normal(b, dim),
        "encoder": Given("encoder", {"d": dim, "k": k, "seed": d.size(0, 1000), "wide": wide}),
        "decoder": Given("decoder", {"k": k, "d": dim, "seed": d.size(0, 1000)}),
        "eps": d.normal(b, k),
    }
    return case(name, b, grad=("encoder", "decoder"), **args)


def _elbo_cases(d: Draw) -> list[Case]:
    k = d.size(2, 3)
    return [
        _one(d, "one example, d = 2, k = 1", 1, 2, 1),
        _one(d, "three examples, d = 3, k = 3", 3, 3, 3),
        _one(d, "several examples", d.size(4, 6), d.size(4, 6), k),
        in_float32(_one(d, "in single precision", 2, 4, k)),
    ]


LOG_2_PI = math.log(2 * math.pi)


@with_places
def _with(*, z: Any = _draw, rec: Any = _reconstruction, kl: Any = elbo_kl, scale: float = 1.0) -> Any:
    """The bound with another draw, reconstruction or KL."""
    return _of(lambda x, mu, v, eps, decoder: rec(x, decoder(z(mu, v, eps))) - scale * kl(mu, v))


def _at(formula: Any) -> Any:
    """The bound as a formula of x, mu, log_var, the draw z and what is decoded from it."""
    return _of(lambda x, mu, v, eps, decoder: formula(x, mu, v, (z := _draw(mu, v, eps)), decoder(z)))


def _of(formula: Any) -> Any:
    return lambda x, encoder, decoder, eps: formula(x, *encoder(x), eps, decoder)


def _half_square(x: Tensor, mean: Tensor) -> Tensor:
    return -0.5 * ((x - mean) ** 2).sum(1)


def _prior(z: Tensor) -> Tensor:
    return gaussian_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))


def _cross_entropy(x: Tensor, logits: Tensor) -> Tensor:
    return -torch.nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)


def _edges(d: Draw) -> list[Case]:
    return [
        _one(d, "nine pixels, eight latents", 2, 9, 8),
        _one(d, "log_var down to -12: nothing is to be cut off, and nothing added", 2, 5, 2, wide=8),
    ]


# Mistakes in the KL that the ELBO has in its own words, or that change its shape.
HAVE_THEIR_OWN = (
    "examples-averaged", "examples-summed", "negated", "dims-averaged", "all-averaged", "erratum-e6", "not-summed",
    "summed-over-examples", "log-of-log-var",
)  # fmt: skip

MISTAKES = (
    *generic(elbo, "examples-averaged", "examples-summed",
             negated="this is minus the ELBO: a loss. The bound itself is asked for"),
    # the draw
    Mistake("z-is-mean", "z is the mean: nothing is drawn. The expectation is over z = mu + sigma eps",
            _with(z=lambda mu, v, eps: mu)),
    Mistake("variance-scales", "the noise is multiplied with the variance; the standard deviation belongs there",
            _with(z=lambda mu, v, eps: mu + v.exp() * eps)),
    Mistake("log-var-scales", "the noise is multiplied with log_var; make the standard deviation of it",
            _with(z=lambda mu, v, eps: mu + v * eps)),
    Mistake("noise-unscaled", "the noise is not scaled: z = mu + eps has variance 1, whatever the encoder says",
            _with(z=lambda mu, v, eps: mu + eps)),
    Mistake("inverse-std", "exp(-log_var / 2) is one over the standard deviation",
            _with(z=lambda mu, v, eps: mu + (-0.5 * v).exp() * eps)),
    Mistake("std-added", "the standard deviation is added to the noise; it multiplies it",
            _with(z=lambda mu, v, eps: mu + (0.5 * v).exp() + eps)),
    Mistake("eps-missing", "eps is missing: z is mu + sigma in each draw",
            _with(z=lambda mu, v, eps: mu + (0.5 * v).exp())),
    Mistake("mean-missing", "mu is missing in the draw: z = mu + sigma eps",
            _with(z=lambda mu, v, eps: (0.5 * v).exp() * eps)),
    Mistake("noise-decoded", "the noise is decoded, and not z", _with(z=lambda mu, v, eps: eps)),
    Mistake("first-noise", "all examples get the noise of the first; each has its own",
            _with(z=lambda mu, v, eps: mu + (0.5 * v).exp() * eps[0])),
    Mistake("results-swapped", "the encoder's two results have changed places: mu, log_var = encoder(x)",
            lambda x, encoder, decoder, eps: elbo(x, lambda y: encoder(y)[::-1], decoder, eps)),
    # the reconstruction
    Mistake("constant-missing", "the constant -(d/2) log 2 pi is missing: without it this bounds nothing",
            _with(rec=_half_square), "the constant"),
    Mistake("constant-once", "the constant log 2 pi is there once; each of the d pixels has its own",
            _with(rec=lambda x, m: _half_square(x, m) - 0.5 * LOG_2_PI)),
    Mistake("constant-doubled", "the constant is -d log 2 pi: its 1/2 is missing",
            _with(rec=lambda x, m: _half_square(x, m) - x.shape[1] * LOG_2_PI)),
    Mistake("constant-sign", "the constant has the wrong sign",
            _with(rec=lambda x, m: _half_square(x, m) + 0.5 * x.shape[1] * LOG_2_PI)),
    Mistake("constant-counts-latents", "the constant counts latents; it belongs to x: d, the number of pixels",
            _at(lambda x, mu, v, z, m: _half_square(x, m) - 0.5 * mu.shape[1] * LOG_2_PI - elbo_kl(mu, v))),
    Mistake("constant-counts-examples", "the constant counts examples; it belongs to x: d, the number of pixels",
            _with(rec=lambda x, m: _half_square(x, m) - 0.5 * len(x) * LOG_2_PI)),
    Mistake("half-missing", "the 1/2 in front of the squared error is missing; the constant has it",
            _with(rec=lambda x, m: 2 * _half_square(x, m) - 0.5 * x.shape[1] * LOG_2_PI)),
    Mistake("half-and-constant-missing", "the 1/2 in front of the squared error is missing, and the constant too: it "
            "is log N(x; Dec(z), I)", _with(rec=lambda x, m: 2 * _half_square(x, m))),
    Mistake("pixels-averaged", "the reconstruction is averaged over the pixels and the KL summed over the latents: a "
            "hidden beta-VAE. Both are sums", _with(rec=lambda x, m: _reconstruction(x, m) / x.shape[1])),
    Mistake("squares-averaged", "the squared error is averaged over the pixels, the KL is summed over the latents: a "
            "hidden beta-VAE", _with(rec=lambda x, m: -((x - m) ** 2).mean(1))),
    Mistake("half-squares-averaged", "half of the squared error is averaged over the pixels, without the constant, and "
            "the KL is summed over the latents: a hidden beta-VAE",
            _with(rec=lambda x, m: -0.5 * ((x - m) ** 2).mean(1))),
    Mistake("squares-averaged-constant", "the squared error is averaged over the pixels, the constant is not, and the "
            "KL is a sum over the latents",
            _with(rec=lambda x, m: -0.5 * ((x - m) ** 2).mean(1) - 0.5 * x.shape[1] * LOG_2_PI)),
    Mistake("all-squares-averaged", "the squared error is averaged over pixels and examples: a hidden beta-VAE",
            _with(rec=lambda x, m: -((x - m) ** 2).mean())),
    Mistake("all-squares-summed", "the squared errors of all examples are summed, without 1/2 and constant; each "
            "example has its own", _with(rec=lambda x, m: -((x - m) ** 2).sum())),
    Mistake("squares-summed", "the squared error is summed over the examples too; each has its own",
            _with(rec=lambda x, m: -0.5 * ((x - m) ** 2).sum() - 0.5 * x.shape[1] * LOG_2_PI)),
    Mistake("decoder-variance", "the decoder's variance is not 1: its log_var is log 1",
            _with(rec=lambda x, m: gaussian_log_prob(x, m, torch.ones_like(x)))),
    Mistake("encoder-log-var", "the encoder's log_var is that of z; the decoder's law has variance 1",
            _at(lambda x, mu, v, z, m: gaussian_log_prob(x, m, v) - elbo_kl(mu, v))),
    Mistake("density-of-z", "the density is that of z under q; the reconstruction is that of x under the decoder",
            _at(lambda x, mu, v, z, m: gaussian_log_prob(z, mu, v) - elbo_kl(mu, v))),
    Mistake("cross-entropy", "this is a cross-entropy: the density of black and white pixels. The decoder's law is "
            "normal here", _with(rec=_cross_entropy)),
    # the KL
    Mistake("kl-added", "the KL is added; it is subtracted from the reconstruction", _with(scale=-1.0)),
    Mistake("kl-missing", "this is the reconstruction alone: the KL is missing", _with(scale=0.0), "the KL"),
    Mistake("half-kl", "half of the KL is subtracted: its 1/2 is counted twice", _with(scale=0.5)),
    Mistake("kl-averaged", "the KL is averaged over the latents; it is a sum",
            _with(kl=lambda mu, v: elbo_kl(mu, v) / mu.shape[1])),
    Mistake("both-averaged", "both terms are averaged, one over the pixels, one over the latents: both are sums",
            _with(rec=lambda x, m: _reconstruction(x, m) / x.shape[1], kl=lambda mu, v: elbo_kl(mu, v) / mu.shape[1])),
    Mistake("erratum-e6", "the factor 1/2 of the KL applies to ||mu||^2 alone (erratum E6)",
            _with(kl=ELBO_KL.mistake("erratum-e6").function)),
    Mistake("kl-examples-averaged", "the KL is averaged over the examples; each has its own",
            _with(kl=lambda mu, v: elbo_kl(mu, v).mean())),
    Mistake("kl-examples-summed", "the KL is summed over the examples; each has its own",
            _with(kl=lambda mu, v: elbo_kl(mu, v).sum())),
    *(Mistake(f"kl-{m.id}", f"in the KL of part 2: {m.message}", _with(kl=m.function)) for m in ELBO_KL.mistakes
      if m.id not in HAVE_THEIR_OWN),
    Mistake("kl-of-sigma", "the KL is given sigma; it takes log_var",
            _with(kl=lambda mu, v: elbo_kl(mu, (0.5 * v).exp()))),
    Mistake("z-in-kl", "z stands in the KL where mu belongs (was mu changed in place?)",
            _at(lambda x, mu, v, z, m: _reconstruction(x, m) - elbo_kl(z, v))),
    Mistake("kl-of-z", "this KL is that of z with variance 1; it is that of the encoder's law, mu and log_var",
            _at(lambda x, mu, v, z, m: _reconstruction(x, m) - elbo_kl(z, torch.zeros_like(z)))),
    Mistake("kl-sampled", "this KL is sampled, ln q(z) - ln p(z) at the draw: right in the mean, but part 2 has it "
            "exactly", _at(lambda x, mu, v, z, m: _reconstruction(x, m) - gaussian_log_prob(z, mu, v) + _prior(z))),
    Mistake("joint", "this is ln p(x, z): ln q(z) is missing, or the KL in its place",
            _at(lambda x, mu, v, z, m: _reconstruction(x, m) + _prior(z))),
)  # fmt: skip

PART = Part(
    id="elbo",
    homework=2,
    title="the evidence lower bound",
    points=4,
    trains="encoder, draw, decoder and KL in one; the constant; sums that fit together",
    unit="nats, one number for each example",
    make_cases=_elbo_cases,
    make_edges=_edges,
    reference=elbo,
    mistakes=MISTAKES,
)
