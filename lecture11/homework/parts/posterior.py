"""Homework 4, part 6: the step back, when x_0 is known."""

from typing import Any

from torch import Tensor

from lecture11.homework.observation import Case
from lecture11.homework.part import Mistake, Part, case, per
from lecture11.homework.parts.q_sample import noised_cases, noised_edges, step_alpha


def posterior(alpha_bar: Tensor, x_0: Tensor, x_t: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    now, before = alpha_bar[t], alpha_bar[t - 1]
    alpha = now / before
    of_x_t, of_x_0 = alpha.sqrt() * (1 - before) / (1 - now), before.sqrt() * (1 - alpha) / (1 - now)
    mean = per(of_x_t, x_t) * x_t + per(of_x_0, x_t) * x_0
    return mean, ((1 - before) / (1 - now) * (1 - alpha)).to(x_t.dtype)


def _posterior_cases(plain: list[Case]) -> list[Case]:
    cases = []
    for noised in plain:
        table, x_0, t, x_t = noised.args.values()
        args: dict[str, Any] = {"alpha_bar": table, "x_0": x_0, "x_t": x_t, "t": t}
        cases.append(case(noised.name, noised.batch, grad=("x_0", "x_t") if noised.grad else (), **args))
    return cases


def _posterior_with(mean: Any = None, variance: Any = None) -> Any:
    """The posterior with another formula for its mean or its variance; each gets alpha, now, before."""

    def answer(ab: Tensor, x_0: Tensor, x_t: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        right, right_variance = posterior(ab, x_0, x_t, t)
        now, before = ab[t], ab[t - 1]
        if mean is not None:
            of_x_t, of_x_0 = mean(now / before, now, before)
            right = per(of_x_t, x_t) * x_t + per(of_x_0, x_t) * x_0
        if variance is not None:
            right_variance = variance(now / before, now, before).to(x_t.dtype)
        return right, right_variance

    return answer


def _both(a: Tensor, before: Tensor, denominator: Tensor) -> tuple[Tensor, Tensor]:
    return a.sqrt() * (1 - before) / denominator, before.sqrt() * (1 - a) / denominator


def _exchanged(a: Tensor, now: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
    return a.sqrt() * (1 - a) / (1 - now), before.sqrt() * (1 - before) / (1 - now)


def _of_x_t(numerator: Any) -> Any:
    """The mean with another factor of x_t, over 1 - alpha_bar_t."""
    return _posterior_with(
        lambda a, now, before: (numerator(a, now, before) / (1 - now), before.sqrt() * (1 - a) / (1 - now))
    )


def _of_x_0(numerator: Any) -> Any:
    return _posterior_with(
        lambda a, now, before: (a.sqrt() * (1 - before) / (1 - now), numerator(a, now, before) / (1 - now))
    )


MISTAKES = (
    Mistake("forward-variance", "the mean is right, the variance is not: it is beta_t, that of the step forward. "
            "Knowing x_0 leaves less", _posterior_with(variance=lambda a, now, before: 1 - a)),
    Mistake("standard-deviation", "the mean is right, the variance is not: you returned its root, the standard "
            "deviation", _posterior_with(variance=lambda a, now, before: ((1 - before) / (1 - now) * (1 - a)).sqrt())),
    Mistake("upside-down", "the mean is right, the variance is not: its fraction stands upside down; it must be 0 at t "
            "= 1", _posterior_with(variance=lambda a, now, before: (1 - now) / (1 - before) * (1 - a))),
    Mistake("now-in-variance", "the mean is right, the variance is not: you used alpha_bar_t where alpha_bar_{t-1} "
            "belongs, which cancels", _posterior_with(variance=lambda a, now, before: (1 - now) * (1 - a))),
    Mistake("now-before-x0", "you used alpha_bar_t where alpha_bar_{t-1} belongs, in front of x_0",
            _posterior_with(
                lambda a, now, before: (a.sqrt() * (1 - before) / (1 - now), now.sqrt() * (1 - a) / (1 - now))
            )),
    Mistake("now-before-xt", "you used alpha_bar_t where alpha_bar_{t-1} belongs, in front of x_t: the fraction is no "
            "longer one", _posterior_with(lambda a, now, before: (a.sqrt(), before.sqrt() * (1 - a) / (1 - now)))),
    Mistake("swapped", "the factors of x_0 and x_t are exchanged",
            _posterior_with(
                lambda a, now, before: (before.sqrt() * (1 - a) / (1 - now), a.sqrt() * (1 - before) / (1 - now))
            )),
    Mistake("roots-missing", "the roots in the mean are missing: over alpha_t in front of x_t, over alpha_bar_{t-1} in "
            "front of x_0",
            _posterior_with(lambda a, now, before: (a * (1 - before) / (1 - now), before * (1 - a) / (1 - now)))),
    Mistake("root-of-alpha-bar", "in front of x_t stands sqrt(alpha_bar_t); it is sqrt(alpha_t), of one step",
            _posterior_with(
                lambda a, now, before: (now.sqrt() * (1 - before) / (1 - now), before.sqrt() * (1 - a) / (1 - now))
            )),
    Mistake("beta-missing-variance", "the mean is right, the variance is not: beta_t is missing after the fraction",
            _posterior_with(variance=lambda a, now, before: (1 - before) / (1 - now))),
    Mistake("alpha-in-variance", "the mean is right, the variance is not: alpha_t stands where beta_t belongs",
            _posterior_with(variance=lambda a, now, before: (1 - before) / (1 - now) * a)),
    Mistake("signal-in-variance", "the mean is right, the variance is not: its fraction has alpha_bar in place of "
            "1 - alpha_bar", _posterior_with(variance=lambda a, now, before: before / now * (1 - a))),
    Mistake("denominator-missing-variance", "the mean is right, the variance is not: its denominator is missing",
            _posterior_with(variance=lambda a, now, before: (1 - before) * (1 - a))),
    Mistake("beta-squared", "the mean is right, the variance is not: beta_t is squared, and it is a variance already",
            _posterior_with(variance=lambda a, now, before: (1 - before) / (1 - now) * (1 - a) ** 2)),
    Mistake("noise-so-far", "the mean is right, the variance is not: 1 - alpha_bar_t is that of x_t given x_0",
            _posterior_with(variance=lambda a, now, before: 1 - now)),
    Mistake("noise-before", "the mean is right, the variance is not: 1 - alpha_bar_{t-1} is that of x_{t-1} before "
            "x_t is seen", _posterior_with(variance=lambda a, now, before: 1 - before)),
    Mistake("log-variance", "the mean is right, the variance is not: you returned its logarithm",
            _posterior_with(variance=lambda a, now, before: ((1 - before) / (1 - now) * (1 - a)).log())),
    # the mean: what stands in front of x_t, and in front of x_0
    Mistake("root-missing-xt", "the root over alpha_t is missing, in front of x_t",
            _of_x_t(lambda a, now, before: a * (1 - before))),
    Mistake("root-missing-x0", "the root over alpha_bar_{t-1} is missing, in front of x_0",
            _of_x_0(lambda a, now, before: before * (1 - a))),
    Mistake("alpha-before-x0", "in front of x_0 stands sqrt(alpha_t); it is sqrt(alpha_bar_{t-1}), of all steps before",
            _of_x_0(lambda a, now, before: a.sqrt() * (1 - a))),
    Mistake("bar-before-xt", "in front of x_t stands sqrt(alpha_bar_{t-1}); it is sqrt(alpha_t), of one step",
            _of_x_t(lambda a, now, before: before.sqrt() * (1 - before))),
    Mistake("alpha-for-beta", "in front of x_0, alpha_t stands where beta_t belongs",
            _of_x_0(lambda a, now, before: before.sqrt() * a)),
    Mistake("root-of-beta", "in front of x_0 stands the root of beta_t; it is beta_t itself",
            _of_x_0(lambda a, now, before: before.sqrt() * (1 - a).sqrt())),
    Mistake("beta-missing", "in front of x_0, beta_t is missing", _of_x_0(lambda a, now, before: before.sqrt())),
    Mistake("noise-missing-xt", "in front of x_t, 1 - alpha_bar_{t-1} is missing",
            _of_x_t(lambda a, now, before: a.sqrt())),
    Mistake("alpha-missing-xt", "in front of x_t, sqrt(alpha_t) is missing",
            _of_x_t(lambda a, now, before: 1 - before)),
    Mistake("bar-missing-x0", "in front of x_0, sqrt(alpha_bar_{t-1}) is missing",
            _of_x_0(lambda a, now, before: 1 - a)),
    Mistake("signal-before-xt", "in front of x_t, alpha_bar_{t-1} stands where 1 - alpha_bar_{t-1} belongs",
            _of_x_t(lambda a, now, before: a.sqrt() * before)),
    Mistake("xt-upside-down", "the fraction in front of x_t stands upside down",
            _of_x_t(lambda a, now, before: a.sqrt() * (1 - now) ** 2 / (1 - before))),
    Mistake("noise-exchanged", "1 - alpha_bar_{t-1} and beta_t have changed places in the mean",
            _posterior_with(_exchanged)),
    Mistake("denominators-missing", "in the mean, the denominators 1 - alpha_bar_t are missing",
            _posterior_with(lambda a, now, before: (a.sqrt() * (1 - before), before.sqrt() * (1 - a)))),
    Mistake("denominators-root", "in the mean, the denominators have a root; they are 1 - alpha_bar_t",
            _posterior_with(lambda a, now, before: _both(a, before, (1 - now).sqrt()))),
    Mistake("denominators-before", "in the mean, the denominators are 1 - alpha_bar_{t-1}; it is 1 - alpha_bar_t",
            _posterior_with(lambda a, now, before: _both(a, before, 1 - before))),
    Mistake("denominators-signal", "in the mean, the denominators are alpha_bar_t; it is 1 - alpha_bar_t",
            _posterior_with(lambda a, now, before: _both(a, before, now))),
    Mistake("x0-missing", "x_0 is missing in the mean: it is known here, and draws x_{t-1} towards it",
            _of_x_0(lambda a, now, before: 0 * now)),
    Mistake("xt-missing", "x_t is missing in the mean: both are known here", _of_x_t(lambda a, now, before: 0 * now)),
    Mistake("subtracted", "the two terms of the mean are subtracted; they add",
            _of_x_0(lambda a, now, before: -before.sqrt() * (1 - a))),
    Mistake("without-xt", "this is the mean of x_{t-1} given x_0 alone: x_t tells more",
            _posterior_with(lambda a, now, before: (0 * now, before.sqrt()))),
    Mistake("alpha-is-bar", "alpha_t is taken for alpha_bar_t, everywhere: it is alpha_bar_t over alpha_bar_{t-1}",
            _posterior_with(lambda a, now, before: (now.sqrt() * (1 - before) / (1 - now), before.sqrt()),
                            lambda a, now, before: 1 - before)),
    Mistake("order", "both are right, in the wrong order: the mean first, then the variance",
            lambda ab, x_0, x_t, t: posterior(ab, x_0, x_t, t)[::-1]),
    Mistake("variance-missing", "the variance is missing: return the mean and the variance",
            lambda ab, x_0, x_t, t: posterior(ab, x_0, x_t, t)[0]),
    Mistake("forward-squared", "the mean is right, the variance is not: it is beta_t squared, and beta_t is a variance",
            _posterior_with(variance=lambda a, now, before: (1 - a) ** 2)),
    Mistake("root-of-fraction", "the mean is right, the variance is not: its fraction stands under a root",
            _posterior_with(variance=lambda a, now, before: ((1 - before) / (1 - now)).sqrt() * (1 - a))),
    Mistake("root-of-beta-variance", "the mean is right, the variance is not: beta_t stands under a root",
            _posterior_with(variance=lambda a, now, before: (1 - before) / (1 - now) * (1 - a).sqrt())),
    Mistake("roots-in-fraction", "the mean is right, the variance is not: its fraction is one of roots of alpha_bar",
            _posterior_with(variance=lambda a, now, before: (1 - before.sqrt()) / (1 - now.sqrt()) * (1 - a))),
    Mistake("beta-for-alpha-xt", "in front of x_t stands sqrt(beta_t); it is sqrt(alpha_t)",
            _of_x_t(lambda a, now, before: (1 - a).sqrt() * (1 - before))),
    Mistake("beta-for-noise-xt", "in front of x_t, beta_t stands where 1 - alpha_bar_{t-1} belongs",
            _of_x_t(lambda a, now, before: a.sqrt() * (1 - a))),
    Mistake("root-of-noise-xt", "in front of x_t, 1 - alpha_bar_{t-1} stands under a root",
            _of_x_t(lambda a, now, before: a.sqrt() * (1 - before).sqrt())),
    Mistake("noise-for-beta-x0", "in front of x_0, 1 - alpha_bar_{t-1} stands where beta_t belongs",
            _of_x_0(lambda a, now, before: before.sqrt() * (1 - before))),
    Mistake("noise-for-signal-x0", "in front of x_0 stands sqrt(1 - alpha_bar_{t-1}); it is sqrt(alpha_bar_{t-1})",
            _of_x_0(lambda a, now, before: (1 - before).sqrt() * (1 - a))),
    Mistake("beta-is-noise-x0", "in front of x_0, 1 - alpha_bar_t stands where beta_t belongs, and cancels",
            _of_x_0(lambda a, now, before: before.sqrt() * (1 - now))),
    Mistake("denominator-missing-xt", "in front of x_t, the denominator 1 - alpha_bar_t is missing",
            _of_x_t(lambda a, now, before: a.sqrt() * (1 - before) * (1 - now))),
    Mistake("denominator-missing-x0", "in front of x_0, the denominator 1 - alpha_bar_t is missing",
            _of_x_0(lambda a, now, before: before.sqrt() * (1 - a) * (1 - now))),
    Mistake("forward-mean", "this is the mean of the step forward, sqrt(alpha_t) x_t; the step back is asked for",
            lambda ab, x_0, x_t, t: (step_alpha(ab, t, x_t).sqrt() * x_t, posterior(ab, x_0, x_t, t)[1])),
    Mistake("noised-x0", "this is the mean of x_t given x_0, sqrt(alpha_bar_t) x_0; that of x_{t-1} is asked for",
            lambda ab, x_0, x_t, t: (per(ab[t], x_0).sqrt() * x_0, posterior(ab, x_0, x_t, t)[1])),
)  # fmt: skip

PART = Part(
    id="posterior",
    homework=4,
    title="the step back, when x_0 is known",
    points=3,
    trains="alpha_bar_{t-1} against alpha_bar_t, and the posterior variance",
    unit="mean of the shape of x_t, variance of shape (batch,)",
    make_cases=lambda d: _posterior_cases(noised_cases(d)),
    make_edges=lambda d: _posterior_cases(noised_edges(d)),
    reference=posterior,
    mistakes=MISTAKES,
)
