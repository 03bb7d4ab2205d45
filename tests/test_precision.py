"""Formulas on a device that has no float64, as Apple's: played by the CPU under the name of another device."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

from lecture11 import autoencoder, diffusion, gaussian, networks, precision

PLAYED = torch.device("meta")  # a name that PyTorch takes everywhere


class Elsewhere(Tensor):
    """A tensor on the CPU that says that it is on the played device."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> "Elsewhere":
        if held.dtype == torch.float64 and PLAYED.type in precision.WITHOUT_FLOAT64:
            raise TypeError("Cannot convert a tensor to float64: the device has none")
        made = torch.Tensor._make_wrapper_subclass(
            cls, held.shape, strides=held.stride(), dtype=held.dtype, device=PLAYED
        )
        made.held = held
        return made

    def tolist(self) -> Any:
        return self.held.tolist()

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise NotImplementedError(f"{function} outside the played device")


class NoFloat64(TorchDispatchMode):
    """Every operation: on the CPU, but refused where the played device would refuse it."""

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        tensors = [x for x in tree_flatten((args, kwargs))[0] if isinstance(x, Tensor)]
        there = [x for x in tensors if isinstance(x, Elsewhere)]
        if there and any(x.ndim and not isinstance(x, Elsewhere) for x in tensors):
            raise RuntimeError(f"Expected all tensors to be on the same device: {function}")
        device = kwargs.get("device") or (PLAYED if there else torch.device("cpu"))
        if kwargs.get("device") is not None:
            kwargs["device"] = torch.device("cpu")
        held_args, held_kwargs = tree_map(lambda x: x.held if isinstance(x, Elsewhere) else x, (args, kwargs))
        out = function(*held_args, **held_kwargs)
        if torch.device(device) != PLAYED:
            return out
        return tree_map(lambda x: Elsewhere(x) if isinstance(x, Tensor) else x, out)


