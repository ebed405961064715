"""The newcomer's path: a fresh Debian machine, a clean clone, `make site`; then what life brings.

The tests of one machine share it and build on each other, in the order in which they stand here.
CI's own machine is Debian 12 without systemd, and runs the same commands once more.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from urllib.error import URLError

import pytest

from tests.browser import chromium, gazette

from . import units
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

    def play(self, *words: str, timeout: float = SECONDS) -> str:
        """Run a playbook that has no word in the Makefile."""
        play = "/root/django-split/.venv/bin/ansible-playbook"
        command = [play, "-i", "inventory/local", *words]
        port = f"site_port={self.port}"
        return self.host.run(
            [*command, "-e", port], cwd="/root/django-split", timeout=timeout
        ).stdout

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
    if fresh.host.init:
        return  # test_server.py has it there
    fresh.make(".venv/.site", timeout=FIRST_SECONDS)
    state = "dpkg-query --show; cat /etc/passwd /etc/group; " + OURS
    before = fresh.host.run(state).stdout
    fresh.make("check", timeout=FIRST_SECONDS)
    assert fresh.host.run(state).stdout == before
    assert fresh.host.run("ls /run/gazette /srv/gazette", check=False).stdout == ""


@pytest.mark.soak  # test_deploy.py kills runs on a server with systemd
def test_a_killed_run_is_mended_by_the_next(fresh: Site) -> None:
    if fresh.host.init:
        return  # the same steps; without init there is one more to get over
    # Killed while the release's virtualenv is built; in a container pip goes on by itself.
    fresh.host.run(
        f"setsid {fresh.command('site')} & make=$!\n"
        "until ls -d /srv/gazette/venvs/*/venv/bin; do sleep 0.1; kill -0 $make || exit 1\n"
        "done\n"
        "kill -KILL -- -$make",
        cwd="/root/django-split",
        timeout=FIRST_SECONDS,
    )
    with pytest.raises(URLError):
        fresh.visitor.ask("/")
    # What the killed run has begun is waited for: until pip ends, the lock is the killed run's.
    deadline = time.monotonic() + 120
    while True:
        again = fresh.host.run(
            fresh.command("site"), cwd="/root/django-split", timeout=FIRST_SECONDS, check=False
        )
        if again.returncode == 0:
            break
        assert "is being deployed already" in again.stdout, again.stdout + again.stderr
        assert time.monotonic() < deadline


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


def test_status_says_what_serves_since_when_and_by_whom(site: Site) -> None:
    said = site.host.run("gazette-status").stdout
    assert "all is well" in said
    release = site.host.run("basename $(readlink /srv/gazette/current)").stdout.strip()
    assert re.search(rf"main +serves {release} since .*, deployed by root@\S+ \(site.yml\)", said)
    told = json.loads(site.host.run("gazette-status --json").stdout)
    assert told["well"]
    assert told["lock"] is None
    assert {each["release"] for each in told["serves"].values()} == {release}
    kinds = {part["kind"] for part in told["parts"]}
    # systemd's is SITE-watch's.
    assert kinds == {"process", "gate", "store", "port"} | ({"timer"} if site.host.init else set())
    # Those of a folder that may not be read are not well either, so nobody is told that they are.
    refused = site.host.run(["setpriv", "--reuid=nobody", "gazette-status"], check=False)
    assert "run me as root" in refused.stderr


def test_status_finds_what_does_not_run(site: Site) -> None:
    store = next(pid for pid, command in site.daemons().items() if "redis-server" in command)
    os.kill(store, signal.SIGSTOP)
    try:
        seen = site.host.run("gazette-status", check=False)
    finally:
        os.kill(store, signal.SIGCONT)
    assert seen.returncode == 1
    assert re.search(r"✘ store +store +/run/gazette/store/store.sock: timed out", seen.stdout)


def test_a_second_deploy_is_refused_while_one_is_under_way(site: Site) -> None:
    site.host.run(
        ["tee", "/root/first.yml"],
        stdin=b"""
