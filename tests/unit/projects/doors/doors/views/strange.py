"""Looking at these fails, and must not end the analysis."""

from django.urls import path
from django.views.generic import View


class Storage:
    def __str__(self):
        raise RuntimeError("no name")


class Broken(View):
    storage_name = Storage()


urlpatterns = [path("broken/", Broken.as_view())]
