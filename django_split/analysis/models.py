"""Why main must keep a dropped app's models or templates (FACTS A10, A21): then, and only then."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterable, Iterator, Sequence

from django.apps import apps

from django_split import findings as kinds
from django_split.analysis import reach, templates
from django_split.analysis.apps import Dropped
from django_split.analysis.deployment import Deployment
from django_split.analysis.evidence import at, place
from django_split.analysis.imports import App, uses
from django_split.analysis.pages import Page
from django_split.analysis.related import related
from django_split.analysis.routes import Route
from django_split.findings import Finding

Needed = dict[str, list[Finding]]

# What Django says of a template and of tags that it does not find, and where an app has them.
FILES = {
    re.compile(r"TemplateDoesNotExist: (\S+)\Z"): "templates/{}",
    re.compile(r"TemplateSyntaxError: '(\w+)' is not a registered tag library"): (
        "templatetags/{}.py"
    ),
}


def needed(dropped: list[Dropped], routes: list[Route], deployment: Deployment) -> Needed:
    """What the base's process knows, by the entry in INSTALLED_APPS: relations and templates.

    Takes the routes outside the admins. What imports need is seen in main's own process, which
    has no module loaded that only the admin loads: see `imports`.
    """
    found: Needed = {}
    for entry, finding in [*_relations(dropped), *templates.needed(dropped, routes, deployment)]:
        found.setdefault(entry, []).append(finding)
    return found


def imports(gone: Sequence[App]) -> Needed:
    """What the modules of this process, which is main's, need of the apps that main drops."""
    found: Needed = {}
    for module in reach.modules(gone):
        for use in uses(module, gone):
            finding = Finding(kinds.NEEDED, use.what, where=at(module.file, use.line))
            found.setdefault(use.app.entry, []).append(finding)
    return found


def failing(pages: Iterable[Page], gone: Sequence[App]) -> Needed:
    """What pages of main failed for: a name that is put together, and could not be read."""
    found: Needed = {}
    for page in pages:
        for app in gone:
            if page.exception and _is_missing(page.exception, app):
                what = f"{page.url or page.path} fails without it: {page.exception}"
                finding = Finding(kinds.NEEDED, what, page.url, page.view, page.raised_at)
                found.setdefault(app.entry, []).append(finding)
    return found


def _is_missing(exception: str, app: App) -> bool:
    """Whether an exception is about a model, a template or tags of an app."""
    if app.is_missed_by(exception):
        return True
    for pattern, file in FILES.items():
        match = pattern.match(exception)
        spec = importlib.util.find_spec(app.name) if match else None
        for folder in (spec and spec.submodule_search_locations) or ():
            if match and os.path.isfile(os.path.join(folder, file.format(match[1]))):
                return True
    return False


def _relations(dropped: list[Dropped]) -> Iterator[tuple[str, Finding]]:
    gone = {item.config.label: item.entry for item in dropped}
    for model in apps.get_models():
        if model._meta.app_label in gone:
            continue
        for name, other in related(model):
            if other._meta.app_label in gone:
                what = f"{model._meta.label}{name} relates to {other._meta.label}"
                where = place(model)
                yield gone[other._meta.app_label], Finding(kinds.NEEDED, what, where=where)
