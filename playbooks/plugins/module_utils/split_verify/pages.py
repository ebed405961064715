"""Claims about main: its pages through nginx, its own socket, its settings; and an unknown Host."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from .markup import read
from .row import Row, listed
from .site import Site
from .web import (
    Answer,
    Browser,
    NoAnswerError,
    local_path,
    raw,
    reason,
    request,
)

LINKS = 15
# A GET should change nothing, but some sites' links do. One harmless page too few is no loss.
LEAVE_ALONE = re.compile(
    r"(?:^|[^a-z])(?:log-?_?out|sign-?_?out|log-?_?off|delete|remove|destroy|unsubscribe|cancel|purge|reset)(?:[^a-z]|$)",
    re.IGNORECASE,
)
# htmx and other scripts take the token from an attribute, a <meta> or a variable
CSRF_TOKEN = re.compile(r"csrf[-_]?(middleware[-_]?)?token", re.IGNORECASE)
UNKNOWN_HOST = "unknown.invalid"


def crawl(site: Site) -> list[Answer | NoAnswerError]:
    """GET / (and where it redirects to) and up to LINKS pages that it links to, cookieless."""
    proxy = site.proxies[0]
    seen: dict[str, Answer | NoAnswerError] = {}

    def get(path: str) -> Answer | None:
        try:
            answer = request(proxy, site.host, path, timeout=site.timeout)
        except NoAnswerError as error:
            seen[path] = error
            return None
        seen[path] = answer
        return answer

    path, start = "/", get("/")
    for _ in range(3):
        if start is None or start.status not in (301, 302, 303, 307, 308):
            break
        onward = local_path(site.host, path, start.header("Location"), site.scheme)
        if onward is None or onward in seen or not is_page(site, onward):
            break
        path, start = onward, get(onward)
    if start is not None:
        links = (local_path(site.host, path, link, site.scheme) for link in read(start.html).links)
        linked = [one for one in links if one and one not in seen and is_page(site, one)]
        for one in varied(linked)[:LINKS]:
            get(one)
    return list(seen.values())


def varied(paths: list[str]) -> list[str]:
    """The paths, each once, so that every first folder has its turn before one has its second.

    A front page names twenty articles first and the contact form last, and two alike show one.
    """
    turns: dict[str, int] = {}
    ranked = []
    for position, path in enumerate(dict.fromkeys(paths)):
        folder = path.split("/")[1].partition("?")[0]
        turns[folder] = turns.get(folder, 0) + 1
        ranked.append((turns[folder], position, path))
    return [path for _, _, path in sorted(ranked)]


def is_page(site: Site, path: str) -> bool:
    """Whether a path is one of main's pages, and harmless to ask for."""
    elsewhere = [*site.admin_prefixes, *site.closed_prefixes, *site.file_prefixes]
    if any(path.startswith(prefix) or path + "/" == prefix for prefix in elsewhere):
        return False
    return not LEAVE_ALONE.search(path)


def pages(site: Site, found: list[Answer | NoAnswerError], session_cookies: set[str]) -> list[Row]:
    """Main answers, sets no session cookie, and no cookie at all where there is no form."""
    wrong = [str(one) for one in found if isinstance(one, NoAnswerError)]
    answers = [one for one in found if isinstance(one, Answer)]
    wrong += [f"{one.path}: {one.status}" for one in answers if one.status >= 500]
    statuses = Counter(one.status for one in answers)
    counted = ", ".join(f"{count}x {status}" for status, count in sorted(statuses.items()))
    what = f"{len(found)} page{'s' * (len(found) != 1)} from /"
    rows = [
        Row(
            "main.pages",
            "main answers its pages",
            not wrong,
            listed(wrong) if wrong else f"{what}: {counted}",
        )
    ]
    cookies = [
        f"{one.path} sets {cookie.name}"
        for one in answers
        for cookie in one.cookies
        if cookie.name in session_cookies and not cookie.deleted
    ]
    rows.append(
        Row(
            "main.session_cookie",
            "main never sets the admin's session cookie"
            if site.has_public_sessions
            else "main sets no session cookie",
            bool(answers) and not cookies,
            listed(cookies)
            if cookies
            else _none(what, answers, ", ".join(sorted(session_cookies))),
        )
    )
    if site.has_public_sessions:
        # Cookies, and pages that vary by them, are what such a site asked for.
        return rows
    plain = [
        one
        for one in answers
        if not needs_cookie(one) and one.path.partition("?")[0] not in site["cookie_paths"]
    ]
    marked = [f"{one.path} {'; '.join(marks)}" for one in plain if (marks := cookie_marks(one))]
    hint = (
        ". A view that does this by its own will: add its path to verify_cookie_paths"
        if marked
        else ""
    )
    rows.append(
        Row(
            "main.cookie_free",
            "its pages without a form are free of cookies",
            (not marked) if plain else (None if answers else False),
            (listed(marked) + hint)
            if marked
            else _none(
                f"{len(plain)} of {len(found)} pages have no form",
                answers,
                "Set-Cookie, Vary: Cookie",
            ),
        )
    )
    return rows


def _none(what: str, answers: list[Answer], missing: str) -> str:
    return f"{what}: no {missing}" if answers else "no page answered"


def needs_cookie(answer: Answer) -> bool:
    """Whether the page has a form to POST, or hands a CSRF token to its scripts."""
    html = answer.html
    return any(form.method == "post" for form in read(html).forms) or bool(CSRF_TOKEN.search(html))


