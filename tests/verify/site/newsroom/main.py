"""Main: neither admin nor sessions, unless a bug leaves them in, or sessions are wanted."""

from __future__ import annotations

from newsroom.base import *  # noqa: F403
from newsroom.base import CACHES, INSTALLED_APPS, MIDDLEWARE, ROOT, SESSIONS
from newsroom.bugs import BUGS

ROOT_URLCONF = "newsroom.urls_main"
if "apps_left" in BUGS:
    INSTALLED_APPS += ["django.contrib.admin", "django.contrib.sessions"]
    MIDDLEWARE += SESSIONS

if "models_left" in BUGS:
    INSTALLED_APPS += ["django_split.runtime.main.models_only.AdminModelsConfig"]

if "sessions_wanted" in BUGS:
    INSTALLED_APPS += ["django.contrib.sessions"]
    MIDDLEWARE += SESSIONS
    store = "store" if "in_the_admins_store" in BUGS else "public"
    STORE = f"unix://{ROOT}/run/{store}/store.sock?db=0"
    SESSION_ENGINE = "django_split.sessions.redis"
    DJANGO_SPLIT_SESSIONS = {"url": STORE, "prefix": "newsroom:session:"}
    if "stock_engine" in BUGS:
        CACHES["sessions"] = {
            "BACKEND": "django_split.sessions.caches.JSONRedisCache",
            "LOCATION": STORE,
        }
        SESSION_CACHE_ALIAS = "sessions"
        SESSION_ENGINE = "django.contrib.sessions.backends.cache"
    if "admin_left" in BUGS:
        INSTALLED_APPS += ["django.contrib.admin"]
    if "in_the_database_only" in BUGS:
        SESSION_ENGINE = "django.contrib.sessions.backends.db"
    if "the_admins_cookie" in BUGS:
        SESSION_COOKIE_NAME = "newsroom_admin"
