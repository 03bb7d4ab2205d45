"""Shapes, ranges and gradients of the networks."""

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


@pytest.mark.parametrize("shape", [(1, 28, 28), (1, 8, 8), (3, 32, 32), (1, 4, 12)])
def test_convolutions_go_to_a_vector_and_back(shape: tuple[int, int, int]) -> None:
    z = networks.ConvEncoder(shape, 4, 5)(torch.zeros(2, *shape))
    assert z.shape == (2, 5)
    assert networks.ConvDecoder(5, 4, shape)(z).shape == (2, *shape)


@pytest.mark.parametrize("shape", [(1, 27, 28), (28, 28), (1, 28, 30), (0, 28, 28)])
def test_image_shapes_that_do_not_halve_twice_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="multiples of 4"):
        networks.ConvEncoder(shape, 4, 5)


def test_input_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"examples of shape \(2, 3\), got \(5, 3, 2\)"):
        networks.MLP((2, 3), (), (1,))(torch.zeros(5, 3, 2))
    with pytest.raises(ValueError, match=r"shape \(5,\)"):
        networks.ConvDecoder(5, 4, (1, 8, 8))(torch.zeros(2, 4))
    with pytest.raises(ValueError, match=r"shape \(1, 8, 8\)"):
        networks.ConvEncoder((1, 8, 8), 4, 5)(torch.zeros(2, 1, 12, 12))


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


@pytest.mark.parametrize("net", [networks.MLP((3,), (4,), (2,)), networks.ConvEncoder((1, 8, 8), 2, 2)])
def test_every_weight_gets_a_gradient(net: torch.nn.Module) -> None:
    shape = net.in_shape if isinstance(net, networks.MLP) else net.image_shape
    x = torch.randn(3, *shape, generator=torch.Generator().manual_seed(0))
    net(x).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())
