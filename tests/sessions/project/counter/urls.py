from __future__ import annotations

import contextlib

from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.urls import path


def plain(request: HttpRequest) -> HttpResponse:
    """Looks at neither the session nor the user."""
    return HttpResponse("plain")


def who(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.user.get_username() or "nobody")


def count(request: HttpRequest) -> HttpResponse:
    request.session["count"] = request.session.get("count", 0) + 1
    return HttpResponse(str(request.session["count"]))


async def acount(request: HttpRequest) -> HttpResponse:
    number = await request.session.aget("count", 0) + 1
    await request.session.aset("count", number)
    return HttpResponse(str(number))


def blind(request: HttpRequest) -> HttpResponse:
    """Writes without having read, and without looking at the answer."""
    with contextlib.suppress(Exception):
        request.session.cycle_key()
    return HttpResponse("blind")


def forgiving(request: HttpRequest) -> HttpResponse:
    with contextlib.suppress(Exception):
        request.session.get("count")
    return HttpResponse("forgiven")


def stubborn(request: HttpRequest) -> HttpResponse:
    """As when a page has three parts, each of which can do without the session."""
    for _ in range(3):
        with contextlib.suppress(Exception):
            request.session.get("count")
    return HttpResponse("three times")


def broken(request: HttpRequest) -> HttpResponse:
    try:
        return HttpResponse(f"user {request.session['_auth_user_id']}")
    except Exception:
        raise RuntimeError("nobody has signed in")  # noqa: B904 - as people write it


def bug(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a bug of the site's own")


def enter(request: HttpRequest) -> HttpResponse:
    login(request, User.objects.get(username=request.GET["name"]))
    return HttpResponse("signed in")


urlpatterns = [
    path(f"{view.__name__}/", view)
    for view in (plain, who, count, acount, blind, forgiving, stubborn, broken, bug, enter)
]
