"""Homework 4, part 5: Algorithm 1: the loss."""

from typing import Any

from torch import Tensor

from lecture11.homework.cases import noised_cases, noised_edges
from lecture11.homework.observation import Case, Given
from lecture11.homework.part import Draw, Mistake, Part, case, generic, per, with_places
from lecture11.homework.parts.q_sample import PART as Q_SAMPLE
from lecture11.homework.parts.q_sample import q_sample


def simple_loss(model: Any, alpha_bar: Tensor, x_0: Tensor, t: Tensor, eps: Tensor) -> Tensor:
    return (eps - model(q_sample(alpha_bar, x_0, t, eps), t)).square().flatten(1).sum(1)


def _simple_loss_cases(d: Draw, plain: list[Case]) -> list[Case]:
    cases = []
    for noised in plain:
        model = Given("noise", {"seed": d.size(0, 1000)})
        grad = ("model",) if noised.grad else ()
        cases.append(case(noised.name, noised.batch, grad=grad, model=model, **noised.args))
    return cases


@with_places
def _loss_of(
    *,
    target: Any = lambda x, x_t, eps: eps,
    steps: Any = lambda t: t,
    noisy: Any = q_sample,
    total: Any = lambda error: error.square().sum(1),
    sign: int = -1,
) -> Any:
    """The loss, with a place for each mistake; ``total`` takes a row for each example."""

    def loss(model: Any, ab: Tensor, x: Tensor, t: Tensor, eps: Tensor) -> Tensor:
        x_t = noisy(ab, x, t, eps)
        return total((target(x, x_t, eps) + sign * model(x_t, steps(t))).flatten(1))

    return loss


def _scaled_target(model: Any, ab: Tensor, x: Tensor, t: Tensor, eps: Tensor) -> Tensor:
    error = per((1 - ab[t]).sqrt(), x) * eps - model(q_sample(ab, x, t, eps), t)
    return error.square().flatten(1).sum(1)


# Mistakes in x_t that the loss has in its own words, or that some cases refuse.
HAVE_THEIR_OWN = ("erratum-e9", "row-before", "root-missing-eps", "along-last-dim")

MISTAKES = (
    *generic(simple_loss, "examples-averaged", "examples-summed",
             root="this is the length of the error; the loss is its square"),
    Mistake("dims-averaged", "you averaged over the pixels; the loss is the squared length of the error, a sum",
            _loss_of(total=lambda error: error.square().mean(1))),
    Mistake("all-averaged", "this is one mean over everything; return one number for each example, summed over the "
            "pixels", _loss_of(total=lambda error: error.square().mean())),
    Mistake("target-x0", "the network's answer is compared with x_0; what it predicts is the noise",
            _loss_of(target=lambda x, x_t, eps: x)),
    Mistake("target-xt", "the network's answer is compared with x_t; what it predicts is the noise",
            _loss_of(target=lambda x, x_t, eps: x_t)),
    Mistake("shown-clean", "the network is shown the clean x_0; it must see x_t",
            _loss_of(noisy=lambda ab, x, t, eps: x)),
    Mistake("erratum-e9", "x_t is made with alpha_t where alpha_bar_t belongs, as the lecture notes print Algorithm 1 "
            "(erratum E9)",
            _loss_of(noisy=Q_SAMPLE.mistake("erratum-e9").function)),
    Mistake("row-before", "x_t is made with row t - 1 of the table: with alpha_bar(0) in row 0, step t stands in row t",
            _loss_of(noisy=lambda ab, x, t, e: q_sample(ab, x, t - 1, e))),
    Mistake("root-missing-eps", "the noise in x_t has the wrong factor: 1 - alpha_bar is its variance",
            _loss_of(noisy=Q_SAMPLE.mistake("root-missing-eps").function)),
    Mistake("told-t-minus-1", "the network is told t - 1; it counts steps from 1, as the rows of the table do",
            _loss_of(steps=lambda t: t - 1)),
    Mistake("told-another-step", "the network is told another step than the one that made x_t: is it t + 1?",
            _loss_of(steps=lambda t: t + 1)),
    Mistake("absolute", "these are absolute values; the loss is a sum of squares",
            _loss_of(total=lambda error: error.abs().sum(1))),
    Mistake("absolute-averaged", "these are absolute values, averaged over the pixels; the loss is a sum of squares",
            _loss_of(total=lambda error: error.abs().mean(1))),
    Mistake("not-squared", "the square is missing: errors of both signs cancel",
            _loss_of(total=lambda error: error.sum(1))),
    Mistake("sum-squared", "the sum is squared; square first, then sum: otherwise errors of both signs cancel",
            _loss_of(total=lambda error: error.sum(1) ** 2)),
    Mistake("added", "the network's answer is added to the noise; the loss is of their difference", _loss_of(sign=1)),
    Mistake("target-scaled", "the network's answer is compared with the noise as it is in x_t, sqrt(1 - alpha_bar) "
            "eps; what it predicts is eps itself", _scaled_target),
    *(Mistake(f"noised-{m.id}", f"x_t, as in part 3: {m.message}", _loss_of(noisy=m.function))
      for m in Q_SAMPLE.mistakes if m.id not in HAVE_THEIR_OWN),
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
