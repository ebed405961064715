"""Imports the plugins as Ansible does: from files, with our module_utils among Ansible's own."""

from __future__ import annotations

from tests.support.plugins import REPOSITORY, load

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
