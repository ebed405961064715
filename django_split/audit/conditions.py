"""The conditions that an audit knows by name: what a CI may fail on, and what advice answers.

Plain functions of what was found. None means that it is not known, which is never the same as no.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django_split.audit import facts
from django_split.audit.facts import Site
from django_split.audit.tally import giving_sessions

# Rows that expired longer ago than this were left by whatever removes them.
WEEK = 7.0

UNSHARED = "unshared-sessions"
PICKLE = "pickle"
DATABASE_SESSIONS = "database-sessions"
INSECURE_COOKIE = "insecure-cookie"
EXPIRED_ROWS = "expired-rows"
NO_CLEANUP = "no-cleanup"
ANONYMOUS_SESSIONS = "anonymous-sessions"
CONNECTION_PER_REQUEST = "connection-per-request"
SAVE_EVERY_REQUEST = "save-every-request"
SHARED_CACHE = "shared-cache"


@dataclass(frozen=True)
class Condition:
    """`meaning` is what it says of a site where it holds."""

    meaning: str
    holds: Callable[[Site], bool | None]


def _value(site: Site, name: str) -> object:
    return site.values[name].value


def _store(site: Site) -> facts.Store:
    assert site.store is not None  # noqa: S101 - only a broken site has none, and is not asked
    return site.store


def _in_a_table(site: Site) -> bool:
    """Whether the engine in force writes rows."""
    cache = _store(site).cache
    kept = _store(site).kind in facts.IN_A_TABLE
    return kept or (cache is not None and cache.reach == facts.TABLE)


def _database_sessions(site: Site) -> bool:
    cache = _store(site).cache
    return _store(site).kind == facts.DATABASE or (cache is not None and cache.reach == facts.TABLE)


def _pickle(site: Site) -> bool:
    cache = _store(site).cache
    return site.unpickles or bool(cache and cache.pickles)


def _insecure_cookie(site: Site) -> bool:
    if _store(site).kind == facts.NOWHERE:
        return False
    return bool(cookie_faults(site))


def cookie_faults(site: Site) -> list[str]:
    """The settings of the cookie that are not as they should be under TLS."""
    faults = []
    if not _value(site, "SESSION_COOKIE_SECURE"):
        faults.append("SESSION_COOKIE_SECURE")
    if not _value(site, "SESSION_COOKIE_HTTPONLY"):
        faults.append("SESSION_COOKIE_HTTPONLY")
    if str(_value(site, "SESSION_COOKIE_SAMESITE")).lower() not in ("lax", "strict"):
        faults.append("SESSION_COOKIE_SAMESITE")
    return faults


def _expired_rows(site: Site) -> bool | None:
    table = site.table
    if table is None or (not table.exists and not table.error):
        return False
    if table.error and not table.oldest_expiry:
        return None
    return table.oldest_expired_days is not None and table.oldest_expired_days > WEEK


def _no_cleanup(site: Site) -> bool:
    return _in_a_table(site) and site.cleaning is not None and not site.cleaning.found


def _anonymous_sessions(site: Site) -> bool | None:
    if site.pages is None or not site.pages.asked:
        return None
    return bool(giving_sessions(site.pages))


def _connection_per_request(site: Site) -> bool:
    known = site.connection
    if known is None or _store(site).kind != facts.DATABASE or known.vendor == "sqlite":
        return False
    return known.max_age == 0 and not known.pool


def _save_every_request(site: Site) -> bool:
    return _in_a_table(site) and bool(_value(site, "SESSION_SAVE_EVERY_REQUEST"))


def _unshared(site: Site) -> bool:
    cache = _store(site).cache
    return (
        _store(site).kind == facts.CACHE
        and cache is not None
        and cache.reach in (facts.PROCESS, facts.NOBODY)
    )


def _shared_cache(site: Site) -> bool:
    cache = _store(site).cache
    in_use = cache is not None and cache.reach == facts.SHARED and not cache.error
    return _store(site).kind == facts.CACHE and in_use and cache is not None and not cache.alone


# In order of worth: what is broken or dangerous, then what costs most.
CONDITIONS: dict[str, Condition] = {
    UNSHARED: Condition("each process keeps sessions of its own, or none", _unshared),
    PICKLE: Condition("sessions are unpickled: who can write the store runs code", _pickle),
    DATABASE_SESSIONS: Condition("the database is asked for each session", _database_sessions),
    INSECURE_COOKIE: Condition(
        "the session cookie lacks Secure, HttpOnly or SameSite", _insecure_cookie
    ),
    EXPIRED_ROWS: Condition(
        "rows that expired more than a week ago are still in the table", _expired_rows
    ),
    NO_CLEANUP: Condition("nothing was found that removes expired rows", _no_cleanup),
    CONNECTION_PER_REQUEST: Condition(
        "database sessions with CONN_MAX_AGE = 0: a connection for each request",
        _connection_per_request,
    ),
    SAVE_EVERY_REQUEST: Condition(
        "SESSION_SAVE_EVERY_REQUEST writes a row for each request", _save_every_request
    ),
    ANONYMOUS_SESSIONS: Condition(
        "a page gives a session to a visitor who came without a cookie", _anonymous_sessions
    ),
    SHARED_CACHE: Condition(
        "sessions are in a cache that other things use: its clear() ends them all", _shared_cache
    ),
}


def holding(site: Site) -> dict[str, bool | None]:
    """Each condition by name. A site that is broken has none that is known."""
    if site.broken:
        return dict.fromkeys(CONDITIONS)
    return {name: condition.holds(site) for name, condition in CONDITIONS.items()}
