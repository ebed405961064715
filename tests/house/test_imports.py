"""One direction of imports: an instance never loads the analysis, and a plan knows neither side."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "django_split"

# Who must not import whom, at any depth of a function: DESIGN.md, "The house".
FORBIDDEN = {
    "runtime": ("analysis", "audit", "audit_command", "cli", "grants", "render"),
    # Not the plan's classes either: they took twice as long as all else that settings load.
    "settings.py": ("analysis", "audit", "cli", "render", "runtime", "plan"),
    "apply.py": ("analysis", "audit", "settings", "runtime", "cli", "render", "plan"),
    "plan_file.py": ("analysis", "audit", "settings", "runtime", "cli", "render", "plan"),
    "plan.py": ("analysis", "audit", "settings", "runtime", "cli", "render"),
    "instances": ("analysis", "audit", "cli", "render"),
    "sessions": ("analysis", "audit", "cli", "render", "runtime"),
    "analysis": ("audit", "grants", "runtime", "cli", "render", "settings"),
    # It uses both, and nothing but the command uses it.
    "audit": ("audit_command", "cli", "render", "runtime", "settings"),
    # A copy of it is run by root: nothing but itself.
    "status": ("",),
    "grants": ("audit", "cli", "render", "runtime", "settings"),
}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("part", FORBIDDEN)
def test_one_direction(part: str) -> None:
    start = PACKAGE / part
    assert start.exists()
    files = [start] if start.is_file() else sorted(start.rglob("*.py"))
    wrong = {
        (str(file.relative_to(PACKAGE)), name)
        for file in files
        for name in imported(file)
        for other in FORBIDDEN[part]
        if (not other and name.startswith("django_split"))
        or name == f"django_split.{other}"
        or name.startswith(f"django_split.{other}.")
    }
    assert wrong == set()
