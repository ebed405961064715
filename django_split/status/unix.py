"""HTTP over a unix socket."""

from __future__ import annotations

import http.client
import socket

SECONDS = 5.0


class UnixConnection(http.client.HTTPConnection):
    """A connection to whoever listens on a path."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(SECONDS)
        self.sock.connect(self._path)
