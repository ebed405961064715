"""Django's system checks of this process: what main fails and the base does not is a finding."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.checks import ERROR, CheckMessage, Tags
from django.core.checks.registry import registry
from django.db import OperationalError, connections

from django_split.analysis.alarm import TooSlow, limit
from django_split.analysis.blame import app_of, folders

# One that asks a server may wait for it.
SECONDS = 10


def errors() -> list[list[str]]:
    """Each error that is not silenced: its id, its message, and the app whose check it is.

    No database is connected to: a check that asks one all the same would make a SQLite file, or
    wait for a server. A check that raises has the name of its exception for an id.
    """
    places = folders(settings.INSTALLED_APPS)
    found = []
    with _unconnected():
        for check in registry.get_checks():
            if Tags.database in getattr(check, "tags", ()):
                continue
            for message in _run(check):
                if message.is_serious(ERROR) and not message.is_silenced():
                    subject = f"{message.obj}: " if isinstance(message.obj, str) else ""
                    text = f"{subject}{message.msg}"
                    found.append([str(message.id), text, _app(check, places)])
    return found


@contextmanager
def _unconnected() -> Iterator[None]:
    def refuse() -> None:
        raise OperationalError("the analysis asks no database for a system check")

    wrappers = [connections[alias] for alias in connections]
    for wrapper in wrappers:
        wrapper.connect = refuse  # type: ignore[method-assign]
    try:
        yield
    finally:
        for wrapper in wrappers:
            del wrapper.connect


def _run(check: Callable[..., Iterable[CheckMessage]]) -> list[CheckMessage]:
    try:
        with limit(SECONDS):
            return list(check(app_configs=None, databases=None) or ())
    except TooSlow:
        return []
    except Exception as error:
        name = f"{check.__module__}.{getattr(check, '__name__', 'check')}"
        return [CheckMessage(ERROR, f"{name}: {error}", id=type(error).__name__)]


def _app(check: Any, places: dict[str, list[str]]) -> str:
    try:
        return app_of(inspect.getfile(inspect.unwrap(check)), places)
    except TypeError:
        return ""
