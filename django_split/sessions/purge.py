"""Removes expired rows of session tables in batches that nobody has to wait for.

`clearsessions` is one DELETE. On a table that has grown for years that is one long transaction: it
waits for rows that others hold, holds all that it has touched until it ends, lets a replica fall
behind, and begins anew when it is interrupted.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import Error, transaction
from django.db.models import ProtectedError, QuerySet, RestrictedError
from django.utils import timezone

from django_split.sessions.database import Size, Table
from django_split.sessions.progress import Progress
from django_split.sessions.purge_command import BATCH
from django_split.sessions.stopping import Stop

# Counting may not take as long as the work: above this it is "more than".
COUNTED = 1_000_000


@dataclass(frozen=True)
class Pace:
    """How much at once (rows), and how fast: seconds between batches, rows a second (0: any)."""

    batch: int = BATCH
    pause: float = 0.0
    rate: float = 0.0

    @property
    def rows(self) -> int:
        """A batch is no more than a second's worth."""
        return max(1, min(self.batch, int(self.rate))) if self.rate else self.batch

    def rest(self, done: int, seconds: float) -> float:
        """Seconds to wait now that `done` rows took `seconds`."""
        return max(self.pause, done / self.rate - seconds if self.rate else 0.0)


@dataclass
class Purged:
    """What became of one table. `left` are expired rows that somebody else holds."""

    table: str
    database: str
    expired: int
    counted: bool
    removed: int = 0
    left: int = 0
    seconds: float = 0.0
    before: Size | None = None
    after: Size | None = None
    error: str = ""
    cascaded: dict[str, int] = field(default_factory=dict)


def expired(table: Table) -> QuerySet[Any]:
    return table.model._default_manager.using(table.alias).filter(expire_date__lt=timezone.now())


def purge(table: Table, pace: Pace, stop: Stop, dry_run: bool = False) -> Purged:
    """Remove what has expired by now.

    Ends early when `stop` is asked for. An error of the database is in the result: what was removed
    before it stays removed.
    """
    rows = expired(table)
    # Only as far as it is needed to say how long this takes: an exact count of a huge table is for
    # who asks for nothing else.
    number = rows.count() if dry_run else rows[: COUNTED + 1].count()
    counted = dry_run or number <= COUNTED
    done = Purged(table.name, table.alias, min(number, number if counted else COUNTED), counted)
    done.before = done.after = table.size()
    if dry_run:
        return done
    begun = time.monotonic()
    progress = Progress(f"{table.name}: rows removed", number if counted else None)
    try:
        for removed in _batches(table, rows, pace.rows, done):
            done.removed += removed
            progress.at(done.removed)
            if stop:
                break
            stop.wait(pace.rest(done.removed, time.monotonic() - begun))
        done.left = 0 if stop else rows.count()
    except (Error, ProtectedError, RestrictedError) as error:
        done.error = f"{type(error).__name__}: {error}".strip()
    finally:
        progress.end()
        done.seconds = time.monotonic() - begun
    if not done.error:
        done.after = table.size()
    return done


def _batches(table: Table, rows: QuerySet[Any], size: int, done: Purged) -> Iterator[int]:
    """Remove batch after batch, oldest first; give how many rows each one was."""
    size = min(size, table.connection.features.max_query_params or size)
    rows = rows.order_by("expire_date")
    reached = None
    while True:
        # From where the last one ended: the index still has what was removed before that, and
        # every batch would read past all of it until a vacuum has been there.
        waiting = rows if reached is None else rows.filter(expire_date__gte=reached)
        with _transaction(table) as locking:
            if locking:
                waiting = waiting.select_for_update(skip_locked=True)
            found = list(waiting.values_list("pk", "expire_date")[:size])
            if not found:
                return
            # Once more with the date: where no lock is held, a row may have been renewed since.
            _, removed = rows.order_by().filter(pk__in=[key for key, _ in found]).delete()
        reached = found[-1][1]
        number = removed.pop(table.model._meta.label, 0)
        for label, count in removed.items():
            done.cascaded[label] = done.cascaded.get(label, 0) + count
        yield number


@contextlib.contextmanager
def _transaction(table: Table) -> Iterator[bool]:
    """A batch's own, and whether it can hold rows without waiting for those that others hold.

    Where it cannot (SQLite, older MySQL and MariaDB) there is none around the reading: SQLite
    refuses a transaction that has read and then wants to write when somebody else wrote meanwhile.
    """
    if not table.connection.features.has_select_for_update_skip_locked:
        yield False
        return
    with transaction.atomic(using=table.alias):
        if table.connection.vendor == "postgresql":
            with table.connection.cursor() as cursor:
                # Nobody waits for the disk because of it, and it does not wait either. A crash may
                # bring back the last rows: they have expired, and go the next time.
                cursor.execute("SET LOCAL synchronous_commit TO OFF")
        yield True
