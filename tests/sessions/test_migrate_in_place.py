"""`sessions migrate` on a site that is not split: nothing changes but its session engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sessions.offices import Office, office
from tests.support.stores import redis_store

TABLE = "\nSESSION_ENGINE = 'django.contrib.sessions.backends.db'\nDJANGO_SPLIT_SESSIONS = {}\n"
SETTINGS = "split_admin"
ROWS = "from django.contrib.sessions.models import Session; answer = Session.objects.count()"

SIGN_IN = """
client = signed_in()
answer = key_of(client)
"""
OPEN = """
client = Client()
client.cookies["office"] = {key!r}
answer = client.get("/admin/").status_code
"""
SIGN_OUT = """
client = Client()
client.cookies["office"] = {key!r}
answer = client.post("/admin/logout/").status_code
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    place = tmp_path_factory.mktemp("place")
    with redis_store(place / "store.sock"), office(place) as site:
        site.also("before", TABLE)
        site.also("written_through", "SESSION_ENGINE = 'django_split.sessions.redis_db'")
        yield site


@pytest.fixture
def site(made: Office) -> Office:
    made.does("store.flushall(); answer = None")
    made.ask(
        "before",
        "from django.contrib.sessions.models import Session; Session.objects.all().delete()",
    )
    return made


def migrate(
    site: Office, *options: str, settings: str = SETTINGS, status: int = 0
) -> dict[str, Any]:
    command = ["-m", "django_split", "sessions", "migrate", "--settings", settings, "--json"]
    done = site.run([*command, *options], check=False)
    assert done.returncode == status, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_who_is_signed_in_in_the_database_is_so_in_the_store(site: Office) -> None:
    key = site.does(SIGN_IN, "before")
    assert site.does(OPEN.format(key=key)) == 302
    assert migrate(site)["moved"] == 1
    assert site.does(OPEN.format(key=key)) == 200


def test_who_signs_out_of_the_store_does_not_come_back_with_the_next_run(site: Office) -> None:
    """The row in the table stays: nothing of the engine of now looks at it."""
    key = site.does(SIGN_IN, "before")
    migrate(site)
    assert site.does(SIGN_OUT.format(key=key)) in (200, 302)
    assert site.ask("before", ROWS) == 1
    again = migrate(site)
    assert (again["moved"], again["reasons"]) == (0, {"taken": 1})
    assert site.does(OPEN.format(key=key)) == 302


def test_what_processes_of_before_still_write_is_brought_up_to_date(site: Office) -> None:
    key = site.does(SIGN_IN, "before")
    migrate(site)
    change = f"""
        from django.contrib.sessions.backends.db import SessionStore
        session = SessionStore({key!r})
        session["basket"] = [1]
        session.save()
        """
    site.ask("before", change)
    assert migrate(site)["renewed"] == 1
    assert site.does(f"answer = stored({key!r})")["basket"] == [1]
    assert migrate(site)["already"] == 1


def test_a_session_that_the_store_has_changed_since_stays(site: Office) -> None:
    key = site.does(SIGN_IN, "before")
    migrate(site)
    site.does(
        f"""
        from importlib import import_module
        session = import_module(settings.SESSION_ENGINE).SessionStore({key!r})
        session["own"] = 1
        session.save()
        """
        + "answer = None"
    )
    site.ask(
        "before",
        f"""
        from django.contrib.sessions.backends.db import SessionStore
        session = SessionStore({key!r})
        session["late"] = 1
        session.save()
        """,
    )
    assert migrate(site)["reasons"] == {"in use": 1}
    kept = site.does(f"answer = stored({key!r})")
    assert kept["own"] == 1
    assert "late" not in kept


def test_written_through_there_is_nothing_to_move(site: Office) -> None:
    key = site.does(SIGN_IN, "before")
    answer = migrate(site, settings="split_written_through")
    assert "reads the table" in answer["nothing_because"]
    assert site.does(OPEN.format(key=key), "written_through") == 200


def test_settings_that_still_have_the_engine_of_before_are_told_what_comes_first(
    site: Office,
) -> None:
    answer = migrate(site, settings="split_before", status=1)
    assert "Set the one to which they go first" in answer["error"]


def test_an_engine_that_is_not_there_is_named(site: Office) -> None:
    answer = migrate(site, "--from", "nowhere.sessions", status=1)
    assert "nowhere" in answer["error"]
