"""What a class hands in at its worst. Each entry is run by the grader's tests in a sandbox, and by nothing else."""

import json
from typing import Any

from lecture11.homework import build

Notebook = dict[str, Any]

KL = "def elbo_kl(mu, log_var):\n    return 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1)\n"
ESS = "def effective_sample_size(log_w):\n    return 1 / log_w.softmax(0).square().sum(0)\n"
ZERO = "def elbo_kl(mu, log_var):\n    return torch.zeros(len(mu), dtype=mu.dtype)\n"


def notebook(*cells: str, number: int = 2, **metadata: Any) -> Notebook:
    """A notebook of homework 2 with these cells after the usual imports."""
    texts = ["import math\nimport os\nimport sys\nimport time\n\nimport torch", *cells]
    made = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "outputs": [], "execution_count": None, "source": text}
        for i, text in enumerate(texts)
    ]
    about = {"kernelspec": {"name": "python3", "language": "python"}, "lecture11": {"homework": number}, **metadata}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": about, "cells": made}


def as_bytes(made: Notebook) -> bytes:
    """As a file has it."""
    return json.dumps(made).encode()


def solved(name: str, seed: str = "Ada") -> Notebook:
    """The solution of a homework, with a name in it."""
    made = build.solution(build.source(name))
    for cell in made["cells"]:
        if "seed" in cell["metadata"].get("lecture11", {}):
            cell["source"] = build.text_of(cell).replace("your name", seed)
    return made


def edited_check() -> Notebook:
    """Nothing done, and all checks say that it is right."""
    made = build.student(build.source("02-vae-elbo"))
    for cell in made["cells"]:
        if cell["metadata"].get("lecture11", {}).get("role") == "check":
            cell["source"] = "print('right: the KL in closed form, 2 points')"
    return made


def same_ids() -> Notebook:
    """A right answer, in two cells with one id."""
    made = notebook(KL, ESS)
    made["cells"][2]["id"] = made["cells"][1]["id"]
    return made


