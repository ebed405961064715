"""Idle and absolute limits of signed-in sessions.

Stands directly behind the session middleware. A session past a limit is ended on the server, and
its request goes on as a visitor's: the admin shows its login. Sessions that nobody has signed in to
are never touched.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.deprecation import MiddlewareMixin
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from django_split.sessions import tracking
from django_split.sessions.tracking import LOGIN_KEY, RECORD, Limit, Limits


class SessionLimitsMiddleware(MiddlewareMixin):
    """Sync and async, as Django's SessionMiddleware is both."""

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)
        user_logged_in.connect(_begin_anew, dispatch_uid="django_split.sessions.limits")

    def process_request(self, request: HttpRequest) -> None:
        session = request.session
        if session.session_key is None:
            return
        with _unseen(session):
            if LOGIN_KEY not in session:
                return
            limits, now = Limits.current(), int(time.time())
            record, mended = tracking.read(session, now)
            if limit := limits.passed(record, now):
                session.flush()
                request._split_ended = limit  # type: ignore[attr-defined]
            elif mended or now - record["seen"] >= limits.grain:
                _write(session, _touched(record, now, limits, request))

    def process_view(self, request: HttpRequest, *view: Any) -> None:
        """Here, because the message middleware stands further in, and has made its storage."""
        if limit := getattr(request, "_split_ended", None):
            messages.warning(request, _farewell(limit), fail_silently=True)

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        session = request.session
        # Who signs in modifies the session; and what is written anyway may carry the time along.
        if session.modified and LOGIN_KEY in session:
            now = int(time.time())
            record, _mended = tracking.read(session, now)
            session[RECORD] = _touched(record, now, Limits.current(), request)
        return response


def _touched(
    record: dict[str, Any], now: int, limits: Limits, request: HttpRequest
) -> dict[str, Any]:
    client = tracking.client(request.META) if limits.record_client else None
    return tracking.touched(record, now, client)


def _write(session: SessionBase, record: dict[str, Any]) -> None:
    """Write the record down at once, and not with the response.

    A slow page would otherwise write back, at its end, what it read at its beginning, over what
    other requests have changed meanwhile.
    """
    modified = session.modified
    session[RECORD] = record
    # The response need not set the cookie again. (An engine that keeps the session in the cookie
    # says itself, in save(), that it must.)
    session.modified = modified
    try:
        session.save()
    except UpdateError:
        session.flush()  # ended between our reading and writing it


@contextmanager
def _unseen(session: SessionBase) -> Iterator[None]:
    """What is read in here makes no page depend on the cookie ("Vary") that did not before."""
    accessed = session.accessed
    try:
        yield
    finally:
        session.accessed = accessed


def _begin_anew(sender: Any, request: HttpRequest | None, **kwargs: Any) -> None:
    """Somebody who signs in again in their own session: login() keeps its data and its key."""
    session = getattr(request, "session", None)
    if request is None or session is None:
        return
    session.pop(RECORD, None)
    if session.session_key == request.COOKIES.get(settings.SESSION_COOKIE_NAME):
        # Or a key that was stolen would live on with the new login's time.
        session.cycle_key()


def _farewell(limit: Limit) -> str:
    limits = Limits.current()
    seconds = limits.idle if limit == "idle" else limits.absolute
    now = timezone.now()
    # Django's own catalogues have "30 minutes" in every language.
    duration = timesince(now - timedelta(seconds=seconds), now)
    if limit == "idle":
        return _("You were signed out after %s without a request.") % duration
    return _("You were signed out: %s is the longest that a session lasts.") % duration
