"""What a run that moves the traffic leaves beside the links until all that follows is done.

Each host with an instance has its own. django_split/status/releases.py reads it, too.
"""

from __future__ import annotations

import json
import os
from typing import Any

RECORD = "flip.json"


def _path(home: str) -> str:
    return os.path.join(home, "live", RECORD)


def unfinished(home: str) -> dict[str, Any]:
    """The flip that is under way, or was when its run ended; {} when all behind it was done.

    ``release`` is to serve; ``back`` says whether by a rollback; ``left`` are those that it takes
    over from, whose prefixes nginx may still have; ``hook`` whether the site's own after_flip is
    still to run.
    """
    try:
        with open(_path(home)) as file:
            found: dict[str, Any] = json.load(file)
    except (OSError, ValueError):
        return {}
    return found


def begin(home: str, release: str, back: bool, serving: set[str]) -> None:
    """Write down that ``release`` is about to take over.

    What a run before this one has not finished is given up, but for what nginx may still have.
    """
    left = serving.union(unfinished(home).get("left", [])) - {release}
    _write(home, {"release": release, "back": back, "left": sorted(left), "hook": True})


def hook_ran(home: str) -> None:
    """The site's own after_flip is not to run again."""
    _write(home, {**unfinished(home), "hook": False})


def end(home: str) -> None:
    """All that follows a flip has been done."""
    if os.path.exists(_path(home)):
        os.unlink(_path(home))


def _write(home: str, record: dict[str, Any]) -> None:
    path = _path(home)
    with open(path + ".new", "w") as file:
        file.write(json.dumps(record) + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + ".new", path)
