"""A site's processes, as the process manager of the host sees them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import supervisor, systemd
from .part import Part
from .site import Site


def processes(site: Site, serve: Mapping[str, str]) -> list[Part]:
    """All that are to run here, and what else of the instances runs. ``serve``: their releases."""
    wanted = [f"{site.name}-{name}@{serve[name]}" for name in ("main", "admin") if name in serve]
    wanted += [f"{site.name}-{name}" for name in (*site.stores, *site.processes)]
    wanted += [site.proxy] if site.proxy else []
    seen = systemd.states(site) if site.systemd else supervisor.states(site)
    if isinstance(seen, str):
        return [Part("process", name, False, seen) for name in wanted]
    parts = [
        _part(name, seen.pop(name, None), enabled=site.systemd) for name in dict.fromkeys(wanted)
    ]
    for name, state in sorted(seen.items()):
        if "@" in name and state["active"]:
            # A deploy is under way, or was killed: the next one ends it.
            parts.append(Part("process", name, None, f"{state['is']}, without traffic"))
    return parts


def _part(name: str, state: dict[str, Any] | None, *, enabled: bool) -> Part:
    if state is None:
        return Part("process", name, False, "does not run")
    told = [str(state["is"])]
    if state.get("restarts"):
        told.append(f"restarted {state['restarts']} times")
    if state.get("memory"):
        told.append(f"{state['memory'] / 2**20:.0f} MB")
    ok = bool(state["active"])
    if ok and enabled and state.get("enabled") not in ("enabled", "enabled-runtime", None):
        ok = False
        told.append("will not start at the next boot")
    return Part("process", name, ok, ", ".join(told), state.get("since") if ok else None)
