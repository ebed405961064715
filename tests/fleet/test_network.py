"""Hosts on a network of their own: what the tests of several servers count on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import bridges
from .hosts import CommandError
from .network import Fleet, Networked

pytestmark = pytest.mark.fleet

PING = "timeout 3 bash -c ': < /dev/tcp/{}/22'"


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with Fleet() as fleet:
        fleet.boot("one")
        fleet.boot("two", "trixie")
        yield fleet


@pytest.fixture
def pair(fleet: Fleet) -> tuple[Networked, Networked]:
    one, two = fleet.hosts
    return one, two


def test_hosts_know_each_other_by_name(pair: tuple[Networked, Networked]) -> None:
    one, two = pair
    one.run(PING.format("two"))
    two.run(PING.format("one"))
    assert one.run("hostname").stdout == "one\n"


def test_every_unit_is_well_and_no_server_of_debians_runs(fleet: Fleet) -> None:
    for host in fleet.hosts:
        failed = host.run("systemctl --failed --no-legend").stdout
        assert failed == "", failed
        running = host.run("systemctl list-units --state=running --no-legend").stdout
        assert "nginx" not in running
        assert "redis" not in running


def test_there_is_no_way_out(pair: tuple[Networked, Networked]) -> None:
    assert pair[0].run("ip route show default").stdout == ""
    assert pair[0].run("getent hosts deb.debian.org", check=False).returncode != 0


def test_a_cut_cable_is_heard_of_by_nobody_and_mended(pair: tuple[Networked, Networked]) -> None:
    one, two = pair
    two.cut()
    with pytest.raises(CommandError):
        one.run(PING.format("two"))
    assert two.run("hostname").stdout == "two\n"  # it runs on
    two.mend()
    one.run(f"for _ in 1 2 3 4 5; do {PING.format('two')} && exit; sleep 0.5; done; exit 1")


def test_a_host_whose_power_was_cut_comes_back_under_its_address(
    pair: tuple[Networked, Networked],
) -> None:
    one, two = pair
    one.run("echo kept > /srv/note && sync")
    # With a connection open that nobody can end any more.
    two.run("systemd-run --collect bash -c 'exec 3<>/dev/tcp/one/22; sleep 60'; sleep 0.5")
    one.cut()
    one.kill()
    assert not one.running
    one.start()
    two.run(PING.format("one"))
    assert one.run("cat /srv/note").stdout == "kept\n"


def test_ansible_comes_by_ssh(fleet: Fleet, tmp_path: Path) -> None:
    fleet.inventory({"redis": fleet.hosts}, {"site_name": "gazette"}, {"two": {"site_port": 8123}})
    playbook = tmp_path / "say.yml"
    task = {"ansible.builtin.command": "echo {{ site_name }} {{ site_port | default(80) }}"}
    play = {"hosts": "redis", "gather_facts": False, "tasks": [task]}
    playbook.write_text(json.dumps([play]))
    said = fleet.play(str(playbook), "-v").stdout
    assert "gazette 80" in said
    assert "gazette 8123" in said


def test_a_bridge_goes_with_its_fleet() -> None:
    with Fleet() as fleet:
        assert bridges.names()[fleet.bridge] is True
    assert fleet.bridge not in bridges.names()
