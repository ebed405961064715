"""Which apps main does without, and the tables of theirs that main must still cascade into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.sessions.apps import SessionsConfig
from django.db import models

from django_split.plan import Shadow, ShadowField

ADMIN_MODELS = "django_split.runtime.main.models_only.AdminModelsConfig"
SESSIONS_MODELS = "django_split.runtime.main.models_only.SessionsModelsConfig"

SESSIONS = "django.contrib.sessions"

# By class, so that a site's own AdminConfig counts too; and by package, because one need not be a
# subclass of Django's to be the admin's.
DROPPED: list[tuple[type[AppConfig], str, str]] = [
    (SimpleAdminConfig, "django.contrib.admin", "the admin instance serves it"),
    (SessionsConfig, SESSIONS, "main keeps no sessions"),
]


@dataclass(frozen=True)
class Dropped:
    entry: str  # as INSTALLED_APPS has it
    config: AppConfig
    reason: str

    @property
    def is_sessions(self) -> bool:
        return isinstance(self.config, SessionsConfig) or self.config.name == SESSIONS


def dropped() -> list[Dropped]:
    """Each app that main does without."""
    return [
        Dropped(entry, config, reason)
        for entry, config in entries()
        for cls, package, reason in DROPPED
        if isinstance(config, cls) or config.name == package
    ]


def models_only() -> dict[str, str]:
    """What takes the place of each of those when main needs its models or templates."""
    return {item.entry: SESSIONS_MODELS if item.is_sessions else ADMIN_MODELS for item in dropped()}


def entries() -> Iterator[tuple[str, AppConfig]]:
    """Each app with its entry in INSTALLED_APPS."""
    # apps.populate() makes one config per entry, in their order.
    return zip(settings.INSTALLED_APPS, apps.get_app_configs(), strict=True)


def _name(on_delete: Any) -> str:
    """`models.CASCADE` and its like, by name; also where somebody's object wraps one.

    What SET(...) makes has none, and a default is not known on main: DO_NOTHING is left to them.
    """
    for candidate in (on_delete, *getattr(on_delete, "__dict__", {}).values()):
        name = getattr(candidate, "__name__", "")
        known = callable(candidate) and getattr(models, name, None) is candidate
        if known and candidate is not models.SET_DEFAULT:
            return str(name)
    return "DO_NOTHING"


def shadows() -> dict[str, list[Shadow]]:
    """A shadow for each table with a foreign key, by the entry of its app."""
    return {
        entry: found
        for entry, config in entries()
        if (found := [shadow for model in _models(config) if (shadow := _shadow(model, entry))])
    }


def _models(config: AppConfig) -> Iterator[type[models.Model]]:
    for model in config.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            yield model


def _shadow(model: type[models.Model], entry: str) -> Shadow | None:
    fields = [
        ShadowField(
            name=field.name,
            to=field.remote_field.model._meta.label,
            column=str(field.column),
            on_delete=_name(field.remote_field.on_delete),
            null=field.null,
            to_field="" if field.target_field.primary_key else field.target_field.name,
        )
        for field in model._meta.local_fields
        if isinstance(field, models.ForeignKey)
    ]
    key: Any = model._meta.pk
    # A key of several columns has none of its own, and no cascade of Django's finds its rows.
    if not fields or key.column is None:
        return None
    column = key.column
    while isinstance(key, models.ForeignKey):  # as for a model that inherits another's table
        key = key.target_field
    return Shadow(
        name=model.__name__,
        table=model._meta.db_table,
        pk=str(column),
        pk_class=f"{type(key).__module__}.{type(key).__qualname__}",
        fields=fields,
        app=entry,
    )
