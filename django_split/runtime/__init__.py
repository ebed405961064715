"""What lives in a running instance. Imported by nothing else."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from django_split.plan import Plan
from django_split.plan_file import FINDINGS


def instance() -> str:
    """The instance whose settings are in force:

    "main" or "admin". Raises ImproperlyConfigured for any others.
    """
    declared: dict[str, Any] | None = getattr(settings, "DJANGO_SPLIT", None)
    if not declared:
        raise ImproperlyConfigured(
            f"{settings.SETTINGS_MODULE} are not the settings of a django-split instance: "
            "DJANGO_SETTINGS_MODULE must name a module made by django_split.settings.load()."
        )
    return str(declared["instance"])


@cache
def plan() -> Plan:
    """The plan that the settings in force were made from, without what is only told to people."""
    instance()
    return Plan.read(settings.DJANGO_SPLIT["plan"], without=[FINDINGS])
