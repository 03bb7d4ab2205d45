"""What the notebooks print is what the comparison of stored outputs relies on."""

import io
import math
import sys

import numpy as np
import pytest
import scipy.linalg
import torch

from lecture11 import data, evaluation, models


def test_estimate_is_mean_and_standard_error() -> None:
    result = evaluation.estimate(torch.tensor([1.0, 2.0, 3.0, 4.0]))
    assert result.mean == 2.5
    assert result.standard_error == pytest.approx(math.sqrt(5 / 3) / 2)


def test_estimate_covers_the_truth_as_often_as_it_says() -> None:
    x = torch.randn(2000, 50, generator=torch.Generator().manual_seed(0))
    results = [evaluation.estimate(row) for row in x]
    covered = sum(abs(r.mean) < 1.96 * r.standard_error for r in results) / 2000
    assert 0.92 < covered < 0.96  # Student's t: a little below 0.95 for 50 values


@pytest.mark.parametrize(
    ("mean", "error", "text"),
    [
        (104.123, 0.0567, "≈104.123 ± 0.057"),
        (104.123, 5.2, "≈104.1 ± 5.2"),
        (1234.5, 31.0, "≈1234 ± 31"),
        (2.0, 0.0, "≈2.000"),
    ],
)
def test_digits_follow_the_error(mean: float, error: float, text: str) -> None:
    assert str(evaluation.Estimate(mean, error)) == text


@pytest.mark.parametrize("values", [[1.0], [1.0, math.nan], [1.0, math.inf]])
def test_no_estimate_of_what_cannot_be_estimated(values: list[float]) -> None:
    with pytest.raises(ValueError, match="values must be"):
        evaluation.estimate(torch.tensor(values))


@pytest.mark.parametrize(
    ("value", "text"), [(0.02, "≈0.0200"), (104.2, "≈104"), (1.5e-7, "≈1.50e-07"), (-3.0, "≈-3.00")]
)
def test_measured_numbers_keep_their_zeros(value: float, text: str) -> None:
    assert evaluation.measured(value) == text


def test_verdict_prints_a_kept_bound(capsys: pytest.CaptureFixture[str]) -> None:
    evaluation.verdict("test error", 0.02712, at_most=0.03)
    evaluation.verdict("test ELBO", -104.2, at_least=-105.0, unit="nats")
    assert capsys.readouterr().out == (
        "test error at most 0.03: yes, ≈0.0271\ntest ELBO at least -105 nats: yes, ≈-104 nats\n"
    )


@pytest.mark.parametrize("value", [0.031, math.nan, math.inf])
def test_verdict_raises_on_a_broken_bound(value: float) -> None:
    with pytest.raises(AssertionError, match=r"test error at most 0\.03: NO"):
        evaluation.verdict("test error", value, at_most=0.03)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_console_that_knows_no_approximately_sign_prints_a_tilde(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(file, encoding=encoding))
    evaluation.verdict("β", 0.5, at_most=1.0)
    print(evaluation.Estimate(0.5, 0.01))
    print(evaluation.measured(0.5))
    sys.stdout.flush()
    assert file.getvalue().decode(encoding).split("\n")[:3] == ["? at most 1: yes, ~0.500", "~0.500 +- 0.010", "~0.500"]


def test_verdict_at_least_raises_too() -> None:
    with pytest.raises(AssertionError, match=r"at least 2: NO, ≈1\.00"):
        evaluation.verdict("rise", 1.0, at_least=2.0)


@pytest.mark.parametrize("bounds", [{}, {"at_most": 1.0, "at_least": 0.0}])
def test_verdict_wants_one_bound(bounds: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="exactly one bound"):
        evaluation.verdict("x", 0.5, **bounds)


def test_table_as_text_and_as_html() -> None:
    table = evaluation.Table(["k", "error"], [[2, "≈0.04"], [32, "<0.01"]], "Errors & sizes.")
    assert repr(table) == "Errors & sizes.\nk | error\n2 | ≈0.04\n32 | <0.01"
    page = table._repr_html_()
    assert "<caption>Errors &amp; sizes.</caption>" in page
    assert '<th scope="col">k</th>' in page
    assert "<td>&lt;0.01</td>" in page


