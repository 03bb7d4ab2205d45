"""Answers to simple-loss."""

import torch
import torch.nn.functional as F

from answers.before import column, q_sample
from answers.collected import answers_to

right, wrong = answers_to("simple-loss")


@right
def _(model, alpha_bar, x_0, t, eps):
    x_t = q_sample(alpha_bar, x_0, t, eps)
    return torch.sum((model(x_t, t) - eps) ** 2, dim=tuple(range(1, x_0.ndim)))


@right
def _(model, alpha_bar, x_0, t, eps):
    a = column(alpha_bar[t], x_0)
    r = (eps - model(torch.sqrt(a) * x_0 + torch.sqrt(1 - a) * eps, t)).flatten(1)
    return torch.einsum("bi,bi->b", r, r)


@right
def _(model, alpha_bar, x_0, t, eps):
    out = []
    for i in range(len(x_0)):  # one example at a time
        a = alpha_bar[t[i]].to(x_0.dtype)
        x_t = a.sqrt() * x_0[i : i + 1] + (1 - a).sqrt() * eps[i : i + 1]
        out.append(F.mse_loss(model(x_t, t[i : i + 1]), eps[i : i + 1], reduction="sum"))
    return torch.stack(out)


@wrong("dims-averaged")
def _(model, alpha_bar, x_0, t, eps):
    a = column(alpha_bar[t], x_0)
    out = model(a.sqrt() * x_0 + (1 - a).sqrt() * eps, t)
    return F.mse_loss(out, eps, reduction="none").mean(dim=tuple(range(1, x_0.ndim)))


@wrong("all-averaged")
def _(model, alpha_bar, x_0, t, eps):
    a = column(alpha_bar[t], x_0)
    return F.mse_loss(model(a.sqrt() * x_0 + (1 - a).sqrt() * eps, t), eps)


@wrong("target-x0")
def _(model, alpha_bar, x_0, t, eps):
    a = column(alpha_bar[t], x_0)
    out = model(a.sqrt() * x_0 + (1 - a).sqrt() * eps, t)
    return torch.sum((out - x_0).flatten(1) ** 2, dim=1)


@wrong("shown-clean")
def _(model, alpha_bar, x_0, t, eps):
    return torch.sum((model(x_0, t) - eps).flatten(1) ** 2, dim=1)


@wrong("erratum-e9")
def _(model, alpha_bar, x_0, t, eps):
    a = column(alpha_bar[t] / alpha_bar[t - 1], x_0)
    out = model(a.sqrt() * x_0 + (1 - a).sqrt() * eps, t)
    return torch.sum((out - eps).flatten(1) ** 2, dim=1)


@wrong("told-t-minus-1")
def _(model, alpha_bar, x_0, t, eps):
    a = column(alpha_bar[t], x_0)
    out = model(a.sqrt() * x_0 + (1 - a).sqrt() * eps, t - 1)
    return torch.sum((out - eps).flatten(1) ** 2, dim=1)


@wrong(kind="error", says="it raises TypeError: model(x_t, t) takes t as a LongTensor")
def _(model, alpha_bar, x_0, t, eps):
    a = column(alpha_bar[t], x_0)
    out = model(a.sqrt() * x_0 + (1 - a).sqrt() * eps, t[:, None])
    return torch.sum((out - eps).flatten(1) ** 2, dim=1)


@wrong(kind="dims", says="right for images, and wrong for points")
def _(model, alpha_bar, x_0, t, eps):
    a = column(alpha_bar[t], x_0)
    return ((model(a.sqrt() * x_0 + (1 - a).sqrt() * eps, t) - eps) ** 2).sum((1, 2, 3))


@wrong(kind="random", says="all that is random is given, in t and eps")
def _(model, alpha_bar, x_0, t, eps):
    t = torch.randint(1, len(alpha_bar), (len(x_0),))
    return (eps - model(q_sample(alpha_bar, x_0, t, eps), t)).square().flatten(1).sum(1)


@wrong("dims-averaged, target-x0")
def _(model, alpha_bar, x_0, t, eps):
    return ((x_0 - model(q_sample(alpha_bar, x_0, t, eps), t)) ** 2).flatten(1).mean(1)


@wrong("noised-not-shrunk")
def _(model, alpha_bar, x_0, t, eps):
    x_t = x_0 + column((1 - alpha_bar[t]).sqrt(), x_0) * eps
    return ((eps - model(x_t, t)) ** 2).flatten(1).sum(1)
