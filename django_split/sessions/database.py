"""The tables that sessions are kept in: which there are, how large, and how their space comes back.

A table is of the model that the session engine names, which may be one of the site's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

from django.apps import apps
from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    from django.contrib.sessions.base_session import AbstractBaseSession

SessionModel: TypeAlias = "type[AbstractBaseSession]"


@dataclass(frozen=True)
class Size:
    """Bytes on the disk. `whole` is true where only the whole database file could be measured."""

    table: int
    indexes: int
    whole: bool = False

    @property
    def bytes(self) -> int:
        return self.table + self.indexes


@dataclass(frozen=True)
class Table:
    """A session table, with the database that its rows are written to."""

    model: SessionModel
    alias: str

    @property
    def name(self) -> str:
        return self.model._meta.db_table

    @property
    def connection(self) -> BaseDatabaseWrapper:
        return connections[self.alias]

    def exists(self) -> bool:
        connection = self.connection
        with connection.cursor() as cursor:
            return self.name in connection.introspection.table_names(cursor)

    def size(self) -> Size | None:
        """What table and indexes take; None where this database does not tell."""
        measure = MEASURES.get(self.connection.vendor)
        return measure(self.connection, self.name) if measure else None


def model_of(engine: str) -> SessionModel | None:
    """The model that an engine keeps its rows in; None for one that keeps none.

    Raises ImportError for an engine that is not there.
    """
    store = import_module(engine).SessionStore
    if not hasattr(store, "get_model_class"):
        return None
    try:
        model: SessionModel = store.get_model_class()
    except RuntimeError:
        return None  # its app is not installed
    return model


def tables(engines: Iterable[str]) -> list[Table]:
    """The tables of these engines, and Django's own where its app is installed, that exist.

    Django's own too when no engine uses it: what an engine of before has left is still there.
    """
    models: dict[SessionModel, None] = {}
    for engine in engines:
        if model := model_of(engine):
            models[model] = None
    if apps.is_installed("django.contrib.sessions"):
        from django.contrib.sessions.models import Session

        models[Session] = None
    found = [Table(model, router.db_for_write(model) or "default") for model in models]
    return [table for table in found if table.exists()]


def _postgresql(connection: BaseDatabaseWrapper, name: str) -> Size:
    quoted = connection.ops.quote_name(name)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_table_size(%s::regclass), pg_indexes_size(%s::regclass)", [quoted] * 2
        )
        table, indexes = cursor.fetchone()
    return Size(int(table), int(indexes))


def _mysql(connection: BaseDatabaseWrapper, name: str) -> Size | None:
    with connection.cursor() as cursor:
        if not getattr(connection, "mysql_is_mariadb", False):
            # MySQL 8 shows figures of yesterday otherwise.
            cursor.execute("SET SESSION information_schema_stats_expiry = 0")
        cursor.execute(
            "SELECT data_length, index_length FROM information_schema.tables "
            "WHERE table_schema = DATABASE() AND table_name = %s",
            [name],
        )
        row = cursor.fetchone()
    return Size(int(row[0] or 0), int(row[1] or 0)) if row else None


def _sqlite(connection: BaseDatabaseWrapper, name: str) -> Size:
    from django.db import DatabaseError

    with connection.cursor() as cursor:
        try:
            cursor.execute(
                "SELECT m.type, sum(s.pgsize) FROM dbstat s "
                "JOIN sqlite_master m ON m.name = s.name WHERE m.tbl_name = %s GROUP BY m.type",
                [name],
            )
            by_type = dict(cursor.fetchall())
            return Size(int(by_type.get("table", 0)), int(by_type.get("index", 0)))
        except DatabaseError:
            # dbstat is left out of many builds: the file's used pages are what there is to see.
            cursor.execute(
                "SELECT * FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()"
            )
            pages, free, size = cursor.fetchone()
            return Size((pages - free) * size, 0, whole=True)


MEASURES = {"postgresql": _postgresql, "mysql": _mysql, "sqlite": _sqlite}


def how_to_return(table: Table) -> list[str]:
    """What to type so that the disk gets the space of removed rows back, and what that costs."""
    name = table.connection.ops.quote_name(table.name)
    if table.connection.vendor == "postgresql":
        return [
            "The space is used again for new rows as soon as autovacuum has been there; "
            f"at once: VACUUM ANALYZE {name};",
            f"To give it back to the disk: VACUUM FULL {name}; nobody signs in meanwhile (it locks "
            "the table, for seconds where few rows are left), and it needs room for those rows. "
            f"Without a lock: pg_repack --table {table.name} (an extension).",
        ]
    if table.connection.vendor == "mysql":
        return [
            f"To give the space back to the disk: OPTIMIZE TABLE {name}; it builds the table anew "
            "beside the old one, needs room for the rows that are left, and locks for a moment at "
            "its beginning and end.",
        ]
    if table.connection.vendor == "sqlite":
        return [
            "The space is used again for new rows. To give it back to the disk: VACUUM; it copies "
            "the whole file (as much room again), and nobody writes meanwhile.",
        ]
    return [
        "The space is used again for new rows; the database's manual says how the disk gets it."
    ]
