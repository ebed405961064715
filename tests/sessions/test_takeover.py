"""Signed in before the split, signed in after it: by the cookie that the browser has, once."""

from __future__ import annotations

import http.cookiejar
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.sessions.splitting import (
    PASSWORD,
    admin_session,
    migrate,
    open_admin,
    sign_in,
    split,
    unsplit,
)
from tests.support.stores import Server
from tests.support.trial import REPOSITORY, Site

OWN = "trial_admin_sessionid"


@contextmanager
def served(site: Site, instance: str, port: int) -> Iterator[None]:
    """The site's instance behind a real gunicorn."""
    paths = [site.place / "settings", site.source, REPOSITORY]
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        **site.environment,
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "DJANGO_SETTINGS_MODULE": f"split_{instance}",
    }
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"),
            *("--no-control-socket", "--workers", "2", "--log-level", "warning"),
            "django.core.wsgi:get_wsgi_application()",
        ],
        env=environment,
        cwd=site.source,
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 30
        while True:
            with socket.socket() as connection:
                if connection.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


class Browser:
    """Keeps cookies by name, path and life, and follows redirects."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def get(self, path: str) -> tuple[str, str]:
        """The path that it ends at, and the page."""
        return self._open(path)

    def post(self, path: str, page: str, **form: str) -> tuple[str, str]:
        token = re.search('csrfmiddlewaretoken" value="([^"]+)', page)
        assert token is not None
        data = urllib.parse.urlencode({**form, "csrfmiddlewaretoken": token[1]}).encode()
        return self._open(path, data)

    def cookies(self) -> dict[str, str]:
        """The sessions' cookies: name and path."""
        return {c.name: c.path for c in self.jar if "sessionid" in c.name}

    def _open(self, path: str, data: bytes | None = None) -> tuple[str, str]:
        request = urllib.request.Request(self.origin + path, data, {"Origin": self.origin})  # noqa: S310
        with self.opener.open(request, timeout=30) as reply:
            return urllib.parse.urlsplit(reply.url).path, reply.read().decode()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.slow
def test_who_signed_in_on_the_unsplit_site_is_signed_in_on_the_split_one(
    tmp_path: Path, server: Server
) -> None:
    """Through another engine, cookie, path and SECRET_KEY; and out again for good."""
    port = free_port()
    browser = Browser(port)
    with unsplit(tmp_path) as site:
        with served(site, "base", port):
            _, page = browser.get("/admin/login/")
            form = {"username": "chief", "password": PASSWORD, "next": "/admin/"}
            where, page = browser.post("/admin/login/", page, **form)
            assert (where, browser.cookies()) == ("/admin/", {"sessionid": "/"})
            before = next(c.value for c in browser.jar if c.name == "sessionid")

        split(site, server.url)
        keys = "from django.conf import settings; answer = settings.SECRET_KEY"
        assert site.ask("base", keys) != site.ask("admin", keys)
        assert migrate(site)["moved"] == 1

        with served(site, "admin", port):
            where, page = browser.get("/admin/")
            assert where == "/admin/"
            assert "Site administration" in page
            assert browser.cookies() == {OWN: "/admin/"}
            assert next(c.value for c in browser.jar if c.name == OWN) != before
            where, page = browser.get("/admin/auth/user/")
            assert where == "/admin/auth/user/"
            # Another run, as the playbook makes it after the flip, takes nothing away.
            assert migrate(site)["reasons"] == {"taken": 1}
            assert browser.get("/admin/")[0] == "/admin/"

            browser.post("/admin/logout/", page)
            assert browser.get("/admin/")[0] == "/admin/login/"
            # What was signed out of stays so, even for who has kept the old cookie.
            migrate(site)
            assert open_admin(site, before)["status"] == 302


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Iterator[Site]:
    with unsplit(tmp_path_factory.mktemp("paper")) as site:
        split(site, server.url)
        yield site


@pytest.fixture
def old(site: Site) -> str:
    """The key of a session that was moved."""
    key = sign_in(site)
    migrate(site)
    return key


