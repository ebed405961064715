"""What the analysis does not look into: told, so that nobody takes silence for an all-clear."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.template import engines
from django.template.backends.django import DjangoTemplates
from django.template.loaders import cached, filesystem, locmem
from django.utils.module_loading import import_string

from django_split import findings as kinds
from django_split.analysis.evidence import at
from django_split.analysis.modules import constant, dotted
from django_split.analysis.source import is_machinery, tree
from django_split.findings import Finding

READ = (filesystem.Loader, cached.Loader, locmem.Loader)


def find() -> list[Finding]:
    """One note for each part of the site that is not looked into."""
    notes = [*_urlconfs(), *_engines(), *_asynchronous()]
    return [Finding(kinds.NOT_COVERED, what, view=view, where=where) for what, view, where in notes]


def _urlconfs() -> Iterator[tuple[str, str, str]]:
    """Middleware that chooses a URLconf for a request, as django-hosts does (FACTS A15)."""
    told: set[str] = set()
    for entry in settings.MIDDLEWARE:
        made = inspect.unwrap(import_string(entry))
        for part in getattr(made, "__mro__", (made,)):
            where = "" if is_machinery(part.__module__) else _chooses(part)
            if where and where not in told:
                told.add(where)
                yield (
                    "it chooses a URLconf by the request: the views of others than ROOT_URLCONF "
                    "are not looked at (main leaves the admin out of any)",
                    entry,
                    where,
                )
                break


def _chooses(thing: Any) -> str:
    """Where a middleware sets `request.urlconf`, or an empty text."""
    try:
        file = inspect.getfile(thing)
    except TypeError:
        return ""
    parsed = tree(file)
    for definition in ast.walk(parsed) if parsed else ():
        if getattr(definition, "name", "") == thing.__name__:
            for node in ast.walk(definition):
                if _sets_urlconf(node):
                    return at(file, int(getattr(node, "lineno", 1)))
    return ""


def _sets_urlconf(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute) and node.attr == "urlconf":
        # A pattern's own `self.urlconf` is no request's.
        return isinstance(node.ctx, ast.Store) and dotted(node.value).endswith("request")
    if isinstance(node, ast.Call) and dotted(node.func) == "setattr" and len(node.args) > 1:
        return bool(constant(node.args[1]) == "urlconf")
    return False


def _engines() -> Iterator[tuple[str, str, str]]:
    for engine in engines.all():
        name = type(engine).__name__
        if not isinstance(engine, DjangoTemplates):
            yield (
                f"templates of {name} are not read: what they take from the admin is seen only "
                "where a page of theirs was asked for",
                "",
                "",
            )
            continue
        for loader in engine.engine.template_loaders:
            for part in getattr(loader, "loaders", [loader]):
                if not isinstance(part, READ):
                    label = f"{type(part).__module__}.{type(part).__name__}"
                    yield f"templates that {label} loads are not read", "", ""


def _asynchronous() -> Iterator[tuple[str, str, str]]:
    application = getattr(settings, "ASGI_APPLICATION", None)
    if application or apps.is_installed("channels"):
        name = f"ASGI_APPLICATION ({application})" if application else "channels"
        yield (
            f"{name} is not looked at: websockets and consumers, and what sessions and users they "
            "need; the instances serve HTTP through WSGI",
            "",
            "",
        )
