"""Sessions in a table: the database engine's, and those that an engine writes through to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db.models import Q, QuerySet
from django.utils import timezone as clock

from django_split.sessions.listing import STEP, Batch, Kept

COLUMNS = ("session_key", "session_data", "expire_date")
MICROSECOND = timedelta(microseconds=1)


class TableListing:
    def __init__(self, engine: Any, model: type[AbstractBaseSession]) -> None:
        """`engine` is the SessionStore in force, `model` that of its table."""
        self._engine, self._model = engine, model

    def batch(self, cursor: str, size: int) -> Batch:
        """The latest to expire first.

        A cursor is "when~n": the expiry that was reached, and how many of exactly that have been.
        """
        rows, skipped = self._live(), 0
        if cursor:
            when, _, number = cursor.partition("~")
            moment, skipped = int(when), int(number)
            rows = rows.filter(expire_date__lte=_date(moment))
        ordered = rows.order_by("-expire_date", "session_key").values_list(*COLUMNS)
        found = list(ordered[skipped : skipped + size])
        if len(found) < size:
            return Batch([self._kept(*row) for row in found], "")
        last = _moment(found[-1][2])
        reached = sum(_moment(row[2]) == last for row in found)
        if cursor and last == moment:
            reached += skipped
        return Batch([self._kept(*row) for row in found], f"{last}~{reached}")

    def walk(self) -> Iterator[list[Kept]]:
        """The next to expire first, unlike `batch`: what is used meanwhile moves to the end.

        By the index of the expiry, which has the live ones together: often most rows are dead.
        """
        live = self._live().order_by("expire_date", "session_key")
        found = list(live.values_list(*COLUMNS)[:STEP])
        while found:
            yield [self._kept(*row) for row in found]
            key, _data, expires = found[-1]
            beyond = Q(expire_date__gt=expires) | Q(session_key__gt=key)
            rest = live.filter(beyond, expire_date__gte=expires)
            found = list(rest.values_list(*COLUMNS)[:STEP])

    def expiries(self, sessions: Sequence[Kept]) -> list[int | None]:
        return [kept.expires for kept in sessions]

    def end(self, keys: Sequence[str]) -> None:
        # The rows first, and committed: what is still in the table comes back into a store.
        self._model._default_manager.filter(session_key__in=keys).delete()
        if self._engine.delete is not DatabaseStore.delete:
            for key in keys:
                self._engine().delete(key)

    def _live(self) -> QuerySet[AbstractBaseSession]:
        return self._model._default_manager.filter(expire_date__gt=clock.now())

    def _kept(self, key: str, data: str, expires: datetime) -> Kept:
        # An engine finds what it reads in SessionBase.decode, whatever it adds to the row.
        return Kept(key, partial(self._engine().decode, data), int(expires.timestamp()))


def _moment(date: datetime) -> int:
    """Microseconds since 1970, as the database has it."""
    if clock.is_naive(date):
        return (date - datetime(1970, 1, 1)) // MICROSECOND
    return (date - datetime(1970, 1, 1, tzinfo=timezone.utc)) // MICROSECOND


def _date(moment: int) -> datetime:
    try:
        naive = datetime(1970, 1, 1) + moment * MICROSECOND
    except OverflowError as error:
        raise ValueError(str(error)) from error
    return naive.replace(tzinfo=timezone.utc) if settings.USE_TZ else naive
