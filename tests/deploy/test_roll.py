"""Which hosts of a roll that failed go back to what, in the role's own words."""

from __future__ import annotations

from typing import Any

import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from tests.support.plugins import REPOSITORY


def backs(hosts: dict[str, dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Host, instance and release of each that goes back; all hosts are main's and the admin's."""
    text = yaml.safe_load((REPOSITORY / "roles" / "instance" / "vars" / "main.yml").read_text())
    variables = {
        "instance_backs": trust_as_template(text["instance_backs"]),
        "groups": {"main": list(hosts), "admin": list(hosts)},
        "hostvars": hosts,
    }
    found = Templar(DataLoader(), variables=variables).template(variables["instance_backs"])
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
        "same": {"instance_done": done(changed=False)},
        "first": {"instance_done": done(before="")},
        "away": {"instance_done": {"unreachable": True, "msg": "no route", "changed": False}},
    }
    assert backs(hosts) == []
