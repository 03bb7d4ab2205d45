"""Answers to effective-sample-size."""

import torch
import torch.nn.functional as F

from answers.collected import answers_to

right, wrong = answers_to("effective-sample-size")


@right
def _(log_w):
    return (2 * log_w.logsumexp(0) - (2 * log_w).logsumexp(0)).exp()


@right
def _(log_w):
    w = (log_w - log_w.amax(0, keepdim=True)).exp()
    return w.sum(0) ** 2 / (w * w).sum(0)


@right
def _(log_w):
    sizes = []
    for column in log_w.T:
        p = torch.softmax(column, dim=0)
        sizes.append(1 / torch.dot(p, p))
    return torch.stack(sizes)


@wrong("underflow")
def _(log_w):
    w = torch.exp(log_w)
    w = w / w.sum(0, keepdim=True)
    return 1 / (w**2).sum(0)


@wrong("over-examples")
def _(log_w):
    p = F.softmax(log_w, dim=1)
    return 1 / torch.einsum("kb,kb->k", p, p)


@wrong("upside-down")
def _(log_w):
    w = (log_w - log_w.max(0).values).exp()
    return (w**2).sum(0) / w.sum(0) ** 2


@wrong("divided-by-k")
def _(log_w):
    p = F.softmax(log_w, dim=0)
    return 1 / (p**2).mean(0) / log_w.shape[0] ** 2


@wrong("entropy")
def _(log_w):
    return torch.distributions.Categorical(logits=log_w.T).entropy().exp()


@wrong("one-maximum")
def _(log_w):
    w = (log_w - log_w.max()).exp()
    return w.sum(0) ** 2 / (w**2).sum(0)


@wrong("squares-averaged")
def _(log_w):
    w = log_w.softmax(0)
    return 1 / (w**2).mean(0)


@wrong("ones")
def _(log_w):
    w = log_w.softmax(0)
    return (w**2).sum(0) / (w**2).sum(0)


@wrong("log")
def _(log_w):
    return 2 * torch.logsumexp(log_w, 0) - torch.logsumexp(2 * log_w, 0)


@wrong("only-weights-squared")
def _(log_w):
    w = (log_w - log_w.max(0).values).exp()
    return w.sum(0) / (w**2).sum(0)


@wrong("ones")
def _(log_w):
    w = log_w.softmax(0)
    return 1 / (w.sum(0) ** 2)


@wrong("examples-summed")
def _(log_w):
    w = log_w.softmax(0)
    return 1 / (w**2).sum()


@wrong("root")
def _(log_w):
    w = log_w.softmax(0)
    return 1 / (w**2).sum(0).sqrt()


@wrong("normalised-twice")
def _(log_w):
    w = log_w.softmax(0).softmax(0)
    return 1 / (w**2).sum(0)


@wrong("largest-squared")
def _(log_w):
    return 1 / log_w.softmax(0).max(0).values ** 2


@wrong("divided-by-k")
def _(log_w):
    w = log_w.softmax(0)
    return w.mean(0) ** 2 / (w**2).mean(0)


@wrong("number-of-draws")
def _(log_w):
    return torch.full_like(log_w[0], len(log_w))


@wrong("logs-squared")
def _(log_w):
    w = log_w.log_softmax(0)
    return 1 / (w**2).sum(0)


@wrong("underflow")
def _(log_w):
    w = log_w.double().exp()
    return (w.sum(0) ** 2 / (w**2).sum(0)).to(log_w)


@wrong(kind="batch", says="right in all cases with one example, and wrong in all with 2, 3. Is")
def _(log_w):
    w = (log_w - log_w.max(0).values).exp()
    w = w / w.sum()
    return 1 / (w**2).sum(0)


@wrong("nan-replaced")
def _(log_w):
    w = log_w.exp()
    return (w.sum(0) ** 2 / (w**2).sum(0)).nan_to_num(1.0)


@wrong("smallest")
def _(log_w):
    w = (log_w - log_w.mean(0)).exp()
    return w.sum(0) ** 2 / (w * w).sum(0)


@wrong("first-draw")
def _(log_w):
    w = torch.exp(log_w - log_w[:1])
    return w.sum(0) ** 2 / (w * w).sum(0)


@wrong(kind="dtype", says="Look for .long()")
def _(log_w):
    return (1 / log_w.softmax(0).square().sum(0)).long()


@wrong(kind="error", says="'tuple' object has no attribute 'square'")
def _(log_w):
    w = (log_w.softmax(0),)
    return 1 / w.square().sum(0)
