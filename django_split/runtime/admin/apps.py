from __future__ import annotations

from django.apps import AppConfig
from django.core import checks

from django_split.checks import check_instance


class AdminInstanceConfig(AppConfig):
    name = "django_split.runtime.admin"
    label = "django_split"
    verbose_name = "django-split"
    default_auto_field = "django.db.models.AutoField"

    def ready(self) -> None:
        checks.register(check_instance)
