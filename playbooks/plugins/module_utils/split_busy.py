"""Which releases some process of this host still runs in: a worker keeps the one it began in."""

from __future__ import annotations

import os
from contextlib import suppress


def busy(home: str) -> set[str]:
    """By where each process stands, and by the paths in its command."""
    top = os.path.realpath(os.path.join(home, "releases")) + os.sep
    found = set()
    for process in os.listdir("/proc"):
        if process.isdigit():
            for path in _paths(os.path.join("/proc", process)):
                if path.startswith(top):
                    found.add(path[len(top) :].partition(os.sep)[0])
    return found


def _paths(process: str) -> list[str]:
    # It may end while it is looked at; a thread of the kernel's has no exe.
    found = []
    for link in ("cwd", "exe"):
        with suppress(OSError):
            found.append(os.readlink(os.path.join(process, link)))
    with suppress(OSError), open(os.path.join(process, "cmdline"), "rb") as file:
        found += os.fsdecode(file.read()).split("\0")
    return found
