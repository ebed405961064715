"""Databases that can only be read, as each of them enforces it itself.

Nothing is set that could outlive the crawl: behind a pooler a `SET` stays with a connection that
the site's own processes get next. So PostgreSQL is told as the connection is opened, and asked
whether it heard.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from django_split.analysis.alarm import TooSlow, limit
from django_split.analysis.writes import Writes
from django_split.sqlite import file_of

# Seconds to reach a server, and for one statement.
CONNECT = 3
STATEMENT = 5

MEMORY = ":memory:"


class NotReadOnlyError(DatabaseError):
    """A database that cannot be made read-only is not asked at all."""


class Databases:
    """Every database of the site, for as long as this process lives.

    `lost` has a sentence for each one that cannot be reached, by alias.
    """

    def __init__(self, elsewhere: Callable[[str], str], statement: int = STATEMENT) -> None:
        """Take a function that gives the place of a SQLite file in the deployment, or nothing.

        `statement` is the seconds that one statement may take.
        """
        self.elsewhere = elsewhere
        self.statement = statement
        self.writes = Writes()
        self.lost: dict[str, str] = {}
        self.notes: list[str] = []

    def protect(self, aliases: Iterable[str] | None = None) -> None:
        """Make them read-only, or only these, and note those that have nothing to show."""
        connection_created.connect(self._opened, weak=False)
        for alias in connections if aliases is None else aliases:
            connection = connections[alias]
            if connection.settings_dict["ENGINE"].endswith(".dummy"):
                continue
            why = self._prepare(alias, connection) or self._look(alias, connection)
            if why:
                self.notes.append(why)

    def is_lost(self, error: BaseException) -> bool:
        """Whether a page failed because a database went away."""
        return bool(self.lost) and isinstance(error, (OperationalError, InterfaceError))

    def _prepare(self, alias: str, connection: BaseDatabaseWrapper) -> str:
        settings = connection.settings_dict
        settings["CONN_MAX_AGE"] = None
        self._connect_once(alias, connection)
        _close(connection)
        if connection.vendor == "sqlite":
            if connection.connection is not None:  # in memory: it cannot be closed
                self._opened(connection)
            return self._prepare_sqlite(alias, connection)
        options = {**settings.get("OPTIONS", {})}
        # It would open connections by itself.
        options.pop("pool", None)
        if connection.vendor == "postgresql":
            flags = f"-c default_transaction_read_only=on -c statement_timeout={self.statement}s"
            options["options"] = f"{options.get('options', '')} {flags}".strip()
            options.setdefault("connect_timeout", CONNECT)
        elif connection.vendor == "mysql" and "connector" not in settings["ENGINE"]:
            options |= {"connect_timeout": CONNECT, "read_timeout": self.statement}
        settings["OPTIONS"] = options
        return ""

    def _prepare_sqlite(self, alias: str, connection: BaseDatabaseWrapper) -> str:
        settings = connection.settings_dict
        file = file_of({**settings, "ENGINE": "sqlite3"})
        if file is None or (file.exists() and file.stat().st_size):
            return ""
        deployed = self.elsewhere(str(file))
        # Opening it would create it.
        settings["NAME"] = deployed if deployed and os.path.exists(deployed) else MEMORY
        if settings["NAME"] == MEMORY:
            return f'the database "{alias}" is not there yet ({file.name})'
        return ""

    def _look(self, alias: str, connection: BaseDatabaseWrapper) -> str:
        try:
            with limit(STATEMENT):
                connection.ensure_connection()
                tables = connection.introspection.table_names()
        except NotReadOnlyError as error:
            return str(error)
        except (Exception, TooSlow) as error:
            _close(connection)
            self.lost.setdefault(alias, _cannot_be_reached(alias, error))
            return self.lost[alias]
        return "" if tables else f'the database "{alias}" has no tables'

    def _connect_once(self, alias: str, connection: BaseDatabaseWrapper) -> None:
        """A server that did not answer is not waited for again, page after page."""
        original = connection.connect

        def connect() -> None:
            if alias in self.lost:
                raise OperationalError(self.lost[alias])
            try:
                original()
            except NotReadOnlyError:
                raise
            except (Exception, TooSlow) as error:
                self.lost[alias] = _cannot_be_reached(alias, error)
                raise

        connection.connect = connect  # type: ignore[method-assign]

    def _opened(self, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
        if not _is_read_only(connection):
            _close(connection)
            raise NotReadOnlyError(
                f'the database "{connection.alias}" ({connection.vendor}) '
                "could not be made read-only"
            )
        if self.writes not in connection.execute_wrappers:
            connection.execute_wrappers.append(self.writes)


def _is_read_only(connection: BaseDatabaseWrapper) -> bool:
    """Tell the database where that is done on an open connection, and ask it."""
    if connection.vendor == "sqlite":
        return bool(_asked(connection, "PRAGMA query_only = ON", "PRAGMA query_only") == 1)
    if connection.vendor == "postgresql":
        return bool(_asked(connection, "SHOW default_transaction_read_only") == "on")
    if connection.vendor == "mysql":
        # Its name is another one in MariaDB and in old MySQL.
        variables = "SHOW SESSION VARIABLES WHERE Variable_name IN"
        ask = f"{variables} ('transaction_read_only', 'tx_read_only') AND Value = 'ON'"
        return bool(_asked(connection, "SET SESSION TRANSACTION READ ONLY", ask))
    return False


def _asked(connection: BaseDatabaseWrapper, *statements: str) -> Any:
    """The first value of the last statement, past the wrappers that a site may have."""
    cursor = connection.connection.cursor()
    try:
        for statement in statements:
            cursor.execute(statement)
        row = cursor.fetchone()
    finally:
        cursor.close()
    return row[0] if row else None


def _close(connection: BaseDatabaseWrapper) -> None:
    with suppress(Exception):
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()


def _cannot_be_reached(alias: str, error: BaseException) -> str:
    # The first line: what follows are hints for whoever set up the server.
    what = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return f'the database "{alias}" cannot be reached: {what}'
