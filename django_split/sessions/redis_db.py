"""SESSION_ENGINE: sessions in Redis, written through to django_session.

The rows are those of Django's engine `db`: a site may go there and back. The store answers; the
table is asked only for what the store has lost, and it decides whether a session still lives, so
that one that ended in another request does not come back.
"""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.sessions.backends.base import CreateError, UpdateError
from django.contrib.sessions.backends.db import SessionStore as Table
from django.db import router
from django.db.models import QuerySet
from django.utils import timezone

from django_split.sessions import codec, redis
from django_split.sessions.store import Store


class SessionStore(redis.SessionStore, Table):
    """A session in the store of the settings, and in the table."""

    def exists(self, session_key: str) -> bool:
        return super().exists(session_key) or self._in_table(session_key)

    def delete(self, session_key: str | None = None) -> None:
        # The table first: from the store alone it would come back.
        Table.delete(self, session_key)
        super().delete(session_key)

    @classmethod
    def clear_expired(cls) -> None:
        Table.clear_expired()

    def _read(self) -> dict[str, Any] | None:
        data = super()._read()
        if data is not None:
            return data
        key = str(self.session_key)
        if not (key.isascii() and key.isprintable()):
            return None  # a cookie may hold anything, a column not
        row = self._rows(key).filter(expire_date__gt=timezone.now()).first()
        if row is None:
            return None
        kept: dict[str, Any] = self.decode(row.session_data)
        left = int((row.expire_date - timezone.now()).total_seconds())
        # Empty is also what decode() makes of a row that it cannot read, under another SECRET_KEY.
        if kept and not self._give_back(key, codec.dumps(kept), left):
            return None
        return kept

    def _write(self, key: str, value: bytes, life: int, must_create: bool) -> None:
        try:
            Table.save(self, must_create)
        except UpdateError:
            Store.current().delete(key)
            raise
        if must_create:
            if not Store.current().add(key, value, life):
                Table.delete(self, key)
                raise CreateError
        elif not Store.current().replace(key, value, life) and not self._give_back(
            key, value, life
        ):
            raise UpdateError

    def _give_back(self, key: str, value: bytes, life: int) -> bool:
        """Put into the store what it has lost; False when the session has ended meanwhile."""
        Store.current().add(key, value, life)
        # Somebody may have signed out since the table was read.
        if self._in_table(key):
            return True
        Store.current().delete(key)
        return False

    def _in_table(self, key: str) -> bool:
        return bool(self._rows(key).exists())

    def _rows(self, key: str) -> QuerySet[Any]:
        # Where they are written: a replica of the database is late.
        using = router.db_for_write(self.model)
        return self.model.objects.using(using).filter(session_key=key)

    # Since Django 5.1 the table's engine has async methods that know nothing of the store.

    async def aexists(self, session_key: str) -> bool:
        return await sync_to_async(self.exists)(session_key)

    async def aload(self) -> dict[str, Any]:
        return await sync_to_async(self.load)()

    async def acreate(self) -> None:
        await sync_to_async(self.create)()

    async def asave(self, must_create: bool = False) -> None:
        await sync_to_async(self.save)(must_create)

    async def adelete(self, session_key: str | None = None) -> None:
        await sync_to_async(self.delete)(session_key)
