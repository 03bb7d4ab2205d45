"""Homework 2, part 6: which latents are used?"""

from typing import Any

import torch
from torch import Tensor

from lecture11.homework.observation import Case
from lecture11.homework.part import WIDE, Draw, Mistake, Part, case, generic, in_float32, numbers, with_places
from lecture11.homework.parts.elbo_kl import MISTAKES as IN_THE_KL
from lecture11.homework.parts.elbo_kl import elbo_kl


def kl_per_latent(mu: Tensor, log_var: Tensor) -> Tensor:
    return (0.5 * (mu**2 + log_var.exp() - 1 - log_var)).mean(0).sort(descending=True).values


def _edges(d: Draw) -> list[Case]:
    name = "log_var from -12.5 to 9: nothing is to be cut off, and nothing added"
    nine = case("nine latents", 3, mu=d.normal(3, 9), log_var=d.normal(3, 9))
    return [nine, case(name, 1, mu=d.normal(1, 4), log_var=WIDE)]


def _each(mu: Tensor, v: Tensor) -> Tensor:
    return 0.5 * (mu**2 + v.exp() - 1 - v)


def _by(kl: Any) -> Any:
    return lambda mu, v: torch.stack([kl(*pair) for pair in zip(mu.T[..., None], v.T[..., None], strict=True)], 1)


@with_places
def _with(
    *,
    each: Any = _each,
    over: Any = lambda kl: kl.mean(0),
    order: Any = lambda kl: kl.sort(descending=True).values,
) -> Any:
    """The KL of each latent and example, what is done over the examples, and the order."""
    return lambda mu, v: order(over(each(mu, v)))


