"""A test database's tables, made as far as main knows them.

A site's tests can be run with main's settings: what they lose is an exception then.
"""

from __future__ import annotations

from django.apps import apps
from django.conf import settings
from django.db import connections
from django.db.migrations.exceptions import NodeNotFoundError
from django.db.migrations.loader import MigrationLoader


def without_migrations_if_need_be() -> None:
    """Let tables be made from the models, where a migration depends on an app that main lacks.

    For the rest of the process: Django loads the migrations again when it serialises a database.
    """
    try:
        MigrationLoader(None)
    except NodeNotFoundError:
        settings.MIGRATION_MODULES = {config.label: None for config in apps.get_app_configs()}


def make_shadows(alias: str) -> None:
    """The tables of dropped apps that a delete on main cascades into."""
    connection = connections[alias]
    present = connection.introspection.table_names()
    with connection.schema_editor() as editor:
        for model in apps.get_app_config("django_split").get_models():
            if model._meta.db_table in present:
                continue
            for field in model._meta.local_fields:
                if field.remote_field:
                    # Or PostgreSQL would not empty the tables between tests.
                    field.db_constraint = False  # type: ignore[attr-defined]
            editor.create_model(model)
