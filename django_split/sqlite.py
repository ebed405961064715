"""SQLite files that both instances can write: ``python -m django_split.sqlite``.

Runs with the admin's settings. SQLite makes its file 0644 whatever the umask says, and then only
the user who came first can write it. A file that exists keeps its mode, and SQLite gives the
journal beside it the same one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

MODE = 0o660


def file_of(settings: Mapping[str, Any]) -> Path | None:
    """The file that an entry of DATABASES names; None for another database, or one in memory."""
    name = str(settings["NAME"])
    if not settings["ENGINE"].endswith(("sqlite3", "spatialite")) or ":memory:" in name:
        return None
    # "file:/srv/x.sqlite3?mode=rwc" is SQLite's own way to write a path with options.
    path = unquote(name[5:].partition("?")[0]) if name.startswith("file:") else name
    return Path(path) if path else None


def files() -> list[Path]:
    """The SQLite files that the settings in force name."""
    from django.db import connections

    named = (file_of(connections[alias].settings_dict) for alias in connections)
    return [path for path in named if path]


def prepare(path: Path) -> bool:
    """Make an empty file of the right mode; returns whether it was made.

    One that exists is left as it is.
    """
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, MODE)
    except FileExistsError:
        return False
    # The process's umask took its share of the mode.
    os.fchmod(handle, MODE)
    os.close(handle)
    return True


def main() -> None:
    """Prepare every SQLite file of the settings in force, and say which were made."""
    import django

    django.setup()
    for path in files():
        if prepare(path):
            print(f"created {path}")


if __name__ == "__main__":
    main()
