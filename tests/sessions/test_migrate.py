"""`sessions migrate`: what is moved, what is not, and what is said of it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.sessions.splitting import (
    MIGRATE,
    admin_session,
    migrate,
    open_admin,
    sign_in,
    split,
    unsplit,
)
from tests.support.stores import Server
from tests.support.trial import Site

# Sessions as the base makes them; `data` is what they hold.
SAVE = """
from importlib import import_module
from django.conf import settings
store = import_module(settings.SESSION_ENGINE).SessionStore()
store.update(DATA)
store.set_expiry(EXPIRY)
store.save()
answer = store.session_key
"""


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Iterator[Site]:
    with unsplit(tmp_path_factory.mktemp("paper"), "SECRET_KEY_FALLBACKS = ['of-before']") as site:
        split(site, server.url)
        yield site


@pytest.fixture
def site(paper: Site, server: Server) -> Site:
    """Without a session anywhere."""
    server.ask("FLUSHALL")
    paper.ask(
        "base",
        "from django.contrib.sessions.models import Session; Session.objects.all().delete()",
    )
    return paper


def save(site: Site, expiry: object = None, **data: object) -> str:
    key: str = site.ask("base", f"DATA, EXPIRY = {data!r}, {expiry!r}\n{SAVE}")
    return key


def change(site: Site, key: str, **data: object) -> None:
    site.ask(
        "base",
        f"""
        from django.contrib.sessions.backends.db import SessionStore
        store = SessionStore({key!r})
        store.update({data!r})
        store.save()
        """,
    )


def kept(site: Site, key: str) -> dict[str, object]:
    """What the admin's store has, without what migrate has written to it."""
    session = admin_session(site, key)
    assert session is not None
    assert session.pop("_split")["moved"] is True
    return session


def sign_in_reader(site: Site) -> str:
    key: str = site.ask(
        "base",
        """
        from django.contrib.auth.models import User
        from django.test import Client
        client = Client(HTTP_HOST="localhost")
        client.force_login(User.objects.get(username="reader"))
        answer = client.cookies["sessionid"].value
        """,
    )
    return key


def test_live_sessions_are_moved_with_their_keys_and_their_values(site: Site) -> None:
    key = save(site, basket=[1, "zwei", None, 4.5, {"a": True}])
    answer = migrate(site)
    assert (answer["moved"], answer["changed"]) == (1, True)
    assert kept(site, key) == {"basket": [1, "zwei", None, 4.5, {"a": True}]}


def test_life_that_is_left_stays(site: Site, server: Server) -> None:
    hour, default = save(site, 3600, a=1), save(site, b=1)
    migrate(site)
    assert 3595 <= server.ask("TTL", f"trial:session:{hour}") <= 3600
    assert 1209590 <= server.ask("TTL", f"trial:session:{default}") <= 1209600


def test_second_run_does_nothing_twice(site: Site) -> None:
    save(site, a=1)
    migrate(site)
    answer = migrate(site)
    assert (answer["moved"], answer["already"], answer["changed"]) == (0, 1, False)


def test_dry_run_says_what_would_be_done_and_does_nothing(site: Site, server: Server) -> None:
    save(site, a=1)
    answer = migrate(site, "--dry-run")
    assert (answer["moved"], answer["changed"], server.ask("DBSIZE")) == (1, False, 0)


def test_expired_session_is_not_moved(site: Site, server: Server) -> None:
    save(site, -10, a=1)
    assert migrate(site)["moved"] == 0
    assert server.ask("DBSIZE") == 0


def test_session_that_the_base_changes_after_the_first_run_is_brought_up_to_date(
    site: Site, server: Server
) -> None:
    key = save(site, step=1)
    migrate(site)
    change(site, key, step=2)
    answer = migrate(site)
    assert (answer["moved"], answer["renewed"]) == (0, 1)
    assert kept(site, key) == {"step": 2}
    # As often as it takes.
    change(site, key, step=3)
    migrate(site)
    assert kept(site, key) == {"step": 3}


def test_longer_life_alone_is_a_change(site: Site, server: Server) -> None:
    key = save(site, a=1)
    migrate(site)
    site.ask(
        "base",
        """
        from datetime import timedelta
        from django.contrib.sessions.models import Session
        from django.db.models import F
        Session.objects.update(expire_date=F("expire_date") + timedelta(days=10))
        """,
    )
    assert migrate(site)["renewed"] == 1
    assert server.ask("TTL", f"trial:session:{key}") > 1209600


def test_copy_that_the_admin_has_used_is_not_overwritten(site: Site) -> None:
    key = save(site, step=1)
    migrate(site)
    site.ask(
        "admin",
        f"""
        from django_split.sessions.redis import SessionStore
        store = SessionStore({key!r})
        store["step"] = "the admin's"
        store.save()
        """,
    )
    change(site, key, step=2)
    answer = migrate(site)
    assert answer["reasons"] == {"in use": 1}
    assert kept(site, key) == {"step": "the admin's"}


