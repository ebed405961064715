from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import apps
from django.core import signing
from django.http import HttpResponse
from django.shortcuts import render

from museum.forms import CalendarForm

if TYPE_CHECKING:
    from django.contrib.sessions.models import Session  # noqa: F401

if apps.is_installed("django.contrib.admin"):
    from django.contrib.admin.models import LogEntry  # noqa: F401

# The admin's own page, which main never shows.
ADMIN_PAGE = "admin/museum/report.html"


def home(request):
    return HttpResponse(signing.dumps("museum"))


def frame(request):
    return render(request, "frame.html")


def calendar(request):
    return HttpResponse(CalendarForm().as_p())


def changes(request):
    from museum import journal

    return HttpResponse(journal.latest())
