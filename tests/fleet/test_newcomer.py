"""The newcomer's path: a fresh Debian machine, a clean clone, `make site`; then what life brings.

The tests of one machine share it and build on each other, in the order in which they stand here.
CI's own machine is Debian 12 without systemd, and runs the same commands once more.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from urllib.error import URLError

import pytest

from .conftest import newcomer
from .hosts import Host
from .visitor import Visitor

pytestmark = [pytest.mark.fleet, pytest.mark.slow]

# A first run downloads some 80 MB and takes two minutes on a quiet machine.
FIRST_SECONDS = 900
SECONDS = 300

# The admin's own header is the site's affair; its log-out form is there for who is signed in.
SIGNED_IN = 'id="logout-form"'

RECAP = re.compile(r"^localhost +: ok=\d+ +changed=(\d+) +unreachable=0 +failed=0 ", re.MULTILINE)

# Whose they are says it, wherever they lie. Python's caches come with any Python that root runs.
OURS = (
    (
        "find / -xdev ( -name '*gazette*' -o -name '*django-split*' ) -not -name '*.pyc'"
        " -not -path '/root/*' -not -path '/var/log/journal/*' -not -path '/proc/*' -print"
    )
    .replace("( ", r"\( ")
    .replace(" )", r" \)")
)


def free_port() -> int:
    """A port that nobody listens on: hosts share the machine's."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


@dataclass(frozen=True)
class Site:
    """A site on one host, and the commands of the README."""

    host: Host
    port: int
    name: str = "gazette"

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def visitor(self) -> Visitor:
        return Visitor(self.address)

    def command(self, target: str, *variables: str, inventory: str = "inventory/local") -> str:
        words = " ".join(f"-e {each}" for each in (f"site_port={self.port}", *variables))
        return f"make {target} INVENTORY={inventory} SITE_ARGS='{words}'"

    def make(
        self,
        target: str,
        *variables: str,
        inventory: str = "inventory/local",
        timeout: float = SECONDS,
    ) -> str:
        """Run `make`, and return what the person who typed it read."""
        command = self.command(target, *variables, inventory=inventory)
        return self.host.run(command, cwd="/root/django-split", timeout=timeout).stdout

    def password(self) -> str:
        return self.host.run(["cat", f"/etc/django-split/{self.name}/superuser"]).stdout.strip()

    def daemons(self) -> dict[int, str]:
        """Process ids and command lines of everything that serves the site."""
        every = self.host.processes()
        ours = re.compile(r"gunicorn|nginx|redis-server|supervisord")
        return {pid: command for pid, command in every.items() if ours.search(command)}


WAYS = [
    pytest.param(("bookworm", True), id="bookworm-systemd"),
    pytest.param(("trixie", False), id="trixie-no-init"),
]


@pytest.fixture(scope="module", params=WAYS)
def fresh(request: pytest.FixtureRequest) -> Iterator[Site]:
    """A newcomer's machine with the clone on it."""
    release, init = request.param
    with newcomer(release, init=init) as host:
        host.clone_repo()
        yield Site(host, free_port())


@pytest.fixture(scope="module")
def site(fresh: Site) -> Site:
    """The machine once the site runs on it."""
    fresh.make("site", timeout=FIRST_SECONDS)
    return fresh


def test_check_mode_passes_and_leaves_nothing(fresh: Site) -> None:
    fresh.make(".venv/.site", timeout=FIRST_SECONDS)
    state = "dpkg-query --show; cat /etc/passwd /etc/group; " + OURS
    before = fresh.host.run(state).stdout
    fresh.make("check", timeout=FIRST_SECONDS)
    assert fresh.host.run(state).stdout == before
    assert fresh.host.run("ls /run/gazette /srv/gazette", check=False).stdout == ""


def test_a_killed_run_is_mended_by_the_next(fresh: Site) -> None:
    # Killed while the release's virtualenv is built; in a container pip goes on by itself.
    fresh.host.run(
        f"setsid {fresh.command('site')} & make=$!\n"
        "until ls -d /srv/gazette/releases/*/venv/bin; do sleep 0.1; kill -0 $make || exit 1\n"
        "done\n"
        "kill -KILL -- -$make",
        cwd="/root/django-split",
        timeout=FIRST_SECONDS,
    )
    with pytest.raises(URLError):
        fresh.visitor.ask("/")
    fresh.make("site", timeout=FIRST_SECONDS)


@dataclass(frozen=True)
class Rerun:
    """A further `make site`: what it said, and what ran before and after it."""

    said: str
    before: dict[int, str]
    after: dict[int, str]


@pytest.fixture(scope="module")
def rerun(site: Site) -> Rerun:
    before = site.daemons()
    return Rerun(said=site.make("site"), before=before, after=site.daemons())


