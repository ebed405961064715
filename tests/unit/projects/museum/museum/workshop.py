"""Loaded by the admin only."""

from __future__ import annotations

from django.contrib.admin.models import LogEntry


def recent():
    return LogEntry.objects.all()
