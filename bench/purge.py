"""What a purge costs those who use the table meanwhile: one million sessions, 900,000 expired.

    python bench/purge.py [--rows 1000000] [--batch N] [--pause S] [--rate R] [--seconds 20]

On a PostgreSQL of its own with fsync on. Another process updates one live row after the other, each
in a transaction of its own, as signed-in visitors do, and takes the time of each; printed are its
p50 and p99 while nothing else happens, during `django-split sessions purge`, and during the one
DELETE that `clearsessions` is, on the same rows in the same run. The purge is made to work and to
rest in turn, two seconds each, so that what else the machine does is the same for both. The bound
is 2 times the idle p99 (issue 4). Ends by itself: it purges no longer than --most seconds.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import sys
import time
from multiprocessing.synchronize import Event
from pathlib import Path
from queue import Empty
from typing import Any

import psycopg

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

# 400 bytes a row with the indexes' share, as FACTS B measured.
FILL = """
INSERT INTO django_session (session_key, session_data, expire_date)
SELECT md5(n::text), repeat(md5((n * 7)::text), 6),
       now() + CASE WHEN n %% 10 = 0 THEN interval '7 days' ELSE interval '-1 day' END
             - (n %% 100000) * interval '5 minutes' * CASE WHEN n %% 10 = 0 THEN 0 ELSE 1 END
FROM generate_series(1, %s) n
"""
# Between two updates of the writer: it is a site's, not a load generator's.
THINKS = 0.002


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--pause", type=float)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--turn", type=float, default=2, help="seconds of work, and of rest (2)")
    parser.add_argument("--most", type=float, default=300, help="seconds for one purge")
    options = parser.parse_args()
    from tests.support.postgresql import postgresql_server

    with postgresql_server(fsync=True) as host:
        measure(host, options)


def measure(host: Path, options: argparse.Namespace) -> None:
    configure(host)
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command

    from django_split.sessions.database import tables
    from django_split.sessions.purge import Pace, purge

    call_command("migrate", verbosity=0)
    given = {k: getattr(options, k) for k in ("batch", "pause", "rate")}
    pace = Pace(**{name: value for name, value in given.items() if value is not None})
    (table,) = tables(["django.contrib.sessions.backends.db"])
    print(pace)
    fill(options.rows)
    idle: list[float] = []
    busy: list[float] = []
    removed, seconds = 0, 0.0
    with Writer(host, options.rows) as writer:
        before = table.size()
        time.sleep(1)
        while seconds < options.most:
            idle += writer.during(lambda: time.sleep(options.turn))
            turns: list[Any] = []
            busy += writer.during(
                lambda turns=turns: turns.append(purge(table, pace, Turn(options.turn)))
            )
            (done,) = turns
            removed, seconds = removed + done.removed, seconds + done.seconds
            if not done.removed:
                break
    print(f"purge: {removed:,} rows in {seconds:.1f} s, {removed / seconds:,.0f} rows/s")
    print(f"  {before} -> {table.size()}")
    tell(idle, busy)

    fill(options.rows)
    with Writer(host, options.rows) as writer:
        time.sleep(1)
        idle = writer.during(lambda: time.sleep(10 * options.turn))
        begun = time.monotonic()
        busy = writer.during(SessionStore.clear_expired)
        seconds = time.monotonic() - begun
    removed = options.rows * 9 // 10
    print(f"clearsessions: {removed:,} rows in {seconds:.1f} s")
    tell(idle, busy)


def tell(idle: list[float], busy: list[float]) -> None:
    for name, times in (("idle", idle), ("meanwhile", busy)):
        p50, p99 = statistics.median(times), percentile(times, 0.99)
        print(
            f"  UPDATE {name:9} {len(times):6} times, p50 {p50 * 1000:6.2f} ms, "
            f"p99 {p99 * 1000:6.2f} ms, longest {max(times) * 1000:7.1f} ms"
        )
    print(f"  p99 meanwhile / idle: {percentile(busy, 0.99) / percentile(idle, 0.99):.2f}")


def percentile(times: list[float], share: float) -> float:
    return sorted(times)[min(int(len(times) * share), len(times) - 1)]


class Turn:
    """A Stop that asks by itself when its time is over."""

    def __init__(self, seconds: float) -> None:
        self.until = time.monotonic() + seconds

    def __bool__(self) -> bool:
        return time.monotonic() > self.until

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


class Writer:
    """A process of its own that updates live rows for as long as it is entered."""

    def __init__(self, host: Path, rows: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.times: Any = context.Queue()
        self.stopped: Event = context.Event()
        self.process = context.Process(
            target=write, args=(str(host), rows, self.times, self.stopped), daemon=True
        )

    def __enter__(self) -> Writer:
        self.process.start()
        self.times.get(timeout=30)  # it is connected
        return self

    def __exit__(self, *error: object) -> None:
        self.stopped.set()
        self.process.join(timeout=30)

    def during(self, work: Any) -> list[float]:
        """Run it and give what the updates took that began meanwhile."""
        self._taken()
        begun = time.monotonic()
        work()
        ended = time.monotonic()
        time.sleep(0.5)
        return [took for at, took in self._taken() if begun <= at <= ended]

    def _taken(self) -> list[tuple[float, float]]:
        found = []
        while True:
            try:
                found.extend(json.loads(self.times.get(timeout=0.6)))
            except Empty:
                return found
            if len(found) and found[-1][0] > time.monotonic() - 0.3:
                return found


def write(host: str, rows: int, times: Any, stopped: Event) -> None:
    import random

    choose = random.Random(1)  # noqa: S311 - which row, not a secret
    with psycopg.connect(host=host, user="postgres", dbname="postgres", autocommit=True) as db:
        times.put("[]")
        taken, sent = [], time.monotonic()
        while not stopped.is_set():
            number = choose.randrange(1, rows // 10) * 10
            begun = time.monotonic()
            db.execute(
                "UPDATE django_session SET session_data = %s, "
                "expire_date = now() + interval '7 days' WHERE session_key = md5(%s::text)",
                ["x" * 190, number],
            )
            ended = time.monotonic()
            taken.append((begun, ended - begun))
            if ended - sent > 0.2:
                times.put(json.dumps(taken))
                taken, sent = [], ended
            time.sleep(THINKS)


def configure(host: Path) -> None:
    import django
    from django.conf import settings

    settings.configure(
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": "postgres",
                "USER": "postgres",
                "HOST": str(host),
            }
        },
        INSTALLED_APPS=["django.contrib.sessions"],
        SECRET_KEY="of no use",  # noqa: S106
        USE_TZ=True,
    )
    django.setup()


def fill(rows: int) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE django_session")
        cursor.execute(FILL, [rows])
        cursor.execute("VACUUM ANALYZE django_session")
        cursor.execute("CHECKPOINT")


if __name__ == "__main__":
    main()