def test_takeover_cycles_the_key_and_says_nothing_of_itself_in_the_session(
    site: Site, old: str
) -> None:
    seen = open_admin(site, old)
    assert (seen["status"], seen["user"]) == (200, "chief")
    new = seen["cookies"][OWN]
    assert new != old
    assert admin_session(site, old) is None
    session = admin_session(site, new)
    assert session is not None
    assert not {"moved", "row", "copy", "ends"} & session.get("_split", {}).keys()


def test_new_cookie_is_the_admins_and_the_old_one_goes(site: Site, old: str) -> None:
    seen = open_admin(site, old)
    assert "Path=/admin/" in seen["set"][OWN]
    assert "HttpOnly" in seen["set"][OWN]
    assert "Max-Age=0" in seen["set"]["sessionid"]
    assert "Path=/" in seen["set"]["sessionid"].split("; ")
    assert "Cookie" in seen["headers"]["Vary"]


def test_what_the_first_page_writes_to_the_session_is_kept(site: Site, old: str) -> None:
    new = open_admin(site, old, "/basket/")["cookies"][OWN]
    session = admin_session(site, new)
    assert session is not None
    assert {"basket", "_auth_user_id"} <= session.keys()


def test_browser_that_asks_for_much_at_once_stays_signed_in(site: Site, old: str) -> None:
    statuses, keys = site.ask(
        "admin",
        f"""
        import threading
        from django.test import Client
        from django.db import connection
        start, replies = threading.Barrier(8), []
        def ask():
            client = Client(HTTP_HOST="localhost")
            client.cookies["sessionid"] = {old!r}
            start.wait()
            replies.append(client.get("/admin/"))
            connection.close()
        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        answer = [r.status_code for r in replies], [r.cookies[{OWN!r}].value for r in replies]
        """,
    )
    assert statuses == [200] * 8
    assert len(set(keys)) == 1
    session = admin_session(site, keys[0])
    assert session is not None
    assert "_auth_user_id" in session


def test_after_the_grace_the_old_cookie_is_worth_nothing(site: Site, old: str) -> None:
    open_admin(site, old)
    assert open_admin(site, old)["user"] == "chief"
    assert after_the_grace(site, old)["status"] == 302


def test_page_that_fails_takes_nothing_over(site: Site, old: str) -> None:
    """Django sets no cookie with a 500: the old one has to go on working, for as long as it is."""
    failed = site.ask(
        "admin",
        f"""
        from django.contrib import admin
        from django.test import Client
        client = Client(HTTP_HOST="localhost", raise_request_exception=False)
        client.cookies["sessionid"] = {old!r}
        index, admin.site.index_template = admin.site.index_template, "of/no/such.html"
        reply = client.get("/admin/")
        admin.site.index_template = index
        answer = reply.status_code, list(reply.cookies)
        """,
    )
    assert failed == [500, []]
    assert after_the_grace(site, old)["user"] == "chief"


def test_key_that_main_made_opens_nothing(site: Site) -> None:
    """No fixation: a session that nobody has moved does not count, whoever is signed in to it."""
    seen = open_admin(site, sign_in(site))
    assert (seen["status"], OWN in seen["cookies"]) == (302, False)
    assert "sessionid" not in seen["cookies"]


def test_key_of_the_admins_own_opens_nothing_under_the_old_name(site: Site, old: str) -> None:
    new = open_admin(site, old)["cookies"][OWN]
    assert open_admin(site, new)["status"] == 302


@pytest.mark.parametrize("key", ["taken:0123456789", "../../etc/passwd", "x", "ä" * 20, ""])
def test_cookie_that_is_no_key_is_left_alone(site: Site, key: str) -> None:
    seen = site.ask(
        "admin",
        f"""
        from django.test import RequestFactory
        from django.http import HttpResponse
        from django_split.sessions.takeover import TakeoverMiddleware
        request = RequestFactory().get("/admin/")
        request.COOKIES["sessionid"] = {key!r}
        response = TakeoverMiddleware(lambda request: HttpResponse())(request)
        answer = sorted(request.COOKIES), list(response.cookies)
        """,
    )
    assert seen == [["sessionid"], []]


def test_browser_with_the_admins_own_cookie_is_not_looked_at(site: Site, old: str) -> None:
    answer = site.ask(
        "admin",
        f"""
        from django.test import Client
        client = Client(HTTP_HOST="localhost")
        client.cookies["sessionid"], client.cookies[{OWN!r}] = {old!r}, "0" * 32
        answer = client.get("/admin/").status_code
        """,
    )
    assert answer == 302
    assert open_admin(site, old)["user"] == "chief"


