"""Where a session is: `python -m django_split.sessions.locate`, with the key on standard input.

Runs under the admin's settings and prints {"engine", "store", "database", "user"}: the engine in
force, whether the store has the session, whether `django_session` has it (null where there is no
such table), and the user's id. The key comes on standard input, because a command line is there for
every local user to read.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections, router

from django_split.answers import answer
from django_split.sessions.codec import loads
from django_split.sessions.store import Store

LOGIN_KEY = "_auth_user_id"


def locate(key: str) -> dict[str, Any]:
    """Find a session by its key.

    Looks at store and database separately, whatever the engine makes of them.
    """
    engine = settings.SESSION_ENGINE
    stored = _in_store(key)
    row = _in_database(key)
    data = stored or row or {}
    return {
        "engine": engine,
        "store": stored is not None,
        "database": None if row is None else bool(row),
        "user": data.get(LOGIN_KEY),
    }


def _in_store(key: str) -> dict[str, Any] | None:
    engine = import_module(settings.SESSION_ENGINE)
    if engine.__name__.startswith("django_split.sessions."):
        kept = Store.current().get(key)
        return None if kept is None else loads(kept)
    session = engine.SessionStore(key)
    cache = getattr(session, "_cache", None)
    if cache is None:
        return None  # the engine in force keeps nothing in a cache
    found: dict[str, Any] | None = cache.get(session.cache_key_prefix + key)
    return found


def _in_database(key: str) -> dict[str, Any] | None:
    """The data of the live row; {} for none; None where there is no table to look in."""
    if not apps.is_installed("django.contrib.sessions"):
        return None
    from django.contrib.sessions.models import Session

    connection = connections[router.db_for_read(Session) or "default"]
    if Session._meta.db_table not in connection.introspection.table_names():
        return None
    row = Session.objects.using(connection.alias).filter(session_key=key).first()
    return {} if row is None else {"session_key": key, **row.get_decoded()}


if __name__ == "__main__":
    sys.exit(answer(lambda: locate(sys.stdin.read().strip())))
