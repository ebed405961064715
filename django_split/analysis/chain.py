"""The middleware chain and the context processors: what main replaces, and what forbids a split."""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import AppConfig
from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.utils.module_loading import import_string

from django_split import findings as kinds
from django_split.analysis.evidence import place
from django_split.findings import Finding

STAND_IN = "django_split.runtime.main.middleware.StandInSessionMiddleware"
URLCONF_FILTER = "django_split.runtime.main.middleware.UrlconfMiddleware"
NOTHING = "django_split.runtime.main.context_processors.nothing"


def session_middleware() -> dict[str, str]:
    """The entries that make sessions, each with the reason why a stand-in takes its place."""
    found = {}
    for entry in settings.MIDDLEWARE:
        made = import_string(entry)
        if isinstance(made, type) and issubclass(made, SessionMiddleware):
            found[entry] = "request.session stays, for one request: no cookie, no Vary, no query"
            if made is not SessionMiddleware:
                found[entry] += "; what this subclass adds to SessionMiddleware is left out"
    return found


def everywhere() -> list[Finding]:
    """What makes every public page need sessions.

    Removing what demands a login would open a private site (FACTS A6).
    """
    found = []
    for entry in settings.MIDDLEWARE:
        made = import_string(entry)
        # By name as well as class: Django has one since 5.1, and packages had theirs before it.
        names = {cls.__name__ for cls in getattr(made, "__mro__", ())}
        if "LoginRequiredMiddleware" in names:
            what = f"MIDDLEWARE has {entry}: every page demands a login"
            found.append(Finding(kinds.EVERYWHERE, what, view=entry, where=place(made)))
    if settings.CSRF_USE_SESSIONS:
        what = "CSRF_USE_SESSIONS is True: every form needs a session"
        found.append(Finding(kinds.EVERYWHERE, what))
    return found


def orphaned_processors(gone: Iterable[AppConfig]) -> dict[str, str]:
    """Context processors that live in a dropped app, with the stand-in for each."""
    packages = tuple(f"{config.name}." for config in gone)
    return {
        entry: NOTHING
        for engine in settings.TEMPLATES
        for entry in engine.get("OPTIONS", {}).get("context_processors", ())
        if import_string(entry).__module__.startswith(packages)
    }
