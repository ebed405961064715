"""Imports the Ansible plugins as Ansible does: from files, our module_utils among its own."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import ansible.module_utils

REPOSITORY = Path(__file__).resolve().parents[2]
PLUGINS = REPOSITORY / "playbooks" / "plugins"

if str(PLUGINS / "module_utils") not in ansible.module_utils.__path__:
    ansible.module_utils.__path__.append(str(PLUGINS / "module_utils"))


def load(kind: str, name: str) -> ModuleType:
    """Import `playbooks/plugins/KIND/NAME.py` under a name of its own."""
    path = PLUGINS / kind / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"tested_{kind}_{name}", path)
    if spec is None or spec.loader is None:
        raise ImportError(str(path))
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded
