"""A site before and after the split: `ask("base", …)` is the one, `ask("admin", …)` the other.

Both have one database; the base keeps its sessions in it, the admin in a store of its own, and the
admin's SECRET_KEY is another one.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tests.support.trial import Site
from tests.unit.conftest import ANSWERS, PROJECTS

PASSWORD = "a-long-password"
MIGRATE = ["-m", "django_split", "sessions", "migrate", "--settings", "split_admin"]
OWN_KEY = {"DJANGO_SPLIT_ADMIN_SECRET_KEY": "the admin's own, which nobody else knows 0123456789"}

SIGN_IN = f"""
from django.test import Client
client = Client(HTTP_HOST="localhost")
form = {{"username": USER, "password": {PASSWORD!r}}}
reply = client.post("/admin/login/?next=/admin/", form)
assert reply.status_code == 302, reply.content.decode()
answer = client.cookies["sessionid"].value
"""
USERS = f"""
from django.contrib.auth.models import User
for name, staff in (("chief", True), ("editor", True), ("reader", False)):
    User.objects.create_user(name, password={PASSWORD!r}, is_staff=staff, is_superuser=staff)
"""


_made: list[bytes] = []


def unsplit(place: Path, added: str = "", database: dict[str, Any] | None = None) -> Site:
    """The project "paper" with tables and users, not split yet."""
    file = place / "db"
    kept = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file)}
    shutil.copytree(PROJECTS / "paper", place / "src")
    settings = place / "src" / "paper" / "settings.py"
    settings.write_text(
        f"{settings.read_text()}\nDATABASES['default'] = {database or kept!r}\n"
        f"ALLOWED_HOSTS = ['*']\n{added}\n"
    )
    (place / "settings").mkdir()
    (place / "settings" / "split_base.py").write_text("from paper.settings import *\n")
    site = Site(place / "src", "paper.settings", place, environment=dict(OWN_KEY))
    site.answers = dict(ANSWERS["paper"])
    if database is None and _made:
        file.write_bytes(_made[0])  # with its users: to make it takes longer than most tests
        return site
    site.manage("base", "migrate", "-v0")
    site.ask("base", USERS)
    if database is None:
        _made.append(file.read_bytes())
    return site


def split(site: Site, url: str, crawl: bool = False, **changes: Any) -> None:
    """Plan it: sessions in a store, a cookie, and a SECRET_KEY of the admin's own."""
    session = {"engine": "redis", "url": url, "key_prefix": "trial", **changes.pop("session", {})}
    options = ["--admin-secret-key", "own", *([] if crawl else ["--no-crawl"])]
    site.plan(options, session=session, **changes)


def sign_in(site: Site, user: str = "chief") -> str:
    """Sign in on the unsplit site; give the session's key."""
    key: str = site.ask("base", f"USER = {user!r}\n{SIGN_IN}")
    return key


def migrate(site: Site, *options: str, status: int = 0) -> dict[str, Any]:
    """What `sessions migrate --json` answers. In the process that is the admin: it is there."""
    ended, told = site.ask(
        "admin",
        f"""
        import argparse, contextlib, io
        from django_split.sessions import migrate_command
        parser, told = argparse.ArgumentParser(), io.StringIO()
        migrate_command.add_arguments(parser)
        with contextlib.redirect_stdout(told):
            status = migrate_command.run(parser.parse_args(["--json", *{options!r}]))
        answer = status, told.getvalue()
        """,
    )
    assert ended == status, told
    answer: dict[str, Any] = json.loads(told)
    return answer


def open_admin(site: Site, key: str, path: str = "/admin/", **extra: str) -> dict[str, Any]:
    """Ask the admin with the old cookie alone: status, who is signed in, and cookies set."""
    answer: dict[str, Any] = site.ask(
        "admin",
        f"""
        from django.test import Client
        client = Client(HTTP_HOST="localhost", raise_request_exception=False)
        client.cookies["sessionid"] = {key!r}
        reply = client.get({path!r}, **{extra!r})
        user = getattr(reply.wsgi_request, "user", None)
        answer = {{
            "status": reply.status_code,
            "user": user.get_username() if user else "",
            "cookies": {{name: morsel.value for name, morsel in reply.cookies.items()}},
            "set": {{name: morsel.OutputString() for name, morsel in reply.cookies.items()}},
            "headers": dict(reply.headers),
        }}
        """,
    )
    return answer


def admin_session(site: Site, key: str) -> dict[str, Any] | None:
    """What the admin's store has under a key; None for nothing."""
    found: dict[str, Any] | None = site.ask(
        "admin",
        f"""
        from django_split.sessions import copies
        (answer,) = copies.current().get([{key!r}])
        """,
    )
    return found
