"""Documents lead to what is there: their links, and the playbooks that they tell people to type."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    [
        *REPOSITORY.glob("*.md"),
        *(REPOSITORY / "docs").rglob("*.md"),
        *(REPOSITORY / "roles").rglob("*.md"),
    ]
)
NAMES = [str(each.relative_to(REPOSITORY)) for each in DOCUMENTS]


def anchors(document: Path) -> Iterator[str]:
    """What GitHub makes of headings: small letters, digits and dashes."""
    for title in re.findall(r"(?m)^#+ (.+)$", document.read_text()):
        yield re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_links_lead_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        path, _, anchor = link.partition("#")
        if ":" in path:
            continue  # another's page
        there = (document.parent / path) if path else document
        assert there.exists(), link
        assert not anchor or anchor in anchors(there), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_playbooks_that_are_typed_are_there(document: Path) -> None:
    for name in re.findall(r"\bplaybooks/[\w/]+\.yml\b", document.read_text()):
        assert (REPOSITORY / name).exists(), name
