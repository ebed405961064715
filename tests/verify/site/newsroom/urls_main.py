"""Main's pages."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import path

from newsroom import views
from newsroom.bugs import BUGS

urlpatterns = [
    path("", views.front),
    path("story/<int:number>/", views.story),
    path("contact/", views.contact),
    path("account/logout/", views.forbidden),
    path("story/1/delete/", views.forbidden),
    path("_internal/", views.closed),
]
if settings.ROOT_URLCONF == "newsroom.urls_main":
    if "apps_left" in BUGS:
        urlpatterns.append(path("admin/", admin.site.urls))
    else:
        urlpatterns.append(path("admin/", views.no_admin))
