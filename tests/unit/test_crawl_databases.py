"""Databases under a crawl: each refuses a write by itself, and one that is missing stops none."""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from django_split import findings as kinds
from django_split.plan import Plan
from tests.support.postgresql import postgresql_server
from tests.support.trial import Site
from tests.unit.test_crawl import COUNT, ROWS, planned, told

MakeSite = Callable[..., Site]

OTHER = """
from django.db.backends.sqlite3 import base
class DatabaseWrapper(base.DatabaseWrapper):
    vendor = "other"
"""


def noted(plan: Plan) -> list[str]:
    return [f.what for f in plan.findings if f.kind == kinds.NOT_COVERED]


def pages_are_judged(plan: Plan) -> bool:
    """Those that need no database."""
    return "/members/" in told(plan, kinds.OPENED) and "/history/" in told(plan, kinds.BREAKS)


def fill(site: Site) -> None:
    site.run(["-m", "django", "migrate", "-v0"], "press.settings")
    site.run(["-c", ROWS], "press.settings")


def test_sqlite_file_that_is_not_there_is_not_made(make_site: MakeSite) -> None:
    site = make_site("press")
    plan = planned(site)
    assert not (site.source / "db.sqlite3").exists()
    (note,) = noted(plan)
    assert note.startswith(
        'pages could not be judged: the database "default" is not there yet (db.sqlite3) ('
    )
    assert pages_are_judged(plan)
    assert not [f for f in plan.findings if "OperationalError" in f.what]


@pytest.mark.slow
def test_database_of_the_deployed_site_is_asked(make_site: MakeSite) -> None:
    """The release's source has none: it was moved to where releases share it."""
    site = make_site("press")
    fill(site)
    (site.place / "data").mkdir()
    deployed = shutil.move(site.source / "db.sqlite3", site.place / "data")
    before = Path(deployed).read_bytes()
    plan = planned(site)
    assert "/article/<int:pk>/" in told(plan, kinds.WRITES)
    assert Path(deployed).read_bytes() == before
    assert not (site.source / "db.sqlite3").exists()


@pytest.mark.slow
def test_database_without_a_read_only_mode_is_not_asked(make_site: MakeSite) -> None:
    added = "\nDATABASES['default']['ENGINE'] = 'press.other'\n"
    site = make_site("press", added)
    (site.source / "press" / "other").mkdir()
    (site.source / "press" / "other" / "base.py").write_text(OTHER)
    fill(site)
    plan = planned(site)
    assert 'the database "default" (other) could not be made read-only' in str(noted(plan))
    assert pages_are_judged(plan)
    assert "/article/<int:pk>/" not in told(plan, kinds.WRITES)
    done = site.run(["-c", COUNT], "press.settings")
    assert json.loads(done.stdout) == [3, 0, 0, False]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that takes connections and never says a word."""
    pytest.importorskip("psycopg")
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.slow
def test_server_that_hangs_is_waited_for_once(make_site: MakeSite, silent_port: int) -> None:
    """And main is not blamed for it."""
    site = make_site("press", PRESS_POSTGRESQL="127.0.0.1", PRESS_PORT=str(silent_port))
    begun = time.monotonic()
    plan = planned(site)
    assert time.monotonic() - begun < 20
    (note,) = noted(plan)
    assert 'the database "default" cannot be reached: ' in note
    assert pages_are_judged(plan)
    assert not [f for f in plan.findings if "OperationalError" in f.what]


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Path]:
    pytest.importorskip("psycopg")
    with postgresql_server() as folder:
        yield folder


@pytest.mark.slow
def test_postgresql_refuses_and_keeps_no_row(make_site: MakeSite, postgresql: Path) -> None:
    site = make_site("press", PRESS_POSTGRESQL=str(postgresql))
    fill(site)
    plan = planned(site)
    written = told(plan, kinds.WRITES)["/article/<int:pk>/"].what
    assert "UPDATE press_article, INSERT press_reader" in written
    assert "/raw/: InternalError: cannot execute CREATE TABLE in a read-only" in str(noted(plan))
    assert "cannot execute INSERT in a read-only transaction" in str(noted(plan))
    assert "/article/<int:pk>/" not in told(plan, kinds.BREAKS)
    done = site.run(["-c", COUNT], "press.settings")
    assert json.loads(done.stdout) == [3, 0, 0, False]
