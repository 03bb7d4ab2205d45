"""Answers to sampler."""

import torch

from answers.before import alpha_bar, column, mu_theta, posterior
from answers.collected import answers_to

right, wrong = answers_to("sampler")


@right
def _(model, betas, x_T, noise):
    table = alpha_bar(betas)
    x = x_T
    for t in reversed(range(1, len(betas) + 1)):
        step = torch.tensor([t] * len(x))
        mean = mu_theta(table, x, step, model(x, step))
        variance = posterior(table, x, x, step)[1]
        x = mean + column(variance.sqrt(), x) * noise[t - 1]  # at t = 1 the variance is 0
    return x


@right
def _(model, betas, x_T, noise):
    alphas = 1 - betas
    bars = alphas.cumprod(0)
    x, t = x_T.clone(), len(betas)
    while t >= 1:
        eps = model(x, torch.full((x.shape[0],), t, dtype=torch.long))
        x0 = (x - (1 - bars[t - 1]).sqrt() * eps) / bars[t - 1].sqrt()
        before = bars[t - 2] if t > 1 else torch.ones_like(bars[0])
        x = (alphas[t - 1].sqrt() * (1 - before) * x + before.sqrt() * betas[t - 1] * x0) / (1 - bars[t - 1])
        if t > 1:
            x += torch.sqrt((1 - before) / (1 - bars[t - 1]) * betas[t - 1]) * noise[t - 1]
        t -= 1
    return x


@right
def _(model, betas, x_T, noise):
    def back(x, t):
        if t == 0:
            return x
        a, bar, before = 1 - betas[t - 1], torch.prod(1 - betas[:t]), torch.prod(1 - betas[: t - 1])
        mean = (x - (1 - a) / torch.sqrt(1 - bar) * model(x, t * torch.ones(len(x), dtype=torch.int64))) / torch.sqrt(a)
        sigma = torch.sqrt(betas[t - 1] * (1 - before) / (1 - bar))
        return back(mean + sigma * (noise[t - 1] if t > 1 else 0), t - 1)

    return back(x_T, len(betas))


def walk(model, betas, x, noise, *, scale, first=1, told=lambda t: t):
    bars = torch.cat([betas.new_ones(1), (1 - betas).cumprod(0)])
    for t in range(len(betas), first - 1, -1):
        eps = model(x, torch.full((len(x),), told(t)))
        x = (x - betas[t - 1] / (1 - bars[t]).sqrt() * eps) / (1 - betas[t - 1]).sqrt()
        posterior = (1 - bars[t - 1]) / (1 - bars[t]) * betas[t - 1]
        x = x + scale(t, betas[t - 1], posterior) * noise[t - 1]
    return x


@wrong("beta-and-noise-at-1")
def _(model, betas, x_T, noise):
    return walk(model, betas, x_T, noise, scale=lambda t, beta, posterior: beta.sqrt())


@wrong("beta")
def _(model, betas, x_T, noise):
    return walk(model, betas, x_T, noise, scale=lambda t, beta, posterior: beta.sqrt() if t > 1 else 0)


@wrong("noise-at-1")
def _(model, betas, x_T, noise):
    # beta~_1 is zero, so beta_1 was taken there.
    return walk(model, betas, x_T, noise, scale=lambda t, beta, posterior: (beta if t == 1 else posterior).sqrt())


@wrong("variance-scales")
def _(model, betas, x_T, noise):
    return walk(model, betas, x_T, noise, scale=lambda t, beta, posterior: posterior)


@wrong("no-noise")
def _(model, betas, x_T, noise):
    return walk(model, betas, x_T, noise, scale=lambda t, beta, posterior: 0)


@wrong("last-step-missing")
def _(model, betas, x_T, noise):
    return walk(model, betas, x_T, noise, scale=lambda t, beta, posterior: posterior.sqrt(), first=2)


@wrong(kind="error", says="takes steps from 1 on, got 0")
def _(model, betas, x_T, noise):
    return walk(model, betas, x_T, noise, scale=lambda t, beta, posterior: posterior.sqrt(), told=lambda t: t - 1)


@wrong(kind="error", says="one step for each example; got the int")
def _(model, betas, x_T, noise):
    x = x_T
    for t in range(len(betas), 0, -1):
        x = x - model(x, t)
    return x


@wrong(kind="time", says="this takes too long")
def _(model, betas, x_T, noise):
    t = len(betas)
    while t > 0:
        model(x_T, torch.full((len(x_T),), t))
    return x_T


def step_by_step(model, betas, x, noise, mean=None, sig=None, z=None, told=None):
    bars, T = torch.cat([betas.new_ones(1), (1 - betas).cumprod(0)]), len(betas)
    mean = mean or (lambda x, e, b, n, p: (x - b / (1 - n).sqrt() * e) / (1 - b).sqrt())
    sig = sig or (lambda b, n, p: ((1 - p) / (1 - n) * b).sqrt())
    for t in range(T, 0, -1):
        b, n, p = betas[t - 1], bars[t], bars[t - 1]
        e = model(x, torch.full((len(x),), told(t, T) if told else t))
        x = mean(x, e, b, n, p)
        if t > 1:
            x = x + sig(b, n, p) * (z(t, T, noise) if z else noise[t - 1])
    return x


