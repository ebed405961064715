"""The bundled site by itself, on both of its databases: a good site to begin with."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgresql import postgresql_server

pytestmark = pytest.mark.slow

GAZETTE = Path(__file__).resolve().parent / "gazette"


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    with postgresql_server() as folder:
        yield f"postgres://postgres@/postgres?host={folder}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        url: str = request.getfixturevalue("postgresql")
        return url
    return f"sqlite:///{tmp_path}/db.sqlite3"


def manage(database: str, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "manage.py", *command],
        cwd=GAZETTE,
        env={**os.environ, "DATABASE_URL": database, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_its_own_tests_pass(database: str) -> None:
    assert "\nOK" in manage(database, "test")


def test_articles_load_once_and_are_the_same_each_time(database: str, tmp_path: Path) -> None:
    manage(database, "makemigrations", "--check", "--dry-run")
    manage(database, "migrate", "--verbosity=0")
    manage(database, "load_articles")
    assert "Nothing to do" in manage(database, "load_articles")

    other = f"sqlite:///{tmp_path}/other.sqlite3"
    manage(other, "migrate", "--verbosity=0")
    manage(other, "load_articles")
    first, second = (manage(url, "dumpdata", "news.article") for url in (database, other))
    assert first.count('"model": "news.article"') == 2000
    assert first == second
