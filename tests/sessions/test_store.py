"""What the store promises: one connection, one deadline, and never somebody else's answer."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType

import pytest

from django_split.sessions.errors import StoreUnavailableError
from django_split.sessions.store import Store
from tests.support.stores import Server, redis_server
from tests.support.trial import REPOSITORY


@pytest.fixture(autouse=True)
def _empty(server: Server) -> Iterator[None]:
    yield
    server.ask("FLUSHALL")


@pytest.fixture
def store(server: Server) -> Store:
    return Store(server.url, "site:session:")


def test_session_is_added_once_and_replaced_only_while_it_lives(store: Store) -> None:
    assert not store.replace("one", b"0", 60)
    assert store.add("one", b"1", 60)
    assert not store.add("one", b"2", 60)
    assert store.get("one") == b"1"
    assert store.replace("one", b"3", 60)
    assert store.get("one") == b"3"
    assert store.delete("one")
    assert not store.delete("one")
    assert store.get("one") is None


def test_session_lives_as_long_as_it_is_told(store: Store) -> None:
    store.add("one", b"1", 60)
    assert store.ttl("one") == 60
    assert store.ttl("none") is None
    store.replace("one", b"1", 10**12)  # Redis takes no such number
    assert store.ttl("one") == 864_000_000
    assert store.replace("one", b"1", 0)
    assert store.get("one") is None
    assert store.add("two", b"1", -1)
    assert store.get("two") is None


def test_only_keys_behind_the_prefix_are_listed(server: Server) -> None:
    odd = Store(server.url, "a[b]*?:")
    odd.add_all([(f"key{n}", b"%d" % n, 60) for n in range(30)])
    Store(server.url, "ab:").add("other", b"", 60)
    cursor, keys = -1, list[str]()
    while cursor:
        cursor, some = odd.scan(max(cursor, 0), 5)
        keys += some
    assert sorted(keys) == sorted(f"key{n}" for n in range(30))
    assert odd.mget(["key3", "none"]) == [b"3", None]
    assert odd.ttls(["key3", "none"]) == [60, None]


def test_health_is_what_redis_says_of_itself(server: Server, store: Store) -> None:
    store.add("one", b"1", 60)
    health = store.info()
    assert health["keys"] == 1
    assert health["role"] == "master"
    assert isinstance(health["used_memory"], int)
    assert "aof_last_write_status" in health


def test_any_cookie_is_a_key(store: Store) -> None:
    for key in ("ä" * 50, "\ud800" * 8, "a\r\nDEL b", "\0" * 9):
        assert store.get(key) is None
        assert store.add(key, b"1", 60)
        assert store.get(key) == b"1"


def test_thread_has_a_connection_of_its_own_and_keeps_it(server: Server, store: Store) -> None:
    wrong: list[object] = []

    def work(name: str) -> None:
        store.add(name, name.encode(), 60)
        wrong.extend(got for _ in range(300) if (got := store.get(name)) != name.encode())

    before = server.ask("INFO", "stats")["total_connections_received"]
    threads = [threading.Thread(target=work, args=(f"thread{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    after = server.ask("INFO", "stats")["total_connections_received"]
    assert after - before == len(threads) + 1  # one is that of the question


FORK = """
import os, sys
from django_split.sessions.store import Store, _pack

store = Store(sys.argv[1], "site:")
ask = lambda: store._link.ask(_pack(b"CLIENT", b"ID"))
store.add("parent", b"parent", 60)
store.add("child", b"child", 60)
before = ask()
readable, writable = os.pipe()
if os.fork() == 0:
    right = all(store.get("child") == b"child" for _ in range(2000))
    os.write(writable, b"%d %d" % (right, ask()))
    os._exit(0)  # no clean-up that could hide a shared socket
right = all(store.get("parent") == b"parent" for _ in range(2000))
os.wait()
child_right, child = map(int, os.read(readable, 99).split())
assert right and child_right
assert child != before
assert ask() == before, "the child closed its parent's connection"
"""


def test_fork_shares_no_connection_with_its_parent(server: Server) -> None:
    command = [sys.executable, "-c", FORK, server.url]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr


def test_restart_is_not_noticed(server: Server) -> None:
    with redis_server("--appendonly", "yes") as own:
        store = Store(own.url, "site:")
        store.add("one", b"1", 60)
        for how in (signal.SIGTERM, signal.SIGKILL):
            own.restart(how)
            own.wait_until_loaded()
            assert store.get("one") == b"1"


def test_connection_that_was_closed_is_replaced_once(server: Server, store: Store) -> None:
    store.add("one", b"1", 60)
    server.ask("CLIENT", "KILL", "TYPE", "normal")
    server.ask("CONFIG", "RESETSTAT")
    assert store.get("one") == b"1"
    assert store.replace("one", b"2", 60)
    assert server.calls() == {"get": 1, "set": 1}  # no greeting, no question whether it lives


def test_connecting_tells_the_server_nothing_that_its_acl_refuses(server: Server) -> None:
    server.ask("CONFIG", "RESETSTAT")
    Store(server.url, "site:").get("one")
    assert server.calls() == {"get": 1}
    Store(server.url.replace("db=0", "db=3"), "site:").get("one")
    assert server.calls() == {"select": 1, "get": 1}


class OverdueError(Exception):
    """As gunicorn's Abort."""


