from __future__ import annotations

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.http import HttpResponse
from django.urls import include, path, re_path

from tongues.sites import office


def page(request):
    return HttpResponse("public")


# A public app of that name: recognise an admin by its AdminSite.
public = ([path("", page, name="index")], "admin")

urlpatterns = [
    re_path(rf"^{settings.OFFICE_PREFIX}/", office.urls),
    path("people/", include(public, namespace="admin")),
    *i18n_patterns(path("backstage/", admin.site.urls), path("", page)),
]
