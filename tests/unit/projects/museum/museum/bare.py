"""A URLconf whose pages need nothing of the admin."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpResponse
from django.urls import path


def home(request):
    return HttpResponse("home")


urlpatterns = [path("admin/", admin.site.urls), path("", home)]
