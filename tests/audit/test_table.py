"""The table in numbers: right when counted, near when estimated, and never changed."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.audit.conftest import MakeShop
from tests.audit.shop import FILL, Shop

LIVE, EXPIRED, ANONYMOUS = 900, 2100, 40
NO_PAGES = ("--json", "--no-pages")

# As on a table of more than 200,000 rows, but quickly made.
LARGE = """
import dataclasses, json, sys
import django; django.setup()
from django.contrib.sessions.models import Session
from django_split.audit import keys, table
table.CHEAP = 10
keys.EACH = 50
print(json.dumps(dataclasses.asdict(table.table(Session, sys.argv[1] == "exact", 60))))
"""
CHANGE = """
import django; django.setup()
from datetime import timedelta
from django.contrib.sessions.models import Session
from django.utils import timezone
"""


@pytest.fixture(scope="module")
def shop(make_shop: MakeShop) -> Shop:
    made = make_shop((LIVE, EXPIRED, ANONYMOUS))
    made.settings("other_key", 'SECRET_KEY = "another-key-" * 9\n')
    made.settings("no_key", 'SECRET_KEY = ""\n')
    return made


@pytest.fixture(scope="module")
def sites(shop: Shop) -> dict[str, Any]:
    return shop.audit("shop.base", "shop.other_key", "shop.no_key", options=NO_PAGES).sites


def digests(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.is_file()
    }


def test_rows_are_counted(sites: dict[str, Any]) -> None:
    table = sites["base"]["table"]
    assert table["error"] == ""
    assert table["exact"] is True
    assert (table["rows"], table["live"], table["expired"]) == (LIVE + EXPIRED, LIVE, EXPIRED)
    assert table["oldest_expired_days"] == 10.0
    assert table["name"] == "django_session"


def test_growth_is_what_was_last_saved_on_each_day(sites: dict[str, Any]) -> None:
    table = sites["base"]["table"]
    assert table["days"] == [0, 0, 0, 0, 0, 0, LIVE]
    assert table["per_day"] == round(LIVE / 7, 1)


def test_bytes_of_table_and_indexes(sites: dict[str, Any], shop: Shop) -> None:
    size = sites["base"]["table"]["size"]
    in_file = (shop.place / "db.sqlite3").stat().st_size
    assert size["whole"] is False
    assert size["table"] > (LIVE + EXPIRED) * 150
    assert size["indexes"] > (LIVE + EXPIRED) * 30
    assert size["table"] + size["indexes"] < in_file


def test_anonymous_share_is_read_from_a_bounded_sample(sites: dict[str, Any]) -> None:
    payload = sites["base"]["table"]["payload"]
    assert 1500 < payload["rows"] <= 2000  # of 3000
    assert payload["anonymous"] / payload["rows"] == pytest.approx(ANONYMOUS / 100, abs=0.03)
    assert payload["undecodable"] == 0
    assert payload["keys"] == {"basket_#": 1.0}


def test_rows_of_another_secret_key_are_counted_as_such(sites: dict[str, Any]) -> None:
    payload = sites["other_key"]["table"]["payload"]
    assert payload["undecodable"] == payload["rows"] > 1500
    assert payload["anonymous"] == 0


def test_without_a_secret_key_the_rest_is_told(sites: dict[str, Any]) -> None:
    table = sites["no_key"]["table"]
    assert table["rows"] == LIVE + EXPIRED
    assert "SECRET_KEY" in table["payload"]["error"]


def test_expired_rows_fail_a_build_that_asks(shop: Shop) -> None:
    options = ("--no-pages", "--fail-on", "expired-rows")
    done = shop.audit("shop.base", options=options)
    assert done.status == 3
    assert done.errors == "django-split: shop.base: expired-rows\n"


def test_rows_that_expired_this_week_do_not(make_shop: MakeShop) -> None:
    shop = make_shop((10, 0, 0))
    shop.python(CHANGE + "Session.objects.update(expire_date=timezone.now() - timedelta(days=2))")
    done = shop.audit("shop.base", options=("--no-pages", "--fail-on", "expired-rows"))
    assert done.status == 0, done.errors


@pytest.mark.parametrize("exact", [False, True])
def test_large_table_is_estimated_and_counted_when_asked(shop: Shop, exact: bool) -> None:
    table = shop.python(LARGE, "exact" if exact else "")
    rows = LIVE + EXPIRED
    assert table["exact"] is exact
    assert table["sampled"] == 20 * 50
    assert table["rows"] == pytest.approx(rows, abs=0 if exact else rows * 0.1)
    assert table["live"] == pytest.approx(LIVE, abs=0 if exact else rows * 0.1)
    assert table["expired"] == pytest.approx(EXPIRED, abs=0 if exact else rows * 0.1)
    assert sum(table["days"]) == pytest.approx(LIVE, abs=0 if exact else rows * 0.1)


def test_keys_that_are_not_drawn_evenly_are_counted(make_shop: MakeShop) -> None:
    """An engine of the site's own may begin all of them alike: then they measure nothing."""
    shop = make_shop((0, 0, 0))
    shop.python(FILL, "300", "400", "0", "shop-")
    table = shop.python(LARGE, "")
    assert table["exact"] is True
    assert table["rows"] == 700


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_database_is_as_it_was_and_nothing_is_beside_it(make_shop: MakeShop, journal: str) -> None:
    shop = make_shop((20, 20, 50))
    shop.python(
        f"{CHANGE}from django.db import connection\n"
        f"connection.cursor().execute('PRAGMA journal_mode = {journal}')"
    )
    before = digests(shop.place)
    done = shop.audit("shop.base", options=("--json",))
    assert done.sites["base"]["table"]["rows"] == 40
    assert done.sites["base"]["pages"]["asked"]
    assert digests(shop.place) == before


