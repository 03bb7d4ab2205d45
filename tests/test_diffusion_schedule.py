"""Tables of the schedule: against exact fractions, against diffusers, and at their ends."""

import math
from fractions import Fraction

import pytest
import torch
from diffusion_oracles import SCHEDULES
from hypothesis import given
from hypothesis import strategies as st

from lecture11 import diffusion
from lecture11.diffusion import schedule
from lecture11.diffusion.schedule import NoiseSchedule

float64 = torch.float64

# In increasing order; the ends are as near to 0 and 1 as a schedule may go.
betas_in_order = st.lists(
    st.one_of(st.floats(1e-4, 0.5), st.sampled_from([1e-12, 1e-8, 0.9, 0.999])), min_size=1, max_size=12
).map(sorted)


def exact_tables(betas: list[float]) -> dict[str, list[Fraction]]:
    """The definitions in rational arithmetic, without any rounding; entry ``t`` of a list belongs to step ``t``."""
    beta = [Fraction(0), *map(Fraction, betas)]
    alpha = [1 - b for b in beta]
    alpha_bar = [math.prod(alpha[: t + 1], start=Fraction(1)) for t in range(len(beta))]
    posterior, weight = [Fraction(0)] * 2, [Fraction(0)] * 2
    for t in range(2, len(beta)):
        posterior.append((1 - alpha_bar[t - 1]) / (1 - alpha_bar[t]) * beta[t])
        weight.append(beta[t] ** 2 / (2 * posterior[t] * alpha[t] * (1 - alpha_bar[t])))
    return {
        "beta": beta, "alpha": alpha, "alpha_bar": alpha_bar, "noise_variance": [1 - a for a in alpha_bar],
        "posterior_variance": posterior, "loss_weight": weight,
        "snr": [Fraction(0)] + [a / (1 - a) for a in alpha_bar[1:]],
    }  # fmt: skip


@given(betas=betas_in_order)
def test_tables_are_their_definitions(betas: list[float]) -> None:
    """F25, F28, F32, F40: to the last digits, however small or large the betas."""
    check_tables(betas)


def check_tables(betas: list[float]) -> None:
    s, exact = NoiseSchedule(betas), exact_tables(betas)
    assert len(betas) == s.T
    for name, values in exact.items():
        first = {"alpha_bar": 0, "noise_variance": 0, "loss_weight": 2}.get(name, 1)
        for t in range(first, s.T + 1):
            assert getattr(s, name)(t).item() == pytest.approx(float(values[t]), rel=1e-13, abs=0), (name, t)


@given(betas=betas_in_order, data=st.data())
def test_merged_steps_have_the_variance_that_is_left_out_of_the_product(
    betas: list[float], data: st.DataObject
) -> None:
    """F27."""
    s = NoiseSchedule(betas)
    first = data.draw(st.integers(0, s.T - 1))
    last = data.draw(st.integers(first + 1, s.T))
    exact = 1 - math.prod((1 - Fraction(b) for b in betas[first:last]), start=Fraction(1))
    assert s.variance_between(first, last).item() == pytest.approx(float(exact), rel=1e-12, abs=0)


def test_ends() -> None:
    s = NoiseSchedule.linear(1000)
    assert s.alpha_bar(0).item() == 1
    assert s.noise_variance(0).item() == 0
    assert s.posterior_variance(1).item() == 0
    assert s.loss_weight(1).item() == math.inf
    assert s.alpha_bar(1).item() == s.alpha(1).item()
    assert s.alpha_bar(1000).item() == pytest.approx(4.036e-5, rel=1e-3)
    only = NoiseSchedule([0.25])
    assert only.T == 1
    assert only.posterior_variance(1).item() == 0
    two = NoiseSchedule([0.25, 0.5])
    assert two.posterior_variance(2).item() == pytest.approx(0.25 / (1 - 0.75 * 0.5) * 0.5, rel=1e-14)
    assert repr(only) == "NoiseSchedule(T=1, betas from 0.25 to 0.25, alpha_bar(T)=0.75)"


