"""Claims about pages that a row of the database makes private, as Wagtail's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .probe import Instance, Running
from .row import Row, listed, not_checked
from .site import Site

NAME, CLAIM = "main.private", "pages are private by no more than the plan knew"


def start(admin: Instance) -> Running:
    """Begin to count. Raises ProbeError."""
    return admin.start("python -m django_split.restrictions", ["-m", "django_split.restrictions"])


def row(site: Site, counted: Mapping[str, Any] | str) -> Row:
    """Whether a model has rows that restrict, of which nobody was told when the plan was made."""
    if isinstance(counted, str):
        return Row(NAME, CLAIM, False, counted)
    told = known(site.plan)
    seen, new, unknown = [], [], []
    for label, rows in sorted(counted.items()):
        if rows is None:
            unknown.append(label)
        elif rows and (label in told or label in site["restricted"]):
            seen.append(f"{_rows(rows)} of {label}, which is known")
        elif rows:
            new.append(f"{_rows(rows)} of {label}, and the plan knew of none")
    if new:
        why = "On main nobody is signed in to see what they restrict"
        mend = "When that is right, add the model to verify_restricted"
        return Row(NAME, CLAIM, False, f"{listed(new)}. {why}. {mend}")
    if unknown:
        return not_checked(NAME, CLAIM, f"the rows of {listed(unknown)} could not be counted")
    return Row(NAME, CLAIM, True, listed(seen) if seen else "no row of the database makes one so")


def known(plan: Mapping[str, Any]) -> set[str]:
    """The models whose rows the plan has counted; it names those too that it could not count."""
    texts = [
        finding["what"]
        for finding in plan.get("findings", ())
        if finding.get("kind") == "restriction"
    ]
    found = (re.match(r"(?:one row|[0-9]+ rows) of ([\w.]+),", text) for text in texts)
    return {match[1] for match in found if match}


def _rows(number: int) -> str:
    return "one row" if number == 1 else f"{number} rows"
