"""Shapes, ranges and gradients of the networks."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lecture11 import networks


@given(
    in_shape=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    out_shape=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    hidden=st.lists(st.integers(1, 5), max_size=2),
    batch=st.integers(1, 3),
)
def test_mlp_maps_shape_to_shape(in_shape: list[int], out_shape: list[int], hidden: list[int], batch: int) -> None:
    net = networks.MLP(in_shape, hidden, out_shape)
    assert net(torch.zeros(batch, *in_shape)).shape == (batch, *out_shape)


def test_mlp_without_hidden_layers_is_affine() -> None:
    net = networks.MLP((3,), (), (2,)).double()
    a, b = torch.randn(2, 1, 3, dtype=torch.float64)
    torch.testing.assert_close(net(a) + net(b) - net(torch.zeros_like(a)), net(a + b), atol=1e-12, rtol=0)


def test_mlp_with_hidden_layers_is_not_affine() -> None:
    net = networks.MLP((3,), (8,), (2,)).double()
    a, b = torch.randn(2, 1, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert (net(a) + net(b) - net(torch.zeros_like(a)) - net(a + b)).abs().max() > 1e-4


def test_input_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"examples of shape \(2, 3\), got \(5, 3, 2\)"):
        networks.MLP((2, 3), (), (1,))(torch.zeros(5, 3, 2))


def test_noise_level_mlp_is_right_at_both_ends_before_any_training() -> None:
    net = networks.NoiseLevelMLP(2, (8,)).double()
    y = torch.randn(4, 2, dtype=torch.float64)
    low = net(y, torch.full((4,), 1e-6, dtype=torch.float64))
    torch.testing.assert_close(low, y, atol=1e-4, rtol=0)
    high = net(1e3 * y, torch.full((4,), 1e3, dtype=torch.float64))
    assert high.abs().max() < 5  # about the data's scale, not the noise's


def test_noise_level_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        networks.NoiseLevelMLP(2, (8,))(torch.zeros(1, 2), torch.zeros(1))


def test_every_weight_gets_a_gradient() -> None:
    net = networks.MLP((3,), (4,), (2,))
    x = torch.randn(3, 3, generator=torch.Generator().manual_seed(0))
    net(x).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


# The networks of the diffusion models


def awake(network: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """With no weight at zero, so that every part matters."""
    torch.manual_seed(seed)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return network


@pytest.mark.parametrize("size", [(28, 28), (8, 8), (2, 2), (10, 6), (32, 14)])
@pytest.mark.parametrize("widths", [(8,), (12, 20), (7, 9, 11)])
def test_unet_keeps_the_shape_of_any_even_size(size: tuple[int, int], widths: tuple[int, ...]) -> None:
    x, t = torch.randn(2, 3, *size), torch.tensor([1, 1000])
    assert awake(networks.UNet(3, widths, embedding=16))(x, t).shape == x.shape


def test_unet_answers_zero_before_training() -> None:
    x = torch.randn(2, 1, 8, 8)
    assert torch.equal(networks.UNet(1, (8, 16))(x, torch.tensor([3, 7])), torch.zeros_like(x))


@pytest.mark.parametrize("make", [lambda: networks.UNet(1, (8, 16), embedding=16), lambda: networks.TimeMLP(2, (16,))])
def test_each_example_has_its_own_step_and_only_that(make: Callable[[], torch.nn.Module]) -> None:
    model = awake(make()).double()
    x = torch.randn(3, *((1, 8, 8) if isinstance(model, networks.UNet) else (2,)), dtype=torch.float64)
    t = torch.tensor([1, 50, 1000])
    together = model(x, t)
    for i in range(3):
        torch.testing.assert_close(model(x[i : i + 1], t[i : i + 1]), together[i : i + 1], atol=1e-10, rtol=0)
    assert (model(x, t + 1) - together).abs().flatten(1).amax(1).min() > 1e-4


def test_every_position_sees_every_other() -> None:
    """By the attention, in one pass, however large the image."""
    model = awake(networks.UNet(1, (8, 16), embedding=16)).double()
    x = torch.randn(1, 1, 28, 28, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(model(x, torch.tensor([5]))[0, 0, 0, 0], x)
    assert (gradient != 0).all()


def test_every_weight_of_the_unet_learns() -> None:
    model = awake(networks.UNet(1, (8, 12), blocks=2, embedding=16))
    model(torch.randn(2, 1, 8, 8), torch.tensor([1, 9])).square().sum().backward()
    dead = [name for name, parameter in model.named_parameters() if not parameter.grad.abs().max() > 0]
    assert dead == []


def test_each_example_of_the_unet_has_its_own_class() -> None:
    model = awake(networks.UNet(1, (8, 16), embedding=16, classes=3)).double()
    x = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    t, y = torch.tensor([1, 50, 50, 1000]), torch.tensor([0, 2, 1, 3])
    together = model(x, t, y)
    for i in range(4):
        torch.testing.assert_close(model(x[i : i + 1], t[i : i + 1], y[i : i + 1]), together[i : i + 1],
                                   atol=1e-10, rtol=0)  # fmt: skip
    torch.testing.assert_close(model(x, t), model(x, t, torch.full((4,), 3)), atol=1e-10, rtol=0)  # any class
    assert (model(x, t, (y + 1) % 4) - together).abs().flatten(1).amax(1).min() > 1e-4


def test_a_unet_with_classes_starts_as_the_one_without() -> None:
    torch.manual_seed(0)
    plain, conditional = networks.UNet(1, (8, 16)), networks.UNet(1, (8, 16), classes=10)
    awake(plain)
    conditional.load_state_dict(conditional.state_dict() | plain.state_dict())
    x, t = torch.randn(2, 1, 8, 8), torch.tensor([3, 900])
    assert torch.equal(conditional(x, t, torch.tensor([4, 10])), plain(x, t))


def test_classes_that_do_not_exist_are_refused() -> None:
    x, t = torch.zeros(2, 1, 8, 8), torch.tensor([1, 2])
    for y in ([0, 4], [-1, 0]):
        with pytest.raises(ValueError, match=r"no such class: y has \[.*\], this network knows 0..2, and 3 for any"):
            networks.UNet(1, (8,), classes=3)(x, t, torch.tensor(y))
    with pytest.raises(ValueError, match=r"one class for each of the 2 images expected, got y of shape \(1,\)"):
        networks.UNet(1, (8,), classes=3)._describe(t, torch.tensor([1]))
    with pytest.raises(ValueError, match="this network knows none"):
        networks.UNet(1, (8,))(x, t, torch.tensor([0, 1]))


def test_unet_learns_to_find_the_noise_of_one_image() -> None:
    torch.manual_seed(0)
    model = networks.UNet(1, (16, 32), embedding=32)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    x_0, rng = torch.rand(1, 1, 8, 8) * 2 - 1, torch.Generator().manual_seed(0)
    losses = []
    for _ in range(60):
        t, eps = torch.randint(1, 11, (32,), generator=rng), torch.randn(32, 1, 8, 8, generator=rng)
        level = (t / 10)[:, None, None, None]
        loss = (model((1 - level).sqrt() * x_0 + level.sqrt() * eps, t) - eps).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > 0.8
    assert sum(losses[-5:]) / 5 < 0.3


@pytest.mark.parametrize(
    ("x", "message"), [(torch.zeros(1, 1, 7, 8), r"got \(1, 7, 8\)"), (torch.zeros(1, 3, 8, 8), "1 channels")]
)
def test_images_that_do_not_fit_are_refused(x: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        networks.UNet(1, (8,))(x, torch.tensor([1]))
    with pytest.raises(ValueError, match="blocks is a count, at least 1; got 0"):
        networks.UNet(1, (8,), blocks=0)


# Steps as vectors


@pytest.mark.parametrize("dim", [4, 7, 64, 129])
def test_embedding_of_steps_is_that_of_diffusers(dim: int) -> None:
    """F21. Theirs is computed in float32, where an angle of 1000 keeps four digits after the point."""
    from diffusers.models.embeddings import get_timestep_embedding

    t = torch.tensor([0, 1, 2, 500, 1000])
    ours = networks.timestep_embedding(t, dim)
    assert (ours.shape, ours.dtype) == ((5, dim), torch.float32)
    torch.testing.assert_close(ours, get_timestep_embedding(t, dim), atol=2e-4, rtol=0)


def test_smallest_embeddings_are_a_sine_and_a_cosine() -> None:
    t = torch.tensor([5, 1])
    expected = torch.stack([t.sin(), t.cos(), torch.zeros(2)], dim=1)
    torch.testing.assert_close(networks.timestep_embedding(t, 3), expected)
    torch.testing.assert_close(networks.timestep_embedding(t, 2), expected[:, :2])


def test_embeddings_of_different_steps_differ_and_live_on_their_device(device: torch.device) -> None:
    t = torch.arange(1, 1001, device=device)
    embedding = networks.timestep_embedding(t, 32)
    assert embedding.device.type == device.type
    distances = torch.cdist(embedding.double(), embedding.double()) + 10 * torch.eye(1000, device=device)
    assert distances.min() > 0.1
    with pytest.raises(ValueError, match="at least 2, a sine and a cosine; got 1"):
        networks.timestep_embedding(t, 1)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 8, 9)])
def test_a_classifier_gives_logits_of_its_features(shape: tuple[int, int, int]) -> None:
    model = networks.ImageClassifier(shape, 7, width=8)
    x = torch.randn(2, *shape)
    assert model.features(x).shape == (2, 16)
    assert torch.equal(model(x), model.logits(model.features(x)))
    assert model(x).shape == (2, 7)
    assert torch.allclose(model(x)[:1], model(x[:1]), atol=1e-6)


def test_a_classifier_refuses_what_it_was_not_made_for() -> None:
    with pytest.raises(ValueError, match="8x8 or more"):
        networks.ImageClassifier((1, 4, 28), 10)
    with pytest.raises(ValueError, match="must be a batch of examples"):
        networks.ImageClassifier((1, 8, 8), 10)(torch.zeros(1, 1, 28, 28))
