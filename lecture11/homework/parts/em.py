"""Homework 3: reparametrisation and variational EM (F17-F20)."""

import math
from typing import Any

import torch
from torch import Tensor

from lecture11.homework.observation import Case, Given, Seeded
from lecture11.homework.part import Draw, Mistake, Part, case, in_float32

# --- reparametrise


def _reparametrise(mu: Tensor, log_var: Tensor, generator: torch.Generator) -> Tensor:
    eps = torch.randn(mu.shape, generator=generator, dtype=mu.dtype)
    return mu + (0.5 * log_var).exp() * eps


def _reparametrise_cases(d: Draw) -> list[Case]:
    def one(name: str, b: int, k: int) -> Case:
        args: dict[str, Any] = {"mu": d.normal(b, k), "log_var": d.normal(b, k), "generator": Seeded(d.size(0, 10_000))}
        return case(name, b, grad=("mu", "log_var"), keywords=("generator",), **args)

    k = d.size(2, 5)
    return [
        one("one number", 1, 1),
        one("one example", 1, k),
        one("three examples, three latents", 3, 3),
        one("several examples", d.size(4, 6), k),
        in_float32(one("single precision", 2, k)),
    ]


def _standard(mu: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(mu.shape, generator=generator, dtype=mu.dtype)


def _repa_with(formula: Any, noise: Any = None) -> Any:
    def reparametrise(mu: Tensor, log_var: Tensor, generator: torch.Generator) -> Tensor:
        return formula(mu, log_var, (noise or _standard)(mu, generator))

    return reparametrise


def _right(mu: Tensor, log_var: Tensor, eps: Tensor) -> Tensor:
    return mu + (0.5 * log_var).exp() * eps


REPARAMETRISE = Part(
    id="reparametrise",
    homework=3,
    title="a draw that carries the gradient",
    points=2,
    trains="the standard deviation from log_var, noise from a generator, and a gradient to both",
    unit="",
    make_cases=_reparametrise_cases,
    reference=_reparametrise,
    also=(
        # Noise of single precision, converted; or drawn along the other dimension first.
        _repa_with(_right, lambda mu, g: torch.randn(mu.shape, generator=g).to(mu.dtype)),
        _repa_with(_right, lambda mu, g: torch.randn(mu.T.shape, generator=g, dtype=mu.dtype).T),
        _repa_with(
            _right, lambda mu, g: torch.stack([torch.randn(mu.shape[1], generator=g, dtype=mu.dtype) for _ in mu])
        ),
        # -eps has the law of eps.
        _repa_with(lambda mu, v, e: mu - (0.5 * v).exp() * e),
    ),
    mistakes=(
        Mistake(
            "the noise is multiplied with the variance; the standard deviation belongs there",
            _repa_with(lambda mu, v, e: mu + v.exp() * e),
        ),
        Mistake(
            "the noise is multiplied with log_var; make the standard deviation of it",
            _repa_with(lambda mu, v, e: mu + v * e),
        ),
        Mistake(
            "half of log_var is not the standard deviation: exp is missing",
            _repa_with(lambda mu, v, e: mu + 0.5 * v * e),
        ),
        Mistake(
            "the noise is not scaled: the variance is 1, whatever log_var says", _repa_with(lambda mu, v, e: mu + e)
        ),
        Mistake(
            "this is the root of log_var; log_var is a logarithm and can be negative",
            _repa_with(lambda mu, v, e: mu + v.sqrt() * e),
        ),
        Mistake(
            "exp(2 log_var) is not the standard deviation: it is exp of half of log_var",
            _repa_with(lambda mu, v, e: mu + (2 * v).exp() * e),
        ),
        Mistake("the mean is missing: mu is added", _repa_with(lambda mu, v, e: (0.5 * v).exp() * e)),
        Mistake("the mean is scaled too", _repa_with(lambda mu, v, e: (0.5 * v).exp() * (mu + e))),
        Mistake(
            "the noise is uniform in [0, 1]: torch.rand. Standard normal noise is needed",
            _repa_with(_right, lambda mu, g: torch.rand(mu.shape, generator=g, dtype=mu.dtype)),
        ),
        Mistake(
            "all examples share one draw of the noise; each has its own",
            _repa_with(_right, lambda mu, g: torch.randn(mu.shape[1], generator=g, dtype=mu.dtype)),
        ),
        Mistake(
            "all latents of an example share one number of noise; each has its own",
            _repa_with(_right, lambda mu, g: torch.randn(len(mu), 1, generator=g, dtype=mu.dtype)),
        ),
        Mistake(
            "all share one single number of noise; each latent of each example has its own",
            _repa_with(_right, lambda mu, g: torch.randn((), generator=g, dtype=mu.dtype)),
        ),
        Mistake(
            "exp(-log_var / 2) is one over the standard deviation",
            _repa_with(lambda mu, v, e: mu + (-0.5 * v).exp() * e),
        ),
        Mistake(
            "the 1/2 stands outside of exp; it belongs inside, to log_var",
            _repa_with(lambda mu, v, e: mu + 0.5 * v.exp() * e),
        ),
        Mistake(
            "the generator is seeded anew: then each call draws the same numbers",
            _repa_with(_right, lambda mu, g: torch.randn(mu.shape, generator=g.manual_seed(0), dtype=mu.dtype)),
        ),
        Mistake(
            "a root too many: exp(log_var / 2) is the standard deviation",
            _repa_with(lambda mu, v, e: mu + (0.25 * v).exp() * e),
        ),
        Mistake(
            "the noise has no negative numbers: abs is too many",
            _repa_with(lambda mu, v, e: mu + (0.5 * v).exp() * e.abs()),
        ),
    ),
)


# --- score-gradient


def _score(f: Any, mu: Tensor, sigma: Tensor, eps: Tensor) -> Tensor:
    return f(mu + sigma * eps)[:, None] * eps / sigma


def _score_cases(d: Draw) -> list[Case]:
    def one(name: str, n: int, k: int) -> Case:
        args: dict[str, Any] = {
            "f": Given("cost", {"seed": d.size(0, 1000)}),
            "mu": d.normal(k),
            "sigma": d.uniform(0.4, 1.6, k),
            "eps": d.normal(n, k),
        }
        return case(name, n, **args)

    return [
        one("one draw, one dimension", 1, 1),
        one("three draws, three dimensions", 3, 3),
        one("several draws", d.size(4, 7), 2),
        in_float32(one("single precision", 2, 2)),
    ]


def _score_with(formula: Any) -> Any:
    def gradient(f: Any, mu: Tensor, sigma: Tensor, eps: Tensor) -> Tensor:
        z = mu + sigma * eps
        return formula(f(z)[:, None], z, mu, sigma, eps)

    return gradient


SCORE_GRADIENT = Part(
    id="score-gradient",
    homework=3,
    title="a gradient without a derivative",
    points=3,
    trains="the score of a Gaussian, and (n,) beside (n, k)",
    unit="one row for each draw",
    make_cases=_score_cases,
    reference=_score,
    mistakes=(
        Mistake(
            "eps is divided by the variance; z - mu is, and that is sigma eps",
            _score_with(lambda f, z, mu, s, e: f * e / s**2),
        ),
        Mistake(
            "z - mu is divided by the standard deviation; differentiate (z - mu)^2 / (2 sigma^2)",
            _score_with(lambda f, z, mu, s, e: f * (z - mu) / s),
        ),
        Mistake("z - mu is not divided by the variance", _score_with(lambda f, z, mu, s, e: f * (z - mu))),
        Mistake("z stands where z - mu belongs", _score_with(lambda f, z, mu, s, e: f * z / s**2)),
        Mistake(
            "the sign is reversed: ln q contains -(z - mu)^2, and the inner derivative by mu is -1 again",
            _score_with(lambda f, z, mu, s, e: -f * e / s),
        ),
        Mistake(
            "f(z) is missing: this is the score alone, whose mean is zero",
            _score_with(lambda f, z, mu, s, e: e / s + 0 * f),
        ),
        Mistake(
            "f is taken at the noise, and not at the draw z",
            lambda f, mu, s, e: f(e)[:, None] * e / s,
        ),
        Mistake(
            "this is the mean over the draws; return one row for each, so that their spread can be seen",
            lambda f, mu, s, e: _score(f, mu, s, e).mean(0),
        ),
        Mistake(
            "this is the sum over the draws; return one row for each, so that their spread can be seen",
            lambda f, mu, s, e: _score(f, mu, s, e).sum(0),
        ),
        Mistake(
            "each row is summed over the dimensions; the gradient has one number for each of them",
            lambda f, mu, s, e: _score(f, mu, s, e).sum(1),
        ),
        Mistake(
            "f(z) has one number for each draw, and you multiplied along the dimensions: give it a second dimension",
            lambda f, mu, s, e: f(mu + s * e) * e / s,
        ),
        Mistake(
            "the logarithm of f is taken; only q is under a logarithm",
            _score_with(lambda f, z, mu, s, e: f.log() * e / s),
        ),
        Mistake("f is taken at the mean, and not at the draw z", lambda f, mu, s, e: f(mu[None])[:, None] * e / s),
        Mistake(
            "this is the path's gradient, with a derivative of f; the score needs none",
            lambda f, mu, s, e: torch.autograd.grad(f(z := (mu + s * e).detach().requires_grad_()).sum(), z)[0],
        ),
        Mistake(
            "the mean of f over the draws is subtracted: then no row stands alone any more",
            _score_with(lambda f, z, mu, s, e: (f - f.mean()) * e / s),
        ),
        Mistake(
            "z is drawn with sigma^2; sigma is the standard deviation",
            lambda f, mu, s, e: f(mu + s**2 * e)[:, None] * e,
        ),
        Mistake(
            "sigma is taken for the variance: it is the standard deviation itself, no root is needed",
            lambda f, mu, s, e: f(mu + s.sqrt() * e)[:, None] * e / s.sqrt(),
        ),
        Mistake(
            "sigma is taken for log_var: here it is the standard deviation itself",
            lambda f, mu, s, e: f(mu + (0.5 * s).exp() * e)[:, None] * e / (0.5 * s).exp(),
        ),
        Mistake(
            "f is multiplied with ln q itself; its gradient by mu belongs there",
            _score_with(lambda f, z, mu, s, e: f * -0.5 * e**2),
        ),
        Mistake(
            "z moves with mu here, and the gradient of ln q is zero. Hold z, and return a row for each draw",
            lambda f, mu, s, e: torch.zeros_like(mu),
        ),
        Mistake("the rows are divided by the number of draws", _score_with(lambda f, z, mu, s, e: f * e / s / len(e))),
        Mistake(
            "all draws get f of the first; each has its own",
            _score_with(lambda f, z, mu, s, e: f[:1] * e / s),
        ),
        Mistake(
            "f is averaged over the draws; each row has its own f(z)",
            _score_with(lambda f, z, mu, s, e: f.mean() * e / s),
        ),
        Mistake(
            "f is summed over the draws; each row has its own f(z)",
            _score_with(lambda f, z, mu, s, e: f.sum() * e / s),
        ),
        Mistake(
            "the score is summed over the draws: autograd adds up what all draws give for one mu. Take a row for each",
            _score_with(lambda f, z, mu, s, e: f * (e / s).sum(0)),
        ),
        Mistake(
            "the score stands beside the gradient of f; f itself belongs there",
            lambda f, mu, s, e: torch.autograd.grad(f(z := (mu + s * e).detach().requires_grad_()).sum(), z)[0] * e / s,
        ),
        Mistake("f and the score are added; they are multiplied", _score_with(lambda f, z, mu, s, e: f + e / s)),
        Mistake(
            "the density q is in it too; the mean over draws from q has it already",
            lambda f, mu, s, e: (
                _score(f, mu, s, e) * (-0.5 * e**2 - s.log() - 0.5 * math.log(2 * math.pi)).sum(1, keepdim=True).exp()
            ),
        ),
        Mistake(
            "the gradient of ln q is zero: z moves with mu. Hold z, and then differentiate",
            lambda f, mu, s, e: torch.zeros_like(e),
        ),
    ),
)


# --- e-step


def _e_step(x: Tensor, W: Tensor) -> tuple[Tensor, Tensor]:
    covariance = torch.linalg.inv(torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W)
    return x @ W @ covariance, covariance


def _linear_cases(d: Draw) -> list[tuple[str, int, Tensor, Tensor]]:
    """Names, numbers of points, points and decoders."""
    k, dim = d.size(2, 3), d.size(4, 6)
    tiny = (torch.tensor([[2.0, 1.0]], dtype=torch.float64), torch.tensor([[1.0], [0.5]], dtype=torch.float64))
    return [
        ("one point, d = 2, k = 1", 1, *tiny),
        ("three points, d = 3, k = 2", 3, d.normal(3, 3), d.normal(3, 2)),
        (f"several points, d = {dim}, k = {k}", 6, d.normal(6, dim), d.normal(dim, k)),
        (f"more points, d = {dim}, k = {k}", 9, d.normal(9, dim), d.normal(dim, k)),
    ]


def _e_with(mean: Any = None, covariance: Any = None) -> Any:
    def e_step(x: Tensor, W: Tensor) -> tuple[Tensor, Tensor]:
        right = _e_step(x, W)
        eye = torch.eye(W.shape[1], dtype=W.dtype)
        return (
            right[0] if mean is None else mean(x, W, right[1], eye),
            right[1] if covariance is None else covariance(W, eye),
        )

    return e_step


E_STEP = Part(
    id="e-step",
    homework=3,
    title="the E-step of a linear decoder",
    points=3,
    trains="a Gaussian posterior: precision against covariance",
    unit="means (n, k), covariance (k, k)",
    make_cases=lambda d: [case(name, b, grad=("W",), x=x, W=W) for name, b, x, W in _linear_cases(d)],
    reference=_e_step,
    mistakes=(
        Mistake(
            "the covariance is not inverted: I + W^T W is the precision; and the means are made with it",
            lambda x, W: (x @ W @ (P := torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W), P),
        ),
        Mistake(
            "the means are right, but the second result is the precision I + W^T W: its inverse is the covariance",
            _e_with(covariance=lambda W, eye: eye + W.T @ W),
        ),
        Mistake(
            "the prior is forgotten: its precision I is added to W^T W. This is least squares",
            lambda x, W: (x @ torch.linalg.pinv(W).T, torch.linalg.inv(W.T @ W)),
        ),
        Mistake(
            "the covariance is right, the means are not: they are W^T x, not yet multiplied with the covariance",
            _e_with(mean=lambda x, W, C, eye: x @ W),
        ),
        Mistake(
            "the covariance is right, the means are those of least squares: the prior draws them towards zero",
            _e_with(mean=lambda x, W, C, eye: x @ torch.linalg.pinv(W).T),
        ),
        Mistake(
            "the covariance is right, the means are scaled with the precision in place of the covariance",
            _e_with(mean=lambda x, W, C, eye: x @ W @ (eye + W.T @ W)),
        ),
        Mistake(
            "the means are right, the covariance is that of the prior: seeing x leaves less",
            _e_with(covariance=lambda W, eye: eye),
        ),
        Mistake(
            "the means are right, the covariance lacks the prior: I + W^T W is inverted, not W^T W",
            _e_with(covariance=lambda W, eye: torch.linalg.inv(W.T @ W)),
        ),
        Mistake(
            "the means are right, the second result holds only variances: the latents are correlated given x",
            _e_with(covariance=lambda W, eye: torch.linalg.inv(eye + W.T @ W).diagonal()),
        ),
        Mistake(
            "the means are right, the second result is the root of the covariance",
            _e_with(covariance=lambda W, eye: torch.linalg.inv(eye + W.T @ W).sqrt()),
        ),
        Mistake(
            "both are right, in the wrong order: the means first, then the covariance",
            lambda x, W: _e_step(x, W)[::-1],
        ),
        Mistake("the covariance is missing: return the means and the covariance", lambda x, W: _e_step(x, W)[0]),
        Mistake(
            "the covariance is (d, d): W W^T is a matrix of coordinates of x. That of the codes is (k, k)",
            lambda x, W: (x @ (C := torch.linalg.inv(torch.eye(len(W), dtype=W.dtype) + W @ W.T)) @ W, C),
        ),
        Mistake(
            "each entry is inverted alone, 1 / a; the inverse of a matrix is torch.linalg.inv",
            lambda x, W: (x @ W @ (C := 1 / (torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W)), C),
        ),
        Mistake(
            "1 is added to all entries; the identity, torch.eye, has it on the diagonal alone",
            lambda x, W: (x @ W @ (C := torch.linalg.inv(1 + W.T @ W)), C),
        ),
        Mistake(
            "W^T W is subtracted from I; precisions add",
            lambda x, W: (x @ W @ (C := torch.linalg.inv(torch.eye(W.shape[1], dtype=W.dtype) - W.T @ W)), C),
        ),
        Mistake(
            "the covariance is right, the means are multiplied with it twice",
            _e_with(mean=lambda x, W, C, eye: x @ W @ C @ C),
        ),
        Mistake(
            "the covariance is right, for the means x was centred: the model has mean zero already",
            _e_with(mean=lambda x, W, C, eye: (x - x.mean(0)) @ W @ C),
        ),
        Mistake(
            "this is the Cholesky factor of the precision; its inverse is asked for",
            lambda x, W: (x @ W @ (C := torch.linalg.cholesky(torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W)), C),
        ),
        Mistake(
            "one covariance is the same for all points: return it once",
            lambda x, W: ((r := _e_step(x, W))[0], r[1].expand(len(x), -1, -1)),
        ),
        Mistake(
            "the covariance is right, the means are summed over the points",
            _e_with(mean=lambda x, W, C, eye: (x @ W @ C).sum(0)),
        ),
        Mistake(
            "W^T W is multiplied with n: each point has a posterior of its own",
            lambda x, W: (x @ W @ (C := torch.linalg.inv(torch.eye(W.shape[1], dtype=W.dtype) + len(x) * W.T @ W)), C),
        ),
        Mistake(
            "only the diagonal of W^T W is inverted; the latents are correlated given x",
            lambda x, W: (x @ W @ (C := (1 / (1 + (W**2).sum(0))).diag()), C),
        ),
        Mistake(
            "the prior's precision is I; here it is counted twice",
            lambda x, W: (x @ W @ (C := torch.linalg.inv(2 * torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W)), C),
        ),
        Mistake(
            "the covariance is right, the means have the wrong sign", _e_with(mean=lambda x, W, C, eye: -x @ W @ C)
        ),
        Mistake(
            "the covariance is right, the means are averaged over the points",
            _e_with(mean=lambda x, W, C, eye: (x @ W @ C).mean(0)),
        ),
    ),
)


# --- m-step


def _m_step(x: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    return torch.linalg.solve(mean.T @ mean + len(x) * covariance, mean.T @ x).T


def _m_cases(d: Draw) -> list[Case]:
    return [
        case(name, b, x=x, mean=_e_step(x, W)[0], covariance=_e_step(x, W)[1]) for name, b, x, W in _linear_cases(d)
    ]


M_STEP = Part(
    id="m-step",
    homework=3,
    title="the M-step of a linear decoder",
    points=3,
    trains="least squares with uncertain codes",
    unit="W of shape (d, k)",
    make_cases=_m_cases,
    reference=_m_step,
    mistakes=(
        Mistake(
            "the codes are taken as certain: E[z z^T] = m m^T + C, and C is missing",
            lambda x, m, C: torch.linalg.solve(m.T @ m, m.T @ x).T,
        ),
        Mistake(
            "C is added once; each of the n examples has its own",
            lambda x, m, C: torch.linalg.solve(m.T @ m + C, m.T @ x).T,
        ),
        Mistake(
            "one sum is divided by n and the other is not",
            lambda x, m, C: torch.linalg.solve(m.T @ m / len(x) + C, m.T @ x).T,
        ),
        Mistake(
            "one sum is divided by n and the other is not: n C is in it, and the sum with x is a mean",
            lambda x, m, C: torch.linalg.solve(m.T @ m + len(x) * C, m.T @ x / len(x)).T,
        ),
        Mistake("this is W^T: its shape is to be (d, k)", lambda x, m, C: _m_step(x, m, C).T),
        Mistake(
            "the matrix of second moments is multiplied; the normal equations are solved with its inverse",
            lambda x, m, C: x.T @ m @ (m.T @ m + len(x) * C),
        ),
        Mistake(
            "the inverse of C is added: C is a covariance already",
            lambda x, m, C: torch.linalg.solve(m.T @ m + len(x) * torch.linalg.inv(C), m.T @ x).T,
        ),
        Mistake(
            "C is subtracted; E[z z^T] = m m^T + C", lambda x, m, C: torch.linalg.solve(m.T @ m - len(x) * C, m.T @ x).T
        ),
        Mistake(
            "an identity is added in place of C, as in ridge regression",
            lambda x, m, C: torch.linalg.solve(m.T @ m + len(x) * torch.eye(len(C), dtype=C.dtype), m.T @ x).T,
        ),
        Mistake("the second moments are missing: this is X^T M alone", lambda x, m, C: x.T @ m),
        Mistake("this is X^T M / n: the second moments are missing", lambda x, m, C: x.T @ m / len(x)),
        Mistake(
            "C is added d times, the number of coordinates; it belongs to the n examples",
            lambda x, m, C: torch.linalg.solve(m.T @ m + x.shape[1] * C, m.T @ x).T,
        ),
        Mistake(
            "C is added k times, the number of latents; it belongs to the n examples",
            lambda x, m, C: torch.linalg.solve(m.T @ m + m.shape[1] * C, m.T @ x).T,
        ),
        Mistake(
            "n C is added after the inverse; it belongs inside",
            lambda x, m, C: x.T @ m @ (torch.linalg.inv(m.T @ m) + len(x) * C),
        ),
        Mistake(
            "only the diagonal of C is added; all of it enters",
            lambda x, m, C: torch.linalg.solve(m.T @ m + len(x) * C.diagonal().diag(), m.T @ x).T,
        ),
        Mistake(
            "the diagonal of C is added as a row, to each row of the matrix: C is a matrix",
            lambda x, m, C: x.T @ m @ torch.linalg.inv(m.T @ m + len(x) * C.diagonal()),
        ),
        Mistake(
            "m @ m.T of one point is a number, added to all entries of C; m m^T is a matrix: torch.outer",
            lambda x, m, C: torch.linalg.solve((m**2).sum() + len(x) * C, m.T @ x).T,
        ),
        Mistake(
            "the products of the sums stand where the sums of the products belong",
            lambda x, m, C: (
                torch.outer(x.sum(0), m.sum(0)) @ torch.linalg.inv(torch.outer(m.sum(0), m.sum(0)) + len(x) * C)
            ),
        ),
        Mistake("only the first point is used", lambda x, m, C: _m_step(x[:1], m[:1], C)),
        Mistake(
            "C is squared; it is a covariance already",
            lambda x, m, C: torch.linalg.solve(m.T @ m + len(x) * C**2, m.T @ x).T,
        ),
        Mistake("x was centred: the model has mean zero already", lambda x, m, C: _m_step(x - x.mean(0), m, C)),
        Mistake(
            "the sum of m m^T is multiplied with n too; only C is the same for all",
            lambda x, m, C: torch.linalg.solve(len(x) * (m.T @ m + C), m.T @ x).T,
        ),
        Mistake(
            "C is divided by n; it is added n times",
            lambda x, m, C: torch.linalg.solve(m.T @ m + C / len(x), m.T @ x).T,
        ),
        Mistake(
            "both sums are divided by n, and n C is not",
            lambda x, m, C: torch.linalg.solve(m.T @ m / len(x) + len(x) * C, m.T @ x / len(x)).T,
        ),
        Mistake(
            "each entry is inverted alone, 1 / a; the inverse of a matrix is torch.linalg.inv",
            lambda x, m, C: x.T @ m @ (1 / (m.T @ m + len(x) * C)),
        ),
        Mistake(
            "an identity is added beside n C: W has no prior",
            lambda x, m, C: torch.linalg.solve(m.T @ m + len(x) * C + torch.eye(len(C), dtype=C.dtype), m.T @ x).T,
        ),
        Mistake("m m^T is missing: E[z z^T] = m m^T + C", lambda x, m, C: torch.linalg.solve(len(x) * C, m.T @ x).T),
        Mistake(
            "the means are centred in the second sum: E[z z^T] is no covariance",
            lambda x, m, C: torch.linalg.solve((m - m.mean(0)).T @ (m - m.mean(0)) + len(x) * C, m.T @ x).T,
        ),
        Mistake(
            "C is added n - 1 times; each of the n examples has its own",
            lambda x, m, C: torch.linalg.solve(m.T @ m + (len(x) - 1) * C, m.T @ x).T,
        ),
    ),
)


# --- linear-elbo


def _elbo_with(
    *,
    spread: float = 1.0,
    constant: float = 1.0,
    kl: Any = None,
    total: Any = lambda e: e,
    half: float = 0.5,
    sign: float = -1.0,
) -> Any:
    def elbo(x: Tensor, W: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
        d, k = W.shape
        residual = ((x - mean @ W.T) ** 2).sum(1) + spread * torch.trace(W @ covariance @ W.T)
        divergence = 0.5 * ((mean**2).sum(1) + torch.trace(covariance) - k - torch.logdet(covariance))
        if kl is not None:
            divergence = kl(mean, covariance, k)
        return total(-half * residual - constant * 0.5 * d * math.log(2 * math.pi) + sign * divergence)

    return elbo


_elbo = _elbo_with()


def _elbo_cases(d: Draw) -> list[Case]:
    cases = []
    for name, b, x, W in _linear_cases(d):
        k = W.shape[1]
        root = d.normal(k, k, scale=0.5)
        args: dict[str, Any] = {
            "x": x,
            "W": W,
            "mean": d.normal(b, k),
            "covariance": root @ root.T + 0.5 * torch.eye(k, dtype=W.dtype),
        }
        cases.append(case(name, b, grad=("W", "mean"), **args))
    return cases


LINEAR_ELBO = Part(
    id="linear-elbo",
    homework=3,
    title="the bound, without a single draw",
    points=3,
    trains="the expectation of a square, and the KL of a full covariance",
    unit="nats, one number for each example",
    make_cases=_elbo_cases,
    reference=_elbo,
    mistakes=(
        Mistake(
            "the spread of z is forgotten: E||x - W z||^2 is the square at the mean plus tr(W C W^T)",
            _elbo_with(spread=0.0),
        ),
        Mistake("the constant -(d/2) log 2 pi is missing", _elbo_with(constant=0.0)),
        Mistake(
            "the constant log 2 pi is there once; each of the d coordinates has its own",
            lambda x, W, m, C: _elbo(x, W, m, C) + 0.5 * (len(W) - 1) * math.log(2 * math.pi),
        ),
        Mistake("the KL is added; it is subtracted", _elbo_with(sign=1.0)),
        Mistake("this is minus the ELBO", _elbo_with(total=lambda e: -e)),
        Mistake(
            "the KL has log det C with the wrong sign",
            _elbo_with(kl=lambda m, C, k: 0.5 * ((m**2).sum(1) + torch.trace(C) - k + torch.logdet(C))),
        ),
        Mistake(
            "the factor 1/2 of the KL applies to ||m||^2 alone, as the lecture notes print it (erratum E6)",
            _elbo_with(kl=lambda m, C, k: 0.5 * (m**2).sum(1) + torch.trace(C) - k - torch.logdet(C)),
        ),
        Mistake(
            "the KL knows only the diagonal of C: log det of a full matrix is not the sum of the logarithms of its "
            "diagonal",
            _elbo_with(kl=lambda m, C, k: 0.5 * ((m**2).sum(1) + torch.trace(C) - k - C.diagonal().log().sum())),
        ),
        Mistake(
            "the KL lacks its -k: for q = p it must be 0",
            _elbo_with(kl=lambda m, C, k: 0.5 * ((m**2).sum(1) + torch.trace(C) - torch.logdet(C))),
        ),
        Mistake(
            "the KL lacks the trace of C",
            _elbo_with(kl=lambda m, C, k: 0.5 * ((m**2).sum(1) - k - torch.logdet(C))),
        ),
        Mistake("the 1/2 in front of the squared error is missing", _elbo_with(half=1.0)),
        Mistake("the KL is missing: this is the reconstruction alone", _elbo_with(kl=lambda m, C, k: 0 * m.sum(1))),
        Mistake(
            "the examples are averaged as well; return one number for each, the caller takes the mean",
            _elbo_with(total=lambda e: e.mean()),
        ),
        Mistake("the examples are summed as well; return one number for each", _elbo_with(total=lambda e: e.sum())),
        Mistake(
            "tr(W C W^T) has the wrong sign: the spread of z makes the error larger",
            _elbo_with(spread=-1.0),
        ),
        Mistake("tr(W C W^T) lacks the factor 1/2: it is a part of the squared error", _elbo_with(spread=2.0)),
        Mistake(
            "tr C is added to the squared error; through W it becomes tr(W C W^T)",
            lambda x, W, m, C: _elbo_with(spread=0.0)(x, W, m, C) - 0.5 * torch.trace(C),
        ),
        Mistake(
            "tr(W C W^T) is not the product of two sums: multiply the matrices, then take the trace",
            lambda x, W, m, C: _elbo_with(spread=0.0)(x, W, m, C) - 0.5 * (W**2).sum() * torch.trace(C),
        ),
        Mistake(
            "only the diagonal of C is used in tr(W C W^T); the latents are correlated",
            lambda x, W, m, C: _elbo_with(spread=0.0)(x, W, m, C) - 0.5 * (W**2 @ C.diagonal()).sum(),
        ),
        Mistake(
            "tr(W C W^T) is counted n times; each example has it once",
            lambda x, W, m, C: _elbo_with(spread=float(len(x)))(x, W, m, C),
        ),
        Mistake(
            "the constant counts latents; it belongs to x: d, the number of its coordinates",
            lambda x, W, m, C: _elbo_with(constant=W.shape[1] / W.shape[0])(x, W, m, C),
        ),
        Mistake("the constant has the wrong sign", _elbo_with(constant=-1.0)),
        Mistake("the constant is -d log 2 pi: its 1/2 is missing", _elbo_with(constant=2.0)),
        Mistake(
            "the squared error is averaged over the coordinates; it is a sum",
            lambda x, W, m, C: _elbo(x, W, m, C) + 0.5 * (1 - 1 / len(W)) * ((x - m @ W.T) ** 2).sum(1),
        ),
        Mistake("the KL lacks its factor 1/2", _elbo_with(sign=-2.0)),
        Mistake(
            "the KL has d where k belongs: it lives in the space of the codes",
            lambda x, W, m, C: _elbo(x, W, m, C) + 0.5 * (W.shape[0] - W.shape[1]),
        ),
        Mistake(
            "the determinant stands where its logarithm belongs",
            _elbo_with(kl=lambda m, C, k: 0.5 * ((m**2).sum(1) + torch.trace(C) - k - torch.det(C))),
        ),
        Mistake(
            "the length of m is not squared in the KL",
            _elbo_with(kl=lambda m, C, k: 0.5 * (m.norm(dim=1) + torch.trace(C) - k - torch.logdet(C))),
        ),
        Mistake(
            "in the KL, ||m||^2 is summed over the examples; each has its own",
            _elbo_with(kl=lambda m, C, k: 0.5 * ((m**2).sum() + torch.trace(C) - k - torch.logdet(C))),
        ),
        Mistake(
            "this is ln p(x), the bound at the best q; here q is given, and need not be the best",
            lambda x, W, m, C: _elbo(x, W, *_e_step(x, W)),
        ),
        Mistake(
            "the length of the error is not squared",
            lambda x, W, m, C: _elbo(x, W, m, C) + 0.5 * ((x - m @ W.T) ** 2).sum(1) - 0.5 * (x - m @ W.T).norm(dim=1),
        ),
        Mistake(
            "the squared error is summed over the examples too; each has its own",
            lambda x, W, m, C: _elbo(x, W, m, C) + 0.5 * ((x - m @ W.T) ** 2).sum(1) - 0.5 * ((x - m @ W.T) ** 2).sum(),
        ),
        Mistake(
            "C is missing in tr(W C W^T): W alone does not know how far z spreads",
            lambda x, W, m, C: _elbo_with(spread=0.0)(x, W, m, C) - 0.5 * (W**2).sum(),
        ),
        Mistake(
            "||W m||^2 is counted again: with ||x - W m||^2, only tr(W C W^T) is left to add",
            lambda x, W, m, C: _elbo(x, W, m, C) - 0.5 * ((m @ W.T) ** 2).sum(1),
        ),
        Mistake("W m is added to x; it is subtracted", lambda x, W, m, C: _elbo(-x, W, m, C)),
        Mistake(
            "the KL has the sum of all entries of C; its trace is that of the diagonal",
            _elbo_with(kl=lambda m, C, k: 0.5 * ((m**2).sum(1) + C.sum() - k - torch.logdet(C))),
        ),
        Mistake(
            "the KL has log det C twice as large: it is the logarithm of variances already",
            _elbo_with(kl=lambda m, C, k: 0.5 * ((m**2).sum(1) + torch.trace(C) - k - 2 * torch.logdet(C))),
        ),
        Mistake(
            "the KL has the logarithm of the trace; that of the determinant belongs there",
            _elbo_with(kl=lambda m, C, k: 0.5 * ((m**2).sum(1) + torch.trace(C) - k - torch.trace(C).log())),
        ),
    ),
)


# --- em-curve


def _em_with(
    *, bounds: tuple[str, ...] = ("E", "M"), stale: bool = False, mean: Any = lambda e: e.mean(), start: bool = False,
    first: str = "E", m: Any = _m_step, keep: bool = True, fixed: bool = False
) -> Any:  # fmt: skip
    def curve(x: Tensor, W: Tensor, rounds: int) -> Tensor:
        found = []
        k = W.shape[1]
        q = (x.new_zeros(len(x), k), torch.eye(k, dtype=x.dtype))
        covariance = _e_step(x, W)[1]
        if start:
            found.append(mean(_elbo(x, W, *_e_step(x, W))))
        for _ in range(rounds):
            for phase in ("E", "M") if first == "E" else ("M", "E"):
                old = W
                if phase == "E":
                    q = (_e_step(x, W)[0], covariance if fixed else _e_step(x, W)[1])
                else:
                    new = m(x, *q)
                    W = new if keep else W
                if phase in bounds:
                    found.append(mean(_elbo(x, (old if stale else W) if keep else (new if phase == "M" else W), *q)))
        return torch.stack(found)

    return curve


_em_curve = _em_with()


def _em_late(x: Tensor, W: Tensor, rounds: int) -> Tensor:
    found, q = [], _e_step(x, W)
    for _ in range(rounds):
        new = _m_step(x, *q)
        found += [_elbo(x, W, *q).mean(), _elbo(x, new, *q).mean()]
        q, W = _e_step(x, W), new
    return torch.stack(found)


def _em_cases(d: Draw) -> list[Case]:
    cases = []
    for name, b, x, W in _linear_cases(d):
        cases.append(case(f"{name}, {min(b, 3)} rounds", b, x=x, W=W, rounds=min(b, 3)))
    return cases


EM_CURVE = Part(
    id="em-curve",
    homework=3,
    title="up, and never down",
    points=4,
    trains="the whole algorithm: who is held while the other moves, and what the bound does",
    unit="nats, the mean bound after each E-step and each M-step",
    make_cases=_em_cases,
    reference=_em_curve,
    mistakes=(
        Mistake(
            "the bound is taken only after the M-steps; take it after the E-steps too",
            _em_with(bounds=("M",)),
        ),
        Mistake(
            "the bound is taken only after the E-steps; take it after the M-steps too",
            _em_with(bounds=("E",)),
        ),
        Mistake(
            "after an M-step the bound is taken at the old W: the newest decoder belongs there",
            _em_with(stale=True),
        ),
        Mistake("the bound is summed over the examples; take the mean", _em_with(mean=lambda e: e.sum())),
        Mistake(
            "the curve begins with a bound that no step has made: one number for each step",
            _em_with(start=True),
        ),
        Mistake(
            "the M-step takes the codes as certain: its matrix lacks n C, so that the bound can fall",
            _em_with(m=M_STEP.mistakes[0].function),
        ),
        Mistake(
            "the M-step adds C once; each of the n examples has its own",
            _em_with(m=M_STEP.mistakes[1].function),
        ),
        Mistake(
            "W does not change: each round starts from the first decoder. Keep what the M-step returns",
            _em_with(keep=False),
        ),
        Mistake("this is minus the bound", lambda x, W, rounds: -_em_curve(x, W, rounds)),
        Mistake(
            "there is one round too few",
            lambda x, W, rounds: _em_curve(x, W, rounds - 1) if rounds > 1 else x.new_zeros(0),
        ),
        Mistake(
            "these are the bounds of each round, all E-steps first; keep the order of the steps",
            lambda x, W, rounds: _em_curve(x, W, rounds).view(-1, 2).T.flatten(),
        ),
        Mistake(
            "return one number for each step in one row; this has a row for each round",
            lambda x, W, rounds: _em_curve(x, W, rounds).view(-1, 2),
        ),
        Mistake(
            "after an M-step, q was made new before the bound was taken: this is the bound after the next E-step",
            lambda x, W, rounds: _em_curve(x, W, rounds + 1)[[i + i % 2 for i in range(2 * rounds)]],
        ),
        Mistake(
            "the steps are in the wrong order: a round is an E-step, then an M-step",
            lambda x, W, rounds: _em_curve(x, W, rounds + 1)[1:-1],
        ),
        Mistake(
            "the M-step comes first here, with the prior for q: a round begins with the E-step",
            _em_with(first="M"),
        ),
        Mistake(
            "the result of the M-step is dropped: W stays as it was",
            lambda x, W, rounds: _em_curve(x, W, 1)[0].repeat(2 * rounds),
        ),
        Mistake(
            "it returns after the first round: is return inside of the loop?", lambda x, W, rounds: _em_curve(x, W, 1)
        ),
        Mistake(
            "this is the last bound alone; collect that of each step", lambda x, W, rounds: _em_curve(x, W, rounds)[-1]
        ),
        Mistake("this has a row for each step: the mean over the examples is missing", _em_with(mean=lambda e: e)),
        Mistake(
            "the E-step is done once, before the loop; each round has its own",
            lambda x, W, rounds: torch.cat([(v := _em_curve(x, W, 1))[:1], v[1:].expand(2 * rounds - 1)]),
        ),
        Mistake(
            "C is that of the first round; it depends on W, and changes with it",
            _em_with(fixed=True),
        ),
        Mistake(
            "x was centred: the model has mean zero already, and x is given as it is",
            lambda x, W, rounds: _em_curve(x - x.mean(0), W, rounds),
        ),
        Mistake("there is one round too many", lambda x, W, rounds: _em_curve(x, W, rounds + 1)),
        Mistake(
            "there are twice as many rounds: one round is two steps", lambda x, W, rounds: _em_curve(x, W, 2 * rounds)
        ),
        Mistake(
            "these are the bounds of all examples in a row: the mean over them is missing",
            lambda x, W, rounds: _em_with(mean=lambda e: e)(x, W, rounds).flatten(),
        ),
        Mistake(
            "the bound is taken before each step; take it after",
            lambda x, W, rounds: torch.cat(
                [
                    _elbo(x, W, x.new_zeros(len(x), W.shape[1]), torch.eye(W.shape[1], dtype=x.dtype)).mean()[None],
                    _em_curve(x, W, rounds)[:-1],
                ]
            ),
        ),
        Mistake("this is the bound of the first example; take the mean", _em_with(mean=lambda e: e[0])),
        Mistake(
            "the bound is divided by the number of coordinates; only the mean over the examples is taken",
            lambda x, W, rounds: _em_curve(x, W, rounds) / x.shape[1],
        ),
        Mistake("these are the rises; the bounds are asked for", lambda x, W, rounds: _em_curve(x, W, rounds).diff()),
        Mistake(
            "the E-step takes the decoder of the round before: after an M-step, the newest W is the new one",
            _em_late,
        ),
    ),
)


PARTS = (REPARAMETRISE, SCORE_GRADIENT, E_STEP, M_STEP, LINEAR_ELBO, EM_CURVE)
