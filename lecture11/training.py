"""One training loop for every model of the course.

The loop is a generator, so that a notebook can plot from it after any step. Nothing that it uses is shared with another
trainer: two of them in one notebook, in turn or interleaved, each do what they do alone. Started by torchrun, several
processes train one model together (see ``processes``).
"""

import contextlib
import copy
import functools
import itertools
import math
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn
from tqdm.auto import tqdm

from lecture11 import checkpoints, processes
from lecture11.arguments import one_of, real, whole
from lecture11.checkpoints import AVERAGE, MODEL, CheckpointError, load_weights, save_weights
from lecture11.processes import default_device

__all__ = [
    "CheckpointError",
    "State",
    "Streamed",
    "Trainer",
    "TrainingDivergedError",
    "check_options",
    "check_split",
    "default_device",
    "load_weights",
    "save_weights",
    "update_average",
]

# What an argument may be: the least of a count, the interval of a number, one of some names.
LIMITS: dict[str, int | str | tuple[str, ...]] = {
    "batch_size": 1,
    "accumulate": 1,
    "warmup": 0,
    "seed": 0,
    "lr": "(0, inf)",
    "weight_decay": "[0, inf)",
    "clip_norm": "(0, inf]",
    "ema_decay": "(0, 1)",
    "schedule": ("cosine", "constant"),
    "mixed_precision": ("no", "bf16", "fp16"),
    "steps": 1,
    "seconds": "(0, inf)",
    "checkpoint_every": 1,
}
# Steps between two looks at whether the loss is finite, where looking waits for the device.
LOOK_EVERY = 20
OPTIONAL = ("ema_decay", "steps", "seconds")
HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}


class TrainingDivergedError(FloatingPointError):
    """The loss or its gradient is no longer finite."""


@dataclass(frozen=True)
class State:
    """Where a run stands after a step.

    Attributes:
        step: optimiser steps done so far, over all resumed parts of the run.
        lr: learning rate of the step.
        seconds: training time so far, over all resumed parts.
        model: the model being trained; ``averaged``: its moving average, or None.
        measured: loss and norm of the gradient, on the training device. ``loss`` and ``grad_norm`` read them, which
            waits for a GPU.
    """

    step: int
    lr: float
    seconds: float
    model: nn.Module
    averaged: nn.Module | None
    measured: Tensor

    @property
    def loss(self) -> float:
        """Mean loss of the step's batch, in the unit of the loss function."""
        return self.measured[0].item()

    @property
    def grad_norm(self) -> float:
        """Norm of the gradient before clipping."""
        return self.measured[1].item()


@runtime_checkable
class Streamed(Protocol):
    """Examples that are read when their turn comes, such as ``data.Folder``."""

    def __len__(self) -> int: ...

    def batches(self, order: Tensor) -> Iterator[tuple[Tensor, ...]]:
        """The tensors of each batch; ``order`` has their rows, one batch a row, on the CPU."""

    def fingerprint(self) -> str:
        """What tells them from other examples."""


class _InMemory:
    """Tensors, on the training device as a whole."""

    def __init__(self, tensors: tuple[Tensor, ...], device: torch.device) -> None:
        self.tensors = tuple(x.to(device) for x in tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])

    def batches(self, order: Tensor) -> Iterator[tuple[Tensor, ...]]:
        for rows in order.to(self.tensors[0].device):
            yield tuple(x[rows] for x in self.tensors)

    def fingerprint(self) -> str:
        return "; ".join(map(checkpoints.fingerprint, self.tensors))


class _Objective(nn.Module):
    """The loss as a module: several processes share the gradient of what ``forward`` does."""

    def __init__(
        self, model: nn.Module, loss: Callable[..., Tensor], device: str, precision: torch.dtype | None
    ) -> None:
        super().__init__()
        self.model = model
        self.loss = loss
        self.device, self.precision = device, precision

    def forward(self, *batch: Tensor, generator: torch.Generator) -> Tensor:
        n = len(batch[0])
        if self.precision is None:
            losses = self.loss(self.model, *batch, generator=generator)
        else:
            with torch.autocast(self.device, self.precision):
                losses = self.loss(self.model, *batch, generator=generator)
        if not isinstance(losses, Tensor) or losses.shape != (n,):
            got = tuple(losses.shape) if isinstance(losses, Tensor) else type(losses).__name__
            raise ValueError(
                f"the loss must give one number per example, shape ({n},); "
                f"got {got}: sum over the dimensions, leave the mean to the trainer"
            )
        if not losses.requires_grad:
            raise ValueError("the loss does not depend on any parameter that trains: is the model in it, unfrozen?")
        return losses if self.precision is None or losses.dtype not in HALF.values() else losses.float()


