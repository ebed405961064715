"""Sessions in a Redis that DJANGO_SPLIT_SESSIONS names, whether our engine or Django's is in force.

Both keep JSON behind a prefix.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache, partial
from typing import Any

from django.conf import settings

from django_split.sessions import codec
from django_split.sessions.listing import Batch, ByCursor, Kept
from django_split.sessions.store import TIMEOUT, Store

# The user of the store's ACL that may list; the engine's own may not.
PAGE_USER = "page"


class StoreListing(ByCursor):
    def __init__(self, engine: Any, store: Store) -> None:
        """`engine` is the SessionStore in force."""
        self._engine, self._store = engine, store

    @classmethod
    def of_settings(cls, engine: Any) -> StoreListing | None:
        """None where the settings name no Redis."""
        store = store_of_settings()
        return cls(engine, store) if store else None

    def batch(self, cursor: str, size: int) -> Batch:
        following, keys = self._store.scan(redis_cursor(cursor), size)
        values = self._store.mget(keys)
        sessions = [
            Kept(key, partial(_data, value))
            for key, value in zip(keys, values, strict=True)
            if value is not None  # ended since it was listed
        ]
        return Batch(sessions, str(following) if following else "")

    def expiries(self, sessions: Sequence[Kept]) -> list[int | None]:
        now = int(time.time())
        lives = self._store.ttls([kept.key for kept in sessions])
        return [now + life if life is not None and life >= 0 else None for life in lives]

    def end(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._engine().delete(key)


def redis_cursor(cursor: str) -> int:
    """Raises ValueError for what is no number of 64 bits: Redis would refuse it as an error."""
    number = int(cursor or 0)
    if not 0 <= number < 2**64:
        raise ValueError(f"{number} is no cursor")
    return number


def store_of_settings() -> Store | None:
    """The store with the rights that a listing needs: `page` of the settings, or else `url`."""
    said = getattr(settings, "DJANGO_SPLIT_SESSIONS", {})
    url, prefix = said.get("url"), said.get("prefix")
    if not url or not prefix:
        return None
    timeout = said.get("timeout", TIMEOUT)
    if page := said.get("page"):
        return _store(page, prefix, timeout, PAGE_USER)
    return _store(url, prefix, timeout, "")


# Kept, because it holds its connections.
_store = cache(Store)


def _data(value: bytes) -> dict[str, Any]:
    try:
        return codec.loads(value)
    except ValueError:
        return {}  # no session of ours: nobody is signed in with it
