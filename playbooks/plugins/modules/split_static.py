#!/usr/bin/python
"""Show the static files of a release: what is new before it serves, the rest when it does."""

from __future__ import annotations

DOCUMENTATION = r"""
module: split_static
short_description: Bring a release's static files to the folder that nginx shows
description:
  - A release's own are in C(releases/ID/static) below I(home), what nginx shows is
    C(shared/static). A release without such a folder reads the shared one, as all did once; then
    nothing is changed.
  - Neither folder is left writable for anybody but its owner.
  - A file is put there as a link where there can be one, and by a rename, so that nobody is shown
    half of it.
options:
  home: {description: The site's folder., type: path, required: true}
  release: {description: The release's id., type: str, required: true}
  state:
    description:
      - C(added) puts there what no release has shown yet, and leaves what is shown as it is.
      - C(current) also replaces what another release shows under a name of this one's, and removes
        what no kept release has had for a day, when all of them have a folder of their own.
    type: str
    required: true
  user: {description: Whom both folders belong to., type: str, required: true}
  releases:
    description: >-
      The releases that are kept, on a host that has only their static files; others go from it.
      Without it they are those that are complete here.
    type: list
    elements: str
"""

import errno
import os
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.split_pruned import remove
from ansible.module_utils.split_static import (
    acting_as,
    close,
    compare,
    forget,
    forgotten,
    linkable,
    share,
    show,
    writable,
)

OPTIONS = {
    "home": {"type": "path", "required": True},
    "release": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["added", "current"], "required": True},
    "user": {"type": "str", "required": True},
    "releases": {"type": "list", "elements": "str"},
}


def listed(folder: str) -> list[str]:
    found = os.listdir(folder) if os.path.isdir(folder) else []
    return sorted(name for name in found if not name.startswith("."))


def complete(folder: str) -> list[str]:
    return [
        name for name in listed(folder) if os.path.exists(os.path.join(folder, name, ".complete"))
    ]


def bring(own: str, shared: str, state: str, check_mode: bool) -> dict[str, int]:
    """Compare and, outside of check mode, act; how many names of each kind that was about."""
    # collectstatic's umask is that of the instances, which share uploads.
    opened = writable(own) + writable(shared)
    if not check_mode:
        close(opened)
    found = compare(own, shared)
    alike = found.alike if linkable(own, shared) else []
    other = found.other if state == "current" else []
    done = {"added": len(found.new), "replaced": len(other), "linked": len(alike)}
    done |= {"closed": len(opened), "removed": 0}
    if not check_mode:
        show(own, shared, found.new + other)
        done["linked"] = share(own, shared, alike)
    return done


def known(folder: str, kept: list[str], gone: list[str]) -> list[str]:
    """The static folders of all releases here: what is in none of them is nobody's.

    None where a kept release reads the shared folder: which of the names there are its own, nobody
    knows.
    """
    trees = {
        name: os.path.join(folder, name, "static") for name in listed(folder) if name not in gone
    }
    if not all(os.path.isdir(trees.get(name, "")) for name in kept):
        return []
    # Also those of releases that failed: they are there for study.
    return [path for path in trees.values() if os.path.isdir(path)]


def clear(shared: str, trees: list[str], now: float, check_mode: bool) -> int:
    """Remove what no release has; how many names and folders."""
    gone = forgotten(shared, trees, now)
    return len(gone) if check_mode else forget(shared, gone)


def advice(module: AnsibleModule, own: str, shared: str, error: OSError) -> str:
    """What went wrong, what is left, and what to type."""
    params = module.params
    # Of a link and of a rename: what was to be there.
    place = str(error.filename2 or error.filename or shared)
    mend = "Mend the cause"
    if error.errno in (errno.EACCES, errno.EPERM):
        folder = own if place.startswith(own) else shared
        mend = f"All of it belongs to {params['user']}: chown -R {params['user']} {folder}"
    elif error.errno in (errno.ENOSPC, errno.EDQUOT):
        mend = "Make room on the disk"
    left = (
        "What serves is as it was."
        if params["state"] == "added"
        else f"Release {params['release']} serves, with files of the one before under some names."
    )
    return (
        f"the static files of release {params['release']} do not come to where nginx shows them: "
        f"{place}: {error.strerror}. {left} {mend}, and run the same command again."
    )


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    home, release, given = (module.params[name] for name in ("home", "release", "releases"))
    folder, shared = os.path.join(home, "releases"), os.path.join(home, "shared", "static")
    own = os.path.join(folder, release, "static")
    kept = complete(folder) if given is None else given
    result: dict[str, Any] = {"changed": False, "releases": kept, "here": os.path.isdir(own)}
    if not result["here"] or not os.path.isdir(shared):
        module.exit_json(**result)

    # Not when somebody knows nothing of the release itself: what else is kept would be a guess.
    prunes = module.params["state"] == "current" and release in kept
    gone = [name for name in listed(folder) if name not in kept] if prunes and given else []
    if given is not None and not module.check_mode:
        # Releases of which this host has nothing but static files.
        remove(folder, gone)
    trees = known(folder, kept, gone) if prunes else []
    try:
        with acting_as(module.params["user"]):
            done = bring(own, shared, module.params["state"], module.check_mode)
            if trees:
                done["removed"] = clear(shared, trees, time.time(), module.check_mode)
    except OSError as error:
        module.fail_json(msg=advice(module, own, shared, error), **result)
    except KeyError:
        module.fail_json(msg=f"there is no user {module.params['user']} on this host", **result)
    result.update(done, pruned=gone, changed=bool(gone) or any(done.values()))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
