"""Answers to posterior."""

import math

import torch

from answers.before import column
from answers.collected import answers_to

right, wrong = answers_to("posterior")


@right
def _(alpha_bar, x_0, x_t, t):
    # Bayes: precisions add. At t = 1 the law is the point x_0.
    means, variances = [], []
    for i, step in enumerate(t.tolist()):
        now, before = alpha_bar[step].item(), alpha_bar[step - 1].item()
        alpha = now / before
        v = (1 - before) * (1 - alpha) / (1 - now)
        variances.append(v)
        if step == 1:
            means.append(x_0[i] + 0 * x_t[i])
        else:
            means.append(v * (math.sqrt(alpha) / (1 - alpha) * x_t[i] + math.sqrt(before) / (1 - before) * x_0[i]))
    return torch.stack(means), torch.tensor(variances, dtype=x_t.dtype)


@right
def _(alpha_bar, x_0, x_t, t):
    alphas = alpha_bar[1:] / alpha_bar[:-1]
    betas = 1 - alphas
    variance = (1 - alpha_bar[:-1]) / (1 - alpha_bar[1:]) * betas
    a, b, row = column(alphas[t - 1], x_t), column(betas[t - 1], x_t), t - 1
    now, before = column(alpha_bar[t], x_t), column(alpha_bar[row], x_t)
    mean = (a.sqrt() * (1 - before) * x_t + before.sqrt() * b * x_0) / (1 - now)
    return mean, variance[row].to(x_t.dtype)


@right
def _(alpha_bar, x_0, x_t, t):
    now, before = alpha_bar[t], alpha_bar[t - 1]
    gain = (now / before).sqrt() * (1 - before) / (1 - now)  # of a Kalman filter
    mean_before = column(before.sqrt(), x_0) * x_0
    mean = mean_before + column(gain, x_t) * (x_t - column((now / before).sqrt(), x_t) * mean_before)
    return [mean, ((1 - before) * (1 - gain * (now / before).sqrt())).to(x_t)]


@wrong("forward-variance")
def _(alpha_bar, x_0, x_t, t):
    now, before = alpha_bar[t], alpha_bar[t - 1]
    beta = 1 - now / before
    of_t, of_0 = (1 - beta).sqrt() * (1 - before) / (1 - now), before.sqrt() * beta / (1 - now)
    return column(of_t, x_t) * x_t + column(of_0, x_t) * x_0, beta.to(x_t.dtype)


@wrong("standard-deviation")
def _(alpha_bar, x_0, x_t, t):
    now, before = alpha_bar[t], alpha_bar[t - 1]
    beta = 1 - now / before
    of_t, of_0 = (1 - beta).sqrt() * (1 - before) / (1 - now), before.sqrt() * beta / (1 - now)
    mean = column(of_t, x_t) * x_t + column(of_0, x_t) * x_0
    return mean, torch.sqrt((1 - before) / (1 - now) * beta).to(x_t.dtype)


@wrong("swapped")
def _(alpha_bar, x_0, x_t, t):
    now, before = alpha_bar[t], alpha_bar[t - 1]
    beta = 1 - now / before
    of_t, of_0 = (1 - beta).sqrt() * (1 - before) / (1 - now), before.sqrt() * beta / (1 - now)
    return column(of_t, x_t) * x_0 + column(of_0, x_t) * x_t, ((1 - before) / (1 - now) * beta).to(x_t.dtype)


@wrong("x0-bar-for-bar-before")
def _(alpha_bar, x_0, x_t, t):
    now, before = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    beta = 1 - now / before
    mean = ((1 - beta).sqrt() * (1 - before) * x_t + now.sqrt() * beta * x_0) / (1 - now)
    return mean, ((1 - before) / (1 - now) * beta).flatten()


@wrong(kind="shape", says="result 2: shape")
def _(alpha_bar, x_0, x_t, t):
    now, before = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    beta = 1 - now / before
    mean = ((1 - beta).sqrt() * (1 - before) * x_t + before.sqrt() * beta * x_0) / (1 - now)
    return mean, (1 - before) / (1 - now) * beta


@wrong(kind="error", says="it raises RuntimeError: The size of tensor a")
def _(alpha_bar, x_0, x_t, t):
    now, before = alpha_bar[t], alpha_bar[t - 1]
    a, b = now / before, 1 - now / before
    mean = a.sqrt() * (1 - before) / (1 - now) * x_t + before.sqrt() * b / (1 - now) * x_0
    return mean, (1 - before) / (1 - now) * b


