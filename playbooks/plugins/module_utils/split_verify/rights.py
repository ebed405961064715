"""Claims about main's role in PostgreSQL: what it must not is tried, and taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .probe import Instance, Running
from .row import Row, listed, not_checked
from .site import Site

SESSIONS = "rights.sessions", "main's database role cannot read the sessions"
USERS = "rights.users", "main's database role cannot write the users"
# "WHERE false": rights are looked at before rows are, so nothing is read, locked or written even
# where it is allowed; the transaction is rolled back all the same.
PROGRAM = """
import json
import django
django.setup()
from django.contrib.auth import get_user_model
from django.db import DatabaseError, connection, transaction
def tried(statement):
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(statement)
            transaction.set_rollback(True)
    except DatabaseError as error:
        cause = error.__cause__
        state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
        # insufficient_privilege, undefined_table; anything else is no refusal
        known = {"42501": "refused", "42P01": "no such table"}
        return known.get(state) or " ".join(str(error).split())
    return "allowed"
quoted = connection.ops.quote_name
user = get_user_model()._meta
table, column = quoted(user.db_table), quoted(user.pk.column)
statements = {
    "SELECT django_session": "SELECT 1 FROM django_session WHERE false",
    f"INSERT {user.db_table}": f"INSERT INTO {table} SELECT * FROM {table} WHERE false",
    f"UPDATE {user.db_table}": f"UPDATE {table} SET {column} = {column} WHERE false",
    f"DELETE {user.db_table}": f"DELETE FROM {table} WHERE false",
}
print(json.dumps({
    "vendor": connection.vendor,
    "role": str(connection.settings_dict.get("USER") or ""),
    "tried": {name: tried(each) for name, each in statements.items()}
    if connection.vendor == "postgresql" else {},
}))
"""


def start(main: Instance) -> Running:
    """Begin to try, as main. Raises ProbeError."""
    return main.start("main's rights in the database", ["-c", PROGRAM])


def rows(site: Site, found: Mapping[str, Any] | str) -> list[Row]:
    """Whether each attempt was refused, but for what the operator allows main."""
    if isinstance(found, str):
        return [Row(*SESSIONS, False, found), Row(*USERS, False, found)]
    if not found["tried"]:
        why = f"main is on {found['vendor']}, not on the site's PostgreSQL"
        return [Row(*SESSIONS, False, why), Row(*USERS, False, why)]
    who = f"the role {found['role']!r}" if found["role"] else "its role"
    sessions: list[str] = []
    users: list[str] = []
    for what, seen in found["tried"].items():
        if what.endswith(" django_session"):
            # Nor has the admin any, with an engine that needs none.
            sessions.append(f"{what}: {'refused' if seen == 'no such table' else seen}")
        else:
            users.append(f"{what}: {seen}")
    made = []
    for claim, seen, allowed in (
        (SESSIONS, sessions, "main keeps sessions" if site.has_public_sessions else ""),
        (USERS, users, "main_writes_users" if site["main_writes_users"] else ""),
    ):
        if allowed:
            made.append(not_checked(*claim, f"{allowed}, as the inventory says"))
        else:
            right = all(each.endswith(": refused") for each in seen)
            wrong = [each for each in seen if not each.endswith(": refused")]
            told = f"{who} is refused {len(seen)} of {len(seen)}" if right else listed(wrong)
            made.append(Row(*claim, right, told))
    return made
