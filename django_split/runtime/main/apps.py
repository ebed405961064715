from __future__ import annotations

from django.apps import AppConfig
from django.core import checks

from django_split.checks import check_instance
from django_split.runtime.main import admin_site, refusal

# Before any other app, and any URLconf, is imported: they may register, autodiscover or mount the
# default admin.
admin_site.install()


class MainConfig(AppConfig):
    name = "django_split.runtime.main"
    label = "django_split"
    verbose_name = "django-split"
    default_auto_field = "django.db.models.AutoField"

    def ready(self) -> None:
        checks.register(check_instance)
        refusal.leave_migrations_alone()
