"""Homework 1, part 4: the loss of a denoising auto-encoder."""

from typing import Any

from torch import Tensor

from lecture11.homework.observation import Case, Given
from lecture11.homework.part import Draw, Mistake, Part, case, generic, in_float32, per, with_places
from lecture11.homework.parts.reconstruction_error import reconstruction_error


def denoising_loss(model: Any, x: Tensor, noise_std: Tensor, eps: Tensor) -> Tensor:
    return reconstruction_error(x, model(x + per(noise_std, x) * eps))


def _one(d: Draw, name: str, b: int, *dims: int) -> Case:
    args: dict[str, Any] = {
        "model": Given("denoiser", {"seed": d.size(0, 1000), "ndim": 1 + len(dims)}),
        "x": d.normal(b, *dims),
        "noise_std": d.uniform(0.2, 0.9, b),
        "eps": d.normal(b, *dims),
    }
    return case(name, b, grad=("model",), **args)


def _denoising_cases(d: Draw) -> list[Case]:
    side = d.size(2, 3)
    return [
        _one(d, "one number", 1, 1),
        _one(d, "three points in three dimensions", 3, 3),
        _one(d, "four points in the plane", 4, 2),
        _one(d, "two small images", 2, 1, side, side),
        in_float32(_one(d, "single precision", 3, 2)),
    ]


@with_places
def _denoising_with(
    *,
    noisy: Any = lambda x, s, eps: x + per(s, x) * eps,
    target: Any = lambda x, y, eps: x,
    total: Any = lambda error: error.square().sum(1),
) -> Any:
    """The loss, with a place for each mistake; ``total`` takes a row for each example."""

    def loss(model: Any, x: Tensor, s: Tensor, eps: Tensor) -> Tensor:
        y = noisy(x, s, eps)
        return total((target(x, y, eps) - model(y)).flatten(1))

    return loss


def _edges(d: Draw) -> list[Case]:
    return [_one(d, "nine dimensions", 2, 9), _one(d, "an image with three channels", 2, 3, 2, 2)]


MISTAKES = (
    *generic(denoising_loss, "examples-averaged", root="this is the length; its square is asked for"),
    Mistake("target-noisy", "the output is compared with the noisy input; the clean example is what should come out",
            _denoising_with(target=lambda x, y, eps: y)),
    Mistake("target-noise", "the output is compared with the noise, as in a diffusion model; here the clean example "
            "should come out", _denoising_with(target=lambda x, y, eps: eps)),
    Mistake("shown-clean", "the model is shown the clean example", _denoising_with(noisy=lambda x, s, eps: x)),
    Mistake("noise-unscaled", "the noise is not multiplied with noise_std",
            _denoising_with(noisy=lambda x, s, eps: x + eps)),
    Mistake("std-as-variance", "noise_std is taken for a variance: it is a standard deviation, no root is needed",
            _denoising_with(noisy=lambda x, s, eps: x + per(s, x).sqrt() * eps)),
    Mistake("variance-scales", "the noise is multiplied with the variance noise_std^2; its standard deviation is given",
            _denoising_with(noisy=lambda x, s, eps: x + per(s, x) ** 2 * eps)),
    Mistake("along-last-dim", "noise_std has one number for each example, and you multiplied along the last dimension. "
            "Give it as many dimensions as x has", _denoising_with(noisy=lambda x, s, eps: x + s.to(x) * eps)),
    Mistake("dims-averaged", "you averaged over the dimensions; the squared length is a sum",
            _denoising_with(total=lambda error: error.square().mean(1))),
    Mistake("all-averaged", "this is one mean over everything; return one number for each example, summed over its "
            "dimensions", _denoising_with(total=lambda error: error.square().mean())),
    Mistake("absolute", "these are absolute values; squares are asked for",
            _denoising_with(total=lambda error: error.abs().sum(1))),
    Mistake("not-squared", "the square is missing: errors of both signs cancel",
            _denoising_with(total=lambda error: error.sum(1))),
    Mistake("sum-squared", "the sum is squared; square first, then sum: otherwise errors of both signs cancel",
            _denoising_with(total=lambda error: error.sum(1) ** 2)),
    Mistake("noise-subtracted", "the noise is subtracted; it is added",
            _denoising_with(noisy=lambda x, s, eps: x - per(s, x) * eps)),
    Mistake("noise-on-output", "the noise is added to what comes out of the model; it is added to what goes in",
            lambda m, x, s, eps: reconstruction_error(x, m(x) + per(s, x) * eps)),
    Mistake("first-level", "all examples get the noise level of the first; each has its own",
            _denoising_with(noisy=lambda x, s, eps: x + s[0].to(x) * eps)),
    Mistake("mean-level", "all examples get the mean noise level; each has its own",
            _denoising_with(noisy=lambda x, s, eps: x + s.mean().to(x) * eps)),
    Mistake("divided-by-variance", "the error is divided by the variance of the noise; the squared length alone is "
            "asked for", lambda m, x, s, eps: denoising_loss(m, x, s, eps) / s.to(x) ** 2),
    Mistake("x-shrunk", "x is made smaller before the noise is added, as in a diffusion model; here it stays as it is",
            _denoising_with(noisy=lambda x, s, eps: (1 - per(s, x) ** 2).sqrt() * x + per(s, x) * eps)),
    Mistake("clamped", "the noisy example is cut to [0, 1]; the formula does not do this",
            _denoising_with(noisy=lambda x, s, eps: (x + per(s, x) * eps).clamp(0, 1))),
    Mistake("shown-rows", "the model is shown rows; it takes y of the shape of x",
            lambda m, x, s, eps: reconstruction_error(x, m((x + per(s, x) * eps).flatten(1)).view_as(x))),
    Mistake("x-scaled", "x is multiplied with noise_std too; only the noise is",
            _denoising_with(noisy=lambda x, s, eps: per(s, x) * (x + eps))),
    Mistake("target-scaled-noise", "the output is compared with the scaled noise; here the clean example should come "
            "out", lambda m, x, s, eps: reconstruction_error(per(s, x) * eps, m(x + per(s, x) * eps))),
    Mistake("swapped", "the model is shown the clean example, and compared with the noisy one: they have changed "
            "places", lambda m, x, s, eps: reconstruction_error(x + per(s, x) * eps, m(x))),
)  # fmt: skip

PART = Part(
    id="denoising-loss",
    homework=1,
    title="the loss of a denoising auto-encoder",
    points=2,
    trains="what goes in and what should come out; one noise level for each example",
    unit="one number for each example",
    make_cases=_denoising_cases,
    make_edges=_edges,
    reference=denoising_loss,
    mistakes=MISTAKES,
)
