"""What `startproject` makes of each Django that is supported is split."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.browsing import make_superuser, signed_in
from tests.support.trial import REPOSITORY, Site
from tests.support.virtualenvs import virtualenv

pytestmark = pytest.mark.slow

OLDEST, NEWEST = ("4.2", "3.10"), ("6.1", "3.13")
BETWEEN = [("5.2", "3.11"), ("6.0", "3.13")]


def name(pair: tuple[str, str]) -> str:
    return f"django{pair[0]}"


def python_with(pair: tuple[str, str]) -> Path:
    django, version = pair
    tools = ["redis", "pymemcache", "psycopg[binary]", "pytest", "PyYAML", "hypothesis"]
    return virtualenv([f"Django~={django}.0", *tools], version)


@pytest.mark.parametrize("pair", [OLDEST, *BETWEEN, NEWEST], ids=name)
def test_startproject_is_split(
    pair: tuple[str, str], store: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """FACTS A23: its settings do not deploy as they are."""
    python = python_with(pair)
    place = tmp_path_factory.mktemp("startproject")
    (place / "src").mkdir()
    start = [python, "-m", "django", "startproject", "mysite", place / "src"]
    subprocess.run(start, check=True)
    with Site(place / "src", "mysite.settings", place, python=str(python)) as site:
        site.plan(session={"url": f"unix://{store}?db=0"})
        site.manage("admin", "migrate", "-v0")
        site.manage("admin", "collectstatic", "--noinput", "-v0")
        assert (place / "static" / "admin" / "css" / "base.css").exists()
        assert (place / "data" / "db.sqlite3").exists()
        assert not (place / "src" / "db.sqlite3").exists()
        for instance in ("main", "admin"):
            assert "no issues" in site.manage(instance, "check")
        page = site.get("main", "/admin/login/")
        assert (page.status, page.cookies) == (404, [])
        make_superuser(site)
        _, statuses = signed_in(site, "/admin/login/", ["/admin/", "/admin/auth/user/"])
        assert set(statuses.values()) == {200}


# About files and words that no Django has a part in: once is enough.
SAME_EVERYWHERE = ("cli", "written", "report", "render", "diff", "crawl_links", "notes")


def unit_tests(pair: tuple[str, str]) -> None:
    """Run the unit tests, but the slow ones, on a Django and a Python."""
    options = ["-q", "-p", "no:cacheprovider", "-m", "not slow"]
    options += [f"--ignore=tests/unit/test_{name}.py" for name in SAME_EVERYWHERE]
    done = subprocess.run(
        [python_with(pair), "-m", "pytest", *options, "tests/unit"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
