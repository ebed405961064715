"""A time limit for code that is not ours."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class TooSlow(BaseException):
    """No Exception: a view's own `except Exception` must not swallow it."""


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Raise TooSlow in the block when it takes longer.

    It is raised again and again, because a bare `except` would swallow the first.
    """
    armed = True

    def ring(*args: Any) -> None:
        if armed:
            raise TooSlow

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.2)
    try:
        yield
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
