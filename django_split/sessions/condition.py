"""The server behind the sessions, as it says of itself."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.memcached import BaseMemcachedCache
from django.core.cache.backends.redis import RedisCache

from django_split.sessions.errors import StoreUnavailableError
from django_split.sessions.listing_cache import CacheListing
from django_split.sessions.listing_store import store_of_settings

Info = dict[str, Any]


def of_redis() -> Info | None:
    """What health.NAMES has, and `keys`; None where the sessions are in no Redis.

    Raises StoreUnavailableError.
    """
    if not _in_store():
        return None
    if store := store_of_settings():
        return dict(store.info())
    cache = _cache()
    if not isinstance(cache, RedisCache):
        return None
    engine = import_module(settings.SESSION_ENGINE).SessionStore
    return CacheListing(engine, cache, engine.cache_key_prefix).info()


def of_memcached() -> dict[str, Info] | None:
    """The `stats` of each server by its address; None where the sessions are in no Memcached.

    Raises StoreUnavailableError.
    """
    cache: Any = _cache()
    if not isinstance(cache, BaseMemcachedCache):
        return None
    try:
        return _stats(cache._cache)  # type: ignore[attr-defined]
    except Exception as error:  # each of the clients has exceptions of its own
        raise StoreUnavailableError(f"{type(error).__name__}: {error}") from error


def _in_store() -> bool:
    return settings.SESSION_ENGINE.startswith("django_split.sessions.") or _cache() is not None


def _cache() -> Any:
    engine = import_module(settings.SESSION_ENGINE).SessionStore
    in_cache = hasattr(engine, "cache_key_prefix")
    return caches[settings.SESSION_CACHE_ALIAS] if in_cache else None


def _stats(client: Any) -> dict[str, Info]:
    if hasattr(client, "get_stats"):  # pylibmc
        return {_text(server): _texts(stats) for server, stats in client.get_stats()}
    # pymemcache: one client a server, each of which answers only for its own.
    return {_text(server): _texts(one.stats()) for server, one in client.clients.items()}


def _texts(stats: Any) -> Info:
    return {_text(name): value for name, value in stats.items()}


def _text(name: Any) -> str:
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)
