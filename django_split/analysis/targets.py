"""Which pages a crawl asks for, and in which order."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.db.models import Model
from django.urls import ResolverMatch, get_script_prefix, resolve
from django.utils import translation

from django_split.analysis.alarm import TooSlow, limit
from django_split.analysis.pages import MISSING
from django_split.analysis.words import never
from django_split.mounts import as_written, is_below, view_name

# Ten thousand articles are one view's: as many of them are asked, and as many with a query.
PER_VIEW = 5
QUERIES = 2

# Rows of a model that are asked for their page, and seconds for it.
ROWS = 2
SECONDS = 1

COMMON = ["/robots.txt", "/sitemap.xml", MISSING]


class Targets:
    """Paths to ask for, each once: a view that was not asked yet before one that was."""

    def __init__(self, prefixes: Iterable[str]) -> None:
        """Take the prefixes that main has no part in."""
        self.prefixes = list(prefixes)
        self.fresh: deque[str] = deque()
        self.again: deque[str] = deque()
        self.seen: set[str] = set()
        self.asked: Counter[tuple[str, str]] = Counter()
        self.queries: Counter[tuple[str, str]] = Counter()

    def add(self, paths: Iterable[str]) -> None:
        for path in paths:
            if path not in self.seen:
                self.seen.add(path)
                self.fresh.append(path)

    def __iter__(self) -> Iterator[str]:
        """Go on until nothing is left; paths may be added meanwhile."""
        while self.fresh or self.again:
            fresh = bool(self.fresh)
            path = (self.fresh or self.again).popleft()
            found = match(path.partition("?")[0])
            if self._is_forbidden(path, found):
                continue
            key = (as_written(found), view_name(found.func)) if found else ("", "")
            key = (path, "") if path in COMMON else key
            if self.asked[key] and fresh:
                self.again.append(path)
                continue
            if self.asked[key] >= PER_VIEW or ("?" in path and self.queries[key] >= QUERIES):
                continue
            self.asked[key] += 1
            self.queries[key] += "?" in path
            yield path

    def _is_forbidden(self, path: str, found: ResolverMatch | None) -> bool:
        names = (found.view_name or "", view_name(found.func)) if found else ()
        return is_below(path, [*self.prefixes, *_files()]) or never(path, *names)


def match(path: str) -> ResolverMatch | None:
    """What ROOT_URLCONF has for a path, in the language that the path is in."""
    language = translation.get_language_from_path(path) or settings.LANGUAGE_CODE
    with suppress(Exception), translation.override(language):
        return resolve(path)
    return None


def of_rows(seconds: float) -> Iterator[str]:
    """Pages of the first rows of each model that says where its rows are shown."""
    deadline = time.monotonic() + seconds
    for model in apps.get_models():
        # The second is Wagtail's name for it.
        for method in ("get_absolute_url", "get_url"):
            if callable(getattr(model, method, None)) and time.monotonic() < deadline:
                yield from _of_model(model, method)
                break


def _of_model(model: type[Model], method: str) -> Iterator[str]:
    # What a model's own code raises means that its rows have no page.
    with suppress(Exception, TooSlow), limit(SECONDS):
        rows: Iterable[Any] = model._default_manager.order_by("pk")[:ROWS]
        for row in rows:
            parts = urlsplit(str(getattr(row, method)()))
            if parts.path.startswith("/"):
                path = without_script_name(parts.path)
                yield parts._replace(scheme="", netloc="", path=path, fragment="").geturl()


def without_script_name(path: str) -> str:
    """A path as it is looked up, in a site that stands below another one's root."""
    prefix = script_name()
    return path.removeprefix(prefix) or "/" if prefix and is_below(path, [prefix]) else path


def script_name() -> str:
    return get_script_prefix().rstrip("/")


def _files() -> list[str]:
    """What nginx serves, not the site."""
    urls = [url for url in (settings.STATIC_URL, settings.MEDIA_URL) if url and url[0] == "/"]
    # A URL that is not set is the root, under FORCE_SCRIPT_NAME too.
    return [path for url in urls if (path := without_script_name(url)) != "/"]
