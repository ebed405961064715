"""Main: neither admin nor sessions, unless a bug leaves them in."""

from __future__ import annotations

from newsroom.base import *  # noqa: F403
from newsroom.base import INSTALLED_APPS, MIDDLEWARE, SESSIONS
from newsroom.bugs import BUGS

ROOT_URLCONF = "newsroom.urls_main"
if "apps_left" in BUGS:
    INSTALLED_APPS += ["django.contrib.admin", "django.contrib.sessions"]
    MIDDLEWARE += SESSIONS
