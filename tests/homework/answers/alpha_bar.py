"""Answers to alpha-bar."""

import torch
import torch.nn.functional as F

from answers.collected import answers_to

right, wrong = answers_to("alpha-bar")


@right
def _(betas):
    table = torch.ones(len(betas) + 1, dtype=betas.dtype)
    for t in range(1, len(table)):
        table[t] = table[t - 1] * (1 - betas[t - 1])
    return table


@right
def _(betas):
    return F.pad(torch.cumprod(1 - betas, dim=0), (1, 0), value=1.0)


@right
def _(betas):
    return torch.exp(F.pad(torch.log1p(-betas).cumsum(0), (1, 0)))


@wrong("row-0-missing")
def _(betas):
    alphas = 1.0 - betas
    return torch.cumprod(alphas, dim=0)


@wrong("product-of-betas")
def _(betas):
    return F.pad(torch.cumprod(betas, dim=0), (1, 0), value=1.0)


@wrong("alphas")
def _(betas):
    return torch.cat([torch.ones(1, dtype=betas.dtype), 1 - betas])


@wrong("sum-of-betas")
def _(betas):
    table = [torch.ones((), dtype=betas.dtype)]
    for beta in betas:
        table.append(table[-1] - beta)
    return torch.stack(table)


@wrong(kind="dtype", says="the result is float32")
def _(betas):
    table = torch.ones(len(betas) + 1)
    for t in range(len(betas)):
        table[t + 1] = table[t] * (1 - betas[t])
    return table


@wrong(kind="not done", says="not done yet")
def _(betas):
    raise NotImplementedError


@wrong(kind="not done", says="not done yet")
def _(betas):
    ...
    return ...


@wrong(kind="error", says="it raises NameError: name 'alphas' is not defined")
def _(betas):
    return alphas.cumprod(0)


@wrong("squares")
def _(betas):
    out = [1.0]
    for b in betas:
        out.append(out[-1] * (1 - b) ** 2)
    return torch.tensor([float(o) for o in out], dtype=betas.dtype)


@wrong("root")
def _(betas):
    return torch.cat([torch.ones(1, dtype=betas.dtype), torch.cumprod(torch.sqrt(1 - betas), 0)])


@wrong("zeros")
def _(betas):
    return torch.cumprod(torch.cat([torch.zeros(1, dtype=betas.dtype), 1 - betas]), 0)


@wrong("last-row-twice")
def _(betas):
    return torch.cumprod(torch.cat([1 - betas, torch.ones(1, dtype=betas.dtype)]), 0)


@wrong("exponential")
def _(betas):
    return torch.cat([torch.ones(1, dtype=betas.dtype), torch.exp(-torch.cumsum(betas, 0))])


@wrong("last-row-1")
def _(betas):
    t = torch.ones(len(betas) + 1, dtype=betas.dtype)
    for i in range(1, len(betas)):
        t[i] = t[i - 1] * (1 - betas[i - 1])
    return t


@wrong("product-of-betas-from-1")
def _(betas):
    t = torch.ones(len(betas) + 1, dtype=betas.dtype)
    for i in range(1, len(betas) + 1):
        t[i] = torch.prod(betas[:i])
    return 1 - t


@wrong("two-ones-cut")
def _(betas):
    t = torch.ones(len(betas) + 1, dtype=betas.dtype)
    for i in range(1, len(betas) + 1):
        t[i] = torch.prod(1 - betas[: i - 1])
    return t


@wrong("logs")
def _(betas):
    return torch.cumsum(torch.log(1 - torch.cat([torch.zeros(1, dtype=betas.dtype), betas])), 0)


@wrong("noise")
def _(betas):
    return torch.cat([torch.ones(1, dtype=betas.dtype), 1 - (1 - betas).cumprod(0)])


@wrong(kind="shape", says="shape (2, 1), where (2,) is ex")
def _(betas):
    return torch.cat([torch.ones(1, dtype=betas.dtype), (1 - betas).cumprod(0)]).unsqueeze(1)


@wrong("betas-squared")
def _(betas):
    return torch.cat([torch.ones(1, dtype=betas.dtype), torch.cumprod(1 - betas**2, 0)])


@wrong("one-over")
def _(betas):
    return torch.cat([torch.ones(1, dtype=betas.dtype), torch.cumprod(1 / (1 + betas), 0)])


@wrong("neighbours")
def _(betas):
    a = torch.cat([betas.new_ones(1), 1 - betas])
    rows = [a[0]]
    for i in range(1, len(a)):
        rows.append(a[i] * a[i - 1])
    return torch.stack(rows)


@wrong("root-of-beta")
def _(betas):
    rows = torch.ones(len(betas) + 1, dtype=betas.dtype)
    for t in range(1, len(betas) + 1):
        rows[t] = rows[t - 1] * (1 - betas[t - 1] ** 0.5)
    return rows


@wrong("first-beta-skipped")
def _(betas):
    rows = [betas.new_tensor(1.0)]
    for beta in betas[1:]:
        rows.append(rows[-1] * (1 - beta))
    return torch.stack(rows)


@wrong("first-beta-skipped-last-row-1")
def _(betas):
    rows = torch.ones(len(betas) + 1, dtype=betas.dtype)
    for t in range(1, len(betas)):
        rows[t] = rows[t - 1] * (1 - betas[t])
    return rows


@wrong(kind="dtype", says="Look for .double()")
def _(betas):
    return torch.cat([torch.ones(1), torch.cumprod(1 - betas.float(), 0)]).double()


@wrong("row-0-missing, sum-of-betas")
def _(betas):
    return 1 - torch.cumsum(betas, 0)


@wrong("first-alpha-twice")
def _(betas):
    return torch.cumprod(torch.cat([1 - betas[:1], 1 - betas]), 0)


@wrong(kind="edge", says="a long schedule: nothing is to be cut off")
def _(betas):
    return torch.cat([betas.new_ones(1), (1 - betas).cumprod(0)]).clamp(min=0.01)


@wrong(kind="broadcast", says="as if each of the 2 were paired with each other one")
def _(betas):
    table = torch.cat([betas.new_ones(1), (1 - betas).cumprod(0)])
    return table / table[:, None]


@wrong(kind="error", says="it raises IndexError")
def _(betas):
    table = [torch.ones_like(betas[0])]
    for t in range(1, len(betas) + 1):
        table.append(table[-1] * (1 - betas[t]))
    return torch.stack(table)
