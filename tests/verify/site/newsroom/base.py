"""What both instances share. NEWSROOM_ROOT is the host's folder."""

from __future__ import annotations

import os

from newsroom.bugs import BUGS

ROOT = os.environ["NEWSROOM_ROOT"]
HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

SECRET_KEY = "only for tests"
DEBUG = "debug" in BUGS
ALLOWED_HOSTS = ["news.example", "desk.news.example"]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "/static/"
STATIC_ROOT = f"{ROOT}/static"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{ROOT}/data/db.sqlite3"}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "newsroom",
]
MIDDLEWARE = [
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [f"{HERE}/templates"],
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
SESSIONS = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
