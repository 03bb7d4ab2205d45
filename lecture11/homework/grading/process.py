"""Processes of submissions: frames in, frames out; and a watch over the memory that they fill."""

import contextlib
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from lecture11.homework.grading.frames import FRAME_LIMIT
from lecture11.homework.grading.policy import Limits

PAUSE = 0.2  # seconds from a look at the memory to the next
BYTES_OF_A_FILE = 1024  # in the kernel, with its name
FLOOR = 256 * 2**20  # bytes of memory that the system is to keep


class Killed(Exception):
    """A process was ended from outside, by the system or for lack of memory: no student's code may be to blame."""


class Child:
    """A process in the sandbox.

    Attributes:
        filled: it was ended since it filled more memory than a submission may.
        sacrificed: it was ended since the machine had none left.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", errors: Any) -> None:
        self.process = process
        self.filled = False
        self.sacrificed = False
        self._errors = errors
        self._buffer = bytearray()
        assert process.stdin is not None
        assert process.stdout is not None
        self._pipes = process.stdin, process.stdout
        self._in, self._out = (pipe.fileno() for pipe in self._pipes)
        os.set_blocking(self._out, False)
        os.set_blocking(self._in, False)

    def send(self, data: bytes, deadline: float) -> None:
        """Hands over all of the data, if the process lives: if not, ``frame`` says so.

        Raises:
            TimeoutError: it is not taken until then (a time of ``time.monotonic``).
        """
        view = memoryview(data)
        while view:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            if not select.select([], [self._in], [], min(left, 0.1))[1]:
                continue
            try:
                view = view[os.write(self._in, view) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                return

    def frame(self, deadline: float) -> bytes:
        """The next frame.

        Raises:
            TimeoutError: there is none until then (a time of ``time.monotonic``).
            MemoryError: the processes filled more memory than they may.
            Killed: the process was ended from outside.
            EOFError: the process ended.
            ValueError: what comes is no frame.
        """
        while True:
            if len(self._buffer) >= 4:
                size = int.from_bytes(self._buffer[:4], "little")
                if size > FRAME_LIMIT + 2**16:
                    raise ValueError("a frame that is too long")
                if len(self._buffer) >= 4 + size:
                    data = bytes(self._buffer[4 : 4 + size])
                    del self._buffer[: 4 + size]
                    return data
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            if not select.select([self._out], [], [], min(left, 0.1))[0]:
                continue
            data = os.read(self._out, 2**20)
            if not data:
                self._raise_why_it_ended()
            self._buffer += data

    def _raise_why_it_ended(self) -> None:
        if self.filled:
            raise MemoryError
        if self.sacrificed:
            raise Killed("the machine had no memory left")
        with contextlib.suppress(subprocess.TimeoutExpired):
            if self.process.wait(5) in (-signal.SIGKILL, 128 + signal.SIGKILL):
                raise Killed("the process was killed")
        raise EOFError

    def ended(self) -> str:
        """How the process ended, in words."""
        try:
            code = self.process.wait(5)
        except subprocess.TimeoutExpired:
            return "it closed its output"
        if 0 <= code <= 128:
            return f"the process was ended, with code {code}"
        with contextlib.suppress(ValueError):
            return f"the process was ended by {signal.Signals(code - 128 if code > 0 else -code).name}"
        return "the process was ended"

    def errors(self) -> str:
        """What was said before a student's code ran."""
        self._errors.seek(0)
        return self._errors.read(2_000).decode(errors="replace").strip()

    def kill(self) -> None:
        """Ends the process and all that it started."""
        for one in reversed(family(self.process.pid)):
            with contextlib.suppress(psutil.Error):
                one.kill()
        with contextlib.suppress(OSError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        """After ``kill``."""
        for pipe in self._pipes:
            with contextlib.suppress(OSError):
                pipe.close()
        self._errors.close()


def family(pid: int) -> list[psutil.Process]:
    """The process and those that come from it."""
    try:
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    except psutil.Error:
        return []


def filled(members: list[psutil.Process], enough: int = 0) -> int:
    """Bytes that processes fill, those on the disk included; what they share is counted once.

    To count so takes the system ten milliseconds a process. It is not done while a quick look, which counts what is
    shared several times, finds less than ``enough``.
    """
    quick = total = 0
    for one in members:
        with contextlib.suppress(psutil.Error):
            quick += one.memory_info().rss
    if quick < enough:
        return quick
    for one in members:
        try:
            about = one.memory_full_info()
            total += about.pss + about.swap
        except psutil.Error:  # it is gone, or lets nobody look
            with contextlib.suppress(psutil.Error):
                total += one.memory_info().rss
    return total


def held_by_files(members: list[psutil.Process]) -> int:
    """Bytes that the kernel needs for the files of a submission's own folder in memory, were they all empty."""
    outside, most = os.stat("/tmp").st_dev, 0
    for one in members:
        folder = f"/proc/{one.pid}/root/tmp"
        with contextlib.suppress(OSError):
            if os.stat(folder).st_dev != outside:
                about = os.statvfs(folder)
                most = max(most, (about.f_files - about.f_ffree) * BYTES_OF_A_FILE)
    return most


class Watch:
    """Looks a few times a second at the memory of all submissions under way, and ends those that fill too much.

    Where the machine itself runs out of memory, the largest one is given up, to be tried again alone.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._children: set[Child] = set()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @contextlib.contextmanager
    def over(self, child: Child) -> Iterator[None]:
        """Watches a child; ends it, with all that it started, when the block ends."""
        with self._lock:
            self._children.add(child)
        try:
            yield
        finally:
            with self._lock:
                self._children.discard(child)
            child.kill()

    def kill_all(self) -> None:
        """Ends all that are under way."""
        with self._lock:
            children = list(self._children)
        for child in children:
            child.kill()

    def _run(self) -> None:
        while not self._over.wait(PAUSE):
            with self._lock:  # whoever is looked at is not being tidied up
                self.look()

    def look(self) -> None:
        """One look."""
        families = {child: family(child.process.pid) for child in self._children}
        sizes = {child: filled(them, self.limits.together) + held_by_files(them) for child, them in families.items()}
        for child, size in sizes.items():
            if size > self.limits.together:
                child.filled = True
                child.kill()
        left = {child: size for child, size in sizes.items() if not child.filled and not child.sacrificed}
        if left and available() < FLOOR:
            largest = max(left, key=lambda child: left[child])
            largest.sacrificed = True
            largest.kill()


# --- how much memory there is


def available() -> int:
    """Bytes of memory that may still be filled: of the machine, or of the container that this runs in."""
    return min([psutil.virtual_memory().available, *_left_of_groups()])


def _left_of_groups(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> Iterator[int]:
    """Of each group of processes around this one that has a limit, what is left of it; files are not counted."""
    try:
        lines = own.read_text().splitlines()
    except OSError:  # no Linux
        return
    for number, kinds, name in (line.split(":", 2) for line in lines):
        if number == "0":
            top, names = root, ("memory.max", "memory.current", "inactive_file")
        elif "memory" in kinds.split(","):
            top = root / "memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        group = top / name.strip("/")
        for folder in [group, *group.parents]:
            if not folder.is_relative_to(top):
                break
            with contextlib.suppress(OSError, ValueError, KeyError):
                limit, used = (int((folder / file).read_text()) for file in names[:2])  # "max" is no number
                stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
                yield max(limit - used + int(stat[names[2]]), 0)
