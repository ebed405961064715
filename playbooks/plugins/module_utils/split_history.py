"""Who gave the traffic to which release, and when: a line of JSON for each, the newest last.

django_split/status/releases.py reads it.
"""

from __future__ import annotations

import json
import os
import time

# Years of deploys, and still read at once.
KEPT = 500


def deployed(path: str, release: str, before: str, said: dict[str, str]) -> bool:
    """Write down that ``release`` serves; returns False when the last line says so already."""
    try:
        with open(path) as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        lines = []
    if lines and _release(lines[-1]) == release:
        return False
    line = {"release": release, "before": before, "at": time.time(), **said}
    lines = [*lines[1 - KEPT :], json.dumps(line)]
    with open(path + ".new", "w") as file:
        file.write("\n".join(lines) + "\n")
    os.rename(path + ".new", path)
    return True


def _release(line: str) -> str:
    try:
        return str(json.loads(line)["release"])
    except (ValueError, KeyError, TypeError):
        return ""
