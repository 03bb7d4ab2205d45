"""Homework 3, part 2: a gradient without a derivative."""

from typing import Any

import torch
from torch import Tensor

from lecture11.homework.observation import Case, Given
from lecture11.homework.part import LOG_2_PI, Draw, Mistake, Part, case, generic, in_float32


def score_gradient(f: Any, mu: Tensor, sigma: Tensor, eps: Tensor) -> Tensor:
    return f(mu + sigma * eps)[:, None] * eps / sigma


def _one(d: Draw, name: str, n: int, k: int) -> Case:
    cost = Given("cost", {"seed": d.size(0, 1000)})
    return case(name, n, f=cost, mu=d.normal(k), sigma=d.uniform(0.4, 1.6, k), eps=d.normal(n, k))


def _score_cases(d: Draw) -> list[Case]:
    return [
        _one(d, "one draw, one dimension", 1, 1),
        _one(d, "three draws, three dimensions", 3, 3),
        _one(d, "several draws", d.size(4, 7), 2),
        in_float32(_one(d, "single precision", 2, 2)),
    ]


def _score_with(formula: Any) -> Any:
    def gradient(f: Any, mu: Tensor, sigma: Tensor, eps: Tensor) -> Tensor:
        z = mu + sigma * eps
        return formula(f(z)[:, None], z, mu, sigma, eps)

    return gradient


def _path_gradient(f: Any, mu: Tensor, sigma: Tensor, eps: Tensor) -> Tensor:
    z = (mu + sigma * eps).detach().requires_grad_()
    return torch.autograd.grad(f(z).sum(), z)[0]


def _density(sigma: Tensor, eps: Tensor) -> Tensor:
    return (-0.5 * eps**2 - sigma.log() - 0.5 * LOG_2_PI).sum(1, keepdim=True).exp()


MISTAKES = (
    *generic(score_gradient,
             negated="the sign is reversed: ln q contains -(z - mu)^2, and the inner derivative by mu is -1 again"),
    Mistake("divided-by-variance", "eps is divided by the variance; z - mu is, and that is sigma eps",
            _score_with(lambda f, z, mu, s, e: f * e / s**2)),
    Mistake("divided-by-std", "z - mu is divided by the standard deviation; differentiate (z - mu)^2 / (2 sigma^2)",
            _score_with(lambda f, z, mu, s, e: f * (z - mu) / s)),
    Mistake("not-divided", "z - mu is not divided by the variance", _score_with(lambda f, z, mu, s, e: f * (z - mu))),
    Mistake("z-not-centred", "z stands where z - mu belongs", _score_with(lambda f, z, mu, s, e: f * z / s**2)),
    Mistake("f-missing", "f(z) is missing: this is the score alone, whose mean is zero",
            _score_with(lambda f, z, mu, s, e: e / s + 0 * f)),
    Mistake("f-at-noise", "f is taken at the noise, and not at the draw z", lambda f, mu, s, e: f(e)[:, None] * e / s),
    Mistake("draws-averaged", "this is the mean over the draws; return one row for each, so that their spread can be "
            "seen", lambda f, mu, s, e: score_gradient(f, mu, s, e).mean(0)),
    Mistake("draws-summed", "this is the sum over the draws; return one row for each, so that their spread can be seen",
            lambda f, mu, s, e: score_gradient(f, mu, s, e).sum(0)),
    Mistake("dims-summed", "each row is summed over the dimensions; the gradient has one number for each of them",
            lambda f, mu, s, e: score_gradient(f, mu, s, e).sum(1)),
    Mistake("along-dims", "f(z) has one number for each draw, and you multiplied along the dimensions: give it a "
            "second dimension", lambda f, mu, s, e: f(mu + s * e) * e / s),
    Mistake("log-f", "the logarithm of f is taken; only q is under a logarithm",
            _score_with(lambda f, z, mu, s, e: f.log() * e / s)),
    Mistake("f-at-mean", "f is taken at the mean, and not at the draw z",
            lambda f, mu, s, e: f(mu[None])[:, None] * e / s),
    Mistake("path-gradient", "this is the path's gradient, with a derivative of f; the score needs none",
            _path_gradient),
    Mistake("baseline", "the mean of f over the draws is subtracted: then no row stands alone any more",
            _score_with(lambda f, z, mu, s, e: (f - f.mean()) * e / s)),
    Mistake("sigma-squared", "z is drawn with sigma^2; sigma is the standard deviation",
            lambda f, mu, s, e: f(mu + s**2 * e)[:, None] * e),
    Mistake("sigma-as-variance", "sigma is taken for the variance: it is the standard deviation itself, no root is "
            "needed", lambda f, mu, s, e: f(mu + s.sqrt() * e)[:, None] * e / s.sqrt()),
    Mistake("sigma-as-log-var", "sigma is taken for log_var: here it is the standard deviation itself",
            lambda f, mu, s, e: f(mu + (0.5 * s).exp() * e)[:, None] * e / (0.5 * s).exp()),
    Mistake("log-q", "f is multiplied with ln q itself; its gradient by mu belongs there",
            _score_with(lambda f, z, mu, s, e: f * -0.5 * e**2)),
    Mistake("z-moves-with-mu", "z moves with mu here, and the gradient of ln q is zero. Hold z, and return a row for "
            "each draw", lambda f, mu, s, e: torch.zeros_like(mu)),
    Mistake("divided-by-n", "the rows are divided by the number of draws",
            _score_with(lambda f, z, mu, s, e: f * e / s / len(e))),
    Mistake("first-f", "all draws get f of the first; each has its own",
            _score_with(lambda f, z, mu, s, e: f[:1] * e / s)),
    Mistake("mean-f", "f is averaged over the draws; each row has its own f(z)",
            _score_with(lambda f, z, mu, s, e: f.mean() * e / s)),
    Mistake("sum-f", "f is summed over the draws; each row has its own f(z)",
            _score_with(lambda f, z, mu, s, e: f.sum() * e / s)),
    Mistake("score-summed", "the score is summed over the draws: autograd adds up what all draws give for one mu. Take "
            "a row for each", _score_with(lambda f, z, mu, s, e: f * (e / s).sum(0))),
    Mistake("gradient-of-f", "the score stands beside the gradient of f; f itself belongs there",
            lambda f, mu, s, e: _path_gradient(f, mu, s, e) * e / s),
    Mistake("added", "f and the score are added; they are multiplied", _score_with(lambda f, z, mu, s, e: f + e / s)),
    Mistake("times-q", "the density q is in it too; the mean over draws from q has it already",
            lambda f, mu, s, e: score_gradient(f, mu, s, e) * _density(s, e)),
    Mistake("z-moves", "the gradient of ln q is zero: z moves with mu. Hold z, and then differentiate",
            lambda f, mu, s, e: torch.zeros_like(e)),
    Mistake("noise-unscaled", "z = mu + eps: the noise is not multiplied with sigma",
            lambda f, mu, s, e: f(mu + e)[:, None] * e / s**2),
)  # fmt: skip

PART = Part(
    id="score-gradient",
    homework=3,
    title="a gradient without a derivative",
    points=3,
    trains="the score of a Gaussian, and (n,) beside (n, k)",
    unit="one row for each draw",
    make_cases=_score_cases,
    make_edges=lambda d: [_one(d, "nine dimensions", 2, 9)],
    reference=score_gradient,
    quantities=lambda args: {"sigma": args["sigma"][None], "eps": args["eps"]},
    mistakes=MISTAKES,
)
