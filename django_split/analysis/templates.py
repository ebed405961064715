"""Which templates, tags and widgets of a dropped app the pages of main use (FACTS A21).

From the views that main serves to the names of templates, and from each template to what it
extends, includes and loads, as far as it is written as a literal. What matters is where the file
lies that the engine finds: a site may have a template of its own under the admin's name.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from django.conf import settings
from django.forms.renderers import get_default_renderer
from django.template import TemplateDoesNotExist, engines
from django.template.backends.django import DjangoTemplates
from django.template.base import DebugLexer, TokenType
from django.template.loaders import cached, filesystem
from django.template.loaders.base import Loader

from django_split import findings as kinds
from django_split.analysis.apps import Dropped
from django_split.analysis.deployment import Deployment
from django_split.analysis.evidence import at
from django_split.analysis.routes import Route
from django_split.analysis.shown import Shown, of_models, of_settings, of_view
from django_split.findings import Finding
from django_split.mounts import is_below

ERROR_PAGES = ("400.html", "403.html", "404.html", "500.html", "403_csrf.html")


@dataclass(frozen=True)
class Link:
    """What a template names: a template, or a library of tags."""

    how: str
    name: str
    line: int


@dataclass(frozen=True)
class File:
    path: str
    links: tuple[Link, ...]


def needed(
    dropped: list[Dropped], routes: list[Route], deployment: Deployment
) -> Iterator[tuple[str, Finding]]:
    """Each template, tag and widget of a dropped app that main uses, with the app's entry."""
    folders = {item.config.path: item for item in dropped}
    search = _Search(folders)
    served = [route for route in routes if not _is_closed(route, deployment)]
    # The same view in twenty languages is looked into once.
    for route in {id(route.callback): route for route in reversed(served)}.values():
        for shown in of_view(route.callback):
            yield from search.from_(shown, route)
    pages = [Shown("template", name) for name in ERROR_PAGES]
    for shown in [*pages, *of_models(), *of_settings()]:
        yield from search.from_(shown, None)


def _is_closed(route: Route, deployment: Deployment) -> bool:
    closed = deployment.main_closed_views
    return is_below(route.url, deployment.main_closed_prefixes) or any(
        fnmatchcase(route.view, pattern) for pattern in closed
    )


@dataclass
class _Search:
    folders: dict[str, Dropped]
    seen: set[tuple[str, str]] = field(default_factory=set)

    def from_(self, shown: Shown, route: Route | None) -> Iterator[tuple[str, Finding]]:
        whose = f"{route.url} shows" if route else "main shows"
        yield from self._look(shown.how, shown.name, "", whose, shown.where, route)

    def _look(
        self, how: str, name: str, above: str, whose: str, where: str, route: Route | None
    ) -> Iterator[tuple[str, Finding]]:
        if (name, above) in self.seen:
            return
        self.seen.add((name, above))
        if how == "library":
            yield from self._library(name, whose, where, route)
            return
        file = _file(name, how == "widget", above)
        if file is None:
            return
        if item := self._dropped(file.path):
            what = f"{whose} {name}, a {how} of {item.config.name}"
            yield item.entry, _finding(what, where, route)
            return  # what it uses itself comes with it
        for link in file.links:
            inner = f"{name} {link.how}"
            above = file.path if link.name == name else ""
            kind = "library" if link.how == "loads" else "template"
            yield from self._look(kind, link.name, above, inner, at(file.path, link.line), route)

    def _library(
        self, name: str, whose: str, where: str, route: Route | None
    ) -> Iterator[tuple[str, Finding]]:
        for engine in _engines():
            module = engine.engine.libraries.get(name)
            for item in self.folders.values():
                # What OPTIONS names is there on main too.
                if _is_in(module, item.config.name) and not _is_listed(name):
                    what = f"{whose} {name}, tags of {item.config.name}"
                    yield item.entry, _finding(what, where, route)
                    return

    def _dropped(self, path: str) -> Dropped | None:
        for folder, item in self.folders.items():
            if path.startswith(folder + os.sep):
                return item
        return None


def _finding(what: str, where: str, route: Route | None) -> Finding:
    if route is None:
        return Finding(kinds.NEEDED, what, where=where)
    return Finding(kinds.NEEDED, what, url=route.url, view=route.view, where=where)


def _is_in(module: object, package: str) -> bool:
    return isinstance(module, str) and module.startswith(f"{package}.")


def _is_listed(library: str) -> bool:
    return any(
        library in ((engine.get("OPTIONS") or {}).get("libraries") or {})
        for engine in settings.TEMPLATES
    )


def _engines(widget: bool = False) -> list[DjangoTemplates]:
    """Django's own template engines; for a widget the one that renders forms."""
    if widget:
        # TemplatesSetting, which has none of its own, takes the site's.
        own = getattr(get_default_renderer(), "engine", None)
        return [own] if isinstance(own, DjangoTemplates) else _engines()
    return [engine for engine in engines.all() if isinstance(engine, DjangoTemplates)]


def _file(name: str, widget: bool, above: str) -> File | None:
    """The file that an engine finds by a name; past `above`, when a template extends its own."""
    for engine in _engines(widget):
        passed = not above
        for loader in _loaders(engine.engine.template_loaders):
            for origin in loader.get_template_sources(name):
                try:
                    text = loader.get_contents(origin)
                except (TemplateDoesNotExist, OSError, UnicodeDecodeError):
                    continue
                path = os.path.abspath(origin.name)
                if passed:
                    return File(path, tuple(_links(text)))
                passed = path == above
    return None


def _loaders(given: Iterable[Loader]) -> Iterator[filesystem.Loader]:
    """Those that read files. One that reads a database is not asked."""
    for loader in given:
        if isinstance(loader, cached.Loader):
            yield from _loaders(loader.loaders)
        elif isinstance(loader, filesystem.Loader):
            yield loader


def _links(text: str) -> Iterator[Link]:
    for token in DebugLexer(text).tokenize():
        if token.token_type is not TokenType.BLOCK:
            continue
        try:
            word, *rest = token.split_contents()
        except ValueError:
            continue  # {% %}
        line = token.lineno or 1
        if word in ("extends", "include") and rest and rest[0][0] in "\"'":
            how = "extends" if word == "extends" else "includes"
            yield Link(how, rest[0].strip(rest[0][0]), line)
        elif word == "load":
            # {% load one two from library %}
            names = rest[-1:] if len(rest) > 2 and rest[-2] == "from" else rest
            yield from (Link("loads", name, line) for name in names)
