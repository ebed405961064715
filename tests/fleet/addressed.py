"""Connections to an address under a name that no name server knows."""

from __future__ import annotations

import functools
import http.client
import socket
import ssl
from urllib.request import HTTPHandler, HTTPSHandler, Request


def _dial(at: str, address: tuple[str, int], *options: object) -> socket.socket:
    return socket.create_connection((at, address[1]), *options)  # type: ignore[arg-type]


class Plain(http.client.HTTPConnection):
    """By HTTP: `at` is connected to, whatever the name is."""

    def __init__(self, name: str, *, at: str, **options: object) -> None:
        super().__init__(name, **options)  # type: ignore[arg-type]
        self._create_connection = functools.partial(_dial, at)


class Secure(http.client.HTTPSConnection):
    """By TLS: the certificate has to be the name's."""

    def __init__(self, name: str, *, at: str, **options: object) -> None:
        super().__init__(name, **options)  # type: ignore[arg-type]
        self._create_connection = functools.partial(_dial, at)


class PlainHandler(HTTPHandler):
    """What urllib asks with, for one address."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self._at = at

    def http_open(self, request: Request) -> http.client.HTTPResponse:
        return self.do_open(functools.partial(Plain, at=self._at), request)


class SecureHandler(HTTPSHandler):
    """The same by TLS."""

    def __init__(self, at: str, context: ssl.SSLContext) -> None:
        super().__init__()
        self._at, self._given = at, context

    def https_open(self, request: Request) -> http.client.HTTPResponse:
        there = functools.partial(Secure, at=self._at)
        return self.do_open(there, request, context=self._given)
