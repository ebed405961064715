from __future__ import annotations

import django.contrib.auth.admin  # noqa: F401
from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.contrib.auth.models import Group
from django.urls import include, path

from desk import views

admin.site.site_header = f"{admin.site.site_header}: {admin.site.motto}"
if admin.site.is_registered(Group):
    admin.site.unregister(Group)

members = [path("list/", views.member_list, name="members"), path("news/", views.page)]

urlpatterns = [
    path("office/", admin.site.urls),
    path("", views.page, name="page"),
    path("statistics/", admin.site.statistics_view, name="statistics"),
    path("members/", include((members, "desk"), namespace="desk")),
    path("drawer/", views.Drawer.as_view(), name="drawer"),
    path("basket/", views.basket),
    path("step/<int:number>/", views.step),
    path("tidy/", views.tidy),
    path("cart/", views.cart),
    path("broken/", views.broken),
    path("sign-in/", views.sign_in),
    path("talk/<int:times>/", views.talk),
    path("accounts/login/", auth_views.LoginView.as_view(template_name="login.html")),
    path("notes/<int:pk>/", views.page),
]
