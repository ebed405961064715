"""An admin instance's settings as a plan makes them, without one. A test adds its own lines."""

from __future__ import annotations

import os
from pathlib import Path

PLACE = Path(os.environ["OFFICE_PLACE"])

SECRET_KEY = "for-the-tests-only-" + "0123456789" * 4
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_split.runtime.admin.apps.AdminInstanceConfig",
]
MIDDLEWARE = [
    "django_split.sessions.guard.StoreGuardMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django_split.sessions.limits.SessionLimitsMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "office.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": PLACE / "db.sqlite3"}}
# Signing in would cost most of the tests' time.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
STATIC_URL = "/static/"
LANGUAGE_CODE = "en"
SESSION_COOKIE_NAME = "office"
SESSION_ENGINE = "django_split.sessions.redis"
DJANGO_SPLIT_SESSIONS = {
    "url": f"unix://{PLACE}/store.sock?db=0",
    "prefix": "office:session:",
    "idle": 0,
    "absolute": 0,
    "record_client": False,
}
