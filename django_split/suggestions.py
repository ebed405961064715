"""What to type as an answer to a plan's open questions.

The options of `django-split plan` have the names of the inventory's variables, so what is said here
is right for both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django_split import findings as kinds
from django_split.findings import Finding
from django_split.mounts import is_below

# As many values are worth a line.
NAMED = 8

BY_PREFIX = "the admin instance serves it, with all that is below"
CLOSED = "404 on main"
ANONYMOUS = "main serves it, to a visitor who is never signed in"
SESSIONS = "main keeps sessions of its own, and still loses the admin"
OWN_HOST = "a name of the admin's own, where it has that page for itself"


@dataclass(frozen=True)
class Suggestion:
    words: str
    meaning: str


def suggestions(kind: str, found: Iterable[Finding]) -> list[Suggestion]:
    """Each way to answer for these findings, which are of one kind.

    Every suggestion alone answers for as many of them as it can; none for what only a change of the
    site can mend.
    """
    group = list(found)
    made = []
    if kind in (kinds.LOGIN, kinds.SESSION, kinds.PRIVATE, kinds.OPENED, kinds.BREAKS):
        if prefixes := _prefixes(group, wide=kind == kinds.LOGIN):
            made.append(_suggestion("admin_extra_prefixes", prefixes, BY_PREFIX))
            made.append(_suggestion("main_closed_prefixes", prefixes, CLOSED))
        views = list(dict.fromkeys(f.view for f in group if f.view))
        if views and not all(is_below(f.url, prefixes) for f in group):
            made.append(_suggestion("main_closed_views", views, CLOSED))
        if views and kind in (kinds.LOGIN, kinds.SESSION, kinds.PRIVATE):
            made.append(_suggestion("main_anonymous_views", views, ANONYMOUS))
    if kind == kinds.MOUNT and (prefixes := _prefixes(group, wide=True)):
        made.append(_suggestion("admin_extra_prefixes", prefixes, BY_PREFIX))
        made.append(_suggestion("admin_host", ["admin.example.org"], OWN_HOST))
    if kind in (kinds.EVERYWHERE, kinds.LOGIN, kinds.SESSION, kinds.PRIVATE):
        made.append(_suggestion("public_sessions", ["cached_db"], SESSIONS))
    return made


def option(variable: str) -> str:
    """The command's option for a variable of the inventory."""
    return f"--{variable.replace('_', '-')}"


def _suggestion(variable: str, values: list[str], meaning: str) -> Suggestion:
    more = f" ... ({len(values) - NAMED} more)" if len(values) > NAMED else ""
    return Suggestion(f"{option(variable)} {' '.join(values[:NAMED])}{more}", meaning)


def _prefixes(group: list[Finding], wide: bool) -> list[str]:
    """The fewest prefixes that these URLs are below.

    A page that demands a user is named by its own path, for its neighbours may be public; a login
    by its folder, for a password reset's steps belong together. A path with parameters has no
    prefix of its own.
    """
    found = set()
    for finding in group:
        head = re.split(r"[<(\[\\^$.*+?{|]", finding.url)[0]
        if head != finding.url:
            head = head[: head.rfind("/") + 1]
            if not wide:
                continue
        elif wide and head.rstrip("/").count("/") > 1:
            head = head.rstrip("/").rpartition("/")[0] + "/"
        if head not in ("", "/"):
            found.add(head)
    return sorted(path for path in found if not is_below(path, found - {path}))
