"""The database of the session table, opened so that it can only be read."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.apps import apps
from django.conf import settings
from django.db import connections, router

from django_split.analysis.readonly import Databases
from django_split.audit import facts
from django_split.sessions.database import model_of
from django_split.sqlite import file_of

SESSIONS = "django.contrib.sessions"


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
    if known.vendor == "sqlite":
        _only_read(known.settings_dict)
    databases = Databases(lambda file: "", seconds)
    databases.protect([alias])
    return "; ".join(databases.notes)


def _only_read(entry: dict[str, Any]) -> None:
    """SQLite would else roll back what was interrupted, or make a log beside the file."""
    file = file_of(entry)
    name = str(entry["NAME"])
    if file is None or not file.exists() or "mode=" in name:
        return
    options = f"&{name.partition('?')[2]}" if name.startswith("file:") and "?" in name else ""
    entry["NAME"] = f"file:{quote(str(Path(file).absolute()))}?mode=ro{options}"
