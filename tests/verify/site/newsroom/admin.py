"""The admin: the whole site, sessions in Redis."""

from __future__ import annotations

from newsroom.base import *  # noqa: F403
from newsroom.base import CACHES, INSTALLED_APPS, MIDDLEWARE, ROOT, SESSIONS
from newsroom.bugs import BUGS

ROOT_URLCONF = "newsroom.urls_admin"
INSTALLED_APPS += ["django.contrib.admin", "django.contrib.sessions"]
MIDDLEWARE += SESSIONS
STORE = f"unix://{ROOT}/run/store/store.sock?db=0"
DJANGO_SPLIT_SESSIONS = {"url": STORE, "prefix": "newsroom:session:"}
SESSION_ENGINE = "django_split.sessions.redis"
SESSION_COOKIE_NAME = "newsroom_admin"
if "database_sessions" in BUGS:
    SESSION_ENGINE = "django.contrib.sessions.backends.db"
if "written_through" in BUGS:
    SESSION_ENGINE = "django_split.sessions.redis_db"
if "stock_engine" in BUGS or "stock_written_through" in BUGS:
    CACHES["sessions"] = {
        "BACKEND": "django_split.sessions.caches.JSONRedisCache",
        "LOCATION": STORE,
    }
    SESSION_CACHE_ALIAS = "sessions"
    stock = "cache" if "stock_engine" in BUGS else "cached_db"
    SESSION_ENGINE = f"django.contrib.sessions.backends.{stock}"
if "open_cookie" in BUGS:
    SESSION_COOKIE_HTTPONLY = False
    SESSION_COOKIE_SAMESITE = None
