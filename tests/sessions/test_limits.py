"""Signed-in sessions know since when they are there, and end in time. Nobody else's are touched."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sessions.offices import Office, office
from tests.support.stores import redis_store

LIMITS = "DJANGO_SPLIT_SESSIONS = DJANGO_SPLIT_SESSIONS | {'idle': 1800, 'absolute': 43200}"
CLIENT = "DJANGO_SPLIT_SESSIONS = DJANGO_SPLIT_SESSIONS | {'record_client': True}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    place = tmp_path_factory.mktemp("limits")
    with redis_store(place / "store.sock"), office(place) as made:
        made.also("limited", LIMITS)
        made.also("telling", CLIENT)
        yield made


def test_who_signs_in_is_written_down_in_that_very_request(site: Office) -> None:
    record, now = site.does(
        "client = signed_in(); answer = stored(key_of(client))['_split'], time.time()"
    )
    assert set(record) == {"since", "seen"}
    assert now - 5 <= record["since"] == record["seen"] <= now


def test_session_from_before_begins_now(site: Office) -> None:
    """It was signed in when nobody kept a record; its limits are not held against it."""
    code = """
        client = signed_in()
        key = key_of(client)
        session = stored(key)
        del session["_split"]
        store.set(PREFIX + key, json.dumps(session), ex=1000)
        answer = client.get("/who/").content.decode(), stored(key)["_split"]["since"], time.time()
        """
    user, since, now = site.does(code, "limited")
    assert user == "chief"
    assert now - 5 <= since <= now


@pytest.mark.parametrize("path", ["/who/", "/awho/", "/plain/", "/admin/auth/user/"])
def test_reading_a_page_is_one_command(site: Office, path: str) -> None:
    assert site.does(f"answer = commands(signed_in(), {path!r})", "limited") == {"get": 1}


def test_a_request_that_writes_is_two_commands(site: Office) -> None:
    code = "answer = commands(signed_in(), '/write/')"
    assert site.does(code, "limited") == {"get": 1, "set": 1}


@pytest.mark.parametrize(
    ("instance", "age", "written"),
    [("admin", 55, False), ("admin", 65, True), ("limited", 55, False), ("limited", 65, True)],
)
def test_last_seen_is_written_once_a_minute(
    site: Office, instance: str, age: int, written: bool
) -> None:
    code = f"""
        client = signed_in()
        now = int(time.time())
        change(key_of(client), seen=now - {age}, since=now - 5000)
        calls = commands(client, "/who/")
        answer = calls, stored(key_of(client))["_split"]["seen"] >= now
        """
    assert site.does(code, instance) == [{"get": 1} | ({"set": 1} if written else {}), written]


def test_last_seen_is_finer_where_the_limit_is_short(site: Office) -> None:
    code = """
        client = signed_in()
        now = int(time.time())
        change(key_of(client), seen=now - 6)
        client.get("/who/")
        answer = stored(key_of(client))["_split"]["seen"] >= now
        """
    short = site.also("short", LIMITS.replace("1800", "50"))
    assert site.does(code, "limited") is False
    assert site.does(code, short) is True


@pytest.mark.parametrize("page", ["/who/", "/awho/"])
@pytest.mark.parametrize(
    ("since", "seen", "user"),
    [
        (5000, 1790, "chief"),
        (5000, 1805, "nobody"),  # idle
        (43190, 10, "chief"),
        (43205, 0, "nobody"),  # absolute, although it is used
    ],
)
def test_session_past_a_limit_is_over_on_the_server(
    site: Office, page: str, since: int, seen: int, user: str
) -> None:
    code = f"""
        client = signed_in()
        key, now = key_of(client), int(time.time())
        change(key, since=now - {since}, seen=now - {seen})
        answer = client.get({page!r}).content.decode(), stored(key) is None, key_of(client)
        """
    name, gone, cookie = site.does(code, "limited")
    assert (name, gone) == (user, user == "nobody")
    assert (cookie == "") == (user == "nobody"), "the browser forgets it, too"


def test_without_limits_nobody_is_signed_out(site: Office) -> None:
    code = """
        client = signed_in()
        change(key_of(client), since=1, seen=1)
        answer = client.get("/who/").content.decode()
        """
    assert site.does(code) == "chief"


def test_a_page_that_asks_all_the_time_does_not_outlive_the_absolute_limit(site: Office) -> None:
    code = """
        client = signed_in()
        key, began = key_of(client), int(time.time()) - 43000
        change(key, since=began)
        names = []
        for later in (0, 100, 190, 201, 300):
            time.time, real = (lambda: real() + later), time.time
            try:
                names.append(client.get("/who/").content.decode())
            finally:
                time.time = real
        answer = names
        """
    assert site.does(code, "limited") == ["chief", "chief", "chief", "nobody", "nobody"]


def test_the_login_page_says_why(site: Office) -> None:
    code = """
        client = signed_in()
        change(key_of(client), seen=int(time.time()) - 2000, since=int(time.time()) - 2000)
        reply = client.get("/admin/auth/user/")
        page = client.get(reply["Location"]).content.decode()
        answer = reply.status_code, reply["Location"], page
        """
    status, location, page = site.does(code, "limited")
    assert (status, location) == (302, "/admin/login/?next=/admin/auth/user/")
    assert "You were signed out after 30\N{NO-BREAK SPACE}minutes without a request." in page


def test_anonymous_sessions_are_let_be(site: Office) -> None:
    code = """
        client = Client()
        client.get("/write/")
        key = key_of(client)
        session = stored(key)
        store.set(PREFIX + key, json.dumps(session | {"_split": {"since": 1, "seen": 1}}), ex=1000)
        calls = commands(client, "/slow/")
        answer = session, calls, stored(key)["_split"]
        """
    session, calls, record = site.does(code, "limited")
    assert "_split" not in session
    assert calls == {"get": 1}
    assert record == {"since": 1, "seen": 1}


def test_what_a_site_keeps_under_a_like_name_is_its_own(site: Office) -> None:
    code = """
        client = signed_in()
        client.get("/write/")
        change(key_of(client), seen=1000, moved=True)
        client.get("/who/")
        answer = stored(key_of(client))
        """
    session = site.does(code)
    assert session["_split_screen"] == {"left": 1}
    assert session["_split"]["moved"] is True, "another part's, and not ours to drop"


@pytest.mark.parametrize("record", ['"text"', "[]", "{}", '{"since": "x", "seen": null}', "NaN"])
def test_a_record_that_is_none_is_begun_anew(site: Office, record: str) -> None:
    code = f"""
        client = signed_in()
        key = key_of(client)
        text = json.dumps(stored(key) | {{"_split": "HERE"}}).replace('"HERE"', {record!r})
        store.set(PREFIX + key, text, ex=1000)
        answer = client.get("/who/").content.decode()
        client.get("/write/")
        answer = [answer, stored(key)["_split"]["since"] > 1000]
        """
    assert site.does(code, "limited") == ["chief", True]


def test_a_clock_that_was_set_back_makes_no_session_longer(site: Office) -> None:
    code = """
        client = signed_in()
        ahead = int(time.time()) + 100000
        change(key_of(client), since=ahead, seen=ahead)
        client.get("/write/")
        answer = stored(key_of(client))["_split"]["since"] - time.time()
        """
    assert site.does(code, "limited") <= 0


def test_signing_in_again_begins_a_new_session(site: Office) -> None:
    """login() of who is signed in already keeps the session's data under a new key."""
    code = """
        client = signed_in()
        old, now = key_of(client), int(time.time())
        change(old, since=now - 40000)
        client.get("/again/")
        new = key_of(client)
        answer = old != new, stored(old), stored(new)["_split"]["since"] >= now
        """
    assert site.does(code, "limited") == [True, None, True]


