"""A real PostgreSQL of a test's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def postgresql_server(fsync: bool = False) -> Iterator[Path]:
    """A cluster on a unix socket only; gives the folder that is its HOST. Its user is postgres.

    `fsync` is for who measures: a commit then waits for the disk, as it does where it matters.
    """
    programs = _programs()
    if programs is None or os.geteuid() != 0:
        pytest.skip("needs root and PostgreSQL: apt-get install postgresql")
    # Short, because a socket's path ends at 107 bytes, and readable by the user that initdb wants.
    folder = Path(tempfile.mkdtemp(prefix="split-pg-"))
    shutil.chown(folder, "postgres")

    def as_postgres(*command: str) -> None:
        words = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]
        subprocess.run(words, check=True, capture_output=True, timeout=120, cwd=folder)

    as_postgres(str(programs / "initdb"), "-D", f"{folder}/data", "-A", "trust", "--no-sync")
    options = f"-k {folder} -c listen_addresses='' -c fsync={'on' if fsync else 'off'}"
    control = str(programs / "pg_ctl")
    log = f"{folder}/log"
    as_postgres(control, "-D", f"{folder}/data", "-w", "-l", log, "-o", options, "start")
    try:
        yield folder
    finally:
        as_postgres(control, "-D", f"{folder}/data", "-m", "immediate", "stop")
        shutil.rmtree(folder)


def _programs() -> Path | None:
    """Debian keeps initdb and its kind in a folder of each version's."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None
