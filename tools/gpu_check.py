"""Runs the unit tests and all notebooks on a GPU, against the outputs that are stored in the repository.

With no GPU it says so and fails; ``--dry-run`` does the same work on the CPU. Only the standard library is used here:
on a GPU machine there may be a Python with PyTorch and no more. There, ``--wheels FOLDER`` makes an environment
(.venv-gpu) that sees that PyTorch, and takes all else from the folder, without a network.
"""

import argparse
import datetime
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv-gpu"
# What the package, its unit tests and the notebooks need beside PyTorch.
NEEDS = (
    "numpy", "scipy", "sympy", "scikit-learn", "safetensors", "jaxtyping", "matplotlib", "tqdm",
    "ipywidgets", "ipykernel", "nbclient", "nbformat", "pytest", "pytest-xdist", "nbval", "hypothesis", "beartype",
    "filelock", "check-jsonschema", "PyYAML", "beautifulsoup4", "diffusers", "pre-commit",
)  # fmt: skip
DESCRIBE = """
import sys, torch
if sys.argv[1] == "cpu":
    print(f"CPU, PyTorch {torch.__version__}")
elif torch.cuda.is_available():
    print(f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}, CUDA {torch.version.cuda}")
else:
    sys.exit("no CUDA device: PyTorch " + torch.__version__ + " sees none. "
             "To try this script on the CPU: make gpu-check DRY=1")
"""


def environment(wheels: Path | None) -> Path:
    """The interpreter to test with: this one, or that of an environment made from a folder of wheels."""
    if wheels is None:
        return Path(sys.executable)
    python = VENV / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", "--system-site-packages", VENV], check=True)
    from_folder = ["--no-index", "--find-links", str(wheels)]
    subprocess.run([python, "-m", "pip", "install", "--quiet", *from_folder, *NEEDS], check=True)
    return python


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, help="tests and notebooks (default: all)")
    parser.add_argument("--dry-run", action="store_true", help="do everything on the CPU")
    parser.add_argument(
        "--wheels", type=Path, metavar="FOLDER", help="install from this folder, beside the system's PyTorch"
    )
    parser.add_argument("--list-needs", action="store_true", help="print what the folder must hold, for pip download")
    options = parser.parse_args(arguments)
    if options.list_needs:
        print("\n".join(NEEDS))
        return 0

    python = environment(options.wheels and options.wheels.resolve())
    device = "cpu" if options.dry_run else "cuda"
    described = subprocess.run([python, "-c", DESCRIBE, device], text=True, stdout=subprocess.PIPE)
    if described.returncode:
        return described.returncode
    print(f"{described.stdout.strip()}\n{datetime.datetime.now():%Y-%m-%d %H:%M}", flush=True)

    # The root is on the path, so that the package need not be installed.
    search = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    env = {**os.environ, "LECTURE11_DEVICE": device, "PYTHONPATH": search}
    # The tests of the book's pages have nothing to do with a GPU.
    unit_tests = [path for path in sorted((ROOT / "tests").iterdir()) if path.name.startswith("test_")]
    # Homework fails until it is done.
    chapters = [path for path in sorted((ROOT / "book").rglob("*.ipynb")) if path.parent.name != "homework"]
    groups = [[path] for path in options.paths] or [unit_tests, *([path] for path in chapters)]
    failures = 0
    for group in groups:
        begin = time.perf_counter()
        command = [python, "-m", "pytest", "-c", "pyproject.toml", "--quiet", "-p", "no:cacheprovider", *group]
        code = subprocess.run(command, cwd=ROOT, env=env).returncode
        failures += code != 0
        name = group[0].name if len(group) == 1 else "unit tests"
        print(f"{name}: {'FAILED' if code else 'passed'} on {device}, {time.perf_counter() - begin:.1f} s", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