def test_login_takes_a_new_key_and_the_old_one_is_gone(site: Office) -> None:
    """What an attacker planted in a browser before the login is worth nothing after it."""
    code = """
        client = Client()
        client.get("/write/")
        old = key_of(client)
        client.post("/admin/login/", {"username": "chief", "password": "a-long-password"})
        answer = old != key_of(client), stored(old), stored(key_of(client))["_auth_user_id"]
        """
    assert site.does(code) == [True, None, "1"]


def test_logout_ends_it_on_the_server(site: Office) -> None:
    code = """
        client = signed_in()
        key = key_of(client)
        client.post("/admin/logout/")
        thief = Client()
        thief.cookies["office"] = key
        answer = stored(key), thief.get("/who/").content.decode()
        """
    assert site.does(code) == [None, "nobody"]


def test_a_page_that_does_not_look_at_the_session_stays_cacheable(site: Office) -> None:
    code = """
        client = signed_in()
        now = int(time.time())
        change(key_of(client), seen=now - 100)
        pages = [client.get("/plain/"), client.get("/plain/"), client.get("/who/")]
        answer = [page.headers.get("Vary") for page in pages], [len(p.cookies) for p in pages]
        """
    assert site.does(code) == [[None, None, "Cookie"], [0, 0, 0]]


