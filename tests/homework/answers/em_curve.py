"""Answers to em-curve."""

import torch
from torch.distributions import MultivariateNormal, Normal

from answers.before import e_step, linear_elbo, m_step
from answers.collected import answers_to

right, wrong = answers_to("em-curve")


@right
def _(x, W, rounds):
    curve = torch.zeros(2 * rounds, dtype=x.dtype)
    for r in range(rounds):
        m, C = e_step(x, W)
        curve[2 * r] = linear_elbo(x, W, m, C).mean()
        W = m_step(x, m, C)
        curve[2 * r + 1] = linear_elbo(x, W, m, C).mean()
    return curve


@right
def _(x, W, rounds):
    # After an E-step the bound is the likelihood itself.
    d = x.shape[1]
    curve = []
    for _ in range(rounds):
        law = MultivariateNormal(torch.zeros(d, dtype=x.dtype), W @ W.T + torch.eye(d, dtype=x.dtype))
        curve.append(law.log_prob(x).mean())
        m, C = e_step(x, W)
        W = m_step(x, m, C)
        curve.append(linear_elbo(x, W, m, C).mean())
    return torch.stack(curve)


@right
def _(x, W, rounds):
    def steps(W):
        for _ in range(rounds):
            q = e_step(x, W)
            yield linear_elbo(x, W, *q).mean()
            W = m_step(x, *q)
            yield linear_elbo(x, W, *q).mean()

    return torch.stack(list(steps(W)))


def bound(x, W, m, C):
    log_p = Normal(m @ W.T, 1.0).log_prob(x).sum(1) - 0.5 * (W.T @ W @ C).trace()
    return (log_p - 0.5 * ((m**2).sum(1) + C.trace() - W.shape[1] - C.logdet())).mean()


@wrong("after-m-only")
def _(x, W, rounds):
    curve = []
    for _ in range(rounds):
        q = e_step(x, W)
        W = m_step(x, *q)
        curve.append(bound(x, W, *q))
    return torch.stack(curve)


@wrong("old-w")
def _(x, W, rounds):
    curve = []
    for _ in range(rounds):
        q = e_step(x, W)
        new = m_step(x, *q)
        curve += [bound(x, W, *q), bound(x, W, *q)]
        W = new
    return torch.stack(curve)


@wrong("w-not-kept")
def _(x, W, rounds):
    curve = []
    for _ in range(rounds):
        m, C = e_step(x, W)
        curve.append(bound(x, W, m, C))
        V = m_step(x, m, C)
        curve.append(bound(x, V, m, C))
    return torch.stack(curve)


@wrong("start-included")
def _(x, W, rounds):
    curve = [bound(x, W, *e_step(x, W))]
    for _ in range(rounds):
        q = e_step(x, W)
        curve.append(bound(x, W, *q))
        W = m_step(x, *q)
        curve.append(bound(x, W, *q))
    return torch.stack(curve)


@wrong(kind="type", says=" results, as in a list")
def _(x, W, rounds):
    for _ in range(rounds):
        q = e_step(x, W)
        yield linear_elbo(x, W, *q).mean()
        W = m_step(x, *q)
        yield linear_elbo(x, W, *q).mean()


@wrong(kind="type", says="a tensor is expected, got 2 results, as in a list")
def _(x, W, rounds):
    curve = []
    for _ in range(rounds):
        q = e_step(x, W)
        curve.append(bound(x, W, *q))
        W = m_step(x, *q)
        curve.append(bound(x, W, *q))
    return curve


@wrong("examples-kept")
def _(x, W, rounds):
    out = []
    for _ in range(rounds):
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C))
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C))
    return torch.stack(out)


@wrong("q-renewed")
def _(x, W, rounds):
    out = []
    for _ in range(rounds):
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean())
        W = m_step(x, m, C)
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean())
    return torch.stack(out)


@wrong("swapped-steps")
def _(x, W, rounds):
    out = []
    m, C = e_step(x, W)
    for _ in range(rounds):
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C).mean())
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean())
    return torch.stack(out)


@wrong(kind="shape", says="shape (4,), where (6,) is expected. Print the shapes of")
def _(x, W, rounds):
    out = []
    for _ in range(rounds - 1):
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean())
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C).mean())
    return torch.stack(out)


@wrong("w-never-changes")
def _(x, W, rounds):
    out = []
    for _ in range(rounds):
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean())
        m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C).mean())
    return torch.stack(out)


@wrong("first-round-only")
def _(x, W, rounds):
    out = []
    for _ in range(rounds):
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean())
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C).mean())
        return torch.stack(out)


