"""Three right answers for each part, in different ways: loops, einsum, torch.distributions, linear algebra."""

import math
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

RIGHT: dict[str, list[Callable[..., Any]]] = defaultdict(list)


def right(part: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        RIGHT[part].append(function)
        return function

    return add


def column(values, x):
    return values.reshape(len(values), *[1] * (x.dim() - 1)).to(x.dtype)


# --- 1. auto-encoders


@right("reconstruction-error")
def _(x, x_tilde):
    return torch.stack([torch.sum((a - b) ** 2) for a, b in zip(x, x_tilde, strict=True)])


@right("reconstruction-error")
def _(x, x_tilde):
    d = (x - x_tilde).reshape(x.shape[0], -1)
    return torch.einsum("bi,bi->b", d, d)


@right("reconstruction-error")
def _(x, x_tilde):
    return F.mse_loss(x_tilde, x, reduction="none").sum(dim=tuple(range(1, x.ndim)))


@right("pca-reconstruct")
def _(x, k):
    m = x.mean(dim=0, keepdim=True)
    cov = (x - m).T @ (x - m)
    _, vectors = torch.linalg.eigh(cov)
    top = vectors[:, -k:]
    return m + (x - m) @ top @ top.T


@right("pca-reconstruct")
def _(x, k):
    m = x.mean(0)
    U, S, Vh = torch.linalg.svd(x - m, full_matrices=False)
    S[k:] = 0
    return m + U @ torch.diag(S) @ Vh


@right("pca-reconstruct")
def _(x, k):
    m = x.mean(0)
    vectors = torch.linalg.eigh(torch.cov(x.T)).eigenvectors.flip(1)
    out = m.repeat(len(x), 1)
    for j in range(k):
        v = vectors[:, j]
        out = out + torch.outer((x - m) @ v, v)
    return out


@right("error-curve")
def _(x):
    m = x.mean(0)
    Vh = torch.linalg.svd(x - m, full_matrices=True).Vh
    curve = []
    for k in range(1, x.shape[1] + 1):
        V = Vh[:k]
        x_tilde = m + (x - m) @ V.T @ V
        curve.append(((x - x_tilde) ** 2).sum(1).mean())
    return torch.stack(curve)


@right("error-curve")
def _(x):
    values = torch.linalg.eigvalsh(torch.cov(x.T, correction=0))  # the smallest first
    tail = torch.cat([torch.zeros(1, dtype=x.dtype), values.cumsum(0)])
    return tail.flip(0)[1:]


@right("error-curve")
def _(x):
    s = torch.linalg.svdvals(x - x.mean(0)) ** 2 / len(x)
    return torch.stack([s[k:].sum() for k in range(1, len(s) + 1)])


@right("denoising-loss")
def _(model, x, noise_std, eps):
    noisy = x + torch.einsum("b,b...->b...", noise_std, eps)
    return ((model(noisy) - x) ** 2).sum(list(range(1, x.ndim)))


@right("denoising-loss")
def _(model, x, noise_std, eps):
    noisy = torch.stack([a + s * e for a, s, e in zip(x, noise_std, eps, strict=True)])
    return torch.linalg.vector_norm((x - model(noisy)).flatten(1), dim=1) ** 2


@right("denoising-loss")
def _(model, x, noise_std, eps):
    y = x.clone()
    y += column(noise_std, x) * eps
    return F.mse_loss(model(y), x, reduction="none").flatten(1).sum(-1)


@right("best-denoiser")
def _(y, mean, var, noise_std):
    s2 = noise_std**2
    return (var * y + s2 * mean) / (var + s2)


@right("best-denoiser")
def _(y, mean, var, noise_std):
    precision = 1 / var + 1 / noise_std**2
    return (mean / var + y / noise_std**2) / precision


@right("best-denoiser")
def _(y, mean, var, noise_std):
    law = Independent(Normal(mean, math.sqrt(var + noise_std**2)), 1)
    z = y if y.requires_grad else y.clone().requires_grad_()
    (score,) = torch.autograd.grad(law.log_prob(z).sum(), z, create_graph=True)
    return y + noise_std**2 * score


@right("best-denoiser")
def _(y, mean, var, noise_std):
    y.requires_grad_()
    Normal(mean, (var + noise_std**2) ** 0.5).log_prob(y).sum().backward()
    return (y + noise_std**2 * y.grad).detach()


# --- 2. variational auto-encoders


@right("gaussian-log-prob")
def _(x, mean, log_var):
    return Normal(mean, (0.5 * log_var).exp()).log_prob(x).sum(-1)


@right("gaussian-log-prob")
def _(x, mean, log_var):
    d = x.shape[1]
    squared = torch.einsum("bd,bd->b", (x - mean) ** 2, torch.exp(-log_var))
    return -0.5 * squared - 0.5 * log_var.sum(1) - 0.5 * d * math.log(2 * math.pi)


@right("gaussian-log-prob")
def _(x, mean, log_var):
    out = []
    for a, m, v in zip(x, mean, log_var, strict=True):
        total = 0
        for j in range(len(a)):
            total = total - 0.5 * ((a[j] - m[j]) ** 2 / torch.exp(v[j]) + v[j] + math.log(2 * math.pi))
        out.append(total)
    return torch.stack(out)


@right("elbo-kl")
def _(mu, log_var):
    q = Normal(mu, torch.exp(log_var / 2))
    return kl_divergence(q, Normal(torch.zeros_like(mu), torch.ones_like(mu))).sum(1)


@right("elbo-kl")
def _(mu, log_var):
    sigma = (0.5 * log_var).exp()
    return torch.sum(0.5 * (mu**2 + sigma**2 - 1) - sigma.log(), dim=1)


@right("elbo-kl")
def _(mu, log_var):
    k = mu.shape[1]
    trace = torch.stack([torch.diag(v.exp()).trace() for v in log_var])
    return (torch.einsum("bk,bk->b", mu, mu) + trace - k - log_var.sum(1)) / 2


@right("elbo")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    q = Normal(mu, (log_var / 2).exp())
    z = q.mean + q.stddev * eps
    log_likelihood = Normal(decoder(z), 1.0).log_prob(x).sum(1)
    return log_likelihood - kl_divergence(q, Normal(torch.zeros_like(mu), torch.ones_like(mu))).sum(1)


@right("elbo")
def _(x, encoder, decoder, eps):
    mu, log_var = encoder(x)
    error = F.mse_loss(decoder(mu + torch.sqrt(torch.exp(log_var)) * eps), x, reduction="none").sum(1)
    rest = x.shape[1] * np.log(2 * np.pi)
    minus_kl = 0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp(), dim=1)
    return -0.5 * (error + float(rest)) + minus_kl


