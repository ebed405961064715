"""Apps of which main keeps the models and the templates, and nothing else (FACTS A10, A21)."""

from __future__ import annotations

from django.apps import AppConfig


class AdminModelsConfig(AppConfig):
    name = "django.contrib.admin"
    label = "admin"
    default_auto_field = "django.db.models.AutoField"


class SessionsModelsConfig(AppConfig):
    name = "django.contrib.sessions"
    label = "sessions"
