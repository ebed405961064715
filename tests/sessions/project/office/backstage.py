"""Admin sites that make their own of what AdminSite offers, as sites do."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.urls import path

ORDER = {"Users": 1, "Groups": 2}


class Backstage(AdminSite):
    """Sorts its models by a list that has to name them all, and opens to whom it likes."""

    site_header = "Backstage"

    def get_urls(self) -> list[Any]:
        own = path("numbers/", self.admin_view(self.numbers), name="numbers")
        return [own, *super().get_urls()]

    def numbers(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("1, 2, 3")

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        apps = super().get_app_list(request, app_label)
        for app in apps:
            app["models"].sort(key=lambda model: ORDER[model["name"]])
        return apps

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and request.META.get("HTTP_X_TOKEN") != "none"


class Late(AdminSite):
    """The class that a site is given after it was made, as django-otp says to do."""

    site_header = "Late"
