"""`sessions purge`, as an operator runs it, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.sessions.tables import (
    add_rows,
    count,
    make_tables,
    mariadb,
    names,
    postgresql,
    table_site,
)
from tests.support.mariadb import DRIVER, mariadb_server
from tests.support.postgresql import postgresql_server
from tests.support.trial import REPOSITORY, Site

PURGE = ["-m", "django_split", "sessions", "purge", "--settings", "base"]


@pytest.fixture(scope="module")
def host() -> Iterator[Path]:
    with postgresql_server() as host:
        yield host


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Site]]:
    """Empties the table and fills it: 3,500 rows have expired, 50 live."""
    place = tmp_path_factory.mktemp(request.param)
    database = None
    if request.param == "postgresql":
        database = postgresql(request.getfixturevalue("host"))
    with table_site(place, database) as site:
        make_tables(site)

        def fill() -> Site:
            site.ask(
                "admin",
                """
                from django.contrib.sessions.models import Session
                Session.objects.all().delete()
                """,
            )
            add_rows(site, "old", 3500, hours=-24)
            add_rows(site, "live", 50, hours=24)
            return site

        yield fill


def purge(site: Site, *options: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(site.run([*PURGE, "--json", *options]).stdout)
    return answer


def test_expired_rows_go_and_live_ones_stay(filled: Callable[[], Site]) -> None:
    site = filled()
    answer = purge(site, "--batch", "300")
    (table,) = answer["tables"]
    assert (answer["removed"], answer["changed"], table["left"]) == (3500, True, 0)
    assert (names(site), count(site)) == (["live"], 50)
    assert table["before"]["table"] > 0
    assert "VACUUM" in " ".join(table["return"])


def test_nothing_is_left_for_a_second_run(filled: Callable[[], Site]) -> None:
    site = filled()
    purge(site)
    answer = purge(site)
    assert (answer["removed"], answer["changed"]) == (0, False)


def test_dry_run_counts_and_changes_nothing(filled: Callable[[], Site]) -> None:
    site = filled()
    answer = purge(site, "--dry-run")
    assert (answer["removed"], answer["tables"][0]["expired"]) == (0, 3500)
    assert count(site) == 3550


def test_rate_is_kept(filled: Callable[[], Site]) -> None:
    answer = purge(filled(), "--rate", "2500")
    # 3,500 rows: the second batch begins a second after the first.
    assert answer["tables"][0]["seconds"] >= 1


def test_tells_what_was_done_and_how_the_disk_gets_its_space(filled: Callable[[], Site]) -> None:
    told = filled().run(PURGE).stdout
    assert "django_session (database default): 3,500 of 3,500 expired rows removed" in told
    assert "before: " in told
    assert "VACUUM" in told


def test_management_command_does_the_same(filled: Callable[[], Site]) -> None:
    site = filled()
    answer = json.loads(site.manage("admin", "split_sessions", "purge", "--json"))
    assert (answer["removed"], count(site)) == (3500, 50)


def test_log_gets_whole_lines_and_standard_output_only_the_answer(
    filled: Callable[[], Site],
) -> None:
    done = filled().run([*PURGE, "--json"])
    assert json.loads(done.stdout)
    assert "\r" not in done.stderr


def test_ctrl_c_ends_after_a_batch_and_says_what_was_done(filled: Callable[[], Site]) -> None:
    site = filled()
    with running(site, "--batch", "100", "--pause", "0.2") as process:
        wait_until(lambda: count(site) < 3550)
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    left = count(site)
    assert 50 < left < 3550
    assert left % 100 == 50  # whole batches
    assert f"{3550 - left:,} of 3,500 expired rows removed" in told
    assert "Stopped." in told
    assert "Traceback" not in told


def test_killed_run_is_mended_by_the_next(filled: Callable[[], Site]) -> None:
    site = filled()
    with running(site, "--batch", "100", "--pause", "0.2") as process:
        wait_until(lambda: count(site) < 3550)
        process.kill()
        process.communicate(timeout=20)
    purge(site)
    assert count(site) == 50


def test_rows_that_others_hold_are_left_and_not_waited_for(host: Path, tmp_path: Path) -> None:
    with table_site(tmp_path, postgresql(host)) as site, other(host) as holder:
        make_tables(site)
        site.ask(
            "admin",
            "from django.contrib.sessions.models import Session; Session.objects.all().delete()",
        )
        add_rows(site, "old", 500, hours=-24)
        add_rows(site, "held", 3, hours=-20)
        holder.execute("SELECT 1 FROM django_session WHERE session_key LIKE 'held%' FOR UPDATE")
        told = site.run(PURGE).stdout
        assert names(site) == ["held"]
        assert "3 are held by others just now" in told
        holder.rollback()
        assert purge(site)["removed"] == 3


@pytest.mark.slow
def test_rows_that_others_hold_are_not_waited_for_on_mariadb_either(tmp_path: Path) -> None:
    """It skips them where they are read, and must not read the whole table to remove the others."""
    import pymysql

    with (
        mariadb_server("CREATE DATABASE site") as socket,
        table_site(tmp_path, mariadb(socket), DRIVER) as site,
        pymysql.connect(unix_socket=socket, user="root", database="site") as holder,
    ):
        make_tables(site)
        add_rows(site, "old", 5000, hours=-24)
        add_rows(site, "a-held", 10, hours=-20)
        with holder.cursor() as cursor:
            # Or it held the row behind them, too.
            cursor.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
            cursor.execute("SELECT 1 FROM django_session WHERE session_key < 'b' FOR UPDATE")
        answer = purge(site)
        (table,) = answer["tables"]
        assert (answer["removed"], table["left"], table["error"]) == (5000, 10, "")
        assert "OPTIMIZE TABLE" in " ".join(table["return"])
        assert names(site) == ["a-held"]


def test_batch_makes_nobody_wait_for_the_disk(host: Path, tmp_path: Path) -> None:
    """What a crash brings back has expired: no commit of a purge needs an fsync."""
    added = """
        LOGGING = {
            "version": 1,
            "handlers": {"all": {"class": "logging.StreamHandler"}},
            "loggers": {"django.db.backends": {"handlers": ["all"], "level": "DEBUG"}},
        }
        DEBUG = True
    """
    with table_site(tmp_path, postgresql(host), added) as site:
        make_tables(site)
        add_rows(site, "old", 5, hours=-24)
        queries = site.run(PURGE).stderr
        assert "SET LOCAL synchronous_commit TO OFF" in queries
        assert "FOR UPDATE SKIP LOCKED" in queries


def test_row_that_is_renewed_between_reading_and_removing_stays(tmp_path: Path) -> None:
    """SQLite locks no rows: the date is asked for again with the removal."""
    with table_site(tmp_path) as site:
        make_tables(site)
        add_rows(site, "old", 10, hours=-24)
        site.ask(
            "admin",
            """
            from datetime import timedelta
            from django.contrib.sessions.models import Session
            from django.db import connection
            from django.utils import timezone
            from django_split.sessions.database import tables
            from django_split.sessions.purge import Pace, purge
            from django_split.sessions.stopping import Stop

            renewed = []
            def renew(execute, sql, params, many, context):
                if sql.startswith("DELETE") and not renewed:
                    renewed.append(1)
                    row = Session.objects.filter(session_key="old00000004")
                    row.update(expire_date=timezone.now() + timedelta(hours=1))
                return execute(sql, params, many, context)

            (table,) = tables(["django.contrib.sessions.backends.db"])
            with connection.execute_wrapper(renew):
                answer = purge(table, Pace(), Stop()).removed
            assert answer == 9, answer
            """,
        )
        assert count(site) == 1


CUSTOM = """
from django.contrib.sessions.backends.db import SessionStore as Original


