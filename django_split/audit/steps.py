"""What each of the audit's two processes does: pages are asked in one of their own.

A page may hang or exit, and its surroundings change settings; neither must cost what else there is.
"""

from __future__ import annotations

import dataclasses
import os
from typing import Any

from django_split.analysis.failure import describe
from django_split.audit import facts
from django_split.base import read
from django_split.versions import UnsupportedError, check_versions

SESSION_MIDDLEWARE = "django.contrib.sessions.middleware.SessionMiddleware"


def look(request: dict[str, Any]) -> dict[str, Any]:
    """Settings, table and code. Takes `settings`, `exact` and `seconds`; gives a Site's data."""
    module = request["settings"]
    try:
        _set_up(module)
        found = _site(module, request["exact"], request["seconds"])
    except UnsupportedError as error:
        return {"settings": module, "broken": f'"{module}" is {error}'}
    except (Exception, SystemExit) as error:
        return {"settings": module, "broken": describe(error, module)}
    return found.data()


def pages(request: dict[str, Any]) -> dict[str, Any]:
    """The pages. Takes `settings`, `pages` and `seconds`; gives a Pages's data."""
    from django_split.audit import visits

    try:
        _set_up(request["settings"])
        found = visits.pages(request["pages"], request["seconds"])
    except (Exception, SystemExit) as error:
        found = facts.Pages(notes=[describe(error, request["settings"])])
    return dataclasses.asdict(found)


def _set_up(module: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = module
    check_versions()
    read(module)  # first: Django itself would import a plain module
    import django
    from django.conf import settings

    # The site's log files are not ours to open.
    settings.LOGGING_CONFIG = None
    django.setup()
    settings.DEBUG = False  # Django keeps every query under DEBUG


def _site(module: str, exact: bool, seconds: float) -> facts.Site:
    import django
    from django.conf import settings

    from django_split.audit import database, engines
    from django_split.audit.cleaning import cleaning
    from django_split.audit.table import table
    from django_split.audit.values import values
    from django_split.sessions.serializers import unpickles

    found = facts.Site(module, django=django.get_version(), store=engines.store())
    found.instance = str((getattr(settings, "DJANGO_SPLIT", None) or {}).get("instance", ""))
    found.middleware = _has_middleware()
    found.values = values(module)
    found.unpickles = unpickles(settings.SESSION_SERIALIZER)
    model = database.model()
    if model is not None:
        alias = database.alias_of(model)
        found.connection = database.connection(alias)
        found.table = table(model, exact, seconds)
        if found.table.exists or found.table.error:
            found.cleaning = cleaning(module)
    return found


def _has_middleware() -> bool:
    """Whether requests have a session at all. A subclass is one, too."""
    from django.conf import settings
    from django.contrib.sessions.middleware import SessionMiddleware
    from django.utils.module_loading import import_string

    for entry in settings.MIDDLEWARE:
        try:
            made = import_string(entry)
        except ImportError:
            continue  # the site does not start, and says so itself
        if isinstance(made, type) and issubclass(made, SessionMiddleware):
            return True
    return False
