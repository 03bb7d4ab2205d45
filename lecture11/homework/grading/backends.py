"""Command lines that start a program in namespaces of its own, by utilities that others maintain.

``bwrap`` (bubblewrap), or ``unshare``, ``setpriv`` and ``mount`` (util-linux); ``systemd-run``, where it works, has the
kernel count the memory of a submission. Nothing here is run: ``sandbox`` tries out what works.
"""

import os
import shlex
import shutil
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from lecture11.homework.grading.policy import Limits, Seen

NOBODY = 65534
DEVICES = ("null", "random", "urandom")  # not zero: it gives memory that is counted for nobody
NEEDED = {"bwrap": ("bwrap",), "unshare": ("unshare", "setpriv", "mount", "umount", "sh")}


def missing(method: str) -> list[str]:
    """The utilities that a method needs and that are not installed."""
    return [name for name in NEEDED[method] if shutil.which(name) is None]


def first_to_go(command: Sequence[str]) -> list[str]:
    """The command so that, if memory runs out, the system ends it first: before the grader and anything else."""
    return ["sh", "-c", 'echo 1000 > /proc/self/oom_score_adj 2> /dev/null; exec "$@"', "sh", *command]


def scope(limits: Limits) -> list[str]:
    """What is put before a command so that the kernel counts all of its memory, whatever kind it is of."""
    user = [] if os.geteuid() == 0 else ["--user"]
    properties = [f"MemoryMax={limits.together + limits.disk}", "MemorySwapMax=0", f"TasksMax={4 * limits.processes}"]
    return [
        "systemd-run",
        *user,
        "--scope",
        "--quiet",
        "--collect",
        *(word for name in properties for word in ("-p", name)),
        "--",
    ]


def bwrap(seen: Sequence[Seen], limits: Limits, command: Sequence[str]) -> list[str]:
    """By bubblewrap."""
    line = [shutil.which("bwrap") or "bwrap", "--unshare-all", "--unshare-user", "--disable-userns"]
    line += ["--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    line += ["--size", str(limits.disk), "--tmpfs", "/tmp"]
    for one in seen:
        match one.kind:
            case "link":
                line += ["--symlink", os.readlink(one.path), str(one.path)]
            case "bind":
                line += ["--ro-bind", str(one.path), str(one.path)]
            case "empty":
                line += ["--size", str(2**20), "--tmpfs", str(one.path)]
    for one in seen:
        if one.kind == "empty":
            line += ["--remount-ro", str(one.path)]
    line += ["--proc", "/proc", "--remount-ro", "/proc"]
    for device in DEVICES:
        line += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    return [*line, "--chdir", "/tmp", "--remount-ro", "/", *command]


def unshare(seen: Sequence[Seen], limits: Limits, root: Path, command: Sequence[str]) -> list[str]:
    """By util-linux. ``root`` is an empty folder, on which the new root is made."""
    root_user = os.geteuid() == 0
    outer = [] if root_user else ["--user", "--map-root-user"]
    spaces = ["--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child"]
    script = "\n".join([*_new_root(seen, limits, root), _last_namespace(root_user)])
    # Whoever is killed takes the next one along: the grader the utility, and that one the student's code.
    return ["setpriv", "--pdeathsig", "KILL", "unshare", *outer, *spaces, "sh", "-c", script, "sh", *command]


def _tool(name: str) -> Path:
    """The file of a utility, which is there under the same name in the new root."""
    return Path(shutil.which(name) or name).resolve()


def _new_root(seen: Sequence[Seen], limits: Limits, root: Path) -> list[str]:
    """Lines of a script that leave only what is seen."""
    quoted, top = shlex.quote, str(root)
    lines = [
        "set -eu",
        f"mount -t tmpfs -o size=4m,mode=755 tmpfs {quoted(top)}",
        f"cd {quoted(top)}; mkdir -p tmp proc dev .old",
        f"mount -t tmpfs -o size={limits.disk},nr_inodes=4k,mode=1777,nosuid,nodev tmpfs tmp",
    ]
    covers = []
    for kind, some in groupby([*seen, *(Seen(_tool(name)) for name in NEEDED["unshare"])], attrgetter("kind")):
        paths = [one.path for one in some]
        if kind != "empty":  # all at once: each mkdir is a process
            folders = [path if kind == "bind" and path.is_dir() else path.parent for path in paths]
            lines.append(f"mkdir -p {' '.join(quoted(f'{top}{folder}') for folder in folders)}")
        for path in paths:
            inside = quoted(f"{top}{path}")
            match kind:
                case "link":
                    lines.append(f"ln -s {quoted(os.readlink(path))} {inside}")
                case "bind":
                    made = "" if path.is_dir() else f": > {inside}; "
                    lines.append(f"{made}mount --bind -o ro,nosuid,nodev {quoted(str(path))} {inside}")
                case "empty":
                    lines.append(f"mount -t tmpfs -o size=1m,mode=755,nosuid,nodev tmpfs {inside}")
                    covers.append(f"mount -o remount,bind,ro,nosuid,nodev {inside}")
    return [
        *lines,
        *covers,
        "mount -t proc -o nosuid,nodev,noexec proc proc",
        f"for d in {' '.join(DEVICES)}; do : > dev/$d; mount --bind /dev/$d dev/$d; done",
        f"pivot_root . .old; {_tool('umount')} -l /.old; {_tool('mount')} -o remount,bind,ro /; cd /tmp",
    ]


def _last_namespace(root_user: bool) -> str:
    """The last line: another namespace of users, below which none can be made, and in it no rights at all."""
    sh, unshare, setpriv, mount = (_tool(name) for name in ("sh", "unshare", "setpriv", "mount"))
    drop = f"{setpriv} --reuid={NOBODY} --regid={NOBODY} --clear-groups --no-new-privs" if root_user else ""
    none = "--no-new-privs --inh-caps=-all --bounding-set=-all"
    last = (
        "echo 0 > /proc/sys/user/max_user_namespaces; "
        f"{mount} -o remount,bind,ro,nosuid,nodev,noexec /proc; "
        f'exec {setpriv} --pdeathsig KILL {none} "$@"'
    )
    return f'exec {drop} {unshare} --user --map-root-user --mount {sh} -ec {shlex.quote(last)} sh "$@"'
