"""Main's stand-in for SessionMiddleware, and the filter for URLconfs that a middleware chooses."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase

from django_split.runtime.main.sessions import SessionStore
from django_split.runtime.main.urlconf import filtered

logger = logging.getLogger("django_split")

LOGIN_KEY = "_auth_user_id"

GetResponse = Callable[[HttpRequest], Any]


class _Middleware:
    """A middleware with something to do before and after, under WSGI and ASGI."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        self.before(request)
        response = self.get_response(request)
        if inspect.isawaitable(response):
            return self._later(request, response)
        self.after(request)
        result: HttpResponseBase = response
        return result

    async def _later(
        self, request: HttpRequest, response: Awaitable[HttpResponseBase]
    ) -> HttpResponseBase:
        result = await response
        self.after(request)
        return result

    def before(self, request: HttpRequest) -> None:
        pass

    def after(self, request: HttpRequest) -> None:
        pass


class StandInSessionMiddleware(_Middleware):
    """Gives each request a session of its own that is thrown away, sets no cookie and no `Vary`."""

    def before(self, request: HttpRequest) -> None:
        request.session = SessionStore()

    def after(self, request: HttpRequest) -> None:
        session = request.session
        if not isinstance(session, SessionStore) or not session.modified or session.is_empty():
            return
        keys = sorted(map(str, session.keys()))
        if LOGIN_KEY in session:
            logger.error(
                "%s %s signed a user in, but main keeps no sessions: the login is lost. "
                "Give this URL to the admin instance (admin_extra_prefixes) "
                "or close it (main_closed_prefixes).",
                request.method,
                request.path,
            )
        else:
            # The keys only: what is in a session may be private.
            logger.error(
                "%s %s wrote to the session (%s), but main keeps no sessions: it is lost.",
                request.method,
                request.path,
                ", ".join(keys),
            )


class UrlconfMiddleware(_Middleware):
    """Filters a `request.urlconf` as ROOT_URLCONF is filtered.

    Stands last, after whoever sets it.
    """

    def before(self, request: HttpRequest) -> None:
        urlconf = getattr(request, "urlconf", None)
        if urlconf is not None:
            request.urlconf = filtered(urlconf)  # type: ignore[assignment]  # a module will do
