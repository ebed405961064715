"""Main's stand-in for SessionMiddleware, and the filter for URLconfs that a middleware chooses."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase

from django_split.runtime.main import losses
from django_split.runtime.main.sessions import SessionStore
from django_split.runtime.main.urlconf import filtered

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
        self.after(request, response)
        result: HttpResponseBase = response
        return result

    async def _later(
        self, request: HttpRequest, response: Awaitable[HttpResponseBase]
    ) -> HttpResponseBase:
        result = await response
        self.after(request, result)
        return result

    def before(self, request: HttpRequest) -> None:
        pass

    def after(self, request: HttpRequest, response: HttpResponseBase) -> None:
        pass


class StandInSessionMiddleware(_Middleware):
    """Gives each request a session of its own that is thrown away, sets no cookie and no `Vary`."""

    def before(self, request: HttpRequest) -> None:
        request.session = SessionStore()
        request.session.in_request = True

    def after(self, request: HttpRequest, response: HttpResponseBase) -> None:
        session = request.session
        # After an error Django keeps no session either.
        if not isinstance(session, SessionStore) or response.status_code == 500:
            return
        if keys := session.lost():
            losses.record(request, keys, session.place)


class UrlconfMiddleware(_Middleware):
    """Filters a `request.urlconf` as ROOT_URLCONF is filtered.

    Stands last, after whoever sets it.
    """

    def before(self, request: HttpRequest) -> None:
        urlconf = getattr(request, "urlconf", None)
        if urlconf is not None:
            request.urlconf = filtered(urlconf)  # type: ignore[assignment]  # a module will do
