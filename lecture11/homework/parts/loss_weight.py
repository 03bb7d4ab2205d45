"""Homework 4, part 9: what Algorithm 1 leaves out."""

from typing import Any

import torch
from torch import Tensor

from lecture11.homework.part import Mistake, Part, alpha_bar, case, generic, in_float32
from lecture11.homework.variation import variation


def loss_weight(betas: Tensor) -> Tensor:
    table = alpha_bar(betas)
    alpha = 1 - betas[1:]
    return betas[1:] / (2 * alpha * (1 - table[1:-1]))


def _weight_with(formula: Any, first: int = 2) -> Any:
    def weight(betas: Tensor) -> Tensor:
        table = alpha_bar(betas)
        t = torch.arange(first, len(betas) + 1)
        return formula(betas[t - 1], 1 - betas[t - 1], table[t], table[t - 1])

    return weight


def _tilde(b: Tensor, now: Tensor, before: Tensor) -> Tensor:
    return (1 - before) / (1 - now) * b


def _over(b: Tensor, now: Tensor, before: Tensor, squared: Tensor) -> Tensor:
    """A squared factor of the noise over twice the posterior variance."""
    return squared / (2 * _tilde(b, now, before))


def _early(betas: Tensor) -> Tensor:
    table, b = alpha_bar(betas), betas[:-1]
    return b / (2 * (1 - b) * (1 - table[1:-1]))


