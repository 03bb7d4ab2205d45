"""The training loop: what it minimises, how it stops, and that a resumed run is the run."""

import inspect
import itertools
import math
import os
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import jaxtyping
import numpy as np
import pytest
import safetensors.torch
import several
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from lecture11 import checkpoints, data, processes, training


def squared(model: nn.Module, x: Tensor, y: Tensor, generator: torch.Generator) -> Tensor:
    return (model(x) - y).square().sum(1)


def noisy(model: nn.Module, x: Tensor, y: Tensor, generator: torch.Generator) -> Tensor:
    """A loss with noise of its own, so that a resumed run must continue that too."""
    noise = torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)
    return (model(x + 0.1 * noise) - y).square().sum(1)


def regression(n: int = 60) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(n, 3, generator=rng, dtype=torch.float64)
    truth = torch.tensor([[1.0, -2.0, 0.5]], dtype=torch.float64)
    return x, x @ truth.T + 0.1 * torch.randn(n, 1, generator=rng, dtype=torch.float64)


def network(norm: bool = False) -> nn.Module:
    torch.manual_seed(0)
    layers = [nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)] if norm else [nn.Linear(3, 1)]
    return nn.Sequential(*layers).double()


def dropping() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1)).double()


def weights(model: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten().cpu() for p in model.parameters()])


def test_it_finds_the_least_squares_solution() -> None:
    x, y = regression()
    model = network()
    losses = [s.loss for s in training.Trainer(model, squared, (x, y), batch_size=60, lr=0.1).run(steps=500)]
    design = torch.cat([x, torch.ones(60, 1, dtype=torch.float64)], 1)
    solution = torch.linalg.lstsq(design, y).solution.flatten()
    torch.testing.assert_close(weights(model), solution, atol=1e-5, rtol=0)
    assert losses[-1] == pytest.approx((design @ solution[:, None] - y).square().mean().item(), abs=1e-8)


def test_states_count_up_and_carry_what_was_measured() -> None:
    model = network()
    trainer = training.Trainer(model, squared, regression(), batch_size=20, lr=0.1, ema_decay=0.9)
    states = list(trainer.run(steps=7))
    assert [s.step for s in states] == list(range(1, 8))
    assert all(s.model is model and s.averaged is not None for s in states)
    assert all(math.isfinite(s.loss) and s.grad_norm > 0 for s in states)
    assert all(a.seconds < b.seconds for a, b in itertools.pairwise(states))


def test_every_example_is_seen_once_an_epoch() -> None:
    seen: list[float] = []

    def record(model: nn.Module, x: Tensor, generator: torch.Generator) -> Tensor:
        seen.extend(x[:, 0].tolist())
        return model(x).square().sum(1)

    x = torch.arange(12, dtype=torch.float64)[:, None].expand(12, 3)
    list(training.Trainer(network(), record, x, batch_size=4).run(steps=6))
    assert sorted(seen[:12]) == sorted(seen[12:]) == list(range(12))
    assert seen[:12] != seen[12:]  # in a new order


def test_accumulated_parts_give_the_same_step() -> None:
    models = []
    for parts in (1, 4):
        models.append(network())
        list(training.Trainer(models[-1], squared, regression(), batch_size=20, accumulate=parts).run(steps=5))
    torch.testing.assert_close(weights(models[0]), weights(models[1]), atol=1e-12, rtol=0)


def test_two_processes_give_the_same_run(tmp_path: Path) -> None:
    """With a loss that has no noise: each process has noise of its own."""

    def train(_: int | None = None) -> tuple[nn.Module, training.Trainer, list[float]]:
        model = network()
        trainer = training.Trainer(model, squared, regression(), batch_size=20, accumulate=2, ema_decay=0.9)
        run = trainer.run(steps=5, checkpoint=tmp_path / str(processes.started()))
        return model, trainer, [state.loss for state in run]

    model, trainer, losses = train()
    results = several.run(lambda i: train(i)[2])
    assert results[0] == results[1] == pytest.approx(losses, abs=1e-12)
    other = network()
    training.load_weights(other, tmp_path / "2")
    torch.testing.assert_close(weights(other), weights(model), atol=1e-12, rtol=0)
    with pytest.raises(training.CheckpointError, match="of another run: processes was 2, is 1"):
        trainer.resume(tmp_path / "2")


