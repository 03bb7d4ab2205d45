"""Answers to loss-weight."""

import torch
import torch.nn.functional as F

from answers.before import alpha_bar
from answers.collected import answers_to

right, wrong = answers_to("loss-weight")


@right
def _(betas):
    weights, bar = [], 1 - betas[0]
    for beta in betas[1:]:
        weights.append(beta / (2 * (1 - beta) * (1 - bar)))
        bar = bar * (1 - beta)
    return torch.stack(weights)


@right
def _(betas):
    bar = (1 - betas).cumprod(0)
    factor = betas / ((1 - bar).sqrt() * (1 - betas).sqrt())  # of eps in the mean
    variance = (1 - bar[:-1]) / (1 - bar[1:]) * betas[1:]
    return factor[1:] ** 2 / (2 * variance)


@right
def _(betas):
    # Half the difference of the signal-to-noise ratios, in terms of the noise.
    bar = F.pad((1 - betas).cumprod(0), (1, 0), value=1.0)
    snr = bar / (1 - bar)
    return 0.5 * (snr[1:-1] - snr[2:]) * (1 - bar[2:]) / bar[2:]


@wrong("doubled")
def _(betas):
    bars = (1 - betas).cumprod(0)
    return betas[1:] / ((1 - betas[1:]) * (1 - bars[:-1]))


@wrong("row-1")
def _(betas):
    bars = F.pad((1 - betas).cumprod(0), (1, 0), value=1.0)
    variance = (1 - bars[:-1]) / (1 - bars[1:]) * betas
    return betas**2 / (2 * variance * (1 - betas) * (1 - bars[1:]))


@wrong("now-for-before")
def _(betas):
    bars = (1 - betas).cumprod(0)
    return (betas**2 / (2 * betas * (1 - betas) * (1 - bars)))[1:]


@wrong("alpha-missing")
def _(betas):
    bars = (1 - betas).cumprod(0)
    return betas[1:] / (2 * (1 - bars[:-1]))


@wrong(kind="value", says="this is not right yet")
def _(betas):
    return torch.full_like(betas[1:], 7.0)


def of_tables(formula):
    """w_2, ..., w_T as a formula of beta_t, alpha_t, alpha_bar_t, alpha_bar_{t-1} and the posterior variance."""

    def answer(betas):
        bars = torch.cat([betas.new_ones(1), (1 - betas).cumprod(0)])
        b, n, p = betas[1:], bars[2:], bars[1:-1]
        return formula(b, 1 - b, n, p, (1 - p) / (1 - n) * b)

    return answer


SLIPS = {
    "weight-no-beta": lambda b, a, n, p, v: b / (2 * v * a * (1 - n)),
    "squared-noise-root": lambda b, a, n, p, v: b**2 / (2 * v * a * (1 - n).sqrt()),
    "alpha-missing": lambda b, a, n, p, v: b**2 / (2 * v * (1 - n)),
    "standard-deviation": lambda b, a, n, p, v: b**2 / (2 * v**0.5 * a * (1 - n)),
    "now-for-before": lambda b, a, n, p, v: b**2 / (2 * b * a * (1 - n)),
    "doubled": lambda b, a, n, p, v: (1 - a) ** 2 / (v * a * (1 - n)),
    "weight-bar-for-alpha": lambda b, a, n, p, v: b**2 / (2 * v * n * (1 - n)),
    "squared-bar-for-noise": lambda b, a, n, p, v: b**2 / (2 * v * a * n),
    "tilde-missing": lambda b, a, n, p, v: b**2 / (2 * a * (1 - n)),
    "factor-not-squared": lambda b, a, n, p, v: b / ((1 - n).sqrt() * a.sqrt()) / (2 * v),
    "roots-missing": lambda b, a, n, p, v: 1 / (2 * v) * (b / (a * (1 - n))) ** 2,
    "weight-alpha-root": lambda b, a, n, p, v: b**2 / (2 * v * a.sqrt() * (1 - n)),
    "squared-noise-before-for-noise": lambda b, a, n, p, v: b**2 / (2 * v * a * (1 - p)),
    "squared-no-noise": lambda b, a, n, p, v: b**2 / (2 * v * a),
    "squared-alpha-for-beta": lambda b, a, n, p, v: a**2 / (2 * v * a * (1 - n)),
}
for mistake, slip in SLIPS.items():
    wrong(mistake)(of_tables(slip))


@wrong("log")
def _(betas):
    bar = torch.cat([betas.new_ones(1), torch.cumprod(1 - betas, 0)])
    return torch.log(betas[1:]) - torch.log(2 * (1 - betas[1:]) * (1 - bar[1:-1]))


@wrong("alpha-missing, now-for-before")
def _(betas):
    bar = alpha_bar(betas)
    return betas[1:] / (2 * (1 - bar[2:]))


@wrong("alpha-missing, doubled")
def _(betas):
    bar = alpha_bar(betas)
    return betas[1:] / (1 - bar[1:-1])


@wrong("ones")
def _(betas):
    return torch.ones(len(betas) - 1, dtype=betas.dtype)


@wrong("constant")
def _(betas):
    return torch.full_like(betas[1:], 0.5)


@wrong("row-too-early")
def _(betas):
    bar, b = alpha_bar(betas), betas[:-1]
    variance = b * (1 - bar[1:-1]) / (1 - bar[2:])
    return b**2 / (2 * variance * (1 - b) * (1 - bar[2:]))


@wrong("weights-from-1")
def _(betas):
    bar, b = alpha_bar(betas)[:-1], betas[:-1]
    return b / (2 * (1 - b) * (1 - bar[:-1]))


@wrong("factor-not-squared-no-alpha")
def _(betas):
    bar, b = alpha_bar(betas), betas[1:]
    variance = b * (1 - bar[1:-1]) / (1 - bar[2:])
    return b / (1 - bar[2:]).sqrt() / (2 * variance)
