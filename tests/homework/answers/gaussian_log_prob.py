"""Answers to gaussian-log-prob."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch.distributions import Normal

from answers.before import gaussian_log_prob
from answers.collected import answers_to

right, wrong = answers_to("gaussian-log-prob")


@right
def _(x, mean, log_var):
    return Normal(mean, (0.5 * log_var).exp()).log_prob(x).sum(-1)


@right
def _(x, mean, log_var):
    d = x.shape[1]
    squared = torch.einsum("bd,bd->b", (x - mean) ** 2, torch.exp(-log_var))
    return -0.5 * squared - 0.5 * log_var.sum(1) - 0.5 * d * math.log(2 * math.pi)


@right
def _(x, mean, log_var):
    out = []
    for a, m, v in zip(x, mean, log_var, strict=True):
        total = 0
        for j in range(len(a)):
            total = total - 0.5 * ((a[j] - m[j]) ** 2 / torch.exp(v[j]) + v[j] + math.log(2 * math.pi))
        out.append(total)
    return torch.stack(out)


@wrong("constant-missing")
def _(x, mean, log_var):
    return -(0.5 * (x - mean) ** 2 * torch.exp(-log_var) + 0.5 * log_var).sum(-1)


@wrong("constant-once")
def _(x, mean, log_var):
    squared = ((x - mean) ** 2 / torch.exp(log_var)).sum(1)
    return -0.5 * (math.log(2 * math.pi) + log_var.sum(1) + squared)


@wrong("log-std")
def _(x, mean, log_var):
    return Normal(mean, log_var.exp()).log_prob(x).sum(1)


@wrong("dims-averaged")
def _(x, mean, log_var):
    return Normal(mean, torch.exp(0.5 * log_var)).log_prob(x).mean(-1)


@wrong("not-summed")
def _(x, mean, log_var):
    return Normal(mean, torch.exp(0.5 * log_var)).log_prob(x)


@wrong("negated")
def _(x, mean, log_var):
    return F.gaussian_nll_loss(mean, x, log_var.exp(), full=True, reduction="none", eps=0).sum(1)


@wrong("divided-by-std")
def _(x, mean, log_var):
    sigma = torch.exp(0.5 * log_var)
    return (-0.5 * (x - mean) ** 2 / sigma - sigma.log() - 0.5 * math.log(2 * math.pi)).sum(1)


@wrong(kind="batch", says="right in all cases with one example")
def _(x, mean, log_var):
    d = x.numel()
    squared = ((x - mean) ** 2 * torch.exp(-log_var) + log_var).sum(1)
    return -0.5 * (squared + d * math.log(2 * math.pi))


@wrong("variance-squared")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp() ** 2 + log_var + math.log(2 * math.pi)).sum(1)


@wrong("constant-half-missing")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp() + log_var).sum(1) - x.shape[1] * math.log(2 * math.pi)


@wrong("log10")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp() + log_var + math.log10(2 * math.pi)).sum(1)


@wrong("log2-times-pi")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp() + log_var + math.log(2) * math.pi).sum(1)


@wrong("multiplied")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 * log_var.exp() + log_var + math.log(2 * math.pi)).sum(1)


@wrong("summed-over-examples")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp() + log_var + math.log(2 * math.pi)).sum(0)


@wrong("not-squared")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) / log_var.exp() + log_var + math.log(2 * math.pi)).sum(1)


@wrong("log-of-log-var")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp() + log_var.log() + math.log(2 * math.pi)).sum(1)


@wrong("log-var-sign")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp() - log_var + math.log(2 * math.pi)).sum(1)


@wrong("half-log-var")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp() + 0.5 * log_var + math.log(2 * math.pi)).sum(1)


@wrong(kind="error", says="it raises RuntimeError")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / np.exp(log_var) + log_var + np.log(2 * np.pi)).sum(1)


@wrong("summed-first")
def _(x, mean, log_var):
    return -0.5 * ((x - mean).sum(1) ** 2 / log_var.exp().sum(1) + log_var.sum(1) + math.log(2 * math.pi))


@wrong("half-exponent")
def _(x, mean, log_var):
    return torch.distributions.MultivariateNormal(mean, torch.diag_embed((0.5 * log_var).exp())).log_prob(x)


@wrong("d-is-batch")
def _(x, mean, log_var):
    d = x.shape[0]
    return -0.5 * (((x - mean) ** 2 / log_var.exp() + log_var).sum(1) + d * math.log(2 * math.pi))


@wrong("multiplied")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 * torch.exp(log_var) + log_var + math.log(2 * math.pi)).sum(1)


@wrong("constant-once")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp()).sum(1) - 0.5 * log_var.sum(1) - 0.5 * math.log(2 * math.pi)


@wrong("log-std")
def _(x, mean, log_var):
    s = log_var.exp()
    return -0.5 * (((x - mean) / s) ** 2 + 2 * s.log() + math.log(2 * math.pi)).sum(1)


@wrong("two-pi")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp() + log_var + 2 * math.pi).sum(1)


@wrong("log-pi")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp() + log_var + math.log(math.pi)).sum(1)


@wrong("constant-half-missing")
def _(x, mean, log_var):
    return -((x - mean) ** 2 / (2 * log_var.exp()) + log_var / 2 + math.log(2 * math.pi)).sum(1)


@wrong("square-missing")
def _(x, mean, log_var):
    return -0.5 * (log_var + math.log(2 * math.pi)).sum(1)


@wrong("variance-squared")
def _(x, mean, log_var):
    return -0.5 * (((x - mean) / log_var.exp()) ** 2 + log_var + math.log(2 * math.pi)).sum(1)


@wrong("minus-on-square-only")
def _(x, mean, log_var):
    return (-0.5 * (x - mean) ** 2 / log_var.exp() + 0.5 * log_var + 0.5 * math.log(2 * math.pi)).sum(1)


@wrong("square-alone")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp()).sum(1)


@wrong(kind="edge", says="a density that underflows")
def _(x, mean, log_var):
    return Normal(mean, (0.5 * log_var).exp()).log_prob(x).exp().prod(1).log()


@wrong(kind="edge", says="log_var from -12.5 to 9")
def _(x, mean, log_var):
    return gaussian_log_prob(x, mean, log_var.clamp(-3, 3))


@wrong(kind="precision", says="or something small added (an eps=)")
def _(x, mean, log_var):
    return gaussian_log_prob(x, mean, torch.log(log_var.exp() + 1e-8))


@wrong(kind="precision", says="such as torch.tensor(0.5)")
def _(x, mean, log_var):
    log_2_pi = torch.log(torch.tensor(2 * math.pi))
    return -0.5 * ((x - mean) ** 2 / log_var.exp() + log_var + log_2_pi).sum(1)


@wrong(kind="type", says="a plain tensor is expected, got a tensor of complex128")
def _(x, mean, log_var):
    return gaussian_log_prob(x, mean, log_var).to(torch.complex128)


@wrong(kind="type", says="a plain tensor is expected, got a tensor without numbers of its own")
def _(x, mean, log_var):
    return gaussian_log_prob(x, mean, log_var).to("meta")


@wrong(kind="type", says="a plain tensor is expected, got a tensor without numbers of its own")
def _(x, mean, log_var):
    return gaussian_log_prob(x, mean, log_var).to_sparse()


@wrong("log-var-twice")
def _(x, mean, log_var):
    q = (x - mean) ** 2 / torch.exp(log_var)
    return -0.5 * (q + 2 * log_var + math.log(2 * math.pi)).sum(1)


@wrong("constant-halved")
def _(x, mean, log_var):
    c = 0.5 * math.log(2 * math.pi)
    return -0.5 * ((x - mean) ** 2 / torch.exp(log_var) + log_var + c).sum(1)


@wrong("constant-missing, log-var-sign")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp() - log_var).sum(1)


@wrong(kind="precision", says="a constant rounded")
def _(x, mean, log_var):
    return -0.5 * ((x - mean) ** 2 / log_var.exp() + log_var + 1.837877).sum(1)


@wrong(kind="edge", says="nine variances of exp(100)")
def _(x, mean, log_var):
    var = log_var.exp()
    constant = (2 * math.pi) ** x.shape[1]
    return -0.5 * ((x - mean) ** 2 / var).sum(1) - 0.5 * torch.log(constant * var.prod(1))
