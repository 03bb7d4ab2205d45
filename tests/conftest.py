"""What all unit tests share: shapes checked at run time, one thread, a device, repeatable examples."""

import importlib
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import torch


def pytest_configure(config: pytest.Config) -> None:
    """Not where tests are only handed out: to import PyTorch and the package takes seconds."""
    if not config.option.tx or config.option.collectonly or hasattr(config, "workerinput"):
        importlib.import_module("shapes")


@pytest.fixture
def device() -> "torch.device":
    """The device that ``make gpu-check`` asks for; the CPU by default."""
    import torch

    return torch.device(os.environ.get("LECTURE11_DEVICE", "cpu"))
