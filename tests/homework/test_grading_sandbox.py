"""The sandbox is tried out before it is trusted, and the trial finds what is open."""

import os
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
import torch

from lecture11.homework.grading import sandbox
from lecture11.homework.grading.sandbox import Limits, Sandbox

INSIDE = Path(torch.__file__).resolve().parent / "testing"  # seen, if nothing is done about it


@pytest.fixture(autouse=True)
def needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are of systems with namespaces; in CI that must be one."""
    monkeypatch.setattr(sandbox, "_nobody_may_run_python", lambda: True)
    monkeypatch.setattr(sandbox, "_make_stub", lambda stub: stub.mkdir())
    with sandbox.sandbox([], Limits()) as box:
        if not box.isolated:
            assert os.environ.get("CI") != "true", "CI needs namespaces: .ci/namespaces"
            pytest.skip(f"no sandbox here: {box.reasons}")


def test_a_folder_within_what_is_seen_is_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    with sandbox.sandbox([INSIDE], Limits()) as box:
        assert box.isolated, box.reasons
    monkeypatch.setattr(Sandbox, "_covered", lambda self: [])
    with sandbox.sandbox([INSIDE], Limits()) as box:
        assert not box.isolated
        assert any(f"{INSIDE} can be read" in reason for reason in box.reasons)


def test_the_trial_finds_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Sandbox._unshare
    monkeypatch.setattr(Sandbox, "_unshare", lambda self, c: [word for word in whole(self, c) if word != "--net"])
    with sandbox.sandbox([], Limits(), ("unshare",)) as box:
        assert not box.isolated
        assert "a socket can be reached" in box.reasons[0]


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    with sandbox.sandbox([], Limits(), ("bwrap", "unshare")) as box:
        assert box.method == "none"
        assert box.reasons == ["bwrap: bwrap not installed", "unshare: unshare, setpriv, mount not installed"]


def test_what_comes_is_bounded() -> None:
    """A process that says too much, nothing or nonsense does not hold the grader up."""

    def child(shell: str) -> sandbox.Child:
        pipe = subprocess.PIPE
        process = subprocess.Popen(["sh", "-c", shell], stdout=pipe, stdin=pipe, start_new_session=True)
        return sandbox.Child(process, tempfile.TemporaryFile(), Limits())

    for shell, error in (
        ("sleep 100", TimeoutError),
        ("printf '\\377\\377\\377\\377'; sleep 100", ValueError),
        ("printf 'ab'", EOFError),
    ):
        one = child(shell)
        with pytest.raises(error):
            one.frame(time.monotonic() + 0.5)
        one.kill()
        one.close()
    one = child("printf '\\003\\000\\000\\000abc'")
    assert one.frame(time.monotonic() + 10) == b"abc"
    assert one.ended() == "the process was ended, with code 0"
    one.kill()
    one.close()
