"""Looks at a host's site from outside, as a browser does: cookies kept, redirects followed."""

from __future__ import annotations

import re
import ssl
import time
from dataclasses import dataclass
from http.client import HTTPMessage
from http.cookiejar import CookieJar
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import (
    BaseHandler,
    HTTPCookieProcessor,
    HTTPSHandler,
    ProxyHandler,
    Request,
    build_opener,
)

from .addressed import PlainHandler, SecureHandler

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


@dataclass(frozen=True)
class Page:
    status: int
    headers: HTTPMessage
    text: str
    address: str


class Visitor:
    """Someone with a cookie jar of their own, in front of one address.

    With `at` the address is a name that nobody knows, and that is where it leads.
    """

    def __init__(
        self, address: str, *, at: str = "", context: ssl.SSLContext | None = None
    ) -> None:
        self.address = address
        self.cookies = CookieJar()
        # The controller may have a proxy for the world outside; the host is not outside.
        handlers: list[BaseHandler] = [ProxyHandler({}), HTTPCookieProcessor(self.cookies)]
        handlers += [PlainHandler(at)] if at else []
        if context:
            handlers += [SecureHandler(at, context) if at else HTTPSHandler(context=context)]
        self._opener = build_opener(*handlers)

    def ask(self, path: str, form: dict[str, str] | None = None, host: str | None = None) -> Page:
        """Fetch a path, as a POST when there is a form. Raises URLError when nobody answers."""
        data = None if form is None else urlencode(form).encode()
        headers = {"Referer": f"{self.address}{path}"} | ({"Host": host} if host else {})
        request = Request(f"{self.address}{path}", data, headers)  # noqa: S310 - http by construction
        try:
            answer = self._opener.open(request, timeout=20)
        except HTTPError as error:
            answer = error
        with answer:
            return Page(answer.status, answer.headers, answer.read().decode(), answer.url)

    def log_in(self, path: str, username: str, password: str) -> Page:
        """Fill in the admin's login form, and return the page behind it."""
        token = TOKEN.search(self.ask(path).text)
        assert token is not None, f"no login form at {path}"
        form = {"csrfmiddlewaretoken": token[1], "username": username, "password": password}
        return self.ask(path, form)

    def wait(self, path: str, seconds: float) -> None:
        """Wait until a path is answered with 200. Raises TimeoutError with what was seen last."""
        deadline = time.monotonic() + seconds
        seen = ""
        while time.monotonic() < deadline:
            try:
                page = self.ask(path)
            except (URLError, OSError) as error:
                seen = str(error)
            else:
                if page.status == 200:
                    return
                seen = str(page.status)
            time.sleep(0.2)
        raise TimeoutError(f"{self.address}{path} not there after {seconds:g} s: {seen}")
