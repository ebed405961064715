"""Deployment settings:

what a base that was written for `runserver` must say behind nginx (FACTS A23).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from django_split.analysis.deployment import Deployment
from django_split.plan import Derived, lies_inside

# To standard error, which the process manager keeps. A page that is not there is no error.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"django_split": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["django_split"], "level": "WARNING"},
    "loggers": {"django.request": {"level": "ERROR"}},
}

RELEASED = "lies inside the source: the next release would begin without it"


def derive(base: Mapping[str, Any], deployment: Deployment) -> dict[str, Derived]:
    """Derive the settings that both instances share.

    Takes the base's own upper-case names, not Django's defaults. On a laptop, which has no hosts,
    they stay the base's: `runserver` is what they were written for.
    """
    return dict(_derived(base, deployment))


def _derived(base: Mapping[str, Any], to: Deployment) -> Iterator[tuple[str, Derived]]:
    if to.hosts:
        yield "DEBUG", Derived("set", False, "an instance is never in debug mode")
        yield from _hosts(to)
    if to.scheme == "https":
        yield (
            "SECURE_PROXY_SSL_HEADER",
            Derived(
                "set",
                ["HTTP_X_FORWARDED_PROTO", "https"],
                "our nginx ends TLS and overwrites this header",
            ),
        )
        yield "CSRF_COOKIE_SECURE", Derived("set", True, "the site is served by https")
    if to.static_root:
        yield "STATIC_ROOT", Derived("set", to.static_root, "what nginx shows is collected there")
    if to.hosts:
        yield (
            "LOGGING",
            Derived("default", LOGGING, "not set: with DEBUG off Django writes no error anywhere"),
        )
    yield from _media(base, to)
    yield from _databases(base, to)
    yield from _files(base, to)


def _hosts(to: Deployment) -> Iterator[tuple[str, Derived]]:
    """With a host of its own the admin trusts no POST that a public page sends it.

    It knows the public names all the same: a preview of a page is made under the page's own.
    """
    own = [to.admin_host] if to.admin_host else []
    yield (
        "ALLOWED_HOSTS",
        Derived(
            "add",
            to.hosts,
            "the names that nginx serves",
            for_admin=[*own, *to.hosts] if own else None,
        ),
    )
    yield (
        "CSRF_TRUSTED_ORIGINS",
        Derived(
            "add",
            to.origins(),
            "a POST behind the proxy names this origin",
            for_admin=to.origins(*own) if own else None,
        ),
    )


def _media(base: Mapping[str, Any], to: Deployment) -> Iterator[tuple[str, Derived]]:
    root = base.get("MEDIA_ROOT")
    if to.media_root and not root:
        yield "MEDIA_ROOT", Derived("default", to.media_root, "not set: uploads would land in /")
    elif to.media_root and lies_inside(root, to.source_root):
        yield "MEDIA_ROOT", Derived("move", to.media_root, RELEASED, inside=to.source_root)
    if to.media_root:
        both = "both instances' users must be able to write media, through their shared group"
        yield "FILE_UPLOAD_PERMISSIONS", Derived("default", 0o664, f"0o664: {both}")
        yield (
            "FILE_UPLOAD_DIRECTORY_PERMISSIONS",
            Derived("default", 0o2775, f"0o2775: {both}"),
        )


def _databases(base: Mapping[str, Any], to: Deployment) -> Iterator[tuple[str, Derived]]:
    if not to.data_root:
        return
    for alias, database in (base.get("DATABASES") or {}).items():
        if "sqlite3" in database.get("ENGINE", "") or "spatialite" in database.get("ENGINE", ""):
            yield from _moved(f"DATABASES.{alias}.NAME", database.get("NAME"), to, to.data_root)


def _files(base: Mapping[str, Any], to: Deployment) -> Iterator[tuple[str, Derived]]:
    if not to.var_root:
        return
    for name, handler in ((base.get("LOGGING") or {}).get("handlers") or {}).items():
        yield from _moved(
            f"LOGGING.handlers.{name}.filename", handler.get("filename"), to, to.var_root
        )
    for alias, cache in (base.get("CACHES") or {}).items():
        if "filebased" in cache.get("BACKEND", ""):
            name = os.path.basename(os.path.normpath(str(cache.get("LOCATION") or alias)))
            yield (
                f"CACHES.{alias}.LOCATION",
                Derived(
                    "own",
                    os.path.join(to.var_root, name),
                    "Django makes its folder for one user alone (0700), and its files are pickles",
                ),
            )


def _moved(place: str, path: Any, to: Deployment, directory: str) -> Iterator[tuple[str, Derived]]:
    if lies_inside(path, to.source_root):
        target = os.path.join(directory, os.path.basename(os.path.normpath(path)))
        yield place, Derived("move", target, RELEASED, inside=to.source_root)
