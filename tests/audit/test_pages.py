"""Queries of a page for three visitors: counted as they are, and nothing is written."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.audit.conftest import MakeShop
from tests.audit.shop import Shop
from tests.audit.test_engines import BACKENDS, REDIS, cached
from tests.audit.test_table import digests
from tests.support.trial import REPOSITORY, Site
from tests.unit.test_crawl import ROWS

VISITORS = ("without_cookie", "with_cookie", "signed_in")


@pytest.fixture(scope="module")
def shop(make_shop: MakeShop) -> Shop:
    return make_shop((3, 2, 50))


def asked(site: dict[str, Any]) -> dict[str, dict[str, Any]]:
    assert site["pages"]["notes"] == []
    return {page["path"]: page["visits"] for page in site["pages"]["asked"]}


def counts(visits: dict[str, Any]) -> list[tuple[int, int, int]]:
    """Queries, the session's and the user's, of each visitor."""
    return [
        (one["queries"], one["session_queries"], one["user_queries"])
        for one in (visits[who] for who in VISITORS)
    ]


def works(visits: dict[str, Any]) -> list[tuple[int, int]]:
    """What the store is asked and told, of each visitor."""
    return [(visits[who]["reads"], visits[who]["writes"]) for who in VISITORS]


@pytest.fixture(scope="module")
def in_database(shop: Shop) -> dict[str, dict[str, Any]]:
    return asked(shop.audit("shop.base").sites["base"])


def test_page_that_uses_no_session_costs_none(in_database: dict[str, Any]) -> None:
    assert counts(in_database["/"]) == [(1, 0, 0)] * 3
    assert not any(in_database["/"][who]["accessed"] for who in VISITORS)


def test_session_is_one_query_and_the_user_one_more(in_database: dict[str, Any]) -> None:
    """FACTS B: none without a cookie."""
    assert counts(in_database["/mine/"]) == [(1, 0, 0), (2, 1, 0), (3, 1, 1)]
    assert in_database["/mine/"]["without_cookie"]["accessed"]


def test_page_that_gives_everybody_a_session_is_seen(in_database: dict[str, Any]) -> None:
    visit = in_database["/basket/"]["without_cookie"]
    assert visit["modified"]
    assert visit["cookie"]
    assert visit["session_queries"] == 2  # is the key taken, and the row
    assert in_database["/basket/"]["with_cookie"]["session_queries"] == 2  # read, and written


def test_page_that_fails_for_a_user_counts_as_failed(
    in_database: dict[str, Any], shop: Shop
) -> None:
    visit = in_database["/wrong/"]["signed_in"]
    assert (visit["status"], visit["error"]) == (500, "RuntimeError: members only")
    done = shop.audit("shop.base", options=())
    row = next(line for line in done.output.splitlines() if "/wrong/" in line)
    assert row.split() == ["/wrong/", "0", "1", "(1", "+", "0)", "fails"]


def test_visits_leave_the_database_as_it_was(shop: Shop) -> None:
    before = digests(shop.place)
    shop.audit("shop.base")
    assert digests(shop.place) == before


def test_number_of_pages_is_bounded(shop: Shop) -> None:
    site = shop.audit("shop.base", options=("--json", "--pages", "2")).sites["base"]
    assert len(site["pages"]["asked"]) == 2
    site = shop.audit("shop.base", options=("--json", "--no-pages")).sites["base"]
    assert site["pages"] is None


def test_every_request_is_a_write_where_that_is_set(shop: Shop) -> None:
    module = shop.settings("each_time", "SESSION_SAVE_EVERY_REQUEST = True\n")
    site = shop.audit(module).sites["each_time"]
    # Read for a visitor who has a session, and an UPDATE for each.
    assert counts(asked(site)["/"])[1:] == [(3, 2, 0), (3, 2, 0)]
    assert site["conditions"]["save-every-request"] is True


OTHERS = {
    "cached_database": cached(REDIS, engine="cached_db"),
    "in_cache": cached(REDIS),
    "in_files": f'SESSION_ENGINE = "{BACKENDS}.file"\nSESSION_FILE_PATH = BASE_DIR / "kept"\n',
    "in_cookies": f'SESSION_ENGINE = "{BACKENDS}.signed_cookies"\n',
    "ours": """
