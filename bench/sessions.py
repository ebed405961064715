"""What a session costs: Django's engines, other people's and ours, all in one run.

    python bench/sessions.py [--rounds 3] [--only redis,cache,raw]

Per engine and operation: client instructions (callgrind: solid on a busy machine), and
microseconds, least and median (trust the ratios). Everything listens on a unix socket of this
machine, and hiredis is there for whoever uses it.

    load    SessionStore(key).get(…)         what each request with the cookie pays
    save    a changed session, loaded before
    create  a new session with data

The bounds are issue 4's: against Django's own RedisCache ("cache") load 1/12, save 1/20 and create
1/12 of its instructions; load within 2.5 times the time of a GET on the bare socket ("raw").

Packages that only the bench wants go into a virtualenv under .cache. pylibmc is built there, which
needs libmemcached-dev; without it that line is left out, and says so.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter_ns
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

OPERATIONS = ("load", "save", "create")
COUNTED, WARM = 200, 50
PACKAGES = (
    "Django==5.2.19",
    "redis==8.1.0",
    "hiredis==3.5.0",
    "django-redis",
    "pymemcache==4.0.0",
    "psycopg[binary]==3.3.9",
)
ENGINES = {
    "raw": "GET on the bare socket",
    "redis": "django_split.sessions.redis",
    "redis_db": "django_split.sessions.redis_db, SQLite",
    "cache": "Django cache, RedisCache",
    "cached_db": "Django cached_db, RedisCache, SQLite",
    "django-redis": "Django cache, django-redis",
    "pymemcache": "Django cache, PyMemcacheCache",
    "pylibmc": "Django cache, PyLibMCCache",
    "db": "Django db, SQLite",
    "db-postgresql": "Django db, PostgreSQL, held connection",
}
DATA = {
    "_auth_user_id": "7",
    "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
    "_auth_user_hash": "c1f" * 21,
    "_messages": '[["__json_message",0,25,"The article was changed successfully.",""]]',
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="how often each is timed")
    parser.add_argument("--only", default=",".join(ENGINES), help="some of the engines")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--place", help=argparse.SUPPRESS)
    parser.add_argument("--times", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure, options.place, options.times)
        return
    with servers() as place:
        pythons = interpreters(options.only.split(","))
        costs = {name: instructions(python, name, place) for name, python in pythons.items()}
        times: dict[str, list[dict[str, list[float]]]] = {name: [] for name in pythons}
        for _ in range(options.rounds):  # in turn, so that a busy machine is busy for all
            for name, python in pythons.items():
                times[name].append(timed(python, name, place))
    print_table(costs, times)


@contextlib.contextmanager
def servers() -> Iterator[Path]:
    from tests.support.postgresql import postgresql_server
    from tests.support.stores import memcached_store, redis_store

    with contextlib.ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="split-bench-")))
        stack.enter_context(redis_store(place / "redis.sock"))
        stack.enter_context(memcached_store(place / "memcached.sock"))
        (place / "postgresql").symlink_to(stack.enter_context(postgresql_server()))
        yield place


def interpreters(names: list[str]) -> dict[str, Path]:
    """Each engine's Python."""
    from tests.support.virtualenvs import virtualenv

    usual = virtualenv(PACKAGES)
    pythons = {name: usual for name in names if name != "pylibmc"}
    if "pylibmc" in names:
        try:
            pythons["pylibmc"] = virtualenv(["Django==5.2.19", "pylibmc"])
        except AssertionError as error:
            print(f"without pylibmc: {str(error).strip().splitlines()[-1]}", file=sys.stderr)
    return pythons


