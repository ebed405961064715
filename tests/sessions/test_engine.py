"""The engines redis and redis_db: what they ask, what they keep, and what they refuse to run."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.sessions.counters import Counter, counter
from tests.support.stores import Server, redis_server

BOTH = ("redis", "redis_db")


class Ground(NamedTuple):
    site: Counter
    server: Server


@pytest.fixture(scope="module")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Ground]]:
    with redis_server() as server:
        redis, redis_db = (tmp_path_factory.mktemp(engine) for engine in BOTH)
        with (
            counter(redis, "redis", server.url) as one,
            counter(redis_db, "redis_db", server.url) as other,
        ):
            yield {"redis": Ground(one, server), "redis_db": Ground(other, server)}


@pytest.fixture(params=BOTH)
def either(request: pytest.FixtureRequest, grounds: dict[str, Ground]) -> Ground:
    return grounds[request.param]


@pytest.fixture
def with_table(grounds: dict[str, Ground]) -> Ground:
    return grounds["redis_db"]


STORE = """
from importlib import import_module
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.contrib.sessions.backends.db import SessionStore as Table
from django.contrib.sessions.models import Session
SessionStore = import_module(settings.SESSION_ENGINE).SessionStore

def kept(**data):
    session = SessionStore()
    session.update(data)
    session.save()
    return session
"""


def test_load_save_and_create_are_one_command_each(either: Ground) -> None:
    site, server = either
    key = site.does(f"{STORE}\nsession = kept(a=1); answer = session.session_key")
    for code, calls in {
        f"SessionStore({key!r}).get('a')": {"get": 1},
        "kept(a=1)": {"set": 1},
        f"SessionStore({key!r}).exists({key!r})": {"exists": 1},
    }.items():
        server.calls()
        site.does(f"{STORE}\n{code}")
        assert server.calls() == calls, code
    site.does(f"{STORE}\nsession = SessionStore({key!r}); session['a'] = 2; counter.kept = session")
    server.calls()
    site.does("counter.kept.save()")
    assert server.calls() == {"set": 1}


def test_request_that_changes_its_session_is_two_commands(either: Ground) -> None:
    site, server = either
    site.signs_in()
    server.calls()
    assert site.gets("/count/")["body"] == "2"
    assert server.calls() == {"get": 1, "set": 1}
    assert site.gets("/plain/")["body"] == "plain"
    assert server.calls() == {}


def test_pickle_in_the_store_does_nothing(either: Ground, tmp_path: Path) -> None:
    """FACTS E: with pickle, who can write to the store ran code in the admin, before any login."""
    site, server = either
    trace = tmp_path / "it ran"
    key = site.signs_in()["key"]

    class Touch:
        def __reduce__(self) -> tuple[object, tuple[Path]]:
            return Path.touch, (trace,)

    for value in (pickle.dumps(Touch()), pickle.dumps(Touch(), 0), b"\x00", b'["a list"]'):
        server.ask("SET", f"counter:session:{key}", value)
        if site.environment["COUNTER_ENGINE"] == "redis_db":
            site.does(f"{STORE}\nSession.objects.all().delete()")
        reply = site.gets("/who/")
        assert (reply["status"], reply["body"]) == (200, "nobody")
        site.does(f"counter.browser.cookies['sessionid'] = {key!r}")
    assert not trace.exists()
    pickle.loads(pickle.dumps(Touch()))  # noqa: S301 - and this is what it would have done
    assert trace.exists()


def test_store_holds_json_and_nothing_else(either: Ground) -> None:
    site, server = either
    key = site.does(f"{STORE}\nanswer = kept(name='Zoë', list=[1, None]).session_key")
    assert server.ask("GET", f"counter:session:{key}") == b'{"name":"Zo\\u00eb","list":[1,null]}'
    assert 0 < server.ask("TTL", f"counter:session:{key}") <= 14 * 86400


def test_what_json_cannot_hold_is_an_error_that_names_the_key(either: Ground) -> None:
    site, _ = either
    assert "session['when']" in site.does(f"""{STORE}
from datetime import date
try:
    kept(fine=1, when=date.today())
except TypeError as error:
    answer = str(error)
""")


def test_session_that_ended_elsewhere_is_not_saved_again(either: Ground) -> None:
    site, server = either
    key, refused = site.does(f"""{STORE}
here = kept(a=1)
SessionStore(here.session_key).flush()
here["a"] = 2
try:
    here.save()
except UpdateError:
    refused = True
answer = here.session_key, refused
""")
    assert refused
    assert server.ask("EXISTS", f"counter:session:{key}") == 0


def test_new_session_base_of_django_has_nothing_that_ours_lacks(either: Ground) -> None:
    """Its __init__ is written out in ours, without the import of a serializer."""
    site, _ = either
    base, ours = site.does(f"""{STORE}
answer = sorted(vars(SessionBase("k" * 8))), sorted([*vars(SessionStore("k" * 8)), "serializer"])
""")
    assert base == ours


def test_serializer_that_pickles_is_not_asked(either: Ground) -> None:
    site, _ = either
    assert site.does(f"""{STORE}
from django.test import override_settings
with override_settings(SESSION_SERIALIZER="pickle.Pickler"):
    session = kept(a=1)
    answer = SessionStore(session.session_key).decode(session.encode({{"a": 1}}))
