"""The sandbox is tried out before it is trusted, and the trial finds what is open; memory is counted and ends."""

import contextlib
import dataclasses
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import near
import psutil
import pytest
import torch

from lecture11.homework.grading import backends, confine, policy, process, sandbox
from lecture11.homework.grading.policy import Limits, Seen, Stub
from lecture11.homework.grading.process import Child, Killed, Watch
from lecture11.homework.grading.sandbox import Sandbox

pytestmark = pytest.mark.sandbox

TORCH = Path(torch.__file__).resolve().parent
GRADING = Path(sandbox.__file__).parent


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    """A sandbox that holds; in CI there must be one."""
    methods = ("unshare", "bwrap")  # bubblewrap alone is tried by the whole folder, where it is installed
    try:
        with contextlib.ExitStack() as stack:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(sandbox, "tried", near.trial_without_pytorch)
                made = stack.enter_context(sandbox.sandbox([], Limits(), methods))
            if made.isolated:
                yield made
                return
            reasons = made.reasons
    except sandbox.SandboxError as error:
        reasons = [str(error)]
    assert os.environ.get("CI") != "true", "CI needs namespaces: .ci/namespaces"
    pytest.skip(f"no sandbox here: {reasons}")


def test_the_trial_finds_what_can_be_read(box: Sandbox, tmp_path: Path) -> None:
    seen = Path(torch.__file__).parent  # by this name, which may be that of a link
    found = sandbox.tried(box, [seen / "testing", seen / "__init__.py", tmp_path])
    assert found.split("; ") == [f"{seen / 'testing'} can be read", f"{seen / '__init__.py'} can be read"]


def test_the_trial_finds_a_network_and_who_protects_himself(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    if box.method != "unshare":
        pytest.skip(f"this is about unshare, and {box.method} works here")
    whole = backends.unshare

    def open_(*a: Any) -> list[str]:
        words = [word.replace("remount,bind,ro,nosuid,nodev,noexec", "bind") for word in whole(*a) if word != "--net"]
        return [word.replace("/proc; exec", "/proc /proc; exec") for word in words]

    monkeypatch.setattr(backends, "unshare", open_)
    monkeypatch.setattr(backends, "first_to_go", lambda command: list(command))
    said = sandbox.tried(box, [])
    assert "a socket can be reached" in said
    assert "a process can protect itself" in said


def test_what_is_seen_is_a_short_list(box: Sandbox) -> None:
    seen = policy.visible(box.stub)
    assert policy.exposed(TORCH / "class.zip", seen) is not None
    folders = ["/", "/usr", "/usr/share", "/usr/local", "/usr/bin", "/home", "/opt", "/srv", "/var", "/tmp", "/etc"]
    folders += [sys.prefix, sys.base_prefix, str(Path.home()), str(policy.PACKAGE), str(policy.PACKAGE.parent)]
    folders += [sysconfig.get_path("purelib"), str(Path(sysconfig.get_path("stdlib")) / "site-packages")]
    for folder in filter(os.path.isdir, folders):
        assert policy.exposed(Path(folder, "class.zip"), seen) is None, folder
    assert len(seen) < 120


def test_a_class_among_pythons_packages_is_refused_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "make_stub", lambda folder: Stub(folder, (TORCH,)))
    with (
        pytest.raises(ValueError, match=r"which submissions must see.*: move it elsewhere"),
        sandbox.sandbox([TORCH / "class.zip"], Limits()),
    ):
        pass


def test_what_is_covered_is_not_seen() -> None:
    seen = [Seen(Path("/a")), Seen(Path("/a/b"), "empty"), Seen(Path("/a/b/c"))]
    assert policy.exposed(Path("/a/x"), seen) == Path("/a")
    assert policy.exposed(Path("/a/b/x"), seen) is None
    assert policy.exposed(Path("/a/b/c/x"), seen) == Path("/a/b/c")


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_nobody_may_run_python", lambda: True)
    monkeypatch.setattr(policy, "make_stub", lambda folder: Stub(folder))
    monkeypatch.setattr(backends.shutil, "which", lambda name: None)
    with sandbox.sandbox([], Limits(), ("bwrap", "unshare")) as made:
        assert made.method == "none"
        assert made.reasons == [
            "bwrap: bwrap not installed",
            "unshare: unshare, setpriv, mount, umount, sh not installed",
        ]