def test_table_refuses_a_ragged_row() -> None:
    with pytest.raises(ValueError, match="2 cells"):
        evaluation.Table(["k", "error"], [[1]], "x")


def features(n: int, d: int, seed: int) -> torch.Tensor:
    """Correlated, off centre, in float64."""
    rng = torch.Generator().manual_seed(seed)
    mix = torch.randn(d, d, generator=rng, dtype=torch.float64)
    return torch.randn(n, d, generator=rng, dtype=torch.float64) @ mix + torch.randn(d, generator=rng)


@pytest.mark.parametrize("d", [1, 5, 40])
def test_frechet_distance_is_the_textbook_s(d: int) -> None:
    a, b = features(300, d, 1), features(200, d, 2)
    s_a, s_b = (np.atleast_2d(np.cov(x.numpy(), rowvar=False)) for x in (a, b))
    root = scipy.linalg.sqrtm(s_a @ s_b)
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum().item() + np.trace(s_a + s_b - 2 * root).real
    assert evaluation.frechet_distance(a, b) == pytest.approx(expected, rel=1e-8)
    assert evaluation.frechet_distance(b, a) == pytest.approx(expected, rel=1e-8)


def test_frechet_distance_of_a_shift_and_of_a_scale() -> None:
    a = features(500, 3, 0)
    shift = torch.tensor([1.0, -2.0, 0.5])
    assert evaluation.frechet_distance(a, a) == pytest.approx(0, abs=1e-10)
    assert evaluation.frechet_distance(a, a + shift) == pytest.approx(5.25)
    centred = a - a.mean(0)  # sqrt(S 4 S) = 2 S: tr(S + 4 S - 4 S)
    assert evaluation.frechet_distance(centred, 2 * centred) == pytest.approx(torch.cov(a.T).trace().item())
    turn = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1)))[0]
    b = features(400, 3, 5)
    assert evaluation.frechet_distance(a @ turn, b @ turn) == pytest.approx(evaluation.frechet_distance(a, b))


def test_frechet_distance_with_fewer_examples_than_features() -> None:
    a, b = features(10, 40, 0), features(12, 40, 1)
    assert math.isfinite(evaluation.frechet_distance(a, b))
    assert evaluation.frechet_distance(a, a) == pytest.approx(0, abs=1e-6 * torch.cov(a.T).trace().item())


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (torch.ones(3, 2), torch.ones(3, 4), "features = 2 as in a"),
        (torch.ones(1, 2), torch.ones(3, 2), "two examples or more"),
        (torch.full((3, 2), math.nan), torch.ones(3, 2), "a must be finite"),
    ],
)
def test_what_has_no_frechet_distance(a: torch.Tensor, b: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        evaluation.frechet_distance(a, b)


def test_real_digits_are_near_and_broken_ones_far(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = models.load("classifier-mnist")
    known: dict[tuple[int, int], torch.Tensor] = {}  # the real images are the same ones each time

    def features(images: torch.Tensor) -> torch.Tensor:
        place = (images.data_ptr(), len(images))
        if place not in known:
            known[place] = type(classifier).features(classifier, images)
        return known[place]

    monkeypatch.setattr(classifier, "features", features)
    real = data.load("mnist-small", "test", value_range=(-1, 1)).x
    train = data.load("mnist-small", "train", value_range=(-1, 1), n=500).x
    same = evaluation.sample_quality(classifier, train, real)
    assert same.distance < 3 * same.mixed_halves
    # That these 2,000 are in the order of the whole test set shows: its halves were written by different people.
    assert same.mixed_halves < same.halves
    assert same.confident > 0.95
    assert abs(same.confident - same.real_confident) < 0.03
    assert sum(same.shares) == pytest.approx(1)
    assert all(0.05 < share < 0.15 for share in same.shares)
    noise = torch.randn(train.shape, generator=torch.Generator().manual_seed(0))
    broken = (train + 0.5 * noise).clamp(-1, 1)
    noisy = evaluation.sample_quality(classifier, broken, real)
    assert noisy.distance > 3 * same.distance
    alike = train[:1].expand(500, -1, -1, -1) + 0.01 * noise
    fours = evaluation.sample_quality(classifier, alike, real)
    assert max(fours.shares) > 0.99
    assert fours.distance > 20 * same.distance
