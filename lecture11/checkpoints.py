"""Files of weights and of runs: safetensors, with a description and a checksum in the header."""

import errno
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

FORMAT = "lecture11 checkpoint 2"
# Without a checksum, and of a run that it does not describe: its weights are read, but no run goes on from it.
FIRST_FORMAT = "lecture11 checkpoint 1"

MODEL, AVERAGE = "model.", "average.module."


class CheckpointError(ValueError):
    """A checkpoint is truncated, damaged or foreign, or belongs to another model or another run."""


@dataclass(frozen=True)
class Contents:
    """What a file holds: tensors by name, what is said of them, and the checksum of both (None in the first format)."""

    tensors: dict[str, Tensor]
    description: dict
    checksum: str | None

    def part(self, prefix: str) -> dict[str, Tensor]:
        """The tensors whose names begin with ``prefix``, by the rest of their names."""
        return {name.removeprefix(prefix): x for name, x in self.tensors.items() if name.startswith(prefix)}


def write(path: str | os.PathLike, tensors: Mapping[str, Tensor], description: dict) -> None:
    """Writes a file that appears whole or not at all: beside its place first, then renamed.

    Raises:
        OSError: it cannot be written: a full disk, a folder without the right to write.
    """
    # Copies, since safetensors refuses tensors that share their memory, as tied weights do.
    own = {name: x.detach().cpu().clone(memory_format=torch.contiguous_format) for name, x in tensors.items()}
    text = json.dumps(description)
    # One entry: safetensors writes several in any order, and the same weights would not be the same file.
    data = safetensors.torch.save(own, metadata={FORMAT: f"{_checksum(own, text)} {text}"})
    place = Path(os.path.realpath(path))  # a link stays a link
    beside = _beside(place)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with open(beside, "wb") as file:  # with the rights that the user's other files have
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, place)
    except OSError as error:
        raise OSError(error.errno, f"cannot be written: {error.strerror or error}", str(path)) from error
    finally:
        beside.unlink(missing_ok=True)


def check_writable(path: str | os.PathLike) -> None:
    """Makes the folder of ``path``, and tries to write in it: before a training is better than after.

    Raises:
        OSError: the path is a folder, or no file can be made there.
    """
    place = Path(os.path.realpath(path))
    try:
        if place.exists() and not place.is_file():
            kind = "a folder" if place.is_dir() else "no ordinary file"
            raise OSError(errno.EISDIR, f"it is {kind}, give the name of a file")
        place.parent.mkdir(parents=True, exist_ok=True)
        with open(_beside(place), "wb"):
            pass
        _beside(place).unlink()
    except OSError as error:
        raise OSError(error.errno, f"cannot be written: {error.strerror}", str(path)) from error


def read(path: str | os.PathLike) -> Contents:
    """The contents of a file that ``write`` wrote.

    Raises:
        FileNotFoundError: there is none.
        CheckpointError: it is truncated, damaged, or no file of this course.
    """
    if not Path(path).exists():
        raise FileNotFoundError(f"no checkpoint at {path}")
    if not Path(path).is_file():
        raise CheckpointError(f"{path} is a folder, not a checkpoint")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no iterator)
    except safetensors.SafetensorError as error:
        raise CheckpointError(f"{path} is truncated, or no safetensors file: {error}") from error
    if metadata.get("format") == FIRST_FORMAT:
        return Contents(tensors, {}, None)
    if FORMAT not in metadata:
        raise CheckpointError(
            f"{path} is not a checkpoint of this course: its header lacks the entry {FORMAT!r}, and has "
            f"{sorted(metadata)}"
        )
    checksum, _, text = metadata[FORMAT].partition(" ")
    if checksum != _checksum(tensors, text):
        raise CheckpointError(
            f"{path} is damaged, or was changed: its contents do not have the checksum that was written with them. "
            f"Take another copy"
        )
    return Contents(tensors, json.loads(text), checksum)


def check_fits(state: Mapping[str, Tensor], found: Mapping[str, Tensor], path: str | os.PathLike) -> None:
    """Raises CheckpointError if the tensors ``found`` in the file are not those of ``state``, in name and shape."""
    faults = [f"it lacks {name}" for name in state.keys() - found.keys()]
    faults += [f"it has {name}" for name in found.keys() - state.keys()]
    faults += [
        f"its {name} has the shape {tuple(found[name].shape)}, not {tuple(state[name].shape)}"
        for name in sorted(state.keys() & found.keys())
        if state[name].shape != found[name].shape
    ]
    if faults:
        more = f", and {len(faults) - 3} more such" if len(faults) > 3 else ""
        raise CheckpointError(f"{path} is of another model: {', '.join(sorted(faults)[:3])}{more}")


def load_weights(model: nn.Module, path: str | os.PathLike, *, averaged: bool = False) -> None:
    """Loads the weights of a checkpoint, or their moving average, into ``model``, which changes only if all fit.

    Raises:
        CheckpointError: the file is no checkpoint, is truncated or damaged, holds no average, or is of another model.
    """
    weights = read(path).part(AVERAGE if averaged else MODEL)
    if averaged and not weights:
        raise CheckpointError(f"{path} holds no moving average: it was trained without ema_decay")
    weights.pop("n_averaged", None)
    check_fits(model.state_dict(), weights, path)
    model.load_state_dict(weights)


def save_weights(
    model: nn.Module,
    path: str | os.PathLike,
    *,
    dtype: torch.dtype = torch.float32,
    recipe: str | None = None,
    changed: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Writes the weights alone, for ``load_weights``, in ``dtype``: half precision halves the file.

    Args:
        recipe: name in ``models.RECIPES`` of how the model is made, and what was ``changed`` in its training; or
            ``settings``: those of a model of one's own (``models.own``). With either, ``models.load(path)`` can build
            it.

    Raises:
        ValueError: a weight is too large for ``dtype``.
        OSError: the file cannot be written.
    """
    state = model.state_dict()
    tensors = {name: x.to(dtype) if x.is_floating_point() else x for name, x in state.items()}
    for name, x in tensors.items():
        if x.isinf().any() and not state[name].isinf().any():
            raise ValueError(f"{name} reaches {state[name].abs().max():.3g}, more than {dtype} can hold: save it wider")
    about = {"recipe": recipe, "changed": changed, "settings": settings}
    write(path, {MODEL + name: x for name, x in tensors.items()}, {key: x for key, x in about.items() if x})


def fingerprint(x: Tensor) -> str:
    """Type, shape and a hash of all that is in ``x``."""
    return f"{str(x.dtype).removeprefix('torch.')} {tuple(x.shape)} {hashlib.sha256(_bytes(x)).hexdigest()[:16]}"


def _checksum(tensors: Mapping[str, Tensor], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name, x in sorted(tensors.items()):
        digest.update(f"{name} {x.dtype} {tuple(x.shape)}".encode())
        digest.update(_bytes(x))
    return digest.hexdigest()


def _bytes(x: Tensor) -> bytes | memoryview:
    return x.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data


def _beside(place: Path) -> Path:
    return place.with_name(f"{place.name}.{os.getpid()}.tmp")