def child(python: Path, name: str, place: Path, times: int, *before: str) -> str:
    done = subprocess.run(
        [*before, python, __file__, f"--measure={name}", f"--place={place}", f"--times={times}"],
        env={"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0", "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{name}: {done.stdout}{done.stderr}")
    return done.stdout


def timed(python: Path, name: str, place: Path) -> dict[str, list[float]]:
    measured: dict[str, list[float]] = json.loads(child(python, name, place, 2000))
    return measured


def instructions(python: Path, name: str, place: Path) -> dict[str, float]:
    """callgrind begins a new file whenever the child calls getppid(), between two operations."""
    with tempfile.TemporaryDirectory() as out:
        valgrind = ["valgrind", "--tool=callgrind", "--dump-before=getppid"]
        valgrind.append(f"--callgrind-out-file={out}/counted")
        child(python, name, place, COUNTED, *valgrind)
        totals = []
        for number in range(1, 2 * len(OPERATIONS) + 1):
            text = Path(out, f"counted.{number}").read_text()
            found = re.search(r"^(?:totals|summary): (\d+)", text, re.MULTILINE)
            totals.append(int(found[1]) if found else 0)
    return {name: totals[2 * at + 1] / COUNTED for at, name in enumerate(OPERATIONS)}


def print_table(
    costs: dict[str, dict[str, float]], times: dict[str, list[dict[str, list[float]]]]
) -> None:
    print("| engine | load, instr. | save | create | load, µs min / med | save | create |")
    print("|---|---|---|---|---|---|---|")
    for name, cost in costs.items():
        cells = []
        for operation in OPERATIONS:
            stock = costs.get("cache", {}).get(operation, 0)
            share = f" (1/{stock / cost[operation]:.1f})" if name.startswith("redis") else ""
            cells.append(f"{cost[operation] / 1000:.0f}k{share}")
        for operation in OPERATIONS:
            runs = [one[operation] for one in times[name]]
            least, median = min(map(min, runs)), statistics.median(map(statistics.median, runs))
            cells.append(f"{least:.0f} / {median:.0f}")
        print(f"| {ENGINES[name]} | {' | '.join(cells)} |")
    if {"raw", "redis"} <= set(times):
        for what in (min, statistics.median):
            ours, floor = (
                statistics.median(what(one["load"]) for one in times[name])
                for name in ("redis", "raw")
            )
            print(f"load, {what.__name__}: {ours / floor:.2f} times a GET on the bare socket")


# In the child


def measure(name: str, place: str, times: int) -> None:
    operations = raw(place) if name == "raw" else engine(name, place)
    taken: dict[str, list[float]] = {}
    for operation in OPERATIONS:
        run = operations[operation]
        for _ in range(WARM):
            run()
        os.getppid()
        taken[operation] = []
        for _ in range(times):
            begun = perf_counter_ns()
            run()
            taken[operation].append((perf_counter_ns() - begun) / 1000)
        os.getppid()
    print(json.dumps(taken))


def raw(place: str) -> dict[str, Callable[[], object]]:
    """The floor: the same commands, packed beforehand, and replies that nobody parses."""
    value = json.dumps(DATA, separators=(",", ":")).encode()
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(f"{place}/redis.sock")

    def command(*words: bytes) -> Callable[[], object]:
        packed = b"*%d\r\n" % len(words)
        packed += b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)

        def run() -> bytes:
            connection.sendall(packed)
            return connection.recv(65536)

        return run

    save = command(b"SET", b"raw", value, b"EX", b"1209600")
    save()
    return {"load": command(b"GET", b"raw"), "save": save, "create": save}


def engine(name: str, place: str) -> dict[str, Callable[[], object]]:
    import django
    from django.conf import settings

    settings.configure(**configuration(name, place))
    django.setup()
    from importlib import import_module

    store = import_module(settings.SESSION_ENGINE).SessionStore
    if "db" in name:
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
    first = store()
    first.update(DATA)
    first.save()
    key, turn = first.session_key, iter(range(10**9))

    def load() -> None:
        assert store(key).get("_auth_user_id") == "7"  # noqa: S101

    def save() -> None:
        first["turn"] = next(turn)
        first.save()

    def create() -> None:
        session = store()
        session.update(DATA)
        session.save()

    return {"load": load, "save": save, "create": create}


def configuration(name: str, place: str) -> dict[str, Any]:
    redis, memcached = f"unix://{place}/redis.sock", f"unix:{place}/memcached.sock"
    backends = "django.core.cache.backends"
    caches = {
        "django-redis": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": redis},
        "pymemcache": {"BACKEND": f"{backends}.memcached.PyMemcacheCache", "LOCATION": memcached},
        "pylibmc": {"BACKEND": f"{backends}.memcached.PyLibMCCache", "LOCATION": memcached},
    }
    engines = {
        "redis": "django_split.sessions.redis",
        "redis_db": "django_split.sessions.redis_db",
        "cached_db": "django.contrib.sessions.backends.cached_db",
        "db": "django.contrib.sessions.backends.db",
        "db-postgresql": "django.contrib.sessions.backends.db",
    }
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{place}/{name}.sqlite3"}
    if name == "db-postgresql":
        database = {"ENGINE": "django.db.backends.postgresql", "NAME": "postgres"}
        database |= {"USER": "postgres", "HOST": os.path.realpath(f"{place}/postgresql")}
    return {
        "SECRET_KEY": "bench",
        "USE_TZ": True,
        "INSTALLED_APPS": ["django.contrib.contenttypes", "django.contrib.sessions"],
        "SESSION_ENGINE": engines.get(name, "django.contrib.sessions.backends.cache"),
        "CACHES": {
            "default": caches.get(
                name, {"BACKEND": f"{backends}.redis.RedisCache", "LOCATION": redis}
            )
        },
        "DATABASES": {"default": database},
        "DJANGO_SPLIT_SESSIONS": {"url": redis, "prefix": "bench:session:"},
    }


if __name__ == "__main__":
    main()