""") == {"a": 1}


def test_asynchronous_methods_are_the_same_session(either: Ground) -> None:
    site, _ = either
    answer = site.does(f"""{STORE}
async def visit():
    session = SessionStore()
    await session.aset("a", 1)
    await session.asave()
    first = session.session_key
    await session.acycle_key()
    again = SessionStore(session.session_key)
    read = await again.aget("a")
    lives = await again.aexists(session.session_key), await again.aexists(first)
    await again.aflush()
    gone = await again.aexists(session.session_key)
    await SessionStore.aclear_expired()
    return read, lives, gone, len(await SessionStore(session.session_key).aload())
answer = asyncio.run(visit())
""")
    assert answer == [1, [True, False], False, 0]


# redis_db


def test_session_that_the_store_has_lost_comes_back_from_the_table(with_table: Ground) -> None:
    site, server = with_table
    key = site.signs_in()["key"]
    site.does(f"""{STORE}
from datetime import timedelta
from django.utils import timezone
Session.objects.filter(pk={key!r}).update(expire_date=timezone.now() + timedelta(seconds=600))
""")
    server.ask("FLUSHALL")
    assert site.gets("/who/")["body"] == "ada"
    assert 590 <= server.ask("TTL", f"counter:session:{key}") <= 600  # not the full time again
    server.ask("FLUSHALL")
    assert site.gets("/count/")["body"] == "2"
    # Lost between a request's load and its save.
    assert (
        site.does(f"""{STORE}
session = SessionStore({key!r})
session["count"] = session["count"] + 1
from django_split.sessions.store import Store
Store.current().delete({key!r})
session.save()
answer = SessionStore({key!r})["count"]
""")
        == 3
    )


def test_session_that_has_ended_does_not_come_back(with_table: Ground) -> None:
    site, _ = with_table
    answer = site.does(f"""{STORE}
from datetime import timedelta
from django.utils import timezone
from django_split.sessions.store import Store
ended, expired, late = kept(a=1), kept(a=1), kept(a=1)
ended.flush()
Session.objects.filter(pk=expired.session_key).update(expire_date=timezone.now() - timedelta(1))
Store.current().delete(expired.session_key)
# Signed out by another request, just when this one gives back what the store has lost.
add = Store.add
def signs_out_meanwhile(store, key, value, ttl):
    Session.objects.filter(pk=key).delete()
    return add(store, key, value, ttl)
Store.current().delete(late.session_key)
Store.add = signs_out_meanwhile
answer = [SessionStore(one.session_key).load() for one in (expired, late)]
Store.add = add
answer += [Store.current().exists(late.session_key), Store.current().exists(expired.session_key)]
""")
    assert answer == [{}, {}, False, False]


def test_row_that_is_gone_ends_the_session_in_the_store_too(with_table: Ground) -> None:
    site, server = with_table
    key = site.signs_in()["key"]
    site.does(f"{STORE}\nSession.objects.filter(pk={key!r}).delete()")
    assert site.gets("/count/")["status"] == 400  # Django's SessionInterrupted
    assert server.ask("EXISTS", f"counter:session:{key}") == 0


def test_site_may_go_to_djangos_own_engine_and_back(with_table: Ground) -> None:
    site, _ = with_table
    key = site.signs_in()["key"]
    assert site.does(f"{STORE}\nanswer = Table({key!r})['count']") == 1
    theirs = site.does(
        f"{STORE}\none = Table(); one['a'] = 1; one.save()\nanswer = one.session_key"
    )
    assert site.does(f"{STORE}\nanswer = SessionStore({theirs!r})['a']") == 1
    assert (
        site.does(f"""{STORE}
from datetime import timedelta
from django.core.management import call_command
from django.utils import timezone
old = kept(a=1)
Session.objects.filter(pk=old.session_key).update(expire_date=timezone.now() - timedelta(1))
call_command("clearsessions")
answer = Session.objects.filter(pk=old.session_key).count()
""")
        == 0
    )


@pytest.mark.parametrize("cookie", ["x" * 5000, "ä" * 20, "\\\\000" * 9, "a'; DROP TABLE"])
def test_cookie_that_is_no_key_is_an_unknown_session(either: Ground, cookie: str) -> None:
    site, _ = either
    reply = site.does(f"""
client = Client(raise_request_exception=False)
client.cookies["sessionid"] = {cookie!r}
answer = get("/who/", client)
""")
    assert (reply["status"], reply["body"]) == (200, "nobody")


def test_missing_setting_says_what_to_type(either: Ground) -> None:
    site, _ = either
    assert "django-split plan" in site.does(f"""{STORE}
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
with override_settings(DJANGO_SPLIT_SESSIONS={{"prefix": "x:"}}):
    try:
        SessionStore("k" * 8).load()
    except ImproperlyConfigured as error:
        answer = str(error)
""")


def test_missing_package_says_what_to_install(either: Ground) -> None:
    site, _ = either
    assert "django-split[redis]" in site.does("""
import sys
from django.core.exceptions import ImproperlyConfigured
before = sys.modules.pop("django_split.sessions.connection")
sys.modules["django_split.sessions.connection"] = None
from django_split.sessions.store import Store
try:
    Store("redis://nowhere", "x:")
except ImproperlyConfigured as error:
    answer = str(error)
sys.modules["django_split.sessions.connection"] = before
""")
