"""A session store over the network: what it cannot be is said before anything changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import ROOT

PLAY = [
    {
        "hosts": "all",
        "gather_facts": False,
        "vars_files": [str(ROOT / "playbooks/vars/site.yml")],
        "vars": {"split_host": {"process_manager": "systemd"}},
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


def run(folder: Path, redis: dict[str, str], admin: str = "app", **variables: Any) -> str:
    """What a run says about hosts of the group redis with these addresses."""
    hosts = {name: {"ansible_host": address} for name, address in redis.items()}
    hosts.setdefault(admin, {"ansible_host": "10.0.0.9"})
    inventory = {
        "all": {
            "hosts": hosts,
            "vars": {"ansible_connection": "local", "site_name": "gazette", **variables},
            "children": {
                "redis": {"hosts": {name: {} for name in redis}},
                "admin": {"hosts": {admin: {}}},
            },
        }
    }
    (folder / "hosts.yml").write_text(json.dumps(inventory))
    (folder / "play.yml").write_text(json.dumps(PLAY))
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
    ],
)
def test_what_cannot_be_is_refused_with_the_mend(
    tmp_path: Path, redis: dict[str, str], variables: dict[str, Any], what: str
) -> None:
    said = run(tmp_path, redis, **variables)
    assert what in said
    assert "Nothing has been changed" in said
