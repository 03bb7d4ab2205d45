"""Processes that see no solutions, no network and no other files, within limits.

What a student's code could do is held back by the kernel's namespaces. What is seen and may be used stands in
``policy``, how it is set up in ``backends``, what is done with a process in ``process``. Whether a way works here is
tried out, not guessed. Without namespaces there remain limits, a package without solutions, and a warning.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lecture11.homework.grading import backends, policy
from lecture11.homework.grading.policy import Limits, Stub
from lecture11.homework.grading.process import Child, Watch, available

OWN_MEMORY = 2**30  # bytes, of the grader and of what judges for it


class SandboxError(Exception):
    """The process did not begin as it should, or could not go on; no student's code is to blame."""


@dataclass
class Sandbox:
    """A way to start processes that are held back.

    Attributes:
        method: ``bwrap``, ``unshare`` or ``none``.
        base: a folder of its own, with the stub in it.
        counted: the kernel counts the memory of each submission; else it is looked at a few times a second.
        reasons: why other ways do not work here.
    """

    method: str
    base: Path
    stub: Stub
    limits: Limits
    watch: Watch
    counted: bool = False
    reasons: list[str] = field(default_factory=list)
    stopped: bool = False

    @property
    def isolated(self) -> bool:
        """Solutions, files and network are out of reach."""
        return self.method != "none"

    @property
    def statement(self) -> str:
        """How submissions are held back here, for the reports."""
        if self.isolated:
            memory = "counted by the kernel" if self.counted else "looked at a few times a second"
            return (
                f"Run by {self.method} in namespaces of their own: without network, other files and solutions; each in "
                f"{self.limits.total:g} s, {self.limits.together / 2**30:g} GiB ({memory}) and "
                f"{self.limits.processes} processes."
            )
        return (
            "NOT ISOLATED. What students wrote ran with limits of time and memory, and else with the rights of whoever "
            "ran the grader: it could read the solutions, these results and other files, change them, and use the "
            f"network. Why: {'; '.join(self.reasons) or 'it was asked for'}."
        )

    def stop(self) -> None:
        """Ends all processes that are under way; none begins any more."""
        self.stopped = True
        self.watch.kill_all()

    def command(self, program: Path, *arguments: str) -> list[str]:
        """The command line that runs a Python program of the stub."""
        interpreter = policy.python() if self.isolated else sys.executable
        line = [str(interpreter), "-s", "-B", str(program), *arguments]
        if self.method == "bwrap":
            line = backends.bwrap(policy.visible(self.stub), self.limits, line)
        elif self.method == "unshare":
            line = backends.unshare(policy.visible(self.stub), self.limits, self.base / "root", line)
        line = backends.first_to_go(line)
        return [*backends.scope(self.limits), *line] if self.counted else line

    @contextlib.contextmanager
    def start(self) -> Iterator[Child]:
        """A process that waits for its job; it is gone, with all that it started, when the block ends.

        Raises:
            SandboxError: by ``stop``, before or meanwhile: what was seen is not to be believed.
        """
        if self.stopped:
            raise SandboxError("stopped")
        options: dict[str, Any] = {}
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=self.base))
        if self.method == "none" and os.geteuid() == 0:
            os.chown(folder, backends.NOBODY, backends.NOBODY)
            options = {"user": backends.NOBODY, "group": backends.NOBODY, "extra_groups": []}
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - the child closes it
        # In namespaces only what is mounted is seen, and /tmp is another one.
        home = "/tmp" if self.isolated else str(folder)
        process = subprocess.Popen(
            self.command(self.stub.runner),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd="/" if self.isolated else folder,
            env={**_session(self.counted), **policy.environment(self.stub, home)},
            start_new_session=True,
            **options,
        )
        child = Child(process, errors)
        try:
            with self.watch.over(child):
                yield child
        finally:
            child.close()
            shutil.rmtree(folder, ignore_errors=True)
        if self.stopped:
            raise SandboxError("stopped")