SESSION_ENGINE = "django_split.sessions.redis"
DJANGO_SPLIT_SESSIONS = {"url": "unix:///nowhere/store.sock", "prefix": "shop:session:"}
""",
}


@pytest.fixture(scope="module")
def elsewhere(shop: Shop) -> dict[str, Any]:
    (shop.place / "kept").mkdir()
    modules = [shop.settings(name, added) for name, added in OTHERS.items()]
    return {name: asked(site) for name, site in shop.audit(*modules).sites.items()}


@pytest.mark.parametrize("engine", OTHERS)
def test_store_outside_the_database_is_counted_and_not_touched(
    elsewhere: dict[str, Any], engine: str, shop: Shop
) -> None:
    pages = elsewhere[engine]
    assert counts(pages["/mine/"]) == [(1, 0, 0), (1, 0, 0), (2, 0, 1)]
    assert works(pages["/mine/"]) == [(0, 0), (1, 0), (1, 0)]
    assert works(pages["/basket/"])[1] == (1, 1)
    assert pages["/basket/"]["without_cookie"]["cookie"]
    assert list((shop.place / "kept").iterdir()) == []


def test_session_behind_a_cache_is_still_written_to_the_table(elsewhere: dict[str, Any]) -> None:
    assert counts(elsewhere["cached_database"]["/basket/"])[1] == (1, 1, 0)
    assert counts(elsewhere["in_cache"]["/basket/"])[1] == (0, 0, 0)


def test_page_that_gives_sessions_is_named_with_its_line(shop: Shop) -> None:
    done = shop.audit("shop.base", options=("--fail-on", "anonymous-sessions"))
    assert done.status == 3
    assert "/basket/ (shop/views.py:" in " ".join(done.output.split())


def test_pages_without_sessions_can_be_served_apart(make_shop: MakeShop) -> None:
    shop = make_shop((0, 0, 0))
    shop.write(
        "urls.py",
        "from django.urls import path\nfrom shop import views\n"
        "urlpatterns = [path('', views.home), path('mine/', views.mine)]\n",
    )
    done = shop.audit("shop.base", options=("--fail-on", "anonymous-sessions"))
    assert done.status == 0, done.errors
    assert "django-split plan --settings shop.base" in done.output


def test_what_pages_would_write_is_not_written(make_site: Any) -> None:
    """A site whose pages write wherever they can: database, files, caches, mail."""
    site: Site = make_site("press")
    site.run(["-m", "django", "migrate", "-v0"], "press.settings")
    site.run(["-c", ROWS], "press.settings")
    # Its views leave a mark there by hand, which nothing can keep them from.
    (site.source / "outside").mkdir(exist_ok=True)
    (site.source / "outside" / "marks").touch()
    before = (site.source / "db.sqlite3").read_bytes()
    listed = sorted((site.source / "outside").rglob("*"))
    words = ["-m", "django_split", "audit", "--settings", "press.settings", "--pages", "40"]
    done = site.run(words)
    assert "/basket/" in done.stdout
    assert (site.source / "db.sqlite3").read_bytes() == before
    assert sorted((site.source / "outside").rglob("*")) == listed


def test_gazette(tmp_path: Path) -> None:
    """The bundled site: sessions in the database that no visitor needs."""
    source = tmp_path / "gazette"
    shutil.copytree(REPOSITORY / "tests" / "sites" / "gazette", source)
    site = Site(source, "gazette.settings", tmp_path)
    site.run(["-m", "django", "migrate", "-v0"], "gazette.settings")
    words = ["-m", "django_split", "audit", "--settings", "gazette.settings"]
    done = site.run([*words, "--fail-on", "database-sessions"], check=False)
    assert done.returncode == 3
    said = " ".join(done.stdout.split())
    assert "not set, so the database: you are likely doing this" in said
    assert "0 change it, 0 give a cookie" in said
    assert "django-split plan --settings gazette.settings" in said
    assert "django-insecure" not in done.stdout