MISTAKES = (
    *generic(loss_weight, doubled="the 2 in the denominator is missing",
             halved="there is a 2 too many in the denominator",
             root="this is the root of the weight", negated="the sign is reversed: a weight is positive"),
    Mistake("row-1", "row t = 1 is in it. There the posterior variance is 0 and the weight infinite: begin at t = 2",
            _weight_with(lambda b, a, now, before: b / (2 * a * (1 - before)), first=1)),
    Mistake("now-for-before", "you used alpha_bar_t where alpha_bar_{t-1} belongs, or beta_t where beta~_t does: both "
            "laws have the posterior variance. Write it out and see which factor cancels",
            _weight_with(lambda b, a, now, before: b / (2 * a * (1 - now)))),
    Mistake("alpha-missing", "alpha_t in the denominator is missing: the mean has 1/sqrt(alpha_t) in front, and it is "
            "squared", _weight_with(lambda b, a, now, before: b / (2 * (1 - before)))),
    Mistake("root-of-alpha", "the root of alpha_t is in the denominator; the distance is squared, and so is the factor",
            _weight_with(lambda b, a, now, before: b / (2 * a.sqrt() * (1 - before)))),
    Mistake("alpha-bar", "alpha_bar_t stands where alpha_t belongs",
            _weight_with(lambda b, a, now, before: b / (2 * now * (1 - before)))),
    Mistake("multiplied", "beta~_t is multiplied where it should divide",
            _weight_with(lambda b, a, now, before: b**2 * (1 - before) / (1 - now) * b / (2 * a * (1 - now)))),
    Mistake("x0-weight", "this is the weight of ||x_0 - x_theta||^2; that of the noise is asked for",
            _weight_with(lambda b, a, now, before: 0.5 * (before / (1 - before) - now / (1 - now)))),
    Mistake("factor-not-squared", "the factor in front of the noise is not squared; the distance is",
            _weight_with(lambda b, a, now, before: _over(b, now, before, b / (1 - now).sqrt() / a.sqrt()))),
    Mistake("root-of-noise", "the root of 1 - alpha_bar_t is in the denominator; the distance is squared, and so is it",
            _weight_with(lambda b, a, now, before: _over(b, now, before, b**2 / (1 - now).sqrt() / a))),
    Mistake("noise-missing", "1 - alpha_bar_t is missing: in part 7, the noise is divided by its root",
            _weight_with(lambda b, a, now, before: _over(b, now, before, b**2 / a))),
    Mistake("denominator-alone", "beta_t is missing above: in part 7 it is in front of the noise",
            _weight_with(lambda b, a, now, before: _over(b, now, before, 1 / (1 - now) / a))),
    Mistake("standard-deviation", "this is divided by 2 times the standard deviation; it is the variance beta~_t",
            _weight_with(lambda b, a, now, before: b**2 / (2 * _tilde(b, now, before).sqrt() * a * (1 - now)))),
    Mistake("variance-squared", "beta~_t is squared; it is a variance already",
            _weight_with(lambda b, a, now, before: b**2 / (2 * _tilde(b, now, before) ** 2 * a * (1 - now)))),
    Mistake("variance-missing", "2 beta~_t is missing in the denominator: this is the squared factor alone",
            _weight_with(lambda b, a, now, before: b**2 / (a * (1 - now)))),
    Mistake("fraction-upside-down", "in beta~_t, the fraction stands upside down",
            _weight_with(lambda b, a, now, before: b * (1 - before) / (2 * a * (1 - now) ** 2))),
    Mistake("beta-too-many", "beta_t is squared, though beta~_t has cancelled one of them",
            _weight_with(lambda b, a, now, before: b**2 / (2 * a * (1 - before)))),
    Mistake("beta-for-alpha", "beta_t stands where alpha_t belongs, in the denominator",
            _weight_with(lambda b, a, now, before: 1 / (2 * (1 - before)))),
    Mistake("alpha-squared", "alpha_t is squared twice: of 1/sqrt(alpha_t), the square is 1/alpha_t",
            _weight_with(lambda b, a, now, before: b / (2 * a**2 * (1 - before)))),
    Mistake("alpha-multiplied", "alpha_t is multiplied; the mean has 1/sqrt(alpha_t) in front",
            _weight_with(lambda b, a, now, before: b * a / (2 * (1 - before)))),
    Mistake("alpha-for-bar", "alpha_t stands where alpha_bar belongs, under the noise",
            _weight_with(lambda b, a, now, before: _over(b, now, before, b**2 / (a * (1 - a))))),
    Mistake("bar-before", "alpha_bar_{t-1} stands where alpha_t belongs",
            _weight_with(lambda b, a, now, before: b / (2 * before * (1 - before)))),
    Mistake("signal", "alpha_bar_{t-1} stands where 1 - alpha_bar_{t-1} belongs",
            _weight_with(lambda b, a, now, before: b / (2 * a * before))),
    Mistake("row-1-zero", "there is a row for t = 1, set to something finite: the weights begin at t = 2",
            lambda b: torch.cat([b.new_zeros(1), loss_weight(b)])),
    Mistake("last-missing", "the last step is missing: the weights end at t = T", lambda b: loss_weight(b)[:-1]),
    Mistake("begins-at-3", "the weights begin at t = 3", lambda b: loss_weight(b)[1:]),
    Mistake("backwards", "the weights run from T down to 2", lambda b: loss_weight(b).flip(0)),
    Mistake("row-too-early", "these are the weights of t = 1, ..., T - 1: betas[t - 1] belongs to step t",
            _early),
    Mistake("inverse", "this is 1 over the weight", lambda b: 1 / loss_weight(b)),
    Mistake("normalised", "the weights are divided by their sum; they are asked for as they are",
            lambda b: (w := loss_weight(b)) / w.sum()),
    Mistake("beta-not-squared", "beta_t is not squared before it is divided by beta~_t",
            _weight_with(lambda b, a, now, before: 1 / (2 * a * (1 - before)))),
    Mistake("tilde-missing", "beta~_t is missing in the denominator: 2 beta~_t belongs there",
            _weight_with(lambda b, a, now, before: b**2 / (2 * a * (1 - now)))),
    Mistake("signal-now", "alpha_bar_t stands where 1 - alpha_bar_t belongs, under the noise",
            _weight_with(lambda b, a, now, before: _over(b, now, before, b**2 / (a * now)))),
    Mistake("roots-missing", "the roots in the factor of part 7 are missing, so that both are squared",
            _weight_with(lambda b, a, now, before: _over(b, now, before, (b / (a * (1 - now))) ** 2))),
    Mistake("root-of-noise-missing", "in the factor of part 7, the root over 1 - alpha_bar_t is missing",
            _weight_with(lambda b, a, now, before: _over(b, now, before, b**2 / (a * (1 - now) ** 2)))),
    Mistake("alpha-above", "alpha_t stands above, where beta_t belongs",
            _weight_with(lambda b, a, now, before: _over(b, now, before, a**2 / (a * (1 - now))))),
    Mistake("noise-multiplied", "1 - alpha_bar_t is multiplied; in part 7 its root divides",
            _weight_with(lambda b, a, now, before: _over(b, now, before, b**2 * (1 - now) / a))),
    Mistake("tilde-multiplied", "2 beta~_t is multiplied; it divides",
            _weight_with(lambda b, a, now, before: b**2 * 2 * _tilde(b, now, before) / (a * (1 - now)))),
    Mistake("noise-before", "under the noise stands 1 - alpha_bar_{t-1}; the noise in x_t is that of t steps",
            _weight_with(lambda b, a, now, before: _over(b, now, before, b**2 / (a * (1 - before))))),
    Mistake("root-of-noise-before", "1 - alpha_bar_{t-1} stands under a root; it is a variance, and stays one",
            _weight_with(lambda b, a, now, before: b / (2 * a * (1 - before).sqrt()))),
    Mistake("signal-now-alone", "alpha_bar_t stands where 1 - alpha_bar_{t-1} belongs",
            _weight_with(lambda b, a, now, before: b / (2 * a * now))),
)  # fmt: skip

PART = Part(
    id="loss-weight",
    homework=4,
    title="what Algorithm 1 leaves out",
    points=3,
    trains="from a distance of means to a distance of noises, and a look at the result",
    unit="for t = 2, ..., T",
    make_cases=lambda d: [
        case("T = 2", betas=torch.tensor([0.1, 0.3], dtype=torch.float64)),
        case("T = 3", betas=torch.tensor([0.1, 0.2, 0.4], dtype=torch.float64)),
        case("a schedule", betas=d.betas(d.size(5, 9))),
        case("your schedule", betas=variation(d.seed).betas),
    ],
    make_edges=lambda d: [in_float32(case("single precision", betas=d.betas(5)))],
    reference=loss_weight,
    mistakes=MISTAKES,
)