def test_session_that_was_taken_over_does_not_come_back(site: Site) -> None:
    key = sign_in(site)
    migrate(site)
    open_admin(site, key)
    change(site, key, later=True)
    assert migrate(site)["reasons"] == {"taken": 1}
    assert admin_session(site, key) is None


@pytest.mark.parametrize("call", ["add", "put"])
def test_takeover_between_reading_and_writing_wins(site: Site, call: str) -> None:
    """migrate has read that nothing was taken; it is, before migrate writes."""
    key = sign_in(site)
    if call == "put":
        migrate(site)
        change(site, key, later=True)
    left = site.ask(
        "admin",
        f"""
        from django.test import Client
        from django_split.sessions import copies, preparing
        from django_split.sessions.migrate import Wishes
        from django_split.sessions.stopping import Stop

        migration = preparing.prepare(Wishes())
        store = migration._copies
        write = store.{call}

        def late(*arguments):
            if {call!r} == "add":  # by the other run, which was quicker
                preparing.prepare(Wishes()).run(Stop())
            client = Client(HTTP_HOST="localhost")
            client.cookies["sessionid"] = {key!r}
            assert client.get("/admin/").status_code == 200
            assert store.get([{key!r}]) == [None]
            return write(*arguments)

        store.{call} = late
        migration.run(Stop())
        answer = store.get([{key!r}])
        """,
    )
    assert left == [None]
    assert open_admin(site, key)["user"] == "chief"  # by the mark, for the grace that it gives


def test_copy_of_a_session_that_has_ended_since_goes(site: Site) -> None:
    """Signed out of on the base between two runs: the old cookie must open nothing."""
    key, other = sign_in(site), sign_in(site, "editor")
    migrate(site)
    site.ask(
        "base",
        f"""
        from django.test import Client
        client = Client(HTTP_HOST="localhost")
        client.cookies["sessionid"] = {key!r}
        client.post("/admin/logout/")
        """,
    )
    answer = migrate(site)
    assert (answer["ended"], answer["already"]) == (1, 1)
    assert open_admin(site, key)["status"] == 302
    assert open_admin(site, other)["user"] == "editor"


def test_session_that_was_ended_on_the_sessions_page_does_not_come_back(site: Site) -> None:
    key = sign_in(site, "editor")
    migrate(site)
    ended = site.ask(
        "admin",
        f"""
        from django.contrib.auth.models import User
        from django.test import RequestFactory
        from django_split.runtime.admin import ending
        from django_split.sessions import listing
        request = RequestFactory().post("/")
        request.user = User.objects.get(username="chief")
        ended, _ = ending.end(listing.current(), request, lambda kept: kept.key == {key!r})
        answer = ended.total()
        """,
    )
    assert ended == 1
    assert migrate(site)["reasons"] == {"taken": 1}
    assert open_admin(site, key)["status"] == 302


def test_emptied_table_ends_nothing(site: Site) -> None:
    """TRUNCATE after the move is how the space comes back at once."""
    key = sign_in(site)
    migrate(site)
    site.ask(
        "base",
        "from django.contrib.sessions.models import Session; Session.objects.all().delete()",
    )
    assert migrate(site)["ended"] == 0
    assert open_admin(site, key)["user"] == "chief"


def test_auth_hash_is_checked_under_the_bases_key_and_written_under_the_admins(
    site: Site,
) -> None:
    key = sign_in(site)
    migrate(site)
    before = site.ask(
        "base",
        f"""
        from django.contrib.sessions.backends.db import SessionStore
        answer = SessionStore({key!r})["_auth_user_hash"]
        """,
    )
    after = kept(site, key)["_auth_user_hash"]
    expected = """
        from django.contrib.auth.models import User
        answer = User.objects.get(username="chief").get_session_auth_hash()
        """
    assert (before, after) == (site.ask("base", expected), site.ask("admin", expected))
    assert before != after


def test_session_under_a_fallback_key_of_the_bases_is_moved(site: Site) -> None:
    key = sign_in(site)
    site.ask(
        "base",
        f"""
        from django.conf import settings
        from django.contrib.auth.models import User
        from django.contrib.sessions.backends.db import SessionStore
        now, settings.SECRET_KEY = settings.SECRET_KEY, "of-before"
        store = SessionStore({key!r})
        store.update({{
            "_auth_user_id": "1", "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
            "_auth_user_hash": User.objects.get(pk=1).get_session_auth_hash(),
        }})
        store.save()
        settings.SECRET_KEY = now
        """,
    )
    assert migrate(site)["moved"] == 1
    assert open_admin(site, key)["user"] == "chief"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("user.set_password('another')", "hash"),
        ("user.is_active = False", "user"),
        ("user.pk = None; User.objects.filter(username='guest').delete()", "user"),
    ],
)
def test_session_that_the_base_does_not_accept_any_more_is_not_moved_and_listed(
    site: Site, code: str, reason: str
) -> None:
    make = "User.objects.create_user('guest', password='a-long-password', is_staff=True)"
    site.ask("base", f"from django.contrib.auth.models import User; {make}")
    try:
        key = sign_in(site, "guest")
        change = f"user = User.objects.get(username='guest'); {code}; user.pk and user.save()"
        site.ask("base", f"from django.contrib.auth.models import User; {change}")
        answer = migrate(site, status=3)
        assert answer["reasons"] == {reason: 1}
        assert admin_session(site, key) is None
    finally:
        remove = "User.objects.filter(username='guest').delete()"
        site.ask("base", f"from django.contrib.auth.models import User; {remove}")


