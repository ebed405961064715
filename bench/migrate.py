"""Moving many sessions: rows a second and memory, first run and second.

    python bench/migrate.py [--rows 1000000] [--users 1000]

The project "paper" on a PostgreSQL of its own, every session signed in, the admin with a SECRET_KEY
of its own and its sessions in a Redis of its own: each row is read under the base's key, its user's
hash checked, and written under the admin's. The second run finds nothing to do, the third finds
that one row in 256 has changed.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

FILL = """
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection

User.objects.bulk_create([User(username=f"user{n}", password="md5$a$b") for n in range(USERS)])
Session.objects.all().delete()
texts = [
    SessionStore().encode({
        "_auth_user_id": str(user.pk), "_auth_user_hash": user.get_session_auth_hash(),
        "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
    })
    for user in User.objects.filter(username__startswith="user")
]
with connection.cursor() as cursor:
    cursor.execute(
        "INSERT INTO django_session SELECT md5(n::text), (%s::text[])[n %% %s + 1], "
        "now() + interval '7 days' FROM generate_series(1, %s) n", [texts, len(texts), ROWS])
    cursor.execute("ANALYZE django_session")
"""
CHANGE = """
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
text = SessionStore().encode({"basket": [1, 2, 3]})
with connection.cursor() as cursor:
    changed = "UPDATE django_session SET session_data = %s WHERE session_key LIKE '00%%'"
    cursor.execute(changed, [text])
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=1000)
    options = parser.parse_args()
    from tests.sessions.splitting import MIGRATE, split, unsplit
    from tests.sessions.tables import postgresql
    from tests.support.postgresql import postgresql_server
    from tests.support.stores import redis_server

    with (
        tempfile.TemporaryDirectory(prefix="django-split-bench-") as place,
        postgresql_server() as host,
        redis_server() as server,
        unsplit(Path(place, "site"), database=postgresql(host)) as site,
    ):
        split(site, server.url)
        site.ask("base", f"ROWS, USERS = {options.rows}, {options.users}\n{FILL}")
        for what in ("first run", "again, nothing changed", "again, some changed"):
            if what.endswith("some changed"):
                site.ask("base", CHANGE)
            done = site.run([*MIGRATE, "--json"], check=False)
            answer = json.loads(done.stdout)
            numbers = {name: answer[name] for name in ("moved", "already", "renewed", "failed")}
            rate = options.rows / answer["seconds"]
            print(f"{what}: {numbers}, {answer['seconds']:.1f} s, {rate:,.0f} sessions/s")
        most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        memory = server.ask("INFO", "memory")["used_memory"] / options.rows
        print(f"most memory of a process: {most:.0f} MiB; in Redis {memory:.0f} bytes a session")


if __name__ == "__main__":
    main()