def test_make_site_says_where_everything_is(site: Site, rerun: Rerun) -> None:
    assert f"{site.address}/" in rerun.said
    assert f"{site.address}/admin/" in rerun.said
    assert "/etc/django-split/gazette/superuser" in rerun.said
    assert site.password() not in rerun.said  # shown once, by the run that made it


def test_a_second_run_changes_nothing(rerun: Rerun) -> None:
    recap = RECAP.search(rerun.said)
    assert recap is not None
    assert recap[1] == "0"
    assert rerun.before
    assert rerun.after == rerun.before


def test_a_locale_that_the_machine_lacks_stops_nobody(site: Site) -> None:
    # ssh sends the visitor's, and a minimal Debian has none but C: Ansible then refuses to start.
    command = site.command("verify")
    site.host.run(command, cwd="/root/django-split", env={"LANG": "de_DE.UTF-8"}, timeout=SECONDS)


def test_a_visitor_gets_pages_without_a_cookie(site: Site) -> None:
    visitor = site.visitor
    page = visitor.ask("/")
    assert page.status == 200
    assert "Gazette" in page.text
    assert page.headers["Set-Cookie"] is None
    assert "Cookie" not in (page.headers["Vary"] or "")


def test_the_admin_lets_the_superuser_in(site: Site) -> None:
    editor = site.visitor
    page = editor.log_in("/admin/login/?next=/admin/", "admin", site.password())
    assert page.status == 200
    assert page.address.endswith("/admin/")
    assert SIGNED_IN in page.text
    assert (
        site.visitor.log_in("/admin/login/?next=/admin/", "admin", "wrong").address != page.address
    )


def test_an_unknown_host_is_not_answered(site: Site) -> None:
    with pytest.raises(ConnectionResetError):
        site.visitor.ask("/", host="elsewhere.example")


def test_the_packages_own_daemons_do_not_run(site: Site) -> None:
    commands = site.daemons().values()
    assert not [each for each in commands if "6379" in each or "/etc/nginx" in each]
    if site.host.init:
        for unit in ("nginx", "redis-server"):
            assert site.host.run(["systemctl", "is-active", unit], check=False).stdout != "active\n"
            enabled = site.host.run(["systemctl", "is-enabled", unit], check=False).stdout
            assert enabled != "enabled\n", f"{unit} would start at the next boot"


def test_a_release_that_main_refuses_leaves_both_instances_on_the_old_one(site: Site) -> None:
    links = "readlink /srv/gazette/live/main.sock /srv/gazette/live/admin.sock /srv/gazette/current"
    before, daemons = site.host.run(links).stdout, site.daemons()
    refused = site.host.run(
        site.command("site", "main_workers=1", "site_gate_text=Nowhere"),
        cwd="/root/django-split",
        timeout=SECONDS,
        check=False,
    )
    assert refused.returncode != 0
    assert "without the text 'Nowhere'" in refused.stdout + refused.stderr
    assert site.host.run(links).stdout == before
    assert site.daemons() == daemons, "the admin's new gunicorn has been withdrawn"
    assert "Gazette" in site.visitor.ask("/").text


def test_a_reboot_brings_the_site_and_its_sessions_back(site: Site) -> None:
    editor = site.visitor
    editor.log_in("/admin/login/?next=/admin/", "admin", site.password())
    site.host.reboot()
    if not site.host.init:
        site.host.run("gazette-start")  # as verify says at the end of `make site`
    site.visitor.wait("/", 60)
    site.visitor.wait("/admin/login/", 60)
    assert SIGNED_IN in editor.ask("/admin/").text
    site.make("verify")


def test_what_is_killed_comes_back(site: Site) -> None:
    for pid, command in site.daemons().items():
        if re.search(r"gunicorn|redis-server", command):
            with suppress(ProcessLookupError):  # a worker, gone with its master
                os.kill(pid, signal.SIGKILL)
    site.visitor.wait("/", 30)
    site.visitor.wait("/admin/login/", 30)


def test_make_site_mends_a_killed_process_manager(site: Site) -> None:
    # systemd cannot be killed: there it is nginx, together with its workers.
    manager = "nginx" if site.host.init else "supervisord"
    for pid, command in site.daemons().items():
        # With the master gone systemd ends the workers, too, and may be quicker than we are.
        if manager in command:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    site.make("site")
    assert "Gazette" in site.visitor.ask("/").text


def test_uninstall_leaves_nothing_but_packages(site: Site) -> None:
    assert "/srv/gazette" in site.host.run(OURS).stdout.split()
    site.make("uninstall", "remove_data=true")
    left = site.host.run(OURS).stdout.split()
    # The list of packages that came with the site: they stay, and the list says so.
    assert set(left) <= {"/var/lib/django-split", "/root/django-split"}
    assert site.host.run("ls /var/lib/django-split").stdout == "installed\n"
    assert (
        site.host.run("grep -E 'gazette|django-split' /etc/passwd /etc/group", check=False).stdout
        == ""
    )
    assert site.daemons() == {}
    assert "gazette" not in site.host.run("ls /run").stdout
