"""What is said of main's role in the database, by what it was refused."""

from __future__ import annotations

from typing import Any

import pytest
from split_verify import rights

from .test_parts import site

TRIED = ("SELECT django_session", "INSERT auth_user", "UPDATE auth_user", "DELETE auth_user")
REFUSED = dict.fromkeys(TRIED, "refused")


def judged(tried: dict[str, str], **arguments: Any) -> list[tuple[bool | None, str]]:
    given = {"main_writes_users": False, "public_socket": "", **arguments}
    found = {"vendor": "postgresql", "role": "news_main", "tried": tried}
    return [(row.ok, row.seen) for row in rights.rows(site(**given), found)]


def test_all_is_refused() -> None:
    assert judged(REFUSED) == [
        (True, "the role 'news_main' is refused 1 of 1"),
        (True, "the role 'news_main' is refused 3 of 3"),
    ]


@pytest.mark.parametrize("seen", ["allowed", "connection refused"])
@pytest.mark.parametrize("what", TRIED)
def test_whatever_is_no_refusal_is_named(what: str, seen: str) -> None:
    rows = judged({**REFUSED, what: seen})
    assert [ok for ok, _ in rows].count(False) == 1
    assert (False, f"{what}: {seen}") in rows


def test_sessions_that_no_table_holds_are_not_read() -> None:
    assert judged({**REFUSED, TRIED[0]: "no such table"})[0][0] is True
    assert judged({**REFUSED, TRIED[1]: "no such table"})[1][0] is False


def test_what_the_operator_allows_is_not_claimed() -> None:
    sessions, users = judged({**REFUSED, "UPDATE auth_user": "allowed"}, main_writes_users=True)
    assert sessions[0] is True
    assert users[0] is None
    assert "main_writes_users" in users[1]


def test_another_database_is_none_of_ours() -> None:
    found = {"vendor": "sqlite", "role": "", "tried": {}}
    rows = rights.rows(site(main_writes_users=False), found)
    assert [row.ok for row in rows] == [False, False]
    assert "main is on sqlite" in rows[0].seen
    assert [row.ok for row in rights.rows(site(), "no answer in 30 s")] == [False, False]