@wrong("variance-no-beta")
def _(alpha_bar, x_0, x_t, t):
    n, b = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    a = n / b
    be = 1 - a
    m = (a.sqrt() * (1 - b) * x_t + b.sqrt() * be * x_0) / (1 - n)
    return m, ((1 - b) / (1 - n)).flatten()


@wrong("xt-alpha-no-root")
def _(alpha_bar, x_0, x_t, t):
    n, b = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    a = n / b
    be = 1 - a
    return (a * (1 - b) * x_t + b.sqrt() * be * x_0) / (1 - n), ((1 - b) / (1 - n) * be).flatten()


@wrong("mean-no-noise")
def _(alpha_bar, x_0, x_t, t):
    n, b = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    a = n / b
    be = 1 - a
    return (a.sqrt() * (1 - b) * x_t + b.sqrt() * be * x_0), ((1 - b) / (1 - n) * be).flatten()


@wrong("mean-noise-before-for-noise")
def _(alpha_bar, x_0, x_t, t):
    n, b = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    a = n / b
    be = 1 - a
    return (a.sqrt() * (1 - b) * x_t + b.sqrt() * be * x_0) / (1 - b), ((1 - b) / (1 - n) * be).flatten()


@wrong("x0-alpha-for-bar-before")
def _(alpha_bar, x_0, x_t, t):
    n, b = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    a = n / b
    be = 1 - a
    return (a.sqrt() * (1 - b) * x_t + a.sqrt() * be * x_0) / (1 - n), ((1 - b) / (1 - n) * be).flatten()


@wrong("upside-down")
def _(alpha_bar, x_0, x_t, t):
    n, b = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    a = n / b
    be = 1 - a
    return (a.sqrt() * (1 - b) * x_t + b.sqrt() * be * x_0) / (1 - n), (be * (1 - n) / (1 - b)).flatten()


@wrong("forward-squared")
def _(alpha_bar, x_0, x_t, t):
    n, b = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    a = n / b
    be = 1 - a
    return (a.sqrt() * (1 - b) * x_t + b.sqrt() * be * x_0) / (1 - n), (be).flatten() ** 2


@wrong("alpha-is-bar")
def _(alpha_bar, x_0, x_t, t):
    n, b = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    a = n
    be = 1 - a
    return (a.sqrt() * (1 - b) * x_t + b.sqrt() * be * x_0) / (1 - n), ((1 - b) / (1 - n) * be).flatten()


@wrong("xt-beta-for-alpha")
def _(alpha_bar, x_0, x_t, t):
    n, b = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    a = n / b
    be = 1 - a
    return (be.sqrt() * (1 - b) * x_t + b.sqrt() * be * x_0) / (1 - n), ((1 - b) / (1 - n) * be).flatten()


@wrong("swapped")
def _(alpha_bar, x_0, x_t, t):
    n, b = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    a = n / b
    be = 1 - a
    return (a.sqrt() * (1 - b) * x_0 + b.sqrt() * be * x_t) / (1 - n), ((1 - b) / (1 - n) * be).flatten()


@wrong("root-of-fraction")
def _(alpha_bar, x_0, x_t, t):
    n, b = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    a = n / b
    be = 1 - a
    return (a.sqrt() * (1 - b) * x_t + b.sqrt() * be * x_0) / (1 - n), (((1 - b) / (1 - n)).sqrt() * be).flatten()


def slip(old, new):
    """One change in a right answer."""
    code = """
def answer(alpha_bar, x_0, x_t, t):
    now, prev = alpha_bar[t].to(x_t.dtype), alpha_bar[t - 1].to(x_t.dtype)
    alpha = now / prev
    beta = 1 - alpha
    a = torch.sqrt(alpha) * (1 - prev) / (1 - now)
    b = torch.sqrt(prev) * beta / (1 - now)
    var = (1 - prev) / (1 - now) * beta
    return column(a, x_t) * x_t + column(b, x_t) * x_0, var
"""
    assert old in code
    space = {"torch": torch, "column": column}
    exec(code.replace(old, new, 1), space)
    return space["answer"]


