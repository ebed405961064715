"""The Sessions page of an admin with 100,000 sessions in its store: seconds and memory.

    python bench/page.py [--sessions 100000] [--engine redis|redis_db|db] [--times 5]

A Redis on a unix socket (and SQLite for the engines with a table), Django's test client, one
process: what is measured is the page, without nginx and gunicorn. Every 500th session is the
user's that is searched for and ended; the others are of 1,000 users; every 20th is anonymous.
Prints medians; memory is what the process's peak grew by while the page was made.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.sessions.offices import office
from tests.support.stores import redis_store

ENGINES = {
    "redis": "",
    "redis_db": "SESSION_ENGINE = 'django_split.sessions.redis_db'",
    "db": "SESSION_ENGINE = 'django.contrib.sessions.backends.db'",
}

FILL = """
from datetime import timedelta
from importlib import import_module
from django.contrib.sessions.models import Session
from django.utils import timezone

NUMBER = %d
engine = import_module(settings.SESSION_ENGINE).SessionStore
chief = signed_in("chief")
like = dict(chief.session)
User.objects.bulk_create([User(username=f"user{n}", is_staff=True) for n in range(1000)])
ids = [str(user.pk) for user in User.objects.filter(username__startswith="user")]
clerk = str(User.objects.get(username="clerk").pk)

def values():
    now = int(time.time())
    for number in range(NUMBER):
        session = {} if number %% 20 == 7 else {
            **like,
            "_auth_user_id": clerk if number %% 500 == 0 else ids[number %% 1000],
            "_split": {"since": now - 5000, "seen": now - number %% 5000},
            "basket": "x" * 100,
        }
        yield f"{number:032}", session

pipe, rows, table = store.pipeline(transaction=False), [], hasattr(engine, "get_model_class")
for key, session in values():
    pipe.set(PREFIX + key, json.dumps(session, separators=(",", ":")), ex=1209600)
    if table:
        ends = timezone.now() + timedelta(days=14, microseconds=len(rows))
        data = engine().encode(session)
        rows.append(Session(session_key=key, session_data=data, expire_date=ends))
    if len(pipe) >= 5000:
        pipe.execute()
pipe.execute()
Session.objects.bulk_create(rows, batch_size=2000)
if not table:
    answer = store.dbsize()
else:
    answer = Session.objects.count()
"""

MEASURE = """
import resource, statistics
from time import perf_counter
chief = signed_in("chief")
PAGE = "/admin/django_split/sessions/"
clerk = User.objects.get(username="clerk").pk

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

def timed(call, times=%d):
    taken = []
    for _ in range(times):
        begun = perf_counter()
        reply = call()
        taken.append(perf_counter() - begun)
    assert reply.status_code in (200, 302), reply
    return statistics.median(taken), reply

chief.get("/admin/")
answer = {"an empty admin page": timed(lambda: chief.get("/admin/password_change/"))[0]}
before = peak()
seconds, page = timed(lambda: chief.get(PAGE))
answer["first page"] = seconds
handle = re.findall(r'name="session" value="(\\w+)"', page.content.decode())[-1]
following = re.search(r'split-next" href="([^"]+)"', page.content.decode())[1]
answer["next page"] = timed(lambda: chief.get(following.replace("&amp;", "&")))[0]
answer["search by user"] = timed(lambda: chief.get(PAGE + "?q=clerk"))[0]
hurried = "Not all sessions" in chief.get(PAGE + "?q=clerk").content.decode()
answer["end one, where the page says it is"] = timed(
    lambda: chief.post(PAGE + "end/", {"session": handle}), 1)[0]
answer["end one that has to be looked for"] = timed(
    lambda: chief.post(PAGE + "end/", {"session": "0" * 64}))[0]
answer["end all of a user: the question"] = timed(
    lambda: chief.get(f"{PAGE}end-user/?user={clerk}"))[0]
answer["end all of a user (200)"] = timed(lambda: chief.post(f"{PAGE}end-user/?user={clerk}"), 1)[0]
answer["MB, peak growth"] = peak() - before
answer["search ran out of time"] = hurried
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=100_000)
    parser.add_argument("--engine", choices=ENGINES, default="redis")
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="split-bench-") as folder:
        place = Path(folder)
        with redis_store(place / "store.sock"), office(place, ENGINES[options.engine]) as site:
            print(f"{options.engine}, {site.does(FILL % options.sessions)} sessions", flush=True)
            # A process that has not filled the store: its memory is the page's.
            fresh = site.also("fresh", ENGINES[options.engine])
            for name, value in site.does(MEASURE % options.times, fresh).items():
                print(f"  {name:40} {value if isinstance(value, bool) else round(value, 3)}")


if __name__ == "__main__":
    main()
