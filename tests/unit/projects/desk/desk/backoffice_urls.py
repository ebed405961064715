from __future__ import annotations

from django.contrib.admin import AdminSite
from django.contrib.auth.models import Group
from django.urls import include, path, re_path

from desk import views

backoffice = AdminSite(name="backoffice")
# Whatever has been discovered for it.
backoffice.unregister(Group) if backoffice.is_registered(Group) else backoffice.register(Group)

urlpatterns = [
    path("stock/", include([path("admin/", backoffice.urls)])),
    path("members/", views.member_list),
    re_path("^(?P<rest>.*)$", views.page),
]
