#!/usr/bin/python
"""Give one instance's traffic to a release: start new, gate, flip, stop old."""

from __future__ import annotations

DOCUMENTATION = r"""
module: split_instance
short_description: Have one instance serve a release, without dropping a request
description:
  - The new gunicorn listens on a socket of its own beside the old one. Only when it has answered at
    the
    gate is the link that nginx connects through renamed onto its socket. A release that does not
    pass is
    stopped again and the old one serves on.
options:
  state:
    description:
      - C(gated) starts the release beside the one that serves and asks it at the gate, no more.
      - C(serving) also gives it the traffic and ends the one before.
      - C(withdrawn) ends a release that has no traffic, because another instance was refused.
    type: str
  site: {description: The site's name., type: str, required: true}
  instance: {description: main or admin., type: str, required: true}
  release: {description: The release's id., type: str, required: true}
  socket: {description: The new gunicorn's socket., type: path, required: true}
  link: {description: What nginx connects through., type: path, required: true}
  current:
    description: >-
      Names the release that served when no deploy was under way: what I(before) is where a run that
      was killed has flipped already.
    type: path
  gate:
    description: What the new process must answer, through its socket, before it gets traffic.
    type: dict
    required: true
"""

import http.client
import os
import re
import time
from collections.abc import Callable
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.split_disk import sync_directory
from ansible.module_utils.split_service import ServiceError, Supervisor, Systemd, manager_for
from ansible.module_utils.split_unix import UnixConnection

OPTIONS = {
    "state": {"type": "str", "choices": ["gated", "serving", "withdrawn"], "default": "serving"},
    "site": {"type": "str", "required": True},
    "instance": {"type": "str", "required": True},
    "release": {"type": "str", "required": True},
    "socket": {"type": "path", "required": True},
    "link": {"type": "path", "required": True},
    "current": {"type": "path"},
    "gate": {
        "type": "dict",
        "required": True,
        "options": {
            "path": {"type": "str", "default": "/"},
            "host": {"type": "str", "required": True},
            "scheme": {"type": "str", "default": "http"},
            "status": {"type": "list", "elements": "int", "default": [200]},
            "text": {"type": "str", "default": ""},
            "seconds": {"type": "int", "default": 45},
        },
    },
}

# One answer may be slow (a cold cache, the first import of a large site); the gate as a whole is
# bounded.
ANSWER_SECONDS = 30

# nginx keeps a connection to a threaded gunicorn for at most one second
# (templates/nginx/site.conf.j2): until then a request may still go to the old release. What it has
# begun by then, its own graceful end waits for.
DRAIN_SECONDS = 2


def ask(path: str, gate: dict[str, Any]) -> str | None:
    """One request through the socket, as nginx would send it. Returns what is wrong with the
    answer, or None.
    """
    connection = UnixConnection(path, min(ANSWER_SECONDS, gate["seconds"]))
    try:
        connection.request(
            "GET",
            gate["path"],
            headers={
                "Host": gate["host"],
                "X-Forwarded-Proto": gate["scheme"],
                "User-Agent": "django-split gate",
            },
        )
        answer = connection.getresponse()
        body = answer.read().decode(errors="replace")
    finally:
        connection.close()
    if answer.status not in gate["status"]:
        return "GET {} answered {} {}, expected {}".format(
            gate["path"],
            answer.status,
            answer.reason,
            " or ".join(str(status) for status in gate["status"]),
        )
    if gate["text"] not in body:
        return "GET {} answered {}, but without the text {!r}".format(
            gate["path"],
            answer.status,
            gate["text"],
        )
    return None


def pass_gate(path: str, gate: dict[str, Any], alive: Callable[[], bool]) -> str | None:
    """Ask until the answer is right, the process is gone or time is up; returns what was wrong, or
    None.
    """
    deadline = time.monotonic() + gate["seconds"]
    wrong = f"nothing listened on {path}"
    while True:
        try:
            return ask(path, gate)
            # An answer is an answer: asking a broken release again only makes the operator wait.
        except (OSError, http.client.HTTPException) as error:
            wrong = f"{path}: {error}"
        if time.monotonic() > deadline:
            return wrong + " (for {} s)".format(gate["seconds"])
        if not alive():
            return "the new gunicorn ended by itself"
        time.sleep(0.1)


def flip(link: str, target: str) -> None:
    """Point ``link`` at ``target`` with rename(2): a connection reaches the old socket or the new,
    never neither.
    """
    if os.path.islink(link + ".new"):
        os.unlink(link + ".new")
    os.symlink(target, link + ".new")
    os.rename(link + ".new", link)