def test_interrupted_question_leaves_its_answer_to_nobody(server: Server, store: Store) -> None:
    """gunicorn ends a worker's request by a signal: the next one must not get the old answer."""
    store.add("mine", b"mine", 60)
    store.add("yours", b"yours", 60)

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise OverdueError

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with server.frozen():
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            with pytest.raises(OverdueError):
                store.get("mine")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert store.get("yours") == b"yours"


def unavailable(store: Store) -> tuple[str, float]:
    begun = time.monotonic()
    with pytest.raises(StoreUnavailableError) as error:
        store.replace("one", b"1", 60)
    return error.value.reason, time.monotonic() - begun


def test_hung_store_is_given_up_in_time_and_found_again(server: Server) -> None:
    store = Store(server.url, "site:", timeout=0.5)
    store.add("one", b"1", 60)
    with server.frozen():
        # On the held connection, then on a new one.
        for _ in range(2):
            reason, seconds = unavailable(store)
            assert "no answer within 0.5 s" in reason
            assert 0.4 < seconds < 2
    assert store.get("one") == b"1"


def test_store_that_is_not_there_is_said_at_once() -> None:
    reason, seconds = unavailable(Store("unix:///nowhere/store.sock", "site:"))
    assert "/nowhere/store.sock" in reason
    assert "No such file" in reason
    assert seconds < 1


def test_full_store_refuses_and_still_reads(server: Server, store: Store) -> None:
    store.add("one", b"1", 60)
    server.ask("CONFIG", "SET", "maxmemory", "1")
    try:
        assert "OOM" in unavailable(store)[0]
        assert store.get("one") == b"1"
    finally:
        server.ask("CONFIG", "SET", "maxmemory", "0")
    assert store.replace("one", b"2", 60)


def test_replica_refuses(server: Server, store: Store) -> None:
    store.add("one", b"1", 60)
    server.ask("REPLICAOF", "127.0.0.1", "1")
    try:
        assert "READONLY" in unavailable(store)[0]
    finally:
        server.ask("REPLICAOF", "NO", "ONE")
    assert store.replace("one", b"2", 60)


def test_store_without_enough_replicas_refuses(server: Server, store: Store) -> None:
    store.add("one", b"1", 60)
    server.ask("CONFIG", "SET", "min-replicas-to-write", "1")
    try:
        assert "NOREPLICAS" in unavailable(store)[0]
    finally:
        server.ask("CONFIG", "SET", "min-replicas-to-write", "0")
    assert store.replace("one", b"2", 60)


def test_store_that_cannot_write_its_disk_refuses() -> None:
    with redis_server() as own:
        store = Store(own.url, "site:")
        store.add("one", b"1", 60)
        own.ask("CONFIG", "SET", "save", "3600 1")
        blocked = own.path.parent / "dump.rdb"
        blocked.mkdir()  # rename(2) puts no file in place of a directory
        (blocked / "in the way").touch()
        own.ask("BGSAVE")
        while own.ask("INFO", "persistence")["rdb_bgsave_in_progress"]:
            time.sleep(0.02)
        assert "MISCONF" in unavailable(store)[0]
        assert store.get("one") == b"1"
        own.kill()  # asked politely, it would try to save first


def test_user_and_password_come_from_the_environment(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.ask("ACL", "SETUSER", "keeper", "on", ">right", "~site:*", "+get", "+set")
    monkeypatch.setenv("DJANGO_SPLIT_STORE_USERNAME", "keeper")
    try:
        monkeypatch.setenv("DJANGO_SPLIT_STORE_PASSWORD", "right")
        store = Store(server.url, "site:")
        assert store.add("one", b"1", 60)
        with pytest.raises(StoreUnavailableError, match="NOPERM"):
            store.delete("one")
        with pytest.raises(StoreUnavailableError, match="NOPERM"):
            Store(server.url, "other:").get("one")
        assert store.get("one") == b"1"
        monkeypatch.setenv("DJANGO_SPLIT_STORE_PASSWORD", "wrong")
        reason, seconds = unavailable(Store(server.url, "site:"))
        assert "WRONGPASS" in reason
        assert seconds < 1
        assert "wrong" not in reason.replace("WRONGPASS", "")
    finally:
        server.ask("ACL", "DELUSER", "keeper")


def test_another_user_of_the_acl_signs_in_under_its_own_name(server: Server) -> None:
    server.ask("ACL", "SETUSER", "page", "on", "nopass", "~site:*", "+ttl")
    try:
        page = Store(server.url, "site:", username="page")
        assert page.ttl("one") is None
        with pytest.raises(StoreUnavailableError, match="NOPERM"):
            page.get("one")
    finally:
        server.ask("ACL", "DELUSER", "page")
