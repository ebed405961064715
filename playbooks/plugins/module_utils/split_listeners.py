"""Who holds a TCP port of this host: from /proc, where ss and lsof may not be installed."""

from __future__ import annotations

import os
import pwd
import re
import socket
import struct

LISTEN = "0A"
# Compared with, never listened on
ANY = ("0.0.0.0", "::")  # noqa: S104


class Process:
    """A process that holds a socket."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.command = _read(f"/proc/{pid}/cmdline").replace("\0", " ").strip()
        self.name = _read(f"/proc/{pid}/comm").strip()
        units = re.findall(r"/([^/\n]+\.service)(?=/|$)", _read(f"/proc/{pid}/cgroup"), re.M)
        self.unit = units[-1] if units else ""
        try:
            self.user = pwd.getpwuid(os.stat(f"/proc/{pid}").st_uid).pw_name
        except (KeyError, OSError):
            self.user = "?"


class Listener:
    """A listening socket: where, and by which processes (the oldest first)."""

    def __init__(self, address: str, inode: str) -> None:
        self.address = address
        self.inode = inode
        self.processes: list[Process] = []

    def told(self) -> str:
        """Whose it is, as one would look for it."""
        if not self.processes:
            return f"a process that cannot be seen from here (on {self.address})"
        process = self.processes[0]
        command = process.command if len(process.command) <= 120 else process.command[:119] + "…"
        return f"{process.name} (pid {process.pid}, user {process.user}: {command})"

    def unit(self) -> str:
        """The systemd unit that its process belongs to, or ""."""
        return self.processes[0].unit if self.processes else ""


def listeners(port: int) -> list[Listener]:
    """Every listening TCP socket on a port, with its processes (all of them as root)."""
    found = []
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in _read("/proc/net/" + table).splitlines()[1:]:
            fields = line.split()
            address, _, hexport = fields[1].partition(":")
            if fields[3] == LISTEN and int(hexport, 16) == port:
                found.append(Listener(_address(address, family), fields[9]))
    if found:
        _name(found)
    return found


def overlap(wanted: str, held: str) -> bool:
    """Whether two addresses can collide; "::" may hold IPv4 too, the kernel alone knows."""
    if wanted == held or held == "::":
        return True
    if (":" in wanted) != (":" in held):
        return False
    return wanted in ANY or held in ANY


def bind_error(address: str, port: int) -> int | None:
    """The errno of binding there as nginx does, None when it works. The socket never listens."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As nginx does: connections of an ended server may linger, and stop no new one.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind((address, port))
    except OSError as error:
        return error.errno
    return None


def _address(text: str, family: int) -> str:
    """The kernel prints each 32 bits as a number of its own byte order."""
    words = [int(text[start : start + 8], 16) for start in range(0, len(text), 8)]
    return socket.inet_ntop(family, b"".join(struct.pack("=I", word) for word in words))


def _name(found: list[Listener]) -> None:
    by_link = {f"socket:[{listener.inode}]": listener for listener in found}
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        folder = f"/proc/{pid}/fd"
        try:
            links = {os.readlink(os.path.join(folder, name)) for name in os.listdir(folder)}
        except OSError:
            # Ended meanwhile, or not ours to look at
            continue
        for link in links & by_link.keys():
            by_link[link].processes.append(Process(pid))


def _read(path: str) -> str:
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except OSError:
        return ""
