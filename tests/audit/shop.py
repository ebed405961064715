"""A shop of a few lines, with as many settings modules as a test wants, and its audit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.trial import Site

BASE = """
from pathlib import Path
BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "for-the-tests-only-" + "0123456789" * 4
ALLOWED_HOSTS = ["shop.example"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "shop",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
ROOT_URLCONF = "shop.urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""
URLS = """
from django.urls import path
from shop import views
urlpatterns = [
    path("", views.home),
    path("mine/", views.mine),
    path("basket/", views.basket),
    path("wrong/", views.wrong),
]
"""
VIEWS = """
from django.contrib.auth.models import Group
from django.http import HttpResponse


def home(request):
    return HttpResponse(str(Group.objects.count()))


def mine(request):
    return HttpResponse(f"{Group.objects.count()} {request.user.is_authenticated}")


def basket(request):
    request.session["basket"] = ["bread"]
    return HttpResponse("in your basket")


def wrong(request):
    if request.user.is_authenticated:
        raise RuntimeError("members only")
    return HttpResponse("right")
"""


@dataclass
class Audited:
    status: int
    output: str
    errors: str

    @property
    def sites(self) -> dict[str, dict[str, Any]]:
        """What `--json` says, by the last part of the module's name."""
        found = json.loads(self.output)["sites"]
        return {site["settings"].rpartition(".")[2]: site for site in found}


class Shop:
    """`place` gets the project; `environment` is that of its commands."""

    def __init__(self, place: Path, **environment: str) -> None:
        self.site = Site(place, "shop.base", place, environment=environment)
        self.place = place
        self.write("__init__.py", "")
        self.write("base.py", BASE)
        self.write("urls.py", URLS)
        self.write("views.py", VIEWS)

    def write(self, name: str, text: str) -> Path:
        path = self.place / "shop" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def settings(self, name: str, added: str) -> str:
        """A settings module on top of the base."""
        self.write(f"{name}.py", f"from shop.base import *\n{added}")
        return f"shop.{name}"

    def manage(self, *command: str, settings: str = "shop.base") -> str:
        return self.site.run(["-m", "django", *command], settings).stdout

    def python(self, code: str, *words: str, settings: str = "shop.base") -> Any:
        """Run code under the settings, and read the JSON that it prints."""
        return json.loads(self.site.run(["-c", code, *words], settings).stdout or "null")

    def audit(self, *settings: str, options: tuple[str, ...] = ("--json",)) -> Audited:
        words = ["-m", "django_split", "audit", "--settings", *settings, *options]
        done = self.site.run(words, check=False)
        return Audited(done.returncode, done.stdout, done.stderr)


# Sessions as Django's own engine makes them. Words are how many live, how many have expired, what
# per cent of each is nobody's, and what every key begins with. The live ones were saved twelve
# hours ago, the others expired ten days ago.
FILL = """
import random, sys
from datetime import timedelta
import django; django.setup()
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.utils import timezone

live, expired, anonymous = map(int, sys.argv[1:4])
prefix = sys.argv[4] if len(sys.argv) > 4 else ""
rng, now, store = random.Random(3), timezone.now(), SessionStore()
alphabet, wanted = "abcdefghijklmnopqrstuvwxyz0123456789", 32 - len(prefix)
rows = []
for count, days in ((live, 13.5), (expired, -10)):
    for number in range(count):
        key = prefix + "".join(rng.choices(alphabet, k=wanted))
        mine = {"_auth_user_id": "7", "_auth_user_hash": "a-hash-of-a-password"}
        held = {"basket_12": ["s3cret-cheese"]} if number < count * anonymous / 100 else mine
        rows.append(Session(key, store.encode(held), now + timedelta(days=days)))
Session.objects.bulk_create(rows, 500)
"""
