"""Main: neither admin nor sessions, unless a bug leaves them in."""

from __future__ import annotations

from newsroom.base import *  # noqa: F403
from newsroom.base import BUGS, INSTALLED_APPS, MIDDLEWARE, SESSIONS

ROOT_URLCONF = "newsroom.urls_main"
if "apps_left" in BUGS:
    INSTALLED_APPS += ["django.contrib.admin", "django.contrib.sessions"]
    MIDDLEWARE += SESSIONS
if "no_such_app" in BUGS:
    INSTALLED_APPS += ["nowhere_to_be_found"]
