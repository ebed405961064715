"""Which releases there are, and which of them serves."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HISTORY = "deployments.jsonl"
COMPLETE = ".complete"


@dataclass(frozen=True)
class Release:
    """One release.

    ``state`` is serves, kept (it has served), built (it never has), failed, or unfinished (a run is
    under way, or was).
    """

    name: str
    state: str
    built: float
    reason: str = ""
    """Why it did not come to serve, where that is known."""
    failed: float | None = None
    """When that was."""


@dataclass(frozen=True)
class Serving:
    """The release that an instance's link leads to, and since when (seconds since 1970)."""

    release: str
    since: float


def serving(home: Path) -> dict[str, Serving]:
    """By instance: the links are the only record of what serves."""
    found = {}
    for link in sorted((home / "live").glob("*.sock")):
        if link.is_symlink():
            target = os.path.basename(os.readlink(link))
            name = target.removeprefix(f"{link.stem}-").removesuffix(".sock")
            found[link.stem] = Serving(name, link.lstat().st_mtime)
    return found


def releases(home: Path) -> list[Release]:
    """All on the disk, the newest first."""
    serve = {each.release for each in serving(home).values()}
    found = []
    folder = home / "releases"
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name.startswith(".") or not path.is_dir() or _static_files_alone(path):
            continue
        marker = path / COMPLETE
        if path.name in serve:
            state = "serves"
        elif path.name.startswith("failed-") or (path / ".failed").exists():
            state = "failed"
        elif (path / ".served").exists():
            state = "kept"
        else:
            state = "built" if marker.exists() else "unfinished"
        stamp = (marker if marker.exists() else path).stat().st_mtime
        told = _failure(path / ".failed", stamp) if state == "failed" else ()
        found.append(Release(path.name, state, stamp, *told))
    return sorted(found, key=lambda release: -release.built)


def _static_files_alone(path: Path) -> bool:
    """Whether this host has no release there, but what its nginx shows of one."""
    return [each.name for each in path.iterdir()] == ["static"]


def _failure(mark: Path, stamp: float) -> tuple[str, float]:
    """What the run that failed has written into the release: why, and when."""
    try:
        told = json.loads(mark.read_text())
        return " ".join(str(told["reason"]).split()), float(told.get("time", stamp))
    except (OSError, ValueError, KeyError, TypeError):
        return "", stamp


def back(home: Path) -> str:
    """Where a rollback goes to that is given no name, "" for nowhere: as split_releases has it.

    One that was begun goes on; from a deploy that ended between its flips it is ``current``.
    """
    begun = _flip(home)
    if begun.get("back") and (home / "releases" / begun["release"] / COMPLETE).exists():
        return str(begun["release"])
    link = home / "current"
    current = os.path.basename(os.readlink(link)) if link.is_symlink() else ""
    if current and {each.release for each in serving(home).values()} - {current}:
        return current
    return _earlier(home, current)


def _flip(home: Path) -> dict[str, Any]:
    """What a run that has not ended, or was killed, has written down of its flip."""
    try:
        found: dict[str, Any] = json.loads((home / "live" / "flip.json").read_text())
    except (OSError, ValueError):
        return {}
    return found


def _earlier(home: Path, release: str) -> str:
    """What was deployed before: the mark is as old as the last deploy."""
    served = [mark for mark in home.glob("releases/*/.served") if (mark.parent / COMPLETE).exists()]
    names = [mark.parent.name for mark in sorted(served, key=lambda mark: -mark.stat().st_mtime)]
    behind = names[names.index(release) + 1 :] if release in names else []
    return behind[0] if behind else ""


def login(home: Path, release: str) -> str:
    """Where a release's admin signs people in, as its plan says."""
    try:
        plan = json.loads((home / "releases" / release / "plan.json").read_text())
        return str(plan["admin"]["login"])
    except (OSError, ValueError, KeyError):
        return "/admin/login/"


def history(state: Path) -> list[dict[str, Any]]:
    """Who has given the traffic to which release, the newest last; see split_release."""
    try:
        lines = (state / HISTORY).read_text().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue  # the disk was full
    return found


def maintenance(home: Path) -> dict[str, float]:
    """The instances that are closed for visitors of this host's nginx, and since when."""
    return {
        flag.stem: flag.stat().st_mtime for flag in sorted((home / "live").glob("*.maintenance"))
    }
