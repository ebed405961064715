"""The command as it is typed: several sites, exit status, JSON, and what is never printed."""

from __future__ import annotations

import json

import pytest

from django_split.audit.conditions import CONDITIONS
from django_split.cli import main
from tests.audit.conftest import MakeShop
from tests.audit.shop import Shop
from tests.audit.test_engines import REDIS, cached
from tests.support.trial import REPOSITORY
from tests.unit.conftest import MakeSite

GOOD = f"""
SESSION_COOKIE_SECURE = True
INSTALLED_APPS.remove("django.contrib.sessions")
{cached(REDIS)}
"""
SECRETS = """
SECRET_KEY = "s3cret-key-" + "0123456789" * 4
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache",
                      "LOCATION": "redis://shop:s3cret-cache@store.example/0?password=s3cret-too"}}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
DJANGO_SPLIT_SESSIONS = {"url": "redis://shop:s3cret-store@store.example/0"}
"""


@pytest.fixture(scope="module")
def shop(make_shop: MakeShop) -> Shop:
    made = make_shop((5, 5, 50))
    made.settings("good", GOOD)
    made.settings("secrets", SECRETS)
    made.write("wrong.py", "from shop.base import *\nraise RuntimeError('no DATABASE_URL')\n")
    return made


def test_several_sites_have_a_report_each_and_a_row_each(shop: Shop) -> None:
    done = shop.audit("shop.base", "shop.good", options=("--no-pages",))
    assert done.status == 0
    assert done.output.count("what to change, the most worthwhile first") == 1
    rows = done.output.splitlines()[-2:]
    assert rows[0].startswith("  shop.base  database, 10 rows: database-sessions, insecure-cookie")
    assert rows[1] == "  shop.good  cache: nothing to change"


def test_settings_that_do_not_import_cost_no_other_site_its_report(shop: Shop) -> None:
    done = shop.audit("shop.wrong", "shop.nowhere", "shop.base", options=("--no-pages",))
    assert done.status == 1
    assert '"shop.wrong" does not start: RuntimeError: no DATABASE_URL' in done.errors
    assert "shop/wrong.py:2" in done.errors
    assert '"shop.nowhere": no module of that name on sys.path' in done.errors
    assert "\nshop.base\n  sessions     in the database" in done.output
    assert "Traceback" not in done.errors


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("database-sessions", 3),
        ("pickle,insecure-cookie", 3),
        ("pickle", 0),
        ("pickle,unshared-sessions,shared-cache", 0),
    ],
)
def test_status_is_what_was_asked_for(shop: Shop, asked: str, status: int) -> None:
    done = shop.audit("shop.base", options=("--no-pages", "--fail-on", asked))
    assert done.status == status


def test_condition_of_pages_is_not_known_without_pages(shop: Shop) -> None:
    done = shop.audit("shop.base", options=("--no-pages", "--fail-on", "anonymous-sessions"))
    assert done.status == 1
    assert "not known of shop.base: anonymous-sessions" in done.errors


def test_misspelt_condition_is_refused_with_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["audit", "--settings", "x", "--fail-on", "pickles"])
    assert ended.value.code == 2
    errors = " ".join(capsys.readouterr().err.split())
    assert f"'pickles' is no condition; there are {', '.join(CONDITIONS)}" in errors


def test_help_names_each_condition(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["audit", "--help"])
    shown = capsys.readouterr().out
    for name, condition in CONDITIONS.items():
        assert f"{name} " in shown
        assert condition.meaning in shown


@pytest.mark.parametrize("options", [("--json",), ()])
def test_no_secret_is_printed(shop: Shop, options: tuple[str, ...]) -> None:
    done = shop.audit("shop.secrets", "shop.base", options=options)
    assert done.status == 0, done.errors
    for secret in ("s3cret", "for-the-tests-only", "a-hash-of-a-password"):
        assert secret not in done.output + done.errors


def keys(value: object, above: str = "") -> set[str]:
    """Each key's dotted name; a list is what it holds."""
    if isinstance(value, list):
        return {name for item in value for name in keys(item, above)}
    if not isinstance(value, dict):
        return set()
    return {f"{above}{key}" for key in value} | {
        name for key, item in value.items() for name in keys(item, f"{above}{key}.")
    }


def test_keys_of_the_json_are_documented(shop: Shop) -> None:
    """And so they are stable: who takes one away changes the page."""
    done = shop.audit("shop.base", "shop.secrets")
    data = json.loads(done.output)
    assert data["version"] == 1
    page = (REPOSITORY / "docs" / "audit.md").read_text()
    free = ("values.", "payload.keys.", "conditions.", "visits.")
    for name in keys(data["sites"]):
        last = name.rpartition(".")[2]
        if not any(part in f".{name}" and part + last in name for part in free):
            assert f"`{last}`" in page, name
    for name in CONDITIONS:
        assert f"`{name}`" in page


def test_site_that_prints_and_exits_is_told(shop: Shop) -> None:
    shop.write("leaving.py", "import sys\nprint('bye')\nsys.exit(4)\n")
    done = shop.audit("shop.leaving", options=("--no-pages",))
    assert done.status == 1
    assert '"shop.leaving" does not start: SystemExit: 4' in done.errors


def test_site_that_hangs_is_ended(shop: Shop) -> None:
    shop.write("hanging.py", "import time\ntime.sleep(600)\n")
    done = shop.audit("shop.hanging", options=("--no-pages", "--timeout", "1"))
    assert done.status == 1
    assert '"shop.hanging" was not set up after 1 s' in done.errors


def test_page_that_exits_costs_the_pages_only(make_shop: MakeShop) -> None:
    shop = make_shop((5, 5, 50))
    shop.write(
        "views.py", "import os\ndef home(request): os._exit(7)\nmine = basket = wrong = home\n"
    )
    site = shop.audit("shop.base").sites["base"]
    assert site["table"]["rows"] == 10
    assert site["pages"]["asked"] == []
    assert "with status 7" in site["pages"]["notes"][0]


def test_admin_instance_audits_itself(make_site: MakeSite) -> None:
    """`manage.py split_audit`, with the settings that are in force there."""
    site = make_site("paper")
    site.plan(main_closed_prefixes=["/closed/"])
    site.manage("admin", "migrate", "-v0")
    shown = json.loads(site.manage("admin", "split_audit", "--no-pages", "--json"))
    (found,) = shown["sites"]
    assert found["settings"] == "split_admin"
    assert found["instance"] == "admin"
    engine = found["values"]["SESSION_ENGINE"]
    assert engine["where"] == f"the plan {site.place}/plan.toml"
    assert found["store"]["kind"] == "redis"
    assert found["conditions"]["pickle"] is False
    failing = site.run(
        ["-m", "django", "split_audit", "--no-pages", "--fail-on", "insecure-cookie"],
        settings="split_admin",
        check=False,
    )
    # Plain HTTP in this trial.
    assert failing.returncode == 3
