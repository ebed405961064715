"""The session store on its rendered configuration: what it does, and what it refuses."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from template_cases import REPOSITORY, Render

from django_split.analysis.deployment import ENGINES, Session
from django_split.analysis.stores import of_the_store

# A session engine over the store, as the derived settings set it up, and what else asks the store.
SESSIONS = """
import sys
from importlib import import_module
import django
from django.conf import settings

engine, prefix = sys.argv[2:]
settings.configure(
    SESSION_ENGINE=engine,
    DJANGO_SPLIT_SESSIONS={
        "url": f"unix://{sys.argv[1]}?db=0", "page": f"unix://{sys.argv[1]}?db=0",
        "prefix": prefix,
    },
    SECRET_KEY="x", USE_TZ=True,
    INSTALLED_APPS=["django.contrib.sessions"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    CACHES={"default": {
        "BACKEND": "django_split.sessions.caches.JSONRedisCache",
        "LOCATION": f"unix://{sys.argv[1]}?db=0", "KEY_PREFIX": "gazette"}},
)
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
Store = import_module(engine).SessionStore
one = Store(); one["name"] = "Ada"; one.create(); one["more"] = 1; one.save()
again = Store(one.session_key)
assert dict(again.items()) == {"name": "Ada", "more": 1}
assert again.exists(one.session_key)
again.set_expiry(60); again.save()
old = again.session_key
again.cycle_key()
assert not Store().exists(old)
assert Store(again.session_key)["name"] == "Ada"

from django_split.sessions.listing_store import StoreListing
listing = StoreListing.of_settings(Store)
(kept,) = [kept for batch in listing.walk() for kept in batch]
assert (kept.key, kept.data["name"]) == (again.session_key, "Ada")
assert 0 < listing.expiries([kept])[0]
assert listing._store.info()["maxmemory"] > 0
listing.end([kept.key])
assert not Store().exists(kept.key)
again.flush()
assert Store("a" * 32).load() == {}

from django_split.sessions import copies
moved = copies.current()
assert moved.add([("b" * 32, {"name": "Eve"}, 60)]) == [True]
moved.put("b" * 32, {"name": "Bea"}, 60)
assert moved.get(["b" * 32, "c" * 32]) == [{"name": "Bea"}, None]
moved.delete("b" * 32)
print("sessions work")
"""


def until(reached: Callable[[], object], what: str, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short enough for a socket's path."""
    made = Path(tempfile.mkdtemp(prefix="split-store-"))
    made.chmod(0o755)
    for name in ("store", "data"):
        (made / name).mkdir()
    yield made
    shutil.rmtree(made)


def moved(text: str, folder: Path) -> str:
    """The rendered text with its two directories below ``folder``."""
    moved = text.replace("/run/gazette/store", f"{folder}/store")
    assert moved != text
    return moved.replace("/var/lib/django-split/gazette/store", f"{folder}/data")


@contextmanager
def running(command: list[str], folder: Path, **how: object) -> Iterator[subprocess.Popen[bytes]]:
    path = folder / "store" / "store.sock"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, **how)  # type: ignore[call-overload]
    try:
        until(lambda: path.exists() and answers(path), (folder / "log").read_text())
        yield process
    finally:
        process.terminate()
        process.wait(10)


def answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def no_network(process: subprocess.Popen[bytes]) -> bool:
    """Whether the process has no socket but unix ones."""
    ours = {os.readlink(link) for link in Path(f"/proc/{process.pid}/fd").iterdir()}
    assert any(name.startswith("socket:") for name in ours)
    tables = [Path(f"/proc/net/{name}").read_text() for name in ("tcp", "tcp6", "udp", "udp6")]
    lines = [line.split() for table in tables for line in table.splitlines()[1:]]
    return ours.isdisjoint(f"socket:[{fields[9]}]" for fields in lines)


needs_redis = pytest.mark.skipif(
    not shutil.which("redis-server"), reason="needs Redis: apt-get install redis-server"
)
needs_memcached = pytest.mark.skipif(
    not shutil.which("memcached"), reason="needs memcached: apt-get install memcached"
)


@contextmanager
def redis_store(folder: Path, text: str) -> Iterator[tuple[redis.Redis, subprocess.Popen[bytes]]]:
    config = folder / "store.conf"
    config.write_text(moved(text, folder))
    with running(["redis-server", str(config)], folder) as process:
        url = f"unix://{folder}/store/store.sock?db=0"
        client = redis.Redis.from_url(url)
        try:
            # Its socket answers before it has read what it had kept.
            until(lambda: loaded(client), (folder / "log").read_text())
            yield client, process
        finally:
            client.close()


