"""The cache that keeps sessions: who reads it, and whether it pickles. It is not opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.utils.module_loading import import_string

from django_split.analysis.caches import pickling
from django_split.audit import facts
from django_split.diff import Differ


def of_sessions() -> facts.Cache:
    """The one of SESSION_CACHE_ALIAS, without what may be secret in its location."""
    alias = settings.SESSION_CACHE_ALIAS
    entry: Mapping[str, Any] = settings.CACHES.get(alias, {})
    found = facts.Cache(
        alias,
        str(entry.get("BACKEND", "")),
        Differ().shown(entry.get("LOCATION", "")),
        alone=alias != "default" and not _is_shared(alias, entry),
    )
    try:
        made = import_string(found.backend)
    except ImportError as error:
        found.error = str(error)
        return found
    if issubclass(made, DummyCache):
        found.reach = facts.NOBODY
    elif issubclass(made, LocMemCache):
        found.reach = facts.PROCESS
    else:
        found.reach = facts.TABLE if issubclass(made, DatabaseCache) else facts.SHARED
        found.pickles = pickling(dict(entry)).replace(f"({made.__name__}) ", "")
    return found


def _is_shared(alias: str, entry: Mapping[str, Any]) -> bool:
    """Whether another alias is the same place: then its clear() ends every session."""
    place = entry.get("LOCATION")
    return any(
        name != alias and place and other.get("LOCATION") == place
        for name, other in settings.CACHES.items()
    )
