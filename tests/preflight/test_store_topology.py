"""A session store over the network: what it cannot be is said before anything changes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import ROOT

OWN_ADDRESS = [
    {
        "hosts": "all",
        "gather_facts": False,
        "vars_files": [str(ROOT / "playbooks/vars/site.yml")],
        "tasks": [
            {
                "name": "Own address",
                "ansible.builtin.include_tasks": str(ROOT / "playbooks/tasks/own_address.yml"),
                "vars": {
                    "own_mend": "session_store_port",
                    "own_ports": {"gazette-store": "{{ session_store_port }}"},
                },
            }
        ],
    }
]
PLAY = [
    {
        "hosts": "all",
        "gather_facts": False,
        "vars_files": [str(ROOT / "playbooks/vars/site.yml")],
        "tasks": [
            {
                "name": "Topology",
                "ansible.builtin.include_tasks": str(ROOT / "playbooks/tasks/store_topology.yml"),
                "when": "split_store_networked",
            },
            {
                "name": "Where it is",
                "ansible.builtin.debug": {"msg": "url={{ split_store_urls.store }}"},
            },
        ],
    }
]


def run(
    folder: Path,
    redis: dict[str, str],
    admin: str = "app",
    play: list[dict[str, Any]] = PLAY,
    newer: str = "",
    **variables: Any,
) -> str:
    """What a run says about hosts of the group redis with these addresses."""
    seen = {"process_manager": "systemd", "distribution": {"version": "12"}}
    hosts: dict[str, dict[str, Any]] = {
        name: {"ansible_host": at, "split_host": seen} for name, at in redis.items()
    }
    hosts.setdefault(admin, {"ansible_host": "10.0.0.9", "split_host": seen})
    if newer:
        hosts[newer]["split_host"] = {**seen, "distribution": {"version": "13"}}
    inventory = {
        "all": {
            "hosts": hosts,
            "vars": {
                "ansible_connection": "local",
                "ansible_python_interpreter": "/usr/bin/python3",
                "site_name": "gazette",
                **variables,
            },
            "children": {
                "redis": {"hosts": {name: {} for name in redis}},
                "admin": {"hosts": {admin: {}}},
            },
        }
    }
    (folder / "hosts.yml").write_text(json.dumps(inventory))
    (folder / "play.yml").write_text(json.dumps(play))
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible-playbook")),
            *("-i", "hosts.yml", "play.yml"),
        ],
        cwd=folder,
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "COLUMNS": "2000"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return " ".join((done.stdout + done.stderr).split())


THREE = {"one": "10.0.0.1", "two": "10.0.0.2", "three": "10.0.0.3"}


def test_three_hosts_are_asked_by_sentinel(tmp_path: Path) -> None:
    said = run(tmp_path, THREE)
    assert "failed=1" not in said
    places = "10.0.0.1:26379,10.0.0.2:26379,10.0.0.3:26379"
    assert f"url=rediss+sentinel://{places}/gazette?db=0" in said


def test_one_host_elsewhere_is_asked_by_tls(tmp_path: Path) -> None:
    said = run(tmp_path, {"one": "fd00::1"}, session_store_port=6390)
    assert "failed=1" not in said
    assert "url=rediss://[fd00::1]:6390/0" in said


def test_the_admins_own_host_is_asked_by_its_socket(tmp_path: Path) -> None:
    said = run(tmp_path, {"app": "10.0.0.9"})
    assert "url=unix:///run/gazette/store/store.sock?db=0" in said


@pytest.mark.parametrize(
    ("redis", "variables", "what"),
    [
        ({"one": "10.0.0.1", "two": "10.0.0.2"}, {}, "Two hosts cannot be a session store"),
        (THREE, {"session_store": "memcached"}, "session_store is memcached"),
        (THREE, {"session_engine": "cached_db"}, "session_engine is cached_db"),
        (THREE, {"public_sessions": "redis"}, "public_sessions is redis"),
        ({"one": "127.0.0.1"}, {}, "Say site_address for each"),
        (THREE | {"three": "10.0.0.1"}, {}, "have one address"),
        (THREE, {"session_store_min_replicas": 3}, "nobody could sign in"),
        (THREE, {"newer": "two"}, "a replica cannot read what a newer Redis writes"),
    ],
)
def test_what_cannot_be_is_refused_with_the_mend(
    tmp_path: Path, redis: dict[str, str], variables: dict[str, Any], what: str
) -> None:
    said = run(tmp_path, redis, **variables)
    assert what in said
    assert "Nothing has been changed" in said


def test_an_address_is_the_hosts_own_and_its_port_is_free(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        hosts = {"wrong": "192.0.2.77", "taken": "127.0.0.1", "right": "127.0.0.2"}
        said = run(tmp_path, hosts, "right", OWN_ADDRESS, session_store_port=port)
    wrong = "192.0.2.77 (site_address, or ansible_host without it) is no address of this host."
    assert f"wrong: {wrong}" in said
    assert f"has somebody else listening on port {port}. Say another site_address" in said
    assert "right: 127.0.0.2" not in said


def test_one_host_that_was_one_of_several_is_refused(tmp_path: Path) -> None:
    task = {
        "name": "Alone",
        "ansible.builtin.include_tasks": str(ROOT / "playbooks/tasks/store_alone.yml"),
        "vars": {"split_state": str(tmp_path)},
    }
    alone = [{**OWN_ADDRESS[0], "tasks": [task]}]
    assert "failed=0" in run(tmp_path, {"one": "10.0.0.1"}, "one", alone)
    (tmp_path / "sentinel").mkdir()
    (tmp_path / "sentinel" / "node.conf").touch()
    said = run(tmp_path, {"one": "10.0.0.1"}, "one", alone)
    assert "has one alone, which was one of several hosts of the store" in said
    assert "Nothing has been changed" in said
