"""What a release leaves that is refused behind its migrations: the roles' and playbooks' own tasks,
by Ansible, with modules that only write down.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import yaml

from tests.support.plugins import REPOSITORY

from . import writing

SITE = {
    "ansible_connection": "local",
    "ansible_python_interpreter": "/usr/bin/python3",
    "site_name": "gazette",
    "site_processes": [{"name": "ticker", "command": "x", "before_migrations": "stop"}],
    "split_release_id": "n3w",
    "site_hosts": ["news.example"],
    "split_plan": {"admin": {}, "proxy": {}},
    "split_host": {"process_manager": "systemd"},
}


# A run that was killed has flipped the admin; main does not pass.
HALF = """
from ansible.module_utils.basic import AnsibleModule
words = ("state", "site", "instance", "release", "socket", "link", "current", "gate")
module = AnsibleModule(argument_spec={word: {"type": "raw"} for word in words})
state, instance, release = (module.params[word] for word in ("state", "instance", "release"))
with open(SAID, "a") as file:
    file.write(f"{state} {instance} {release}\\n")
if (state, instance) == ("gated", "main"):
    module.fail_json(msg="it is refused")
before = "/run/gazette/admin/admin-0ld.sock" if state == "gated" else ""
module.exit_json(state=state, instance=instance, serves=release, before=before, changed=False)
"""
TREE = """
from ansible.module_utils.basic import AnsibleModule
words = ("manifest", "files")
AnsibleModule(argument_spec={word: {"type": "raw"} for word in words}).exit_json()
"""


def refused(place: Path, play: dict[str, Any], **modules: str) -> str:
    """Run a play that fails on the one host of the site; what is said."""
    groups = {group: {"hosts": {"one": SITE}} for group in ("admin", "main")}
    hosts = {"all": {"children": groups}}
    shared = {
        "hosts": "admin",
        "gather_facts": False,
        "vars_files": [str(REPOSITORY / "playbooks/vars/site.yml")],
    }
    environ = {
        "ANSIBLE_LIBRARY": writing.library(place, split_service=writing.SERVICE, **modules),
        # The one that installs files would.
        "ANSIBLE_ACTION_PLUGINS": str(place / "none"),
        "ANSIBLE_ROLES_PATH": f"{place}/roles:{REPOSITORY}/roles",
    }
    return writing.refused(place, hosts, [{**shared, **play}], **environ)


def test_when_static_files_cannot_be_shown(tmp_path: Path) -> None:
    """The release is built and the database migrated by then."""
    role = tmp_path / "roles" / "release"
    shutil.copytree(REPOSITORY / "roles" / "release", role)
    tasks = yaml.safe_load((role / "tasks" / "main.yml").read_text())
    [static] = [task for task in tasks if "static.yml" in json.dumps(task)]
    (role / "tasks" / "shown.yml").write_text(json.dumps([static]))
    shown = {"ansible.builtin.include_role": {"name": "release", "tasks_from": "shown"}}
    said = refused(tmp_path, {"tasks": [shown]}, split_static=writing.FULL)
    assert writing.said(tmp_path) == ["resumed gazette-ticker"], said
    assert "Static files, added: failed." in said
    assert "No space left on device" in said
    assert "Nobody's traffic has moved" in said


def test_a_release_that_a_killed_run_gave_to_the_admin_alone_is_taken_back(tmp_path: Path) -> None:
    play = yaml.safe_load((REPOSITORY / "playbooks" / "instances.yml").read_text())[0]
    del play["pre_tasks"], play["hosts"], play["vars_files"]
    said = refused(tmp_path, play, split_instance=HALF, split_tree=TREE)
    assert "it is refused" in said
    assert writing.said(tmp_path) == [
        "gated admin n3w",
        "gated main n3w",
        "serving admin 0ld",
        "withdrawn admin n3w",
        "withdrawn main n3w",
        "resumed gazette-ticker",
    ]
