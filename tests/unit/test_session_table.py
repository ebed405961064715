"""Sessions in the database of a base that has kept them elsewhere, and has no table for them."""

from __future__ import annotations

import pytest

from tests.support.trial import Site
from tests.unit.conftest import MakeSite

SAVE = """
from importlib import import_module
from django.conf import settings
from django.contrib.sessions.models import Session
store = import_module(settings.SESSION_ENGINE).SessionStore()
store["x"] = 1
store.save()
answer = Session.objects.filter(session_key=store.session_key).count()
"""


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    site = make_site(
        "paper",
        "\nINSTALLED_APPS = tuple(a for a in INSTALLED_APPS if a != 'django.contrib.sessions')\n"
        "SESSION_ENGINE = 'django.contrib.sessions.backends.cache'\n",
    )
    local = {"store": "local"}
    site.plan(public_sessions="cached_db", public_session=local, session=local)
    site.manage("admin", "migrate", "-v0")
    return site


def test_main_keeps_its_sessions_in_a_table_that_the_admin_has_made(site: Site) -> None:
    assert site.ask("main", SAVE) == 1


def test_admin_keeps_the_engine_that_the_base_has(site: Site) -> None:
    engine = "from django.conf import settings; answer = settings.SESSION_ENGINE"
    assert site.ask("admin", engine) == "django.contrib.sessions.backends.cache"
