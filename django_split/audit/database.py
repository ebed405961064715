"""The database of the session table, opened so that it can only be read."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.apps import apps
from django.conf import settings
from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper

from django_split.analysis.readonly import Databases
from django_split.audit import facts
from django_split.sessions.database import model_of
from django_split.sqlite import file_of

SESSIONS = "django.contrib.sessions"
# Bytes 18 and 19 of a SQLite file that has a write-ahead log (its file format, 1.3).
WRITE_AHEAD = b"\x02\x02"


def model() -> Any:
    """The model of the engine in force, or the one of Django's app; None where there is neither.

    A table is there to be looked at whatever the engine is: after a move it is what is left.
    """
    # A broken engine is told of by `engines.store`.
    with suppress(Exception):
        if kept := model_of(settings.SESSION_ENGINE):
            return kept
    if not apps.is_installed(SESSIONS):
        return None
    from django.contrib.sessions.models import Session

    return Session


def alias_of(found: Any) -> str:
    return str(router.db_for_read(found) or "default")


def connection(alias: str) -> facts.Connection:
    """What settings say of it."""
    known = connections[alias]
    options = known.settings_dict.get("OPTIONS") or {}
    return facts.Connection(
        alias,
        known.vendor,
        known.settings_dict.get("CONN_MAX_AGE"),
        pool=bool(options.get("pool")),
    )


def open_to_read(alias: str, seconds: int) -> str:
    """Make the database read-only and reach it. Gives why that cannot be, or nothing.

    `seconds` is for one statement.
    """
    known = connections[alias]
    if known.settings_dict["ENGINE"].endswith(".dummy"):
        return "no database is configured"
    only_read(known)
    databases = Databases(lambda file: "", seconds)
    databases.protect([alias])
    return "; ".join(databases.notes)


def only_read(known: BaseDatabaseWrapper) -> None:
    """SQLite would else roll back what was interrupted, though nothing is written by us."""
    entry = known.settings_dict
    file = file_of(entry) if known.vendor == "sqlite" else None
    name = str(entry["NAME"])
    if file is None or not file.exists() or "mode=" in name:
        return
    options = name.partition("?")[2] if name.startswith("file:") else ""
    ours = [
        "mode=ro",
        *(["immutable=1"] if _lies_still(file) else []),
        *([options] * bool(options)),
    ]
    entry["NAME"] = f"file:{quote(str(file.absolute()))}?{'&'.join(ours)}"


def _lies_still(file: Path) -> bool:
    """Whether a database with a write-ahead log is open nowhere.

    Who opens it to read only would make the log, and leave it lying there as its own.
    """
    if os.path.exists(f"{file}-wal"):
        return False
    try:
        with file.open("rb") as opened:
            return opened.read(20)[18:] == WRITE_AHEAD
    except OSError:
        return False  # opening it says so better
