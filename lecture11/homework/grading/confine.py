"""Limits that a process sets for itself, and for all that it starts, before anything of a student's comes to it.

Knows nothing of the package: the sandbox has it too. What is held back by a filter of system calls are ways to hold
memory that is counted for no process (files in memory without a name, System V's shared memory, pages in pipes), and
doors into the kernel that no homework needs.
"""

import contextlib
import ctypes
import platform
import resource
import struct
from collections.abc import Mapping, Sequence

# By machine: the kernel's name for it (AUDIT_ARCH), seccomp, mmap, and what is refused.
CALLS: dict[str, tuple[int, int, int, dict[str, int]]] = {
    "x86_64": (
        0xC000003E,
        317,
        9,
        {
            "memfd_create": 319, "memfd_secret": 447, "shmget": 29, "shmat": 30, "msgget": 68, "semget": 64,
            "mq_open": 240, "vmsplice": 278, "splice": 275, "tee": 276, "io_uring_setup": 425, "userfaultfd": 323,
            "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "bpf": 321, "perf_event_open": 298,
            "add_key": 248, "request_key": 249, "keyctl": 250, "unshare": 272, "setns": 308, "mount": 165,
            "open_tree": 428, "fsopen": 430, "pidfd_getfd": 438,
        },
    ),
    "aarch64": (
        0xC00000B7,
        277,
        222,
        {
            "memfd_create": 279, "memfd_secret": 447, "shmget": 194, "shmat": 196, "msgget": 186, "semget": 190,
            "mq_open": 180, "vmsplice": 75, "splice": 76, "tee": 77, "io_uring_setup": 425, "userfaultfd": 282,
            "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "bpf": 280, "perf_event_open": 241,
            "add_key": 217, "request_key": 218, "keyctl": 219, "unshare": 97, "setns": 268, "mount": 40,
            "open_tree": 428, "fsopen": 430, "pidfd_getfd": 438,
        },
    ),
}  # fmt: skip
X32 = 0x40000000  # x86-64 knows each call by a second number from here on
ALLOW, REFUSE = 0x7FFF0000, 0x00050001  # the second one: EPERM
SHARED_AND_ANONYMOUS = 0x21  # memory that a process can hold without having it mapped in


def limit_sizes(sizes: Mapping[str, Sequence[int]]) -> None:
    """Sets limits of ``resource``, by their names; what is mapped already is not counted."""
    for name, (soft, hard) in sizes.items():
        more = mapped() if name == "RLIMIT_AS" else 0
        with contextlib.suppress(OSError, ValueError):  # not every system has each
            resource.setrlimit(getattr(resource, name), (soft + more, hard + more))


def mapped() -> int:
    """Bytes that this process has mapped."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:  # no Linux
        return 0


def refuse_calls() -> bool:
    """Refuses what is in ``CALLS`` from now on, in all threads and whatever they start; False if that is not possible.

    The filter is a program for the kernel: load a number, compare, jump.
    """
    if platform.machine() not in CALLS or platform.system() != "Linux":
        return False
    arch, seccomp, mmap, refused = CALLS[platform.machine()]
    numbers = sorted(refused.values())
    program = [
        (0x20, 0, 0, 4),  # load the machine
        (0x15, 1, 0, arch),
        (0x06, 0, 0, REFUSE),
        (0x20, 0, 0, 0),  # load the number of the call
        (0x35, 0, 1, X32),
        (0x06, 0, 0, REFUSE),
        *((0x15, len(numbers) - i + 3, 0, number) for i, number in enumerate(numbers)),
        (0x15, 0, 4, mmap),
        (0x20, 0, 0, 16 + 3 * 8),  # load the fourth argument, of which the flags are the lower half
        (0x54, 0, 0, SHARED_AND_ANONYMOUS),
        (0x15, 0, 1, SHARED_AND_ANONYMOUS),
        (0x06, 0, 0, REFUSE),
        (0x06, 0, 0, ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in program))
    header = ctypes.create_string_buffer(struct.pack("@HxxxxxxP", len(program), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    no_new_privileges, filter_mode, all_threads = 38, 1, 1
    if libc.prctl(no_new_privileges, 1, 0, 0, 0):
        return False
    return libc.syscall(seccomp, filter_mode, all_threads, header) == 0
