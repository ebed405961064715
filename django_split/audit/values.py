"""The settings that make sessions what they are, each with the line that says it."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from django_split.analysis.written import in_force
from django_split.audit import facts
from django_split.base import read
from django_split.diff import Differ

NAMES = (
    "SESSION_ENGINE",
    "SESSION_SERIALIZER",
    "SESSION_CACHE_ALIAS",
    "SESSION_FILE_PATH",
    "SESSION_COOKIE_NAME",
    "SESSION_COOKIE_AGE",
    "SESSION_COOKIE_DOMAIN",
    "SESSION_COOKIE_PATH",
    "SESSION_COOKIE_SECURE",
    "SESSION_COOKIE_HTTPONLY",
    "SESSION_COOKIE_SAMESITE",
    "SESSION_SAVE_EVERY_REQUEST",
    "SESSION_EXPIRE_AT_BROWSER_CLOSE",
    "CSRF_USE_SESSIONS",
    "MESSAGE_STORAGE",
)
# Only where they stand: what they hold is not for a report.
PLACES = ("CACHES", "DATABASES", "MIDDLEWARE", "DJANGO_SPLIT_SESSIONS")


def values(module: str) -> dict[str, facts.Setting]:
    """Each of those settings, by name. Takes the module that is in force."""
    written = read(module)
    everywhere = in_force(module, {**dict.fromkeys(PLACES), **_all(NAMES)})
    plan = str((getattr(settings, "DJANGO_SPLIT", None) or {}).get("plan", ""))
    found = {}
    for name in (*NAMES, *PLACES):
        is_set = name in written
        where = everywhere.get(name, "") if is_set else ""
        if is_set and plan and not where:
            where = f"the plan {plan}"
        value = None if name in PLACES else _plain(getattr(settings, name, None))
        found[name] = facts.Setting(value, is_set, where)
    return found


def _all(names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(settings, name, None) for name in names}


def _plain(value: Any) -> Any:
    """What JSON can hold; a serializer may be given as a class."""
    if isinstance(value, (bool, int, float, type(None))):
        return value
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    return Differ().shown(value)