@right("elbo")
def _(x, encoder, decoder, eps):
    bounds = []
    for i in range(len(x)):  # one example at a time
        mu, log_var = encoder(x[i : i + 1])
        z = mu + torch.exp(0.5 * log_var) * eps[i : i + 1]
        r = x[i] - decoder(z)[0]
        kl = 0.5 * (mu[0] @ mu[0] + log_var.exp().sum() - mu.shape[1] - log_var.sum())
        bounds.append(-0.5 * r @ r - len(r) / 2 * math.log(2 * math.pi) - kl)
    return torch.stack(bounds)


@right("iw-bound")
def _(log_w):
    top = log_w.max(0).values
    return top + (log_w - top).exp().mean(0).log()


@right("iw-bound")
def _(log_w):
    k = log_w.shape[0]
    total = log_w[0]
    for row in log_w[1:]:
        total = torch.logaddexp(total, row)
    return total - math.log(k)


@right("iw-bound")
def _(log_w):
    return torch.logsumexp(log_w - math.log(log_w.size(0)), dim=0)


@right("effective-sample-size")
def _(log_w):
    return (2 * log_w.logsumexp(0) - (2 * log_w).logsumexp(0)).exp()


@right("effective-sample-size")
def _(log_w):
    w = (log_w - log_w.amax(0, keepdim=True)).exp()
    return w.sum(0) ** 2 / (w * w).sum(0)


