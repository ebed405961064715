from __future__ import annotations

from django_split.analysis.apps import Dropped
from django_split.analysis.routes import Route
from django_split.findings import Finding


def needed(dropped: list[Dropped], routes: list[Route]) -> dict[str, list[Finding]]:
    return {}


def imports() -> dict[str, list[Finding]]:
    return {}
