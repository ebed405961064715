"""Looking at a site on trial as its people do: signing in, and following links."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from urllib.parse import urljoin, urlsplit

from tests.support.trial import Response, Site

PASSWORD = "a-long-password"


def make_superuser(site: Site) -> None:
    site.ask(
        "admin",
        f"""
        from django_split.superuser import ensure
        ensure({{"username": "chief", "email": "chief@trial.example", "password": {PASSWORD!r}}})
        """,
    )


def signed_in(site: Site, login: str, paths: list[str]) -> tuple[str, dict[str, int]]:
    """Sign in to an admin by its form; give the session's key and the status of each path."""
    key, statuses = site.ask(
        "admin",
        f"""
        import re
        from django.conf import settings
        from django.test import Client
        client = Client(HTTP_HOST="trial.example", enforce_csrf_checks=True)
        page = client.get({login!r}).content.decode()
        token = re.search('csrfmiddlewaretoken" value="([^"]+)', page)[1]
        form = {{"username": "chief", "password": {PASSWORD!r}, "csrfmiddlewaretoken": token}}
        reply = client.post({login!r}, form, HTTP_ORIGIN="http://trial.example:8080")
        assert reply.status_code == 302, reply.content.decode()
        key = client.cookies[settings.SESSION_COOKIE_NAME].value
        answer = key, {{path: client.get(path).status_code for path in {paths!r}}}
        """,
    )
    return key, statuses


def crawl(
    site: Site,
    instance: str,
    most: int = 60,
    starts: Iterable[str] = ("/",),
    skipped: tuple[str, ...] = (),
) -> dict[str, Response]:
    """Every page that can be reached by links, breadth first, with its answer.

    `skipped` are prefixes that are not asked for, as static files.
    """
    seen: dict[str, Response] = {}
    waiting = deque(starts)
    while waiting and len(seen) < most:
        path = waiting.popleft()
        if path in seen or path.startswith(skipped):
            continue
        seen[path] = page = site.get(instance, path)
        links = re.findall(r'href="([^"#]+)', page.body)
        if location := page.headers.get("Location"):
            links.append(location)
        for link in links:
            target = urlsplit(urljoin(path, link.replace("&amp;", "&")))
            if not target.netloc and target.path.startswith("/"):
                waiting.append(target.path + (f"?{target.query}" if target.query else ""))
    return seen


def without_tokens(body: str) -> str:
    """A page without what is random in it."""
    return re.sub(r'csrfmiddlewaretoken" value="[^"]+', "", body)
