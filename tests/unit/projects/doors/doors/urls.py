"""A view's URL says what should be found in it: /private/login-required/."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("login/", include("doors.views.login")),
    path("private/", include("doors.views.private")),
    path("session/", include("doors.views.session")),
    path("restriction/", include("doors.views.restriction")),
    path("not covered/", include("doors.views.strange")),
    path("user/", include("doors.views.user")),
    path("public/", include("doors.views.public")),
]