wrong("xt-bar-for-alpha")(slip("torch.sqrt(alpha) *", "torch.sqrt(now) *"))
wrong("xt-noise-root")(slip("(1 - prev) / (1 - now)", "(1 - prev) / torch.sqrt(1 - now)"))
wrong("xt-noise-before-squared")(slip("(1 - prev) / (1 - now)", "(1 - prev) ** 2 / (1 - now)"))
wrong("x0-beta-root")(slip("torch.sqrt(prev) * beta", "torch.sqrt(prev) * torch.sqrt(beta)"))
wrong("x0-noise-before-for-bar-before")(slip("b = torch.sqrt(prev)", "b = torch.sqrt(1 - prev)"))
wrong("x0-noise-before-for-noise")(slip("beta / (1 - now)", "beta / (1 - prev)"))
wrong("variance-noise-before-squared")(slip("var = (1 - prev)", "var = (1 - prev) ** 2"))
wrong("alpha-is-beta")(slip("beta = 1 - alpha", "beta = alpha"))
wrong("bar-is-beta")(slip("beta = 1 - alpha", "beta = now"))
wrong("alpha-upside-down")(slip("alpha = now / prev", "alpha = prev / now"))


def _of(alpha_bar, x_t, t):
    """alpha_bar_t, alpha_bar_{t-1} and beta_t, as columns."""
    now, before = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    return now, before, 1 - now / before


@wrong("now-for-before")
def _(alpha_bar, x_0, x_t, t):
    now, _, beta = _of(alpha_bar, x_t, t)
    mean = (1 - beta).sqrt() * (1 - now) / (1 - now) * x_t + now.sqrt() * beta / (1 - now) * x_0
    return mean, ((1 - now) / (1 - now) * beta).flatten()


@wrong("clipped-at-1")
def _(alpha_bar, x_0, x_t, t):
    now, before, beta = _of(alpha_bar, x_t, t)
    alphas = alpha_bar[1:] / alpha_bar[:-1]
    variances = (1 - alphas) * (1 - alpha_bar[:-1]) / (1 - alpha_bar[1:])
    variances[0] = variances[1]  # its logarithm is taken in many programs
    mean = ((1 - beta).sqrt() * (1 - before) * x_t + before.sqrt() * beta * x_0) / (1 - now)
    return mean, variances[t - 1].to(x_t.dtype)


# Each of the two results has a mistake of its own.
@wrong("xt-alpha-no-root, standard-deviation", says="In result 1: in front of x_t")
def _(alpha_bar, x_0, x_t, t):
    now, before, beta = _of(alpha_bar, x_t, t)
    mean = ((1 - beta) * (1 - before) * x_t + before.sqrt() * beta * x_0) / (1 - now)
    return mean, ((1 - before) / (1 - now) * beta).sqrt().flatten()


# A known mistake that would be infinite at t = 1, but for something small.
@wrong("upside-down")
def _(alpha_bar, x_0, x_t, t):
    now, before, beta = _of(alpha_bar, x_t, t)
    mean = ((1 - beta).sqrt() * (1 - before) * x_t + before.sqrt() * beta * x_0) / (1 - now)
    return mean, ((1 - now) / (1 - before + 1e-8) * beta).flatten()


@wrong("x0-bar-for-bar-before, xt-alpha-no-root")
def _(alpha_bar, x_0, x_t, t):
    n, b = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    a = n / b
    be = 1 - a
    return (a * (1 - b) * x_t + n.sqrt() * be * x_0) / (1 - n), ((1 - b) / (1 - n) * be).flatten()


@wrong("row-before")
def _(alpha_bar, x_0, x_t, t):
    n, b = column(alpha_bar[t - 1], x_t), column(alpha_bar[(t - 2).clamp(min=0)], x_t)
    a = n / b
    be = 1 - a
    return (a.sqrt() * (1 - b) * x_t + b.sqrt() * be * x_0) / (1 - n), ((1 - b) / (1 - n) * be).flatten()


@wrong("square")
def _(alpha_bar, x_0, x_t, t):
    now, before = alpha_bar[t], alpha_bar[t - 1]
    beta = 1 - now / before
    first, second = (now / before).sqrt() * (1 - before) / (1 - now), before.sqrt() * beta / (1 - now)
    shape = (-1, *[1] * (x_t.ndim - 1))
    return first.view(shape) * x_t + second.view(shape) * x_0, (beta * (1 - before) / (1 - now)) ** 2


@wrong(kind="factor", says="the factor in front of x_t is not right; that in front of x_0 is")
def _(alpha_bar, x_0, x_t, t):
    now, before = alpha_bar[t], alpha_bar[t - 1]
    beta, kept = 1 - now / before, before.clamp(max=0.95)
    first, second = (now / before).sqrt() * (1 - kept) / (1 - now), before.sqrt() * beta / (1 - now)
    shape = (-1, *[1] * (x_t.ndim - 1))
    return first.view(shape) * x_t + second.view(shape) * x_0, beta * (1 - before) / (1 - now)
