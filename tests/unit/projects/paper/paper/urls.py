from __future__ import annotations

import django.contrib.auth.admin  # noqa: F401  (as python.org does)
from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.contrib.auth.models import Group
from django.urls import include, path, re_path

from paper import views

admin.autodiscover()
admin.site.site_header = "The Paper"
admin.site.unregister(Group)

handler404 = "paper.views.not_found"

urlpatterns = [
    path("admin/doc/", views.page, name="doc"),
    path("admin/", admin.site.urls),
    path("", views.page, name="page"),
    path("basket/", views.basket),
    path("byline/", views.byline),
    path("contact/", views.contact),
    path("staff/", views.staff),
    path("edit/<int:pk>/", views.edit_link),
    path("accounts/login/", auth_views.LoginView.as_view(template_name="form.html")),
    path("closed/", include([path("page/", views.page, name="closed")])),
    # As a page tree does: it answers everything.
    re_path(r"^(?P<rest>(?:admin|closed|tree)/.*)$", views.tree),
]
