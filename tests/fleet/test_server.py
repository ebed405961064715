"""One server as `inventory/single` has it: reached by SSH, with systemd and PostgreSQL.

The tests share it and build on each other, in the order in which they stand here.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from . import controller, paths
from .conftest import newcomer
from .hosts import CommandError, Host
from .test_newcomer import FIRST_SECONDS, SECONDS, SIGNED_IN, free_port
from .visitor import Visitor

pytestmark = [pytest.mark.fleet, pytest.mark.slow]

CHANGED = re.compile(r"^server +: ok=\d+ +changed=(\d+) +unreachable=0 +failed=0 ", re.MULTILINE)


@dataclass(frozen=True)
class Server:
    """A host, and the controller's command for it."""

    host: Host
    port: int
    variables: Path

    @property
    def visitor(self) -> Visitor:
        return Visitor(f"http://localhost:{self.port}")

    def play(self, *words: str, timeout: float = SECONDS) -> str:
        """Run ansible-playbook here, against the host, and return what it said."""
        done = subprocess.run(
            [
                Path(sys.executable).with_name("ansible-playbook"),
                *("-i", "inventory/single", "-e", f"@{self.variables}", *words),
            ],
            cwd=paths.REPOSITORY,
            # A test's own coverage is not the modules'.
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if done.returncode:
            raise CommandError(f"{words}: {done.stdout[-6000:]}{done.stderr[-2000:]}")
        return done.stdout

    def psql(self, user: str, role: str, statement: str, host: str = "/run/postgresql") -> str:
        """What PostgreSQL says to a unix user that comes as a role."""
        words = ["setpriv", f"--reuid={user}", "--clear-groups", "--regid=nogroup", "psql"]
        options = ["-X", "-A", "-t", "-w", "-h", host, "-U", role, "-d", "gazette"]
        asked = self.host.run([*words, *options, "-c", statement], cwd="/", check=False)
        return (asked.stdout + asked.stderr).strip()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A fresh server that takes our key. It shares the machine's network: SSH has its own port."""
    place = tmp_path_factory.mktemp("server")
    key = place / "key"
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
    subprocess.run(words, check=True, capture_output=True, timeout=30)
    with newcomer("bookworm", init=True, kind="remote") as host:
        port, ssh = free_port(), free_port()
        environment = "".join(f"{n}={v}\n" for n, v in controller.environment().items())
        for path, text in (
            ("/etc/ssh/sshd_config.d/fleet.conf", f"ListenAddress 127.0.0.1\nPort {ssh}\n"),
            ("/root/.ssh/authorized_keys", key.with_suffix(".pub").read_text()),
            ("/etc/environment", environment),
        ):
            host.run(f"install -D -m 600 /dev/stdin {path}", stdin=text.encode())
        host.run("systemctl restart ssh")
        variables = place / "variables.json"
        given = {
            "ansible_host": "127.0.0.1",
            "ansible_port": ssh,
            "ansible_ssh_private_key_file": str(key),
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={place}/hosts",
            "ansible_host_key_checking": False,
            "site_hosts": ["localhost", "127.0.0.1"],
            "site_port": port,
            "proxy_listen": ["127.0.0.1"],
            "site_first_commands": ["load_articles --count 40"],
            "site_gate_text": "Gazette",
        }
        variables.write_text(json.dumps(given))
        yield Server(host, port, variables)


def test_check_mode_passes_on_a_fresh_server(server: Server) -> None:
    server.play("site.yml", "--check", "--diff")
    assert server.host.run("ls /srv/gazette /etc/postgresql", check=False).stdout == ""


def test_the_site_is_deployed_and_what_main_may_is_printed(server: Server) -> None:
    said = server.play("site.yml", timeout=FIRST_SECONDS)
    assert "django_session: nothing (sessions are the admin's)" in said
    assert "news_article: SELECT, INSERT, UPDATE, DELETE (an app of main's)" in said
    assert "✔ main's database role cannot read the sessions" in said
    assert "✔ main's database role cannot write the users" in said
    assert "Gazette" in server.visitor.ask("/").text


def test_a_second_run_changes_nothing(server: Server) -> None:
    said = server.play("site.yml")
    recap = CHANGED.search(said)
    assert recap is not None
    assert recap[1] == "0", said


def test_each_unix_user_is_its_role_and_no_other(server: Server) -> None:
    for part in ("main", "admin", "owner"):
        me = server.psql(f"gazette-{part}", f"gazette_{part}", "SELECT current_user")
        assert me == f"gazette_{part}"
        for other in {"main", "admin", "owner"} - {part}:
            said = server.psql(f"gazette-{other}", f"gazette_{part}", "SELECT 1")
            assert f'Peer authentication failed for user "gazette_{part}"' in said
        assert "Peer authentication failed" in server.psql("nobody", f"gazette_{part}", "SELECT 1")
        over_tcp = server.psql(f"gazette-{part}", f"gazette_{part}", "SELECT 1", "127.0.0.1")
        assert "pg_hba.conf rejects connection" in over_tcp
    refused = server.psql("gazette-main", "gazette_main", "SELECT * FROM django_session")
    assert "permission denied for table django_session" in refused


def test_the_owner_migrates_and_the_admin_cannot(server: Server) -> None:
    manage = "gazette-manage --instance"
    said = server.host.run(f"{manage} owner migrate --noinput").stdout
    assert "No migrations to apply" in said
    asked = server.host.run(f"{manage} admin createcachetable spare", check=False)
    assert "permission denied for schema public" in asked.stderr
    secret = "stat -c '%U %a' /srv/gazette/current/owner.env"
    assert server.host.run(secret).stdout.split() == ["gazette-owner", "400"]


def test_verify_finds_a_right_too_many(server: Server) -> None:
    server.psql("gazette-owner", "gazette_owner", "GRANT SELECT ON django_session TO gazette_main")
    with pytest.raises(CommandError, match="SELECT django_session: allowed"):
        server.play("playbooks/verify.yml")
    said = server.play("playbooks/instances.yml")
    assert CHANGED.search(said)[1] == "1"  # type: ignore[index]


def test_a_reboot_brings_the_site_and_its_sessions_back(server: Server) -> None:
    editor = server.visitor
    password = server.host.run("cat /etc/django-split/gazette/superuser").stdout.strip()
    login = "/admin/login/?next=/admin/"
    assert SIGNED_IN in editor.log_in(login, "admin", password).text
    server.host.reboot()
    server.visitor.wait("/", 60)
    server.visitor.wait("/admin/login/", 60)
    assert SIGNED_IN in editor.ask("/admin/").text
    server.play("playbooks/verify.yml")


def test_uninstall_drops_the_database_when_it_is_said(server: Server) -> None:
    server.play("playbooks/uninstall.yml", "-e", "remove_data=true")
    left = "SELECT rolname FROM pg_roles UNION SELECT datname FROM pg_database"
    words = [
        "setpriv",
        "--reuid=postgres",
        "--clear-groups",
        "--regid=postgres",
        "psql",
        "-Atc",
        left,
    ]
    assert "gazette" not in server.host.run(words, cwd="/").stdout
    assert server.host.run("grep -r gazette /etc/postgresql /etc/passwd", check=False).stdout == ""