@right("effective-sample-size")
def _(log_w):
    sizes = []
    for column in log_w.T:
        p = torch.softmax(column, dim=0)
        sizes.append(1 / torch.dot(p, p))
    return torch.stack(sizes)


@right("kl-per-latent")
def _(mu, log_var):
    q, p = Normal(mu, (0.5 * log_var).exp()), Normal(torch.zeros_like(mu), torch.ones_like(mu))
    return torch.sort(kl_divergence(q, p).mean(0), descending=True)[0]


@right("kl-per-latent")
def _(mu, log_var):
    kl = [0.5 * (mu[:, j] ** 2 + log_var[:, j].exp() - 1 - log_var[:, j]).mean() for j in range(mu.shape[1])]
    return torch.stack(sorted(kl, reverse=True))


@right("kl-per-latent")
def _(mu, log_var):
    total = -(1 + log_var - mu.pow(2) - log_var.exp()).sum(0) / (2 * mu.shape[0])
    return total.topk(len(total)).values


# --- 3. EM and reparametrisation


@right("reparametrise")
def _(mu, log_var, *, generator):
    return mu + log_var.exp().sqrt() * torch.randn(*mu.shape, generator=generator, dtype=mu.dtype)


@right("reparametrise")
def _(mu, log_var, *, generator):
    eps = torch.empty_like(mu).normal_(generator=generator).detach()
    return torch.addcmul(mu, torch.exp(log_var / 2), eps)


@right("reparametrise")
def _(mu, log_var, *, generator):
    noise = torch.normal(torch.zeros_like(mu.detach()), torch.ones_like(mu.detach()), generator=generator)
    return torch.stack([m + (0.5 * v).exp() * e for m, v, e in zip(mu, log_var, noise, strict=True)])


@right("reparametrise")
def _(mu, log_var, *, generator):
    return mu - (0.5 * log_var).exp() * torch.randn(mu.shape, generator=generator, dtype=mu.dtype)


@right("score-gradient")
def _(f, mu, sigma, eps):
    return f(mu + sigma * eps).unsqueeze(1) * eps / sigma


@right("score-gradient")
def _(f, mu, sigma, eps):
    z = mu + sigma * eps
    m = mu.expand_as(z).clone().requires_grad_()
    (score,) = torch.autograd.grad(Normal(m, sigma).log_prob(z).sum(), m)
    return torch.einsum("n,nk->nk", f(z).detach(), score)


@right("score-gradient")
def _(f, mu, sigma, eps):
    rows = []
    for e in eps:
        z = mu + sigma * e
        rows.append(f(z[None])[0] * (z - mu) / sigma.square())
    return torch.stack(rows)


@right("e-step")
def _(x, W):
    precision = W.T @ W + torch.eye(W.shape[1], dtype=W.dtype)
    return torch.linalg.solve(precision, W.T @ x.T).T, precision.inverse()


@right("e-step")
def _(x, W):
    # The joint law of (z, x), conditioned.
    d, k = W.shape
    gain = W.T @ torch.linalg.inv(W @ W.T + torch.eye(d, dtype=W.dtype))
    return x @ gain.T, torch.eye(k, dtype=W.dtype) - gain @ W


@right("e-step")
def _(x, W):
    C = torch.cholesky_inverse(torch.linalg.cholesky(torch.eye(W.size(1), dtype=W.dtype) + W.T.mm(W)))
    return torch.einsum("kl,dl,nd->nk", C, W, x), C


@right("m-step")
def _(x, mean, covariance):
    A = sum(torch.outer(m, m) + covariance for m in mean)
    B = sum(torch.outer(a, m) for a, m in zip(x, mean, strict=True))
    return B @ torch.linalg.inv(A)


