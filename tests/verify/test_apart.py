"""One host of several: its rows are those that can be seen from it, and each can be seen false."""

from __future__ import annotations

import pytest

from .host import PLAN, Host
from .test_claims import false_claims, look

pytestmark = pytest.mark.slow

# What only a proxy, a host of main's, or one of the admin's can say.
PROXYS = {"main.pages", "admin.login_page", "proxy.static", "proxy.unknown_host"}
MAINS = {"main.no_admin_url", "main.apps", "main.debug"}
ADMINS = {"admin.login", "admin.session", "admin.logout"}


def backend(port: int) -> dict[str, object]:
    return {"instance": "main", "host": "main1", "address": "127.0.0.1", "port": port}


def test_a_host_of_mains_is_asked_for_main_alone(host: Host) -> None:
    rows = look(host, here=["main"], password_file="/nowhere/superuser")
    assert false_claims(rows) == {}
    assert set(rows) & (PROXYS | ADMINS) == set()
    assert {"main.apps", "walls.users", "walls.ports", "walls.others"} <= set(rows)
    # There is nothing of the admin's that main could try.
    assert "walls.main" not in rows


def test_a_host_of_the_admins_signs_in_at_its_own_socket(host: Host) -> None:
    rows = look(host, here=["admin", "store"])
    assert false_claims(rows) == {}
    assert set(rows) & (MAINS | {"proxy.static"}) == set()
    assert set(rows) >= ADMINS
    assert rows["admin.login"].claim == "a login at this host's socket works"
    assert "walls.main" in rows


def test_a_proxy_needs_no_release_of_its_own(host: Host) -> None:
    rows = look(
        host,
        here=["proxy"],
        plan=PLAN,
        plan_file="/nowhere/plan.json",
        main_socket="/nowhere/main.sock",
        admin_socket="/nowhere/admin.sock",
        backends=[backend(host.arguments["port"])],
    )
    assert false_claims(rows) == {}
    assert set(rows) & (MAINS | ADMINS) == set()
    assert rows["backend.main.main1"].claim == "main on main1 answers this proxy"
    assert "files: 200" in rows["proxy.static"].seen


def test_a_proxy_that_shows_the_files_of_another_release_is_seen(host: Host) -> None:
    release = host.root / "release"
    (release / "admin/css").mkdir(parents=True)
    (release / "admin/css/base.css").write_text("body { color: red }")
    plan = {**PLAN, "proxy": {**PLAN["proxy"], "static_root": str(release)}}
    rows = look(host, here=["proxy"], plan=plan, backends=[backend(host.arguments["port"])])
    assert set(false_claims(rows)) == {"proxy.static"}
    assert f"200, but it is not {release}/admin/css/base.css" in rows["proxy.static"].seen


def test_a_host_that_does_not_answer_is_named(host: Host) -> None:
    rows = look(host, here=["proxy"], backends=[backend(9)])
    assert set(false_claims(rows)) == {"backend.main.main1"}
    assert "127.0.0.1:9" in rows["backend.main.main1"].seen
