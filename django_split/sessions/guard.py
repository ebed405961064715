"""503 for a request whose session store is away, so that nobody is signed out by an outage.

First of all middleware: what it answers in place of must not leave, for it may delete the session's
cookie. A request that did not touch its session is none of its business.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from django_split.sessions import outage

log = logging.getLogger("django_split.sessions")

# Seconds. A restart of Redis takes one, a failover by Sentinel about five.
RETRY_AFTER = "5"

PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Please try again in a moment</title></head>
<body>
<h1>Please try again in a moment</h1>
<p>The store in which this site keeps who is signed in does not answer at the moment.</p>
<p>Nothing is lost, and you are still signed in. Wait a few seconds and try again. If you have just
sent a form, look first whether it has been saved.</p>
</body>
</html>
"""


class StoreGuardMiddleware:
    """Put it first in MIDDLEWARE. For sync and async sites."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)
        for name in TRACEBACKS:
            logger = logging.getLogger(name)
            if not any(isinstance(one, _NoTraceback) for one in logger.filters):
                logger.addFilter(_NoTraceback())

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self._answer_async(request)
        with outage.watch() as notes:
            try:
                response = self.get_response(request)
            except Exception:  # under DEBUG_PROPAGATE_EXCEPTIONS
                if not notes:
                    raise
            return _answer(request, notes) if notes else cast(HttpResponseBase, response)

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        with outage.watch() as notes:
            try:
                response = await self.get_response(request)
            except Exception:
                if not notes:
                    raise
            return _answer(request, notes) if notes else cast(HttpResponseBase, response)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        """Spare a view's failure the way of a bug: signals, a debug page, a report by mail."""
        return None if outage.noted() is None else _page()


def _answer(request: HttpRequest, notes: list[Exception]) -> HttpResponse:
    # A path may hold line breaks; the log must not.
    log.warning("Session store: %s. 503 for %s %r", notes[0], request.method, request.path)
    return _page()


def _page() -> HttpResponse:
    response = HttpResponse(PAGE, status=503)
    response["Retry-After"] = RETRY_AFTER
    response["Cache-Control"] = "no-store"
    # Django logs a response of 5xx as an error, and mails that; ours is logged as what it is.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


# Who writes a traceback for what the guard answers: the handler for what middleware lets out, and
# the engine cached_db.
TRACEBACKS = ("django.request", "django.contrib.sessions")


class _NoTraceback(logging.Filter):
    """While a request meets an outage, what fails in it fails of that."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not record.exc_info or outage.noted() is None
