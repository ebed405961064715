"""Every URL that a process serves, by a walker that shares no code with the engine's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.conf import settings
from django.urls import URLPattern, get_resolver
from django.urls.resolvers import LocalePrefixPattern
from django.utils import translation

GHOSTS = "django_split.runtime.main.ghosts"

Shields = list[Callable[[str], Any]]


def urls() -> list[tuple[str, str]]:
    """Each URL as it is written, with its view's name, in every language; no ghosts.

    What a ghost further up takes away is not served either.
    """
    patterns = get_resolver().url_patterns
    languages = [code for code, _ in settings.LANGUAGES] if _translated(patterns) else [None]
    found = set()
    for code in languages:
        with translation.override(code or settings.LANGUAGE_CODE):
            shields: Shields = []
            for pattern in patterns:
                found.update(_served([pattern], "", shields))
                if isinstance(pattern, URLPattern) and _is_ghost(pattern):
                    shields.append(pattern.pattern.match)
    return sorted(found)


def _served(patterns: Sequence[Any], above: str, shields: Shields) -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        written = above + str(pattern.pattern)
        if not isinstance(pattern, URLPattern):
            yield from _served(pattern.url_patterns, written, shields)
        elif not _is_ghost(pattern) and not any(match(_path(written)) for match in shields):
            yield _path(written, first="/"), _name(pattern.callback)


def _path(written: str, first: str = "") -> str:
    return first + written.replace("^", "").removeprefix("/")


def _is_ghost(pattern: URLPattern) -> bool:
    return getattr(pattern.callback, "__module__", "") == GHOSTS


def _name(callback: Any) -> str:
    named = callback if hasattr(callback, "__qualname__") else type(callback)
    return f"{named.__module__}.{named.__qualname__}"


def _translated(patterns: Sequence[Any]) -> bool:
    return any(
        isinstance(pattern.pattern, LocalePrefixPattern)
        or (not isinstance(pattern, URLPattern) and _translated(pattern.url_patterns))
        for pattern in patterns
    )