@torch.no_grad()
def update_average(averaged: nn.Module, model: nn.Module, *, decay: float, n: int) -> None:
    """Moves the exponential moving average of a model's weights one step on, after ``n`` steps; buffers are copied.

    It starts as a short one: a full-length one would remember the random start. Nothing waits for a GPU.
    """
    decay = 0.0 if n == 0 else min(decay, (1 + n) / (10 + n))
    pairs = list(zip(averaged.parameters(), model.parameters(), strict=True))
    get_ema_multi_avg_fn(decay)([a for a, _ in pairs], [b for _, b in pairs], n)
    for old, new in zip(averaged.buffers(), model.buffers(), strict=True):
        old.copy_(new)


def check_split(batch_size: int, accumulate: int = 1) -> None:
    """Raises ValueError if a batch cannot be split evenly over the accumulated parts and the processes."""
    parts = accumulate * processes.started()
    if batch_size % parts:
        raise ValueError(
            f"batch_size {batch_size} must be a multiple of {parts} = accumulate x number of processes "
            f"({accumulate} x {processes.started()})"
        )


class Trainer:
    """Trains ``model`` to minimise the mean of ``loss`` over ``data`` with AdamW.

    Args:
        model: any module. It is moved to ``default_device()``.
        loss: ``loss(model, *batch, generator=...)`` gives one number per example, shape ``(batch,)``; the mean is
            taken here. Its randomness comes from ``generator``, which lives on the training device. Layers that draw
            from torch's global generators, such as dropout, find them there as this trainer left them.
        data: a tensor, or a tuple of tensors of one length; a batch is the same rows of each. It is moved to the
            training device as a whole: no worker processes. Or ``Streamed`` examples, such as a ``data.Folder``.
        batch_size: examples per optimiser step, over all processes and accumulated parts together.
        lr, weight_decay: of AdamW. ``warmup`` steps raise the rate linearly from zero.
        schedule: ``"cosine"`` lowers the rate to zero at the end of the budget, ``"constant"`` does not.
        clip_norm: the gradient's norm is cut to this; ``math.inf`` leaves it.
        ema_decay: keep an exponential moving average of the weights; buffers are copied.
        seed: of the order of the batches, of the loss's noise and of dropout.
        mixed_precision: ``"no"``, ``"bf16"`` or ``"fp16"``.
        accumulate: parts a batch is split into to save memory.

    Attributes:
        model: as given; ``averaged``: the moving average of its weights, or None.
        step, seconds: done so far, over all resumed parts of the run.

    Raises:
        TypeError: data that are no tensors of real numbers, or an argument of another type.
        ValueError: data of different lengths or none, a batch that does not fit the data or cannot be split evenly,
            an argument out of its bounds, a model without parameters.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Callable[..., Tensor],
        data: Tensor | tuple[Tensor, ...] | Streamed,
        *,
        batch_size: int = 128,
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        warmup: int = 0,
        schedule: Literal["cosine", "constant"] = "cosine",
        clip_norm: float = 1.0,
        ema_decay: float | None = None,
        seed: int = 0,
        mixed_precision: Literal["no", "bf16", "fp16"] = "no",
        accumulate: int = 1,
    ) -> None:
        if not isinstance(model, nn.Module) or not callable(loss):
            raise TypeError(
                f"a module and a loss function are needed, got {type(model).__name__} and {type(loss).__name__}"
            )
        if not any(p.requires_grad for p in model.parameters()):
            raise ValueError(f"{type(model).__name__} has no parameter that trains: unfreeze it, or give another model")
        tensors = () if isinstance(data, Streamed) else _checked_data(data)
        self._n = len(data if isinstance(data, Streamed) else tensors[0])
        whole(f"data holds {self._n} examples, and batch_size", batch_size, 1, self._n)
        self._arguments = check_options(
            batch_size=batch_size, lr=lr, weight_decay=weight_decay, warmup=warmup, schedule=schedule,
            clip_norm=clip_norm, ema_decay=ema_decay, seed=seed, mixed_precision=mixed_precision, accumulate=accumulate,
        )  # fmt: skip
        check_split(batch_size, accumulate)

        processes.join()
        self._device = default_device()
        self._data: Streamed = data if isinstance(data, Streamed) else _InMemory(tensors, self._device)
        self.model = model.to(self._device)
        self._optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=weight_decay, fused=True)
        self._loss_function = loss
        self._objective: nn.Module = _Objective(model, loss, self._device.type, HALF.get(mixed_precision))
        if processes.started() > 1:
            ids = [self._device.index] if self._device.type == "cuda" else None
            self._objective = nn.parallel.DistributedDataParallel(self._objective, device_ids=ids)
        # Numbers too small for fp16 are scaled up, and a step that overflows is left out.
        self._scaler = torch.amp.GradScaler(self._device.type, enabled=mixed_precision == "fp16")
        self.averaged = None if ema_decay is None else copy.deepcopy(model)

        self._seed(seed)
        self.step = 0
        self.seconds = 0.0
        self._lr = math.nan
        self._measured = torch.full((2,), math.nan, dtype=torch.float64)
        # From the first step on whose loss or gradient is not finite, 1: AdamW then leaves the weights as they are.
        self._failed = torch.zeros((), device=self._device)
        self._unsound = torch.zeros(3, device=self._device)  # the number of that step, its loss and norm
        self._look_every = 1 if self._device.type == "cpu" else LOOK_EVERY
        self._start_epoch()

    def _seed(self, seed: int) -> None:
        """All processes draw one order of the data and take their share; their noise must differ."""
        own = seed + 1 + processes.index()
        self._order_rng = torch.Generator().manual_seed(seed)
        self._noise_rng = torch.Generator(self._device).manual_seed(own)
        self._global_rngs = [torch.Generator()]
        if self._device.type == "cuda":
            self._global_rngs.append(torch.Generator(self._device))
        other = int(torch.randint(2**32, (), generator=torch.Generator().manual_seed(own)))
        for generator in self._global_rngs:
            generator.manual_seed(other)

    @property
    def state(self) -> State:
        """Where the run stands; the loss and the rate of a run that has not begun are not a number."""
        return State(self.step, self._lr, self.seconds, self.model, self.averaged, self._measured)

    def run(
        self,
        *,
        steps: int | None = None,
        seconds: float | None = None,
        progress: str | None = None,
        checkpoint: str | os.PathLike | None = None,
        checkpoint_every: int = 1000,
    ) -> Iterator[State]:
        """Trains up to a total of ``steps`` or ``seconds``, and yields the state after each step.

        Args:
            steps, seconds: exactly one, counted from the first start of the run, resumed parts included. A run by
                steps can be repeated exactly on one machine; a run by seconds, of the main process's clock, cannot.
                A run that has had its budget yields nothing.
            progress: text of a progress bar; None shows none.
            checkpoint: file that is written every ``checkpoint_every`` steps and at the end.

        Raises:
            TypeError, ValueError: a budget that is none, or fewer steps than the run has done already.
            OSError: the checkpoint cannot be written. What can be seen of that is seen before the first step.
            TrainingDivergedError: the loss or the gradient is not finite; the weights are those before the step. On a
                GPU, which is not asked after each step, it is noticed some steps later.
        """
        if (steps is None) == (seconds is None):
            raise ValueError(f"give exactly one of steps and seconds, got steps={steps}, seconds={seconds}")
        check_options(steps=steps, seconds=seconds, checkpoint_every=checkpoint_every)
        if steps is not None and steps < self.step:
            raise ValueError(
                f"the run has done {self.step:,} steps already, and steps={steps:,} is their total: ask for more, or "
                f"make a new trainer"
            )
        if checkpoint is not None:
            processes.in_main(lambda: checkpoints.check_writable(checkpoint))
        return self._steps(steps, seconds, progress, checkpoint, checkpoint_every)

    def _steps(
        self,
        steps: int | None,
        seconds: float | None,
        progress: str | None,
        checkpoint: str | os.PathLike | None,
        checkpoint_every: int,
    ) -> Iterator[State]:
        bar = tqdm(
            total=steps, desc=progress, leave=False, mininterval=0.5, initial=self.step,
            disable=progress is None or not processes.is_main(),
        )  # fmt: skip
        done = self._fraction_done(steps, seconds)
        with bar:
            while done < 1:
                begin = time.perf_counter()
                self._take_step(self._learning_rate(done))
                self.seconds += time.perf_counter() - begin
                if seconds is not None:  # all stop at the same step, and have the same rate at each
                    self.seconds = processes.of_main(self.seconds)
                bar.update()
                done = self._fraction_done(steps, seconds)
                if done >= 1:
                    self._check_sound()
                if checkpoint is not None and (done >= 1 or self.step % checkpoint_every == 0):
                    self.save(checkpoint)
                yield self.state

    def _fraction_done(self, steps: int | None, seconds: float | None) -> float:
        return self.step / steps if steps is not None else self.seconds / seconds  # type: ignore[operator]

    def _learning_rate(self, done: float) -> float:
        lr = self._arguments["lr"] * min(1.0, (self.step + 1) / (self._arguments["warmup"] + 1))
        return lr * 0.5 * (1 + math.cos(math.pi * done)) if self._arguments["schedule"] == "cosine" else lr

    def _take_step(self, lr: float) -> None:
        for group in self._optimizer.param_groups:
            group["lr"] = lr
        batch = self._next_batch()
        parts = list(zip(*(x.chunk(self._arguments["accumulate"]) for x in batch), strict=True))
        with self._own_global_noise():
            means = [self._add_gradient(part, last=part is parts[-1]) for part in parts]
        self._scaler.unscale_(self._optimizer)
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self._arguments["clip_norm"])
        # Nothing is read here, since each reading waits for the GPU. The loss is that of all processes, so that one
        # that is not finite stops them all.
        loss = processes.mean(torch.stack(means)).mean()
        self._measured, self._lr = torch.stack([loss, norm.to(loss)]), lr
        # With the scaler on, the gradient may overflow: the scaler meets that by leaving the step out.
        fault = ~(loss if self._scaler.is_enabled() else self._measured).isfinite().all()
        here = torch.cat([torch.full_like(loss, self.step + 1)[None], self._measured]).to(self._unsound)
        self._unsound = torch.where(fault & (self._failed == 0), here, self._unsound)
        self._failed = torch.maximum(self._failed, fault.float())
        if self._scaler.is_enabled():
            self._scaler.step(self._optimizer)
        else:
            self._optimizer.found_inf = self._failed  # type: ignore[attr-defined]
            self._optimizer.step()
        self._scaler.update()
        self._optimizer.zero_grad()
        if (self.step + 1) % self._look_every == 0:
            self._check_sound(batch[0])
        if self.averaged is not None:
            update_average(self.averaged, self.model, decay=self._arguments["ema_decay"], n=self.step)
        self.step += 1

    def _add_gradient(self, part: tuple[Tensor, ...], *, last: bool) -> Tensor:
        """Adds the gradient of these examples' share of the loss; returns their mean loss."""
        # The processes exchange their gradients once, with the last part.
        alone = contextlib.nullcontext() if last or processes.started() == 1 else self._objective.no_sync()  # type: ignore[operator]
        with alone:
            mean = self._objective(*part, generator=self._noise_rng).mean()
            self._scaler.scale(mean / self._arguments["accumulate"]).backward()
        return mean.detach()

    def _check_sound(self, x: Tensor | None = None) -> None:
        """Raises TrainingDivergedError if a step since the last look was not finite; ``x``: a batch to describe."""
        if self._failed.item() == 0:
            return
        step, loss, norm = self._unsound.tolist()
        self.step = int(step) - 1
        what, value = ("norm of the gradient", norm) if math.isfinite(loss) else ("loss", loss)
        seen = "" if x is None else f", data in [{x.min().item():.3g}, {x.max().item():.3g}]"
        raise TrainingDivergedError(
            f"the {what} is {value} at step {self.step + 1} (loss {loss:.6g}, learning rate {self._lr:.3g}{seen}). "
            f"Likely causes: a learning rate that is too high (try a tenth), data that is not finite or not in "
            f"the range that the model expects, the logarithm of zero, the exponential of a large log-variance, "
            f"or half precision."
        )

    def _start_epoch(self) -> None:
        # The state from before the draw: from it a resumed run draws the same order again.
        self._epoch_state = self._order_rng.get_state()
        self._order = torch.randperm(self._n, generator=self._order_rng)
        self._position = 0
        self._batches: Iterator[tuple[Tensor, ...]] | None = None

    def _next_batch(self) -> tuple[Tensor, ...]:
        """This process's share of the next batch. A remainder smaller than a batch is left out."""
        size = self._arguments["batch_size"]
        if self._position + size > self._n:
            self._start_epoch()
        if self._batches is None:
            whole = (self._n - self._position) // size * size
            rows = self._order[self._position : self._position + whole].view(-1, size)
            self._batches = self._data.batches(rows[:, processes.index() :: processes.started()])
        batch = tuple(x.to(self._device, non_blocking=True) for x in next(self._batches))
        self._position += size
        return batch

    @contextlib.contextmanager
    def _own_global_noise(self) -> Iterator[None]:
        """Puts this trainer's states into torch's global generators, and afterwards the former ones back."""
        shared = [torch.default_generator]
        if self._device.type == "cuda":
            shared.append(torch.cuda.default_generators[self._noise_rng.device.index])
        before = [generator.get_state() for generator in shared]
        for generator, own in zip(shared, self._global_rngs, strict=True):
            generator.set_state(own.get_state())
        try:
            yield
        finally:
            for generator, own, state in zip(shared, self._global_rngs, before, strict=True):
                own.set_state(generator.get_state())
                generator.set_state(state)

    def _generators(self) -> dict[str, torch.Generator]:
        """Those of this process alone, by their names in a checkpoint."""
        named = {"noise": self._noise_rng} | {f"global.{i}": own for i, own in enumerate(self._global_rngs)}
        return {f"rng.{processes.index()}.{name}": generator for name, generator in named.items()}

    @functools.cached_property
    def _about(self) -> dict[str, Any]:
        """What makes a run this run. It takes a second for a large data set, so only who saves or resumes pays."""
        weights = ", ".join(sorted({str(p.dtype) for p in self.model.parameters()}))
        return {
            "model": f"{_text(self.model)}\n{weights}",
            "loss": _name(self._loss_function),
            "data": self._data.fingerprint(),
            **self._arguments,
            "processes": processes.started(),
            "device": self._device.type,
        }

    def save(self, path: str | os.PathLike) -> None:
        """Writes everything needed to resume to one safetensors file, with a JSON description in its header.

        The file appears whole or not at all: it is written beside its place and then renamed.

        Raises:
            OSError: it cannot be written.
            TrainingDivergedError: the last steps were not finite, and have not been looked at.
        """
        self._check_sound()
        states = processes.together(lambda: {name: own.get_state() for name, own in self._generators().items()})

        def write() -> None:
            tensors = {MODEL + name: x for name, x in self.model.state_dict().items()}
            if self.averaged is not None:
                tensors |= {AVERAGE + name: x for name, x in self.averaged.state_dict().items()}
            for i, slots in self._optimizer.state_dict()["state"].items():
                tensors |= {f"optimizer.{i}.{name}": x for name, x in slots.items()}
            tensors["rng.epoch"] = self._epoch_state
            for own in states:
                tensors |= own
            description = {
                "run": self._about,
                "step": self.step,
                "position": self._position,
                "seconds": self.seconds,
                "last": [*self._measured.tolist(), self._lr],
                "scaler": self._scaler.state_dict(),
            }
            checkpoints.write(path, tensors, description)

        processes.in_main(write)

    def resume(self, path: str | os.PathLike, *, missing_ok: bool = False) -> None:
        """Continues a saved run: what follows is what would have followed.

        Nothing changes before all has been read and found to fit, in all processes.

        Args:
            missing_ok: where there is no such file, the run begins anew.

        Raises:
            FileNotFoundError: there is no such file.
            CheckpointError: the file is no whole checkpoint, or of another run than this trainer's: another model,
                other data or arguments, which are named; or the processes have different files.
        """
        saved: checkpoints.Contents | None = None

        def look() -> str | None:
            nonlocal saved
            if not os.path.exists(path):
                return None
            saved = checkpoints.read(path)
            self._check_resumes(saved, path)
            return saved.checksum

        found = processes.together(look)
        if len(set(found)) > 1:
            each = ", ".join(f"process {i} has {f'the one {x[:8]}' if x else 'none'}" for i, x in enumerate(found))
            raise CheckpointError(
                f"the processes do not find one checkpoint at {path}: {each}. Copy it to each machine, or remove it "
                f"from all, or use a folder that they share"
            )
        if saved is not None:
            self._restore(saved)
        elif not missing_ok:
            raise FileNotFoundError(f"no checkpoint at {path}")

    def _check_resumes(self, saved: checkpoints.Contents, path: str | os.PathLike) -> None:
        if "run" not in saved.description:
            kind = "was written by an older version" if saved.checksum is None else "holds weights alone"
            raise CheckpointError(
                f"{path} {kind} and does not describe its run: it cannot be resumed. load_weights takes its weights"
            )
        try:
            checkpoints.check_fits(self.model.state_dict(), saved.part(MODEL), path)
        except CheckpointError as error:
            raise CheckpointError(f"{error}. Make the model as it was, or train anew with another file") from error
        run = saved.description["run"]
        different = [_difference(key, run.get(key), now) for key, now in self._about.items() if run.get(key) != now]
        if different:
            raise CheckpointError(
                f"{path} is of another run: {'; '.join(different)}. Make the trainer as it was, or train anew with "
                f"another file; load_weights takes the weights alone"
            )

    def _restore(self, saved: checkpoints.Contents) -> None:
        self.model.load_state_dict(saved.part(MODEL))
        if self.averaged is not None:
            self.averaged.load_state_dict(saved.part(AVERAGE))
        slots: dict[int, dict[str, Tensor]] = {}
        for name, x in saved.part("optimizer.").items():
            i, slot = name.split(".", 1)
            slots.setdefault(int(i), {})[slot] = x
        groups = self._optimizer.state_dict()["param_groups"]
        self._optimizer.load_state_dict({"state": slots, "param_groups": groups})
        for name, generator in self._generators().items():
            generator.set_state(saved.tensors[name])
        self._order_rng.set_state(saved.tensors["rng.epoch"])
        self._start_epoch()
        description = saved.description
        self._position = description["position"]
        self.step, self.seconds = description["step"], description["seconds"]
        *measured, self._lr = description["last"]
        self._measured = torch.tensor(measured, dtype=torch.float64)
        self._scaler.load_state_dict(description["scaler"])


