"""What is asked and what is found: plain data, between processes and for JSON."""

from __future__ import annotations

from dataclasses import dataclass, field

PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE")
VERSION = 1


@dataclass(frozen=True)
class Answers:
    """The operator's. `extra` has privileges by table, for tables that no model of main's has."""

    writes_users: bool = False
    reads_passwords: bool = True
    extra: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Table:
    """What main may do with one table.

    `may` are privileges on all of it, `columns` those on some columns only, by privilege.
    """

    name: str
    what: str
    why: str
    may: list[str] = field(default_factory=list)
    columns: dict[str, list[str]] = field(default_factory=dict)

    def allow(self, privilege: str, columns: list[str] | None = None) -> None:
        """Add a privilege, on the table or on columns of it."""
        if privilege in self.may:
            return
        if columns is None:
            self.may = [each for each in PRIVILEGES if each in (*self.may, privilege)]
            self.columns.pop(privilege, None)
        else:
            self.columns[privilege] = sorted({*self.columns.get(privilege, ()), *columns})

    @property
    def text(self) -> str:
        """As PostgreSQL writes it: SELECT (id, user_id), DELETE."""
        limited = [f"{name} ({', '.join(columns)})" for name, columns in self.columns.items()]
        return ", ".join([*limited, *self.may]) or "nothing"


@dataclass
class Rights:
    """Every table that a model of the site's names, and what is worth knowing about them."""

    tables: list[Table]
    notes: list[str] = field(default_factory=list)