@pytest.fixture(autouse=True)
def played(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(precision, "WITHOUT_FLOAT64", {"meta"})
    with NoFloat64():
        yield


def randn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_device_has_no_float64() -> None:
    x = Elsewhere(randn(2))
    assert x.device == PLAYED
    for double in (x.double, lambda: randn(2).double().to(PLAYED)):
        with pytest.raises(TypeError, match="float64"):
            double()
    with pytest.raises(RuntimeError, match="same device"):
        x + randn(2)
    assert torch.equal((x + 1).to("cpu"), x.held + 1)
    assert precision.double(x).dtype == torch.float64
    assert precision.cast(randn(2).double(), x).dtype == torch.float32


def test_other_devices_compute_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert {"mps"} == precision.WITHOUT_FLOAT64
    assert precision.exact_device(torch.device("cuda", 0)) == torch.device("cuda", 0)
    assert precision.exact_device(torch.device("mps", 0)) == torch.device("cpu")


S = diffusion.NoiseSchedule.linear(12, 0.01, 0.3)
X, EPS, NOISE = randn(3, 1, 2, 2).clamp(-1, 1), randn(3, 1, 2, 2, seed=1), randn(3, 1, 2, 2, seed=2)
T, T_PREV = torch.tensor([2, 7, 12]), torch.tensor([1, 3, 11])
POINTS = autoencoder.PCA(randn(9, 1, 2, 2), 2)
STEPS = {
    "q_step": lambda x, eps, t, t_prev: diffusion.q_step(S, x, t, eps),
    "q_sample": lambda x, eps, t, t_prev: diffusion.q_sample(S, x, t, eps),
    "q_merged": lambda x, eps, t, t_prev: diffusion.q_merged(S, x, t_prev, t, eps),
    "predict_x0": lambda x, eps, t, t_prev: diffusion.predict_x0(S, x, t, eps),
    "posterior_mean_from_x0": lambda x, eps, t, t_prev: diffusion.posterior_mean_from_x0(S, x, eps, t),
    "p_step": lambda x, eps, t, t_prev: diffusion.p_step(S, x, t, eps, eps, clip=True),
    "ddim_step": lambda x, eps, t, t_prev: diffusion.ddim_step(S, x, t, t_prev, eps, eta=0.5, noise=eps),
    "simple_loss": lambda x, eps, t, t_prev: diffusion.simple_loss(lambda x_t, t: x_t / 2, S, x, t=t, eps=eps),
    "step_divergence": lambda x, eps, t, t_prev: diffusion.step_divergence(lambda x_t, t: x_t / 2, S, x, t, eps),
    "decoder_log_prob": lambda x, eps, t, t_prev: diffusion.decoder_log_prob(lambda x_t, t: x_t / 2, S, x, eps),
    "prior_divergence": lambda x, eps, t, t_prev: diffusion.prior_divergence(S, x),
    "timestep_embedding": lambda x, eps, t, t_prev: networks.timestep_embedding(t, 6),
    "pca": lambda x, eps, t, t_prev: POINTS(x),
    "kl": lambda x, eps, t, t_prev: gaussian.kl_to_standard_normal(x, eps),
}


@pytest.mark.parametrize("name", STEPS)
def test_on_a_device_without_float64_the_result_is_the_same(name: str) -> None:
    expected = STEPS[name](X, EPS, T, T_PREV)
    found = STEPS[name](*map(Elsewhere, (X, EPS, T, T_PREV)))
    assert (found.device, found.dtype) == (PLAYED, torch.float32)
    torch.testing.assert_close(found.held, expected, atol=1e-6, rtol=1e-6)


def test_tables_of_steps_there_stay_on_the_cpu_in_float64() -> None:
    table = S.alpha_bar(Elsewhere(T))
    assert (table.device.type, table.dtype) == ("cpu", torch.float64)
    assert torch.equal(table, S.alpha_bar(T))


class Waits(TorchDispatchMode):
    """Counts what makes a CPU wait for its GPU: a number that is read, a tensor that travels, a count of hits."""

    READS = (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default, torch.ops.aten.equal.default)

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        there = any(isinstance(x, Elsewhere) for x in tree_flatten(args)[0])
        if function in self.READS and there:
            self.seen.append(str(function))
        target = (kwargs or {}).get("device")
        if function is torch.ops.aten._to_copy.default and target is not None and (target == PLAYED) != there:
            self.seen.append(str(function))
        return function(*args, **(kwargs or {}))


def test_nothing_in_the_loss_or_a_sampler_waits_for_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on CUDA, which has float64."""
    monkeypatch.setattr(precision, "WITHOUT_FLOAT64", set())
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda _: False)
    s = diffusion.NoiseSchedule.cosine(20)
    network = networks.UNet(1, (8,), embedding=8, classes=3)
    for module in network.modules():
        for name, p in list(module.named_parameters(recurse=False)):
            del module._parameters[name]
            setattr(module, name, Elsewhere(p.detach()))
    model = diffusion.VelocityModel(network, s)
    x, eps = Elsewhere(randn(2, 1, 4, 4)), Elsewhere(randn(2, 1, 4, 4))
    t, y = Elsewhere(torch.tensor([3, 20])), Elsewhere(torch.tensor([1, 3]))
    guided = diffusion.Guided(model, 1, 2.0)
    guided.y = Elsewhere(torch.tensor(1))

    def work() -> None:
        diffusion.simple_loss(lambda x_t, t: model(x_t, t, y), s, x, t=t, eps=eps)
        for sampler in (diffusion.ddim_sample, diffusion.dpm_sample):
            sampler(guided, s, (2, 1, 4, 4), steps=4, x_T=x)

    work()  # now the tables have travelled
    with Waits() as waits:
        work()
        assert waits.seen == []
        bool((x > 0).all())
        torch.tensor(1.0).to(PLAYED)
    assert len(waits.seen) == 2
