"""Which variables an operator has set for a host, and where: file and line, or the command line.

ansible-core 2.19 tags most values with their origin. It cannot tag true, false and null, and a
value may have lost its tag, so the layers of the inventory are also looked through by name. Both
are internals of Ansible's: where they are gone, a place is less exact or empty, and nothing else
changes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ansible.utils.vars import load_extra_vars
from ansible.vars.plugins import get_vars_from_inventory_sources, get_vars_from_path

try:
    from ansible._internal._datatag._tags import Origin
except ImportError:
    Origin = None

COMMAND_LINE = "It was given on the command line (-e)."


class Inventory:
    """What the inventory and the command line say of one host."""

    def __init__(self, task_vars: Mapping[str, Any], loader: Any) -> None:
        self._layers = _layers(task_vars, loader)
        self.sources = [str(source) for source in task_vars.get("ansible_inventory_sources") or ()]

    def names(self) -> set[str]:
        """Every variable that somebody has set: no facts, role defaults or registered results."""
        return {str(name) for _, layer in self._layers for name in layer}

    def place(self, name: str, value: object = None) -> str:
        """A sentence: where a variable, or one element of it, was set; "" when not known."""
        known = _told(value)
        if known:
            return known
        for description, layer in self._layers:
            for key in layer:
                if key == name:
                    return _told(layer[key]) or _told(key) or description
        return ""

    def file(self) -> str:
        """The file that most of the host's variables are in: where to set one that is missing."""
        counts: dict[str, int] = {}
        for _, layer in self._layers:
            for key in layer:
                path = _path(key)
                if path:
                    counts[path] = counts.get(path, 0) + 1
        if counts:
            return max(counts, key=lambda path: counts[path])
        for source in self.sources:
            folder = source if os.path.isdir(source) else os.path.dirname(source)
            return _shown(os.path.join(folder, "group_vars", "all.yml"))
        return "group_vars/all.yml"


def _layers(task_vars: Mapping[str, Any], loader: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """What sets variables for a host, strongest first; a sentence for values of no known origin."""
    layers: list[tuple[str, Mapping[str, Any]]] = []
    try:
        layers.append((COMMAND_LINE, load_extra_vars(loader)))
        inventory = task_vars["hostvars"]._inventory
        host = inventory.get_host(task_vars["inventory_hostname"])
        groups = sorted(
            host.get_groups(), key=lambda group: (group.depth, group.priority, group.name)
        )
        for entity in [host, *reversed(groups)]:
            kind = "host" if entity is host else "group"
            sentence = f"It is set for the {kind} {entity.name} in the inventory."
            layers.append(
                (sentence, get_vars_from_path(loader, loader.get_basedir(), [entity], "task"))
            )
            layers.append(
                (
                    sentence,
                    get_vars_from_inventory_sources(loader, inventory._sources, [entity], "task"),
                )
            )
            layers.append((sentence, entity.vars))
    except (AttributeError, KeyError, TypeError):
        layers.append(("", _without_internals(task_vars)))
    return layers


def _without_internals(task_vars: Mapping[str, Any]) -> dict[str, Any]:
    return dict.fromkeys(task_vars.get("hostvars", {}).get(task_vars["inventory_hostname"], {}))


def _tag(value: object) -> Any:
    return Origin.get_tag(value) if Origin is not None else None


def _path(value: object) -> str:
    origin = _tag(value)
    return _shown(origin.path) if origin is not None and origin.path else ""


def _told(value: object) -> str:
    """The sentence of a value's own tag."""
    origin = _tag(value)
    if origin is None:
        return ""
    if not origin.path:
        return COMMAND_LINE if "-e" in (origin.description or "") else ""
    line = f", line {origin.line_num}" if origin.line_num else ""
    return f"It is set in {_shown(origin.path)}{line}."


def _shown(path: str) -> str:
    """A path as the operator would type it."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative
