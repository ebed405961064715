"""The table of sessions in numbers: exactly where that is cheap or asked for, else from a sample.

Memory is bounded: the sample's 10,000 dates are all that is held of a table of any size.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.models import Count, Min, Q
from django.utils import timezone

from django_split.analysis.alarm import TooSlow, limit
from django_split.audit import payload
from django_split.audit.database import alias_of, open_to_read
from django_split.audit.facts import Size, Table
from django_split.audit.keys import WHOLE, Sample, sample
from django_split.sessions import database

# Rows that are counted without being asked: a tenth of a second.
CHEAP = 200_000
# Days whose sessions show how many come.
DAYS = 7
STATEMENT = 5
DAY = timedelta(days=1)


def table(model: Any, exact: bool, seconds: float) -> Table:
    """Look at the table of a session model, within `seconds` for one statement if `exact`."""
    alias = alias_of(model)
    connection = connections[alias]
    found = Table(model._meta.db_table, alias, connection.vendor)
    allowed = max(1, int(seconds)) if exact else STATEMENT
    found.error = open_to_read(alias, allowed)
    if found.error:
        return found
    try:
        with limit(allowed * 3):
            found.exists = found.name in connection.introspection.table_names()
            if found.exists:
                found.size = _size(database.Table(model, alias))
                _count(found, model._base_manager.using(alias), exact)
    except DatabaseError as error:
        found.error = (str(error).strip().splitlines() or [type(error).__name__])[0]
    except TooSlow:
        found.error = f"no answer in {allowed * 3} s (--timeout gives it longer)"
    return found


def _size(table: database.Table) -> Size:
    told = table.size()
    return Size(told.table, told.indexes, told.whole) if told else Size()


def _count(found: Table, rows: Any, exact: bool) -> None:
    now = timezone.now()
    oldest = rows.aggregate(oldest=Min("expire_date"))["oldest"]
    if oldest is not None:
        found.oldest_expiry = oldest.isoformat(timespec="seconds")
        found.oldest_expired_days = round((now - oldest) / DAY, 1)
    # Its own seed: two audits of one table say the same.
    drawn = sample(rows, random.Random(0))  # noqa: S311 - nothing secret is drawn
    found.sampled = len(drawn.expiries)
    if exact or drawn.rows is None or drawn.rows < CHEAP:
        _exactly(found, rows, now)
    else:
        _about(found, drawn, drawn.rows, now)
    each_day = sum(found.days) / DAYS
    found.per_day = round(each_day, 1) if found.exact else _rounded(each_day)
    all_of_it = found.exact and (found.rows or 0) <= payload.MOST
    found.payload = payload.read(rows, [WHOLE] if all_of_it else drawn.stretches)


def _exactly(found: Table, rows: Any, now: datetime) -> None:
    days = {
        f"day{number}": Count("pk", filter=Q(expire_date__gt=begin, expire_date__lte=end))
        for number, (begin, end) in enumerate(_days(now))
    }
    live = Count("pk", filter=Q(expire_date__gt=now))
    counted = rows.aggregate(rows=Count("pk"), live=live, **days)
    found.exact = True
    found.rows, found.live = counted["rows"], counted["live"]
    found.expired = counted["rows"] - counted["live"]
    found.days = [counted[name] for name in days]


def _about(found: Table, drawn: Sample, estimate: float, now: datetime) -> None:
    each = estimate / len(drawn.expiries)
    found.rows = _rounded(estimate)
    found.live = _rounded(each * sum(expiry > now for expiry in drawn.expiries))
    found.expired = _rounded(each * sum(expiry <= now for expiry in drawn.expiries))
    found.days = [
        _rounded(each * sum(begin < expiry <= end for expiry in drawn.expiries))
        for begin, end in _days(now)
    ]


def _days(now: datetime) -> Sequence[tuple[datetime, datetime]]:
    """The expiry dates of sessions last saved in each of the last days, the earliest first."""
    age = timedelta(seconds=settings.SESSION_COOKIE_AGE)
    return [
        (now + age - DAY * number, now + age - DAY * (number - 1)) for number in range(DAYS, 0, -1)
    ]


def _rounded(number: float) -> int:
    """Three figures: more would claim what a sample does not know."""
    return int(float(f"{number:.3g}"))
