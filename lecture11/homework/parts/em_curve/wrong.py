"""The known mistakes in the curve of EM."""

import torch
from torch import Tensor

from lecture11.homework.part import Mistake, generic
from lecture11.homework.parts.e_step import e_step
from lecture11.homework.parts.em_curve.right import em_curve, em_with
from lecture11.homework.parts.linear_elbo import PART as LINEAR_ELBO
from lecture11.homework.parts.linear_elbo.right import linear_elbo
from lecture11.homework.parts.m_step import PART as M_STEP
from lecture11.homework.parts.m_step import m_step


def _at_prior(x: Tensor, W: Tensor) -> Tensor:
    return linear_elbo(x, W, x.new_zeros(len(x), W.shape[1]), torch.eye(W.shape[1], dtype=x.dtype)).mean()


def _em_late(x: Tensor, W: Tensor, rounds: int) -> Tensor:
    found, q = [], e_step(x, W)
    for _ in range(rounds):
        new = m_step(x, *q)
        found += [linear_elbo(x, W, *q).mean(), linear_elbo(x, new, *q).mean()]
        q, W = e_step(x, W), new
    return torch.stack(found)


# Mistakes in the bound that the curve has in its own words, or that change nothing in it.
HAVE_THEIR_OWN = ("examples-averaged", "examples-summed", "negated", "log-evidence")

MISTAKES = (
    *generic(em_curve, negated="this is minus the bound",
             backwards="the curve runs backwards: the first step comes first"),
    Mistake("after-m-only", "the bound is taken only after the M-steps; take it after the E-steps too",
            em_with(bounds=("M",))),
    Mistake("after-e-only", "the bound is taken only after the E-steps; take it after the M-steps too",
            em_with(bounds=("E",))),
    Mistake("old-w", "after an M-step the bound is taken at the old W: the newest decoder belongs there",
            em_with(stale=True)),
    Mistake("examples-summed", "the bound is summed over the examples; take the mean",
            em_with(mean=lambda e: e.sum())),
    Mistake("start-included", "the curve begins with a bound that no step has made: one number for each step",
            em_with(start=True)),
    Mistake("certain-codes", "the M-step takes the codes as certain: its matrix lacks n C, so that the bound can fall",
            em_with(m=M_STEP.mistake("certain-codes").function)),
    Mistake("c-once", "the M-step adds C once; each of the n examples has its own",
            em_with(m=M_STEP.mistake("c-once").function)),
    Mistake("w-not-kept", "W does not change: each round starts from the first decoder. Keep what the M-step returns",
            em_with(keep=False)),
    Mistake("round-too-few", "there is one round too few",
            lambda x, W, rounds: em_curve(x, W, rounds - 1) if rounds > 1 else x.new_zeros(0)),
    Mistake("e-first", "these are the bounds of each round, all E-steps first; keep the order of the steps",
            lambda x, W, rounds: em_curve(x, W, rounds).view(-1, 2).T.flatten()),
    Mistake("row-per-round", "return one number for each step in one row; this has a row for each round",
            lambda x, W, rounds: em_curve(x, W, rounds).view(-1, 2)),
    Mistake("q-renewed", "after an M-step, q was made new before the bound was taken: this is the bound after the next "
            "E-step", lambda x, W, rounds: em_curve(x, W, rounds + 1)[[i + i % 2 for i in range(2 * rounds)]]),
    Mistake("swapped-steps", "the steps are in the wrong order: a round is an E-step, then an M-step",
            lambda x, W, rounds: em_curve(x, W, rounds + 1)[1:-1]),
    Mistake("m-first", "the M-step comes first here, with the prior for q: a round begins with the E-step",
            em_with(first="M")),
    Mistake("w-never-changes", "the result of the M-step is dropped: W stays as it was",
            lambda x, W, rounds: em_curve(x, W, 1)[0].repeat(2 * rounds)),
    Mistake("first-round-only", "it returns after the first round: is return inside of the loop?",
            lambda x, W, rounds: em_curve(x, W, 1)),
    Mistake("last-bound", "this is the last bound alone; collect that of each step",
            lambda x, W, rounds: em_curve(x, W, rounds)[-1]),
    Mistake("examples-kept", "this has a row for each step: the mean over the examples is missing",
            em_with(mean=lambda e: e)),
    Mistake("e-once", "every round has the q of the first: the E-step is done once, before the loop, or always with "
            "the first W",
            lambda x, W, rounds: torch.cat([(v := em_curve(x, W, 1))[:1], v[1:].expand(2 * rounds - 1)])),
    Mistake("first-covariance", "C is that of the first round; it depends on W, and changes with it",
            em_with(fixed=True)),
    Mistake("centred", "x was centred: the model has mean zero already, and x is given as it is",
            lambda x, W, rounds: em_curve(x - x.mean(0), W, rounds)),
    Mistake("round-too-many", "there is one round too many", lambda x, W, rounds: em_curve(x, W, rounds + 1)),
    Mistake("twice-as-many", "there are twice as many rounds: one round is two steps",
            lambda x, W, rounds: em_curve(x, W, 2 * rounds)),
    Mistake("examples-in-a-row", "these are the bounds of all examples in a row: the mean over them is missing",
            lambda x, W, rounds: em_with(mean=lambda e: e)(x, W, rounds).flatten()),
    Mistake("before-each-step", "the bound is taken before each step; take it after",
            lambda x, W, rounds: torch.cat([_at_prior(x, W)[None], em_curve(x, W, rounds)[:-1]])),
    Mistake("first-example", "this is the bound of the first example; take the mean", em_with(mean=lambda e: e[0])),
    Mistake("divided-by-d", "the bound is divided by the number of coordinates; only the mean over the examples is "
            "taken", lambda x, W, rounds: em_curve(x, W, rounds) / x.shape[1]),
    Mistake("rises", "these are the rises; the bounds are asked for",
            lambda x, W, rounds: em_curve(x, W, rounds).diff()),
    *(Mistake(f"bound-{m.id}", f"in the bound of part 5: {m.message}", em_with(bound=m.function))
      for m in LINEAR_ELBO.mistakes if m.id not in HAVE_THEIR_OWN),
    Mistake("stale-e", "the E-step takes the decoder of the round before: after an M-step, the newest W is the new one",
            _em_late),
)  # fmt: skip
