"""Is a process still the one that we knew? A process id alone comes back after a while."""

from __future__ import annotations

from pathlib import Path


def start_time(pid: int) -> int | None:
    """When a process started, in clock ticks after the machine did; None when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name, in parentheses, may contain anything: count from behind it.
    fields = stat[stat.rindex(")") + 2 :].split()
    return None if fields[0] == "Z" else int(fields[19])
