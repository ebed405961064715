"""A site whose public pages keep sessions: they are in main's own store, and nobody else's."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from split_verify.row import Row

from .host import Host
from .test_claims import false_claims, look, sees

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def given(host: Host) -> dict[str, Any]:
    return {"public_socket": f"{host.root}/run/public/store.sock", "login": False}


@pytest.fixture(scope="module")
def looked(host: Host, given: dict[str, Any]) -> Callable[..., dict[str, Row]]:
    def looked(bug: str = "", **more: Any) -> dict[str, Row]:
        with host.restarted("main", bug=f"sessions_wanted session_page {bug}"):
            return look(host, **given, **more)

    return looked


@pytest.mark.parametrize(("engine", "bug"), [("redis", ""), ("cache", "stock_engine")])
def test_every_claim_holds_where_main_keeps_sessions(
    host: Host, looked: Callable[..., dict[str, Row]], engine: str, bug: str
) -> None:
    rows = looked(bug)
    assert false_claims(rows) == {}
    assert rows["main.sessions"].seen == f"{engine}: in {host.root}/run/public/store.sock"
    # What such a site's pages do with cookies is what it asked for.
    assert "main.cookie_free" not in rows
    assert rows["main.session_cookie"].claim == "main never sets the admin's session cookie"
    assert rows["main.apps"].claim == "main has no admin"
    assert host.user("public") in rows["walls.users"].seen
    assert "4 sockets: " in rows["walls.sockets"].seen
    left = ["redis-cli", "-s", f"{host.root}/run/public/store.sock", "keys", "*verify*"]
    assert subprocess.run(left, capture_output=True, text=True, check=True).stdout.strip() == ""


def test_check_mode_makes_no_session(looked: Callable[..., dict[str, Row]]) -> None:
    rows = looked(check_mode=True)
    assert rows["main.sessions"].ok is None
    assert "check mode" in rows["main.sessions"].seen


@pytest.mark.parametrize(
    ("bug", "name", "seen"),
    [
        ("in_the_admins_store", "main.sessions", "ermission denied"),
        ("in_the_database_only", "main.sessions", "db: not in"),
        ("the_admins_cookie", "main.session_cookie", "/ sets newsroom_admin"),
        ("admin_left", "main.apps", "django.contrib.admin"),
    ],
)
def test_what_is_wrong_with_them_is_seen(
    looked: Callable[..., dict[str, Row]], bug: str, name: str, seen: str
) -> None:
    rows = looked(bug)
    assert rows[name].ok is False
    assert seen in rows[name].seen


def test_an_admin_that_can_open_mains_store_is_seen(host: Host, given: dict[str, Any]) -> None:
    subprocess.run(["usermod", "-aG", host.user("public"), host.user("admin")], check=True)
    try:
        sees(host, ExitStack(), "walls.others", "run/public/store.sock: opened", **given)
    finally:
        subprocess.run(["gpasswd", "-d", host.user("admin"), host.user("public")], check=True)


def test_a_store_of_mains_that_is_away_is_seen(host: Host, given: dict[str, Any]) -> None:
    rows = sees(host, host.stopped("public"), "walls.users", "main's store: ", **given)
    assert "run/public/store.sock: no such file" in rows["walls.users"].seen
