"""Homework 4, part 5: Algorithm 1: the loss."""

from typing import Any

from torch import Tensor

from lecture11.homework.observation import Case, Given
from lecture11.homework.part import Draw, Mistake, Part, case, generic
from lecture11.homework.parts.q_sample import PART as Q_SAMPLE
from lecture11.homework.parts.q_sample import noised_cases, noised_edges, q_sample


def simple_loss(model: Any, alpha_bar: Tensor, x_0: Tensor, t: Tensor, eps: Tensor) -> Tensor:
    return (eps - model(q_sample(alpha_bar, x_0, t, eps), t)).square().flatten(1).sum(1)


def _simple_loss_cases(d: Draw, plain: list[Case]) -> list[Case]:
    cases = []
    for noised in plain:
        model = Given("noise", {"seed": d.size(0, 1000)})
        grad = ("model",) if noised.grad else ()
        cases.append(case(noised.name, noised.batch, grad=grad, model=model, **noised.args))
    return cases


def _loss_of(target: Any, *, steps: Any = lambda t: t, noisy: Any = q_sample) -> Any:
    def loss(model: Any, ab: Tensor, x: Tensor, t: Tensor, eps: Tensor) -> Tensor:
        x_t = noisy(ab, x, t, eps)
        return (target(x, x_t, eps) - model(x_t, steps(t))).square().flatten(1).sum(1)

    return loss


MISTAKES = (
    *generic(simple_loss, "examples-averaged", "examples-summed",
             root="this is the length of the error; the loss is its square"),
    Mistake("dims-averaged", "you averaged over the pixels; the loss is the squared length of the error, a sum",
            lambda m, ab, x, t, eps: (eps - m(q_sample(ab, x, t, eps), t)).square().flatten(1).mean(1)),
    Mistake("all-averaged", "this is one mean over everything; return one number for each example, summed over the "
            "pixels", lambda m, ab, x, t, eps: (eps - m(q_sample(ab, x, t, eps), t)).square().mean()),
    Mistake("target-x0", "the network's answer is compared with x_0; what it predicts is the noise",
            _loss_of(lambda x, x_t, eps: x)),
    Mistake("target-xt", "the network's answer is compared with x_t; what it predicts is the noise",
            _loss_of(lambda x, x_t, eps: x_t)),
    Mistake("shown-clean", "the network is shown the clean x_0; it must see x_t",
            _loss_of(lambda x, x_t, eps: eps, noisy=lambda ab, x, t, eps: x)),
    Mistake("erratum-e9", "x_t is made with alpha_t where alpha_bar_t belongs, as the lecture notes print Algorithm 1 "
            "(erratum E9)",
            _loss_of(lambda x, x_t, eps: eps, noisy=Q_SAMPLE.mistake("erratum-e9").function)),
    Mistake("row-before", "x_t is made with row t - 1 of the table: with alpha_bar(0) in row 0, step t stands in row t",
            _loss_of(lambda x, x_t, eps: eps, noisy=lambda ab, x, t, e: q_sample(ab, x, t - 1, e))),
    Mistake("root-missing-eps", "the noise in x_t has the wrong factor: 1 - alpha_bar is its variance",
            _loss_of(lambda x, x_t, eps: eps, noisy=Q_SAMPLE.mistake("root-missing-eps").function)),
    Mistake("told-t-minus-1", "the network is told t - 1; it counts steps from 1, as the rows of the table do",
            _loss_of(lambda x, x_t, eps: eps, steps=lambda t: t - 1)),
    Mistake("told-another-step", "the network is told another step than the one that made x_t: is it t + 1?",
            _loss_of(lambda x, x_t, eps: eps, steps=lambda t: t + 1)),
    Mistake("absolute", "these are absolute values; the loss is a sum of squares",
            lambda m, ab, x, t, eps: (eps - m(q_sample(ab, x, t, eps), t)).abs().flatten(1).sum(1)),
)  # fmt: skip

PART = Part(
    id="simple-loss",
    homework=4,
    title="Algorithm 1: the loss",
    points=3,
    trains="what the network sees, what it is to say, and sums against means",
    unit="one number for each example",
    make_cases=lambda d: _simple_loss_cases(d, noised_cases(d)),
    make_edges=lambda d: _simple_loss_cases(d, noised_edges(d)),
    reference=simple_loss,
    mistakes=MISTAKES,
)