def test_two_processes_decide_as_one(tmp_path: Path) -> None:
    """One clock, one reading of the data after another, one checkpoint, one error: each scenario in one start."""

    def trainer(**arguments) -> training.Trainer:
        return training.Trainer(network(), noisy, regression(), **({"batch_size": 20, "ema_decay": 0.9} | arguments))

    def error(work: Callable[[], object]) -> str:
        with pytest.raises(Exception) as caught:  # noqa: PT011 (its type is in the text)
            work()
        return f"{type(caught.value).__name__}: {caught.value}".replace(f"node {processes.index()}", "node")

    def work(i: int) -> dict:
        first = trainer()
        for _ in first.run(seconds=0.2, checkpoint=tmp_path / "shared"):
            time.sleep(0.03 * i)  # between the steps, on one of the two alone
        run = {
            "by seconds": (first.step, first.state.lr, weights(first.model).tolist(), weights(first.averaged).tolist())
        }
        second = trainer()
        second.resume(tmp_path / "shared")
        run["resumed"] = (second.step, weights(second.model).tolist())

        own = tmp_path / f"node {i}"
        own.mkdir()
        if i == 0:
            (own / "run").write_bytes((tmp_path / "shared").read_bytes())
        third = trainer()
        run["one has none"] = error(lambda: third.resume(own / "run", missing_ok=True))
        (own / "run").write_bytes(b"junk" if i else (tmp_path / "shared").read_bytes())
        run["one has junk"] = error(lambda: third.resume(own / "run"))
        run["none"] = error(lambda: third.resume(own / "other"))
        third.resume(own / "other", missing_ok=True)
        run["unchanged"] = third.step, torch.equal(weights(third.model), weights(network()))

        run["uneven"] = error(lambda: trainer(batch_size=15))
        run["not writable"] = error(lambda: third.run(steps=1, checkpoint=tmp_path))
        order = tmp_path / "order"
        processes.in_turn(lambda: order.open("a").write(str(i)))
        run["in turn"] = order.read_text()[0]
        return run

    results = several.run(work)
    assert isinstance(results[0], dict), results[0]
    assert results[0]["one has junk"].startswith("CheckpointError: in process 1 on ")
    assert "truncated, or no safetensors file" in results[1]["one has junk"]
    for name in results[0].keys() - {"one has junk", "not writable"}:
        assert results[0][name] == results[1][name], name
    outcome = results[0]
    assert re.match("CheckpointError: the processes do not find one checkpoint at .*: process 0 has the one ........, "
                    "process 1 has none. Copy it to each machine", outcome["one has none"])  # fmt: skip
    assert outcome["none"].startswith("FileNotFoundError: no checkpoint at")
    assert outcome["unchanged"] == (0, True)
    assert outcome["resumed"][0] == outcome["by seconds"][0]
    assert "multiple of 2 = accumulate x number of processes" in outcome["uneven"]
    assert all("is a folder" in result["not writable"] for result in results)
    assert outcome["in turn"] == "0"


def test_seed_fixes_the_run_and_another_changes_it() -> None:
    results = []
    for seed in (0, 0, 1):
        model = network()
        list(training.Trainer(model, noisy, regression(), batch_size=20, seed=seed).run(steps=5))
        results.append(weights(model))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


def test_the_global_generator_is_left_alone() -> None:
    trainer = training.Trainer(dropping(), noisy, regression(), batch_size=20)
    before = torch.get_rng_state()
    list(trainer.run(steps=3))
    assert torch.equal(before, torch.get_rng_state())


def test_interleaved_trainers_do_what_each_does_alone() -> None:
    """Of different accumulation, precision and budget, each with dropout, which draws from torch's global state."""

    def trainers() -> list[training.Trainer]:
        return [
            training.Trainer(dropping(), noisy, regression(), batch_size=20, lr=0.05, seed=seed, **arguments)
            for seed, arguments in enumerate(({"accumulate": 1}, {"accumulate": 4, "ema_decay": 0.9}))
        ] + [training.Trainer(dropping(), noisy, regression(), batch_size=30, mixed_precision="bf16")]

    def known(state: training.State) -> tuple:
        return state.step, state.loss, state.grad_norm, state.lr, *weights(state.model).tolist()

    alone = [[known(state) for state in trainer.run(steps=8)] for trainer in trainers()]
    torch.manual_seed(123)
    together = zip(*(trainer.run(steps=8) for trainer in trainers()), strict=True)
    interleaved = [[known(state) for state in states] for states in together]
    assert [list(run) for run in zip(*interleaved, strict=True)] == alone


def test_dropout_follows_the_seed_and_nothing_else() -> None:
    results = []
    for seed, before in ((0, 1), (0, 2), (1, 1)):
        model = dropping()
        trainer = training.Trainer(model, squared, regression(), batch_size=60, seed=seed)
        torch.manual_seed(before)
        list(trainer.run(steps=2))
        results.append(weights(model))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