@right("m-step")
def _(x, mean, covariance):
    second = torch.einsum("nk,nl->kl", mean, mean) / len(x) + covariance
    return torch.linalg.solve(second, torch.einsum("nk,nd->kd", mean, x) / len(x)).T


@right("m-step")
def _(x, mean, covariance):
    # Least squares with further rows that stand for the spread of the codes.
    n = len(x)
    root = math.sqrt(n) * torch.linalg.cholesky(covariance).T
    rows = torch.cat([mean, root])
    targets = torch.cat([x, torch.zeros(len(root), x.shape[1], dtype=x.dtype)])
    return torch.linalg.lstsq(rows, targets, driver="gelsd").solution.T


@right("linear-elbo")
def _(x, W, mean, covariance):
    p = MultivariateNormal(torch.zeros(W.shape[1], dtype=W.dtype), torch.eye(W.shape[1], dtype=W.dtype))
    kl = torch.stack([kl_divergence(MultivariateNormal(m, covariance), p) for m in mean])
    spread = (W.T @ W * covariance).sum()
    at_mean = Normal(mean @ W.T, 1.0).log_prob(x).sum(1)
    return at_mean - spread / 2 - kl


@right("linear-elbo")
def _(x, W, mean, covariance):
    d, k = W.shape
    r = x - torch.einsum("dk,nk->nd", W, mean)
    expected = torch.einsum("nd,nd->n", r, r) + torch.einsum("dk,kl,dl->", W, covariance, W)
    kl = 0.5 * (
        torch.sum(mean * mean, 1) + covariance.diagonal().sum() - k - torch.linalg.slogdet(covariance).logabsdet
    )
    return -(expected + d * math.log(2 * math.pi)) / 2 - kl


@right("linear-elbo")
def _(x, W, mean, covariance):
    # E[z z^T] = m m^T + C, example by example.
    out = []
    for a, m in zip(x, mean, strict=True):
        second = torch.outer(m, m) + covariance
        square = a @ a - 2 * a @ (W @ m) + torch.trace(W.T @ W @ second)
        kl = 0.5 * (torch.trace(second) - len(m) - covariance.det().log())
        out.append(-0.5 * square - len(a) / 2 * math.log(2 * math.pi) - kl)
    return torch.stack(out)


@right("em-curve")
def _(x, W, rounds):
    e_step, m_step, bound = RIGHT["e-step"][0], RIGHT["m-step"][0], RIGHT["linear-elbo"][1]
    curve = torch.zeros(2 * rounds, dtype=x.dtype)
    for r in range(rounds):
        m, C = e_step(x, W)
        curve[2 * r] = bound(x, W, m, C).mean()
        W = m_step(x, m, C)
        curve[2 * r + 1] = bound(x, W, m, C).mean()
    return curve


@right("em-curve")
def _(x, W, rounds):
    # After an E-step the bound is the likelihood itself.
    d = x.shape[1]
    curve = []
    for _ in range(rounds):
        law = MultivariateNormal(torch.zeros(d, dtype=x.dtype), W @ W.T + torch.eye(d, dtype=x.dtype))
        curve.append(law.log_prob(x).mean())
        m, C = RIGHT["e-step"][1](x, W)
        W = RIGHT["m-step"][1](x, m, C)
        curve.append(RIGHT["linear-elbo"][1](x, W, m, C).mean())
    return torch.stack(curve)


@right("em-curve")
def _(x, W, rounds):
    def steps(W):
        for _ in range(rounds):
            q = RIGHT["e-step"][2](x, W)
            yield RIGHT["linear-elbo"][1](x, W, *q).mean()
            W = RIGHT["m-step"][0](x, *q)
            yield RIGHT["linear-elbo"][1](x, W, *q).mean()

    return torch.stack(list(steps(W)))


# --- 4. diffusion


@right("alpha-bar")
def _(betas):
    table = torch.ones(len(betas) + 1, dtype=betas.dtype)
    for t in range(1, len(table)):
        table[t] = table[t - 1] * (1 - betas[t - 1])
    return table


