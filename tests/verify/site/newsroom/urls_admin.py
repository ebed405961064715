"""The admin's URLs, and main's so that "View site" works."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpResponse
from django.urls import include, path

from newsroom.base import BUGS

urlpatterns = [path("admin/", admin.site.urls), path("", include("newsroom.urls_main"))]
if "logout_that_lies" in BUGS:
    urlpatterns.insert(0, path("admin/logout/", lambda request: HttpResponse("Good bye")))
if "no_login" in BUGS:
    urlpatterns.insert(0, path("admin/", lambda request: HttpResponse("<title>Hello</title>")))
