from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.models import User
from django.http import JsonResponse
from django.urls import path


class DeskAdminSite(admin.AdminSite):
    site_header = "The Desk"
    motto = "everything in its place"

    def register(self, *args, **kwargs):
        super().register(*args, **kwargs)
        self.latest = args[0]

    def get_urls(self):
        # What is registered is taken for granted.
        self.users = self._registry[User]
        own = path("numbers/", self.admin_view(self.numbers), name="numbers")
        return [own, *super().get_urls()]

    def numbers(self, request):
        raise NotImplementedError

    def statistics_view(self, request):
        context = self.each_context(request)
        return JsonResponse({"header": context["site_header"], "apps": context["available_apps"]})