def test_learning_rate_warms_up_and_falls_to_zero() -> None:
    trainer = training.Trainer(network(), squared, regression(), batch_size=20, lr=1.0, warmup=4)
    rates = [s.lr for s in trainer.run(steps=100)]
    assert rates[0] == pytest.approx(0.2)
    assert rates[4] == max(rates)
    assert rates[50] == pytest.approx(0.5)
    assert 0 < rates[-1] < 1e-3


def test_constant_schedule_is_constant() -> None:
    trainer = training.Trainer(network(), squared, regression(), batch_size=20, lr=0.3, schedule="constant")
    assert {s.lr for s in trainer.run(steps=5)} == {0.3}


def test_gradient_is_clipped() -> None:
    """With the first step of Adam nothing shows, so look at the gradient that the optimiser is given."""
    x, y = regression()
    model = network()
    norms: list[float] = []
    trainer = training.Trainer(model, squared, (x, 1e6 * y), batch_size=20, clip_norm=0.5)
    trainer._optimizer.register_step_pre_hook(
        lambda *_: norms.append(torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item())
    )
    (state,) = trainer.run(steps=1)
    assert state.grad_norm > 1e3
    assert norms[0] == pytest.approx(0.5, rel=1e-4)


def test_run_by_time_stops_in_time() -> None:
    trainer = training.Trainer(network(), squared, regression(), batch_size=20)
    *_, last = trainer.run(seconds=0.2)
    assert 0.2 <= last.seconds < 1


# The moving average


def test_average_forgets_the_start_and_copies_buffers() -> None:
    model = network(norm=True)
    trainer = training.Trainer(model, squared, regression(), batch_size=20, lr=0.01, ema_decay=0.999)
    *_, last = trainer.run(steps=200)
    assert last.averaged is not None
    for a, b in zip(last.averaged.buffers(), model.buffers(), strict=True):
        assert torch.equal(a, b)
    start, gap = weights(network(norm=True)), weights(last.averaged) - weights(model)
    assert 0 < gap.norm() < 0.5 * (weights(model) - start).norm()


def test_average_is_the_warmed_up_exponential_one() -> None:
    model = network()
    trainer = training.Trainer(model, squared, regression(), batch_size=20, lr=0.1, ema_decay=0.3)
    expected: Tensor | None = None
    for n, state in enumerate(trainer.run(steps=8)):
        decay = min(0.3, (1 + n) / (10 + n))
        now = weights(model)
        expected = now if expected is None else decay * expected + (1 - decay) * now
        torch.testing.assert_close(weights(state.averaged), expected, atol=1e-12, rtol=0)


