"""Runs the book's notebooks as Colab would: on its versions, outside the repository, with only their first cell's help.

With no option, an environment is made with Colab's versions as far as they install (.venv-colab), and this script runs
itself in it. ``--here`` uses the interpreter at hand: so it runs weekly inside Colab's public image.

The first cell installs the package from its address on the web. Here it gets the last commit of this checkout instead.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
VENV = ROOT / ".venv-colab"
COLAB_PYTHON = (3, 13)
# Colab in August 2026. Not the package itself: installing it is the first cell's work.
COLAB_VERSIONS = (
    "torch==2.11.*", "torchvision==0.26.*", "numpy==2.1.*", "scipy", "sympy", "scikit-learn==1.6.*",
    "matplotlib==3.10.*", "ipywidgets==7.7.*", "ipython==7.34.*", "ipykernel==6.17.*", "safetensors",
    "tqdm", "nbclient", "nbval",
)  # fmt: skip
INSTALL = re.compile(r"git\+https://github\.com/\S+")
# ipywidgets 7 and 8 describe the same widget differently.
WIDGET_TEXT = (
    "\n[a widget's description]\nregex: ^\\w+\\((?:children|value|description|options)=.*$\nreplace: <widget>\n"
)
# Fails where the package is found at once, and where a second run of the cell does not leave all as it is.
FIRST_CELL_TWICE = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
first = next(cell for cell in notebook.cells if cell.cell_type == "code").source
cells = [nbformat.v4.new_code_cell(source) for source in (first, "import lecture11", first)]
NotebookClient(nbformat.v4.new_notebook(cells=cells), timeout=600, extra_arguments=["--log-level=ERROR"]).execute()
assert not cells[-1].outputs, f"the second run of the first cell printed {cells[-1].outputs}"
"""


def colab_environment() -> Path:
    """The interpreter of a new environment with Colab's versions."""
    wanted = "python" + ".".join(map(str, COLAB_PYTHON))
    python = sys.executable
    if sys.version_info[:2] != COLAB_PYTHON:
        found = shutil.which(wanted)
        if found and subprocess.run([found, "-V"], capture_output=True).returncode == 0:
            python = found
        else:
            print(f"Colab runs {wanted}, which is not here: going on with Python {sys.version.split()[0]}")
    print(f"installing Colab's versions into {VENV.name} (7 GB)", flush=True)
    subprocess.run([python, "-m", "venv", "--clear", VENV], check=True)
    interpreter = VENV / "bin" / "python"
    subprocess.run([interpreter, "-m", "pip", "install", "--quiet", *COLAB_VERSIONS], check=True)
    return interpreter


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all chapters")
    parser.add_argument("--here", action="store_true", help="use this interpreter: inside Colab's image")
    options = parser.parse_args(arguments)
    notebooks = [path.resolve() for path in options.notebooks] or sorted(BOOK.glob("[0-9]*.ipynb"))
    if not options.here:
        return subprocess.run([colab_environment(), "-m", "tools.colab", "--here", *notebooks], cwd=ROOT).returncode

    if subprocess.run([sys.executable, "-c", "import nbval, nbclient"], capture_output=True).returncode:
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "nbclient", "nbval"], check=True)
    git = ["git", "-c", "safe.directory=*", "-C", str(ROOT)]
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    if subprocess.run([*git, "status", "--porcelain"], check=True, capture_output=True).stdout:
        print("there are changes that are not committed: the package is installed without them")
    with tempfile.TemporaryDirectory() as folder:
        for path in notebooks:
            text = INSTALL.sub(f"git+{ROOT.as_uri()}@{commit}", path.read_text(encoding="utf-8"))
            Path(folder, path.name).write_text(text, encoding="utf-8")
        shutil.copy(BOOK / "conftest.py", folder)
        # conftest.py imports it. With the checkout on the path, the package would be found before it is installed.
        shutil.copytree(ROOT / "tools", Path(folder, "tools"), ignore=shutil.ignore_patterns("__pycache__"))
        config = Path(folder, "sanitize.cfg")
        config.write_text(
            (ROOT / "tests" / "nbval_sanitize.cfg").read_text(encoding="utf-8") + WIDGET_TEXT, encoding="utf-8"
        )
        return check(folder, [path.name for path in notebooks], config)


def check(folder: str, names: Sequence[str], sanitizer: Path) -> int:
    """Runs the first cells twice, then all cells against the stored outputs."""
    # The checkout may belong to another user than the one inside Colab's image.
    allow = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    # Else each kernel warns that its debugger skips Python's own modules.
    quiet = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    env = {**os.environ, **allow, **quiet, "PYTHONPATH": folder}
    for name in names:
        if subprocess.run([sys.executable, "-c", FIRST_CELL_TWICE, name], cwd=folder, env=env).returncode:
            print(f"{name}: its first cell fails, or a second time it does something")
            return 1
        print(f"{name}: its first cell runs, and a second time it does nothing", flush=True)
    options = ["--nbval", "--nbval-current-env", f"--nbval-sanitize-with={sanitizer}", "--nbval-cell-timeout=600"]
    return subprocess.run([sys.executable, "-m", "pytest", *options, *names], cwd=folder, env=env).returncode


if __name__ == "__main__":
    sys.exit(main())
