"""Apps of which main keeps the models and the templates, and nothing else (FACTS A10, A21).

Plain AppConfigs: what Django's own, or a site's subclass of them, do when they are ready is left
out: no autodiscover, no checks of the admin.
"""

from __future__ import annotations

from django.apps import AppConfig


class AdminModelsConfig(AppConfig):
    name = "django.contrib.admin"
    label = "admin"
    default_auto_field = "django.db.models.AutoField"
    # Asked for by packages that look at the admin's config.
    default_site = "django.contrib.admin.sites.AdminSite"


class SessionsModelsConfig(AppConfig):
    name = "django.contrib.sessions"
    label = "sessions"
