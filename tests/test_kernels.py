"""Kernels that are forked from one process: each is alone, can be interrupted, and ends."""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, RunningKernel

from tools import kernels

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forked on Linux only"),
]


@pytest.fixture(scope="module")
def started() -> Iterator[RunningKernel]:
    kernel = RunningKernel(CURRENT_ENV_KERNEL_NAME)
    yield kernel
    kernel.stop()


def answer(kernel: RunningKernel, code: str) -> Any:
    """The value of the expression that the code leaves in ``answer``, or the name of its error."""
    reply = kernel.kc.execute_interactive(code, user_expressions={"answer": "answer"}, output_hook=lambda _: None)
    content = reply["content"]
    return content["ename"] if content["status"] == "error" else content["user_expressions"]["answer"].get("data")


def test_each_has_what_it_was_given_and_no_more(started: RunningKernel) -> None:
    found = answer(started, "import os, sys; answer = sorted(set(sys.argv) & {'-f'}), os.getcwd(), os.getpid()")
    assert found["text/plain"].startswith(f"(['-f'], {os.getcwd()!r}")
    other = RunningKernel(CURRENT_ENV_KERNEL_NAME, cwd="/")
    assert answer(other, "import os; answer = os.getcwd()")["text/plain"] == "'/'"
    assert answer(other, "sys.argv") == "NameError"  # the first kernel's variable
    assert answer(other, "import torch; answer = torch.get_num_threads()") is not None
    other.stop()


def test_the_package_is_the_one_without_checks_of_types(started: RunningKernel) -> None:
    """That which readers have: the tests' own process checks the shapes in each signature."""
    assert answer(started, "from lecture11 import vae; answer = 'jaxtyp' in vae.__loader__.__class__.__module__") == {
        "text/plain": "False"
    }


def test_it_can_be_interrupted(started: RunningKernel) -> None:
    waiting = started.kc.execute("while True: pass")
    time.sleep(0.2)
    started.km.interrupt_kernel()
    while (reply := started.kc.get_shell_msg(timeout=10))["parent_header"].get("msg_id") != waiting:
        pass
    assert reply["content"]["ename"] == "KeyboardInterrupt"


def test_a_killed_one_is_gone() -> None:
    kernel = RunningKernel(CURRENT_ENV_KERNEL_NAME)
    pid = int(answer(kernel, "import os; answer = os.getpid()")["text/plain"])
    os.kill(pid, 0)
    kernel.km.shutdown_kernel(now=True)
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("the kernel goes on after its client was killed")


def test_later_ones_know_which_chains_are_verified() -> None:
    """One that does not verifies them itself, for as long as it takes until the next one knows."""
    verify = """
import time
from lecture11 import symbolic
begin = time.process_time()
symbolic.check_all(symbolic.DERIVATIONS.values())
answer = time.process_time() - begin < 5
"""
    for _ in range(4):
        kernel = RunningKernel(CURRENT_ENV_KERNEL_NAME)
        known = answer(kernel, verify)
        kernel.stop()
        if known == {"text/plain": "True"}:
            return
    pytest.fail("no kernel knows what the server has verified")


def test_a_server_that_does_not_start_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(AssertionError, match="did not start"):
        kernels._server()
