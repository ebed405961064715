"""How the session store is, in rows that people read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

from django.conf import settings
from django.db.models import QuerySet
from django.template.defaultfilters import filesizeformat
from django.utils import timezone as clock
from django.utils.formats import date_format, number_format
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from django_split.sessions import condition
from django_split.sessions.database import model_of
from django_split.sessions.errors import StoreUnavailableError

Standing = Literal["", "good", "bad"]
# Of maxmemory. With noeviction what follows is that nobody can sign in.
NEARLY_FULL = 0.9
# So many rows are counted: a table that nobody purges has millions, and the page is not to wait.
MOST_ROWS = 100_000


@dataclass(frozen=True)
class Fact:
    """`standing` is empty for what is neither good nor bad."""

    label: str
    value: str
    standing: Standing = ""


def facts() -> list[Fact]:
    """What there is to say of the store, and of the table. A store that is away is a fact, too."""
    table = model_of(settings.SESSION_ENGINE)
    found = [Fact(_("Engine"), settings.SESSION_ENGINE)]
    try:
        if redis := condition.of_redis():
            found += _redis(redis, in_table=table is not None)
        for server, stats in (condition.of_memcached() or {}).items():
            found += _memcached(server, stats, in_table=table is not None)
    except StoreUnavailableError as error:
        found.append(Fact(_("Store"), error.reason, "bad"))
    if table is not None:
        now, rows = clock.now(), table._default_manager
        text = _("%(live)s live, %(expired)s expired") % {
            "live": _rows(rows.filter(expire_date__gt=now)),
            "expired": _rows(rows.filter(expire_date__lte=now)),
        }
        found.append(Fact(_("Rows in %s") % table._meta.db_table, text))
    return found


def _redis(info: dict[str, Any], in_table: bool) -> Iterator[Fact]:
    yield Fact(_("Store"), _("Reachable"), "good")
    yield Fact(_("Sessions in the store"), _number(info.get("keys", 0)))
    yield _memory(int(info.get("used_memory", 0)), int(info.get("maxmemory", 0)))
    policy = str(info.get("maxmemory_policy", ""))
    if policy == "noeviction":
        yield Fact(_("When it is full"), _("refuses logins, signs nobody out (noeviction)"), "good")
    elif policy:
        full = _("signs somebody out without a word (%s)") % policy
        yield Fact(_("When it is full"), full, "" if in_table else "bad")
    if evicted := int(info.get("evicted_keys", 0)):
        yield Fact(_("Thrown out for lack of memory"), _number(evicted), "bad")
    yield _persistence(info, in_table)
    if last := int(info.get("rdb_last_save_time", 0)):
        status = info.get("rdb_last_bgsave_status", "ok")
        # Redis says when it was started where there has been no snapshot.
        yield Fact(_("Last snapshot or start"), _moment(last), "" if status == "ok" else "bad")
    yield Fact(_("Server"), _server(info))


def _memory(used: int, limit: int) -> Fact:
    label = _("Memory")
    if not limit:
        return Fact(label, _("%s, without a limit") % filesizeformat(used), "bad")
    value = _("%(used)s of %(limit)s (%(percent)d %%)") % {
        "used": filesizeformat(used),
        "limit": filesizeformat(limit),
        "percent": used * 100 // limit,
    }
    return Fact(label, value, "bad" if used > limit * NEARLY_FULL else "good")


def _persistence(info: dict[str, Any], in_table: bool) -> Fact:
    label = _("Persistence")
    if not int(info.get("aof_enabled", 0)):
        if in_table:
            return Fact(label, _("off; sessions are in the database, too"))
        return Fact(label, _("off: a restart of the store signs everybody out"), "bad")
    written = str(info.get("aof_last_write_status", "ok"))
    if written != "ok":
        return Fact(label, _("append-only file: the last write failed (%s)") % written, "bad")
    if str(info.get("aof_last_bgrewrite_status", "ok")) != "ok":
        return Fact(label, _("append-only file: its last rewriting failed"), "bad")
    return Fact(label, _("append-only file, last write ok"), "good")


def _server(info: dict[str, Any]) -> str:
    now = clock.now()
    up = timesince(now - timedelta(seconds=int(info.get("uptime_in_seconds", 0))), now)
    role = {"master": _("primary"), "slave": _("replica")}.get(str(info.get("role")), "")
    version = f"Redis {info.get('redis_version', '?')}"
    return ", ".join(part for part in (version, role, _("up for %s") % up) if part)


def _memcached(server: str, stats: dict[str, Any], in_table: bool) -> Iterator[Fact]:
    yield Fact(_("Store"), _("Reachable: %s") % server, "good")
    yield Fact(_("Entries in the store"), _number(int(stats.get("curr_items", 0))))
    yield _memory(int(stats.get("bytes", 0)), int(stats.get("limit_maxbytes", 0)))
    full = _("signs out who was not seen for the longest time")
    yield Fact(_("When it is full"), full, "" if in_table else "bad")
    if evicted := int(stats.get("evictions", 0)):
        yield Fact(_("Thrown out for lack of memory"), _number(evicted), "bad")
    if not in_table:
        yield Fact(_("Persistence"), _("none: a restart of the store signs everybody out"), "bad")
    version = stats.get("version", "?")
    known = version.decode(errors="replace") if isinstance(version, bytes) else version
    yield Fact(_("Server"), f"Memcached {known}")


def _rows(rows: QuerySet[Any]) -> str:
    number = rows[: MOST_ROWS + 1].count()
    if number > MOST_ROWS:
        return _("more than %s") % _number(MOST_ROWS)
    return _number(number)


def _moment(seconds: int) -> str:
    moment = datetime.fromtimestamp(seconds, tz=timezone.utc if settings.USE_TZ else None)
    shown = clock.localtime(moment) if settings.USE_TZ else moment
    return date_format(shown, "SHORT_DATETIME_FORMAT")


def _number(number: int) -> str:
    return number_format(number, use_l10n=True, force_grouping=True)
