"""A way out for hosts that have none: a proxy on the controller's address of their network.

As in a house whose servers reach the registries through one machine. It knows CONNECT and plain
HTTP, and lives as long as the test.
"""

from __future__ import annotations

import contextlib
import select
import socket
import socketserver
import threading
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

TIMEOUT = 60


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        line = self.rfile.readline(8192)
        with contextlib.suppress(OSError, ValueError):
            method, target, version = line.split()
            if method == b"CONNECT":
                while self.rfile.readline(8192) not in (b"\r\n", b"\n", b""):
                    pass
                host, _, port = target.decode().rpartition(":")
                with socket.create_connection((host, int(port)), TIMEOUT) as far:
                    self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                    _carry(self.connection, far)
                return
            url = urlsplit(target.decode())
            with socket.create_connection((url.hostname or "", url.port or 80), TIMEOUT) as far:
                path = url._replace(scheme="", netloc="").geturl() or "/"
                far.sendall(b"%s %s %s\r\n" % (method, path.encode(), version))
                # One request for each connection: the next may be for another host.
                while (header := self.rfile.readline(8192)) not in (b"\r\n", b"\n", b""):
                    if not header.lower().startswith((b"connection:", b"proxy-connection:")):
                        far.sendall(header)
                far.sendall(b"Connection: close\r\n\r\n")
                _carry(self.connection, far)


def _carry(near: socket.socket, far: socket.socket) -> None:
    """Carry bytes both ways until either side has ended."""
    ways = {near: far, far: near}
    while True:
        ready, _, _ = select.select(list(ways), [], [], TIMEOUT)
        if not ready:
            return
        for one in ready:
            data = one.recv(65536)
            if not data:
                return
            ways[one].sendall(data)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class WayOut:
    """Serves as a context manager; `environment` is what a host needs to know of it."""

    def __init__(self, address: str) -> None:
        self._server = _Server((address, 0), _Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def environment(self) -> dict[str, str]:
        """Variables that apt and pip both go by."""
        address, port = self._server.server_address[:2]
        url = f"http://{address!s}:{port}"
        return {"http_proxy": url, "https_proxy": url}
