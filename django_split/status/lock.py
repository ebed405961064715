"""Whether a deploy is under way. Who holds the lock is module_utils/split_holder.py's process."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path
from typing import Any

LOCKS = Path("/run/django-split")


def holder(site: str, locks: Path = LOCKS) -> dict[str, Any]:
    """Who deploys, since when, which release; {} when nobody does."""
    try:
        with (locks / site / "lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return {}  # left by a process that was killed
    except FileNotFoundError:
        return {}
    except BlockingIOError:
        pass
    try:
        said: dict[str, Any] = json.loads((locks / site / "holder.json").read_text())
        release = (locks / site / "renewed").read_text().strip()
    except (OSError, ValueError):
        return {}
    return {
        "by": said.get("by", ""),
        "since": said.get("begun", 0),
        "playbook": said.get("playbook", ""),
        "release": release,
    }
