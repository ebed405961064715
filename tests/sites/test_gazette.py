"""The bundled site, page by page against its base."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browsing import crawl, make_superuser, signed_in, without_tokens
from tests.support.trial import REPOSITORY, Site
from tests.support.virtualenvs import virtualenv

pytestmark = pytest.mark.slow

CHIEF = """
from django.contrib.auth.models import User
answer = str(User.objects.get(username="chief").pk)
"""
GAZETTE = REPOSITORY / "tests" / "sites" / "gazette"


@pytest.fixture(scope="module")
def gazette(tmp_path_factory: pytest.TempPathFactory, store: Path) -> Iterator[Site]:
    place = tmp_path_factory.mktemp("gazette")
    ignored = shutil.ignore_patterns("*.sqlite3", "__pycache__", "media")
    shutil.copytree(GAZETTE, place / "src", ignore=ignored)
    requirements = (GAZETTE / "requirements.txt").read_text().splitlines()
    python = virtualenv([*requirements, "redis"])
    with Site(place / "src", "gazette.settings", place, python=str(python)) as site:
        site.plan(session={"url": f"unix://{store}?db=0"})
        site.manage("admin", "migrate", "-v0")
        site.manage("admin", "load_articles", "--count", "40")
        make_superuser(site)
        yield site


def test_every_page_of_main_is_the_bases_without_a_session(gazette: Site) -> None:
    main, base = crawl(gazette, "main"), crawl(gazette, "admin")
    assert list(main) == list(base)
    assert len(main) >= 40
    for path, page in main.items():
        assert page.status == base[path].status, path
        assert without_tokens(page.body) == without_tokens(base[path].body), path
        form = "csrfmiddlewaretoken" in page.body
        assert ("Cookie" in page.headers.get("Vary", "")) is form, path
        assert bool(page.cookies) is form, path


def test_admin_is_nowhere_on_main_and_signs_in_on_its_own(gazette: Site) -> None:
    assert gazette.get("main", "/admin/login/").status == 404
    key, statuses = signed_in(gazette, "/admin/login/", ["/admin/", "/admin/news/article/"])
    assert set(statuses.values()) == {200}
    done = gazette.run(["-m", "django_split.sessions.locate"], "split_admin", stdin=key)
    assert json.loads(done.stdout) == {
        "engine": "django_split.sessions.redis",
        "store": True,
        "database": False,
        "user": gazette.ask("admin", CHIEF),
    }


def test_checks_and_static_files_of_both(gazette: Site) -> None:
    for instance in ("main", "admin"):
        assert "no issues" in gazette.manage(instance, "check")
    gazette.manage("admin", "collectstatic", "--noinput", "-v0")
    assert (gazette.place / "static" / "admin" / "css" / "base.css").exists()
