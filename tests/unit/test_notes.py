"""What a plan tells beside its questions: what signs, which caches pickle, rows that restrict."""

from __future__ import annotations

import json

import pytest

from django_split.findings import CACHE, NOT_COVERED, RESTRICTION, SIGNS, Finding, of_kind
from django_split.plan import Plan
from tests.support.trial import Site
from tests.unit.conftest import MakeSite

SETTINGS = """
INSTALLED_APPS += ("django.contrib.sites", "django.contrib.flatpages")
SITE_ID = 1
TOKENS = {"keys": [{"signing": SECRET_KEY}], "other": "a key of its own"}
ASGI_APPLICATION = "paper.asgi.application"
TEMPLATES.append({"BACKEND": "django.template.backends.jinja2.Jinja2", "NAME": "jinja"})
_REDIS = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:9"}
_JSON = "django_split.sessions.serializers.JSONSerializer"
_MEMCACHE = "django.core.cache.backends.memcached.PyMemcacheCache"
CACHES |= {
    "redis": _REDIS,
    "json": {**_REDIS, "OPTIONS": {"serializer": _JSON}},
    "memcached": {"BACKEND": _MEMCACHE, "LOCATION": "127.0.0.1:9"},
    "table": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cached"},
    "nothing": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
}
"""
CODE = '''
from django.conf import settings
from django.core import signing
from django.core.signing import TimestampSigner as Stamp


def sign(response):
    """Mentions default_token_generator, and does not use it."""
    response.set_signed_cookie("a", Stamp().sign(signing.dumps(1)))
    return settings.SECRET_KEY
'''
PAGE = """
from django.contrib.flatpages.models import FlatPage
for number in range(3):
    FlatPage.objects.create(url=f"/{number}/", title="x", registration_required=number > 0)
"""


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    site = make_site("paper", SETTINGS)
    views = site.source / "paper" / "views.py"
    views.write_text(f"{views.read_text()}\n\nfrom paper import signatures  # noqa: F401\n")
    (site.source / "paper" / "signatures.py").write_text(CODE)
    site.plan()
    return site


@pytest.fixture(scope="module")
def first(site: Site) -> Plan:
    return Plan.read(site.place / "plan.toml")


@pytest.fixture(scope="module")
def later(site: Site, first: Plan) -> Plan:
    """The plan of a site with rows, and with a cache of the admin's own."""
    site.manage("admin", "migrate", "-v0")
    site.ask("admin", PAGE)
    plan = site.plan(admin_cache="own")
    site.stop()
    return plan


def told(plan: Plan, kind: str) -> list[Finding]:
    return of_kind(plan.findings, kind)


def test_module_that_signs_is_named_once_with_what_and_where(first: Plan) -> None:
    """FACTS A20."""
    found = {finding.where: finding.what for finding in told(first, SIGNS) if finding.where}
    assert list(found) == ["paper/signatures.py:9"]
    how = "TimestampSigner, set_signed_cookie, settings.SECRET_KEY, signing.dumps"
    assert f"paper.signatures signs with SECRET_KEY ({how})" in found["paper/signatures.py:9"]


def test_setting_with_the_same_key_is_named_and_its_value_is_not(first: Plan) -> None:
    (found,) = (finding for finding in told(first, SIGNS) if not finding.where)
    assert found.what.startswith("TOKENS.keys.signing is SECRET_KEY too")
    assert "for-the-tests-only" not in first.toml()


def test_caches_that_pickle_and_are_shared_are_named(first: Plan) -> None:
    found = [finding.what.partition(",")[0] for finding in told(first, CACHE)]
    assert found == [
        'CACHES["memcached"] (PyMemcacheCache) pickles',
        'CACHES["redis"] (RedisCache) pickles',
        'CACHES["table"] (DatabaseCache) is a table of pickles',
    ]
    assert all("admin_cache: own" in finding.what for finding in told(first, CACHE))


def test_cache_of_the_admins_own_is_in_its_memory_and_says_what_it_costs(
    site: Site, later: Plan
) -> None:
    assert told(later, CACHE) == []
    own = {"memcached", "redis", "table"}
    assert {alias for alias in later.admin.caches if alias != "django_split_sessions"} == own
    assert "until it expires" in later.admin.why["CACHES.redis"]
    classes = (
        "from django.core.cache import caches\nanswer = [type(caches[a]).__name__ for a in {}]"
    )
    names = ("redis", "json", "default")
    code = classes.format(names)
    assert site.ask("admin", code) == ["LocMemCache", "RedisCache", "LocMemCache"]
    assert site.ask("main", code) == ["RedisCache", "RedisCache", "LocMemCache"]


def test_rows_that_restrict_are_counted_when_there_are_any(first: Plan, later: Plan) -> None:
    (before,) = told(first, RESTRICTION)
    assert before.what == (
        "flatpages.FlatPage may restrict who sees a page; its rows could not be counted"
    )
    (found,) = told(later, RESTRICTION)
    assert found.what.startswith("2 rows of flatpages.FlatPage, each a restriction")


def test_counting_makes_no_database(site: Site, first: Plan) -> None:
    assert not (site.source / "db.sqlite3").exists()


@pytest.mark.parametrize("instance", ["main", "admin"])
def test_rows_can_be_counted_again_on_a_host(site: Site, later: Plan, instance: str) -> None:
    done = site.run(["-m", "django_split.restrictions"], settings=f"split_{instance}")
    assert json.loads(done.stdout) == {"flatpages.FlatPage": 2}


def test_database_that_does_not_answer_is_not_counted(site: Site, later: Plan) -> None:
    module = site.place / "settings" / "away.py"
    module.write_text(
        "from split_main import *\n"
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': '/nowhere/x'}}\n"
    )
    done = site.run(["-m", "django_split.restrictions"], settings="away")
    assert json.loads(done.stdout) == {"flatpages.FlatPage": None}


def test_what_is_not_looked_at_is_told(first: Plan) -> None:
    found = {finding.what: (finding.view, finding.where) for finding in told(first, NOT_COVERED)}
    (chooses,) = (value for what, value in found.items() if "chooses a URLconf" in what)
    assert chooses == ("paper.middleware.Hosts", "paper/middleware.py:27")
    assert any(what.startswith("templates of Jinja2 are not read") for what in found)
    assert any(what.startswith("ASGI_APPLICATION (paper.asgi.application)") for what in found)
