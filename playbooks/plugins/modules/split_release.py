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
        serves
        and prunes. C(failed) sets a half-built one aside for study under C(failed-ID).
    type: str
  keep: {description: How many releases are kept beside those that serve., type: int}
  history: {description: Where is written down who made it C(current)., type: path}
  by: {description: Who that is., type: str}
  playbook: {description: What was run., type: str}
"""

import json
import os
import shutil
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.split_history import deployed

OPTIONS = {
    "home": {"type": "path", "required": True},
    "release": {"type": "str", "required": True},
    "state": {
        "type": "str",
        "choices": ["seen", "complete", "current", "failed"],
        "default": "seen",
    },
    "keep": {"type": "int", "default": 3},
    "history": {"type": "path"},
    "by": {"type": "str", "default": ""},
    "playbook": {"type": "str", "default": ""},
}

# In a release that has served.
SERVED = ".served"


def read_json(path: str) -> dict[str, Any]:
    try:
        with open(path) as file:
            content: dict[str, Any] = json.load(file)
    except (OSError, ValueError):
        return {}
    return content


def linked(path: str) -> str:
    return os.path.basename(os.readlink(path)) if os.path.islink(path) else ""


def serving(home: str) -> set[str]:
    """The releases that an instance's link names: these are never pruned, whatever ``current``
    says.
    """
    live = os.path.join(home, "live")
    names = {linked(os.path.join(home, "current"))}
    for link in os.listdir(live) if os.path.isdir(live) else ():
        # main-3f2a….sock
        names.add(linked(os.path.join(live, link)).rpartition("-")[2].partition(".")[0])
    return names - {""}


def prune(home: str, release: str, keep: int, check_mode: bool) -> list[str]:
    """Remove the oldest releases beyond ``keep``; those that never served go first.

    Or two that the gate refused would push out the one to go back to.
    """
    folder = os.path.join(home, "releases")
    used = serving(home) | {release}
    spare = [name for name in os.listdir(folder) if name not in used and not name.startswith(".")]

    def worth(name: str) -> tuple[bool, float]:
        path = os.path.join(folder, name)
        return os.path.exists(os.path.join(path, SERVED)), os.stat(path).st_mtime

    spare.sort(key=worth, reverse=True)
    # The one that serves is among those kept.
    gone = spare[max(keep - 1, 0) :]
    for name in gone if not check_mode else ():
        # Renamed first: a kill in the middle must not leave half a release under a good name.
        doomed = os.path.join(folder, ".pruned-" + name)
        os.rename(os.path.join(folder, name), doomed)
    if not check_mode:
        for name in os.listdir(folder):
            if name.startswith(".pruned-"):
                shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
    return gone


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    home, release, state = (module.params[name] for name in ("home", "release", "state"))
    path = os.path.join(home, "releases", release)
    marker = os.path.join(path, ".complete")
    result = {"changed": False, "path": path, "pruned": []}

    if state == "complete" and not os.path.exists(marker):
        result["changed"] = True
        if not module.check_mode:
            with open(marker + ".new", "w"):
                pass
            os.rename(marker + ".new", marker)
    if state == "failed" and os.path.isdir(path) and not os.path.exists(marker):
        result["changed"] = True
        aside = os.path.join(home, "releases", "failed-" + release)
        if not module.check_mode:
            shutil.rmtree(aside, ignore_errors=True)
            os.rename(path, aside)
        result["path"] = aside
    before = linked(os.path.join(home, "current"))
    if state == "current" and before != release and module.params["history"]:
        # First: a run that is killed in between finds it written, and links.
        said = {name: module.params[name] for name in ("by", "playbook")}
        if not module.check_mode:
            deployed(module.params["history"], release, before, said)
    if state == "current":
        link = os.path.join(home, "current")
        if linked(link) != release:
            result["changed"] = True
            if not module.check_mode:
                if os.path.islink(link + ".new"):
                    os.unlink(link + ".new")
                os.symlink(os.path.join("releases", release), link + ".new")
                os.rename(link + ".new", link)
        if os.path.isdir(path) and not module.check_mode:
            with open(os.path.join(path, SERVED), "a"):
                pass
        if os.path.isdir(os.path.join(home, "releases")):
            result["pruned"] = prune(home, release, module.params["keep"], module.check_mode)
            result["changed"] = result["changed"] or bool(result["pruned"])

    result["complete"] = os.path.exists(marker)
    result["plan"] = read_json(os.path.join(path, "plan.json")) if result["complete"] else {}
    result["serving"] = sorted(serving(home))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
