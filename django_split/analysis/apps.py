"""Which apps main does without, and the tables of theirs that main must still cascade into."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.sessions.apps import SessionsConfig
from django.db import models

from django_split.plan import Shadow, ShadowField

# By class, so that a site's own AdminConfig counts too.
DROPPED: dict[type, str] = {
    SimpleAdminConfig: "the admin instance serves it",
    SessionsConfig: "main keeps no sessions",
}


def dropped() -> list[tuple[str, AppConfig, str]]:
    """Each app that goes, as its entry in INSTALLED_APPS, its live config and the reason."""
    # apps.populate() makes one config per entry, in their order.
    live = zip(settings.INSTALLED_APPS, apps.get_app_configs(), strict=True)
    return [
        (entry, config, reason)
        for entry, config in live
        for cls, reason in DROPPED.items()
        if isinstance(config, cls)
    ]


def _name(on_delete: Any) -> str:
    """`models.CASCADE` and its like, by name.

    What SET(...) makes has none; DO_NOTHING is left to it.
    """
    name = str(on_delete.__name__)
    return name if hasattr(models, name) else "DO_NOTHING"


def shadows(gone: Iterable[AppConfig]) -> list[Shadow]:
    """A shadow for each table of the dropped apps with a foreign key to a model that main keeps."""
    labels = {config.label for config in gone}
    found = []
    for config in apps.get_app_configs():
        if config.label not in labels:
            continue
        for model in config.get_models(include_auto_created=True):
            fields = [
                ShadowField(
                    name=field.name,
                    to=field.remote_field.model._meta.label,
                    column=str(field.column),
                    on_delete=_name(field.remote_field.on_delete),
                    null=field.null,
                )
                for field in model._meta.local_fields
                if isinstance(field, models.ForeignKey)
                and field.remote_field.model._meta.app_label not in labels
            ]
            if fields and model._meta.managed:
                key = model._meta.pk
                found.append(
                    Shadow(
                        name=model.__name__,
                        table=model._meta.db_table,
                        pk=str(key.column),
                        pk_class=f"{type(key).__module__}.{type(key).__qualname__}",
                        fields=fields,
                    )
                )
    return found
