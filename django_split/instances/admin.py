"""Settings of the admin instance, as the plan in DJANGO_SPLIT_PLAN says."""

from __future__ import annotations

from django_split.settings import load

globals().update(load(instance="admin"))
