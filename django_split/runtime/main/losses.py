"""What is lost on main: writes to a session that is thrown away, messages that no cookie holds.

Never silently. Under tests it is an exception; in production a line in the log, that a busy page
cannot flood, and a count: `seen`.
"""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from threading import Lock

from django.conf import settings
from django.http import HttpRequest

from django_split import runtime
from django_split.mounts import view_name

logger = logging.getLogger("django_split")

LOGIN_KEY = "_auth_user_id"
MESSAGES = "messages"

# So many different losses are told apart: keys may hold numbers, and a method can be anything.
KINDS = 200

MEND = (
    "Answer for it with admin_extra_prefixes (the admin instance serves it), main_closed_prefixes "
    "or main_closed_views (404 on main), main_anonymous_views (it may be lost) or public_sessions "
    "(main keeps sessions)."
)


class LossError(Exception):
    """Something was lost on main while tests run, or where DJANGO_SPLIT["loud"] is true."""


@dataclass(frozen=True)
class Loss:
    """One kind of loss. The keys only: what is in a session may be private."""

    method: str  # empty outside of a request
    view: str  # dotted; empty where no URL matched
    keys: tuple[str, ...]


OTHER = Loss("", "", ())

# How many times this process has seen each; more than KINDS of them are counted as OTHER.
seen: Counter[Loss] = Counter()
_lock = Lock()


def record(request: HttpRequest | None, keys: Iterable[str], place: str = "") -> None:
    """Count a loss, and be loud about it unless the operator has accepted it for this view.

    `place` is where it was written, "module:line". Raises LossError when loud means that.
    """
    match = getattr(request, "resolver_match", None)
    view = view_name(match.func) if match else ""
    loss = Loss((request.method or "") if request else "", view, tuple(keys))
    times = _count(loss)
    accepted = runtime.plan().main.urls.anonymous_views
    if view and any(fnmatchcase(view, pattern) for pattern in accepted):
        return
    if is_loud():
        raise LossError(f"{_sentence(request, loss, place)} {MEND}")
    if str(times).strip("0") == "1":  # the first, and each power of ten
        logger.error(
            "%s Seen %s by this process. %s",
            _sentence(request, loss, place),
            "once" if times == 1 else f"{times} times",
            MEND,
        )


def is_loud() -> bool:
    """Whether a loss is an exception: as DJANGO_SPLIT["loud"] says, or else while tests run."""
    declared = settings.DJANGO_SPLIT.get("loud")
    return bool(declared) if declared is not None else tests_run()


def tests_run() -> bool:
    """Whether django.test's environment is set up. An instance that serves does not import it."""
    tests = sys.modules.get("django.test.utils")
    return tests is not None and hasattr(tests._TestState, "saved_data")


def _count(loss: Loss) -> int:
    with _lock:
        if loss not in seen and len(seen) >= KINDS:
            loss = OTHER
        seen[loss] += 1
        return seen[loss]


def _sentence(request: HttpRequest | None, loss: Loss, place: str) -> str:
    who = f"{loss.method} {request.path}" if request else "Code outside of a request"
    at = ", ".join(part for part in (loss.view, f"at {place}" if place else "") if part)
    if loss.keys == (MESSAGES,):
        what = "left more messages than main's cookie holds: some are lost."
    elif LOGIN_KEY in loss.keys:
        what = "signed a user in, but main keeps no sessions: the login is lost."
    else:
        keys = ", ".join(loss.keys)
        what = f"wrote to the session ({keys}), but main keeps no sessions: it is lost."
    return f"{who} ({at}) {what}" if at else f"{who} {what}"
