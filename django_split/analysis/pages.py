"""What a visitor gets, from the base and from main, and what follows from the difference.

Runs without Django: all that has to be known of a site is in a `Page`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from django_split import findings as kinds
from django_split.findings import Finding
from django_split.mounts import is_below
from django_split.plan import Main

# A path that no site has: what main answers there is its handler404's (FACTS A15).
MISSING = "/django-split-asks-for-a-page-that-is-not-there/"

# What is asked of one URL is asked once, by the strongest of these.
STRONGEST = (kinds.LOGIN, kinds.PRIVATE, kinds.SESSION)

# As many pages, or characters of a page, are named in one sentence.
NAMED = 3
SHOWN = 60


@dataclass
class Page:
    """One GET by a visitor without cookies.

    `url`, `view` and `where` are those of the route that answered. `to_login` says that it
    redirects to a login. `passwords` holds what the page's forms with a password are sent to, each
    as url, view and where. `digest` and `text` are of the body without tokens, and `stable` says
    that two fetches agree. `writes` are statements, as "UPDATE blog_post", or a file. `unjudged`
    says why nothing follows from this page.
    """

    path: str
    status: int = 0
    url: str = ""
    view: str = ""
    where: str = ""
    location: str = ""
    to_login: bool = False
    cookies: list[str] = field(default_factory=list)
    session: bool = False
    vary: list[str] = field(default_factory=list)
    passwords: list[list[str]] = field(default_factory=list)
    digest: str = ""
    text: list[str] = field(default_factory=list)
    stable: bool = True
    writes: list[str] = field(default_factory=list)
    exception: str = ""
    raised_at: str = ""
    unjudged: str = ""
    templates: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        return bool(self.unjudged or self.exception or self.status >= 500)

    @property
    def is_private(self) -> bool:
        return self.to_login or self.status in (401, 403)


@dataclass
class Crawl:
    """`databases` say what is wrong with those that pages need; `notes` what else was left out."""

    pages: list[Page] = field(default_factory=list)
    databases: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read(data: Mapping[str, Any]) -> Crawl:
    """A crawl from what `dataclasses.asdict` makes of it."""
    pages = [Page(**item) for item in data.get("pages", ())]
    return Crawl(pages, data.get("databases", []), data.get("notes", []))


def to_ask(base: Crawl) -> list[str]:
    """The paths that main is asked for: those that the base has an answer to."""
    return [page.path for page in base.pages if not page.failed]


def of_base(base: Crawl) -> list[Finding]:
    found = []
    for page in base.pages:
        if page.writes:
            what = f"looking at it writes: {', '.join(page.writes)}"
            found.append(_finding(kinds.WRITES, what, page))
        if page.failed:
            continue
        if page.session:
            what = "it sets the session cookie for a visitor who only looks at it"
            found.append(_finding(kinds.SESSION, what, page))
        if page.is_private:
            to = page.location.partition("?")[0]
            answer = f"redirects to {to}" if page.to_login else f"answers {page.status}"
            found.append(_finding(kinds.PRIVATE, f"a visitor is not let in: it {answer}", page))
        for url, view, where in page.passwords:
            found.append(Finding(kinds.LOGIN, "it is sent a password", url, view, where))
    return [*_each_once(found), *_notes(base)]


def of_main(base: Crawl, main: Crawl, planned: Main) -> list[Finding]:
    """Compare main's pages with the base's, as it is planned: what is closed is no finding."""
    answers = {page.path: page for page in main.pages}
    pairs = [
        (page, answers[page.path])
        for page in base.pages
        if page.path in answers and not page.failed and not answers[page.path].unjudged
    ]
    notes = [
        note
        for note in [*main.notes, *main.databases]
        if note not in (*base.notes, *base.databases)
    ]
    found = [Finding(kinds.NOT_COVERED, f"main's pages: {note}") for note in notes]
    pairs = [
        (page, other)
        for page, other in pairs
        if not (_is_ghost(other) or _is_closed(page, planned))
    ]
    if everything := _all_alike(pairs):
        return [*found, everything]
    for page, other in pairs:
        found += _compared(page, other, bool(planned.public_sessions))
    return _each_once(found)


def beside(known: Iterable[Finding], found: Iterable[Finding]) -> list[Finding]:
    """What was found and is not known yet: of one URL and view the operator is asked once.

    Where every page needs a session, one answer is for all of them.
    """
    kept = list(known)
    everywhere = any(finding.kind == kinds.EVERYWHERE for finding in kept)
    asked = {_key(finding): finding.kind for finding in kept if finding.kind in STRONGEST}
    new = []
    for finding in found:
        if everywhere and finding.kind in (kinds.PRIVATE, kinds.SESSION):
            continue
        if finding.kind in STRONGEST:
            before = asked.get(_key(finding))
            if before and STRONGEST.index(before) <= STRONGEST.index(finding.kind):
                continue
            asked[_key(finding)] = finding.kind
        new.append(finding)
    return new


def main_does_not_start(error: str) -> Finding:
    return Finding(kinds.BREAKS, f"main does not start: {error}")


def _compared(page: Page, other: Page, public_sessions: bool) -> Iterator[Finding]:
    opened = page.is_private or page.status == 404 or 300 <= page.status < 400
    if opened and 200 <= other.status < 300 and not other.failed:
        was = f"redirects to {page.location}" if page.location else f"answers {page.status}"
        yield _finding(kinds.OPENED, f"main shows it to everybody; the site {was}", page)
    elif other.failed:
        yield _finding(kinds.BREAKS, _failure(other), page, where=other.raised_at)
    elif page.status < 400 and (other.status >= 400 or (other.to_login and not page.to_login)):
        did = f"redirects to {other.location}" if other.to_login else f"answers {other.status}"
        yield _finding(kinds.BREAKS, f"main {did}, the site {page.status}", page)
    else:
        if differences := list(_differences(page, other, public_sessions)):
            yield _finding(kinds.DIFFERS, "; ".join(differences), page)
    if other.session and not public_sessions:
        yield _finding(kinds.BREAKS, "main sets the session cookie, and keeps no sessions", page)


def _differences(page: Page, other: Page, public_sessions: bool) -> Iterator[str]:
    if page.status != other.status:
        yield f"main answers {other.status}, the site {page.status}"
    elif page.location != other.location and page.stable:
        yield f"main redirects to {other.location}, the site to {page.location}"
    elif page.stable and page.digest != other.digest:
        yield "the page is another one" + _first_difference(page.text, other.text)
    # Main's pages need not vary by a cookie that main has not: that is what the split is for.
    if set(other.vary) not in (set(page.vary), {*page.vary} - {"cookie"}):
        vary, base_vary = (", ".join(names) or "nothing" for names in (other.vary, page.vary))
        yield f"main's answer varies by {vary}, the site's by {base_vary}"
    if differ := set(page.cookies) ^ set(other.cookies):
        yield f"only one of the two sets the cookie {', '.join(sorted(differ))}"


def _first_difference(base: list[str], main: list[str]) -> str:
    for number, (line, other) in enumerate(zip(base, main, strict=False), 1):
        if line != other:
            start = next(
                (at for at, (a, b) in enumerate(zip(line, other, strict=False)) if a != b),
                min(len(line), len(other)),
            )
            start = max(0, start - SHOWN // 3)
            return f" (line {number}: {_cut(other, start)}, the site's {_cut(line, start)})"
    return f" (it has {len(main)} lines, the site's {len(base)})" if len(base) != len(main) else ""


def _cut(line: str, start: int) -> str:
    return repr(line[start : start + SHOWN])


def _failure(page: Page) -> str:
    why = f": {page.exception}" if page.exception else f" with {page.status}"
    return f"it fails on main only{why}"


def _all_alike(pairs: list[tuple[Page, Page]]) -> Finding | None:
    """One cause for every page, as a middleware's: no URL can be given away to mend that."""
    causes = {(other.exception, other.raised_at) for _, other in pairs}
    if len(pairs) < 2 or len(causes) != 1 or not pairs[0][1].exception:
        return None
    exception, raised_at = causes.pop()
    return Finding(kinds.BREAKS, f"every page fails on main: {exception}", where=raised_at)


