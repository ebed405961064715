"""What has to be on the disk before the next step, for a power cut right behind that."""

from __future__ import annotations

import contextlib
import os


def sync_directory(path: str) -> None:
    """A rename survives a power cut only when its directory has been synced too."""
    with contextlib.suppress(FileNotFoundError):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
