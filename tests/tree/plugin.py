"""Imports the plugins as Ansible does: from files, with our module_utils among Ansible's own."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import ansible.module_utils

REPOSITORY = Path(__file__).resolve().parents[2]
PLUGINS = REPOSITORY / "playbooks" / "plugins"

ansible.module_utils.__path__.append(str(PLUGINS / "module_utils"))


def load(kind: str, name: str) -> ModuleType:
    path = PLUGINS / kind / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"tested_{kind}_{name}", path)
    if spec is None or spec.loader is None:
        raise ImportError(str(path))
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


action = load("action", "split_tree")
module = load("modules", "split_tree")
callback = load("callback", "split_summary")

from ansible.module_utils.split_tree import entries, manifest, stage  # noqa: E402

TreeError = entries.TreeError

__all__ = [
    "REPOSITORY",
    "TreeError",
    "action",
    "callback",
    "entries",
    "manifest",
    "module",
    "stage",
]
