"""Three Sentinels, a primary and a replica: a failover keeps the sessions."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import redis

from django_split.sessions.errors import StoreUnavailableError
from django_split.sessions.store import Store
from tests.sessions.test_store_network import free_port

pytestmark = pytest.mark.slow

STORE = """
port {port}
bind 127.0.0.1
dir {folder}
save ""
requirepass of-the-store
masterauth of-the-store
repl-diskless-sync-delay 0
{replica}
"""
SENTINEL = """
port {port}
bind 127.0.0.1
dir {folder}
requirepass of-sentinel
sentinel sentinel-pass of-sentinel
sentinel monitor sessions 127.0.0.1 {primary} 2
sentinel auth-pass sessions of-the-store
sentinel down-after-milliseconds sessions 500
sentinel failover-timeout sessions 3000
"""


@dataclass
class Node:
    port: int
    command: list[str]
    process: subprocess.Popen[bytes]
    password: str

    def ask(self, *words: str | int) -> object:
        with contextlib.closing(redis.Redis(port=self.port, password=self.password)) as client:
            return client.execute_command(*words)

    def role(self) -> str:
        with contextlib.closing(redis.Redis(port=self.port, password=self.password)) as client:
            return str(client.info("replication")["role"])


@dataclass
class Cluster:
    stores: list[Node]
    sentinels: list[Node]

    def by_role(self) -> tuple[Node, Node]:
        primary, replica = sorted(self.stores, key=Node.role)  # master, slave
        return primary, replica

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.sentinels)
        return f"redis+sentinel://{hosts}/sessions?db=1"


@pytest.fixture(autouse=True)
def _passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SPLIT_STORE_PASSWORD", "of-the-store")
    monkeypatch.setenv("DJANGO_SPLIT_SENTINEL_PASSWORD", "of-sentinel")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with contextlib.ExitStack() as stack:
        place = tmp_path_factory.mktemp("cluster")

        def node(text: str, password: str, *options: str, **values: object) -> Node:
            port = free_port()
            folder = place / str(port)
            folder.mkdir()
            config = folder / "node.conf"
            config.write_text(text.format(port=port, folder=folder, **values))
            command = ["redis-server", str(config), *options]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.kill)
            made = Node(port, command, process, password)
            until(lambda: answers(made))
            return made

        primary = node(STORE, "of-the-store", replica="")
        replica = f"replicaof 127.0.0.1 {primary.port}"
        stores = [primary, node(STORE, "of-the-store", replica=replica)]
        sentinels = [
            node(SENTINEL, "of-sentinel", "--sentinel", primary=primary.port) for _ in range(3)
        ]
        until(lambda: all(seen(one).endswith(" 1 3") for one in sentinels))
        yield Cluster(stores, sentinels)


def seen(sentinel: Node) -> str:
    """What a Sentinel knows of the primary: state, address, replicas, Sentinels."""
    with contextlib.closing(redis.Redis(port=sentinel.port, password=sentinel.password)) as client:
        known = client.info("sentinel")["master0"]
    return f"{known['status']} {known['address']} {known['slaves']} {known['sentinels']}"


def answers(node: Node) -> bool:
    try:
        return bool(node.ask("PING"))
    except redis.ConnectionError:
        return False


def until(reached: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_unknown_name_is_said(cluster: Cluster) -> None:
    with pytest.raises(StoreUnavailableError, match="No master found for 'other'"):
        Store(cluster.url.replace("/sessions", "/other"), "site:").get("one")


def test_primary_that_became_a_replica_is_left_in_the_same_call(cluster: Cluster) -> None:
    store = Store(cluster.url, "became:")
    assert store.add("one", b"1", 600)
    primary, replica = cluster.by_role()
    assert primary.ask("WAIT", 1, 5000) == 1
    cluster.sentinels[0].ask("SENTINEL", "FAILOVER", "sessions")
    until(lambda: replica.role() == "master")
    # What Sentinel does by itself, after eight seconds.
    primary.ask("REPLICAOF", "127.0.0.1", replica.port)
    until(lambda: primary.role() == "slave")
    until(lambda: f":{replica.port} " in seen(cluster.sentinels[0]))
    # Over the connection to the former primary, which answers READONLY or has closed it.
    assert store.replace("one", b"2", 600)
    assert store.get("one") == b"2"


# From here on a node is dead.


def test_failover_keeps_the_sessions(cluster: Cluster) -> None:
    store = Store(cluster.url, "failover:")
    assert store.add("one", b"1", 600)
    primary, replica = cluster.by_role()
    assert primary.ask("WAIT", 1, 5000) == 1
    primary.process.kill()
    primary.process.wait()

    def back() -> bool:
        try:
            return store.replace("one", b"2", 600)
        except StoreUnavailableError:
            return False

    until(back)
    assert store.get("one") == b"2"
    assert replica.role() == "master"


# Last: a Sentinel that was stopped does nothing for half a minute (it calls that TILT).


def test_hung_sentinels_take_no_more_than_the_one_deadline(cluster: Cluster) -> None:
    first, second, third = cluster.sentinels
    living = [node for node in cluster.stores if node.process.poll() is None]
    (known,) = (f"ok 127.0.0.1:{node.port} " for node in living if node.role() == "master")
    # A busy machine's primary may well be silent for half a second, and nobody is to be found down.
    for node in cluster.sentinels:
        node.ask("SENTINEL", "SET", "sessions", "down-after-milliseconds", 60_000)
    until(lambda: all(seen(node).startswith(known) for node in cluster.sentinels))
    try:
        for node in (first, second):
            node.process.send_signal(signal.SIGSTOP)
        begun = time.monotonic()
        assert Store(cluster.url, "hung:").add("one", b"1", 600)
        assert time.monotonic() - begun < 2
        third.process.send_signal(signal.SIGSTOP)
        begun = time.monotonic()
        with pytest.raises(StoreUnavailableError):
            Store(cluster.url, "hung:").get("one")
        assert time.monotonic() - begun < 4  # redis-py by itself took 76 s
    finally:
        for node in cluster.sentinels:
            node.process.send_signal(signal.SIGCONT)
