"""The anonymous crawl: what a visitor gets who has no cookies and only looks."""

from __future__ import annotations

import os
import time

from django.conf import settings

from django_split.analysis import quiet
from django_split.analysis.deployment import Deployment
from django_split.analysis.pages import Crawl, Page
from django_split.analysis.readonly import Databases
from django_split.analysis.targets import COMMON, Targets, of_rows
from django_split.analysis.visit import Visitor, comes_back, described
from django_split.plan import lies_inside


def of_base(
    paths: list[str], prefixes: list[str], deployment: Deployment, pages: int, seconds: float
) -> Crawl:
    """Ask the base for these paths, then for what they lead to.

    `prefixes` are the admin's and are never asked. Never raises: a site whose pages cannot be
    looked at can be split all the same.
    """
    crawl = Crawl()
    try:
        _ask_base(crawl, paths, prefixes, deployment, pages, seconds)
    except Exception as error:
        crawl.notes.append(f"the crawl ended after {len(crawl.pages)} pages: {described(error)}")
    _know_logins(crawl.pages)
    return crawl


def _ask_base(
    crawl: Crawl,
    paths: list[str],
    prefixes: list[str],
    deployment: Deployment,
    pages: int,
    seconds: float,
) -> None:
    visitor = _visitor(crawl, prefixes, deployment)
    deadline = time.monotonic() + seconds
    targets = Targets(prefixes)
    targets.add(["/", *paths])
    targets.add(COMMON)
    targets.add(of_rows(seconds / 2))
    for path in targets:
        if len(crawl.pages) >= pages or time.monotonic() > deadline:
            limits = f"the crawl ends after {pages} pages or {seconds:g} s"
            crawl.notes.append(f"not every page was asked for: {limits}")
            return
        page, links = visitor.page(path, twice=True)
        crawl.pages.append(page)
        targets.add(links)


def of_main(paths: list[str], prefixes: list[str], deployment: Deployment, seconds: float) -> Crawl:
    """Ask main for exactly these paths.

    Raises what a middleware raises that main cannot load: the base could.
    """
    crawl = Crawl()
    visitor = _visitor(crawl, prefixes, deployment)
    deadline = time.monotonic() + seconds
    for path in paths:
        if time.monotonic() > deadline:
            left = len(paths) - len(crawl.pages)
            crawl.notes.append(f"{left} of {len(paths)} were not asked for in {seconds:g} s")
            break
        crawl.pages.append(visitor.page(path, twice=False)[0])
    return crawl


def _visitor(crawl: Crawl, prefixes: list[str], deployment: Deployment) -> Visitor:
    def elsewhere(file: str) -> str:
        """Where the deployed site has a database that stands in its source."""
        moved = deployment.data_root and lies_inside(file, deployment.source_root)
        return os.path.join(deployment.data_root, os.path.basename(file)) if moved else ""

    host = _host(deployment)
    secure = deployment.scheme == "https" or bool(settings.SECURE_SSL_REDIRECT)
    crawl.notes += quiet.surround()
    databases = Databases(elsewhere)
    databases.protect()
    crawl.databases += databases.notes
    return Visitor(databases, prefixes, host, secure)


def _host(deployment: Deployment) -> str:
    """The first name that the site is served by, or may be."""
    allowed = [host for host in settings.ALLOWED_HOSTS if not host.startswith((".", "*"))]
    named = (host.lstrip("*.") for host in [*deployment.hosts, *allowed])
    return next(filter(None, named), "localhost")


def _know_logins(pages: list[Page]) -> None:
    """A redirect is one to a login, too, where that page turned out to take a password."""
    takes = {page.path.partition("?")[0] for page in pages if page.passwords}
    for page in pages:
        to, _, query = page.location.partition("?")
        if 300 <= page.status < 400 and to in takes and comes_back(page.path, query):
            page.to_login = True
