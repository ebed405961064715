"""View restrictions that a site keeps as data: `python -m django_split.restrictions` counts them.

Prints {label: number} as JSON, under an instance's settings. A row that an editor adds tomorrow can
make a page private that was public when the plan was made: so it is counted then, and again on the
host.

Known are models that are restrictions themselves (Wagtail's of pages and collections), and models
with a field that says that a page demands a login (flat pages, django CMS, Mezzanine).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import connections, models, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from django_split.answers import answer
from django_split.sqlite import file_of

# A model of this name restricts by each of its rows.
SUFFIX = "ViewRestriction"
# A model with one of these restricts by the rows where it is true.
FIELDS = ("registration_required", "login_required", "requires_login", "members_only")

# Seconds to reach a server, and for one count.
CONNECT = 3
STATEMENT = 5


def count() -> dict[str, int | None]:
    """The rows that restrict, by the label of their model; None where they cannot be counted.

    Neither fails nor waits long when there is no database yet, and makes none.
    """
    return {model._meta.label: _rows(model, where) for model, where in known()}


def known() -> Iterator[tuple[type[models.Model], dict[str, Any]]]:
    """The models that restrict, each with the filter for the rows that do."""
    for model in apps.get_models():
        meta = model._meta
        if meta.proxy or meta.app_label == "django_split":
            continue
        if model.__name__.endswith(SUFFIX):
            yield model, {}
        for field in meta.local_fields:
            if field.name in FIELDS and isinstance(field, models.BooleanField):
                yield model, {field.name: True}


def _rows(model: type[models.Model], where: dict[str, Any]) -> int | None:
    connection = connections[router.db_for_read(model) or "default"]
    try:
        if not _is_there(connection):
            return None
        with transaction.atomic(using=connection.alias):
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    # For this transaction only: behind a pooler a plain SET would outlive it.
                    cursor.execute(f"SET LOCAL statement_timeout = '{STATEMENT}s'")
            # The manager that a site may have made could leave rows out.
            return models.QuerySet(model, using=connection.alias).filter(**where).count()
    except Exception:
        return None


def _is_there(connection: BaseDatabaseWrapper) -> bool:
    """Whether a database may be asked. Opening a SQLite file would make it."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        file = file_of(settings)
        return file is None or (file.exists() and file.stat().st_size > 0)
    if connection.connection is None:
        settings["OPTIONS"] = _patience(settings["ENGINE"], settings.get("OPTIONS") or {})
    return True


def _patience(engine: str, options: dict[str, Any]) -> dict[str, Any]:
    """A database's options, for a server that may not answer."""
    if "postg" in engine:
        # A pool opens connections by itself, and waits for them.
        kept = {name: value for name, value in options.items() if name != "pool"}
        return {**kept, "connect_timeout": CONNECT}
    if "mysql" in engine and "connector" not in engine:
        return {**options, "connect_timeout": CONNECT, "read_timeout": STATEMENT}
    return options


if __name__ == "__main__":
    sys.exit(answer(count))
