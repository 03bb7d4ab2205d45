"""Homework 4: denoising diffusion (F21-F28, F32-F40)."""

from typing import Any

import torch
from torch import Tensor

from lecture11.homework.observation import Case, Given
from lecture11.homework.part import Draw, Mistake, Part, alpha_bar, case, in_float32
from lecture11.homework.variation import variation


def _per(values: Tensor, x: Tensor) -> Tensor:
    """One number for each example, ready to multiply ``x``."""
    return values.to(x.dtype).view(-1, *[1] * (x.ndim - 1))


# --- alpha-bar


def _alpha_bar_cases(d: Draw) -> list[Case]:
    return [
        case("one step", betas=torch.tensor([0.2], dtype=torch.float64)),
        case("two steps", betas=torch.tensor([0.1, 0.3], dtype=torch.float64)),
        case("a schedule", betas=d.betas(d.size(4, 7))),
        case("a schedule in float32", betas=d.betas(5).float()),
    ]


def _table(rows: Tensor) -> Tensor:
    return torch.cat([rows.new_ones(1), rows])


ALPHA_BAR = Part(
    id="alpha-bar",
    homework=4,
    title="what is left of the signal",
    points=1,
    trains="the table that the other parts start from, with its row 0",
    unit="",
    make_cases=_alpha_bar_cases,
    reference=alpha_bar,
    mistakes=(
        Mistake(
            "row 0 is missing. alpha_bar(0) = 1, so that step t stands in row t and no index is ever shifted",
            lambda betas: (1 - betas).cumprod(0),
        ),
        Mistake(
            "you multiplied the betas. alpha_bar is a product of alphas, and alpha_t = 1 - beta_t",
            lambda betas: _table(betas.cumprod(0)),
        ),
        Mistake("these are the alphas themselves; alpha_bar_t is the product of all up to t", lambda b: _table(1 - b)),
        Mistake(
            "you summed the betas. The share of the signal that each step leaves multiplies what was left before",
            lambda betas: _table(1 - betas.cumsum(0)),
        ),
        Mistake(
            "this is the square root of alpha_bar: what multiplies x_0, not the table itself",
            lambda betas: _table((1 - betas).cumprod(0).sqrt()),
        ),
        Mistake("this is 1 - alpha_bar, the noise and not the signal", lambda b: _table(1 - (1 - b).cumprod(0))),
        Mistake(
            "this is 1 - alpha_bar in all rows, the variance of the noise; row 0 is 1, and alpha_bar falls from there",
            lambda b: 1 - alpha_bar(b),
        ),
        Mistake(
            "there is one row too few: the last step is not in the table",
            lambda b: _table((1 - b).cumprod(0))[:-1],
        ),
    ),
)


# --- q-step


def _q_step(x_prev: Tensor, beta: Tensor, eps: Tensor) -> Tensor:
    b = _per(beta, x_prev)
    return (1 - b).sqrt() * x_prev + b.sqrt() * eps


def _q_step_cases(d: Draw) -> list[Case]:
    def one(name: str, b: int, *dims: int) -> Case:
        args: dict[str, Any] = {"x_prev": d.normal(b, *dims), "beta": d.betas(b), "eps": d.normal(b, *dims)}
        return case(name, b, grad=("x_prev", "eps"), **args)

    side = d.size(2, 4)
    first: dict[str, Any] = {
        "x_prev": torch.tensor([[0.5]], dtype=torch.float64),
        "beta": torch.tensor([0.36], dtype=torch.float64),
        "eps": torch.tensor([[1.0]], dtype=torch.float64),
    }
    return [
        case("one number", 1, **first),
        one("three points in the plane", 3, 2),
        one("as many points as dimensions", 3, 3),
        one("two small images", 2, 1, side, side),
        in_float32(one("four points", 4, 2)),
    ]


