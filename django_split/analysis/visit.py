"""One visitor, who asks for one page at a time: without cookies, unless given some."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings
from django.core.signals import got_request_exception
from django.db import close_old_connections, connections
from django.shortcuts import resolve_url
from django.test.client import ClientHandler, RequestFactory
from django.test.signals import template_rendered
from django.urls import ResolverMatch
from django.utils import timezone, translation

from django_split.analysis import links, quiet
from django_split.analysis.alarm import TooSlow, limit
from django_split.analysis.evidence import at, place
from django_split.analysis.failure import own_frame
from django_split.analysis.files import Files
from django_split.analysis.pages import Page
from django_split.analysis.readonly import Databases
from django_split.analysis.targets import match, script_name, without_script_name
from django_split.analysis.words import login
from django_split.mounts import as_written, is_below, view_name

# Seconds for one page.
PAGE = 5
# Characters of a body that are looked at, and that are kept to say what differs.
BODY = 2_000_000
KEPT = 60_000
# A site may send its visitors on to https, then to its other name.
ORIGINS = 3

BROWSER: dict[str, Any] = {
    "HTTP_ACCEPT": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "HTTP_USER_AGENT": "Mozilla/5.0 (compatible; django-split)",
}

# What differs from one fetch to the next and says nothing: tokens, nonces, keys, times.
RANDOM = re.compile(
    r"[A-Za-z0-9]{32,}"
    r"|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
    r"|\bnonce=(?:\"[^\"]*\"|'[^']*')"
    r"|\b[0-9a-f]{12,}\b"
    r"|\b\d{10,}\b"
    r"|(?<!\d)\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?!\d)"
)
ADDRESS = re.compile(r" at 0x[0-9a-f]+")


@dataclass
class Reply:
    """What came back, and what happened on the way."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    cookies: SimpleCookie = field(default_factory=SimpleCookie)
    body: str = ""
    match: ResolverMatch | None = None
    error: BaseException | None = None
    slow: bool = False
    writes: list[str] = field(default_factory=list)
    templates: list[str] = field(default_factory=list)


