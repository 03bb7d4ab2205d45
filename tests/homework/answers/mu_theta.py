"""Answers to mu-theta."""

import math

import torch

from answers.before import column, posterior
from answers.collected import answers_to

right, wrong = answers_to("mu-theta")


@right
def _(alpha_bar, x_t, t, eps):
    a = column(alpha_bar[t], x_t)
    x_0 = (x_t - (1 - a).sqrt() * eps) / a.sqrt()
    return posterior(alpha_bar, x_0, x_t, t)[0]


@right
def _(alpha_bar, x_t, t, eps):
    alpha = alpha_bar[t] / alpha_bar[t - 1]
    a, b = alpha.rsqrt(), (1 - alpha) * (1 - alpha_bar[t]).rsqrt()
    return column(a, x_t) * x_t - column(a * b, x_t) * eps


@right
def _(alpha_bar, x_t, t, eps):
    out = torch.empty_like(x_t)
    for i in range(len(t)):
        alpha = float(alpha_bar[t[i]] / alpha_bar[t[i] - 1])
        out[i] = (x_t[i] - (1 - alpha) / math.sqrt(1 - float(alpha_bar[t[i]])) * eps[i]) / math.sqrt(alpha)
    return out


@wrong("erratum-e13")
def _(alpha_bar, x_t, t, eps):
    now, alpha = column(alpha_bar[t], x_t), column(alpha_bar[t] / alpha_bar[t - 1], x_t)
    return 1 / now.sqrt() * (x_t - (1 - alpha) / (1 - now).sqrt() * eps)


@wrong("erratum-e10")
def _(alpha_bar, x_t, t, eps):
    alpha = column(alpha_bar[t] / alpha_bar[t - 1], x_t)
    return 1 / alpha.sqrt() * (x_t - (1 - alpha) / (1 - alpha).sqrt() * eps)


@wrong("predicted-x0")
def _(alpha_bar, x_t, t, eps):
    a = column(alpha_bar[t], x_t)
    return (x_t - torch.sqrt(1 - a) * eps) / torch.sqrt(a)


@wrong("front-no-alpha")
def _(alpha_bar, x_t, t, eps):
    now, alpha = column(alpha_bar[t], x_t), column(alpha_bar[t] / alpha_bar[t - 1], x_t)
    return x_t - (1 - alpha) * eps / torch.sqrt(1 - now)


@wrong("noise-added")
def _(alpha_bar, x_t, t, eps):
    now, alpha = column(alpha_bar[t], x_t), column(alpha_bar[t] / alpha_bar[t - 1], x_t)
    return (x_t + (1 - alpha) * eps / torch.sqrt(1 - now)) / torch.sqrt(alpha)


@wrong("noise-noise-no-root")
def _(alpha_bar, x_t, t, eps):
    n, b = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    a = n / b
    return (x_t - (1 - a) * eps / (1 - n)) / a.sqrt()


@wrong("erratum-e10")
def _(alpha_bar, x_t, t, eps):
    n, b = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    a = n / b
    beta = 1 - a
    return (x_t - beta.sqrt() * eps) / a.sqrt()


@wrong("noise-no-noise")
def _(alpha_bar, x_t, t, eps):
    n, b = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    a = n / b
    beta = 1 - a
    return (x_t - beta * eps) / a.sqrt()


@wrong("front-alpha-no-root")
def _(alpha_bar, x_t, t, eps):
    n, b = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    a = n / b
    beta = 1 - a
    return (x_t - beta / (1 - n).sqrt() * eps) / (1 - beta)


@wrong("noise-alpha-for-beta")
def _(alpha_bar, x_t, t, eps):
    n, b = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    a = n / b
    return (x_t - a / (1 - n).sqrt() * eps) / a.sqrt()


@wrong("multiplied-x-alone")
def _(alpha_bar, x_t, t, eps):
    n, b = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    a = n / b
    return a.sqrt() * x_t - (1 - a) / (1 - n).sqrt() * eps


@wrong("bar-squared")
def _(alpha_bar, x_t, t, eps):
    n, b = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    a = n / b
    return (x_t - (1 - a) / (1 - n**2).sqrt() * eps) / a.sqrt()


@wrong("all-noise")
def _(alpha_bar, x_t, t, eps):
    n, b = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    x0 = (x_t - (1 - n).sqrt() * eps) / n.sqrt()
    return b.sqrt() * x0


@wrong("noise-no-noise")
def _(alpha_bar, x_t, t, eps):
    n, b = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    x0 = (x_t - (1 - n) * eps) / n.sqrt()
    a = n / b
    return (a.sqrt() * (1 - b) * x_t + b.sqrt() * (1 - a) * x0) / (1 - n)


@wrong("x0-root-missing")
def _(alpha_bar, x_t, t, eps):
    n, b = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    x0 = (x_t - (1 - n).sqrt() * eps) / n
    a = n / b
    return (a.sqrt() * (1 - b) * x_t + b.sqrt() * (1 - a) * x0) / (1 - n)


@wrong("noise-bar-for-noise")
def _(alpha_bar, x_t, t, eps):
    n, b = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    a = n / b
    return (x_t - (1 - a) / n.sqrt() * eps) / a.sqrt()


@wrong("alpha-upside-down")
def _(alpha_bar, x_t, t, eps):
    n, b = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    a = b / n
    return (x_t - (1 - a) / (1 - n).sqrt() * eps) / a.sqrt()


@wrong("e13-e10")
def _(alpha_bar, x_t, t, eps):
    now = column(alpha_bar[t], x_t)
    beta = 1 - now / column(alpha_bar[t - 1], x_t)
    return (x_t - beta / beta.sqrt() * eps) / now.sqrt()


# A known mistake, with something small added against a division by zero.
@wrong("erratum-e10")
def _(alpha_bar, x_t, t, eps):
    alpha = column(alpha_bar[t], x_t) / column(alpha_bar[t - 1], x_t)
    return (x_t - (1 - alpha) / torch.sqrt(1 - alpha + 1e-8) * eps) / torch.sqrt(alpha)


@wrong("x0-swapped")
def _(alpha_bar, x_t, t, eps):  # the factors of part 6 have changed places
    n, b = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    a = n / b
    x_0 = (x_t - (1 - n).sqrt() * eps) / n.sqrt()
    return (b.sqrt() * (1 - a) * x_t + a.sqrt() * (1 - b) * x_0) / (1 - n)


@wrong("factor-of-eps")
def _(alpha_bar, x_t, t, eps):
    n = column(alpha_bar[t], x_t)
    a = n / column(alpha_bar[t - 1], x_t)
    return (x_t - 2 * (1 - a) / (1 - n).sqrt() * eps) / a.sqrt()


@wrong("bar-taken-away")
def _(alpha_bar, x_t, t, eps):
    now, before = column(alpha_bar[t], x_t), column(alpha_bar[t - 1], x_t)
    alpha = now / before
    return (x_t - (alpha - now) / (1 - now).sqrt() * eps) / alpha.sqrt()