def cookie_marks(answer: Answer) -> list[str]:
    """What in an answer keeps a cache from giving it to everybody."""
    marks = [f"sets {cookie.name}" for cookie in answer.cookies]
    return marks + (["has Vary: Cookie"] if answer.varies_by_cookie else [])


def old_cookie(site: Site, session_cookies: set[str]) -> Row:
    """A browser that still has a session cookie from before the split gets its page."""
    claim = "an old session cookie does no harm on main"
    browser = Browser(site.proxies[0], site.host, site.timeout)
    browser.cookies = dict.fromkeys(session_cookies, "0" * 32)
    try:
        answer = browser.ask("/")
    except NoAnswerError as error:
        return Row("main.old_cookie", claim, False, str(error))
    return Row("main.old_cookie", claim, answer.status < 500, f"/: {answer.status}")


def own_socket(site: Site) -> list[Row]:
    """Main itself, past nginx, knows no admin URL and no closed one."""
    admin = [*site.admin_prefixes, site.login_path]
    rows = [_not_found(site, "main.no_admin_url", "main itself knows no admin URL", admin)]
    if site.closed_prefixes:
        claim = "main itself answers 404 for closed prefixes"
        rows.append(_not_found(site, "main.closed", claim, site.closed_prefixes))
    return rows


def _not_found(site: Site, name: str, claim: str, paths: list[str]) -> Row:
    seen, right = [], True
    for path in dict.fromkeys(paths):
        try:
            answer = request(site.main, site.host, path, timeout=site.timeout)
        except NoAnswerError as error:
            seen.append(str(error))
            right = False
            continue
        seen.append(f"{path}: {answer.status}")
        right = right and answer.status == 404
    return Row(name, claim, right, listed(seen, 6))


def without(site: Site) -> str:
    """What is claimed of main's apps."""
    return (
        "main has no admin"
        if site.has_public_sessions
        else "main has neither the admin nor sessions"
    )


def settings(site: Site, found: Mapping[str, Any]) -> list[Row]:
    """Main's settings in force, as its own process loads them."""
    names = ["django.contrib.admin"]
    if not site.has_public_sessions:
        names.append("django.contrib.sessions")
        # Named here because its effect is silent: 200 without a cookie, 500 with one
        names.append("django.contrib.sessions.middleware.SessionMiddleware")
    unwanted = [name for name in names if name in [*found["apps"], *found["middleware"]]]
    module = found["module"]
    nothing = "not installed" if site.has_public_sessions else "neither of them"
    if found["models"]:
        nothing += f" (only the models of {', '.join(found['models'])}, which the site needs)"
    return [
        Row(
            "main.apps",
            without(site),
            not unwanted,
            f"{module}: {', '.join(unwanted) or nothing}",
        ),
        Row(
            "main.debug",
            "main runs with DEBUG off",
            not found["debug"],
            f"{module}: DEBUG = {found['debug']}",
        ),
    ]


def own_host(site: Site) -> list[Row]:
    """With a host of the admin's own, nginx keeps the two apart: no path is on both."""
    seen, right = [], True
    for path in dict.fromkeys([site.admin_path, site.login_path]):
        try:
            answer = request(site.proxies[0], site.host, path, timeout=site.timeout)
        except NoAnswerError as error:
            seen.append(str(error))
            right = False
            continue
        seen.append(f"{path}: {answer.status}")
        right = right and answer.status == 404
    rows = [Row("proxy.public_host", "the public host knows no admin path", right, listed(seen))]
    name, claim = "proxy.admin_host", "the admin's host sends a visitor to the public pages"
    path = "/?from=verify"
    try:
        answer = request(site.proxies[0], site.admin_host, path, timeout=site.timeout)
    except NoAnswerError as error:
        return [*rows, Row(name, claim, False, str(error))]
    location = answer.header("Location")
    right = answer.status == 302 and location == f"{site.scheme}://{site.host}{path}"
    return [*rows, Row(name, claim, right, f"{path}: {answer.status} {location}".strip())]


def unknown_host(site: Site) -> Row:
    """Neither a name that is not ours nor a request without a name gets a byte, on any address."""
    claim = "an unknown Host is refused"
    wrong = []
    for proxy in [*site.proxies, *site.plain_proxies]:
        named = f"GET / HTTP/1.1\r\nHost: {UNKNOWN_HOST}\r\nConnection: close\r\n\r\n"
        asked = [
            ("an unknown Host", UNKNOWN_HOST, named),
            ("no Host", "", "GET / HTTP/1.0\r\n\r\n"),
        ]
        if proxy.scheme == "https":
            known = site["hosts"][0].lstrip("*.")
            asked.append(("an unknown Host behind a known name", known, named))
        for what, name, text in asked:
            try:
                answer = raw(proxy, text.encode(), site.timeout, name)
            except OSError as error:
                wrong.append(f"{what} on {proxy}: {reason(error)}")
                continue
            if answer:
                first = answer.splitlines()[0].decode("latin-1")
                wrong.append(f"{what} on {proxy} is answered: {first}")
    where = ", ".join(str(proxy) for proxy in [*site.proxies, *site.plain_proxies])
    return Row(
        "proxy.unknown_host",
        claim,
        not wrong,
        listed(wrong) if wrong else f"{where}: closed without a response",
    )