Q_STEP = Part(
    id="q-step",
    homework=4,
    title="one step of noise",
    points=1,
    trains="variance against standard deviation, and one number for each example",
    unit="",
    make_cases=_q_step_cases,
    reference=_q_step,
    mistakes=(
        Mistake(
            "the noise is multiplied with beta, as the lecture notes print it (erratum E11). beta is a variance: which "
            "factor gives noise of that variance?",
            lambda x, beta, eps: (1 - _per(beta, x)).sqrt() * x + _per(beta, x) * eps,
        ),
        Mistake(
            "x_prev is not shrunk: without it the variance grows with each step",
            lambda x, beta, eps: x + _per(beta, x).sqrt() * eps,
        ),
        Mistake(
            "x_prev is multiplied with 1 - beta; look at the mean of q(x_t | x_{t-1}) again",
            lambda x, beta, eps: (1 - _per(beta, x)) * x + _per(beta, x).sqrt() * eps,
        ),
        Mistake(
            "neither factor has its root: the variances 1 - beta and beta add up to 1, the factors are their roots",
            lambda x, beta, eps: (1 - _per(beta, x)) * x + _per(beta, x) * eps,
        ),
        Mistake(
            "signal and noise have each other's factor",
            lambda x, beta, eps: _per(beta, x).sqrt() * x + (1 - _per(beta, x)).sqrt() * eps,
        ),
        Mistake(
            "beta has one number for each example, and you multiplied along the last dimension. Give beta as many "
            "dimensions as x_prev has",
            lambda x, beta, eps: (1 - beta.to(x)).sqrt() * x + beta.to(x).sqrt() * eps,
        ),
        Mistake(
            "only the first beta is used; each example has its own",
            lambda x, beta, eps: (1 - beta[0].to(x)).sqrt() * x + beta[0].to(x).sqrt() * eps,
        ),
    ),
)


# --- q-sample


def _q_sample(alpha_bar: Tensor, x_0: Tensor, t: Tensor, eps: Tensor) -> Tensor:
    a = _per(alpha_bar[t], x_0)
    return a.sqrt() * x_0 + (1 - a).sqrt() * eps


def _alpha(table: Tensor, t: Tensor, x: Tensor) -> Tensor:
    return _per(table[t] / table[t - 1], x)


def _noised_cases(d: Draw, *, second: str = "x_0") -> list[Case]:
    table = alpha_bar(d.betas(d.size(5, 8)))
    T = len(table) - 1

    def one(name: str, b: int, t: Tensor, *dims: int) -> Case:
        args: dict[str, Any] = {"alpha_bar": table, second: d.normal(b, *dims), "t": t, "eps": d.normal(b, *dims)}
        return case(name, b, grad=(second, "eps"), **args)

    side = d.size(2, 4)
    short = torch.tensor([1, 0.8, 0.4], dtype=torch.float64)
    first: dict[str, Any] = {
        "alpha_bar": short,
        second: torch.tensor([[0.5]], dtype=torch.float64),
        "t": torch.tensor([2]),
        "eps": torch.tensor([[1.0]], dtype=torch.float64),
    }
    return [
        case("one number, T = 2", 1, **first),
        one("all at t = 1", 2, torch.ones(2, dtype=torch.int64), 2),
        one("three points in the plane", 3, torch.tensor([1, T, 2]), 2),
        one("as many points as dimensions", 3, torch.tensor([3, 1, T]), 3),
        one("two small images", 2, torch.tensor([T, 3]), 1, side, side),
        in_float32(one("four points", 4, d.steps(T, 4), 2)),
    ]


