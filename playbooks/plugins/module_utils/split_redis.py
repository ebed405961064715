"""Speaks to a Redis or a Sentinel over TLS: enough of its protocol to ask how it is.

Not redis-cli: it has no timeout for connecting, and a password would stand in its environment.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from typing import Any


class AwayError(Exception):
    """No answer: not there, not ours, or too late."""


class RefusedError(Exception):
    """An answer that says no."""


class Redis:
    """One connection, as one user. A context manager."""

    def __init__(
        self,
        address: str,
        port: int,
        authority: str,
        user: str = "",
        password: str = "",
        timeout: float = 2.0,
    ) -> None:
        """``authority``: the file of who signed its certificate. Raises AwayError, RefusedError."""
        self._stack = contextlib.ExitStack()
        try:
            context = ssl.create_default_context(cafile=authority)
            plain = socket.create_connection((address, port), timeout)
            self._stack.callback(plain.close)
            self._socket = context.wrap_socket(plain, server_hostname=address)
            self._stack.callback(self._socket.close)
            self._file = self._stack.enter_context(self._socket.makefile("rb"))
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            self._stack.close()
            raise AwayError(f"{address}:{port}: {error}") from error
        if user:
            try:
                self.ask("AUTH", user, password)
            except BaseException:
                self._stack.close()
                raise

    def __enter__(self) -> Redis:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def ask(self, *words: str) -> Any:
        """The answer: text, number, list, or None."""
        parts = [f"*{len(words)}\r\n".encode()]
        for word in words:
            encoded = word.encode()
            parts.append(b"$%d\r\n%s\r\n" % (len(encoded), encoded))
        try:
            self._socket.sendall(b"".join(parts))
            return self._answer()
        except (OSError, ValueError) as error:
            raise AwayError(str(error)) from error

    def fields(self, *words: str) -> dict[str, str]:
        """The answer to INFO, or to what answers with names and values in turn."""
        answer = self.ask(*words)
        if isinstance(answer, list):
            return dict(zip(answer[::2], answer[1::2], strict=False))
        lines = str(answer).splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def _answer(self) -> Any:
        line = self._file.readline()
        if not line.endswith(b"\r\n"):
            raise AwayError("the connection was closed")
        kind, rest = line[:1], line[1:-2].decode()
        if kind == b"-":
            raise RefusedError(rest)
        if kind == b":":
            return int(rest)
        if kind == b"$":
            if int(rest) < 0:
                return None
            return self._file.read(int(rest) + 2)[:-2].decode(errors="replace")
        if kind == b"*":
            # One that says no within a list ("EXEC") is not ours to meet.
            return [self._answer() for _ in range(int(rest))] if int(rest) >= 0 else None
        return rest
