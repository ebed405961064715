"""A claim that was looked at, and the table an operator reads."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

MARKS: dict[str, dict[bool | None, str]] = {
    "unicode": {True: "✔", False: "✘", None: "–"},  # noqa: RUF001
    "ascii": {True: "ok", False: "NO", None: "--"},
}
# Ansible indents what it prints by eight
WIDTH = 112


@dataclass(frozen=True)
class Row:
    """One claim. `ok` is None where it was not checked; `seen` then says why."""

    name: str
    claim: str
    ok: bool | None
    seen: str

    def as_dict(self) -> dict[str, Any]:
        """What the module returns to Ansible."""
        return {"name": self.name, "claim": self.claim, "ok": self.ok, "seen": self.seen}


def not_checked(name: str, claim: str, why: str) -> Row:
    """A row that says what stood in the way of looking."""
    return Row(name, claim, None, f"not checked: {why}")


def table(rows: list[Row], marks: str = "unicode") -> list[str]:
    """Aligned lines: mark, claim, what was seen. A long "seen" goes on below itself."""
    signs = MARKS[marks]
    claim_width = max((len(row.claim) for row in rows), default=0)
    sign_width = max(len(sign) for sign in signs.values())
    indent = sign_width + 1 + claim_width + 2
    lines = []
    for row in rows:
        seen = textwrap.wrap(
            row.seen, max(WIDTH - indent, 30), break_long_words=False, break_on_hyphens=False
        ) or [""]
        head = f"{signs[row.ok]:<{sign_width}} {row.claim:<{claim_width}}  {seen[0]}"
        lines.append(head.rstrip())
        lines.extend(" " * indent + more for more in seen[1:])
    return lines


def listed(items: list[str], limit: int = 4) -> str:
    """At most `limit` items, and how many more there are."""
    more = f"; and {len(items) - limit} more" if len(items) > limit else ""
    return "; ".join(items[:limit]) + more
