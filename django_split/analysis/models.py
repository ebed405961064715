"""Why main must keep a dropped app's models or templates (FACTS A10, A21): then, and only then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.apps import apps

from django_split import findings as kinds
from django_split.analysis import reach, templates
from django_split.analysis.apps import Dropped
from django_split.analysis.deployment import Deployment
from django_split.analysis.evidence import at, place
from django_split.analysis.imports import App, uses
from django_split.analysis.related import related
from django_split.analysis.routes import Route
from django_split.findings import Finding

Needed = dict[str, list[Finding]]


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
