"""Where an admin signs people in, when that is not its own login page.

`admin.site.login = login_required(admin.site.login)` and its kind send everybody to LOGIN_URL. Main
has that page too, and an instance that is sent its own prefixes only is never asked for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn
from urllib.parse import urlsplit

from django.contrib.admin import AdminSite
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.db import OperationalError, connections
from django.http import HttpRequest
from django.urls import resolve
from django.utils import translation

from django_split import findings as kinds
from django_split.analysis.urls import default_language, login_path
from django_split.findings import Finding
from django_split.mounts import DJANGO, PLAIN_PATH, is_below
from django_split.plan import Mount


def find(mounts: list[Mount]) -> list[Finding]:
    """A finding for each login page outside of an admin that sends people there to sign in."""
    found = []
    for mount in mounts:
        path = _leads_to(login_path(mount)) if mount.kind == DJANGO else ""
        if path and not is_below(path, mount.prefixes):
            what = f"the admin at {mount.route} sends people there to sign in"
            found.append(Finding(kinds.MOUNT, what, url=path))
    return found


def elsewhere(found: list[Finding], prefixes: list[str]) -> list[str]:
    """The paths of these findings that no prefix of the admin instance has."""
    return list(dict.fromkeys(f.url for f in found if not is_below(f.url, prefixes)))


def _leads_to(login: str) -> str:
    """The path that a visitor of a login page is sent to. Empty: none, or it cannot be told."""
    try:
        with translation.override(default_language()):
            callback = resolve(login).func
            if getattr(callback, "__func__", None) is AdminSite.login:
                return ""
            with _no_database():
                answer = callback(_visitor(login))
    except Exception:
        return ""  # it shows a page, or wants something that is not there
    to = urlsplit(answer.get("Location", "")) if 300 <= answer.status_code < 400 else None
    # A page of somebody else's, as for single sign-on, is nobody's prefix.
    return to.path if to and not to.netloc and PLAIN_PATH.match(to.path) else ""


def _visitor(path: str) -> HttpRequest:
    request = HttpRequest()
    request.method, request.path, request.path_info = "GET", path, path
    request.META = {"REQUEST_METHOD": "GET"}
    # ALLOWED_HOSTS may have no name that could be asked for.
    request.get_host = lambda: "localhost"  # type: ignore[method-assign]
    request.user = AnonymousUser()
    request.session = SessionBase()
    return request


@contextmanager
def _no_database() -> Iterator[None]:
    """Opening a SQLite file makes it, and a server may be long in answering."""

    def refused(*_: Any) -> NoReturn:
        raise OperationalError("no database is asked for a login page")

    for alias in connections:
        connections[alias].connect = refused  # type: ignore[method-assign]
    try:
        yield
    finally:
        for alias in connections:
            del connections[alias].connect
