"""Who was signed in on the unsplit site is signed in on the admin, with the cookie of before, once.

Stands behind the guard and before the session middleware. Only a session that `migrate` has put
into the admin's store counts, and only until it is taken: nobody gets into the admin with the key
of a session that main has made, and no other site can plant one.

A takeover is through when a response has given the browser the admin's own cookie. Until then, and
for a moment after it, whoever brings the old cookie is led to the same new session: a browser asks
for a page and its parts at once, all with the cookie that it has.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from django_split.sessions import base, copies

# Seconds for which the old cookie leads to the new session. Longer than a browser asks with it once
# it has been told of the new one.
GRACE = 60
KEY = re.compile(r"[A-Za-z0-9_-]{8,128}", re.ASCII)


@dataclass(frozen=True)
class Taken:
    """A takeover under way: from the old key to the new one. `ends` in unix seconds."""

    old: str
    new: str
    until: int
    ends: int

    def mark(self, through: bool = False) -> dict[str, Any]:
        return {"to": self.new, "until": self.until, "ends": self.ends, "taken": through}

    def life(self) -> int:
        return max(self.ends - int(time.time()), 0) + copies.LONGER


class TakeoverMiddleware:
    """Second in MIDDLEWARE. For sync and async sites."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        said = getattr(settings, "DJANGO_SPLIT_SESSIONS", {})
        store = copies.current()
        self.cookie = str(said.get("base_cookie") or "")
        if store is None or self.cookie in ("", settings.SESSION_COOKIE_NAME):
            raise MiddlewareNotUsed
        self.path = str(said.get("base_cookie_path") or "/")
        self.domain = said.get("base_cookie_domain") or None
        unsplit = base.of_plan()
        self.is_mains = unsplit is not None and unsplit.public_cookie == self.cookie
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)
        self._copies = store
        self._sessions = SessionMiddleware(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        old = self._old(request)
        if self.is_async:
            return self._answer(request, old)
        taken = self._take(request, old) if old else None
        response: HttpResponseBase = self.get_response(request)
        return self._finish(request, response, taken) if taken else response

    async def _answer(self, request: HttpRequest, old: str) -> HttpResponseBase:
        taken = await sync_to_async(self._take)(request, old) if old else None
        response: HttpResponseBase = await self.get_response(request)
        return await sync_to_async(self._finish)(request, response, taken) if taken else response

    def _old(self, request: HttpRequest) -> str:
        """The key in the old cookie, where it is all that the browser has; else empty."""
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            return ""
        key = request.COOKIES.get(self.cookie, "")
        return key if KEY.fullmatch(key) else ""

    def _take(self, request: HttpRequest, old: str) -> Taken | None:
        """Go on as the session that was moved, under a new key; None where none was."""
        copy, mark = self._copies.get([old, copies.mark_of(old)])
        taken = _under_way(old, mark)
        if taken is None:
            if copies.is_taken(mark) or copy is None or copies.version_of(copy) is None:
                return None
            taken = self._begin(old, copy)
        request.COOKIES[settings.SESSION_COOKIE_NAME] = taken.new
        return taken

    def _begin(self, old: str, copy: dict[str, Any]) -> Taken:
        # Whole, before anybody is led to it.
        session = _engine()()
        session.update(copies.unstamped(copy))
        session.save()
        ours = Taken(old, session.session_key, int(time.time()) + GRACE, copies.end_of(copy))
        name = copies.mark_of(old)
        if self._copies.add([(name, ours.mark(), ours.life())]) == [True]:
            return ours
        # Another request was quicker; or an earlier one never got as far as giving a cookie, as
        # when its page was a 500.
        (mark,) = self._copies.get([name])
        if (theirs := _under_way(old, mark)) is not None:
            session.delete()
            return theirs
        self._copies.put(name, ours.mark(), ours.life())
        if mark and mark.get("to"):
            _engine()().delete(mark["to"])
        return ours

    def _finish(
        self, request: HttpRequest, response: HttpResponseBase, taken: Taken
    ) -> HttpResponseBase:
        session = getattr(request, "session", None)
        # A 5xx keeps the cookies as they are, as Django does; and what answers before the session
        # middleware, as a redirect to https, has given the browser none.
        if response.status_code >= 500 or session is None:
            return response
        if settings.SESSION_COOKIE_NAME not in response.cookies and session.session_key:
            # The page has changed nothing in the session, so Django has set no cookie.
            session.modified = True
            # Unless another request has signed out meanwhile.
            with contextlib.suppress(SessionInterrupted):
                self._sessions.process_response(request, response)  # type: ignore[arg-type]
        self._copies.put(copies.mark_of(taken.old), taken.mark(through=True), taken.life())
        if self.is_mains:
            # Its cookie and, where both write to one table, its row.
            self._copies.delete(taken.old)
        else:
            _engine()().delete(taken.old)
            response.delete_cookie(self.cookie, path=self.path, domain=self.domain)
        patch_vary_headers(response, ["Cookie"])
        return response


def _under_way(old: str, mark: dict[str, Any] | None) -> Taken | None:
    """The takeover that a mark tells of, as long as the old cookie leads to it."""
    try:
        if mark is None or time.time() >= mark["until"]:
            return None
        return Taken(old, str(mark["to"]), int(mark["until"]), int(mark["ends"]))
    except (KeyError, TypeError, ValueError):
        return None


def _engine() -> Any:
    return cast(Any, import_module(settings.SESSION_ENGINE).SessionStore)
