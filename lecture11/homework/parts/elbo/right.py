"""The right answer, its cases, and the bound with a place for each mistake."""

from typing import Any

import torch
from torch import Tensor

from lecture11.homework.observation import Case, Given
from lecture11.homework.part import Draw, case, in_float32, with_places
from lecture11.homework.parts.elbo_kl import elbo_kl
from lecture11.homework.parts.gaussian_log_prob import gaussian_log_prob


def elbo(x: Tensor, encoder: Any, decoder: Any, eps: Tensor) -> Tensor:
    mu, log_var = encoder(x)
    return reconstruction(x, decoder(_draw(mu, log_var, eps))) - elbo_kl(mu, log_var)


def _draw(mu: Tensor, log_var: Tensor, eps: Tensor) -> Tensor:
    return mu + (0.5 * log_var).exp() * eps


def reconstruction(x: Tensor, mean: Tensor) -> Tensor:
    return gaussian_log_prob(x, mean, torch.zeros_like(x))


def _one(d: Draw, name: str, b: int, dim: int, k: int, wide: int = 1) -> Case:
    args: dict[str, Any] = {
        "x": d.normal(b, dim),
        "encoder": Given("encoder", {"d": dim, "k": k, "seed": d.size(0, 1000), "wide": wide}),
        "decoder": Given("decoder", {"k": k, "d": dim, "seed": d.size(0, 1000)}),
        "eps": d.normal(b, k),
    }
    return case(name, b, grad=("encoder", "decoder"), **args)


def elbo_cases(d: Draw) -> list[Case]:
    k = d.size(2, 3)
    return [
        _one(d, "one example, d = 2, k = 1", 1, 2, 1),
        _one(d, "three examples, d = 3, k = 3", 3, 3, 3),
        _one(d, "several examples", d.size(4, 6), d.size(4, 6), k),
        in_float32(_one(d, "in single precision", 2, 4, k)),
    ]


def elbo_edges(d: Draw) -> list[Case]:
    return [
        _one(d, "nine pixels, eight latents", 2, 9, 8),
        _one(d, "log_var down to -12: nothing is to be cut off, and nothing added", 2, 5, 2, wide=8),
    ]


@with_places
def made(*, z: Any = _draw, rec: Any = reconstruction, kl: Any = elbo_kl, scale: float = 1.0) -> Any:
    """The bound with another draw, reconstruction or KL."""
    return _of(lambda x, mu, v, eps, decoder: rec(x, decoder(z(mu, v, eps))) - scale * kl(mu, v))


def at(formula: Any) -> Any:
    """The bound as a formula of x, mu, log_var, the draw z and what is decoded from it."""
    return _of(lambda x, mu, v, eps, decoder: formula(x, mu, v, (z := _draw(mu, v, eps)), decoder(z)))


def _of(formula: Any) -> Any:
    return lambda x, encoder, decoder, eps: formula(x, *encoder(x), eps, decoder)