@right("alpha-bar")
def _(betas):
    return F.pad(torch.cumprod(1 - betas, dim=0), (1, 0), value=1.0)


@right("alpha-bar")
def _(betas):
    return torch.exp(F.pad(torch.log1p(-betas).cumsum(0), (1, 0)))


@right("q-step")
def _(x_prev, beta, eps):
    return torch.stack(
        [math.sqrt(1 - b) * x + math.sqrt(b) * e for x, b, e in zip(x_prev, beta.tolist(), eps, strict=True)]
    )


@right("q-step")
def _(x_prev, beta, eps):
    return torch.einsum("b,b...->b...", (1 - beta).sqrt(), x_prev) + torch.einsum("b,b...->b...", beta.sqrt(), eps)


@right("q-step")
def _(x_prev, beta, eps):
    b = beta[(...,) + (None,) * (x_prev.ndim - 1)]
    law = Normal(torch.sqrt(1 - b) * x_prev, torch.sqrt(b))
    return law.mean + law.stddev * eps


@right("q-sample")
def _(alpha_bar, x_0, t, eps):
    rows = []
    for i, step in enumerate(t.tolist()):
        a = alpha_bar[step].item()
        rows.append(a**0.5 * x_0[i] + (1 - a) ** 0.5 * eps[i])
    return torch.stack(rows)


@right("q-sample")
def _(alpha_bar, x_0, t, eps):
    a = torch.gather(alpha_bar, 0, t).to(x_0)
    return torch.einsum("b,b...->b...", a.sqrt(), x_0) + torch.einsum("b,b...->b...", (1 - a).sqrt(), eps)


@right("q-sample")
def _(alpha_bar, x_0, t, eps):
    a = column(alpha_bar.index_select(0, t), x_0).expand_as(x_0)
    return torch.sqrt(a) * x_0 + torch.sqrt(1 - a) * eps


@right("half-signal")
def _(betas):
    left, t = 1.0, 0
    while left >= 0.5:
        t += 1
        left *= 1 - betas[t - 1].item()
    return t


@right("half-signal")
def _(betas):
    return torch.sum(torch.cumprod(1 - betas, 0) >= 0.5) + 1  # a tensor


@right("half-signal")
def _(betas):
    signal = np.cumprod(1 - betas.numpy())
    return float(np.argmax(signal / (1 - signal) < 1) + 1)


@right("simple-loss")
def _(model, alpha_bar, x_0, t, eps):
    x_t = RIGHT["q-sample"][0](alpha_bar, x_0, t, eps)
    return torch.sum((model(x_t, t) - eps) ** 2, dim=tuple(range(1, x_0.ndim)))


@right("simple-loss")
def _(model, alpha_bar, x_0, t, eps):
    a = column(alpha_bar[t], x_0)
    r = (eps - model(torch.sqrt(a) * x_0 + torch.sqrt(1 - a) * eps, t)).flatten(1)
    return torch.einsum("bi,bi->b", r, r)


@right("simple-loss")
def _(model, alpha_bar, x_0, t, eps):
    out = []
    for i in range(len(x_0)):  # one example at a time
        a = alpha_bar[t[i]].to(x_0.dtype)
        x_t = a.sqrt() * x_0[i : i + 1] + (1 - a).sqrt() * eps[i : i + 1]
        out.append(F.mse_loss(model(x_t, t[i : i + 1]), eps[i : i + 1], reduction="sum"))
    return torch.stack(out)


@right("posterior")
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


@right("posterior")
def _(alpha_bar, x_0, x_t, t):
    alphas = alpha_bar[1:] / alpha_bar[:-1]
    betas = 1 - alphas
    variance = (1 - alpha_bar[:-1]) / (1 - alpha_bar[1:]) * betas
    a, b, row = column(alphas[t - 1], x_t), column(betas[t - 1], x_t), t - 1
    now, before = column(alpha_bar[t], x_t), column(alpha_bar[row], x_t)
    mean = (a.sqrt() * (1 - before) * x_t + before.sqrt() * b * x_0) / (1 - now)
    return mean, variance[row].to(x_t.dtype)


