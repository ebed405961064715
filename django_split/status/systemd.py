"""A site's processes and timers in the words of systemd."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

from .part import Part
from .site import Site

SECONDS = 20
PROPERTIES = (
    "Id,ActiveState,SubState,Result,NRestarts,MemoryCurrent,ActiveEnterTimestamp,UnitFileState"
)


def states(site: Site) -> dict[str, dict[str, Any]] | str:
    """By name: what is to be here, and all releases. A text says why there is none."""
    names = [f"{site.name}-{name}@*.service" for name in ("main", "admin")]
    names += [f"{site.name}-{name}.service" for name in (*site.stores, *site.processes)]
    names += [f"{site.proxy}.service"] if site.proxy else []
    found = {}
    blocks = show(names)
    if isinstance(blocks, str):
        return blocks
    for unit in blocks:
        if unit.get("UnitFileState") == "" and unit.get("ActiveState") == "inactive":
            continue  # asked for by name, and not there
        found[unit["Id"].removesuffix(".service")] = {
            "active": unit.get("ActiveState") == "active",
            "is": unit.get("ActiveState", "")
            if unit.get("SubState") in ("running", "dead", unit.get("ActiveState"))
            else f"{unit.get('ActiveState')} ({unit.get('SubState')})",
            "restarts": _number(unit.get("NRestarts")),
            "memory": _number(unit.get("MemoryCurrent")),
            "since": moment(unit.get("ActiveEnterTimestamp", "")),
            "enabled": unit.get("UnitFileState") or None,
        }
    return found


def show(names: Iterable[str], properties: str = PROPERTIES) -> list[dict[str, str]] | str:
    """systemctl's words on units; a text says why there are none."""
    try:
        done = subprocess.run(
            ["systemctl", "show", "-p", properties, *names],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"systemd does not answer: {error}"
    if done.returncode != 0:
        return f"systemd does not answer: {done.stderr.strip()}"
    return [
        dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        for block in done.stdout.split("\n\n")
        if block.strip()
    ]


def timers(site: Site) -> list[Part]:
    """Timers of the site, when they come next, and how their last run ended."""
    if not site.systemd:
        return []
    found = show([f"{site.name}-*.timer"], "Id,ActiveState,NextElapseUSecRealtime,LastTriggerUSec")
    if isinstance(found, str):
        return []
    # "gazette-two-purge.timer" is another site's.
    own = re.compile(re.escape(site.name) + r"-[a-z]+\.timer")
    mine = [unit for unit in found if own.fullmatch(unit.get("Id", ""))]
    if not mine:
        return []
    services = show([unit["Id"].replace(".timer", ".service") for unit in mine], "Id,Result")
    results = (
        {}
        if isinstance(services, str)
        else {unit["Id"]: unit.get("Result", "") for unit in services}
    )
    parts = []
    for unit in mine:
        name = unit["Id"].removesuffix(".timer")
        result = results.get(f"{name}.service") or "success"
        last = moment(unit.get("LastTriggerUSec", ""))
        following = moment(unit.get("NextElapseUSecRealtime", ""))
        told = [f"next {_when(following)}" if following else "waits for nothing"]
        told.append(f"last {_when(last)}" if last else "not run yet")
        if result != "success":
            told.append(f"which failed ({result}): journalctl -u {name}")
        ok = unit.get("ActiveState") == "active" and result == "success"
        parts.append(Part("timer", name, ok, ", ".join(told)))
    return parts


def moment(text: str) -> float | None:
    """systemd's "Thu 2026-11-26 00:45:19 UTC" in seconds since 1970; None for "" and "n/a"."""
    found = re.search(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", text)
    if not found:
        return None
    return datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc).timestamp()


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


def _number(text: str | None) -> int:
    # "[not set]", and 2**64 - 1 where there is no accounting.
    number = int(text) if text and text.isdecimal() else 0
    return number if number < 2**63 else 0
