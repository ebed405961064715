"""Light load: a few requests a second, each by a connection of its own; failures are counted."""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from collections import Counter
from types import TracebackType
from typing import Self


class Light:
    """Asks for pages in turn while the block runs. `failed` counts by cause, `done` all of them."""

    def __init__(
        self, port: int, *pages: str, context: ssl.SSLContext | None = None, rate: float = 20
    ) -> None:
        self.done = 0
        self.failed: Counter[str] = Counter()
        self._port = port
        self._pages = pages or ("/",)
        self._context = context
        self._pause = 1 / rate
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask_all, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(60)

    def _ask_all(self) -> None:
        while not self._stop.is_set():
            page = self._pages[self.done % len(self._pages)]
            if wrong := self._ask(page):
                self.failed[f"{page}: {wrong}"] += 1
            self.done += 1
            time.sleep(self._pause)

    def _ask(self, page: str) -> str:
        """What is wrong with the answer, or nothing."""
        connection: http.client.HTTPConnection
        if self._context:
            connection = http.client.HTTPSConnection(
                "localhost", self._port, timeout=20, context=self._context
            )
        else:
            connection = http.client.HTTPConnection("localhost", self._port, timeout=20)
        try:
            connection.request("GET", page)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        finally:
            connection.close()
        return "" if answer.status == 200 else str(answer.status)
