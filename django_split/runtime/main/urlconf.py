"""Main's URLconf: the site's own, with admins, closed prefixes and closed views as ghosts."""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import cache
from types import ModuleType
from typing import Any

from django.urls import Resolver404, ResolverMatch, URLPattern, URLResolver
from django.urls.resolvers import RegexPattern

from django_split import runtime
from django_split.mounts import DJANGO, AnyPattern, mount_kind, view_name
from django_split.runtime.main import ghosts

HANDLERS = ("handler400", "handler403", "handler404", "handler500")


@cache
def filtered(urlconf: Any) -> ModuleType:
    """A URLconf's module, or what takes its place on main: same handlers, same names, no admin.

    Takes what ROOT_URLCONF or `request.urlconf` may hold: a dotted name, a module, or a tuple of
    patterns.
    """
    source = importlib.import_module(urlconf) if isinstance(urlconf, str) else urlconf
    module = ModuleType(
        f"django_split.runtime.main.urlconf.{getattr(source, '__name__', 'patterns')}"
    )
    patterns: Sequence[AnyPattern] = (
        vars(source)["urlpatterns"] if isinstance(source, ModuleType) else source
    )
    module.urlpatterns = [*shields(), *served(patterns)]  # type: ignore[attr-defined]
    for name in HANDLERS:
        if hasattr(source, name):
            setattr(module, name, getattr(source, name))
    return module


def served(patterns: Sequence[AnyPattern]) -> list[AnyPattern]:
    """The patterns, with every admin and closed view among them replaced in place by its ghosts."""
    return [_served(pattern) for pattern in patterns]


def _served(pattern: AnyPattern) -> AnyPattern:
    if not isinstance(pattern, URLResolver):
        return ghosts.ghost_of(pattern) if _is_closed(pattern) else pattern
    if kind := mount_kind(pattern, runtime.plan().main.urls.other_admins):
        # Another admin's namespace may be "admin" too, below the site's own: it has its URLs here.
        planned = pattern.namespace if kind == DJANGO else None
        return ghosts.resolver_of(pattern, ghosts.of(pattern.url_patterns, planned))
    below = served(pattern.url_patterns)
    # An untouched include stays the object it was.
    same = all(a is b for a, b in zip(below, pattern.url_patterns, strict=True))
    return pattern if same else ghosts.resolver_of(pattern, below)


def _is_closed(pattern: URLPattern) -> bool:
    closed = runtime.plan().main.urls.closed_views
    return bool(closed) and any(fnmatchcase(view_name(pattern.callback), view) for view in closed)


class _Shield(URLPattern):
    """Is not among the patterns that a debug page lists as tried.

    They are the site's there: with one more Django would not greet who has just begun, under
    `runserver` (it does where the admin is all that a URLconf has).
    """

    def resolve(self, path: str) -> ResolverMatch:
        match = super().resolve(path)
        if match is None:
            raise Resolver404({"path": path, "tried": []})
        return match


def shields() -> list[AnyPattern]:
    """One ghost per prefix that main does not serve, to stand before everything else.

    Below an admin's prefix other patterns may hang (`admin/doc/`), and a site's catch-all may
    answer there.
    """
    plan = runtime.plan()
    prefixes = [*plan.admin.prefixes, *plan.main.urls.closed]
    return [
        _Shield(
            RegexPattern(f"^{re.escape(prefix[1:])}" + ("" if prefix.endswith("/") else "(?:/|$)")),
            ghosts.ghost,
        )
        for prefix in dict.fromkeys(prefixes)
    ]
