"""Shadows: unmanaged models of a dropped app's tables, so that what main deletes still cascades.

Deleting a user on main was an IntegrityError, because django_admin_log has a foreign key that main
did not know of any more (FACTS A9). A shadow knows the table, its key and its foreign keys, and
nothing else.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.module_loading import import_string

from django_split.plan import Shadow, ShadowField
from django_split.runtime import plan


def shadow(spec: Shadow) -> type[models.Model]:
    """Make the unmanaged model that a plan describes."""
    fields: dict[str, Any] = {item.name: _link(item, spec) for item in spec.fields}
    if not any(field.primary_key for field in fields.values()):
        key = import_string(spec.pk_class)(primary_key=True, db_column=spec.pk)
        fields = {"id": key, **fields}
    meta = type(
        "Meta",
        (),
        {
            "managed": False,
            "db_table": spec.table,
            "app_label": "django_split",
            "default_permissions": (),
        },
    )
    return type(spec.name, (models.Model,), {"__module__": __name__, "Meta": meta, **fields})


def _link(item: ShadowField, spec: Shadow) -> models.ForeignKey[Any, Any]:
    # As in a model that inherits another's table: its key is the link.
    is_key = item.column == spec.pk
    kind = models.OneToOneField if is_key else models.ForeignKey
    return kind(
        item.to,
        on_delete=getattr(models, item.on_delete),
        db_column=item.column,
        null=item.null,
        to_field=item.to_field or None,
        primary_key=is_key,
        related_name="+",
    )


for _spec in plan().main.models:
    globals()[_spec.name] = shadow(_spec)
