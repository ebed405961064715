#!/usr/bin/python
"""The users and groups of a site: one module run where a task each took six seconds."""

from __future__ import annotations

DOCUMENTATION = r"""
module: split_accounts
short_description: System users and groups, made in one run and removed in one
options:
  groups: {description: Names of groups that shall exist., type: list, elements: str}
  users: {description: System users., type: list, elements: dict}
  members:
    description: A user and the groups that it shall be in too; groups not named are left alone.
    type: list
    elements: dict
  not_members:
    description: A user and the groups that it shall not be in, as C(members) has them.
    type: list
    elements: dict
  claim:
    description: >-
      A file that says whose these accounts are. It is written before the first of them is made: a
      run that is killed in between must know them for its own the next time.
    type: path
  state: {description: present or absent., type: str, default: present}
notes:
  - No user gets a shell, a password or a home of its own.
"""

import grp
import os
import pwd
import subprocess
from collections.abc import Iterator
from typing import Any

from ansible.module_utils.basic import AnsibleModule

MEMBERS = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "user": {"type": "str", "required": True},
        "groups": {"type": "list", "elements": "str", "required": True},
    },
}
OPTIONS = {
    "groups": {"type": "list", "elements": "str", "default": []},
    "users": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "group": {"type": "str", "required": True},
            "comment": {"type": "str", "default": ""},
            "home": {"type": "path", "default": "/nonexistent"},
        },
    },
    "members": MEMBERS,
    "not_members": MEMBERS,
    "claim": {"type": "path"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def group(name: str) -> grp.struct_group | None:
    try:
        return grp.getgrnam(name)
    except KeyError:
        return None


def user(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def memberships(entries: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(entry["user"], other) for entry in entries for other in entry["groups"]]


def present(wanted: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """What each missing command does, and the command, between this host and what is wanted."""
    for name in wanted["groups"]:
        if group(name) is None:
            yield f"group {name}", ["groupadd", "--system", name]
    for account in wanted["users"]:
        name, primary = account["name"], account["group"]
        found = user(name)
        if found is None:
            yield (
                f"user {name}",
                [
                    "useradd",
                    "--system",
                    "--gid",
                    primary,
                    "--home-dir",
                    account["home"],
                    "--no-create-home",
                    "--shell",
                    "/usr/sbin/nologin",
                    "--comment",
                    account["comment"],
                    name,
                ],
            )
            continue
        known = group(primary)
        if known is None or found.pw_gid != known.gr_gid:
            yield f"group of {name}", ["usermod", "--gid", primary, name]
    for name, other in memberships(wanted["members"]):
        known = group(other)
        if known is None or name not in known.gr_mem:
            yield f"{name} in {other}", ["gpasswd", "--add", name, other]
    yield from not_members(wanted["not_members"])


def not_members(entries: list[dict[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    for name, other in memberships(entries):
        known = group(other)
        if known is not None and name in known.gr_mem:
            yield f"{name} not in {other}", ["gpasswd", "--delete", name, other]


def absent(wanted: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    yield from not_members(wanted["members"])
    for account in wanted["users"]:
        if user(account["name"]) is not None:
            yield "user {}".format(account["name"]), ["userdel", account["name"]]
    for name in wanted["groups"]:
        if group(name) is not None:
            yield f"group {name}", ["groupdel", name]


def processes_of(name: str) -> list[str]:
    """Processes that a user still has here, as "pid command".

    A container's user may have the same number without being the same one: a process of another
    pid namespace, which its status shows by more than one number, is not ours.
    """
    account = user(name)
    found: list[str] = []
    if account is None:
        return found
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/status") as file:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        except OSError:
            continue
        if int(status["Uid"].split()[0]) == account.pw_uid and len(status["NSpid"].split()) == 1:
            found.append(f"{pid} {status['Name']}")
    return found


def run(command: list[str]) -> str:
    """Run one of the commands above; returns what went wrong, or nothing."""
    ran = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    # userdel also removes the user's own group; then groupdel has nothing left (6: no such group).
    if ran.returncode == 0 or (command[0] == "groupdel" and ran.returncode == 6):
        return ""
    # 8: a process has the user's number.
    if command[0] == "userdel" and ran.returncode == 8 and command[1] != "--force":
        left = processes_of(command[-1])
        if left:
            return f"{ran.stdout.strip()}; end it and run again: {', '.join(left)}"
        return run(["userdel", "--force", command[-1]])
    return f"{' '.join(command)}: {ran.stdout.strip()}"


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    steps = present if module.params["state"] == "present" else absent
    done = []
    claimed = module.params["claim"]
    if claimed and module.params["state"] == "present" and not os.path.exists(claimed):
        done.append(claimed)
        if not module.check_mode:
            os.makedirs(os.path.dirname(claimed), 0o755, exist_ok=True)
            with open(claimed, "w"):
                pass
    for what, command in steps(module.params):
        done.append(what)
        if module.check_mode:
            continue
        wrong = run(command)
        if wrong:
            module.fail_json(msg=wrong, done=done)
    module.exit_json(changed=bool(done), done=done)


if __name__ == "__main__":
    main()