def test_a_step_reads_nothing_from_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each reading makes a CPU wait for its GPU: there is one look at all in so many steps, and those asked for."""

    class Readings(TorchDispatchMode):
        def __init__(self) -> None:
            super().__init__()
            self.count = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            self.count += func is torch.ops.aten._local_scalar_dense.default
            return func(*args, **(kwargs or {}))

    read_in_python: list[str] = []
    was = Tensor.tolist  # past the dispatcher
    monkeypatch.setattr(Tensor, "tolist", lambda x: read_in_python.append("tolist") or was(x))

    def readings(look_every: int, **options: object) -> list[int]:
        model = nn.Sequential(*(nn.Linear(3, 3) for _ in range(20)), nn.Linear(3, 1)).double()
        trainer = training.Trainer(model, squared, regression(), batch_size=20, ema_decay=0.9, accumulate=2, **options)
        trainer._look_every = look_every  # 1 on a CPU, where it costs nothing
        run, counts = trainer.run(steps=7), []
        next(run)
        for _ in range(3):
            with Readings() as mode:
                state = next(run)
            counts.append(mode.count)
        with Readings() as mode:
            assert math.isfinite(state.loss)
        return [*counts, mode.count]

    assert readings(4) == [0, 0, 1, 1]
    assert read_in_python == []


def test_steps_that_are_not_looked_at_change_nothing_after_the_first_fault(tmp_path: Path) -> None:
    x, y = regression()

    def breaks(model: nn.Module, x: Tensor, y: Tensor, generator: torch.Generator) -> Tensor:
        return squared(model, x, y, generator) * (math.nan if trainer.step == 3 else 1)

    trainer = training.Trainer(network(), breaks, (x, y), batch_size=20, lr=0.01)
    trainer._look_every = 8
    run = trainer.run(steps=12)
    states = list(itertools.islice(run, 3))
    after_step_3 = weights(states[-1].model)
    states += itertools.islice(run, 3)
    assert [math.isfinite(state.loss) for state in states] == [True, True, True, False, True, True]
    with pytest.raises(training.TrainingDivergedError, match="the loss is nan at step 4"):
        trainer.save(tmp_path / "run")  # what is not looked at is not kept
    assert torch.equal(weights(trainer.model), after_step_3)
    with pytest.raises(training.TrainingDivergedError, match="the loss is nan at step 4"):
        list(trainer.run(steps=12))
    assert trainer.step == 3
    assert torch.equal(weights(trainer.model), after_step_3)


# Checkpoints


@pytest.mark.parametrize(
    ("interrupted_at", "build", "precision"),
    [(1, partial(network, norm=True), "no"), (7, partial(network, norm=True), "bf16"), (12, dropping, "no"),
     (7, dropping, "fp16")],
)  # fmt: skip
def test_a_resumed_run_is_the_run(tmp_path: Path, interrupted_at: int, build: Callable, precision: str) -> None:
    def trainer(model: nn.Module) -> training.Trainer:
        arguments = {"batch_size": 20, "lr": 0.05, "ema_decay": 0.9, "warmup": 3, "mixed_precision": precision}
        trainer = training.Trainer(model, noisy, regression(), **arguments)
        trainer._scaler.set_growth_interval(3)  # so that the scale changes within the run
        return trainer

    whole = build()
    straight = trainer(whole)
    losses = [s.loss for s in straight.run(steps=15)]

    first = trainer(build())
    for state in first.run(steps=15):
        if state.step == interrupted_at:
            first.save(tmp_path / "run.safetensors")
            break
    model = build()
    second = trainer(model)
    torch.manual_seed(99)  # another process has another global state
    second.resume(tmp_path / "run.safetensors")
    assert second.state.loss == losses[interrupted_at - 1]
    rest = [s.loss for s in second.run(steps=15)]

    assert rest == losses[interrupted_at:]
    assert torch.equal(weights(model), weights(whole))
    assert torch.equal(weights(second.averaged), weights(straight.averaged))
    for a, b in zip(model.buffers(), whole.buffers(), strict=True):
        assert torch.equal(a, b)


def test_checkpoints_are_written_on_the_way_and_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "run.safetensors"
    steps = []
    trainer = training.Trainer(network(), squared, regression(), batch_size=20)
    for state in trainer.run(steps=7, checkpoint=path, checkpoint_every=3):
        steps.append((state.step, checkpoints.read(path).description["step"] if path.exists() else None))
    assert steps == [(1, None), (2, None), (3, 3), (4, 3), (5, 3), (6, 6), (7, 7)]
    assert [p.name for p in path.parent.iterdir()] == ["run.safetensors"]  # no litter


def test_a_failed_write_leaves_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.safetensors"
    trainer = training.Trainer(network(), squared, regression(), batch_size=20)
    trainer.save(path)
    before = path.read_bytes()

    def fail(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        trainer.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_weights_and_their_average_load_into_a_model(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    trainer = training.Trainer(network(), squared, regression(), batch_size=20, ema_decay=0.99)
    *_, last = trainer.run(steps=5, checkpoint=path)
    for averaged, source in ((False, last.model), (True, last.averaged)):
        model = network()
        training.load_weights(model, path, averaged=averaged)
        assert torch.equal(weights(model), weights(source))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_weights_alone_are_small_and_load_into_a_model_of_its_own_precision(tmp_path: Path, dtype: torch.dtype) -> None:
    path = tmp_path / "weights.safetensors"
    trainer = training.Trainer(network(), squared, regression(), batch_size=20)
    trainer.save(tmp_path / "run.safetensors")
    training.save_weights(trainer.model, path, dtype=dtype)
    assert path.stat().st_size < (tmp_path / "run.safetensors").stat().st_size / 2
    model = network()
    training.load_weights(model, path)
    assert {p.dtype for p in model.parameters()} == {torch.float64}
    torch.testing.assert_close(weights(model), weights(trainer.model).to(dtype).double(), atol=0, rtol=0)


def test_a_moving_average_of_the_first_format_is_read(tmp_path: Path) -> None:
    """Files of before had no checksum, and what torch's AveragedModel counts beside the average."""
    path, model = tmp_path / "old", network()
    tensors = {f"average.module.{name}": x for name, x in model.state_dict().items()}
    tensors |= {f"model.{name}": x + 1 for name, x in model.state_dict().items()}
    metadata = {"format": checkpoints.FIRST_FORMAT, "description": '{"step": 3}'}
    safetensors.torch.save_file(tensors | {"average.n_averaged": torch.tensor(3)}, path, metadata=metadata)
    other = nn.Sequential(nn.Linear(3, 1)).double()
    training.load_weights(other, path, averaged=True)
    assert torch.equal(weights(other), weights(model))
    with pytest.raises(training.CheckpointError, match="by an older version and does not describe its run"):
        training.Trainer(network(), squared, regression(), batch_size=20).resume(path)


