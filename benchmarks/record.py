"""Keeps what a benchmark measured, for the book's results page: one JSON file a table."""

import datetime
import json
import os
import platform
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

RESULTS = Path(__file__).with_name("results")


def hardware(device: torch.device) -> str:
    """The device that computed, in words."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    threads = torch.get_num_threads()
    return f"{names[0] if names else platform.machine()}, {threads} thread{'s' if threads > 1 else ''}"


def command() -> str:
    """How the running script was called, with paths from the root of the repository where they lie in it."""
    root = RESULTS.parents[1]
    words = [Path(sys.argv[0]).resolve().relative_to(root).as_posix()]
    for word in sys.argv[1:]:
        # A folder of somebody's machine is nobody else's business.
        words.append(f"{Path(word).name.upper()}" if os.path.isabs(word) else word)
    return shlex.join(["python", *words])


def record(name: str, caption: str, header: Sequence[str], rows: Sequence[Sequence[str]], device: torch.device) -> Path:
    """Writes ``results/NAME.json``: the table, and when, where and how it was measured. Prints it too."""
    measurement = {
        "caption": caption,
        "header": list(header),
        "rows": [list(row) for row in rows],
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "hardware": hardware(device),
        "versions": f"Python {platform.python_version()}, torch {torch.__version__.split('+')[0]}",
        "command": command(),
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(measurement, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print("\n".join([caption, *(" | ".join(row) for row in [header, *rows])]), flush=True)
    return path
