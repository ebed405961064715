from __future__ import annotations

from django.http import HttpRequest


def nothing(request: HttpRequest) -> dict[str, object]:
    """Stands in for a context processor of an app that main does not have."""
    return {}