- ansible.builtin.import_playbook: /root/django-split/playbooks/lock.yml
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.shell: until test -e /root/let-go; do sleep 0.1; done
""",
    )
    refused = site.host.run(
        ".venv/bin/ansible-playbook -i inventory/local /root/first.yml >/root/first.log 2>&1 &\n"
        "until test -e /run/django-split/gazette/holder.json; do sleep 0.1; done\n"
        f"{site.command('site')}; refused=$?\n"
        "gazette-status | grep 'being deployed'\n"
        "touch /root/let-go; wait $! && exit $refused",
        cwd="/root/django-split",
        timeout=SECONDS,
        check=False,
    )
    said = refused.stdout + refused.stderr
    assert refused.returncode != 0
    assert "gazette is being deployed already: by root@" in said
    assert "/root/first.yml" in said
    assert "PLAY [Preflight]" not in said, "at once"
    assert "  being deployed by root@" in said
    assert site.host.run("ls /run/django-split", check=False).returncode != 0


def test_maintenance_of_main_leaves_the_admin_and_outlives_a_deploy(site: Site) -> None:
    words = ("playbooks/maintenance.yml", "-e", "instance=main", "-e")
    assert "gazette on localhost: main in maintenance (503)" in site.play(*words, "state=on")
    try:
        closed = site.visitor.ask("/")
        assert (closed.status, closed.headers["Retry-After"]) == (503, "300")
        assert "We will be back soon" in closed.text
        assert site.visitor.ask("/admin/login/").status == 200
        site.play("playbooks/instances.yml")
        assert site.visitor.ask("/").status == 503
        assert "main is in maintenance since" in site.make("verify")
    finally:
        site.play(*words, "state=off")
    assert "Gazette" in site.visitor.ask("/").text


def test_the_admin_lets_the_superuser_in(site: Site) -> None:
    editor = site.visitor
    page = editor.log_in("/admin/login/?next=/admin/", "admin", site.password())
    assert page.status == 200
    assert page.address.endswith("/admin/")
    assert SIGNED_IN in page.text
    assert (
        site.visitor.log_in("/admin/login/?next=/admin/", "admin", "wrong").address != page.address
    )


@pytest.mark.browser
def test_a_reader_reads_and_writes_a_letter(site: Site) -> None:
    with chromium.page() as tab:
        gazette.read_and_write_a_letter(tab, site.address)


@pytest.mark.browser
def test_an_editor_signs_in_writes_and_signs_out(site: Site) -> None:
    with chromium.page() as tab:
        gazette.write_an_article(tab, site.address, site.password())


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


def test_the_units_are_in_force_as_documented(site: Site) -> None:
    if site.host.init:
        units.check(site.host, "gazette")
        for name in ("gazette-main", "gazette-admin", "gazette-store"):
            assert site.host.run(["journalctl", "--quiet", "--identifier", name]).stdout, name


def test_doors_are_as_closed_in_a_units_own_user_namespace(site: Site) -> None:
    if site.host.init:
        sockets = site.host.run("readlink /srv/gazette/live/main.sock /srv/gazette/live/admin.sock")
        main, admin = sockets.stdout.split()
        release = "/srv/gazette/current"
        paths = [
            *("/run/gazette/store/store.sock", main, admin),
            *(f"{release}/main.env", f"{release}/admin.env", f"{release}/src/manage.py"),
            *("/srv/gazette/shared/data/db.sqlite3", "/etc/django-split/gazette/superuser"),
        ]
        opened = {
            pattern: units.opens(site.host, units.names(site.host, pattern)[0], paths)
            for pattern in ("gazette-main@*", "gazette-admin@*", "gazette-store.service")
        }
        # The store; main, admin; their environments; code, database; the first password.
        yes, no = True, False
        assert opened == {
            "gazette-main@*": [no, yes, no, yes, no, yes, yes, no],
            "gazette-admin@*": [yes, no, yes, no, yes, yes, yes, no],
            "gazette-store.service": [yes, no, no, no, no, no, no, no],
        }


def test_rotated_logs_are_written_on(site: Site) -> None:
    host = site.host
    if host.init:
        logs, rotate = "/var/lib/django-split/nginx", "/etc/logrotate.d/django-split-nginx"
        assert host.run("systemctl is-active logrotate.timer").stdout == "active\n"
    else:
        logs = "/var/lib/django-split/gazette/nginx"
        rotate = "/etc/django-split/gazette/supervisor/logrotate.conf"
        control = "/var/lib/django-split/gazette/supervisor/bin/supervisorctl"
        control += " -c /etc/django-split/gazette/supervisor/supervisord.conf"
        assert "RUNNING" in host.run(f"{control} status gazette-rotate").stdout
    site.visitor.ask("/?before")
    nginx = {pid for pid, command in site.daemons().items() if "nginx" in command}
    for _ in range(2):  # what was rotated once is compressed the next time
        host.run(f"logrotate --force --state /root/rotated {rotate}")
        # Each worker opens the new file a moment after the signal.
        deadline = time.monotonic() + 10
        while "?after" not in (log := host.run(["cat", f"{logs}/access.log"]).stdout):
            assert time.monotonic() < deadline, "nginx writes into the file that was renamed"
            site.visitor.ask("/?after")
        assert "?before" not in log
    assert "?before" in host.run(f"gunzip --stdout {logs}/access.log.2.gz").stdout
    seen = host.run(f"stat -c '%a %U %G' {logs}/access.log").stdout
    assert seen == "640 django-split-proxy adm\n"
    assert {pid for pid, command in site.daemons().items() if "nginx" in command} == nginx


LINKS = "readlink /srv/gazette/live/main.sock /srv/gazette/live/admin.sock /srv/gazette/current"


def refused(site: Site, *variables: str) -> str:
    """What `make site` says; the release that served still does, by the same processes."""
    before, daemons = site.host.run(LINKS).stdout, site.daemons()
    command = site.command("site", *variables)
    ended = site.host.run(command, cwd="/root/django-split", timeout=SECONDS, check=False)
    assert ended.returncode != 0
    assert site.host.run(LINKS).stdout == before
    assert site.daemons() == daemons
    assert "Gazette" in site.visitor.ask("/").text
    return ended.stdout + ended.stderr


def test_a_release_that_main_refuses_leaves_both_instances_on_the_old_one(site: Site) -> None:
    if site.host.init:
        return  # test_deploy.py has every kind of broken release there
    said = refused(site, "main_workers=1", "site_gate_text=Nowhere")
    assert "without the text 'Nowhere'" in said


def test_settings_that_cannot_be_deployed_change_nothing(site: Site) -> None:
    """They are tried before anything is built; under systemd a folder that units do not see."""
    settings = "/root/django-split/tests/sites/gazette/gazette/settings.py"
    text = site.host.run(["cat", settings]).stdout
    line = 'MEDIA_ROOT = "/home/press/media"' if site.host.init else "ROOT_URLCONF = 'gone'"
    site.host.run(f"cat >> {settings}", stdin=f"{line}\n".encode())
    said = refused(site)
    site.host.run(["tee", settings], stdin=text.encode())
    hidden = "MEDIA_ROOT is /home/press/media. The site's units see nothing below /home"
    assert (hidden if site.host.init else "No module named 'gone'") in said
    assert "Nothing has been changed." in said


def test_a_reboot_brings_the_site_and_its_sessions_back(site: Site) -> None:
    editor = site.visitor
    editor.log_in("/admin/login/?next=/admin/", "admin", site.password())
    closed = "/srv/gazette/live/main.maintenance"
    site.host.run(["touch", closed])
    site.host.reboot()
    if not site.host.init:
        site.host.run("gazette-start")  # as verify says at the end of `make site`
    site.visitor.wait("/admin/login/", 60)
    assert site.visitor.ask("/").status == 503, "maintenance goes on"
    site.host.run(["rm", closed])
    site.visitor.wait("/", 60)
    assert SIGNED_IN in editor.ask("/admin/").text
    site.make("verify")


def test_what_is_killed_comes_back(site: Site) -> None:
    for pid, command in site.daemons().items():
        if re.search(r"gunicorn|redis-server", command):
            with suppress(ProcessLookupError):  # a worker, gone with its master
                os.kill(pid, signal.SIGKILL)
    site.visitor.wait("/", 30)
    site.visitor.wait("/admin/login/", 30)


def test_killed_again_and_again_it_still_comes_back_at_once(site: Site) -> None:
    if not site.host.init:
        return  # supervisor has a limit, far off: startretries
    for unit, path in (("gazette-main@*", "/"), ("gazette-store", "/admin/login/")):
        [name] = units.names(site.host, f"{unit}.service")
        # More often than systemd's own limit allows: five starts in ten seconds.
        site.host.run(
            f"for _ in 1 2 3 4 5 6 7; do systemctl kill --signal=KILL --kill-who=main '{name}'\n"
            f"until test $(systemctl show -P SubState '{name}') = running; do sleep 0.05; done\n"
            "done",
            timeout=60,
        )
        site.visitor.wait(path, 3)


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
