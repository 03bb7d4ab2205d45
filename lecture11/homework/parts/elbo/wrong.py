"""The known mistakes in the ELBO."""

import torch
from torch import Tensor

from lecture11.homework.part import LOG_2_PI, Mistake, generic
from lecture11.homework.parts.elbo.right import at, elbo, made, reconstruction
from lecture11.homework.parts.elbo_kl import PART as ELBO_KL
from lecture11.homework.parts.elbo_kl import elbo_kl
from lecture11.homework.parts.gaussian_log_prob import gaussian_log_prob
from lecture11.homework.parts.reparametrise import IN_A_DRAW


def _half_square(x: Tensor, mean: Tensor) -> Tensor:
    return -0.5 * ((x - mean) ** 2).sum(1)


def _prior(z: Tensor) -> Tensor:
    return gaussian_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))


def _cross_entropy(x: Tensor, logits: Tensor) -> Tensor:
    return -torch.nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)


# Mistakes in the KL that the ELBO has in its own words, that change its shape, or that its few latents do not show.
HAVE_THEIR_OWN = (
    "examples-averaged", "examples-summed", "negated", "dims-averaged", "all-averaged", "erratum-e6", "not-summed",
    "summed-over-examples", "log-of-log-var", "det-overflows",
)  # fmt: skip