OF_EACH_LATENT = ("log-std", "exchanged", "logdet-missing", "trace-missing", "mu-missing", "not-squared", "absolute")
MISTAKES = (
    *generic(kl_per_latent, "doubled"),
    *(Mistake(f"kl-{m.id}", m.message, _with(each=_by(m.function))) for m in IN_THE_KL if m.id in OF_EACH_LATENT),
    Mistake("unsorted", "the latents are not sorted: the largest comes first", _with(order=lambda kl: kl)),
    Mistake("ascending", "sorted, but the smallest comes first", _with(order=lambda kl: kl.sort().values)),
    Mistake("examples-summed", "this sums over the examples; take their mean, so that their number does not matter",
            _with(over=lambda kl: kl.sum(0))),
    Mistake("per-example", "this is one number for each example; here one for each latent is asked for",
            lambda mu, v: elbo_kl(mu, v)),
    Mistake("per-example-sorted", "this is one number for each example, sorted; here one for each latent is asked for",
            _with(over=lambda kl: kl.sum(1))),
    Mistake("kl-of-means", "this is the KL at the mean of mu and log_var. The mean is to be taken of the KL: it is not "
            "linear", lambda mu, v: kl_per_latent(mu.mean(0, keepdim=True), v.mean(0, keepdim=True))),
    Mistake("variance-of-mu", "this is the variance of mu, another measure of what a latent does. Asked for is its KL",
            lambda mu, v: mu.var(0).sort(descending=True).values),
    Mistake("sorted-within", "sorted within each example, before the mean: then no latent is itself any more",
            _with(each=lambda mu, v: _each(mu, v).sort(1, descending=True).values, order=lambda kl: kl)),
    Mistake("indices", "these are the indices of the sorted latents; return their values",
            _with(order=lambda kl: kl.argsort(descending=True))),
    Mistake("latents-averaged", "this is averaged over the latents: one number for each example. Keep the latents, "
            "average the examples", lambda mu, v: (0.5 * (mu**2 + v.exp() - 1 - v)).mean(1)),
    Mistake("latents-averaged-sorted", "this is averaged over the latents, and sorted: one number for each example. "
            "Keep the latents, average the examples",
            _with(over=lambda kl: kl.mean(1))),
    Mistake("examples-kept", "the mean over the examples is missing: this has a row for each example",
            lambda mu, v: 0.5 * (mu**2 + v.exp() - 1 - v)),
    Mistake("examples-kept-sorted", "the mean over the examples is missing: this has a sorted row for each example",
            lambda mu, v: (0.5 * (mu**2 + v.exp() - 1 - v)).sort(descending=True).values),
    Mistake("k-each", "k is subtracted from each latent; of one latent it is 1",
            _with(each=lambda mu, v: _each(mu, v) - 0.5 * (mu.shape[1] - 1))),
    Mistake("one-missing", "the -1 of each latent is missing", _with(each=lambda mu, v: _each(mu, v) + 0.5)),
    Mistake("negated", "the sign is reversed: a KL is never negative",
            lambda mu, v: (-0.5 * (mu**2 + v.exp() - 1 - v)).mean(0).sort(descending=True).values),
    Mistake("negated-sorted", "the sign was turned for the sorting, and not back: sort takes descending=True",
            lambda mu, v: (-0.5 * (mu**2 + v.exp() - 1 - v)).mean(0).sort().values),
    Mistake("flipped", "turned round, not sorted", _with(order=lambda kl: kl.flip(0))),
    Mistake("median", "this is a median over the examples; take their mean",
            _with(over=lambda kl: kl.median(0).values)),
    Mistake("log-of-log-var", "this is what you get if log sigma^2 is taken for sigma^2: log_var is a logarithm",
            _with(each=lambda mu, v: 0.5 * (mu**2 + v - 1 - v.log()))),
    Mistake("sorted-by-mu", "sorted by the size of mu; the KL itself is to be sorted",
            lambda mu, v: (0.5 * (mu**2 + v.exp() - 1 - v)).mean(0)[mu.abs().mean(0).argsort(descending=True)]),
    Mistake("shares", "these are shares of the whole KL; the KL itself is asked for, in nats",
            lambda mu, v: (r := kl_per_latent(mu, v)) / r.sum()),
    Mistake("erratum-e6", "the factor 1/2 applies to mu^2 alone (erratum E6)",
            _with(each=lambda mu, v: 0.5 * mu**2 + v.exp() - 1 - v), several=True),
    Mistake("half-on-squares", "the factor 1/2 applies to mu^2 and sigma^2 alone: 1 and log_var have it too",
            _with(each=lambda mu, v: 0.5 * (mu**2 + v.exp()) - 1 - v), several=True),
    Mistake("std", "the standard deviation stands where the variance belongs",
            _with(each=lambda mu, v: 0.5 * (mu**2 + (0.5 * v).exp() - 1 - v))),
    Mistake("log-var-sign", "log_var has the wrong sign",
            _with(each=lambda mu, v: 0.5 * (mu**2 + v.exp() - 1 + v))),
    Mistake("maximum", "this is the largest KL over the examples; take their mean",
            _with(over=lambda kl: kl.max(0).values)),
    Mistake("terms-of-means", "this is made of means of mu, sigma^2 and log_var. The mean is to be taken of the KL: "
            "mu^2 is not linear",
            lambda mu, v: (0.5 * (mu.mean(0) ** 2 + v.exp().mean(0) - 1 - v.mean(0))).sort(descending=True).values),
)  # fmt: skip

PART = Part(
    id="kl-per-latent",
    homework=2,
    title="which latents are used?",
    points=3,
    trains="the KL taken apart, and a picture of a model",
    unit="nats, one number for each latent",
    make_edges=_edges,
    make_cases=lambda d: [
        case("two examples, two latents", 2, mu=numbers(0.1, 1.0).expand(2, 2).clone(), log_var=d.normal(2, 2)),
        case("three examples, three latents", 3, mu=d.normal(3, 3), log_var=d.normal(3, 3)),
        case("more examples", 7, mu=d.normal(7, 4), log_var=d.normal(7, 4)),
        case("one example", 1, mu=d.normal(1, 5), log_var=d.normal(1, 5)),
        in_float32(case("single precision", 4, mu=d.normal(4, 3), log_var=d.normal(4, 3))),
    ],
    reference=kl_per_latent,
    mistakes=MISTAKES,
)
