"""Small sites whose session table is all that a test looks at."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from tests.support.trial import Site

SETTINGS = """
    SECRET_KEY = "of-the-base"
    USE_TZ = True
    INSTALLED_APPS = [
        "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
        "django_split.runtime.admin", *{apps!r},
    ]
    MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware"]
    DATABASES = {databases!r}
    DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
"""

# `count` rows of an engine's table, `hours` from now, in one transaction.
ROWS = """
from datetime import timedelta
from django.contrib.sessions.models import Session
from django.utils import timezone
ends = timezone.now() + timedelta(hours={hours})
Session.objects.bulk_create(
    [Session(f"{name}{{n:08}}", "data", ends + timedelta(seconds=n)) for n in range({count})], 5000
)
"""


def table_site(
    place: Path, database: dict[str, Any] | None = None, added: str = "", apps: tuple[str, ...] = ()
) -> Site:
    """A site with a table of sessions, in SQLite where no other database is given.

    Its settings are `base`; `ask("admin", …)` runs code with them.
    """
    database = database or {"ENGINE": "django.db.backends.sqlite3", "NAME": str(place / "db")}
    source = place / "src"
    source.mkdir(parents=True)
    text = textwrap.dedent(SETTINGS).format(apps=apps, databases={"default": database})
    (source / "base.py").write_text(text + textwrap.dedent(added))
    (place / "settings").mkdir()
    (place / "settings" / "split_admin.py").write_text("from base import *\n")
    return Site(source, "base", place)


def make_tables(site: Site, *options: str) -> None:
    # The checks are of an instance, and these settings are of none.
    site.manage("admin", "migrate", "-v0", "--skip-checks", *options)


def postgresql(host: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": str(host),
        "NAME": "postgres",
        "USER": "postgres",
    }


def mariadb(socket: str) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.mysql",
        "HOST": socket,
        "NAME": "site",
        "USER": "root",
    }


def add_rows(site: Site, name: str, count: int, hours: float) -> None:
    site.ask("admin", ROWS.format(name=name, count=count, hours=hours))


def names(site: Site) -> list[str]:
    """The keys of the rows that are left, without their numbers, each once."""
    found: list[str] = site.ask(
        "admin",
        """
        from django.contrib.sessions.models import Session
        keys = Session.objects.values_list("session_key", flat=True)
        answer = sorted({key[:-8] for key in keys})
        """,
    )
    return found


def count(site: Site) -> int:
    found: int = site.ask(
        "admin",
        "from django.contrib.sessions.models import Session; answer = Session.objects.count()",
    )
    return found
