"""Processes as the kernel sees them: who listens where, as whom, and what a user can open."""

from __future__ import annotations

import errno
import json
import os
import pwd
import socket
import stat
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

LISTEN = "0A"  # TCP_LISTEN in /proc/net/tcp
# What a service manager tells one process; a program that we start must not answer in its name.
MANAGER_ENVIRONMENT = ("NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "WATCHDOG_PID", "WATCHDOG_USEC")


@dataclass(frozen=True)
class Process:
    """A running process: effective ids, and in `uids` also the real, saved and filesystem ones."""

    pid: int
    uid: int
    uids: frozenset[int]
    gid: int
    groups: frozenset[int]

    @property
    def user(self) -> str:
        """The user's name; several are given when the ids differ."""
        return "/".join(sorted(user_name(uid) for uid in self.uids))

    def environment(self) -> dict[str, str]:
        """What the process was started with."""
        data = Path(f"/proc/{self.pid}/environ").read_bytes()
        pairs = (item.partition(b"=") for item in data.split(b"\0") if b"=" in item)
        found = {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}
        return {k: v for k, v in found.items() if k not in MANAGER_ENVIRONMENT}

    def command(self) -> list[str]:
        """Its command line."""
        data = Path(f"/proc/{self.pid}/cmdline").read_bytes()
        return [os.fsdecode(part) for part in data.split(b"\0") if part]

    def directory(self) -> str:
        """Its working directory."""
        return os.readlink(f"/proc/{self.pid}/cwd")


def user_name(uid: int) -> str:
    """The name of a user id, or the number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def look(pid: int) -> Process:
    """Read one process; raises OSError when it has ended."""
    fields: dict[str, list[str]] = {}
    for line in Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines():
        key, _, value = line.partition(":")
        fields[key] = value.split()
    return Process(
        pid,
        int(fields["Uid"][1]),
        frozenset(int(uid) for uid in fields["Uid"]),
        int(fields["Gid"][1]),
        frozenset(int(gid) for gid in [*fields["Gid"], *fields.get("Groups", [])]),
    )


def listener(path: str, timeout: float = 2.0) -> Process:
    """The process that called listen() on a unix socket. Raises OSError where nobody does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(timeout)
        sock.connect(path)
        # Linux only, and so is everything that we deploy on
        peer = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid = struct.unpack("3i", peer)[0]
    return look(pid)


def family(pid: int) -> list[Process]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            # The name in parentheses may itself hold spaces and parentheses
            parent = int((entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            continue
        children.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        todo += children.get(one, [])
        try:
            found.append(look(one))
        except OSError:
            continue
    return found


def internet_sockets(pid: int) -> list[str]:
    """The TCP ports that a process listens on and the UDP ports it has: "tcp 127.0.0.1:6379"."""
    inodes = set()
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            try:
                target = os.readlink(f"/proc/{pid}/fd/{name}")
            except OSError:
                continue
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    except OSError:
        return []
    found = []
    for protocol in ("tcp", "tcp6", "udp", "udp6"):
        try:
            # The process's own table: its unit may have a network namespace of its own
            lines = Path(f"/proc/{pid}/net/{protocol}").read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            part = line.split()
            bound_udp = protocol.startswith("udp") and part[2].endswith(":0000")
            if part[9] in inodes and (part[3] == LISTEN or bound_udp):
                found.append(f"{protocol[:3]} {_address(part[1])}")
    return sorted(found)


def _address(text: str) -> str:
    address, _, port = text.partition(":")
    # The kernel prints each 32-bit word in the machine's own byte order
    words = [
        int(address[i : i + 8], 16).to_bytes(4, sys.byteorder) for i in range(0, len(address), 8)
    ]
    packed = b"".join(words)
    name = socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)
    return f"{name if len(packed) == 4 else f'[{name}]'}:{int(port, 16)}"


def attempts(user: str, paths: list[str], timeout: float = 2.0) -> dict[str, str]:
    """Try to connect to or open each path as a user, with that user's groups.

    Returns path -> "denied", "opened", "missing", or the error. Done in a child that has given up
    root: modes alone say nothing of ACLs, security modules or a group joined by mistake.
    """
    account = pwd.getpwnam(user)
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.close(reader)
            os.initgroups(account.pw_name, account.pw_gid)
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
            result = {path: _attempt(path, timeout) for path in paths}
            with os.fdopen(writer, "w") as out:
                json.dump(result, out)
            status = 0
        finally:
            # Not sys.exit: the child must not run what the module has registered to run at its end
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader) as source:
        text = source.read()
    os.waitpid(pid, 0)
    if not text:
        return dict.fromkeys(paths, f"could not become {user}")
    found: dict[str, str] = json.loads(text)
    return found


def _attempt(path: str, timeout: float) -> str:
    try:
        if path.endswith(".sock"):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
                sock.settimeout(timeout)
                sock.connect(path)
        else:
            os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM):
            return "denied"
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return "missing"
        if error.errno == errno.ECONNREFUSED:
            # Permission is looked at before the listener: with one, it would have been let in
            return "opened"
        return str(error.strerror or error).lower()
    return "opened"


def mode(path: str) -> str:
    """The permission bits, links followed: "0660"."""
    return f"{stat.S_IMODE(os.stat(path).st_mode):04o}"
