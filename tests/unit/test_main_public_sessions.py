"""Main with sessions of its own: a site whose verdict is `public sessions`, without the admin."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from django_split.plan import Plan
from tests.support.stores import redis_store
from tests.support.trial import Site
from tests.support.variants import variant

PASSWORD = "a-long-password"

SIGN_IN = f"""
from django.test import Client
client = Client(HTTP_HOST="trial.example")
reply = client.post("/accounts/login/", {{"username": "reader", "password": {PASSWORD!r}}})
assert reply.status_code == 302, reply.content.decode()
cookie = client.cookies["sessionid"]
"""


@dataclass
class Split:
    site: Site
    public: Path
    admin: Path


@pytest.fixture(scope="module")
def split(
    make_site: Callable[..., Site], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Split]:
    place = tmp_path_factory.mktemp("stores")
    with redis_store(place / "public.sock") as public, redis_store(place / "admin.sock") as admin:
        site = make_site("paper")
        site.plan(
            session={"url": f"unix://{admin}?db=0"},
            public_sessions="redis",
            public_session={"url": f"unix://{public}?db=0"},
        )
        site.manage("admin", "migrate", "-v0")
        site.ask(
            "admin",
            f"""
            from django.contrib.auth.models import User
            User.objects.create_superuser("reader", password={PASSWORD!r})
            """,
        )
        yield Split(site, public, admin)


def keys(store: Path) -> dict[str, str]:
    import redis

    with closing(redis.Redis(unix_socket_path=str(store), decode_responses=True)) as client:
        return {key: str(client.get(key)) for key in client.scan_iter()}


def test_reader_signs_in_at_the_sites_own_login_on_main(split: Split) -> None:
    page = split.site.ask("main", f"{SIGN_IN}\nanswer = client.get('/').content.decode()")
    assert page == "Welcome back, reader"


def test_session_lives_in_the_public_store_and_nothing_of_it_in_the_admins(split: Split) -> None:
    before = keys(split.admin)
    key = split.site.ask("main", f"{SIGN_IN}\nanswer = cookie.value")
    (place,) = [name for name in keys(split.public) if name.endswith(key)]
    assert json.loads(keys(split.public)[place])["_auth_user_id"] == "1"
    assert keys(split.admin) == before


def test_public_session_opens_no_admin(split: Split) -> None:
    """Its user is a superuser, who has to sign in there for himself."""
    key = split.site.ask("main", f"{SIGN_IN}\nanswer = cookie.value")
    for name in ("sessionid", "trial_admin_sessionid"):
        page = split.site.get("admin", "/admin/", cookie=f"{name}={key}")
        assert page.status == 302
    page = split.site.get("main", "/admin/", cookie=f"sessionid={key}")
    assert page.status == 404


def test_admin_is_gone_from_main_and_its_sessions_app_is_not(split: Split) -> None:
    code = """
        from django.apps import apps
        names = ("django.contrib.admin", "django.contrib.sessions")
        answer = [apps.is_installed(name) for name in names]
        """
    assert split.site.ask("main", code) == [False, True]
    assert "no issues" in split.site.manage("main", "check", "--fail-level", "WARNING")


def test_store_that_is_away_is_told_before_anything_asks_for_a_session(split: Split) -> None:
    code = "from django.conf import settings; answer = settings.MIDDLEWARE"
    entries = {name: split.site.ask(name, code) for name in ("main", "admin")}
    guard = "django_split.sessions.guard.StoreGuardMiddleware"
    assert [chain[0] for chain in entries.values()] == [guard, guard]
    # Main has no limits of its own, and no cookie but the one of before.
    theirs = [entry for entry in entries["main"][1:] if entry.startswith("django_split.sessions")]
    assert theirs == []


def test_page_without_a_session_sets_no_cookie(split: Split) -> None:
    assert split.site.get("main", "/contact/").cookies[0].startswith("csrftoken=")
    page = split.site.get("main", "/")
    assert (page.body, page.cookies) == ("Hello, reader", [])


def test_what_a_visitor_writes_is_kept_and_nothing_is_lost(split: Split) -> None:
    seen, lines = split.site.ask(
        "main",
        """
        from django.test import Client
        client = Client(HTTP_HOST="trial.example")
        client.get("/basket/")
        answer = client.session["seen"], log.getvalue()
        """,
    )
    assert (seen, lines) == ("today", "")


def test_messages_are_kept_as_the_base_does(split: Split) -> None:
    storage, shown = split.site.ask(
        "main",
        """
        from django.conf import settings
        from django.test import Client
        client = Client(HTTP_HOST="trial.example")
        sent = client.post("/contact/")
        shown = client.get(sent.url).content.decode()
        answer = settings.MESSAGE_STORAGE, shown
        """,
    )
    assert storage == "django.contrib.messages.storage.fallback.FallbackStorage"
    assert "[Thank you]" in shown


def test_main_clears_its_own_expired_sessions(split: Split) -> None:
    """On the admin the command asks the admin's engine, which has nothing in the table."""

    def in_the_table(plan: Plan) -> None:
        plan.main.settings["SESSION_ENGINE"] = "django_split.sessions.redis_db"

    name = variant(split.site, "in_the_table", change=in_the_table)
    code = """
        from importlib import import_module
        from django.conf import settings
        from django.contrib.sessions.models import Session
        session = import_module(settings.SESSION_ENGINE).SessionStore()
        session["old"] = True
        session.set_expiry(-10)
        session.save()
        answer = Session.objects.count()
        """
    count = "from django.contrib.sessions.models import Session; answer = Session.objects.count()"
    assert split.site.ask(name, code) == 1
    split.site.manage(name, "clearsessions")
    assert split.site.ask(name, count) == 0
