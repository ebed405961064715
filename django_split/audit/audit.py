"""Audits one settings module: starts the processes, and puts together what they found."""

from __future__ import annotations

from typing import Any

from django_split.analysis.process import AnalysisError, Processes
from django_split.audit import facts

PAGES = 20
PAGE_SECONDS = 10.0


def audit(
    settings: str,
    *,
    exact: bool = False,
    pages: int = PAGES,
    seconds: float = 120,
    page_seconds: float = PAGE_SECONDS,
) -> facts.Site:
    """Look at a site's sessions, within `seconds`. Nothing is raised for what is wrong with it.

    `pages` bounds the visit, 0 leaves it out; `exact` counts every row of the table.
    """
    processes = Processes(settings, seconds, "django_split.audit")
    request: dict[str, Any] = {"settings": settings, "exact": exact, "seconds": seconds}
    try:
        found = facts.site(processes.run("look", request))
    except AnalysisError as error:
        return facts.Site(settings, broken=str(error))
    if found.broken or not pages:
        return found
    request = {"settings": settings, "pages": pages, "seconds": page_seconds}
    try:
        found.pages = facts.pages(processes.run("pages", request))
    except AnalysisError as error:
        found.pages = facts.Pages(notes=[f"pages could not be asked: {error}"])
    return found
