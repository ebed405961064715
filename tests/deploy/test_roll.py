"""Which hosts of a roll that failed go back to what, in the role's own words.

The roll itself, by Ansible and the role, with a module that only writes down what it is asked: real
gunicorns on real hosts are in tests/fleet/test_cluster.py, in `make soak`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.plugins import REPOSITORY
from tests.support.role_variables import role_variable

from . import writing


def backs(hosts: dict[str, dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Host, instance and release of each that goes back; all hosts are main's and the admin's."""
    groups = {"main": list(hosts), "admin": list(hosts)}
    found = role_variable("instance", "instance_backs", groups=groups, hostvars=hosts)
    return [(each["host"], each["instance"], each["release"]) for each in found]


def done(state: str = "serving", instance: str = "main", **said: Any) -> dict[str, Any]:
    socket = f"/run/gazette/{instance}/{instance}-0ld.sock"
    return {"state": state, "instance": instance, "before": socket, "changed": True, **said}


def test_what_was_flipped_goes_back_the_last_first() -> None:
    flipped = {
        "admin": "/run/gazette/admin/admin-0ld.sock",
        "main": "/run/gazette/main/main-0ld.sock",
    }
    assert backs({"one": {"instance_flipped": flipped}, "two": {}}) == [
        ("one", "main", "0ld"),
        ("one", "admin", "0ld"),
    ]


def test_of_those_that_were_flipped_together_all_go_back() -> None:
    """The one that failed did so behind its flip; the other was not given time to write it down."""
    hosts = {"one": {"instance_done": done()}, "two": {"instance_done": done(failed=True)}}
    assert backs(hosts) == [("two", "main", "0ld"), ("one", "main", "0ld")]


def test_who_was_not_flipped_has_nothing_to_go_back_from() -> None:
    hosts = {
        "gated": {"instance_done": done("gated")},
        "refused": {"instance_done": {"failed": True, "msg": "the gate refused it"}},
        "first": {"instance_done": done(before="")},
        "away": {"instance_done": {"unreachable": True, "msg": "no route", "changed": False}},
    }
    assert backs(hosts) == []


def test_what_a_killed_run_has_flipped_goes_back_too() -> None:
    """This run found it flipped, and changed nothing there."""
    assert backs({"one": {"instance_done": done(changed=False)}}) == [("one", "main", "0ld")]


MODULE = """
from ansible.module_utils.basic import AnsibleModule
import os
words = ("state", "site", "instance", "release", "socket", "link", "current", "gate")
module = AnsibleModule(argument_spec={word: {"type": "raw"} for word in words})
state, instance, release = (module.params[word] for word in ("state", "instance", "release"))
said = {"state": state, "instance": instance, "serves": release, "changed": True}
said["before"] = f"/run/gazette/{instance}/{instance}-0ld.sock"
with open(SAID, "a") as file:
    file.write(f"{state} {os.environ['HOST']} {instance} {release}\\n")
if (os.environ["HOST"], instance, release) == ("three", "main", "n3w"):
    module.fail_json(msg="the old one does not end", **said)
module.exit_json(**said)
"""
HOSTS = {
    "all": {
        "vars": {
            "ansible_connection": "local",
            "ansible_python_interpreter": "/usr/bin/python3",
            "site_name": "gazette",
            "site_hosts": ["news.example"],
            "split_release_id": "n3w",
            "split_plan": {"admin": {}, "proxy": {}},
            "split_host": {"process_manager": "systemd"},
            "site_processes": [{"name": "ticker", "command": "x", "before_migrations": "stop"}],
        },
        "children": {
            "admin": {"hosts": {"desk": {}, "one": {}}},
            "main": {"hosts": {"one": {}, "two": {}, "three": {}, "four": {}}},
        },
    }
}


def roll(place: Path, serial: int | str) -> tuple[str, list[str]]:
    """Roll a release that the host called three refuses to main: what is said, and what is done."""
    modules = writing.library(place, split_instance=MODULE, split_service=writing.SERVICE)
    plays = yaml.safe_load((REPOSITORY / "playbooks" / "instances.yml").read_text())
    both = [play for play in plays if play["name"] in ("Admin instance", "Main instance")]
    for play in both:
        del play["pre_tasks"]
        play["vars_files"] = [str(REPOSITORY / "playbooks/vars/site.yml")]
        play["environment"] = {"HOST": "{{ inventory_hostname }}"}
    # In the playbook the gate comes before: a play's own keywords know hosts once one has run.
    first = {"hosts": "all", "gather_facts": False, "tasks": [{"ansible.builtin.meta": "noop"}]}
    words = ["-e", json.dumps({"site_serial": serial})]
    told = writing.refused(place, HOSTS, [first, *both], *words, ANSIBLE_LIBRARY=modules)
    return told, writing.said(place)


@pytest.mark.parametrize("serial", [1, "75%"])
def test_a_host_that_fails_takes_back_those_that_were_flipped_and_spares_the_rest(
    tmp_path: Path, serial: int | str
) -> None:
    said, done = roll(tmp_path, serial)
    assert "the old one does not end" in said
    assert "went back to the one before" in said
    assert "The other hosts were not touched" in said
    mains = {line.split()[1] for line in done if line.endswith("main n3w")}
    assert mains == {"one", "two", "three"}
    # Once each, whichever host does it for the others.
    back = sorted(line.split(" ", 2)[2] for line in done if line.endswith(" 0ld"))
    assert back == ["admin 0ld"] * 2 + ["main 0ld"] * 3
    # Also where it was started and its turn did not come.
    ended = sorted(line.split(" ", 2)[2] for line in done if line.startswith("withdrawn "))
    assert ended == ["admin n3w"] * 2 + ["main n3w"] * 4
    # What ended before tables changed is with the release that serves again, when that does.
    assert done[-1] == "resumed gazette-ticker"
