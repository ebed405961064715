"""Ctrl-C for long work: the batch under way is finished, then the work says what it did."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any

# How long a wait goes on after Ctrl-C, at most.
SLICE = 0.1


class Stop:
    """Within it SIGINT and SIGTERM only ask to stop; the second one interrupts at once.

    `status` is what the process then exits with, as a shell counts it: 130 or 143.
    """

    def __init__(self) -> None:
        self.status = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        # Only the main thread may set handlers; in another one, signals stay the caller's.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._asked)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._restore()

    def __bool__(self) -> bool:
        return bool(self.status)

    def wait(self, seconds: float) -> None:
        """Sleep, but no longer than it takes to notice a Ctrl-C."""
        until = time.monotonic() + seconds
        while not self and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, SLICE))

    def _asked(self, number: int, frame: FrameType | None) -> None:
        self.status = 128 + number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()