Q_SAMPLE = Part(
    id="q-sample",
    homework=4,
    title="t steps at once",
    points=2,
    trains="alpha against alpha_bar, and the row that belongs to a step",
    unit="",
    make_cases=_noised_cases,
    reference=_q_sample,
    mistakes=(
        Mistake(
            "you used alpha_t where alpha_bar_t belongs, as the lecture notes print it in Algorithm 1 (erratum E9): "
            "this is one step, and not t",
            lambda ab, x, t, eps: _alpha(ab, t, x).sqrt() * x + (1 - _alpha(ab, t, x)).sqrt() * eps,
        ),
        Mistake(
            "this is x_{t-1}: you took row t - 1. The table has its row 0, so step t stands in row t",
            lambda ab, x, t, eps: _q_sample(ab, x, t - 1, eps),
        ),
        Mistake(
            "the root over alpha_bar is missing in front of x_0",
            lambda ab, x, t, eps: _per(ab[t], x) * x + (1 - _per(ab[t], x)).sqrt() * eps,
        ),
        Mistake(
            "the noise is multiplied with its variance 1 - alpha_bar; which factor gives that variance?",
            lambda ab, x, t, eps: _per(ab[t], x).sqrt() * x + (1 - _per(ab[t], x)) * eps,
        ),
        Mistake(
            "1 - sqrt(alpha_bar) is not sqrt(1 - alpha_bar)",
            lambda ab, x, t, eps: _per(ab[t], x).sqrt() * x + (1 - _per(ab[t], x).sqrt()) * eps,
        ),
        Mistake(
            "both roots are missing: alpha_bar and 1 - alpha_bar are variances",
            lambda ab, x, t, eps: _per(ab[t], x) * x + (1 - _per(ab[t], x)) * eps,
        ),
        Mistake(
            "signal and noise have each other's factor",
            lambda ab, x, t, eps: (1 - _per(ab[t], x)).sqrt() * x + _per(ab[t], x).sqrt() * eps,
        ),
        Mistake(
            "all examples get the noise of the first one's step: t has one step for each example",
            lambda ab, x, t, eps: _q_sample(ab, x, t[:1].expand(len(x)), eps),
        ),
        Mistake(
            "alpha_bar[t] has one number for each example, and you multiplied along the last dimension. Give it as "
            "many "
            "dimensions as x_0 has",
            lambda ab, x, t, eps: ab[t].to(x).sqrt() * x + (1 - ab[t].to(x)).sqrt() * eps,
        ),
    ),
)


# --- half-signal: the answer is a number of the student's own schedule


def _half_signal(betas: Tensor) -> int:
    return int((alpha_bar(betas) < 0.5).nonzero()[0])


HALF_SIGNAL = Part(
    id="half-signal",
    homework=4,
    title="where signal and noise are equal",
    points=2,
    trains="reading a schedule: your own, so the number is yours alone",
    unit="",
    make_cases=lambda d: [case("your schedule", betas=variation(d.seed).betas)],
    reference=_half_signal,
    mistakes=(
        Mistake(
            "this is off by one. Steps count from 1; in a table with alpha_bar(0) = 1 in row 0, step t stands in row t",
            lambda betas: _half_signal(betas) - 1,
        ),
        Mistake(
            "this is one step too late: the step asked for is the first at which the signal is the weaker",
            lambda betas: _half_signal(betas) + 1,
        ),
        Mistake(
            "here sqrt(alpha_bar) falls below 1/2. The signal-to-noise ratio compares variances: alpha_bar with 1 - "
            "alpha_bar",
            lambda betas: int((alpha_bar(betas).sqrt() < 0.5).nonzero()[0]),
        ),
        Mistake(
            "this is half of T. The steps do not take equal amounts: compute alpha_bar",
            lambda betas: len(betas) // 2,
        ),
        Mistake(
            "here the sum of the betas passes 1/2; but what each step leaves multiplies: alpha_bar is a product",
            lambda betas: int((betas.cumsum(0) > 0.5).nonzero()[0]) + 1,
        ),
        Mistake(
            "this is the value of alpha_bar there, not the step",
            lambda betas: float(alpha_bar(betas)[_half_signal(betas)]),
        ),
    ),
    personal=True,
)


# --- simple-loss


def _simple_loss(model: Any, alpha_bar: Tensor, x_0: Tensor, t: Tensor, eps: Tensor) -> Tensor:
    return (eps - model(_q_sample(alpha_bar, x_0, t, eps), t)).square().flatten(1).sum(1)


