"""How long `django-split audit` takes on a table of a million sessions, and how much memory.

    python bench/audit.py [--rows 1000000] [--database postgresql|sqlite]

As root, for PostgreSQL: it starts a cluster of its own, on a unix socket. Nine in ten rows have
expired. Prints seconds and the peak memory of the audit's processes, for the estimate and with
--exact, without pages, and beside it what an audit of an empty table takes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

SETTINGS = """
SECRET_KEY = "for-the-bench-only-" + "0123456789" * 4
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"]
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware"]
DATABASES = {"default": %r}
USE_TZ = True
ROOT_URLCONF = "urls"
"""
# Every tenth lives on; two in three are nobody's. The data is signed as Django signs it, a
# thousand different ones, because signing a million would measure this script.
FILL = """
import random, sys
from datetime import timedelta
import django; django.setup()
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

rows, rng, now = int(sys.argv[1]), random.Random(1), timezone.now()
alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
store = SessionStore()
backend = "django.contrib.auth.backends.ModelBackend"

def drawn(length):
    return "".join(rng.choices(alphabet, k=length))

users = [{"_auth_user_id": str(n), "_auth_user_backend": backend, "_auth_user_hash": drawn(64)}
         for n in range(333)]
visitors = [{"cart": [n, n + 1], "seen": n} for n in range(667)]
data = [store.encode(held) for held in [*users, *visitors]]

def rows_of(count):
    for number in range(count):
        days = rng.uniform(0, 14) if number % 10 == 0 else -rng.uniform(0, 900)
        yield Session(drawn(32), rng.choice(data), now + timedelta(days=days))

batch = []
for session in rows_of(rows):
    batch.append(session)
    if len(batch) == 20000:
        Session.objects.bulk_create(batch); batch.clear()
Session.objects.bulk_create(batch)
with connection.cursor() as cursor:
    cursor.execute("ANALYZE")
"""
# The peak of the largest process below the command's own.
MEASURE = """
import json, resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", "django_split", "audit", *sys.argv[1:]],
                      capture_output=True, text=True)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps([done.returncode, peak, done.stdout, done.stderr]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="django-split-bench-") as place,
        database(options.database, Path(place)) as entry,
    ):
        site = Path(place)
        (site / "bench_settings.py").write_text(SETTINGS % entry)
        (site / "urls.py").write_text("urlpatterns = []\n")
        run(site, "-m", "django", "migrate", "-v0")
        audit(site, "no rows")
        begun = time.monotonic()
        run(site, "-c", FILL, str(options.rows))
        print(f"{options.rows:,} rows written in {time.monotonic() - begun:.0f} s")
        audit(site, "estimate")
        audit(site, "--exact", "--exact")


@contextlib.contextmanager
def database(vendor: str, place: Path) -> Iterator[dict[str, str]]:
    if vendor == "sqlite":
        yield {"ENGINE": "django.db.backends.sqlite3", "NAME": str(place / "db.sqlite3")}
        return
    from tests.support.postgresql import postgresql_server

    with postgresql_server() as folder:
        yield {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "postgres",
            "USER": "postgres",
            "HOST": str(folder),
        }


def audit(site: Path, what: str, *options: str) -> None:
    begun = time.monotonic()
    words = ["--settings", "bench_settings", "--no-pages", "--json", *options]
    done = run(site, "-c", MEASURE, *words)
    seconds = time.monotonic() - begun
    status, peak, output, errors = json.loads(done)
    if status:
        raise SystemExit(errors)
    table = json.loads(output)["sites"][0]["table"]
    size = (table["size"]["table"] + table["size"]["indexes"]) / 2**20
    print(
        f"{what:10} {seconds:5.1f} s, peak {peak / 1024:.0f} MiB: {table['rows']:,} rows, "
        f"{table['expired']:,} expired, {table['payload']['anonymous']:,} of "
        f"{table['payload']['rows']:,} nobody's, {size:.0f} MiB {table['error']}"
    )


def run(site: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=site,
        env={
            **os.environ,
            "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{site}",
            "DJANGO_SETTINGS_MODULE": "bench_settings",
        },
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return done.stdout


if __name__ == "__main__":
    main()
