"""A flock that is tried, or waited for with an end.

The kernel drops it with the last process that has the descriptor, however that ends: whoever is
started with it (``pass_fds``) holds it on when its parent is killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator

TRY_SECONDS = 0.1


class HeldError(Exception):
    """Somebody else holds it for longer than was to be waited; the text says where to look."""


def taken(descriptor: int, how: int = fcntl.LOCK_EX) -> bool:
    """Lock what is open, unless somebody else holds it."""
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def held(path: str, seconds: float) -> Iterator[int]:
    """Hold a folder, or a file that is made when it is not there; gives its descriptor.

    Raises HeldError when it cannot be had for ``seconds``.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY if os.path.isdir(path) else os.O_RDWR | os.O_CREAT
    descriptor = os.open(path, flags, 0o600)
    try:
        deadline = time.monotonic() + seconds
        while not taken(descriptor):
            if time.monotonic() > deadline:
                raise HeldError(
                    f"{path} is held by another after {seconds:.0f} s: `fuser -v {path}` says which"
                )
            time.sleep(TRY_SECONDS)
        yield descriptor
    finally:
        os.close(descriptor)