@right("posterior")
def _(alpha_bar, x_0, x_t, t):
    now, before = alpha_bar[t], alpha_bar[t - 1]
    gain = (now / before).sqrt() * (1 - before) / (1 - now)  # of a Kalman filter
    mean_before = column(before.sqrt(), x_0) * x_0
    mean = mean_before + column(gain, x_t) * (x_t - column((now / before).sqrt(), x_t) * mean_before)
    return [mean, ((1 - before) * (1 - gain * (now / before).sqrt())).to(x_t)]


@right("mu-theta")
def _(alpha_bar, x_t, t, eps):
    a = column(alpha_bar[t], x_t)
    x_0 = (x_t - (1 - a).sqrt() * eps) / a.sqrt()
    return RIGHT["posterior"][1](alpha_bar, x_0, x_t, t)[0]


@right("mu-theta")
def _(alpha_bar, x_t, t, eps):
    alpha = alpha_bar[t] / alpha_bar[t - 1]
    a, b = alpha.rsqrt(), (1 - alpha) * (1 - alpha_bar[t]).rsqrt()
    return column(a, x_t) * x_t - column(a * b, x_t) * eps


@right("mu-theta")
def _(alpha_bar, x_t, t, eps):
    out = torch.empty_like(x_t)
    for i in range(len(t)):
        alpha = float(alpha_bar[t[i]] / alpha_bar[t[i] - 1])
        out[i] = (x_t[i] - (1 - alpha) / math.sqrt(1 - float(alpha_bar[t[i]])) * eps[i]) / math.sqrt(alpha)
    return out


@right("sampler")
def _(model, betas, x_T, noise):
    table = RIGHT["alpha-bar"][1](betas)
    x = x_T
    for t in reversed(range(1, len(betas) + 1)):
        step = torch.tensor([t] * len(x))
        mean = RIGHT["mu-theta"][1](table, x, step, model(x, step))
        variance = RIGHT["posterior"][1](table, x, x, step)[1]
        x = mean + column(variance.sqrt(), x) * noise[t - 1]  # at t = 1 the variance is 0
    return x


@right("sampler")
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


@right("sampler")
def _(model, betas, x_T, noise):
    def back(x, t):
        if t == 0:
            return x
        a, bar, before = 1 - betas[t - 1], torch.prod(1 - betas[:t]), torch.prod(1 - betas[: t - 1])
        mean = (x - (1 - a) / torch.sqrt(1 - bar) * model(x, t * torch.ones(len(x), dtype=torch.int64))) / torch.sqrt(a)
        sigma = torch.sqrt(betas[t - 1] * (1 - before) / (1 - bar))
        return back(mean + sigma * (noise[t - 1] if t > 1 else 0), t - 1)

    return back(x_T, len(betas))


@right("loss-weight")
def _(betas):
    weights, bar = [], 1 - betas[0]
    for beta in betas[1:]:
        weights.append(beta / (2 * (1 - beta) * (1 - bar)))
        bar = bar * (1 - beta)
    return torch.stack(weights)


@right("loss-weight")
def _(betas):
    bar = (1 - betas).cumprod(0)
    factor = betas / ((1 - bar).sqrt() * (1 - betas).sqrt())  # of eps in the mean
    variance = (1 - bar[:-1]) / (1 - bar[1:]) * betas[1:]
    return factor[1:] ** 2 / (2 * variance)


@right("loss-weight")
def _(betas):
    # Half the difference of the signal-to-noise ratios, in terms of the noise.
    bar = F.pad((1 - betas).cumprod(0), (1, 0), value=1.0)
    snr = bar / (1 - bar)
    return 0.5 * (snr[1:-1] - snr[2:]) * (1 - bar[2:]) / bar[2:]