def _is_ghost(page: Page) -> bool:
    return page.view.startswith("django_split.")


def _is_closed(page: Page, planned: Main) -> bool:
    views = planned.urls.closed_views
    return is_below(page.path, planned.urls.closed) or any(fnmatchcase(page.view, v) for v in views)


def _notes(base: Crawl) -> Iterator[Finding]:
    causes: dict[tuple[str, str], list[str]] = {}
    for page in base.pages:
        if page.failed:
            why = page.unjudged or page.exception or f"status {page.status}"
            causes.setdefault((why, page.raised_at), []).append(page.path)
    for note in base.notes:
        yield Finding(kinds.NOT_COVERED, note)
    if base.databases:
        # One sentence: what fails while a database is missing fails because of it.
        count = sum(map(len, causes.values()))
        failed = f" ({count} of {len(base.pages)} pages fail)" if count else ""
        what = f"pages could not be judged: {'; '.join(base.databases)}{failed}"
        yield Finding(kinds.NOT_COVERED, what)
        return
    for (why, where), paths in causes.items():
        more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
        named = ", ".join(paths[:NAMED]) + more
        what = f"not compared, because the site itself fails: {named}: {why}"
        yield Finding(kinds.NOT_COVERED, what, where=where)


def _finding(kind: str, what: str, page: Page, where: str = "") -> Finding:
    if page.path == MISSING:
        return Finding(kind, f"a page that is not there: {what}", where=where)
    if page.url and page.url != page.path and kind != kinds.WRITES:
        what = f"{what} (as {page.path})"
    return Finding(kind, what, page.url or page.path, page.view, where or page.where)


def _each_once(found: Iterable[Finding]) -> list[Finding]:
    """One finding of a kind for a view under one URL, however many pages it has."""
    kept: dict[tuple[str, ...], Finding] = {}
    for finding in found:
        name = (finding.what,) if not finding.url else ()
        kept.setdefault((finding.kind, *_key(finding), *name), finding)
    return list(kept.values())


def _key(finding: Finding) -> tuple[str, str]:
    return finding.url, finding.view
