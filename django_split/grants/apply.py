"""Grant what the plan says: `python -m django_split.grants.apply`, as the owner of the tables.

In one transaction, and only what differs: what is granted already is left alone, what is granted
beyond that is taken back, unless `--only-add` says that an older main still serves.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django_split.answers import answer
from django_split.files import InputError
from django_split.grants.facts import PRIVILEGES, Rights
from django_split.grants.options import add_options, wanted

# What relacl and attacl hold, by role; a column is "" for the whole table.
GRANTED = """
select c.relname, c.relkind::text, '' as column, a.privilege_type, a.grantor::regrole::text
from pg_class c cross join aclexplode(c.relacl) a
where c.relnamespace = 'public'::regnamespace and a.grantee = %s::regrole
union all
select c.relname, c.relkind::text, t.attname, a.privilege_type, a.grantor::regrole::text
from pg_class c join pg_attribute t on t.attrelid = c.oid cross join aclexplode(t.attacl) a
where c.relnamespace = 'public'::regnamespace and a.grantee = %s::regrole
"""
TABLES = """
select relname, relkind::text from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')
"""
# serial (a) and identity (i) columns, and sequences that belong to no column
SEQUENCES = """
select s.relname, c.relname
from pg_class s
left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = s.oid
    and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
left join pg_class c on c.oid = d.refobjid
where s.relkind = 'S' and s.relnamespace = 'public'::regnamespace
"""
SEQUENCE = "S"
# A revoke on a table takes those on its columns along: then a second round grants them again.
ROUNDS = 3


@dataclass(frozen=True, order=True)
class Grant:
    """One privilege on a table, on one of its columns, or on a sequence."""

    name: str
    column: str
    privilege: str
    sequence: bool = False


@dataclass
class Present:
    """Tables (with their kind), and sequences with the table that each belongs to."""

    tables: dict[str, str]
    sequences: dict[str, str | None]
    absent: list[str] = field(default_factory=list)


def apply(rights: Rights, main: str, admin: str, owner: str, only_add: bool) -> dict[str, Any]:
    """Grant both roles what they may. Raises InputError where the connection is not the owner's."""
    from django.db import connection, transaction

    if connection.vendor != "postgresql":
        raise InputError(
            f"the site is on {connection.vendor}, not on PostgreSQL: it does not take its database "
            "from the variables in site_database_env. Name those that it reads"
        )
    said: list[str] = []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select current_user")
        if (user := cursor.fetchone()[0]) != owner:
            raise InputError(
                f'the site is connected as "{user}", not as "{owner}": it does not take its '
                "database from the variables in site_database_env. Name those that it reads"
            )
        # Two runs at once would both see the same difference.
        cursor.execute("select pg_advisory_xact_lock(hashtext('django-split grants'))")
        present = _present(cursor)
        for role, grants in (
            (main, _mains(rights, present)),
            (admin, _admins(present)),
        ):
            said += _bring(cursor, role, grants, only_add)
    return {"changed": bool(said), "statements": said, "absent": present.absent}


def _present(cursor: Any) -> Present:
    cursor.execute(TABLES)
    tables = dict(cursor.fetchall())
    cursor.execute(SEQUENCES)
    return Present(tables, dict(cursor.fetchall()))


def _mains(rights: Rights, present: Present) -> set[Grant]:
    found, inserted = set(), set()
    for table in rights.tables:
        if table.name not in present.tables:
            present.absent.append(table.name)
            continue
        found |= {Grant(table.name, "", privilege) for privilege in table.may}
        for privilege, columns in table.columns.items():
            found |= {Grant(table.name, column, privilege) for column in columns}
        if "INSERT" in table.may:
            inserted.add(table.name)
    found |= {
        Grant(name, "", "USAGE", sequence=True)
        for name, table in present.sequences.items()
        if table in inserted
    }
    return found


def _admins(present: Present) -> set[Grant]:
    """Every row, and no table."""
    found = {
        Grant(name, "", privilege)
        for name, kind in present.tables.items()
        for privilege in (PRIVILEGES if kind in "rp" else ("SELECT",))
    }
    # UPDATE: loaddata sets a sequence behind what it has loaded.
    found |= {
        Grant(name, "", privilege, sequence=True)
        for name in present.sequences
        for privilege in ("SELECT", "UPDATE", "USAGE")
    }
    return found


def _bring(cursor: Any, role: str, grants: set[Grant], only_add: bool) -> list[str]:
    """Make a role's rights those; gives the statements that it took."""
    said: list[str] = []
    for _ in range(ROUNDS):
        granted, others = _granted(cursor, role)
        surplus = set() if only_add else granted - grants
        statements = [
            *_statements("REVOKE", surplus, "FROM", role),
            *_statements("GRANT", grants - granted, "TO", role),
        ]
        if not statements:
            return said
        for statement in statements:
            cursor.execute(statement)
        said += statements
    raise InputError(
        f"the rights of {role} do not become what they should be: "
        f"{'; '.join(statements)} has no effect"
        + (f". Others have granted, too: {', '.join(sorted(others))}" if others else "")
    )


def _granted(cursor: Any, role: str) -> tuple[set[Grant], set[str]]:
    """What a role may, and who but the owner has granted any of it."""
    cursor.execute("select current_user::text")
    me = cursor.fetchone()[0]
    cursor.execute(GRANTED, [_quoted(role), _quoted(role)])
    rows = cursor.fetchall()
    grants = {
        Grant(name, column, privilege, kind == SEQUENCE)
        for name, kind, column, privilege, _ in rows
    }
    return grants, {by for *_, by in rows if by.strip('"') != me}


def _statements(verb: str, grants: Iterable[Grant], word: str, role: str) -> list[str]:
    """One statement for each table or sequence, in the order of their names."""
    by_name: dict[tuple[str, bool], list[Grant]] = {}
    for grant in sorted(grants):
        by_name.setdefault((grant.name, grant.sequence), []).append(grant)
    found = []
    for (name, sequence), each in by_name.items():
        columns: dict[str, list[str]] = {}
        for grant in each:
            columns.setdefault(grant.privilege, [])
            if grant.column:
                columns[grant.privilege].append(_quoted(grant.column))
        parts = [f"{name} ({', '.join(some)})" if some else name for name, some in columns.items()]
        kind = "SEQUENCE" if sequence else "TABLE"
        found.append(
            f"{verb} {', '.join(parts)} ON {kind} public.{_quoted(name)} {word} {_quoted(role)}"
        )
    return found


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))


def main() -> int:
    parser = argparse.ArgumentParser(prog="django_split.grants.apply")
    add_options(parser)
    for role in ("main", "admin", "owner"):
        parser.add_argument(f"--{role}-role", required=True)
    parser.add_argument("--only-add", action="store_true")
    options = parser.parse_args()

    def granted() -> dict[str, Any]:
        rights = wanted(options)
        roles = (options.main_role, options.admin_role, options.owner_role)
        done = apply(rights, *roles, options.only_add)
        lines = [f"{table.name}: {table.text} ({table.why})" for table in rights.tables]
        return {**done, "main": lines, "notes": rights.notes}

    return answer(granted)


if __name__ == "__main__":
    sys.exit(main())
