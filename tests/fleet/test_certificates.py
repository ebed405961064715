"""Certificates between a site's hosts, when another host comes to be the first of its group."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from . import paths
from .network import Fleet

pytestmark = [pytest.mark.fleet, pytest.mark.slow, pytest.mark.soak]

PLAY = [
    {
        "hosts": "redis:admin",
        "gather_facts": False,
        "vars_files": [str(paths.REPOSITORY / "playbooks/vars/site.yml")],
        "roles": [{"role": "certificates"}],
    }
]
FILES = "sha256sum /etc/django-split/gazette/tls/*.pem"


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with Fleet() as fleet:
        for name in ("one", "two", "three"):
            fleet.boot(name)
        (fleet.place / "play.yml").write_text(json.dumps(PLAY))
        yield fleet


def certified(fleet: Fleet, *redis: int) -> list[str]:
    """What each host has after a run with these of them in the group, the first one first."""
    hosts = fleet.hosts
    groups = {"redis": [hosts[number] for number in redis], "admin": hosts}
    fleet.inventory(groups, {"site_name": "gazette"})
    fleet.play(str(fleet.place / "play.yml"))
    return [host.run(FILES).stdout for host in hosts]


def test_the_authority_stays_where_it_was_made(fleet: Fleet) -> None:
    """Another one is trusted by nobody until the run has been everywhere: main answered 500."""
    made = certified(fleet, 0)
    assert certified(fleet, 1, 0) == made
    assert certified(fleet, 2) == made
    for host in fleet.hosts[1:]:
        folder = "/etc/django-split/gazette/authority"
        assert host.run(f"ls {folder}", check=False).stdout == ""
