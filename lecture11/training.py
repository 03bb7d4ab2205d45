"""One training loop for every model of the course, on Hugging Face Accelerate.

Device, mixed precision, gradient accumulation and several processes come from Accelerate; the loop itself is a
generator, so that a notebook can plot from it after any step.
"""

import json
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import accelerate
import safetensors
import safetensors.torch
import torch
from accelerate.state import AcceleratorState
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from tqdm.auto import tqdm

FORMAT = "lecture11 checkpoint 1"


class TrainingDivergedError(FloatingPointError):
    """The loss or its gradient is no longer finite."""


class CheckpointError(ValueError):
    """A checkpoint is truncated, foreign, or belongs to another model."""


def default_device() -> torch.device:
    """The device that the course runs on: ``LECTURE11_DEVICE`` if set, else CUDA if there is one, else the CPU.

    Apple's MPS is never chosen by default: it has no float64, which the exact checks need.
    """
    name = os.environ.get("LECTURE11_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


@dataclass(frozen=True)
class State:
    """Where a run stands after a step.

    Attributes:
        step: optimiser steps done so far, over all resumed parts of the run.
        loss: mean loss of the step's batch, in the unit of the loss function.
        grad_norm: norm of the gradient before clipping.
        lr: learning rate of the step.
        seconds: training time so far, over all resumed parts.
        model: the model being trained; ``averaged``: its moving average, or None.
    """

    step: int
    loss: float
    grad_norm: float
    lr: float
    seconds: float
    model: nn.Module
    averaged: nn.Module | None


class _Objective(nn.Module):
    """The loss as a module: Accelerate wraps what ``forward`` does, whatever methods of the model the loss calls."""

    def __init__(self, model: nn.Module, loss: Callable[..., Tensor]) -> None:
        super().__init__()
        self.model = model
        self.loss = loss

    def forward(self, *batch: Tensor, generator: torch.Generator) -> Tensor:
        return self.loss(self.model, *batch, generator=generator)


def moving_average(decay: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    """Exponential moving average that starts as a short one: a full-length one would remember the random start."""

    def update(averaged: Tensor, current: Tensor, n: Tensor | int) -> Tensor:
        return torch.lerp(averaged, current, 1 - min(decay, (1 + int(n)) / (10 + int(n))))

    return update


class Trainer:
    """Trains ``model`` to minimise the mean of ``loss`` over ``data`` with AdamW.

    Args:
        model: any module. It is moved to ``default_device()``.
        loss: ``loss(model, *batch, generator=...)`` gives one number per example, shape ``(batch,)``; the mean is
            taken here. Its randomness comes from ``generator``, which lives on the training device.
        data: a tensor, or a tuple of tensors of one length; a batch is the same rows of each. It is moved to the
            training device as a whole: no worker processes.
        batch_size: examples per optimiser step, over all processes and accumulated parts together.
        lr, weight_decay: of AdamW. ``warmup`` steps raise the rate linearly from zero.
        schedule: ``"cosine"`` lowers the rate to zero at the end of the budget, ``"constant"`` does not.
        clip_norm: the gradient's norm is cut to this.
        ema_decay: keep an exponential moving average of the weights; buffers are copied.
        seed: of the order of the batches and of the loss's noise.
        mixed_precision: ``"no"``, ``"bf16"`` or ``"fp16"``.
        accumulate: parts a batch is split into to save memory.

    Raises:
        ValueError: data of different lengths, a batch that does not fit the data or cannot be split evenly.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Callable[..., Tensor],
        data: Tensor | tuple[Tensor, ...],
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
        if schedule not in ("cosine", "constant"):
            raise ValueError(f"schedule must be 'cosine' or 'constant', got {schedule!r}")
        if ema_decay is not None and not 0 < ema_decay < 1:
            raise ValueError(f"ema_decay must lie in (0, 1), got {ema_decay}")
        tensors = data if isinstance(data, tuple) else (data,)
        self._n = len(tensors[0])
        if any(len(x) != self._n for x in tensors):
            raise ValueError(f"data must have one length, got {[len(x) for x in tensors]}")
        if not 1 <= batch_size <= self._n:
            raise ValueError(f"batch_size must lie in 1..{self._n}, the size of the data; got {batch_size}")

        # Accelerate keeps its settings for the whole process and refuses another precision. One run after another
        # in one notebook may differ in just that, so forget the old setting; the process group stays.
        AcceleratorState._reset_state()
        self._accelerator = accelerate.Accelerator(
            cpu=default_device().type == "cpu",
            mixed_precision=mixed_precision,
            gradient_accumulation_steps=accumulate,
        )
        parts = accumulate * self._accelerator.num_processes
        if batch_size % parts:
            raise ValueError(
                f"batch_size {batch_size} must be a multiple of {parts} = accumulate x number of processes"
            )
        device = self._accelerator.device
        self._data = tuple(x.to(device) for x in tensors)
        self._batch_size, self._accumulate = batch_size, accumulate
        self._lr, self._warmup, self._schedule, self._clip_norm = lr, warmup, schedule, clip_norm

        self.model = model.to(device)
        optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=weight_decay, fused=True)
        self._objective, self._optimizer = self._accelerator.prepare(_Objective(model, loss), optimizer)
        self._average = None if ema_decay is None else AveragedModel(model, avg_fn=moving_average(ema_decay))

        # All processes draw one order of the data and take their share; their noise must differ.
        self._order_rng = torch.Generator().manual_seed(seed)
        self._noise_rng = torch.Generator(device).manual_seed(seed + 1 + self._accelerator.process_index)
        self.step = 0
        self.seconds = 0.0
        self._start_epoch()

    @property
    def averaged(self) -> nn.Module | None:
        """The moving average of the model, if one is kept."""
        return None if self._average is None else self._average.module

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
                steps can be repeated exactly on one machine; a run by seconds cannot.
            progress: text of a progress bar; None shows none.
            checkpoint: file that is written every ``checkpoint_every`` steps and at the end.

        Raises:
            TrainingDivergedError: the loss or the gradient is not finite; the weights are those before the step.
        """
        if (steps is None) == (seconds is None):
            raise ValueError(f"give exactly one of steps and seconds, got steps={steps}, seconds={seconds}")
        bar = tqdm(
            total=steps, desc=progress, leave=False, mininterval=0.5, initial=self.step,
            disable=progress is None or not self._accelerator.is_main_process,
        )  # fmt: skip
        done = self._fraction_done(steps, seconds)
        with bar:
            while done < 1:
                begin = time.perf_counter()
                lr = self._learning_rate(done)
                loss, grad_norm = self._take_step(lr)
                self.seconds += time.perf_counter() - begin
                bar.update()
                done = self._fraction_done(steps, seconds)
                if checkpoint is not None and (done >= 1 or self.step % checkpoint_every == 0):
                    self.save(checkpoint)
                yield State(self.step, loss, grad_norm, lr, self.seconds, self.model, self.averaged)

    def _fraction_done(self, steps: int | None, seconds: float | None) -> float:
        return self.step / steps if steps is not None else self.seconds / seconds  # type: ignore[operator]

    def _learning_rate(self, done: float) -> float:
        lr = self._lr * min(1.0, (self.step + 1) / (self._warmup + 1))
        return lr * 0.5 * (1 + math.cos(math.pi * done)) if self._schedule == "cosine" else lr

    def _take_step(self, lr: float) -> tuple[float, float]:
        """One optimiser step; returns the mean loss and the gradient's norm."""
        for group in self._optimizer.param_groups:
            group["lr"] = lr
        rows = self._next_rows()
        mean_loss = 0.0
        grad_norm = math.nan
        for part in rows.chunk(self._accumulate):
            batch = tuple(x[part] for x in self._data)
            with self._accelerator.accumulate(self._objective):
                losses = self._objective(*batch, generator=self._noise_rng)
                if losses.shape != (len(part),):
                    raise ValueError(
                        f"the loss must give one number per example, shape ({len(part)},); "
                        f"got {tuple(losses.shape)}: sum over the dimensions, leave the mean to the trainer"
                    )
                # Over all processes, so that a loss that is not finite stops them all.
                mean_loss += self._accelerator.reduce(losses.detach().mean(), "mean").item() / self._accumulate
                self._check_finite(mean_loss, "loss", mean_loss, batch)
                self._accelerator.backward(losses.mean())
                if self._accelerator.sync_gradients:
                    norm = self._accelerator.clip_grad_norm_(self.model.parameters(), self._clip_norm)
                    grad_norm = float(norm)
                    # With fp16 the gradient scaler meets overflow by skipping the step.
                    if self._accelerator.scaler is None:
                        self._check_finite(grad_norm, "norm of the gradient", mean_loss, batch)
                self._optimizer.step()
                self._optimizer.zero_grad()
        if self._average is not None:
            self._average.update_parameters(self.model)
        self.step += 1
        return mean_loss, grad_norm

    def _check_finite(self, value: float, what: str, loss: float, batch: tuple[Tensor, ...]) -> None:
        if math.isfinite(value):
            return
        x = batch[0]
        raise TrainingDivergedError(
            f"the {what} is {value} at step {self.step + 1} (loss {loss}, learning rate "
            f"{self._optimizer.param_groups[0]['lr']:.3g}, data in [{x.min().item():.3g}, {x.max().item():.3g}]). "
            f"Likely causes: a learning rate that is too high (try a tenth), data that is not finite or not in "
            f"the range that the model expects, the logarithm of zero, the exponential of a large log-variance, "
            f"or half precision."
        )

    def _start_epoch(self) -> None:
        # The state from before the draw: from it a resumed run draws the same order again.
        self._epoch_state = self._order_rng.get_state()
        self._order = torch.randperm(self._n, generator=self._order_rng)
        self._position = 0

    def _next_rows(self) -> Tensor:
        """Indices of this process's share of the next batch. A remainder smaller than a batch is left out."""
        if self._position + self._batch_size > self._n:
            self._start_epoch()
        rows = self._order[self._position : self._position + self._batch_size]
        self._position += self._batch_size
        share = rows[self._accelerator.process_index :: self._accelerator.num_processes]
        return share.to(self._data[0].device)

    def save(self, path: str | os.PathLike) -> None:
        """Writes everything needed to resume to one safetensors file, with a JSON description in its header.

        The file appears whole or not at all: it is written beside its place and then renamed.
        """
        noise_states = accelerate.utils.gather_object([self._noise_rng.get_state()])
        if not self._accelerator.is_main_process:
            return
        tensors = {f"model.{name}": x for name, x in self.model.state_dict().items()}
        if self._average is not None:
            tensors |= {f"average.{name}": x for name, x in self._average.state_dict().items()}
        optimizer = self._optimizer.state_dict()
        for i, slots in optimizer["state"].items():
            tensors |= {f"optimizer.{i}.{name}": x for name, x in slots.items()}
        tensors["rng.epoch"] = self._epoch_state
        tensors |= {f"rng.noise.{i}": state for i, state in enumerate(noise_states)}
        description = {"step": self.step, "seconds": self.seconds, "position": self._position}
        _write(path, tensors, description)

    def resume(self, path: str | os.PathLike) -> None:
        """Continues a saved run: what follows is what would have followed.

        The trainer must have been made with the same arguments.

        Raises:
            CheckpointError: the file is no checkpoint of this trainer's model.
        """
        tensors, description = _read(path)
        _load_state(self.model, _with_prefix(tensors, "model."), path)
        if self._average is not None:
            _load_state(self._average, _with_prefix(tensors, "average."), path)
        slots: dict[int, dict[str, Tensor]] = {}
        for name, x in _with_prefix(tensors, "optimizer.").items():
            i, slot = name.split(".", 1)
            slots.setdefault(int(i), {})[slot] = x
        groups = self._optimizer.state_dict()["param_groups"]
        self._optimizer.load_state_dict({"state": slots, "param_groups": groups})
        noise = _with_prefix(tensors, "rng.noise.")
        if len(noise) != self._accelerator.num_processes:
            raise CheckpointError(
                f"{path} is of a run in {len(noise)} processes, this one has {self._accelerator.num_processes}: "
                f"resume with the same number"
            )
        self._noise_rng.set_state(noise[str(self._accelerator.process_index)])
        self._order_rng.set_state(tensors["rng.epoch"])
        self._start_epoch()
        self._position = description["position"]
        self.step, self.seconds = description["step"], description["seconds"]


def load_weights(model: nn.Module, path: str | os.PathLike, *, averaged: bool = False) -> None:
    """Loads the weights of a checkpoint, or their moving average, into ``model``.

    Raises:
        CheckpointError: the file is no checkpoint, is truncated, holds no average, or is of another model.
    """
    tensors, _ = _read(path)
    weights = _with_prefix(tensors, "average.module." if averaged else "model.")
    if averaged and not weights:
        raise CheckpointError(f"{path} holds no moving average: it was trained without ema_decay")
    _load_state(model, weights, path)


def save_weights(model: nn.Module, path: str | os.PathLike, *, dtype: torch.dtype = torch.float32) -> None:
    """Writes the weights alone, for ``load_weights``, in ``dtype``: half precision halves the file."""
    state = model.state_dict()
    tensors = {f"model.{name}": x.to(dtype) if x.is_floating_point() else x for name, x in state.items()}
    _write(path, tensors, {})


def _write(path: str | os.PathLike, tensors: dict[str, Tensor], description: dict) -> None:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = safetensors.torch.save(
        {name: x.detach().cpu().contiguous() for name, x in tensors.items()},
        metadata={"format": FORMAT, "description": json.dumps(description)},
    )
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


def _read(path: str | os.PathLike) -> tuple[dict[str, Tensor], dict]:
    if not Path(path).is_file():
        raise FileNotFoundError(f"no checkpoint at {path}")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no iterator)
    except safetensors.SafetensorError as error:
        raise CheckpointError(f"{path} is truncated, or no safetensors file: {error}") from error
    if metadata.get("format") != FORMAT:
        raise CheckpointError(
            f"{path} is not a checkpoint of this course: expected the format {FORMAT!r}, got {metadata.get('format')!r}"
        )
    return tensors, json.loads(metadata["description"])


def _with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): x for name, x in tensors.items() if name.startswith(prefix)}


def _load_state(module: nn.Module, state: dict[str, Tensor], path: str | os.PathLike) -> None:
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        raise CheckpointError(f"{path} is of another model: {error}") from error
