"""What a visitor gets, from the base and from main, and what follows from the difference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django_split import findings as kinds
from django_split.findings import Finding


@dataclass
class Page:
    path: str
    status: int = 0


def read(data: Iterable[Mapping[str, Any]]) -> list[Page]:
    return [Page(**item) for item in data]


def of_base(pages: list[Page]) -> list[Finding]:
    return []


def of_main(base: list[Page], main: list[Page]) -> list[Finding]:
    return []


def main_does_not_start(error: str) -> Finding:
    return Finding(kinds.BREAKS, f"main does not start: {error}")
