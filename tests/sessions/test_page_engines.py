"""The Sessions page with every way of keeping sessions, and with a store that is not well."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.sessions.offices import Office, office
from tests.sessions.test_page import HANDS
from tests.support.stores import memcached_store, redis_store

pytestmark = pytest.mark.slow

REDIS_CACHE = """
SESSION_CACHE_ALIAS = "sessions"
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "sessions": {
        "BACKEND": "django_split.sessions.caches.JSONRedisCache",
        "LOCATION": DJANGO_SPLIT_SESSIONS["url"],
        "KEY_PREFIX": "office",
    },
}
"""
PLANNED = "DJANGO_SPLIT_SESSIONS |= {'prefix': 'office:1:django.contrib.sessions.%s'}\n"
UNPLANNED = "DJANGO_SPLIT_SESSIONS = {}\n"

ENGINES = {
    "redis": "",
    "redis_db": "SESSION_ENGINE = 'django_split.sessions.redis_db'",
    "redis_db, atomic requests": "SESSION_ENGINE = 'django_split.sessions.redis_db'\n"
    "DATABASES['default']['ATOMIC_REQUESTS'] = True",
    "cache": REDIS_CACHE
    + PLANNED % "cache"
    + "SESSION_ENGINE = 'django.contrib.sessions.backends.cache'",
    "cached_db": REDIS_CACHE
    + PLANNED % "cached_db"
    + "SESSION_ENGINE = 'django.contrib.sessions.backends.cached_db'",
    "cache, without a plan": REDIS_CACHE
    + UNPLANNED
    + "SESSION_ENGINE = 'django.contrib.sessions.backends.cache'",
    "cache that pickles, without a plan": REDIS_CACHE.replace(
        "django_split.sessions.caches.JSONRedisCache", "django.core.cache.backends.redis.RedisCache"
    )
    + UNPLANNED
    + "SESSION_ENGINE = 'django.contrib.sessions.backends.cache'",
    "db": UNPLANNED + "SESSION_ENGINE = 'django.contrib.sessions.backends.db'",
    "db, naive times": UNPLANNED
    + "SESSION_ENGINE = 'django.contrib.sessions.backends.db'\nUSE_TZ = False\n"
    "TIME_ZONE = 'Asia/Tokyo'",
}
UNLISTABLE = {
    "locmem": UNPLANNED + "SESSION_ENGINE = 'django.contrib.sessions.backends.cache'",
    "signed_cookies": UNPLANNED
    + "SESSION_ENGINE = 'django.contrib.sessions.backends.signed_cookies'",
    "file": UNPLANNED + "SESSION_ENGINE = 'django.contrib.sessions.backends.file'",
    "memcached": """
