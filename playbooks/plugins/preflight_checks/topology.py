"""What a site on several hosts needs that one on a single host does not."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .values import Finding

# The groups whose hosts speak to each other about requests.
TIERS = ("proxy", "main", "admin")
PORTS = {"main": "main_backend_port", "admin": "admin_backend_port"}


@dataclass(frozen=True)
class Topology:
    """The inventory as one of its hosts sees it. ``addresses`` has all hosts of the tiers."""

    host: str
    groups: Mapping[str, list[str]]
    addresses: Mapping[str, str]

    @classmethod
    def of(cls, task_vars: Mapping[str, Any]) -> Topology:
        groups = {name: list(hosts) for name, hosts in (task_vars.get("groups") or {}).items()}
        every = task_vars.get("hostvars") or {}
        addresses = {}
        for host in {host for tier in TIERS for host in groups.get(tier, [])}:
            said = every.get(host) or {}
            addresses[host] = str(said.get("site_address") or said.get("ansible_host") or host)
        return cls(str(task_vars["inventory_hostname"]), groups, addresses)

    @property
    def several(self) -> bool:
        """Whether requests go from one host to another."""
        return len(self.addresses) > 1

    def members(self, group: str) -> list[str]:
        return self.groups.get(group, [])

    @property
    def proxies(self) -> bool:
        """Whether visitors come to this host; where no group says so, to any."""
        return self.host in self.groups.get("proxy", [self.host])

    def fronts(self) -> list[str]:
        """The instances of this host that other hosts ask for (split_fronts)."""
        return [
            instance
            for instance in PORTS
            if self.host in self.members(instance)
            and (len(self.members(instance)) > 1 or self.members(instance) != self.members("proxy"))
        ]


def check(topology: Topology, values: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong with the inventory as a whole; nothing where one host plays every part."""
    if not topology.several:
        return
    for tier in TIERS:
        if not topology.members(tier):
            yield Finding("", f"the inventory has no host in its group {tier}")
    yield from _address(topology)
    yield from _media(topology, values)
    yield from _ports(topology, values)
    yield from _sessions(topology, values)
    if values.get("proxy_tls") == "acme" and len(topology.members("proxy")) > 1:
        yield Finding(
            "proxy_tls",
            "proxy_tls is acme, and there are several proxies: an authority asks any of them what "
            "one of them knows. Get the certificate elsewhere and set proxy_tls: files",
        )


def _address(topology: Topology) -> Iterator[Finding]:
    """nginx's lists know no names: whose address changes would be let in no more."""
    own = topology.addresses.get(topology.host)
    if own is None:
        return
    try:
        address = ipaddress.ip_address(own)
    except ValueError:
        yield Finding(
            "site_address",
            f'{topology.host} is reached at "{own}", which is no IP address: the site has several '
            f"hosts, and they know each other by addresses. Set site_address for {topology.host}",
        )
        return
    if address.is_loopback or address.is_unspecified:
        yield Finding(
            "site_address",
            f"{topology.host} has the address {own}, at which no other host can reach it. "
            f"Set site_address for {topology.host}",
        )
    twins = sorted(
        host for host, other in topology.addresses.items() if other == own and host != topology.host
    )
    if twins:
        yield Finding(
            "site_address",
            f"{topology.host} has the address {own}, and so has {', '.join(twins)}. "
            "Set site_address for each host",
        )


def _media(topology: Topology, values: Mapping[str, Any]) -> Iterator[Finding]:
    if values.get("site_media") == "local":
        yield Finding(
            "site_media",
            "site_media is local, and the site has several hosts: what is uploaded on one of them "
            "is on no other. Mount one file system as MEDIA_ROOT on all of them, or have uploads "
            "in object storage, and set site_media: shared",
        )


def _ports(topology: Topology, values: Mapping[str, Any]) -> Iterator[Finding]:
    taken = {}
    if topology.proxies:
        taken = {values.get("site_port"): "site_port"}
        if values.get("proxy_tls", "none") != "none":
            taken[values.get("proxy_tls_port")] = "proxy_tls_port"
    for instance in topology.fronts():
        name = PORTS[instance]
        port = values.get(name)
        if port in taken:
            yield Finding(
                name, f"{name} is {port}, and so is {taken[port]} on {topology.host}: take another"
            )
        taken[port] = name


def _sessions(topology: Topology, values: Mapping[str, Any]) -> Iterator[Finding]:
    if values.get("public_sessions", "none") != "none" and len(topology.members("main")) > 1:
        yield Finding(
            "public_sessions",
            f"public_sessions is {values['public_sessions']}, and main is on several hosts: its "
            "store is on one of them. Main has sessions on one host only",
        )
