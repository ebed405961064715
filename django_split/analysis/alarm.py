"""A time limit for code that is not ours."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

AGAIN = 0.05


class TooSlow(BaseException):
    """No Exception: a view's own `except Exception` must not swallow it."""


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Raise TooSlow when the block takes longer, whatever becomes of it.

    In the block it is raised again and again, because a bare `except` would swallow the first.
    """
    armed, rang = True, False

    def ring(*args: Any) -> None:
        nonlocal rang
        if armed:
            rang = True
            raise TooSlow

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    except BaseException:
        armed = False
        if rang:
            raise TooSlow from None
        raise
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if rang:
        raise TooSlow