class Visitor:
    """Asks for pages through the whole middleware, and tells of each as a Page."""

    def __init__(self, databases: Databases, prefixes: list[str], host: str, secure: bool) -> None:
        """Take the admin's prefixes. Raises what a middleware raises that cannot be loaded."""
        self.databases = databases
        self.files = Files()
        self.files.hold()
        self.prefixes = prefixes
        self.host, self.secure = host, secure
        # As a browser would send them: "name=value; other=value".
        self.cookies = ""
        self.handler = ClientHandler(enforce_csrf_checks=True)
        self.handler.load_middleware()
        self.reply = Reply()
        self.logins = _login_paths()
        got_request_exception.connect(self._raised, weak=False)
        template_rendered.connect(self._rendered, weak=False)

    def page(self, path: str, twice: bool) -> tuple[Page, list[str]]:
        """Ask for a page, `twice` to know whether it is stable. Gives what it leads to, too."""
        reply = self._settled(path)
        page = self._page(path, reply)
        if twice and not page.failed:
            page.stable = _same(page, self._page(path, self._get(path)))
        return page, self._leads_to(path, reply)

    def _settled(self, path: str) -> Reply:
        """Ask, by the scheme and the name that the site sends this very page to."""
        reply = self._get(path)
        for _ in range(ORIGINS):
            if not 300 <= reply.status < 400:
                break
            to = urlsplit(links.join(self._url(path), reply.headers.get("location", "")))
            origin = (to.netloc, to.scheme == "https")
            here = urlsplit(self._url(path))
            same = (to.path, to.query) == (here.path, here.query)
            if not same or not to.netloc or origin == (self.host, self.secure):
                break
            self.host, self.secure = origin
            reply = self._get(path)
        return reply

    def _get(self, path: str) -> Reply:
        quiet.forget()
        translation.deactivate()
        timezone.deactivate()
        self.reply = reply = Reply()
        self.databases.writes.seen = self.files.seen = reply.writes
        try:
            with limit(PAGE):
                self._ask(path, reply)
        except TooSlow:
            reply.slow = True
        # A view may also exit.
        except BaseException as error:
            reply.error = reply.error or error
        if reply.slow:
            for connection in connections.all(initialized_only=True):
                connection.close()  # it may be in the middle of something
        close_old_connections()
        reply.status = 500 if reply.error and not reply.status else reply.status
        return reply

    def _ask(self, path: str, reply: Reply) -> None:
        headers = {**BROWSER, "HTTP_HOST": self.host}
        if self.cookies:
            headers["HTTP_COOKIE"] = self.cookies
        environment = RequestFactory(**headers).get(path, secure=self.secure).environ
        response: Any = self.handler(environment)
        reply.match = getattr(response.wsgi_request, "resolver_match", None)
        reply.headers = {name.lower(): str(value) for name, value in response.items()}
        reply.cookies = response.cookies
        # The body may be made while it is read, so it may fail then.
        reply.body = b"".join(_first(response, BODY)).decode(response.charset, "replace")
        reply.status = response.status_code

    def _raised(self, **kwargs: Any) -> None:
        # The first one: a page for errors may fail in its turn.
        self.reply.error = self.reply.error or sys.exc_info()[1]

    def _rendered(self, template: Any, **kwargs: Any) -> None:
        name = getattr(template, "name", None)
        if isinstance(name, str) and name not in self.reply.templates:
            self.reply.templates.append(name)

    def _page(self, path: str, reply: Reply) -> Page:
        text = RANDOM.sub("*", reply.body)
        # A middleware may have answered before the URL was looked up.
        answered = reply.match or match(path)
        location = reply.headers.get("location", "")
        session = reply.cookies.get(settings.SESSION_COOKIE_NAME)
        others = sorted(set(reply.cookies) - {settings.SESSION_COOKIE_NAME})
        return Page(
            path,
            status=reply.status,
            url=as_written(answered) if answered else "",
            view=view_name(answered.func) if answered else "",
            where=place(answered.func) if answered else "",
            location=self._location(path, location),
            to_login=300 <= reply.status < 400 and self._is_login(path, location),
            # Messages have a cookie of their own name on main.
            cookies=[name for name in others if not name.endswith("messages")],
            session=session is not None and bool(session.value),
            vary=sorted(set(reply.headers.get("vary", "").lower().replace(",", " ").split())),
            passwords=self._passwords(path, reply),
            digest=hashlib.sha256(text.encode()).hexdigest()[:16],
            text=text[:KEPT].splitlines(),
            writes=reply.writes,
            exception=described(reply.error),
            raised_at=_raised_at(reply.error),
            unjudged=self._unjudged(reply),
            templates=reply.templates,
        )

    def _unjudged(self, reply: Reply) -> str:
        if reply.slow:
            return f"no answer in {PAGE} s"
        if reply.error and self.databases.is_lost(reply.error):
            return "; ".join(self.databases.lost.values())
        return ""

    def _url(self, path: str) -> str:
        return f"{'https' if self.secure else 'http'}://{self.host}{script_name()}{path}"

    def _path(self, url: str) -> str:
        """The path of a URL of this site; empty for any other."""
        path = links.path_of(url, self.host)
        return without_script_name(path) if path else ""

    def _location(self, path: str, location: str) -> str:
        """Where it redirects to, as a path if that is on this host."""
        if not location:
            return ""
        to = links.join(self._url(path), location)
        return RANDOM.sub("*", self._path(to) or to)

    def _is_login(self, path: str, location: str) -> bool:
        """Whether a redirect is one that asks a visitor to sign in.

        It names the page to come back to, or it goes to a login from what is none itself: a login
        may have two URLs.
        """
        to = urlsplit(links.join(self._url(path), location))
        leads = login(to.path, to.netloc) or to.path in self.logins
        return leads and (comes_back(path, to.query) or not login(path))

    def _leads_to(self, path: str, reply: Reply) -> list[str]:
        found, _ = links.of_page(self._url(path), reply.headers.get("content-type", ""), reply.body)
        if location := reply.headers.get("location"):
            found = [links.join(self._url(path), location), *found]
        return [there for url in found if (there := self._path(url))]

    def _passwords(self, path: str, reply: Reply) -> list[list[str]]:
        """Where passwords go: not the page, because a form may stand in the head of every page."""
        kind = reply.headers.get("content-type", "")
        _, targets = links.of_page(self._url(path), kind, reply.body)
        found = []
        for url in dict.fromkeys(targets):
            there = self._path(url).partition("?")[0]
            to = match(there)
            if to and not is_below(there, self.prefixes):
                found.append([as_written(to), view_name(to.func), place(to.func)])
        return found


def _first(response: Any, most: int) -> Iterator[bytes]:
    """The body, as far as it is looked at: a stream may never end."""
    read = 0
    try:
        for chunk in response:
            yield chunk
            read += len(chunk)
            if read > most:
                return
    finally:
        if response.streaming:
            response.close()


def _same(page: Page, other: Page) -> bool:
    return (page.status, page.location, page.digest) == (other.status, other.location, other.digest)


def comes_back(path: str, query: str) -> bool:
    """Whether a redirect's query names the page that it came from."""
    here = script_name() + path.partition("?")[0]
    return any(urlsplit(value).path == here for _, value in parse_qsl(query))


def described(error: BaseException | None) -> str:
    """Its type and its first line, the same in every run."""
    if error is None:
        return ""
    message = (str(error).strip().splitlines() or [""])[0][:200]
    return ADDRESS.sub(
        "", f"{type(error).__name__}: {message}" if message else type(error).__name__
    )


def _raised_at(error: BaseException | None) -> str:
    frame = own_frame(error.__traceback__) if error else None
    return at(frame.filename, frame.lineno or 0) if frame else ""


def _login_paths() -> set[str]:
    with suppress(Exception):
        return {urlsplit(resolve_url(settings.LOGIN_URL)).path}
    return set()
