"""A site that counts visits in the session. ENGINE and STORE say where that is."""

from __future__ import annotations

import os

PLACE, ENGINE, STORE = (os.environ[f"COUNTER_{name}"] for name in ("PLACE", "ENGINE", "STORE"))

SECRET_KEY = "for-the-tests-only-" + "0123456789" * 4
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
]
MIDDLEWARE = [
    "django_split.sessions.guard.StoreGuardMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
ROOT_URLCONF = "counter.urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{PLACE}/db.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
# Whom Django writes to about every error.
ADMINS = [("Operator", "operator@example.org")]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

SESSION_ENGINE = {
    "redis": "django_split.sessions.redis",
    "redis_db": "django_split.sessions.redis_db",
    "cache": "django.contrib.sessions.backends.cache",
    "cached_db": "django.contrib.sessions.backends.cached_db",
    "memcached": "django.contrib.sessions.backends.cache",
}[ENGINE]
DJANGO_SPLIT_SESSIONS = {"url": STORE, "prefix": "counter:session:"}
CACHES = {"default": {"BACKEND": "django_split.sessions.caches.JSONRedisCache", "LOCATION": STORE}}
if ENGINE == "memcached":
    CACHES["default"] = {
        "BACKEND": "django_split.sessions.caches.JSONMemcacheCache",
        "LOCATION": STORE.replace("unix://", "unix:").partition("?")[0],
    }
