"""The store of an instance's sessions, as its settings name it."""

from __future__ import annotations

from typing import Any

from django.apps import apps

from django_split.analysis import chain
from django_split.analysis.deployment import ENGINES, OVER_A_CACHE, Deployment, Session
from django_split.plan import Admin, Main

CACHE_ALIAS = "django_split_sessions"
SESSIONS_APP = "django.contrib.sessions"
JSON = "django.contrib.sessions.serializers.JSONSerializer"

GUARD = "django_split.sessions.guard.StoreGuardMiddleware"
TAKEOVER = "django_split.sessions.takeover.TakeoverMiddleware"
LIMITS = "django_split.sessions.limits.SessionLimitsMiddleware"


def with_their_table(part: Main | Admin, engine: str) -> None:
    if not apps.is_installed(SESSIONS_APP):
        part.add_apps.append(SESSIONS_APP)
        part.why[SESSIONS_APP] = f"{engine} keeps sessions in its table, too"


def keep(part: Main | Admin, session: Session, whose: str, where: str) -> None:
    """Sessions in a store: the engine, the store that it is told, and the guard before it.

    `whose` store it is and `where` sessions run, as the reasons have it.
    """
    settings: dict[str, Any] = {"SESSION_ENGINE": ENGINES[session.engine]}
    why = {
        "SESSION_SERIALIZER": f"never pickle: with it, writing to the store runs code in {where}"
    }
    if session.engine not in OVER_A_CACHE:
        settings["SESSION_CACHE_ALIAS"] = CACHE_ALIAS
        part.caches = {CACHE_ALIAS: cache(session)}
        why["SESSION_CACHE_ALIAS"] = f"the cache that is {whose}"
        why["CACHES"] = f"{CACHE_ALIAS} is {whose}, and nothing else is in it"
    part.settings = {**settings, "SESSION_SERIALIZER": JSON, **part.settings}
    part.why |= why
    if session.store != "local":
        part.settings["DJANGO_SPLIT_SESSIONS"] = of_the_store(session)
        part.why["DJANGO_SPLIT_SESSIONS"] = f"where {whose} is"
        part.first_middleware = [GUARD]
        part.why[GUARD] = "a store that is away is a 503 that keeps the cookie, not a sign-out"


def limit(admin: Admin, deployment: Deployment) -> None:
    """What an admin's session in a store has besides: its limits, and the site's old cookie."""
    idle, absolute = deployment.timeouts
    admin.settings["DJANGO_SPLIT_SESSIONS"] |= {
        "idle": idle,
        "absolute": absolute,
        "record_client": deployment.session_record_client,
    }
    admin.why["DJANGO_SPLIT_SESSIONS"] += (
        f", and how long a session lives: {_lives(idle, absolute)}"
    )
    if session_middleware := list(chain.session_middleware()):
        admin.after_middleware = {session_middleware[-1]: [LIMITS]}
        admin.why[LIMITS] = (
            "since when a session is there and when it was last seen; it ends in time"
        )
    admin.first_middleware.append(TAKEOVER)
    admin.why[TAKEOVER] = "who was signed in before the split stays so: by the old cookie, once"


def of_the_store(session: Session) -> dict[str, Any]:
    """DJANGO_SPLIT_SESSIONS: where `django_split.sessions` finds the sessions of either engine.

    Nothing for what is no Redis, which has no keys to list.
    """
    if session.store != "redis":
        return {}
    if session.engine in OVER_A_CACHE:
        prefix = f"{session.key_prefix}:session:"
    else:
        # As django.core.cache makes a key, version 1, of what the engine puts before its own.
        prefix = f"{session.key_prefix}:1:django.contrib.sessions.{session.engine}"
    page = {"page": session.page} if session.page else {}
    return {"url": session.url, "prefix": prefix, **page}


def cache(session: Session) -> dict[str, Any]:
    """The cache that one of Django's engines keeps sessions in."""
    if session.store == "local":
        return {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "LOCATION": session.key_prefix,
        }
    backend = {"memcached": "JSONMemcacheCache"}.get(session.store, "JSONRedisCache")
    return {
        "BACKEND": f"django_split.sessions.caches.{backend}",
        "LOCATION": session.url,
        "KEY_PREFIX": session.key_prefix,
    }


def _lives(idle: int, absolute: int) -> str:
    limits = [
        *([f"{idle} s without a request"] if idle else []),
        *([f"{absolute} s from the login"] if absolute else []),
    ]
    return ", ".join(limits) or "as long as the site's own SESSION_COOKIE_AGE"
