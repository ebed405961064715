"""The store of an instance's sessions, as its settings name it."""

from __future__ import annotations

from typing import Any

from django.apps import apps

from django_split.analysis.deployment import Session
from django_split.plan import Admin, Main

CACHE_ALIAS = "django_split_sessions"
SESSIONS_APP = "django.contrib.sessions"


def with_their_table(part: Main | Admin) -> None:
    if not apps.is_installed(SESSIONS_APP):
        part.add_apps.append(SESSIONS_APP)
        part.why[SESSIONS_APP] = "cached_db keeps sessions in its table, too"


def store(session: Session) -> dict[str, Any]:
    if session.store == "local":
        return {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "LOCATION": session.key_prefix,
        }
    common = {"LOCATION": session.url, "KEY_PREFIX": session.key_prefix}
    if session.store == "memcached":
        return {"BACKEND": "django_split.sessions.caches.JSONMemcacheCache", **common}
    return {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        **common,
        "OPTIONS": {"serializer": "django_split.sessions.serializers.JSONSerializer"},
    }
