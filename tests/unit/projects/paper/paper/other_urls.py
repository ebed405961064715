from __future__ import annotations

from django.contrib import admin
from django.urls import path

from paper import views

urlpatterns = [path("admin/", admin.site.urls), path("other/", views.page)]
