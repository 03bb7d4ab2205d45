"""Kernels for the notebooks' tests, forked from one process that has imported what all notebooks import.

To import PyTorch, SymPy and the course takes each kernel some three seconds, a sixth of the time of all notebooks. A
forked one has these modules, and nothing else, from its parent: its variables, random states and folders are its own.

Chapters and proofs verify the same chains, half a minute in all. A successor of the server verifies them once, before
the first notebook is run or beside it. Kernels forked from it know them, as one that has run its cell before does. If
a chain cannot be proved there is no successor, and the notebook says so.
"""

import atexit
import contextlib
import importlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SERVER = "LECTURE11_KERNELS"  # where the address of the server is told
IMPORTS = [
    "ipykernel.kernelapp",
    "matplotlib.pyplot",
    "scipy.stats",
    "sklearn.datasets",
    "torch.utils.flop_counter",
    "lecture11.diffusion",
    "lecture11.em",
    "lecture11.models",
    "lecture11.symbolic",
]
# What Jupyter starts, kills and interrupts in the place of the kernel: it says to the server where the kernel is to
# be, and is there as long as the kernel is. Small, since it is a Python of its own.
CLIENT = """
import json, os, signal, socket, sys
kernel = socket.socket(socket.AF_UNIX)
kernel.connect(sys.argv[1])
signal.signal(signal.SIGINT, lambda *_: kernel.send(b"i"))
kernel.sendall(json.dumps([sys.argv[2], os.getcwd(), dict(os.environ)]).encode() + b"\\n")
while kernel.recv(1):
    pass
"""


def install() -> None:
    """From now on nbval's kernels are forked, in this process and in those that it starts.

    Elsewhere than on Linux they are processes as ever.
    """
    if not sys.platform.startswith("linux"):
        return
    from ipykernel import kernelspec

    if SERVER not in os.environ:
        os.environ[SERVER] = _server()

    ordinary = kernelspec.get_kernel_dict

    def forked(*args: Any, **kwargs: Any) -> dict[str, Any]:
        # -S and -E: neither packages nor settings; the kernel has those of the server.
        return {
            **ordinary(*args, **kwargs),
            "argv": [sys.executable, "-SEc", CLIENT, os.environ[SERVER], "{connection_file}"],
        }

    kernelspec.get_kernel_dict = forked


def prepare() -> None:
    """Notebooks will be run: the server imports what they need, and has their chains verified."""
    if SERVER in os.environ:
        with socket.socket(socket.AF_UNIX) as nobody:
            nobody.connect(os.environ[SERVER])


def _server() -> str:
    """Starts the server, and returns its address; it ends with this process, and is small until it is asked."""
    from tools.run import KERNEL_ENV

    folder = tempfile.mkdtemp(prefix="kernels-")
    atexit.register(shutil.rmtree, folder)
    address = str(Path(folder) / "socket")
    command = [sys.executable, "-m", "tools.kernels", address]
    # Some modules look at the environment when they are imported, which a kernel finds done.
    env = {**KERNEL_ENV, **os.environ}
    server = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n", "the server of kernels did not start"
    return address


def serve(address: str) -> None:
    """Fork a kernel for each client, until standard input is closed."""
    sys.path.pop(0)  # the folder of the project
    # As the kernel would set it. Who shows the figures is asked when the first one is made, not at the import.
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a kernel
    _end_with_standard_input()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        print("ready", flush=True)
        select.select([server], [], [])
        for name in IMPORTS:  # when somebody asks; not at all where no notebook is run
            importlib.import_module(name)
        verified, tell = os.pipe()
        if os.fork() == 0:
            _end_with_standard_input()
            _verify_chains()
            os.write(tell, b"1")
            os.close(verified)
            _fork_kernels(server)
        os.close(tell)
        _fork_kernels(server, verified)


def _end_with_standard_input() -> None:
    threading.Thread(target=lambda: (os.read(0, 1), os._exit(0)), daemon=True).start()


def _verify_chains() -> None:
    import gc

    from lecture11 import symbolic

    symbolic.check_all(symbolic.DERIVATIONS.values())
    gc.freeze()  # a million objects, which each kernel would walk through


def _fork_kernels(server: socket.socket, successor: int | None = None) -> None:
    """For each client, until the successor says that it does."""
    while True:
        if successor is not None and successor in select.select([server.fileno(), successor], [], [])[0]:
            if os.read(successor, 1):
                threading.Event().wait()
            successor = None  # it could not
        client, _ = server.accept()
        if os.fork() == 0:
            server.close()
            _become_kernel(client)
        client.close()


def _become_kernel(client: socket.socket) -> None:
    """Never returns."""
    asked = client.makefile("rb").readline()
    if not asked:
        os._exit(0)
    connection_file, folder, environment = json.loads(asked)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)

    def obey() -> None:
        with contextlib.suppress(ConnectionError):
            while client.recv(1):
                os.kill(os.getpid(), signal.SIGINT)
        os._exit(1)  # the client was killed: so is the kernel

    threading.Thread(target=obey, daemon=True).start()
    from ipykernel import kernelapp

    sys.argv = ["ipykernel_launcher", "-f", connection_file]
    try:
        kernelapp.launch_new_instance()
    finally:
        os._exit(0)


if __name__ == "__main__":
    serve(sys.argv[1])
