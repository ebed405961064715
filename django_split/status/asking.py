"""Asks a site's sockets: an instance for its gate's page, a store whether it is there."""

from __future__ import annotations

import http.client
import os
import socket
import time

from . import queues
from .part import Part
from .site import Gate
from .unix import SECONDS, UnixConnection


def instance(name: str, link: str, gate: Gate) -> Part:
    """As the gate asks a new release, and how many wait at its socket."""
    begun = time.monotonic()
    connection = UnixConnection(link)
    try:
        connection.request(
            "GET",
            gate.path,
            headers={
                "Host": gate.host,
                "X-Forwarded-Proto": gate.scheme,
                "User-Agent": "django-split status",
            },
        )
        answer = connection.getresponse()
        body = answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return Part("gate", name, False, f"{gate.path}: {_reason(error)}")
    finally:
        connection.close()
    seen = f"{gate.path} answers {answer.status} in {(time.monotonic() - begun) * 1000:.0f} ms"
    if answer.status not in gate.status:
        wanted = " or ".join(str(status) for status in gate.status)
        return Part("gate", name, False, f"{seen}, expected {wanted}")
    if gate.text not in body:
        return Part("gate", name, False, f'{seen}, without the text "{gate.text}"')
    waiting = queues.unix(os.path.realpath(link))
    if waiting is None:
        return Part("gate", name, True, seen)
    # Only nginx is in front: what waits here waits for a free worker.
    return Part("gate", name, True, f"{seen}; {waiting[0]} of {waiting[1]} wait for a worker")


def store(name: str, kind: str, path: str) -> Part:
    """A store answers, and says how full it is where it does."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(SECONDS)
            connection.connect(path)
            used = _memcached(connection) if kind == "memcached" else _redis(connection)
    except (OSError, ValueError) as error:
        return Part("store", name, False, f"{path}: {_reason(error)}")
    if used is None:
        return Part("store", name, True, "answers")
    full = used[0] >= used[1] * 0.9
    seen = f"answers; {used[0] / 2**20:.1f} of {used[1] / 2**20:.0f} MB are taken"
    return Part("store", name, not full, seen + (", nearly full" if full else ""))


def _redis(connection: socket.socket) -> tuple[int, int] | None:
    reader = connection.makefile("rb")
    connection.sendall(b"PING\r\n")
    answer = reader.readline()
    if answer != b"+PONG\r\n":
        raise ValueError(answer.decode(errors="replace").strip() or "closed without an answer")
    # The user that the Sessions page is; the store of main's sessions has none.
    connection.sendall(b"AUTH page page\r\n")
    if reader.readline() != b"+OK\r\n":
        return None
    connection.sendall(b"INFO memory\r\n")
    size = reader.readline()
    if not size.startswith(b"$"):
        return None
    lines = reader.read(int(size[1:])).decode().splitlines()
    said = dict(line.split(":", 1) for line in lines if ":" in line)
    used, limit = int(said.get("used_memory", 0)), int(said.get("maxmemory", 0))
    return (used, limit) if limit else None


def _memcached(connection: socket.socket) -> tuple[int, int] | None:
    reader = connection.makefile("rb")
    connection.sendall(b"stats\r\n")
    said = {}
    while (line := reader.readline()) not in (b"END\r\n", b""):
        _, name, value = line.decode().split(" ", 2)
        said[name] = value.strip()
    if not said:
        raise ValueError("closed without an answer")
    # It makes room by itself: full is nothing wrong here, and nearly always so.
    return None


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__
