"""Hosts of a store that others reach, on real Redis and Sentinel with TLS."""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.split_redis import AwayError, Redis, RefusedError

from tests.support.plugins import load

split_certificate = load("modules", "split_certificate")
split_store_node = load("modules", "split_store_node")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="no redis-server"),
]

PASSWORDS = {"sentinel": "of-the-store", "peer": "of-the-peers"}
# All of 127/8 is this machine; another part of it for each run beside this one is not needed.
ADDRESSES = ["127.41.0.11", "127.41.0.12", "127.41.0.13"]
PORT, SENTINEL_PORT = 17379, 27379
CONFIGURATION = """
port {plain}
tls-port {port}
bind {address}
protected-mode no
dir {folder}
tls-cert-file {tls}/node.pem
tls-key-file {tls}/node.key
tls-ca-cert-file {tls}/ca.pem
tls-auth-clients no
tls-replication yes
aclfile {acl}
"""


def digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


class Machines:
    """Three hosts in folders, begun by the module and started on what it made."""

    def __init__(self, place: Path, stack: contextlib.ExitStack) -> None:
        self.place = place
        self._stack = stack
        self.running: dict[tuple[str, str], subprocess.Popen[bytes]] = {}
        self.tls = place / "tls"
        authority = split_certificate.authority(str(place / "authority"), "gazette", False)
        options = {
            "folder": str(self.tls),
            "site": "gazette",
            "name": "node",
            "owner": getpass.getuser(),
            "names": ADDRESSES,
            "authority": authority["authority"],
            "renew_days": 1,
        }
        asked = split_certificate.request(options, False)["request"]
        signed = split_certificate.sign(
            {"folder": str(place / "authority"), "request": asked, "names": ADDRESSES, "days": 9}
        )
        (self.tls / "node.pem").write_text(signed["certificate"])
        (self.tls / "ca.pem").write_text(authority["authority"])

    def options(self, address: str, **more: Any) -> dict[str, Any]:
        return {
            "name": "gazette",
            "addresses": ADDRESSES,
            "address": address,
            "port": PORT,
            "sentinel_port": SENTINEL_PORT,
            "authority": str(self.tls / "ca.pem"),
            "passwords": PASSWORDS,
            "folders": {part: str(self.folder(address, part)) for part in ("store", "sentinel")},
            "owner": getpass.getuser(),
            "first": False,
            **more,
        }

    def folder(self, address: str, part: str) -> Path:
        folder = self.place / address / part
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def store(self) -> Any:
        return split_store_node.Store(self.options(ADDRESSES[0]))

    def begin(self, address: str, *, first: bool = False, check: bool = False) -> dict[str, Any]:
        options = self.options(address, first=first)
        made: dict[str, Any] = split_store_node.begin(
            split_store_node.Store(options), options, check
        )
        return made

    def start(self, address: str, part: str, *, plain: int = 0, users: str = "") -> None:
        folder = self.folder(address, part)
        acl, rest = folder / "users.acl", folder / "rest.conf"
        name, password = (
            ("sentinel", "of-the-store") if part == "store" else ("peer", "of-the-peers")
        )
        acl.write_text(
            f"{users or 'user default off'}\n"
            f"user {name} on #{digest(password)} ~* allchannels +@all\n"
        )
        text = CONFIGURATION.format(
            plain=plain,
            port=PORT if part == "store" else SENTINEL_PORT,
            address=address,
            folder=folder,
            tls=self.tls,
            acl=acl,
        )
        if part == "store":
            text += f"masteruser sentinel\nmasterauth of-the-store\nreplica-announce-ip {address}\n"
            text += "repl-diskless-sync-delay 0\n"
        else:
            text += "sentinel sentinel-user peer\nsentinel sentinel-pass of-the-peers\n"
            text += "sentinel auth-user gazette sentinel\nsentinel auth-pass gazette of-the-store\n"
            text += "sentinel down-after-milliseconds gazette 800\n"
            text += f"sentinel failover-timeout gazette 3000\nsentinel announce-ip {address}\n"
        rest.write_text(text)
        words = ["redis-server", str(folder / "node.conf")]
        words += ["--sentinel"] if part == "sentinel" else []
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([*words, "--include", str(rest)], stdout=log, stderr=log)
        self.running[address, part] = process
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)

    def kill(self, address: str) -> None:
        for part in ("store", "sentinel"):
            self.running[address, part].kill()
            self.running[address, part].wait()


