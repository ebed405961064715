"""Task files of the operator's own: that each is one, and for a moment that there is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from ansible.errors import AnsibleError

from preflight_checks.values import Finding, Values

STEPS = ("build", "plan", "check", "migrate", "collectstatic", "gate", "flip")
MOMENTS = tuple(f"{when}_{step}" for step in STEPS for when in ("before", "after"))


def check(values: Values, loader: Any) -> Iterator[Finding]:
    """``loader`` is Ansible's own: a task file is read as Ansible will read it."""
    for moment, path in values["site_hooks"].items():
        said = f'site_hooks has {moment}: "{path}"'
        if moment not in MOMENTS:
            near = get_close_matches(str(moment), MOMENTS, 1)
            meant = f"did you mean {near[0]}?" if near else "there are " + ", ".join(MOMENTS)
            yield Finding("site_hooks", f"{said}: no such moment ({meant})", moment)
        elif not isinstance(path, str) or not os.path.isabs(path):
            yield Finding(
                "site_hooks",
                f'{said}: a whole path, please, as "{{{{ inventory_dir }}}}/hooks/{moment}.yml"',
                path,
            )
        elif not os.path.isfile(path):
            yield Finding("site_hooks", f"{said}: no such file on this machine", path)
        else:
            yield from _tasks(said, path, loader)


def _tasks(said: str, path: str, loader: Any) -> Iterator[Finding]:
    try:
        tasks = loader.load_from_file(path)
    except AnsibleError as error:
        yield Finding("site_hooks", f"{said}: not YAML: {' '.join(str(error).split())}", path)
        return
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        yield Finding("site_hooks", f"{said}: a list of tasks, as in a role's tasks/main.yml", path)
    elif any("hosts" in task for task in tasks):
        yield Finding("site_hooks", f"{said}: a playbook; a hook is its tasks alone", path)
