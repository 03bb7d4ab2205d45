"""Guidance against the density that it stands for, and the network that gives ``v`` against the one that gives eps."""

import functools

import pytest
import torch
from diffusion_oracles import SCHEDULES
from test_diffusion_exact import mixture
from test_diffusion_sampling import randn
from torch import Tensor, nn

from lecture11 import diffusion, networks
from lecture11.data import planar

float64 = torch.float64
S = SCHEDULES["linear"]
CLASSES = torch.tensor([0, 1, 0])  # of the three components of the mixture


def exact_model() -> functools.partial:
    return functools.partial(diffusion.optimal_class_eps, S, mixture(2), CLASSES)


# Guidance


@pytest.mark.parametrize("scale", [0.0, 0.5, 1.0, 3.0])
def test_guided_noise_is_the_gradient_of_a_density(scale: float) -> None:
    """``-sqrt(1 - alpha_bar_t) grad (log q(x_t) + scale log q(y | x_t))``, by autograd and Bayes' rule."""
    y, t = torch.tensor([0, 1, 1, 0, 1]), torch.tensor([1, 4, 9, 20, 20])
    x_t = randn(5, 2).requires_grad_()
    total = torch.zeros((), dtype=float64)
    for i in range(5):
        law = diffusion.noised_law(S, mixture(2), int(t[i]))
        row = x_t[i : i + 1]
        of_class = law.responsibilities(row)[0, y[i] == CLASSES].sum()
        total = total + law.log_prob(row)[0] + scale * of_class.log()
    (score,) = torch.autograd.grad(total, x_t)
    ours = diffusion.Guided(exact_model(), y, scale)(x_t.detach(), t)
    torch.testing.assert_close(ours, -S.noise_variance(t).sqrt()[:, None] * score, atol=1e-10, rtol=0)


