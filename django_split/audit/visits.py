"""A sample of pages, each asked by three visitors: what their sessions and users cost."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.db import connections
from django.test.utils import override_settings

from django_split.analysis import quiet, routes, urls
from django_split.analysis.pages import Page as Seen
from django_split.analysis.readonly import Databases
from django_split.analysis.targets import COMMON, Targets, of_rows
from django_split.analysis.visit import Visitor, described
from django_split.audit import counting, engines, facts, measured
from django_split.audit.database import model, only_read
from django_split.audit.measured import SESSION, USER, held, log
from django_split.audit.tally import SIGNED_IN, WITH_COOKIE, WITHOUT_COOKIE
from django_split.mounts import OTHER_ADMINS

# As Django makes them: 32 of 0-9a-z.
KEYS = {
    WITH_COOKIE: "djangosplit0cookie".ljust(32, "0"),
    SIGNED_IN: "djangosplit0user".ljust(32, "0"),
}


def pages(most: int, seconds: float) -> facts.Pages:
    """Ask at most so many pages, for at most so long. Never raises: what failed is a note."""
    found = facts.Pages()
    try:
        _ask(found, most, seconds)
    except Exception as error:
        found.notes.append(f"the visit ended after {len(found.asked)} pages: {described(error)}")
    return found


def _ask(found: facts.Pages, most: int, seconds: float) -> None:
    engine = engines.session_class(settings.SESSION_ENGINE)
    table = model()
    found.notes += quiet.surround()
    measured.take_the_place_of(engine)
    override_settings(SESSION_ENGINE=measured.__name__).enable()
    for alias in connections:
        only_read(connections[alias])
    databases = Databases(lambda file: "")
    databases.protect()
    found.notes += databases.notes
    prefixes = [prefix for mount in urls.find(OTHER_ADMINS).mounts for prefix in mount.prefixes]
    visitor = Visitor(databases, prefixes, _host(), bool(settings.SECURE_SSL_REDIRECT))
    counting.watch(table._meta.db_table if table else "")
    sessions = {WITH_COOKIE: {}, SIGNED_IN: counting.somebody()}
    held.update({KEYS[who]: data for who, data in sessions.items() if data is not None})
    deadline = time.monotonic() + seconds
    for path in _targets(prefixes, seconds, targets := Targets(prefixes)):
        if len(found.asked) >= most or time.monotonic() > deadline:
            break
        # Once for what a process keeps from its first request on.
        seen, links = visitor.page(path, twice=False)
        targets.add(links)
        if not seen.view or seen.unjudged:
            continue
        page = facts.Page(path, seen.view, seen.where)
        for who in (WITHOUT_COOKIE, *(who for who, key in KEYS.items() if key in held)):
            key = KEYS.get(who, "")
            visitor.cookies = f"{settings.SESSION_COOKIE_NAME}={key}" if key else ""
            page.visits[who] = _visit(visitor.page(path, twice=False)[0])
        visitor.cookies = ""
        found.asked.append(page)


def _targets(prefixes: list[str], seconds: float, targets: Targets) -> Any:
    known = routes.routes(OTHER_ADMINS)
    targets.seen.update(COMMON)  # no pages of the site's
    targets.add(["/", *(r.url for r in known if r.literal and not r.is_below(prefixes))])
    targets.add(of_rows(seconds / 2))
    return targets


def _visit(seen: Seen) -> facts.Visit:
    """The log is that of the last request, which is the one that this page came from."""
    stores: list[Any] = log.stores
    return facts.Visit(
        status=seen.status,
        queries=log.queries,
        session_queries=log.by[SESSION],
        user_queries=log.by[USER],
        reads=log.reads,
        writes=log.writes,
        accessed=any(store.accessed for store in stores),
        modified=any(store.modified for store in stores),
        cookie=seen.session,
        varies="cookie" in seen.vary,
        error=seen.exception or seen.unjudged,
    )


def _host() -> str:
    allowed = [host for host in settings.ALLOWED_HOSTS if not host.startswith((".", "*"))]
    return next(iter(allowed), "localhost")
