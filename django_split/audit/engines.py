"""Where the engine in force keeps sessions: told by its class, never by opening anything."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends import cache, cached_db, db, file, signed_cookies
from django.contrib.sessions.backends.base import SessionBase

from django_split.audit import caches, facts
from django_split.diff import Differ

# By the module of a class, so that an engine made from ours counts too. The first that fits.
OURS = {
    "django_split.sessions.redis_db": facts.REDIS_DATABASE,
    "django_split.sessions.redis": facts.REDIS,
    "django_split.runtime.main.sessions": facts.NOWHERE,
}
# The first that fits: cached_db's class is made from db's.
THEIRS: tuple[tuple[type[SessionBase], str], ...] = (
    (cached_db.SessionStore, facts.CACHED_DATABASE),
    (db.SessionStore, facts.DATABASE),
    (cache.SessionStore, facts.CACHE),
    (file.SessionStore, facts.FILES),
    (signed_cookies.SessionStore, facts.COOKIES),
)
# Files that are counted; a folder of more is said to be one.
MOST_FILES = 200_000


def store() -> facts.Store:
    """The store of the settings in force. An engine that cannot be imported is told, not raised."""
    engine = settings.SESSION_ENGINE
    try:
        kind = kind_of(session_class(engine))
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        return facts.Store(facts.BROKEN, engine, error=what)
    found = facts.Store(kind, engine)
    if kind in (facts.CACHE, facts.CACHED_DATABASE):
        found.cache = caches.of_sessions()
    elif kind == facts.FILES:
        found.files = _files()
    elif kind in (facts.REDIS, facts.REDIS_DATABASE):
        ours: Mapping[str, Any] = getattr(settings, "DJANGO_SPLIT_SESSIONS", {})
        found.place = Differ().shown(ours.get("url", ""))
    return found


def session_class(engine: str) -> type[SessionBase]:
    """Raises what importing the engine raises, and AttributeError."""
    found: type[SessionBase] = import_module(engine).SessionStore
    return found


def kind_of(made: type[SessionBase]) -> str:
    homes = {parent.__module__ for parent in made.__mro__}
    for module, kind in OURS.items():
        if module in homes:
            return kind
    return next((kind for parent, kind in THEIRS if issubclass(made, parent)), facts.OTHER)


def _files() -> facts.Files:
    folder = str(getattr(settings, "SESSION_FILE_PATH", None) or tempfile.gettempdir())
    found = facts.Files(folder)
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith(settings.SESSION_COOKIE_NAME):
                    continue
                if found.count >= MOST_FILES:
                    found.complete = False
                    break
                found.count += 1
                found.bytes += entry.stat(follow_symlinks=False).st_size
    except OSError as error:
        found.error = error.strerror or str(error)
    return found
