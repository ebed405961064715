#!/usr/bin/python
"""Have a site's processes run what their files say, whichever process manager this host has."""

from __future__ import annotations

DOCUMENTATION = r"""
module: split_service
short_description: Run, reload, restart or remove a site's processes
options:
  site: {description: The site's name., type: str, required: true}
  services:
    description: >-
      The processes. I(files) are what the process has loaded; when they differ from what it was
      last loaded with, I(on_change) says what happens to it.
    type: list
    elements: dict
  absent:
    description: Processes that shall be gone; C(gazette-main@) is every instance of that template.
    type: list
    elements: str
  paused:
    description: >-
      Processes that end for a while, each with the time that it is given to finish. A reboot, or
      I(services) and I(resumed), start them again.
    type: list
    elements: str
  resumed:
    description: Processes that were paused, and go on with the files that they were paused with.
    type: list
    elements: str
"""

from typing import Any, Union

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.split_loaded import files_digest, forget, loaded, remember
from ansible.module_utils.split_service import ServiceError, Supervisor, Systemd, manager_for

Manager = Union[Systemd, Supervisor]  # noqa: UP007  (evaluated, and targets may have Python 3.9)

OPTIONS = {
    "site": {"type": "str", "required": True},
    "services": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "files": {"type": "list", "elements": "str", "default": []},
            # Counts beside the files, for what a process loads that is no file of its own (its
            # release)
            "also": {"type": "str", "default": ""},
            "on_change": {"type": "str", "choices": ["restart", "reload"], "default": "restart"},
            # When this differs, a reload is not enough: nginx cannot listen on * while its old self
            # still listens on 127.0.0.1.
            "restart_when": {"type": "str", "default": ""},
        },
    },
    "absent": {"type": "list", "elements": "str", "default": []},
    "paused": {"type": "list", "elements": "str", "default": []},
    "resumed": {"type": "list", "elements": "str", "default": []},
}


def converge(manager: Manager, site: str, service: dict[str, Any], check_mode: bool) -> str | None:
    """Bring one process to its wanted state; returns what was done, or None when nothing was."""
    name = service["name"]
    digest = files_digest(service["files"]) + service["also"]
    before, _, before_restart = loaded(site, name).partition("\n")
    if not manager.running(name):
        action = "started"
    elif before != digest:
        # Also after a crash or a reboot in between, where the process has read the new files
        # already: once too often is harmless, once too seldom is not.
        reload = service["on_change"] == "reload" and before_restart == service["restart_when"]
        action = "reloaded" if reload else "restarted"
    elif not manager.enabled(name):
        action = "enabled"
    else:
        return None
    if check_mode:
        return action
    manager.refresh()
    if action == "started":
        manager.start(name)
    elif action == "restarted":
        manager.restart(name)
    elif action == "reloaded":
        manager.reload(name)
    if not manager.enabled(name):
        manager.enable(name)
    remember(site, name, digest + "\n" + service["restart_when"])
    return action


def remove(manager: Manager, site: str, name: str, check_mode: bool) -> str | None:
    """Stop a process for good; ``gazette-main@`` means every instance of that template."""
    names = manager.instances(name) if name.endswith("@") else [name]
    found = [each for each in names if manager.running(each) or manager.enabled(each)]
    for each in found if not check_mode else ():
        manager.disable(each)
        manager.stop(each)
    if not check_mode:
        forget(site, name)
    return "removed" if found else None


def pause(manager: Manager, site: str, names: list[str], check_mode: bool) -> list[str]:
    """End those that run; they stay enabled. Returns which did."""
    running = [name for name in names if manager.running(name)]
    if not check_mode:
        manager.stop(*running)
        for name in running:
            # Whatever they are started with next, it is to be looked at.
            forget(site, name)
    return running


def resume(manager: Manager, names: list[str], check_mode: bool) -> dict[str, str]:
    """Start those that are enabled and do not run. What they have loaded stays unknown.

    One that does not start is no error here: something else has failed, and that is to be told.
    """
    done = {}
    for name in names:
        if not manager.enabled(name) or manager.running(name):
            continue
        done[name] = "resumed"
        try:
            if not check_mode:
                manager.start(name)
        except ServiceError as error:
            done[name] = f"not resumed: {error}"
    return done


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    site = module.params["site"]
    manager = manager_for(site)
    done = {}
    try:
        for name in module.params["absent"]:
            action = remove(manager, site, name, module.check_mode)
            if action:
                done[name] = action
        for name in pause(manager, site, module.params["paused"], module.check_mode):
            done[name] = "paused"
        done.update(resume(manager, module.params["resumed"], module.check_mode))
        for service in module.params["services"]:
            action = converge(manager, site, service, module.check_mode)
            if action:
                done[service["name"]] = action
    except ServiceError as error:
        module.fail_json(msg=str(error), actions=done)
    module.exit_json(changed=bool(done), actions=done, manager=manager.name)


if __name__ == "__main__":
    main()