def check_options(**arguments: Any) -> dict[str, Any]:
    """Arguments of ``Trainer`` or of its ``run``, by their names, as plain numbers, if they keep their ``LIMITS``.

    Raises:
        TypeError, ValueError: one of another type, or out of its bounds.
    """
    for name, value in arguments.items():
        limit = LIMITS[name]
        if value is None and name in OPTIONAL:
            continue
        if isinstance(limit, int):
            arguments[name] = whole(name, value, limit)
        elif isinstance(limit, str):
            arguments[name] = real(name, value, limit)
        else:
            one_of(name, value, limit)
    return arguments


def _checked_data(data: Any) -> tuple[Tensor, ...]:
    tensors = data if isinstance(data, tuple) else (data,)
    for x in tensors:
        if not isinstance(x, Tensor):
            raise TypeError(
                f"data must be a tensor or a tuple of tensors, got {type(x).__module__}.{type(x).__name__}: "
                f"torch.as_tensor makes one of an array or a list; of a Dataset give .x or (.x, .y); a DataLoader is "
                f"not needed, the trainer makes the batches"
            )
    if not tensors or not all(x.ndim for x in tensors):
        raise ValueError("data must have a first axis, of the examples: got no tensor, or one that is a single number")
    if not len(tensors[0]):
        raise ValueError("data has no example: at least one is needed")
    if len({len(x) for x in tensors}) > 1:
        raise ValueError(f"data must have one length, got {[len(x) for x in tensors]}")
    if not tensors[0].is_floating_point():
        raise TypeError(
            f"the first tensor of data must hold real numbers, got {tensors[0].dtype}: scale images with "
            f".float() / 255; labels come after them"
        )
    return tensors


def _name(function: Any) -> str:
    """A loss by its name, and what a ``partial`` holds fast."""
    if isinstance(function, functools.partial):
        held = [*map(_name, function.args), *(f"{key}={_name(x)}" for key, x in sorted(function.keywords.items()))]
        return f"{_name(function.func)}({', '.join(held)})"
    return getattr(function, "__qualname__", _text(function))


def _text(x: Any) -> str:
    """What it prints, but for its place in memory, which is another in each process."""
    return re.sub(" at 0x[0-9a-f]+", "", repr(x))


def _difference(key: str, was: Any, now: Any) -> str:
    """In words; of a text of many lines, the first lines that differ."""
    lines = itertools.zip_longest(str(was).splitlines(), str(now).splitlines())
    was, now = next(pair for pair in lines if pair[0] != pair[1])
    return f"{key} was {was}, is {now}"
