"""What of a site people have made or cannot be made again, and where it lies."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# While a copy of a SQLite database is made, and while a folder is restored.
OURS = ".django-split-"
SQLITE = b"SQLite format 3\0"
# What SQLite keeps beside a database; a copy that it has made itself needs none of them.
BESIDE = ("-wal", "-shm", "-journal")
# Marks that something was done once, which must not be done again on a restored site.
MARKS = ("sessions-moved", "first-commands")


class BackupError(Exception):
    """What is in the way of a backup or a restore, and how to mend it."""


@dataclass(frozen=True)
class Part:
    """One folder of a site; ``only`` names its entries when not all of it counts."""

    name: str
    folder: str
    only: tuple[str, ...] | None = None

    def files(self) -> Iterator[tuple[str, os.stat_result]]:
        """Paths relative to the folder, a folder before what is in it. Links are not followed."""
        for inner, folders, names in os.walk(self.folder):
            if inner == self.folder and self.only is not None:
                folders[:] = [name for name in folders if name in self.only]
                names = [name for name in names if name in self.only]
            folders[:] = sorted(name for name in folders if not name.startswith(OURS))
            for name in sorted([*folders, *names]):
                if name.startswith(OURS):
                    continue
                path = os.path.join(inner, name)
                try:
                    yield os.path.relpath(path, self.folder), os.lstat(path)
                except FileNotFoundError:
                    continue  # deleted meanwhile


def parts(params: Mapping[str, Any]) -> list[Part]:
    """In the order in which they are saved: what a row of the database names comes after it."""
    found = [Part(name, params["folders"][name]) for name in ("data", "var", "media")]
    found.append(Part("secrets", params["conf"], secrets(params["conf"], params["state_folder"])))
    found.append(Part("state", params["state_folder"], MARKS))
    for name in params["stores"]:
        found.append(Part(name, os.path.join(params["state_folder"], name)))
    return [part for part in found if os.path.isdir(part.folder)]


def secrets(conf: str, state: str) -> tuple[str, ...]:
    """What lies in the site's folder of /etc and was not written by the playbook.

    It was made there. The manifests list what can be written again at any time.
    """
    written: set[str] = set()
    folder = os.path.join(state, "manifests")
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        if name.endswith(".json"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                written.update(json.load(file)["files"])
    if not os.path.isdir(conf):
        return ()
    return tuple(
        name
        for name in sorted(os.listdir(conf))
        if os.path.join(conf, name) not in written and not _holds(os.path.join(conf, name), written)
    )


def _holds(folder: str, written: set[str]) -> bool:
    """Whether a folder is the playbook's because something that it wrote lies in it."""
    return any(path.startswith(folder + "/") for path in written)


def is_sqlite(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(len(SQLITE)) == SQLITE
    except OSError:
        return False
