"""Several hosts: a proxy that asks two fronts, nginxes with an instance of their own behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from nginx.stage import Site, exchange, free_port, render, request, site, until

PAGE = b"This page cannot be shown just now"


class Host(Site):
    """A host of main's: nginx with the front alone."""

    @property
    def address(self) -> tuple[str, int]:
        return self.variables["front_address"], self.variables["fronts"][0]["port"]

    def write(self) -> None:
        super().write()
        folder = self.config.parent / "sites" / "gazette"
        (folder / "site.conf").unlink()
        (folder / "front.conf").write_text(render("nginx/front.conf.j2", **self.variables))
        listen = ":".join(map(str, self.address))
        text = render(
            "nginx/catchall.conf.j2", catchall_listen=listen, catchall_tls=False, proxy_http2=""
        )
        (self.config.parent / "catchall" / "front.conf").write_text(text)

    def start(self) -> None:
        self.write()
        self.start_instance("main")
        self.flip("main", "r1")
        self.start_nginx()
        until(lambda: self.listening(self.address), f"front: {self.log('nginx')}")


@dataclass
class Cluster:
    proxy: Site
    hosts: list[Host]

    def pid(self) -> int:
        """Who answers one request."""
        return int(self.proxy.ask("/pid").said["pid"])

    def upstreams(self, mark: str) -> list[str]:
        """Whom the proxy asked for one request, in order."""
        return str(self.proxy.logged(mark)["upstream"]).split(", ")


@contextlib.contextmanager
def hosts(count: int, **variables: object) -> Iterator[list[Host]]:
    with contextlib.ExitStack() as stack:
        built = []
        for number in range(count):
            directory = stack.enter_context(site()).directory
            host = Host(
                directory,
                {
                    "front_address": f"127.0.0.{number + 2}",
                    "front_proxies": ["127.0.0.1"],
                    "fronts": [
                        {"instance": "main", "port": free_port(), "threads": 1, "timeout": 2}
                    ],
                    "main_timeout": 2,
                    **variables,
                },
            )
            stack.callback(host.stop)
            built.append(host)
        yield built


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with hosts(2) as apart:
        for host in apart:
            host.start()
        backends = [
            {"address": host.address[0], "port": host.address[1], "down": False} for host in apart
        ]
        with site(main_backends=backends) as proxy:
            proxy.write()
            proxy.start_nginx()
            yield Cluster(proxy, apart)


def test_every_host_is_asked_in_turn(cluster: Cluster) -> None:
    for number in range(8):
        cluster.proxy.ask(f"/?turn-{number}")
    asked = [cluster.upstreams(f"turn-{number}") for number in range(8)]
    assert {one for [one] in asked} == {":".join(map(str, h.address)) for h in cluster.hosts}
    assert cluster.proxy.logged("turn-0")["instance"] == "main"


def test_the_instance_sees_the_visitor_as_on_one_host(cluster: Cluster) -> None:
    forged = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https", "X-Real-IP": "6.6.6.6"}
    said = cluster.proxy.ask("/%61?x=%2f", host="www.example.org:81", headers=forged).said
    assert said["target"] == "/%61?x=%2f"
    assert said["headers"]["HOST"] == "www.example.org:81"
    assert said["headers"]["X_FORWARDED_FOR"] == "127.0.0.1"
    assert said["headers"]["X_REAL_IP"] == "127.0.0.1"
    assert said["headers"]["X_FORWARDED_PROTO"] == "http"
    assert len(said["headers"]["X_REQUEST_ID"]) == 32


def test_nobody_but_a_proxy_is_heard() -> None:
    with hosts(1, front_proxies=["127.0.0.9"]) as [host]:
        host.start()
        answer = exchange(host.address, request())
        assert answer is not None
        assert answer.status == 403
        with socket.create_connection(host.address, source_address=("127.0.0.9", 0)) as proxy:
            proxy.sendall(request())
            assert proxy.recv(100).startswith(b"HTTP/1.1 200")


def test_a_front_answers_for_the_sites_names_alone(cluster: Cluster) -> None:
    assert exchange(cluster.hosts[0].address, request(host="other.example")) is None


def crash(cluster: Cluster, host: Host) -> None:
    host.stop_one("main-r1")


def power_off(cluster: Cluster, host: Host) -> None:
    host.stop_one("nginx")


@pytest.mark.parametrize("fault", [crash, power_off])
def test_a_dead_host_costs_no_page(
    cluster: Cluster, fault: Callable[[Cluster, Host], None]
) -> None:
    fault(cluster, cluster.hosts[0])
    assert {cluster.proxy.ask(f"/?dead-{n}").status for n in range(20)} == {200}
    # Two found it out; nobody asked it again for five seconds.
    tries = [len(cluster.upstreams(f"dead-{n} ")) for n in range(20)]
    assert 20 < sum(tries) < 27


def test_a_form_that_was_never_sent_goes_to_another_host(cluster: Cluster) -> None:
    power_off(cluster, cluster.hosts[0])
    forms = [cluster.proxy.ask(f"/?n={n}", method="POST", body=b"a=1") for n in range(8)]
    assert {form.status for form in forms} == {200}
    assert {form.said["body"] for form in forms} == {3}


def test_a_form_that_was_on_its_way_is_never_sent_twice(cluster: Cluster) -> None:
    crash(cluster, cluster.hosts[0])
    forms = [cluster.proxy.ask(f"/?form-{n}", method="POST", body=b"a=1") for n in range(8)]
    refused = [n for n, form in enumerate(forms) if form.status == 502]
    # The two that found the host out were sent to it, and the proxy cannot know how far they came.
    assert 1 <= len(refused) <= 3
    for n in refused:
        assert len(cluster.upstreams(f"form-{n} ")) == 1
        assert PAGE in forms[n].body


def test_a_page_that_ends_its_worker_is_asked_for_once(cluster: Cluster) -> None:
    """Or one such page would take every host out of the proxies' lists."""
    for n in range(6):
        answer = cluster.proxy.ask(f"/?end={n}")
        assert answer.status == 502
        assert PAGE in answer.body
        assert answer.header("retry-after") == "5"
        assert len(cluster.upstreams(f"end={n} ")) == 1
    assert {cluster.proxy.ask("/").status for _ in range(4)} == {200}


def test_a_drained_host_is_not_asked(cluster: Cluster) -> None:
    cluster.proxy.variables["main_backends"][0]["down"] = True
    cluster.proxy.write()
    cluster.proxy.processes["nginx"].send_signal(signal.SIGHUP)
    [port] = [host.address[1] for host in cluster.hosts[1:]]

    def only_the_other() -> bool:
        mark = os.urandom(4).hex()
        cluster.proxy.ask(f"/?{mark}")
        return str(port) in cluster.upstreams(mark)[0]

    until(lambda: all(only_the_other() for _ in range(6)), "the drained host is not asked")


def test_an_answer_is_an_answer(cluster: Cluster) -> None:
    for status in ("500", "502", "503"):
        answer = cluster.proxy.ask(f"/?refuse={status}")
        assert answer.status == int(status)
        assert answer.said["path"] == "/"
        assert len(cluster.upstreams(f"refuse={status}")) == 1


def test_nobody_answers_and_the_proxy_says_so(cluster: Cluster) -> None:
    for host in cluster.hosts:
        power_off(cluster, host)
    answer = cluster.proxy.ask("/")
    assert answer.status == 502
    assert PAGE in answer.body
