"""Several hosts on a network of their own: an address each, no way out, cables that can be cut.

with Fleet() as fleet:
    one, two = fleet.boot("one"), fleet.boot("two", "trixie")
    fleet.inventory({"redis": [one, two]}, {"site_name": "gazette"})
    fleet.play("site.yml")
    one.cut()
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from . import bridges, controller, nspawn, paths
from .hosts import BOOT_SECONDS, CommandError, Host, HostError
from .images import HOSTS_FILE, Image, Release
from .way_out import WayOut

PLAY_SECONDS = 600

# A cable that is cut takes the address with it only where somebody manages the network for people
# who carry it about: servers keep theirs.
NETWORK = """[Match]
Name=host0

[Network]
Address={address}/24
LinkLocalAddressing=no
IgnoreCarrierLoss=yes
"""


class Networked(Host):
    """A host with a network of its own. `Fleet.boot` makes them."""

    def __init__(self, name: str, image: Image, *, bridge: str, address: str, key: str) -> None:
        super().__init__(name, image, init=True)
        self.bridge = bridge
        self.address = address
        self._key = key
        self._plug = ""

    @property
    def short(self) -> str:
        """What it is called by others on its network, and in the inventory."""
        return self.name.split(".", 1)[1]

    def _make_disk(self) -> None:
        super()._make_disk()
        for path, text, mode in (
            ("etc/hostname", f"{self.short}\n", 0o644),
            ("etc/systemd/network/10-fleet.network", NETWORK.format(address=self.address), 0o644),
            ("root/.ssh/authorized_keys", self._key, 0o600),
        ):
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            target.chmod(mode)

    def start(self, timeout: float = BOOT_SECONDS) -> None:
        """Switch the host on and wait until it takes commands, by SSH too."""
        self._unplug()
        super().start(timeout)
        self._plug = self._cable()
        deadline = time.monotonic() + timeout
        while not _listens(self.address):
            if time.monotonic() > deadline:
                raise HostError(f"{self} has no SSH after {timeout:g} s:\n{self.journal()}")
            time.sleep(0.1)

    def _cable(self) -> str:
        """The controller's end of the host's cable; nspawn makes its name from a digest."""
        words = [*nspawn.enter(self.leader()), "ip", "-json", "link", "show", "dev", "host0"]
        asked = subprocess.run(words, check=True, capture_output=True, text=True, timeout=30)
        index = json.loads(asked.stdout)[0]["link_index"]
        links = json.loads(bridges.ip("-json", "link", "show").stdout)
        return next(str(link["ifname"]) for link in links if link["ifindex"] == index)

    def cut(self) -> None:
        """Pull the host's cable: it runs on, and nobody hears of it."""
        bridges.ip("link", "set", "dev", self._plug, "down")

    def mend(self) -> None:
        """Plug the cable in again."""
        bridges.ip("link", "set", "dev", self._plug, "up")

    def _unplug(self) -> None:
        """Take away the cable of a host that is off.

        The kernel does, but not while a connection that was open when the cable was cut still
        waits for its last answer; and nspawn gives the next one the same name.
        """
        if self._plug:
            bridges.ip("link", "delete", "dev", self._plug, check=False)

    def remove(self) -> None:
        """Take the host, its disk and its cable away."""
        super().remove()
        self._unplug()

    def kill(self) -> None:
        """Cut the host's power; `start` brings it back with the disk as it was."""
        self.cut_power()


class Fleet:
    """Hosts on one bridge, and an inventory of them. A context manager: all of it goes at its end.

    The hosts reach each other and the controller (`gateway`), and nothing else; those that `boot`
    gives a way out reach the registries through a proxy there.
    """

    def __init__(self) -> None:
        self.hosts: list[Networked] = []
        self._stack = contextlib.ExitStack()
        self._way_out: WayOut | None = None

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            scratch = tempfile.TemporaryDirectory(prefix=f"{paths.PREFIX}fleet-")
            self.place = Path(stack.enter_context(scratch))
            self.bridge = bridges.create()
            stack.callback(bridges.remove, self.bridge)
            self._token = secrets.token_hex(3)
            self.key = self.place / "key"
            words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)]
            subprocess.run(words, check=True, capture_output=True, timeout=30)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def gateway(self) -> str:
        """The controller's address on the network."""
        return bridges.address(self.bridge, 1)

    def boot(
        self,
        name: str,
        release: Release = "bookworm",
        *,
        way_out: bool = False,
        disk_megabytes: int | None = None,
    ) -> Networked:
        """Boot a host called `name`, with the packages of every tier on its disk."""
        host = Networked(
            f"{paths.PREFIX}{self._token}.{name}",
            Image(release, "member"),
            bridge=self.bridge,
            address=bridges.address(self.bridge, 11 + len(self.hosts)),
            key=self.key.with_suffix(".pub").read_text(),
        )
        host.disk_megabytes = disk_megabytes
        # First of all: Ctrl-C while it boots takes it away too.
        self._stack.enter_context(host)
        self.hosts.append(host)
        host._make_disk()
        if way_out:
            self._open(host)
        host.start()
        self._tell_names()
        return host

    def _open(self, host: Networked) -> None:
        """Let a host reach the registries, as its administrator would."""
        if self._way_out is None:
            self._way_out = self._stack.enter_context(WayOut(self.gateway))
        variables = {**controller.environment(), **self._way_out.environment}
        lines = "".join(f"{name}={value}\n" for name, value in variables.items())
        (host.root / "etc/environment").write_text(lines)

    def _tell_names(self) -> None:
        """Each host knows the others by name, as a house's name server would have it."""
        lines = "".join(f"{host.address} {host.short}\n" for host in self.hosts)
        for host in self.hosts:
            (host.root / "etc/hosts").write_text(HOSTS_FILE + lines)

    def inventory(
        self,
        groups: Mapping[str, Sequence[Networked]],
        variables: Mapping[str, Any],
        of_hosts: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Path:
        """Write the inventory: hosts by group, variables of all and of single hosts (by name)."""
        of_hosts = of_hosts or {}
        connection = {
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(self.key),
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={self.place}/known",
            "ansible_host_key_checking": False,
            "ansible_python_interpreter": "/usr/bin/python3",
        }
        hosts = {
            host.short: {"ansible_host": host.address, **of_hosts.get(host.short, {})}
            for host in {host.short: host for each in groups.values() for host in each}.values()
        }
        path = self.place / "hosts.yml"
        content = {
            "all": {
                "hosts": hosts,
                "vars": {**connection, **variables},
                "children": {
                    group: {"hosts": {host.short: {} for host in members}}
                    for group, members in groups.items()
                },
            }
        }
        path.write_text(json.dumps(content, indent=2))  # which is YAML
        return path

    def play(
        self, *words: str, timeout: float = PLAY_SECONDS, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run ansible-playbook on the controller with the inventory.

        Raises CommandError with the end of what it said when it fails (`check`).
        """
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("ansible-playbook")),
                *("-i", str(self.place / "hosts.yml"), *words),
            ],
            cwd=paths.REPOSITORY,
            env={**os.environ, **controller.environment(), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if check and done.returncode:
            raise CommandError(f"{words}: {done.stdout[-6000:]}{done.stderr[-2000:]}")
        return done


def _listens(address: str, port: int = 22) -> bool:
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True
