"""System checks of a running instance.

The ids are stable: they are what an operator silences or searches for.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error

ENGINE = "django_split.runtime.main.sessions"
URLCONF = "django_split.runtime.main.urls"
HINT = "Make the plan again (`django-split plan`), and set nothing after load() that it sets."


def check_instance(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Main is what the plan says:

    without the admin, without sessions, behind the filtered URLconf.
    """
    messages: list[CheckMessage] = [
        Error(f"{name} is installed on main.", hint=HINT, id="split.E001")
        for name in ("django.contrib.admin", "django.contrib.sessions")
        if apps.is_installed(name)
    ]
    if settings.SESSION_ENGINE != ENGINE:
        messages.append(
            Error(
                f"SESSION_ENGINE on main is {settings.SESSION_ENGINE!r}, not the stand-in.",
                hint=HINT,
                id="split.E002",
            )
        )
    if "django.contrib.sessions.middleware.SessionMiddleware" in settings.MIDDLEWARE:
        messages.append(
            Error("SessionMiddleware is in main's MIDDLEWARE.", hint=HINT, id="split.E003")
        )
    if settings.ROOT_URLCONF != URLCONF:
        messages.append(
            Error(
                f"ROOT_URLCONF on main is {settings.ROOT_URLCONF!r}: the admin's URLs are in it.",
                hint=HINT,
                id="split.E004",
            )
        )
    return messages