def test_weights_that_share_memory_are_saved(tmp_path: Path) -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = self.b = nn.Linear(3, 1, dtype=torch.float64)

        def forward(self, x: Tensor) -> Tensor:
            return self.a(x) + self.b(x)

    def trainer() -> training.Trainer:
        torch.manual_seed(0)
        return training.Trainer(Tied(), squared, regression(), batch_size=20)

    first, second = trainer(), trainer()
    list(first.run(steps=2, checkpoint=tmp_path / "run"))
    second.resume(tmp_path / "run")
    for one in (first, second):
        list(one.run(steps=4))
    assert torch.equal(weights(first.model), weights(second.model))


def test_weights_too_large_for_half_precision_are_not_saved_as_infinite(tmp_path: Path) -> None:
    model = nn.Linear(2, 1)
    model.weight.data[0, 0] = 1e5
    with pytest.raises(ValueError, match=r"weight reaches 1e\+05, more than torch.float16 can hold"):
        training.save_weights(model, tmp_path / "weights", dtype=torch.float16)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mask", [0o022, 0o007])
def test_files_have_the_rights_that_the_user_s_other_files_have(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        training.Trainer(network(), squared, regression(), batch_size=20).save(tmp_path / "run")
        training.save_weights(network(), tmp_path / "weights")
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o666 & ~mask}


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "far")
    training.save_weights(network(), tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    training.load_weights(network(), tmp_path / "far")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of three steps, of the run that ``ordinary`` makes."""
    path = tmp_path_factory.mktemp("saved") / "run.safetensors"
    list(ordinary().run(steps=3, checkpoint=path))
    return path


def ordinary(
    model: nn.Module | None = None, loss: Callable = noisy, data: tuple | None = None, **arguments
) -> training.Trainer:
    return training.Trainer(
        model or dropping(), loss, data or regression(), **({"batch_size": 20, "ema_decay": 0.9} | arguments)
    )


def everything(trainer: training.Trainer) -> list:
    tensors = [*trainer.model.state_dict().values(), *(trainer.averaged or trainer.model).state_dict().values()]
    tensors += [x for slots in trainer._optimizer.state_dict()["state"].values() for x in slots.values()]
    tensors += [own.get_state() for own in trainer._generators().values()] + [trainer._order]
    return [x.tolist() for x in tensors] + [trainer.step, trainer.seconds, trainer._position]


X, Y = regression()


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        ({"batch_size": 30}, "batch_size was 20, is 30"),
        ({"lr": 0.1}, "lr was 0.001, is 0.1"),
        ({"weight_decay": 0.1}, "weight_decay was 0.0, is 0.1"),
        ({"warmup": 5}, "warmup was 0, is 5"),
        ({"schedule": "constant"}, "schedule was cosine, is constant"),
        ({"clip_norm": 2.0}, "clip_norm was 1.0, is 2.0"),
        ({"ema_decay": 0.99}, "ema_decay was 0.9, is 0.99"),
        ({"ema_decay": None}, "ema_decay was 0.9, is None"),
        ({"seed": 1, "accumulate": 2}, "seed was 0, is 1; accumulate was 1, is 2"),
        ({"mixed_precision": "bf16"}, "mixed_precision was no, is bf16"),
        ({"loss": squared}, "loss was noisy, is squared"),
        ({"loss": partial(noisy, 3, k=squared, d=object())}, r"was noisy, is noisy\(3, d=<object object>, k=squared\)"),
        ({"data": (X[:30], Y[:30])}, r"data was float64 \(60, 3\) .*, is float64 \(30, 3\)"),
        ({"data": (X.flip(0), Y)}, r"data was float64 \(60, 3\) .*, is float64 \(60, 3\)"),
        ({"data": (X.float(), Y)}, r"data was float64 .*, is float32"),
        ({"model": nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.1), nn.Linear(8, 1)).double()}, r"model was .*p=0\.5"),
        ({"model": nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1))}, "float64, is torch.float32"),
        ({"model": nn.Linear(3, 1).double()}, r"of another model: it has 0\.bias, .* and 3 more such"),
        ({"model": nn.Sequential(nn.Linear(3, 9), nn.Dropout(), nn.Linear(9, 1))}, r"0\.weight has the shape \(8, 3\)"),
    ],
)
def test_a_run_that_is_another_is_refused_by_name_and_nothing_changes(
    saved: Path, other: dict, difference: str
) -> None:
    trainer = ordinary(**other)
    before = everything(trainer)
    with pytest.raises(training.CheckpointError, match=difference):
        trainer.resume(saved)
    assert everything(trainer) == before


def test_the_same_run_is_resumed_however_its_numbers_are_written(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    trainer = ordinary(batch_size=np.int64(20), weight_decay=0, clip_norm=1, ema_decay=np.float64(0.9))
    trainer.resume(saved)
    assert trainer.step == 3


def rewritten(path: Path, change: Callable[[dict, dict], None]) -> bytes:
    """The file after another program changed its tensors or its header."""
    with safetensors.safe_open(path, "pt") as file:
        tensors, metadata = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118
    change(tensors, metadata)
    return safetensors.torch.save(tensors, metadata)


def flipped(contents: bytes, at: float, bit: int) -> bytes:
    i = int(at * (len(contents) - 1))
    return contents[:i] + bytes([contents[i] ^ 1 << bit]) + contents[i + 1 :]


def without_optimizer(tensors: dict, metadata: dict) -> None:
    for name in [name for name in tensors if name.startswith("optimizer.")]:
        del tensors[name]


def further(tensors: dict, metadata: dict) -> None:
    metadata[checkpoints.FORMAT] = metadata[checkpoints.FORMAT].replace('"step": 3', '"step": 4')


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: path.read_bytes()[:-10], "truncated"),
        (lambda path: b"", "truncated, or no safetensors file"),
        (lambda path: b"junk" * 100, "truncated, or no safetensors file"),
        (lambda path: rewritten(path, without_optimizer), "damaged, or was changed"),
        (lambda path: rewritten(path, lambda x, _: x["rng.epoch"].add_(1)), "damaged, or was changed"),
        (lambda path: rewritten(path, further), "damaged, or was changed"),
        (lambda path: rewritten(path, lambda _, m: m.update({checkpoints.FORMAT: "{}"})), "damaged, or was changed"),
        (lambda path: rewritten(path, lambda _, m: m.clear()), "not a checkpoint of this course"),
        (lambda path: safetensors.torch.save({"weight": torch.zeros(2)}), "not a checkpoint of this course"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_as_it_was_written_is_refused(
    saved: Path, tmp_path: Path, change: Callable[[Path], bytes], message: str
) -> None:
    path = tmp_path / "run"
    path.write_bytes(change(saved))
    trainer = ordinary()
    before = everything(trainer)
    with pytest.raises(training.CheckpointError, match=message):
        trainer.resume(path)
    with pytest.raises(training.CheckpointError, match=message):
        training.load_weights(trainer.model, path)
    assert everything(trainer) == before


def test_a_flipped_bit_is_noticed_wherever_it_is(saved: Path, tmp_path: Path) -> None:
    path, contents, model = tmp_path / "run", saved.read_bytes(), dropping()
    rng = np.random.default_rng(0)
    for at, bit in zip(rng.random(100), rng.integers(0, 8, 100), strict=True):
        path.write_bytes(flipped(contents, at, bit))
        with pytest.raises(training.CheckpointError):
            training.load_weights(model, path)


def test_what_is_no_checkpoint_is_said(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        training.load_weights(network(), tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        ordinary().resume(tmp_path / "none")
    ordinary().resume(tmp_path / "none", missing_ok=True)
    with pytest.raises(training.CheckpointError, match="is a folder"):
        ordinary().resume(tmp_path)
    with pytest.raises(training.CheckpointError, match=r"another model: it has 0\.bias"):
        training.load_weights(nn.Linear(2, 1), saved)
    pickled = tmp_path / "pickled"
    torch.save(network().state_dict(), pickled)
    with pytest.raises(training.CheckpointError, match="no safetensors file"):
        training.load_weights(network(), pickled)
    training.save_weights(dropping(), tmp_path / "weights")
    with pytest.raises(training.CheckpointError, match="holds weights alone and does not describe its run"):
        ordinary().resume(tmp_path / "weights")
    with pytest.raises(training.CheckpointError, match="no moving average: it was trained without"):
        training.load_weights(dropping(), tmp_path / "weights", averaged=True)


def test_weights_that_fit_in_part_change_nothing(saved: Path) -> None:
    """torch's own loading stops at the last layer, with the first one changed already."""
    model = nn.Sequential(nn.Linear(3, 8), nn.Dropout(), nn.Linear(8, 2)).double()
    before = weights(model)
    with pytest.raises(training.CheckpointError, match=r"its 2\.bias has the shape \(1,\), not \(2,\)"):
        training.load_weights(model, saved)
    assert torch.equal(weights(model), before)


# What goes wrong


def test_a_run_that_diverges_says_where_and_keeps_its_weights() -> None:
    x, y = regression()
    model = network()

    def breaks(model: nn.Module, x: Tensor, y: Tensor, generator: torch.Generator) -> Tensor:
        loss = squared(model, x, y, generator)
        return loss * (math.nan if trainer.step == 3 else 1)

    trainer = training.Trainer(model, breaks, (x, y), batch_size=20, lr=0.01)
    run = trainer.run(steps=10)
    after_step_3 = [weights(state.model) for state in itertools.islice(run, 3)][-1]
    with pytest.raises(training.TrainingDivergedError, match=r"the loss is nan at step 4 .*learning rate 0\.0.*causes"):
        next(run)
    assert trainer.step == 3
    assert torch.equal(weights(model), after_step_3)


def test_a_gradient_that_is_not_finite_stops_the_run_too() -> None:
    def root(model: nn.Module, x: Tensor, generator: torch.Generator) -> Tensor:
        return (0 * model(x)).sum(1).sqrt()  # finite, with an infinite slope

    trainer = training.Trainer(network(), root, regression()[0], batch_size=20)
    with pytest.raises(training.TrainingDivergedError, match="norm of the gradient is nan at step 1"):
        list(trainer.run(steps=1))


NAN, INF = math.nan, math.inf
WHOLE = [True, 2.5, 20.0, "20", None, NAN, torch.tensor(20)]
REAL = [True, "0.1", torch.tensor(0.1), [0.1]]


@pytest.mark.parametrize(
    ("argument", "wrong", "kind", "message"),
    [
        ("batch_size", [0, -5, 61], ValueError, r"batch_size must lie in 1\.\.60, got"),
        ("accumulate", [0, -1], ValueError, "accumulate must be at least 1, got"),
        ("accumulate", [3], ValueError, "multiple of 3"),
        ("warmup", [-3], ValueError, "warmup must be at least 0, got"),
        ("seed", [-1], ValueError, "seed must be at least 0, got"),
        *((name, WHOLE, TypeError, f"{name} must be a whole number, got")
          for name in ("batch_size", "accumulate", "warmup", "seed")),
        ("lr", [0, 0.0, -1e-3, NAN, INF], ValueError, r"lr must lie in \(0, inf\), got"),
        ("weight_decay", [-0.1, NAN, INF], ValueError, r"weight_decay must lie in \[0, inf\), got"),
        ("clip_norm", [0, -1, NAN, -INF], ValueError, r"clip_norm must lie in \(0, inf\], got"),
        ("ema_decay", [0, 1.0, -0.1, 2, NAN], ValueError, r"ema_decay must lie in \(0, 1\), got"),
        *((name, [*REAL, None], TypeError, f"{name} must be a number, got")
          for name in ("lr", "weight_decay", "clip_norm")),
        ("ema_decay", REAL, TypeError, "ema_decay must be a number, got"),
        ("schedule", ["step", None, 3], ValueError, "schedule must be 'cosine' or 'constant', got"),
        ("mixed_precision", ["fp8", None, True], ValueError, "mixed_precision must be 'no' or 'bf16' or 'fp16', got"),
        ("model", [squared, None], TypeError, "a module and a loss function are needed, got"),
        ("loss", [3, None], TypeError, "a module and a loss function are needed, got"),
        ("model", [nn.ReLU(), network().requires_grad_(False)], ValueError, "has no parameter that trains"),
    ],
)  # fmt: skip
def test_bad_arguments_are_refused(
    argument: str, wrong: list, kind: type, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the check that only the tests have
    right = {"model": network(), "loss": squared, "data": regression(), "batch_size": 20}
    for value in wrong:
        with pytest.raises(kind, match=message):
            training.Trainer(**{**right, argument: value})


def test_each_argument_has_its_limits() -> None:
    """So that the next one is checked too."""
    names = {*inspect.signature(training.Trainer).parameters, *inspect.signature(training.Trainer.run).parameters}
    assert set(training.LIMITS) == names - {"model", "loss", "data", "self", "progress", "checkpoint"}


@pytest.mark.parametrize(
    ("budget", "kind", "message"),
    [
        ({}, ValueError, "exactly one of steps and seconds"),
        ({"steps": 3, "seconds": 1.0}, ValueError, "exactly one of steps and seconds"),
        *(({"steps": n}, ValueError, "steps must be at least 1, got") for n in (-5, 0)),
        *(({"steps": n}, TypeError, "steps must be a whole number, got") for n in (True, 2.5, 3.0, NAN, "3")),
        *(({"seconds": t}, ValueError, r"seconds must lie in \(0, inf\), got") for t in (NAN, -1, 0, INF)),
        *(({"seconds": t}, TypeError, "seconds must be a number, got") for t in (True, "3")),
        *(({"steps": 3, "checkpoint_every": n}, ValueError, "checkpoint_every must be at least 1") for n in (0, -1)),
        ({"steps": 3, "checkpoint_every": 2.5}, TypeError, "checkpoint_every must be a whole number, got"),
        ({"steps": 1}, ValueError, "the run has done 2 steps already, and steps=1 is their total"),
    ],
)  # fmt: skip
def test_bad_budgets_are_refused_at_once(
    budget: dict, kind: type, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    trainer = training.Trainer(network(), squared, regression(), batch_size=20)
    list(trainer.run(steps=2))
    with pytest.raises(kind, match=message):
        trainer.run(**budget)  # not only when its first step is asked for
    assert list(trainer.run(steps=2)) == []
    assert [state.step for state in trainer.run(steps=4)] == [3, 4]


@pytest.mark.parametrize(
    ("wrong", "kind", "message"),
    [
        *((x, TypeError, f"data must be a tensor or a tuple of tensors, got .*{name}: torch.as_tensor")
          for x, name in ((X.numpy(), "ndarray"), ([X, Y], "list"), ((X, Y.numpy()), "ndarray"), (None, "NoneType"),
                          (data.Dataset(X, None, "own", "train", None), "Dataset"),
                          (torch.utils.data.TensorDataset(X), "TensorDataset"),
                          (torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X)), "DataLoader"))),
        *((x, TypeError, f"must hold real numbers, got {x.dtype}: scale images")
          for x in (X.byte(), X.long(), X > 0, X.cfloat())),
        *((x, ValueError, "has no example") for x in (X[:0], (X[:0], Y[:0]))),
        *((x, ValueError, "must have a first axis") for x in ((), torch.tensor(3.0), (X, torch.tensor(3)))),
        ((X, Y[1:]), ValueError, r"data must have one length, got \[60, 59\]"),
    ],
)  # fmt: skip
def test_data_that_are_no_tensors_of_numbers_are_refused(
    wrong: object, kind: type, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(kind, match=message):
        training.Trainer(network(), squared, wrong, batch_size=20)


@pytest.mark.parametrize("loss", [lambda model, x, y, generator: 3.0, lambda model, x, y, generator: [0.0] * 20])
def test_a_loss_that_is_no_tensor_is_refused(loss: Callable) -> None:
    with pytest.raises(ValueError, match=r"one number per example, shape \(20,\); got (float|list)"):
        list(training.Trainer(network(), loss, regression(), batch_size=20).run(steps=1))


def test_a_loss_without_the_model_is_refused() -> None:
    trainer = training.Trainer(network(), lambda model, x, y, generator: y[:, 0], regression(), batch_size=20)
    with pytest.raises(ValueError, match="does not depend on any parameter that trains"):
        list(trainer.run(steps=1))


def test_an_output_that_cannot_be_written_is_noticed_before_the_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    trainer = training.Trainer(network(), squared, regression(), batch_size=20)
    for path, message in ((tmp_path, "is a folder"), (tmp_path / "file" / "run", "cannot be written: ")):
        with pytest.raises(OSError, match=message):
            trainer.run(steps=1, checkpoint=path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_loss_that_is_already_a_mean_is_refused() -> None:
    def mean(model: nn.Module, x: Tensor, y: Tensor, generator: torch.Generator) -> Tensor:
        return squared(model, x, y, generator).mean()

    trainer = training.Trainer(network(), mean, regression(), batch_size=20)
    with pytest.raises(ValueError, match=r"one number per example, shape \(20,\); got \(\)"):
        list(trainer.run(steps=1))


def test_device_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LECTURE11_DEVICE", "cpu")
    assert training.default_device() == torch.device("cpu")
    monkeypatch.setenv("LECTURE11_DEVICE", "")
    assert training.default_device().type == ("cuda" if torch.cuda.is_available() else "cpu")
    for wrong in ("gpu", "cpu,", "cuda:99"):
        monkeypatch.setenv("LECTURE11_DEVICE", wrong)
        with pytest.raises(ValueError, match=f"LECTURE11_DEVICE='{wrong}' is no device that can be used here"):
            training.default_device()


def test_half_precision_computes_in_bfloat16_and_keeps_float32_weights() -> None:
    dtypes = []

    def record(model: nn.Module, x: Tensor, y: Tensor, generator: torch.Generator) -> Tensor:
        out = model(x)
        dtypes.append(out.dtype)
        return (out - y).float().square().sum(1)

    x, y = regression()
    model = network().float()
    trainer = training.Trainer(model, record, (x.float(), y.float()), batch_size=20, mixed_precision="bf16")
    list(trainer.run(steps=2))
    assert set(dtypes) == {torch.bfloat16}
    assert {p.dtype for p in model.parameters()} == {torch.float32}