def test_a_slow_page_overwrites_nothing_that_others_wrote_meanwhile(site: Office) -> None:
    code = """
        from office.urls import HOOKS
        client = signed_in()
        change(key_of(client), seen=int(time.time()) - 100)
        other = Client()
        other.cookies["office"] = key_of(client)
        HOOKS.append(lambda: other.get("/write/"))
        client.get("/slow/")
        answer = "_split_screen" in stored(key_of(client))
        """
    assert site.does(code) is True


def test_a_session_that_ends_between_reading_and_writing_is_a_visitors(site: Office) -> None:
    code = """
        from django_split.sessions.redis import SessionStore
        client = signed_in()
        key = key_of(client)
        change(key, seen=int(time.time()) - 100)
        load = SessionStore.load
        def load_and_lose(session):
            data = load(session)
            store.delete(PREFIX + key)
            return data
        SessionStore.load = load_and_lose
        try:
            reply = client.get("/who/")
        finally:
            SessionStore.load = load
        answer = reply.status_code, reply.content.decode(), stored(key), key_of(client)
        """
    assert site.does(code) == [200, "nobody", None, ""]


def test_address_and_browser_only_where_they_are_asked_for(site: Office) -> None:
    code = """
        client = signed_in(HTTP_USER_AGENT="Netscape " + "x" * 300)
        answer = stored(key_of(client))["_split"]
        """
    told = site.does(code, "telling")
    assert told["address"] == "127.0.0.1"
    assert told["agent"] == "Netscape " + "x" * 191
    assert set(site.does(code)) == {"since", "seen"}


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("", "203.0.113.7", "203.0.113.7"),
        ("", "10.0.0.1, 203.0.113.7", "203.0.113.7"),
        ("", "2001:db8::7", "2001:db8::7"),
        ("", "<script>", ""),
        ("", "", ""),
        ("192.0.2.1", "203.0.113.7", "192.0.2.1"),  # no unix socket: the header is anybody's
    ],
)
def test_address_behind_our_proxy(site: Office, peer: str, forwarded: str, address: str) -> None:
    code = f"""
        client = signed_in(REMOTE_ADDR={peer!r}, HTTP_X_FORWARDED_FOR={forwarded!r})
        answer = stored(key_of(client))["_split"]["address"]
        """
    assert site.does(code, "telling") == address


def test_what_is_not_asked_for_any_more_goes(site: Office) -> None:
    code = """
        client = signed_in()
        change(key_of(client), seen=1000, since=900, address="192.0.2.1", agent="Netscape")
        client.get("/who/")
        answer = stored(key_of(client))["_split"]
        """
    assert set(site.does(code)) == {"since", "seen"}


def test_the_record_is_json_and_numbers_are_whole(site: Office) -> None:
    record = site.does("answer = stored(key_of(signed_in()))['_split']", "telling")
    assert {name: type(value) for name, value in record.items()} == {
        "since": int,
        "seen": int,
        "address": str,
        "agent": str,
    }
