"""How pytest runs the notebooks of this folder: as ``make run`` did when it stored their outputs."""

import os

from nbval.kernel import RunningKernel
from tools.run import KERNEL_ENV


def _execute_with_history(self: RunningKernel, cell_input: str, allow_stdin: bool | None = None) -> str:
    return self.kc.execute(cell_input, store_history=True, allow_stdin=allow_stdin, stop_on_error=False)


def pytest_configure() -> None:
    """Kernels inherit this environment."""
    for name, value in KERNEL_ENV.items():
        os.environ.setdefault(name, value)
    # nbval runs cells outside the history, where a trailing semicolon does not hide the result.
    RunningKernel.execute_cell_input = _execute_with_history
