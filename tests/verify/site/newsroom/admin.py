"""The admin: the whole site, sessions in Redis."""

from __future__ import annotations

from newsroom.base import *  # noqa: F403
from newsroom.base import CACHES, INSTALLED_APPS, MIDDLEWARE, ROOT, SESSIONS
from newsroom.bugs import BUGS

ROOT_URLCONF = "newsroom.urls_admin"
INSTALLED_APPS += ["django.contrib.admin", "django.contrib.sessions"]
MIDDLEWARE += SESSIONS
CACHES["sessions"] = {
    "BACKEND": "django.core.cache.backends.redis.RedisCache",
    "LOCATION": f"unix://{ROOT}/run/store/store.sock?db=0",
}
SESSION_CACHE_ALIAS = "sessions"
SESSION_ENGINE = "django.contrib.sessions.backends.cache"
SESSION_COOKIE_NAME = "newsroom_admin"
if "database_sessions" in BUGS:
    SESSION_ENGINE = "django.contrib.sessions.backends.db"
if "written_through" in BUGS:
    SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
if "open_cookie" in BUGS:
    SESSION_COOKIE_HTTPONLY = False
    SESSION_COOKIE_SAMESITE = None
