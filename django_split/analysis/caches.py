from __future__ import annotations

from django_split.analysis.deployment import Deployment
from django_split.findings import Finding


def find(deployment: Deployment) -> list[Finding]:
    return []
