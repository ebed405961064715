"""Who runs this playbook, from where, and which one."""

from __future__ import annotations

import getpass
import os

from ansible import context


def deployer() -> str:
    """``user@machine`` of the controller; with sudo, who called it."""
    try:
        user = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a container's number without a name
        user = str(os.getuid())
    return f"{user}@{os.uname().nodename}"


def playbook() -> str:
    """What was typed, as ``site.yml``."""
    return " ".join(context.CLIARGS.get("args") or ())
