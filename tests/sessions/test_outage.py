"""An outage of the store is a 503, signs nobody out, and is one line in the log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from tests.sessions.counters import Counter, counter
from tests.support.stores import Server, memcached_server, redis_server


class Ground(NamedTuple):
    site: Counter
    server: Server
    engine: str


@contextmanager
def ground(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    store = (
        memcached_server()
        if engine == "memcached"
        else redis_server("--appendonly", "yes", "--appendfsync", "always")
    )
    place = tmp_path_factory.mktemp(engine)
    with store as server, counter(place, engine, server.url) as site:
        yield Ground(site, server, engine)


@pytest.fixture(scope="module", params=["redis", "redis_db", "cache", "cached_db"])
def on_redis(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    with ground(request.param, tmp_path_factory) as made:
        yield made


@pytest.fixture(scope="module")
def on_memcached(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with ground("memcached", tmp_path_factory) as made:
        yield made


@contextmanager
def fault(kind: str, server: Server) -> Iterator[None]:
    if kind == "hung":
        with server.frozen():
            yield
        return
    if kind == "gone":
        server.kill()
        yield
        server.start()
        if server.command[0] == "redis-server":
            server.wait_until_loaded()
        return
    begin, end = {
        "full": ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
        "read-only": ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
        "denied": ("ACL SETUSER default -get -set -del -mget", "ACL SETUSER default +@all"),
    }[kind]
    server.ask(*begin.split())
    try:
        yield
    finally:
        server.ask(*end.split())


def judge(reply: dict[str, Any], key: str, path: str) -> None:
    assert reply["status"] == 503
    assert "Please try again in a moment" in reply["body"]
    assert reply["cookies"] == []
    assert reply["key"] == key, "the browser lost its cookie"
    assert int(reply["headers"]["Retry-After"]) > 0
    assert reply["headers"]["Cache-Control"] == "no-store"
    assert reply["seconds"] < 4  # 2.5 are promised; waiting twice would be more than four
    (line,) = reply["log"]
    assert path in line
    assert reply["mails"] == 0


@pytest.mark.parametrize("kind", ["gone", "hung", "full", "read-only", "denied"])
def test_outage_is_503_and_the_same_cookie_works_afterwards(on_redis: Ground, kind: str) -> None:
    site, server, _ = on_redis
    key = site.signs_in()["key"]
    path = "/stubborn/" if kind == "hung" else "/count/"
    with fault(kind, server):
        judge(site.gets(path), key, path)
        assert site.gets("/plain/")["body"] == "plain"
    assert site.gets("/count/")["body"] == "2"
    assert site.gets("/who/")["body"] == "ada"


@pytest.mark.parametrize("kind", ["gone", "hung"])
def test_outage_of_memcached_is_503(on_memcached: Ground, kind: str) -> None:
    site, server, _ = on_memcached
    key = site.signs_in()["key"]
    with fault(kind, server):
        # Twice: pymemcache by itself would not ask again, and say that there is no session.
        for _ in range(2):
            judge(site.gets("/count/"), key, "/count/")
        assert site.gets("/plain/")["body"] == "plain"
    # It keeps nothing over a restart, but it is asked again at once.
    assert site.gets("/count/")["body"] == ("2" if kind == "hung" else "1")


@pytest.mark.parametrize("path", ["/forgiving/", "/broken/", "/blind/", "/who/"])
def test_error_that_a_view_swallowed_or_changed_is_the_outage_still(
    on_redis: Ground, path: str
) -> None:
    site, server, _ = on_redis
    key = site.signs_in()["key"]
    with fault("denied", server):
        judge(site.gets(path), key, path)
    assert site.gets("/count/")["body"] == "2"


def test_signing_in_during_an_outage_gives_no_cookie(on_redis: Ground) -> None:
    site, server, _ = on_redis
    with fault("denied", server):
        reply = site.does("""
            client = Client(raise_request_exception=False)
            reply = client.get("/enter/?name=ada")
            answer = [reply.status_code, sorted(client.cookies)]
        """)
    assert reply == [503, []]


def test_bug_of_the_sites_own_is_a_500_as_ever(on_redis: Ground) -> None:
    site, _, _ = on_redis
    site.signs_in()
    reply = site.gets("/bug/")
    assert reply["status"] == 500
    assert reply["mails"] == 1
    assert reply["log"] == []


def test_asynchronous_site_is_guarded_too(on_redis: Ground) -> None:
    site, server, _ = on_redis
    key = site.signs_in("AsyncClient")["key"]
    assert site.gets("/acount/")["body"] == "2"
    with fault("denied", server):
        judge(site.gets("/acount/"), key, "/acount/")
        assert site.gets("/plain/")["body"] == "plain"
    assert site.gets("/acount/")["body"] == "3"


def test_guard_answers_where_a_site_lets_errors_through(on_redis: Ground) -> None:
    site, server, _ = on_redis
    site.signs_in()
    with fault("denied", server):
        status = site.does("""
            from django.test import override_settings
            with override_settings(DEBUG_PROPAGATE_EXCEPTIONS=True):
                answer = get("/count/")["status"]
        """)
    assert status == 503


def test_log_says_what_is_wrong_with_the_store(on_redis: Ground) -> None:
    site, server, _ = on_redis
    site.signs_in()
    with fault("full", server):
        (line,) = site.gets("/count/")["log"]
    assert "maxmemory" in line
    assert "GET '/count/'" in line
    with fault("gone", server):
        (line,) = site.gets("/count/")["log"]
    assert "store.sock" in line