def x_0(x, e, n):
    return (x - (1 - n).sqrt() * e) / n.sqrt()


SLIPS = {
    "fraction-upside-down": dict(sig=lambda b, n, p: ((1 - n) / (1 - p) * b).sqrt()),
    "all-noise": dict(sig=lambda b, n, p: (1 - n).sqrt()),
    "mean-noise-noise-no-root": dict(mean=lambda x, e, b, n, p: (x - b / (1 - n) * e) / (1 - b).sqrt()),
    "mean-front-alpha-no-root": dict(mean=lambda x, e, b, n, p: (x - b / (1 - n).sqrt() * e) / (1 - b)),
    "mean-predicted-x0": dict(mean=lambda x, e, b, n, p: x_0(x, e, n)),
    "noise-of-wrong-step": dict(z=lambda t, T, z: z[T - t]),
    "told-backwards": dict(told=lambda t, T: T - t + 1),
    "mean-noise-added": dict(mean=lambda x, e, b, n, p: (x + b / (1 - n).sqrt() * e) / (1 - b).sqrt()),
    "mean-noise-alpha-for-beta": dict(mean=lambda x, e, b, n, p: (x - (1 - b) / (1 - n).sqrt() * e) / (1 - b).sqrt()),
    "clipped": dict(
        mean=lambda x, e, b, n, p: ((1 - b).sqrt() * (1 - p) * x + p.sqrt() * b * x_0(x, e, n).clamp(-1, 1)) / (1 - n)
    ),
    "ddim-alone": dict(mean=lambda x, e, b, n, p: p.sqrt() * x_0(x, e, n) + (1 - p).sqrt() * e, sig=lambda b, n, p: 0),
    "beta, mean-front-no-alpha": dict(
        mean=lambda x, e, b, n, p: x - b / (1 - n).sqrt() * e, sig=lambda b, n, p: b.sqrt()
    ),
}
for mistake, slip in SLIPS.items():
    wrong(mistake)(lambda model, betas, x_T, noise, slip=slip: step_by_step(model, betas, x_T, noise, **slip))


@wrong("root-of-beta-alone")
def _(model, betas, x_T, noise):
    ab = torch.cat([betas.new_ones(1), torch.cumprod(1 - betas, 0)])
    x = x_T
    for t in range(len(betas), 0, -1):
        e = model(x, torch.full((len(x),), t))
        x = (x - betas[t - 1] / torch.sqrt(1 - ab[t]) * e) / torch.sqrt(1 - betas[t - 1])
        x = x + (1 - ab[t - 1]) / (1 - ab[t]) * torch.sqrt(betas[t - 1]) * noise[t - 1]
    return x


@wrong(kind="error", says="takes steps from 1 on, got 0")
def _(model, betas, x_T, noise):
    ab = torch.cat([betas.new_ones(1), torch.cumprod(1 - betas, 0)])
    x = x_T
    for t in range(len(betas) - 1, -1, -1):
        e = model(x, torch.full((len(x),), t))
        x = (x - betas[t] / torch.sqrt(1 - ab[t + 1]) * e) / torch.sqrt(1 - betas[t])
        x = x + ((1 - ab[t]) / (1 - ab[t + 1]) * betas[t]).sqrt() * noise[t]
    return x


@wrong("beta, mean-erratum-e10")
def _(model, betas, x_T, noise):
    x = x_T
    for t in range(len(betas), 0, -1):
        alpha = 1 - betas[t - 1]
        x = (x - betas[t - 1] / (1 - alpha).sqrt() * model(x, torch.full((len(x),), t))) / alpha.sqrt()
        if t > 1:
            x = x + betas[t - 1].sqrt() * noise[t - 1]
    return x


@wrong("mean-erratum-e13, no-noise")
def _(model, betas, x_T, noise):
    table = alpha_bar(betas)
    x = x_T
    for t in range(len(betas), 0, -1):
        eps = model(x, torch.full((len(x),), t))
        x = (x - betas[t - 1] / (1 - table[t]).sqrt() * eps) / table[t].sqrt()
    return x


@wrong("noise-before-step")
def _(model, betas, x_T, noise):
    table = alpha_bar(betas)
    x = x_T
    for t in range(len(betas), 0, -1):
        b, now, before = betas[t - 1], table[t], table[t - 1]
        if t > 1:
            x = x + ((1 - before) / (1 - now) * b).sqrt() * noise[t - 1]
        eps = model(x, torch.full((len(x),), t))
        x = (x - b / (1 - now).sqrt() * eps) / (1 - b).sqrt()
    return x


@wrong(kind="edge", says="T = 12")
def _(model, betas, x_T, noise):
    x, T = x_T, len(betas)
    table = torch.cat([betas.new_ones(1), (1 - betas).cumprod(0)])
    for t in range(T, max(T - 10, 0), -1):
        beta = betas[t - 1]
        eps = model(x, torch.full((len(x),), t))
        x = (x - beta / (1 - table[t]).sqrt() * eps) / (1 - beta).sqrt()
        x = x + (beta * (1 - table[t - 1]) / (1 - table[t])).sqrt() * noise[t - 1]
    return x