def _simple_loss_cases(d: Draw) -> list[Case]:
    cases = []
    for noised in _noised_cases(d):
        model = Given("noise", {"seed": d.size(0, 1000)})
        grad = ("model",) if noised.grad else ()
        cases.append(case(noised.name, noised.batch, grad=grad, model=model, **noised.args))
    return cases


def _loss_of(target: Any, *, steps: Any = lambda t: t, noisy: Any = _q_sample) -> Any:
    def loss(model: Any, ab: Tensor, x: Tensor, t: Tensor, eps: Tensor) -> Tensor:
        x_t = noisy(ab, x, t, eps)
        return (target(x, x_t, eps) - model(x_t, steps(t))).square().flatten(1).sum(1)

    return loss


SIMPLE_LOSS = Part(
    id="simple-loss",
    homework=4,
    title="Algorithm 1: the loss",
    points=3,
    trains="what the network sees, what it is to say, and sums against means",
    unit="one number for each example",
    make_cases=_simple_loss_cases,
    reference=_simple_loss,
    mistakes=(
        Mistake(
            "you averaged over the pixels; the loss is the squared length of the error, a sum",
            lambda m, ab, x, t, eps: (eps - m(_q_sample(ab, x, t, eps), t)).square().flatten(1).mean(1),
        ),
        Mistake(
            "you averaged over the examples as well; return one number for each, the caller takes the mean",
            lambda m, ab, x, t, eps: _simple_loss(m, ab, x, t, eps).mean(),
        ),
        Mistake(
            "this is one mean over everything; return one number for each example, summed over the pixels",
            lambda m, ab, x, t, eps: (eps - m(_q_sample(ab, x, t, eps), t)).square().mean(),
        ),
        Mistake(
            "you summed over the examples too; return one number for each, the caller takes the mean",
            lambda m, ab, x, t, eps: _simple_loss(m, ab, x, t, eps).sum(),
        ),
        Mistake(
            "the network's answer is compared with x_0; what it predicts is the noise",
            _loss_of(lambda x, x_t, eps: x),
        ),
        Mistake(
            "the network's answer is compared with x_t; what it predicts is the noise",
            _loss_of(lambda x, x_t, eps: x_t),
        ),
        Mistake(
            "the network is shown the clean x_0; it must see x_t",
            _loss_of(lambda x, x_t, eps: eps, noisy=lambda ab, x, t, eps: x),
        ),
        Mistake(
            "x_t is made with alpha_t where alpha_bar_t belongs, as the lecture notes print Algorithm 1 (erratum E9)",
            _loss_of(lambda x, x_t, eps: eps, noisy=lambda ab, x, t, e: Q_SAMPLE.mistakes[0].function(ab, x, t, e)),
        ),
        Mistake(
            "x_t is made with row t - 1 of the table: with alpha_bar(0) in row 0, step t stands in row t",
            _loss_of(lambda x, x_t, eps: eps, noisy=lambda ab, x, t, e: _q_sample(ab, x, t - 1, e)),
        ),
        Mistake(
            "the noise in x_t has the wrong factor: 1 - alpha_bar is its variance",
            _loss_of(lambda x, x_t, eps: eps, noisy=lambda ab, x, t, e: Q_SAMPLE.mistakes[3].function(ab, x, t, e)),
        ),
        Mistake(
            "the network is told t - 1; it counts steps from 1, as the rows of the table do",
            _loss_of(lambda x, x_t, eps: eps, steps=lambda t: t - 1),
        ),
        Mistake(
            "the network is told another step than the one that made x_t: is it t + 1?",
            _loss_of(lambda x, x_t, eps: eps, steps=lambda t: t + 1),
        ),
        Mistake(
            "this is the length of the error; the loss is its square",
            lambda m, ab, x, t, eps: _simple_loss(m, ab, x, t, eps).sqrt(),
        ),
        Mistake(
            "these are absolute values; the loss is a sum of squares",
            lambda m, ab, x, t, eps: (eps - m(_q_sample(ab, x, t, eps), t)).abs().flatten(1).sum(1),
        ),
    ),
)


# --- posterior