def test_the_stub_knows_no_solutions() -> None:
    for path in (*GRADING.glob("stub/*.py"), *(GRADING / name for name in policy.PROGRAMS)):
        text = path.read_text(encoding="utf-8")
        assert not any(word in text for word in ("homework.parts", "homework.diagnosis", "homework.build")), path


# --- processes


def _child(shell: str, *arguments: str) -> Child:
    pipe = subprocess.PIPE
    line = ["sh", "-c", shell, "sh", *arguments]
    started = subprocess.Popen(line, stdout=pipe, stdin=pipe, start_new_session=True)
    return Child(started, tempfile.TemporaryFile())


@pytest.mark.parametrize(
    ("shell", "error"),
    [
        ("sleep 100", TimeoutError),
        ("printf '\\377\\377\\377\\377'; sleep 100", ValueError),
        ("printf 'ab'", EOFError),
        ("kill -9 $$", Killed),
        ("sh -c 'kill -9 $$'; exit $?", Killed),  # as a utility says it of what it started
        ("kill -11 $$", EOFError),
    ],
)
def test_what_comes_is_bounded(shell: str, error: type[Exception]) -> None:
    """A process that says too much, nothing or nonsense does not hold the grader up."""
    one = _child(shell)
    with pytest.raises(error):
        one.frame(time.monotonic() + (0.3 if error is TimeoutError else 20))
    one.kill()
    one.close()


def test_a_frame_and_an_end() -> None:
    one = _child("printf '\\003\\000\\000\\000abc'")
    assert one.frame(time.monotonic() + 20) == b"abc"
    assert one.ended() == "the process was ended, with code 0"
    one.send(b"x" * 10**6, time.monotonic() + 20)  # nobody reads it any more
    one.kill()
    one.close()
    one = _child("sleep 100")
    with pytest.raises(TimeoutError):
        one.send(b"x" * 10**6, time.monotonic() + 0.2)
    one.kill()
    one.close()


@pytest.fixture
def filled() -> Iterator[tuple[Child, Child]]:
    """Two families of two processes: in one both hold 60 MB, in the other hardly anything."""
    program = (
        "import os, time; os.fork(); x = b'x' * int(os.sys.argv[1]);"
        " os.write(1, bytes([1, 0, 0, 0]) + b'x'); time.sleep(100)"
    )
    shell = '"$0" -S -c "$1" $2 & wait'
    children = []
    for size in ("60000000", "1"):
        line = ["sh", "-c", shell.replace("$0", sys.executable), sys.executable, program, size]
        line[3:4] = ["sh"]
        pipe = subprocess.PIPE
        started = subprocess.Popen(line, stdout=pipe, stdin=pipe, start_new_session=True)
        children.append(Child(started, tempfile.TemporaryFile()))  # noqa: SIM115
    for child in children:
        for _ in range(2):
            child.frame(time.monotonic() + 30)
    yield children[0], children[1]
    for child in children:
        child.kill()
        child.close()


def test_the_memory_of_a_submission_is_that_of_all_its_processes(filled: tuple[Child, Child]) -> None:
    large, small = filled
    members = process.family(large.process.pid)
    assert len(members) == 3
    assert 120e6 < process.filled(members) < 250e6
    watch = Watch(Limits(memory=50_000_000))
    with watch.over(large), watch.over(small):
        watch.look()
        with pytest.raises(MemoryError):
            large.frame(time.monotonic() + 20)
        assert psutil.wait_procs(members[1:], timeout=20)[1] == []
        assert small.process.poll() is None, "the neighbour is not touched"


