"""Prints what a run wants remembered, after PLAY RECAP."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: split_summary
type: aggregate
short_description: The lines that a run wants remembered, after PLAY RECAP
description:
  - A run ends with a recap of counts, and what the operator wants to know (addresses, where the
    password is kept)
    has scrolled away by then. This callback prints it last.
  - It prints the list of strings that C(ansible.builtin.set_stats) has put under C(split_summary),
    each line once,
    in the order in which they came. A list from several hosts is printed host by host.
requirements:
  - C(callbacks_enabled = split_summary) in ansible.cfg
"""


def summary(custom: dict[str, Any]) -> list[str]:
    """The lines to print, from ``stats.custom``: the run's first, then each host's, none twice."""
    names = sorted(custom, key=lambda name: (name != "_run", name))
    lines: dict[str, None] = {}
    for name in names:
        said = custom[name].get("split_summary", [])
        for line in [said] if isinstance(said, str) else said:
            lines[str(line)] = None
    return list(lines)


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Comes after the stdout callback, so its lines are the last of the run."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "split_summary"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._print(summary(stats.custom))

    def _print(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._display.display(line)
