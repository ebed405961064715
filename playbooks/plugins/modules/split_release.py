#!/usr/bin/python
"""What releases a host has, which of them serves, and which can go."""

from __future__ import annotations

DOCUMENTATION = r"""
module: split_release
short_description: Look at a site's releases, publish the one that serves, prune old ones
options:
  home: {description: The site's folder., type: path, required: true}
  release: {description: The release's id., type: str, required: true}
  state:
    description:
      - C(seen) only looks. C(complete) marks a built release, C(current) links it as the one that
        serves and prunes. C(failed) sets a half-built one aside for study under C(failed-ID), and
        marks one that the gate refused; of those, too, only I(keep) stay.
    type: str
  keep: {description: How many releases are kept beside those that serve., type: int}
  deployed:
    description: >-
      With C(current), whether this is a deploy. A rollback is none: what is before the release that
      it went back to is still what was deployed before that.
    type: bool
  reason: {description: "With C(failed), the step that failed and why.", type: str}
  free_megabytes:
    description: >-
      With C(failed), when the file system has less free than this, a half-built release is removed
      instead of kept: what serves needs the room.
    type: int
  history: {description: Where is written down who made it C(current)., type: path}
  by: {description: Who that is., type: str}
  playbook: {description: What was run., type: str}
"""

import json
import os
import shutil
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.split_busy import busy
from ansible.module_utils.split_flip import unfinished
from ansible.module_utils.split_history import deployed
from ansible.module_utils.split_pruned import remove
from ansible.module_utils.split_releases import (
    COMPLETE,
    SERVED,
    back,
    linked,
    names,
    order,
    served,
    serving,
)

OPTIONS = {
    "home": {"type": "path", "required": True},
    "release": {"type": "str", "required": True},
    "state": {
        "type": "str",
        "choices": ["seen", "complete", "current", "failed"],
        "default": "seen",
    },
    "keep": {"type": "int", "default": 3},
    "deployed": {"type": "bool", "default": True},
    "reason": {"type": "str", "default": ""},
    "free_megabytes": {"type": "int", "default": 0},
    "history": {"type": "path"},
    "by": {"type": "str", "default": ""},
    "playbook": {"type": "str", "default": ""},
}

# In a release that did not come to serve: when, at which step, why.
FAILED = ".failed"


def read_json(path: str) -> dict[str, Any]:
    try:
        with open(path) as file:
            content: dict[str, Any] = json.load(file)
    except (OSError, ValueError):
        return {}
    return content


def prune(home: str, release: str, keep: int, check_mode: bool) -> tuple[list[str], list[str]]:
    """Remove the oldest releases beyond ``keep``; those that never served go first.

    Or two that the gate refused would push out the one to go back to. Returns what went, and what
    is left only because a process still runs in it.
    """
    used = serving(home) | {release}
    spare = order(home, [name for name in names(home) if name not in used])
    # The one that serves is among those kept.
    beyond = spare[max(keep - 1, 0) :]
    running = busy(home) if beyond else set()
    gone = [name for name in beyond if name not in running]
    if not check_mode:
        remove(os.path.join(home, "releases"), gone)
        prune_virtualenvs(home)
    return gone, [name for name in beyond if name in running]


def prune_failed(home: str, keep: int) -> list[str]:
    """Of those that never served only ``keep`` stay: a release that fails again and again must not
    fill the disk. What has served is not touched.
    """
    used = serving(home)
    folder = os.path.join(home, "releases")
    never = [
        name
        for name in names(home)
        if name not in used and not os.path.exists(os.path.join(folder, name, SERVED))
    ]
    gone: list[str] = order(home, never)[max(keep, 1) :]
    remove(folder, gone)
    prune_virtualenvs(home)
    return gone


def prune_virtualenvs(home: str) -> None:
    """Remove virtualenvs that no release has, whatever became of the release."""
    folder = os.path.join(home, "venvs")
    used = set()
    for name in names(home):
        link = os.path.join(home, "releases", name, "venv")
        if os.path.islink(link):
            used.add(os.path.basename(os.path.dirname(os.readlink(link))))
    listed = os.listdir(folder) if os.path.isdir(folder) else []
    remove(folder, [name for name in listed if not name.startswith(".") and name not in used])


