"""What a class hands in at its worst. Each entry is run by the grader's tests in a sandbox, and by nothing else.

To start a sandbox costs seconds, so a notebook tries many things, a cell or an answer each.
"""

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


def solved(name: str, seed: str = '"Ada"') -> Notebook:
    """The solution of a homework, with a name in it, written as Python has it."""
    made = build.solution(build.source(name))
    for cell in made["cells"]:
        if "seed" in cell["metadata"].get("lecture11", {}):
            cell["source"] = build.text_of(cell).replace('"your name"', seed)
    return made


def as_people_work() -> Notebook:
    """The solution of homework 4 in a notebook that runs in Jupyter, Colab or VS Code, and not as a Python program."""
    made = solved("04-diffusion", '''"Bob"\nSEED: str = "Conan O'Brien"''')
    cells = {cell["id"]: cell for cell in made["cells"]}
    setup = build.text_of(cells["setup"])
    cells["setup"]["source"] = (
        "from google.colab import drive\nimport a_package_of_mine\nimport matplotlib\nmatplotlib.use('TkAgg')\n"
        f"drive.mount('/content')\n{setup}\nfiles = !ls\n%timeit -n 1 1 + 1\n!rm -rf /\ntorch.exp?"
    )
    answer = cells["q-step-answer"]
    answer["source"] = f"%%time\ncheck.q_step(q_step, seed=SEED)\n{build.text_of(answer)}\nq_step?"
    answer = cells["q-sample-answer"]
    answer["source"] = f"import asyncio\nawait asyncio.sleep(0)\n{build.text_of(answer)}\nraise SystemExit"
    copy = {"cell_type": "markdown", "id": "q-step-answer", "metadata": {}, "source": "as above"}
    made["cells"].append(copy)
    return made


def edited_check() -> Notebook:
    """Nothing done, and all checks say that it is right."""
    made = build.student(build.source("02-vae-elbo"))
    for cell in made["cells"]:
        if cell["metadata"].get("lecture11", {}).get("role") == "check":
            cell["source"] = "print('right: the KL in closed form, 2 points')"
    return made


