"""Django's system checks of this process: what main fails and the base does not is a finding."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.checks import ERROR, CheckMessage, Tags
from django.core.checks.registry import registry

from django_split.analysis.blame import app_of, folders


def errors() -> list[list[str]]:
    """Each error that is not silenced: its id, its message, and the app whose check it is.

    Databases are left alone, as `manage.py check` leaves them. A check that raises has the name of
    its exception for an id.
    """
    places = folders(settings.INSTALLED_APPS)
    found = []
    for check in registry.get_checks():
        if Tags.database in getattr(check, "tags", ()):
            continue
        for message in _run(check):
            if message.is_serious(ERROR) and not message.is_silenced():
                subject = f"{message.obj}: " if isinstance(message.obj, str) else ""
                found.append([str(message.id), f"{subject}{message.msg}", _app(check, places)])
    return found


def _run(check: Callable[..., Iterable[CheckMessage]]) -> list[CheckMessage]:
    try:
        return list(check(app_configs=None, databases=None) or ())
    except Exception as error:
        name = f"{check.__module__}.{getattr(check, '__name__', 'check')}"
        return [CheckMessage(ERROR, f"{name}: {error}", id=type(error).__name__)]


def _app(check: Any, places: dict[str, list[str]]) -> str:
    try:
        return app_of(inspect.getfile(inspect.unwrap(check)), places)
    except TypeError:
        return ""
