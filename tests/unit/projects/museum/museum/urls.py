from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import path

from museum import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", views.home),
    path("frame/", views.frame),
    path("calendar/", views.calendar),
    path("changes/", views.changes),
    path("forgotten/", auth_views.PasswordResetView.as_view()),
]
