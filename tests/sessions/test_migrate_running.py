"""`sessions migrate` while the site writes, when it is killed, and from other engines."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.sessions.splitting import MIGRATE, admin_session, migrate, split, unsplit
from tests.sessions.tables import postgresql
from tests.support.postgresql import postgresql_server
from tests.support.stores import Server
from tests.support.trial import REPOSITORY, Site

pytestmark = pytest.mark.slow

MANY = """
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import transaction
user = User.objects.get(username="chief")
signed_in = {
    "_auth_user_id": str(user.pk), "_auth_user_hash": user.get_session_auth_hash(),
    "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
}
with transaction.atomic():
    Session.objects.all().delete()
    for number in range(COUNT):
        store = SessionStore()
        store.update({**signed_in, "step": 0})
        store.save()
"""
# What visitors do on the unsplit site: they change sessions, begin and end some.
WRITES = """
import random, sys, time
import django
django.setup()
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
keys = list(Session.objects.values_list("pk", flat=True))
step = 0
print("writing", flush=True)
while True:
    step += 1
    what = random.random()
    if what < 0.05:
        store = SessionStore()
        store["step"] = step
        store.save()
        keys.append(store.session_key)
    elif what < 0.08:
        SessionStore(keys.pop(random.randrange(len(keys)))).delete()
    else:
        store = SessionStore(random.choice(keys))
        store["step"] = step
        store.save()
    time.sleep(0.001)
"""
ROWS = """
from django.contrib.sessions.models import Session
answer = {row.pk: row.get_decoded()["step"] for row in Session.objects.all()}
"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, server: Server
) -> Iterator[Site]:
    place = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        with unsplit(place) as site:
            split(site, server.url)
            yield site
        return
    with postgresql_server() as host, unsplit(place, database=postgresql(host)) as site:
        split(site, server.url)
        yield site


@pytest.fixture
def filled(site: Site, server: Server) -> Callable[[int], Site]:
    def fill(count: int) -> Site:
        server.ask("FLUSHALL")
        site.ask("base", f"COUNT = {count}\n{MANY}")
        return site

    return fill


def test_every_session_ends_up_as_the_base_last_wrote_it(
    filled: Callable[[int], Site], server: Server
) -> None:
    site = filled(200)
    with process(site, "-c", WRITES, settings="split_base") as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"
        first = migrate(site, "--batch", "20")
        second = migrate(site, "--batch", "20")
        writer.kill()  # the flip
    assert first["moved"] >= 150
    assert second["renewed"] > 0
    migrate(site, "--batch", "20")
    assert steps(site, server) == site.ask("base", ROWS)


def test_killed_run_is_mended_by_the_next(filled: Callable[[int], Site], server: Server) -> None:
    site = filled(600)
    with process(site, *MIGRATE, "--batch", "5") as run:
        wait_until(lambda: server.ask("DBSIZE") > 50)
        run.kill()
    assert server.ask("DBSIZE") < 600
    answer = migrate(site)
    assert answer["already"] > 0
    assert answer["already"] + answer["moved"] == 600
    assert steps(site, server) == site.ask("base", ROWS)


def test_ctrl_c_finishes_a_batch_and_says_what_was_done(
    filled: Callable[[int], Site], server: Server
) -> None:
    site = filled(600)
    with process(site, *MIGRATE, "--batch", "5", "--json") as run:
        wait_until(lambda: server.ask("DBSIZE") > 50)
        run.send_signal(signal.SIGINT)
        told, _ = run.communicate(timeout=20)
    assert run.returncode == 130
    answer = json.loads(told)
    assert answer["moved"] == server.ask("DBSIZE")
    assert answer["moved"] % 5 == 0
    assert migrate(site)["moved"] == 600 - answer["moved"]


def steps(site: Site, server: Server) -> dict[str, int]:
    found = {}
    for name in server.ask("KEYS", "trial:session:*"):
        session = json.loads(server.ask("GET", name.decode()))
        found[name.decode().rpartition(":")[2]] = session["step"]
    return found


@contextmanager
def process(site: Site, *arguments: str, settings: str = "") -> Iterator[subprocess.Popen[str]]:
    paths = [site.place / "settings", site.source, REPOSITORY]
    environment = {
        **os.environ,
        **site.environment,
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        **({"DJANGO_SETTINGS_MODULE": settings} if settings else {}),
    }
    started = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=site.source,
        env=environment,
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate(timeout=20)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


SAVE = """
from importlib import import_module
from django.conf import settings
Store = import_module(settings.SESSION_ENGINE).SessionStore
answer = {}
def save(name, life=None, **data):
    store = Store()
    store.update(data)
    store.set_expiry(life)
    store.save()
    answer[name] = store.session_key
"""
REDIS_CACHE = """
SESSION_ENGINE = "django.contrib.sessions.backends.cache"
SESSION_CACHE_ALIAS = "theirs"
CACHES = {{**CACHES, "theirs": {{
    "BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": {url!r},
    "KEY_PREFIX": "theirs", "OPTIONS": {{{options}}},
}}}}
"""
JSON_OPTION = "'serializer': 'django_split.sessions.serializers.JSONSerializer'"


