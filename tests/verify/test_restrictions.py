"""Pages that a row makes private: known to the plan, or seen."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from split_verify.restrictions import known

from django_split.analysis.restrictions import _finding

from .host import PLAN, Host
from .test_claims import false_claims, look, sees_only

pytestmark = pytest.mark.slow

LABEL = "newsroom.StoryViewRestriction"


@contextmanager
def private_pages(host: Host, number: int) -> Iterator[None]:
    def do(statement: str, *values: str) -> None:
        with closing(sqlite3.connect(host.root / "data/db.sqlite3")) as database, database:
            database.execute(statement, values)

    for name in range(number):
        do("INSERT INTO auth_group (name) VALUES (?)", f"members {name}")
    try:
        yield
    finally:
        do("DELETE FROM auth_group")


def planned(rows: int | None) -> str:
    """The plan as the analysis writes it."""
    finding = _finding(LABEL, rows)
    return json.dumps({**PLAN, "findings": [{"kind": finding.kind, "what": finding.what}]})


def test_a_page_that_became_private_is_seen(host: Host) -> None:
    seen = f"2 rows of {LABEL}, and the plan knew of none. On main nobody is signed in"
    sees_only(host, private_pages(host, 2), "main.private", seen)


@pytest.mark.parametrize("rows", [1, 7])
def test_what_the_plan_has_counted_is_known(host: Host, rows: int) -> None:
    with private_pages(host, 1), host.file("plan.json", planned(rows)):
        seen = look(host, login=False)
    assert false_claims(seen) == {}
    assert seen["main.private"].seen == f"one row of {LABEL}, which is known"


def test_what_it_could_not_count_is_not_known(host: Host) -> None:
    """Of a database that was not there yet: that there may be such pages says nothing."""
    bug = host.file("plan.json", planned(None))
    with private_pages(host, 1):
        sees_only(host, bug, "main.private", f"one row of {LABEL}")


def test_what_the_operator_knows_is_known(host: Host) -> None:
    with private_pages(host, 1):
        seen = look(host, login=False, restricted=[LABEL])
    assert false_claims(seen) == {}


def test_a_table_that_cannot_be_counted_is_not_checked(host: Host) -> None:
    model = host.root / "src/newsroom/models.py"
    away = host.file("src/newsroom/models.py", model.read_text().replace("auth_group", "nowhere"))
    with away:
        seen = look(host, login=False)
    assert seen["main.private"].ok is None
    assert LABEL in seen["main.private"].seen


def test_other_findings_are_no_models() -> None:
    plan: dict[str, Any] = {
        "findings": [
            {"kind": "restriction", "what": "3 rows of shop.Page, each a restriction"},
            {"kind": "restriction", "what": "news.Wall, in MIDDLEWARE, demands a user"},
            {"kind": "private", "what": "3 rows of shop.Order, each"},
        ]
    }
    assert known(plan) == {"shop.Page"}
    assert known({}) == set()