def give(manager: Systemd | Supervisor, name: str, old: list[str], link: str, target: str) -> None:
    """Give ``name``, which listens on ``target``, the traffic, and end the others.

    Both are enabled for a moment: a reboot in between comes back with whichever the link names.
    Behind a power cut too: /etc and the site's folder may be on two file systems, of which each
    keeps its own order.
    """
    manager.enable(name)
    flipped = os.path.islink(link) and os.readlink(link) == target
    if not flipped:
        flip(link, target)
    # Where a run that was killed has flipped, it may not be on the disk either.
    sync_directory(os.path.dirname(link))
    if old and not flipped:
        time.sleep(DRAIN_SECONDS)
    for other in old:
        manager.disable(other)
        manager.stop(other)


def before(live: str, target: str, current: str | None) -> str:
    """The socket that had the traffic before ``target``; "" where none had, or that is long ago."""
    if live != target:
        return live
    release = os.path.basename(os.readlink(current)) if current and os.path.islink(current) else ""
    folder, name = os.path.split(target)
    other = os.path.join(folder, "{}-{}.sock".format(name.partition("-")[0], release))
    return other if release and other != target else ""


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    wanted = module.params
    manager = manager_for(wanted["site"])
    template = "{}-{}@".format(wanted["site"], wanted["instance"])
    name = template + wanted["release"]
    live = os.readlink(wanted["link"]) if os.path.islink(wanted["link"]) else ""
    flipped = live == wanted["socket"]
    running = manager.running(name)
    enabled = manager.enabled(name)
    old = [other for other in manager.instances(template) if other != name]
    result = {
        # Whoever looks at what a host has registered last sees what that was about.
        "state": wanted["state"],
        "instance": wanted["instance"],
        "serves": wanted["release"],
        # What a deploy that fails further on goes back to; nothing where none is under way.
        "before": before(live, wanted["socket"], wanted["current"]),
        "stopped": old,
        "changed": not (flipped and running and enabled) or bool(old),
    }
    if wanted["state"] != "serving":
        # Nothing is flipped and nothing of the old one ended: only the new one counts.
        result.update(stopped=[], changed=running == (wanted["state"] == "withdrawn"))
        if wanted["state"] == "withdrawn" and flipped:
            result["changed"] = False
        if not flipped:
            result["before"] = ""
    # One that a killed run has left running may not have been asked, or not have passed.
    asked = wanted["state"] == "gated" and not flipped
    if module.check_mode or not (result["changed"] or asked):
        module.exit_json(**result)
    if wanted["state"] == "withdrawn":
        manager.disable(name)
        manager.stop(name)
        module.exit_json(**result)

    try:
        manager.refresh()
        if not running:
            manager.start(name)
    except ServiceError as error:
        give_up(module, manager, name, live, result if flipped else {}, str(error))
    if not (flipped and running):
        wrong = pass_gate(wanted["socket"], wanted["gate"], lambda: manager.running(name))
        if wrong:
            why = f"the gate refused it: {wrong}" + advice(
                wanted["instance"], wanted["gate"], wrong
            )
            give_up(module, manager, name, live, result if flipped else {}, why)
    if wanted["state"] == "gated":
        module.exit_json(**result)
    try:
        give(manager, name, old, wanted["link"], wanted["socket"])
    except (ServiceError, OSError) as error:
        module.fail_json(msg=f"{name} does not serve: {error}", **result)
    module.exit_json(**result)


def advice(instance: str, gate: dict[str, Any], wrong: str) -> str:
    """What to set when main is well and its gate is another page's; "" where it is not that."""
    if instance != "main" or not wrong.startswith("GET "):
        return ""
    if re.search("answered 5[0-9][0-9]", wrong):
        return ""
    path, status = gate["path"], " or ".join(str(status) for status in gate["status"])
    return (
        f'\nsite_gate_path is "{path}", site_gate_status is {status}, site_gate_text is '
        f'"{gate["text"]}": when the answer is as it should be (a site without a page at {path}, '
        "one that redirects), name a page that answers, or the status that it answers with."
    )


def give_up(
    module: AnsibleModule,
    manager: Systemd | Supervisor,
    name: str,
    live: str,
    flipped: dict[str, Any],
    why: str,
) -> None:
    """Leave what serves serving, and say why this one does not.

    ``flipped`` is what a caller goes back by where this one has the traffic, else it is empty.
    """
    log = manager.log(name)
    if not flipped:
        # A new release that failed must not come back with the next reboot.
        manager.stop(name)
        manager.disable(name)
    left = f"The release that served before still does ({live})." if live else "None serves yet."
    if flipped:
        left = "It is the one that has the traffic."
    module.fail_json(
        msg="{} does not serve: {}\n{}\n{} Mend the cause and run the same command again.".format(
            name, why, "Its log ends with:\n" + log if log else "It wrote no log.", left
        ),
        **flipped,
    )


if __name__ == "__main__":
    main()