@pytest.mark.parametrize("kind", ["file", "cache", "cached_db", "redis"])
def test_other_engines_are_moved_from_as_well(tmp_path: Path, server: Server, kind: str) -> None:
    server.ask("FLUSHALL")
    (tmp_path / "files").mkdir()
    added = {
        "file": f"""
SESSION_ENGINE = "django.contrib.sessions.backends.file"
SESSION_FILE_PATH = {str(tmp_path / "files")!r}
""",
        "cache": REDIS_CACHE.format(url=server.url, options=JSON_OPTION),
        "cached_db": "SESSION_ENGINE = 'django.contrib.sessions.backends.cached_db'",
        "redis": f"""
SESSION_ENGINE = "django_split.sessions.redis"
DJANGO_SPLIT_SESSIONS = {{"url": {server.url!r}, "prefix": "theirs:"}}
""",
    }[kind]
    with unsplit(tmp_path, added) as site:
        # Nor has the crawl of the base left sessions of its own there.
        split(site, server.url, crawl=kind == "redis")
        keys = site.ask("base", f"{SAVE}\nsave('a', a=1)\nsave('short', 100, b=2)")
        assert migrate(site, "--dry-run")["moved"] == 2
        answer = migrate(site)
        assert (answer["moved"], answer["failed"]) == (2, 0)
        assert migrate(site)["already"] == 2
        session = admin_session(site, keys["a"])
        assert session is not None
        assert session["a"] == 1
        assert 90 <= server.ask("TTL", f"trial:session:{keys['short']}") <= 100


@pytest.mark.parametrize(
    ("added", "why"),
    [
        ("SESSION_ENGINE = 'django.contrib.sessions.backends.signed_cookies'", "own cookies"),
        ("SESSION_ENGINE = 'django.contrib.sessions.backends.cache'", "cached_db"),
        (REDIS_CACHE.format(url="unix:///nowhere", options=""), "pickles"),
    ],
)
def test_sessions_that_nobody_can_list_are_said_to_be_so(
    tmp_path: Path, server: Server, added: str, why: str
) -> None:
    with unsplit(tmp_path, added) as site:
        split(site, server.url)
        answer = migrate(site, status=3)
        assert (answer["moved"], answer["error"]) == (0, "")
        assert why in answer["nothing_because"]
        told = site.run(MIGRATE, check=False).stdout
        assert told.startswith("Nothing is moved: ")


PICKLES = """
import pickle

class PickleSerializer:
    def dumps(self, session):
        return pickle.dumps(session)

    def loads(self, data):
        return pickle.loads(data)
"""


def test_values_that_json_cannot_hold_are_listed_by_their_key(
    tmp_path: Path, server: Server
) -> None:
    server.ask("FLUSHALL")
    with unsplit(tmp_path, "SESSION_SERIALIZER = 'paper.pickling.PickleSerializer'") as site:
        (site.source / "paper" / "pickling.py").write_text(PICKLES)
        split(site, server.url)
        keys = site.ask(
            "base",
            f"{SAVE}\nimport datetime\nsave('plain', a=(1, 2))\n"
            "save('date', at=datetime.date(2026, 1, 1))\nsave('number', basket={7: 'ink'})",
        )
        answer = migrate(site, status=3)
        assert (answer["moved"], answer["reasons"]) == (1, {"not JSON": 2})
        told = " ".join(answer["examples"]["not JSON"])
        assert ": at" in told
        # JSON has no numbers for keys: it would come back as another one, without a word.
        assert ": basket" in told
        assert not any(key in json.dumps(answer) for key in keys.values())
        session = admin_session(site, keys["plain"])
        assert session is not None
        assert session["a"] == [1, 2]


def test_custom_users_own_hash_is_the_one_that_counts(tmp_path: Path, server: Server) -> None:
    """A site's user model may bind sessions to more than the password."""
    server.ask("FLUSHALL")
    added = "AUTHENTICATION_BACKENDS = ['paper.own.Backend']"
    with unsplit(tmp_path, added) as site:
        (site.source / "paper" / "own.py").write_text(OWN_USER)
        split(site, server.url)
        keys: dict[str, Any] = site.ask(
            "base",
            """
            from django.contrib.auth.models import User
            from django.test import Client
            from paper.own import Member
            answer = {}
            for name in ("chief", "editor"):
                client = Client(HTTP_HOST="localhost")
                client.force_login(Member.objects.get(username=name))
                answer[name] = client.cookies["sessionid"].value
            User.objects.filter(username="editor").update(email="moved@paper.example")
            """,
        )
        answer = migrate(site, status=3)
        assert (answer["moved"], answer["reasons"]) == (1, {"hash": 1})
        assert admin_session(site, keys["editor"]) is None


OWN_USER = """
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.utils.crypto import salted_hmac


class Member(User):
    class Meta:
        proxy = True
        app_label = "auth"

    def get_session_auth_hash(self):
        return salted_hmac("own", self.password + self.email, algorithm="sha256").hexdigest()


class Backend(ModelBackend):
    def get_user(self, user_id):
        return Member.objects.filter(pk=user_id).first()
"""
