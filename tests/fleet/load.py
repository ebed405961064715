"""Light load on addresses of a site, with every failed request counted by its cause."""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from .addressed import Plain, Secure

# Longer than a proxy needs to find out that a host is dead, shorter than nginx waits for one that
# was cut off in the middle of an answer (35 s): such a visitor counts as failed.
PATIENCE = 8.0
PAUSE = 0.2


class Load:
    """Visitors who read pages, each at one address, until the end of the `with` block.

    With a ``context`` they come by TLS, and the certificate has to be the ``host``'s; without a
    ``host`` they ask for the address as it is. A ``cookie`` has them signed in.
    """

    def __init__(
        self,
        addresses: Sequence[str],
        host: str,
        paths: Sequence[str],
        each: int = 2,
        context: ssl.SSLContext | None = None,
        cookie: str = "",
    ) -> None:
        self.answered: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.slowest = 0.0
        # From the begin of the first request that failed to the end of the last one.
        self.away = 0.0
        self._first_failed: float | None = None
        self._host = host
        self._headers = {"Cookie": cookie} if cookie else {}
        self._context = context
        self._paths = paths
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._visitors = [
            threading.Thread(target=self._read, args=(address, number), daemon=True)
            for address in addresses
            for number in range(each)
        ]

    def __enter__(self) -> Self:
        for visitor in self._visitors:
            visitor.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end.set()
        for visitor in self._visitors:
            visitor.join(2 * PATIENCE)

    def _read(self, address: str, number: int) -> None:
        while not self._end.is_set():
            path = self._paths[number % len(self._paths)]
            number += 1
            begin = time.monotonic()
            cause = self._ask(address, path)
            end = time.monotonic()
            with self._lock:
                self.slowest = max(self.slowest, end - begin)
                if cause:
                    self.failed[f"{address} {cause}"] += 1
                    if self._first_failed is None or begin < self._first_failed:
                        self._first_failed = begin
                    self.away = end - self._first_failed
                else:
                    self.answered[address] += 1
            self._end.wait(PAUSE)

    def _ask(self, address: str, path: str) -> str:
        """Why a page was not to be had, or nothing."""
        connection = self._connection(address)
        try:
            connection.request("GET", path, headers=self._headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        finally:
            connection.close()
        return "" if answer.status == 200 else str(answer.status)

    def _connection(self, address: str) -> http.client.HTTPConnection:
        at, _, port = address.partition(":")
        name = f"{self._host or at}:{port}".removesuffix(":")
        if self._context:
            return Secure(name, at=at, timeout=PATIENCE, context=self._context)
        return Plain(name, at=at, timeout=PATIENCE)

    def run(self, seconds: float) -> None:
        """Go on for a while."""
        self._end.wait(seconds)

    def settle(self, seconds: float = 30) -> None:
        """Go on until nothing has failed for two seconds. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        before = -1
        while (now := self.failed.total()) != before:
            if time.monotonic() > deadline:
                raise TimeoutError(f"after {seconds:g} s still: {dict(self.failed)}")
            before = now
            self.run(2)
