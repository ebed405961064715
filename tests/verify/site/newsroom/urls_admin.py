"""The admin's URLs, and main's so that "View site" works."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import include, path

from newsroom.bugs import BUGS


def index(request: HttpRequest) -> HttpResponseBase:
    """The admin's index; with a bug a page for everybody."""
    if "no_login" in BUGS:
        return HttpResponse("<title>Hello</title>")
    return admin.site.admin_view(admin.site.index)(request)


def logout(request: HttpRequest) -> HttpResponseBase:
    """The admin's logout; with a bug it only says so."""
    if "logout_that_lies" in BUGS:
        return HttpResponse("Good bye")
    return admin.site.logout(request)


urlpatterns = [
    path("admin/", index),
    path("admin/logout/", logout),
    path("admin/", admin.site.urls),
    path("", include("newsroom.urls_main")),
]