def test_signing_out_with_the_first_request_is_signing_out(site: Site, old: str) -> None:
    cookies = site.ask(
        "admin",
        f"""
        from django.test import Client
        client = Client(HTTP_HOST="localhost")
        client.cookies["sessionid"] = {old!r}
        reply = client.post("/admin/logout/")
        answer = {{name: morsel["max-age"] for name, morsel in reply.cookies.items()}}
        """,
    )
    assert cookies["sessionid"] == cookies[OWN] == 0
    assert open_admin(site, old)["status"] == 302


def test_async_site_takes_over_too(site: Site, old: str) -> None:
    answer = site.ask(
        "admin",
        f"""
        import asyncio
        from django.test import AsyncClient
        client = AsyncClient(headers={{"host": "localhost"}})
        client.cookies["sessionid"] = {old!r}
        async def ask():
            first = await client.get("/admin/")
            second = await client.get("/admin/")
            return first.status_code, sorted(first.cookies), second.status_code
        answer = asyncio.run(ask())
        """,
    )
    assert answer == [200, ["csrftoken", "sessionid", OWN], 200]


def test_store_that_is_away_costs_nobody_a_cookie(site: Site, server: Server, old: str) -> None:
    """With the old cookie alone: 503, and signed in when it is back."""
    server.ask("CONFIG", "SET", "maxmemory", "1")
    try:
        full = open_admin(site, old)
    finally:
        server.ask("CONFIG", "SET", "maxmemory", "0")
    with server.frozen():
        hung = open_admin(site, old)
    for seen in (full, hung):
        assert (seen["status"], seen["cookies"]) == (503, {})
        assert "Retry-After" in seen["headers"]
    assert open_admin(site, old)["user"] == "chief"


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["redis_db", "cached_db", "cache"])
def test_other_engines_take_over_as_well(tmp_path: Path, server: Server, engine: str) -> None:
    server.ask("FLUSHALL")
    with unsplit(tmp_path) as site:
        split(site, server.url, session={"engine": engine})
        key = sign_in(site)
        assert migrate(site)["moved"] == 1
        seen = open_admin(site, key)
        assert seen["user"] == "chief"
        assert admin_session(site, key) is None
        again = migrate(site)
        # Where the admin writes to the same table, its own row is there too, and not the old one.
        assert again["moved"] == again["failed"] == 0
        assert set(again["reasons"]) == {"taken" if engine == "cache" else "of the admin"}


@pytest.mark.slow
def test_cookie_that_main_keeps_public_sessions_under_stays_in_the_browser(
    tmp_path: Path, server: Server
) -> None:
    server.ask("FLUSHALL")
    with unsplit(tmp_path) as site:
        public = {"engine": "cached_db", "store": "local"}
        split(site, server.url, public_sessions="cached_db", public_session=public)
        key = sign_in(site)
        # What main may have written since the flip is not taken unasked.
        assert "--written-before" in migrate(site, status=1)["error"]
        assert migrate(site, "--written-before", "1000000000")["reasons"] == {"later": 1}
        assert migrate(site, "--written-before", "now")["moved"] == 1
        seen = open_admin(site, key)
        assert (seen["user"], "sessionid" in seen["cookies"]) == ("chief", False)
        row = f"""
            from django.contrib.sessions.models import Session
            answer = Session.objects.filter(pk={key!r}).exists()
            """
        assert site.ask("base", row) is True
        # Signed out of the admin, with main's cookie still there.
        assert after_the_grace(site, key)["status"] == 302
        assert migrate(site, "--written-before", "now")["reasons"] == {"taken": 1}
        assert after_the_grace(site, key)["status"] == 302


def after_the_grace(site: Site, key: str) -> dict[str, object]:
    """Open the admin with the old cookie when a minute has passed since it was first used."""
    site.ask(
        "admin",
        f"""
        from django_split.sessions import copies
        store, name = copies.current(), copies.mark_of({key!r})
        (mark,) = store.get([name])
        store.put(name, {{**mark, "until": mark["until"] - 60}}, 1000)
        """,
    )
    return open_admin(site, key)
