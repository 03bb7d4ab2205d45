"""What all unit tests share: shapes checked at run time, one thread, a device, repeatable examples."""

import importlib
import os
import sys

import hypothesis
import jaxtyping
import pytest
import torch

assert "lecture11" not in sys.modules, "lecture11 was imported before its shapes could be checked"
# Proofs hold no tensors, and walk over expressions; what checks the calls of users need not be checked itself. To check
# each call of these would take five times as long as they do.
importlib.import_module("lecture11.symbolic")
importlib.import_module("lecture11.checks")
# From here on, every function of the package checks the shapes and types in its signature.
jaxtyping.install_import_hook("lecture11", "beartype.beartype")

# Two workers with a thread each: with more they fight over the cores, and sums differ in their last digits.
torch.set_num_threads(1)

# No deadline: the first example of a test pays for imports and caches. Fixed examples: a red test stays red.
hypothesis.settings.register_profile("lecture11", deadline=None, derandomize=True)
hypothesis.settings.load_profile("lecture11")


@pytest.fixture
def device() -> torch.device:
    """The device that ``make gpu-check`` asks for; the CPU by default."""
    return torch.device(os.environ.get("LECTURE11_DEVICE", "cpu"))
