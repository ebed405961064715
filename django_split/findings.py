"""What analysis finds in a site, each with its evidence.

A finding of a kind in `NEED_AN_ANSWER` stops a deploy until the operator has said what becomes of
its URL. The others are told, and stop nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# Every page demands a login, or every form a session.
EVERYWHERE = "everywhere"
# An admin that no prefix can send to its instance.
MOUNT = "mount"
# An anonymous page keeps something in the session.
SESSION = "session"
# Signs in or out, registers, or changes a password: without a session it fails silently (FACTS A7).
LOGIN = "login"
# Demands a user.
PRIVATE = "private"
# The crawl: main answers 200 where the base does not. Never acceptable.
OPENED = "opened"
# The crawl: main answers with an error where the base does not.
BREAKS = "breaks"

NEED_AN_ANSWER = (EVERYWHERE, MOUNT, SESSION, LOGIN, PRIVATE, OPENED, BREAKS)

# A page that shows the user, when there is one.
USER = "user"
# The crawl: main's page is another one than the base's.
DIFFERS = "differs"
# The crawl: a GET writes to the database.
WRITES = "writes"
# Not the admin's, but under its prefix: the admin instance serves it.
BELOW = "below an admin"
# Writes to the session, by a path that no URL could be told for.
MAYBE_SESSION = "may write to the session"
# Why a dropped app's models, or templates, are needed on main.
NEEDED = "needed on main"
SIGNS = "signs"
CACHE = "cache"
# View restrictions that are kept as data.
RESTRICTION = "restriction"
# What the analysis did not look into.
NOT_COVERED = "not covered"

# How an operator can answer for a URL.
ADMIN = "admin"
CLOSED = "closed"
ANONYMOUS = "anonymous"
PUBLIC_SESSIONS = "public sessions"


@dataclass
class Finding:
    """One thing in the site that bears on the split.

    `what` is a sentence for people; `where` is "file.py:12", counted from the folder on sys.path;
    `answer` is how the operator answered for it, empty for a question that is still open and for a
    finding that asks nothing.
    """

    kind: str
    what: str
    url: str = ""  # as its route is written: "/articles/<int:pk>/edit/"
    view: str = ""  # dotted
    where: str = ""
    answer: str = ""

    @property
    def is_open(self) -> bool:
        return self.kind in NEED_AN_ANSWER and not self.answer


def of_kind(findings: Iterable[Finding], *kinds: str) -> list[Finding]:
    return [finding for finding in findings if finding.kind in kinds]


def distinct(findings: Iterable[Finding]) -> list[Finding]:
    """In a stable order, each once: the same view under two names is one thing to decide."""
    kept = {(f.kind, f.url, f.view, f.what, f.where): f for f in findings}
    return sorted(kept.values(), key=lambda f: (f.kind, f.url, f.view, f.where, f.what))
