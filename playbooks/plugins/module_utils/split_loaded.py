"""What each process was last loaded with.

A handler that hangs on ``changed`` never runs when the playbook is killed between installing a file
and reloading its process: the next run finds the file as it should be. So the digest of what a
process has loaded is written down after it loaded it, and compared with the files at every run.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable


def files_digest(paths: Iterable[str]) -> str:
    """One sha256 over names and contents of ``paths``; a folder counts with all that is in it."""
    total = hashlib.sha256()
    for path in sorted(paths):
        for name in _files(path):
            total.update(name.encode() + b"\0")
            try:
                with open(name, "rb") as file:
                    total.update(hashlib.sha256(file.read()).digest())
            except OSError:
                total.update(b"absent")
    return total.hexdigest()


def _files(path: str) -> list[str]:
    if not os.path.isdir(path):
        return [path]
    return sorted(
        os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names
    )


def _record(site: str, name: str) -> str:
    return f"/var/lib/django-split/{site}/loaded/{name}"


def loaded(site: str, name: str) -> str:
    """The digest that ``name`` was last started or reloaded with; empty when never."""
    try:
        with open(_record(site, name)) as record:
            return record.read()
    except OSError:
        return ""


def remember(site: str, name: str, digest: str) -> None:
    path = _record(site, name)
    os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
    with open(path + ".new", "w") as record:
        record.write(digest)
    os.rename(path + ".new", path)


def forget(site: str, name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(_record(site, name))
