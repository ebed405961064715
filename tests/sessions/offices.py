"""A site with an admin instance of its own, for as long as a module's tests need it."""

from __future__ import annotations

import os
import subprocess
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.trial import Site

PROJECT = Path(__file__).with_name("project")
PASSWORD = "a-long-password"

# What `ask`ed code finds ready: a browser, signing in, and the store as somebody sees it who may.
PRELUDE = f"""
import json, re, time
import redis
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

store = redis.Redis(unix_socket_path=f"{{settings.PLACE}}/store.sock", decode_responses=True)
PREFIX = settings.DJANGO_SPLIT_SESSIONS.get("prefix", "")

def signed_in(name="chief", **options):
    client = Client(**options)
    reply = client.post("/admin/login/", {{"username": name, "password": {PASSWORD!r}}})
    assert reply.status_code == 302, reply.content.decode()
    return client

def key_of(client):
    return client.cookies["office"].value

def stored(key):
    value = store.get(PREFIX + key)
    return None if value is None else json.loads(value)

def change(key, **record):
    session = stored(key)
    session["_split"].update(record)
    store.set(PREFIX + key, json.dumps(session), keepttl=True)

def commands(client, path):
    before = store.info("commandstats")
    client.get(path)
    after = store.info("commandstats")
    calls = {{}}
    for name, stats in after.items():
        number = stats["calls"] - before.get(name, {{"calls": 0}})["calls"]
        if number and name != "cmdstat_info":
            calls[name.removeprefix("cmdstat_")] = number
    return calls
"""

PEOPLE = f"""
from django.contrib.auth.models import User
for name, staff, superuser in (
    ("chief", True, True), ("deputy", True, True), ("clerk", True, False), ("reader", False, False)
):
    user = User(username=name, is_staff=staff, is_superuser=superuser)
    user.set_password({PASSWORD!r})
    user.save()
"""


class Office(Site):
    """`added` are lines of its settings, after all others."""

    def settle(self, added: str = "") -> None:
        (self.place / "settings").mkdir(exist_ok=True)
        self.also("admin", added)
        # The instance's own checks ask for a plan.
        self.manage("admin", "migrate", "-v0", "--skip-checks")
        self.ask("admin", PEOPLE)

    def also(self, name: str, added: str) -> str:
        """Other settings for the same site, which `does` knows under this name."""
        lines = f"from office.settings import *\n{added}\n"
        (self.place / "settings" / f"split_{name}.py").write_text(lines)
        return name

    def does(self, code: str, instance: str = "admin") -> Any:
        """Run code behind the prelude; give what it leaves in `answer`."""
        return self.ask(instance, PRELUDE + textwrap.dedent(code))


@contextmanager
def office(place: Path, added: str = "") -> Iterator[Office]:
    environment = {"OFFICE_PLACE": str(place)}
    with Office(PROJECT, "office.settings", place, environment=environment) as site:
        site.settle(added)
        yield site


def wait_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.time()))


def serve(site: Office, port: int) -> subprocess.Popen[bytes]:
    command = [site.python, "-m", "django", "runserver", "--noreload", "--skip-checks", str(port)]
    return subprocess.Popen(
        command, cwd=site.source, env={**os.environ, **site._environment("split_admin")}
    )
