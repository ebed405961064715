"""Shadows: unmanaged models of a dropped app's tables, so that what main deletes still cascades.

Deleting a user on main was an IntegrityError, because django_admin_log has a foreign key that main
did not know of any more (FACTS A9). A shadow knows the table, its key and its foreign keys, and
nothing else.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.module_loading import import_string

from django_split.plan import Shadow
from django_split.runtime import plan


def shadow(spec: Shadow) -> type[models.Model]:
    """Make the unmanaged model that a plan describes."""
    fields: dict[str, Any] = {
        item.name: models.ForeignKey(
            item.to,
            on_delete=getattr(models, item.on_delete),
            db_column=item.column,
            null=item.null,
            related_name="+",
        )
        for item in spec.fields
    }
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
    key = import_string(spec.pk_class)(primary_key=True, db_column=spec.pk)
    return type(
        spec.name, (models.Model,), {"__module__": __name__, "Meta": meta, "id": key, **fields}
    )


for _spec in plan().main.models:
    globals()[_spec.name] = shadow(_spec)