# What is in cells of "looks about": what it should meet with. CANARY is a folder outside of the sandbox, PORT one that
# is listened to.
def looks(canary: str, port: int) -> dict[str, str]:
    """Cells that look for solutions and for a way out, by the error that they end with."""
    return {
        "lecture11.gaussian is not there while homework is graded": (
            "from lecture11 import gaussian\nelbo_kl = gaussian.kl_to_standard_normal"
        ),
        "lecture11.homework.parts is not there": (
            "import lecture11.homework.parts.elbo_kl as part\nelbo_kl = part.elbo_kl"
        ),
        "RuntimeError: found: []": """
found, own = [], os.path.dirname(torch.__file__)
for folder, folders, files in os.walk("/"):
    if folder in ("/proc", own):
        folders.clear()
    for name in files:
        if name.endswith(("-solution.ipynb", ".zip", "seed.txt", "02-vae-elbo.ipynb")) or (
            name in ("elbo_kl.py", "collected.py")
            or name.startswith("test_grading")
            or folder.endswith("homework/parts")
        ):
            found.append(os.path.join(folder, name))
raise RuntimeError(f"found: {found}")
""",
        "RuntimeError: written: []": f"""
written = []
for path in ({canary!r} + "/written", "/usr/written", "/etc/written", "/work/written", os.path.dirname(torch.__file__)
             + "/written", "../written", "/proc/sys/kernel/hostname", "/proc/self/oom_score_adj"):
    try:
        with open(path, "w") as file:
            file.write("0")
        written.append(path)
    except OSError:
        pass
import shutil
shutil.rmtree({canary!r}, ignore_errors=True)
raise RuntimeError(f"written: {{written}}")
""",
        "URLError": f"""
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
        "RuntimeError: held: []": """
import ctypes
import mmap

libc, held = ctypes.CDLL(None), []
for name, hold in {
    "a file without a name": lambda: os.memfd_create("x"),
    "a shared mapping": lambda: mmap.mmap(-1, 2**20),
    "a segment": lambda: libc.shmget(0, ctypes.c_size_t(2**20), 0o1600) < 0 and os.open("", 0),
    "/dev/shm": lambda: open("/dev/shm/x", "w"),
    "/dev/zero": lambda: open("/dev/zero", "r+b"),
}.items():
    try:
        hold()
        held.append(name)
    except OSError:
        pass
raise RuntimeError(f"held: {held}")
""",
        "RuntimeError: reached: []": """
import ctypes
import socket
import stat

def others():
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            line = file.read()
        if b"runner.py" not in line and (b"grade" in line or b"pytest" in line):
            return True
    return False

libc, reached = ctypes.CDLL(None), []
for name, reach in {
    "the grader": others,
    "ptrace": lambda: libc.ptrace(16, os.getppid(), 0, 0) == 0,
    "namespaces": lambda: libc.unshare(0x10000000) == 0,
    "mounts": lambda: libc.mount(b"x", b"/tmp", b"tmpfs", 0, None) == 0,
    "another root": lambda: os.chroot("/tmp"),
    "the clock": lambda: time.clock_settime(time.CLOCK_REALTIME, 0),
    "going first": lambda: os.nice(-5),
    "going always": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
    "the name": lambda: socket.sethostname("x"),
    "the kernel's messages": lambda: open("/dev/kmsg"),
    "all memory": lambda: open("/dev/mem", "rb"),
    "a disk": lambda: os.mknod("/tmp/disk", 0o600 | stat.S_IFBLK, os.makedev(8, 0)),
    "passwords by a link": lambda: (os.symlink("/etc/shadow", "/tmp/link"), open("/tmp/link")),
    "the old root": lambda: open("/proc/1/root/etc/passwd"),
    "more files": lambda: __import__("resource").setrlimit(7, (10**6, 10**6)),
}.items():
    try:
        if reach() is not False:
            reached.append(name)
    except (OSError, ValueError):
        pass
raise RuntimeError(f"reached: {reached}")
""",
    }


def programs(canary: str, port: int) -> dict[str, Notebook]:
    """Notebooks whose code does harm, or tries to get points for nothing: zero points each."""
    overwritten = """
import lecture11.homework as hw
import lecture11.homework.observation as seen

torch.allclose = torch.equal = lambda *a, **k: True
torch.Tensor.__eq__ = torch.Tensor.__sub__ = lambda *a: torch.ones(())
hw.check = check = lambda *a, **k: print("right")
seen.observe = seen._observe = lambda answer, case, **k: seen.Observation({"kind": "text", "value": "right"})
seen._equal = lambda *a: True
"""
    texts = {
        "looks about": [*looks(canary, port).values(), overwritten, ZERO],
        "fills all": [
            # First, since it takes the process with it: what stands before it would run twice.
            "for _ in range(12):\n    if os.fork() == 0:\n        kept = torch.ones(2**25)\n        time.sleep(100)\n"
            "time.sleep(100)",
            "def fill():\n    kept = []\n    while True:\n        kept.append(torch.ones(2**22))\nfill()",
            "with open('large', 'wb') as file:\n    while True:\n        file.write(bytes(2**20))",
        ],
        # A notebook of its own, and the first by its name: while it waits, the others are graded.
        "a long wait": [
            "time.sleep(1e9)",
            "while True:\n    print('right' * 10**6)\n    os.write(1, b'right' * 10**6)\n    time.sleep(0.05)",
            "for i in range(10**7):\n    open(str(i), 'w').close()",
        ],
        "answers with harm": [
            "def gaussian_log_prob(x, mean, log_var):\n    return torch.zeros(1).reshape([1] * 100_000)",
            "def effective_sample_size(log_w):\n    return torch.empty(20_000_000, 0)",
            "def iw_bound(log_w):\n    raise ValueError('<script>alert(1)</script>\\x1b[2J\\ud800')",
            "def elbo_kl(mu, log_var):\n    return torch.zeros(10**7, dtype=mu.dtype)",
            "def elbo(x, encoder, decoder, eps):\n    while True:\n        os.fork()",
            # Last, since it takes the process with it.
            "def kl_per_latent(mu, log_var):\n    while True:\n        try:\n            time.sleep(1)\n"
            "        except BaseException:\n            pass",
        ],
        # Whoever looks at what they return would call a student's code, or wait for it.
        "answers with tricks": [
            "class Yes(torch.Tensor):\n    @classmethod\n    def __torch_function__(cls, *a, **k):\n"
            "        return True\n"
            "def gaussian_log_prob(x, mean, log_var):\n    return torch.zeros(len(x)).as_subclass(Yes)",
            "class Fake:\n    __class__ = property(lambda self: torch.Tensor)\n"
            "    def __reduce__(self):\n        return os._exit, (0,)\n"
            "def elbo_kl(mu, log_var):\n    return Fake()",
            "class Endless(list):\n    __len__ = lambda self: 1\n"
            "    def __iter__(self):\n        while True:\n            yield 1.0\n"
            "def elbo(x, encoder, decoder, eps):\n    return Endless()",
            "def iw_bound(log_w):\n    inside = []\n    inside.append(inside)\n    return inside",
            "class Equal(float):\n    __eq__ = __ge__ = __le__ = lambda *a: True\n    __hash__ = None\n"
            "def effective_sample_size(log_w):\n    return Equal('nan')",
            "def kl_per_latent(mu, log_var):\n    import json\n    import safetensors.torch\n"
            "    safetensors.torch.save = lambda *a: b'\\xff' * 1000\n"
            '    json.dumps = lambda *a, **k: \'{"event": "end", "points": Infinity}\'\n    return mu',
        ],
        "stops and stays": [
            # A process that nobody started, deaf to all signals, which speaks for the one that is judged.
            """
import json
import signal
import struct

body = json.dumps({"event": "part", "id": "elbo-kl"}).encode() + b"\\n"
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    while True:
        time.sleep(0.5)
        for descriptor in range(3, 64):
            try:
                os.write(descriptor, struct.pack("<I", len(body)) + body)
            except OSError:
                pass
""",
            # The clocks by which limits are kept, and the alarm that ends a statement.
            "import signal\ntime.monotonic = time.perf_counter = lambda: 0.0\n"
            "signal.setitimer = signal.signal = lambda *a: None\n"
            "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\nos.kill(os.getpid(), signal.SIGSTOP)",
            f"class Seed(str):\n    __str__ = lambda self: '\\ud800=1+1' * 10**6\nSEED = Seed()\n{ZERO}",
            "def elbo(x, encoder, decoder, eps):\n    os.closerange(3, 64)\n    time.sleep(1e6)",
        ],
        "ends all, and forges": [
            "import signal\nfor pid in (-1, os.getppid(), 1, os.getpid()):\n    try:\n"
            "        os.kill(pid, signal.SIGKILL)\n    except OSError:\n        pass",
            """
import json
import struct

def frame(event, data=b""):
    body = json.dumps(event).encode() + b"\\n" + data
    return struct.pack("<I", len(body)) + body

from lecture11.homework.observation import Observation
one = Observation({"kind": "text", "value": "right"}).to_bytes()
forged = frame({"event": "seed", "seed": "Ada"})
for part in ("elbo-kl", "elbo", "gaussian-log-prob"):
    forged += frame({"event": "part", "id": part, "ok": True, "points": 4, "verdict": "right"})
    forged += 5 * frame({"event": "seen", "last": False, "ok": True}, one)
forged += frame({"event": "end", "points": 15})
for descriptor in range(3, 64):
    try:
        os.write(descriptor, forged)
    except OSError:
        pass
print("right: 15 points", flush=True)
os._exit(0)
""",
        ],
    }
    made = {name: notebook(*cells) for name, cells in texts.items()}
    # Its own cells come after a homework in which nothing is done, and all checks say that it is right.
    made["fills all"]["cells"][:0] = edited_check()["cells"]
    return made


def files() -> dict[str, bytes]:
    """What is refused without being run: zero points each."""
    return {
        "corrupt.ipynb": as_bytes(notebook(KL))[:-20],
        "not a notebook.ipynb": b'["a", "list"]',
        "no text.ipynb": b"\xff\xfe\x00\x01",
        "no cells.ipynb": b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": {"a": 1}}',
        "nested.ipynb": b"[" * 200_000,
        "large number.ipynb": b'{"nbformat": ' + b"9" * 10_000 + b"}",
        "brackets.ipynb": b'{"nbformat": 4, "cells": [' + b"{}," * 10**6 + b"{}]}",
        "endless number.ipynb": b'{"nbformat": Infinity}',
        "empty.ipynb": b"",
        "homework.pdf": b"%PDF-1.4",
        "julia.ipynb": as_bytes(notebook(KL, kernelspec={"name": "julia-1.10", "language": "julia"})),
        "python 2.ipynb": as_bytes(notebook(KL, kernelspec={"name": "python2", "language": "python"})),
        "something else.ipynb": as_bytes(notebook("x = 1", number=99)),
    }
