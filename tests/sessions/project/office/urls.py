from __future__ import annotations

import time

from asgiref.sync import sync_to_async
from django.contrib import admin
from django.contrib.auth import login
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse
from django.urls import path

from office.backstage import Backstage, Late

backstage = Backstage(name="backstage")
backstage.register([User, Group])
late = admin.AdminSite(name="late")
late.__class__ = Late


def plain(request: HttpRequest) -> HttpResponse:
    """Looks at neither the session nor the user."""
    return HttpResponse("plain")


def who(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.user.get_username() or "nobody")


async def awho(request: HttpRequest) -> HttpResponse:
    # As request.auser(), which Django has from 5.0 on.
    name = await sync_to_async(lambda: request.user.get_username())()
    return HttpResponse(name or "nobody")


def write(request: HttpRequest) -> HttpResponse:
    request.session["_split_screen"] = {"left": 1}
    return HttpResponse("written")


def slow(request: HttpRequest) -> HttpResponse:
    """Reads the session, and is still under way when others write to it."""
    request.session.get("anything")
    hook = HOOKS.pop() if HOOKS else time.monotonic
    hook()
    return HttpResponse("slow")


def again(request: HttpRequest) -> HttpResponse:
    login(request, request.user, "django.contrib.auth.backends.ModelBackend")
    return HttpResponse("signed in again")


HOOKS: list = []

urlpatterns = [
    path("admin/", admin.site.urls),
    path("backstage/", backstage.urls),
    path("late/", late.urls),
    path("plain/", plain),
    path("who/", who),
    path("awho/", awho),
    path("write/", write),
    path("slow/", slow),
    path("again/", again),
]