def loaded(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.BusyLoadingError:
        return False


@needs_redis
@pytest.mark.parametrize("name", ["redis", "redis_db", "cache", "cached_db"])
def test_session_engines_and_who_lists_and_moves_work_with_the_few_commands_they_may_use(
    plain: Render, folder: Path, name: str
) -> None:
    session = Session(engine=name, store="redis", key_prefix="gazette")
    engine, prefix = ENGINES[name], of_the_store(session)["prefix"]
    with redis_store(folder, plain("redis/store.conf.j2")):
        command = [sys.executable, "-c", SESSIONS, f"{folder}/store/store.sock", engine, prefix]
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert ran.stdout == "sessions work\n", ran.stderr


@needs_redis
@pytest.mark.parametrize(
    "command",
    [
        *["KEYS *", "SCAN 0", "RANDOMKEY", "DBSIZE", "MONITOR", "INFO", "FLUSHALL", "FLUSHDB"],
        *["CONFIG GET dir", "CONFIG SET dir /etc", "DEBUG SLEEP 0", "SHUTDOWN", "ACL LIST"],
        *["REPLICAOF NO ONE", "SAVE", "CLIENT LIST", "SUBSCRIBE gazette:x", "SELECT 1"],
        *["GET other:1:key", "SET other:1:key x", "GET gazette", "DUMP gazette:x"],
        *["RENAME gazette:x gazette:y", "COPY gazette:x gazette:y", "GETDEL gazette:x"],
        *["MGET other:x", "EXPIRE gazette:x 9", "UNLINK gazette:x", "TTL other:x"],
    ],
)
def test_everything_else_is_refused(plain: Render, folder: Path, command: str) -> None:
    with (
        redis_store(folder, plain("redis/store.conf.j2")) as (client, _),
        pytest.raises(
            redis.ResponseError, match=r"(?i)no permission|NOPERM|permissions|not allowed"
        ),
    ):
        client.execute_command(*command.split())


@contextmanager
def as_page(folder: Path) -> Iterator[redis.Redis]:
    url = f"unix://{folder}/store/store.sock?db=0"
    client = redis.Redis.from_url(url, username="page")
    try:
        yield client
    finally:
        client.close()


@needs_redis
def test_sessions_page_lists_sessions_ends_them_and_sees_the_stores_health(
    plain: Render, folder: Path
) -> None:
    with (
        redis_store(folder, plain("redis/store.conf.j2")) as (engine, _),
        as_page(folder) as page,
    ):
        engine.set("gazette:session:a", "{}", ex=600)
        engine.set("gazette:session:b", "{}", ex=600)
        cursor, keys = page.scan(0, match="gazette:session:*", count=100)
        assert (cursor, sorted(keys)) == (0, [b"gazette:session:a", b"gazette:session:b"])
        assert page.mget(keys) == [b"{}", b"{}"]
        assert page.ttl("gazette:session:a") == 600
        assert page.info("memory")["maxmemory"] == 64 * 1024 * 1024
        assert page.delete("gazette:session:a", "gazette:session:b") == 2


@needs_redis
@pytest.mark.parametrize(
    "command",
    [
        *["SET gazette:x y", "GET gazette:x", "EXPIRE gazette:x 9", "MGET other:x", "KEYS *"],
        *["FLUSHALL", "CONFIG GET dir", "ACL LIST", "CLIENT LIST", "SHUTDOWN", "DEL other:x"],
    ],
)
def test_sessions_page_may_do_no_more(plain: Render, folder: Path, command: str) -> None:
    with (
        redis_store(folder, plain("redis/store.conf.j2")),
        as_page(folder) as page,
        pytest.raises(redis.ResponseError, match=r"(?i)no permission|permissions|not allowed"),
    ):
        page.execute_command(*command.split())


def test_mains_store_has_no_page_and_nobody_to_list_its_keys(plain: Render) -> None:
    text = plain("redis/store.conf.j2", store_name="public")
    assert "user page" not in text
    assert "scan" not in "".join(line for line in text.splitlines() if line.startswith("user"))


@needs_redis
def test_scripts_are_refused(plain: Render, folder: Path) -> None:
    with (
        redis_store(folder, plain("redis/store.conf.j2")) as (client, _),
        pytest.raises(redis.ResponseError, match=r"(?i)permissions"),
    ):
        client.execute_command("EVAL", "return 1", 0)


@needs_redis
def test_socket_is_for_owner_and_group_and_there_is_no_port(plain: Render, folder: Path) -> None:
    with redis_store(folder, plain("redis/store.conf.j2")) as (_, process):
        assert stat.S_IMODE((folder / "store/store.sock").stat().st_mode) == 0o660
        assert no_network(process)


@needs_redis
def test_mains_store_is_as_confined_and_lies_elsewhere(plain: Render) -> None:
    text, other = (plain("redis/store.conf.j2", store_name=name) for name in ("store", "public"))
    ours, theirs = (
        [line for line in each.splitlines() if line and line[0] != "#"] for each in (text, other)
    )
    assert {line for line in ours if line not in theirs and line.startswith("user")} == {
        line for line in ours if line.startswith("user page")
    }
    assert {line for line in theirs if line not in ours} == {
        "unixsocket /run/gazette/public/store.sock",
        "dir /var/lib/django-split/gazette/public",
    }
    script = plain("memcached/store.sh.j2", store_name="public")
    assert "-s /run/gazette/public/store.sock -a 0660" in script


@needs_redis
@pytest.mark.parametrize(("persistent", "found"), [(True, b"kept"), (False, None)])
def test_sessions_outlive_a_crash_when_they_should(
    plain: Render, folder: Path, persistent: bool, found: bytes | None
) -> None:
    text = plain("redis/store.conf.j2", session_persistent=persistent)
    with redis_store(folder, text) as (client, process):
        client.set("gazette:1:session", "kept", ex=600)
        # everysec: at most the last second is lost.
        time.sleep(1.3)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with redis_store(folder, text) as (client, _):
        assert client.get("gazette:1:session") == found


@needs_redis
def test_full_store_refuses_and_forgets_nobody(plain: Render, folder: Path) -> None:
    text = plain("redis/store.conf.j2", session_store_memory="3mb", session_persistent=False)
    with redis_store(folder, text) as (client, _):
        written: list[str] = []
        refused = None
        while refused is None and len(written) < 10_000:
            key = f"gazette:1:{len(written)}"
            try:
                client.set(key, "x" * 4096, ex=600)
                written.append(key)
            except redis.ResponseError as error:
                refused = str(error)
        assert refused is not None
        assert "maxmemory" in refused
        assert written
        assert all(client.exists(key) for key in written)


# --- Memcached ------------------------------------------------------------------------------


@contextmanager
def memcached(
    folder: Path, text: str
) -> Iterator[tuple[Callable[[str], str], subprocess.Popen[bytes]]]:
    script = folder / "store.sh"
    script.write_text(moved(text, folder))
    user: dict[str, object] = {}
    if os.geteuid() == 0:
        # As root it refuses to start.
        user = {"user": "nobody", "group": "nogroup", "extra_groups": []}
        shutil.chown(folder / "store", "nobody", "nogroup")
    with running(["/bin/sh", str(script)], folder, **user) as process:

        def say(command: str) -> str:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(f"{folder}/store/store.sock")
                connection.sendall(command.encode() + b"\r\nquit\r\n")
                received = b""
                while chunk := connection.recv(65536):
                    received += chunk
            return received.decode().strip()

        yield say, process


@needs_memcached
def test_memcached_keeps_sessions_on_a_socket_for_owner_and_group(
    plain: Render, folder: Path
) -> None:
    with memcached(folder, plain("memcached/store.sh.j2")) as (say, process):
        assert say("set gazette:1:a 0 60 3\r\nAda") == "STORED"
        assert say("get gazette:1:a") == "VALUE gazette:1:a 0 3\r\nAda\r\nEND"
        assert stat.S_IMODE((folder / "store/store.sock").stat().st_mode) == 0o660
        assert no_network(process)
        assert f"STAT maxbytes {64 * 1024 * 1024}\r\n" in say("stats settings")


@needs_memcached
@pytest.mark.parametrize(
    "command", ["flush_all", "stats cachedump 1 10", "lru_crawler metadump all"]
)
def test_memcached_neither_forgets_all_nor_lists_keys(
    plain: Render, folder: Path, command: str
) -> None:
    with memcached(folder, plain("memcached/store.sh.j2")) as (say, _):
        say("set gazette:1:a 0 60 3\r\nAda")
        assert "gazette" not in say(command)
        assert "Ada" in say("get gazette:1:a")


@needs_memcached
def test_memcached_refuses_when_full(plain: Render, folder: Path) -> None:
    text = plain("memcached/store.sh.j2", session_store_memory="2mb")
    with memcached(folder, text) as (say, _):
        value = "x" * 100_000
        answers = [say(f"set gazette:1:{n} 0 600 {len(value)}\r\n{value}") for n in range(60)]
        assert "SERVER_ERROR out of memory storing object" in answers
        stored = [number for number, answer in enumerate(answers) if answer == "STORED"]
        assert all("VALUE" in say(f"get gazette:1:{number}") for number in stored)


def test_memory_may_be_said_in_gigabytes(plain: Render) -> None:
    assert "-m 64\n" in plain("memcached/store.sh.j2", session_store_memory="64mb")
    assert "-m 2048\n" in plain("memcached/store.sh.j2", session_store_memory="2GB")