DJANGO_SPLIT_SESSIONS = {}
SESSION_ENGINE = 'django.contrib.sessions.backends.cache'
CACHES = {"default": {
    "BACKEND": "django_split.sessions.caches.JSONMemcacheCache",
    "LOCATION": f"unix:{PLACE}/memcached.sock",
}}
""",
}

# Who may list, beside the engine's own user, as in store.conf.j2.
RULES = (
    "default reset on nopass ~office:* -@all +get +set +unlink +del +exists +ttl +ping",
    "page on nopass ~office:* -@all +scan +mget +ttl +info +dbsize +unlink +del +ping +auth",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    place = tmp_path_factory.mktemp("engines")
    with (
        redis_store(place / "store.sock"),
        memcached_store(place / "memcached.sock"),
        office(place) as made,
    ):
        for name, added in {**ENGINES, **UNLISTABLE}.items():
            made.also(module(name), added)
        yield made


def module(name: str) -> str:
    return re.sub(r"\W+", "_", name)


def does(site: Office, code: str, name: str = "redis") -> Any:
    return site.does(HANDS + textwrap.dedent(code), module(name))


def facts(page: str) -> dict[str, str]:
    """The rows of the table of health; "!" before what is not well."""
    table = page.partition("split-health")[2]
    rows = re.findall(
        r'<th scope="row">(.*?)</th>\s*<td>(?:<img [^>]*?(yes|alert)[^>]*>)?(.*?)</td>', table
    )
    return {name: ("! " if sign == "alert" else "") + value.strip() for name, sign, value in rows}


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_that_can_be_listed_is(site: Office, engine: str) -> None:
    code = """
        from importlib import import_module
        def there(client):
            return import_module(settings.SESSION_ENGINE).SessionStore().exists(key_of(client))
        clerks = [signed_in("clerk") for _ in range(3)]
        deputies = [signed_in("deputy") for _ in range(2)]
        anonymous = Client()
        anonymous.get("/write/")
        page = shown(chief)
        found = shown(chief, "?q=CLER")
        chief.post(PAGE + "end/", {"session": button_of(page, "clerk")})
        one = [there(client) for client in clerks]
        clerk = User.objects.get(username="clerk").pk
        chief.post(f"{PAGE}end-user/?user={clerk}")
        all_of_them = [there(client) for client in clerks + deputies]
        chief.post(PAGE + "end-others/")
        others = [there(client) for client in deputies + [chief, anonymous]]
        left = [key_of(client) in " ".join(store.keys()) for client in clerks + deputies]
        answer = [len(rows(page)), len(rows(found)), page, one.count(False), all_of_them, others,
                  left, sorted(entry[1:] for entry in log())]
        """
    every, found, page, one, all_of_them, others, left, log = does(site, code, engine)
    assert (every, found) == (6, 3)
    assert "1 anonymous." in page
    times = re.findall(r'<time datetime="([^"]+)"', page)
    assert len(times) == 18, "each has since, seen and expires"
    assert one == 1
    assert all_of_them == [False, False, False, True, True]
    assert others == [False, False, True, True]
    assert left == [False] * 5
    assert log == [
        ["clerk", "user", "Ended 1 session."],
        ["clerk", "user", "Ended 2 sessions."],
        ["deputy", "user", "Ended 2 sessions."],
    ]


@pytest.mark.parametrize(
    "engine", ["redis", "cache", "cache, without a plan", "db", "db, naive times"]
)
def test_expiry_is_that_of_the_store(site: Office, engine: str) -> None:
    code = """
        times = re.findall(r'<time datetime="([^"]+)"', rows(shown(chief))[0])
        answer = time.time(), times, settings.USE_TZ
        """
    now, (_since, _seen, expires), aware = does(site, code, engine)
    written = datetime.fromisoformat(expires)
    if not aware:
        written = written.replace(tzinfo=timezone(timedelta(hours=9)))
    left = written - datetime.fromtimestamp(now, tz=timezone.utc)
    assert abs(left - timedelta(days=14)) < timedelta(seconds=20)


def test_sessions_that_the_store_has_lost_are_listed_and_ended_all_the_same(site: Office) -> None:
    code = """
        clerk = signed_in("clerk")
        store.flushdb()
        page = shown(chief)
        chief.post(PAGE + "end-others/")
        answer = len(rows(page)), clerk.get("/who/").content.decode()
        """
    assert does(site, code, "redis_db") == [2, "nobody"]


@pytest.mark.parametrize("engine", UNLISTABLE)
def test_what_cannot_be_listed_is_said(site: Office, engine: str) -> None:
    code = """
        page = shown(chief)
        answer = [page, chief.get(PAGE + "end-others/").status_code,
                  chief.post(PAGE + "end-user/?user=1").status_code,
                  chief.post(PAGE + "end/", {"session": "0"}).status_code]
        """
    page, *refused = does(site, code, engine)
    assert "listed" in page or "cannot list" in page
    assert "Session store" in page
    assert "End all sessions" not in page
    assert refused == [404, 404, 404]


def test_health_of_a_memcached(site: Office) -> None:
    read = facts(does(site, "answer = shown(chief)", "memcached"))
    assert read["Store"].endswith("memcached.sock")
    assert re.fullmatch(r"[\d.]+\s(bytes|KB|MB) of 16.0\sMB \(\d+ %\)", read["Memory"])
    assert read["When it is full"].startswith("! signs out")
    assert read["Persistence"].startswith("! none")
    assert read["Server"].startswith("Memcached 1.")


def test_health_of_a_redis_that_is_as_ours(site: Office) -> None:
    code = """
        store.config_set("appendonly", "yes")
        store.config_set("maxmemory", "64mb")
        answer = shown(chief)
        store.config_set("appendonly", "no")
        store.config_set("maxmemory", "0")
        """
    read = facts(does(site, code))
    assert read["Store"] == "Reachable"
    assert read["Sessions in the store"] == "1"
    assert re.fullmatch(r"[\d.]+\sMB of 64.0\sMB \(\d+ %\)", read["Memory"])
    assert read["When it is full"] == "refuses logins, signs nobody out (noeviction)"
    assert read["Persistence"] == "append-only file, last write ok"
    assert re.fullmatch(r"Redis [\d.]+, primary, up for .*", read["Server"])
    assert not [value for value in read.values() if value.startswith("!")]


def test_health_of_a_redis_as_it_comes(site: Office) -> None:
    code = """
        store.config_set("maxmemory-policy", "allkeys-lru")
        answer = shown(chief)
        store.config_set("maxmemory-policy", "noeviction")
        """
    read = facts(does(site, code))
    assert read["Memory"].startswith("! ")
    assert read["Memory"].endswith("without a limit")
    assert read["Persistence"] == "! off: a restart of the store signs everybody out"
    assert read["When it is full"].startswith("! signs somebody out")
    kept = facts(does(site, "answer = shown(chief)", "redis_db"))
    assert kept["Persistence"] == "off; sessions are in the database, too"
    assert kept["Rows in django_session"] == "1 live, 0 expired"


def test_nearly_full_is_not_well(site: Office) -> None:
    code = """
        chief.get("/who/")
        store.config_set("maxmemory", store.info()["used_memory"] * 100 // 95)
        answer = shown(chief)
        store.config_set("maxmemory", "0")
        """
    assert facts(does(site, code))["Memory"].startswith("! ")


def test_the_page_has_a_user_of_its_own_where_the_engines_may_not_list(site: Office) -> None:
    """The rights of store.conf.j2: the engine's user may not list; sessions are credentials."""
    paged = site.also("paged", "DJANGO_SPLIT_SESSIONS |= {'page': DJANGO_SPLIT_SESSIONS['url']}")
    # The last rule takes the tests' own rights: they come back through a connection made before.
    code = f"""
        clerk = signed_in("clerk")
        path = f"{{settings.PLACE}}/store.sock"
        admin = redis.Redis(unix_socket_path=path, single_connection_client=True)
        admin.execute_command("ACL", "SETUSER", "tests", "on", "nopass", "~*", "+@all")
        admin.execute_command("AUTH", "tests", "")
        for rule in {RULES!r}:
            admin.execute_command("ACL", "SETUSER", *rule.split())
        try:
            page = shown(chief)
            if "refused" not in page and rows(page):
                chief.post(PAGE + "end/", {{"session": button_of(page, "clerk")}})
            answer = page, clerk.get("/who/").content.decode()
        finally:
            admin.execute_command("ACL", "SETUSER", *"default reset on nopass ~* &* +@all".split())
            admin.execute_command("ACL", "DELUSER", "page", "tests")
        """
    page, clerk = does(site, code)
    assert "The store does not answer as it should" in page
    assert "NOPERM" in page
    assert clerk == "clerk"
    page, clerk = does(site, code, paged)
    assert "2 signed-in sessions" in page
    assert clerk == "nobody"


def test_a_store_that_only_the_page_misses_is_said_to_be_away(site: Office) -> None:
    lost = site.also("lost", "DJANGO_SPLIT_SESSIONS |= {'page': f'unix://{PLACE}/none.sock'}")
    code = """
        page = shown(chief)
        reply = chief.post(PAGE + "end-others/", follow=True)
        answer = page, reply.status_code, reply.content.decode()
        """
    page, status, after = does(site, code, lost)
    assert facts(page)["Store"].startswith("! ")
    assert "none.sock" in page
    assert status == 200
    assert "does not answer as it should" in after


@pytest.mark.slow
def test_three_thousand_sessions_are_paged_and_searched(site: Office) -> None:
    code = """
        value = stored(key_of(chief))
        ids = [User.objects.get(username=name).pk for name in ("deputy", "clerk")]
        pipe = store.pipeline()
        for number in range(3000):
            kept = {} if number % 3 == 0 else {**value, "_auth_user_id": str(ids[number % 97 == 1])}
            pipe.set(PREFIX + f"{number:032}", json.dumps(kept), ex=10000 + number)
        pipe.execute()
        store.config_resetstat()
        seen, pages, query = [], 0, ""
        while True:
            page = shown(chief, query)
            seen += buttons(page)
            pages += 1
            following = re.search(r'split-next" href="([^"]+)"', page)
            if pages == 1:
                calls = set(store.info("commandstats"))
                first = len(buttons(page))
            if not following:
                break
            query = unescape(following[1]).partition(PAGE)[2]
        found = shown(chief, "?q=clerk")
        chief.post(f"{PAGE}end-user/?user={ids[1]}")
        answer = [len(seen), len(set(seen)), pages, first, sorted(calls), len(buttons(found)),
                  found, len(store.keys()), log()]
        """
    seen, different, pages, first, calls, found, page, left, log = does(site, code)
    clerks = len([n for n in range(3000) if n % 97 == 1 and n % 3])
    assert different == 2000
    assert seen >= 2000
    assert 10 <= pages <= 21
    assert 95 <= first <= 250
    assert "cmdstat_keys" not in calls
    assert {"cmdstat_scan", "cmdstat_mget"} <= set(calls)
    assert found == clerks
    assert "3001 sessions were looked at" not in page, "it went to the end: nothing to go on with"
    assert left == 3001 - clerks
    assert log == [["chief", "clerk", "user", f"Ended {clerks} sessions."]]


def test_a_table_is_paged_without_a_key_in_the_address(site: Office) -> None:
    code = """
        from datetime import timedelta
        from django.contrib.sessions.backends.db import SessionStore
        from django.contrib.sessions.models import Session
        from django.utils import timezone
        value = SessionStore().encode(dict(chief.session))
        now = timezone.now()
        # Many expire in the same moment: a page ends among them.
        Session.objects.bulk_create(
            Session(session_key=f"{number:032}", session_data=value,
                    expire_date=now + timedelta(days=1, seconds=number // 150))
            for number in range(450)
        )
        seen, queries, query = [], [], ""
        while True:
            page = shown(chief, query)
            seen += buttons(page)
            following = re.search(r'split-next" href="([^"]+)"', page)
            if not following:
                break
            query = unescape(following[1]).partition(PAGE)[2]
            queries.append(query)
        answer = len(seen), len(set(seen)), queries
        """
    seen, different, queries = does(site, code, "db")
    assert (seen, different) == (450, 450)
    assert len(queries) == 4
    assert not re.search(r"\d{20}", " ".join(queries))


def test_a_search_that_takes_too_long_says_so_and_goes_on(site: Office) -> None:
    code = """
        from django_split.runtime.admin import roster
        value = stored(key_of(signed_in("deputy")))
        for number in range(400):
            store.set(PREFIX + f"{number:032}", json.dumps(value), ex=1000)
        before, roster.PATIENCE = roster.PATIENCE, -1.0
        try:
            page = shown(chief, "?q=clerk")
        finally:
            roster.PATIENCE = before
        answer = page
        """
    page = does(site, code)
    assert "Not all sessions were looked at yet." in page
    following = re.search(r'split-next" href="([^"]+)">([^<]+)', page)
    assert following
    assert "q=clerk&amp;c=" in following[1]
    assert following[2] == "Look further"


@pytest.mark.parametrize("engine", ["redis_db", "redis_db, atomic requests"])
def test_what_was_ended_before_the_store_went_away_is_logged(site: Office, engine: str) -> None:
    code = """
        from django_split.runtime.admin import ending
        from django_split.sessions.listing_table import TableListing
        for _ in range(3):
            signed_in("clerk")
        signed_in("deputy")
        end, ending.AT_ONCE = TableListing.end, 1
        calls = []
        def once(self, keys):
            calls.append(keys)
            if len(calls) > 1:
                raise RuntimeError("gone")
            end(self, keys)
        TableListing.end = once
        try:
            chief.raise_request_exception = False
            status = chief.post(PAGE + "end-others/").status_code
        finally:
            TableListing.end, ending.AT_ONCE = end, 500
        answer = len(log()), len(store.keys()), status
        """
    assert does(site, code, engine) == [1, 4, 500]


def test_a_session_that_is_used_while_all_are_ended_is_not_missed(site: Office) -> None:
    """Its row moves in the table's order; what has been walked past is not seen again."""
    code = """
        from datetime import timedelta
        from django.contrib.sessions.models import Session
        from django.utils import timezone
        from django_split.sessions import listing, listing_table
        from django_split.runtime.admin import ending
        clerks = [signed_in("clerk") for _ in range(7)]
        listing_table.STEP = 2
        seen = 0
        def chosen(kept):
            global seen
            seen += 1
            if seen == 3:
                for client in clerks:
                    client.get("/write/")
            return kept.user_id == str(User.objects.get(username="clerk").pk)
        try:
            number, finished = ending.count(listing.current(), chosen, 20)
        finally:
            listing_table.STEP = 1000
        answer = number >= 7, finished
        """
    assert does(site, code, "db") == [True, True]


def test_rows_of_a_table_that_nobody_purges_are_not_all_counted(site: Office) -> None:
    code = """
        from datetime import timedelta
        from django.contrib.sessions.models import Session
        from django.utils import timezone
        from django_split.runtime.admin import health
        over = timezone.now() - timedelta(days=1)
        rows = [Session(session_key=str(n), session_data="", expire_date=over) for n in range(30)]
        Session.objects.bulk_create(rows)
        exact, health.MOST_ROWS = shown(chief), 20
        try:
            answer = exact, shown(chief)
        finally:
            health.MOST_ROWS = 100_000
        """
    exact, bounded = does(site, code, "db")
    assert facts(exact)["Rows in django_session"] == "1 live, 30 expired"
    assert facts(bounded)["Rows in django_session"] == "1 live, more than 20 expired"