def _posterior(alpha_bar: Tensor, x_0: Tensor, x_t: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    now, before = alpha_bar[t], alpha_bar[t - 1]
    alpha = now / before
    of_x_t, of_x_0 = alpha.sqrt() * (1 - before) / (1 - now), before.sqrt() * (1 - alpha) / (1 - now)
    mean = _per(of_x_t, x_t) * x_t + _per(of_x_0, x_t) * x_0
    return mean, ((1 - before) / (1 - now) * (1 - alpha)).to(x_t.dtype)


def _posterior_cases(d: Draw) -> list[Case]:
    cases = []
    for noised in _noised_cases(d):
        table, x_0, t, x_t = noised.args.values()
        args: dict[str, Any] = {"alpha_bar": table, "x_0": x_0, "x_t": x_t, "t": t}
        cases.append(case(noised.name, noised.batch, grad=("x_0", "x_t") if noised.grad else (), **args))
    return cases


def _posterior_with(mean: Any = None, variance: Any = None) -> Any:
    """The posterior with another formula for its mean or its variance; each gets alpha, now, before."""

    def posterior(ab: Tensor, x_0: Tensor, x_t: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        right, right_variance = _posterior(ab, x_0, x_t, t)
        now, before = ab[t], ab[t - 1]
        if mean is not None:
            of_x_t, of_x_0 = mean(now / before, now, before)
            right = _per(of_x_t, x_t) * x_t + _per(of_x_0, x_t) * x_0
        if variance is not None:
            right_variance = variance(now / before, now, before).to(x_t.dtype)
        return right, right_variance

    return posterior


POSTERIOR = Part(
    id="posterior",
    homework=4,
    title="the step back, when x_0 is known",
    points=3,
    trains="alpha_bar_{t-1} against alpha_bar_t, and the posterior variance",
    unit="mean of the shape of x_t, variance of shape (batch,)",
    make_cases=_posterior_cases,
    reference=_posterior,
    mistakes=(
        Mistake(
            "the mean is right, the variance is not: it is beta_t, that of the step forward. Knowing x_0 leaves less",
            _posterior_with(variance=lambda a, now, before: 1 - a),
        ),
        Mistake(
            "the mean is right, the variance is not: you returned its root, the standard deviation",
            _posterior_with(variance=lambda a, now, before: ((1 - before) / (1 - now) * (1 - a)).sqrt()),
        ),
        Mistake(
            "the mean is right, the variance is not: its fraction stands upside down; it must be 0 at t = 1",
            _posterior_with(variance=lambda a, now, before: (1 - now) / (1 - before) * (1 - a)),
        ),
        Mistake(
            "the mean is right, the variance is not: you used alpha_bar_t where alpha_bar_{t-1} belongs, which cancels",
            _posterior_with(variance=lambda a, now, before: (1 - now) * (1 - a)),
        ),
        Mistake(
            "you used alpha_bar_t where alpha_bar_{t-1} belongs, in front of x_0",
            _posterior_with(
                lambda a, now, before: (a.sqrt() * (1 - before) / (1 - now), now.sqrt() * (1 - a) / (1 - now))
            ),
        ),
        Mistake(
            "you used alpha_bar_t where alpha_bar_{t-1} belongs, in front of x_t: the fraction is no longer one",
            _posterior_with(lambda a, now, before: (a.sqrt(), before.sqrt() * (1 - a) / (1 - now))),
        ),
        Mistake(
            "the factors of x_0 and x_t are exchanged",
            _posterior_with(
                lambda a, now, before: (before.sqrt() * (1 - a) / (1 - now), a.sqrt() * (1 - before) / (1 - now))
            ),
        ),
        Mistake(
            "the roots in the mean are missing: over alpha_t in front of x_t, over alpha_bar_{t-1} in front of x_0",
            _posterior_with(lambda a, now, before: (a * (1 - before) / (1 - now), before * (1 - a) / (1 - now))),
        ),
        Mistake(
            "in front of x_t stands sqrt(alpha_bar_t); it is sqrt(alpha_t), of one step",
            _posterior_with(
                lambda a, now, before: (now.sqrt() * (1 - before) / (1 - now), before.sqrt() * (1 - a) / (1 - now))
            ),
        ),
        Mistake(
            "both are right, in the wrong order: the mean first, then the variance",
            lambda ab, x_0, x_t, t: _posterior(ab, x_0, x_t, t)[::-1],
        ),
        Mistake(
            "the variance is missing: return the mean and the variance",
            lambda ab, x_0, x_t, t: _posterior(ab, x_0, x_t, t)[0],
        ),
    ),
)


# --- mu-theta


def _mu_theta(alpha_bar: Tensor, x_t: Tensor, t: Tensor, eps: Tensor) -> Tensor:
    alpha, now = _alpha(alpha_bar, t, x_t), _per(alpha_bar[t], x_t)
    return (x_t - (1 - alpha) / (1 - now).sqrt() * eps) / alpha.sqrt()


def _mu_with(formula: Any) -> Any:
    return lambda ab, x_t, t, eps: formula(_alpha(ab, t, x_t), _per(ab[t], x_t), x_t, eps)


MU_THETA = Part(
    id="mu-theta",
    homework=4,
    title="the step back, when the noise is predicted",
    points=2,
    trains="the formula of Algorithm 2, and three of its misprints",
    unit="",
    make_cases=lambda d: _noised_cases(d, second="x_t"),
    reference=_mu_theta,
    mistakes=(
        Mistake(
            "in front stands 1/sqrt(alpha_bar_t), as the lecture notes print it (erratum E13). One step back undoes "
            "the "
            "shrinking of one step",
            _mu_with(lambda a, now, x, e: (x - (1 - a) / (1 - now).sqrt() * e) / now.sqrt()),
        ),
        Mistake(
            "the noise is divided by sqrt(1 - alpha_t), as the lecture notes print Algorithm 2 (erratum E10). The "
            "noise in "
            "x_t is that of t steps",
            _mu_with(lambda a, now, x, e: (x - (1 - a) / (1 - a).sqrt() * e) / a.sqrt()),
        ),
        Mistake(
            "this takes away all noise at once: it is the predicted x_0, not the mean of x_{t-1}",
            _mu_with(lambda a, now, x, e: (x - (1 - now).sqrt() * e) / now.sqrt()),
        ),
        Mistake(
            "the factor 1/sqrt(alpha_t) in front is missing",
            _mu_with(lambda a, now, x, e: x - (1 - a) / (1 - now).sqrt() * e),
        ),
        Mistake(
            "1/sqrt(alpha_t) multiplies x_t alone; it stands in front of the whole bracket",
            _mu_with(lambda a, now, x, e: x / a.sqrt() - (1 - a) / (1 - now).sqrt() * e),
        ),
        Mistake(
            "you added the noise; going back takes it away",
            _mu_with(lambda a, now, x, e: (x + (1 - a) / (1 - now).sqrt() * e) / a.sqrt()),
        ),
        Mistake(
            "the root over 1 - alpha_bar_t is missing",
            _mu_with(lambda a, now, x, e: (x - (1 - a) / (1 - now) * e) / a.sqrt()),
        ),
        Mistake(
            "the factor in front is 1/alpha_t; its root is missing",
            _mu_with(lambda a, now, x, e: (x - (1 - a) / (1 - now).sqrt() * e) / a),
        ),
        Mistake(
            "you multiplied with sqrt(alpha_t), as a step forward does; going back divides",
            _mu_with(lambda a, now, x, e: (x - (1 - a) / (1 - now).sqrt() * e) * a.sqrt()),
        ),
        Mistake(
            "the noise is multiplied with sqrt(1 - alpha_t); it is 1 - alpha_t over a root",
            _mu_with(lambda a, now, x, e: (x - (1 - a).sqrt() / (1 - now).sqrt() * e) / a.sqrt()),
        ),
    ),
)


# --- sampler


def _walk(
    *,
    last: bool = False,
    sigma: Any = lambda beta, posterior: posterior.sqrt(),
    told: Any = lambda t: t,
    mean: Any = _mu_theta,
    steps: Any = lambda T: range(T, 0, -1),
    row: Any = lambda t: t - 1,
) -> Any:
    """Algorithm 2, with a place for each mistake."""

    def run(model: Any, betas: Tensor, x_T: Tensor, noise: Tensor) -> Tensor:
        table, x = alpha_bar(betas), x_T
        for t in steps(len(betas)):
            step = torch.full((len(x),), t, dtype=torch.int64)
            x_mean = mean(table, x, step, model(x, told(step)))
            beta = betas[t - 1]
            posterior = (1 - table[t - 1]) / (1 - table[t]) * beta
            # At t = 1 the posterior variance is 0, and with beta the noise must be left out.
            scale = sigma(beta, posterior) if t > 1 or last else betas.new_zeros(())
            x = x_mean + scale.to(x.dtype) * noise[row(t)]
        return x

    return run


_sampler = _walk()
_first_step_only = _walk(steps=lambda T: [1])


def _sampler_cases(d: Draw) -> list[Case]:
    def one(name: str, betas: Tensor, b: int, *dims: int) -> Case:
        model = Given("noise", {"seed": d.size(0, 1000)})
        args: dict[str, Any] = {
            "model": model,
            "betas": betas,
            "x_T": d.normal(b, *dims),
            "noise": d.normal(len(betas), b, *dims),
        }
        return case(name, b, **args)

    return [
        one("T = 1: a single step", torch.tensor([0.3], dtype=torch.float64), 1, 1),
        one("T = 2", torch.tensor([0.2, 0.5], dtype=torch.float64), 1, 1),
        one("points in the plane", d.betas(d.size(4, 6)), 3, 2),
        one("small images", d.betas(3), 2, 1, 2, 2),
    ]


SAMPLER = Part(
    id="sampler",
    homework=4,
    title="Algorithm 2: the sampler",
    points=4,
    trains="the whole loop: its order, its noise, and its last step",
    unit="x_0",
    make_cases=_sampler_cases,
    reference=_sampler,
    mistakes=(
        Mistake(
            "right, but noise was added at t = 1 as well. The last step gives the image: z = 0 there",
            _walk(last=True, sigma=lambda b, p: torch.where(p > 0, p, b).sqrt()),
        ),
        Mistake(
            "sigma_t is sqrt(beta_t), and noise was added at t = 1 as well. This task takes the posterior variance, "
            "and "
            "z = 0 at t = 1",
            _walk(last=True, sigma=lambda b, p: b.sqrt()),
        ),
        Mistake(
            "sigma_t is sqrt(beta_t). It is a good choice too, but this task asks for the posterior variance",
            _walk(sigma=lambda b, p: b.sqrt()),
        ),
        Mistake(
            "the noise is multiplied with the variance; which factor gives noise of that variance?",
            _walk(sigma=lambda b, p: p),
        ),
        Mistake(
            "the noise is multiplied with beta_t, a variance, and not the posterior one",
            _walk(sigma=lambda b, p: b),
        ),
        Mistake("no noise was added at all; each step but the last is a draw", _walk(sigma=lambda b, p: 0 * p)),
        Mistake(
            "the steps run from 1 to T. Sampling starts at the noise, at t = T",
            _walk(steps=lambda T: range(1, T + 1)),
        ),
        Mistake(
            "the last step, t = 1, is missing: range(T, 1, -1) ends at 2",
            _walk(steps=lambda T: range(T, 1, -1)),
        ),
        Mistake(
            "the model is told a step that is one too large: it counts from 1, as the table's rows do",
            _walk(told=lambda t: t + 1),
        ),
        Mistake(
            "the model is told t - 1; it counts steps from 1, as the table's rows do",
            _walk(told=lambda t: t - 1),
        ),
        Mistake(
            "the mean has 1/sqrt(alpha_bar_t) in front, as the lecture notes print it (erratum E13)",
            _walk(mean=MU_THETA.mistakes[0].function),
        ),
        Mistake(
            "the predicted noise is divided by sqrt(1 - alpha_t), as the lecture notes print Algorithm 2 (erratum E10)",
            _walk(mean=MU_THETA.mistakes[1].function),
        ),
        Mistake(
            "the factor 1/sqrt(alpha_t) in front of the bracket is missing",
            _walk(mean=MU_THETA.mistakes[3].function),
        ),
        Mistake(
            "the noise of the wrong step is used: step t takes noise[t - 1]",
            lambda model, betas, x_T, noise: _sampler(model, betas, x_T, noise.flip(0)),
        ),
        Mistake(
            "this is x_T: the loop changes nothing. Does each pass write its result to the x that the next one reads?",
            lambda model, betas, x_T, noise: x_T.clone(),
        ),
        Mistake(
            "each pass starts from x_T again. The result of one pass is where the next one starts",
            _first_step_only,
        ),
    ),
)


# --- loss-weight


def _loss_weight(betas: Tensor) -> Tensor:
    table = alpha_bar(betas)
    alpha = 1 - betas[1:]
    return betas[1:] / (2 * alpha * (1 - table[1:-1]))


def _weight_with(formula: Any, first: int = 2) -> Any:
    def weight(betas: Tensor) -> Tensor:
        table = alpha_bar(betas)
        t = torch.arange(first, len(betas) + 1)
        return formula(betas[t - 1], 1 - betas[t - 1], table[t], table[t - 1])

    return weight


LOSS_WEIGHT = Part(
    id="loss-weight",
    homework=4,
    title="what Algorithm 1 leaves out",
    points=3,
    trains="from a distance of means to a distance of noises, and a look at the result",
    unit="for t = 2, ..., T",
    make_cases=lambda d: [
        case("T = 2", betas=torch.tensor([0.1, 0.3], dtype=torch.float64)),
        case("T = 3", betas=torch.tensor([0.1, 0.2, 0.5], dtype=torch.float64)),
        case("a schedule", betas=d.betas(d.size(5, 9))),
        case("your schedule", betas=variation(d.seed).betas),
    ],
    reference=_loss_weight,
    mistakes=(
        Mistake(
            "row t = 1 is in it. There the posterior variance is 0 and the weight infinite: begin at t = 2",
            _weight_with(lambda b, a, now, before: b / (2 * a * (1 - before)), first=1),
        ),
        Mistake(
            "the 2 in the denominator is missing",
            _weight_with(lambda b, a, now, before: b / (a * (1 - before))),
        ),
        Mistake(
            "you used alpha_bar_t where alpha_bar_{t-1} belongs, or beta_t where beta~_t does: both laws have the "
            "posterior variance. Write it out and see which factor cancels",
            _weight_with(lambda b, a, now, before: b / (2 * a * (1 - now))),
        ),
        Mistake(
            "alpha_t in the denominator is missing: the mean has 1/sqrt(alpha_t) in front, and it is squared",
            _weight_with(lambda b, a, now, before: b / (2 * (1 - before))),
        ),
        Mistake(
            "the root of alpha_t is in the denominator; the distance is squared, and so is the factor",
            _weight_with(lambda b, a, now, before: b / (2 * a.sqrt() * (1 - before))),
        ),
        Mistake(
            "alpha_bar_t stands where alpha_t belongs",
            _weight_with(lambda b, a, now, before: b / (2 * now * (1 - before))),
        ),
        Mistake(
            "beta~_t is multiplied where it should divide",
            _weight_with(lambda b, a, now, before: b**2 * (1 - before) / (1 - now) * b / (2 * a * (1 - now))),
        ),
        Mistake(
            "beta_t is not squared before it is divided by beta~_t",
            _weight_with(lambda b, a, now, before: 1 / (2 * a * (1 - before))),
        ),
    ),
)


PARTS = (
    ALPHA_BAR,
    Q_STEP,
    Q_SAMPLE,
    HALF_SIGNAL,
    SIMPLE_LOSS,
    POSTERIOR,
    MU_THETA,
    SAMPLER,
    LOSS_WEIGHT,
)