MISTAKES = (
    *generic(elbo, "examples-averaged", "examples-summed",
             negated="this is minus the ELBO: a loss. The bound itself is asked for"),
    # the draw
    *(Mistake(id, message, made(z=draw)) for id, message, draw in IN_A_DRAW),
    Mistake("z-is-mean", "z is the mean: nothing is drawn. The expectation is over z = mu + sigma eps",
            made(z=lambda mu, v, e: mu)),
    Mistake("noise-unscaled", "the noise is not scaled: z = mu + eps has variance 1, whatever the encoder says",
            made(z=lambda mu, v, e: mu + e)),
    Mistake("eps-missing", "eps is missing: z is mu + sigma in each draw",
            made(z=lambda mu, v, e: mu + (0.5 * v).exp())),
    Mistake("mean-missing", "mu is missing in the draw: z = mu + sigma eps",
            made(z=lambda mu, v, e: (0.5 * v).exp() * e)),
    Mistake("noise-decoded", "the noise is decoded, and not z", made(z=lambda mu, v, e: e)),
    Mistake("first-noise", "all examples get the noise of the first; each has its own",
            made(z=lambda mu, v, e: mu + (0.5 * v).exp() * e[0])),
    Mistake("results-swapped", "the encoder's two results have changed places: mu, log_var = encoder(x)",
            lambda x, encoder, decoder, eps: elbo(x, lambda y: encoder(y)[::-1], decoder, eps)),
    # the reconstruction
    Mistake("constant-missing", "the constant -(d/2) log 2 pi is missing: without it this bounds nothing",
            made(rec=_half_square), "the constant"),
    Mistake("constant-once", "the constant log 2 pi is there once; each of the d pixels has its own",
            made(rec=lambda x, m: _half_square(x, m) - 0.5 * LOG_2_PI)),
    Mistake("constant-doubled", "the constant is -d log 2 pi: its 1/2 is missing",
            made(rec=lambda x, m: _half_square(x, m) - x.shape[1] * LOG_2_PI)),
    Mistake("constant-sign", "the constant has the wrong sign",
            made(rec=lambda x, m: _half_square(x, m) + 0.5 * x.shape[1] * LOG_2_PI)),
    Mistake("constant-counts-latents", "the constant counts latents; it belongs to x: d, the number of pixels",
            at(lambda x, mu, v, z, m: _half_square(x, m) - 0.5 * mu.shape[1] * LOG_2_PI - elbo_kl(mu, v))),
    Mistake("constant-counts-examples", "the constant counts examples; it belongs to x: d, the number of pixels",
            made(rec=lambda x, m: _half_square(x, m) - 0.5 * len(x) * LOG_2_PI)),
    Mistake("half-missing", "the 1/2 in front of the squared error is missing",
            made(rec=lambda x, m: 2 * _half_square(x, m) - 0.5 * x.shape[1] * LOG_2_PI)),
    Mistake("half-and-constant-missing", "the 1/2 in front of the squared error is missing, and the constant too: it "
            "is log N(x; Dec(z), I)", made(rec=lambda x, m: 2 * _half_square(x, m)), several=True),
    Mistake("pixels-averaged", "the reconstruction is averaged over the pixels and the KL summed over the latents: a "
            "hidden beta-VAE. Both are sums", made(rec=lambda x, m: reconstruction(x, m) / x.shape[1])),
    Mistake("squares-averaged", "the squared error is averaged over the pixels, the KL is summed over the latents: a "
            "hidden beta-VAE", made(rec=lambda x, m: -((x - m) ** 2).mean(1))),
    Mistake("half-squares-averaged", "half of the squared error is averaged over the pixels, without the constant, and "
            "the KL is summed over the latents: a hidden beta-VAE",
            made(rec=lambda x, m: -0.5 * ((x - m) ** 2).mean(1)), several=True),
    Mistake("squares-averaged-constant", "the squared error is averaged over the pixels, the constant is not, and the "
            "KL is a sum over the latents",
            made(rec=lambda x, m: -0.5 * ((x - m) ** 2).mean(1) - 0.5 * x.shape[1] * LOG_2_PI)),
    Mistake("all-squares-averaged", "the squared error is averaged over pixels and examples: a hidden beta-VAE",
            made(rec=lambda x, m: -((x - m) ** 2).mean())),
    Mistake("all-squares-summed", "the squared errors of all examples are summed, without 1/2 and constant; each "
            "example has its own", made(rec=lambda x, m: -((x - m) ** 2).sum()), several=True),
    Mistake("squares-summed", "the squared error is summed over the examples too; each has its own",
            made(rec=lambda x, m: -0.5 * ((x - m) ** 2).sum() - 0.5 * x.shape[1] * LOG_2_PI)),
    Mistake("decoder-variance", "the decoder's variance is not 1: its log_var is log 1",
            made(rec=lambda x, m: gaussian_log_prob(x, m, torch.ones_like(x)))),
    Mistake("encoder-log-var", "the encoder's log_var is that of z; the decoder's density has variance 1",
            at(lambda x, mu, v, z, m: gaussian_log_prob(x, m, v) - elbo_kl(mu, v))),
    Mistake("density-of-z", "the density is that of z under q; the reconstruction is that of x under the decoder",
            at(lambda x, mu, v, z, m: gaussian_log_prob(z, mu, v) - elbo_kl(mu, v))),
    Mistake("cross-entropy", "this is a cross-entropy: the density of black and white pixels. The decoder's is "
            "normal here", made(rec=_cross_entropy)),
    # the KL
    Mistake("kl-added", "the KL is added; it is subtracted from the reconstruction", made(scale=-1.0)),
    Mistake("kl-missing", "this is the reconstruction alone: the KL is missing", made(scale=0.0), "the KL"),
    Mistake("half-kl", "half of the KL is subtracted: its 1/2 is counted twice", made(scale=0.5)),
    Mistake("kl-averaged", "the KL is averaged over the latents; it is a sum",
            made(kl=lambda mu, v: elbo_kl(mu, v) / mu.shape[1])),
    Mistake("both-averaged", "both terms are averaged, one over the pixels, one over the latents: both are sums",
            made(rec=lambda x, m: reconstruction(x, m) / x.shape[1], kl=lambda mu, v: elbo_kl(mu, v) / mu.shape[1])),
    Mistake("erratum-e6", "the factor 1/2 of the KL applies to ||mu||^2 alone (erratum E6)",
            made(kl=ELBO_KL.mistake("erratum-e6").function), several=True),
    Mistake("kl-examples-averaged", "the KL is averaged over the examples; each has its own",
            made(kl=lambda mu, v: elbo_kl(mu, v).mean())),
    Mistake("kl-examples-summed", "the KL is summed over the examples; each has its own",
            made(kl=lambda mu, v: elbo_kl(mu, v).sum())),
    *(Mistake(f"kl-{m.id}", f"in the KL of part 2: {m.message}", made(kl=m.function), several=m.several)
      for m in ELBO_KL.mistakes
      if m.id not in HAVE_THEIR_OWN),
    Mistake("kl-of-sigma", "the KL is given sigma; it takes log_var",
            made(kl=lambda mu, v: elbo_kl(mu, (0.5 * v).exp()))),
    Mistake("z-in-kl", "z stands in the KL where mu belongs (was mu changed in place?)",
            at(lambda x, mu, v, z, m: reconstruction(x, m) - elbo_kl(z, v))),
    Mistake("kl-of-z", "this KL is that of z with variance 1; it is that of the encoder, of mu and log_var",
            at(lambda x, mu, v, z, m: reconstruction(x, m) - elbo_kl(z, torch.zeros_like(z)))),
    Mistake("kl-sampled", "this KL is sampled, ln q(z) - ln p(z) at the draw: right in the mean, but part 2 has it "
            "exactly", at(lambda x, mu, v, z, m: reconstruction(x, m) - gaussian_log_prob(z, mu, v) + _prior(z))),
    Mistake("joint", "this is ln p(x, z): ln q(z) is missing, or the KL in its place",
            at(lambda x, mu, v, z, m: reconstruction(x, m) + _prior(z))),
)  # fmt: skip
