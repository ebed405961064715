"""A server that is reached by SSH, and the controller's commands for it: `inventory/single`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import controller, paths
from .conftest import newcomer
from .hosts import CommandError, Host
from .images import Release
from .test_newcomer import SECONDS, free_port
from .visitor import Visitor

CHANGED = re.compile(r"^server +: ok=\d+ +changed=(\d+) +unreachable=0 +failed=0 ", re.MULTILINE)

# A host, the site's port, and the variables by which it is reached and deployed to.
Reached = tuple[Host, int, dict[str, Any]]


@dataclass(frozen=True)
class Server:
    """A host, and the controller's command for it."""

    host: Host
    port: int
    variables: Path

    @property
    def visitor(self) -> Visitor:
        return Visitor(f"http://localhost:{self.port}")

    @property
    def tls_port(self) -> int:
        port: int = json.loads(self.variables.read_text())["proxy_tls_port"]
        return port

    def set(self, **changed: Any) -> None:
        """Variables of the inventory, from now on."""
        self.variables.write_text(json.dumps(json.loads(self.variables.read_text()) | changed))

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Begin ansible-playbook here, against the host."""
        return subprocess.Popen(
            [
                Path(sys.executable).with_name("ansible-playbook"),
                *("-i", "inventory/single", "-e", f"@{self.variables}", *words),
            ],
            cwd=paths.REPOSITORY,
            # A test's own coverage is not the modules'.
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def play(self, *words: str, timeout: float = SECONDS) -> str:
        """Run ansible-playbook here, against the host, and return what it said."""
        with self.start(*words) as run:
            try:
                said, _ = run.communicate(timeout=timeout)
            finally:
                run.kill()
        if run.returncode:
            raise CommandError(f"{words}: {said[-8000:]}")
        return said

    def psql(self, user: str, role: str, statement: str, host: str = "/run/postgresql") -> str:
        """What PostgreSQL says to a unix user that comes as a role."""
        words = ["setpriv", f"--reuid={user}", "--clear-groups", "--regid=nogroup", "psql"]
        port = str(json.loads(self.variables.read_text())["site_database_port"])
        options = ["-X", "-A", "-t", "-w", "-h", host, "-p", port, "-U", role, "-d", "gazette"]
        asked = self.host.run([*words, *options, "-c", statement], cwd="/", check=False)
        return (asked.stdout + asked.stderr).strip()


@contextmanager
def reached(release: Release, place: Path, *more: tuple[int, str, str]) -> Iterator[Reached]:
    """A fresh server that takes our key, with more files (mode, path, text).

    It shares the machine's network: SSH has its own port.
    """
    key = place / "key"
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
    subprocess.run(words, check=True, capture_output=True, timeout=30)
    with newcomer(release, init=True, kind="remote") as host:
        port, ssh = free_port(), free_port()
        environment = "".join(f"{n}={v}\n" for n, v in controller.environment().items())
        for mode, path, text in (
            (600, "/etc/ssh/sshd_config.d/fleet.conf", f"ListenAddress 127.0.0.1\nPort {ssh}\n"),
            (600, "/root/.ssh/authorized_keys", key.with_suffix(".pub").read_text()),
            (644, "/etc/environment", environment),
            *more,
        ):
            host.run(f"install -D -m {mode} /dev/stdin {path}", stdin=text.encode())
        host.run("systemctl restart ssh")
        given = {
            "ansible_host": "127.0.0.1",
            "ansible_port": ssh,
            "ansible_ssh_private_key_file": str(key),
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={place}/hosts",
            "ansible_host_key_checking": False,
            "site_port": port,
            "proxy_listen": ["127.0.0.1"],
            "site_first_commands": ["load_articles --count 40"],
            "site_gate_text": "Gazette",
        }
        yield host, port, given


@contextmanager
def remote(release: Release, place: Path) -> Iterator[Server]:
    """A server for `inventory/single`, with a port of its own for PostgreSQL."""
    database = free_port()
    # Debian's first cluster has 5432, which another host's may have taken by now.
    cluster = (644, "/etc/postgresql-common/createcluster.conf", f"port = {database}\n")
    with reached(release, place, cluster) as (host, port, given):
        variables = place / "variables.json"
        own = {"site_hosts": ["localhost", "127.0.0.1"], "site_database_port": database}
        variables.write_text(json.dumps(given | own))
        yield Server(host, port, variables)