# Name, and what is in it: a notebook or bytes. CANARY is a folder outside of the sandbox, PORT one that is listened to.
def programs(canary: str, port: int) -> dict[str, Notebook]:
    """Notebooks whose code does harm, or tries to get points for nothing: zero points each."""
    texts = {
        "imports the solution": ["from lecture11 import gaussian\nelbo_kl = gaussian.kl_to_standard_normal"],
        "imports the reference": [
            "import lecture11.homework.parts.vae as vae\nelbo_kl = vae._kl",
            "import lecture11.gaussian\nelbo_kl = lecture11.gaussian.kl",
        ],
        "reads the solution from files": [
            """
found = ""
for folder, folders, files in os.walk("/"):
    if folder in ("/proc", "/dev", "/sys", "/usr"):
        folders.clear()
    if os.path.basename(folder) in ("site-packages", "dist-packages"):
        folders[:] = [name for name in folders if name.startswith("lecture11")]
    for name in files:
        if name.endswith("-solution.ipynb") or (name == "vae.py" and folder.endswith("parts")) or (
            name.startswith("test_grading") or name in ("right_answers.py", "02-vae-elbo.ipynb", "seed.txt")
        ):
            found += os.path.join(folder, name) + " "
if found:
    def elbo_kl(mu, log_var):
        return 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1)
raise RuntimeError("found: " + found)
"""
        ],
        "overwrites the checker": [
            """
import lecture11.homework as hw
import lecture11.homework.observation as seen

torch.allclose = torch.equal = lambda *a, **k: True
torch.Tensor.__eq__ = torch.Tensor.__sub__ = lambda *a: torch.ones(())
hw.check = check = lambda *a, **k: print("right")
old = seen.observe
seen.observe = seen._observe = lambda answer, case, **k: seen.Observation({"kind": "text", "value": "right"})
seen._equal = lambda *a: True
""",
            ZERO,
        ],
        "writes outside": [
            f"""
for path in ({canary!r} + "/written", "/usr/written", "/etc/written", "/work/written", os.path.dirname(torch.__file__)
             + "/written", "../written", "../../../written", "/proc/sys/kernel/hostname"):
    try:
        open(path, "w").write("mine")
    except OSError:
        pass
""",
            ZERO,
        ],
        "deletes files": [
            f"import shutil\nfor path in ({canary!r}, '.'):\n    shutil.rmtree(path, ignore_errors=True)",
            ZERO,
        ],
        "forks without end": ["while True:\n    try:\n        os.fork()\n    except OSError:\n        pass", ZERO],
        "forks in an answer": ["def elbo_kl(mu, log_var):\n    while True:\n        os.fork()"],
        "allocates without end": ["kept = []\nwhile True:\n    kept.append(torch.ones(2**22))", ZERO],
        "allocates in many processes": [
            "for _ in range(12):\n    if os.fork() == 0:\n        kept = torch.ones(2**26)\n        time.sleep(100)\n"
            "time.sleep(100)"
        ],
        "writes without end": [
            "with open('large', 'wb') as file:\n    while True:\n        file.write(bytes(2**20))",
            ZERO,
        ],
        "sleeps for ever": ["time.sleep(1e9)", "def elbo_kl(mu, log_var):\n    time.sleep(1e9)"],
        "cannot be stopped": [
            """
def elbo_kl(mu, log_var):
    while True:
        try:
            time.sleep(1)
        except BaseException:
            pass
"""
        ],
        "prints without end": [
            "def elbo_kl(mu, log_var):\n    while True:\n        print('right' * 1000)\n"
            "        os.write(1, b'right' * 1000)",
        ],
        "opens a socket": [
            f"""
import socket
import urllib.request

for address in (("127.0.0.1", {port}), ("1.1.1.1", 53)):
    try:
        with socket.create_connection(address, 1) as connection:
            connection.sendall(b"hello")
    except OSError:
        pass
urllib.request.urlopen("http://127.0.0.1:{port}/", timeout=1)
""",
            ZERO,
        ],
        "ends with success": ["print('right: 15 points', flush=True)\nos._exit(0)"],
        "ends all processes": [
            "import signal\nfor pid in (-1, os.getppid(), 1):\n    try:\n        os.kill(pid, signal.SIGKILL)\n"
            "    except OSError:\n        pass",
            ZERO,
        ],
        "prints a forged result": [
            """
import json
import struct

def frame(event, data=b""):
    body = json.dumps(event).encode() + b"\\n" + data
    return struct.pack("<I", len(body)) + body

from lecture11.homework.observation import Observation
one = Observation({"kind": "text", "value": "right"}).to_bytes()
forged = frame({"event": "cell done", "at": 1, "error": None, "printed": ""})
for part in ("elbo-kl", "elbo", "gaussian-log-prob"):
    forged += frame({"event": "part", "id": part, "ok": True, "points": 4, "verdict": "right"})
    forged += 5 * frame({"event": "seen", "ok": True}, one)
forged += frame({"event": "end", "points": 15})
for descriptor in range(3, 64):
    try:
        os.write(descriptor, forged)
    except OSError:
        pass
os._exit(0)
"""
        ],
        "prints nonsense on each descriptor": [
            "for descriptor in range(3, 64):\n    try:\n        os.write(descriptor, b'\\xff' * 100_000)\n"
            "    except OSError:\n        pass",
            ZERO,
        ],
        "returns too much": ["def elbo_kl(mu, log_var):\n    return torch.zeros(10**7, dtype=mu.dtype)"],
        "raises HTML": ["def elbo_kl(mu, log_var):\n    raise ValueError('<script>alert(1)</script>\\x1b[2J')"],
        "is written for Python 2": ['def elbo_kl(mu, log_var):\n    print "right"\n    return 0'],
    }
    return {name: notebook(*cells) for name, cells in texts.items()}


def files() -> dict[str, bytes]:
    """What is refused without being run: zero points each."""
    return {
        "corrupt.ipynb": as_bytes(notebook(KL))[:-20],
        "not a notebook.ipynb": b'["a", "list"]',
        "no text.ipynb": b"\xff\xfe\x00\x01",
        "no cells.ipynb": b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": {"a": 1}}',
        "nested.ipynb": b"[" * 200_000,
        "empty.ipynb": b"",
        "homework.pdf": b"%PDF-1.4",
        "same ids.ipynb": as_bytes(same_ids()),
        "julia.ipynb": as_bytes(notebook(KL, kernelspec={"name": "julia-1.10", "language": "julia"})),
        "python 2.ipynb": as_bytes(notebook(KL, kernelspec={"name": "python2", "language": "python"})),
        "something else.ipynb": as_bytes(notebook("x = 1", number=99)),
    }