def test_samples_of_a_class_are_near_its_components_and_overdrawn_when_guided() -> None:
    """On the ring with two neighbours in a class: the stronger the guidance, the further from the other six."""
    s, ring = diffusion.NoiseSchedule.cosine(20, max_beta=0.4), planar.gaussian_mixture()
    model = functools.partial(diffusion.optimal_class_eps, s, ring, torch.arange(8) // 2)
    x_T, y = randn(40, 2), torch.arange(4).repeat_interleave(10)
    centre = ring.means.view(4, 2, 2).mean(1)
    outwards = (centre / centre.norm(dim=1, keepdim=True))[y]
    along = []
    for scale in (1.0, 2.0, 4.0):
        x = diffusion.dpm_sample(diffusion.Guided(model, y, scale), s, x_T.shape, x_T=x_T, steps=20)
        assert (ring.responsibilities(x).argmax(1) // 2 == y).all()
        along.append((x * outwards).sum(1).mean().item())
    assert along[0] == pytest.approx(centre[0].norm().item(), abs=0.06)
    assert along[0] < along[1] - 0.02 < along[2] - 0.04
    any_class = diffusion.dpm_sample(diffusion.Guided(model, y, 0.0), s, x_T.shape, x_T=x_T, steps=20)
    assert (ring.responsibilities(any_class).argmax(1) // 2 != y).double().mean() > 0.5


def test_one_class_for_all_is_that_class_for_each() -> None:
    x_t, t = randn(4, 2), torch.tensor([1, 5, 9, 20])
    each = diffusion.Guided(exact_model(), torch.ones(4, dtype=torch.long), 2.0)(x_t, t)
    assert torch.equal(diffusion.Guided(exact_model(), 1, 2.0)(x_t, t), each)


def test_a_question_that_is_not_needed_is_not_asked() -> None:
    asked = []

    def model(x_t: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
        asked.append(y is not None)
        return x_t

    for scale in (0.0, 1.0, 1.5):
        diffusion.Guided(model, 3, scale)(randn(2, 2), torch.tensor([1, 2]))
    assert asked == [False, True, True, False] or asked == [False, True, False, True]


def test_the_sampler_works_where_the_guided_network_does() -> None:
    """In its precision and on its device, as with the network itself."""
    network = networks.UNet(1, (8,), embedding=16, classes=3).double()
    x = diffusion.ddim_sample(diffusion.Guided(network, 2), S, (2, 1, 4, 4), steps=2)
    assert x.dtype == float64


def test_what_does_not_fit_is_refused() -> None:
    for scale in (-0.5, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=r"scale must be a (finite )?number"):
            diffusion.Guided(exact_model(), 1, scale)
    for y in (torch.tensor([1.0, 2.0]), torch.tensor([True, False])):
        with pytest.raises(TypeError, match="y must be integers"):
            diffusion.Guided(exact_model(), y)
    with pytest.raises(ValueError, match="2 classes were asked for, and 3 samples are drawn"):
        diffusion.Guided(exact_model(), torch.tensor([0, 1]))(randn(3, 2), torch.tensor([1, 2, 3]))
    with pytest.raises(ValueError, match=r"y asks for the class 5; classes holds \[0, 1\] alone"):
        diffusion.Guided(exact_model(), 5)(randn(3, 2), torch.tensor([1, 2, 3]))


# A network for v


class Answer(nn.Module):
    """A network that answers what it was given."""

    def __init__(self, v: Tensor) -> None:
        super().__init__()
        self.v = v

    def forward(self, x_t: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
        return self.v if y is None else self.v + y[:, None]


@pytest.mark.parametrize("name", ["linear", "cosine", "extreme"])
def test_the_true_v_gives_the_true_noise_and_the_true_image(name: str) -> None:
    s = SCHEDULES[name]
    t = torch.arange(1, s.T + 1)
    x_0, eps = randn(s.T, 3), randn(s.T, 3, seed=1)
    v = s.alpha_bar(t).sqrt()[:, None] * eps - s.noise_variance(t).sqrt()[:, None] * x_0
    x_t = diffusion.q_sample(s, x_0, t, eps)
    torch.testing.assert_close(diffusion.VelocityModel(Answer(v), s)(x_t, t), eps, atol=1e-12, rtol=0)


def test_the_guess_of_the_image_is_never_worse_than_v() -> None:
    """It is ``sqrt(alpha_bar) x_t - sqrt(1 - alpha_bar) v``; from the noise it is divided by ``sqrt(alpha_bar)``."""
    s, t = SCHEDULES["linear"], torch.arange(1, 21)
    x_t, v, error = randn(20, 3), randn(20, 3, seed=1), randn(20, 3, seed=2)

    def guess(v: Tensor) -> Tensor:
        return diffusion.predict_x0(s, x_t, t, diffusion.VelocityModel(Answer(v), s)(x_t, t))

    expected = s.alpha_bar(t).sqrt()[:, None] * x_t - s.noise_variance(t).sqrt()[:, None] * v
    torch.testing.assert_close(guess(v), expected, atol=1e-12, rtol=0)
    assert ((guess(v + error) - guess(v)).norm(dim=1) <= error.norm(dim=1)).all()


def test_the_loss_is_that_of_v_times_alpha_bar() -> None:
    t = torch.arange(1, 21)
    x_0, eps, v = randn(20, 3), randn(20, 3, seed=1), randn(20, 3, seed=2)
    true = S.alpha_bar(t).sqrt()[:, None] * eps - S.noise_variance(t).sqrt()[:, None] * x_0
    loss = diffusion.simple_loss(diffusion.VelocityModel(Answer(v), S), S, x_0, t=t, eps=eps)
    torch.testing.assert_close(loss, S.alpha_bar(t) * (v - true).square().sum(1), atol=1e-10, rtol=0)


def test_the_class_reaches_the_network() -> None:
    t, v = torch.tensor([3, 20]), randn(2, 3)
    model = diffusion.VelocityModel(Answer(v), S)
    shift = model(randn(2, 3), t, torch.tensor([1, 2])) - model(randn(2, 3), t)
    torch.testing.assert_close(shift, S.alpha_bar(t).sqrt()[:, None] * torch.tensor([[1.0], [2.0]], dtype=float64)
                               .expand(2, 3), atol=1e-12, rtol=0)  # fmt: skip


def test_planted_errors_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    forward = diffusion.VelocityModel.forward
    monkeypatch.setattr(diffusion.VelocityModel, "forward",
                        lambda self, x_t, t, y=None: 2 * S.noise_variance(t).sqrt()[:, None] * x_t
                        - forward(self, x_t, t, y))  # fmt: skip
    with pytest.raises(AssertionError):
        test_the_true_v_gives_the_true_noise_and_the_true_image("linear")
    with pytest.raises(AssertionError):
        test_the_loss_is_that_of_v_times_alpha_bar()


def test_the_w_of_ho_and_salimans_taken_for_the_scale_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    made = diffusion.Guided.__init__
    monkeypatch.setattr(diffusion.Guided, "__init__", lambda self, model, y, scale: made(self, model, y, scale + 1))
    with pytest.raises(AssertionError):
        test_guided_noise_is_the_gradient_of_a_density(0.5)
    with pytest.raises(AssertionError):
        test_guided_noise_is_the_gradient_of_a_density(0.0)
