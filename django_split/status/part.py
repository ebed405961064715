"""One part of a site on a host, and whether it is well."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """``ok`` is None for what is neither right nor wrong."""

    kind: str
    name: str
    ok: bool | None
    seen: str
    since: float | None = None