class SessionStore(Original):
    @classmethod
    def get_model_class(cls):
        from visits.models import Visit
        return Visit
"""
MODELS = """
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


class Visit(AbstractBaseSession):
    class Meta:
        app_label = "visits"


class Basket(models.Model):
    visit = models.ForeignKey(Visit, models.CASCADE)


class Router:
    def db_for_read(self, model, **hints):
        return "visits" if model._meta.app_label == "visits" else None

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, **hints):
        return (app_label == "visits") == (db == "visits")
"""


def test_own_model_of_a_site_in_another_database_is_purged_with_what_points_at_it(
    tmp_path: Path,
) -> None:
    added = f"""
        SESSION_ENGINE = "visits.sessions"
        DATABASE_ROUTERS = ["visits.models.Router"]
        DATABASES["visits"] = {{
            "ENGINE": "django.db.backends.sqlite3", "NAME": {str(tmp_path / "visits")!r}
        }}
    """
    with table_site(tmp_path, added=added, apps=("visits",)) as site:
        package = site.source / "visits"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "sessions.py").write_text(CUSTOM)
        (package / "models.py").write_text(MODELS)
        make_tables(site)
        make_tables(site, "--database", "visits", "--run-syncdb")
        site.ask(
            "admin",
            """
            from datetime import timedelta
            from django.utils import timezone
            from visits.models import Basket, Visit
            for hours in (-1, 1):
                ends = timezone.now() + timedelta(hours=hours)
                Basket.objects.create(visit=Visit.objects.create(
                    session_key=f"visit{hours}", session_data="", expire_date=ends))
            """,
        )
        answer = purge(site)
        visits = next(t for t in answer["tables"] if t["table"] == "visits_visit")
        assert (visits["database"], visits["removed"]) == ("visits", 1)
        assert visits["cascaded"] == {"visits.Basket": 1}
        left = "from visits.models import Basket; answer = Basket.objects.get().visit_id"
        assert site.ask("admin", left) == "visit1"


def test_database_that_is_away_is_told_and_exit_1(tmp_path: Path) -> None:
    with table_site(tmp_path, {**postgresql(tmp_path), "OPTIONS": {"connect_timeout": 2}}) as site:
        done = site.run(PURGE, check=False)
    assert done.returncode == 1
    assert "The session tables cannot be read: OperationalError" in done.stdout
    assert "Check DATABASES" in done.stdout


def test_settings_that_are_not_there_are_told_and_exit_1(tmp_path: Path) -> None:
    with table_site(tmp_path) as site:
        done = site.run([*PURGE[:-1], "bsae"], check=False)
    assert done.returncode == 1
    assert "django-split: bsae cannot be set up: ModuleNotFoundError" in done.stderr


def running(site: Site, *options: str) -> subprocess.Popen[str]:
    paths = [site.place / "settings", site.source, REPOSITORY]
    return subprocess.Popen(
        [sys.executable, *PURGE, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=site.source,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))},
    )


def other(host: Path) -> psycopg.Connection[Any]:
    return psycopg.connect(host=str(host), user="postgres", dbname="postgres")


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