def test_rows_that_cannot_be_read_are_listed_by_a_digest_and_the_rest_is_moved(
    site: Site,
) -> None:
    good = save(site, a=1)
    for number in range(7):
        site.ask(
            "base",
            f"""
            from django.contrib.sessions.models import Session
            row = Session.objects.get(pk={save(site, n=number)!r})
            row.session_data = row.session_data[:-3] + "xyz"
            row.save()
            """,
        )
    answer = migrate(site, status=3)
    assert (answer["moved"], answer["failed"]) == (1, 7)
    assert answer["reasons"] == {"undecodable": 7}
    assert len(answer["examples"]["undecodable"]) == 5
    assert kept(site, good) == {"a": 1}


def test_no_session_key_is_ever_printed(site: Site) -> None:
    keys = [save(site, a=1), sign_in(site)]
    site.ask(
        "base",
        """
        from django.contrib.sessions.models import Session
        Session.objects.update(session_data="nothing")
        """,
    )
    done = site.run(MIGRATE, check=False)
    assert done.returncode == 3
    assert "2 not moved: cannot be read" in done.stdout
    assert not any(key in done.stdout + done.stderr for key in keys)
    # Nor a log line for each row.
    assert done.stderr == ""


def test_staff_only_leaves_everybody_else(site: Site) -> None:
    save(site, basket=1)
    sign_in_reader(site)
    staff = sign_in(site, "editor")
    answer = migrate(site, "--staff-only")
    assert (answer["moved"], answer["skipped"], answer["reasons"]) == (1, 2, {"not staff": 2})
    assert open_admin(site, staff)["user"] == "editor"


def test_reader_is_moved_and_gets_no_further_in_the_admin_than_before(site: Site) -> None:
    key = sign_in_reader(site)
    assert migrate(site)["moved"] == 1
    assert open_admin(site, key)["status"] == 302


def test_users_are_asked_for_once_a_batch(site: Site) -> None:
    for _ in range(5):
        sign_in(site)
        sign_in(site, "editor")
    queries = site.ask(
        "admin",
        """
        from django.db import connection
        from django.test.utils import CaptureQueriesContext
        from django_split.sessions.migrate import Wishes
        from django_split.sessions.preparing import prepare
        from django_split.sessions.stopping import Stop
        with CaptureQueriesContext(connection) as captured:
            prepare(Wishes(dry_run=True)).run(Stop())
        answer = [query["sql"] for query in captured if "auth_user" in query["sql"]]
        """,
    )
    assert len(queries) == 1


def test_prints_what_was_done_for_people(site: Site) -> None:
    sign_in(site)
    told = site.run(MIGRATE).stdout
    assert "django_session (database default): 1 live sessions" in told
    assert "1 moved" in told
    told = site.manage("admin", "split_sessions", "migrate")
    assert "1 were there already" in told


@pytest.mark.parametrize(
    ("settings", "options", "said"),
    [
        ("split_main", [], "split_main are not the settings of an admin instance"),
        ("paper.settings", [], "Set the one to which they go first"),
        ("split_admin", ["--from", "some.engine"], "says where its base keeps sessions"),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    site: Site, settings: str, options: list[str], said: str
) -> None:
    done = site.run([*MIGRATE[:-1], settings, *options], check=False)
    assert done.returncode == 1
    assert said in done.stdout


def test_store_that_is_away_is_exit_1_and_the_next_run_goes_on(site: Site, server: Server) -> None:
    save(site, a=1)
    server.kill()
    try:
        began = time.monotonic()
        answer = migrate(site, status=1)
        assert time.monotonic() - began < 10
        assert "Is it running" in answer["error"]
    finally:
        server.start()
    assert migrate(site)["moved"] == 1


def test_full_store_says_so(site: Site, server: Server) -> None:
    save(site, a=1)
    server.ask("CONFIG", "SET", "maxmemory", "1")
    try:
        answer = migrate(site, status=1)
    finally:
        server.ask("CONFIG", "SET", "maxmemory", "0")
    assert "It is full" in answer["error"]
    assert migrate(site)["moved"] == 1
