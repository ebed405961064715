"""Who runs this playbook, and which one: ``lookup('split_run')`` is {by, playbook}."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.plugins.lookup import LookupBase

# Ansible loads a plugin by its path: what it shares with others is not on Python's path by itself.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from deploying import who


class LookupModule(LookupBase):  # type: ignore[misc] # Ansible has no type hints
    """The same that the lock of deploys says, for what is written down of a run."""

    def run(self, terms: list[Any], variables: Any = None, **options: Any) -> list[dict[str, str]]:
        return [{"by": who.deployer(), "playbook": who.playbook()}]
