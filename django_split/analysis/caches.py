"""Caches that are a way from main into the admin: both instances use them, and they pickle.

Who writes such a cache runs code where it is read.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.memcached import BaseMemcachedCache
from django.core.cache.backends.redis import RedisCache
from django.utils.module_loading import import_string

from django_split import findings as kinds
from django_split.analysis.deployment import Deployment
from django_split.findings import Finding

MEMORY = "django.core.cache.backends.locmem.LocMemCache"
OWN = "own"
COST = (
    "a cache of the admin's own (admin_cache: own), because the site's pickles: what the admin "
    "changes or deletes in it stays in main's until it expires there, and each of the admin's "
    "processes has its own"
)
RISK = (
    "who writes it runs code where it is read, so main can reach into the admin "
    "(admin_cache: own gives the admin one of its own)"
)

# Serializers of other packages' caches that hold data and no code, by a part of their names.
SAFE = ("json", "msgpack", "msgspec", "cbor")


def find(deployment: Deployment) -> list[Finding]:
    """A finding for each cache that pickles and is shared. None is opened."""
    return [
        Finding(kinds.CACHE, f'CACHES["{alias}"] {why}, and both instances use it: {RISK}')
        for alias, why in shared(deployment).items()
        if deployment.admin_cache != OWN
    ]


def own(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """What takes the place of those caches on the admin, where it was told to have its own."""
    if deployment.admin_cache != OWN:
        return {}
    return {
        alias: {"BACKEND": MEMORY, "LOCATION": f"{deployment.site}-admin-{alias}"}
        for alias in shared(deployment)
    }


def shared(deployment: Deployment) -> dict[str, str]:
    """The caches that both instances use and that pickle, by alias, each with what it is."""
    return {
        alias: why
        for alias, cache in settings.CACHES.items()
        # Each instance gets a folder of its own where there is one for such files.
        if (why := pickling(cache)) and not (deployment.var_root and _is_folder(cache))
    }


def _is_folder(cache: dict[str, Any]) -> bool:
    return FileBasedCache in getattr(import_string(cache["BACKEND"]), "__mro__", ())


def pickling(cache: dict[str, Any]) -> str:
    """How an entry of CACHES pickles; empty where what it keeps is data, or the process's own."""
    backend = import_string(cache["BACKEND"])
    name = backend.__name__
    bases: tuple[type, ...] = getattr(backend, "__mro__", ())
    options = cache.get("OPTIONS") or {}
    if LocMemCache in bases or DummyCache in bases:
        return ""  # in the process's own memory, or nowhere
    if FileBasedCache in bases:
        return f"({name}) is a folder of pickles"
    if DatabaseCache in bases:
        return f"({name}) is a table of pickles"
    if BaseMemcachedCache in bases:
        return "" if "JSON" in name else f"({name}) pickles"
    serializer = options.get("serializer") or options.get("SERIALIZER")
    if serializer and any(word in _named(serializer).lower() for word in SAFE):
        return ""
    if RedisCache in bases or serializer or "redis" in cache["BACKEND"].lower():
        return f"({name}) pickles"
    return f"({name}) is not known to keep data only" if BaseCache in bases else ""


def _named(serializer: Any) -> str:
    """The name of a serializer, which may be given as a text, a class or an object."""
    if isinstance(serializer, str):
        return serializer
    cls = serializer if isinstance(serializer, type) else type(serializer)
    return f"{cls.__module__}.{cls.__qualname__}"
