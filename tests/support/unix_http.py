"""A web server on a unix socket that gives one answer, in place of an instance."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    answer: tuple[int, bytes]
    # The headers of each request.
    seen: list[dict[str, str]]


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.seen.append(dict(self.headers))
        status, body = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(path: Path, status: int = 200, body: bytes = b"The Gazette") -> Iterator[Server]:
    with Server(str(path), _Handler) as server:
        server.answer, server.seen = (status, body), []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
