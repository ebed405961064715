"""Every URL of the site that is not an admin's own, with the view behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import translation

from django_split.analysis.urls import default_language
from django_split.mounts import (
    OtherAdmins,
    depends_on_language,
    is_below,
    mount_kind,
    patterns_of,
    route,
    view_name,
)


@dataclass(frozen=True)
class Route:
    """A URL pattern with everything above it.

    `url` is as it is written, "/articles/<int:pk>/"; `literal` says that it is a path that can be
    asked for as it stands. Under `i18n_patterns` there is a Route for each language.
    """

    url: str
    literal: bool
    name: str  # with its namespaces: "blog:edit"
    callback: Callable[..., Any]

    @property
    def view(self) -> str:
        """The view's dotted name."""
        return view_name(self.callback)

    def is_below(self, prefixes: list[str]) -> bool:
        return is_below(self.url, prefixes)


def routes(other_admins: OtherAdmins, urlconf: Any = None) -> list[Route]:
    """The routes of a URLconf (ROOT_URLCONF by default), without what is mounted as an admin.

    What merely stands under an admin's prefix is among them.
    """
    root = get_resolver(urlconf or settings.ROOT_URLCONF)
    found: dict[tuple[str, Any], Route] = {}
    for trail in _leaves(root, (), other_admins):
        for language in _languages(trail):
            with translation.override(language):
                path, literal = route(trail)
            leaf = trail[-1]
            spaces = [link.namespace for link in trail[:-1] if getattr(link, "namespace", None)]
            name = ":".join([*spaces, leaf.name]) if leaf.name else ""
            made = Route(f"/{path}", literal, name, leaf.callback)
            found.setdefault((made.url, leaf), made)
    return list(found.values())


def _leaves(
    resolver: URLResolver, above: tuple[Any, ...], other_admins: OtherAdmins
) -> Iterator[tuple[Any, ...]]:
    trail = (*above, resolver)
    for pattern in patterns_of(resolver):
        if isinstance(pattern, URLPattern):
            yield (*trail, pattern)
        elif not mount_kind(pattern, other_admins):
            yield from _leaves(pattern, trail, other_admins)


def _languages(trail: tuple[Any, ...]) -> list[str]:
    languages = [default_language()]
    if settings.USE_I18N and any(depends_on_language(link.pattern) for link in trail):
        languages += [code for code, _ in settings.LANGUAGES]
    return list(dict.fromkeys(languages))
