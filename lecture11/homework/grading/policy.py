"""What a submission may see and use: a short list of files, and limits of time, memory and processes."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from packaging.requirements import Requirement

import lecture11

PACKAGE = Path(lecture11.__file__).resolve().parent
HERE = Path(__file__).resolve().parent

# What there is of the course's package in the sandbox. The rest would answer the questions.
SHOWN = (
    "arguments.py",
    "checks.py",
    "figures.py",
    "widgets.py",
    "data",
    "homework/observation.py",
    "homework/given.py",
    "homework/variation.py",
)
# What stands in the place of other files: by their place in the package, the file in ``stub``.
INSTEAD = {"__init__.py": "package.py", "homework/__init__.py": "homework.py", "data/planar.py": "planar.py"}
PROGRAMS = ("runner.py", "cells.py", "confine.py", "frames.py", "probe.py")

# What a notebook may import beside the standard library, where it is installed; and what these need.
LIBRARIES = (
    "torch",
    "torchvision",
    "numpy",
    "scipy",
    "scikit-learn",
    "matplotlib",
    "sympy",
    "tqdm",
    "ipywidgets",
    "ipython",
    "jaxtyping",
    "safetensors",
    "einops",
    "pandas",
    "seaborn",
)


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes:
        cell, call, total: seconds of a statement, of a call of an answer, of all of it.
        experiments: seconds of all cells together; after that only what defines something is run at length.
        memory: bytes that a process may map, beyond what PyTorch does.
        disk: bytes of its folder, which is in memory. A single file has at most a quarter of it.
    """

    cell: float = 20.0
    call: float = 10.0
    experiments: float = 60.0
    total: float = 180.0
    start: float = 120.0
    memory: int = 2**30
    processes: int = 32
    disk: int = 32 * 2**20

    @property
    def together(self) -> int:
        """Bytes that all processes of a submission may fill together."""
        return 2 * self.memory

    def as_dict(self) -> dict[str, Any]:
        """For the runner: hard limits of the system's, with a second one where a program may ignore the first."""
        sizes = {
            "RLIMIT_AS": (self.memory, self.memory),
            "RLIMIT_CPU": (int(self.total), int(self.total) + 5),
            "RLIMIT_FSIZE": (self.disk // 4, self.disk // 4),
            "RLIMIT_NOFILE": (64, 64),
            "RLIMIT_CORE": (0, 0),
            "RLIMIT_NPROC": (self.processes, self.processes),
        }
        return {"cell": self.cell, "call": self.call, "experiments": self.experiments, "sizes": sizes}


@dataclass(frozen=True)
class Seen:
    """A path that is seen in the sandbox.

    Attributes:
        kind: ``bind``, the file or folder itself, read-only; ``link``, a symbolic link; ``empty``, an empty folder that
            covers what is there.
    """

    path: Path
    kind: Literal["bind", "link", "empty"] = "bind"


@dataclass(frozen=True)
class Stub:
    """A folder with what the sandbox has instead of the course's package, and small files of other packages.

    Attributes:
        libraries: folders of packages.
    """

    folder: Path
    libraries: tuple[Path, ...] = field(default=())

    @property
    def runner(self) -> Path:
        return self.folder / "runner.py"

    @property
    def probe(self) -> Path:
        return self.folder / "probe.py"


def python() -> Path:
    """The interpreter itself, not a link of a virtual environment to it."""
    return Path(getattr(sys, "_base_executable", "") or sys.executable).resolve()


def standard_library() -> list[Path]:
    """Folders of Python's own modules; of the interpreter itself, where this is a virtual environment."""
    base = {"base": sys.base_prefix, "installed_base": sys.base_prefix}
    base |= {"platbase": sys.base_exec_prefix, "installed_platbase": sys.base_exec_prefix}
    return sorted({Path(sysconfig.get_path(name, vars=base)).resolve() for name in ("stdlib", "platstdlib")})


def environment(stub: Stub, home: str) -> dict[str, str]:
    """All of the environment that a submission has."""
    paths = dict.fromkeys([stub.folder, *(library.parent for library in stub.libraries)])
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": home,
        "TMPDIR": home,
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": f"{home}/matplotlib",
        "IPYTHONDIR": f"{home}/ipython",
        "LECTURE11_DEVICE": "cpu",
        # There is no compiler: what is to be compiled runs as it is.
        "TORCHDYNAMO_DISABLE": "1",
        **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
    }


