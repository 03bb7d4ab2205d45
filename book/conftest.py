"""How pytest runs the notebooks of this folder: as ``make run`` did when it stored their outputs."""

import os
from collections import defaultdict
from collections.abc import Iterator

import nbformat
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell, IPyNbFile
from tools.run import KERNEL_ENV, solutions

_cells = IPyNbFile.collect


def _execute_with_history(self: RunningKernel, cell_input: str, allow_stdin: bool | None = None) -> str:
    return self.kc.execute(cell_input, store_history=True, allow_stdin=allow_stdin, stop_on_error=False)


def _cells_and_solutions(self: IPyNbFile) -> Iterator[IPyNbCell]:
    """After the cells the programs in the text, those of solutions: they must run; what they give is not stored.

    One that says ``# Not tested: why`` is left out.
    """
    yield from _cells(self)
    code = [cell for cell in self.nb.cells if cell.cell_type == "code"]
    for i, source in enumerate(source for source in solutions(self.nb) if "# Not tested: " not in source):
        yield IPyNbCell.from_parent(
            self,
            name=f"Solution {i}",
            cell_num=len(code) + i,
            cell=nbformat.v4.new_code_cell(source),
            options=defaultdict(bool),  # nothing is compared
        )


def pytest_configure() -> None:
    """Kernels inherit this environment."""
    for name, value in KERNEL_ENV.items():
        os.environ.setdefault(name, value)
    # nbval runs cells outside the history, where a trailing semicolon does not hide the result.
    RunningKernel.execute_cell_input = _execute_with_history
    IPyNbFile.collect = _cells_and_solutions
