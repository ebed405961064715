"""A copy of a SQLite database that is being written to."""

from __future__ import annotations

import os
import pwd
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from .parts import OURS, BackupError

SECONDS = 3600
# One step: it holds the readers' lock, so writers wait for it, and it never begins anew.
PROGRAM = """
import sqlite3, sys
source, target = (sqlite3.connect(path, timeout=60) for path in sys.argv[1:])
source.backup(target)
target.close()
"""


@contextmanager
def copied(path: str) -> Iterator[str]:
    """SQLite's own online backup, beside the database and by its owner; gone at the end.

    Root must not open it: the files that SQLite makes beside a database would be root's, and the
    site could no longer write.
    """
    owner = os.stat(path)
    handle, copy = tempfile.mkstemp(prefix=OURS, dir=os.path.dirname(path))
    try:
        os.fchown(handle, owner.st_uid, owner.st_gid)
        os.close(handle)
        done = subprocess.run(
            [
                "setpriv",
                f"--reuid={owner.st_uid}",
                f"--regid={owner.st_gid}",
                *(["--init-groups"] if known(owner.st_uid) else ["--clear-groups"]),
                *("--inh-caps=-all", "/usr/bin/python3", "-I", "-c", PROGRAM, path, copy),
            ],
            cwd="/",
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise BackupError(f"{path} cannot be copied: {last}")
        yield copy
    finally:
        for ending in ("", "-journal", "-wal", "-shm"):
            if os.path.exists(copy + ending):
                os.unlink(copy + ending)


def known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