def write_mark(path: str, text: str) -> None:
    with open(path + ".new", "w") as mark:
        mark.write(text)
    os.rename(path + ".new", path)


def fail(home: str, release: str, reason: str, free_megabytes: int) -> dict[str, Any]:
    """Set a half-built release aside, or mark a built one; or remove it where the disk is full."""
    path = os.path.join(home, "releases", release)
    space = os.statvfs(os.path.dirname(path))
    free = space.f_bavail * space.f_frsize // 1000000
    # Some file systems have no fixed number of files and say 0.
    short = free < free_megabytes or (space.f_files > 0 and space.f_favail < 1000)
    built = os.path.exists(os.path.join(path, COMPLETE))
    if short and not built:
        remove(os.path.join(home, "releases"), [release])
        prune_virtualenvs(home)
        return {"path": "", "free_megabytes": free}
    if not built:
        aside = os.path.join(home, "releases", "failed-" + release)
        shutil.rmtree(aside, ignore_errors=True)
        os.rename(path, aside)
        path = aside
    told = {"release": release, "time": int(time.time()), "reason": reason}
    write_mark(os.path.join(path, FAILED), json.dumps(told) + "\n")
    return {"path": path, "free_megabytes": free}


def publish(home: str, release: str, deploy: bool, check_mode: bool) -> bool:
    """Link the release as the one that serves; whether that was another before."""
    link, path = os.path.join(home, "current"), os.path.join(home, "releases", release)
    other: bool = linked(link) != release
    if check_mode:
        return other
    if other:
        if os.path.islink(link + ".new"):
            os.unlink(link + ".new")
        os.symlink(os.path.join("releases", release), link + ".new")
        os.rename(link + ".new", link)
    if os.path.isdir(path):
        served = os.path.join(path, SERVED)
        if not os.path.exists(served):
            write_mark(served, "")
        elif other and deploy:
            os.utime(served)
        if os.path.exists(os.path.join(path, FAILED)):
            os.unlink(os.path.join(path, FAILED))
    return other


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    home, release, state = (module.params[name] for name in ("home", "release", "state"))
    path = os.path.join(home, "releases", release)
    marker = os.path.join(path, COMPLETE)
    result: dict[str, Any] = {"changed": False, "path": path, "pruned": [], "busy": []}

    if state == "complete" and not os.path.exists(marker):
        result["changed"] = True
        if not module.check_mode:
            # Or a power cut in the next seconds leaves the mark, and files that are empty.
            module.run_command(["sync", "--file-system", path], check_rc=True)
            write_mark(marker, "")
    if state == "failed" and not os.path.isdir(path):
        result["path"] = ""  # it failed before there was anything of it
    # One that serves has not failed, whatever became of the run.
    elif state == "failed" and release not in serving(home):
        result["changed"] = True
        if not module.check_mode:
            params = module.params
            result.update(fail(home, release, params["reason"], params["free_megabytes"]))
            result["pruned"] = prune_failed(home, params["keep"])
    if state == "current":
        before, history = linked(os.path.join(home, "current")), module.params["history"]
        if history and before != release and not module.check_mode:
            # First: a run that is killed in between finds it written, and links.
            said = {name: module.params[name] for name in ("by", "playbook")}
            deployed(history, release, before, said)
        result["changed"] = publish(home, release, module.params["deployed"], module.check_mode)
        if os.path.isdir(os.path.join(home, "releases")):
            keep, check_mode = module.params["keep"], module.check_mode
            result["pruned"], result["busy"] = prune(home, release, keep, check_mode)
            result["changed"] = result["changed"] or bool(result["pruned"])

    result["complete"] = os.path.exists(marker)
    result["plan"] = read_json(os.path.join(path, "plan.json")) if result["complete"] else {}
    result["serving"] = sorted(serving(home))
    result["current"] = linked(os.path.join(home, "current"))
    result["served"] = served(home)
    result["back"] = back(home)
    flip = unfinished(home)
    # What nginx may be configured for, beside what serves.
    result["left"] = flip.get("left", [])
    result["unfinished"] = bool(flip)
    result["hook_due"] = flip.get("release") == release and flip["hook"]
    module.exit_json(**result)


if __name__ == "__main__":
    main()
