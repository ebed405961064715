"""What stands in the admin's store under the keys of the unsplit site.

`migrate` puts a copy of a session there, and TakeoverMiddleware takes it over once, under a new
key. Beside the copy there is then a mark that it was taken, for longer than the old key lives: the
row that it was copied from is still in the base's table, and a later run must not bring back what
somebody has meanwhile signed out of.

Order does what Redis could only do with a script, which the store's user may not run: who takes a
copy marks first and deletes then; who writes a copy looks for the mark afterwards. Whatever comes
in between, no copy is left beside the mark of one that was taken.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache

from django_split.sessions import codec
from django_split.sessions.store import Store
from django_split.sessions.tracking import RECORD

# No session key has a colon in it.
MARK = "taken:"
# A mark outlives the session that was moved, whatever two clocks say. Seconds.
LONGER = 86_400
# What we write into a copy.
STAMP = {"moved", "row", "ends", "copy"}

Data = dict[str, Any]


class Copies(Protocol):
    """Values by name, with their life in seconds. Each method may raise StoreUnavailableError."""

    def get(self, names: Sequence[str]) -> list[Data | None]:
        """Their values; None for what is not there, or is nothing that we have written."""

    def add(self, items: Sequence[tuple[str, Data, int]]) -> list[bool]:
        """Write those whose name is free; say which were."""

    def put(self, name: str, data: Data, life: int) -> None:
        """Write it, whatever stands there."""

    def delete(self, name: str) -> None:
        """Remove it, if it is there."""


class StoreCopies:
    """For our engines."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, names: Sequence[str]) -> list[Data | None]:
        return [None if value is None else _loads(value) for value in self._store.mget(names)]

    def add(self, items: Sequence[tuple[str, Data, int]]) -> list[bool]:
        return self._store.add_all([(name, codec.dumps(data), life) for name, data, life in items])

    def put(self, name: str, data: Data, life: int) -> None:
        value = codec.dumps(data)
        # Between the two somebody may delete it, or create it.
        while not self._store.replace(name, value, life):
            if self._store.add(name, value, life):
                return

    def delete(self, name: str) -> None:
        self._store.delete(name)


class CacheCopies:
    """For Django's own engines, `cache` and `cached_db`, and what derives from them."""

    def __init__(self, cache: BaseCache, prefix: str) -> None:
        self._cache, self._prefix = cache, prefix

    def get(self, names: Sequence[str]) -> list[Data | None]:
        found = self._cache.get_many([self._prefix + name for name in names])
        values = [found.get(self._prefix + name) for name in names]
        return [value if isinstance(value, dict) else None for value in values]

    def add(self, items: Sequence[tuple[str, Data, int]]) -> list[bool]:
        return [self._cache.add(self._prefix + name, data, life) for name, data, life in items]

    def put(self, name: str, data: Data, life: int) -> None:
        self._cache.set(self._prefix + name, data, life)

    def delete(self, name: str) -> None:
        self._cache.delete(self._prefix + name)


def current() -> Copies | None:
    """Where the engine in force keeps sessions; None where that is no store."""
    engine = import_module(settings.SESSION_ENGINE).SessionStore
    from django_split.sessions.redis import SessionStore

    if issubclass(engine, SessionStore):
        return StoreCopies(Store.current())
    prefix = getattr(engine, "cache_key_prefix", None)
    if prefix is None:
        return None
    return CacheCopies(caches[settings.SESSION_CACHE_ALIAS], prefix)


def mark_of(key: str) -> str:
    """Where the mark for a key stands. A digest: with public sessions the key still is main's."""
    return MARK + hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:32]


def is_taken(mark: Mapping[str, Any] | None) -> bool:
    """Whether a mark says that the takeover is through: the browser has its new cookie."""
    return mark is not None and mark.get("taken") is True


def bury(sessions: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """Before somebody ends sessions, by key and data: a later run must not move them once more."""
    now = int(time.time())
    for key, data in sessions:
        store = current() if version_of(data) is not None else None
        if store is not None:
            left = max(end_of(data) - now, 0)
            store.put(mark_of(key), {"taken": True}, left + LONGER)


def stamped(data: Mapping[str, Any], version: str, ends: int) -> Data:
    """The copy of a session: its data, of which version of the row it is, and when that ends."""
    plain = _plain(data)
    return {
        **plain,
        RECORD: {"moved": True, "row": version, "ends": ends, "copy": _digest(plain)},
    }


def end_of(data: Mapping[str, Any]) -> int:
    """When the session that a copy was made of ends, in unix seconds."""
    return int(data[RECORD]["ends"])


def version_of(data: Mapping[str, Any]) -> str | None:
    """Which version of the row a copy was made of; None for what is no copy."""
    record = data.get(RECORD)
    if not isinstance(record, dict) or record.get("moved") is not True:
        return None
    return str(record.get("row", ""))


def is_untouched(data: Mapping[str, Any]) -> bool:
    """Whether a copy is as it was written: nobody has used it since."""
    record = data.get(RECORD)
    return (
        isinstance(record, dict)
        and record.keys() == STAMP
        and record["copy"] == _digest(_plain(data))
    )


def unstamped(data: Mapping[str, Any]) -> Data:
    """A copy's data without what we have written into it."""
    record = data.get(RECORD)
    kept = dict(record) if isinstance(record, dict) else {}
    kept = {name: value for name, value in kept.items() if name not in STAMP}
    return {**_plain(data), **({RECORD: kept} if kept else {})}


def _plain(data: Mapping[str, Any]) -> Data:
    return {name: value for name, value in data.items() if name != RECORD}


def _digest(data: Data) -> str:
    return hashlib.sha256(codec.dumps(data)).hexdigest()[:16]


def _loads(value: bytes) -> Data | None:
    try:
        return codec.loads(value)
    except ValueError:
        return None