def test_where_the_machine_has_no_memory_the_largest_is_tried_again(
    filled: tuple[Child, Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    large, small = filled
    monkeypatch.setattr(process, "available", lambda: process.FLOOR - 1)
    watch = Watch(Limits())
    with watch.over(large), watch.over(small):
        watch.look()
        with pytest.raises(Killed, match="the machine had no memory left"):
            large.frame(time.monotonic() + 20)
        assert small.process.poll() is None


def test_workers_are_as_many_as_memory_suffices_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for gigabytes, workers in ((0.5, 1), (4, 1), (6, 2), (32, 15)):
        monkeypatch.setattr(sandbox, "available", lambda gigabytes=gigabytes: int(gigabytes * 2**30))
        assert sandbox.workers_that_fit(Limits()) == workers


def _group(folder: Path, **files: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(f"{content}\n")


def test_the_limit_of_a_container_is_the_machines(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("0::/user/session\n")
    _group(tmp_path / "user", memory__max=1000, memory__current=400, memory__stat="anon 300\ninactive_file 100")
    _group(tmp_path / "user/session", memory__max="max", memory__current=400, memory__stat="inactive_file 100")
    assert list(process._left_of_groups(tmp_path, own)) == [700]
    own.write_text("8:pids:/\n4:memory:/box\n0::/none\n")
    _group(
        tmp_path / "memory/box",
        memory__limit_in_bytes=500,
        memory__usage_in_bytes=450,
        memory__stat="total_inactive_file 20",
    )
    assert list(process._left_of_groups(tmp_path, own)) == [70]
    assert list(process._left_of_groups(tmp_path, tmp_path / "nothing")) == []
    assert 0 < process.available() <= psutil.virtual_memory().total


def test_memory_that_is_counted_for_nobody_is_refused() -> None:
    if sys.platform != "linux" or not confine.CALLS.get(os.uname().machine):
        pytest.skip("the filter of calls is for Linux on x86-64 and ARM")
    program = """
import asyncio, ctypes, mmap, os, subprocess, sys, threading
sys.path.insert(0, sys.argv[1])
import confine
libc = ctypes.CDLL(None)
tried = {
    "memfd": lambda: os.close(os.memfd_create("x")),
    "shared": lambda: mmap.mmap(-1, 4096).close(),
    "segment": lambda: libc.shmget(0, ctypes.c_size_t(4096), 0o1600) < 0 and os.open("", 0),
    "queue": lambda: libc.msgget(0, 0o1600) < 0 and os.open("", 0),
    "private": lambda: mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close(),
    "asyncio": lambda: asyncio.run(asyncio.sleep(0)),
    "thread": lambda: threading.Thread(target=lambda: None).start(),
    "program": lambda: subprocess.run([sys.executable, "-S", "-c", ""], check=True),
}
def held():
    for name, hold in tried.items():
        try:
            hold()
            yield name
        except OSError:
            pass
before = list(held())
assert confine.refuse_calls()
print(before == list(tried), *held())
"""
    done = subprocess.run([sys.executable, "-S", "-c", program, str(GRADING)], capture_output=True, text=True)
    assert done.stdout == "True private asyncio thread program\n", done.stderr


# --- systemd-run, which the machines of tests rarely have


def test_the_kernel_is_asked_to_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    limits = Limits(memory=2**30, disk=2**20, processes=8)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    words = backends.scope(limits)
    assert words[:3] == ["systemd-run", "--user", "--scope"]
    assert {f"MemoryMax={2**31 + 2**20}", "MemorySwapMax=0"} <= set(words)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "--user" not in backends.scope(limits)
    made = Sandbox("none", tmp_path, Stub(tmp_path), limits, Watch(limits), counted=True)
    assert made.command(tmp_path / "x.py")[0] == "systemd-run"
    assert "systemd-run" not in dataclasses.replace(made, counted=False).command(tmp_path / "x.py")


@pytest.mark.parametrize(
    ("line", "holds"),
    [
        ('while [ "$1" != -- ]; do shift; done; shift; ulimit -v 100000; exec "$@"', True),
        ('while [ "$1" != -- ]; do shift; done; shift; exec "$@"', False),  # it takes the limit and does not keep it
        ("exit 1", False),
        ("kill -9 $$", False),
    ],
)
def test_it_is_tried_out_whether_the_kernel_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str, holds: bool
) -> None:
    (tmp_path / "systemd-run").write_text(f"#!/bin/sh\n{line}\n")
    (tmp_path / "systemd-run").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert sandbox._kernel_counts() is holds
