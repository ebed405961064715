"""A controller that shares this machine with its host, and yields to it as if it had its own.

ansible-playbook computes for half of a deploy. On a machine of its own no visitor notices; here it
would take every second turn of a processor. A CPU group of little weight comes close to that, and
still gets on where several tests are at work. Niceness does not: the kernel counts it among the
processes of one session only (autogroup).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from . import paths

# An eighth of the usual weight, in version 1 of the kernel's CPU controller and in version 2.
_V1 = Path("/sys/fs/cgroup/cpu"), "cpu.shares", "128"
_V2 = Path("/sys/fs/cgroup"), "cpu.weight", "12"


@contextlib.contextmanager
def elsewhere() -> Iterator[list[str]]:
    """Words that a command is put behind; none where the kernel offers no such group here."""
    root, name, little = _V1 if (_V1[0] / _V1[1]).exists() else _V2
    for left in root.glob(f"{paths.PREFIX}elsewhere-*"):
        # One that somebody is in stays.
        with contextlib.suppress(OSError):
            left.rmdir()
    group = root / f"{paths.PREFIX}elsewhere-{os.getpid()}"
    group.mkdir()
    if not (group / name).exists():
        group.rmdir()
        yield []
        return
    (group / name).write_text(little)
    try:
        yield ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "elsewhere"]
    finally:
        # What SSH keeps open for the next command is in it still.
        for process in (group / "cgroup.procs").read_text().split():
            with contextlib.suppress(OSError):
                (root / "cgroup.procs").write_text(process)
        with contextlib.suppress(OSError):
            group.rmdir()
