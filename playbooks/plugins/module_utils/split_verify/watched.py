"""What SITE-watch says, which runs by itself every five minutes."""

from __future__ import annotations

import json
import os
import subprocess

from .row import Row, listed
from .site import Site

NAME, CLAIM = "host.watched", "no store, disk or certificate is near its end"
SECONDS = 90


def rows(site: Site) -> list[Row]:
    """None where it is not installed. Never false: it is no claim that a deploy makes."""
    command = site["watch"]
    if not command or not os.path.exists(command):
        return []
    try:
        done = subprocess.run(
            [command, "--json"], capture_output=True, text=True, timeout=SECONDS, check=False
        )
        found = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return [Row(NAME, CLAIM, False, f"{command}: {error}")]
    unwell = [f"{row['name']}: {row['seen']}" for row in found if not row["ok"]]
    seen = [f"{row['name']} {row['seen']}" for row in found]
    return [Row(NAME, CLAIM, None if unwell else True, listed(unwell or seen))]
