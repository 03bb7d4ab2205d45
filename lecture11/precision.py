"""Double precision on every device: Apple's MPS has none, and there the CPU computes what needs it."""

import torch
from torch import Tensor

WITHOUT_FLOAT64 = {"mps"}


def exact_device(device: torch.device) -> torch.device:
    """Where float64 is computed for tensors on ``device``: there, or on the CPU where the device has no float64."""
    return torch.device("cpu") if device.type in WITHOUT_FLOAT64 else device


def double(x: Tensor) -> Tensor:
    """``x`` in float64, on ``exact_device`` of its own."""
    return x.to(exact_device(x.device)).double()


def read_at_once(x: Tensor) -> bool:
    """Whether looking at a number of ``x`` costs nothing: on the CPU, outside of a graph that is being traced."""
    return x.device.type == "cpu" and not torch.compiler.is_compiling()


def cast(values: Tensor, like: Tensor) -> Tensor:
    """``values`` in the dtype and on the device of ``like``: first the one, then the other, which may lack float64."""
    return values.to(like.dtype).to(like.device)