def workers_that_fit(limits: Limits) -> int:
    """How many submissions may run at a time so that all could fill what they may; at least one."""
    return max(1, (available() - OWN_MEMORY) // (limits.together + limits.disk))


@contextlib.contextmanager
def sandbox(hidden: Sequence[Path], limits: Limits, methods: Sequence[str] | None = None) -> Iterator[Sandbox]:
    """The first method that holds here; ``none`` if there is none, with the reasons.

    Args:
        hidden: files and folders that must not be seen, besides the package.
        methods: to try, in this order.

    Raises:
        ValueError: something that is to be hidden lies where Python or its packages are.
        SandboxError: there is no way at all to run what students wrote.
    """
    # Of a checkout nothing is to be seen, with its tests and solved notebooks; of an installation the package.
    package = policy.PACKAGE.parent if (policy.PACKAGE.parent / "pyproject.toml").exists() else policy.PACKAGE
    # Unshare first: its folder in memory has a limited number of files. As root, bubblewrap would keep root's exemption
    # from the limit of processes.
    default = ("unshare",) if os.geteuid() == 0 else ("unshare", "bwrap")
    with tempfile.TemporaryDirectory(prefix="lecture11-grade-") as folder, Watch(limits) as watch:
        base = Path(folder).resolve()
        base.chmod(0o755)
        (base / "root").mkdir()
        stub = policy.make_stub(base / "stub")
        made = Sandbox("none", base, stub, limits, watch)
        for path in hidden:
            place = policy.exposed(path, policy.visible(stub))
            if place is not None:
                raise ValueError(
                    f"{path} lies in {place}, which submissions must see, since it belongs to Python or to one of its "
                    f"packages: move it elsewhere"
                )
        counted = (True, False) if _kernel_counts() else (False,)
        for method in default if methods is None else methods:
            if method == "none":
                break
            wrong = ""
            for by_kernel in counted:
                box = replace(made, method=method, counted=by_kernel)
                wrong = tried(box, [package, *hidden])
                if not wrong:
                    yield box
                    return
            made.reasons.append(f"{method}: {wrong}")
        if os.geteuid() == 0 and not _nobody_may_run_python():
            reasons = "".join(f"; {reason}" for reason in made.reasons)
            raise SandboxError(f"only root may run this Python, and root is not to run what students wrote{reasons}")
        yield made


# --- what works here?


def tried(box: Sandbox, hidden: Sequence[Path]) -> str:
    """Empty if the sandbox holds; else what is wrong with it. Really starts it, and looks about in it."""
    missing = backends.missing(box.method)
    if missing:
        return f"{', '.join(missing)} not installed"
    seen = [one.path for one in policy.visible(box.stub)]
    names = {name for path in hidden for name in (path.absolute(), path.resolve())}
    with socket.create_server(("127.0.0.1", 0)) as server:
        about = {
            "package": str(policy.PACKAGE),
            # On the way to what is seen, there are folders.
            "hidden": {
                str(path): [s.relative_to(path).parts[0] for s in seen if s.is_relative_to(path) and s != path]
                for path in names
                if path.is_dir()
            },
            "files": [str(path) for path in names if not path.is_dir()],
            "pid": os.getpid(),
            "port": server.getsockname()[1],
        }
        try:
            done = subprocess.run(
                box.command(box.stub.probe, json.dumps(about)),
                env={**_session(box.counted), **policy.environment(box.stub, "/tmp")},
                capture_output=True,
                text=True,
                timeout=box.limits.start,
                stdin=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
    if done.returncode:
        return f"it ended with {done.returncode}: {done.stderr.strip()[-300:]}"
    return "" if done.stdout.strip() == "held" else done.stdout.strip()


def _kernel_counts() -> bool:
    """Whether a group of processes with a limit of memory can be made, and holds: tried with 64 MiB of it."""
    if shutil.which("systemd-run") is None:
        return False
    small = Limits(memory=2**25, disk=0)
    for size, expected in ((2**20, True), (2**27, False)):
        program = [sys.executable, "-S", "-c", f"len(bytearray({size}))"]
        try:
            done = subprocess.run([*backends.scope(small), *program], capture_output=True, timeout=30)
        except (OSError, subprocess.TimeoutExpired):
            return False
        if (done.returncode == 0) is not expected:
            return False
    return True


def _session(counted: bool) -> dict[str, str]:
    """What systemd-run needs to find the user's session: names of places that are not seen in the sandbox."""
    names = ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS") if counted else ()
    return {name: os.environ[name] for name in names if name in os.environ}


def _nobody_may_run_python() -> bool:
    command, nobody = [sys.executable, "-c", ""], backends.NOBODY
    try:
        return not subprocess.call(command, user=nobody, group=nobody, extra_groups=[], cwd="/")
    except OSError:
        return False
