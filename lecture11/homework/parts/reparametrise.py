"""Homework 3, part 1: a draw that carries the gradient."""

from typing import Any

import torch
from torch import Tensor

from lecture11.homework.observation import Case, Seeded
from lecture11.homework.part import WIDE, Draw, Mistake, Part, case, in_float32, with_places


def reparametrise(mu: Tensor, log_var: Tensor, generator: torch.Generator) -> Tensor:
    eps = torch.randn(mu.shape, generator=generator, dtype=mu.dtype)
    return mu + (0.5 * log_var).exp() * eps


def _one(d: Draw, name: str, b: int, k: int) -> Case:
    args: dict[str, Any] = {"mu": d.normal(b, k), "log_var": d.normal(b, k), "generator": Seeded(d.size(0, 10_000))}
    return case(name, b, grad=("mu", "log_var"), keywords=("generator",), **args)


def _reparametrise_cases(d: Draw) -> list[Case]:
    k = d.size(2, 5)
    return [
        _one(d, "one number", 1, 1),
        _one(d, "one example", 1, k),
        _one(d, "three examples, three latents", 3, 3),
        _one(d, "several examples", d.size(4, 6), k),
        in_float32(_one(d, "single precision", 2, k)),
    ]


def _standard(mu: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(mu.shape, generator=generator, dtype=mu.dtype)


def _right(mu: Tensor, log_var: Tensor, eps: Tensor) -> Tensor:
    return mu + (0.5 * log_var).exp() * eps


@with_places
def _repa_with(*, formula: Any = _right, draw: Any = _standard) -> Any:
    def answer(mu: Tensor, log_var: Tensor, generator: torch.Generator) -> Tensor:
        return formula(mu, log_var, draw(mu, generator))

    return answer


def _edges(d: Draw) -> list[Case]:
    args: dict[str, Any] = {"mu": d.normal(1, 4), "log_var": WIDE, "generator": Seeded(d.size(0, 10_000))}
    name = "log_var from -12.5 to 9: nothing is to be cut off, and nothing added"
    return [case(name, 1, grad=("log_var",), keywords=("generator",), **args)]


# Mistakes in a draw made of mu, log_var and eps; the ELBO has them too.
IN_A_DRAW: tuple[tuple[str, str, Any], ...] = (
    ("variance-scales", "the noise is multiplied with the variance; the standard deviation belongs there",
     lambda mu, v, e: mu + v.exp() * e),
    ("log-var-scales", "the noise is multiplied with log_var; make the standard deviation of it",
     lambda mu, v, e: mu + v * e),
    ("inverse-std", "exp(-log_var / 2) is one over the standard deviation",
     lambda mu, v, e: mu + (-0.5 * v).exp() * e),
    ("std-added", "the standard deviation is added to the noise; it multiplies it",
     lambda mu, v, e: mu + (0.5 * v).exp() + e),
)  # fmt: skip

MISTAKES = (
    *(Mistake(id, message, _repa_with(formula=draw)) for id, message, draw in IN_A_DRAW),
    Mistake("exp-missing", "half of log_var is not the standard deviation: exp is missing",
            _repa_with(formula=lambda mu, v, e: mu + 0.5 * v * e)),
    Mistake("noise-unscaled", "the noise is not scaled: the variance is 1, whatever log_var says",
            _repa_with(formula=lambda mu, v, e: mu + e)),
    Mistake("root-of-log-var", "this is the root of log_var; log_var is a logarithm and can be negative",
            _repa_with(formula=lambda mu, v, e: mu + v.sqrt() * e)),
    Mistake("double-exponent", "exp(2 log_var) is not the standard deviation: it is exp of half of log_var",
            _repa_with(formula=lambda mu, v, e: mu + (2 * v).exp() * e)),
    Mistake("mean-missing", "the mean is missing: mu is added",
            _repa_with(formula=lambda mu, v, e: (0.5 * v).exp() * e)),
    Mistake("mean-multiplied", "mu is multiplied with the noise; it is added",
            _repa_with(formula=lambda mu, v, e: mu * (0.5 * v).exp() * e)),
    Mistake("mean-scaled", "the mean is scaled too", _repa_with(formula=lambda mu, v, e: (0.5 * v).exp() * (mu + e))),
    Mistake("uniform", "the noise is uniform in [0, 1]: torch.rand. Standard normal noise is needed",
            _repa_with(draw=lambda mu, g: torch.rand(mu.shape, generator=g, dtype=mu.dtype))),
    Mistake("shared-by-examples", "all examples share one draw of the noise; each has its own",
            _repa_with(draw=lambda mu, g: torch.randn(mu.shape[1], generator=g, dtype=mu.dtype))),
    Mistake("shared-by-latents", "all latents of an example share one number of noise; each has its own",
            _repa_with(draw=lambda mu, g: torch.randn(len(mu), 1, generator=g, dtype=mu.dtype))),
    Mistake("shared-by-all", "all share one single number of noise; each latent of each example has its own",
            _repa_with(draw=lambda mu, g: torch.randn((), generator=g, dtype=mu.dtype))),
    Mistake("half-outside", "the 1/2 stands outside of exp; it belongs inside, to log_var",
            _repa_with(formula=lambda mu, v, e: mu + 0.5 * v.exp() * e)),
    Mistake("reseeded", "the generator is seeded anew: then each call draws the same numbers",
            _repa_with(draw=lambda mu, g: torch.randn(mu.shape, generator=g.manual_seed(0), dtype=mu.dtype))),
    Mistake("root-too-many", "a root too many: exp(log_var / 2) is the standard deviation",
            _repa_with(formula=lambda mu, v, e: mu + (0.25 * v).exp() * e)),
    Mistake("absolute-noise", "the noise has no negative numbers: abs is too many",
            _repa_with(formula=lambda mu, v, e: mu + (0.5 * v).exp() * e.abs())),
)  # fmt: skip

PART = Part(
    id="reparametrise",
    homework=3,
    title="a draw that carries the gradient",
    points=2,
    trains="the standard deviation from log_var, noise from a generator, and a gradient to both",
    unit="",
    make_cases=_reparametrise_cases,
    make_edges=_edges,
    reference=reparametrise,
    also=(
        # Noise of single precision, converted; or drawn along the other dimension first.
        _repa_with(draw=lambda mu, g: torch.randn(mu.shape, generator=g).to(mu.dtype)),
        _repa_with(draw=lambda mu, g: torch.randn(mu.T.shape, generator=g, dtype=mu.dtype).T),
        _repa_with(draw=lambda mu, g: torch.stack([torch.randn(mu.shape[1], generator=g, dtype=mu.dtype) for _ in mu])),
        # -eps has the distribution of eps.
        _repa_with(formula=lambda mu, v, e: mu - (0.5 * v).exp() * e),
    ),
    mistakes=MISTAKES,
)
