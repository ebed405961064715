"""A machine in a directory: its own mounts and processes, the site's users, no systemd.

A site's scripts and its supervisor name absolute paths (/run/S, /srv/S, /usr/local/sbin). In here
they are real, and everything that was started ends with the namespace.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

USERS = {
    "root": (0, "root"),
    "gazette-main": (2001, "gazette-main-http"),
    "gazette-admin": (2002, "gazette-admin-http"),
    "gazette-store": (2003, "gazette-store"),
    "gazette-owner": (2004, "gazette-owner"),
}
GROUPS = {
    "root": (0, []),
    "gazette": (3000, ["gazette-main", "gazette-admin", "gazette-owner"]),
    "gazette-main-http": (3001, []),
    "gazette-admin-http": (3002, []),
    "gazette-store": (3003, ["gazette-admin"]),
    "gazette-owner": (3004, []),
}
# The first process of the namespace: ends orphans' last trace, as an init does.
INIT = """
import os, time
while True:
    try:
        os.wait()
    except ChildProcessError:
        time.sleep(0.05)
"""


def until(reached: Callable[[], object], what: str, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


@dataclass
class Machine:
    root: Path
    init: int

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        enter = ["nsenter", f"--target={self.init}", "--mount", "--pid"]
        return subprocess.run(
            [*enter, "--", "chroot", str(self.root), *command],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={"PATH": "/usr/local/sbin:/usr/sbin:/usr/bin", **environment},
        )

    def write(self, path: str, text: str, mode: int = 0o644, owner: str = "root") -> None:
        """The mode and the owner are what the file has from its first byte on a real host too."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
        os.chown(file, USERS[owner][0], 0)

    def read(self, path: str) -> str:
        """Empty when it is not there yet."""
        file = self.root / path.lstrip("/")
        return file.read_text() if file.exists() else ""

    def processes(self) -> dict[int, str]:
        """Pid (as the machine counts) and command line of all that live."""
        listed = self.run("ps", "-eo", "pid=,stat=,args=").stdout.splitlines()
        split = (line.split(None, 2) for line in listed)
        return {int(pid): args for pid, stat, args in split if not stat.startswith("Z")}


def mounts(root: Path, *extra: str) -> Iterator[str]:
    """Shell lines that put a root together: the system read-only, this Python where it is."""
    seen = ["/usr"]
    yield f"mount --rbind -o ro /usr {root}/usr"
    # More than one path where this Python is a virtualenv's, or lies outside /usr.
    for path in (sys.prefix, sys.base_prefix, *extra):
        if not any(path == other or path.startswith(f"{other}/") for other in seen):
            seen.append(path)
            (root / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
            yield f"mount --rbind {path} {root}{path}"
    yield f"mount -t proc proc {root}/proc"
    yield f"mount --rbind /dev {root}/dev"


@contextlib.contextmanager
def machine(*extra: str) -> Iterator[Machine]:
    """``extra`` directories of this machine are there too, at their own paths.

    Raises OSError where namespaces are not to be had.
    """
    root = Path(tempfile.mkdtemp(prefix="split-machine-"))
    root.chmod(0o755)
    for name in ("usr", "proc", "dev", "etc", "tmp", "run", "srv", "var/log", "var/lib"):
        (root / name).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    for name in ("bin", "sbin", "lib", "lib64"):
        if Path(f"/{name}").is_symlink():
            (root / name).symlink_to(os.readlink(f"/{name}"))
    users = [
        f"{name}:x:{number}:{GROUPS[group][0]}::/nonexistent:/bin/sh\n"
        for name, (number, group) in USERS.items()
    ]
    (root / "etc/passwd").write_text("".join(users))
    groups = [f"{name}:x:{gid}:{','.join(members)}\n" for name, (gid, members) in GROUPS.items()]
    (root / "etc/group").write_text("".join(groups))
    (root / "etc/nsswitch.conf").write_text("passwd: files\ngroup: files\n")
    # /usr is the machine's own and is not written to: its local part is ours.
    (root / "local/sbin").mkdir(parents=True)
    lines = [
        *mounts(root, *extra),
        f"mount --bind {root}/local {root}/usr/local",
        f"exec chroot {root} /usr/bin/python3 -c '{INIT}'",
    ]
    process = subprocess.Popen(
        [
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child=KILL",
            "sh",
            "-ec",
            "\n".join(lines),
        ],
        stderr=subprocess.PIPE,
    )
    try:
        yield Machine(root, first_process(process, root))
    finally:
        # The namespace goes with its first process, and all that runs in it.
        process.kill()
        process.communicate()
        shutil.rmtree(root)


def first_process(process: subprocess.Popen[bytes], root: Path) -> int:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")

    def inside() -> bool:
        if process.poll() is not None:
            assert process.stderr
            raise OSError(process.stderr.read().decode().strip())
        [child] = children.read_text().split() or [None]
        return child is not None and os.readlink(f"/proc/{child}/root") == str(root)

    until(inside, "the machine in a directory")
    return int(children.read_text())
