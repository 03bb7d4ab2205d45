"""The training loop: what it minimises, how it stops, and that a resumed run is the run."""

import inspect
import itertools
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from lecture11 import training


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
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import test_training as t
trainer = t.training.Trainer(t.network(), t.squared, t.regression(), batch_size=20, accumulate=2, ema_decay=0.9)
losses = [state.loss for state in trainer.run(steps=5, checkpoint={str(tmp_path / "two")!r})]
if trainer._accelerator.is_main_process:
    assert trainer._accelerator.num_processes == 2
    print("losses", *losses)
"""
    script = tmp_path / "script.py"
    script.write_text(code)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    run = subprocess.run(launch, env={**os.environ, "LECTURE11_DEVICE": "cpu"}, text=True, capture_output=True)
    assert run.returncode == 0, run.stderr

    model = network()
    trainer = training.Trainer(model, squared, regression(), batch_size=20, accumulate=2, ema_decay=0.9)
    losses = [state.loss for state in trainer.run(steps=5)]
    printed = re.search(r"losses (.*)", run.stdout)
    assert printed is not None
    assert [float(x) for x in printed[1].split()] == pytest.approx(losses, abs=1e-12)
    other = network()
    training.load_weights(other, tmp_path / "two")
    torch.testing.assert_close(weights(other), weights(model), atol=1e-12, rtol=0)
    with pytest.raises(training.CheckpointError, match="run in 2 processes, this one has 1"):
        trainer.resume(tmp_path / "two")


def test_seed_fixes_the_run_and_another_changes_it() -> None:
    results = []
    for seed in (0, 0, 1):
        model = network()
        list(training.Trainer(model, noisy, regression(), batch_size=20, seed=seed).run(steps=5))
        results.append(weights(model))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


def test_the_global_generator_is_left_alone() -> None:
    trainer = training.Trainer(network(), noisy, regression(), batch_size=20)
    before = torch.get_rng_state()
    list(trainer.run(steps=3))
    assert torch.equal(before, torch.get_rng_state())


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
    trainer._optimizer.optimizer.register_step_pre_hook(
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


# Checkpoints


@pytest.mark.parametrize("interrupted_at", [1, 7, 12])
def test_a_resumed_run_is_the_run(tmp_path: Path, interrupted_at: int) -> None:
    def trainer(model: nn.Module) -> training.Trainer:
        return training.Trainer(model, noisy, regression(), batch_size=20, lr=0.05, ema_decay=0.9, warmup=3)

    whole = network(norm=True)
    straight = trainer(whole)
    losses = [s.loss for s in straight.run(steps=15)]

    first = trainer(network(norm=True))
    for state in first.run(steps=15):
        if state.step == interrupted_at:
            first.save(tmp_path / "run.safetensors")
            break
    model = network(norm=True)
    second = trainer(model)
    second.resume(tmp_path / "run.safetensors")
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
        with safetensors.safe_open(path, "pt") if path.exists() else _nothing() as file:
            steps.append((state.step, json.loads(file.metadata()["description"])["step"] if file else None))
    assert steps == [(1, None), (2, None), (3, 3), (4, 3), (5, 3), (6, 6), (7, 7)]
    assert [p.name for p in path.parent.iterdir()] == ["run.safetensors"]  # no litter


class _nothing:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


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


def test_foreign_truncated_and_unfitting_checkpoints_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    training.Trainer(network(), squared, regression(), batch_size=20).save(path)

    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        training.load_weights(network(), tmp_path / "none")
    with pytest.raises(training.CheckpointError, match="another model"):
        training.load_weights(nn.Linear(2, 1), path)
    with pytest.raises(training.CheckpointError, match="no moving average"):
        training.load_weights(network(), path, averaged=True)

    cut = tmp_path / "cut"
    cut.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(training.CheckpointError, match="truncated"):
        training.load_weights(network(), cut)
    foreign = tmp_path / "foreign"
    safetensors.torch.save_file({"weight": torch.zeros(2)}, foreign)
    with pytest.raises(training.CheckpointError, match="not a checkpoint of this course"):
        training.load_weights(network(), foreign)
    pickled = tmp_path / "pickled"
    torch.save(network().state_dict(), pickled)
    with pytest.raises(training.CheckpointError, match="no safetensors file"):
        training.load_weights(network(), pickled)


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 61}, r"1\.\.60"),
        ({"batch_size": 0}, r"1\.\.60"),
        ({"batch_size": 20, "accumulate": 3}, "multiple of 3"),
        ({"schedule": "step"}, "'cosine' or 'constant', got 'step'"),
        ({"ema_decay": 1.0}, r"in \(0, 1\), got 1\.0"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict, message: str) -> None:
    # Without the run-time check of annotations, which only the tests have.
    init = inspect.unwrap(training.Trainer.__init__)
    with pytest.raises(ValueError, match=message):
        init(object.__new__(training.Trainer), network(), squared, regression(), **{"batch_size": 20, **arguments})


def test_data_of_two_lengths_are_refused() -> None:
    x, y = regression()
    with pytest.raises(ValueError, match=r"one length, got \[60, 59\]"):
        training.Trainer(network(), squared, (x, y[1:]), batch_size=20)


def test_a_loss_that_is_already_a_mean_is_refused() -> None:
    def mean(model: nn.Module, x: Tensor, y: Tensor, generator: torch.Generator) -> Tensor:
        return squared(model, x, y, generator).mean()

    trainer = training.Trainer(network(), mean, regression(), batch_size=20)
    with pytest.raises(ValueError, match=r"one number per example, shape \(20,\); got \(\)"):
        list(trainer.run(steps=1))


@pytest.mark.parametrize("budget", [{}, {"steps": 3, "seconds": 1.0}])
def test_exactly_one_budget(budget: dict) -> None:
    with pytest.raises(ValueError, match="exactly one of steps and seconds"):
        list(training.Trainer(network(), squared, regression(), batch_size=20).run(**budget))


def test_device_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LECTURE11_DEVICE", "cpu")
    assert training.default_device() == torch.device("cpu")
    monkeypatch.setenv("LECTURE11_DEVICE", "")
    assert training.default_device().type == ("cuda" if torch.cuda.is_available() else "cpu")


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
