"""Sites on several hosts: what preflight says of an inventory before any host is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from preflight_checks.topology import Topology, check

SOUND = {
    "site_media": "shared",
    "site_port": 80,
    "proxy_tls": "none",
    "proxy_tls_port": 443,
    "main_backend_port": 8001,
    "admin_backend_port": 8002,
    "public_sessions": "none",
}
GROUPS = {"proxy": ["p1", "p2"], "main": ["m1", "m2"], "admin": ["a1"], "redis": ["a1"]}
ADDRESSES = {
    "p1": "10.0.0.1",
    "p2": "10.0.0.2",
    "m1": "10.0.0.3",
    "m2": "fd00::4",
    "a1": "10.0.0.5",
}


def topology(
    host: str,
    groups: Mapping[str, list[str]] = GROUPS,
    addresses: Mapping[str, str] = ADDRESSES,
) -> Topology:
    every = {name: {"ansible_host": address} for name, address in addresses.items()}
    return Topology.of({"inventory_hostname": host, "groups": groups, "hostvars": every})


def told(where: Topology, **changed: Any) -> list[str]:
    return [finding.what for finding in check(where, {**SOUND, **changed})]


@pytest.mark.parametrize("host", ADDRESSES)
def test_a_sound_inventory_has_nothing_in_the_way(host: str) -> None:
    assert told(topology(host)) == []


def test_one_host_needs_none_of_it() -> None:
    alone = {tier: ["server"] for tier in ("proxy", "main", "admin", "redis")}
    where = topology("server", alone, {"server": "news.example"})
    assert not where.several
    assert where.fronts() == []
    assert told(where, site_media="local", public_sessions="redis", proxy_tls="acme") == []


def test_a_name_is_no_address() -> None:
    [said] = told(topology("m1", addresses={**ADDRESSES, "m1": "main1.example"}))
    assert said.startswith('m1 is reached at "main1.example", which is no IP address')
    assert said.endswith("Set site_address for m1")


def test_an_address_of_the_hosts_own_variable_comes_first() -> None:
    every = {name: {"ansible_host": "jump.example"} for name in ADDRESSES}
    every["m1"]["site_address"] = "10.0.0.3"
    where = Topology.of({"inventory_hostname": "m1", "groups": GROUPS, "hostvars": every})
    assert told(where) == []


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "0.0.0.0"])  # noqa: S104
def test_an_address_that_no_other_host_reaches(address: str) -> None:
    [said] = told(topology("m1", addresses={**ADDRESSES, "m1": address}))
    assert f"m1 has the address {address}, at which no other host can reach it" in said


def test_two_hosts_with_one_address() -> None:
    [said] = told(topology("m1", addresses={**ADDRESSES, "m1": "10.0.0.5"}))
    assert "m1 has the address 10.0.0.5, and so has a1" in said


def test_uploads_on_one_of_several_hosts() -> None:
    [said] = told(topology("p1"), site_media="local")
    assert said.startswith("site_media is local, and the site has several hosts")
    assert said.endswith("set site_media: shared")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"main_backend_port": 80}, "main_backend_port is 80, and so is site_port"),
        ({"admin_backend_port": 8001}, "admin_backend_port is 8001, and so is main_backend_port"),
        (
            {"proxy_tls": "files", "main_backend_port": 443},
            "main_backend_port is 443, and so is proxy_tls_port",
        ),
    ],
)
def test_a_port_for_two_things(changed: dict[str, Any], says: str) -> None:
    both = {"proxy": ["x", "y"], "main": ["x", "y"], "admin": ["x", "y"]}
    where = topology("x", both, {"x": "10.0.0.1", "y": "10.0.0.2"})
    [said] = told(where, **changed)
    assert said.startswith(says)


def test_a_port_is_free_for_both_on_different_hosts() -> None:
    for host in ADDRESSES:
        assert told(topology(host), admin_backend_port=8001, main_backend_port=8001) == []


def test_a_group_without_a_host() -> None:
    groups = {**GROUPS, "admin": []}
    assert "the inventory has no host in its group admin" in told(topology("m1", groups))


def test_sessions_of_main_on_several_hosts() -> None:
    [said] = told(topology("m1"), public_sessions="redis")
    assert "Main has sessions on one host only" in said


def test_acme_with_two_proxies() -> None:
    [said] = told(topology("p1"), proxy_tls="acme")
    assert said.endswith("set proxy_tls: files")


def test_who_has_a_front() -> None:
    assert topology("m1").fronts() == ["main"]
    assert topology("a1").fronts() == ["admin"]
    assert topology("p1").fronts() == []
    apart = {"proxy": ["one"], "main": ["one"], "admin": ["two"]}
    addresses = {"one": "10.0.0.1", "two": "10.0.0.2"}
    # Main is where the one proxy is: a socket does.
    assert topology("one", apart, addresses).fronts() == []
    assert topology("two", apart, addresses).fronts() == ["admin"]
