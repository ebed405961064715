from __future__ import annotations

from django.contrib import admin
from django.urls import path

from paper import views

backstage = admin.AdminSite(name="backstage")

urlpatterns = [
    path("admin/", admin.site.urls),
    path("backstage/", backstage.urls),
    path("closed/page/", views.page),
    path("other/", views.page),
]
