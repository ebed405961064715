"""The Django app that the plan adds to the admin's settings: system checks, and the Sessions page.

An app, and not a registration while settings load: Django's checks import half of Django, which
would then find settings half made (FACTS A14).
"""

from __future__ import annotations

from django.apps import AppConfig, apps
from django.core import checks

from django_split.checks import check_instance


class AdminInstanceConfig(AppConfig):
    name = "django_split.runtime.admin"
    label = "django_split"
    verbose_name = "django-split"
    default_auto_field = "django.db.models.AutoField"

    def ready(self) -> None:
        checks.register(check_instance)
        # An instance may have another admin than Django's: Wagtail's is not made of AdminSites.
        if apps.is_installed("django.contrib.admin"):
            from django_split.runtime.admin import mounting

            mounting.install()
