"""View restrictions that are kept as data, as Wagtail's private pages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections

from django_split import findings as kinds
from django_split import restrictions
from django_split.analysis.deployment import Deployment
from django_split.findings import Finding
from django_split.plan import lies_inside
from django_split.sqlite import file_of

WHAT = "nobody is signed in on main, so it shows none of what they restrict"


def find(deployment: Deployment) -> list[Finding]:
    """A finding for each model whose rows restrict who sees a page, with their number."""
    with _deployed(deployment):
        counted = restrictions.count()
    return [_finding(label, rows) for label, rows in counted.items() if rows != 0]


def _finding(label: str, rows: int | None) -> Finding:
    if rows is None:
        what = f"{label} may restrict who sees a page; its rows could not be counted"
    else:
        number = "one row" if rows == 1 else f"{rows} rows"
        what = f"{number} of {label}, each a restriction of who sees a page: {WHAT}"
    return Finding(kinds.RESTRICTION, what)


@contextmanager
def _deployed(deployment: Deployment) -> Iterator[None]:
    """SQLite files that the plan moves out of the source are asked where the site has them."""
    moved = []
    for alias in connections:
        settings = connections[alias].settings_dict
        file = file_of(settings)
        if file and deployment.data_root and lies_inside(file, deployment.source_root):
            there = os.path.join(deployment.data_root, file.name)
            if os.path.exists(there) and connections[alias].connection is None:
                moved.append((alias, settings["NAME"]))
                settings["NAME"] = there
    try:
        yield
    finally:
        for alias, name in moved:
            connections[alias].close()
            connections[alias].settings_dict["NAME"] = name