INTERRUPTED = """
import os, sqlite3, sys
opened = sqlite3.connect(sys.argv[1], isolation_level=None)
opened.execute("PRAGMA cache_size = 1")
opened.execute("PRAGMA cache_spill = 1")
opened.execute("BEGIN IMMEDIATE")
opened.execute("UPDATE django_session SET session_data = session_data || session_data")
sys.stdout.flush()
os._exit(0)
"""


def test_interrupted_transaction_is_left_to_the_site(make_shop: MakeShop) -> None:
    """Whoever may write rolls it back at the next look; an audit must not, and says so."""
    shop = make_shop((200, 0, 0))
    shop.python(INTERRUPTED, str(shop.place / "db.sqlite3"))
    before = digests(shop.place)
    assert "db.sqlite3-journal" in before
    done = shop.audit("shop.base")
    assert done.status == 0
    assert "readonly database" in done.sites["base"]["table"]["error"]
    assert digests(shop.place) == before


def test_session_is_never_unpickled(make_shop: MakeShop) -> None:
    """What is signed by the site may still be a pickle that somebody else has chosen."""
    shop = make_shop((0, 0, 0))
    shop.write(
        "pickling.py",
        "import pickle\n"
        "class Serializer:\n"
        "    def dumps(self, obj): return pickle.dumps(obj)\n"
        "    def loads(self, data): return pickle.loads(data)\n",
    )
    module = shop.settings("pickled", 'SESSION_SERIALIZER = "shop.pickling.Serializer"\n')
    shop.write("bomb.py", "class Bomb:\n    def __reduce__(self): return eval, ('1/0',)\n")
    shop.python(
        CHANGE
        + "from shop.bomb import Bomb\n"
        + "from django.contrib.sessions.backends.db import SessionStore\n"
        + "when = timezone.now() + timedelta(days=1)\n"
        + "for n, held in enumerate([{'x': Bomb()}, {'_auth_user_id': '1', 'x': Bomb()}]):\n"
        + "    Session.objects.create(session_key=str(n) * 32, expire_date=when,\n"
        + "                           session_data=SessionStore().encode(held))\n",
        settings=module,
    )
    site = shop.audit(module, options=NO_PAGES).sites["pickled"]
    payload = site["table"]["payload"]
    assert (payload["rows"], payload["anonymous"], payload["undecodable"]) == (2, 1, 0)
    assert site["conditions"]["pickle"] is True


def test_large_session_is_not_fetched(make_shop: MakeShop) -> None:
    shop = make_shop((0, 0, 0))
    shop.python(
        CHANGE + "Session.objects.create(session_key='k' * 32, expire_date=timezone.now(),\n"
        "                       session_data='x' * 70_000)"
    )
    payload = shop.audit("shop.base", options=NO_PAGES).sites["base"]["table"]["payload"]
    assert (payload["large"], payload["largest_bytes"]) == (1, 70_000)
    assert payload["undecodable"] == 0


def test_site_without_a_table_has_none(make_shop: MakeShop) -> None:
    shop = make_shop()
    added = 'INSTALLED_APPS.remove("django.contrib.sessions")\n'
    added += 'SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"\n'
    site = shop.audit(shop.settings("bare", added), options=NO_PAGES).sites["bare"]
    assert site["table"] is None
    assert site["conditions"]["expired-rows"] is False


def test_database_that_is_not_there_costs_only_the_table(make_shop: MakeShop) -> None:
    shop = make_shop()
    done = shop.audit("shop.base", options=NO_PAGES)
    assert done.status == 0
    site = done.sites["base"]
    assert site["table"]["error"] == 'the database "default" is not there yet (db.sqlite3)'
    assert site["store"]["kind"] == "database"
    assert not (shop.place / "db.sqlite3").exists()


def test_what_is_not_known_does_not_pass_a_build(make_shop: MakeShop) -> None:
    shop = make_shop()
    done = shop.audit("shop.base", options=("--no-pages", "--fail-on", "expired-rows"))
    assert done.status == 1
    assert done.errors == "django-split: --fail-on: not known of shop.base: expired-rows\n"
