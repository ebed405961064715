"""What pages write to the database when they are only looked at.

The databases are read-only, and refuse. A page that counts its readers would then show an error and
nothing could be said of it; so a statement that writes is not sent, and is answered as if it had
been. What is not understood here goes to the database and is refused there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

COMMENTS = r"\s*(?:/\*.*?\*/\s*|--[^\n]*\n\s*)*"
WORDS = "INSERT|REPLACE|UPDATE|DELETE|MERGE|TRUNCATE|CREATE|ALTER|DROP"
WRITE = re.compile(rf"{COMMENTS}({WORDS})\b(?!\s+TEMP)", re.IGNORECASE | re.DOTALL)
# PostgreSQL writes from within a query, too.
INNER = re.compile(r"\bAS\s*\(\s*(INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
TABLE = re.compile(
    r"\b(?:INTO|UPDATE|FROM|TABLE|VIEW|ON)\s+(?:ONLY\s+|IF\s+(?:NOT\s+)?EXISTS\s+)?"
    r"([\"`\w$.]+)",
    re.IGNORECASE,
)
# A read-only transaction refuses a lock, too, and nobody waits for it here.
LOCK = re.compile(r"\s+FOR\s+(?:NO\s+KEY\s+)?(?:UPDATE|SHARE)\b[^)]*\Z", re.IGNORECASE)
ANSWERED = ("INSERT", "REPLACE", "UPDATE", "DELETE", "MERGE", "TRUNCATE")
RETURNING = re.compile(r"\bRETURNING\b(.*)\Z", re.IGNORECASE | re.DOTALL)

# A key that no row has, as the answer to an INSERT.
KEY = 2_000_000_000


class Answer:
    """In the place of a cursor: what a statement that writes would have answered."""

    def __init__(self, cursor: Any, rows: list[tuple[int, ...]], count: int) -> None:
        self.cursor = cursor
        self.rows = rows
        self.rowcount = count
        self.lastrowid = KEY
        self.description = None

    def fetchone(self) -> tuple[int, ...] | None:
        return self.rows.pop(0) if self.rows else None

    def fetchmany(self, size: int = 1) -> list[tuple[int, ...]]:
        taken, self.rows = self.rows[:size], self.rows[size:]
        return taken

    def fetchall(self) -> list[tuple[int, ...]]:
        return self.fetchmany(len(self.rows))

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        return iter(self.fetchall())

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cursor, name)


class Writes:
    """A wrapper for `connection.execute_wrappers` that keeps what one page would have written."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(
        self,
        execute: Callable[..., Any],
        sql: Any,
        params: Any,
        many: bool,
        context: dict[str, Any],
    ) -> Any:
        cursor = context["cursor"]
        if isinstance(cursor.cursor, Answer):
            cursor.cursor = cursor.cursor.cursor  # it was lent for the statement before
        if not isinstance(sql, str):
            return execute(sql, params, many, context)
        sql = LOCK.sub("", sql)
        inner = INNER.search(sql)
        written = inner or WRITE.match(sql)
        if not written:
            return execute(sql, params, many, context)
        kind = written[1].upper()
        table = TABLE.search(sql, written.start(1))
        name = re.sub(r"[\"`]", "", table[1]) if table else ""
        statement = f"{kind} {name}".rstrip()
        if statement not in self.seen:
            self.seen.append(statement)
        if inner or kind not in ANSWERED:
            return execute(sql, params, many, context)
        cursor.cursor = _answer(cursor.cursor, sql, params, many)
        return None


def _answer(cursor: Any, sql: str, params: Any, many: bool) -> Answer:
    returning = RETURNING.search(sql)
    columns = returning[1].count(",") + 1 if returning else 0
    rows = _rows(sql[: returning.start()] if returning else sql, params)
    count = len(params) if many and hasattr(params, "__len__") else rows
    return Answer(cursor, [(KEY + row,) * columns for row in range(rows if columns else 0)], count)


def _rows(sql: str, params: Any) -> int:
    """The rows of one INSERT: "VALUES (%s, %s), (%s, %s)", or an array for each column."""
    if "UNNEST(" in sql and params:
        return len(params[0])
    return 1 + len(re.findall(r"\)\s*,\s*\(", sql.partition("VALUES")[2]))
