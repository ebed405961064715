"""Main's pages."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.http import HttpResponse
from django.urls import path

from newsroom import views
from newsroom.base import BUGS

urlpatterns = [
    path("", views.front),
    path("story/<int:number>/", views.story),
    path("contact/", views.contact),
    path("account/logout/", views.forbidden),
    path("story/1/delete/", views.forbidden),
]
if "admin_url" in BUGS:
    urlpatterns.append(path("admin/", lambda request: HttpResponse("the admin")))
if "closed_url" in BUGS:
    urlpatterns.append(path("_internal/", lambda request: HttpResponse("private")))
if settings.ROOT_URLCONF == "newsroom.urls_main" and "apps_left" in BUGS:
    urlpatterns.append(path("admin/", admin.site.urls))