@wrong("m-first")
def _(x, W, rounds):
    n, k = len(x), W.shape[1]
    m, C = torch.zeros(n, k).to(W), torch.eye(k).to(W)
    out = []
    for _ in range(rounds):
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C).mean())
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean())
    return torch.stack(out)


@wrong("last-bound")
def _(x, W, rounds):
    for _ in range(rounds):
        m, C = e_step(x, W)
        W = m_step(x, m, C)
    return linear_elbo(x, W, m, C).mean()


@wrong("e-once")
def _(x, W, rounds):
    out = []
    m, C = e_step(x, W)
    for _ in range(rounds):
        out.append(linear_elbo(x, W, m, C).mean())
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C).mean())
    return torch.stack(out)


@wrong("e-once")
def _(x, W, rounds):
    first, out = W, []
    for _ in range(rounds):
        m, C = e_step(x, first)
        out.append(linear_elbo(x, W, m, C).mean())
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C).mean())
    return torch.stack(out)


@wrong("first-covariance")
def _(x, W, rounds):
    out = []
    _, C = e_step(x, W)
    for _ in range(rounds):
        m, _ = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean())
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C).mean())
    return torch.stack(out)


@wrong("centred")
def _(x, W, rounds):
    x = x - x.mean(0)
    out = []
    for _ in range(rounds):
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean())
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C).mean())
    return torch.stack(out)


@wrong("twice-as-many")
def _(x, W, rounds):
    out = []
    for _ in range(2 * rounds):
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean())
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C).mean())
    return torch.stack(out)


@wrong("before-each-step")
def _(x, W, rounds):
    out = []
    m, C = torch.zeros(len(x), W.shape[1]).to(x), torch.eye(W.shape[1]).to(x)
    for _ in range(rounds):
        out.append(linear_elbo(x, W, m, C).mean())
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean())
        W = m_step(x, m, C)
    return torch.stack(out)


@wrong("round-too-many")
def _(x, W, rounds):
    out = []
    for _ in range(rounds + 1):
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean())
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C).mean())
    return torch.stack(out)


@wrong("examples-in-a-row")
def _(x, W, rounds):
    out = []
    for _ in range(rounds):
        m, C = e_step(x, W)
        out.extend(linear_elbo(x, W, m, C))
        W = m_step(x, m, C)
        out.extend(linear_elbo(x, W, m, C))
    return torch.stack(out)


@wrong("first-example")
def _(x, W, rounds):
    out = []
    for _ in range(rounds):
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C)[0])
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C)[0])
    return torch.stack(out)


@wrong("stale-e")
def _(x, W, rounds):
    out = []
    m, C = e_step(x, W)
    for _ in range(rounds):
        out.append(linear_elbo(x, W, m, C).mean())
        W_new = m_step(x, m, C)
        out.append(linear_elbo(x, W_new, m, C).mean())
        m, C = e_step(x, W)
        W = W_new
    return torch.stack(out)


@wrong("q-renewed")
def _(x, W, rounds):
    out = []
    for _ in range(rounds):
        out.append(linear_elbo(x, W, *e_step(x, W)).mean())
        W = m_step(x, *e_step(x, W))
        out.append(linear_elbo(x, W, *e_step(x, W)).mean())
    return torch.stack(out)


@wrong("rises")
def _(x, W, rounds):
    out = []
    for _ in range(rounds):
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean())
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C).mean())
    return torch.stack(out).diff()


@wrong("divided-by-d")
def _(x, W, rounds):
    out = []
    for _ in range(rounds):
        m, C = e_step(x, W)
        out.append(linear_elbo(x, W, m, C).mean() / x.shape[1])
        W = m_step(x, m, C)
        out.append(linear_elbo(x, W, m, C).mean() / x.shape[1])
    return torch.stack(out)


@wrong("backwards")
def _(x, W, rounds):
    out = []
    for _ in range(rounds):
        m, S = e_step(x, W)
        out.insert(0, linear_elbo(x, W, m, S).mean())
        W = m_step(x, m, S)
        out.insert(0, linear_elbo(x, W, m, S).mean())
    return torch.stack(out)


@wrong("bound-spread-missing")
def _(x, W, rounds):
    curve = []
    for _ in range(rounds):
        mean, C = e_step(x, W)
        curve.append(linear_elbo(x, W, mean, C).mean() + 0.5 * torch.trace(W @ C @ W.T))
        W = m_step(x, mean, C)
        curve.append(linear_elbo(x, W, mean, C).mean() + 0.5 * torch.trace(W @ C @ W.T))
    return torch.stack(curve)
