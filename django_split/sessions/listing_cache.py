"""Sessions in a cache on Redis of the site's own, that DJANGO_SPLIT_SESSIONS says nothing of."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.cache.backends.redis import RedisCache
from django.utils.translation import gettext as _

from django_split.sessions.errors import StoreUnavailableError
from django_split.sessions.keys import matching
from django_split.sessions.listing import Batch, ByCursor, Kept, UnlistableError
from django_split.sessions.listing_store import redis_cursor


class CacheListing(ByCursor):
    """Keys come from the backend's own client, values through the cache and its serializer."""

    def __init__(self, engine: Any, cache: RedisCache, prefix: str) -> None:
        """`engine` is the SessionStore in force, `prefix` what it puts before a session key."""
        self._engine, self._cache, self._prefix = engine, cache, prefix
        self._name = cache.make_key(prefix)
        if cache.make_key(prefix + "x") != self._name + "x":
            raise UnlistableError(_("The cache's KEY_FUNCTION hides which keys are sessions."))

    def batch(self, cursor: str, size: int) -> Batch:
        with _refusals():
            following, names = self._client().scan(
                redis_cursor(cursor), match=matching(self._name), count=size
            )
            keys = [name.decode()[len(self._name) :] for name in names]
            values = self._cache.get_many([self._prefix + key for key in keys])
        found = ((key, values.get(self._prefix + key)) for key in keys)
        sessions = [
            Kept(key, lambda data=data: data)  # type: ignore[misc]
            for key, data in found
            if isinstance(data, dict)
        ]
        return Batch(sessions, str(following) if following else "")

    def expiries(self, sessions: Sequence[Kept]) -> list[int | None]:
        now = int(time.time())
        with _refusals():
            pipeline = self._client().pipeline(transaction=False)
            for kept in sessions:
                pipeline.ttl(self._name + kept.key)
            lives = pipeline.execute()
        return [now + life if life >= 0 else None for life in lives]

    def end(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._engine().delete(key)

    def info(self) -> dict[str, Any]:
        with _refusals():
            client = self._client()
            return {**client.info(), "keys": client.dbsize()}

    def _client(self) -> Any:
        # For writing: that is the primary. Each replica has cursors of its own.
        return self._cache._cache.get_client(None, write=True)


@contextmanager
def _refusals() -> Iterator[None]:
    from redis.exceptions import RedisError

    try:
        yield
    except (RedisError, OSError) as error:
        raise StoreUnavailableError(str(error)) from error