def visible(stub: Stub) -> list[Seen]:
    """All that is seen: Python, the system's libraries, some packages and the stub; in the order to mount them."""
    standard = standard_library()
    binds = [python(), *standard, *_libpython(), *_system(), *stub.libraries, stub.folder]
    binds = [path for path in dict.fromkeys(binds) if path.exists()]
    binds = [path for path in binds if not any(path != top and path.is_relative_to(top) for top in binds)]
    # Packages of the system's Python are none of the list's; those that are come after.
    covers = [top / name for top in standard for name in ("site-packages", "dist-packages", "test")]
    covers = [path for path in covers if path.is_dir()]
    inside = [path for path in stub.libraries if any(path.is_relative_to(cover) for cover in covers)]
    links = [Path(name) for name in ("/lib", "/lib64") if Path(name).is_symlink()]
    return [
        *(Seen(path, "link") for path in links),
        *(Seen(path) for path in binds),
        *(Seen(path, "empty") for path in covers),
        *(Seen(path) for path in inside),
    ]


def exposed(hidden: Path, seen: Sequence[Seen]) -> Path | None:
    """What of the list a path lies in that must not be seen; None if it is out of sight."""
    path = hidden.resolve()
    covers = [one.path.resolve() for one in seen if one.kind == "empty"]
    shown = [one.path for one in seen if one.kind == "bind" and path.is_relative_to(one.path.resolve())]
    if any(path.is_relative_to(cover) for cover in covers):
        shown = [one for one in shown if any(one.resolve().is_relative_to(cover) for cover in covers)]
    return shown[0] if shown else None


def _libpython() -> list[Path]:
    """Python's own shared library, where it has one; of conda's Python all libraries."""
    base = Path(sys.base_prefix).resolve()
    if (base / "conda-meta").is_dir():
        return [base / "lib"]
    folder, name = sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("INSTSONAME")
    return [Path(folder, name).resolve()] if folder and name and ".so" in name else []


def _system() -> list[Path]:
    """Folders of the system's shared libraries, and what leads to them."""
    arch = sysconfig.get_config_var("MULTIARCH") or "none"
    own = [Path(top, arch) for top in ("/usr/lib", "/lib") if Path(top, arch).is_dir()]
    found = [*(own or [Path("/usr/lib")]), Path("/usr/lib64"), Path("/lib64"), Path("/nix/store")]
    return [*(path for path in found if not path.is_symlink()), Path("/etc/ld.so.cache"), Path("/etc/alternatives")]


# --- the stub


def make_stub(folder: Path) -> Stub:
    """Writes the stub; small files are copied into it, and folders of packages named."""
    for name in SHOWN:
        source, target = PACKAGE / name, folder / "lecture11" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    for name, instead in INSTEAD.items():
        shutil.copyfile(HERE / "stub" / instead, folder / "lecture11" / name)
    for name in PROGRAMS:
        shutil.copyfile(HERE / name, folder / name)
    libraries = tuple(_libraries(folder))
    fonts = [sys.executable, "-c", "import matplotlib.font_manager"]  # to make its list takes seconds
    subprocess.run(fonts, env={**os.environ, "MPLCONFIGDIR": str(folder / "matplotlib")}, check=False)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return Stub(folder, libraries)


def _libraries(folder: Path) -> Iterator[Path]:
    """Folders of what ``LIBRARIES`` need; modules of one file, and names and versions, are copied."""
    found: set[Path] = set()
    for distribution in _distributions():
        record = distribution.read_text("RECORD") or distribution.read_text("installed-files.txt") or ""
        tops = {line.split("/", 1)[0].split(",", 1)[0].strip('"') for line in record.splitlines() if line}
        if not record:  # of a system's package manager
            tops = set((distribution.read_text("top_level.txt") or distribution.metadata["Name"]).split())
            tops |= {f"{name}.py" for name in tops}
        for path in (Path(str(distribution.locate_file(top))) for top in tops - {"..", ".", "__pycache__"}):
            if path.suffix == ".dist-info" and (path / "METADATA").is_file():
                (folder / path.name).mkdir(exist_ok=True)
                shutil.copyfile(path / "METADATA", folder / path.name / "METADATA")
            elif path.is_file() and path.suffix in (".py", ".so"):
                shutil.copyfile(path, folder / path.name)
            elif path.is_dir():
                found.add(path)
    yield from sorted(found)


def _distributions() -> Iterator[metadata.Distribution]:
    """The installed ones of ``LIBRARIES``, and those that they require, each once."""
    known: set[tuple[str, frozenset[str]]] = set()
    queue: list[tuple[str, frozenset[str]]] = [(name, frozenset()) for name in LIBRARIES]
    given: set[str] = set()
    while queue:
        name, extras = queue.pop()
        if (name.lower(), extras) in known:
            continue
        known.add((name.lower(), extras))
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        for line in distribution.requires or ():
            needed = Requirement(line)
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in (extras or {""})):
                queue.append((needed.name, frozenset(needed.extras)))
        if name.lower() not in given:
            given.add(name.lower())
            yield distribution
