"""What lies between two releases, in the role's own words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.role_variables import role_variable

NAMES = (
    "release_schemas",
    "release_applied",
    "release_known",
    "release_brought",
    "release_between",
)
NAMES += ("release_lacking", "release_undoing")


def ask(name: str, *schemas: dict[str, Any], database: bool = False) -> list[str]:
    """A variable of the role for those that serve, new and newer, and the one to go back to."""
    items = [*("new", "newer")[: len(schemas) - 1], "old"]
    results = [
        {"item": item, "stdout": json.dumps(each)}
        for item, each in zip(items, schemas, strict=True)
    ]
    found: list[str] = role_variable(
        "release",
        name,
        NAMES,
        release_schema={"results": results},
        release_there={"current": "new"},
        release_manage="gazette-manage",
        split_database=database,
    )
    return found


def schema(*here: str, applied: tuple[str, ...] = (), **replaces: list[str]) -> dict[str, Any]:
    return {"here": {name: replaces.get(name[-4:], []) for name in here}, "applied": applied}


BOTH = ("news.0001_a", "news.0002_b", "blog.0001_a")


def test_what_was_applied_and_is_not_known_lies_between() -> None:
    newer = schema(*BOTH, "news.0003_c", "shop.0001_a", applied=(*BOTH, "news.0003_c"))
    assert ask("release_between", newer, schema(*BOTH)) == ["news.0003_c"]


def test_the_same_migrations_leave_nothing_to_decide() -> None:
    # An app that was taken away years ago is in the table still.
    both = schema(*BOTH, applied=(*BOTH, "gone.0001_a"))
    assert ask("release_between", both, both) == []
    assert ask("release_lacking", both, both) == []


def test_a_squashed_migration_is_known_by_what_it_replaces() -> None:
    squashed = {
        "here": {"news.0001_s": ["news.0001_a", "news.0002_b"], "blog.0001_a": []},
        "applied": [*BOTH, "news.0001_s"],
    }
    assert ask("release_between", squashed, schema(*BOTH)) == []


def test_what_somebody_has_undone_is_lacking() -> None:
    newer = schema(*BOTH, applied=BOTH[:1])
    assert ask("release_lacking", newer, schema(*BOTH)) == ["blog.0001_a", "news.0002_b"]


@pytest.mark.parametrize(
    ("database", "command"), [(False, "gazette-manage"), (True, "gazette-manage --instance owner")]
)
def test_undoing_goes_to_the_last_that_the_older_one_knows(database: bool, command: str) -> None:
    new = ("news.0003_c", "news.0004_d", "shop.0001_a")
    newer = schema(*BOTH, *new, applied=(*BOTH, *new))
    assert ask("release_undoing", newer, schema(*BOTH), database=database) == [
        f"{command} migrate news 0002_b",
        f"{command} migrate shop zero",
    ]


def test_what_a_killed_deploy_has_brought_is_undone_with_its_own_code() -> None:
    """It serves, and is not the one that commands are for by default."""
    new = schema(*BOTH, applied=(*BOTH, "news.0003_c"))
    newer = schema(*BOTH, "news.0003_c", applied=(*BOTH, "news.0003_c"))
    assert ask("release_between", new, newer, schema(*BOTH)) == ["news.0003_c"]
    assert ask("release_undoing", new, newer, schema(*BOTH)) == [
        "gazette-manage --release newer migrate news 0002_b"
    ]