def until(reached: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    with contextlib.ExitStack() as stack:
        yield Machines(tmp_path, stack)


def test_a_file_that_is_there_is_never_written_again(machines: Machines) -> None:
    address = ADDRESSES[1]
    assert machines.begin(address, first=True, check=True)["changed"]
    assert list(machines.folder(address, "store").iterdir()) == []
    machines.begin(address, first=True)
    path = machines.folder(address, "store") / "node.conf"
    assert f"replicaof {ADDRESSES[0]} {PORT}\n" in path.read_text()
    path.write_text("what Redis has made of it")
    assert machines.begin(address) == {"changed": False, "begun": []}
    assert path.read_text() == "what Redis has made of it"


def test_nobody_guesses_beside_hosts_that_have_sessions(machines: Machines) -> None:
    with pytest.raises(split_store_node.CannotBeginError, match="no Sentinel says which of them"):
        machines.begin(ADDRESSES[0])
    assert list(machines.folder(ADDRESSES[0], "store").iterdir()) == []


def test_a_new_host_follows_whom_the_sentinels_name_after_a_failover(machines: Machines) -> None:
    for address in ADDRESSES:
        assert machines.begin(address, first=True)["primary"] == ADDRESSES[0]
        for part in ("store", "sentinel"):
            machines.start(address, part)
    until(lambda: not split_store_node._together(machines.store())[0])
    _, seen, primary = split_store_node.together(machines.store())
    assert seen == f"{ADDRESSES[0]} is primary, 2 replicas, all Sentinels agree"
    assert primary == ADDRESSES[0]
    machines.kill(ADDRESSES[0])
    problems, *_ = split_store_node._together(machines.store())
    assert problems[0].startswith(f"{ADDRESSES[0]} does not answer")
    until(lambda: ADDRESSES[0] not in dict(machines.store().primaries()).values())
    # The same host again, with an empty disk.
    shutil.rmtree(machines.place / ADDRESSES[0])
    made = machines.begin(ADDRESSES[0])
    assert made["primary"] in ADDRESSES[1:]
    text = (machines.folder(ADDRESSES[0], "store") / "node.conf").read_text()
    assert f"replicaof {made['primary']} {PORT}\n" in text
    for part in ("store", "sentinel"):
        machines.start(ADDRESSES[0], part)
    until(lambda: split_store_node._together(machines.store()) == ([], *_agreed(made["primary"])))


def _agreed(primary: str) -> tuple[str, str]:
    return f"{primary} is primary, 2 replicas, all Sentinels agree", primary


@pytest.mark.parametrize(
    ("plain", "users", "said"),
    [
        (0, "user default off", []),
        (0, "user default on nopass +ping", ["answers without a password"]),
        (PORT + 1, "user default off", []),  # another port is not the one that is claimed
    ],
)
def test_an_open_door_is_found(machines: Machines, plain: int, users: str, said: list[str]) -> None:
    address = ADDRESSES[0]
    machines.begin(address, first=True)
    machines.start(address, "store", plain=plain, users=users)
    until(lambda: not split_store_node.unwell(_alone(machines), address))
    found = list(split_store_node.open_doors(_alone(machines), address, machines.options(address)))
    assert [problem.split(" ", 1)[1] for problem in found] == said


def _alone(machines: Machines) -> Any:
    options = machines.options(ADDRESSES[0], addresses=ADDRESSES[:1])
    return split_store_node.Store(options)


def test_a_certificate_of_somebody_else_is_not_spoken_to(machines: Machines) -> None:
    machines.begin(ADDRESSES[0], first=True)
    machines.start(ADDRESSES[0], "store")
    right = str(machines.tls / "ca.pem")
    until(lambda: not split_store_node.unwell(_alone(machines), ADDRESSES[0]))
    with pytest.raises(RefusedError, match="WRONGPASS"):
        Redis(ADDRESSES[0], PORT, right, "sentinel", "wrong")
    other = machines.place / "other"
    split_certificate.authority(str(other), "other", False)
    with pytest.raises(AwayError, match="certificate verify failed"):
        Redis(ADDRESSES[0], PORT, str(other / "ca.pem"), "sentinel", "of-the-store")
