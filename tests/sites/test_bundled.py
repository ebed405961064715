"""The bundled site by itself, on both of its databases: a good site to begin with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

GAZETTE = Path(__file__).resolve().parent / "gazette"


def postgresql_programs() -> Path | None:
    """Debian keeps initdb and its kind in a folder of each version's."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """A cluster of the test's own, on a unix socket only; gives its DATABASE_URL."""
    programs = postgresql_programs()
    if programs is None or os.geteuid() != 0:
        pytest.skip("needs root and PostgreSQL: apt-get install postgresql")
    # Short, because a socket's path ends at 107 bytes, and readable by the user that initdb wants.
    folder = Path(tempfile.mkdtemp(prefix="split-pg-"))
    shutil.chown(folder, "postgres")

    def as_postgres(*command: str) -> None:
        words = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]
        subprocess.run(words, check=True, capture_output=True, timeout=120, cwd=folder)

    as_postgres(str(programs / "initdb"), "-D", f"{folder}/data", "-A", "trust", "--no-sync")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    control = str(programs / "pg_ctl")
    log = f"{folder}/log"
    as_postgres(control, "-D", f"{folder}/data", "-w", "-l", log, "-o", options, "start")
    try:
        yield f"postgres://postgres@/postgres?host={folder}"
    finally:
        as_postgres(control, "-D", f"{folder}/data", "-m", "immediate", "stop")
        shutil.rmtree(folder)


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
