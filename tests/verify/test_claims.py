"""Each claim of a deployed site holds on a right host, and is seen false when its bug is in."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest
from split_verify.claims import verify
from split_verify.row import Row

from .host import PLAN, Host

pytestmark = pytest.mark.slow


def look(host: Host, *, check_mode: bool = False, **arguments: Any) -> dict[str, Row]:
    """The rows by their names."""
    rows = verify({**host.arguments, **arguments}, check_mode=check_mode)
    return {row.name: row for row in rows}


def false_claims(rows: dict[str, Row]) -> dict[str, str]:
    """What does not hold: name -> seen."""
    return {name: row.seen for name, row in rows.items() if row.ok is False}


def sees(
    host: Host, bug: AbstractContextManager[None], name: str, seen: str, **arguments: Any
) -> dict[str, Row]:
    """With the bug in, this claim is false and says what was seen; others may be false with it."""
    # The login is the slow half; only the claims about it need it
    arguments.setdefault("login", name.startswith("admin."))
    with bug:
        rows = look(host, **arguments)
    assert rows[name].ok is False, rows[name]
    assert seen in rows[name].seen, rows[name]
    return rows


def sees_only(
    host: Host, bug: AbstractContextManager[None], name: str, seen: str, **arguments: Any
) -> None:
    """As `sees`, and no other claim is blamed for it."""
    rows = sees(host, bug, name, seen, **arguments)
    assert set(false_claims(rows)) == {name}


# --- A right host ---------------------------------------------------------------------------------


def test_every_claim_holds_on_a_right_host(host: Host) -> None:
    before = os.times()
    rows = look(host)
    after = os.times()
    assert false_claims(rows) == {}
    assert [name for name, row in rows.items() if row.ok is None] == ["walls.database"]
    assert "not protected; use PostgreSQL" in rows["walls.database"].seen
    # Five Django set-ups and a password. Not wall time: this machine does other things too
    assert sum(after[:4]) - sum(before[:4]) < 8


def test_what_was_seen_is_what_is_there(host: Host) -> None:
    rows = look(host)
    assert rows["main.pages"].seen == "5 pages from /: 5x 200"
    assert "4 of 5 pages have no form" in rows["main.cookie_free"].seen
    assert "chief sees 'Site administration" in rows["admin.login"].seen
    assert rows["admin.session"].seen == "redis: in the store; not in django_session"
    assert rows["admin.cookie"].seen == "newsroom_admin: Path=/, HttpOnly, SameSite=Lax"
    assert rows["proxy.static"].seen.startswith("/static/admin/css/base.css: 200, ")
    assert host.user("main") in rows["walls.users"].seen
    for user in ("nobody", host.user("proxy"), host.user("admin")):
        assert user in rows["walls.others"].seen


def test_a_login_leaves_no_session_and_no_row(host: Host) -> None:
    look(host)
    done = subprocess.run(
        ["redis-cli", "-s", f"{host.root}/run/store/store.sock", "dbsize"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "0"


def test_links_that_look_like_a_logout_or_a_delete_are_never_asked_for(host: Host) -> None:
    look(host, login=False)
    assert not (host.root / "data/asked-for").exists()


# --- Main -----------------------------------------------------------------------------------------


def test_a_page_that_dies_is_named(host: Host) -> None:
    sees_only(host, host.bug("broken_page"), "main.pages", "/story/2/: 500")


def test_a_silent_main_is_seen(host: Host) -> None:
    rows = sees(host, host.stopped("main"), "main.pages", "/: 502")
    assert rows["main.apps"].ok is False
    assert "live/main.sock: no such file" in rows["main.no_admin_url"].seen


def test_a_page_that_sets_another_cookie_is_named(host: Host) -> None:
    bug = host.bug("cookie_page")
    sees_only(
        host, bug, "main.cookie_free", "/ sets visited. A view that does this by its own will"
    )


def test_a_page_that_varies_by_cookie_is_named(host: Host) -> None:
    bug = host.bug("varying_page")
    sees_only(host, bug, "main.cookie_free", "/story/2/ has Vary: Cookie")


def test_a_page_that_varies_by_its_own_will_can_be_accepted(host: Host) -> None:
    with host.bug("varying_page"):
        rows = look(host, login=False, cookie_paths=["/story/2/"])
    assert false_claims(rows) == {}


def test_a_page_that_hands_its_scripts_a_token_may_set_the_cookie(host: Host) -> None:
    with host.bug("token_page"):
        rows = look(host, login=False)
    assert false_claims(rows) == {}
    assert "3 of 5 pages have no form" in rows["main.cookie_free"].seen


def test_sessions_left_on_main_are_seen_from_outside_and_in_the_settings(host: Host) -> None:
    bug = host.restarted("main", bug="apps_left session_page")
    rows = sees(host, bug, "main.session_cookie", "/ sets sessionid")
    assert rows["main.apps"].ok is False
    assert "django.contrib.admin, django.contrib.sessions" in rows["main.apps"].seen
    assert rows["main.no_admin_url"].ok is False
    assert "/admin/login/: 200" in rows["main.no_admin_url"].seen


def test_models_that_the_site_needs_are_no_admin(host: Host) -> None:
    with host.restarted("main", bug="models_left"):
        rows = look(host, login=False)
    assert false_claims(rows) == {}
    assert "only the models of django.contrib.admin" in rows["main.apps"].seen


def test_a_main_that_dies_of_an_old_session_cookie_is_seen(host: Host) -> None:
    sees_only(host, host.bug("dies_with_a_cookie"), "main.old_cookie", "/: 500")


def test_an_admin_url_on_main_is_seen_though_nginx_hides_it(host: Host) -> None:
    sees_only(host, host.bug("admin_url"), "main.no_admin_url", "/admin/: 200")


def test_an_open_closed_prefix_is_seen(host: Host) -> None:
    sees_only(host, host.bug("closed_url"), "main.closed", "/_internal/: 200")


def test_debug_left_on_is_seen(host: Host) -> None:
    sees_only(host, host.restarted("main", bug="debug"), "main.debug", "DEBUG = True")


def test_settings_that_do_not_load_any_more_are_quoted(host: Host) -> None:
    path = host.root / "src/newsroom/main.py"
    broken = path.read_text() + "\nimport nowhere_to_be_found\n"
    # The running gunicorn has loaded the old ones: only the next restart would show it
    bug = host.file("src/newsroom/main.py", broken)
    sees_only(host, bug, "main.apps", "No module named 'nowhere_to_be_found'")


# --- The admin through nginx ----------------------------------------------------------------------


def test_an_admin_without_a_login_is_seen(host: Host) -> None:
    rows = sees(host, host.bug("no_login"), "admin.login_page", "/admin/: 200, 'Hello'")
    assert rows["admin.login"].seen == "there is no login page"


def test_an_admin_path_that_goes_to_main_is_seen(host: Host) -> None:
    bug = host.configured("/live/admin.sock", "/live/main.sock")
    sees(host, bug, "admin.login_page", "/admin/: 404")


def test_a_bare_admin_path_that_reaches_main_is_seen(host: Host) -> None:
    # Without this location nginx would redirect by itself
    bug = host.configured("return 301 /admin/", "return 404")
    sees_only(host, bug, "admin.slash", "404", login=False)


def test_a_wrong_password_is_a_failed_login(host: Host) -> None:
    rows = look(host, password="not the password")
    assert rows["admin.login"].ok is False
    assert "chief at /admin/login/" in rows["admin.login"].seen
    assert "no cookie newsroom_admin" in rows["admin.login"].seen
    assert rows["admin.session"].seen == "not checked: no login"


def test_a_given_password_is_used(host: Host) -> None:
    with host.file("etc/superuser", "an old one\n"):
        rows = look(host, password=host.password)
    assert false_claims(rows) == {}
    assert rows["admin.login"].ok is True


def test_a_password_that_was_changed_is_not_an_error(host: Host) -> None:
    with host.file("etc/superuser", "the first one\n"):
        rows = look(host)
    assert false_claims(rows) == {}
    for name in ("admin.login", "admin.session", "admin.cookie", "admin.logout"):
        assert rows[name].ok is None
    assert "verify_username and verify_password" in rows["admin.login"].seen
    assert "etc/superuser is no longer the password of chief" in rows["admin.login"].seen


def test_a_password_file_that_was_taken_away_is_not_an_error(host: Host) -> None:
    rows = look(host, password_file="/nonexistent/superuser")
    assert false_claims(rows) == {}
    assert rows["admin.login"].seen.startswith("not checked: no /nonexistent/superuser")


def test_sessions_that_are_still_in_the_database_are_seen(host: Host) -> None:
    bug = host.restarted("admin", bug="database_sessions")
    sees_only(host, bug, "admin.session", "db: not in the store; in django_session")


def test_sessions_written_through_are_seen_where_only_the_store_was_promised(host: Host) -> None:
    bug = host.restarted("admin", bug="written_through")
    sees_only(host, bug, "admin.session", "redis_db: in the store; in django_session")


@pytest.mark.parametrize(
    ("engine", "bug"), [("redis_db", "written_through"), ("cached_db", "stock_written_through")]
)
def test_sessions_written_through_are_right_where_they_were_promised(
    host: Host, engine: str, bug: str
) -> None:
    with host.restarted("admin", bug=bug):
        rows = look(host, session_engine=engine)
    assert false_claims(rows) == {}
    assert rows["admin.session"].ok is True
    sees_only(host, ExitStack(), "admin.session", "not in django_session", session_engine=engine)


def test_session_of_djangos_own_engine_is_found_in_the_store(host: Host) -> None:
    with host.restarted("admin", bug="stock_engine"):
        rows = look(host, session_engine="cache")
    assert false_claims(rows) == {}
    assert rows["admin.session"].seen == "cache: in the store; not in django_session"


def test_a_cookie_that_scripts_and_other_sites_may_use_is_seen(host: Host) -> None:
    bug = host.restarted("admin", bug="open_cookie")
    sees_only(host, bug, "admin.cookie", "no HttpOnly, no SameSite")


def test_a_logout_that_ends_nothing_is_seen(host: Host) -> None:
    bug = host.bug("logout_that_lies")
    sees_only(host, bug, "admin.logout", "POST /admin/logout/: 200; redis: in the store")
    subprocess.run(
        ["redis-cli", "-s", f"{host.root}/run/store/store.sock", "flushall"],
        capture_output=True,
        check=True,
    )


def test_a_store_that_is_away_is_seen(host: Host) -> None:
    rows = sees(host, host.stopped("store"), "admin.login", "no cookie newsroom_admin")
    assert rows["walls.users"].ok is False
    assert "the store: " in rows["walls.users"].seen


# --- nginx ----------------------------------------------------------------------------------------


def test_static_files_that_nginx_does_not_find_are_seen(host: Host) -> None:
    bug = host.configured(f"alias {host.root}/static/", f"alias {host.root}/elsewhere/")
    sees_only(host, bug, "proxy.static", "/static/admin/css/base.css: 404")


def test_static_files_of_something_else_are_seen(host: Host) -> None:
    bug = host.file("static/admin/css/base.css", "body { color: red }")
    other = host.root / "other/admin/css"
    other.mkdir(parents=True)
    (other / "base.css").write_bytes((host.root / "static/admin/css/base.css").read_bytes())
    with bug:
        served = host.configured(f"alias {host.root}/static/", f"alias {host.root}/other/")
        sees_only(host, served, "proxy.static", "200, but it is not")


def test_an_answer_to_an_unknown_host_is_seen_on_the_address_that_gives_it(host: Host) -> None:
    old = f"listen [::1]:{host.port} default_server;"
    new = f"return 444; }} server {{ listen [::1]:{host.port} default_server; return 200 hello;"
    bug = host.configured(old, new)
    seen = f"an unknown Host on [::1]:{host.port} is answered: HTTP/1.1 200 OK"
    sees_only(host, bug, "proxy.unknown_host", seen)


def test_a_broken_installed_configuration_is_seen_though_nginx_still_runs_on_the_old_one(
    host: Host,
) -> None:
    text = (host.root / "nginx.conf").read_text()
    bug = host.file("nginx.conf", text.replace("absolute_redirect off", "absolute_redirekt off"))
    sees_only(host, bug, "proxy.configuration", 'unknown directive "absolute_redirekt"')


# --- Walls ----------------------------------------------------------------------------------------


def test_an_admin_socket_that_main_can_open_is_seen(host: Host) -> None:
    with host.permissions("run/admin", 0o755):
        bug = host.permissions("run/admin/admin-1.sock", 0o666)
        rows = sees(
            host, bug, "walls.main", f"{host.user('main')} and {host.root}/run/admin/admin-1.sock"
        )
    assert "nobody and " in rows["walls.others"].seen
    assert "admin-1.sock: 0666, not 0660" in rows["walls.sockets"].seen


def test_a_socket_of_another_release_is_tried_too(host: Host) -> None:
    with host.permissions("run/admin", 0o755), ExitStack() as stack:
        left = host.root / "run/admin/admin-0.sock"
        command = (
            f"import socket,os; os.umask(0); s=socket.socket(1); s.bind({str(left)!r}); s.listen()"
        )
        subprocess.run(["/usr/bin/python3", "-c", command], check=True)
        stack.callback(left.unlink)
        # Nobody listens any more, but main got as far as being told so
        sees(host, ExitStack(), "walls.main", "admin-0.sock: opened")


def test_a_store_that_main_can_open_is_seen(host: Host) -> None:
    subprocess.run(["usermod", "-aG", host.user("store"), host.user("main")], check=True)
    try:
        rows = sees(host, ExitStack(), "walls.main", "run/store/store.sock: opened")
        # The modes are right: only trying shows it
        assert rows["walls.sockets"].ok is True
    finally:
        subprocess.run(["gpasswd", "-d", host.user("main"), host.user("store")], check=True)


def test_an_environment_that_others_can_read_is_seen(host: Host) -> None:
    bug = host.permissions("etc/admin.env", 0o444)
    rows = sees(host, bug, "walls.main", "etc/admin.env: opened")
    assert "etc/admin.env: 0444" in rows["walls.secrets"].seen
    assert "www-data and " in rows["walls.others"].seen


def test_a_superuser_password_that_others_can_read_is_seen(host: Host) -> None:
    bug = host.permissions("etc/superuser", 0o644)
    rows = sees(host, bug, "walls.secrets", "etc/superuser: 0644")
    assert rows["walls.main"].ok is False


def test_a_socket_directory_that_is_open_is_seen(host: Host) -> None:
    bug = host.permissions("run/main", 0o755)
    sees_only(host, bug, "walls.sockets", "run/main: 0755, not 0750")


def test_a_store_with_a_tcp_port_is_seen(host: Host) -> None:
    port = host.port + 1 if host.port < 65535 else host.port - 1
    bug = host.restarted("store", "--port", str(port))
    # With its default address: every interface
    sees_only(host, bug, "walls.ports", f"): tcp 0.0.0.0:{port}", login=False)


def test_a_gunicorn_with_a_tcp_port_is_seen(host: Host) -> None:
    port = host.port + 2 if host.port < 65534 else host.port - 2
    bug = host.restarted("admin", f"--bind=127.0.0.1:{port}")
    sees_only(host, bug, "walls.ports", f"tcp 127.0.0.1:{port}", login=False)


def test_an_instance_that_runs_as_somebody_else_is_seen(host: Host) -> None:
    with host.stopped("main"), host.owned("run/main", "admin"):
        host.start("main", user="admin")
        try:
            sees(
                host,
                ExitStack(),
                "walls.users",
                f"runs as {host.user('admin')}, not {host.user('main')}",
            )
        finally:
            host.stop("main")


def test_an_instance_in_a_group_that_is_not_its_users_is_seen(host: Host) -> None:
    # As a supervisor does that sets the user and forgets the groups of root
    bug = host.restarted("main", groups=[0])
    sees_only(host, bug, "walls.users", f"is in a group that {host.user('main')} is not: 0")


# --- Before and after -----------------------------------------------------------------------------


def test_check_mode_signs_in_nowhere(host: Host) -> None:
    before = last_login(host)
    rows = look(host, check_mode=True)
    assert false_claims(rows) == {}
    assert rows["admin.login"].ok is None
    assert "check mode" in rows["admin.login"].seen
    assert last_login(host) == before
    look(host)
    assert last_login(host) != before


def last_login(host: Host) -> str:
    """When chief signed in last."""
    with sqlite3.connect(host.root / "data/db.sqlite3") as database:
        found = database.execute(
            "select last_login from auth_user where username='chief'"
        ).fetchone()
    database.close()
    return str(found[0])


def test_a_host_without_a_site_passes_check_mode_and_nothing_else(
    host: Host, tmp_path: Path
) -> None:
    missing = str(tmp_path / "plan.json")
    rows = look(host, check_mode=True, plan_file=missing)
    assert [row.ok for row in rows.values()] == [None]
    assert "nothing is deployed here yet" in rows["release.plan"].seen
    rows = look(host, plan_file=missing)
    assert false_claims(rows) == {"release.plan": f"{missing}: no such file or directory"}


def test_a_plan_without_an_admin_path_is_named(host: Host) -> None:
    plan = {**PLAN, "admin": {}}
    with host.file("plan.json", json.dumps(plan)):
        assert "no [admin] path" in look(host)["release.plan"].seen


def test_an_instance_whose_title_hides_how_it_was_started_is_asked_by_the_sites_command(
    host: Host,
) -> None:
    # As with the package setproctitle: nothing of the environment is left to be seen from outside
    hidden = {"A": "B"}
    with host.stopped("admin"):
        host.start("admin", hidden=hidden)
        try:
            blind = look(host)
            seeing = look(host, manage=host.manage_command())
        finally:
            host.stop("admin")
    assert "does not show what it was started with" in blind["admin.login"].seen
    assert false_claims(seeing) == {}
    assert seeing["admin.session"].ok is True


def test_an_instance_that_begins_to_listen_within_five_seconds_is_waited_for(host: Host) -> None:
    host.stop("main")
    script = "import sys,time,os; time.sleep(2); os.execv(sys.argv[1], sys.argv[1:])"
    command = ["/usr/bin/python3", "-c", script, f"{host.root}/venv/bin/python", "-m", "gunicorn"]
    command += [
        f"--bind=unix:{host.root}/run/main/main-1.sock",
        "--umask=0117",
        "--no-control-socket",
    ]
    host.processes["main"] = subprocess.Popen(
        [*command, "django.core.wsgi:get_wsgi_application()"],
        cwd=host.root,
        env=host.environment("main"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        **host.identity("main"),
    )
    try:
        rows = look(host, login=False)
    finally:
        host.stop("main")
        host.start("main")
    assert false_claims(rows) == {}


def test_an_instance_that_never_answers_does_not_hold_the_run(host: Host) -> None:
    workers = children(host.processes["main"].pid)
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)  # connections are accepted by the kernel, and nobody answers
    began = time.monotonic()
    try:
        rows = look(host, login=False, timeout=0.5)
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
    assert time.monotonic() - began < 25
    assert "timed out" in rows["main.no_admin_url"].seen


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
