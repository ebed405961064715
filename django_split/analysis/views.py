from __future__ import annotations

from django_split.analysis.routes import Route
from django_split.findings import Finding


def find(routes: list[Route]) -> list[Finding]:
    return []
