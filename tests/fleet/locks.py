"""Locks between test runs on one machine."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from . import paths


@contextmanager
def held(name: str) -> Iterator[None]:
    """Wait for a lock and hold it. The kernel drops it with the process that holds it."""
    paths.CACHE.mkdir(parents=True, exist_ok=True)
    lock = os.open(paths.CACHE / f".{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
