"""What many pages come to."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from django_split.audit.facts import Page, Pages, Visit

WITHOUT_COOKIE = "without_cookie"
WITH_COOKIE = "with_cookie"
SIGNED_IN = "signed_in"
VISITORS = {
    WITHOUT_COOKIE: "no cookie",
    WITH_COOKIE: "session cookie",
    SIGNED_IN: "signed in",
}


@dataclass
class Tally:
    """Of the pages that one visitor got: per page on average, and how many pages."""

    pages: int = 0
    failed: int = 0
    queries: float = 0
    session_queries: float = 0
    user_queries: float = 0
    reads: float = 0
    writes: float = 0
    accessed: int = 0
    modified: int = 0
    cookies: int = 0
    vary: int = 0


def tally(pages: Pages, who: str) -> Tally:
    """Pages that fail with an error are counted as such and as nothing else."""
    visits = [page.visits[who] for page in pages.asked if who in page.visits]
    good = [visit for visit in visits if not failed(visit)]
    found = Tally(len(good), len(visits) - len(good))
    if good:
        for name in ("queries", "session_queries", "user_queries", "reads", "writes"):
            mean = statistics.fmean(getattr(visit, name) for visit in good)
            setattr(found, name, round(mean, 1))
        found.accessed = sum(visit.accessed for visit in good)
        found.modified = sum(visit.modified for visit in good)
        found.cookies = sum(visit.cookie for visit in good)
        found.vary = sum(visit.varies for visit in good)
    return found


def failed(visit: Visit) -> bool:
    return bool(visit.error) or visit.status >= 500


def giving_sessions(pages: Pages) -> list[Page]:
    """Pages that give a session to a visitor who came without a cookie."""
    return [
        page
        for page in pages.asked
        if WITHOUT_COOKIE in page.visits and page.visits[WITHOUT_COOKIE].cookie
    ]
