"""PostgreSQL and MariaDB: with a role that may only read, and with none that answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.audit.conftest import MakeShop
from tests.audit.shop import FILL, Shop
from tests.audit.test_table import LARGE, NO_PAGES
from tests.support.mariadb import DRIVER, mariadb_server
from tests.support.postgresql import postgresql_server

POSTGRESQL = """
import os
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "postgres",
                         "USER": os.environ.get("SHOP_USER", "postgres"),
                         "PASSWORD": "hunter2", "HOST": os.environ["SHOP_HOST"]}}
"""
MARIADB = f"""
import os
{DRIVER}
DATABASES = {{"default": {{"ENGINE": "django.db.backends.mysql", "NAME": "shop", "CONN_MAX_AGE": 60,
                          "USER": os.environ.get("SHOP_USER", "root"), "HOST": "%s"}}}}
"""
WRITE = """
import json
import django; django.setup()
from django.contrib.sessions.models import Session
from django.db import DatabaseError
from django.utils import timezone
try:
    Session.objects.create(session_key="x", session_data="", expire_date=timezone.now())
except DatabaseError as error:
    print(json.dumps(str(error)))
"""
ROLES = """
import django; django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("CREATE ROLE reader LOGIN")
    cursor.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    cursor.execute("CREATE ROLE stranger LOGIN")
"""


@pytest.fixture(scope="module")
def postgresql(make_shop: MakeShop) -> Iterator[Shop]:
    pytest.importorskip("psycopg")
    with postgresql_server() as folder:
        shop = make_shop(SHOP_HOST=str(folder))
        module = shop.settings("served", POSTGRESQL)
        shop.settings("held", POSTGRESQL + 'DATABASES["default"]["CONN_MAX_AGE"] = 60\n')
        shop.manage("migrate", "-v0", settings=module)
        shop.python(FILL, "900", "2100", "40", settings=module)
        shop.python(ROLES, settings=module)
        yield shop


def as_user(shop: Shop, name: str) -> None:
    shop.site.environment["SHOP_USER"] = name


def test_role_that_may_only_read_is_enough(postgresql: Shop) -> None:
    as_user(postgresql, "reader")
    refused = postgresql.python(WRITE, settings="shop.served")
    assert "permission denied" in refused
    site = postgresql.audit("shop.served").sites["served"]
    table = site["table"]
    assert (table["error"], table["vendor"]) == ("", "postgresql")
    assert (table["rows"], table["live"], table["expired"]) == (3000, 900, 2100)
    assert table["size"]["table"] > 3000 * 150
    assert table["size"]["indexes"] > 3000 * 60
    assert table["payload"]["anonymous"] / table["payload"]["rows"] == pytest.approx(0.4, abs=0.03)
    assert [page["path"] for page in site["pages"]["asked"]] == [
        "/",
        "/mine/",
        "/basket/",
        "/wrong/",
    ]
    signed_in = site["pages"]["asked"][1]["visits"]["signed_in"]
    assert (signed_in["session_queries"], signed_in["user_queries"]) == (1, 1)


def test_estimate_on_postgresql(postgresql: Shop) -> None:
    as_user(postgresql, "reader")
    table = postgresql.python(LARGE, "", settings="shop.served")
    assert (table["error"], table["exact"]) == ("", False)
    assert table["rows"] == pytest.approx(3000, rel=0.1)
    assert table["expired"] == pytest.approx(2100, rel=0.15)


def test_role_that_may_not_read_the_table_is_told(postgresql: Shop) -> None:
    as_user(postgresql, "stranger")
    site = postgresql.audit("shop.served", options=NO_PAGES).sites["served"]
    assert "permission denied for table django_session" in site["table"]["error"]
    assert site["store"]["kind"] == "database"
    assert site["conditions"]["expired-rows"] is None


def test_connection_for_each_request_is_a_condition(postgresql: Shop) -> None:
    as_user(postgresql, "reader")
    found = postgresql.audit("shop.served", "shop.held", options=NO_PAGES).sites
    holds = {name: site["conditions"]["connection-per-request"] for name, site in found.items()}
    assert holds == {"served": True, "held": False}


def test_server_that_is_gone_costs_only_the_table(make_shop: MakeShop, tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    shop = make_shop(SHOP_HOST=str(tmp_path))
    done = shop.audit(shop.settings("served", POSTGRESQL), options=NO_PAGES)
    assert done.status == 0
    assert 'the database "default" cannot be reached' in done.sites["served"]["table"]["error"]
    assert "hunter2" not in done.output


@pytest.fixture(scope="module")
def mariadb(make_shop: MakeShop) -> Iterator[Shop]:
    with mariadb_server(
        "CREATE DATABASE shop",
        "CREATE USER reader@localhost",
        "GRANT SELECT ON shop.* TO reader@localhost",
    ) as socket:
        yield _shop_of(make_shop(), socket)


def _shop_of(shop: Shop, socket: str) -> Shop:
    module = shop.settings("served", MARIADB % socket)
    shop.manage("migrate", "-v0", settings=module)
    shop.python(FILL, "900", "2100", "40", settings=module)
    return shop


@pytest.mark.slow
def test_user_that_may_only_read_is_enough_on_mariadb(mariadb: Shop) -> None:
    as_user(mariadb, "reader")
    refused: Any = mariadb.python(WRITE, settings="shop.served")
    assert "command denied" in refused
    site = mariadb.audit("shop.served").sites["served"]
    table = site["table"]
    assert (table["error"], table["vendor"]) == ("", "mysql")
    assert (table["rows"], table["live"], table["expired"]) == (3000, 900, 2100)
    assert table["size"]["table"] >= 16_384  # InnoDB tells what it knew a while ago
    assert site["pages"]["asked"][1]["visits"]["signed_in"]["session_queries"] == 1
    estimated = mariadb.python(LARGE, "", settings="shop.served")
    assert (estimated["error"], estimated["exact"]) == ("", False)
    assert estimated["rows"] == pytest.approx(3000, rel=0.1)
