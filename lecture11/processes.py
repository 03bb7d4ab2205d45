"""Several processes, as torchrun starts them: what concerns all is decided by one, and fails in all.

    torchrun --nproc-per-node 2 TRAINING.py

(or ``torchrun --no-python --nproc-per-node 2 lecture11 train NAME``). A program started alone is its only process.
"""

import os
import socket
from collections.abc import Callable
from typing import TypeVar

import torch
import torch.distributed as dist

T = TypeVar("T")


def default_device() -> torch.device:
    """The device that the course runs on: ``LECTURE11_DEVICE`` if set, else CUDA if there is one, else the CPU.

    Apple's MPS is never chosen by default: it has no float64, which the exact checks need. Of several processes on a
    machine each has a GPU of its own.

    Raises:
        ValueError: ``LECTURE11_DEVICE`` names no device of this machine.
    """
    name = os.environ.get("LECTURE11_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        if device == torch.device("cuda") and started() > 1:
            device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # a build without CUDA asserts
        raise ValueError(f"LECTURE11_DEVICE={name!r} is no device that can be used here: {error}") from error
    return device


def started() -> int:
    """How many processes there are together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def join() -> None:
    """Meets the other processes, if there are any; the first call does, later ones do nothing."""
    if started() > 1 and not dist.is_initialized():
        device = default_device()
        if device.type == "cuda":
            torch.cuda.set_device(device)
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")


def index() -> int:
    """Number of this process among all, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def is_main() -> bool:
    """Whether this process is the one that prints and writes."""
    return index() == 0


def together(work: Callable[[], T]) -> list[T]:
    """What ``work()`` returned in each of the processes, in their order, given to all of them.

    An error in one is raised in all, so that none waits for a process that has ended. All must call this.

    Raises:
        What ``work`` raised: here, or else in the first process in which it failed, which the message then names.
    """
    join()
    if started() == 1:
        return [work()]
    value: T | None = None
    failure: Exception | None = None
    try:
        value = work()
    except (ValueError, OSError, RuntimeError) as error:
        failure = error
    outcomes: list = [None] * started()
    dist.all_gather_object(outcomes, (value, failure, socket.gethostname()))
    if failure is not None:
        raise failure
    for i, (_, elsewhere, host) in enumerate(outcomes):
        if elsewhere is not None:
            raise type(elsewhere)(f"in process {i} on {host}: {elsewhere}")
    return [each for each, _, _ in outcomes]


def in_main(work: Callable[[], None]) -> None:
    """``work()`` in the main process alone; what it raises is raised in all."""
    together(lambda: work() if is_main() else None)


def in_turn(work: Callable[[], T]) -> T:
    """``work()`` in each process, first in one of each machine: what that downloads, the others find."""
    first = os.environ.get("LOCAL_RANK", "0") == "0"
    results: list[T] = []

    def now(turn: bool) -> None:
        if turn:
            results.append(work())

    together(lambda: now(first))
    together(lambda: now(not first))
    return results[0]


def of_main(value: float) -> float:
    """The main process's ``value``, in all."""
    if started() == 1:
        return value
    values = [value]
    dist.broadcast_object_list(values)
    return values[0]


def mean(x: torch.Tensor) -> torch.Tensor:
    """The mean of ``x`` over the processes."""
    if started() > 1:
        dist.all_reduce(x)
        x /= started()
    return x
