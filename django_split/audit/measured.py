"""The session engine of a crawl: the site's own, holding sessions that were never written anywhere.

`django_split.audit.measured` is SESSION_ENGINE while pages are asked; `take_the_place_of` makes
its SessionStore. In a table the engine's own queries are really sent, and its writes are answered
without being sent (`analysis.writes`). Any other store is not asked at all, because it could not be
asked without a chance to write: reads and writes are counted instead.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.contrib.sessions.backends import cached_db, db, signed_cookies
from django.contrib.sessions.backends.base import SessionBase

SESSION, USER = "session", "user"


@dataclass
class Log:
    """What one request did. `whose` is for whom queries are made right now."""

    queries: int = 0
    by: dict[str, int] = field(default_factory=lambda: {SESSION: 0, USER: 0})
    reads: int = 0
    writes: int = 0
    stores: list[SessionBase] = field(default_factory=list)
    whose: str = ""

    def clear(self) -> None:
        self.queries = self.reads = self.writes = 0
        self.by = {SESSION: 0, USER: 0}
        self.stores = []
        self.whose = ""

    @contextmanager
    def queries_of(self, whose: str) -> Iterator[None]:
        before, self.whose = self.whose, whose
        try:
            yield
        finally:
            self.whose = before


log = Log()
# Sessions that there are for the crawl alone, by key.
held: dict[str, dict[str, Any]] = {}
SessionStore: type[SessionBase]


class InMemory(SessionBase):
    """In the place of an engine whose store is not to be touched: it keeps nothing."""

    def load(self) -> dict[str, Any]:
        self._session_key: Any = None
        return {}

    def exists(self, session_key: str) -> bool:
        return False

    def create(self) -> None:
        self._session_key = self._get_new_session_key()  # type: ignore[attr-defined]
        self.save(must_create=True)
        self.modified = True

    def save(self, must_create: bool = False) -> None:
        if self.session_key is None:
            self.create()

    def delete(self, session_key: str | None = None) -> None:
        pass

    @classmethod
    def clear_expired(cls) -> None:
        pass


def take_the_place_of(engine: type[SessionBase]) -> None:
    """Make the SessionStore of this module from the site's."""
    global SessionStore
    real = issubclass(engine, (db.SessionStore, signed_cookies.SessionStore))
    SessionStore = _watched(engine if real else InMemory)


def _watched(engine: type[SessionBase]) -> type[SessionBase]:
    # Behind a cache the table is not asked for a session that is in use, nor anywhere else.
    in_table = issubclass(engine, db.SessionStore) and not issubclass(
        engine, cached_db.SessionStore
    )
    base: Any = engine

    class Watched(base):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            log.stores.append(self)

        def load(self) -> Any:
            log.reads += 1
            key = self.session_key
            if key in held and not in_table:
                return copy.deepcopy(held[key])
            with log.queries_of(SESSION):
                found = super().load()
            if key in held:
                self._session_key = key
                return copy.deepcopy(held[key])
            return found

        async def aload(self) -> Any:
            from asgiref.sync import sync_to_async

            return await sync_to_async(self.load)()

        def save(self, must_create: bool = False) -> None:
            if self.session_key is not None:  # else it calls create, which comes back here
                log.writes += 1
            with log.queries_of(SESSION):
                super().save(must_create)

        def create(self) -> None:
            with log.queries_of(SESSION):
                super().create()

        def exists(self, session_key: str) -> bool:
            with log.queries_of(SESSION):
                return bool(super().exists(session_key))

        def delete(self, session_key: str | None = None) -> None:
            log.writes += 1
            with log.queries_of(SESSION):
                super().delete(session_key)

    Watched.__name__ = Watched.__qualname__ = engine.__name__  # a session's salt is made of it
    return Watched
