"""How many connections wait to be taken up: what a visitor waits for when workers are too few."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

# linux/sock_diag.h, linux/unix_diag.h, linux/netlink.h
SOCK_DIAG_BY_FAMILY = 20
NETLINK_SOCK_DIAG = 4
REQUEST_DUMP = 0x301
DONE, ERROR = 3, 2
LISTEN = 10
SHOW_NAME, SHOW_QUEUE = 0x01, 0x10
NAME, QUEUE = 0, 4


def unix(path: str) -> tuple[int, int] | None:
    """Waiting on the listening socket, and how many may; None where the kernel does not say."""
    with contextlib.suppress(OSError, struct.error):
        return next((queue for name, queue in _listening() if name == path), None)
    return None


def _listening() -> Iterator[tuple[str, tuple[int, int]]]:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(2)
        asked = struct.pack(
            "=BBHIIIII", socket.AF_UNIX, 0, 0, 1 << LISTEN, 0, SHOW_NAME | SHOW_QUEUE, 0, 0
        )
        head = struct.pack("=IHHII", 16 + len(asked), SOCK_DIAG_BY_FAMILY, REQUEST_DUMP, 1, 0)
        kernel.send(head + asked)
        while True:
            answer = kernel.recv(65536)
            while len(answer) >= 16:
                length, kind = struct.unpack_from("=IH", answer)
                if kind in (DONE, ERROR) or length < 16:
                    return
                yield from _socket(answer[16:length])
                answer = answer[(length + 3) & ~3 :]


def _socket(message: bytes) -> Iterator[tuple[str, tuple[int, int]]]:
    name, queue, at = "", None, 16
    while at + 4 <= len(message):
        length, kind = struct.unpack_from("=HH", message, at)
        if length < 4:
            break
        value = message[at + 4 : at + length]
        if kind == NAME:
            name = value.rstrip(b"\0").decode(errors="replace")
        elif kind == QUEUE:
            waiting, limit = struct.unpack("=II", value)
            queue = (waiting, limit)
        at += (length + 3) & ~3
    if queue:
        yield name, queue


def tcp(port: int, tables: tuple[str, ...] = ("/proc/net/tcp", "/proc/net/tcp6")) -> int | None:
    """Waiting on a listening port, over all its addresses; None when nobody listens."""
    found = None
    for table in tables:
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                    found = (found or 0) + int(fields[4].rpartition(":")[2], 16)
    return found
