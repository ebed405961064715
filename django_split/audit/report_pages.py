"""The pages of an audit for people: a table of queries, and what becomes of visitors' sessions."""

from __future__ import annotations

from collections.abc import Iterable

from django_split.audit.facts import Pages, Visit
from django_split.audit.tally import VISITORS, Tally, failed, giving_sessions, tally
from django_split.layout import YELLOW, Sheet

LISTED = 10
NAMED = 5
COLUMN = 17
LABEL = 13


def show_pages(sheet: Sheet, pages: Pages) -> None:
    """Print the sample, its average, and whether visitors have sessions at all."""
    sheet.heading("queries of a page, and how many of them are the session's + the user's")
    for note in pages.notes:
        sheet.sentence(note, 2, YELLOW)
    if not pages.asked:
        sheet.line("no page could be asked", 2)
        return
    widest = max(sheet.width - 2 - len(VISITORS) * COLUMN, 20)
    _columns(sheet, widest, "", VISITORS.values())
    for page in pages.asked[:LISTED]:
        cells = (_cell(page.visits.get(who)) for who in VISITORS)
        _columns(sheet, widest, page.path, cells)
    counted = [tally(pages, who) for who in VISITORS]
    name = f"average of {len(pages.asked)}" + (" pages" if len(pages.asked) > 1 else " page")
    _columns(sheet, widest, name, map(_average, counted))
    if any(one.failed for one in counted):
        sheet.line("a page that fails counts for nothing", 2)
    visitor = counted[0]
    sheet.gap()
    sheet.row("visitors", _used(visitor), LABEL, indent=2)
    for page in giving_sessions(pages)[:NAMED]:
        sheet.line(f"{page.path} {page.view} ({page.where})".replace(" ()", ""), 2 + LABEL)
    if not any(one.session_queries for one in counted) and any(one.reads for one in counted):
        sheet.row("store", "; ".join(map(_store_work, VISITORS.values(), counted)), LABEL, indent=2)


def _columns(sheet: Sheet, widest: int, name: str, cells: Iterable[str]) -> None:
    shown = name if len(name) <= widest else f"{name[: widest - 3]}..."
    sheet.verbatim(shown.ljust(widest) + "".join(cell.rjust(COLUMN) for cell in cells), 2)


def _cell(visit: Visit | None) -> str:
    if visit is None:
        return "-"
    if failed(visit):
        return "fails"
    own = f" ({visit.session_queries} + {visit.user_queries})"
    return f"{visit.queries}{own if visit.session_queries or visit.user_queries else ''}"


def _average(counted: Tally) -> str:
    if not counted.pages:
        return "-"
    own = f" ({counted.session_queries:g} + {counted.user_queries:g})"
    return f"{counted.queries:g}{own if counted.session_queries or counted.user_queries else ''}"


def _store_work(whom: str, counted: Tally) -> str:
    return f"{whom}: {counted.reads:g} read, {counted.writes:g} written"


def _used(visitor: Tally) -> str:
    if not visitor.accessed:
        return "no page looks at a session"
    looked = f"{visitor.accessed} of {visitor.pages} pages look at a session"
    vary = f", so {visitor.vary} say Vary: Cookie" if visitor.vary else ""
    return f"{looked}{vary}; {visitor.modified} change it, {visitor.cookies} give a cookie"
