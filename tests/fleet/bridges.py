"""Bridges of the tests' own: a switch each, into which hosts are plugged.

The kernel keeps whose a bridge is beside it (its alias), so nothing can be left over unnoticed.
"""

from __future__ import annotations

import json
import os
import subprocess

from . import locks, paths
from .processes import start_time

# A link's name has 15 characters at most, so not paths.PREFIX: that begins the alias.
LINK = "dsplit-"

# One network each, below 10.213: RFC 1918, and far from what houses and clouds begin with.
NUMBERS = range(1, 255)


class BridgeError(Exception):
    """No bridge could be made."""


def address(bridge: str, host: int) -> str:
    """An address of the bridge's network; host 1 is the controller itself."""
    return f"10.213.{bridge.removeprefix(LINK)}.{host}"


def create() -> str:
    """Make a bridge that belongs to this process, with the controller on it; return its name."""
    owner = f"{paths.PREFIX}owner {os.getpid()} {start_time(os.getpid())}"
    said = ""
    with locks.held("hosts"):
        for number in NUMBERS:
            name = f"{LINK}{number}"
            made = ip("link", "add", "name", name, "type", "bridge", check=False)
            said = made.stderr
            if made.returncode == 0:
                ip("link", "set", "dev", name, "alias", owner)
                ip("address", "add", f"{address(name, 1)}/24", "dev", name)
                ip("link", "set", "dev", name, "up")
                return name
    raise BridgeError(f"no bridge {LINK}N could be made: {said}")


def names() -> dict[str, bool]:
    """Every bridge of ours, and whether the process that made it lives."""
    links = json.loads(ip("-json", "link", "show", "type", "bridge").stdout or "[]")
    found = {}
    for link in links:
        # An empty object stands for each link that is of another type.
        name, words = link.get("ifname", ""), link.get("ifalias", "").split()
        if name.startswith(LINK) and (not words or words[0] == f"{paths.PREFIX}owner"):
            found[name] = bool(words) and start_time(int(words[1])) == int(words[2])
    return found


def remove(name: str) -> None:
    """Take a bridge away, if it is there."""
    if not name.startswith(LINK):
        raise ValueError(f"{name} is not a bridge of ours: its name does not begin with {LINK}")
    ip("link", "delete", "dev", name, "type", "bridge", check=False)


def ip(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run iproute2's ip on the controller."""
    return subprocess.run(
        ["ip", *words],
        check=check,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )
