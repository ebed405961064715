"""Removes expired rows of session tables in batches that nobody has to wait for.

`clearsessions` is one DELETE. On a table that has grown for years that is one long transaction: it
waits for rows that others hold, holds all that it has touched until it ends, lets a replica fall
behind, and begins anew when it is interrupted.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import Error, transaction
from django.db.models import ProtectedError, QuerySet, RestrictedError
from django.utils import timezone

from django_split.sessions.database import Size, Table
from django_split.sessions.progress import Progress
from django_split.sessions.purge_command import BATCH, PAUSE
from django_split.sessions.stopping import Stop

# Counting may not take as long as the work: above this it is "more than".
COUNTED = 1_000_000
# MySQL and MariaDB weigh a list of keys against reading the whole table. Where that wins (seen with
# 100 keys of 1,000 rows) the statement waits for every row on its way that others hold.
MYSQL_KEYS = 1


@dataclass(frozen=True)
class Pace:
    """How much at once (rows), and how fast: seconds between batches, rows a second (0: any)."""

    batch: int = BATCH
    pause: float = PAUSE
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
    at_once = table.connection.features.max_query_params or size
    if table.connection.vendor == "mysql":
        at_once = MYSQL_KEYS
    everything = table.model._default_manager.using(table.alias)
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
            # Where no lock is held, once more with the date: a row may have been renewed since.
            # Where one is, without it: MariaDB would go by the date's index, and wait for the rows
            # on its way that others hold.
            doomed = everything if locking else rows.order_by()
            removed = _remove(doomed, [key for key, _ in found], at_once)
        reached = found[-1][1]
        number = removed.pop(table.model._meta.label, 0)
        done.cascaded.update(Counter(done.cascaded) + removed)
        yield number


def _remove(rows: QuerySet[Any], keys: list[Any], at_once: int) -> Counter[str]:
    """Remove these, and what points at them; give how many of each model."""
    removed: Counter[str] = Counter()
    for start in range(0, len(keys), at_once):
        removed.update(rows.filter(pk__in=keys[start : start + at_once]).delete()[1])
    return removed


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