def test_linear_and_cosine_are_those_of_diffusers() -> None:
    """F25. Theirs are float32."""
    import diffusers

    for T in (1000, 37):
        theirs = diffusers.DDPMScheduler(T, beta_start=1e-4, beta_end=0.02, beta_schedule="linear")
        torch.testing.assert_close(NoiseSchedule.linear(T).betas, theirs.betas.double(), atol=1e-8, rtol=1e-6)
        theirs = diffusers.DDPMScheduler(T, beta_schedule="squaredcos_cap_v2")
        torch.testing.assert_close(NoiseSchedule.cosine(T).betas, theirs.betas.double(), atol=1e-7, rtol=1e-5)


def test_linear_is_not_rescaled_unless_asked() -> None:
    ends = lambda s: (s.betas[0].item(), s.betas[-1].item())  # noqa: E731
    assert ends(NoiseSchedule.linear(100)) == (1e-4, 0.02)
    assert ends(NoiseSchedule.linear(100, rescale=True)) == pytest.approx((1e-3, 0.2), rel=1e-14)
    assert NoiseSchedule.linear(100).alpha_bar(100).item() == pytest.approx(0.36, abs=0.01)
    # The point of rescaling: about the same is left at the end, and half way.
    long = NoiseSchedule.linear(1000)
    for T in (100, 250, 4000):
        s = NoiseSchedule.linear(T, rescale=True)
        for part in (2, 4):
            left = s.alpha_bar(T // part).log().item()
            assert left == pytest.approx(long.alpha_bar(1000 // part).log().item(), rel=0.06)
    assert torch.equal(NoiseSchedule.linear(1000, rescale=True).betas, long.betas)


@given(T=st.integers(1, 3000))
def test_cosine_and_linear_are_schedules_for_any_length(T: int) -> None:
    for s in (NoiseSchedule.cosine(T), NoiseSchedule.linear(T)):
        assert s.T == T
    s = NoiseSchedule.cosine(T)
    if T > 1:
        half = (0.5 + 0.008) / 1.008 if T % 2 == 0 else ((T // 2) / T + 0.008) / 1.008
        exact = math.cos(half * math.pi / 2) ** 2 / math.cos(0.008 / 1.008 * math.pi / 2) ** 2
        assert s.alpha_bar(T // 2).item() == pytest.approx(exact, rel=1e-9)


def test_steps_as_tensors(device: torch.device) -> None:
    s = SCHEDULES["linear"]
    t = torch.tensor([[3, 1], [20, 7]], device=device)
    for name in ("beta", "alpha", "alpha_bar", "noise_variance", "posterior_variance", "loss_weight", "snr"):
        table = getattr(s, name)
        values = table(t)
        assert (values.shape, values.dtype, values.device.type) == (t.shape, float64, device.type)
        assert values.tolist() == [[table(i).item() for i in row] for row in t.tolist()]
        assert table(torch.tensor(3)).item() == table(3).item()
        assert torch.equal(table(t.to(torch.int32)), values)
        assert table(t[:0]).shape == (0, 2)
    assert s.alpha_bar(torch.tensor([0, 1])).tolist() == [1, s.alpha(1).item()]


@pytest.mark.parametrize(
    ("betas", "message"),
    [
        ([0.1, 1.0], r"variance in \(0, 1\); got beta_2 = 1"),
        ([0.0, 0.1], "got beta_1 = 0"),
        ([0.1, math.nan], "got beta_2 = nan"),
        ([0.1, 0.3, 0.2], r"must not decrease.*beta_2 = 0\.3 is followed by beta_3 = 0\.2"),
        ([], "T >= 1 numbers, got none"),
        ([0.9] * 400, r"alpha_bar\(400\) rounds to zero"),
    ],
)
def test_what_is_no_schedule_is_refused(betas: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NoiseSchedule(betas)


def test_lengths_and_ends_that_do_not_fit_are_refused() -> None:
    for make in (NoiseSchedule.linear, NoiseSchedule.cosine):
        with pytest.raises(ValueError, match="at least 1; got 0"):
            make(0)
    with pytest.raises(ValueError, match=r"rescaled to T = 20 steps, beta_T = 0\.02 becomes 1,.*more than 20 steps"):
        NoiseSchedule.linear(20, rescale=True)
    with pytest.raises(ValueError, match="must not decrease"):
        NoiseSchedule.linear(10, 0.02, 1e-4)


@pytest.mark.parametrize("t", [0, 21, -1, torch.tensor([1, 0]), torch.tensor(21)])
def test_steps_outside_the_chain_are_refused(t: int | torch.Tensor) -> None:
    s = SCHEDULES["linear"]
    for table in (s.beta, s.alpha, s.posterior_variance, s.loss_weight, s.snr):
        with pytest.raises(ValueError, match=r"t must lie in 1\.\.T = 20, got (0|21|-1)\. Steps count from 1"):
            table(t)
    if isinstance(t, int) and t:
        with pytest.raises(ValueError, match=r"t must lie in 0\.\.T = 20"):
            s.alpha_bar(t)


def test_steps_that_are_no_integers_or_in_the_wrong_order_are_refused() -> None:
    s = SCHEDULES["linear"]
    for t in (torch.tensor([1.5]), torch.tensor([True])):
        with pytest.raises(TypeError):
            s.beta(t)
        with pytest.raises(TypeError, match="tensor of integers"):
            s.check(t)
    for pair in ((3, 3), (5, 2)):
        with pytest.raises(ValueError, match="earlier step must be smaller"):
            s.variance_between(*pair)


def test_coefficients_take_the_dtype_and_never_broadcast_along_the_wrong_axis(device: torch.device) -> None:
    x = torch.zeros(3, 1, 4, 5, dtype=torch.bfloat16, device=device)
    values = torch.rand(3, dtype=float64)
    each = schedule.spread(values, x)
    assert (each.shape, each.dtype, each.device.type) == ((3, 1, 1, 1), torch.bfloat16, device.type)
    assert schedule.spread(values[0], x).shape == ()
    for wrong in (values[:1], values[:2], values[None]):
        with pytest.raises(ValueError, match="one step, or one for each of the 3 examples"):
            schedule.spread(wrong, x)


# Planted errors: each must be seen by a test above

tables = {name: getattr(NoiseSchedule, name) for name in ("alpha", "alpha_bar", "posterior_variance", "loss_weight")}


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("alpha_bar", tables["alpha"]),
        ("alpha_bar", lambda s, t: tables["alpha_bar"](s, max(t - 1, 0))),
        ("posterior_variance", lambda s, t: s.beta(t)),  # alpha_bar_t for alpha_bar_{t-1}
        ("posterior_variance", lambda s, t: tables["posterior_variance"](s, t).sqrt()),
        ("loss_weight", lambda s, t: tables["loss_weight"](s, max(t - 1, 2))),
        ("loss_weight", lambda s, t: s.beta(t) / (2 * s.alpha(t) * s.noise_variance(t))),
        ("noise_variance", lambda s, t: 1 - s.alpha_bar(t)),  # right on paper; the digits are gone
    ],
)
def test_planted_errors_are_seen(name: str, error: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NoiseSchedule, name, error)
    with pytest.raises((AssertionError, ValueError)):
        check_tables([1e-8, 0.1, 0.2, 0.4])


def test_all_that_is_named_is_there() -> None:
    assert diffusion.__all__ == sorted(diffusion.__all__)
    assert all(hasattr(diffusion, name) for name in diffusion.__all__)


def test_cosine_s_last_betas_are_cut_where_asked() -> None:
    whole, cut = NoiseSchedule.cosine(1000), NoiseSchedule.cosine(1000, max_beta=0.05)
    t = torch.arange(1, 1001)
    assert torch.equal(cut.beta(t), whole.beta(t).clamp(max=0.05))
    assert 40 < cut.alpha_bar(1000) ** -0.5 < 50
    assert whole.alpha_bar(1000) ** -0.5 > 20_000
