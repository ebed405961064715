"""One deploy of a site at a time: take its lock, see that it is held still, end somebody else's."""

from __future__ import annotations

import re
import secrets
import shlex
import sys
import time
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

ROOT = Path(__file__).resolve().parents[3]
# Ansible loads a plugin by its path: what it shares with others is not on Python's path by itself.
sys.path.append(str(ROOT / "playbooks" / "plugins"))

from deploying import keeper, who  # noqa: E402

LEASE_SECONDS = 45
RENEWAL_SECONDS = 5
SITE = re.compile(r"[a-z][a-z0-9-]*")
RELEASE = re.compile(r"[A-Za-z0-9._-]*")


class ActionModule(ActionBase):  # type: ignore[misc] # Ansible has no type hints
    """``taken`` returns what the run knows of its lock as ``lock``; the others are given it."""

    _supports_check_mode = True
    _VALID_ARGS = frozenset({"state", "site", "lock", "release", "lease", "renewal"})
    TRANSFERS_FILES = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        given = self._task.args
        # A name that is none is preflight's to refuse, before anything changes.
        if not SITE.fullmatch(str(given.get("site") or "")):
            return {**result, "skipped": True, "msg": "no name of a site"}
        self._vars = task_vars or {}
        self._site = str(given["site"])
        state = str(given.get("state", "taken"))
        if state == "held":
            return {**result, **self._held(given.get("lock") or {}, str(given.get("release", "")))}
        if state in ("seen", "freed"):
            return {**result, **self._module(state=state)}
        if self._task.check_mode:
            return {**result, "skipped": True, "msg": "Check mode changes nothing."}
        if given.get("lock"):
            return {**result, "changed": False, "msg": "This run holds it already."}
        return {**result, **self._take(float(given.get("lease", LEASE_SECONDS)))}

    def _module(self, **arguments: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._execute_module(
            module_name="split_lock",
            module_args={"site": self._site, **arguments},
            task_vars=self._vars,
        )
        answer.pop("invocation", None)
        return answer

    def _take(self, lease: float) -> dict[str, Any]:
        renewal = float(self._task.args.get("renewal", RENEWAL_SECONDS))
        token = secrets.token_hex(8)
        said = {
            "by": who.deployer(),
            "since": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
            "begun": time.time(),
            "playbook": who.playbook(),
            "mark": token,
        }
        try:
            answer = self._module(state="taken", said=said, lease=lease, renewal=renewal)
        except AnsibleConnectionFailure as error:
            # Preflight comes next, and says all that is wrong; it stops there, or `held` does.
            return self._without(str(error))
        if answer.get("failed"):
            return answer
        if answer.get("refused"):
            return self._without(answer["refused"])
        if answer["busy"]:
            return {"failed": True, "changed": False, "msg": busy(self._site, answer["holder"])}
        folder = Path(constants.DEFAULT_LOCAL_TMP) / f"lock-{self._site}"
        folder.mkdir(exist_ok=True)
        process = answer["holder"]["pid"]
        renewed = answer["renewed"]
        holder = f"{Path(renewed).parent}/holder.json"
        mine = f"test -d /proc/{process} && grep -qF {token} {holder}"

        def say(command: str) -> str | None:
            """What the host says to a command, None when it says nothing in time."""
            try:
                done = self._low_level_execute_command(command, sudoable=True)
            except Exception:
                return None
            said: str = done["stdout"].strip().splitlines()[-1] if done["stdout"].strip() else ""
            return said if said in ("yes", "no") else None

        def renew(release: str) -> bool | None:
            write = f"printf %s {shlex.quote(release)} >{renewed}"
            answered = say(f"if {mine}; then {write} && echo yes; else echo no; fi")
            return None if answered is None else answered == "yes"

        keeper.hold(folder, lease, renewal, renew, lambda: say(f"{mine} && kill {process}"))
        return {"changed": False, "lock": {"mark": token, "folder": str(folder)}}

    def _without(self, why: str) -> dict[str, Any]:
        return {"changed": False, "msg": why, "lock": {"folder": "", "why": why}}

    def _held(self, lock: dict[str, Any], release: str) -> dict[str, Any]:
        """Whether the run's lock is held, as the process that renews it knows; asks no host."""
        if not lock["folder"]:
            why = f"it could not be taken ({lock['why']})"
        else:
            folder = Path(lock["folder"])
            if release and RELEASE.fullmatch(release):
                (folder / keeper.RELEASE).write_text(release)
            lost = folder / keeper.LOST
            why = lost.read_text() if lost.exists() else ""
        if not why:
            return {"changed": False}
        told = (
            f"This run does not hold the lock of {self._site} any more: {why}. Another may be "
            "deploying it. See that none is, and run the same command again."
        )
        return {"failed": True, "changed": False, "msg": told}


def busy(site: str, holder: dict[str, Any]) -> str:
    """What to tell who came second."""
    if not holder:
        return f"{site} is being deployed already, by a run that just begins or ends. Try again."
    release = holder["release"]
    return (
        f"{site} is being deployed already: by {holder['by']} since {holder['since']} "
        f"({_ago(time.time() - holder['begun'])}), {holder['playbook']}, "
        f"{'release ' + release if release else 'its release has no name yet'}. "
        "Nothing has been changed.\n"
        "Wait until it is done and run the same command again. The lock of a run that is gone "
        f"ends by itself, {holder['lease']:.0f} s after it was last heard of, which was "
        f"{holder['silent']:.0f} s ago; this ends it at once: "
        "ansible-playbook playbooks/unlock.yml"
    )


def _ago(seconds: float) -> str:
    minutes = int(seconds) // 60
    if minutes < 1:
        return f"for {max(0, int(seconds))} s"
    return f"for {minutes} min" if minutes < 120 else f"for {minutes // 60} h"
