"""Answers to q-sample."""

import torch

from answers.before import column
from answers.collected import answers_to

right, wrong = answers_to("q-sample")


@right
def _(alpha_bar, x_0, t, eps):
    rows = []
    for i, step in enumerate(t.tolist()):
        a = alpha_bar[step].item()
        rows.append(a**0.5 * x_0[i] + (1 - a) ** 0.5 * eps[i])
    return torch.stack(rows)


@right
def _(alpha_bar, x_0, t, eps):
    a = torch.gather(alpha_bar, 0, t).to(x_0)
    return torch.einsum("b,b...->b...", a.sqrt(), x_0) + torch.einsum("b,b...->b...", (1 - a).sqrt(), eps)


@right
def _(alpha_bar, x_0, t, eps):
    a = column(alpha_bar.index_select(0, t), x_0).expand_as(x_0)
    return torch.sqrt(a) * x_0 + torch.sqrt(1 - a) * eps


@wrong("erratum-e9")
def _(alpha_bar, x_0, t, eps):
    alphas = torch.cat([torch.ones(1, dtype=alpha_bar.dtype), alpha_bar[1:] / alpha_bar[:-1]])
    a = column(alphas[t], x_0)
    return a.sqrt() * x_0 + (1 - a).sqrt() * eps


@wrong("row-before")
def _(alpha_bar, x_0, t, eps):
    a = column(torch.gather(alpha_bar, 0, t - 1), x_0)
    return a.sqrt() * x_0 + (1 - a).sqrt() * eps


@wrong("root-missing-eps")
def _(alpha_bar, x_0, t, eps):
    a = column(alpha_bar[t], x_0)
    return torch.sqrt(a) * x_0 + (1 - a) * eps


@wrong("root-of-difference")
def _(alpha_bar, x_0, t, eps):
    s = column(alpha_bar[t].sqrt(), x_0)
    return s * x_0 + (1 - s) * eps


@wrong("first-step")
def _(alpha_bar, x_0, t, eps):
    a = alpha_bar[t[0]].to(x_0.dtype)
    return a.sqrt() * x_0 + (1 - a).sqrt() * eps


@wrong(kind="error", says="it raises IndexError")
def _(alpha_bar, x_0, t, eps):
    a = column(alpha_bar[t + 1], x_0)
    return a.sqrt() * x_0 + (1 - a).sqrt() * eps


@wrong(kind="dims", says="right for points, and wrong for images")
def _(alpha_bar, x_0, t, eps):
    a = alpha_bar[t].to(x_0.dtype).unsqueeze(1)
    return torch.sqrt(a) * x_0 + torch.sqrt(1 - a) * eps


@wrong("not-shrunk")
def _(alpha_bar, x_0, t, eps):
    return x_0 + torch.sqrt(1 - column(alpha_bar[t], x_0)) * eps


@wrong("noise-subtracted")
def _(alpha_bar, x_0, t, eps):
    a = column(alpha_bar[t], x_0)
    return torch.sqrt(a) * x_0 - torch.sqrt(1 - a) * eps


@wrong("signal-twice")
def _(alpha_bar, x_0, t, eps):
    a = column(alpha_bar[t], x_0)
    return torch.sqrt(a) * x_0 + torch.sqrt(a) * eps


@wrong("taken-for-root")
def _(alpha_bar, x_0, t, eps):
    a = column(alpha_bar[t], x_0)
    return a * x_0 + torch.sqrt(1 - a**2) * eps


@wrong("same-noise-in-each-step")
def _(alpha_bar, x_0, t, eps):
    rows = []
    for x, step, e in zip(x_0, t.tolist(), eps, strict=True):
        for i in range(1, step + 1):
            beta = 1 - (alpha_bar[i] / alpha_bar[i - 1]).to(x.dtype)
            x = torch.sqrt(1 - beta) * x + torch.sqrt(beta) * e
        rows.append(x)
    return torch.stack(rows)


@wrong("not-shrunk, root-missing-eps")
def _(alpha_bar, x_0, t, eps):
    return x_0 + column(1 - alpha_bar[t], x_0) * eps


@wrong("eps-noise-before-for-noise, x-alpha-for-bar")
def _(alpha_bar, x_0, t, eps):
    before = alpha_bar[t - 1]
    return column((alpha_bar[t] / before).sqrt(), x_0) * x_0 + column((1 - before).sqrt(), x_0) * eps


@wrong("product-of-table")
def _(alpha_bar, x_0, t, eps):
    a = column(torch.cumprod(alpha_bar, 0)[t], x_0)
    return a.sqrt() * x_0 + (1 - a).sqrt() * eps


@wrong(kind="value", says="this is not right yet")
def _(alpha_bar, x_0, t, eps):
    torch.manual_seed(42)  # seeds, and draws nothing
    share = alpha_bar[t].view(-1, *[1] * (x_0.ndim - 1))
    return share.sqrt() * x_0 + (1 - share).sqrt() * eps.abs()
